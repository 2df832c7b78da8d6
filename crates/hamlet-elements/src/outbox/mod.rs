//! What has been committed for other domains and waits to be sent (csp-im 5.3 item 10).

mod lines;

use crate::elements::Inner;
use crate::failure::encoding;
use crate::group;
use crate::im;
use crate::invitation;
use crate::service::{Answer, Event, Request};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{Domain, Timestamp, UserId};
use hamlet_store::{NewOutboxEntry, OutboxEntry, StoreError, Tx};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

pub(crate) use lines::Lines;

/// How long a presence notification or subscription is worth sending.
pub(crate) const PRESENCE_LIFE: Duration = Duration::from_secs(3600);

/// One request for another domain: to be sent until it is answered or expires.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxItem {
    /// Names it; the receiving domain recognises a repetition by it. Never given twice.
    pub id: i64,
    /// Where it goes.
    pub destination: Domain,
    /// On whose behalf.
    pub requestor: UserId,
    /// What is asked there.
    pub request: Request,
    /// How often it has been sent.
    pub attempts: u32,
    /// When it stops being worth sending.
    pub expires: Timestamp,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Parcel {
    /// A request as it is.
    Request {
        requestor: UserId,
        request: Box<Request>,
    },
    /// The presence of a publisher, as it is at the time of sending: so the newest replaces
    /// all that still wait.
    Presence {
        publisher: UserId,
        subscriber: UserId,
        /// What he does not see any more, and is told so.
        #[serde(default)]
        lost: AttributeSet,
    },
}

impl Parcel {
    pub(crate) fn request(requestor: UserId, request: Request) -> Self {
        Self::Request {
            requestor,
            request: Box::new(request),
        }
    }

    pub(crate) fn entry(
        &self,
        destination: Domain,
        expires: Timestamp,
    ) -> Result<NewOutboxEntry, StoreError> {
        Ok(NewOutboxEntry {
            destination,
            payload: serde_json::to_vec(self).map_err(encoding)?,
            expires,
            next_attempt: Timestamp::now(),
        })
    }

    /// Reads a stored one; what cannot be read is logged and dropped.
    fn of(entry: &OutboxEntry) -> Option<Self> {
        serde_json::from_slice(&entry.payload)
            .map_err(
                |error| tracing::error!(%error, id = entry.id, "an outbox entry is unreadable"),
            )
            .ok()
    }
}

/// For how long a sender that has got an answer may take to note it.
const CONCLUSION: Duration = Duration::from_secs(60);

/// The senders that still wait for the answers of other domains, by outbox entry. The number
/// tells a sender from one whose entry was undone and had the same identifier.
#[derive(Default)]
pub(crate) struct Waiting {
    senders: Mutex<Senders>,
    numbers: AtomicU64,
}

#[derive(Default)]
struct Senders {
    waiting: HashMap<i64, (u64, oneshot::Sender<Answer>)>,
    /// Those that have got an answer, and note it now: an answer to a repetition does not
    /// come late.
    concluding: HashSet<i64>,
    concluding_since: VecDeque<(Instant, i64)>,
}

impl Senders {
    fn concludes(&mut self, id: i64, now: Instant) {
        while let Some((since, old)) = self.concluding_since.front().copied()
            && now.duration_since(since) > CONCLUSION
        {
            self.concluding_since.pop_front();
            self.concluding.remove(&old);
        }
        if self.concluding.insert(id) {
            self.concluding_since.push_back((now, id));
        }
    }
}

/// What has become of an answer.
enum HandedOver {
    /// Its sender has it, now or from before.
    ToSender,
    /// Nobody waits for it.
    Late(Answer),
}

impl Waiting {
    /// Called inside the transaction that puts the entry into the outbox: it may be sent and
    /// answered as soon as that is committed.
    pub(crate) fn expect(self: &Arc<Self>, id: i64) -> Expected {
        let (sender, answer) = oneshot::channel();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.senders.lock().waiting.insert(id, (number, sender));
        Expected {
            id,
            number,
            answer,
            waiting: self.clone(),
        }
    }

