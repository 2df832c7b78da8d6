//! What the Presence element keeps in memory, so that a change reaches its watchers without
//! a query: sessions, presence, contacts and subscriptions. The store is the truth.
//!
//! A transaction that changes any of it also reads the new state of the users concerned,
//! with a ticket that grows from one transaction to the next. Here that state replaces the
//! one with an older ticket, so the order in which transactions are noted does not matter.

use crate::elements::SessionFacts;
use crate::presence::render::{LiveClient, View, difference, select, withdrawn};
use crate::presence::visibility::may_see;
use crate::service::Event;
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue};
use hamlet_model::{Domain, SessionId, UserId};
use hamlet_store::{StoreError, Subscriber, Subscription, Tx};
use parking_lot::{Mutex, MutexGuard};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The memory.
#[derive(Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    tickets: Arc<AtomicU64>,
    sequence: AtomicI64,
}

/// A state with the ticket of the transaction that made it; 0 when it was only read.
struct Versioned<T> {
    ticket: u64,
    value: T,
}

#[derive(Default)]
pub(crate) struct State {
    /// Domains other than the home domain whose users have their presence here.
    served: Vec<Domain>,
    home: Option<Domain>,
    sessions: HashMap<SessionId, SessionFacts>,
    /// The sessions of each user, with a number that grows with each sign of life.
    sessions_of: HashMap<UserId, Vec<(SessionId, u64)>>,
    published: HashMap<UserId, Versioned<Vec<Attribute>>>,
    contacts: HashMap<UserId, Versioned<HashSet<UserId>>>,
    watchers: HashMap<UserId, HashMap<Subscriber, AttributeSet>>,
    watching: HashMap<Subscriber, Versioned<HashMap<UserId, AttributeSet>>>,
    /// Sequence of the last thing told by another domain, by what it is about.
    received: HashMap<(String, String), i64>,
}

/// What a transaction made of the state of some users.
#[derive(Debug, Default)]
pub(crate) struct Change {
    ticket: u64,
    published: Vec<(UserId, Vec<Attribute>)>,
    contacts: Vec<(UserId, Vec<UserId>)>,
    subscriptions: Vec<(Subscriber, Vec<Subscription>)>,
    /// Notifications that are due even though nothing changed.
    pub(crate) initial: Vec<(Subscriber, UserId)>,
}

impl Change {
    /// Reads the new state inside the transaction, after all that it changes.
    pub(crate) fn read(
        tx: &mut Tx<'_>,
        tickets: &AtomicU64,
        published: &[UserId],
        contacts: &[UserId],
        subscribers: &[Subscriber],
    ) -> Result<Self, StoreError> {
        let mut change = Self::default();
        for user in published {
            change.published.push((user.clone(), tx.presence(user)?));
        }
        for user in contacts {
            change.contacts.push((user.clone(), tx.contacts_of(user)?));
        }
        for subscriber in subscribers {
            let subscriptions = tx.subscriptions_of(subscriber)?;
            change
                .subscriptions
                .push((subscriber.clone(), subscriptions));
        }
        // Last, so that of two transactions on the same rows the later has the larger one.
        change.ticket = tickets.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(change)
    }
}

impl Hub {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn tickets(&self) -> Arc<AtomicU64> {
        self.tickets.clone()
    }

    /// A number for a notification to another domain: larger than all before, also those of
    /// earlier processes.
    pub(crate) fn next_sequence(&self) -> i64 {
        let now = hamlet_model::Timestamp::now().millis();
        let last = self
            .sequence
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(now.max(last + 1))
            })
            .unwrap_or(now);
        now.max(last + 1)
    }

    pub(crate) fn serve(&self, home: Domain, served: Vec<Domain>) {
        let mut state = self.lock();
        state.home = Some(home);
        state.served = served;
    }

    /// Forgets a user whose account is gone.
    pub(crate) fn forget(&self, user: &UserId) {
        let mut state = self.lock();
        state.published.remove(user);
        state.contacts.remove(user);
        let watchers = state.watchers.remove(user).unwrap_or_default();
        for subscriber in watchers.keys() {
            if let Some(watching) = state.watching.get_mut(subscriber) {
                watching.value.remove(user);
            }
        }
    }
}

