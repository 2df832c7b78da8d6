//! What other domains have told of their users' presence, and what becomes of it when they
//! are out of reach (csp-presence 10).

use crate::elements::Inner;
use crate::presence::render::{difference, select, withdrawn};
use crate::presence::state::State;
use crate::service::Event;
use hamlet_model::presence::{Attribute, AttributeName, AttributeValue, ContactInfo};
use hamlet_model::{Domain, SessionId, UserId};
use hamlet_store::{StoreError, Subscriber};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Bounds what other domains can make us remember.
const PAIRS: usize = 200_000;

/// Values above this are not remembered, only that there is one; octets.
const LIGHT: usize = 1024;

/// The last thing that another domain told about something.
pub(super) struct Received {
    sequence: i64,
    /// The attributes that had a value; without it where it is large.
    known: Vec<Attribute>,
}

impl State {
    /// Whether something told by another domain is newer than what it told before about
    /// the same pair: publisher and subscriber, or user and client.
    pub(crate) fn is_news(&mut self, about: &str, whom: &str, sequence: i64) -> bool {
        if self.received.len() >= PAIRS {
            self.received.clear();
        }
        let pair = (about.to_owned(), whom.to_owned());
        let received = self.received.entry(pair).or_insert(Received {
            sequence: i64::MIN,
            known: Vec::new(),
        });
        let newer = received.sequence < sequence;
        received.sequence = sequence.max(received.sequence);
        newer
    }

    /// What sessions are told of a notification of another domain: everything that is known
    /// now, and once what is not any more. `partial`: it names only what has changed. `None`
    /// when it was overtaken by a newer one.
    pub(crate) fn receive(
        &mut self,
        publisher: &UserId,
        subscriber: &UserId,
        sequence: i64,
        attributes: &[Attribute],
        partial: bool,
    ) -> Option<Vec<Attribute>> {
        let (about, whom) = (publisher.as_str(), subscriber.as_str());
        if !self.is_news(about, whom, sequence) {
            return None;
        }
        let pair = (about.to_owned(), whom.to_owned());
        let received = self.received.get_mut(&pair)?;
        let after = match partial {
            true => merged(&received.known, attributes),
            false => attributes.to_vec(),
        };
        let valid = after.iter().filter(|attribute| attribute.qualifier);
        let known = valid.map(remembered).collect();
        let before = std::mem::replace(&mut received.known, known);
        let mut told = difference(&before, &after).told;
        // Only that they exist is known of these, which the client knows, too.
        told.retain(|attribute| !attribute.qualifier || attribute.value != AttributeValue::None);
        Some(told)
    }

    /// The domains, and who watches whom there.
    fn watched_elsewhere(&self) -> HashMap<Domain, Vec<(SessionId, UserId, UserId)>> {
        let mut found: HashMap<Domain, Vec<_>> = HashMap::new();
        for (subscriber, watching) in &self.watching {
            let Subscriber::Session { id, user } = subscriber else {
                continue;
            };
            for publisher in watching.value.keys().filter(|p| !self.keeps(p)) {
                let watched = found.entry(publisher.domain()).or_default();
                watched.push((id.clone(), user.clone(), publisher.clone()));
            }
        }
        found
    }

    /// That nobody knows whether the publishers of a domain are online.
    fn unreachable(&self, domain: &Domain) -> Vec<Event> {
        let watched = self.watched_elsewhere().remove(domain).unwrap_or_default();
        let mut events = Vec::with_capacity(watched.len());
        for (session, user, publisher) in watched {
            let subscriber = Subscriber::Session {
                id: session.clone(),
                user,
            };
            let Some(set) = self.set_of(&subscriber, &publisher) else {
                continue;
            };
            let whom = subscriber.user().as_str().to_owned();
            let received = self.received.get(&(publisher.as_str().to_owned(), whom));
            let known = received.map_or(&[][..], |received| &received.known);
            let attributes = select(&out_of_reach(known), set);
            if !attributes.is_empty() {
                events.push(Event::Presence {
                    session,
                    publisher,
                    attributes: Arc::new(attributes),
                });
            }
        }
        events
    }
}

impl Inner {
    /// A domain has not answered for long: its users are shown neither online nor offline.
    pub(crate) fn domain_lost(&self, domain: &Domain) {
        let state = self.hub.lock();
        let events = state.unreachable(domain);
        self.emit(events);
    }

    /// A domain that had been lost is heard of again: what its users' watchers here missed is
    /// asked for.
    pub(crate) async fn domain_found(&self, domain: &Domain) -> Result<(), StoreError> {
        let watched = self.hub.lock().watched_elsewhere().remove(domain);
        let mut by_user: HashMap<UserId, BTreeSet<UserId>> = HashMap::new();
        for (_, user, publisher) in watched.unwrap_or_default() {
            by_user.entry(user).or_default().insert(publisher);
        }
        for (user, publishers) in by_user {
            let publishers = publishers.into_iter().collect();
            self.renew_subscriptions(user, publishers).await?;
        }
        Ok(())
    }

    /// The domains whose users are watched from here, each with one who watches and whom.
    pub(crate) fn watched_domains(&self) -> Vec<(Domain, UserId, UserId)> {
        let watched = self.hub.lock().watched_elsewhere();
        watched
            .into_iter()
            .filter_map(|(domain, mut pairs)| {
                let (_, user, publisher) = pairs.pop()?;
                Some((domain, user, publisher))
            })
            .collect()
    }
}