    /// Gives the answer to the sender that waits for it.
    fn hand_over(&self, id: i64, answer: Answer) -> HandedOver {
        // Under the lock, so that a sender who finds himself taken out finds the answer.
        let mut senders = self.senders.lock();
        let late = match senders.waiting.remove(&id) {
            Some((_, sender)) => sender.send(answer).err(),
            None if senders.concluding.contains(&id) => None,
            None => Some(answer),
        };
        match late {
            Some(answer) => HandedOver::Late(answer),
            None => {
                senders.concludes(id, Instant::now());
                HandedOver::ToSender
            }
        }
    }

    /// Whether the sender was still waiting.
    fn give_up(&self, id: i64, number: u64) -> bool {
        let mut senders = self.senders.lock();
        let known = senders.waiting.get(&id);
        let is_own = known.is_some_and(|(known, _)| *known == number);
        if is_own {
            senders.waiting.remove(&id);
        }
        is_own
    }
}

/// The answer that a sender waits for; dropped, he waits no more.
pub(crate) struct Expected {
    id: i64,
    number: u64,
    answer: oneshot::Receiver<Answer>,
    waiting: Arc<Waiting>,
}

impl Expected {
    /// The outbox entry.
    pub(crate) fn id(&self) -> i64 {
        self.id
    }

    /// The answer, if it comes in time.
    pub(crate) async fn answer(mut self, deadline: Instant) -> Option<Answer> {
        if let Ok(given) = timeout_at(deadline, &mut self.answer).await {
            return given.ok();
        }
        // Whoever took the other end out before us has given an answer.
        match self.waiting.give_up(self.id, self.number) {
            true => None,
            false => self.answer.try_recv().ok(),
        }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.waiting.give_up(self.id, self.number);
    }
}

impl Inner {
    pub(crate) async fn outbox_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        self.know_lines().await?;
        let entries = self.store.read(move |tx| tx.outbox_due(now, limit)).await?;
        let many = entries.len() >= limit;
        let mut items = Vec::with_capacity(entries.len());
        let mut useless = Vec::new();
        let mut newest = HashSet::new();
        // What any of them takes away is said by the one that is sent.
        let mut all_lost: HashMap<(UserId, UserId), AttributeSet> = HashMap::new();
        for entry in &entries {
            if let Some(Parcel::Presence {
                publisher,
                subscriber,
                lost,
            }) = Parcel::of(entry)
            {
                let of_pair = all_lost.entry((publisher, subscriber)).or_default();
                *of_pair = of_pair.union(lost);
            }
        }
        // Backwards, so that of several notifications for one pair the last is kept.
        for entry in entries.into_iter().rev() {
            let addressed = match Parcel::of(&entry) {
                Some(Parcel::Request { requestor, request }) => Some((requestor, *request)),
                Some(Parcel::Presence {
                    publisher,
                    subscriber,
                    ..
                }) if newest.insert((publisher.clone(), subscriber.clone())) => {
                    let pair = (publisher, subscriber);
                    let lost = all_lost.get(&pair).copied().unwrap_or_default();
                    let (publisher, subscriber) = pair;
                    self.notification_for_domain(&publisher, &subscriber, lost)
                        .await?
                        .map(|request| (publisher, request))
                }
                _ => None,
            };
            match addressed {
                Some((requestor, request)) => items.push(OutboxItem {
                    id: entry.id,
                    destination: entry.destination,
                    requestor,
                    request,
                    attempts: entry.attempts,
                    expires: entry.expires,
                }),
                None => useless.push(entry.id),
            }
        }
        if !useless.is_empty() {
            self.store
                .write(move |tx| {
                    useless
                        .iter()
                        .try_for_each(|id| tx.remove_outbox(*id).map(drop))
                })
                .await?;
        }
        items.reverse();
        for item in &items {
            if let Some(line) = lines::line(&item.destination, &item.requestor, &item.request) {
                self.lines.enter(item.id, line);
            }
        }
        let (waiting, items): (Vec<_>, Vec<_>) = items
            .into_iter()
            .partition(|item| self.lines.ahead_of(item.id).is_some());
        if !waiting.is_empty() {
            let waiting = waiting.into_iter().map(|item| item.id).collect();
            self.hold_back(waiting, many).await?;
        }
        Ok(items)
    }

    pub(crate) async fn outbox_settle(&self, id: i64, answer: Answer) -> Result<(), StoreError> {
        // A sender that waits removes the entry together with correcting his record.
        let HandedOver::Late(answer) = self.waiting.hand_over(id, answer) else {
            return Ok(());
        };
        let shared = self.shared.clone();
        let events = self
            .store
            .write(move |tx| {
                let Some(entry) = tx.outbox_entry(id)? else {
                    return Ok(Vec::new());
                };
                tx.remove_outbox(id)?;
                failed_elsewhere(tx, &shared, &entry, &answer)
            })
            .await?;
        self.emit(events);
        self.next_in_line(&[id]).await
    }

    /// Drops what could not be sent in time. Answers how many entries went.
    pub(crate) async fn expire_outbox(&self, now: Timestamp) -> Result<usize, StoreError> {
        let shared = self.shared.clone();
        let (gone, events) = self
            .store
            .write(move |tx| {
                let expired = tx.take_expired_outbox(now, crate::im::EXPIRE_BATCH)?;
                let mut events = Vec::new();
                for entry in &expired {
                    let answer = Err(hamlet_model::StatusCode::MESSAGE_EXPIRED.into());
                    events.extend(failed_elsewhere(tx, &shared, entry, &answer)?);
                }
                let gone: Vec<i64> = expired.iter().map(|entry| entry.id).collect();
                Ok((gone, events))
            })
            .await?;
        self.emit(events);
        self.next_in_line(&gone).await?;
        Ok(gone.len())
    }
}

