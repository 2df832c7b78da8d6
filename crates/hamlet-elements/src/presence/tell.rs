//! Who is told what when something changes (csp-presence 4.5, 6.9).

use crate::authorization::{Grants, Unauthorized};
use crate::presence::hub::Change;
use crate::presence::render::{LiveClient, View, difference, select, select_or_withdraw};
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
            grants,
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
        let due: HashSet<(Subscriber, UserId)> = initial.iter().cloned().collect();
        for (owner, value) in grants {
            let newer = self.grants.get(&owner).is_none_or(|v| v.ticket < ticket);
            if newer {
                self.take_grants(ticket, &owner, value, &due, &mut events);
            }
        }
        let mut told = HashSet::new();
        for (subscriber, publisher) in initial {
            if let Some(event) = self.full_set(&subscriber, &publisher)
                && told.insert((subscriber, publisher))
            {
                events.push(event);
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
        let mut live = match self.is_home(user) {
            true => self.live_here(user),
            false => live_elsewhere(stored),
        };
        if let Some(known) = self.network.get(user) {
            known.give(&mut live);
        }
        live
    }

    fn live_here(&self, user: &UserId) -> Vec<LiveClient> {
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
        live
    }

    /// Notes what a publisher lets be seen, and tells those sessions that see something else
    /// now: what they see, and once what they have lost (csp-presence 6.9). Those in `due` are
    /// told in any case.
    fn take_grants(
        &mut self,
        ticket: u64,
        owner: &UserId,
        value: Grants,
        due: &HashSet<(Subscriber, UserId)>,
        events: &mut Vec<Event>,
    ) {
        let value = Arc::new(value);
        let concerned = self.concerned(owner, &value, due);
        self.grants
            .insert(owner.clone(), Versioned { ticket, value });
        let mut views: HashMap<UserId, View> = HashMap::new();
        let mut made: HashMap<_, Arc<Vec<Attribute>>> = HashMap::new();
        for (publisher, subscriber, set, saw) in concerned {
            let Subscriber::Session { id, user } = subscriber else {
                continue;
            };
            let sees = self.visible(&publisher, &user, set);
            if saw == sees {
                continue;
            }
            let view = views
                .entry(publisher.clone())
                .or_insert_with(|| self.view(&publisher));
            let attributes = made
                .entry((publisher.clone(), saw, sees))
                .or_insert_with(|| {
                    let lost = saw.without(sees);
                    Arc::new(select_or_withdraw(&view.public, sees, lost))
                })
                .clone();
            events.push(Event::Presence {
                session: id,
                publisher,
                attributes,
            });
        }
    }

    /// Whom new grants of `owner` can concern, with what was asked for and what was seen.
    fn concerned(
        &self,
        owner: &UserId,
        value: &Grants,
        due: &HashSet<(Subscriber, UserId)>,
    ) -> Vec<(UserId, Subscriber, AttributeSet, AttributeSet)> {
        let mut concerned = Vec::new();
        let mut add = |publisher: &UserId, subscriber: &Subscriber, set| {
            let watcher = subscriber.user();
            let pair = (subscriber.clone(), publisher.clone());
            if watcher == publisher || due.contains(&pair) {
                return;
            }
            let saw = self.visible(publisher, watcher, set);
            concerned.push((pair.1, pair.0, set, saw));
        };
        for (subscriber, set) in self.watchers(owner) {
            if matches!(subscriber, Subscriber::Session { .. }) {
                add(owner, subscriber, set);
            }
        }
        let before = self.grants.get(owner);
        if let (Unauthorized::Contacts, Some(before)) = (self.policy, before) {
            // Whom he has in his lists decides what he sees, too.
            for publisher in before.value.contacts_differing(value) {
                for facts in self.sessions_of(owner) {
                    let subscriber = Subscriber::Session {
                        id: facts.id.clone(),
                        user: owner.clone(),
                    };
                    if let Some(set) = self.set_of(&subscriber, publisher) {
                        add(publisher, &subscriber, set);
                    }
                }
            }
        }
        concerned
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
            let seen = self.visible(publisher, user, set);
            if difference.changed.intersection(seen).is_empty() {
                continue;
            }
            let attributes = made
                .entry((seen, is_own))
                .or_insert_with(|| Arc::new(select(&difference.told, seen)));
            events.push(Event::Presence {
                session: id.clone(),
                publisher: publisher.clone(),
                attributes: attributes.clone(),
            });
        }
    }

    /// Everything that a session asked for and sees of a publisher whose presence is kept here.
    fn full_set(&self, subscriber: &Subscriber, publisher: &UserId) -> Option<Event> {
        let Subscriber::Session { id, user } = subscriber else {
            return None;
        };
        let set = self.set_of(subscriber, publisher)?;
        let seen = self.visible(publisher, user, set);
        if !self.keeps(publisher) || seen.is_empty() {
            return None;
        }
        let view = self.view(publisher);
        Some(Event::Presence {
            session: id.clone(),
            publisher: publisher.clone(),
            attributes: Arc::new(select(view.of(publisher, user), seen)),
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
