//! Values that clients are told: where they reach the server from outside.

use super::settings::Setting;
use hamlet_sap::PublicAddress;

/// A host with or without a port, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Public(pub Option<PublicAddress>);

impl Setting for Public {
    const EXPECTED: &'static str =
        "a host name or IP address, with a port or not, such as `im.example.org:3171`, or nothing";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self(None)),
            address => address.parse().ok().map(|address| Self(Some(address))),
        }
    }

    fn show(&self) -> String {
        self.0
            .as_ref()
            .map_or_else(String::new, ToString::to_string)
    }
}

/// The beginning of URLs, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BaseUrl(pub Option<String>);

impl Setting for BaseUrl {
    const EXPECTED: &'static str =
        "a URL of HTTP such as `http://im.example.org:8080`, without query, or nothing";

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(None));
        }
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"))?;
        let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = text.bytes().all(|octet| octet.is_ascii_graphic());
        let fits = plain && !text.contains(['?', '#', '<', '>', '"', '@']);
        authority.parse::<PublicAddress>().ok()?;
        fits.then(|| Self(Some(text.to_owned())))
    }

    fn show(&self) -> String {
        self.0.clone().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_are_told_is_checked() {
        for text in ["", "im.example", "im.example:3171", "[2001:db8::1]:3171"] {
            assert_eq!(Public::parse(text).unwrap().show(), text);
        }
        assert!(Public::parse("http://im.example").is_none());
        for text in ["", "http://im.example:8080", "https://im.example/imps/"] {
            assert_eq!(BaseUrl::parse(text).unwrap().show(), text);
        }
        for text in [
            "im.example",
            "http://",
            "http://a b",
            "http://a/?x",
            "ftp://a",
        ] {
            assert!(BaseUrl::parse(text).is_none(), "{text}");
        }
    }
}
