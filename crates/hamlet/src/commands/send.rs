//! `hamlet send`.

use crate::account::{finish, list_address, set_aside};
use crate::cli::{Account, Send};
use crate::failure::Failure;
use crate::output::{line, plain};
use hamlet_client::{Client, Incoming, MessageId, Outgoing, Recipients};
use std::io::Read;
use tokio::time::Instant;

/// Longest text that is read from standard input, octets.
const MAX_TEXT: u64 = 1 << 20;

/// Sends one message, and waits for its delivery report when one is asked for.
pub async fn run(account: Account, options: Send) -> Result<(), Failure> {
    let text = match options.text.as_str() {
        "-" => from_stdin()?,
        text => text.to_owned(),
    };
    let mut client = account.open_aside().await?;
    let outcome = send(&mut client, &options, text).await;
    finish(client, outcome).await
}

async fn send(client: &mut Client, options: &Send, text: String) -> Result<(), Failure> {
    let to = if options.list {
        Recipients::new().contact_list(list_address(client.user(), &options.to))
    } else if options.group {
        Recipients::new().group(&options.to)
    } else {
        Recipients::from(&options.to)
    };
    let mut message = Outgoing::text(text).report(options.report);
    if let Some(span) = options.validity {
        message = message.validity(span);
    }
    let result = client.send(to, message).await?;
    let id = result.message_id.as_ref().map_or("", MessageId::as_str);
    line(format!("{} {}", result.code, plain(id)))?;
    for detail in &result.details {
        line(plain(&detail.to_string()))?;
    }
    if options.report {
        wait_for_report(client, result.message_id.as_ref(), options).await?;
    }
    Ok(())
}

async fn wait_for_report(
    client: &mut Client,
    id: Option<&MessageId>,
    options: &Send,
) -> Result<(), Failure> {
    let deadline = Instant::now() + options.wait;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match client.next(left).await? {
            Some(Incoming::DeliveryReport(report)) => {
                let about = report.message_id();
                let result = report.result.clone();
                client
                    .acknowledge(&Incoming::DeliveryReport(report))
                    .await?;
                if id.is_none() || about.is_none() || about.as_ref() == id {
                    return match result.code.is_success() {
                        true => Ok(line("delivered")?),
                        false => Err(Failure::said(format!("not delivered: {result}"))),
                    };
                }
            }
            Some(other) => set_aside(client, &other).await?,
            None => {
                return Err(Failure::said(format!(
                    "no delivery report within {} s",
                    options.wait.as_secs()
                )));
            }
        }
    }
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(MAX_TEXT + 1);
    input.read_to_string(&mut text)?;
    if text.len() as u64 > MAX_TEXT {
        return Err(Failure::said(format!(
            "the text is longer than {MAX_TEXT} octets"
        )));
    }
    // The line end that a shell adds is not part of the message.
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}
