//! The service elements: Presence (with contact lists), Instant Messaging, Group and Content;
//! and the common features that need no wire: search, profiles, verification of identifiers,
//! invitations.
//!
//! Pure service: called with a requestor and a request, an element answers a response or a
//! refusal and tells others by events. It knows neither protocol version nor syntax nor
//! socket, and not whether a request came by CSP or from another domain.
//! (Architecture document 5.3.2, 5.3.3, 5.3.6; docs/protocol csp-presence, csp-im, csp-access 9 and 11.)

#![forbid(unsafe_code)]

pub mod authorization;
pub mod blocking;
pub mod contact_list;
pub mod content;
mod directory;
pub mod elements;
mod failure;
pub mod group;
pub mod im;
pub mod invitation;
pub mod locate;
pub mod notification;
mod once;
pub mod outbox;
pub mod presence;
pub mod profile;
pub mod push;
mod router;
pub mod search;
pub mod service;
pub mod system_message;
pub mod verify;

pub use elements::{Elements, ElementsConfig, PresenceHome, SessionFacts};
pub use outbox::OutboxItem;
pub use service::{
    Answer, Call, Event, Events, IdempotenceKey, Outcome, Request, Requestor, Response,
    ServiceElement, ServiceRelay,
};
