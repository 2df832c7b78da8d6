//! The Instant Messaging Service Element (architecture document 5.3.3; csp-im).

mod acknowledge;
mod applications;
mod deliver;
mod due;
mod expire;
mod forward;
mod group_deliver;
mod group_history;
mod group_message;
mod group_send;
mod group_sender;
mod group_trim;
mod group_types;
mod handling;
mod history;
mod holder;
mod mailbox;
mod message_id;
mod outside;
mod recipients;
mod record;
mod reject;
mod report;
mod rooms;
mod select;
mod send;
mod sender;
mod types;

pub use acknowledge::Acknowledged;
pub(crate) use due::NextExpiry;
pub(crate) use expire::EXPIRE_BATCH;
pub(crate) use group_history::{check_joined, history, history_message};
pub use group_message::GroupMessage;
pub(crate) use group_sender::MessageSender;
pub use group_trim::GroupTalkConfig;
pub use group_types::DeliverGroupMessage;
pub use hamlet_store::{GroupCursor, JoinedSession};
pub(crate) use mailbox::{Stored, conclude_entry};
pub(crate) use message_id::MessageIds;
pub(crate) use recipients::Resolved;
pub use record::{MessageEvent, MessageRecord};
pub(crate) use report::report_late_failures;
pub(crate) use rooms::Rooms;
pub use select::{addresses, choose_sessions};
pub(crate) use sender::check_sender;
pub use types::{
    Accepted, DeliverMessage, DeliveryReport, ForwardMessage, GetHistory, History, ImConfig,
    MailboxItem, OfflineHandling, OnlineHandling, OutsideMessage, RejectMessages, SendMessage,
    SessionView, Waiting,
};
