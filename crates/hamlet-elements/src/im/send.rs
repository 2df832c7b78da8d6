//! SendMessage (csp-im 5).

use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::deliver::{answer, check_size, copies, put_copies};
use crate::im::forward::Original;
use crate::im::group_send::{Target, put_said};
use crate::im::mailbox::quota;
use crate::im::recipients::{Addressed, Resolved};
use crate::im::record::MessageRecord;
use crate::im::report::{accepted, failures_elsewhere, nobody};
use crate::im::{Accepted, DeliverMessage, ImConfig, SendMessage};
use crate::once;
use crate::outbox::{Expected, Parcel};
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Request, Requestor, Response};
use futures::future::join_all;
use hamlet_model::refusal::Failures;
use hamlet_model::{Detail, Domain, Message, MessageParty, Refusal, StatusCode, Timestamp};
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
        /// For how many recipients it is stored here; a group is one.
        stored: usize,
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
        let claimed = request.sender.take();
        let sender = self
            .message_sender(claimed, &request.recipients, &requestor)
            .await?;
        let recipients = std::mem::take(&mut request.recipients);
        if recipients.is_empty() {
            return Err(Refusal::because(
                StatusCode::BAD_PARAMETER,
                "The message has no recipient",
            ));
        }
        check_size(&self.config.im, &request.content.data)?;
        let addressed = self.addressed(&requestor, &sender, recipients).await?;
        let message = self
            .message(sender.party, request)
            .await
            .map_err(|error| refusal(&error))?;
        self.store_message(&requestor, message, addressed, None, key)
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
            elsewhere: request.elsewhere,
            sent: sent_time(request.sent, now),
            expires: now.plus(validity(request.validity, &self.config.im)),
            font: request.font,
            extensions: request.extensions,
            transaction_extensions: request.transaction_extensions,
            report: request.report,
        })
    }

    /// The friendly name of a sender who comes as himself (csp-im 11.5).
    pub(crate) async fn name_of(
        &self,
        sender: &MessageParty,
    ) -> Result<Option<String>, StoreError> {
        let MessageParty::User { user, .. } = sender else {
            return Ok(None);
        };
        self.directory.unknown(std::slice::from_ref(user)).await?;
        Ok(self.directory.unusual(user).friendly_name)
    }

    /// Stores a message for all of its recipients. One that takes the place of an `original`
    /// that is gone by now is refused (426).
    pub(crate) async fn store_message(
        &self,
        requestor: &Requestor,
        message: Message,
        addressed: Addressed,
        original: Option<Original>,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let Addressed {
            resolved:
                Resolved {
                    local,
                    foreign,
                    failures,
                    silenced,
                },
            groups,
            judged,
        } = addressed;
        // Most servers keep no records; nothing is made for them then.
        let record = self.config.records.then(|| {
            let here = local.iter().map(|(_, party)| party);
            let recipients = here.chain(foreign.values().flatten()).cloned();
            let recipients = recipients.chain(groups.iter().map(Target::party)).collect();
            MessageRecord::accepted(&message, Some(requestor), recipients)
        });
        let copies =
            copies(&message, local, requestor.client.as_ref()).map_err(|error| refusal(&error))?;
        let from = (&requestor.user, requestor.client.as_ref());
        let said = self
            .said(&message, from, &message.sender, groups)
            .map_err(|error| refusal(&error))?;
        let parcels = parcels(requestor, &message, foreign);
        let expected = accepted(&message, failures.clone());
        let quota = quota(&self.config.im);
        let expires = message.expires;
        let (waiting, kept_key) = (self.waiting.clone(), key.clone());
        let (shared, kept_original) = (self.shared.clone(), original.clone());
        let sent = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::begin(tx, key.as_ref(), &expected)? {
                    return Ok(Sent::Before(earlier));
                }
                if let Some(original) = &original
                    && !original.waits(tx)?
                {
                    let gone = Err(StatusCode::INVALID_MESSAGE_ID.into());
                    once::settle(tx, key.as_ref(), &gone)?;
                    return Ok(Sent::Before(gone));
                }
                let (mut events, full) = put_copies(tx, &copies, &quota)?;
                let stored = events.len() + said.len() + silenced;
                events.extend(put_said(tx, &shared, &said)?);
                let mut outbox = Vec::with_capacity(parcels.len());
                for (domain, recipients, parcel) in &parcels {
                    let entry = parcel.entry(domain.clone(), message.expires)?;
                    let id = tx.put_outbox(&entry)?;
                    outbox.push((recipients.clone(), waiting.expect(id)));
                }
                let answer = if full.is_empty() {
                    expected.clone()
                } else {
                    let anybody = stored + outbox.len() > 0;
                    let answer = answer(&message, failures.clone(), full, anybody);
                    once::settle(tx, key.as_ref(), &answer)?;
                    answer
                };
                if let Some(original) = original.as_ref().filter(|_| stored > 0) {
                    events.extend(original.conclude(tx, &shared)?);
                }
                Ok(Sent::Now {
                    answer,
                    stored,
                    events,
                    outbox,
                })
            })
            .await
            .map_err(|error| refusal(&error))?;
        let (answer, stored, events, outbox) = match sent {
            Sent::Before(answer) => return answer,
            Sent::Now {
                answer,
                stored,
                events,
                outbox,
            } => (answer, stored, events, outbox),
        };
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
        if let (Some(original), 0, Ok(_)) = (kept_original, stored, &answer) {
            // Only now another domain has it, as far as can be known.
            self.conclude_original(original).await;
        }
        self.emit(record.and_then(|record| record.answered(&answer)));
        answer
    }

    async fn conclude_original(&self, original: Original) {
        let shared = self.shared.clone();
        let concluded = self
            .store
            .write(move |tx| original.conclude(tx, &shared))
            .await;
        match concluded {
            Ok(events) => self.emit(events),
            // It has been handed on and still waits: better twice than not at all.
            Err(error) => tracing::warn!(%error, "a forwarded message could not be removed"),
        }
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
            let of_detail = |d: &Detail| d.users.len() + d.groups.len() + d.screen_names.len();
            let count: usize = failed.iter().map(of_detail).sum();
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
    sender: &Requestor,
    message: &Message,
    foreign: BTreeMap<Domain, Vec<MessageParty>>,
) -> Vec<(Domain, Vec<MessageParty>, Parcel)> {
    foreign
        .into_iter()
        .map(|(domain, recipients)| {
            let request = Request::DeliverMessage(Box::new(DeliverMessage {
                message: message.clone(),
                recipients: recipients.clone(),
                client: sender.client.clone(),
            }));
            let parcel = Parcel::request(sender.user.clone(), request);
            (domain, recipients, parcel)
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
