//! Capability and service negotiation (csp-access 6).

use crate::client::{Client, unexpected};
use crate::error::Error;
use crate::login::seconds;
use crate::wake_up::WakeUp;
use hamlet_csp::elements::{
    AcceptedTransferEncoding, AgreedCapabilityList, CapabilityList, ClientCapabilityRequest,
    Functions, FundamentalFeat, GroupFeat, IMFeat, InitialDeliveryMethod, PresenceFeat,
    ServiceRequest, SupportedBearer, SupportedCIRMethod, WVCSPFeat,
};
use hamlet_csp::{Primitive, Text, Version};
use std::time::Duration;

/// UTF-8 as an IANA MIBenum.
const UTF_8: u32 = 106;

/// What capability negotiation agreed; `None` where the server said nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Capabilities {
    /// Shortest interval between polls that nothing has asked for.
    pub poll_min: Option<Duration>,
    /// Open transactions at a time.
    pub multi_trans: Option<u32>,
    /// CIR methods in common, the server's favourite first.
    pub cir_methods: Vec<String>,
    /// Where the TCP CIR channel goes.
    pub cir_tcp: Option<(String, u32)>,
    /// Where the UDP CIR channel goes (1.3).
    pub cir_udp: Option<(String, u32)>,
    /// URL of the HTTP CIR channel.
    pub cir_url: Option<String>,
    /// Largest content that is pushed (1.3).
    pub push_length: Option<u32>,
    /// Most sessions that the user can have (1.3).
    pub session_limit: Option<u32>,
}

/// What service negotiation answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Services {
    /// What was asked for and is not there; `None`: everything is.
    pub denied: Option<WVCSPFeat>,
    /// Everything that the server offers.
    pub offered: Option<WVCSPFeat>,
}

impl Client {
    /// Tells what this client can do and takes what the server makes of it (csp-access 6.2).
    pub async fn negotiate_capabilities(&mut self) -> Result<&Capabilities, Error> {
        let request = ClientCapabilityRequest {
            capability_list: Some(self.own_capabilities()),
            client_id: Some(self.config.client_id.clone()),
        };
        let agreed = match self.ask(request).await? {
            Primitive::ClientCapabilityResponse(response) => {
                match (response.agreed_capability_list, response.capability_list) {
                    (Some(agreed), _) => agreed.into(),
                    (None, Some(list)) => list.into(),
                    (None, None) => Capabilities::default(),
                }
            }
            Primitive::Status(_) => Capabilities::default(),
            other => return Err(unexpected(&other)),
        };
        Ok(self.keep_capabilities(agreed))
    }

    /// Asks for every service and for the list of all (csp-access 6.3).
    pub async fn negotiate_services(&mut self) -> Result<Services, Error> {
        let request = ServiceRequest {
            functions: Some(self.wanted_functions()),
            all_functions_request: Some(true),
            client_id: Some(self.config.client_id.clone()),
        };
        match self.ask(request).await? {
            Primitive::ServiceResponse(response) => Ok(Services {
                denied: response.functions.and_then(|tree| tree.wvcsp_feat),
                offered: response.all_functions.and_then(|tree| tree.wvcsp_feat),
            }),
            Primitive::Status(_) => Ok(Services::default()),
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) fn keep_capabilities(&mut self, agreed: Capabilities) -> &Capabilities {
        let url = agreed.cir_url.as_deref().filter(|_| self.config.wake_up);
        // A URL that leads nowhere is as good as none: the client polls.
        self.wake_up =
            url.and_then(|url| WakeUp::new(url, self.transport().options().clone()).ok());
        self.capabilities.insert(agreed)
    }

    pub(crate) fn own_capabilities(&self) -> CapabilityList {
        let largest = u32::try_from(self.transport().options().max_answer).unwrap_or(u32::MAX);
        // Content in base64 inside its envelope has to fit into the largest answer.
        let content = largest / 2;
        let common = CapabilityList {
            any_content: Some(true),
            accepted_transfer_encoding: vec![AcceptedTransferEncoding::Base64],
            client_type: Some(self.config.client_type.clone()),
            initial_delivery_method: Some(match self.config.notify {
                true => InitialDeliveryMethod::N,
                false => InitialDeliveryMethod::P,
            }),
            multi_trans: Some(1),
            parser_size: Some(largest),
            server_poll_min: Some(seconds(self.config.poll_min)),
            supported_bearer: vec![SupportedBearer::Http],
            supported_cir_method: match self.config.wake_up && self.config.version > Version::V1_1 {
                true => vec![SupportedCIRMethod::Shttp],
                false => Vec::new(),
            },
            ..CapabilityList::default()
        };
        if self.config.version == Version::V1_3 {
            CapabilityList {
                accepted_pull_length: Some(content),
                accepted_push_length: Some(content),
                accepted_text_content_length: Some(content),
                plain_text_charset: vec![Text::from(UTF_8.to_string())],
                ..common
            }
        } else {
            CapabilityList {
                accepted_charset: vec![UTF_8],
                accepted_content_length: Some(content),
                ..common
            }
        }
    }

    /// The whole tree: a feature without children is all of it.
    pub(crate) fn wanted_functions(&self) -> Functions {
        Functions {
            wvcsp_feat: Some(WVCSPFeat {
                fundamental_feat: Some(FundamentalFeat::default()),
                presence_feat: Some(PresenceFeat::default()),
                im_feat: Some(IMFeat::default()),
                group_feat: Some(GroupFeat::default()),
            }),
        }
    }
}

impl From<AgreedCapabilityList> for Capabilities {
    fn from(list: AgreedCapabilityList) -> Self {
        let http = list.cir_http_address.and_then(|address| address.url);
        Self {
            poll_min: span(list.server_poll_min),
            multi_trans: list.multi_trans,
            cir_methods: list
                .supported_cir_method
                .iter()
                .map(|method| method.as_str().to_owned())
                .collect(),
            cir_tcp: channel(list.tcp_address, list.tcp_port),
            cir_udp: channel(list.udp_address, list.udp_port),
            cir_url: http
                .or_else(|| list.cir_url.and_then(|address| address.url))
                .map(String::from),
            push_length: list.accepted_push_length,
            session_limit: list.user_session_limit,
        }
    }
}

/// The answer of 1.1.
impl From<CapabilityList> for Capabilities {
    fn from(list: CapabilityList) -> Self {
        Self {
            poll_min: span(list.server_poll_min),
            multi_trans: list.multi_trans,
            cir_methods: list
                .supported_cir_method
                .iter()
                .map(|method| method.as_str().to_owned())
                .collect(),
            cir_tcp: channel(list.tcp_address, list.tcp_port),
            ..Self::default()
        }
    }
}

fn span(secs: Option<u32>) -> Option<Duration> {
    secs.map(|secs| Duration::from_secs(secs.into()))
}

fn channel(address: Option<Text>, port: Option<u32>) -> Option<(String, u32)> {
    Some((address?.into(), port?))
}
