//! `hamletd user …`, `hamletd session …`, `hamletd system-message …` and `hamletd stats`: asks the running server, or
//! does it itself when none runs.

mod group;
mod outside_message;
mod system_message;

use crate::cli::{
    AppArguments, AppCommand, GroupCommand, InvitationCodeCommand, OutsideMessageCommand,
    SessionCommand, SystemMessageCommand, UserCommand,
};
use crate::config::Config;
use crate::control::{
    Answer, AppSettings, Connection, ControlError, Request, SessionEntry, UserEntry,
};
use crate::data_dir::{DataDirError, control_socket};
use crate::operations::{Actor, Operations};
use crate::server::{Engine, StartError};
use hamlet_model::user_profile::ServiceStatusChange;
use hamlet_model::{Timestamp, UserProfileChange};
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// What an operator's command works on.
#[derive(Debug)]
pub enum Command {
    /// `user`.
    User(UserCommand),
    /// `invitation-code`.
    InvitationCode(InvitationCodeCommand),
    /// `app`.
    App(AppCommand),
    /// `group`.
    Group(GroupCommand),
    /// `session`.
    Session(SessionCommand),
    /// `system-message`.
    SystemMessage(SystemMessageCommand),
    /// `outside-message`.
    OutsideMessage(OutsideMessageCommand),
    /// `stats`.
    Stats,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The operation was refused.
    #[error("{0}")]
    Refused(String),
    /// The server is there but cannot be asked.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The data directory is held by a server that does not listen to its control socket.
    #[error("{0}, which does not listen at its control socket; is it starting, stopping or stuck?")]
    Deaf(DataDirError),
    /// No server runs, and the state cannot be reached without one.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Standard input or output failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Carries out a command and prints its outcome.
pub async fn run(config: &Config, command: Command) -> Result<(), CommandError> {
    let request = request(command)?;
    let mut way = Way::find(config).await?;
    let outcome = match system_message::in_parts(request) {
        (request, parts) if parts.is_empty() => {
            print_all(&mut way, request, &mut io::stdout().lock()).await
        }
        (request, parts) => {
            system_message::send(&mut way, request, parts, &mut io::stdout().lock()).await
        }
    };
    way.close().await;
    outcome
}

/// How the state is reached.
enum Way {
    Server(Connection),
    Alone(Box<(Operations, Engine)>),
}

impl Way {
    async fn find(config: &Config) -> Result<Self, CommandError> {
        match Connection::open(&control_socket(&config.data_dir)).await {
            Ok(connection) => return Ok(Self::Server(connection)),
            Err(ControlError::NoServer(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let engine = match Engine::start(config).await {
            Err(StartError::DataDir(held @ DataDirError::InUse { .. })) => {
                return Err(CommandError::Deaf(held));
            }
            started => started?,
        };
        Ok(Self::Alone(Box::new((engine.operations(), engine))))
    }

    async fn ask(&mut self, request: Request) -> Result<Answer, CommandError> {
        Ok(match self {
            Self::Server(connection) => connection.ask(&request).await?,
            Self::Alone(_) if matches!(request, Request::UserNetwork { .. }) => {
                Answer::failed("no server runs, and only a running one remembers this")
            }
            Self::Alone(alone) => alone.0.execute(&Actor::this_process(), request).await,
        })
    }

    async fn close(self) {
        if let Self::Alone(alone) = self {
            alone.1.stop().await;
        }
    }
}

fn request(command: Command) -> Result<Request, CommandError> {
    Ok(match command {
        Command::User(UserCommand::Add { user, password }) => Request::UserAdd {
            user,
            password: given_or_read(password)?,
        },
        Command::User(UserCommand::Passwd { user, password }) => Request::UserPasswd {
            user,
            password: given_or_read(password)?,
        },
        Command::User(UserCommand::List) => Request::UserList { after: None },
        Command::User(UserCommand::Show { user }) => Request::UserShow { user },
        Command::User(UserCommand::Set { user, fields }) => Request::UserSet { user, fields },
        Command::User(UserCommand::Delete { user }) => Request::UserDelete { user },
        Command::User(UserCommand::UserProfile { user, fields }) => user_profile(user, &fields)?,
        Command::App(command) => app(command)?,
        Command::User(UserCommand::Enable { user }) => Request::UserEnable { user },
        Command::User(UserCommand::Disable { user }) => Request::UserDisable { user },
        Command::User(UserCommand::Msisdn { user, add, remove }) => {
            Request::UserMsisdn { user, add, remove }
        }
        Command::User(UserCommand::Network { user, fields }) => {
            Request::UserNetwork { user, fields }
        }
        Command::InvitationCode(InvitationCodeCommand::Add { uses, days }) => {
            Request::InvitationCodeAdd { uses, days }
        }
        Command::InvitationCode(InvitationCodeCommand::List) => {
            Request::InvitationCodeList { after: None }
        }
        Command::InvitationCode(InvitationCodeCommand::Delete { code }) => {
            Request::InvitationCodeDelete { code }
        }
        Command::Session(SessionCommand::List) => Request::SessionList { after: None },
        Command::Session(SessionCommand::End { which }) => Request::SessionEnd { which },
        Command::Group(command) => group::request(command)?,
        Command::SystemMessage(command) => system_message::request(command)?,
        Command::OutsideMessage(command) => outside_message::request(command),
        Command::Stats => Request::Stats,
    })
}

fn app(command: AppCommand) -> Result<Request, CommandError> {
    let settings = |given: AppArguments, active: Option<bool>| AppSettings {
        active,
        services: given.services,
        open: given.open,
        profiles: given.profiles,
        peers: given.peers,
    };
    Ok(match command {
        AppCommand::Add {
            id,
            account,
            password,
            settings: given,
        } => Request::AppAdd {
            id,
            account,
            password: given_or_read(password)?,
            settings: settings(given, None),
        },
        AppCommand::List => Request::AppList { after: None },
        AppCommand::Show { id } => Request::AppShow { id },
        AppCommand::Set {
            id,
            settings: given,
            active,
            grant,
            revoke,
        } => Request::AppSet {
            id,
            settings: settings(given, active),
            grant,
            revoke,
        },
        AppCommand::Delete { id } => Request::AppDelete { id },
    })
}

/// To show without fields, to change with some.
fn user_profile(user: String, fields: &[String]) -> Result<Request, CommandError> {
    if fields.is_empty() {
        return Ok(Request::UserProfileShow { user });
    }
    let (mut change, mut findable) = (UserProfileChange::default(), None);
    for field in fields {
        let wrong = || CommandError::Refused(format!("`{field}` cannot be set; see --help"));
        let (name, value) = field.split_once('=').ok_or_else(wrong)?;
        let flag = match value {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        match name.split_once('.').unwrap_or((name, "")) {
            ("findable", "") => findable = Some(flag.ok_or_else(wrong)?),
            ("service", service) => {
                let (subscribed, active) = match value {
                    "active" => (true, true),
                    "inactive" => (true, false),
                    "unsubscribed" => (false, false),
                    _ => return Err(wrong()),
                };
                let status = ServiceStatusChange {
                    subscribed: Some(subscribed),
                    active: Some(active),
                };
                change.services.insert(service.to_owned(), status);
            }
            ("privacy", item) if flag.is_some() || value.is_empty() => {
                change.privacy.insert(item.to_owned(), flag);
            }
            ("preference", item) => {
                let value = (!value.is_empty()).then(|| value.to_owned());
                change.preferences.insert(item.to_owned(), value);
            }
            _ => return Err(wrong()),
        }
    }
    Ok(Request::UserProfileSet {
        user,
        change,
        findable,
    })
}

/// Asks, prints, and asks for the next page as long as there is one.
async fn print_all(
    way: &mut Way,
    request: Request,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    let mut next = Some(request);
    let mut told = false;
    while let Some(request) = next.take() {
        match way.ask(request).await? {
            Answer::Done { text } => writeln!(out, "{text}")?,
            Answer::Failed { text } => return Err(CommandError::Refused(text)),
            Answer::Users { users, more } => {
                users.iter().try_for_each(|user| print_user(out, user))?;
                next = users.last().filter(|_| more).map(|last| Request::UserList {
                    after: Some(last.user.clone()),
                });
            }
            Answer::InvitationCodes { codes, more } => {
                for code in &codes {
                    let until = at(code.expires);
                    writeln!(out, "{}\t{} left\tuntil {until}", code.code, code.uses)?;
                }
                next = codes.into_iter().next_back().filter(|_| more).map(|last| {
                    Request::InvitationCodeList {
                        after: Some(last.code),
                    }
                });
            }
            Answer::Apps { apps, more } => {
                for (id, account, active) in &apps {
                    let state = if *active { "active" } else { "off" };
                    writeln!(out, "{id}\t{state}\t{account}")?;
                }
                next = apps
                    .into_iter()
                    .next_back()
                    .filter(|_| more)
                    .map(|last| Request::AppList {
                        after: Some(last.0),
                    });
            }
            Answer::Groups { groups, more } => {
                groups
                    .iter()
                    .try_for_each(|entry| group::print(out, entry))?;
                let last = groups.into_iter().next_back().filter(|_| more);
                next = last.map(|last| Request::GroupList {
                    after: Some(last.group),
                });
            }
            Answer::Sessions { sessions, more } => {
                sessions
                    .iter()
                    .try_for_each(|session| print_session(out, session))?;
                next = sessions
                    .last()
                    .filter(|_| more)
                    .map(|last| Request::SessionList {
                        after: Some(last.id.clone()),
                    });
            }
            Answer::SystemMessageSent { text, .. } => writeln!(out, "{text}")?,
            Answer::SystemMessages { messages, more } => {
                for message in &messages {
                    system_message::print(out, message)?;
                }
                let last = messages.last().filter(|_| more);
                next = last.map(|last| Request::SystemMessageList {
                    after: Some(last.number),
                });
            }
            Answer::SystemMessage {
                message,
                options,
                users,
                more,
            } => {
                // The next pages are of the same message.
                if !told {
                    system_message::print(out, &message)?;
                    told = true;
                }
                let number = message.number;
                for user in &users {
                    system_message::print_user(out, user, &options)?;
                }
                let last = users.into_iter().next_back().filter(|_| more);
                next = last.map(|last| Request::SystemMessageShow {
                    number,
                    after: Some(last.user),
                });
            }
            Answer::OutsideMessages { messages } => {
                for message in &messages {
                    outside_message::print(out, message)?;
                }
            }
            Answer::Profile { fields } => {
                for (name, value) in fields {
                    // The user chose these; they must not play with the terminal.
                    writeln!(out, "{name}={}", value.escape_debug())?;
                }
            }
            Answer::Stats { figures } => {
                for (name, value) in figures {
                    writeln!(out, "{value:>12}  {name}")?;
                }
            }
        }
    }
    Ok(())
}

fn print_user(out: &mut impl Write, user: &UserEntry) -> io::Result<()> {
    let state = if user.active { "active" } else { "barred" };
    writeln!(out, "{}\t{state}\t{}", user.user, at(user.created))
}

fn print_session(out: &mut impl Write, session: &SessionEntry) -> io::Result<()> {
    writeln!(
        out,
        "{}\t{}\tCSP {}\tsince {}\tseen {}\t{} waiting\tCIR {}\t{}\t{}",
        session.id,
        session.user,
        session.version,
        at(session.created),
        at(session.seen),
        session.waiting,
        session.cir.as_deref().unwrap_or("-"),
        // The client chose these two; they must not play with the terminal.
        session.client.escape_debug(),
        session.user_agent.as_deref().unwrap_or("-").escape_debug(),
    )
}

/// In UTC, to the second.
fn at(time: Timestamp) -> String {
    OffsetDateTime::UNIX_EPOCH
        .checked_add(Duration::seconds(time.secs()))
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| time.secs().to_string())
}

fn given_or_read(password: Option<String>) -> io::Result<String> {
    match password {
        Some(password) => Ok(password),
        None if io::stdin().is_terminal() => ask_for_password(),
        None => read_password(),
    }
}

fn read_password() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads a line without showing it.
fn ask_for_password() -> io::Result<String> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = io::stdin();
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    write!(io::stderr(), "Password: ")?;
    tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
    let password = read_password();
    tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
    writeln!(io::stderr())?;
    password
}
