//! The Instant Messaging Service Element (architecture document 5.3.3; csp-im).

mod select;
mod types;

pub use select::choose_sessions;
pub use types::{
    Accepted, DeliverMessage, DeliveryReport, ImConfig, MailboxItem, MailboxKey, OnlineHandling,
    SendMessage, SessionView,
};
