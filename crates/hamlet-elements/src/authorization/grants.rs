//! All that a publisher has decided about who sees him, as memory holds it.

use super::decide::Applicable;
use super::types::{Rule, Unauthorized};
use crate::presence::PresenceConfig;
use hamlet_model::presence::AttributeSet;
use hamlet_model::{AccessEntity, ContactListId, UserId};
use hamlet_store::{AttributeTarget, StoreError, Tx};
use std::collections::{HashMap, HashSet};

/// A contact list with an attribute list.
#[derive(Debug, Clone, PartialEq)]
struct GrantedList {
    id: ContactListId,
    rule: Rule,
    members: HashSet<UserId>,
}

/// The attribute lists of a publisher, and whom he has in his contact lists.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grants {
    users: HashMap<UserId, Rule>,
    lists: Vec<GrantedList>,
    default: Rule,
    contacts: HashSet<UserId>,
    /// Those on his block list, where the operator has that hide presence (csp-presence 6.8).
    hidden_from: HashSet<UserId>,
}

impl Grants {
    /// Of somebody who has decided nothing: he wants to know who asks (csp-presence 6.5).
    pub(crate) fn none() -> Self {
        Self {
            users: HashMap::new(),
            lists: Vec::new(),
            default: Rule {
                attributes: None,
                notify: true,
            },
            contacts: HashSet::new(),
            hidden_from: HashSet::new(),
        }
    }

    /// Reads them.
    pub(crate) fn read(
        tx: &mut Tx<'_>,
        owner: &UserId,
        config: &PresenceConfig,
    ) -> Result<Self, StoreError> {
        let mut grants = Self::none();
        for list in tx.attribute_lists(owner)? {
            let rule = Rule {
                attributes: list.attributes,
                notify: list.notify,
            };
            match list.target {
                AttributeTarget::User(user) => {
                    grants.users.insert(user, rule);
                }
                AttributeTarget::ContactList(id) => grants.lists.push(GrantedList {
                    id,
                    rule,
                    members: HashSet::new(),
                }),
                AttributeTarget::Default => grants.default = rule,
            }
        }
        let memberships = tx.memberships(owner)?;
        if config.block_hides {
            grants.hidden_from = on_block_list(tx, owner, &memberships)?;
        }
        for (list, member) in memberships {
            if let Some(granted) = grants.lists.iter_mut().find(|granted| granted.id == list) {
                granted.members.insert(member.clone());
            }
            grants.contacts.insert(member);
        }
        Ok(grants)
    }

    /// Forgets what the user was let see: his account is gone.
    pub(crate) fn forget(&mut self, user: &UserId) {
        self.users.remove(user);
    }

    /// Whether the user is in any contact list.
    pub(crate) fn lists(&self, user: &UserId) -> bool {
        self.contacts.contains(user)
    }

    /// The users whom only one of the two has in contact lists.
    pub(crate) fn contacts_differing<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = &'a UserId> {
        self.contacts.symmetric_difference(&other.contacts)
    }

    /// The contact lists with attribute lists through which a watcher is known.
    pub(crate) fn lists_of(&self, watcher: &UserId) -> Vec<ContactListId> {
        let known = self.granting(watcher);
        known.map(|(list, _)| list.id.clone()).collect()
    }

    /// What applies to a watcher. `listed`: he has the publisher in a contact list of his.
    pub(crate) fn applicable(
        &self,
        publisher: &UserId,
        watcher: &UserId,
        policy: Unauthorized,
        listed: bool,
    ) -> Applicable {
        let user = self.users.get(watcher).copied().unwrap_or_default();
        let (mut contact_lists, mut contact_list_notify) = (None, false);
        for (list, set) in self.granting(watcher) {
            let union = contact_lists.unwrap_or(AttributeSet::EMPTY).union(set);
            contact_lists = Some(union);
            contact_list_notify |= list.rule.notify;
        }
        let everything = match policy {
            Unauthorized::Ask => false,
            Unauthorized::Contacts => listed || self.lists(watcher),
            Unauthorized::Everyone => true,
        };
        Applicable {
            own: publisher == watcher,
            user: user.attributes,
            user_notify: user.notify,
            contact_lists,
            contact_list_notify,
            default: self.default.attributes,
            default_notify: self.default.notify,
            otherwise: everything.then_some(AttributeSet::ALL),
            refused: false,
            hidden: self.hidden_from.contains(watcher),
        }
    }

    fn granting(&self, watcher: &UserId) -> impl Iterator<Item = (&GrantedList, AttributeSet)> {
        self.lists.iter().filter_map(move |list| {
            let set = list.rule.attributes?;
            list.members.contains(watcher).then_some((list, set))
        })
    }
}

