//! The server as a library, so that tests can start it in their own process.

#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod data_dir;
pub mod logging;
pub mod tls;

pub use config::{Config, ConfigError};
