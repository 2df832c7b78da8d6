//! What the server sends on its own: polling for it, reading it, acknowledging it
//! (csp-access 2.4 and 5, csp-im 6 to 8).

use crate::authorization::AuthorizationRequest;
use crate::client::Client;
use crate::error::Error;
use crate::invitations::{Invitation, InvitationAnswer, InvitationWithdrawn};
use crate::presence::Presence;
use crate::refusal::Refusal;
use base64::Engine;
use hamlet_csp::elements::{
    ContentEncoding, CspResult, MessageDelivered, MessageInfo, NewMessage, Sender, Status,
    TransactionMode,
};
use hamlet_csp::{DateTime, Primitive, Text, Transaction};
use hamlet_model::{MessageId, StatusCode, TransactionId};
use std::time::Duration;
use tokio::time::Instant;

/// MessageIDs that are remembered to recognise a repeat.
const REMEMBERED: usize = 256;

/// Between polls of a client that is told when to poll.
const LONG: Duration = Duration::from_secs(600);

/// A server-initiated transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// NewMessage: a message in full.
    Message(Box<Message>),
    /// MessageNotification: a message that waits to be fetched.
    Notification(Box<Notification>),
    /// DeliveryReport-Request.
    DeliveryReport(Box<DeliveryReport>),
    /// PresenceNotification-Request.
    Presence(PresenceNotice),
    /// PresenceAuth-Request, or in 1.3 a notification that says the same: somebody asks to see
    /// the user's presence. Left to another client unless [`Client::shown`] says otherwise.
    Authorization(AuthorizationRequest),
    /// InviteUser-Request. Left to another client unless [`Client::shown`] says otherwise.
    Invitation(Box<Invitation>),
    /// Invite-Response: what an invitee says.
    InvitationAnswer(Box<InvitationAnswer>),
    /// CancelInviteUser-Request.
    InvitationWithdrawn(Box<InvitationWithdrawn>),
    /// The session is over. Not acknowledged.
    Disconnect(Refusal),
    /// Anything else; acknowledged by a Status 200.
    Other(Other),
}

/// A message as it was pushed.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Names the transaction that [`Client::acknowledge`] answers.
    pub transaction: Option<TransactionId>,
    /// The server's name of the message.
    pub id: Option<MessageId>,
    /// This client has received a message of this ID before: not to be shown again.
    pub repeated: bool,
    /// Sender, recipient, type, time.
    pub info: MessageInfo,
    /// The content as it travelled: text, or base64 when the encoding says so.
    pub data: String,
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Names the transaction that [`Client::acknowledge`] answers.
    pub transaction: Option<TransactionId>,
    /// What waits.
    pub info: MessageInfo,
}

/// The outcome of an earlier message.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryReport {
    /// Names the transaction that [`Client::acknowledge`] answers.
    pub transaction: Option<TransactionId>,
    /// 200: delivered. Else why not.
    pub result: Refusal,
    /// When.
    pub delivered: Option<DateTime>,
    /// Which message, and which recipient the report is about.
    pub info: MessageInfo,
}

/// Presence of users that this session has subscribed to.
#[derive(Debug, Clone, PartialEq)]
pub struct PresenceNotice {
    /// Names the transaction that [`Client::acknowledge`] answers.
    pub transaction: Option<TransactionId>,
    /// One for each user.
    pub presences: Vec<Presence>,
}

/// A transaction without a form of its own here.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// Names the transaction that [`Client::acknowledge`] answers.
    pub transaction: Option<TransactionId>,
    /// The primitive; `None` when it could not be read, which is acknowledged with an error.
    pub primitive: Option<Primitive>,
}

impl Client {
    /// The next server-initiated transaction: one that came with an earlier answer, else what
    /// a Polling-Request brings; `None` when nothing waits (csp-access 5.1).
    pub async fn poll(&mut self) -> Result<Option<Incoming>, Error> {
        if let Some(incoming) = self.received() {
            return Ok(Some(incoming));
        }
        let session = self.inband()?;
        let mut poll = Transaction::request("", Primitive::PollingRequest);
        // Present and empty, as the examples have it; older clients leave it out.
        poll.id = Some(Text::default());
        let answer = self.exchange(session, poll).await?;
        self.last_poll = Some(Instant::now());
        let Some(message) = answer else {
            self.poll_flag = false;
            return Ok(None);
        };
        for transaction in message.transactions {
            self.take_transaction(transaction)?;
        }
        Ok(self.received())
    }

