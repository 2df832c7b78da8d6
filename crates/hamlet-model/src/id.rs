//! Identifiers that are opaque to everybody but their maker (data-types 1.4-1.8).

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(CompactString);

        impl $name {
            /// Takes the text as it is; comparison is case-sensitive.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(CompactString::new(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
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

opaque_id! {
    /// Names a session; made by the server, unguessable, at most 40 printable ASCII
    /// characters (data-types 1.3, 1.8).
    SessionId
}
opaque_id! {
    /// Names a transaction within one session and direction (csp-access 2.2).
    TransactionId
}
opaque_id! {
    /// Names a message in the domain that accepted it first (csp-im 2.6).
    MessageId
}
opaque_id! {
    /// Names an application above IMPS (data-types 1.5).
    ApplicationId
}

impl SessionId {
    /// Its beginning: names the session in logs, where the whole would be a credential
    /// (csp-access 8 item 3).
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// Identity of a client program or device (data-types 1.4): compared case-sensitively as
/// the pair of its two children. Both absent is a client that gave none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ClientId {
    /// URL or free identity text.
    pub url: Option<CompactString>,
    /// Phone number of the device.
    pub msisdn: Option<CompactString>,
}

impl ClientId {
    /// A client known by its URL.
    pub fn from_url(url: impl AsRef<str>) -> Self {
        Self {
            url: Some(CompactString::new(url)),
            msisdn: None,
        }
    }

    /// One text for the pair, for keys and logs: `url` or `url|msisdn`.
    pub fn key(&self) -> String {
        let url = self.url.as_deref().unwrap_or("");
        match &self.msisdn {
            Some(msisdn) => format!("{url}|{msisdn}"),
            None => url.to_owned(),
        }
    }

    /// The inverse of [`ClientId::key`].
    pub fn from_key(key: &str) -> Self {
        let (url, msisdn) = match key.rsplit_once('|') {
            Some((url, msisdn)) => (url, Some(CompactString::new(msisdn))),
            None => (key, None),
        };
        Self {
            url: (!url.is_empty()).then(|| CompactString::new(url)),
            msisdn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_survives_its_key() {
        for (url, msisdn) in [
            (Some("Jimmy"), None),
            (Some("Jimmy"), Some("+15551234")),
            (None, Some("+1")),
            (None, None),
        ] {
            let id = ClientId {
                url: url.map(CompactString::new),
                msisdn: msisdn.map(CompactString::new),
            };
            assert_eq!(ClientId::from_key(&id.key()), id);
        }
    }
}