impl State {
    /// Whether the user's presence is kept in this server.
    pub(crate) fn keeps(&self, user: &UserId) -> bool {
        let domain = user.domain_str();
        self.is_home(user) || self.served.iter().any(|served| served.as_str() == domain)
    }

    pub(crate) fn is_home(&self, user: &UserId) -> bool {
        let domain = user.domain_str();
        self.home
            .as_ref()
            .is_some_and(|home| home.as_str() == domain)
    }

    pub(crate) fn session(&self, id: &SessionId) -> Option<&SessionFacts> {
        self.sessions.get(id)
    }

    /// The sessions of a user.
    pub(crate) fn sessions_of(&self, user: &UserId) -> impl Iterator<Item = &SessionFacts> {
        let ids = self.sessions_of.get(user).into_iter().flatten();
        ids.filter_map(|(id, _)| self.sessions.get(id))
    }

    /// Notes a session, or what has changed about it.
    pub(crate) fn put_session(&mut self, facts: SessionFacts) {
        let sessions = self.sessions_of.entry(facts.user.clone()).or_default();
        let next = sessions.iter().map(|(_, recency)| recency + 1).max();
        sessions.retain(|(id, _)| *id != facts.id);
        sessions.push((facts.id.clone(), next.unwrap_or(1)));
        self.sessions.insert(facts.id.clone(), facts);
    }

    pub(crate) fn remove_session(&mut self, id: &SessionId) -> Option<SessionFacts> {
        let facts = self.sessions.remove(id)?;
        if let Some(sessions) = self.sessions_of.get_mut(&facts.user) {
            sessions.retain(|(known, _)| known != id);
            if sessions.is_empty() {
                self.sessions_of.remove(&facts.user);
            }
        }
        let subscriber = Subscriber::Session {
            id: facts.id.clone(),
            user: facts.user.clone(),
        };
        self.set_watching(&subscriber, HashMap::new());
        self.watching.remove(&subscriber);
        Some(facts)
    }

