//! Sending messages, and fetching those that were announced (csp-im 5 and 7).

use crate::client::{Client, refusal, unexpected};
use crate::error::Error;
use crate::incoming::Message;
use crate::login::seconds;
use crate::refusal::{Detail, Refusal, code_of_user};
use base64::Engine;
use hamlet_csp::elements::{
    ContentEncoding, GetMessageRequest, Group, MessageDelivered, MessageInfo, NewMessage,
    Recipient, ScreenName, SendMessageRequest, Sender, User,
};
use hamlet_csp::{ContentData, DateTime, Primitive, Text, Version};
use hamlet_model::{MessageId, StatusCode, Timestamp};
use std::time::Duration;

/// Whom a message is for. A single text is the address of a user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recipients(Recipient);

/// A message to send. A single text is plain text.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    content_type: Option<Text>,
    data: Data,
    name: Option<Text>,
    report: bool,
    validity: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq)]
enum Data {
    Text(String),
    Octets(Vec<u8>),
}

/// What became of a message at the server: 200, 201 with details, or 202.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendResult {
    /// 200, 201 or 202.
    pub code: StatusCode,
    /// The server's name of the message.
    pub message_id: Option<MessageId>,
    /// Recipients that failed, with 201.
    pub details: Vec<Detail>,
}

impl Client {
    /// Sends a message. When every recipient failed the answer is [`Error::Refused`], with
    /// the same details.
    pub async fn send(
        &mut self,
        to: impl Into<Recipients>,
        message: impl Into<Outgoing>,
    ) -> Result<SendResult, Error> {
        let request = self.send_request(to.into(), message.into());
        match self.ask(request).await? {
            Primitive::SendMessageResponse(response) => {
                if refusal(response.result.as_ref()).is_some() {
                    return Err(Error::Refused(Refusal::from(response.result)));
                }
                let result = Refusal::from(response.result);
                Ok(SendResult {
                    code: result.code,
                    message_id: response.message_id.map(MessageId::new),
                    details: result.details,
                })
            }
            // Some servers answer with a bare success.
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

    /// Fetches a message that was announced (csp-im 7.2). It stays with the server until
    /// [`Client::confirm`].
    pub async fn fetch(&mut self, id: &MessageId) -> Result<Message, Error> {
        let request = GetMessageRequest {
            message_id: Some(Text::new(id.as_str())),
        };
        match self.ask(request).await? {
            Primitive::GetMessageResponse(response) => Ok(self.message(
                None,
                NewMessage {
                    message_info: response.message_info,
                    content_data: response.content_data,
                },
            )),
            other => Err(unexpected(&other)),
        }
    }

    /// Confirms a fetched message, which the server then forgets (csp-im 7.2).
    pub async fn confirm(&mut self, id: &MessageId) -> Result<(), Error> {
        let request = MessageDelivered {
            message_id: Some(Text::new(id.as_str())),
        };
        self.ask_status(request).await.map(|_| ())
    }

    /// The SendMessage-Request that [`Client::send`] would send now.
    pub fn send_request(&self, to: Recipients, message: Outgoing) -> SendMessageRequest {
        let (data, encoding, size) = match message.data {
            Data::Text(text) => {
                let size = text.len();
                (text, None, size)
            }
            Data::Octets(octets) => (
                base64::engine::general_purpose::STANDARD.encode(&octets),
                Some(ContentEncoding::Base64),
                octets.len(),
            ),
        };
        let name = message.name.filter(|_| self.version() == Version::V1_3);
        SendMessageRequest {
            delivery_report: Some(message.report),
            message_info: Some(MessageInfo {
                content_type: message.content_type,
                content_encoding: encoding,
                content_size: Some(u32::try_from(size).unwrap_or(u32::MAX)),
                content_name: name,
                recipient: Some(to.0),
                sender: Some(Sender {
                    user: Some(User {
                        user_id: Some(self.config.user.clone()),
                        ..User::default()
                    }),
                    group: None,
                }),
                date_time: Some(DateTime::from_timestamp(Timestamp::now())),
                validity: message.validity.map(seconds),
                ..MessageInfo::default()
            }),
            content_data: Some(ContentData::Text(data)),
        }
    }
}

impl Recipients {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn into_element(self) -> Recipient {
        self.0
    }

    /// And this user.
    pub fn user(mut self, user: impl AsRef<str>) -> Self {
        self.0.user.push(User {
            user_id: Some(Text::new(user)),
            ..User::default()
        });
        self
    }

    /// And everybody in this contact list of the sender.
    pub fn contact_list(mut self, list: impl AsRef<str>) -> Self {
        self.0.contact_list.push(Text::new(list));
        self
    }

    /// And everybody in this group.
    pub fn group(mut self, group: impl AsRef<str>) -> Self {
        self.0.group.push(Group {
            group_id: Some(Text::new(group)),
            screen_name: None,
        });
        self
    }

    /// And this one in a group.
    pub fn screen_name(mut self, name: impl AsRef<str>, group: impl AsRef<str>) -> Self {
        self.0.group.push(Group {
            group_id: None,
            screen_name: Some(ScreenName {
                sname: Some(Text::new(name)),
                group_id: Some(Text::new(group)),
            }),
        });
        self
    }
}

impl From<&str> for Recipients {
    fn from(user: &str) -> Self {
        Self::new().user(user)
    }
}

impl From<&String> for Recipients {
    fn from(user: &String) -> Self {
        Self::new().user(user)
    }
}

impl From<String> for Recipients {
    fn from(user: String) -> Self {
        Self::new().user(user)
    }
}

impl Outgoing {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            content_type: Some(Text::new("text/plain")),
            data: Data::Text(text.into()),
            name: None,
            report: false,
            validity: None,
        }
    }

    /// Content of any type; it travels in base64.
    pub fn octets(content_type: impl AsRef<str>, octets: impl Into<Vec<u8>>) -> Self {
        Self {
            data: Data::Octets(octets.into()),
            ..Self::text("").content_type(content_type)
        }
    }

    /// The MIME type.
    pub fn content_type(mut self, content_type: impl AsRef<str>) -> Self {
        self.content_type = Some(Text::new(content_type));
        self
    }

    /// File name of the content (1.3).
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.name = Some(Text::new(name));
        self
    }

    /// Asks for a delivery report.
    pub fn report(mut self, wanted: bool) -> Self {
        self.report = wanted;
        self
    }

    /// How long the message is worth delivering; the server's default if not set.
    pub fn validity(mut self, span: Duration) -> Self {
        self.validity = Some(span);
        self
    }
}

impl From<&str> for Outgoing {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Outgoing {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl SendResult {
    /// The code that a recipient failed with; `None` for one that the message was accepted for.
    pub fn code_of_user(&self, user: &str) -> Option<StatusCode> {
        code_of_user(&self.details, user)
    }
}