    /// What has arrived with the answers to other requests, without asking the server.
    pub fn received(&mut self) -> Option<Incoming> {
        let incoming = self.inbox.pop_front()?;
        if matches!(incoming, Incoming::Disconnect(_)) {
            self.end_session();
        }
        Some(incoming)
    }

    /// Waits for a server-initiated transaction, at most `patience`: polls at the agreed
    /// interval, at once when the newest Poll flag was T or the server says so by the channel of
    /// [`crate::Builder::wake_up`], and once at the start. Polls keep the session alive, so no
    /// keep-alive is needed meanwhile.
    ///
    /// When the future is dropped during a poll, what that poll would have brought comes again
    /// after the server's guard time.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<Incoming>, Error> {
        let deadline = Instant::now() + patience;
        loop {
            let due = match self.last_poll {
                Some(last) if !self.poll_flag => last + self.wait_between_polls(),
                _ => Instant::now(),
            };
            if self.inbox.is_empty() && due > Instant::now() {
                match self.told_until(due.min(deadline)).await {
                    Some(true) => {}
                    Some(false) => continue,
                    None if due > deadline => return Ok(None),
                    None => {}
                }
            }
            if let Some(incoming) = self.poll().await? {
                return Ok(Some(incoming));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
        }
    }

    /// What the server's channel says before this moment ([`WakeUp::told`]); nothing without one.
    ///
    /// [`WakeUp::told`]: crate::wake_up::WakeUp::told
    async fn told_until(&mut self, moment: Instant) -> Option<bool> {
        let Some(wake_up) = &mut self.wake_up else {
            tokio::time::sleep_until(moment).await;
            return None;
        };
        tokio::time::timeout_at(moment, wake_up.told()).await.ok()
    }

    /// The agreed interval, or less where the session would not live that long without a word,
    /// or a long time where the server says of itself when to poll.
    fn wait_between_polls(&self) -> Duration {
        let interval = match &self.wake_up {
            Some(wake_up) if wake_up.is_live() => LONG,
            _ => self.poll_interval(),
        };
        match self.keep_alive_due().zip(self.last_request) {
            Some((due, last)) => interval.min(due.saturating_duration_since(last)),
            None => interval,
        }
    }

    /// Answers a server-initiated transaction: a message with MessageDelivered, anything else
    /// with Status 200; but an invitation, and a question whom to let see the user's presence,
    /// are left to a client that can put them to him (501), unless [`Client::shown`] answers.
    /// The answer may carry the next transaction, which [`Client::received`],
    /// [`Client::poll`] and [`Client::next`] then hand out.
    pub async fn acknowledge(&mut self, incoming: &Incoming) -> Result<(), Error> {
        let answer: Primitive = match incoming {
            Incoming::Disconnect(_) => return Ok(()),
            Incoming::Message(message) => match &message.id {
                Some(id) => MessageDelivered {
                    message_id: Some(Text::new(id.as_str())),
                }
                .into(),
                None => status(StatusCode::BAD_REQUEST),
            },
            Incoming::Other(Other {
                primitive: None, ..
            }) => status(StatusCode::BAD_REQUEST),
            Incoming::Authorization(_) | Incoming::Invitation(_) => {
                status(StatusCode::NOT_IMPLEMENTED)
            }
            _ => status(StatusCode::OK),
        };
        self.respond(incoming, answer).await
    }

    /// Says that the user has been shown an invitation or a question (200): clients that come
    /// later do not get it again. What he decides is told by [`Client::answer_invitation`],
    /// [`Client::authorize`] and [`Client::deny`].
    pub async fn shown(&mut self, incoming: &Incoming) -> Result<(), Error> {
        self.respond(incoming, status(StatusCode::OK)).await
    }

