//! From what is stored to what is seen: implicit values, clients side by side, hiding
//! (csp-presence 3.2-3.6, 7 rows 12-16, 8.3).

use crate::presence::network::NetworkPresence;
use hamlet_model::presence::{
    Attribute, AttributeName, AttributeSet, AttributeValue, ClientInfo, CommC,
};
use hamlet_model::{ClientId, UserId};
use std::sync::Arc;

/// A client that has a session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LiveClient {
    /// Which.
    pub(crate) client: ClientId,
    /// What login and negotiation say of it.
    pub(crate) info: ClientInfo,
    /// Grows with each sign of it.
    pub(crate) recency: u64,
    /// What the mobile network says of it.
    pub(crate) network: Option<Arc<NetworkPresence>>,
}

/// The presence of a user, complete, for himself and for others.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct View {
    /// For himself: hidden clients are as they are.
    pub(crate) own: Vec<Attribute>,
    /// For others.
    pub(crate) public: Vec<Attribute>,
}

impl View {
    pub(crate) fn new(stored: &[Attribute], live: &[LiveClient]) -> Self {
        Self {
            own: render(stored, live, true),
            public: render(stored, live, false),
        }
    }

    /// As `watcher` sees it.
    pub(crate) fn of(&self, publisher: &UserId, watcher: &UserId) -> &[Attribute] {
        if publisher == watcher {
            &self.own
        } else {
            &self.public
        }
    }
}

/// The attributes in `set`, in their order.
pub(crate) fn select(attributes: &[Attribute], set: AttributeSet) -> Vec<Attribute> {
    let wanted = |attribute: &&Attribute| set.contains(attribute.name);
    attributes.iter().filter(wanted).cloned().collect()
}

/// The attributes in `seen`, in their order, and those in `lost` said to be unknown
/// (csp-presence 6.9).
pub(crate) fn select_or_withdraw(
    attributes: &[Attribute],
    seen: AttributeSet,
    lost: AttributeSet,
) -> Vec<Attribute> {
    let told = |attribute: &Attribute| match attribute.name {
        name if seen.contains(name) => Some(attribute.clone()),
        name if lost.contains(name) => Some(withdrawn(attribute)),
        _ => None,
    };
    attributes.iter().filter_map(told).collect()
}

/// Everything there is, in writing order. Of one attribute the clients come in the order in
/// which they are preferred where only one has room: visible ones first, then by priority,
/// then the one heard of last.
fn render(stored: &[Attribute], live: &[LiveClient], own: bool) -> Vec<Attribute> {
    let mut clients: Vec<&LiveClient> = live
        .iter()
        .filter(|live| own || !is_hidden(stored, &live.client))
        .collect();
    clients.sort_by_cached_key(|live| {
        let priority = client_info(stored, live).im_priority.unwrap_or(0);
        (
            is_hidden(stored, &live.client),
            std::cmp::Reverse((priority, live.recency)),
        )
    });
    let mut seen = Vec::new();
    for name in AttributeName::ALL.iter().copied() {
        if !name.is_client_status() {
            seen.extend(user_status(stored, name, live.is_empty() && !own));
        } else if name == AttributeName::OnlineStatus && clients.is_empty() {
            // Row 12: nobody has to say that he is offline.
            seen.push(valid(name, None, AttributeValue::Flag(false)));
        } else {
            let of_client = |live: &&LiveClient| client_status(stored, name, live);
            seen.extend(clients.iter().filter_map(of_client));
        }
    }
    seen
}

fn client_status(
    stored: &[Attribute],
    name: AttributeName,
    live: &LiveClient,
) -> Option<Attribute> {
    let client = Some(live.client.clone());
    let published = find(stored, name, Some(&live.client));
    let known = live
        .network
        .as_ref()
        .and_then(|network| network.value(name));
    // What a user does not want to be known is not, whoever knows it.
    if let Some(value) = known
        && published.is_none_or(|attribute| attribute.qualifier)
    {
        return Some(valid(name, client, value.clone()));
    }
    match (name, published) {
        (AttributeName::OnlineStatus, _) => Some(valid(name, client, AttributeValue::Flag(true))),
        (_, Some(attribute)) if !attribute.qualifier => Some(withdrawn(attribute)),
        (AttributeName::ClientInfo, _) => {
            let info = client_info(stored, live);
            let known = info != ClientInfo::default();
            known.then(|| valid(name, client, AttributeValue::ClientInfo(Box::new(info))))
        }
        (_, Some(attribute)) => Some(attribute.clone()),
        (AttributeName::CommCap, None) => {
            // csp-presence 3.5: a client that is here can get messages.
            let im = CommC {
                cap: "IM".into(),
                status: "OPEN".into(),
                ..CommC::default()
            };
            Some(valid(name, client, AttributeValue::CommCap(vec![im])))
        }
        (_, None) => None,
    }
}

