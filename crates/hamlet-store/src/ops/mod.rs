//! The operations, by what they are about. Each file adds methods to [`Tx`](crate::Tx).

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod application;
pub(crate) mod authorization;
pub(crate) mod challenge;
pub(crate) mod contact_list;
pub(crate) mod content;
pub(crate) mod content_share;
pub(crate) mod counter;
pub(crate) mod group;
pub(crate) mod group_joined;
pub(crate) mod group_log;
pub(crate) mod group_member;
pub(crate) mod group_permission;
pub(crate) mod handling;
pub(crate) mod idempotence;
pub(crate) mod invitation;
pub(crate) mod invitation_code;
pub(crate) mod mailbox;
pub(crate) mod msisdn;
pub(crate) mod outbox;
pub(crate) mod presence;
pub(crate) mod profile;
pub(crate) mod push;
pub(crate) mod search;
pub(crate) mod search_cursor;
pub(crate) mod session;
pub(crate) mod subscription;
pub(crate) mod system_message;
pub(crate) mod user_profile;
pub(crate) mod watcher;

/// Most rows that one purge removes, so that it does not hold up other writes.
pub(crate) const PURGE: usize = 5000;
