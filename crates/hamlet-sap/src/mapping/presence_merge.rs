//! Several clients of one publisher, seen by a watcher of some version (csp-presence 8.3).

use hamlet_csp::Version;
use hamlet_model::ClientId;
use hamlet_model::presence::{Attribute, AttributeName, AttributeValue, ClientInfo, CommC};
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The attributes that a watcher of `version` can be told.
///
/// 1.3: one for each client, the most available client first: some watchers take only the
/// first (csp-presence 14). 1.1 and 1.2: one of each name, without client, taken from the
/// most available client that has it; 1.1 without InfoLink.
///
/// Attributes of the same client are expected newest first.
pub fn fit(attributes: &[Attribute], version: Version) -> Vec<Cow<'_, Attribute>> {
    let ranked = ranked_clients(attributes);
    let known = |name: AttributeName| name != AttributeName::InfoLink || version > Version::V1_1;
    AttributeName::ALL
        .iter()
        .filter(|name| known(**name))
        .flat_map(|name| {
            let all: Vec<&Attribute> = in_order(attributes, *name, &ranked);
            match version {
                Version::V1_3 => all.into_iter().map(Cow::Borrowed).collect(),
                _ => merged(*name, &all).into_iter().collect::<Vec<_>>(),
            }
        })
        .collect()
}

/// Names what a watcher of `version` is told by these attributes: the same to him is the same.
pub fn fingerprint(attributes: &[Attribute], version: Version) -> u64 {
    let mut hasher = DefaultHasher::new();
    for attribute in fit(attributes, version) {
        match &attribute.value {
            // As it is written (csp-presence 3.4).
            AttributeValue::ClientInfo(info) if version < Version::V1_3 => {
                let seen = ClientInfo {
                    content_limit: None,
                    im_priority: None,
                    application: None,
                    ..(**info).clone()
                };
                (attribute.name, attribute.qualifier, seen).hash(&mut hasher);
            }
            _ => attribute.hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// The clients that attributes are about, the most available first: online before offline,
/// then by priority, then as they come.
fn ranked_clients(attributes: &[Attribute]) -> Vec<Option<&ClientId>> {
    let mut clients: Vec<Option<&ClientId>> = Vec::new();
    for attribute in attributes.iter().filter(|a| a.name.is_client_status()) {
        if !clients.contains(&attribute.client.as_ref()) {
            clients.push(attribute.client.as_ref());
        }
    }
    clients.sort_by_key(|client| {
        let own = || {
            attributes
                .iter()
                .filter(|a| a.client.as_ref() == *client && a.qualifier)
        };
        let online = own().any(is_online);
        let priority = own().find_map(|attribute| match &attribute.value {
            AttributeValue::ClientInfo(info) => info.im_priority,
            _ => None,
        });
        std::cmp::Reverse((online, priority.unwrap_or(0)))
    });
    clients
}

fn is_online(attribute: &Attribute) -> bool {
    attribute.name == AttributeName::OnlineStatus
        && attribute.qualifier
        && attribute.value == AttributeValue::Flag(true)
}

/// The attributes of one name: one for each client in rank order; one for the user.
fn in_order<'a>(
    attributes: &'a [Attribute],
    name: AttributeName,
    ranked: &[Option<&ClientId>],
) -> Vec<&'a Attribute> {
    let mut named = attributes.iter().filter(|attribute| attribute.name == name);
    if !name.is_client_status() {
        return named.next().into_iter().collect();
    }
    let named: Vec<&Attribute> = named.collect();
    ranked
        .iter()
        .filter_map(|client| named.iter().find(|a| a.client.as_ref() == *client))
        .copied()
        .collect()
}

/// One attribute out of those of all clients, in rank order.
fn merged<'a>(name: AttributeName, all: &[&'a Attribute]) -> Option<Cow<'a, Attribute>> {
    let valid = all.iter().find(|attribute| attribute.qualifier);
    let chosen: &'a Attribute = valid.or(all.first())?;
    let value = match name {
        AttributeName::OnlineStatus if all.iter().any(|a| is_online(a)) => {
            Cow::Owned(AttributeValue::Flag(true))
        }
        AttributeName::CommCap => comm_cap(chosen, all),
        _ => Cow::Borrowed(&chosen.value),
    };
    if chosen.client.is_none() && matches!(value, Cow::Borrowed(_)) {
        return Some(Cow::Borrowed(chosen));
    }
    Some(Cow::Owned(Attribute {
        name,
        qualifier: chosen.qualifier,
        client: None,
        value: value.into_owned(),
    }))
}

