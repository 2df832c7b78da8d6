//! What the server tells clients by itself (csp-access 2.4, 5; csp-im 6, 10).
//!
//! Messages and reports live in the mailbox of their user ([`mailbox`]) until they are
//! acknowledged; which session gets one is decided when it is handed out ([`hand_out`]).
//! What is said in a group lies once in its log ([`group_log`]), with a cursor for each joined
//! session ([`group_joined`]).
//! What a client cannot be sent, and is not told of, may be a link away ([`links`]).
//! Presence waits in the queue of its session ([`outbound`]), and so does what else the
//! server asks ([`pushes`]), which the store may hold for those who are not here.

pub(crate) mod acknowledge;
pub(crate) mod adapt;
pub(crate) mod decide;
pub(crate) mod events;
pub(crate) mod group_cursors;
pub(crate) mod group_joined;
pub(crate) mod group_log;
pub(crate) mod group_out;
pub(crate) mod hand_out;
pub(crate) mod links;
pub(crate) mod mailbox;
pub(crate) mod notices;
pub(crate) mod numbers;
pub(crate) mod outbound;
pub(crate) mod pull;
pub(crate) mod pushes;
pub(crate) mod settling;
