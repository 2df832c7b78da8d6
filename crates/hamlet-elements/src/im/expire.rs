//! What is not worth delivering any more (csp-im 9).

use crate::elements::Inner;
use crate::im::mailbox::conclude_entry;
use crate::service::Event;
use hamlet_model::{StatusCode, Timestamp, UserId};
use hamlet_store::StoreError;
use std::collections::BTreeMap;

/// Entries that one transaction removes, so that other writes are not held up.
pub(crate) const EXPIRE_BATCH: usize = 500;

impl Inner {
    pub(crate) async fn expire(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut total = 0;
        loop {
            let count = self.expire_mailboxes(now).await?
                + self.expire_copies(now).await?
                + self.expire_group_logs(now).await?
                + self.expire_outbox(now).await?
                + self.expire_searches(now).await?
                + self.expire_pushes(now).await?
                + self.expire_content(now).await?
                + self.expire_groups(now).await?
                + self.expire_watchers(now).await?
                + self.expire_system_messages(now).await?;
            total += count;
            if count == 0 {
                self.trim_group_logs(now).await?;
                return Ok(total);
            }
        }
    }

    pub(super) async fn expire_mailboxes(&self, now: Timestamp) -> Result<usize, StoreError> {
        let shared = self.shared.clone();
        let (count, events) = self
            .store
            .write(move |tx| {
                let expired = tx.take_expired(now, EXPIRE_BATCH)?;
                let mut removed: BTreeMap<UserId, Vec<String>> = BTreeMap::new();
                let mut events = Vec::new();
                for entry in &expired {
                    let code = StatusCode::MESSAGE_EXPIRED;
                    events.extend(conclude_entry(tx, &shared, entry, code, false)?);
                    let ids = removed.entry(entry.recipient.clone()).or_default();
                    ids.push(entry.id.clone());
                }
                let gone = removed
                    .into_iter()
                    .map(|(user, ids)| Event::MailboxRemoved { user, ids });
                events.extend(gone);
                Ok((expired.len(), events))
            })
            .await?;
        self.emit(events);
        Ok(count)
    }

    /// Copies that other clients did not fetch in time; their senders know of the delivery.
    pub(super) async fn expire_copies(&self, now: Timestamp) -> Result<usize, StoreError> {
        let expired = self
            .store
            .read(move |tx| tx.has_expired_copies(now))
            .await?;
        if !expired {
            return Ok(0);
        }
        let expired = self
            .store
            .write(move |tx| tx.take_expired_copies(now, EXPIRE_BATCH))
            .await?;
        let mut removed: BTreeMap<UserId, Vec<String>> = BTreeMap::new();
        for copy in &expired {
            let ids = removed.entry(copy.recipient.clone()).or_default();
            ids.push(copy.id.clone());
        }
        let gone = removed.into_iter();
        self.emit(gone.map(|(user, ids)| Event::MailboxRemoved { user, ids }));
        Ok(expired.len())
    }
}
