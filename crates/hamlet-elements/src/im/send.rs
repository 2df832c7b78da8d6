//! SendMessage (csp-im 5).

use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::deliver::{answer, check_size, copies, put_copies, too_many};
use crate::im::mailbox::quota;
use crate::im::recipients::Resolved;
use crate::im::record::MessageRecord;
use crate::im::report::{accepted, failures_elsewhere, nobody};
use crate::im::sender::check_sender;
use crate::im::{Accepted, DeliverMessage, ImConfig, SendMessage};
use crate::once;
use crate::outbox::{Expected, Parcel};
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Request, Requestor, Response};
use futures::future::join_all;
use hamlet_model::refusal::Failures;
use hamlet_model::{Domain, Message, MessageParty, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::StoreError;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How far the clock of a sender may be off before the server's counts (csp-im 2.5).
const CLOCK_TOLERANCE: Duration = Duration::from_secs(24 * 3600);

/// Shortest life of a message, so that a client that is online can get it (csp-im 5.3 item 7).
const MIN_VALIDITY: Duration = Duration::from_secs(1);

/// What the transaction did.
enum Sent {
    /// It was a repetition.
    Before(Answer),
    /// What to answer and tell, and what other domains are expected to say about which
    /// recipients.
    Now {
        answer: Answer,
        events: Vec<Event>,
        outbox: Vec<(Vec<MessageParty>, Expected)>,
    },
}

impl Inner {
    /// Takes a message: when this answers with success, it is on the disk.
    pub(crate) async fn send_message(
        &self,
        requestor: Requestor,
        mut request: SendMessage,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let config = &self.config.im;
        let sender = check_sender(request.sender.take(), &requestor)?;
        let recipients = std::mem::take(&mut request.recipients);
        if recipients.parties.is_empty()
            && recipients.contact_lists.is_empty()
            && recipients.malformed.is_empty()
        {
            return Err(Refusal::because(
                StatusCode::BAD_PARAMETER,
                "The message has no recipient",
            ));
        }
        check_size(config, &request.content.data)?;
        let judged = self.directory.access_changes();
        let resolved = self
            .resolve_welcoming(&requestor, recipients)
            .await
            .map_err(|error| refusal(&error))?;
        let foreign: usize = resolved.foreign.values().map(Vec::len).sum();
        match resolved.local.len() + foreign {
            0 if resolved.silenced == 0 => return Err(nobody(resolved.failures)),
            count if count > config.max_recipients => return Err(too_many()),
            _ => {}
        }
        let message = self
            .message(sender, request)
            .await
            .map_err(|error| refusal(&error))?;
        self.store_message(&requestor, message, resolved, judged, key)
            .await
    }

    /// Items 7 and 2 of csp-im 5.3: identifier, times, and what else all copies share.
    async fn message(
        &self,
        sender: MessageParty,
        request: SendMessage,
    ) -> Result<Message, StoreError> {
        let now = Timestamp::now();
        Ok(Message {
            id: self.message_ids.next(&self.store).await?,
            // Each recipient's copy names him alone.
            recipient: sender.clone(),
            sender_name: self.name_of(&sender).await?,
            sender,
            content: request.content,
            content_name: request.content_name,
            uri: request.uri,
            sent: sent_time(request.sent, now),
            expires: now.plus(validity(request.validity, &self.config.im)),
            font: request.font,
            extensions: request.extensions,
            transaction_extensions: request.transaction_extensions,
            report: request.report,
        })
    }

    /// The friendly name of a sender who comes as himself (csp-im 11.5).
    async fn name_of(&self, sender: &MessageParty) -> Result<Option<String>, StoreError> {
        let MessageParty::User { user, .. } = sender else {
            return Ok(None);
        };
        self.directory.unknown(std::slice::from_ref(user)).await?;
        Ok(self.directory.unusual(user).friendly_name)
    }

    async fn store_message(
        &self,
        requestor: &Requestor,
        message: Message,
        resolved: Resolved,
        judged: u64,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let Resolved {
            local,
            foreign,
            failures,
            silenced,
        } = resolved;
        // Most servers keep no records; nothing is made for them then.
        let record = self.config.records.then(|| {
            let here = local.iter().map(|(_, party)| party);
            let recipients = here.chain(foreign.values().flatten()).cloned().collect();
            MessageRecord::accepted(&message, Some(requestor), recipients)
        });
        let copies =
            copies(&message, local, requestor.client.as_ref()).map_err(|error| refusal(&error))?;
        let parcels = parcels(&requestor.user, &message, foreign);
        let expected = accepted(&message, failures.clone());
        let quota = quota(&self.config.im);
        let expires = message.expires;
        let (waiting, kept_key) = (self.waiting.clone(), key.clone());
        let sent = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::begin(tx, key.as_ref(), &expected)? {
                    return Ok(Sent::Before(earlier));
                }
                let (events, full) = put_copies(tx, &copies, &quota)?;
                let mut outbox = Vec::with_capacity(parcels.len());
                for (domain, recipients, parcel) in &parcels {
                    let entry = parcel.entry(domain.clone(), message.expires)?;
                    let id = tx.put_outbox(&entry)?;
                    outbox.push((recipients.clone(), waiting.expect(id)));
                }
                let answer = if full.is_empty() {
                    expected.clone()
                } else {
                    let anybody = events.len() + outbox.len() + silenced > 0;
                    let answer = answer(&message, failures.clone(), full, anybody);
                    once::settle(tx, key.as_ref(), &answer)?;
                    answer
                };
                Ok(Sent::Now {
                    answer,
                    events,
                    outbox,
                })
            })
            .await
            .map_err(|error| refusal(&error))?;
        let (answer, events, outbox) = match sent {
            Sent::Before(answer) => return answer,
            Sent::Now {
                answer,
                events,
                outbox,
            } => (answer, events, outbox),
        };
        let stored = events.len() + silenced;
        self.expiry.note(expires);
        let doubtful = self.judged_early(judged, &events);
        self.emit(events);
        self.recheck_mailboxes(doubtful).await;
        let answer = match outbox.is_empty() {
            true => answer,
            false => {
                self.emit([Event::Outbox]);
                self.merge_foreign(answer, stored, outbox, kept_key).await
            }
        };
        self.emit(record.and_then(|record| record.answered(&answer)));
        answer
    }

    /// Waits for the other domains' answers and merges them into the sender's (csp-im 5.3
    /// items 9 and 10). A domain that does not answer in time has accepted, as far as this
    /// answer goes.
    async fn merge_foreign(
        &self,
        answer: Answer,
        stored: usize,
        asked: Vec<(Vec<MessageParty>, Expected)>,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let Ok(Response::Message(own)) = &answer else {
            return answer;
        };
        let deadline = Instant::now() + self.config.im.foreign_wait;
        let mut reached = stored + asked.iter().map(|(who, _)| who.len()).sum::<usize>();
        let answers = join_all(asked.into_iter().map(|(recipients, expected)| async move {
            let id = expected.id();
            Some((id, recipients, expected.answer(deadline).await?))
        }))
        .await;
        let mut failures = Failures::new();
        failures.merge(own.outcome.details.clone());
        let mut settled = Vec::new();
        for (id, recipients, given) in answers.into_iter().flatten() {
            let failed = failures_elsewhere(&recipients, &given);
            let count: usize = failed.iter().map(|detail| detail.users.len()).sum();
            reached = reached.saturating_sub(count);
            failures.merge(failed);
            settled.push(id);
        }
        if settled.is_empty() {
            return answer;
        }
        let merged = if reached == 0 {
            Err(nobody(failures))
        } else {
            Ok(Response::Message(Accepted {
                message_id: own.message_id.clone(),
                outcome: Outcome {
                    details: failures.into_details(),
                },
            }))
        };
        let changed = merged != answer;
        let recorded = merged.clone();
        let done = self
            .store
            .write(move |tx| {
                for id in &settled {
                    tx.remove_outbox(*id)?;
                }
                if changed {
                    once::settle(tx, key.as_ref(), &recorded)?;
                }
                Ok(())
            })
            .await;
        // The entries are then sent again, and recognised as repetitions.
        if let Err(error) = done {
            tracing::warn!(%error, "answered outbox entries could not be removed");
        }
        merged
    }
}

fn parcels(
    sender: &UserId,
    message: &Message,
    foreign: BTreeMap<Domain, Vec<MessageParty>>,
) -> Vec<(Domain, Vec<MessageParty>, Parcel)> {
    foreign
        .into_iter()
        .map(|(domain, recipients)| {
            let request = Request::DeliverMessage(Box::new(DeliverMessage {
                message: message.clone(),
                recipients: recipients.clone(),
            }));
            (domain, recipients, Parcel::request(sender.clone(), request))
        })
        .collect()
}

/// csp-im 2.5.
fn sent_time(claimed: Option<Timestamp>, now: Timestamp) -> Timestamp {
    match claimed {
        Some(at) if at.since(now) <= CLOCK_TOLERANCE && now.since(at) <= CLOCK_TOLERANCE => at,
        _ => now,
    }
}

/// csp-im 5.3 item 7.
fn validity(asked: Option<Duration>, config: &ImConfig) -> Duration {
    asked
        .unwrap_or(config.default_validity)
        .clamp(MIN_VALIDITY, config.max_validity.max(MIN_VALIDITY))
}
