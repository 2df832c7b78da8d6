//! What the operator does with system messages.

use super::types::id_of;
use super::{Audience, Overview, Question, SystemMessage, SystemMessageShown};
use crate::elements::Inner;
use crate::failure::{encoding, refusal};
use crate::push::{Push, PushContent, Pushed};
use crate::service::Event;
use hamlet_model::{Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, StoredSystemMessage, Tx};
use std::sync::Arc;
use std::time::Duration;

/// Longest text, characters.
const MAX_TEXT: usize = 4096;

/// Longest text of an option, of a question, and of its answer, characters.
const MAX_SHORT: usize = 255;

/// Most options.
const MAX_OPTIONS: usize = 20;

/// Users that one transaction addresses, so that other writes are not held up.
const BATCH: usize = 500;

/// How long it is known what has become of an expired message.
const REMEMBERED: Duration = Duration::from_secs(90 * 24 * 3600);

impl Inner {
    /// Sends a system message; its number. 402 for one that cannot be, 531 with those users
    /// that do not exist: then nobody gets it.
    pub(crate) async fn send_system_message(
        &self,
        message: SystemMessage,
        audience: Audience,
        life: Duration,
    ) -> Result<i64, Refusal> {
        check(&message)?;
        let (created, everyone) = (Timestamp::now(), audience == Audience::Everyone);
        let users = match audience {
            Audience::Everyone => Vec::new(),
            Audience::Users(users) => users,
        };
        self.all_exist(&users).await?;
        let expires = created.plus(life.max(Duration::from_secs(1)));
        let payload = serde_json::to_vec(&message).map_err(|error| refusal(&encoding(error)))?;
        let number = self
            .store
            .write(move |tx| tx.put_system_message(everyone, created, expires, &payload))
            .await
            .map_err(|error| refusal(&error))?;
        if everyone {
            let shown = SystemMessageShown { number, message };
            let push = shown.push(created, expires);
            self.emit([Event::PushToAll(Arc::new(push))]);
        } else {
            self.address(number, users).await?;
        }
        Ok(number)
    }

    /// Sends a system message also to these: 404 without such a message, 531 as when it is
    /// sent.
    pub(crate) async fn add_to_system_message(
        &self,
        number: i64,
        users: Vec<UserId>,
    ) -> Result<(), Refusal> {
        self.all_exist(&users).await?;
        self.address(number, users).await
    }

    async fn all_exist(&self, users: &[UserId]) -> Result<(), Refusal> {
        let unknown = self.directory.unknown(users).await;
        let unknown = unknown.map_err(|error| refusal(&error))?;
        let foreign = users.iter().filter(|user| !self.directory.is_home(user));
        match unknown.iter().chain(foreign).min() {
            None => Ok(()),
            Some(user) => {
                let why = format!("{user} does not exist");
                Err(Refusal::because(StatusCode::UNKNOWN_USER, why))
            }
        }
    }

    async fn address(&self, number: i64, users: Vec<UserId>) -> Result<(), Refusal> {
        for batch in users.chunks(BATCH) {
            let batch = batch.to_vec();
            let events = self
                .store
                .write(move |tx| {
                    let now = Timestamp::now();
                    let Some(kept) = tx.system_message(number)? else {
                        return Ok(None);
                    };
                    let Some(shown) = read(&kept).filter(|_| kept.expires > now) else {
                        return Ok(None);
                    };
                    let push = shown.push(kept.created, kept.expires);
                    let mut events = Vec::with_capacity(batch.len());
                    for user in &batch {
                        if tx.address_system_message(number, user, now)? {
                            let pushed = Pushed::to(user.clone(), push.clone());
                            events.push(Event::Push(pushed));
                        }
                    }
                    Ok(Some(events))
                })
                .await
                .map_err(|error| refusal(&error))?;
            let gone = || Refusal::new(StatusCode::NOT_FOUND);
            self.emit(events.ok_or_else(gone)?);
        }
        Ok(())
    }

