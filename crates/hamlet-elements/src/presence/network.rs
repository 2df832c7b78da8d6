//! What the mobile network knows of users: the place of the mobile core network's adapter
//! (architecture document 5.2.4; csp-presence 3.7).
//!
//! While the network says something, that is shown instead of what the client has published,
//! unless the user has withdrawn the attribute: where he is is his to tell.

use crate::elements::{Inner, PresenceHome};
use crate::failure::refusal;
use crate::presence::legal::legal;
use crate::presence::render::LiveClient;
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue};
use hamlet_model::{Refusal, StatusCode, UserId};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a mobile network can know (csp-presence 3.3).
pub const NETWORK_ATTRIBUTES: [AttributeName; 6] = [
    AttributeName::Registration,
    AttributeName::TimeZone,
    AttributeName::GeoLocation,
    AttributeName::Address,
    AttributeName::FreeTextLocation,
    AttributeName::PLMN,
];

/// A mobile network, as far as presence needs it.
///
/// An adapter asks its network by itself and answers at once, from memory. After a change it
/// has the presence element look again.
pub trait MobileNetwork: Send + Sync {
    /// What it knows of a user now; `None` for nothing.
    fn presence(&self, user: &UserId) -> Option<Arc<NetworkPresence>>;
}

/// What a network knows of one user.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NetworkPresence(BTreeMap<AttributeName, AttributeValue>);

impl NetworkPresence {
    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of an attribute, if it is known.
    pub fn value(&self, name: AttributeName) -> Option<&AttributeValue> {
        self.0.get(&name)
    }

    /// Everything that is known.
    pub fn values(&self) -> impl Iterator<Item = (AttributeName, &AttributeValue)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Gives it to the user's phones, or to whatever he has when none of it is a phone.
    pub(super) fn give(self: &Arc<Self>, clients: &mut [LiveClient]) {
        let is_phone = |client: &LiveClient| {
            let kind = client.info.client_type.as_deref();
            kind.is_none_or(|kind| kind.eq_ignore_ascii_case("MOBILE_PHONE"))
        };
        let any_phone = clients.iter().any(is_phone);
        for client in clients {
            if is_phone(client) || !any_phone {
                client.network = Some(self.clone());
            }
        }
    }
}

/// A network that knows what it was told; told by the operator or an adapter, until the
/// server stops.
#[derive(Default)]
pub struct ReportedNetwork {
    users: Mutex<HashMap<UserId, Arc<NetworkPresence>>>,
}

impl MobileNetwork for ReportedNetwork {
    fn presence(&self, user: &UserId) -> Option<Arc<NetworkPresence>> {
        self.users.lock().get(user).cloned()
    }
}

impl ReportedNetwork {
    /// Forgets a user.
    pub(super) fn forget(&self, user: &UserId) {
        self.users.lock().remove(user);
    }

    /// Takes values; `None` is not known any more.
    fn report(
        &self,
        user: &UserId,
        changes: Vec<(AttributeName, Option<AttributeValue>)>,
    ) -> Arc<NetworkPresence> {
        let mut users = self.users.lock();
        let mut presence = users.get(user).map(|known| (**known).clone());
        let presence = presence.get_or_insert_default();
        for (name, value) in changes {
            match value {
                Some(value) => presence.0.insert(name, value),
                None => presence.0.remove(&name),
            };
        }
        let presence = Arc::new(presence.clone());
        match presence.is_empty() {
            true => users.remove(user),
            false => users.insert(user.clone(), presence.clone()),
        };
        presence
    }
}

impl Inner {
    /// Takes values of the network for a user: 402 for one that cannot be, 531 without such
    /// a user; nothing is changed then.
    pub(crate) async fn report_network(
        &self,
        user: &UserId,
        changes: Vec<(AttributeName, Option<AttributeValue>)>,
    ) -> Result<Arc<NetworkPresence>, Refusal> {
        self.network_user(user).await?;
        let changes = changes
            .into_iter()
            .map(|(name, value)| Ok((name, self.network_value(name, value)?)))
            .collect::<Result<_, Refusal>>()?;
        let presence = self.reported.report(user, changes);
        self.network_changed(user)
            .await
            .map_err(|error| refusal(&error))?;
        Ok(presence)
    }

    /// What the network says of a user.
    pub(crate) async fn network_presence(
        &self,
        user: &UserId,
    ) -> Result<Arc<NetworkPresence>, Refusal> {
        self.network_user(user).await?;
        Ok(self.network.presence(user).unwrap_or_default())
    }

    async fn network_user(&self, user: &UserId) -> Result<(), Refusal> {
        let known = self.directory.is_home(user)
            && self
                .directory
                .unknown(std::slice::from_ref(user))
                .await
                .map_err(|error| refusal(&error))?
                .is_empty();
        match known {
            true => Ok(()),
            false => Err(StatusCode::UNKNOWN_USER.into()),
        }
    }

