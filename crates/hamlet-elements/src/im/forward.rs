//! ForwardMessage (csp-im 7.6): a new message in the place of one that waits.

use crate::content::unlink;
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::im::ForwardMessage;
use crate::im::mailbox::report_on;
use crate::im::record::MessageRecord;
use crate::once;
use crate::service::{Answer, Event, IdempotenceKey, Requestor};
use hamlet_model::{Message, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, Tx};

/// The message that a new one takes the place of.
#[derive(Debug, Clone)]
pub(crate) struct Original {
    user: UserId,
    id: String,
}

impl Original {
    /// Whether it still waits.
    pub(crate) fn waits(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        Ok(tx.mailbox_entry(&self.user, &self.id)?.is_some())
    }

    /// It has been handed on: it is removed, and its sender is told.
    pub(crate) fn conclude(
        &self,
        tx: &mut Tx<'_>,
        shared: &Shared,
    ) -> Result<Vec<Event>, StoreError> {
        let Some(entry) = tx.take_mailbox(&self.user, &self.id)? else {
            return Ok(Vec::new());
        };
        let code = StatusCode::MESSAGE_FORWARDED;
        unlink(tx, shared, &entry)?;
        let mut events = report_on(tx, shared, &entry, code)?;
        if shared.records {
            events.extend(MessageRecord::concluded(&entry, code));
        }
        events.push(Event::MailboxRemoved {
            user: self.user.clone(),
            ids: vec![self.id.clone()],
        });
        Ok(events)
    }
}

impl Inner {
    /// When this answers with success, the new message is on the disk and the original gone,
    /// or a repetition of this request finds the same answer.
    pub(crate) async fn forward_message(
        &self,
        requestor: Requestor,
        request: ForwardMessage,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let holder = self.holder(requestor.clone()).await;
        let holder = holder.map_err(|error| refusal(&error))?;
        let (id, known) = (request.message.clone(), key.clone());
        // Done before, the original is gone: that is looked for first.
        let found = self.store.write(move |tx| {
            let earlier = once::recall(tx, known.as_ref())?;
            Ok((earlier, holder.waiting(tx, &id, Timestamp::now())?))
        });
        let original = match found.await.map_err(|error| refusal(&error))? {
            (Some(earlier), _) => return earlier,
            (None, None) => return Err(StatusCode::INVALID_MESSAGE_ID.into()),
            (None, Some(original)) => original,
        };
        let recipients = request.recipients;
        let sender = self
            .message_sender(request.sender, &recipients, &requestor)
            .await?;
        if recipients.is_empty() {
            return Err(Refusal::because(
                StatusCode::BAD_PARAMETER,
                "Recipient names nobody",
            ));
        }
        let addressed = self.addressed(&requestor, &sender, recipients).await?;
        let id = self.message_ids.next(&self.store).await;
        let sender_name = self.name_of(&sender.party).await;
        let message = Message {
            id: id.map_err(|error| refusal(&error))?,
            recipient: sender.party.clone(),
            sender_name: sender_name.map_err(|error| refusal(&error))?,
            sender: sender.party,
            sent: Timestamp::now(),
            report: false,
            ..*original
        };
        let original = Original {
            user: requestor.user.clone(),
            id: request.message.to_string(),
        };
        self.store_message(&requestor, message, addressed, Some(original), key)
            .await
    }
}
