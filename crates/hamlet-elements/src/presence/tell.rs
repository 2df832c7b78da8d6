//! Who is told what when something changes (csp-presence 4.5, 6.9).

use crate::presence::hub::Change;
use crate::presence::render::{LiveClient, View, difference, select, withdrawn};
use crate::presence::state::{State, Versioned};
use crate::service::Event;
use hamlet_model::UserId;
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue};
use hamlet_store::Subscriber;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

impl State {
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
        let mut live: Vec<LiveClient> = self
            .absent_clients(user)
            .map(|absent| LiveClient {
                client: absent.client.clone(),
                info: absent.info.clone(),
                recency: 0,
                network: None,
            })
            .collect();
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
                network: None,
            });
        }
        if let Some(known) = self.network.get(user) {
            known.give(&mut live);
        }
        live
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
                network: None,
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
