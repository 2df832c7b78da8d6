//! The service access point over real sockets.

mod chat;
mod cir;
mod delivery;
mod groups;
mod http;
mod relay;
mod sessions;
mod support;
