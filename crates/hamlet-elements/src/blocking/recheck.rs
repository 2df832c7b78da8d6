//! What waits for a user whose lists have changed (csp-im 11.3): messages of senders who are
//! kept out now are dropped, and their senders told 532.

use super::Initiator;
use super::decide::{Verdict, decide};
use super::members::Members;
use crate::elements::Inner;
use crate::im::{Stored, conclude_entry};
use crate::service::Event;
use hamlet_model::{AccessLists, ContactListId, Message, MessageParty, StatusCode, UserId};
use hamlet_store::{MailboxKind, StoreError};
use std::collections::HashSet;

/// Most entries that are looked through; as many are handed over at a time.
const BATCH: usize = 10_000;

impl Inner {
    /// Drops what the user's lists do not let through any more.
    pub(crate) async fn recheck_mailbox(&self, user: &UserId) -> Result<(), StoreError> {
        self.directory.unknown(std::slice::from_ref(user)).await?;
        if !self.directory.unusual(user).refuses {
            return Ok(());
        }
        let owner = user.clone();
        let read = self.store.read(move |tx| {
            let entries = tx.mailbox(&owner, BATCH)?;
            let copies = tx.mailbox_copies(&owner, BATCH)?;
            Ok((tx.access_lists(&owner)?, entries, copies))
        });
        let (lists, entries, copies) = read.await?;
        if entries.is_empty() && copies.is_empty() {
            return Ok(());
        }
        let members = self.members_named(user, &lists).await?;
        let kept_out = |stored: Option<Stored>| match stored {
            Some(Stored::Message { message, .. }) => keeps_out(user, &lists, &members, &message),
            _ => false,
        };
        let messages = entries.iter().filter(|e| e.kind == MailboxKind::Message);
        let messages = messages.filter(|entry| kept_out(Stored::of(entry)));
        let copies = copies.iter().filter(|copy| kept_out(Stored::of_copy(copy)));
        let ids = messages.map(|entry| &entry.id);
        let ids: Vec<String> = ids.chain(copies.map(|copy| &copy.id)).cloned().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let (owner, shared) = (user.clone(), self.shared.clone());
        let (dropped, mut events) = self
            .store
            .write(move |tx| {
                let (mut dropped, mut events) = (Vec::new(), Vec::new());
                for id in &ids {
                    if let Some(entry) = tx.take_mailbox(&owner, id)? {
                        let silent = shared.im.silent_blocking;
                        let code = StatusCode::BLOCKED;
                        events.extend(conclude_entry(tx, &shared, &entry, code, silent)?);
                    }
                    tx.drop_mailbox_copies(&owner, id)?;
                    dropped.push(id.clone());
                }
                Ok((dropped, events))
            })
            .await?;
        if !dropped.is_empty() {
            let count = dropped.len();
            tracing::info!(%user, count, "waiting messages of blocked senders are dropped");
            events.push(Event::MailboxRemoved {
                user: user.clone(),
                ids: dropped,
            });
        }
        self.emit(events);
        Ok(())
    }

    /// The recipients of messages that have been stored while lists were changing: they may
    /// have been judged by lists that are no more.
    pub(crate) fn judged_early(&self, since: u64, stored: &[Event]) -> Vec<UserId> {
        if self.directory.access_changes() == since {
            return Vec::new();
        }
        let recipients = stored.iter().filter_map(|event| match event {
            Event::Mailbox { user, .. } => Some(user.clone()),
            _ => None,
        });
        recipients.collect()
    }

    /// After the messages have been told.
    pub(crate) async fn recheck_mailboxes(&self, users: Vec<UserId>) {
        for user in users {
            self.recheck_or_warn(&user).await;
        }
    }
}

/// Who came through a group was judged there.
fn keeps_out(owner: &UserId, lists: &AccessLists, members: &Members, message: &Message) -> bool {
    let MessageParty::User {
        user, application, ..
    } = &message.sender
    else {
        return false;
    };
    let with: HashSet<ContactListId> = members
        .iter()
        .filter(|(_, users)| users.contains(user))
        .map(|(list, _)| list.clone())
        .collect();
    let initiator = Initiator {
        application: application.clone(),
        ..Initiator::user(user.clone())
    };
    user != owner && decide(lists, &initiator, &with) != Verdict::Accept
}