/// The capabilities of the chosen client; messages are open when they are for any client.
fn comm_cap<'a>(chosen: &'a Attribute, all: &[&Attribute]) -> Cow<'a, AttributeValue> {
    let AttributeValue::CommCap(own) = &chosen.value else {
        return Cow::Borrowed(&chosen.value);
    };
    let open = |all: &[CommC]| all.iter().any(takes_messages);
    let elsewhere = all.iter().any(|attribute| {
        attribute.qualifier
            && matches!(&attribute.value, AttributeValue::CommCap(caps) if open(caps))
    });
    if !elsewhere || open(own) {
        return Cow::Borrowed(&chosen.value);
    }
    let mut caps = own.clone();
    caps.retain(|cap| cap.cap != "IM_OFFLINE");
    match caps.iter_mut().find(|cap| cap.cap == "IM") {
        Some(messages) => messages.status = "OPEN".to_owned(),
        None => caps.push(CommC {
            cap: "IM".to_owned(),
            status: "OPEN".to_owned(),
            ..CommC::default()
        }),
    }
    Cow::Owned(AttributeValue::CommCap(caps))
}

fn takes_messages(cap: &CommC) -> bool {
    cap.cap == "IM_ONLINE" || (cap.cap == "IM" && cap.status == "OPEN")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: AttributeName, client: &str, value: AttributeValue) -> Attribute {
        Attribute {
            name,
            qualifier: true,
            client: (!client.is_empty()).then(|| ClientId::from_url(client)),
            value,
        }
    }

    fn online(client: &str, online: bool) -> Attribute {
        attribute(
            AttributeName::OnlineStatus,
            client,
            AttributeValue::Flag(online),
        )
    }

    fn text(name: AttributeName, client: &str, text: &str) -> Attribute {
        attribute(name, client, AttributeValue::Text(text.into()))
    }

    fn priority(client: &str, priority: u32) -> Attribute {
        let info = ClientInfo {
            im_priority: Some(priority),
            model: Some(client.into()),
            ..ClientInfo::default()
        };
        let value = AttributeValue::ClientInfo(Box::new(info));
        attribute(AttributeName::ClientInfo, client, value)
    }

    fn caps(client: &str, caps: &[(&str, &str)]) -> Attribute {
        let caps = caps.iter().map(|(cap, status)| CommC {
            cap: (*cap).into(),
            status: (*status).into(),
            ..CommC::default()
        });
        let value = AttributeValue::CommCap(caps.collect());
        attribute(AttributeName::CommCap, client, value)
    }

    fn only(attributes: &[Attribute], name: AttributeName, version: Version) -> Attribute {
        let fitted = fit(attributes, version);
        let mut named = fitted.iter().filter(|a| a.name == name);
        let first = named.next().expect("the attribute is there");
        assert!(named.next().is_none(), "one of each name");
        first.clone().into_owned()
    }

    #[test]
    fn a_user_is_online_when_any_client_is() {
        for (states, expected) in [
            (&[false, true][..], true),
            (&[true, false], true),
            (&[false, false], false),
        ] {
            let attributes: Vec<_> = states
                .iter()
                .enumerate()
                .map(|(at, state)| online(&format!("c{at}"), *state))
                .collect();
            for version in [Version::V1_1, Version::V1_2] {
                let status = only(&attributes, AttributeName::OnlineStatus, version);
                assert_eq!(status.value, AttributeValue::Flag(expected));
                assert_eq!(status.client, None);
            }
        }
    }

    #[test]
    fn everything_about_clients_comes_from_the_most_available_one_that_has_it() {
        let attributes = [
            online("old", false),
            online("low", true),
            online("high", true),
            priority("old", 99),
            priority("low", 1),
            priority("high", 5),
            text(AttributeName::FreeTextLocation, "low", "office"),
            text(AttributeName::FreeTextLocation, "high", "home"),
            text(AttributeName::PLMN, "low", "24405"),
            text(AttributeName::PLMN, "old", "24491"),
        ];
        let of = |name| only(&attributes, name, Version::V1_2).value;
        let AttributeValue::ClientInfo(info) = of(AttributeName::ClientInfo) else {
            panic!("no ClientInfo");
        };
        assert_eq!(info.model.as_deref(), Some("high"));
        assert_eq!(
            of(AttributeName::FreeTextLocation),
            AttributeValue::Text("home".into())
        );
        assert_eq!(
            of(AttributeName::PLMN),
            AttributeValue::Text("24405".into())
        );
    }

    #[test]
    fn the_first_comes_first_among_equals() {
        let attributes = [
            online("newer", true),
            online("older", true),
            text(AttributeName::PLMN, "older", "1"),
            text(AttributeName::PLMN, "newer", "2"),
        ];
        let plmn = only(&attributes, AttributeName::PLMN, Version::V1_1);
        assert_eq!(plmn.value, AttributeValue::Text("2".into()));
    }

    #[test]
    fn a_withdrawn_value_gives_way_to_a_valid_one() {
        let mut withdrawn = text(AttributeName::PLMN, "a", "");
        withdrawn.qualifier = false;
        let both = [
            online("a", true),
            withdrawn.clone(),
            text(AttributeName::PLMN, "b", "2"),
        ];
        assert!(only(&both, AttributeName::PLMN, Version::V1_2).qualifier);
        let alone = [withdrawn];
        assert!(!only(&alone, AttributeName::PLMN, Version::V1_2).qualifier);
    }

    #[test]
    fn messages_are_open_when_they_are_for_any_client() {
        let open_elsewhere = [
            online("a", true),
            caps("a", &[("CALL", "OPEN"), ("IM", "CLOSED")]),
            caps("b", &[("IM", "OPEN")]),
        ];
        let merged = only(&open_elsewhere, AttributeName::CommCap, Version::V1_1);
        let expected = caps("", &[("CALL", "OPEN"), ("IM", "OPEN")]);
        assert_eq!(merged, expected);

        let old_form = [
            online("a", true),
            caps("a", &[("IM_OFFLINE", "CLOSED")]),
            caps("b", &[("IM_ONLINE", "OPEN")]),
        ];
        let merged = only(&old_form, AttributeName::CommCap, Version::V1_2);
        assert_eq!(merged, caps("", &[("IM", "OPEN")]));
    }

    #[test]
    fn version_1_3_sees_every_client_and_the_most_available_first() {
        let attributes = [
            online("off", false),
            online("on", true),
            text(AttributeName::StatusText, "", "hi"),
        ];
        let fitted = fit(&attributes, Version::V1_3);
        let fitted: Vec<&Attribute> = fitted.iter().map(AsRef::as_ref).collect();
        assert_eq!(fitted, [&attributes[1], &attributes[0], &attributes[2]]);
    }

    #[test]
    fn what_a_version_does_not_see_does_not_count() {
        let limited = |priority: u32| {
            let mut attributes = vec![online("a", true), priority_of("a", priority)];
            attributes.push(text(AttributeName::StatusText, "", "hi"));
            attributes
        };
        fn priority_of(client: &str, priority: u32) -> Attribute {
            let info = ClientInfo {
                im_priority: Some(priority),
                ..ClientInfo::default()
            };
            attribute(
                AttributeName::ClientInfo,
                client,
                AttributeValue::ClientInfo(Box::new(info)),
            )
        }
        for version in Version::ALL {
            let same = fingerprint(&limited(1), version) == fingerprint(&limited(2), version);
            assert_eq!(same, version < Version::V1_3);
            let other = [online("a", false)];
            assert_ne!(
                fingerprint(&limited(1), version),
                fingerprint(&other, version)
            );
        }
    }

    #[test]
    fn links_are_not_for_1_1() {
        let link = [attribute(
            AttributeName::InfoLink,
            "",
            AttributeValue::InfoLink(Vec::new()),
        )];
        for (version, count) in [(Version::V1_1, 0), (Version::V1_2, 1), (Version::V1_3, 1)] {
            assert_eq!(fit(&link, version).len(), count);
        }
    }
}
