//! The user profile of the architecture document (5.3.6.3; ssp 8): which services a user is
//! subscribed to, whether they are active, what he allows, what he prefers. What others read of
//! him and find him by is the [`Profile`](crate::Profile).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most preferences, and most privacy items, of a user.
pub const MAX_ITEMS: usize = 64;

/// Longest name of a preference or privacy item, characters.
const MAX_NAME: usize = 40;

/// Longest value of a preference, characters.
const MAX_VALUE: usize = 255;

macro_rules! services {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A service that a user may be subscribed to (ssp 7.1).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Service { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl Service {
            /// Every service.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

services! {
    /// Search, invitation, verification of identifiers, maps.
    Common = "Common",
    /// Contact lists.
    ContactList = "ContactList",
    /// Presence.
    Presence = "Presence",
    /// Instant messages.
    Im = "IM",
    /// Groups.
    Group = "Group",
    /// Shared content.
    Content = "Content",
}

impl Service {
    /// The service of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|service| service.name().eq_ignore_ascii_case(name))
    }
}

/// A set of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Service>", into = "Vec<Service>")]
pub struct ServiceSet(u8);

impl ServiceSet {
    /// Every service.
    pub const ALL: Self = Self(0b11_1111);

    /// None.
    pub const NONE: Self = Self(0);

    /// With one more.
    pub fn with(self, service: Service) -> Self {
        Self(self.0 | 1 << service as u8)
    }

    /// Whether it is among them.
    pub fn contains(self, service: Service) -> bool {
        self.0 & 1 << service as u8 != 0
    }

    /// Those of both.
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// In order.
    pub fn iter(self) -> impl Iterator<Item = Service> {
        let all = Service::ALL.iter().copied();
        all.filter(move |service| self.contains(*service))
    }
}

impl Default for ServiceSet {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromIterator<Service> for ServiceSet {
    fn from_iter<T: IntoIterator<Item = Service>>(services: T) -> Self {
        services.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Vec<Service>> for ServiceSet {
    fn from(services: Vec<Service>) -> Self {
        services.into_iter().collect()
    }
}

impl From<ServiceSet> for Vec<Service> {
    fn from(set: ServiceSet) -> Self {
        set.iter().collect()
    }
}

/// How a user stands to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// He has it.
    pub subscribed: bool,
    /// He can use it now.
    pub active: bool,
}

impl Default for ServiceStatus {
    fn default() -> Self {
        Self {
            subscribed: true,
            active: true,
        }
    }
}

/// The user profile. Who has none of his own has everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UserProfile {
    /// Subscription to services; one that is not named is subscribed and active.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<Service, ServiceStatus>,
    /// What network services may do with him: `Location`, `UserInteraction`, `NetworkPresence`,
    /// `TerminalCapability` or a name of the operator's; one that is not named is allowed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub privacy: BTreeMap<String, bool>,
    /// Preferences, such as `language`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub preferences: BTreeMap<String, String>,
}

/// Changes of a [`UserProfile`]: what is not named stays, `None` removes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserProfileChange {
    /// By names of services.
    pub services: BTreeMap<String, ServiceStatusChange>,
    /// By names of items.
    pub privacy: BTreeMap<String, Option<bool>>,
    /// By names of preferences.
    pub preferences: BTreeMap<String, Option<String>>,
}

/// A change of a [`ServiceStatus`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceStatusChange {
    /// See [`ServiceStatus::subscribed`].
    pub subscribed: Option<bool>,
    /// See [`ServiceStatus::active`].
    pub active: Option<bool>,
}

/// A change that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadChange {
    /// There is no such service.
    #[error(
        "there is no service `{0}`; there are Common, ContactList, Presence, IM, Group, Content"
    )]
    Service(String),
    /// A name that is empty, too long, or has other characters than letters, digits, `-`, `_`
    /// and `.`.
    #[error("`{0}` cannot be a name here: letters, digits, -, _ and . up to 40")]
    Name(String),
    /// A value that is too long or has control characters.
    #[error("the value of {0} is longer than 255 characters or has control characters")]
    Value(String),
    /// More than 64 items.
    #[error("there would be more than 64 items")]
    TooMany,
}

