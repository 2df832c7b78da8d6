//! The terminal client of CSP and the tools around it.
//!
//! Each command is one file: `commands/` talks to a server as a user does, `convert` and
//! `replay` look at messages, `bench/` puts a server under load. The protocol itself is in
//! hamlet-client and hamlet-csp.

#![forbid(unsafe_code)]

mod account;
mod bench;
mod cli;
mod commands;
mod convert;
mod failure;
mod output;
mod pretty;
mod replay;
mod trace;

use clap::Parser;
use cli::{Cli, Command};
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(line) = failure.line() {
                eprintln!("hamlet: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let account = cli.account;
    match cli.command {
        Command::Convert(options) => convert::run(&options, account.csp),
        Command::Bench(options) => threads(bench::run(account, options)),
        Command::BenchBare(options) => threads(bench::bare::serve(options)),
        Command::Replay(options) => single(replay::run(account, options)),
        Command::Login => single(commands::login::run(account)),
        Command::Send(options) => single(commands::send::run(account, options)),
        Command::Receive(options) => single(commands::receive::run(account, options)),
        Command::Waiting(command) => single(commands::waiting::run(account, command)),
        Command::Presence(command) => single(commands::presence::run(account, command)),
        Command::Invitation(command) => single(commands::invitation::run(account, command)),
        Command::Group(command) => single(commands::groups::run(account, command)),
        Command::Share(options) => single(commands::share::run(account, options)),
        Command::Contacts(command) => single(commands::contacts::run(account, command)),
    }
}

/// Runs what does one thing at a time.
fn single(task: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(task)
}

/// Runs load and what stands it, on two threads.
fn threads(task: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(task)
}
