//! How publishers hear of watchers who want more than they may see (csp-presence 6.6, 6.7).

use super::decide::{Applicable, Signal, decide};
use super::grants::Grants;
use super::types::{AskPublisher, AuthorizationAsked, Unauthorized};
use crate::blocking::Initiator;
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::notification::AuthorizationLevel;
use crate::once;
use crate::outbox::Parcel;
use crate::push::{Push, PushContent, Pushed};
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Request, Response};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{StatusCode, Timestamp, UserId};
use hamlet_store::{ReactiveAuthorization, ReactiveState, StoreError, Subscriber, Tx};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// How long a question waits for the publisher (csp-presence 6.6).
pub(crate) const QUESTION_LIFE: Duration = Duration::from_secs(30 * 86_400);

/// For how long a publisher is not told the same again (csp-presence 6.7).
pub(crate) const TOLD_LIFE: Duration = DAY;

/// Most questions about watchers that wait for one publisher: whoever subscribes then is not
/// asked about before he subscribes again.
const MAX_QUESTIONS: usize = 100;

/// Somebody asks for what he may not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    publisher: UserId,
    watcher: UserId,
    requested: AttributeSet,
    applies: Applicable,
}

impl Inner {
    /// Subscriptions have been made: publishers of whom something was asked for in vain are
    /// asked or told.
    pub(crate) async fn ask_publishers(
        &self,
        made: &[(Subscriber, UserId)],
    ) -> Result<(), StoreError> {
        let mut questions = self.questions(made);
        if questions.is_empty() {
            return Ok(());
        }
        let mut by_watcher: BTreeMap<UserId, Vec<UserId>> = BTreeMap::new();
        for question in &questions {
            let of_one = by_watcher.entry(question.watcher.clone()).or_default();
            of_one.push(question.publisher.clone());
        }
        for (watcher, mut publishers) in by_watcher {
            publishers.retain(|publisher| self.directory.is_home(publisher));
            let refusing = self
                .refusing(&Initiator::user(watcher.clone()), &publishers)
                .await?;
            questions.retain_mut(|question| {
                if question.watcher == watcher {
                    question.applies.refused = refusing.contains(&question.publisher);
                }
                question.signals()
            });
        }
        let shared = self.shared.clone();
        let events = self
            .store
            .write(move |tx| {
                let mut events = Vec::new();
                for question in &questions {
                    events.extend(question.put(tx, &shared, Timestamp::now())?);
                }
                Ok(events)
            })
            .await?;
        self.emit(events);
        Ok(())
    }

    /// As far as memory knows: no query for publishers who have nothing to decide.
    fn questions(&self, made: &[(Subscriber, UserId)]) -> Vec<Question> {
        let state = self.hub.lock();
        let mut seen = HashSet::new();
        let mut questions = Vec::new();
        for (subscriber, publisher) in made {
            let watcher = subscriber.user();
            let Some(requested) = state.set_of(subscriber, publisher) else {
                continue;
            };
            let Some(applies) = state.applicable(publisher, watcher) else {
                continue;
            };
            let concerned = state.keeps(publisher) && seen.insert((watcher, publisher));
            let question = Question {
                publisher: publisher.clone(),
                watcher: watcher.clone(),
                requested,
                applies,
            };
            if concerned && question.signals() {
                questions.push(question);
            }
        }
        questions
    }

