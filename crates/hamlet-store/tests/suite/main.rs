//! The store's operations, each test on every engine.

mod harness;
mod mailbox;
