//! MessageDelivered as a request of its own (csp-im 7.2): it is answered, so it may come again.

use crate::elements::Inner;
use crate::im::holder::Taken;
use crate::once;
use crate::service::{IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::{ClientId, MessageId, SessionId, StatusCode, Timestamp};
use hamlet_store::{MailboxCopy, StoreError};

/// What a client's acknowledgement of a message was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// The message waited for it.
    Now,
    /// The session has acknowledged it before.
    Before,
    /// No such message waits for the session.
    Unknown,
}

/// One record for each message, whatever the TransactionIDs under which it is acknowledged.
fn key(session: &SessionId, message: &MessageId) -> IdempotenceKey {
    IdempotenceKey {
        scope: session.to_string(),
        id: format!("MessageDelivered {message}"),
        hash: 0,
    }
}

impl Inner {
    /// A session has a message, by its name, wherever it waits for it. What waits in the
    /// mailbox is taken when it is `known` whose turn is next: these clients get copies.
    pub(crate) async fn acknowledge_by_name(
        &self,
        requestor: Requestor,
        id: MessageId,
        known: Option<Vec<ClientId>>,
    ) -> Result<Acknowledged, StoreError> {
        let key = requestor.session.as_ref().map(|session| key(session, &id));
        let holder = self.holder(requestor).await?;
        let shared = self.shared.clone();
        let done = self.store.write(move |tx| {
            // One that expired on its way has arrived all the same.
            let whenever = Timestamp::from_secs(0);
            let taken = match &known {
                Some(_) => holder.take(tx, &shared, (&id, whenever), StatusCode::OK)?,
                None => holder.take_beside_mailbox(tx, &shared, (&id, whenever), StatusCode::OK)?,
            };
            // A message may come again, in another place, after it has been acknowledged in one.
            let Some(Taken { events, entry }) = taken else {
                let before = once::recall(tx, key.as_ref())?.is_some();
                let what = match before {
                    true => Acknowledged::Before,
                    false => Acknowledged::Unknown,
                };
                return Ok((what, Vec::new()));
            };
            if let Some(entry) = entry {
                for client in known.iter().flatten() {
                    tx.put_mailbox_copy(&MailboxCopy {
                        recipient: entry.recipient.clone(),
                        id: entry.id.clone(),
                        client: client.clone(),
                        expires: entry.expires,
                        payload: entry.payload.clone(),
                    })?;
                }
            }
            let answer = Ok(Response::Done(Outcome::default()));
            once::settle(tx, key.as_ref(), &answer)?;
            Ok((Acknowledged::Now, events))
        });
        let (acknowledged, events) = done.await?;
        self.emit(events);
        Ok(acknowledged)
    }

    /// Whether a session has acknowledged a message by such a request.
    pub(crate) async fn has_acknowledged(
        &self,
        session: &SessionId,
        id: &MessageId,
    ) -> Result<bool, StoreError> {
        let key = key(session, id);
        let recalled = self.store.write(move |tx| once::recall(tx, Some(&key)));
        Ok(recalled.await?.is_some())
    }
}
