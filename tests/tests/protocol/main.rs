//! What the protocol asks of a server, by area and clause.

mod chat;
mod checks;
mod cir;
mod contact_list_effects;
mod contact_lists;
mod delivery;
mod http;
mod invitations;
mod login;
mod maps;
mod notifications;
mod presence;
mod presence_attributes;
mod presence_clients;
mod presence_network;
mod presence_notices;
mod presence_sessions;
mod profile;
mod random_input;
mod registration;
mod search;
mod segmentation;
mod sessions;
mod system_messages;
mod transactions;
