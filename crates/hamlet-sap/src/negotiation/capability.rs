//! What a client can do, as the server remembers it (csp-access 6.2).

use crate::negotiation::cir::CirAgreement;
use hamlet_csp::Version;
use hamlet_csp::elements::{
    AcceptedTransferEncoding, CapabilityList, ContentPolicy, InitialDeliveryMethod,
    OfflineETEMHandling, OnlineETEMHandling,
};
use hamlet_elements::im::{OfflineHandling, OnlineHandling};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The capabilities of a session's client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Capabilities {
    /// They have been negotiated; else the following are defaults.
    pub(crate) negotiated: bool,
    /// The content types that it takes; `None` for any.
    pub(crate) content_types: Option<Vec<AcceptedType>>,
    /// It takes content in base64.
    #[serde(default = "yes")]
    pub(crate) base64: bool,
    /// The characters that it can show.
    #[serde(default)]
    pub(crate) repertoire: Repertoire,
    /// Largest content that is pushed to it, octets.
    pub(crate) push_length: Option<u32>,
    /// Largest content that it pulls, octets (1.3).
    #[serde(default)]
    pub(crate) pull_length: Option<u32>,
    /// Largest text content, octets (1.3).
    pub(crate) text_length: Option<u32>,
    /// Largest message that it can parse, octets.
    pub(crate) parser_size: Option<u32>,
    /// Transactions that may be open at a time.
    pub(crate) multi_trans: u32,
    /// Transactions that may stand in one message (1.3).
    pub(crate) multi_trans_per_message: u32,
    /// It wants to be notified, not to be pushed to.
    pub(crate) notify: bool,
    /// ServerPollMin as agreed, seconds.
    pub(crate) poll_min: u32,
    /// ClientType, as it was given.
    pub(crate) client_type: Option<String>,
    /// DefaultLanguage.
    pub(crate) language: Option<String>,
    /// SessionPriority.
    pub(crate) priority: u32,
    /// The client has asked for it.
    #[serde(default)]
    pub(crate) priority_asked: bool,
    /// What to do with messages while the client is not online, when it said so (1.3).
    #[serde(default)]
    pub(crate) offline_handling: Option<OfflineHandling>,
    /// How messages are spread over the user's sessions, when the client said so (1.3).
    pub(crate) online_handling: Option<OnlineHandling>,
    /// The CIR channel; agreed apart from the rest.
    #[serde(default)]
    pub(crate) cir: CirAgreement,
}

/// One accepted content type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AcceptedType {
    /// Media type without parameters, lower case.
    pub(crate) media_type: String,
    /// Largest content of this type, octets (1.3).
    pub(crate) length: Option<u32>,
    /// What happens above `policy_limit` (1.3).
    pub(crate) policy: Policy,
    /// Octets.
    pub(crate) policy_limit: Option<u32>,
}

/// ContentPolicy (csp-im 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Policy {
    /// The user decides because of the cost.
    Cost,
    /// The client does not take it.
    Reject,
    /// None.
    None,
}

/// Characters of text (data-types 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Repertoire {
    /// All; UTF-8 is understood by every client, and other charsets hold too much to tell.
    #[default]
    Unicode,
    /// Those of ISO-8859-1.
    Latin1,
    /// Those of US-ASCII.
    Ascii,
}

impl Repertoire {
    /// Whether it has the character.
    pub(crate) fn has(self, character: char) -> bool {
        match self {
            Self::Unicode => true,
            Self::Latin1 => u32::from(character) < 0x100,
            Self::Ascii => character.is_ascii(),
        }
    }
}

/// What the server brings into a negotiation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer {
    /// ServerPollMin, at least.
    pub(crate) poll_min: Duration,
    /// Most open transactions.
    pub(crate) max_multi_trans: u32,
}

impl Capabilities {
    /// What holds before any negotiation (csp-access 6.1).
    pub(crate) fn unknown(version: Version, offer: Offer) -> Self {
        Self {
            negotiated: false,
            content_types: None,
            base64: true,
            repertoire: Repertoire::Unicode,
            push_length: None,
            pull_length: None,
            text_length: None,
            parser_size: None,
            multi_trans: 1,
            multi_trans_per_message: 1,
            notify: false,
            poll_min: seconds(offer.poll_min),
            client_type: None,
            language: None,
            priority: default_priority(version),
            priority_asked: false,
            offline_handling: None,
            online_handling: None,
            cir: CirAgreement::default(),
        }
    }

