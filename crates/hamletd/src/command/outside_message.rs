//! `hamletd outside-message …`.

use super::at;
use crate::cli::{OutsideMessageAnnounce, OutsideMessageCommand};
use crate::control::{OutsideDraft, OutsideEntry, Request};
use std::io::{self, Write};

/// The request of a command.
pub(super) fn request(command: OutsideMessageCommand) -> Request {
    match command {
        OutsideMessageCommand::Announce(announce) => {
            let OutsideMessageAnnounce {
                user,
                sender,
                uri,
                size,
                content_type,
                name,
                id,
                hours,
            } = *announce;
            Request::OutsideAnnounce {
                user,
                message: OutsideDraft {
                    id,
                    sender,
                    uri,
                    content_type,
                    size,
                    name,
                    hours,
                },
            }
        }
        OutsideMessageCommand::List { user } => Request::OutsideList { user },
        OutsideMessageCommand::Withdraw { user, id } => Request::OutsideWithdraw { user, id },
    }
}

pub(super) fn print(out: &mut impl Write, message: &OutsideEntry) -> io::Result<()> {
    // What others chose must not play with the terminal.
    writeln!(
        out,
        "{}\t{}\tuntil {}\t{}\t{} octets\t{}\t{}",
        message.id,
        message.sender,
        at(message.expires),
        message.content_type.escape_debug(),
        message.size,
        message.uri.escape_debug(),
        message.name.as_deref().unwrap_or("-").escape_debug(),
    )
}
