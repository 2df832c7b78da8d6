//! Addresses of users, contact lists and groups (data-types 1.1-1.3).
//!
//! Every address is normalised when it is parsed: scheme `wv:`, user, resource and domain
//! in lower case, the home domain filled in, percent-escapes of unreserved characters
//! decoded. Equal addresses are therefore equal texts.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest address that is accepted, in octets (data-types 1.3).
pub const MAX_ADDRESS: usize = 255;

/// Why a text is not an address; status 901, in 1.1 402 (data-types 1.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing there.
    #[error("the address is empty")]
    Empty,
    /// More than [`MAX_ADDRESS`] octets.
    #[error("the address is longer than {MAX_ADDRESS} octets")]
    TooLong,
    /// Not the `wv:` scheme.
    #[error("`{0}` is not a wv: address")]
    Scheme(String),
    /// A character that addresses cannot hold, or a part that is missing or out of place.
    #[error("`{0}` is not a well-formed address")]
    Malformed(String),
}

/// A domain name, lower case, without `@`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Domain(CompactString);

impl Domain {
    /// Parses a DNS host name.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        let legal = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
        if !text.chars().all(legal) {
            return Err(AddressError::Malformed(text.to_owned()));
        }
        Ok(Self(CompactString::new(text.to_lowercase())))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The three parts of an address, normalised.
struct Parts {
    user: String,
    resource: Option<String>,
    domain: CompactString,
}

impl Parts {
    fn parse(text: &str, home: &Domain) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        let malformed = || AddressError::Malformed(text.to_owned());
        let rest = match text.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("wv") => rest,
            Some((scheme, _)) if !scheme.contains(['@', '/']) => {
                return Err(AddressError::Scheme(text.to_owned()));
            }
            _ => text,
        };
        let (local, domain) = match rest.split_once('@') {
            Some((_, domain)) if domain.contains('@') => return Err(malformed()),
            Some((local, domain)) => (local, Domain::parse(domain).map_err(|_| malformed())?.0),
            None => (rest, home.0.clone()),
        };
        let (user, resource) = match local.split_once('/') {
            Some((user, resource)) => (user, Some(normalise_part(resource).ok_or_else(malformed)?)),
            None => (local, None),
        };
        let user = normalise_part(user).ok_or_else(malformed)?;
        if resource.as_deref() == Some("") || (user.is_empty() && resource.is_none()) {
            return Err(malformed());
        }
        Ok(Self {
            user,
            resource,
            domain,
        })
    }
}

/// Lower case, with escapes of unreserved characters decoded; `None` for characters that a
/// part cannot hold.
fn normalise_part(part: &str) -> Option<String> {
    let mut out = Vec::with_capacity(part.len());
    let mut octets = part.bytes();
    while let Some(octet) = octets.next() {
        if octet != b'%' {
            out.push(octet);
            continue;
        }
        let (high, low) = (octets.next()?, octets.next()?);
        let value =
            u8::try_from((high as char).to_digit(16)? * 16 + (low as char).to_digit(16)?).ok()?;
        if value.is_ascii_alphanumeric()
            || matches!(value, b'-' | b'.' | b'_' | b'~')
            || value >= 0x80
        {
            out.push(value);
        } else {
            out.extend_from_slice(&[b'%', high, low]);
        }
    }
    let text = String::from_utf8(out).ok()?;
    let illegal =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, ':' | '@' | '<' | '>' | '"');
    if text.contains(illegal) {
        return None;
    }
    Some(text.to_lowercase())
}

