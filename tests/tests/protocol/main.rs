//! What the protocol asks of a server, by area and clause.

mod chat;
mod checks;
mod cir;
mod contact_lists;
mod content;
mod delivery;
mod forward;
mod http;
mod invitations;
mod library;
mod login;
mod maps;
mod notifications;
mod outside;
mod presence;
mod profile;
mod pull;
mod random_input;
mod registration;
mod search;
mod segmentation;
mod sessions;
mod system_messages;
mod transactions;
