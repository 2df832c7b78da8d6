//! Clients come and go (csp-presence 8.2; csp-access 3.4, 3.9).

use crate::elements::{Inner, PresenceHome, SessionFacts};
use crate::failure::refusal;
use crate::outbox::Parcel;
use crate::presence::notify::presence_parcel;
use crate::presence::subscribe::{subscribe_elsewhere, unsubscribe_elsewhere};
use crate::presence::tell::live_elsewhere;
use crate::presence::{Change, ClientStatus};
use crate::service::{Answer, Event, Outcome, Request, Requestor, Response};
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue, ClientInfo};
use hamlet_model::{ClientId, Domain, SessionId, Timestamp, UserId};
use hamlet_store::{StoreError, Subscriber};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long the home of presence may be out of reach until what clients did is forgotten.
const STATUS_LIFE: Duration = Duration::from_secs(24 * 3600);

impl Inner {
    /// A session has begun, or something about it has changed.
    pub(crate) async fn session_opened(&self, session: SessionFacts) -> Result<(), StoreError> {
        let user = session.user.clone();
        if let PresenceHome::At(domain) = &self.config.presence_home {
            let status = self.client_status(&session);
            self.hub.lock().put_session(session);
            return self.send_status(user, domain.clone(), status).await;
        }
        self.load_watchers(std::slice::from_ref(&user)).await?;
        let known = self.network.presence(&user);
        let elsewhere = {
            let mut state = self.hub.lock();
            let events = state.change_sessions(&user, |state| {
                state.put_network(&user, known);
                state.put_session(session);
            });
            self.emit(events);
            state.domain_watchers(&user, AttributeSet::ALL)
        };
        self.tell_domains(user, elsewhere).await
    }

    pub(crate) fn session_restored(&self, session: SessionFacts) {
        let known = self.network.presence(&session.user);
        let mut state = self.hub.lock();
        state.put_network(&session.user, known);
        state.put_session(session);
    }

    /// A session is gone. `hold`: its client may come back in a moment, until then nobody
    /// hears of it (csp-presence 8.2).
    pub(crate) async fn session_closed(
        &self,
        id: &SessionId,
        hold: bool,
    ) -> Result<(), StoreError> {
        let Some(session) = self.hub.lock().session(id).cloned() else {
            return Ok(());
        };
        let SessionFacts { user, client, .. } = session.clone();
        let is_kept = self.config.presence_home == PresenceHome::Local;
        if is_kept {
            self.load_watchers(std::slice::from_ref(&user)).await?;
        }
        let hold = hold && !self.config.presence.hold.is_zero();
        let subscriber = Subscriber::Session {
            id: id.clone(),
            user: user.clone(),
        };
        let (is_last, watched) = {
            let mut state = self.hub.lock();
            let watched = state.watched_by(&subscriber);
            let mut is_last = false;
            let events = state.change_sessions(&user, |state| {
                state.remove_session(id);
                is_last = !state.sessions_of(&user).any(|s| s.client == client);
                if is_last && hold {
                    let number = self.absences.number();
                    state.hold_client(&session, number);
                    let at = Instant::now() + self.config.presence.hold;
                    self.absences.add(at, user.clone(), client.clone(), number);
                }
            });
            self.emit(events);
            (is_last, watched)
        };
        if !is_kept {
            self.drop_searches(id).await?;
            return match is_last && !hold {
                true => self.client_left(user, client, None).await,
                false => Ok(()),
            };
        }
        let (id, shared, watcher) = (id.clone(), self.shared.clone(), user.clone());
        let told_relay = self
            .store
            .write(move |tx| {
                tx.remove_session_subscriptions(&id)?;
                tx.drop_searches(&id)?;
                unsubscribe_elsewhere(tx, &shared, &watcher, &watched)
            })
            .await?;
        self.emit(told_relay.then_some(Event::Outbox));
        match is_last && !hold {
            true => self.client_left(user, client, None).await,
            false => Ok(()),
        }
    }

    /// An account is gone: nobody waits for its clients.
    pub(crate) fn forget_presence(&self, user: &UserId) {
        self.reported.forget(user);
        let mut state = self.hub.lock();
        let events = state.change_sessions(user, |state| state.release_clients(user));
        self.emit(events);
        state.forget(user);
    }