fn user_status(stored: &[Attribute], name: AttributeName, offline: bool) -> Option<Attribute> {
    let attribute = find(stored, name, None)?;
    if !attribute.qualifier {
        return Some(withdrawn(attribute));
    }
    if name == AttributeName::UserAvailability && offline {
        // csp-presence 8.1: reported, while the stored value stays.
        let value = AttributeValue::Text("NOT_AVAILABLE".into());
        return Some(valid(name, None, value));
    }
    Some(attribute.clone())
}

/// csp-presence 3.4: what the client publishes overrides what is known of it, child by child.
fn client_info(stored: &[Attribute], live: &LiveClient) -> ClientInfo {
    let published = find(stored, AttributeName::ClientInfo, Some(&live.client));
    let Some(AttributeValue::ClientInfo(info)) = published.map(|attribute| &attribute.value) else {
        return live.info.clone();
    };
    let (own, known) = ((**info).clone(), &live.info);
    ClientInfo {
        content_limit: own.content_limit.or_else(|| known.content_limit.clone()),
        client_type: own.client_type.or_else(|| known.client_type.clone()),
        dev_manufacturer: own
            .dev_manufacturer
            .or_else(|| known.dev_manufacturer.clone()),
        client_producer: own
            .client_producer
            .or_else(|| known.client_producer.clone()),
        model: own.model.or_else(|| known.model.clone()),
        client_version: own.client_version.or_else(|| known.client_version.clone()),
        language: own.language.or_else(|| known.language.clone()),
        im_priority: own.im_priority.or(known.im_priority),
        application: own.application.or_else(|| known.application.clone()),
    }
}

/// Whether the client said by its OnlineStatus that it does not want to be seen.
fn is_hidden(stored: &[Attribute], client: &ClientId) -> bool {
    find(stored, AttributeName::OnlineStatus, Some(client))
        .is_some_and(|attribute| !attribute.qualifier)
}

fn find<'a>(
    stored: &'a [Attribute],
    name: AttributeName,
    client: Option<&ClientId>,
) -> Option<&'a Attribute> {
    stored
        .iter()
        .find(|attribute| attribute.name == name && attribute.client.as_ref() == client)
}

fn valid(name: AttributeName, client: Option<ClientId>, value: AttributeValue) -> Attribute {
    Attribute {
        name,
        qualifier: true,
        client,
        value,
    }
}

/// The same attribute, said to be unknown.
pub(crate) fn withdrawn(attribute: &Attribute) -> Attribute {
    Attribute {
        name: attribute.name,
        qualifier: false,
        client: attribute.client.clone(),
        value: AttributeValue::None,
    }
}

/// What changed between two views, and what has to be said once about attributes that are
/// gone (csp-presence 7 row 14).
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Difference {
    /// The attributes that differ.
    pub(crate) changed: AttributeSet,
    /// The new view, with what is gone marked as such; in writing order.
    pub(crate) told: Vec<Attribute>,
}

pub(crate) fn difference(before: &[Attribute], after: &[Attribute]) -> Difference {
    let of = |all: &[Attribute], name| -> Vec<Attribute> {
        all.iter().filter(|a| a.name == name).cloned().collect()
    };
    let mut changed = AttributeSet::EMPTY;
    let mut told = Vec::with_capacity(after.len());
    for name in AttributeName::ALL.iter().copied() {
        let (old, new) = (of(before, name), of(after, name));
        if old == new {
            told.extend(new);
            continue;
        }
        changed.insert(name);
        let gone: Vec<Attribute> = old
            .iter()
            .filter(|o| !new.iter().any(|n| n.client == o.client))
            .filter_map(gone)
            .collect();
        let names_client = gone.iter().any(|attribute| attribute.client.is_some());
        // A client that has gone offline says so for itself; the general word is then idle.
        let idle = |n: &Attribute| {
            name == AttributeName::OnlineStatus && n.client.is_none() && names_client
        };
        told.extend(new.iter().filter(|n| !idle(n)).cloned());
        told.extend(gone);
    }
    Difference { changed, told }
}

