//! The priority of block and grant lists (csp-im 11.3). Pure.

use super::Initiator;
use hamlet_model::{AccessEntity, AccessLists, ContactListId, MessageParty};
use std::collections::HashSet;

/// What the lists of a user say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// He may come through.
    Accept,
    /// He is on the block list.
    Blocked,
    /// The grant list is in use, and he is not on it.
    NotGranted,
}

/// Block has priority over grant; a list that is not in use does not count. `with` are the
/// contact lists that the initiator is in.
pub(super) fn decide(
    lists: &AccessLists,
    initiator: &Initiator,
    with: &HashSet<ContactListId>,
) -> Verdict {
    let named = |entities: &[AccessEntity]| {
        entities
            .iter()
            .any(|entity| matches(entity, initiator, with))
    };
    if lists.block.in_use && named(&lists.block.entities) {
        return Verdict::Blocked;
    }
    if lists.grant.in_use && !named(&lists.grant.entities) {
        return Verdict::NotGranted;
    }
    Verdict::Accept
}

fn matches(entity: &AccessEntity, initiator: &Initiator, with: &HashSet<ContactListId>) -> bool {
    match entity {
        AccessEntity::User(user) => *user == initiator.user,
        AccessEntity::ContactList(list) => with.contains(list),
        AccessEntity::Application(application) => {
            initiator.application.as_ref() == Some(application)
        }
        AccessEntity::Group(named) => match &initiator.through {
            Some(MessageParty::Group(group) | MessageParty::ScreenName { group, .. }) => {
                group == named
            }
            _ => false,
        },
        // Names that differ only in case are one (data-types 1.6).
        AccessEntity::ScreenName { name, group } => match &initiator.through {
            Some(MessageParty::ScreenName {
                name: given,
                group: through,
            }) => through == group && given.to_lowercase() == name.to_lowercase(),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Accept, Blocked, NotGranted};
    use hamlet_model::{AccessList, ApplicationId, Domain, GroupId, UserId};

    fn home() -> Domain {
        Domain::parse("a").unwrap()
    }

    fn user(name: &str) -> UserId {
        UserId::parse(name, &home()).unwrap()
    }

    fn group(name: &str) -> GroupId {
        GroupId::parse(name, &home()).unwrap()
    }

    fn contact_list(name: &str) -> ContactListId {
        ContactListId::parse(name, &home()).unwrap()
    }

    fn screen_name(name: &str, of: &str) -> AccessEntity {
        AccessEntity::ScreenName {
            name: name.into(),
            group: group(of),
        }
    }

    fn list(in_use: bool, entities: Vec<AccessEntity>) -> AccessList {
        AccessList { in_use, entities }
    }

    /// Whether each list is in use and whether it names the initiator: all sixteen cases.
    #[test]
    fn block_comes_before_grant_and_a_list_counts_only_while_it_is_in_use() {
        let him = vec![AccessEntity::User(user("anna"))];
        let other = vec![AccessEntity::User(user("carl"))];
        for (block_used, blocked, grant_used, granted, expected) in [
            (false, false, false, false, Accept),
            (false, false, false, true, Accept),
            (false, false, true, false, NotGranted),
            (false, false, true, true, Accept),
            (false, true, false, false, Accept),
            (false, true, false, true, Accept),
            (false, true, true, false, NotGranted),
            (false, true, true, true, Accept),
            (true, false, false, false, Accept),
            (true, false, false, true, Accept),
            (true, false, true, false, NotGranted),
            (true, false, true, true, Accept),
            (true, true, false, false, Blocked),
            (true, true, false, true, Blocked),
            (true, true, true, false, Blocked),
            (true, true, true, true, Blocked),
        ] {
            let pick = |named| if named { him.clone() } else { other.clone() };
            let lists = AccessLists {
                block: list(block_used, pick(blocked)),
                grant: list(grant_used, pick(granted)),
            };
            let got = decide(&lists, &Initiator::user(user("anna")), &HashSet::new());
            assert_eq!(got, expected, "{lists:?}");
        }
    }

    #[test]
    fn an_empty_grant_list_in_use_lets_nobody_through() {
        // S60: "receive from nobody".
        let lists = AccessLists {
            grant: list(true, Vec::new()),
            ..AccessLists::default()
        };
        let got = decide(&lists, &Initiator::user(user("anna")), &HashSet::new());
        assert_eq!(got, NotGranted);
    }

    #[test]
    fn every_kind_of_entity_matches_what_it_names_and_nothing_else() {
        let alone = Initiator::user(user("anna"));
        let chess = Initiator {
            application: Some(ApplicationId::new("chess")),
            ..alone.clone()
        };
        let through = |party| Initiator {
            through: Some(party),
            ..alone.clone()
        };
        let in_group = through(MessageParty::Group(group("/g")));
        let as_cy = through(MessageParty::ScreenName {
            name: "Cy".into(),
            group: group("/g"),
        });
        let friends = contact_list("bo/friends");
        let with: HashSet<ContactListId> = [friends.clone()].into();
        let none = HashSet::new();
        let application = |id: &str| AccessEntity::Application(ApplicationId::new(id));
        for (entity, initiator, with, expected) in [
            (AccessEntity::User(user("anna")), &alone, &none, true),
            // By whatever way he comes (11.3).
            (AccessEntity::User(user("anna")), &as_cy, &none, true),
            (AccessEntity::User(user("anna")), &in_group, &none, true),
            (AccessEntity::User(user("cy")), &as_cy, &none, false),
            (AccessEntity::User(user("carl")), &alone, &none, false),
            (screen_name("Cy", "/g"), &as_cy, &none, true),
            (screen_name("cY", "/g"), &as_cy, &none, true),
            (screen_name("Cy", "/other"), &as_cy, &none, false),
            (screen_name("Di", "/g"), &as_cy, &none, false),
            (screen_name("Cy", "/g"), &alone, &none, false),
            (screen_name("Cy", "/g"), &in_group, &none, false),
            (AccessEntity::Group(group("/g")), &in_group, &none, true),
            (AccessEntity::Group(group("/g")), &as_cy, &none, true),
            (AccessEntity::Group(group("/h")), &as_cy, &none, false),
            (AccessEntity::Group(group("/g")), &alone, &none, false),
            (
                AccessEntity::ContactList(friends.clone()),
                &alone,
                &with,
                true,
            ),
            (
                AccessEntity::ContactList(friends.clone()),
                &alone,
                &none,
                false,
            ),
            (application("chess"), &chess, &none, true),
            (application("Chess"), &chess, &none, false),
            (application("chess"), &alone, &none, false),
        ] {
            let blocking = AccessLists {
                block: list(true, vec![entity.clone()]),
                ..AccessLists::default()
            };
            let granting = AccessLists {
                grant: list(true, vec![entity.clone()]),
                ..AccessLists::default()
            };
            let (blocks, grants) = match expected {
                true => (Blocked, Accept),
                false => (Accept, NotGranted),
            };
            assert_eq!(decide(&blocking, initiator, with), blocks, "{entity:?}");
            assert_eq!(decide(&granting, initiator, with), grants, "{entity:?}");
        }
    }
}
