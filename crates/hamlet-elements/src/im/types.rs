//! What the Instant Messaging element is asked and answers (csp-im 2, 5, 8).

use crate::service::Outcome;
use hamlet_model::message::{Extension, Font};
use hamlet_model::{
    ClientId, Content, Elsewhere, GroupId, Message, MessageId, MessageParty, Recipients, SessionId,
    StatusCode, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// A message as its sender submits it (csp-im 5.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendMessage {
    /// Who the sender says he is; `None` when he leaves it to the server (csp-im 5.3 item 3).
    pub sender: Option<MessageParty>,
    /// For whom.
    pub recipients: Recipients,
    /// The content.
    pub content: Content,
    /// Original file name (1.3).
    pub content_name: Option<String>,
    /// Where the content can be fetched instead.
    pub uri: Option<String>,
    /// What is known of content that is only there.
    pub elsewhere: Option<Elsewhere>,
    /// When, by the clock of the sender.
    pub sent: Option<Timestamp>,
    /// Life of the message.
    pub validity: Option<Duration>,
    /// Rendering hint (1.3).
    pub font: Option<Font>,
    /// End-to-end extensions inside MessageInfo (1.3).
    pub extensions: Vec<Extension>,
    /// Extensions beside the primitive that travel end to end (csp-im 12.3).
    pub transaction_extensions: Vec<Extension>,
    /// A delivery report is wanted.
    pub report: bool,
}

/// A message for users of this domain, accepted by the domain of its sender.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliverMessage {
    /// The message; its `recipient` is not meaningful.
    pub message: Message,
    /// The recipients here.
    pub recipients: Vec<MessageParty>,
    /// The client that sent it: a message to a group does not come back to it.
    #[serde(default)]
    pub client: Option<ClientId>,
}

/// Answer to SendMessage and DeliverMessage: accepted for at least one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its identifier.
    pub message_id: MessageId,
    /// For whom it was not accepted.
    pub outcome: Outcome,
}

/// A message that waits in another system, as the gateway to that announces it (csp-im 7.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideMessage {
    /// For whom it waits.
    pub user: UserId,
    /// How the gateway names it: announced again under this name it is the same message. 1 to 40
    /// letters, digits, `-`, `.` and `_`.
    pub id: Option<String>,
    /// Who sent it, as an address of IMPS.
    pub sender: UserId,
    /// Where the user finds it.
    pub uri: String,
    /// Its MIME type; `None` is plain text.
    pub content_type: Option<String>,
    /// Its size, octets.
    pub size: u32,
    /// Its subject, or the name of its file.
    pub name: Option<String>,
    /// When it was sent; `None` is now.
    pub sent: Option<Timestamp>,
    /// For how long it is worth telling of it.
    pub life: Duration,
}

/// Messages that wait for the requestor and that he does not want (csp-im 7.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectMessages {
    /// Which.
    pub messages: Vec<MessageId>,
}

/// A message that waits for the requestor goes to others instead (csp-im 7.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardMessage {
    /// Which.
    pub message: MessageId,
    /// Who the requestor says he is (1.3).
    pub sender: Option<MessageParty>,
    /// To whom.
    pub recipients: Recipients,
}

/// The messages that a group remembers (csp-im 7.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetHistory {
    /// The group.
    pub group: GroupId,
    /// The newest so many; `None` for all.
    pub newest: Option<usize>,
}

/// Answer to GetHistory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Messages to the whole group, oldest first. Sender is a screen name, recipient the group.
    pub messages: Vec<Message>,
    /// How many there are in all.
    pub total: usize,
}

/// The outcome of a message for one recipient, addressed to its sender (csp-im 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReport {
    /// The message.
    pub message_id: MessageId,
    /// What became of it.
    pub code: StatusCode,
    /// When it was delivered, if it was.
    pub delivered: Option<Timestamp>,
    /// The original sender.
    pub sender: MessageParty,
    /// The client that sent the message: its session gets the report if it has one.
    pub origin: Option<ClientId>,
    /// The recipient that this report is about.
    pub recipient: MessageParty,
    /// Type of the content.
    pub content_type: Option<String>,
    /// Size of the content, octets.
    pub content_size: usize,
    /// When the message was sent.
    pub sent: Timestamp,
    /// When the report stops being worth delivering.
    pub expires: Timestamp,
}

