//! `hamletd group …`

use crate::cli::{GroupCommand, RoleName};
use crate::command::CommandError;
use crate::control::{GroupEntry, Request};
use std::io::{self, Write};

/// The request of a command.
pub(super) fn request(command: GroupCommand) -> Result<Request, CommandError> {
    Ok(match command {
        GroupCommand::Create {
            group,
            properties,
            admins,
        } => Request::GroupCreate {
            group,
            properties: pairs(&properties)?,
            admins,
        },
        GroupCommand::List => Request::GroupList { after: None },
        GroupCommand::Show { group } => Request::GroupShow { group },
        GroupCommand::Set { group, properties } => Request::GroupSet {
            group,
            properties: pairs(&properties)?,
        },
        GroupCommand::Member { group, user, role } => Request::GroupMember {
            group,
            user,
            role: match role {
                RoleName::Admin => Some("Admin".to_owned()),
                RoleName::Mod => Some("Mod".to_owned()),
                RoleName::User => Some("User".to_owned()),
                RoleName::None => None,
            },
        },
        GroupCommand::Reject {
            group,
            user,
            readmit,
        } => Request::GroupReject {
            group,
            user,
            out: !readmit,
        },
        GroupCommand::Announce { group, text } => Request::GroupAnnounce { group, text },
        GroupCommand::Delete { group } => Request::GroupDelete { group },
    })
}

/// One group, one line.
pub(super) fn print(out: &mut impl Write, group: &GroupEntry) -> io::Result<()> {
    let GroupEntry {
        group,
        name,
        members,
        joined,
    } = group;
    // Users chose these.
    let name = name.escape_debug();
    writeln!(out, "{group}\t{members} members\t{joined} joined\t{name}")
}

fn pairs(fields: &[String]) -> Result<Vec<(String, String)>, CommandError> {
    let pair = |field: &String| match field.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(CommandError::Refused(format!(
            "`{field}` is not of the form NAME=VALUE"
        ))),
    };
    fields.iter().map(pair).collect()
}