    /// Those of the users whose presence or contacts are not in memory.
    pub(crate) fn missing<'a>(
        &self,
        published: impl Iterator<Item = &'a UserId>,
        contacts: impl Iterator<Item = &'a UserId>,
    ) -> Missing {
        let published: HashSet<_> = published
            .filter(|user| self.keeps(user) && !self.published.contains_key(*user))
            .collect();
        let contacts: HashSet<_> = contacts
            .filter(|user| self.keeps(user) && !self.contacts.contains_key(*user))
            .collect();
        Missing {
            published: published.into_iter().cloned().collect(),
            contacts: contacts.into_iter().cloned().collect(),
        }
    }

    /// Takes what was read for [`State::missing`], unless a transaction was noted since.
    pub(crate) fn fill(
        &mut self,
        published: Vec<(UserId, Vec<Attribute>)>,
        contacts: Vec<(UserId, Vec<UserId>)>,
    ) {
        for (user, value) in published {
            self.published
                .entry(user)
                .or_insert(Versioned { ticket: 0, value });
        }
        for (user, contacts) in contacts {
            let value = contacts.into_iter().collect();
            self.contacts
                .entry(user)
                .or_insert(Versioned { ticket: 0, value });
        }
    }

    /// Takes subscriptions as they were when the server started.
    pub(crate) fn restore_subscriptions(&mut self, subscriptions: Vec<Subscription>) {
        let mut grouped: HashMap<Subscriber, Vec<Subscription>> = HashMap::new();
        for subscription in subscriptions {
            let of_one = grouped.entry(subscription.subscriber.clone()).or_default();
            of_one.push(subscription);
        }
        for (subscriber, subscriptions) in grouped {
            let value = effective(subscriptions);
            self.set_watching(&subscriber, value);
        }
    }

    /// Notes a transaction and says whom it concerns. The events must be told before the
    /// lock is given up, so that they come in the order of what they tell.
    pub(crate) fn apply(&mut self, change: Change) -> Vec<Event> {
        let Change {
            ticket,
            published,
            contacts,
            subscriptions,
            initial,
        } = change;
        for (subscriber, subscriptions) in subscriptions {
            self.take_subscriptions(ticket, &subscriber, subscriptions);
        }
        let mut events = Vec::new();
        for (user, attributes) in published {
            let newer = self.published.get(&user).is_none_or(|v| v.ticket < ticket);
            if newer {
                let before = self.view(&user);
                let value = attributes;
                self.published
                    .insert(user.clone(), Versioned { ticket, value });
                self.tell_watchers(&user, &before, &mut events);
            }
        }
        let mut told = HashSet::new();
        for (subscriber, publisher) in initial {
            if self.sees(&publisher, subscriber.user(), &contacts)
                && let Some(event) = self.full_set(&subscriber, &publisher)
                && told.insert((subscriber, publisher))
            {
                events.push(event);
            }
        }
        for (owner, members) in contacts {
            let newer = self.contacts.get(&owner).is_none_or(|v| v.ticket < ticket);
            if newer {
                self.take_contacts(ticket, &owner, members, &told, &mut events);
            }
        }
        events
    }

    /// Changes the sessions of a user and says whom that concerns.
    pub(crate) fn change_sessions(
        &mut self,
        user: &UserId,
        change: impl FnOnce(&mut Self),
    ) -> Vec<Event> {
        let before = self.view(user);
        change(self);
        let mut events = Vec::new();
        self.tell_watchers(user, &before, &mut events);
        events
    }

    /// The presence of a user, as far as it is in memory.
    pub(crate) fn view(&self, user: &UserId) -> View {
        let stored = self.published.get(user).map_or(&[][..], |v| &v.value);
        View::new(stored, &self.live(user, stored))
    }

    /// The clients of a user that are online: those of his sessions here, or those that his
    /// domain has told of, which are kept with his presence.
    pub(crate) fn live(&self, user: &UserId, stored: &[Attribute]) -> Vec<LiveClient> {
        if !self.is_home(user) {
            return live_elsewhere(stored);
        }
        let mut live: Vec<LiveClient> = Vec::new();
        for (id, recency) in self.sessions_of.get(user).into_iter().flatten() {
            let Some(facts) = self.sessions.get(id) else {
                continue;
            };
            // csp-presence 8.3: of one client the newest session counts.
            live.retain(|known| known.client != facts.client);
            live.push(LiveClient {
                client: facts.client.clone(),
                info: facts.info.clone(),
                recency: *recency,
            });
        }
        live
    }

    /// Whether `watcher` sees the presence of `publisher`.
    pub(crate) fn may_see(&self, publisher: &UserId, watcher: &UserId) -> bool {
        self.sees(publisher, watcher, &[])
    }

    /// As [`State::may_see`], with the contacts of some users being replaced.
    fn sees(
        &self,
        publisher: &UserId,
        watcher: &UserId,
        replaced: &[(UserId, Vec<UserId>)],
    ) -> bool {
        let lists =
            |owner: &UserId, member: &UserId| match replaced.iter().find(|(user, _)| user == owner)
            {
                Some((_, members)) => members.contains(member),
                None => self
                    .contacts
                    .get(owner)
                    .is_some_and(|contacts| contacts.value.contains(member)),
            };
        may_see(
            publisher,
            watcher,
            lists(publisher, watcher),
            lists(watcher, publisher),
        )
    }

    /// The subscribers of a publisher with what they asked for.
    pub(crate) fn watchers(
        &self,
        publisher: &UserId,
    ) -> impl Iterator<Item = (&Subscriber, AttributeSet)> {
        let watchers = self.watchers.get(publisher).into_iter().flatten();
        watchers.map(|(subscriber, set)| (subscriber, *set))
    }

    /// What a subscriber asked for of a publisher.
    pub(crate) fn set_of(
        &self,
        subscriber: &Subscriber,
        publisher: &UserId,
    ) -> Option<AttributeSet> {
        self.watchers.get(publisher)?.get(subscriber).copied()
    }

    /// Whom a subscriber watches.
    pub(crate) fn watched_by(&self, subscriber: &Subscriber) -> Vec<UserId> {
        let watching = self.watching.get(subscriber);
        watching.map_or_else(Vec::new, |v| v.value.keys().cloned().collect())
    }

    /// The subscribers in other domains who see any of these attributes of a publisher.
    pub(crate) fn domain_watchers(&self, publisher: &UserId, names: AttributeSet) -> Vec<UserId> {
        self.watchers(publisher)
            .filter(|(_, set)| !set.intersection(names).is_empty())
            .filter(|(subscriber, _)| matches!(subscriber, Subscriber::Domain { .. }))
            .map(|(subscriber, _)| subscriber.user().clone())
            .filter(|user| self.may_see(publisher, user))
            .collect()
    }

    /// Whether something told by another domain is newer than what it told before about
    /// the same pair: publisher and subscriber, or user and client.
    pub(crate) fn is_news(&mut self, about: &str, whom: &str, sequence: i64) -> bool {
        /// Bounds what other domains can make us remember.
        const PAIRS: usize = 1_000_000;
        if self.received.len() >= PAIRS {
            self.received.clear();
        }
        let pair = (about.to_owned(), whom.to_owned());
        let last = self.received.entry(pair).or_insert(i64::MIN);
        let newer = *last < sequence;
        *last = sequence.max(*last);
        newer
    }

    fn take_subscriptions(
        &mut self,
        ticket: u64,
        subscriber: &Subscriber,
        subscriptions: Vec<Subscription>,
    ) {
        if let Subscriber::Session { id, .. } = subscriber
            && !self.sessions.contains_key(id)
        {
            return;
        }
        let known = self.watching.get(subscriber);
        if known.is_none_or(|known| known.ticket < ticket) {
            self.set_watching(subscriber, effective(subscriptions));
            let watching = self.watching.get_mut(subscriber);
            if let Some(watching) = watching {
                watching.ticket = ticket;
            }
        }
    }

    fn set_watching(&mut self, subscriber: &Subscriber, value: HashMap<UserId, AttributeSet>) {
        let before = self.watching.remove(subscriber);
        for publisher in before.iter().flat_map(|v| v.value.keys()) {
            if value.contains_key(publisher) {
                continue;
            }
            if let Some(watchers) = self.watchers.get_mut(publisher) {
                watchers.remove(subscriber);
                if watchers.is_empty() {
                    self.watchers.remove(publisher);
                }
            }
        }
        for (publisher, set) in &value {
            let watchers = self.watchers.entry(publisher.clone()).or_default();
            watchers.insert(subscriber.clone(), *set);
        }
        let ticket = before.map_or(0, |v| v.ticket);
        self.watching
            .insert(subscriber.clone(), Versioned { ticket, value });
    }

    fn take_contacts(
        &mut self,
        ticket: u64,
        owner: &UserId,
        members: Vec<UserId>,
        told: &HashSet<(Subscriber, UserId)>,
        events: &mut Vec<Event>,
    ) {
        let value: HashSet<UserId> = members.into_iter().collect();
        let before = self.contacts.get(owner);
        let old = before.map(|v| v.value.clone()).unwrap_or_default();
        // Who saw whom, for every pair that this can concern.
        let pairs: Vec<_> = old
            .symmetric_difference(&value)
            .flat_map(|member| [(owner, member), (member, owner)])
            .map(|(publisher, watcher)| (publisher.clone(), watcher.clone()))
            .map(|(publisher, watcher)| {
                let saw = self.may_see(&publisher, &watcher);
                (publisher, watcher, saw)
            })
            .collect();
        self.contacts
            .insert(owner.clone(), Versioned { ticket, value });
        for (publisher, watcher, saw) in pairs {
            let sees = self.may_see(&publisher, &watcher);
            if saw == sees {
                continue;
            }
            let subscribers: Vec<Subscriber> = self
                .sessions_of(&watcher)
                .map(|facts| Subscriber::Session {
                    id: facts.id.clone(),
                    user: watcher.clone(),
                })
                .collect();
            for subscriber in subscribers {
                if told.contains(&(subscriber.clone(), publisher.clone())) {
                    continue;
                }
                let event = self.full_set(&subscriber, &publisher);
                events.extend(event.map(|event| if sees { event } else { unsaid(event) }));
            }
        }
    }

    /// Tells the sessions that watch `publisher` what changed since `before`: everything
    /// that each sees and asked for (csp-presence 4.5), made once for each such set.
    fn tell_watchers(&self, publisher: &UserId, before: &View, events: &mut Vec<Event>) {
        if !self.watchers.contains_key(publisher) {
            return;
        }
        let after = self.view(publisher);
        let public = difference(&before.public, &after.public);
        let own = difference(&before.own, &after.own);
        let mut made: HashMap<(AttributeSet, bool), Arc<Vec<Attribute>>> = HashMap::new();
        for (subscriber, set) in self.watchers(publisher) {
            let Subscriber::Session { id, user } = subscriber else {
                continue;
            };
            let is_own = user == publisher;
            let difference = if is_own { &own } else { &public };
            if difference.changed.intersection(set).is_empty() || !self.may_see(publisher, user) {
                continue;
            }
            let attributes = made
                .entry((set, is_own))
                .or_insert_with(|| Arc::new(select(&difference.told, set)));
            events.push(Event::Presence {
                session: id.clone(),
                publisher: publisher.clone(),
                attributes: attributes.clone(),
            });
        }
    }

    /// Everything that a session asked for of a publisher whose presence is kept here.
    fn full_set(&self, subscriber: &Subscriber, publisher: &UserId) -> Option<Event> {
        let Subscriber::Session { id, user } = subscriber else {
            return None;
        };
        let set = self.set_of(subscriber, publisher)?;
        if !self.keeps(publisher) {
            return None;
        }
        let view = self.view(publisher);
        Some(Event::Presence {
            session: id.clone(),
            publisher: publisher.clone(),
            attributes: Arc::new(select(view.of(publisher, user), set)),
        })
    }
}