macro_rules! address_text {
    ($name:ident) => {
        impl $name {
            /// The full address.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The domain after `@`.
            pub fn domain(&self) -> Domain {
                Domain(CompactString::new(self.domain_str()))
            }

            /// The domain as text, without making a [`Domain`].
            pub fn domain_str(&self) -> &str {
                self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// `wv:user@domain`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(CompactString);

address_text!(UserId);

impl UserId {
    /// Parses a user address; `home` is the domain of an address that names none.
    pub fn parse(text: &str, home: &Domain) -> Result<Self, AddressError> {
        let parts = Parts::parse(text, home)?;
        if parts.resource.is_some() || parts.user.is_empty() {
            return Err(AddressError::Malformed(text.to_owned()));
        }
        Ok(Self(compact_str::format_compact!(
            "wv:{}@{}",
            parts.user,
            parts.domain
        )))
    }

    /// The part between `wv:` and `@`.
    pub fn user(&self) -> &str {
        let end = self.0.rfind('@').unwrap_or(self.0.len());
        &self.0[3..end]
    }

    /// Whether the user part is a phone number (`+` and digits).
    pub fn is_msisdn(&self) -> bool {
        self.user()
            .strip_prefix('+')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    }
}

/// `wv:user/list@domain`: a contact list, owned by the user that it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactListId(CompactString);

address_text!(ContactListId);

impl ContactListId {
    /// Parses a contact list address (csp-presence 2.2).
    pub fn parse(text: &str, home: &Domain) -> Result<Self, AddressError> {
        let malformed = || AddressError::Malformed(text.to_owned());
        let parts = Parts::parse(text, home)?;
        let name = parts.resource.ok_or_else(malformed)?;
        if parts.user.is_empty() || name.contains(['/', '+']) {
            return Err(malformed());
        }
        Ok(Self(compact_str::format_compact!(
            "wv:{}/{}@{}",
            parts.user,
            name,
            parts.domain
        )))
    }

    /// The list `name` of `owner`.
    pub fn of(owner: &UserId, name: &str) -> Result<Self, AddressError> {
        Self::parse(
            &format!("wv:{}/{}@{}", owner.user(), name, owner.domain_str()),
            &owner.domain(),
        )
    }

    /// The user that the list belongs to.
    pub fn owner(&self) -> UserId {
        let user = self.0[3..].split('/').next().unwrap_or("");
        UserId(compact_str::format_compact!(
            "wv:{}@{}",
            user,
            self.domain_str()
        ))
    }

    /// The part after the slash.
    pub fn name(&self) -> &str {
        let end = self.0.rfind('@').unwrap_or(self.0.len());
        self.0[..end].split_once('/').map_or("", |(_, name)| name)
    }
}

/// `wv:user/group@domain` (private) or `wv:/group@domain` (public).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(CompactString);

address_text!(GroupId);

impl GroupId {
    /// Parses a group address.
    pub fn parse(text: &str, home: &Domain) -> Result<Self, AddressError> {
        let parts = Parts::parse(text, home)?;
        let name = parts
            .resource
            .ok_or_else(|| AddressError::Malformed(text.to_owned()))?;
        Ok(Self(compact_str::format_compact!(
            "wv:{}/{}@{}",
            parts.user,
            name,
            parts.domain
        )))
    }

    /// The group `name` of `owner`.
    pub fn of(owner: &UserId, name: &str) -> Result<Self, AddressError> {
        Self::parse(
            &format!("wv:{}/{}@{}", owner.user(), name, owner.domain_str()),
            &owner.domain(),
        )
    }

    /// The user that a private group belongs to by its address; `None` for a public one.
    pub fn owner(&self) -> Option<UserId> {
        let user = self.0[3..].split('/').next().unwrap_or("");
        (!user.is_empty()).then(|| {
            UserId(compact_str::format_compact!(
                "wv:{}@{}",
                user,
                self.domain_str()
            ))
        })
    }

    /// Whether it is one of the provider's (csp-group 1.1).
    pub fn is_public(&self) -> bool {
        self.0[3..].starts_with('/')
    }

    /// The part after the slash.
    pub fn name(&self) -> &str {
        let end = self.0.rfind('@').unwrap_or(self.0.len());
        self.0[..end].split_once('/').map_or("", |(_, name)| name)
    }

    /// The user in whose name its domain speaks of it to others: its owner, or for a public
    /// group one that bears its name.
    pub fn speaker(&self) -> UserId {
        self.owner().unwrap_or_else(|| {
            UserId(compact_str::format_compact!(
                "wv:{}@{}",
                self.name(),
                self.domain_str()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn home() -> Domain {
        Domain::parse("im.example").unwrap()
    }

    #[test]
    fn users_are_normalised_to_one_text() {
        for (given, normal) in [
            ("wv:anna@im.example", "wv:anna@im.example"),
            ("anna", "wv:anna@im.example"),
            ("WV:Anna@IM.Example", "wv:anna@im.example"),
            (" wv:anna ", "wv:anna@im.example"),
            ("anna@other.org", "wv:anna@other.org"),
            ("wv:+358501234567", "wv:+358501234567@im.example"),
            ("wv:%61nna", "wv:anna@im.example"),
            ("wv:a%40b", "wv:a%40b@im.example"),
            ("wv:ÄNNA", "wv:änna@im.example"),
            ("wv:%C3%A4nna", "wv:änna@im.example"),
        ] {
            assert_eq!(
                UserId::parse(given, &home()).unwrap().as_str(),
                normal,
                "{given}"
            );
        }
    }

    #[test]
    fn what_is_no_user_address_is_refused() {
        for given in [
            "",
            "  ",
            "wv:",
            "wv:@im.example",
            "a@b@c",
            "mailto:a@b",
            "a b",
            "wv:a/b@c",
            "wv:a%4",
            "a@",
            "a:b",
        ] {
            assert!(UserId::parse(given, &home()).is_err(), "{given}");
        }
        assert_eq!(
            UserId::parse(&"a".repeat(300), &home()),
            Err(AddressError::TooLong)
        );
    }

    #[test]
    fn lists_know_their_owner_and_name() {
        let list = ContactListId::parse("wv:600000000/~PEP1.0_subscriptions@Movistar.es", &home())
            .unwrap();
        assert_eq!(
            list.as_str(),
            "wv:600000000/~pep1.0_subscriptions@movistar.es"
        );
        assert_eq!(list.owner().as_str(), "wv:600000000@movistar.es");
        assert_eq!(list.name(), "~pep1.0_subscriptions");
        assert_eq!(
            ContactListId::of(&list.owner(), "x").unwrap().as_str(),
            "wv:600000000/x@movistar.es"
        );
        assert!(ContactListId::parse("wv:anna@im.example", &home()).is_err());
        assert!(ContactListId::parse("wv:/football", &home()).is_err());
    }

    #[test]
    fn groups_may_have_no_owner() {
        assert_eq!(
            GroupId::parse("/football", &home()).unwrap().as_str(),
            "wv:/football@im.example"
        );
        assert!(GroupId::parse("wv:anna", &home()).is_err());
        let public = GroupId::parse("/football", &home()).unwrap();
        assert!(public.is_public() && public.owner().is_none());
        assert_eq!(public.name(), "football");
        assert_eq!(public.speaker().as_str(), "wv:football@im.example");
        let private = GroupId::parse("wv:Anna/Party", &home()).unwrap();
        assert!(!private.is_public());
        assert_eq!(private.owner().unwrap().as_str(), "wv:anna@im.example");
        assert_eq!(private.speaker(), private.owner().unwrap());
        assert_eq!(GroupId::of(&private.speaker(), "party").unwrap(), private);
    }

    proptest! {
        #[test]
        fn any_text_parses_to_a_fixed_point_or_an_error(text in "\\PC{0,40}") {
            if let Ok(user) = UserId::parse(&text, &home()) {
                prop_assert_eq!(UserId::parse(user.as_str(), &home()).unwrap(), user);
            }
            if let Ok(list) = ContactListId::parse(&text, &home()) {
                prop_assert_eq!(&ContactListId::parse(list.as_str(), &home()).unwrap(), &list);
                let _ = (list.owner(), list.name().len());
            }
        }
    }
}