    /// What is agreed when a client sends `list`: it replaces everything that was before.
    pub(crate) fn negotiate(list: &CapabilityList, version: Version, offer: Offer) -> Self {
        let any = list.any_content == Some(true) || list.accepted_content_type.is_empty();
        let multi_trans = positive(list.multi_trans)
            .unwrap_or(1)
            .min(offer.max_multi_trans.max(1));
        Self {
            negotiated: true,
            content_types: (!any).then(|| accepted_types(list)),
            base64: takes_base64(list),
            repertoire: repertoire(list),
            push_length: positive(list.accepted_push_length)
                .or(positive(list.accepted_content_length)),
            pull_length: positive(list.accepted_pull_length),
            text_length: positive(list.accepted_text_content_length),
            parser_size: positive(list.parser_size),
            multi_trans,
            multi_trans_per_message: match version {
                Version::V1_3 => positive(list.multi_trans_per_message)
                    .unwrap_or(1)
                    .min(multi_trans),
                _ => 1,
            },
            notify: matches!(list.initial_delivery_method, Some(InitialDeliveryMethod::N)),
            poll_min: list
                .server_poll_min
                .unwrap_or(0)
                .max(seconds(offer.poll_min)),
            client_type: list.client_type.as_ref().map(|t| clip(t.as_str())),
            language: list.default_language.as_deref().map(clip),
            priority: match version {
                Version::V1_3 => list.session_priority.unwrap_or(default_priority(version)),
                _ => default_priority(version),
            },
            priority_asked: version == Version::V1_3 && list.session_priority.is_some(),
            offline_handling: list
                .offline_etem_handling
                .as_ref()
                .and_then(offline_handling),
            online_handling: list.online_etem_handling.as_ref().and_then(handling),
            cir: CirAgreement::default(),
        }
    }

    /// How it accepts content: the entry of its type, if it lists types.
    pub(crate) fn accepted_type(&self, media_type: &str) -> Accepted<'_> {
        match &self.content_types {
            None => Accepted::Any,
            Some(types) => types
                .iter()
                .find(|accepted| covers(&accepted.media_type, media_type))
                .map_or(Accepted::Not, Accepted::Listed),
        }
    }
}

/// What a client says of a content type.
#[derive(Debug, PartialEq)]
pub(crate) enum Accepted<'a> {
    /// It takes any type.
    Any,
    /// It takes this one.
    Listed(&'a AcceptedType),
    /// It does not take this one.
    Not,
}

/// `image/*` stands for all images (csp-im 4.4).
fn covers(accepted: &str, media_type: &str) -> bool {
    match accepted.strip_suffix('*') {
        Some(prefix) => media_type.starts_with(prefix),
        None => accepted == media_type,
    }
}

/// One that names no transfer encoding is like all known clients.
fn takes_base64(list: &CapabilityList) -> bool {
    let encodings = &list.accepted_transfer_encoding;
    encodings.is_empty() || encodings.contains(&AcceptedTransferEncoding::Base64)
}

/// AcceptedCharset and PlainTextCharset are MIBenum numbers: 3 is US-ASCII, 4 ISO-8859-1.
fn repertoire(list: &CapabilityList) -> Repertoire {
    let new = list.plain_text_charset.iter();
    // What is no number is a charset that is not known.
    let new = new.map(|number| number.trim().parse().unwrap_or(0));
    let charsets: Vec<u32> = list.accepted_charset.iter().copied().chain(new).collect();
    if charsets.is_empty() || charsets.iter().any(|charset| ![3, 4].contains(charset)) {
        Repertoire::Unicode
    } else if charsets.contains(&4) {
        Repertoire::Latin1
    } else {
        Repertoire::Ascii
    }
}

fn yes() -> bool {
    true
}

fn accepted_types(list: &CapabilityList) -> Vec<AcceptedType> {
    list.accepted_content_type
        .iter()
        .filter_map(|accepted| {
            let full = accepted.content_type.as_deref()?;
            let media_type = full.split(';').next().unwrap_or(full).trim();
            Some(AcceptedType {
                media_type: clip(&media_type.to_ascii_lowercase()),
                length: positive(accepted.accepted_rich_content_length),
                policy: match accepted.content_policy {
                    Some(ContentPolicy::C) => Policy::Cost,
                    Some(ContentPolicy::R) => Policy::Reject,
                    _ => Policy::None,
                },
                policy_limit: accepted.content_policy_limit,
            })
        })
        .take(100)
        .collect()
}

fn handling(value: &OnlineETEMHandling) -> Option<OnlineHandling> {
    match value {
        OnlineETEMHandling::Serverlogic => Some(OnlineHandling::ServerLogic),
        OnlineETEMHandling::Forkall => Some(OnlineHandling::ForkAll),
        OnlineETEMHandling::Detect => Some(OnlineHandling::Detect),
        OnlineETEMHandling::Undefined(_) => None,
    }
}

