//! Content of messages that a client gets as a link (csp-im 4.4).

use crate::content::{ContentError, Kept, NewContent};
use crate::elements::{Inner, Shared};
use crate::im::GroupMessage;
use hamlet_model::{Message, Timestamp, UserId};
use hamlet_store::{MailboxEntry, StoreError, Tx};

impl Inner {
    /// Keeps the content of a message for as long as the message is worth delivering, once for
    /// each owner: him for whom it waits, or for what was said in a group who said it.
    pub(crate) async fn link_message(
        &self,
        owner: &UserId,
        message: &Message,
        (media_type, octets): (String, Vec<u8>),
    ) -> Result<Kept, ContentError> {
        let new = NewContent {
            owner: owner.clone(),
            media_type,
            name: message.content_name.clone().unwrap_or_default(),
            life: Some(message.expires.since(Timestamp::now())),
            purpose: Some(purpose(message)),
        };
        self.keep_content(new, octets).await
    }
}

/// By what the content is found again. What was said in a group has a name of its own: the same
/// message may have been sent to its sender, too.
fn purpose(message: &Message) -> String {
    match message.recipient.group() {
        Some(group) => format!("{} {group}", message.id.as_str()),
        None => message.id.as_str().to_owned(),
    }
}

/// A whisper is out of the log of its group, and its recipient does not have it: nor does he
/// fetch it.
pub(crate) fn unlink_said(
    tx: &mut Tx<'_>,
    shared: &Shared,
    whisper: &GroupMessage,
) -> Result<(), StoreError> {
    if shared.keeps_content {
        tx.remove_content_for(&whisper.sender, &purpose(&whisper.message))?;
    }
    Ok(())
}

/// A message is out of its mailbox, and its recipient does not have it: nor does he fetch it.
pub(crate) fn unlink(
    tx: &mut Tx<'_>,
    shared: &Shared,
    entry: &MailboxEntry,
) -> Result<(), StoreError> {
    if shared.keeps_content {
        tx.remove_content_for(&entry.recipient, &entry.id)?;
    }
    Ok(())
}
