//! What the beginning and the end of sessions, accounts and time mean to groups
//! (csp-group 9).

use super::change::Changed;
use super::delete::delete_whole;
use super::effects::{Effects, Telling};
use super::foreign::tell_home_of_leave;
use super::join::{Entry, join};
use super::leave::{Reason, depart};
use crate::elements::{Inner, SessionFacts, Shared};
use crate::service::{Event, Requestor};
use hamlet_model::{GroupId, SessionId, Timestamp, UserId};
use hamlet_store::{StoreError, StoredJoined, Tx};
use std::collections::BTreeMap;

/// Joins whose sessions are gone that are ended in one write.
const BATCH: usize = 500;

impl Inner {
    /// A session has ended: its client leaves all groups.
    pub(crate) async fn leave_all_groups(&self, session: &SessionId) -> Result<(), StoreError> {
        let id = session.clone();
        let joined = self.store.read(move |tx| tx.joined_of_session(&id)).await?;
        if joined.is_empty() {
            return Ok(());
        }
        let groups: Vec<GroupId> = joined.into_iter().map(|joined| joined.group).collect();
        let (id, shared) = (session.clone(), self.shared.clone());
        let (tellings, outbox) = self
            .store
            .write(move |tx| {
                let gone = tx.joined_of_session(&id)?;
                end_joins(tx, &shared, gone)
            })
            .await?;
        groups.iter().for_each(|group| self.rooms.forget(group));
        self.tell_groups(tellings).await;
        self.emit(outbox.then_some(Event::Outbox));
        Ok(())
    }

    /// A client is ready to hear of groups: its user is joined where he wants to be joined
    /// automatically. `hears`: it takes notices. Where he may not join, nothing happens.
    pub(crate) async fn auto_join(
        &self,
        session: &SessionFacts,
        hears: bool,
    ) -> Result<usize, StoreError> {
        let user = session.user.clone();
        let groups = self
            .store
            .read(move |tx| tx.auto_join_groups(&user))
            .await?;
        let mut count = 0;
        for group in groups {
            let requestor = Requestor {
                user: session.user.clone(),
                session: Some(session.id.clone()),
                client: Some(session.client.clone()),
                application: session.application.clone(),
            };
            let shared = self.shared.clone();
            let into = group.clone();
            let entry = Entry::Automatic { group, hears };
            let joined = self
                .change_group(None, move |tx| -> Changed {
                    join(tx, &shared, &requestor, &entry)
                })
                .await;
            match joined {
                Ok(_) => {
                    count += 1;
                    self.tell_shared_content(&into, &session.user).await;
                }
                Err(refusal) => tracing::debug!(%refusal, "a user is not joined automatically"),
            }
        }
        Ok(count)
    }

    /// Ends what has outlived its session, its time or its owner. Answers how much went.
    pub(crate) async fn expire_groups(&self, now: Timestamp) -> Result<usize, StoreError> {
        let (gone, mut ended) = self
            .store
            .read(move |tx| Ok((tx.joined_without_session(BATCH)?, tx.expired_groups(now)?)))
            .await?;
        let mut count = gone.len() + ended.len();
        if !gone.is_empty() {
            let shared = self.shared.clone();
            let ending = self.store.write(move |tx| {
                let gone = tx.joined_without_session(BATCH)?;
                end_joins(tx, &shared, gone)
            });
            let (tellings, outbox) = ending.await?;
            self.tell_groups(tellings).await;
            self.emit(outbox.then_some(Event::Outbox));
        }
        ended.dedup();
        for group in ended {
            self.end_group(group).await?;
        }
        if self
            .store
            .read(move |tx| tx.has_expired_group_invitations(now))
            .await?
        {
            let purged = self.store.write(move |tx| tx.purge_group_invitations(now));
            count += usize::try_from(purged.await?).unwrap_or(usize::MAX);
        }
        Ok(count)
    }

    /// Deletes the groups whose owners have no account any more.
    pub(crate) async fn end_orphaned_groups(&self) -> Result<(), StoreError> {
        loop {
            let orphans = self.store.read(|tx| tx.orphaned_groups()).await?;
            if orphans.is_empty() {
                return Ok(());
            }
            for group in orphans {
                self.end_group(group).await?;
            }
        }
    }

    /// Deletes a group; who is joined is told. Whether it was there.
    pub(crate) async fn end_group(&self, id: GroupId) -> Result<bool, StoreError> {
        let shared = self.shared.clone();
        let ending = self.store.write(move |tx| {
            let Some(group) = tx.group(&id)? else {
                return Ok(None);
            };
            let mut effects = Effects::of(&id);
            delete_whole(tx, &shared, &group, None, &mut effects)?;
            effects.seal(tx, &shared).map(Some)
        });
        let telling = ending.await?;
        let was_there = telling.is_some();
        self.tell_groups(telling.into_iter().collect()).await;
        Ok(was_there)
    }
}

/// Ends joins whose sessions are gone; what is told, and whether something waits in the
/// outbox.
fn end_joins(
    tx: &mut Tx<'_>,
    shared: &Shared,
    gone: Vec<StoredJoined>,
) -> Result<(Vec<Telling>, bool), StoreError> {
    let mut groups: BTreeMap<GroupId, Vec<StoredJoined>> = BTreeMap::new();
    let mut copies: Vec<(GroupId, UserId)> = Vec::new();
    for joined in gone {
        if joined.copy {
            tx.remove_group_joined(&joined.group, &joined.user, &joined.client)?;
            copies.push((joined.group, joined.user));
        } else {
            groups.entry(joined.group.clone()).or_default().push(joined);
        }
    }
    copies.dedup();
    let mut outbox = false;
    for (group, user) in &copies {
        outbox |= tell_home_of_leave(tx, shared, group, user)?;
    }
    let mut tellings = Vec::with_capacity(groups.len());
    for (id, gone) in groups {
        let Some(group) = tx.group(&id)? else {
            tx.forget_group(&id)?;
            continue;
        };
        let mut effects = Effects::of(&id);
        depart(tx, shared, &group, &gone, Reason::Session, &mut effects)?;
        tellings.push(effects.seal(tx, shared)?);
    }
    Ok((tellings, outbox))
}
