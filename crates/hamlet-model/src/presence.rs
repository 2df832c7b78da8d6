//! Presence attributes and their values (csp-presence 3).

use crate::{ApplicationId, ClientId};
use serde::{Deserialize, Serialize};

macro_rules! attribute_names {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The presence attributes, in the order in which they are written.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(clippy::upper_case_acronyms)]
        pub enum AttributeName {
            $($(#[$doc])* $name,)*
        }

        impl AttributeName {
            /// All of them, in writing order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The element's name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The attribute of this element name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$name),)* _ => None }
            }
        }
    };
}

attribute_names! {
    /// The client is logged in.
    OnlineStatus,
    /// The device is registered in the mobile network.
    Registration,
    /// Device and client software.
    ClientInfo,
    /// Local time zone.
    TimeZone,
    /// Co-ordinates.
    GeoLocation,
    /// Civil location.
    Address,
    /// Location in words.
    FreeTextLocation,
    /// Serving mobile network.
    PLMN,
    /// Communication capabilities now.
    CommCap,
    /// Willingness to communicate.
    UserAvailability,
    /// How the user wants to be reached.
    PreferredContacts,
    /// Language of the user.
    PreferredLanguage,
    /// Free text.
    StatusText,
    /// Mood.
    StatusMood,
    /// Self-chosen display name.
    Alias,
    /// Picture or other content.
    StatusContent,
    /// Business card.
    ContactInfo,
    /// Links (1.2 and later).
    InfoLink,
    /// Attributes of other namespaces, all together (csp-presence 3.6); no element of CSP.
    Extension,
}

impl AttributeName {
    /// Whether it is about one client (csp-presence 3.3) rather than about the user (3.6).
    pub fn is_client_status(self) -> bool {
        self <= Self::CommCap
    }

    fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

/// A set of attributes: what is subscribed, authorized or requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttributeSet(u32);

impl AttributeSet {
    /// No attribute.
    pub const EMPTY: Self = Self(0);

    /// Every attribute.
    pub const ALL: Self = Self((1 << AttributeName::ALL.len()) - 1);

    /// Every attribute that CSP defines: what a watcher wants who names none.
    pub const STANDARD: Self = Self(Self::ALL.0 & !(1 << AttributeName::Extension as u32));

    /// From the stored bits; unknown bits are dropped.
    pub fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Bits in writing order, OnlineStatus lowest.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether `name` is in it.
    pub fn contains(self, name: AttributeName) -> bool {
        self.0 & name.bit() != 0
    }

    /// Adds `name`.
    pub fn insert(&mut self, name: AttributeName) {
        self.0 |= name.bit();
    }

    /// In either.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// In both.
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// In this one, but not in the other.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The attributes, in writing order.
    pub fn iter(self) -> impl Iterator<Item = AttributeName> {
        AttributeName::ALL
            .iter()
            .copied()
            .filter(move |name| self.contains(*name))
    }
}

impl FromIterator<AttributeName> for AttributeSet {
    fn from_iter<T: IntoIterator<Item = AttributeName>>(names: T) -> Self {
        let mut set = Self::EMPTY;
        names.into_iter().for_each(|name| set.insert(name));
        set
    }
}

/// One published attribute.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
pub struct Attribute {
    /// Which.
    pub name: AttributeName,
    /// T: the value is valid. F: unknown or withdrawn, the value then does not count.
    pub qualifier: bool,
    /// Which client it is about; `None` for what is about the user.
    pub client: Option<ClientId>,
    /// The value.
    pub value: AttributeValue,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Hash, Default, Serialize, Deserialize)]
pub enum AttributeValue {
    /// None given.
    #[default]
    None,
    /// OnlineStatus, Registration.
    Flag(bool),
    /// The PresenceValue of the other single-valued attributes.
    Text(String),
    /// ClientInfo.
    ClientInfo(Box<ClientInfo>),
    /// TimeZone: the offset, such as `+02`.
    Zone(String),
    /// GeoLocation.
    GeoLocation(Box<GeoLocation>),
    /// Address.
    Address(Box<CivilAddress>),
    /// CommCap.
    CommCap(Vec<CommC>),
    /// PreferredContacts.
    PreferredContacts(Vec<AddrPref>),
    /// StatusContent.
    StatusContent(Box<StatusContent>),
    /// ContactInfo.
    ContactInfo(ContactInfo),
    /// InfoLink.
    InfoLink(Vec<InfLink>),
    /// Attributes of other namespaces.
    Extension(Vec<ExtensionAttribute>),
}

