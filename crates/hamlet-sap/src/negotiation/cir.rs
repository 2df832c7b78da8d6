//! What is agreed about the CIR channel, and what the client is told of it (transport 6.1,
//! 7; csp-access 6.2). Pure but for [`crate::Sap::agree_cir`].

use crate::Sap;
use crate::cir::address::{self, Place, Reached};
use crate::cir::is_usable;
use crate::cir::method::Method;
use crate::envelope::exchange::Inbound;
use crate::session::id::new_cir_id;
use hamlet_csp::Version;
use hamlet_csp::elements::{
    AgreedCapabilityList, CIRHTTPAddress, CIRURL, CapabilityList, ClientCapabilityResponse,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The client's port for SUDP unless it names another.
const UDP_PORT: u16 = 3717;

/// The last part but one of an SHTTP URL's path.
pub(crate) const URL_FOLDER: &str = "cir";

/// What is agreed; it is kept with the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CirAgreement {
    /// The methods, as the client prefers them; each once.
    pub(crate) methods: Vec<Method>,
    /// Where the client takes datagrams.
    pub(crate) udp_port: u16,
    /// Where the client was when this was agreed.
    pub(crate) peer: Option<IpAddr>,
    /// What names the session in its SHTTP URL. Random, so that it cannot be guessed or
    /// derived from anything, and nothing can be derived from it.
    pub(crate) url_id: Option<String>,
}

impl Default for CirAgreement {
    fn default() -> Self {
        Self {
            methods: Vec::new(),
            udp_port: UDP_PORT,
            peer: None,
            url_id: None,
        }
    }
}

impl CirAgreement {
    /// This in place of what was agreed before: a client that has a URL already may go on
    /// with it.
    pub(crate) fn after(mut self, before: &Self) -> Self {
        if self.url_id.is_some() && before.url_id.is_some() {
            self.url_id.clone_from(&before.url_id);
        }
        self
    }
}

/// What the server can serve to one client at this moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct CirOffer {
    /// STCP.
    pub(crate) tcp: Option<Place>,
    /// SUDP, and the address to which datagrams may go.
    pub(crate) udp: Option<(Place, IpAddr)>,
    /// SHTTP: what comes before the folder and the identifier.
    pub(crate) http: Option<String>,
}

impl CirOffer {
    fn has(&self, method: Method) -> bool {
        match method {
            Method::Stcp => self.tcp.is_some(),
            Method::Sudp => self.udp.is_some(),
            Method::Shttp => self.http.is_some(),
            // Their bearers are not served.
            Method::WapUdp | Method::WapSms | Method::Ssms => false,
        }
    }
}

impl Sap {
    /// Agrees on methods with a client that sent `list`, and says so in its answer. It
    /// replaces what was agreed `before`; the URL stays.
    pub(crate) fn agree_cir(
        &self,
        list: &CapabilityList,
        version: Version,
        cookie: Option<&str>,
        inbound: &Inbound<'_>,
        before: &CirAgreement,
    ) -> (CirAgreement, CirOffer) {
        let offer = self.cir_offer(cookie, inbound);
        let mut agreed = agree(list, version, &offer);
        agreed.peer = inbound.peer;
        if agreed.methods.contains(&Method::Shttp) {
            agreed.url_id = new_cir_id();
            if agreed.url_id.is_none() {
                agreed.methods.retain(|method| *method != Method::Shttp);
            }
        }
        (agreed.after(before), offer)
    }

    /// What can be served to the client with this cookie that has sent `inbound`.
    pub(crate) fn cir_offer(&self, cookie: Option<&str>, inbound: &Inbound<'_>) -> CirOffer {
        let cir = &self.hub.cir;
        let config = &cir.config;
        let reached = Reached {
            host: inbound.host,
            local: inbound.local,
            secure: inbound.secure,
        };
        // Without a cookie its client would not know that the line is for it (csp-access 3.3).
        let has_cookie = cookie.is_some_and(is_usable);
        let tcp = cir.tcp().filter(|_| has_cookie);
        let udp = cir.udp().filter(|_| has_cookie);
        let udp = udp.and_then(|from| {
            let peer = cir.datagrams_may_go_to(inbound.peer)?;
            let place = address::place(config.udp_address.as_ref(), reached, from.address)?;
            Some((place, peer))
        });
        CirOffer {
            tcp: tcp.and_then(|at| address::place(config.tcp_address.as_ref(), reached, at)),
            udp,
            http: config
                .http
                .then(|| address::base_url(config.http_url.as_deref(), reached))
                .flatten(),
        }
    }
}

