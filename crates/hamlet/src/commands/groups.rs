//! `hamlet group`.

use crate::account::{finish, list_address};
use crate::cli::{Account, Groups};
use crate::commands::asked;
use crate::failure::Failure;
use crate::output::{line, plain};
use hamlet_client::{Client, Incoming, JoinedGroup, Outgoing, Primitive, Recipients, Refusal};
use std::time::Duration;
use tokio::time::Instant;

/// How long one wait for something is, when the command does not end by itself.
const TURN: Duration = Duration::from_secs(60);

/// Makes, joins and shows groups.
pub async fn run(account: Account, command: Groups) -> Result<(), Failure> {
    let mut client = account.open().await?;
    let outcome = perform(&mut client, command).await;
    finish(client, outcome).await
}

async fn perform(client: &mut Client, command: Groups) -> Result<(), Failure> {
    match command {
        Groups::List => {
            for group in client.own_groups().await? {
                line(plain(&group))?;
            }
            Ok(())
        }
        Groups::Create {
            group,
            name,
            topic,
            restricted,
            searchable,
        } => {
            let group = list_address(client.user(), &group);
            let access = if restricted { "Restricted" } else { "Open" };
            let mut properties = vec![("AccessType".to_owned(), access.to_owned())];
            properties.extend(name.map(|name| ("Name".to_owned(), name)));
            properties.extend(topic.map(|topic| ("Topic".to_owned(), topic)));
            properties.extend(searchable.then(|| ("Searchable".to_owned(), "T".to_owned())));
            check(&client.create_group(&group, properties).await?)
        }
        Groups::Delete { group } => {
            let group = list_address(client.user(), &group);
            Ok(client.delete_group(&group).await?)
        }
        Groups::Members { group } => {
            let group = list_address(client.user(), &group);
            let members = client.group_members(&group).await?;
            for (role, users) in [
                ("admin", &members.admins),
                ("mod", &members.moderators),
                ("user", &members.users),
            ] {
                for user in users {
                    line(format!("{role}\t{}", plain(user)))?;
                }
            }
            Ok(())
        }
        Groups::Invite { group, users, note } => {
            let group = list_address(client.user(), &group);
            let to = users.iter().fold(Recipients::new(), Recipients::user);
            let id = invite_id();
            check(
                &client
                    .invite_to_group(&id, &group, to, note.as_deref())
                    .await?,
            )
        }
        Groups::Say { group, text, name } => {
            let group = list_address(client.user(), &group);
            client.join_group(&group, name.as_deref()).await?;
            let to = Recipients::new().group(&group);
            let sent = client.send(to, Outgoing::text(text)).await;
            client.leave_group(&group).await?;
            line(sent?.code)?;
            Ok(())
        }
        Groups::Join {
            group,
            name,
            timeout,
        } => {
            let group = list_address(client.user(), &group);
            greet(&client.join_group(&group, name.as_deref()).await?)?;
            follow(client, timeout).await?;
            Ok(client.leave_group(&group).await?)
        }
    }
}

fn greet(joined: &JoinedGroup) -> Result<(), Failure> {
    if let Some(note) = &joined.welcome_note {
        line(plain(note))?;
    }
    for name in &joined.present {
        line(format!("* {} is here", plain(name)))?;
    }
    Ok(())
}

/// Prints what comes, until the time is over or the server has ended it.
async fn follow(client: &mut Client, timeout: Option<Duration>) -> Result<(), Failure> {
    let deadline = timeout.map(|span| Instant::now() + span);
    loop {
        let left = deadline.map_or(TURN, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        let Some(incoming) = client.next(left).await? else {
            match deadline {
                Some(deadline) if Instant::now() >= deadline => return Ok(()),
                _ => continue,
            }
        };
        match &incoming {
            Incoming::Message(message) if !message.repeated => {
                let group = message
                    .info
                    .sender
                    .as_ref()
                    .and_then(|it| it.group.as_ref());
                let name = group.and_then(|it| it.screen_name.as_ref());
                let name = name.and_then(|name| name.sname.as_deref()).unwrap_or("?");
                let text = message.text();
                line(format!("<{}> {}", plain(name), plain(&text)))?;
            }
            Incoming::Disconnect(refusal) => {
                return Err(Failure::said(format!("the session has ended: {refusal}")));
            }
            Incoming::Other(other) => {
                for text in other.primitive.iter().flat_map(told) {
                    line(plain(&text))?;
                }
            }
            _ => {}
        }
        if !asked::show(client, &incoming, false).await? {
            client.acknowledge(&incoming).await?;
        }
        if let Incoming::Other(other) = &incoming
            && matches!(other.primitive, Some(Primitive::LeaveGroupResponse(_)))
        {
            return Err(Failure::said("you are not in the group any more"));
        }
    }
}

/// What a notice says, a line each.
fn told(primitive: &Primitive) -> Vec<String> {
    let Primitive::GroupChangeNotice(notice) = primitive else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if let Some(joined) = &notice.joined {
        let map = joined.user_map_list.as_ref();
        let mapping = map.and_then(|map| map.user_mapping.as_ref());
        let mapped = mapping.into_iter().flat_map(|mapping| &mapping.mapping);
        let listed = joined.user_list.iter().flat_map(|list| &list.screen_name);
        let names = mapped
            .filter_map(|mapping| mapping.sname.as_ref())
            .chain(listed.filter_map(|name| name.sname.as_ref()));
        lines.extend(names.map(|name| format!("* {name} comes")));
    }
    let left = notice
        .left
        .iter()
        .filter_map(|left| left.user_list.as_ref());
    let left = left.flat_map(|list| &list.screen_name);
    let left = left.filter_map(|name| name.sname.as_ref());
    lines.extend(left.map(|name| format!("* {name} goes")));
    let properties = notice.group_properties.iter().flat_map(|p| &p.property);
    lines.extend(properties.map(|property| {
        let text = |text: &Option<hamlet_csp::Text>| text.clone().unwrap_or_default();
        format!("* {}: {}", text(&property.name), text(&property.value))
    }));
    lines
}

/// Names an invitation; another one each time.
pub(super) fn invite_id() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    format!("hamlet{}", now.map_or(0, |since| since.as_nanos()))
}

pub(super) fn check(result: &Refusal) -> Result<(), Failure> {
    match result.details.is_empty() {
        true => Ok(()),
        false => Err(Failure::said(format!("partly refused: {result}"))),
    }
}
