//! Who does not want to hear from whom: block and grant lists (csp-im 11). One place for all
//! services that bring something from one user to another.
//!
//! A user whose lists keep nobody out costs no statement: that is remembered with the
//! knowledge that he exists (`directory.rs`). Of the others the
//! entries that may speak of the initiator are read anew each time.

mod change;
mod decide;
mod members;
mod recheck;
mod types;

pub(crate) use change::{AccessChange, grant_to};
pub use types::{ChangeAccessLists, ListChange};

use crate::elements::Inner;
use decide::{Verdict, decide};
use hamlet_model::{AccessEntity, AccessLists, ApplicationId, ContactListId, MessageParty, UserId};
use hamlet_store::{AccessProbe, StoreError};
use std::collections::HashSet;

/// Who wants to bring something to a user, as block and grant lists see him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Initiator {
    /// The user.
    pub(crate) user: UserId,
    /// His application (1.3).
    pub(crate) application: Option<ApplicationId>,
    /// The group that it comes through, or his screen name in it.
    pub(crate) through: Option<MessageParty>,
}

impl Initiator {
    /// A user by himself.
    pub(crate) fn user(user: UserId) -> Self {
        Self {
            user,
            application: None,
            through: None,
        }
    }

    fn probe(&self) -> AccessProbe {
        AccessProbe {
            user: self.user.clone(),
            application: self.application.clone(),
            group: match &self.through {
                Some(MessageParty::Group(group) | MessageParty::ScreenName { group, .. }) => {
                    Some(group.clone())
                }
                _ => None,
            },
        }
    }
}

impl Inner {
    /// Those of `users`, all of this domain, whose block and grant lists refuse the
    /// initiator. Nobody refuses himself.
    pub(crate) async fn refusing(
        &self,
        initiator: &Initiator,
        users: &[UserId],
    ) -> Result<HashSet<UserId>, StoreError> {
        // Costs nothing for those who are known already.
        self.directory.unknown(users).await?;
        let doubtful: Vec<UserId> = users
            .iter()
            .filter(|user| **user != initiator.user && self.directory.unusual(user).refuses)
            .cloned()
            .collect();
        if doubtful.is_empty() {
            return Ok(HashSet::new());
        }
        let probe = initiator.probe();
        let about = self
            .store
            .read(move |tx| tx.access_lists_about(&doubtful, &probe))
            .await?;
        let mut refusing = HashSet::new();
        for (user, lists) in about {
            let with = self.lists_with(&user, &lists, &initiator.user).await?;
            if decide(&lists, initiator, &with) != Verdict::Accept {
                refusing.insert(user);
            }
        }
        Ok(refusing)
    }

    /// Of the contact lists that an owner's block and grant lists name, those that `member`
    /// is in now.
    async fn lists_with(
        &self,
        owner: &UserId,
        lists: &AccessLists,
        member: &UserId,
    ) -> Result<HashSet<ContactListId>, StoreError> {
        let named = contact_lists(lists);
        if named.is_empty() {
            return Ok(HashSet::new());
        }
        if self.has_contact_lists(owner) {
            let member = member.clone();
            return self
                .store
                .read(move |tx| tx.lists_among_with(&named, &member))
                .await;
        }
        let members = self.members_elsewhere(owner, named).await;
        let with = members.into_iter().filter(|(_, all)| all.contains(member));
        Ok(with.map(|(list, _)| list).collect())
    }
}

/// The contact lists that stand in either list.
fn contact_lists(lists: &AccessLists) -> Vec<ContactListId> {
    let all = lists.block.entities.iter().chain(&lists.grant.entities);
    let named = all.filter_map(|entity| match entity {
        AccessEntity::ContactList(list) => Some(list.clone()),
        _ => None,
    });
    crate::presence::each_once(named.collect())
}
