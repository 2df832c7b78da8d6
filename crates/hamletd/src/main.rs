//! The server's program: reads the command line, then serves until it is told to stop, or
//! does what an operator's command says.

#![forbid(unsafe_code)]

use hamletd::cli::{self, Invocation};
use hamletd::command::{self, Command};
use hamletd::{Config, Server, admin, config, logging, welcome};
use std::error::Error;
use std::io::{Write as _, stdout};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A configuration that cannot be used.
const MISCONFIGURED: u8 = 2;

fn main() -> ExitCode {
    let invocation = Invocation::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let command = match invocation.command {
        Some(cli::Command::ConfigReference) => return done(print(&config::reference())),
        Some(cli::Command::MetricsReference) => {
            return done(print(&admin::metrics_reference()));
        }
        Some(cli::Command::ApiReference) => return done(print(&admin::api::reference())),
        Some(cli::Command::User(command)) => Some(Command::User(command)),
        Some(cli::Command::InvitationCode(command)) => Some(Command::InvitationCode(command)),
        Some(cli::Command::App(command)) => Some(Command::App(command)),
        Some(cli::Command::Group(command)) => Some(Command::Group(command)),
        Some(cli::Command::Session(command)) => Some(Command::Session(command)),
        Some(cli::Command::SystemMessage(command)) => Some(Command::SystemMessage(command)),
        Some(cli::Command::OutsideMessage(command)) => Some(Command::OutsideMessage(command)),
        Some(cli::Command::Stats) => Some(Command::Stats),
        None => None,
    };
    let config = match Config::load(invocation.config.as_deref(), &invocation.sets) {
        Ok(config) => config,
        Err(error) => {
            let _ = complain(&error);
            return ExitCode::from(MISCONFIGURED);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    done(runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match command {
                Some(command) => Ok(command::run(&config, command).await?),
                None => serve(config).await,
            }
        })
    }))
}

async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    logging::start(&config.log);
    // From here on a signal is not lost, however early it comes.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let by_cargo = std::env::var_os("CARGO").is_some();
    let first = config.clone();
    let server = Server::start(config).await?;
    if server.operations().has_no_accounts().await {
        print(&welcome::welcome(&first, &server, by_cargo))?;
    }
    let outcome = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            () = server.failed() => break Err("a listener failed".into()),
            _ = hang_up.recv() => server.reload(),
        }
    };
    tracing::info!("stopping");
    server.stop().await;
    outcome
}

fn print(text: &str) -> Result<(), Box<dyn Error>> {
    stdout().write_all(text.as_bytes())?;
    Ok(stdout().flush()?)
}

fn done(outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = complain(&*error);
            ExitCode::FAILURE
        }
    }
}

fn complain(error: &dyn Error) -> std::io::Result<()> {
    writeln!(std::io::stderr(), "hamletd: {error}")
}