    /// Answers a server-initiated transaction with a code: an error leaves a message with the
    /// server (csp-access 2.4).
    pub async fn refuse(&mut self, incoming: &Incoming, code: StatusCode) -> Result<(), Error> {
        self.respond(incoming, status(code)).await
    }

    /// Answers a server-initiated transaction with any primitive.
    pub async fn respond(
        &mut self,
        incoming: &Incoming,
        answer: impl Into<Primitive>,
    ) -> Result<(), Error> {
        let Some(id) = incoming.transaction() else {
            return Ok(());
        };
        let session = self.inband()?;
        let response = Transaction::response(id.as_str(), answer);
        let answered = self.exchange(session, response).await?;
        for transaction in answered.into_iter().flat_map(|m| m.transactions) {
            self.take_transaction(transaction)?;
        }
        Ok(())
    }

    /// A transaction that came where no answer was due: the server's own request, or a Status
    /// that says what was wrong.
    fn take_transaction(&mut self, transaction: Transaction) -> Result<(), Error> {
        if transaction.mode == TransactionMode::Response
            && let Ok(Primitive::Status(answer)) = &transaction.content
        {
            let Some(code) = crate::client::refusal(answer.result.as_ref()) else {
                return Ok(());
            };
            let refusal = Refusal::from(answer.result.clone());
            if crate::client::ends_session(code) {
                self.end_session();
                return Err(Error::SessionEnded(refusal));
            }
            return Err(Error::Refused(refusal));
        }
        self.receive(transaction);
        Ok(())
    }

    /// Puts a server-initiated transaction into the inbox.
    pub(crate) fn receive(&mut self, transaction: Transaction) {
        let id = transaction
            .id
            .filter(|id| !id.is_empty())
            .map(TransactionId::new);
        let incoming = match transaction.content {
            Ok(Primitive::NewMessage(message)) => {
                Incoming::Message(Box::new(self.message(id, *message)))
            }
            Ok(Primitive::MessageNotification(notice)) => {
                Incoming::Notification(Box::new(Notification {
                    transaction: id,
                    info: notice.message_info.unwrap_or_default(),
                }))
            }
            Ok(Primitive::DeliveryReportRequest(report)) => {
                Incoming::DeliveryReport(Box::new(DeliveryReport {
                    transaction: id,
                    result: Refusal::from(report.result),
                    delivered: report.delivery_time,
                    info: report.message_info.unwrap_or_default(),
                }))
            }
            Ok(Primitive::PresenceNotificationRequest(notice)) => {
                Incoming::Presence(PresenceNotice {
                    transaction: id,
                    presences: notice.presence.into_iter().map(Presence::from).collect(),
                })
            }
            Ok(Primitive::PresenceAuthRequest(request)) => {
                Incoming::Authorization(AuthorizationRequest::asked(id, *request))
            }
            Ok(Primitive::InviteUserRequest(request)) => {
                Incoming::Invitation(Box::new(Invitation::of(id, *request)))
            }
            Ok(Primitive::InviteResponse(answer)) => {
                Incoming::InvitationAnswer(Box::new(InvitationAnswer::of(id, *answer)))
            }
            Ok(Primitive::CancelInviteUserRequest(request)) => {
                Incoming::InvitationWithdrawn(Box::new(InvitationWithdrawn::of(id, *request)))
            }
            Ok(Primitive::NotificationRequest(notification)) => {
                match AuthorizationRequest::told(id.clone(), &notification) {
                    Some(request) => Incoming::Authorization(request),
                    None => Incoming::Other(Other {
                        transaction: id,
                        primitive: Some(Primitive::NotificationRequest(notification)),
                    }),
                }
            }
            Ok(Primitive::Disconnect(disconnect)) => {
                Incoming::Disconnect(Refusal::from(disconnect.result))
            }
            Ok(primitive) => Incoming::Other(Other {
                transaction: id,
                primitive: Some(primitive),
            }),
            Err(fault) => {
                tracing::warn!(%fault, "a request of the server cannot be read");
                Incoming::Other(Other {
                    transaction: id,
                    primitive: None,
                })
            }
        };
        self.inbox.push_back(incoming);
    }

