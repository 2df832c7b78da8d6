//! The store's operations, each test on every engine.

mod access;
mod accounts;
mod applications;
mod cluster;
mod contact_lists;
mod crash;
mod handling;
mod harness;
mod idempotence;
mod mailbox;
mod migrations;
mod model;
mod outbox;
mod postgres;
mod presence;
mod profiles;
mod pushes;
mod registration;
mod searches;
mod sessions;
mod subscriptions;
mod system_messages;
mod transactions;
