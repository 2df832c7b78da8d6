//! The Service Access Point: sessions, negotiation, transactions, transports, service relay.

#![forbid(unsafe_code)]
