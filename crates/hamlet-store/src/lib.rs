//! Durable state: SQLite by default, PostgreSQL beside it, behind one set of operations.
//!
//! [`Store`] runs closures in transactions; the methods of [`Tx`] are what they may do. A
//! write is answered after its commit is durable; on SQLite all writes that wait share one
//! commit. What the data mean is the caller's business, and nobody else knows SQL.

#![forbid(unsafe_code)]

mod config;
mod error;
mod job;
mod metrics;
mod migrate;
mod ops;
mod postgres;
mod row;
mod sqlite;
mod store;
mod tx;

pub use config::{StoreConfig, StoreUrl};
pub use error::StoreError;
pub use metrics::StoreMetrics;
pub use migrate::SCHEMA_VERSION;
pub use ops::access::AccessProbe;
pub use ops::account::{Account, AccountStatus};
pub use ops::authorization::{
    AttributeList, AttributeTarget, ReactiveAuthorization, ReactiveState,
};
pub use ops::challenge::Challenge;
pub use ops::contact_list::{ContactList, Member};
pub use ops::content::{ContentPut, ContentQuota, ContentUsage, StoredContent};
pub use ops::group::StoredGroup;
pub use ops::group_joined::{GroupListener, GroupPresence, StoredJoined};
pub use ops::group_log::{GroupCursor, GroupLogEntry, JoinedSession, LogPolicy};
pub use ops::group_member::StoredMember;
pub use ops::group_permission::GroupPermission;
pub use ops::handling::{MAX_HANDLINGS, MailboxCopy, OfflineWish};
pub use ops::idempotence::Remembered;
pub use ops::invitation::{InvitationState, StoredInvitation};
pub use ops::invitation_code::InvitationCode;
pub use ops::mailbox::{MAX_REPORTS, MailboxEntry, MailboxKind, Put, Quota};
pub use ops::outbox::{NewOutboxEntry, OutboxEntry};
pub use ops::presence::StoredAttribute;
pub use ops::push::StoredPush;
pub use ops::search::groups::{GroupCriterion, GroupText};
pub use ops::search::{Criterion, Found, Search, SearchedText};
pub use ops::search_cursor::SearchCursor;
pub use ops::session::StoredSession;
pub use ops::subscription::{Subscriber, Subscription};
pub use ops::system_message::{StoredSystemMessage, SystemMessageState, SystemMessageUser};
pub use ops::user_profile::{MAX_TERMINALS, Terminal};
pub use ops::watcher::FormerWatcher;
pub use store::Store;
pub use tx::Tx;