    /// The home of a user's presence says that he is to be asked about a watcher.
    pub(crate) async fn take_question(
        &self,
        request: AskPublisher,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let AskPublisher { publisher, asked } = request;
        if !self.directory.is_home(&publisher) {
            return Err(StatusCode::DOMAIN_NOT_SUPPORTED.into());
        }
        let unknown = self.directory.unknown(std::slice::from_ref(&publisher));
        if !unknown.await.map_err(|error| refusal(&error))?.is_empty() {
            return Err(StatusCode::UNKNOWN_USER.into());
        }
        let by = Initiator::user(asked.watcher.clone());
        let refusing = self.refusing(&by, std::slice::from_ref(&publisher)).await;
        let refused = !refusing.map_err(|error| refusal(&error))?.is_empty();
        let answer = Ok(Response::Done(Outcome::default()));
        let foreseen = answer.clone();
        let event = self
            .store
            .write(move |tx| {
                let earlier = once::begin(tx, key.as_ref(), &foreseen)?;
                if earlier.is_some() || refused {
                    return Ok(None);
                }
                let push = as_push(asked.clone(), Timestamp::now());
                push.put(tx, &publisher)?;
                Ok(Some(Event::Push(Pushed::to(publisher.clone(), push))))
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.emit(event);
        answer
    }

    /// Forgets who has looked and who was asked about too long ago; how much.
    pub(crate) async fn expire_watchers(&self, now: Timestamp) -> Result<usize, StoreError> {
        let history = self.config.presence.watcher_history;
        let gone = self.store.write(move |tx| {
            let gone = tx.purge_watchers(now.minus(history))?
                + tx.purge_unanswered(now.minus(TOLD_LIFE), now.minus(QUESTION_LIFE))?;
            Ok(usize::try_from(gone).unwrap_or(usize::MAX))
        });
        gone.await
    }
}

impl Question {
    /// Whether there is anything for the publisher to hear, as far as memory knows.
    fn signals(&self) -> bool {
        decide(&self.applies, self.requested).signal.is_some()
    }

    /// Decides again, by what the store holds, and keeps the question.
    fn put(
        &self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        now: Timestamp,
    ) -> Result<Option<Event>, StoreError> {
        let (publisher, watcher) = (&self.publisher, &self.watcher);
        let grants = Grants::read(tx, publisher, &shared.presence)?;
        let policy = shared.presence.unauthorized;
        let listed = policy == Unauthorized::Contacts && tx.in_lists_of(watcher, publisher)?;
        let applies = grants.applicable(publisher, watcher, policy, listed);
        let decision = decide(&applies, self.requested);
        let Some(signal) = decision.signal else {
            return Ok(None);
        };
        let missing = self.requested.without(decision.visible);
        let known = tx.reactive_authorization(publisher, watcher)?;
        if known.is_none() && tx.count_unanswered(publisher)? >= MAX_QUESTIONS {
            tracing::info!(%publisher, "too many watchers wait for an answer");
            return Ok(None);
        }
        let mut row = known.unwrap_or_else(|| ReactiveAuthorization {
            watcher: watcher.clone(),
            state: ReactiveState::Told,
            requested: self.requested,
            since: now,
            told: Timestamp::from_millis(0),
            missing: AttributeSet::EMPTY,
            push: None,
        });
        let (level, ask, notify) = match signal {
            Signal::Ask { notify } => (AuthorizationLevel::Default, true, notify),
            Signal::Needed(level) => (level, false, true),
        };
        let asked = AuthorizationAsked {
            watcher: watcher.clone(),
            attributes: missing,
            level,
            contact_lists: match level {
                AuthorizationLevel::ContactList => grants.lists_of(watcher),
                _ => Vec::new(),
            },
            ask,
            notify,
        };
        match (ask, row.state) {
            (true, ReactiveState::Pending) => return self.renew(tx, row, asked),
            (true, ReactiveState::Denied) => return Ok(None),
            (true, ReactiveState::Told | ReactiveState::Granted) => {
                row.state = ReactiveState::Pending;
                row.since = now;
            }
            (false, _) if row.missing == missing && now < row.told.plus(TOLD_LIFE) => {
                return Ok(None);
            }
            (false, ReactiveState::Told) => row.since = now,
            (false, _) => {}
        }
        row.requested = self.requested;
        (row.told, row.missing) = (now, missing);
        let push = as_push(asked.clone(), now);
        if let Some(earlier) = row.push.replace(push.id.clone()) {
            tx.remove_push(publisher, &earlier)?;
        }
        tx.put_reactive_authorization(publisher, &row)?;
        if shared.is_home(publisher) {
            push.put(tx, publisher)?;
            return Ok(Some(Event::Push(Pushed::to(publisher.clone(), push))));
        }
        // His sessions are in his own domain.
        let request = Request::AskPublisher(Box::new(AskPublisher {
            publisher: publisher.clone(),
            asked,
        }));
        let parcel = Parcel::request(publisher.clone(), request);
        tx.put_outbox(&parcel.entry(publisher.domain(), push.expires)?)?;
        Ok(Some(Event::Outbox))
    }

    /// The question is not asked twice, but it is about what is asked for now; so is the push
    /// if nobody has got it yet (csp-presence 6.6).
    fn renew(
        &self,
        tx: &mut Tx<'_>,
        mut row: ReactiveAuthorization,
        asked: AuthorizationAsked,
    ) -> Result<Option<Event>, StoreError> {
        if row.requested == self.requested {
            return Ok(None);
        }
        row.requested = self.requested;
        tx.put_reactive_authorization(&self.publisher, &row)?;
        if let Some(id) = row.push
            && tx.remove_push(&self.publisher, &id)?
        {
            let push = Push {
                id,
                ..as_push(asked, row.since)
            };
            push.put(tx, &self.publisher)?;
        }
        Ok(None)
    }
}

fn as_push(asked: AuthorizationAsked, now: Timestamp) -> Push {
    Push {
        id: format!("authorization {} {}", now.millis(), asked.watcher),
        since: now,
        expires: now.plus(match asked.ask {
            true => QUESTION_LIFE,
            false => TOLD_LIFE,
        }),
        durable: true,
        content: PushContent::Authorization(Box::new(asked)),
    }
}
