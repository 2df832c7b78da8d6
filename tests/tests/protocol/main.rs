//! What the protocol asks of a server, by area and clause.

mod blocking;
mod chat;
mod checks;
mod cir;
mod contact_lists;
mod delivery;
mod handling;
mod http;
mod invitations;
mod login;
mod maps;
mod notifications;
mod presence;
mod profile;
mod random_input;
mod registration;
mod search;
mod segmentation;
mod sessions;
mod system_messages;
mod transactions;
