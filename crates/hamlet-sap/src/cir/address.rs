//! What clients are told to connect to, and where datagrams may go (transport 6.1). Pure.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The host of an address that clients are told, and its port if it is not the listener's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress {
    /// A host name or an IP address, without brackets.
    pub host: String,
    /// The port, where another than the listener's leads to it.
    pub port: Option<u16>,
}

/// Why a text is no address that clients can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a host name or IP address, with or without a port")]
pub struct BadAddress;

impl FromStr for PublicAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (host, port) = split(text).ok_or(BadAddress)?;
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for PublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_v6 = self.host.contains(':');
        match (is_v6, self.port) {
            (true, Some(port)) => write!(f, "[{}]:{port}", self.host),
            (false, Some(port)) => write!(f, "{}:{port}", self.host),
            (_, None) => f.write_str(&self.host),
        }
    }
}

/// How a client has reached the server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reached<'a> {
    /// What it calls the server: host and port, as in an HTTP Host header.
    pub(crate) host: Option<&'a str>,
    /// The address at which its request arrived.
    pub(crate) local: Option<SocketAddr>,
    /// Over TLS.
    pub(crate) secure: bool,
}

/// Host and port of a listener, for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Where a client that has `reached` the server finds a listener of it: as the operator
/// says; else under the name by which the client has just reached the HTTP listener, which
/// is the only one known to work for it; else where its request arrived.
pub(crate) fn place(
    set: Option<&PublicAddress>,
    reached: Reached<'_>,
    listener: SocketAddr,
) -> Option<Place> {
    let port = set.and_then(|set| set.port).unwrap_or(listener.port());
    let own = (!listener.ip().is_unspecified()).then(|| listener.ip());
    let host = set
        .map(|set| set.host.clone())
        .or_else(|| Some(split(reached.host?)?.0.to_owned()))
        .or_else(|| Some(plain(reached.local?.ip())))
        .or_else(|| own.map(plain))?;
    Some(Place { host, port })
}

/// The URL of the HTTP listener for such a client, without a slash at its end.
pub(crate) fn base_url(set: Option<&str>, reached: Reached<'_>) -> Option<String> {
    if let Some(set) = set {
        return Some(set.trim_end_matches('/').to_owned());
    }
    let scheme = match reached.secure {
        true => "https",
        false => "http",
    };
    let named = reached.host.filter(|host| split(host).is_some());
    let authority = match named {
        Some(host) => host.to_owned(),
        None => {
            let local = reached.local?;
            SocketAddr::new(local.ip().to_canonical(), local.port()).to_string()
        }
    };
    Some(format!("{scheme}://{authority}"))
}

/// Whether an address cannot be reached from everywhere: then datagrams that go there are
/// lost at the next router, or reach somebody else.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                // Shared by the customers of a carrier.
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
    }
}

fn plain(ip: IpAddr) -> String {
    ip.to_canonical().to_string()
}

/// Host, without brackets, and port of a text that has nothing else.
fn split(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, port)
        }
        None if text.parse::<Ipv6Addr>().is_ok() => (text, ""),
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (host, port) = text.split_at(end);
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if host.is_empty() || host.len() > 253 || !host.chars().all(fits) {
                return None;
            }
            (host, port)
        }
    };
    match port {
        "" => Some((host, None)),
        port => {
            let port: u16 = port.strip_prefix(':')?.parse().ok()?;
            (port > 0).then_some((host, Some(port)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> PublicAddress {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_is_told_the_host_by_which_it_came() {
        let any: SocketAddr = "0.0.0.0:3171".parse().unwrap();
        let own: SocketAddr = "192.0.2.7:3171".parse().unwrap();
        let local = Some("203.0.113.5:80".parse().unwrap());
        let reached = |host, local| Reached {
            host,
            local,
            secure: false,
        };
        for (set, reached, listener, host, port) in [
            (
                None,
                reached(Some("im.example:8080"), local),
                any,
                "im.example",
                3171,
            ),
            // Android's emulator calls its host this.
            (
                None,
                reached(Some("10.0.2.2:8080"), local),
                own,
                "10.0.2.2",
                3171,
            ),
            (None, reached(Some("[::1]:80"), local), any, "::1", 3171),
            (None, reached(None, local), any, "203.0.113.5", 3171),
            (
                None,
                reached(Some("no\r\nhost"), local),
                any,
                "203.0.113.5",
                3171,
            ),
            (None, reached(None, None), own, "192.0.2.7", 3171),
            (
                Some("cir.example"),
                reached(Some("im.example"), local),
                any,
                "cir.example",
                3171,
            ),
            (
                Some("cir.example:9"),
                reached(None, None),
                any,
                "cir.example",
                9,
            ),
        ] {
            let set = set.map(address);
            let found = place(set.as_ref(), reached, listener).unwrap();
            assert_eq!((found.host.as_str(), found.port), (host, port));
        }
        assert_eq!(place(None, reached(None, None), any), None);
    }

    #[test]
    fn the_url_is_the_one_that_the_client_used() {
        let reached = Reached {
            host: Some("im.example:8080"),
            local: Some("[::ffff:203.0.113.5]:80".parse().unwrap()),
            secure: false,
        };
        let url = |set, reached| base_url(set, reached);
        assert_eq!(url(None, reached).unwrap(), "http://im.example:8080");
        let secure = Reached {
            secure: true,
            ..reached
        };
        assert_eq!(url(None, secure).unwrap(), "https://im.example:8080");
        let nameless = Reached {
            host: None,
            ..reached
        };
        assert_eq!(url(None, nameless).unwrap(), "http://203.0.113.5:80");
        assert_eq!(
            url(Some("https://cir.example/x/"), nameless).unwrap(),
            "https://cir.example/x"
        );
        assert_eq!(url(None, Reached::default()), None);
    }

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for text in [
            "im.example.org",
            "im.example.org:3171",
            "192.0.2.1:1",
            "[2001:db8::1]:3171",
            "2001:db8::1",
        ] {
            assert_eq!(address(text).to_string(), text);
        }
        for text in [
            "",
            "a b",
            "im.example:0",
            "im.example:70000",
            "[x]:1",
            "http://x",
        ] {
            assert_eq!(text.parse::<PublicAddress>(), Err(BadAddress), "{text}");
        }
    }

    #[test]
    fn addresses_behind_routers_are_private() {
        for (ip, private) in [
            ("192.168.1.7", true),
            ("10.0.0.1", true),
            ("127.0.0.1", true),
            ("169.254.1.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("203.0.113.5", false),
            ("::ffff:192.168.1.7", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(ip.parse().unwrap()), private, "{ip}");
        }
    }
}
