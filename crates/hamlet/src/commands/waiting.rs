//! `hamlet waiting …`.

use crate::account::{finish, list_address};
use crate::cli::{Account, Waiting};
use crate::commands::receive;
use crate::failure::Failure;
use crate::output::{line, plain};
use hamlet_client::elements::MessageInfo;
use hamlet_client::{Client, MessageId, Notification, Recipients};

/// Does one thing with messages that wait.
pub async fn run(account: Account, command: Waiting) -> Result<(), Failure> {
    let mut client = account.open().await?;
    let outcome = carry_out(&mut client, command).await;
    finish(client, outcome).await
}

async fn carry_out(client: &mut Client, command: Waiting) -> Result<(), Failure> {
    match command {
        Waiting::List { group, count } => {
            let found = client.waiting(group.as_deref(), count).await?;
            for info in &found.messages {
                describe(info, false)?;
            }
            let shown = u32::try_from(found.messages.len()).unwrap_or(u32::MAX);
            if let Some(more) = found.total.and_then(|total| total.checked_sub(shown))
                && more > 0
            {
                line(format!("and {more} more"))?;
            }
            Ok(())
        }
        Waiting::Get { id, keep, json } => {
            let id = MessageId::new(id);
            receive::print(&client.fetch(&id).await?, json)?;
            if !keep {
                client.confirm(&id).await?;
            }
            Ok(())
        }
        Waiting::Reject { ids } => {
            let ids: Vec<_> = ids.into_iter().map(MessageId::new).collect();
            for detail in client.reject(&ids).await? {
                line(plain(&detail.to_string()))?;
            }
            Ok(())
        }
        Waiting::Forward {
            id,
            to,
            list,
            group,
        } => {
            let to = match (list, group) {
                (true, _) => Recipients::new().contact_list(list_address(client.user(), &to)),
                (_, true) => Recipients::new().group(&to),
                _ => Recipients::from(&to),
            };
            let result = client.forward(&MessageId::new(id), to).await?;
            let id = result.message_id.as_ref().map_or("", MessageId::as_str);
            line(format!("{} {}", result.code, plain(id)).trim_end())?;
            for detail in &result.details {
                line(plain(&detail.to_string()))?;
            }
            Ok(())
        }
    }
}

/// Prints what a message is, without its content.
pub fn describe(info: &MessageInfo, json: bool) -> Result<(), Failure> {
    let notice = Notification {
        transaction: None,
        info: info.clone(),
    };
    let sender = notice.sender().unwrap_or_else(|| "somebody".to_owned());
    let id = notice.message_id().map(|id| id.to_string());
    let kind = info.content_type.as_deref().unwrap_or("text/plain");
    let size = info.content_size.unwrap_or(0);
    let uri = info.message_uri.as_deref();
    if json {
        let object = serde_json::json!({
            "id": id,
            "from": sender,
            "type": kind,
            "size": size,
            "uri": uri,
            "name": info.content_name.as_deref(),
        });
        line(object)?;
    } else {
        let at = uri.map_or(String::new(), |uri| format!(" at {}", plain(uri)));
        line(format!(
            "{} from {}: {}, {size} octets{at}",
            plain(id.as_deref().unwrap_or("-")),
            plain(&sender),
            plain(kind),
        ))?;
    }
    Ok(())
}
