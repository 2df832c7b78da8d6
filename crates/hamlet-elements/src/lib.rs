//! The service elements: Presence (with contact lists) and Instant Messaging.

#![forbid(unsafe_code)]