/// The methods that both have and that are in the version.
fn agree(list: &CapabilityList, version: Version, offer: &CirOffer) -> CirAgreement {
    let mut methods = Vec::new();
    for method in list.supported_cir_method.iter().filter_map(Method::read) {
        if method.is_in(version) && offer.has(method) && !methods.contains(&method) {
            methods.push(method);
        }
    }
    let port = list.udp_port.and_then(|port| u16::try_from(port).ok());
    CirAgreement {
        methods,
        udp_port: port.filter(|port| *port > 0).unwrap_or(UDP_PORT),
        ..CirAgreement::default()
    }
}

/// Adds to the answer what is agreed: in 1.1 to the CapabilityList, later to the
/// AgreedCapabilityList.
pub(crate) fn announce(
    response: &mut ClientCapabilityResponse,
    version: Version,
    agreed: &CirAgreement,
    offer: &CirOffer,
) {
    if let Some(list) = &mut response.capability_list {
        announce_in_1_1(list, agreed, offer);
    }
    if let Some(list) = &mut response.agreed_capability_list {
        announce_in_list(list, version, agreed, offer);
    }
}

fn announce_in_1_1(list: &mut CapabilityList, agreed: &CirAgreement, offer: &CirOffer) {
    let has = |method| agreed.methods.contains(&method);
    list.supported_cir_method = in_servers_order(agreed);
    list.udp_port = has(Method::Sudp).then_some(agreed.udp_port.into());
    let tcp = offer.tcp.as_ref().filter(|_| has(Method::Stcp));
    list.tcp_address = tcp.map(|place| place.host.as_str().into());
    list.tcp_port = tcp.map(|place| place.port.into());
}

/// The same for 1.2 and 1.3.
pub(crate) fn announce_in_list(
    list: &mut AgreedCapabilityList,
    version: Version,
    agreed: &CirAgreement,
    offer: &CirOffer,
) {
    let has = |method| agreed.methods.contains(&method);
    list.supported_cir_method = in_servers_order(agreed);
    let tcp = offer.tcp.as_ref().filter(|_| has(Method::Stcp));
    list.tcp_address = tcp.map(|place| place.host.as_str().into());
    list.tcp_port = tcp.map(|place| place.port.into());
    let url = offer.http.as_deref().zip(agreed.url_id.as_deref());
    let url = url.map(|(base, id)| format!("{base}/{URL_FOLDER}/{id}").into());
    match version {
        Version::V1_3 => {
            list.cir_http_address = url.map(|url| CIRHTTPAddress { url: Some(url) });
            let udp = offer.udp.as_ref().filter(|_| has(Method::Sudp));
            list.udp_address = udp.map(|(place, _)| place.host.as_str().into());
            list.udp_port = udp.map(|(place, _)| place.port.into());
        }
        // clients AND-11: in an element of its own.
        _ => list.cir_url = url.map(|url| CIRURL { url: Some(url) }),
    }
}

