//! The store's operations, each test on every engine.

mod accounts;
mod cluster;
mod contact_lists;
mod harness;
mod idempotence;
mod mailbox;
mod model;
mod outbox;
mod presence;
mod sessions;
mod subscriptions;
mod transactions;