    /// A client has no session any more and is not waited for; `number` when it was until
    /// now, unless it has come back.
    pub(crate) async fn client_left(
        &self,
        user: UserId,
        client: ClientId,
        number: Option<u64>,
    ) -> Result<(), StoreError> {
        let is_kept = self.config.presence_home == PresenceHome::Local;
        if is_kept {
            self.load_watchers(std::slice::from_ref(&user)).await?;
        }
        let elsewhere = {
            let mut state = self.hub.lock();
            if let Some(number) = number {
                let mut released = false;
                let events = state.change_sessions(&user, |state| {
                    released = state.release_client(&user, &client, Some(number));
                });
                self.emit(events);
                if !released {
                    return Ok(());
                }
            }
            state.domain_watchers(&user, AttributeSet::ALL)
        };
        if let PresenceHome::At(domain) = &self.config.presence_home {
            let status = ClientStatus {
                client,
                online: false,
                info: ClientInfo::default(),
                network: Vec::new(),
                sequence: self.hub.next_sequence(),
            };
            return self.send_status(user, domain.clone(), status).await;
        }
        let tickets = self.hub.tickets();
        let (change, told_relay) = self
            .store
            .write(move |tx| {
                // It may have logged in again, and published, a moment ago.
                if !tx.client_has_session(&user, &client)? {
                    tx.drop_client_presence(&user, &client)?;
                }
                for subscriber in &elsewhere {
                    tx.put_outbox(&presence_parcel(&user, subscriber)?)?;
                }
                let published = std::slice::from_ref(&user);
                let change = Change::read(tx, &tickets, published, &[])?;
                Ok((change, !elsewhere.is_empty()))
            })
            .await?;
        self.note(change);
        self.emit(told_relay.then_some(Event::Outbox));
        Ok(())
    }

    /// The client of a session that goes on after a restart is there again: nobody knows
    /// what it was told before, so it is told everything that it watches.
    pub(crate) async fn session_resumed(&self, id: &SessionId) -> Result<(), StoreError> {
        let (subscriber, publishers) = {
            let state = self.hub.lock();
            let Some(session) = state.session(id) else {
                return Ok(());
            };
            let subscriber = Subscriber::Session {
                id: id.clone(),
                user: session.user.clone(),
            };
            let publishers = state.watched_by(&subscriber);
            (subscriber, publishers)
        };
        if publishers.is_empty() {
            return Ok(());
        }
        let user = subscriber.user().clone();
        self.load_for(&user, &publishers).await?;
        self.note(Change {
            initial: publishers
                .iter()
                .map(|publisher| (subscriber.clone(), publisher.clone()))
                .collect(),
            ..Change::default()
        });
        self.renew_subscriptions(user, publishers).await
    }