fn gone(attribute: &Attribute) -> Option<Attribute> {
    if attribute.name != AttributeName::OnlineStatus {
        return Some(withdrawn(attribute));
    }
    // That nobody was online needs no withdrawal.
    let client = attribute.client.clone()?;
    Some(valid(
        attribute.name,
        Some(client),
        AttributeValue::Flag(false),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(client: &str, recency: u64) -> LiveClient {
        LiveClient {
            client: ClientId::from_url(client),
            info: ClientInfo::default(),
            recency,
            network: None,
        }
    }

    fn of_client(name: AttributeName, client: &str, value: AttributeValue) -> Attribute {
        valid(name, Some(ClientId::from_url(client)), value)
    }

    fn of_user(name: AttributeName, text: &str) -> Attribute {
        valid(name, None, AttributeValue::Text(text.into()))
    }

    /// `OnlineStatus/phone=T CommCap/phone UserAvailability`, values of flags and texts only.
    fn summary(attributes: &[Attribute]) -> String {
        let one = |attribute: &Attribute| {
            let mut text = attribute.name.as_str().to_owned();
            if let Some(client) = &attribute.client {
                text = format!("{text}/{}", client.key());
            }
            match (&attribute.value, attribute.qualifier) {
                (_, false) => text + "=?",
                (AttributeValue::Flag(flag), _) => text + if *flag { "=T" } else { "=F" },
                (AttributeValue::Text(value), _) => format!("{text}={value}"),
                _ => text,
            }
        };
        attributes.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_others_see_follows_sessions_publication_and_hiding() {
        use AttributeName as N;
        let hidden = |client: &str| Attribute {
            qualifier: false,
            ..of_client(N::OnlineStatus, client, AttributeValue::None)
        };
        let place = |client: &str| {
            of_client(
                N::FreeTextLocation,
                client,
                AttributeValue::Text("home".into()),
            )
        };
        let available = of_user(N::UserAvailability, "AVAILABLE");
        let mood = Attribute {
            qualifier: false,
            ..of_user(N::StatusMood, "SAD")
        };
        let cases: [(&str, Vec<Attribute>, Vec<LiveClient>, &str); 8] = [
            ("nothing known", vec![], vec![], "OnlineStatus=F"),
            (
                "implicit values",
                vec![],
                vec![live("p", 1)],
                "OnlineStatus/p=T CommCap/p",
            ),
            (
                "published",
                vec![place("p"), available.clone()],
                vec![live("p", 1)],
                "OnlineStatus/p=T FreeTextLocation/p=home CommCap/p UserAvailability=AVAILABLE",
            ),
            (
                "offline: nothing of clients, not available",
                vec![place("p"), available.clone()],
                vec![],
                "OnlineStatus=F UserAvailability=NOT_AVAILABLE",
            ),
            (
                "withdrawn",
                vec![mood],
                vec![],
                "OnlineStatus=F StatusMood=?",
            ),
            (
                "hidden: as if the client were not there",
                vec![hidden("p"), place("p"), available.clone()],
                vec![live("p", 1)],
                "OnlineStatus=F UserAvailability=AVAILABLE",
            ),
            (
                "one of two hidden",
                vec![hidden("p")],
                vec![live("p", 2), live("q", 1)],
                "OnlineStatus/q=T CommCap/q",
            ),
            (
                "the latest first",
                vec![],
                vec![live("p", 1), live("q", 2)],
                "OnlineStatus/q=T OnlineStatus/p=T CommCap/q CommCap/p",
            ),
        ];
        for (what, stored, live, expected) in cases {
            let view = View::new(&stored, &live);
            assert_eq!(summary(&view.public), expected, "{what}");
        }
    }

    #[test]
    fn oneself_sees_hidden_clients_and_the_stored_availability() {
        use AttributeName as N;
        let stored = [
            Attribute {
                qualifier: false,
                ..of_client(N::OnlineStatus, "p", AttributeValue::None)
            },
            of_user(N::UserAvailability, "AVAILABLE"),
        ];
        let online = View::new(&stored, &[live("p", 1)]);
        assert_eq!(
            summary(&online.own),
            "OnlineStatus/p=T CommCap/p UserAvailability=AVAILABLE"
        );
        let offline = View::new(&stored, &[]);
        assert_eq!(
            summary(&offline.own),
            "OnlineStatus=F UserAvailability=AVAILABLE"
        );
    }

    #[test]
    fn client_info_is_merged_child_by_child() {
        let published = ClientInfo {
            client_type: Some("PDA".into()),
            ..ClientInfo::default()
        };
        let known = ClientInfo {
            client_type: Some("MOBILE_PHONE".into()),
            language: Some("fin".into()),
            ..ClientInfo::default()
        };
        let stored = [of_client(
            AttributeName::ClientInfo,
            "p",
            AttributeValue::ClientInfo(Box::new(published)),
        )];
        let live = LiveClient {
            info: known,
            ..live("p", 1)
        };
        let info = client_info(&stored, &live);
        assert_eq!(info.client_type.as_deref(), Some("PDA"));
        assert_eq!(info.language.as_deref(), Some("fin"));
    }

    #[test]
    fn what_is_gone_is_said_once() {
        let stored = [of_user(AttributeName::UserAvailability, "AVAILABLE")];
        let two = View::new(&stored, &[live("p", 1), live("q", 2)]);
        let one = View::new(&stored, &[live("p", 1)]);
        let none = View::new(&stored, &[]);
        let told = difference(&two.public, &one.public);
        assert_eq!(
            summary(&told.told),
            "OnlineStatus/p=T OnlineStatus/q=F CommCap/p CommCap/q=? UserAvailability=AVAILABLE"
        );
        let told = difference(&one.public, &none.public);
        assert_eq!(
            summary(&told.told),
            "OnlineStatus/p=F CommCap/p=? UserAvailability=NOT_AVAILABLE"
        );
        let told = difference(&none.public, &one.public);
        assert_eq!(
            summary(&told.told),
            "OnlineStatus/p=T CommCap/p UserAvailability=AVAILABLE"
        );
        assert_eq!(
            difference(&one.public, &one.public).changed,
            AttributeSet::EMPTY
        );
    }
}
