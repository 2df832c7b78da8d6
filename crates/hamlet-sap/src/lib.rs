//! The Service Access Point: sessions, negotiation, transactions, transports, service relay.

#![forbid(unsafe_code)]

pub mod client_profile;
pub mod mapping;
pub mod trace;
