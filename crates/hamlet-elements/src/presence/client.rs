//! Clients come and go (csp-presence 8.2; csp-access 3.4, 3.9).

use crate::elements::{Inner, PresenceHome, SessionFacts};
use crate::failure::refusal;
use crate::outbox::Parcel;
use crate::presence::notify::presence_parcel;
use crate::presence::subscribe::unsubscribe_elsewhere;
use crate::presence::tell::live_elsewhere;
use crate::presence::{Change, ClientStatus};
use crate::service::{Answer, Event, Outcome, Request, Requestor, Response};
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue, ClientInfo};
use hamlet_model::{ClientId, SessionId, Timestamp, UserId};
use hamlet_store::{StoreError, Subscriber};
use std::time::Duration;

/// How long the home of presence may be out of reach until what clients did is forgotten.
const STATUS_LIFE: Duration = Duration::from_secs(24 * 3600);

impl Inner {
    /// A session has begun, or something about it has changed.
    pub(crate) async fn session_opened(&self, session: SessionFacts) -> Result<(), StoreError> {
        let user = session.user.clone();
        if let PresenceHome::At(domain) = &self.config.presence_home {
            let status = self.client_status(&session, true);
            self.hub.lock().put_session(session);
            return self.send_status(user, domain.clone(), status).await;
        }
        self.load_watchers(std::slice::from_ref(&user)).await?;
        let elsewhere = {
            let mut state = self.hub.lock();
            let events = state.change_sessions(&user, |state| state.put_session(session));
            self.emit(events);
            state.domain_watchers(&user, AttributeSet::ALL)
        };
        self.tell_domains(user, elsewhere).await
    }

    pub(crate) fn session_restored(&self, session: SessionFacts) {
        self.hub.lock().put_session(session);
    }

    pub(crate) async fn session_closed(&self, id: &SessionId) -> Result<(), StoreError> {
        let Some(session) = self.hub.lock().session(id).cloned() else {
            return Ok(());
        };
        let user = session.user.clone();
        if let PresenceHome::At(domain) = &self.config.presence_home {
            let status = self.client_status(&session, false);
            let is_last = {
                let mut state = self.hub.lock();
                state.remove_session(id);
                !state.sessions_of(&user).any(|s| s.client == session.client)
            };
            self.drop_searches(id).await?;
            return match is_last {
                true => self.send_status(user, domain.clone(), status).await,
                false => Ok(()),
            };
        }
        self.load_watchers(std::slice::from_ref(&user)).await?;
        let subscriber = Subscriber::Session {
            id: id.clone(),
            user: user.clone(),
        };
        let (is_last, watched, elsewhere) = {
            let mut state = self.hub.lock();
            let watched = state.watched_by(&subscriber);
            let events = state.change_sessions(&user, |state| {
                state.remove_session(id);
            });
            self.emit(events);
            let is_last = !state.sessions_of(&user).any(|s| s.client == session.client);
            let elsewhere = state.domain_watchers(&user, AttributeSet::ALL);
            (is_last, watched, elsewhere)
        };
        let (id, shared, tickets) = (id.clone(), self.shared.clone(), self.hub.tickets());
        let (change, told_relay) = self
            .store
            .write(move |tx| {
                tx.remove_session_subscriptions(&id)?;
                tx.drop_searches(&id)?;
                let mut told_relay = unsubscribe_elsewhere(tx, &shared, &user, &watched)?;
                if !is_last {
                    return Ok((Change::default(), told_relay));
                }
                tx.drop_client_presence(&user, &session.client)?;
                for subscriber in &elsewhere {
                    tx.put_outbox(&presence_parcel(&user, subscriber)?)?;
                    told_relay = true;
                }
                let published = std::slice::from_ref(&user);
                let change = Change::read(tx, &tickets, published, &[], &[])?;
                Ok((change, told_relay))
            })
            .await?;
        self.note(change);
        self.emit(told_relay.then_some(Event::Outbox));
        Ok(())
    }

    fn client_status(&self, session: &SessionFacts, online: bool) -> ClientStatus {
        ClientStatus {
            client: session.client.clone(),
            online,
            info: session.info.clone(),
            sequence: self.hub.next_sequence(),
        }
    }

    async fn send_status(
        &self,
        user: UserId,
        domain: hamlet_model::Domain,
        status: ClientStatus,
    ) -> Result<(), StoreError> {
        let parcel = Parcel::request(user, Request::ClientStatus(status));
        let entry = parcel.entry(domain, Timestamp::now().plus(STATUS_LIFE))?;
        self.store.write(move |tx| tx.put_outbox(&entry)).await?;
        self.emit([Event::Outbox]);
        Ok(())
    }

    async fn tell_domains(
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
        let elsewhere = self.hub.lock().domain_watchers(&user, AttributeSet::ALL);
        let tell_relay = !elsewhere.is_empty();
        let tickets = self.hub.tickets();
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
                Change::read(tx, &tickets, published, &[], &subscribers)
            })
            .await?;
        self.note(change);
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
