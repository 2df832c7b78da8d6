//! Presence on its way between domains (csp-presence 4.5, 10).

use crate::authorization::{Grants, Unauthorized, decide};
use crate::elements::{Inner, PresenceHome};
use crate::failure::refusal;
use crate::outbox::{PRESENCE_LIFE, Parcel};
use crate::presence::PresenceNotification;
use crate::presence::render::{View, select, select_or_withdraw};
use crate::presence::subscribe::unsubscribe_elsewhere;
use crate::service::{Answer, Event, Outcome, Request, Response};
use hamlet_model::presence::{Attribute, AttributeSet};
use hamlet_model::{StatusCode, Timestamp, UserId};
use hamlet_store::{NewOutboxEntry, StoreError, Subscriber};
use std::collections::HashMap;
use std::sync::Arc;

/// Says that a subscriber of another domain has to be told of a publisher. What he is told
/// is found out when it is sent.
pub(crate) fn presence_parcel(
    publisher: &UserId,
    subscriber: &UserId,
) -> Result<NewOutboxEntry, StoreError> {
    parcel(publisher, subscriber, AttributeSet::EMPTY)
}

/// As [`presence_parcel`], after something that decides what he sees: what he does not see
/// any more is told him as withdrawn (csp-presence 6.9).
pub(crate) fn visibility_parcel(
    publisher: &UserId,
    subscriber: &UserId,
    lost: AttributeSet,
) -> Result<NewOutboxEntry, StoreError> {
    parcel(publisher, subscriber, lost)
}

fn parcel(
    publisher: &UserId,
    subscriber: &UserId,
    lost: AttributeSet,
) -> Result<NewOutboxEntry, StoreError> {
    let parcel = Parcel::Presence {
        publisher: publisher.clone(),
        subscriber: subscriber.clone(),
        lost,
    };
    parcel.entry(subscriber.domain(), Timestamp::now().plus(PRESENCE_LIFE))
}

impl Inner {
    /// What a subscriber of another domain is told of a publisher now; `None` when that is
    /// nothing. Read from the store: what is in memory may be a moment behind the
    /// transaction that put the entry into the outbox.
    pub(crate) async fn notification_for_domain(
        &self,
        publisher: &UserId,
        subscriber: &UserId,
        lost: AttributeSet,
    ) -> Result<Option<Request>, StoreError> {
        // Before reading: what is read later has a larger number.
        let sequence = self.hub.next_sequence();
        let (asked_publisher, asked_subscriber) = (publisher.clone(), subscriber.clone());
        let shared = self.shared.clone();
        let (stored, set, sees) = self
            .store
            .read(move |tx| {
                let mut set = AttributeSet::EMPTY;
                let user = asked_subscriber.clone();
                for subscription in tx.subscriptions_of(&Subscriber::Domain { user })? {
                    if subscription.publisher == asked_publisher {
                        set = set.union(subscription.attributes);
                    }
                }
                let stored = tx.presence(&asked_publisher)?;
                let (publisher, watcher) = (&asked_publisher, &asked_subscriber);
                let grants = Grants::read(tx, publisher, &shared.presence)?;
                let policy = shared.presence.unauthorized;
                let listed =
                    policy == Unauthorized::Contacts && tx.in_lists_of(watcher, publisher)?;
                let applies = grants.applicable(publisher, watcher, policy, listed);
                Ok((stored, set, decide(&applies, set).visible))
            })
            .await?;
        let lost = lost.intersection(set).without(sees);
        if sees.is_empty() && lost.is_empty() {
            return Ok(None);
        }
        let live = {
            let state = self.hub.lock();
            state.live(publisher, &stored)
        };
        let view = View::new(&stored, &live);
        let attributes = select_or_withdraw(view.of(publisher, subscriber), sees, lost);
        Ok(Some(Request::PresenceNotification(PresenceNotification {
            subscriber: subscriber.clone(),
            publisher: publisher.clone(),
            attributes,
            partial: false,
            sequence,
        })))
    }

    /// Hands the presence of a publisher elsewhere to the sessions here that asked for it.
    pub(crate) async fn take_notification(&self, notification: PresenceNotification) -> Answer {
        let PresenceNotification {
            subscriber,
            publisher,
            attributes,
            partial,
            sequence,
        } = notification;
        if !self.directory.is_home(&subscriber) {
            return Err(StatusCode::DOMAIN_NOT_SUPPORTED.into());
        }
        let unknown = self
            .directory
            .unknown(std::slice::from_ref(&subscriber))
            .await;
        if !unknown.map_err(|error| refusal(&error))?.is_empty() {
            return Err(StatusCode::UNKNOWN_USER.into());
        }
        if self.config.presence_home != PresenceHome::Local {
            // The sets of his sessions are known where his presence element is.
            let mut state = self.hub.lock();
            let told = state.receive(&publisher, &subscriber, sequence, &attributes, partial);
            self.emit(told.map(|told| Event::PresenceForUser {
                user: subscriber,
                publisher,
                attributes: Arc::new(told),
            }));
            return Ok(Response::Done(Outcome::default()));
        }
        if !self.tell_sessions(&subscriber, &publisher, (&attributes, partial), sequence) {
            self.end_subscription(subscriber, publisher)
                .await
                .map_err(|error| refusal(&error))?;
        }
        Ok(Response::Done(Outcome::default()))
    }

    /// Whether any session of the subscriber watches the publisher.
    fn tell_sessions(
        &self,
        subscriber: &UserId,
        publisher: &UserId,
        (attributes, partial): (&[Attribute], bool),
        sequence: i64,
    ) -> bool {
        let mut state = self.hub.lock();
        let sessions: Vec<_> = state
            .sessions_of(subscriber)
            .filter_map(|facts| {
                let set = state.set_of(
                    &Subscriber::Session {
                        id: facts.id.clone(),
                        user: facts.user.clone(),
                    },
                    publisher,
                )?;
                Some((facts.id.clone(), set))
            })
            .collect();
        if sessions.is_empty() {
            return false;
        }
        let Some(told) = state.receive(publisher, subscriber, sequence, attributes, partial) else {
            return true;
        };
        let mut made: HashMap<AttributeSet, Arc<Vec<Attribute>>> = HashMap::new();
        let events = sessions.into_iter().map(|(session, set)| Event::Presence {
            session,
            publisher: publisher.clone(),
            attributes: made
                .entry(set)
                .or_insert_with(|| Arc::new(select(&told, set)))
                .clone(),
        });
        self.emit(events);
        true
    }

    /// Tells another domain that nobody here is interested any more.
    async fn end_subscription(&self, user: UserId, publisher: UserId) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let told_relay = self
            .store
            .write(move |tx| {
                unsubscribe_elsewhere(tx, &shared, &user, std::slice::from_ref(&publisher))
            })
            .await?;
        self.emit(told_relay.then_some(Event::Outbox));
        Ok(())
    }
}
