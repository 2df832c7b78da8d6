//! RejectMessage (csp-im 7.5), and which of the messages that wait are a session's to decide on.

use crate::content::unlink;
use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::RejectMessages;
use crate::im::mailbox::{Stored, report_on};
use crate::im::record::MessageRecord;
use crate::im::report::nobody;
use crate::once;
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{Message, MessageId, MessageParty, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{MailboxKind, StoreError, Tx};
use std::collections::HashSet;

/// Most messages of one request.
const MAX_MESSAGES: usize = 1000;

/// Who decides on messages that wait.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    requestor: Requestor,
    /// It is its application itself, which gets what is for its account, too.
    own: bool,
}

impl Holder {
    pub(crate) fn user(&self) -> &UserId {
        &self.requestor.user
    }

    /// Whether a message to `recipient` is for this session (csp-im 10.3 items 1 and 2).
    fn is_addressed(&self, recipient: &MessageParty) -> bool {
        let MessageParty::User {
            client,
            application,
            ..
        } = recipient
        else {
            return true;
        };
        match client {
            Some(_) => *client == self.requestor.client,
            None => {
                *application == self.requestor.application || (application.is_none() && self.own)
            }
        }
    }

    /// The message of this name that waits for the session, if there is one.
    pub(crate) fn waiting(
        &self,
        tx: &mut Tx<'_>,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<Option<Box<Message>>, StoreError> {
        let entry = tx.mailbox_entry(self.user(), id.as_str())?;
        // csp-im 9: what has expired is not there, even before it is removed.
        let entry = entry.filter(|e| e.kind == MailboxKind::Message && e.expires > now);
        Ok(match entry.as_ref().and_then(Stored::of) {
            Some(Stored::Message { message, .. }) if self.is_addressed(&message.recipient) => {
                Some(message)
            }
            _ => None,
        })
    }
}

impl Inner {
    pub(crate) async fn holder(&self, requestor: Requestor) -> Result<Holder, StoreError> {
        let own = match &requestor.application {
            None => false,
            application => {
                let user = std::slice::from_ref(&requestor.user);
                self.directory.unknown(user).await?;
                self.directory.unusual(&requestor.user).application == *application
            }
        };
        Ok(Holder { requestor, own })
    }

    pub(crate) async fn reject_messages(
        &self,
        requestor: Requestor,
        request: RejectMessages,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let mut seen = HashSet::new();
        let mut ids = request.messages;
        ids.retain(|id| seen.insert(id.clone()));
        if ids.len() > MAX_MESSAGES {
            let why = format!("More than {MAX_MESSAGES} messages at a time");
            return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
        }
        let holder = self.holder(requestor).await.map_err(|e| refusal(&e))?;
        let shared = self.shared.clone();
        let done = self.store.write(move |tx| {
            if let Some(earlier) = once::recall(tx, key.as_ref())? {
                return Ok((earlier, Vec::new()));
            }
            let now = Timestamp::now();
            let (mut events, mut gone) = (Vec::new(), Vec::new());
            let mut failures = Failures::new();
            for id in &ids {
                if holder.waiting(tx, id, now)?.is_none() {
                    let unknown = failures.block(StatusCode::INVALID_MESSAGE_ID);
                    unknown.messages.push(id.clone());
                    continue;
                }
                let Some(entry) = tx.take_mailbox(holder.user(), id.as_str())? else {
                    continue;
                };
                let code = StatusCode::MESSAGE_REJECTED;
                unlink(tx, &shared, &entry)?;
                events.extend(report_on(tx, &shared, &entry, code)?);
                if shared.records {
                    events.extend(MessageRecord::concluded(&entry, code));
                }
                gone.push(entry.id);
            }
            let answer = if gone.is_empty() {
                Err(nobody(failures))
            } else {
                events.push(Event::MailboxRemoved {
                    user: holder.user().clone(),
                    ids: gone,
                });
                Ok(Response::Done(Outcome {
                    details: failures.into_details(),
                }))
            };
            once::settle(tx, key.as_ref(), &answer)?;
            Ok((answer, events))
        });
        let (answer, events) = done.await.map_err(|error| refusal(&error))?;
        self.emit(events);
        answer
    }
}