/// What a late answer of another domain means to users here: reports for messages that
/// failed, if they were asked for. Nothing else is told late.
fn failed_elsewhere(
    tx: &mut Tx<'_>,
    shared: &crate::elements::Shared,
    entry: &OutboxEntry,
    answer: &Answer,
) -> Result<Vec<Event>, StoreError> {
    let Some(Parcel::Request { requestor, request }) = Parcel::of(entry) else {
        return Ok(Vec::new());
    };
    if group::undo_late_join(tx, shared, &requestor, &request, answer)? {
        return Ok(vec![Event::Outbox]);
    }
    if let (Request::DeliverInvitation(deliver), Err(refusal)) = (&*request, answer) {
        invitation::forget_refused(tx, deliver, refusal)?;
    }
    let Request::DeliverMessage(deliver) = *request else {
        if let Err(refusal) = answer {
            tracing::info!(%refusal, id = entry.id, "another domain refused a request");
        }
        return Ok(Vec::new());
    };
    im::report_late_failures(tx, shared, &deliver, answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{Outcome, Response};

    fn answer() -> Answer {
        Ok(Response::Done(Outcome::default()))
    }

    #[tokio::test]
    async fn an_answer_to_a_repetition_is_not_late_while_its_sender_notes_the_first() {
        let waiting = Arc::new(Waiting::default());
        let is_late = |id| matches!(waiting.hand_over(id, answer()), HandedOver::Late(_));
        let expected = waiting.expect(1);
        assert!(!is_late(1));
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(expected.answer(deadline).await, Some(answer()));
        assert!(!is_late(1), "its sender has the first");
        drop(waiting.expect(2));
        assert!(is_late(2), "nobody has waited long enough");
        let long_after = Instant::now() + CONCLUSION + Duration::from_secs(1);
        waiting.senders.lock().concludes(3, long_after);
        assert!(is_late(1), "its sender has forgotten it");
    }
}