impl UserProfile {
    /// How the user stands to a service.
    pub fn status(&self, service: Service) -> ServiceStatus {
        self.services.get(&service).copied().unwrap_or_default()
    }

    /// The services that he is subscribed to and that are active.
    pub fn usable(&self) -> ServiceSet {
        let usable = |service: &Service| {
            let status = self.status(*service);
            status.subscribed && status.active
        };
        Service::ALL.iter().copied().filter(usable).collect()
    }

    /// Whether network services may do this with him.
    pub fn allows(&self, item: &str) -> bool {
        self.privacy.get(item).copied().unwrap_or(true)
    }

    /// Makes the changes; after an error the profile is not to be used.
    pub fn apply(&mut self, change: &UserProfileChange) -> Result<(), BadChange> {
        for (name, change) in &change.services {
            let bad = || BadChange::Service(name.clone());
            let service = Service::from_name(name).ok_or_else(bad)?;
            let status = self.services.entry(service).or_default();
            status.subscribed = change.subscribed.unwrap_or(status.subscribed);
            status.active = change.active.unwrap_or(status.active);
        }
        for (name, allowed) in &change.privacy {
            put(&mut self.privacy, name, *allowed)?;
        }
        for (name, value) in &change.preferences {
            let odd =
                |text: &String| text.chars().count() > MAX_VALUE || text.contains(char::is_control);
            if value.as_ref().is_some_and(odd) {
                return Err(BadChange::Value(name.clone()));
            }
            put(&mut self.preferences, name, value.clone())?;
        }
        Ok(())
    }
}

fn put<T>(items: &mut BTreeMap<String, T>, name: &str, value: Option<T>) -> Result<(), BadChange> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
        return Err(BadChange::Name(name.chars().take(MAX_NAME).collect()));
    }
    match value {
        None => drop(items.remove(name)),
        Some(value) => drop(items.insert(name.to_owned(), value)),
    }
    match items.len() > MAX_ITEMS {
        true => Err(BadChange::TooMany),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(json: &str) -> UserProfileChange {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn who_has_said_nothing_has_everything() {
        let profile = UserProfile::default();
        assert_eq!(profile.usable(), ServiceSet::ALL);
        assert!(profile.allows("Location"));
        assert_eq!(ServiceSet::ALL.iter().count(), Service::ALL.len());
    }

    #[test]
    fn what_is_not_named_in_a_change_stays() {
        let mut profile = UserProfile::default();
        let first = r#"{"services": {"im": {"active": false}, "Group": {"subscribed": false}},
            "privacy": {"Location": false}, "preferences": {"language": "fi", "tone": "x"}}"#;
        profile.apply(&change(first)).unwrap();
        let second = r#"{"services": {"IM": {"active": true}}, "preferences": {"tone": null}}"#;
        profile.apply(&change(second)).unwrap();
        assert!(profile.usable().contains(Service::Im));
        assert!(!profile.usable().contains(Service::Group));
        assert!(!profile.allows("Location"));
        assert_eq!(profile.preferences.len(), 1);
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<UserProfile>(&text).unwrap(), profile);
    }

    #[test]
    fn a_change_has_bounds() {
        let long = "x".repeat(256);
        for bad in [
            r#"{"services": {"Mail": {}}}"#.to_owned(),
            r#"{"privacy": {"": true}}"#.to_owned(),
            r#"{"privacy": {"a b": true}}"#.to_owned(),
            format!(r#"{{"preferences": {{"a": "{long}"}}}}"#),
            format!(r#"{{"preferences": {{"{long}": "a"}}}}"#),
        ] {
            assert!(
                UserProfile::default().apply(&change(&bad)).is_err(),
                "{bad}"
            );
        }
        let many = (0..=MAX_ITEMS).map(|n| (n.to_string(), Some(true)));
        let many = UserProfileChange {
            privacy: many.collect(),
            ..UserProfileChange::default()
        };
        assert_eq!(UserProfile::default().apply(&many), Err(BadChange::TooMany));
    }
}
