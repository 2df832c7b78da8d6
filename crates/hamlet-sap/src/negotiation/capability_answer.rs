//! ClientCapability (csp-access 6.2): what is answered, per version.

use crate::negotiation::capability::Capabilities;
use hamlet_csp::Version;
use hamlet_csp::elements::{
    AgreedCapabilityList, CapabilityList, ClientCapabilityRequest, ClientCapabilityResponse,
    SupportedBearer,
};

/// What the answer depends on beside the request and the agreement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings {
    pub(crate) version: Version,
    /// The request came over TLS.
    pub(crate) secure: bool,
    /// The client reads the first child as the list, whatever it is (clients AND-9).
    pub(crate) list_first: bool,
    /// Most sessions of a user.
    pub(crate) session_limit: usize,
}

/// The response to `request`, of which `agreed` is the outcome.
pub(crate) fn response(
    request: ClientCapabilityRequest,
    agreed: &Capabilities,
    around: Surroundings,
) -> ClientCapabilityResponse {
    let list = request.capability_list.unwrap_or_default();
    match around.version {
        Version::V1_1 => ClientCapabilityResponse {
            client_id: request.client_id.filter(|_| !around.list_first),
            capability_list: Some(repeated(list, agreed, around)),
            agreed_capability_list: None,
        },
        _ => ClientCapabilityResponse {
            client_id: None,
            capability_list: None,
            agreed_capability_list: Some(agreed_list(&list, agreed, around)),
        },
    }
}

/// 1.1: the client's own list with the server's choices.
fn repeated(list: CapabilityList, agreed: &Capabilities, around: Surroundings) -> CapabilityList {
    CapabilityList {
        supported_bearer: bearers(&list, around),
        supported_cir_method: Vec::new(),
        udp_port: None,
        tcp_address: None,
        tcp_port: None,
        multi_trans: Some(agreed.multi_trans),
        server_poll_min: Some(agreed.poll_min),
        ..list
    }
}

/// 1.2 and 1.3: what the server changed or fixed.
pub(crate) fn agreed_list(
    list: &CapabilityList,
    agreed: &Capabilities,
    around: Surroundings,
) -> AgreedCapabilityList {
    let common = AgreedCapabilityList {
        supported_bearer: bearers(list, around),
        server_poll_min: Some(agreed.poll_min),
        ..AgreedCapabilityList::default()
    };
    match around.version {
        Version::V1_3 => AgreedCapabilityList {
            multi_trans: Some(agreed.multi_trans),
            multi_trans_per_message: Some(agreed.multi_trans_per_message),
            offline_etem_handling: list
                .offline_etem_handling
                .clone()
                .filter(|_| agreed.offline_handling.is_some()),
            online_etem_handling: list
                .online_etem_handling
                .clone()
                .filter(|_| agreed.online_handling.is_some()),
            session_priority: list.session_priority.map(|_| agreed.priority),
            user_session_limit: u32::try_from(around.session_limit).ok(),
            ..common
        },
        _ => common,
    }
}

/// What both have; the bearer in use when that is nothing.
fn bearers(list: &CapabilityList, around: Surroundings) -> Vec<SupportedBearer> {
    let mut common: Vec<_> = list
        .supported_bearer
        .iter()
        .filter(|bearer| match bearer {
            SupportedBearer::Http => true,
            SupportedBearer::Https => around.secure,
            _ => false,
        })
        .cloned()
        .collect();
    common.dedup();
    if common.is_empty() {
        common.push(SupportedBearer::Http);
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::capability::Offer;
    use hamlet_csp::elements::{ClientId, OnlineETEMHandling, SupportedCIRMethod};
    use std::time::Duration;

    fn answer(request: ClientCapabilityRequest, around: Surroundings) -> ClientCapabilityResponse {
        let offer = Offer {
            poll_min: Duration::from_secs(30),
            max_multi_trans: 4,
        };
        let list = request.capability_list.clone().unwrap_or_default();
        let agreed = Capabilities::negotiate(&list, around.version, offer);
        response(request, &agreed, around)
    }

    fn request() -> ClientCapabilityRequest {
        ClientCapabilityRequest {
            client_id: Some(ClientId {
                url: Some("Jimmy".into()),
                msisdn: None,
            }),
            capability_list: Some(CapabilityList {
                supported_bearer: vec![SupportedBearer::Wsp, SupportedBearer::Http],
                supported_cir_method: vec![SupportedCIRMethod::Stcp],
                multi_trans: Some(3),
                server_poll_min: Some(8),
                session_priority: Some(5),
                online_etem_handling: Some(OnlineETEMHandling::Forkall),
                any_content: Some(true),
                ..CapabilityList::default()
            }),
        }
    }

    fn around(version: Version) -> Surroundings {
        Surroundings {
            version,
            secure: false,
            list_first: false,
            session_limit: 16,
        }
    }

    #[test]
    fn in_1_1_the_list_comes_back_with_the_servers_choices() {
        let whole = answer(request(), around(Version::V1_1));
        assert!(whole.client_id.is_some() && whole.agreed_capability_list.is_none());
        let list = whole.capability_list.unwrap();
        assert_eq!(list.server_poll_min, Some(30));
        assert_eq!(list.supported_cir_method, []);
        assert_eq!(list.supported_bearer, [SupportedBearer::Http]);
        assert_eq!(list.any_content, Some(true));
    }

    #[test]
    fn and_9_the_list_comes_first_for_clients_that_take_the_first_child() {
        let first = Surroundings {
            list_first: true,
            ..around(Version::V1_1)
        };
        assert_eq!(answer(request(), first).client_id, None);
    }

    #[test]
    fn later_versions_get_an_agreed_list_without_client_id() {
        let in_1_2 = answer(request(), around(Version::V1_2));
        assert!(in_1_2.client_id.is_none() && in_1_2.capability_list.is_none());
        let list = in_1_2.agreed_capability_list.unwrap();
        assert_eq!((list.server_poll_min, list.multi_trans), (Some(30), None));

        let in_1_3 = answer(request(), around(Version::V1_3));
        let list = in_1_3.agreed_capability_list.unwrap();
        assert_eq!(
            (list.multi_trans, list.session_priority),
            (Some(3), Some(5))
        );
        assert_eq!(list.online_etem_handling, Some(OnlineETEMHandling::Forkall));
        assert_eq!(list.user_session_limit, Some(16));
    }

    #[test]
    fn without_a_common_bearer_the_one_in_use_is_agreed() {
        let mut asked = request();
        asked.capability_list = Some(CapabilityList {
            supported_bearer: vec![SupportedBearer::Sms],
            ..CapabilityList::default()
        });
        for version in [Version::V1_2, Version::V1_3] {
            let list = answer(asked.clone(), around(version)).agreed_capability_list;
            assert_eq!(list.unwrap().supported_bearer, [SupportedBearer::Http]);
        }
        let nothing = answer(ClientCapabilityRequest::default(), around(Version::V1_1));
        assert!(
            nothing.capability_list.is_some(),
            "answered with a list anyway"
        );
    }
}
