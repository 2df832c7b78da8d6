//! From the store into the memory of the Presence element.

use crate::authorization::{Grants, Unauthorized};
use crate::elements::{Inner, PresenceHome, SessionFacts, Shared};
use crate::presence::state::Missing;
use hamlet_model::presence::ClientInfo;
use hamlet_model::{SessionId, UserId};
use hamlet_store::{StoreError, Subscriber, Tx};
use std::collections::HashSet;

/// Sessions that are read at a time.
const PAGE: usize = 1000;

impl Inner {
    /// Brings back sessions and subscriptions when the server starts. What belongs to a
    /// session that ended without all of it being removed is removed now.
    pub(crate) async fn restore(&self) -> Result<(), StoreError> {
        let config = &self.config;
        self.hub.serve(
            config.domain.clone(),
            config.serves_presence_of.clone(),
            config.presence.unauthorized,
        );
        let mut live = HashSet::new();
        let mut last: Option<SessionId> = None;
        loop {
            let after = last.clone();
            let page = self
                .store
                .read(move |tx| tx.sessions(after.as_ref(), PAGE))
                .await?;
            let Some(end) = page.last() else { break };
            last = Some(end.id.clone());
            let mut state = self.hub.lock();
            for session in page {
                live.insert(session.id.clone());
                state.put_session(SessionFacts {
                    id: session.id,
                    user: session.user,
                    client: session.client,
                    application: session.application,
                    info: ClientInfo::default(),
                });
            }
        }
        if config.presence_home == PresenceHome::Local {
            self.drop_absent_clients().await?;
        }
        let (subscriptions, marks) = self
            .store
            .read(|tx| {
                let mut all = Vec::new();
                tx.all_subscriptions(|subscription| all.push(subscription))?;
                Ok((all, tx.all_auto_subscriptions()?))
            })
            .await?;
        let is_live = |id: &SessionId| id.as_str().is_empty() || live.contains(id);
        let (kept, stale): (Vec<_>, Vec<_>) =
            subscriptions
                .into_iter()
                .partition(|s| match &s.subscriber {
                    Subscriber::Session { id, .. } => is_live(id),
                    Subscriber::Domain { .. } => true,
                });
        let ended: HashSet<SessionId> = stale
            .into_iter()
            .filter_map(|s| match s.subscriber {
                Subscriber::Session { id, .. } => Some(id),
                Subscriber::Domain { .. } => None,
            })
            .chain(marks.into_iter().map(|(id, ..)| id))
            .filter(|id| !is_live(id))
            .collect();
        self.hub.lock().restore_subscriptions(kept);
        if !ended.is_empty() {
            self.store
                .write(move |tx| {
                    ended
                        .iter()
                        .try_for_each(|id| tx.remove_session_subscriptions(id).map(drop))
                })
                .await?;
        }
        Ok(())
    }

    /// Removes what clients of this domain's users have published that a killed process did
    /// not see leave.
    async fn drop_absent_clients(&self) -> Result<(), StoreError> {
        let domain = self.config.domain.clone();
        let dropped = self
            .store
            .write(move |tx| tx.drop_absent_clients(&domain))
            .await?;
        if dropped > 0 {
            tracing::info!(dropped, "attributes of clients without session");
        }
        Ok(())
    }

    /// Makes sure that the presence, or what they let be seen, of these users is in memory, as
    /// far as it is kept here.
    pub(crate) async fn load(
        &self,
        published: &[UserId],
        grants: &[UserId],
    ) -> Result<(), StoreError> {
        let missing = self.hub.lock().missing(published.iter(), grants.iter());
        self.fetch(missing).await
    }

    /// Makes sure that everything is in memory that decides who is told of a change of
    /// these users' presence, and what.
    pub(crate) async fn load_watchers(&self, publishers: &[UserId]) -> Result<(), StoreError> {
        let missing = {
            let state = self.hub.lock();
            let watched: Vec<&UserId> = publishers
                .iter()
                .filter(|publisher| state.watchers(publisher).next().is_some())
                .collect();
            // Their own contact lists count only where the operator says so.
            let counts = state.policy == Unauthorized::Contacts;
            let watchers = watched
                .iter()
                .filter(|_| counts)
                .flat_map(|publisher| state.watchers(publisher))
                .map(|(subscriber, _)| subscriber.user());
            state.missing(
                watched.iter().copied(),
                watched.iter().copied().chain(watchers),
            )
        };
        self.fetch(missing).await
    }

    async fn fetch(&self, missing: Missing) -> Result<(), StoreError> {
        if missing.published.is_empty() && missing.grants.is_empty() {
            return Ok(());
        }
        let shared = self.shared.clone();
        let read = self.store.read(move |tx| read(tx, &missing, &shared));
        let (published, grants) = read.await?;
        self.hub.lock().fill(published, grants);
        Ok(())
    }
}

type Read = (
    Vec<(UserId, Vec<hamlet_model::presence::Attribute>)>,
    Vec<(UserId, Grants)>,
);

fn read(tx: &mut Tx<'_>, missing: &Missing, shared: &Shared) -> Result<Read, StoreError> {
    let mut found = tx.all_presence_of(&missing.published)?;
    let published = missing
        .published
        .iter()
        .map(|user| (user.clone(), found.remove(user).unwrap_or_default()))
        .collect();
    let mut grants = Vec::with_capacity(missing.grants.len());
    for user in &missing.grants {
        let read = Grants::read(tx, user, &shared.presence)?;
        grants.push((user.clone(), read));
    }
    Ok((published, grants))
}