/// What was known, with each attribute that is named now replaced by all of its name.
fn merged(known: &[Attribute], named: &[Attribute]) -> Vec<Attribute> {
    let is_named = |old: &Attribute| {
        named
            .iter()
            .any(|new| new.name == old.name && (new.client == old.client || new.client.is_none()))
    };
    let mut all: Vec<Attribute> = known
        .iter()
        .filter(|old| !is_named(old))
        .chain(named)
        .cloned()
        .collect();
    all.sort_by_key(|attribute| attribute.name);
    all
}

/// An attribute as it is remembered: large values are not.
fn remembered(attribute: &Attribute) -> Attribute {
    let weight = match &attribute.value {
        AttributeValue::StatusContent(content) => content.direct.as_ref().map_or(0, String::len),
        AttributeValue::ContactInfo(ContactInfo::Contained(card)) => card.len(),
        AttributeValue::Extension(all) => all.iter().map(|one| one.content.len()).sum(),
        _ => 0,
    };
    match weight > LIGHT {
        false => attribute.clone(),
        true => Attribute {
            qualifier: true,
            ..withdrawn(attribute)
        },
    }
}

/// What is shown of a publisher whose domain is lost: what was known, but not whether he is
/// online.
fn out_of_reach(known: &[Attribute]) -> Vec<Attribute> {
    let mut shown: Vec<Attribute> = known
        .iter()
        .filter(|attribute| attribute.value != AttributeValue::None)
        .map(|attribute| match attribute.name {
            AttributeName::OnlineStatus => withdrawn(attribute),
            _ => attribute.clone(),
        })
        .collect();
    if !shown.iter().any(|a| a.name == AttributeName::OnlineStatus) {
        let nobody = Attribute {
            name: AttributeName::OnlineStatus,
            qualifier: false,
            client: None,
            value: AttributeValue::None,
        };
        shown.insert(0, nobody);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::ClientId;
    use hamlet_model::presence::StatusContent;

    fn user(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("b").unwrap()).unwrap()
    }

    fn text(name: AttributeName, value: &str) -> Attribute {
        Attribute {
            name,
            qualifier: true,
            client: None,
            value: AttributeValue::Text(value.into()),
        }
    }

    fn online(client: &str, online: bool) -> Attribute {
        Attribute {
            name: AttributeName::OnlineStatus,
            qualifier: true,
            client: Some(ClientId::from_url(client)),
            value: AttributeValue::Flag(online),
        }
    }

    fn names(attributes: &[Attribute]) -> String {
        let one = |attribute: &Attribute| {
            let value = match (&attribute.value, attribute.qualifier) {
                (_, false) => "?".to_owned(),
                (AttributeValue::Text(text), _) => text.clone(),
                (AttributeValue::Flag(flag), _) => flag.to_string(),
                _ => "…".to_owned(),
            };
            format!("{}={value}", attribute.name.as_str())
        };
        attributes.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn partial_updates_become_whole_sets() {
        use AttributeName::{Alias, StatusText};
        let mut state = State::default();
        let (anna, bo) = (user("anna"), user("bo@a"));
        let mut tell = |sequence, attributes: &[Attribute], partial| {
            let told = state.receive(&anna, &bo, sequence, attributes, partial);
            told.map(|told| names(&told))
        };
        let first = [online("p", true), text(StatusText, "one"), text(Alias, "A")];
        assert_eq!(
            tell(1, &first, false).as_deref(),
            Some("OnlineStatus=true StatusText=one Alias=A")
        );
        assert_eq!(
            tell(3, &[text(StatusText, "three")], true).as_deref(),
            Some("OnlineStatus=true StatusText=three Alias=A")
        );
        assert_eq!(tell(2, &[text(StatusText, "two")], true), None, "overtaken");
        // What a whole set does not name is gone; what is told as gone is.
        let gone = withdrawn(&text(Alias, ""));
        assert_eq!(
            tell(4, &[gone], true).as_deref(),
            Some("OnlineStatus=true StatusText=three Alias=?")
        );
        assert_eq!(
            tell(5, &[online("p", true)], false).as_deref(),
            Some("OnlineStatus=true StatusText=?")
        );
    }

    #[test]
    fn large_values_are_told_but_not_kept() {
        let picture = |size: usize| Attribute {
            value: AttributeValue::StatusContent(Box::new(StatusContent {
                direct: Some("A".repeat(size)),
                ..StatusContent::default()
            })),
            ..text(AttributeName::StatusContent, "")
        };
        assert_eq!(remembered(&picture(LIGHT)), picture(LIGHT));
        assert_eq!(remembered(&picture(LIGHT + 1)).value, AttributeValue::None);
        let mut state = State::default();
        let (anna, bo) = (user("anna"), user("bo@a"));
        let told = state.receive(&anna, &bo, 1, &[picture(5000)], false);
        assert_eq!(names(&told.unwrap()), "StatusContent=…");
        let news = [text(AttributeName::Alias, "A")];
        let told = state.receive(&anna, &bo, 2, &news, true);
        assert_eq!(names(&told.unwrap()), "Alias=A");
    }

    #[test]
    fn of_users_out_of_reach_it_is_not_known_whether_they_are_online() {
        let known = [online("p", true), text(AttributeName::Alias, "A")];
        assert_eq!(names(&out_of_reach(&known)), "OnlineStatus=? Alias=A");
        assert_eq!(names(&out_of_reach(&[])), "OnlineStatus=?");
    }
}
