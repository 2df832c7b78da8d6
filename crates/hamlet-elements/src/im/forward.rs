//! ForwardMessage (csp-im 7.6): a new message in the place of one that waits.

use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::im::ForwardMessage;
use crate::im::deliver::too_many;
use crate::im::mailbox::report_on;
use crate::im::record::MessageRecord;
use crate::im::report::nobody;
use crate::im::sender::check_sender;
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
        let sender = check_sender(request.sender, &requestor)?;
        let recipients = request.recipients;
        if recipients.is_empty() {
            return Err(Refusal::because(
                StatusCode::BAD_PARAMETER,
                "Recipient names nobody",
            ));
        }
        let judged = self.directory.access_changes();
        let resolved = self.resolve_welcoming(&requestor, recipients).await;
        let resolved = resolved.map_err(|error| refusal(&error))?;
        let foreign: usize = resolved.foreign.values().map(Vec::len).sum();
        match resolved.local.len() + foreign {
            0 if resolved.silenced == 0 => return Err(nobody(resolved.failures)),
            count if count > self.config.im.max_recipients => return Err(too_many()),
            _ => {}
        }
        let id = self.message_ids.next(&self.store).await;
        let sender_name = self.name_of(&sender).await;
        let message = Message {
            id: id.map_err(|error| refusal(&error))?,
            recipient: sender.clone(),
            sender_name: sender_name.map_err(|error| refusal(&error))?,
            sender,
            sent: Timestamp::now(),
            report: false,
            ..*original
        };
        let original = Original {
            user: requestor.user.clone(),
            id: request.message.to_string(),
        };
        self.store_message(&requestor, message, resolved, judged, Some(original), key)
            .await
    }
}
