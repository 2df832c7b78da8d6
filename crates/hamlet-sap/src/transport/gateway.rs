//! What a gateway or proxy in front of the server says of a client (transport 3.8). Only
//! those that the operator trusts are believed. Pure.

use crate::transport::http::Peer;
use hamlet_model::Msisdn;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use std::net::IpAddr;

/// Whom to believe, and what.
#[derive(Debug, Clone, Default)]
pub struct GatewayConfig {
    /// Networks of proxies and gateways whose headers are believed.
    pub trusted: Vec<IpNet>,
    /// Headers in which they give the telephone number of the client, in the order in which
    /// they are looked at. They must not let through what a client has put there itself.
    pub msisdn_headers: Vec<HeaderName>,
}

/// Where a request really comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) address: IpAddr,
    /// Nobody else could read it on its way, as far as the gateway knows.
    pub(crate) secure: bool,
    /// Whose telephone the network says that it is.
    pub(crate) msisdn: Option<Msisdn>,
}

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The origin of a request with these headers from `peer`.
pub(crate) fn origin(peer: Peer, headers: &HeaderMap, config: &GatewayConfig) -> Origin {
    // A dual-stack listener shows IPv4 peers in IPv6 form.
    let direct = peer.address.ip().to_canonical();
    if !is_trusted(direct, config) {
        return Origin {
            address: direct,
            secure: peer.secure,
            msisdn: None,
        };
    }
    let tls_outside =
        last(headers, FORWARDED_PROTO).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    Origin {
        address: client(direct, headers, config),
        secure: peer.secure || tls_outside,
        msisdn: config.msisdn_headers.iter().find_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Msisdn::parse(value)
        }),
    }
}

/// The last address of the chain that is not one of the trusted: those before it anybody
/// could have written.
fn client(direct: IpAddr, headers: &HeaderMap, config: &GatewayConfig) -> IpAddr {
    let mut nearest = direct;
    let chain: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for text in chain.into_iter().rev() {
        let Some(address) = address(text.trim()) else {
            break;
        };
        nearest = address;
        if !is_trusted(address, config) {
            break;
        }
    }
    nearest
}

/// `192.0.2.1`, `192.0.2.1:5060`, `2001:db8::1` or `[2001:db8::1]:5060`.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || {
        text.parse::<std::net::SocketAddr>()
            .map(|address| address.ip())
    };
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse().or_else(|_| with_port());
    address.ok().map(|address: IpAddr| address.to_canonical())
}

fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?;
    value.to_str().ok()?.rsplit(',').next().map(str::trim)
}

fn is_trusted(address: IpAddr, config: &GatewayConfig) -> bool {
    config
        .trusted
        .iter()
        .any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn config() -> GatewayConfig {
        GatewayConfig {
            trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            msisdn_headers: vec![
                HeaderName::from_static("x-network-msisdn"),
                HeaderName::from_static("x-msisdn"),
            ],
        }
    }

    fn from(peer: &str, headers: &[(&'static str, &str)]) -> (String, bool, Option<String>) {
        let peer = Peer {
            address: format!("{peer}:1024").parse().unwrap(),
            secure: false,
            local: None,
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let origin = origin(peer, &map, &config());
        let msisdn = origin.msisdn.map(|msisdn| msisdn.to_string());
        (origin.address.to_string(), origin.secure, msisdn)
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let claims = [
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", "https"),
            ("x-msisdn", "+358501234567"),
        ];
        let expected = ("198.51.100.1".to_owned(), false, None);
        assert_eq!(from("198.51.100.1", &claims), expected);
    }

    #[test]
    fn a_gateway_is_believed_in_what_it_wrote_itself() {
        for (peer, headers, address, secure, msisdn) in [
            ("10.1.2.3", vec![], "10.1.2.3", false, None),
            (
                "10.1.2.3",
                vec![("x-forwarded-for", "192.0.2.7")],
                "192.0.2.7",
                false,
                None,
            ),
            // What stands before the first stranger is his own claim.
            (
                "10.1.2.3",
                vec![("x-forwarded-for", "203.0.113.9, 192.0.2.7, 10.9.9.9")],
                "192.0.2.7",
                false,
                None,
            ),
            (
                "10.1.2.3",
                vec![
                    ("x-forwarded-for", "203.0.113.9"),
                    ("x-forwarded-for", "192.0.2.7:99"),
                ],
                "192.0.2.7",
                false,
                None,
            ),
            (
                "10.1.2.3",
                vec![("x-forwarded-for", "unknown")],
                "10.1.2.3",
                false,
                None,
            ),
            (
                "[fd00::1]",
                vec![("x-forwarded-for", "[2001:db8::1]:5")],
                "2001:db8::1",
                false,
                None,
            ),
            (
                "[::ffff:10.0.0.1]",
                vec![("x-forwarded-for", "192.0.2.7")],
                "192.0.2.7",
                false,
                None,
            ),
            (
                "10.1.2.3",
                vec![("x-forwarded-proto", "http, HTTPS")],
                "10.1.2.3",
                true,
                None,
            ),
            (
                "10.1.2.3",
                vec![("x-forwarded-proto", "https, http")],
                "10.1.2.3",
                false,
                None,
            ),
            (
                "10.1.2.3",
                vec![("x-msisdn", "358501")],
                "10.1.2.3",
                false,
                Some("+358501"),
            ),
            (
                "10.1.2.3",
                vec![("x-msisdn", "358501"), ("x-network-msisdn", "358502")],
                "10.1.2.3",
                false,
                Some("+358502"),
            ),
            (
                "10.1.2.3",
                vec![("x-msisdn", "none")],
                "10.1.2.3",
                false,
                None,
            ),
            (
                "10.1.2.3",
                vec![("msisdn", "358501")],
                "10.1.2.3",
                false,
                None,
            ),
        ] {
            let expected = (address.to_owned(), secure, msisdn.map(str::to_owned));
            assert_eq!(from(peer, &headers), expected, "{peer} {headers:?}");
        }
    }
}