/// An attribute of another namespace: carried, not understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ExtensionAttribute {
    /// The xmlns of the element.
    pub namespace: String,
    /// Its local name.
    pub name: String,
    /// Its content, as XML text; empty withdraws the attribute.
    pub content: String,
}

/// csp-presence 3.4.
#[derive(Debug, Clone, PartialEq, Hash, Default, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Limits of what the client takes (1.3).
    pub content_limit: Option<ClientContentLimit>,
    /// MOBILE_PHONE, COMPUTER, PDA, CLI or OTHER.
    pub client_type: Option<String>,
    /// Device maker.
    pub dev_manufacturer: Option<String>,
    /// Client software maker.
    pub client_producer: Option<String>,
    /// Device model.
    pub model: Option<String>,
    /// Client software version.
    pub client_version: Option<String>,
    /// ISO 639-2 code.
    pub language: Option<String>,
    /// Routing priority for messages (1.3).
    pub im_priority: Option<u32>,
    /// The application within the client (1.3).
    pub application: Option<ApplicationId>,
}

/// What a client takes, as senders see it (1.3).
#[derive(Debug, Clone, PartialEq, Hash, Default, Serialize, Deserialize)]
pub struct ClientContentLimit {
    /// Types, each with its limits.
    pub types: Vec<AcceptedType>,
    /// T: any type.
    pub any_content: Option<bool>,
    /// Largest text, octets.
    pub text_length: Option<u32>,
    /// BASE64, None.
    pub transfer_encodings: Vec<String>,
    /// Largest fetched message, octets.
    pub pull_length: Option<u32>,
    /// Largest pushed message, octets.
    pub push_length: Option<u32>,
    /// IANA MIBenum numbers.
    pub charsets: Vec<u32>,
}

/// One accepted content type (1.3).
#[derive(Debug, Clone, PartialEq, Hash, Default, Serialize, Deserialize)]
pub struct AcceptedType {
    /// MIME type.
    pub content_type: String,
    /// Largest content of this type, octets.
    pub rich_length: Option<u32>,
    /// C, R or N.
    pub policy: Option<String>,
    /// Size from which the policy applies, octets.
    pub policy_limit: Option<u32>,
}

/// WGS-84 co-ordinates, as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct GeoLocation {
    /// Such as `35 24 15.652W`.
    pub longitude: Option<String>,
    /// Such as `12 36 22.5N`.
    pub latitude: Option<String>,
    /// Metres.
    pub altitude: Option<String>,
    /// Metres.
    pub accuracy: Option<String>,
}

/// Civil location.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct CivilAddress {
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Street.
    pub street: Option<String>,
    /// A crossing street.
    pub crossing1: Option<String>,
    /// The other crossing street.
    pub crossing2: Option<String>,
    /// Building.
    pub building: Option<String>,
    /// A larger area.
    pub named_area: Option<String>,
    /// Metres.
    pub accuracy: Option<String>,
}

/// One communication capability (csp-presence 3.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct CommC {
    /// CALL, SMS, MMS, IM, EMAIL; 1.1 and 1.2 have more.
    pub cap: String,
    /// OPEN or CLOSED.
    pub status: String,
    /// Number or address.
    pub contact: Option<String>,
    /// Free text.
    pub note: Option<String>,
}

/// One way of contact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct AddrPref {
    /// CALL, SMS, MMS, IM, EMAIL.
    pub kind: String,
    /// Number or address.
    pub address: String,
    /// OPEN or CLOSED.
    pub status: String,
    /// Label.
    pub name: Option<String>,
    /// Lower is preferred.
    pub priority: Option<String>,
}

/// Picture or other content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct StatusContent {
    /// The content in base64.
    pub direct: Option<String>,
    /// Link to it.
    pub referred: Option<String>,
    /// MIME type.
    pub content_type: Option<String>,
}

/// Business card.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContactInfo {
    /// The vCard itself.
    Contained(String),
    /// Link to it.
    Referred(String),
}

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct InfLink {
    /// URL.
    pub link: String,
    /// Label.
    pub text: Option<String>,
    /// MIME type.
    pub content_type: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits_keep_the_writing_order() {
        assert_eq!(AttributeName::ALL.len(), 19);
        assert_eq!(AttributeName::InfoLink.bit(), 1 << 17);
        assert_eq!(AttributeSet::STANDARD.iter().count(), 18);
        assert!(!AttributeSet::STANDARD.contains(AttributeName::Extension));
        assert!(AttributeSet::ALL.contains(AttributeName::Extension));
        assert_eq!(AttributeName::from_name("PLMN"), Some(AttributeName::PLMN));
        assert!(AttributeName::CommCap.is_client_status());
        assert!(!AttributeName::UserAvailability.is_client_status());
    }
}
