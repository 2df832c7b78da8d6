//! RejectMessage (csp-im 7.5).

use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::RejectMessages;
use crate::im::report::nobody;
use crate::once;
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{Refusal, StatusCode, Timestamp};
use std::collections::HashSet;

/// Most messages of one request.
const MAX_MESSAGES: usize = 1000;

impl Inner {
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
            let (mut events, mut gone, mut rejected) = (Vec::new(), Vec::new(), 0);
            let mut failures = Failures::new();
            for id in &ids {
                let code = StatusCode::MESSAGE_REJECTED;
                match holder.take(tx, &shared, (id, now), code)? {
                    Some(taken) => {
                        rejected += 1;
                        events.extend(taken.events);
                        gone.extend(taken.entry.map(|entry| entry.id));
                    }
                    None => {
                        let unknown = failures.block(StatusCode::INVALID_MESSAGE_ID);
                        unknown.messages.push(id.clone());
                    }
                }
            }
            let answer = match rejected {
                0 => Err(nobody(failures)),
                _ => Ok(Response::Done(Outcome {
                    details: failures.into_details(),
                })),
            };
            if !gone.is_empty() {
                let user = holder.user().clone();
                events.push(Event::MailboxRemoved { user, ids: gone });
            }
            once::settle(tx, key.as_ref(), &answer)?;
            Ok((answer, events))
        });
        let (answer, events) = done.await.map_err(|error| refusal(&error))?;
        self.emit(events);
        answer
    }
}
