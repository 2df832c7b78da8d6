//! The server as a library, so that tests can start it in their own process.

#![forbid(unsafe_code)]

pub mod admin;
pub mod audit;
pub mod cli;
pub mod command;
pub mod config;
pub mod control;
pub mod data_dir;
pub mod files;
pub mod logging;
pub mod operations;
pub mod server;
pub mod tls;
pub mod welcome;

pub use config::{Config, ConfigError};
pub use server::{Server, StartError};
