//! The service access point over real sockets.

mod chat;
mod delivery;
mod http;
mod relay;
mod sessions;
mod support;
