//! ForwardMessage (csp-im 7.6): a new message in the place of one that waits.

use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::im::ForwardMessage;
use crate::im::holder::{Holder, Taken};
use crate::once;
use crate::service::{Answer, Event, IdempotenceKey, Requestor};
use hamlet_model::{Message, MessageId, Refusal, StatusCode, Timestamp};
use hamlet_store::{StoreError, Tx};

/// The message that a new one takes the place of.
#[derive(Debug, Clone)]
pub(crate) struct Original {
    holder: Holder,
    id: MessageId,
    /// It waited then, and is not too old since.
    at: Timestamp,
}

impl Original {
    /// Whether it still waits.
    pub(crate) fn waits(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        self.holder.waits(tx, &self.id, self.at)
    }

    /// It has been handed on: it is removed, and its sender is told.
    pub(crate) fn conclude(
        &self,
        tx: &mut Tx<'_>,
        shared: &Shared,
    ) -> Result<Vec<Event>, StoreError> {
        let (what, code) = ((&self.id, self.at), StatusCode::MESSAGE_FORWARDED);
        let Some(Taken { mut events, entry }) = self.holder.take(tx, shared, what, code)? else {
            return Ok(Vec::new());
        };
        if let Some(entry) = entry {
            events.push(Event::MailboxRemoved {
                user: entry.recipient,
                ids: vec![entry.id],
            });
        }
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
        let original = Original {
            holder,
            id: request.message.clone(),
            at: Timestamp::now(),
        };
        let (looked_for, known) = (original.clone(), key.clone());
        // Done before, the original is gone: that is looked for first.
        let found = self.store.write(move |tx| {
            let earlier = once::recall(tx, known.as_ref())?;
            let Original { holder, id, at } = &looked_for;
            Ok((earlier, holder.message(tx, id, *at)?))
        });
        let (message, original) = match found.await.map_err(|error| refusal(&error))? {
            (Some(earlier), _) => return earlier,
            (None, Some(message)) => (message, Some(original)),
            // What a group remembers stays with it.
            (None, None) => {
                let read = self.groups.history_message(&requestor, &request.message);
                (read.await?, None)
            }
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
            ..message
        };
        self.store_message(&requestor, message, addressed, original, key)
            .await
    }
}
