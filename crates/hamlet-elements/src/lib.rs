//! The service elements: Presence (with contact lists) and Instant Messaging.
//!
//! Pure service: called with a requestor and a request, an element answers a response or a
//! refusal and tells others by events. It knows neither protocol version nor syntax nor
//! socket, and not whether a request came by CSP or from another domain.
//! (Architecture document 5.3.2, 5.3.3; docs/protocol csp-presence, csp-im.)

#![forbid(unsafe_code)]

pub mod contact_list;
mod directory;
pub mod elements;
mod failure;
pub mod im;
mod once;
pub mod outbox;
pub mod presence;
mod router;
pub mod service;

pub use elements::{Elements, ElementsConfig, PresenceHome, SessionFacts};
pub use outbox::OutboxItem;
pub use service::{
    Answer, Call, Event, Events, IdempotenceKey, Outcome, Request, Requestor, Response,
    ServiceElement, ServiceRelay,
};