/// What waits in a mailbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MailboxItem {
    /// A message for the user.
    Message(Box<Message>),
    /// The outcome of a message that he sent.
    Report(Box<DeliveryReport>),
}

/// What the choice of sessions needs to know of one session of the recipient (csp-im 10.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub id: SessionId,
    /// Its client.
    pub client: ClientId,
    /// Its application.
    pub application: Option<hamlet_model::ApplicationId>,
    /// It is that application itself, and so gets what is for its account too.
    pub own: bool,
    /// SessionPriority; larger is preferred, 0 for 1.1 and 1.2.
    pub priority: u32,
    /// When its user last did something by himself.
    pub active: Timestamp,
    /// Whether it takes the content of the message in question.
    pub accepts: bool,
}

/// How messages are spread over several sessions (OnlineETEMHandling, csp-im 10.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OnlineHandling {
    /// The server decides: highest priority, then latest activity.
    #[default]
    ServerLogic,
    /// A copy for every session.
    ForkAll,
    /// The session that was active last.
    Detect,
}

/// What to do with a message while those whom it is addressed to are not online
/// (OfflineETEMHandling, csp-im 10.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OfflineHandling {
    /// Refuse it (533).
    Reject,
    /// Send it over another bearer; if that cannot be, refuse it.
    SendReject,
    /// Send it over another bearer; if that cannot be, store it.
    #[default]
    SendStore,
    /// Give it to the user's session of the highest priority; without one, refuse it.
    PriorityReject,
    /// Give it to the user's session of the highest priority; without one, store it.
    PriorityStore,
}

/// All that waits for a user, and how it is spread over his sessions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Waiting {
    /// What nobody has yet, oldest first.
    pub items: Vec<Arc<MailboxItem>>,
    /// What one of his clients has, with those that still get it, oldest first.
    pub copies: Vec<(Arc<MailboxItem>, Vec<ClientId>)>,
    /// How it is spread.
    pub handling: OnlineHandling,
}

/// Limits of the element (csp-im 9).
#[derive(Debug, Clone)]
pub struct ImConfig {
    /// Life of a message without Validity.
    pub default_validity: Duration,
    /// Longest life of a message.
    pub max_validity: Duration,
    /// Most messages that wait for one user.
    pub max_waiting: u32,
    /// Most octets of content that wait for one user.
    pub max_waiting_bytes: u64,
    /// Largest content of one message, octets after transfer encoding.
    pub max_content: usize,
    /// Most entities of a block or grant list.
    pub max_access_entities: usize,
    /// Whom a recipient blocks is not told so: 200, and nothing is delivered (csp-im 11.4).
    pub silent_blocking: bool,
    /// Most recipients of one message, after contact lists have been expanded.
    pub max_recipients: usize,
    /// How long the sender's answer waits for the answer of another domain.
    pub foreign_wait: Duration,
}

impl Default for ImConfig {
    fn default() -> Self {
        Self {
            default_validity: Duration::from_secs(7 * 86_400),
            max_validity: Duration::from_secs(28 * 86_400),
            max_waiting: 1000,
            max_waiting_bytes: 64 << 20,
            max_content: 512 << 10,
            max_access_entities: 1000,
            silent_blocking: false,
            max_recipients: 1000,
            foreign_wait: Duration::from_secs(10),
        }
    }
}

impl MailboxItem {
    /// Names the entry in its mailbox: the MessageID; for reports with the recipient.
    pub fn id(&self) -> String {
        match self {
            Self::Message(message) => message.id.to_string(),
            Self::Report(report) => report.entry_id(),
        }
    }

    /// When it stops being worth delivering.
    pub fn expires(&self) -> Timestamp {
        match self {
            Self::Message(message) => message.expires,
            Self::Report(report) => report.expires,
        }
    }
}

impl DeliveryReport {
    /// Names it in the mailbox of the sender.
    pub(crate) fn entry_id(&self) -> String {
        let recipient = match &self.recipient {
            MessageParty::User { user, .. } => user.to_string(),
            MessageParty::Group(group) => group.to_string(),
            MessageParty::ScreenName { name, group } => format!("{name}|{group}"),
        };
        format!("{}|{recipient}", self.message_id)
    }
}
