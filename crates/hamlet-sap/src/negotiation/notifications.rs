//! Which notifications a session wants (csp-access 13). Pure.

use hamlet_csp::Version;
use hamlet_csp::elements::NotificationTypeList;
use hamlet_elements::notification::NotificationKind;
use hamlet_model::refusal::Failures;
use hamlet_model::{Refusal, StatusCode};
use serde::{Deserialize, Serialize};

/// What one session has subscribed, and what it has refused: some types come unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Subscriptions {
    wanted: u32,
    refused: u32,
}

impl Subscriptions {
    /// Whether a session of `version` gets notifications of this type.
    pub(crate) fn wants(self, kind: NotificationKind, version: Version) -> bool {
        let is_in = |set: u32| set & bit(kind) != 0;
        version == Version::V1_3
            && (is_in(self.wanted) || (kind.is_unasked() && !is_in(self.refused)))
    }

    /// Subscribes what the list names; the codes of what it names in vain.
    pub(crate) fn subscribe(
        &mut self,
        list: Option<&NotificationTypeList>,
    ) -> Result<Failures, Refusal> {
        let (kinds, failures) = read(list)?;
        if kinds.is_empty() && failures.is_empty() {
            let why = "No type of notification is named";
            return Err(Refusal::because(StatusCode::BAD_REQUEST, why));
        }
        for kind in named(kinds, &failures)? {
            self.wanted |= bit(kind);
            self.refused &= !bit(kind);
        }
        Ok(failures)
    }

    /// Unsubscribes what the list names; an empty one names all.
    pub(crate) fn unsubscribe(
        &mut self,
        list: Option<&NotificationTypeList>,
    ) -> Result<Failures, Refusal> {
        let (kinds, failures) = read(list)?;
        let kinds = match kinds.is_empty() && failures.is_empty() {
            true => NotificationKind::ALL.to_vec(),
            false => named(kinds, &failures)?,
        };
        for kind in kinds {
            self.wanted &= !bit(kind);
            self.refused |= bit(kind);
        }
        Ok(failures)
    }
}

fn bit(kind: NotificationKind) -> u32 {
    1 << kind as u32
}

/// The types of a list, and those that do not exist.
fn read(list: Option<&NotificationTypeList>) -> Result<(Vec<NotificationKind>, Failures), Refusal> {
    let Some(list) = list else {
        let why = "NotificationTypeList is missing";
        return Err(Refusal::because(StatusCode::BAD_REQUEST, why));
    };
    let (mut kinds, mut unknown) = (Vec::new(), Vec::new());
    for code in &list.notification_type {
        match NotificationKind::parse(code.as_str()) {
            Some(kind) => kinds.push(kind),
            None => unknown.push(code.as_str()),
        }
    }
    let mut failures = Failures::new();
    if !unknown.is_empty() {
        let names: String = unknown.join(", ").chars().take(80).collect();
        // DetailedResult has no place for them but its words.
        failures.block(StatusCode::BAD_PARAMETER).description = format!("There is no {names}");
    }
    Ok((kinds, failures))
}

/// 402 when all of them are unknown.
fn named(
    kinds: Vec<NotificationKind>,
    failures: &Failures,
) -> Result<Vec<NotificationKind>, Refusal> {
    if kinds.is_empty() {
        return Err(Refusal {
            details: failures.clone().into_details(),
            ..Refusal::new(StatusCode::BAD_PARAMETER)
        });
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use NotificationKind::{
        AuthorizationNeededUser, ContactListChanged, InvitationAccepted, PublicProfileUpdated,
    };
    use hamlet_csp::elements::NotificationType;

    fn list(codes: &[&str]) -> NotificationTypeList {
        let codes = codes
            .iter()
            .map(|code| NotificationType::parse((*code).into()));
        NotificationTypeList {
            notification_type: codes.collect(),
        }
    }

    #[test]
    fn every_type_of_the_syntax_is_known() {
        assert_eq!(NotificationType::ALL.len(), NotificationKind::ALL.len());
        for code in NotificationType::ALL {
            let kind = NotificationKind::parse(code.as_str()).unwrap();
            assert_eq!(kind.code(), code.as_str());
        }
    }

    #[test]
    fn nothing_is_sent_unasked_but_what_the_attribute_lists_ask_for() {
        let none = Subscriptions::default();
        for kind in NotificationKind::ALL {
            assert_eq!(
                none.wants(*kind, Version::V1_3),
                kind.is_unasked(),
                "{kind:?}"
            );
            assert!(!none.wants(*kind, Version::V1_2));
        }
    }

    #[test]
    fn subscribing_adds_and_unsubscribing_removes() {
        let mut all = Subscriptions::default();
        let wants = |all: &Subscriptions, kind| all.wants(kind, Version::V1_3);
        assert!(
            all.subscribe(Some(&list(&["CLC", "PPU"])))
                .unwrap()
                .is_empty()
        );
        assert!(all.subscribe(Some(&list(&["ia"]))).unwrap().is_empty());
        all.unsubscribe(Some(&list(&["PPU", "ANU"]))).unwrap();
        assert!(wants(&all, ContactListChanged) && wants(&all, InvitationAccepted));
        assert!(!wants(&all, PublicProfileUpdated) && !wants(&all, AuthorizationNeededUser));
        all.unsubscribe(Some(&list(&[]))).unwrap();
        assert!(!wants(&all, ContactListChanged));
    }

    #[test]
    fn unknown_types_are_told() {
        let mut all = Subscriptions::default();
        let code = |refused: Result<Failures, Refusal>| refused.unwrap_err().code.0;
        assert_eq!(code(all.subscribe(None)), 400);
        assert_eq!(code(all.subscribe(Some(&list(&[])))), 400);
        assert_eq!(code(all.subscribe(Some(&list(&["XX"])))), 402);
        assert_eq!(code(all.unsubscribe(Some(&list(&["XX"])))), 402);
        let partly = all.subscribe(Some(&list(&["XX", "CLC"]))).unwrap();
        assert_eq!(partly.overall(true).0, 201);
        assert!(all.wants(ContactListChanged, Version::V1_3));
    }
}