    /// Reads a message and remembers its ID.
    pub(crate) fn message(
        &mut self,
        transaction: Option<TransactionId>,
        message: NewMessage,
    ) -> Message {
        let info = message.message_info.unwrap_or_default();
        let repeated = match &info.message_id {
            Some(id) if self.seen.contains(id) => true,
            Some(id) => {
                self.seen.push_back(id.clone());
                if self.seen.len() > REMEMBERED {
                    self.seen.pop_front();
                }
                false
            }
            None => false,
        };
        Message {
            transaction,
            id: info.message_id.as_ref().map(MessageId::new),
            repeated,
            info,
            data: message
                .content_data
                .map(hamlet_csp::ContentData::into_text)
                .unwrap_or_default(),
        }
    }
}

impl Incoming {
    /// The server's TransactionID; `None` for what is not answered.
    pub fn transaction(&self) -> Option<&TransactionId> {
        match self {
            Self::Message(message) => message.transaction.as_ref(),
            Self::Notification(notice) => notice.transaction.as_ref(),
            Self::DeliveryReport(report) => report.transaction.as_ref(),
            Self::Presence(notice) => notice.transaction.as_ref(),
            Self::Authorization(request) => request.transaction.as_ref(),
            Self::Invitation(invitation) => invitation.transaction.as_ref(),
            Self::InvitationAnswer(answer) => answer.transaction.as_ref(),
            Self::InvitationWithdrawn(withdrawn) => withdrawn.transaction.as_ref(),
            Self::Other(other) => other.transaction.as_ref(),
            Self::Disconnect(_) => None,
        }
    }
}

impl Message {
    /// The content as text; base64 is decoded, octets that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        match self.is_base64() {
            true => String::from_utf8_lossy(&self.octets()).into_owned(),
            false => self.data.clone(),
        }
    }

    /// The content's octets; base64 that cannot be decoded stays as it is.
    pub fn octets(&self) -> Vec<u8> {
        let text: String = self
            .data
            .chars()
            .filter(|character| !character.is_ascii_whitespace())
            .collect();
        match self.is_base64() {
            true => base64::engine::general_purpose::STANDARD
                .decode(text)
                .unwrap_or_else(|_| self.data.clone().into_bytes()),
            false => self.data.clone().into_bytes(),
        }
    }

    /// The user or the screen name in a group that sent it.
    pub fn sender(&self) -> Option<String> {
        named(self.info.sender.as_ref())
    }

    /// MIME type; `text/plain` when none is given.
    pub fn content_type(&self) -> &str {
        self.info.content_type.as_deref().unwrap_or("text/plain")
    }

    fn is_base64(&self) -> bool {
        self.info.content_encoding == Some(ContentEncoding::Base64)
    }
}

impl DeliveryReport {
    /// The message that it is about.
    pub fn message_id(&self) -> Option<MessageId> {
        self.info.message_id.as_ref().map(MessageId::new)
    }
}

impl Notification {
    /// The message, for [`Client::fetch`].
    pub fn message_id(&self) -> Option<MessageId> {
        self.info.message_id.as_ref().map(MessageId::new)
    }

    /// The user or the screen name in a group that sent it.
    pub fn sender(&self) -> Option<String> {
        named(self.info.sender.as_ref())
    }
}

/// A user, a screen name, or a group.
pub(crate) fn named(sender: Option<&Sender>) -> Option<String> {
    let sender = sender?;
    if let Some(user) = sender.user.as_ref().and_then(|user| user.user_id.as_ref()) {
        return Some(user.to_string());
    }
    let group = sender.group.as_ref()?;
    match (&group.screen_name, &group.group_id) {
        (Some(name), _) => name.sname.as_ref().map(Text::to_string),
        (None, Some(id)) => Some(id.to_string()),
        (None, None) => None,
    }
}

fn status(code: StatusCode) -> Primitive {
    Status {
        result: Some(CspResult {
            code: Some(code.0.into()),
            ..CspResult::default()
        }),
        client_id: None,
    }
    .into()
}
