//! `hamletd system-message …`.

use super::{CommandError, Way, at};
use crate::cli::{SystemMessageCommand, SystemMessageSend};
use crate::control::{
    Answer, Request, SystemMessageDraft, SystemMessageEntry, SystemMessageTo,
    SystemMessageUserEntry,
};
use std::io::{self, Write};

/// Users of one request, which must not become too long.
const PART: usize = 40;

/// The request of a command.
pub(super) fn request(command: SystemMessageCommand) -> Result<Request, CommandError> {
    Ok(match command {
        SystemMessageCommand::Send(send) => Request::SystemMessageSend {
            to: to(&send)?,
            message: draft(*send),
        },
        SystemMessageCommand::List => Request::SystemMessageList { after: None },
        SystemMessageCommand::Show { number } => Request::SystemMessageShow {
            number,
            after: None,
        },
        SystemMessageCommand::Cancel { number } => Request::SystemMessageCancel { number },
    })
}

fn to(send: &SystemMessageSend) -> Result<SystemMessageTo, CommandError> {
    match (send.everyone, send.online) {
        (true, _) => return Ok(SystemMessageTo::Everyone),
        (_, true) => return Ok(SystemMessageTo::Online),
        _ => {}
    }
    let mut users = send.to.clone();
    for path in &send.to_file {
        let text = std::fs::read_to_string(path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        users.extend(lines.map(str::to_owned));
    }
    match users.is_empty() {
        true => Err(CommandError::Refused(
            "say to whom: --to, --to-file, --online or --everyone".to_owned(),
        )),
        false => Ok(SystemMessageTo::Users(users)),
    }
}

fn draft(send: SystemMessageSend) -> SystemMessageDraft {
    SystemMessageDraft {
        text: send.text,
        options: send.option,
        refusals: send.refusal,
        question: send.question,
        picture: send.picture,
        key: send.key,
        must_answer: send.must_answer,
        at_login: send.at_login,
        message_from: send.message_from,
        days: send.days,
    }
}

/// A request whose users are few, and the other users.
pub(super) fn in_parts(mut request: Request) -> (Request, Vec<Vec<String>>) {
    let Request::SystemMessageSend {
        to: SystemMessageTo::Users(users),
        ..
    } = &mut request
    else {
        return (request, Vec::new());
    };
    let rest = users.split_off(users.len().min(PART));
    (request, rest.chunks(PART).map(<[String]>::to_vec).collect())
}

/// Sends it to all of them.
pub(super) async fn send(
    way: &mut Way,
    request: Request,
    parts: Vec<Vec<String>>,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    let (number, text) = match way.ask(request).await? {
        Answer::SystemMessageSent { number, text } => (number, text),
        Answer::Failed { text } => return Err(CommandError::Refused(text)),
        other => return Err(CommandError::Refused(format!("{other:?}"))),
    };
    writeln!(out, "{text}")?;
    let mut count = 0;
    for users in parts {
        count += users.len();
        match way.ask(Request::SystemMessageAdd { number, users }).await? {
            Answer::Failed { text } => {
                let text = format!("{text}; those before got system message {number}");
                return Err(CommandError::Refused(text));
            }
            _ => continue,
        }
    }
    Ok(writeln!(out, "and to {count} more users")?)
}

pub(super) fn print(out: &mut impl Write, message: &SystemMessageEntry) -> io::Result<()> {
    let states: Vec<String> = message
        .states
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    writeln!(
        out,
        "{}\t{}\tsince {}\tuntil {}\t{}\t{}",
        message.number,
        if message.everyone { "everyone" } else { "some" },
        at(message.created),
        at(message.expires),
        match states.is_empty() {
            true => "-".to_owned(),
            false => states.join(", "),
        },
        message.text.escape_debug(),
    )
}

pub(super) fn print_user(
    out: &mut impl Write,
    user: &SystemMessageUserEntry,
    options: &[String],
) -> io::Result<()> {
    let choice = user.choice.map(|choice| {
        let at = usize::try_from(choice)
            .ok()
            .and_then(|at| at.checked_sub(1));
        let text = at.and_then(|at| options.get(at)).map_or("", String::as_str);
        format!("{choice} {}", text.escape_debug())
    });
    writeln!(
        out,
        "{}\t{}\t{}\t{}",
        user.user,
        user.state,
        at(user.changed),
        choice.as_deref().unwrap_or("-"),
    )
}
