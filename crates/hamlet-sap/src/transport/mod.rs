//! Transports. Today HTTP (transport 3).

pub(crate) mod http;
pub(crate) mod listener;
pub(crate) mod recorder;
mod unstoppable;
pub(crate) mod watch_io;
