//! The service elements on a real store: what is asked, answered and told, by clause.

mod blocking;
mod common;
mod contact_lists;
mod domains;
mod handling;
mod invitations;
mod messages;
mod presence;
mod relay;
mod search;
mod subscriptions;
