//! The Instant Messaging Service Element (architecture document 5.3.3; csp-im).

mod applications;
mod deliver;
mod due;
mod expire;
mod handling;
mod mailbox;
mod message_id;
mod recipients;
mod record;
mod report;
mod select;
mod send;
mod sender;
mod types;

pub(crate) use due::NextExpiry;
pub(crate) use expire::EXPIRE_BATCH;
pub(crate) use mailbox::{Stored, conclude_entry};
pub(crate) use message_id::MessageIds;
pub(crate) use recipients::Resolved;
pub use record::{MessageEvent, MessageRecord};
pub(crate) use report::report_late_failures;
pub use select::choose_sessions;
pub(crate) use sender::check_sender;
pub use types::{
    Accepted, DeliverMessage, DeliveryReport, ImConfig, MailboxItem, OfflineHandling,
    OnlineHandling, SendMessage, SessionView, Waiting,
};