/// What is known of users' presence and contacts only to the store.
#[derive(Debug, Default, Clone)]
pub(crate) struct Missing {
    pub(crate) published: Vec<UserId>,
    pub(crate) contacts: Vec<UserId>,
}

/// csp-presence 4.3: what covers one publisher several times counts together.
fn effective(subscriptions: Vec<Subscription>) -> HashMap<UserId, AttributeSet> {
    let mut sets: HashMap<UserId, AttributeSet> = HashMap::with_capacity(subscriptions.len());
    for subscription in subscriptions {
        let set = sets.entry(subscription.publisher).or_default();
        *set = set.union(subscription.attributes);
    }
    sets
}

/// The OnlineStatus of a client of a served domain holds what that domain said of it.
pub(crate) fn live_elsewhere(stored: &[Attribute]) -> Vec<LiveClient> {
    stored
        .iter()
        .filter(|attribute| attribute.name == AttributeName::OnlineStatus)
        .filter_map(|attribute| match (&attribute.client, &attribute.value) {
            (Some(client), AttributeValue::ClientInfo(info)) => Some(LiveClient {
                client: client.clone(),
                info: (**info).clone(),
                recency: 0,
            }),
            _ => None,
        })
        .collect()
}

/// The same notification for one who may not see any of it any more (csp-presence 6.9).
fn unsaid(event: Event) -> Event {
    match event {
        Event::Presence {
            session,
            publisher,
            attributes,
        } => Event::Presence {
            session,
            publisher,
            attributes: Arc::new(attributes.iter().map(withdrawn).collect()),
        },
        other => other,
    }
}
