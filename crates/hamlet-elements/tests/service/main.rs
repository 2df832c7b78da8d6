//! The service elements on a real store: what is asked, answered and told, by clause.

mod authorization;
mod authorization_elsewhere;
mod blocking;
mod common;
mod contact_lists;
mod domains;
mod group_domains;
mod group_foreign;
mod group_life;
mod group_messages;
mod groups;
mod handling;
mod invitations;
mod messages;
mod presence;
mod relay;
mod search;
mod subscriptions;
mod waiting;
mod watchers;