/// The users whom the owner's block list names while it is in use, singly or by a contact
/// list of his. Who watches is a user, so applications, groups and screen names do not count.
fn on_block_list(
    tx: &mut Tx<'_>,
    owner: &UserId,
    memberships: &[(ContactListId, UserId)],
) -> Result<HashSet<UserId>, StoreError> {
    let block = tx.access_lists(owner)?.block;
    let mut users = HashSet::new();
    for entity in block.entities.into_iter().filter(|_| block.in_use) {
        match entity {
            AccessEntity::User(user) => {
                users.insert(user);
            }
            AccessEntity::ContactList(named) => {
                let members = memberships.iter().filter(|(list, _)| *list == named);
                users.extend(members.map(|(_, member)| member.clone()));
            }
            AccessEntity::Application(_)
            | AccessEntity::Group(_)
            | AccessEntity::ScreenName { .. } => {}
        }
    }
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::Domain;
    use hamlet_model::presence::AttributeName as N;

    fn user(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("a").unwrap()).unwrap()
    }

    fn list(name: &str, attributes: Option<&[N]>, notify: bool, members: &[&str]) -> GrantedList {
        GrantedList {
            id: ContactListId::of(&user("anna"), name).unwrap(),
            rule: Rule {
                attributes: attributes.map(|names| names.iter().copied().collect()),
                notify,
            },
            members: members.iter().map(|name| user(name)).collect(),
        }
    }

    #[test]
    fn lists_with_an_attribute_list_count_together_and_others_not() {
        // csp-presence 6.5 step 3.
        let grants = Grants {
            lists: vec![
                list("work", Some(&[N::Alias]), false, &["bo", "cy"]),
                list("friends", Some(&[N::StatusText]), true, &["bo"]),
                list("others", None, true, &["bo", "cy", "di"]),
                list("nobody", Some(&[]), false, &["ed"]),
            ],
            ..Grants::none()
        };
        let of = |name: &str| {
            let applies = grants.applicable(&user("anna"), &user(name), Unauthorized::Ask, false);
            (applies.contact_lists, applies.contact_list_notify)
        };
        let set = |names: &[N]| Some(names.iter().copied().collect::<AttributeSet>());
        assert_eq!(of("bo"), (set(&[N::Alias, N::StatusText]), true));
        assert_eq!(of("cy"), (set(&[N::Alias]), false));
        assert_eq!(of("di"), (None, false));
        assert_eq!(of("ed"), (set(&[]), false));
        assert_eq!(grants.lists_of(&user("cy")).len(), 1);
    }

    #[test]
    fn a_block_list_that_hides_does_so_from_whom_it_names() {
        // csp-presence 6.8.
        let grants = Grants {
            hidden_from: HashSet::from([user("bo")]),
            ..Grants::none()
        };
        for (watcher, hidden) in [("bo", true), ("cy", false)] {
            let applies =
                grants.applicable(&user("anna"), &user(watcher), Unauthorized::Everyone, true);
            assert_eq!(applies.hidden, hidden, "{watcher}");
        }
    }

    #[test]
    fn the_operator_s_choice_looks_at_contact_lists_of_both() {
        let grants = Grants {
            contacts: HashSet::from([user("bo")]),
            ..Grants::none()
        };
        for (policy, watcher, listed, all) in [
            (Unauthorized::Ask, "bo", true, false),
            (Unauthorized::Contacts, "bo", false, true),
            (Unauthorized::Contacts, "cy", true, true),
            (Unauthorized::Contacts, "cy", false, false),
            (Unauthorized::Everyone, "cy", false, true),
        ] {
            let applies = grants.applicable(&user("anna"), &user(watcher), policy, listed);
            assert_eq!(
                applies.otherwise.is_some(),
                all,
                "{policy:?} {watcher} {listed}"
            );
            assert!(!applies.own && applies.default_notify);
        }
    }
}
