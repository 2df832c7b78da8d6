//! Messages that wait at the server: listed, rejected, forwarded; and whether they are pushed or
//! announced (csp-im 3.3, 7). Fetching is in `im.rs`.

use crate::client::{Client, unexpected};
use crate::error::Error;
use crate::im::{Recipients, SendResult};
use crate::refusal::{Detail, Refusal};
use hamlet_csp::elements::{
    DeliveryMethod, ForwardMessageRequest, GetMessageListRequest, MessageInfo,
    RejectMessageRequest, SetDeliveryMethodRequest,
};
use hamlet_csp::{Primitive, Text};
use hamlet_model::{MessageId, StatusCode};

/// How messages are brought to a session, or those of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    announce: bool,
    limit: Option<u32>,
    group: Option<Text>,
}

impl Delivery {
    /// Whole, as NewMessage.
    pub fn push() -> Self {
        Self::default()
    }

    /// By MessageNotification alone, to be fetched.
    pub fn announce() -> Self {
        Self {
            announce: true,
            ..Self::default()
        }
    }

    /// Content of more octets than this is announced even where it would be pushed.
    pub fn limit(mut self, octets: u32) -> Self {
        self.limit = Some(octets);
        self
    }

    /// Only messages of this group, which the session has joined.
    pub fn group(mut self, group: impl AsRef<str>) -> Self {
        self.group = Some(Text::new(group));
        self
    }
}

/// Messages that wait, or a part of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Waiting {
    /// What they are, without their contents.
    pub messages: Vec<MessageInfo>,
    /// How many there are in all, where the server says so (1.3).
    pub total: Option<u32>,
}

impl Client {
    /// Chooses how messages are brought to this session from now on, those that already wait
    /// among them (csp-im 3.3).
    pub async fn set_delivery(&mut self, delivery: Delivery) -> Result<(), Error> {
        let request = SetDeliveryMethodRequest {
            delivery_method: Some(match delivery.announce {
                true => DeliveryMethod::N,
                false => DeliveryMethod::P,
            }),
            accepted_content_length: delivery.limit,
            group_id: delivery.group,
            ..SetDeliveryMethodRequest::default()
        };
        self.ask_status(request).await.map(|_| ())
    }

    /// The messages that wait, oldest first, at most `count` if that is given; with a group the
    /// newest of its history (csp-im 7.3). They stay where they are.
    pub async fn waiting(
        &mut self,
        group: Option<&str>,
        count: Option<u32>,
    ) -> Result<Waiting, Error> {
        let request = GetMessageListRequest {
            group_id: group.map(Text::new),
            message_count: count,
        };
        match self.ask(request).await? {
            Primitive::GetMessageListResponse(response) => {
                let mut messages = response.message_info;
                let list = response.message_info_list;
                messages.extend(list.into_iter().flat_map(|list| list.message_info));
                Ok(Waiting {
                    messages,
                    total: response.message_total_count,
                })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Rejects messages that wait: their senders hear of it (csp-im 7.5). What some of them
    /// failed for; when all did, the answer is [`Error::Refused`].
    pub async fn reject(&mut self, ids: &[MessageId]) -> Result<Vec<Detail>, Error> {
        let request = RejectMessageRequest {
            message_id: ids.iter().map(|id| Text::new(id.as_str())).collect(),
        };
        Ok(self.ask_status(request).await?.details)
    }

    /// Hands a message that waits on to others, without fetching it (csp-im 7.6).
    pub async fn forward(
        &mut self,
        id: &MessageId,
        to: impl Into<Recipients>,
    ) -> Result<SendResult, Error> {
        let request = ForwardMessageRequest {
            message_id: Some(Text::new(id.as_str())),
            sender: None,
            recipient: Some(to.into().into_element()),
        };
        match self.ask(request).await? {
            Primitive::ForwardMessageResponse(response) => Ok(SendResult {
                code: StatusCode::OK,
                message_id: response.message_id.map(MessageId::new),
                details: Vec::new(),
            }),
            Primitive::Status(status) => {
                let result = Refusal::from(status.result);
                Ok(SendResult {
                    code: result.code,
                    message_id: None,
                    details: result.details,
                })
            }
            other => Err(unexpected(&other)),
        }
    }
}
