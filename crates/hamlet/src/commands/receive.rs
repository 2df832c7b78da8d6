//! `hamlet receive`.

use crate::account::finish;
use crate::cli::{Account, Receive};
use crate::commands::asked;
use crate::commands::waiting::describe;
use crate::failure::Failure;
use crate::output::{line, plain};
use hamlet_client::{Client, Delivery, Error, Incoming, Message};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

/// A single wait; the loop goes on as long as the options say.
const A_WHILE: Duration = Duration::from_secs(3600);

/// Prints and acknowledges messages, and what others ask.
pub async fn run(account: Account, options: Receive) -> Result<(), Failure> {
    let mut client = account.open().await?;
    let outcome = tokio::select! {
        outcome = receive(&mut client, &options) => outcome,
        stop = tokio::signal::ctrl_c() => stop.map_err(Failure::from),
    };
    finish(client, outcome).await
}

async fn receive(client: &mut Client, options: &Receive) -> Result<(), Failure> {
    let deadline = options.timeout.map(|span| Instant::now() + span);
    // Without a word about waiting: what is there now.
    let drain = !options.follow && options.count.is_none() && deadline.is_none();
    let mut left = options.count;
    if options.announce {
        client.set_delivery(Delivery::announce()).await?;
    }
    while left != Some(0) {
        let patience = deadline.map_or(A_WHILE, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        let incoming = match drain {
            // Until a poll brings nothing, whatever the server says about more.
            true => client.poll().await,
            false => client.next(patience).await,
        };
        let incoming = match incoming {
            // A server that was restarted without its sessions, or a lost connection.
            Err(error) if options.follow && (error.ends_session() || error.is_transport()) => {
                reconnect(client).await?;
                if options.announce {
                    client.set_delivery(Delivery::announce()).await?;
                }
                continue;
            }
            other => other?,
        };
        match incoming {
            Some(Incoming::Message(message)) => {
                if !message.repeated {
                    print(&message, options.json)?;
                    left = left.map(|left| left - 1);
                }
                client.acknowledge(&Incoming::Message(message)).await?;
            }
            Some(Incoming::Notification(notice)) if options.announce => {
                describe(&notice.info, options.json)?;
                left = left.map(|left| left - 1);
                client.acknowledge(&Incoming::Notification(notice)).await?;
            }
            Some(Incoming::Notification(notice)) => {
                let id = notice.message_id();
                client.acknowledge(&Incoming::Notification(notice)).await?;
                if let Some(id) = id {
                    print(&client.fetch(&id).await?, options.json)?;
                    left = left.map(|left| left - 1);
                    client.confirm(&id).await?;
                }
            }
            Some(Incoming::Disconnect(refusal)) => {
                return Err(Failure::Client(Error::SessionEnded(refusal)));
            }
            Some(other) if !asked::show(client, &other, options.json).await? => {
                client.acknowledge(&other).await?;
            }
            Some(_) => {}
            None if drain => return Ok(()),
            None if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                return match left {
                    Some(missing) => Err(Failure::said(format!("{missing} messages did not come"))),
                    None => Ok(()),
                };
            }
            None => {}
        }
    }
    Ok(())
}

/// Logs in again, with growing pauses up to half a minute.
async fn reconnect(client: &mut Client) -> Result<(), Failure> {
    let mut pause = Duration::from_millis(500);
    loop {
        match client.open().await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_transport() => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(30));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Prints a message with its text.
pub fn print(message: &Message, json: bool) -> Result<(), Failure> {
    let sender = message.sender().unwrap_or_else(|| "somebody".to_owned());
    let sent = message.info.date_time.and_then(|at| {
        OffsetDateTime::from_unix_timestamp(at.timestamp().secs())
            .ok()?
            .format(&Rfc3339)
            .ok()
    });
    if json {
        let object = serde_json::json!({
            "id": message.id.as_ref().map(|id| id.as_str()),
            "from": sender,
            "sent": sent,
            "type": message.content_type(),
            "text": message.text(),
        });
        line(object)?;
    } else {
        let sent = sent.as_deref().unwrap_or("-");
        line(format!(
            "{sent} {}: {}",
            plain(&sender),
            plain(&message.text())
        ))?;
    }
    Ok(())
}
