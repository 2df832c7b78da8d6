//! Messages that wait in other systems, such as mail or MMS (csp-im 7.7): the gateway to such a
//! system lets a user know of them. Here they wait like messages of his, with a link in the
//! place of the content.

use crate::blocking::Initiator;
use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::mailbox::{Stored, entry, quota};
use crate::im::record::MessageRecord;
use crate::im::{MailboxItem, OutsideMessage};
use crate::service::Event;
use hamlet_model::{
    Content, Elsewhere, Message, MessageId, MessageParty, Refusal, StatusCode, Timestamp, UserId,
};
use hamlet_store::{MailboxEntry, MailboxKind, Put, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Longest name that a gateway gives, octets: a MessageID must fit into old phones (csp-im 2.6).
const MAX_ID: usize = 40;

/// Longest of the other texts, octets.
const MAX_TEXT: usize = 1000;

/// What tells the names that gateways give from MessageIDs of this server.
const PREFIX: &str = "out-";

impl Inner {
    /// Announces a message; its MessageID, and whether it is new.
    pub(crate) async fn announce(
        &self,
        outside: OutsideMessage,
    ) -> Result<(MessageId, bool), Refusal> {
        check(&outside)?;
        let user = outside.user.clone();
        let named = std::slice::from_ref(&user);
        if !self.directory.is_home(&user) || !self.unknown(named).await?.is_empty() {
            return Err(StatusCode::UNKNOWN_USER.into());
        }
        if self.directory.unusual(&user).mute {
            return Err(StatusCode::RECIPIENT_UNAUTHORIZED.into());
        }
        let initiator = Initiator::user(outside.sender.clone());
        let refusing = self.refusing(&initiator, named).await;
        if !refusing.map_err(|error| refusal(&error))?.is_empty() {
            return Err(StatusCode::BLOCKED.into());
        }
        let id = match &outside.id {
            Some(id) => Ok(MessageId::new(format!("{PREFIX}{id}"))),
            None => self.message_ids.next(&self.store).await,
        };
        let message = self.outside(id.map_err(|error| refusal(&error))?, outside);
        let record = self.config.records.then(|| {
            let recipients = vec![message.recipient.clone()];
            Event::Message(Box::new(MessageRecord::accepted(
                &message, None, recipients,
            )))
        });
        let id = message.id.clone();
        let item = MailboxItem::Message(Box::new(message));
        let stored = entry(&item, None, &user).map_err(|error| refusal(&error))?;
        let quota = quota(&self.config.im);
        let put = self
            .store
            .write(move |tx| tx.put_mailbox(&stored, &quota))
            .await
            .map_err(|error| refusal(&error))?;
        match put {
            Put::Full => Err(StatusCode::MESSAGE_QUEUE_FULL.into()),
            Put::Duplicate => Ok((id, false)),
            Put::Stored => {
                let item = Arc::new(item);
                self.emit([Event::Mailbox { user, item }]);
                self.emit(record);
                Ok((id, true))
            }
        }
    }

    async fn unknown(
        &self,
        users: &[UserId],
    ) -> Result<std::collections::HashSet<UserId>, Refusal> {
        let unknown = self.directory.unknown(users).await;
        unknown.map_err(|error| refusal(&error))
    }

    fn outside(&self, id: MessageId, outside: OutsideMessage) -> Message {
        let now = Timestamp::now();
        let longest = self.config.im.max_validity;
        Message {
            id,
            sender_name: None,
            sender: MessageParty::user(outside.sender),
            recipient: MessageParty::user(outside.user),
            content: Content {
                content_type: outside.content_type,
                ..Content::default()
            },
            content_name: outside.name,
            uri: Some(outside.uri),
            elsewhere: Some(Elsewhere {
                size: outside.size,
                outside: true,
            }),
            sent: outside.sent.unwrap_or(now),
            expires: now.plus(outside.life.clamp(Duration::from_secs(1), longest)),
            font: None,
            extensions: Vec::new(),
            transaction_extensions: Vec::new(),
            report: false,
        }
    }

    /// Withdraws such a message; false when none of this name waits for the user.
    pub(crate) async fn withdraw_outside(
        &self,
        user: &UserId,
        id: &MessageId,
    ) -> Result<bool, StoreError> {
        let (user, id, records) = (user.clone(), id.to_string(), self.config.records);
        let withdrawn = self.store.write(move |tx| {
            let found = tx.mailbox_entry(&user, &id)?;
            if found.as_ref().and_then(waiting).is_none() {
                return Ok(None);
            }
            let Some(entry) = tx.take_mailbox(&user, &id)? else {
                return Ok(None);
            };
            let record = match records {
                true => MessageRecord::concluded(&entry, StatusCode::NOT_FOUND),
                false => None,
            };
            let ids = vec![entry.id];
            let user = entry.recipient;
            Ok(Some((Event::MailboxRemoved { user, ids }, record)))
        });
        let Some((removed, record)) = withdrawn.await? else {
            return Ok(false);
        };
        self.emit([removed]);
        self.emit(record);
        Ok(true)
    }

    /// Such messages that wait for a user, oldest first.
    pub(crate) async fn outside_messages(&self, user: &UserId) -> Result<Vec<Message>, StoreError> {
        let items = self.mailbox(user).await?;
        let messages = items.iter().filter_map(|item| match &**item {
            MailboxItem::Message(message) if message.is_outside() => Some((**message).clone()),
            _ => None,
        });
        Ok(messages.collect())
    }
}

/// The message of an entry, if its content waits in another system.
fn waiting(entry: &MailboxEntry) -> Option<Box<Message>> {
    if entry.kind != MailboxKind::Message {
        return None;
    }
    match Stored::of(entry)? {
        Stored::Message { message, .. } if message.is_outside() => Some(message),
        _ => None,
    }
}

fn check(outside: &OutsideMessage) -> Result<(), Refusal> {
    let wrong = |why: &str| Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
    if let Some(id) = &outside.id {
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._".contains(&c);
        if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(plain) {
            return wrong("The name is not of 1 to 40 letters, digits, '-', '.' or '_'");
        }
    }
    let is_link = outside.uri.split_once(':').is_some_and(|(scheme, rest)| {
        let known = |c: u8| c.is_ascii_alphanumeric() || b"+-.".contains(&c);
        !scheme.is_empty() && !rest.is_empty() && scheme.bytes().all(known)
    });
    if !is_link || outside.uri.contains(char::is_whitespace) {
        return wrong("The address of the content is no URI");
    }
    let texts = [
        Some(&outside.uri),
        outside.content_type.as_ref(),
        outside.name.as_ref(),
    ];
    let mut texts = texts.into_iter().flatten();
    if texts.any(|text| text.is_empty() || text.len() > MAX_TEXT || text.contains(char::is_control))
    {
        return wrong("A text is empty, too long or holds control characters");
    }
    Ok(())
}
