//! The server.

#![forbid(unsafe_code)]

use hamletd::cli::{Command, Invocation};
use std::io::Write as _;

fn main() {
    let invocation = Invocation::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    if let Some(Command::ConfigReference) = invocation.command {
        let _ = std::io::stdout().write_all(hamletd::config::reference().as_bytes());
    }
}
