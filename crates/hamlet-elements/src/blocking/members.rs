//! Whom the contact lists in block and grant lists stand for, wherever they are kept
//! (architecture document B.7, Figure 6).

use crate::contact_list::ExpandContactLists;
use crate::elements::{Inner, PresenceHome};
use crate::service::{Request, Response};
use hamlet_model::{AccessLists, ContactListId, UserId};
use hamlet_store::StoreError;
use std::collections::{HashMap, HashSet};

/// The members of contact lists.
pub(super) type Members = HashMap<ContactListId, HashSet<UserId>>;

impl Inner {
    /// Whether the contact lists of a user of this domain are kept here.
    pub(super) fn has_contact_lists(&self, user: &UserId) -> bool {
        self.config.presence_home == PresenceHome::Local || !self.directory.is_home(user)
    }

    /// The members of all contact lists that an owner's block and grant lists name.
    pub(super) async fn members_named(
        &self,
        owner: &UserId,
        lists: &AccessLists,
    ) -> Result<Members, StoreError> {
        let named = super::contact_lists(lists);
        if named.is_empty() {
            return Ok(Members::new());
        }
        if !self.has_contact_lists(owner) {
            return Ok(self.members_elsewhere(owner, named).await);
        }
        let read = self.store.read(move |tx| {
            let mut members = Members::new();
            for list in &named {
                let users = tx.members(list)?.into_iter().map(|member| member.user);
                members.insert(list.clone(), users.collect());
            }
            Ok(members)
        });
        read.await
    }

    /// The same from the domain that keeps them. What it does not tell has no members: a
    /// block list then keeps fewer out, a grant list more.
    pub(super) async fn members_elsewhere(
        &self,
        owner: &UserId,
        lists: Vec<ContactListId>,
    ) -> Members {
        let PresenceHome::At(domain) = &self.config.presence_home else {
            return Members::new();
        };
        let mut members = Members::new();
        for list in lists {
            let request = Request::ExpandContactLists(ExpandContactLists {
                lists: vec![list.clone()],
            });
            let wait = self.config.presence.foreign_wait;
            let answer = self.relay.ask(domain, owner.clone(), request, wait).await;
            match answer {
                Ok(Response::Members(found)) => {
                    members.insert(list, found.users.into_iter().collect());
                }
                Ok(_) => {}
                Err(refusal) => {
                    tracing::warn!(%refusal, "a contact list in an access list is not known now");
                }
            }
        }
        members
    }
}
