//! Properties of a list (csp-presence 2.3).

use crate::contact_list::{ContactListConfig, Properties, PropertyChanges};
use hamlet_model::StatusCode;
use hamlet_model::refusal::Failures;
use hamlet_store::ContactList;

/// The effective properties.
pub(crate) fn properties(list: &ContactList) -> Properties {
    let name = || list.id.name().to_owned();
    Properties {
        display_name: list.display_name.clone().unwrap_or_else(name),
        default: list.default,
        do_not_notify: list.do_not_notify,
    }
}

/// Applies changes to `list`; how many properties got a value. Those that cannot be set are
/// noted (752).
pub(crate) fn change(
    list: &mut ContactList,
    changes: &PropertyChanges,
    config: &ContactListConfig,
    failures: &mut Failures,
) -> usize {
    let mut invalid = changes.invalid.clone();
    let mut set = 0;
    if let Some(name) = &changes.display_name {
        if name.chars().count() <= config.max_name {
            list.display_name = Some(name.clone());
            set += 1;
        } else {
            invalid.push("DisplayName".to_owned());
        }
    }
    if let Some(default) = changes.default {
        // There is always a default list: F on it means nothing.
        list.default |= default;
        set += 1;
    }
    if let Some(do_not_notify) = changes.do_not_notify {
        list.do_not_notify = do_not_notify;
        set += 1;
    }
    if !invalid.is_empty() {
        failures
            .block(StatusCode::INVALID_LIST_PROPERTY)
            .description = invalid.join(", ");
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::{ContactListId, Domain};

    #[test]
    fn properties_that_can_be_set_are_and_the_others_are_named() {
        let id = ContactListId::parse("wv:anna/work", &Domain::parse("a").unwrap()).unwrap();
        let mut list = ContactList {
            id,
            display_name: None,
            do_not_notify: false,
            default: true,
        };
        assert_eq!(properties(&list).display_name, "work");
        let changes = PropertyChanges {
            display_name: Some("x".repeat(129)),
            default: Some(false),
            do_not_notify: Some(true),
            invalid: vec!["Colour".into()],
        };
        let mut failures = Failures::new();
        let config = ContactListConfig::default();
        assert_eq!(change(&mut list, &changes, &config, &mut failures), 2);
        let now = properties(&list);
        assert!(now.default && now.do_not_notify);
        let details = failures.into_details();
        assert_eq!(details[0].description, "Colour, DisplayName");
    }
}
