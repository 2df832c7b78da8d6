//! The client against a server that answers bytes.

mod chat;
mod login;
mod server;
mod wake_up;
