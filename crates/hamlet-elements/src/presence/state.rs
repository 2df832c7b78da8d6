//! The memory of the Presence element: sessions, presence, what publishers let be seen, and
//! subscriptions.

use crate::authorization::{Applicable, Decision, Grants, Unauthorized, decide};
use crate::elements::SessionFacts;
use crate::presence::absence::Absent;
use crate::presence::foreign::Received;
use crate::presence::network::NetworkPresence;
use hamlet_model::presence::{Attribute, AttributeSet};
use hamlet_model::{Domain, SessionId, UserId};
use hamlet_store::{Subscriber, Subscription};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A state with the ticket of the transaction that made it; 0 when it was only read.
pub(super) struct Versioned<T> {
    pub(super) ticket: u64,
    pub(super) value: T,
}

/// Everything in memory; what is not in it has not been needed yet.
#[derive(Default)]
pub(crate) struct State {
    /// Domains other than the home domain whose users have their presence here.
    pub(super) served: Vec<Domain>,
    pub(super) home: Option<Domain>,
    pub(super) policy: Unauthorized,
    pub(super) sessions: HashMap<SessionId, SessionFacts>,
    /// The sessions of each user, with a number that grows with each sign of life.
    pub(super) sessions_of: HashMap<UserId, Vec<(SessionId, u64)>>,
    pub(super) published: HashMap<UserId, Versioned<Vec<Attribute>>>,
    pub(super) grants: HashMap<UserId, Versioned<Arc<Grants>>>,
    pub(super) watchers: HashMap<UserId, HashMap<Subscriber, AttributeSet>>,
    pub(super) watching: HashMap<Subscriber, Versioned<HashMap<UserId, AttributeSet>>>,
    /// Clients that are shown although they have no session.
    pub(super) absent: HashMap<UserId, Vec<Absent>>,
    /// What the mobile network says of users.
    pub(super) network: HashMap<UserId, Arc<NetworkPresence>>,
    /// Sequence of the last thing told by another domain, by what it is about.
    pub(super) received: HashMap<(String, String), Received>,
}

impl State {
    /// Says whose presence is kept here.
    pub(super) fn serve(&mut self, home: Domain, served: Vec<Domain>, policy: Unauthorized) {
        self.home = Some(home);
        self.served = served;
        self.policy = policy;
    }

    /// Forgets a user whose account is gone.
    pub(super) fn forget(&mut self, user: &UserId) {
        self.published.remove(user);
        self.grants.remove(user);
        // Nor does he see any more what others let him see.
        for grants in self.grants.values_mut() {
            Arc::make_mut(&mut grants.value).forget(user);
        }
        self.absent.remove(user);
        self.network.remove(user);
        let watchers = self.watchers.remove(user).unwrap_or_default();
        for subscriber in watchers.keys() {
            if let Some(watching) = self.watching.get_mut(subscriber) {
                watching.value.remove(user);
            }
        }
    }

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
        self.release_client(&facts.user, &facts.client, None);
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

    /// Those of the users whose presence, or whose grants, are not in memory.
    pub(crate) fn missing<'a>(
        &self,
        published: impl Iterator<Item = &'a UserId>,
        grants: impl Iterator<Item = &'a UserId>,
    ) -> Missing {
        let published: HashSet<_> = published
            .filter(|user| self.keeps(user) && !self.published.contains_key(*user))
            .collect();
        let grants: HashSet<_> = grants
            .filter(|user| self.keeps(user) && !self.grants.contains_key(*user))
            .collect();
        Missing {
            published: published.into_iter().cloned().collect(),
            grants: grants.into_iter().cloned().collect(),
        }
    }

    /// Takes what was read for [`State::missing`], unless a transaction was noted since.
    pub(crate) fn fill(
        &mut self,
        published: Vec<(UserId, Vec<Attribute>)>,
        grants: Vec<(UserId, Grants)>,
    ) {
        for (user, value) in published {
            self.published
                .entry(user)
                .or_insert(Versioned { ticket: 0, value });
        }
        for (user, grants) in grants {
            let value = Arc::new(grants);
            self.grants
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

    /// What `watcher` sees of what he requests of `publisher`, as far as memory knows:
    /// nothing of a publisher who is not in it.
    pub(crate) fn decide(
        &self,
        publisher: &UserId,
        watcher: &UserId,
        requested: AttributeSet,
    ) -> Decision {
        if let Some(applies) = self.applicable(publisher, watcher) {
            return decide(&applies, requested);
        }
        let own = publisher == watcher;
        Decision {
            visible: if own { requested } else { AttributeSet::EMPTY },
            signal: None,
        }
    }

    /// What `publisher` has decided that applies to `watcher`; `None` of a publisher who is
    /// not in memory.
    pub(crate) fn applicable(&self, publisher: &UserId, watcher: &UserId) -> Option<Applicable> {
        let grants = self.grants.get(publisher)?;
        let listed = self.policy == Unauthorized::Contacts
            && self
                .grants
                .get(watcher)
                .is_some_and(|of_watcher| of_watcher.value.lists(publisher));
        let grants = &grants.value;
        Some(grants.applicable(publisher, watcher, self.policy, listed))
    }

    /// Of the requested attributes, those that may be seen.
    pub(crate) fn visible(
        &self,
        publisher: &UserId,
        watcher: &UserId,
        requested: AttributeSet,
    ) -> AttributeSet {
        self.decide(publisher, watcher, requested).visible
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
            .filter(|(subscriber, _)| matches!(subscriber, Subscriber::Domain { .. }))
            .map(|(subscriber, set)| (subscriber.user(), set.intersection(names)))
            .filter(|(user, set)| !self.visible(publisher, user, *set).is_empty())
            .map(|(user, _)| user.clone())
            .collect()
    }

    pub(super) fn take_subscriptions(
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
}

/// What is known of users' presence and grants only to the store.
#[derive(Debug, Default, Clone)]
pub(crate) struct Missing {
    pub(crate) published: Vec<UserId>,
    pub(crate) grants: Vec<UserId>,
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
