//! `hamlet presence`.

use crate::account::{finish, list_address, set_aside};
use crate::cli::{self, Account, PresenceSet};
use crate::commands::asked;
use crate::failure::Failure;
use crate::output::{line, plain};
use hamlet_client::elements::{PresenceSubList, WatcherStatus};
use hamlet_client::{AttributeSet, Client, Incoming, Presence, PresenceUpdate, Refusal, Targets};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// A single wait; watching goes on as long as the options say.
const A_WHILE: Duration = Duration::from_secs(3600);

/// Shows, publishes or watches presence, and says who may see it.
pub async fn run(account: Account, command: cli::Presence) -> Result<(), Failure> {
    let mut client = account.open_aside().await?;
    let work = perform(&mut client, command);
    let outcome = tokio::select! {
        outcome = work => outcome,
        stop = tokio::signal::ctrl_c() => stop.map_err(Failure::from),
    };
    finish(client, outcome).await
}

async fn perform(client: &mut Client, command: cli::Presence) -> Result<(), Failure> {
    match command {
        cli::Presence::Get { users } => get(client, &users).await,
        cli::Presence::Set(wanted) => {
            let result = client.update_presence(update(wanted)).await?;
            report(&result)
        }
        cli::Presence::Watch {
            users,
            list,
            count,
            timeout,
        } => {
            let mut targets = users.iter().fold(Targets::new(), Targets::user);
            if let Some(list) = list {
                targets = targets.contact_list(list_address(client.user(), &list));
            }
            let result = client.subscribe(targets, None, true).await?;
            report(&result)?;
            watch(client, count, timeout).await
        }
        cli::Presence::Ask { users } => {
            // Who may not see something and subscribes is asked about (csp-presence 6.6, 6.7).
            let targets = users.iter().fold(Targets::new(), Targets::user);
            let result = client.subscribe(targets, None, false).await?;
            report(&result)
        }
        cli::Presence::Authorize { users, only } => {
            let only = (!only.is_empty()).then(|| AttributeSet::from_iter(only));
            for user in &users {
                report(&client.authorize(user, only).await?)?;
            }
            Ok(())
        }
        cli::Presence::Deny { users } => {
            for user in &users {
                report(&client.deny(user).await?)?;
            }
            Ok(())
        }
        cli::Presence::Forget { users } => {
            for user in &users {
                report(&client.forget_decision(user).await?)?;
            }
            Ok(())
        }
        cli::Presence::Watchers => watchers(client).await,
    }
}

/// Who watches, and what was decided about him by himself.
async fn watchers(client: &mut Client) -> Result<(), Failure> {
    let decisions: HashMap<String, AttributeSet> = client.decisions().await?.into_iter().collect();
    for watcher in client.watchers().await? {
        let when = match &watcher.status {
            WatcherStatus::CurrentSubscriber => "watches",
            WatcherStatus::FormerSubscriber => "has watched",
            WatcherStatus::PresenceAccess => "has looked",
            WatcherStatus::Undefined(text) => text.as_str(),
        };
        let decision = match decisions.get(&watcher.user).copied() {
            None => "undecided".to_owned(),
            Some(AttributeSet::EMPTY) => "denied".to_owned(),
            Some(set) => format!("may see {}", asked::names(set)),
        };
        line(plain(&format!("{} {when}, {decision}", watcher.user)))?;
    }
    Ok(())
}

async fn get(client: &mut Client, users: &[String]) -> Result<(), Failure> {
    let targets = users.iter().fold(Targets::new(), Targets::user);
    let (presences, result) = client.get_presence(targets, None).await?;
    presences.iter().try_for_each(print)?;
    report(&result)
}

async fn watch(
    client: &mut Client,
    mut left: Option<u64>,
    timeout: Option<Duration>,
) -> Result<(), Failure> {
    let deadline = timeout.map(|span| Instant::now() + span);
    while left != Some(0) {
        let patience = deadline.map_or(A_WHILE, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        match client.next(patience).await? {
            Some(Incoming::Presence(notice)) => {
                notice.presences.iter().try_for_each(print)?;
                left = left.map(|left| left - 1);
                client.acknowledge(&Incoming::Presence(notice)).await?;
            }
            Some(other) if !asked::show(client, &other, false).await? => {
                set_aside(client, &other).await?;
            }
            Some(_) => {}
            None if deadline.is_some_and(|deadline| Instant::now() >= deadline) => break,
            None => {}
        }
    }
    Ok(())
}

fn update(wanted: PresenceSet) -> PresenceUpdate {
    let mut update = PresenceUpdate::new();
    if let Some(availability) = wanted.availability {
        update = update.availability(availability);
    }
    if let Some(text) = wanted.text {
        update = update.status_text(text);
    }
    if let Some(mood) = wanted.mood {
        update = update.mood(Some(mood));
    }
    if let Some(alias) = wanted.alias {
        update = update.alias(alias);
    }
    update
}

fn print(presence: &Presence) -> Result<(), Failure> {
    if presence.attributes == PresenceSubList::default() {
        // Whoever may see anything sees whether somebody is online (csp-presence 7 row 12).
        let user = &presence.user;
        let text = format!("{user} shows you nothing; to ask: hamlet presence ask {user}");
        line(plain(&text))?;
        return Ok(());
    }
    let mut parts = vec![match presence.online() {
        Some(true) => "online".to_owned(),
        Some(false) => "offline".to_owned(),
        None => "unknown".to_owned(),
    }];
    parts.extend(presence.availability().map(|v| v.as_str().to_owned()));
    parts.extend(presence.mood().map(|mood| mood.as_str().to_owned()));
    parts.extend(presence.alias().map(|name| format!("alias {name:?}")));
    parts.extend(presence.status_text().map(|text| format!("{text:?}")));
    line(plain(&format!("{} {}", presence.user, parts.join(" "))))?;
    Ok(())
}

/// What of a request failed.
fn report(result: &Refusal) -> Result<(), Failure> {
    match result.details.is_empty() {
        true => Ok(()),
        false => Err(Failure::said(format!("partly refused: {result}"))),
    }
}