    /// Has other domains tell again what a user of this one watches there.
    pub(crate) async fn renew_subscriptions(
        &self,
        user: UserId,
        publishers: Vec<UserId>,
    ) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        if !publishers.iter().any(|p| shared.is_reachable(p)) {
            return Ok(());
        }
        let told_relay = self
            .store
            .write(move |tx| subscribe_elsewhere(tx, &shared, &user, &publishers))
            .await?;
        self.emit(told_relay.then_some(Event::Outbox));
        Ok(())
    }

    /// Tells the home of a user's presence, for each of his clients, what is known of it now.
    pub(crate) async fn tell_home(&self, user: &UserId, domain: &Domain) -> Result<(), StoreError> {
        let sessions: Vec<SessionFacts> = {
            let state = self.hub.lock();
            state.sessions_of(user).cloned().collect()
        };
        let mut told = HashSet::new();
        for session in sessions {
            if told.insert(session.client.clone()) {
                let status = {
                    let state = self.hub.lock();
                    // One that ends after this says so with a larger number.
                    let mut live = state.sessions_of(user);
                    match live.any(|facts| facts.id == session.id) {
                        true => self.client_status(&session),
                        false => continue,
                    }
                };
                self.send_status(user.clone(), domain.clone(), status)
                    .await?;
            }
        }
        Ok(())
    }

    fn client_status(&self, session: &SessionFacts) -> ClientStatus {
        let network = self.network.presence(&session.user).unwrap_or_default();
        let values = network.values();
        ClientStatus {
            client: session.client.clone(),
            online: true,
            info: session.info.clone(),
            network: values.map(|(name, value)| (name, value.clone())).collect(),
            sequence: self.hub.next_sequence(),
        }
    }

    async fn send_status(
        &self,
        user: UserId,
        domain: Domain,
        status: ClientStatus,
    ) -> Result<(), StoreError> {
        let parcel = Parcel::request(user, Request::ClientStatus(status));
        let entry = parcel.entry(domain, Timestamp::now().plus(STATUS_LIFE))?;
        self.store.write(move |tx| tx.put_outbox(&entry)).await?;
        self.emit([Event::Outbox]);
        Ok(())
    }

    pub(crate) async fn tell_domains(
        &self,
        publisher: UserId,
        subscribers: Vec<UserId>,
    ) -> Result<(), StoreError> {
        if subscribers.is_empty() {
            return Ok(());
        }
        self.store
            .write(move |tx| {
                subscribers.iter().try_for_each(|subscriber| {
                    tx.put_outbox(&presence_parcel(&publisher, subscriber)?)
                        .map(drop)
                })
            })
            .await?;
        self.emit([Event::Outbox]);
        Ok(())
    }

    /// The domain of a user whose presence is kept here says what his client did.
    pub(crate) async fn take_client_status(
        &self,
        requestor: Requestor,
        status: ClientStatus,
    ) -> Answer {
        let user = requestor.user;
        let is_news = self.hub.lock().is_news(
            &format!("client of {user}"),
            &status.client.key(),
            status.sequence,
        );
        if is_news {
            self.note_client_status(user, status)
                .await
                .map_err(|error| refusal(&error))?;
        }
        Ok(Response::Done(Outcome::default()))
    }

    async fn note_client_status(
        &self,
        user: UserId,
        status: ClientStatus,
    ) -> Result<(), StoreError> {
        let users = std::slice::from_ref(&user);
        self.load_watchers(users).await?;
        if status.online {
            // Of several clients of his the latest word holds.
            self.take_network(&user, &status.network, status.sequence);
        }
        let elsewhere = self.hub.lock().domain_watchers(&user, AttributeSet::ALL);
        let tell_relay = !elsewhere.is_empty();
        let tickets = self.hub.tickets();
        let of_user = user.clone();
        let change = self
            .store
            .write(move |tx| {
                let mut subscribers = Vec::new();
                if status.online {
                    let known = tx.presence(&user)?;
                    tx.put_presence(&user, &[online_row(&status.client, &status.info, &known)])?;
                } else {
                    tx.drop_client_presence(&user, &status.client)?;
                    if live_elsewhere(&tx.presence(&user)?).is_empty() {
                        subscribers.push(end_subscriptions(tx, &user)?);
                    }
                }
                for subscriber in &elsewhere {
                    tx.put_outbox(&presence_parcel(&user, subscriber)?)?;
                }
                let published = std::slice::from_ref(&user);
                Change::read(tx, &tickets, published, &subscribers)
            })
            .await?;
        self.note(change);
        self.hub.lock().drop_network_if_away(&of_user);
        self.emit(tell_relay.then_some(Event::Outbox));
        Ok(())
    }
}

/// That a client of a served domain is online is kept as its OnlineStatus, with what its
/// domain knows of it as the value; the qualifier says whether it wants to be seen.
fn online_row(client: &ClientId, info: &ClientInfo, known: &[Attribute]) -> Attribute {
    let client = Some(client.clone());
    let before = known
        .iter()
        .find(|k| k.name == AttributeName::OnlineStatus && k.client == client);
    Attribute {
        name: AttributeName::OnlineStatus,
        qualifier: before.is_none_or(|b| b.qualifier),
        client,
        value: AttributeValue::ClientInfo(Box::new(info.clone())),
    }
}

/// Without a client a user of a served domain watches nobody.
fn end_subscriptions(
    tx: &mut hamlet_store::Tx<'_>,
    user: &UserId,
) -> Result<Subscriber, StoreError> {
    let subscriber = Subscriber::Domain { user: user.clone() };
    let publishers: Vec<UserId> = tx
        .subscriptions_of(&subscriber)?
        .into_iter()
        .map(|subscription| subscription.publisher)
        .collect();
    tx.remove_subscriptions(&subscriber, &publishers)?;
    for list in tx.contact_lists(user)? {
        tx.remove_auto_subscription(&SessionId::new(""), &list.id)?;
    }
    Ok(subscriber)
}
