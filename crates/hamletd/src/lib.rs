//! The server as a library, so that tests can start it in their own process.

#![forbid(unsafe_code)]

pub mod cli;
pub mod config;

pub use config::{Config, ConfigError};