    /// At most `limit` system messages with what has become of them, from the one after
    /// `after`.
    pub(crate) async fn system_messages(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Overview>, StoreError> {
        self.store
            .read(move |tx| {
                let kept = tx.system_messages(after, limit)?;
                let all = kept.iter().map(|kept| overview(tx, kept));
                all.filter_map(Result::transpose).collect()
            })
            .await
    }

    /// A system message with at most `limit` of its users, from the one after `after`.
    pub(crate) async fn system_message(
        &self,
        number: i64,
        after: String,
        limit: usize,
    ) -> Result<Option<Overview>, StoreError> {
        self.store
            .read(move |tx| {
                let Some(kept) = tx.system_message(number)? else {
                    return Ok(None);
                };
                let users = tx.system_message_users(number, &after, limit)?;
                let shown = overview(tx, &kept)?;
                Ok(shown.map(|shown| Overview { users, ..shown }))
            })
            .await
    }

    /// Nobody gets it from now on; false when nobody would have.
    pub(crate) async fn cancel_system_message(&self, number: i64) -> Result<bool, StoreError> {
        let now = Timestamp::now();
        let cancelled = self
            .store
            .write(move |tx| tx.cancel_system_message(number, now))
            .await?;
        if cancelled {
            self.emit([Event::PushRemovedFromAll(push_name(number))]);
        }
        Ok(cancelled)
    }

    /// Forgets those that nobody has asked about for long; how much.
    pub(crate) async fn expire_system_messages(&self, now: Timestamp) -> Result<usize, StoreError> {
        let before = now.minus(REMEMBERED);
        let gone = self.store.write(move |tx| tx.purge_system_messages(before));
        Ok(usize::try_from(gone.await?).unwrap_or(usize::MAX))
    }
}

impl SystemMessageShown {
    /// On its way to the sessions of its users.
    pub(super) fn push(&self, since: Timestamp, expires: Timestamp) -> Push {
        Push {
            id: push_name(self.number),
            since,
            expires,
            durable: true,
            content: PushContent::SystemMessage(Box::new(self.clone())),
        }
    }
}

/// Names the push of a system message.
pub(super) fn push_name(number: i64) -> String {
    id_of(number)
}

/// A stored message; one that cannot be read is logged.
pub(super) fn read(kept: &StoredSystemMessage) -> Option<SystemMessageShown> {
    let number = kept.number;
    serde_json::from_slice(&kept.payload)
        .map_err(|error| tracing::error!(%error, number, "a system message is unreadable"))
        .ok()
        .map(|message| SystemMessageShown { number, message })
}

fn overview(tx: &mut Tx<'_>, kept: &StoredSystemMessage) -> Result<Option<Overview>, StoreError> {
    let Some(SystemMessageShown { number, message }) = read(kept) else {
        return Ok(None);
    };
    Ok(Some(Overview {
        number,
        message,
        everyone: kept.everyone,
        created: kept.created,
        expires: kept.expires,
        states: tx.count_system_message_users(number)?,
        users: Vec::new(),
    }))
}

fn check(message: &SystemMessage) -> Result<(), Refusal> {
    let bad = |why: &str| Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
    let is_long = |text: &str, most: usize| text.chars().count() > most;
    if message.text.trim().is_empty() || is_long(&message.text, MAX_TEXT) {
        return bad("The text is empty or too long");
    }
    if message.options.len() > MAX_OPTIONS {
        return bad("There are too many options");
    }
    let question = message.verification.as_ref().map(|verification| {
        let (Question::Text(question) | Question::Picture(question)) = &verification.question;
        [question.as_str(), verification.key.as_str()]
    });
    let texts = message.options.iter().map(|option| option.text.as_str());
    let mut shorts = texts.chain(question.into_iter().flatten());
    if shorts.any(|text| text.trim().is_empty() || is_long(text, MAX_SHORT)) {
        return bad("An option, a question or its answer is empty or too long");
    }
    let asks = !message.options.is_empty() || message.verification.is_some();
    if asks && !message.requires_response {
        return bad("What asks something has to be answered");
    }
    let everybody_refuses = message.options.iter().all(|option| option.refuses);
    if !message.options.is_empty() && everybody_refuses {
        return bad("There is no option but to be refused");
    }
    Ok(())
}
