//! Transports: HTTP (transport 3), and what carries the CIR channel (transport 6).

mod cir_line;
pub(crate) mod form_login;
pub(crate) mod gateway;
pub(crate) mod http;
pub(crate) mod listener;
pub(crate) mod recorder;
pub(crate) mod shttp;
mod stcp;
mod sudp;
mod unstoppable;
pub(crate) mod watch_io;
