//! What the agreed capabilities of a client say about it to others (csp-presence 3.4).

use crate::negotiation::capability::{Capabilities, Policy, Repertoire};
use hamlet_model::ApplicationId;
use hamlet_model::presence::{AcceptedType, ClientContentLimit, ClientInfo};

/// MIBenum numbers (data-types 2.3).
const US_ASCII: u32 = 3;
const ISO_8859_1: u32 = 4;
const UTF_8: u32 = 106;

impl Capabilities {
    /// As far as the client has said it; what it publishes of itself overrides this.
    pub(crate) fn client_info(&self, application: Option<ApplicationId>) -> ClientInfo {
        if !self.negotiated {
            return ClientInfo {
                application,
                ..ClientInfo::default()
            };
        }
        ClientInfo {
            content_limit: Some(self.content_limit()),
            client_type: self.client_type.clone(),
            language: self.language.clone(),
            im_priority: Some(self.priority),
            application,
            ..ClientInfo::default()
        }
    }

    fn content_limit(&self) -> ClientContentLimit {
        let types = self.content_types.as_deref().unwrap_or_default();
        ClientContentLimit {
            types: types
                .iter()
                .map(|accepted| AcceptedType {
                    content_type: accepted.media_type.clone(),
                    rich_length: accepted.length,
                    policy: match accepted.policy {
                        Policy::Cost => Some("C".into()),
                        Policy::Reject => Some("R".into()),
                        Policy::None => None,
                    },
                    policy_limit: accepted.policy_limit,
                })
                .collect(),
            any_content: self.content_types.is_none().then_some(true),
            text_length: self.text_length,
            transfer_encodings: match self.base64 {
                true => vec!["BASE64".into()],
                false => Vec::new(),
            },
            pull_length: None,
            push_length: self.push_length,
            charsets: vec![match self.repertoire {
                Repertoire::Unicode => UTF_8,
                Repertoire::Latin1 => ISO_8859_1,
                Repertoire::Ascii => US_ASCII,
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::capability::Offer;
    use hamlet_csp::Version;
    use hamlet_csp::elements::{AcceptedContentType, CapabilityList, ClientType, ContentPolicy};
    use std::time::Duration;

    const OFFER: Offer = Offer {
        poll_min: Duration::from_secs(30),
        max_multi_trans: 4,
    };

    #[test]
    fn others_see_what_a_client_has_agreed() {
        let list = CapabilityList {
            client_type: Some(ClientType::MobilePhone),
            default_language: Some("fin".into()),
            session_priority: Some(7),
            accepted_text_content_length: Some(500),
            accepted_push_length: Some(900),
            accepted_content_type: vec![AcceptedContentType {
                content_type: Some("image/PNG".into()),
                accepted_rich_content_length: Some(4000),
                content_policy: Some(ContentPolicy::R),
                content_policy_limit: Some(2000),
            }],
            ..CapabilityList::default()
        };
        let application = ApplicationId::new("chess");
        let agreed = Capabilities::negotiate(&list, Version::V1_3, OFFER);
        let info = agreed.client_info(Some(application.clone()));
        assert_eq!(info.client_type.as_deref(), Some("MOBILE_PHONE"));
        assert_eq!(info.language.as_deref(), Some("fin"));
        assert_eq!(info.im_priority, Some(7));
        assert_eq!(info.application, Some(application));
        let limit = info.content_limit.unwrap();
        assert_eq!(
            (limit.text_length, limit.push_length),
            (Some(500), Some(900))
        );
        assert_eq!(limit.any_content, None);
        assert_eq!(
            limit.types,
            [AcceptedType {
                content_type: "image/png".into(),
                rich_length: Some(4000),
                policy: Some("R".into()),
                policy_limit: Some(2000),
            }]
        );
        assert_eq!(limit.charsets, [UTF_8]);
        let any = Capabilities::negotiate(&CapabilityList::default(), Version::V1_3, OFFER);
        let limit = any.client_info(None).content_limit.unwrap();
        assert_eq!((limit.any_content, limit.types), (Some(true), Vec::new()));
    }

    #[test]
    fn nothing_is_said_of_a_client_before_it_has_agreed_anything() {
        let unknown = Capabilities::unknown(Version::V1_3, OFFER);
        assert_eq!(unknown.client_info(None), ClientInfo::default());
    }
}
