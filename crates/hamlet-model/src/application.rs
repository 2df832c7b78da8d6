//! Applications above IMPS (architecture document 5.3.6.1; data-types 1.5).

use crate::{ApplicationId, Service, ServiceSet, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// Longest ApplicationID, characters.
const MAX_ID: usize = 64;

/// An application that the operator has registered. The users that it may act for are kept
/// beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its name on the wire; case-sensitive.
    pub id: ApplicationId,
    /// The account by which it is itself a user. Its password is the application's.
    pub account: UserId,
    /// Whether anybody may use it now.
    pub active: bool,
    /// What its sessions may use, its own and those of its users.
    pub services: ServiceSet,
    /// Every user may use it with his own password. Else only those that it may act for.
    pub open: bool,
    /// It may read and change the user profiles of those that it may act for.
    pub profiles: bool,
    /// The applications whose users may address it, beside its own.
    pub peers: Vec<ApplicationId>,
    /// When it was registered.
    pub created: Timestamp,
}

impl Application {
    /// Whether the text can name an application: printable ASCII without blanks, at most 64.
    pub fn is_id(text: &str) -> bool {
        (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_graphic())
    }

    /// Whether a session of application `from` may address it; `None` is a session of the
    /// standard IMPS application, of a user that `is_granted` it or not.
    pub fn takes_from(&self, from: Option<&ApplicationId>, is_granted: bool) -> bool {
        if !self.active || !self.services.contains(Service::Im) {
            return false;
        }
        match from {
            Some(from) => *from == self.id || self.peers.contains(from),
            None => self.open || is_granted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Domain;

    #[test]
    fn an_application_takes_from_its_own_its_peers_and_its_users() {
        let application = Application {
            id: ApplicationId::new("chess"),
            account: UserId::parse("chess", &Domain::parse("h").unwrap()).unwrap(),
            active: true,
            services: ServiceSet::ALL,
            open: false,
            profiles: false,
            peers: vec![ApplicationId::new("draughts")],
            created: Timestamp::default(),
        };
        let id = ApplicationId::new;
        for (from, granted, expected) in [
            (Some(id("chess")), false, true),
            (Some(id("draughts")), false, true),
            (Some(id("Draughts")), true, false),
            (None, true, true),
            (None, false, false),
        ] {
            assert_eq!(
                application.takes_from(from.as_ref(), granted),
                expected,
                "{from:?}"
            );
            let open = Application {
                open: true,
                ..application.clone()
            };
            let to_all = expected || from.is_none();
            assert_eq!(open.takes_from(from.as_ref(), granted), to_all, "{from:?}");
            let off = Application {
                active: false,
                ..open
            };
            assert!(!off.takes_from(from.as_ref(), granted));
        }
    }
}