fn offline_handling(value: &OfflineETEMHandling) -> Option<OfflineHandling> {
    match value {
        OfflineETEMHandling::Reject => Some(OfflineHandling::Reject),
        OfflineETEMHandling::Sendreject => Some(OfflineHandling::SendReject),
        OfflineETEMHandling::Sendstore => Some(OfflineHandling::SendStore),
        OfflineETEMHandling::Priorityreject => Some(OfflineHandling::PriorityReject),
        OfflineETEMHandling::Prioritystore => Some(OfflineHandling::PriorityStore),
        OfflineETEMHandling::Undefined(_) => None,
    }
}

/// csp-im 10.2.
fn default_priority(version: Version) -> u32 {
    match version {
        Version::V1_3 => 10,
        _ => 0,
    }
}

/// Missing and 0 mean the same: no limit of the client (csp-access 6.2).
pub(crate) fn positive(value: Option<u32>) -> Option<u32> {
    value.filter(|value| *value > 0)
}

fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

fn clip(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_csp::elements::AcceptedContentType;

    pub(crate) const OFFER: Offer = Offer {
        poll_min: Duration::from_secs(30),
        max_multi_trans: 4,
    };

    fn accepting(types: &[&str]) -> CapabilityList {
        CapabilityList {
            accepted_content_type: types
                .iter()
                .map(|text| AcceptedContentType {
                    content_type: Some((*text).into()),
                    ..AcceptedContentType::default()
                })
                .collect(),
            ..CapabilityList::default()
        }
    }

    #[test]
    fn the_server_raises_polling_and_lowers_what_exceeds_its_limits() {
        let list = CapabilityList {
            server_poll_min: Some(8),
            multi_trans: Some(99),
            multi_trans_per_message: Some(50),
            accepted_content_length: Some(102_400),
            parser_size: Some(0),
            ..CapabilityList::default()
        };
        let agreed = Capabilities::negotiate(&list, Version::V1_3, OFFER);
        assert_eq!((agreed.poll_min, agreed.multi_trans), (30, 4));
        assert_eq!(agreed.multi_trans_per_message, 4);
        assert_eq!(agreed.push_length, Some(102_400), "from a 1.3 client, too");
        assert_eq!(agreed.parser_size, None);
        let old = Capabilities::negotiate(&list, Version::V1_2, OFFER);
        assert_eq!(old.multi_trans_per_message, 1);
        let slow = CapabilityList {
            server_poll_min: Some(90),
            ..CapabilityList::default()
        };
        assert_eq!(
            Capabilities::negotiate(&slow, Version::V1_1, OFFER).poll_min,
            90
        );
    }

    #[test]
    fn charsets_and_transfer_encodings_are_what_the_client_names() {
        use AcceptedTransferEncoding::{Base64, None as Plain};
        for (charsets, expected) in [
            (&[][..], Repertoire::Unicode),
            (&[106], Repertoire::Unicode),
            (&[3, 4], Repertoire::Latin1),
            (&[4], Repertoire::Latin1),
            (&[3], Repertoire::Ascii),
            (&[4, 1015], Repertoire::Unicode),
            (&[17], Repertoire::Unicode),
        ] {
            let old = CapabilityList {
                accepted_charset: charsets.to_vec(),
                ..CapabilityList::default()
            };
            let new = CapabilityList {
                plain_text_charset: charsets
                    .iter()
                    .map(|n: &u32| n.to_string().into())
                    .collect(),
                ..CapabilityList::default()
            };
            for (list, version) in [(old, Version::V1_1), (new, Version::V1_3)] {
                let agreed = Capabilities::negotiate(&list, version, OFFER);
                assert_eq!(agreed.repertoire, expected, "{charsets:?}");
            }
        }
        for (encodings, base64) in [
            (vec![], true),
            (vec![Base64], true),
            (vec![Plain, Base64], true),
            (vec![Plain], false),
        ] {
            let list = CapabilityList {
                accepted_transfer_encoding: encodings,
                ..CapabilityList::default()
            };
            let agreed = Capabilities::negotiate(&list, Version::V1_2, OFFER);
            assert_eq!(agreed.base64, base64, "{list:?}");
        }
    }

    #[test]
    fn content_types_are_compared_without_parameters() {
        let agreed = Capabilities::negotiate(
            &accepting(&["Text/Plain; charset=utf-8"]),
            Version::V1_1,
            OFFER,
        );
        let is_taken = |agreed: &Capabilities, media_type: &str| {
            !matches!(agreed.accepted_type(media_type), Accepted::Not)
        };
        assert!(is_taken(&agreed, "text/plain"));
        assert!(!is_taken(&agreed, "image/png"));
        // AnyContent wins, and a client that says nothing takes everything.
        let any = CapabilityList {
            any_content: Some(true),
            ..accepting(&["text/plain"])
        };
        for list in [any, CapabilityList::default()] {
            let agreed = Capabilities::negotiate(&list, Version::V1_2, OFFER);
            assert!(is_taken(&agreed, "image/png"));
        }
    }
}
