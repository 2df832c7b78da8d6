//! The service elements on a real store: what is asked, answered and told, by clause.

mod common;
mod contact_lists;
mod domains;
mod group_life;
mod groups;
mod invitations;
mod messages;
mod presence;
mod relay;
mod search;
mod subscriptions;