fn in_servers_order(agreed: &CirAgreement) -> Vec<hamlet_csp::elements::SupportedCIRMethod> {
    let all = Method::ALL.into_iter();
    all.filter(|method| agreed.methods.contains(method))
        .map(Method::write)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_csp::elements::SupportedCIRMethod as Value;

    fn place(host: &str, port: u16) -> Place {
        Place {
            host: host.into(),
            port,
        }
    }

    fn everything() -> CirOffer {
        CirOffer {
            tcp: Some(place("cir.example", 3171)),
            udp: Some((place("cir.example", 3717), "203.0.113.9".parse().unwrap())),
            http: Some("http://im.example".into()),
        }
    }

    /// A client that lists these.
    fn asking(methods: &[Value]) -> CapabilityList {
        CapabilityList {
            supported_cir_method: methods.to_vec(),
            ..CapabilityList::default()
        }
    }

    #[test]
    fn what_both_have_is_agreed_each_once_and_as_the_client_prefers() {
        use Method::{Shttp, Stcp, Sudp};
        let s60 = [Value::Wapsms, Value::Wapudp, Value::Stcp, Value::Sudp];
        let android = [Value::Stcp, Value::Ssms, Value::Shttp];
        let twice = [Value::Sudp, Value::Stcp, Value::Sudp, Value::Stcp];
        let nothing = CirOffer::default();
        let only_http = CirOffer {
            http: Some("http://im.example".into()),
            ..CirOffer::default()
        };
        for (methods, version, offer, agreed) in [
            (&s60[..], Version::V1_1, &everything(), &[Stcp, Sudp][..]),
            (&android[..], Version::V1_1, &everything(), &[Stcp][..]),
            (
                &android[..],
                Version::V1_2,
                &everything(),
                &[Stcp, Shttp][..],
            ),
            (&android[..], Version::V1_2, &only_http, &[Shttp][..]),
            // S60-8.
            (&twice[..], Version::V1_2, &everything(), &[Sudp, Stcp][..]),
            // AND-10: not what does not listen.
            (&s60[..], Version::V1_2, &nothing, &[][..]),
            (&[][..], Version::V1_3, &everything(), &[][..]),
        ] {
            let found = agree(&asking(methods), version, offer);
            assert_eq!(found.methods, agreed, "{methods:?} {version:?}");
        }
    }

    #[test]
    fn the_udp_port_is_the_clients_or_3717() {
        for (port, agreed) in [
            (None, 3717),
            (Some(4000), 4000),
            (Some(0), 3717),
            (Some(70_000), 3717),
        ] {
            let list = CapabilityList {
                udp_port: port,
                ..asking(&[Value::Sudp])
            };
            let found = agree(&list, Version::V1_1, &everything());
            assert_eq!(found.udp_port, agreed);
        }
    }

    fn announced(version: Version) -> ClientCapabilityResponse {
        let mut response = match version {
            Version::V1_1 => ClientCapabilityResponse {
                capability_list: Some(CapabilityList::default()),
                ..ClientCapabilityResponse::default()
            },
            _ => ClientCapabilityResponse {
                agreed_capability_list: Some(AgreedCapabilityList::default()),
                ..ClientCapabilityResponse::default()
            },
        };
        let list = CapabilityList {
            udp_port: Some(4000),
            ..asking(&[Value::Shttp, Value::Sudp, Value::Stcp])
        };
        let mut agreed = agree(&list, version, &everything());
        agreed.url_id = agreed
            .methods
            .contains(&Method::Shttp)
            .then(|| "7f3a".into());
        announce(&mut response, version, &agreed, &everything());
        response
    }

    #[test]
    fn each_version_is_told_in_its_own_elements() {
        let list = announced(Version::V1_1).capability_list.unwrap();
        assert_eq!(list.supported_cir_method, [Value::Stcp, Value::Sudp]);
        assert_eq!(list.tcp_address.as_deref(), Some("cir.example"));
        assert_eq!((list.tcp_port, list.udp_port), (Some(3171), Some(4000)));

        let list = announced(Version::V1_2).agreed_capability_list.unwrap();
        let methods = [Value::Stcp, Value::Sudp, Value::Shttp];
        assert_eq!(list.supported_cir_method, methods);
        assert_eq!(list.tcp_port, Some(3171));
        assert_eq!((list.udp_address, list.udp_port), (None, None));
        let url = list.cir_url.unwrap().url.unwrap();
        assert_eq!(&*url, "http://im.example/cir/7f3a");
        assert!(list.cir_http_address.is_none());

        let list = announced(Version::V1_3).agreed_capability_list.unwrap();
        assert_eq!(list.supported_cir_method, methods);
        assert_eq!(list.udp_address.as_deref(), Some("cir.example"));
        assert_eq!(list.udp_port, Some(3717), "the server's");
        let url = list.cir_http_address.unwrap().url.unwrap();
        assert_eq!(&*url, "http://im.example/cir/7f3a");
        assert!(list.cir_url.is_none());
    }

    #[test]
    fn a_session_that_was_stored_before_there_was_a_cir_channel_has_none() {
        let old: CirAgreement = serde_json::from_str("{}").unwrap();
        assert_eq!(old, CirAgreement::default());
        let agreed = CirAgreement {
            methods: vec![Method::Sudp],
            udp_port: 4000,
            peer: Some("203.0.113.9".parse().unwrap()),
            url_id: Some("7f3a".into()),
        };
        let text = serde_json::to_string(&agreed).unwrap();
        let back: CirAgreement = serde_json::from_str(&text).unwrap();
        assert_eq!(back, agreed);
    }
}