    fn network_value(
        &self,
        name: AttributeName,
        value: Option<AttributeValue>,
    ) -> Result<Option<AttributeValue>, Refusal> {
        let wrong = || {
            Refusal::because(
                StatusCode::BAD_PARAMETER,
                format!("{} cannot have this value", name.as_str()),
            )
        };
        if !NETWORK_ATTRIBUTES.contains(&name) {
            return Err(wrong());
        }
        let Some(value) = value else { return Ok(None) };
        let attribute = Attribute {
            name,
            qualifier: true,
            client: None,
            value,
        };
        let legal = legal(attribute, &self.config.presence)
            .filter(|attribute| attribute.qualifier && attribute.value != AttributeValue::None)
            .ok_or_else(wrong)?;
        Ok(Some(legal.value))
    }

    /// The network knows something else of a user: he is shown so. Where his presence is kept
    /// in another domain it is told with what his clients do (architecture document B.7, Figure
    /// 6); while none is here there is nothing to show.
    pub(crate) async fn network_changed(
        &self,
        user: &UserId,
    ) -> Result<(), hamlet_store::StoreError> {
        if let PresenceHome::At(domain) = &self.config.presence_home {
            return self.tell_home(user, domain).await;
        }
        self.load_watchers(std::slice::from_ref(user)).await?;
        let elsewhere = {
            let mut state = self.hub.lock();
            let before = state.view(user).public;
            let events = state.change_sessions(user, |state| {
                state.put_network(user, self.network.presence(user));
            });
            self.emit(events);
            match state.view(user).public == before {
                true => Vec::new(),
                false => {
                    let names = AttributeSet::from_iter(NETWORK_ATTRIBUTES);
                    state.domain_watchers(user, names)
                }
            }
        };
        self.tell_domains(user.clone(), elsewhere).await
    }
}

impl Inner {
    /// Takes what the domain of a user whose presence is kept here knows of him from its
    /// network, unless something newer came before.
    pub(super) fn take_network(
        &self,
        user: &UserId,
        values: &[(AttributeName, AttributeValue)],
        sequence: i64,
    ) {
        let legal = values.iter().filter_map(|(name, value)| {
            let value = self.network_value(*name, Some(value.clone())).ok()??;
            Some((*name, value))
        });
        let known = NetworkPresence(legal.collect());
        let mut state = self.hub.lock();
        if state.is_news(&format!("network of {user}"), "", sequence) {
            let events = state.change_sessions(user, |state| {
                state.put_network(user, Some(Arc::new(known)));
            });
            self.emit(events);
        }
    }
}

impl super::state::State {
    /// Of a user without a client nothing is shown that a network knows, and what his domain
    /// says comes with the next one.
    pub(super) fn drop_network_if_away(&mut self, user: &UserId) {
        let stored = self
            .published
            .get(user)
            .map_or(&[][..], |known| &known.value);
        if self.live(user, stored).is_empty() {
            self.put_network(user, None);
        }
    }

    pub(super) fn put_network(&mut self, user: &UserId, known: Option<Arc<NetworkPresence>>) {
        match known.filter(|known| !known.is_empty()) {
            Some(known) => self.network.insert(user.clone(), known),
            None => self.network.remove(user),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::presence::ClientInfo;
    use hamlet_model::{ClientId, Domain};

    #[test]
    fn the_newest_report_holds_until_it_is_taken_back() {
        let user = UserId::parse("anna", &Domain::parse("a").unwrap()).unwrap();
        let text = |text: &str| Some(AttributeValue::Text(text.into()));
        let network = ReportedNetwork::default();
        network.report(&user, vec![(AttributeName::PLMN, text("24405"))]);
        network.report(&user, vec![(AttributeName::PLMN, text("24491"))]);
        let known = network.presence(&user).unwrap();
        assert_eq!(known.value(AttributeName::PLMN), text("24491").as_ref());
        assert_eq!(known.values().count(), 1);
        network.report(&user, vec![(AttributeName::PLMN, None)]);
        assert_eq!(network.presence(&user), None);
    }

    #[test]
    fn what_the_network_knows_is_about_phones() {
        let client = |kind: Option<&str>| LiveClient {
            client: ClientId::from_url(kind.unwrap_or("unknown")),
            info: ClientInfo {
                client_type: kind.map(str::to_owned),
                ..ClientInfo::default()
            },
            recency: 0,
            network: None,
        };
        let (phone, desk) = (Some("MOBILE_PHONE"), Some("COMPUTER"));
        for (kinds, given) in [
            (&[phone, desk][..], &[true, false][..]),
            (&[None, desk], &[true, false]),
            (&[phone, phone], &[true, true]),
            (&[desk], &[true]),
        ] {
            let mut clients: Vec<_> = kinds.iter().copied().map(client).collect();
            Arc::new(NetworkPresence::default()).give(&mut clients);
            let got: Vec<_> = clients.iter().map(|c| c.network.is_some()).collect();
            assert_eq!(got, given, "{kinds:?}");
        }
    }
}
