//! What the protocol asks of a server, by area and clause.

mod chat;
mod contact_lists;
mod delivery;
mod http;
mod login;
mod presence;
mod profile;
mod random_input;
mod search;
mod sessions;
mod transactions;
