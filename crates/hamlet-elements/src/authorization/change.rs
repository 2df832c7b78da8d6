//! What every change of authorization brings with it (csp-presence 6.9).

use super::grants::Grants;
use super::types::Unauthorized;
use crate::authorization::decide;
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::notification::{Notification, Watchers};
use crate::once;
use crate::presence::{Change, visibility_parcel};
use crate::service::{Answer, Event, IdempotenceKey, Requestor};
use hamlet_model::UserId;
use hamlet_model::presence::AttributeSet;
use hamlet_store::{ReactiveState, StoreError, Tx};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

/// What one transaction has changed.
pub(super) struct Changed {
    pub(super) answer: Answer,
    /// What the other sessions of the publisher are told; `None` when nothing has changed.
    pub(super) notice: Option<(AttributeSet, Watchers)>,
    /// Questions that are answered by it.
    pub(super) settled: Vec<String>,
}

impl Changed {
    /// Nothing.
    pub(super) fn nothing(answer: Answer) -> Self {
        Self {
            answer,
            notice: None,
            settled: Vec::new(),
        }
    }
}

impl Inner {
    /// Carries out a change of what the requestor lets others see, once, and tells whom it
    /// concerns: watchers here and elsewhere, and his other sessions.
    pub(super) async fn change_authorization(
        &self,
        requestor: Requestor,
        key: Option<IdempotenceKey>,
        mut change: impl FnMut(&mut Tx<'_>, &Shared) -> Result<Changed, StoreError> + Send + 'static,
    ) -> Answer {
        let owner = requestor.user;
        self.load_watchers(std::slice::from_ref(&owner))
            .await
            .map_err(|error| refusal(&error))?;
        let (shared, tickets, user) = (self.shared.clone(), self.hub.tickets(), owner.clone());
        let done = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    let nothing = Changed::nothing(earlier);
                    return Ok((nothing, Change::default(), false));
                }
                let before = Grants::read(tx, &user, &shared.presence)?;
                let changed = change(tx, &shared)?;
                once::settle(tx, key.as_ref(), &changed.answer)?;
                let (change, told_relay) = changed_grants(tx, &shared, &tickets, &user, &before)?;
                Ok((changed, change, told_relay))
            })
            .await;
        let (changed, change, told_relay) = done.map_err(|error| refusal(&error))?;
        self.note(change);
        self.emit(told_relay.then_some(Event::Outbox));
        self.emit(changed.settled.into_iter().map(|id| Event::PushRemoved {
            user: owner.clone(),
            id,
        }));
        // A session of another domain is that one's to tell.
        if let (Some(session), Some((attributes, whom))) = (requestor.session, changed.notice) {
            self.emit([Event::Notification {
                user: owner,
                except: Some(session),
                notification: Notification::AuthorizationChanged { attributes, whom },
            }]);
        }
        changed.answer
    }
}

/// What a transaction, now at its end, has made of what a publisher let be seen `before`; and
/// whether there is anything to send to other domains.
pub(crate) fn changed_grants(
    tx: &mut Tx<'_>,
    shared: &Shared,
    tickets: &AtomicU64,
    publisher: &UserId,
    before: &Grants,
) -> Result<(Change, bool), StoreError> {
    let after = Grants::read(tx, publisher, &shared.presence)?;
    let told_relay = tell_elsewhere(tx, shared, publisher, before, &after)?;
    let mut change = Change::read(tx, tickets, &[], &[])?;
    change.grants.push((publisher.clone(), after));
    Ok((change, told_relay))
}

/// Sees to it that subscribers in other domains hear of what they see more or less of a
/// publisher. Whether there is anything to send.
pub(crate) fn tell_elsewhere(
    tx: &mut Tx<'_>,
    shared: &Shared,
    publisher: &UserId,
    before: &Grants,
    after: &Grants,
) -> Result<bool, StoreError> {
    if before == after {
        return Ok(false);
    }
    let mut asked: BTreeMap<UserId, AttributeSet> = BTreeMap::new();
    for subscription in tx.subscribers_elsewhere(publisher)? {
        let set = asked
            .entry(subscription.subscriber.user().clone())
            .or_default();
        *set = set.union(subscription.attributes);
    }
    let policy = shared.presence.unauthorized;
    let mut any = false;
    for (watcher, requested) in asked {
        let listed = policy == Unauthorized::Contacts && tx.in_lists_of(&watcher, publisher)?;
        let sees = |grants: &Grants| {
            let applies = grants.applicable(publisher, &watcher, policy, listed);
            decide(&applies, requested).visible
        };
        let (saw, sees) = (sees(before), sees(after));
        if saw != sees {
            tx.put_outbox(&visibility_parcel(publisher, &watcher, saw.without(sees))?)?;
            any = true;
        }
    }
    Ok(any)
}

/// A publisher has decided what a watcher may see: the question about him is answered, if
/// there is one. The push that is not needed any more.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    publisher: &UserId,
    watcher: &UserId,
    sees: AttributeSet,
) -> Result<Option<String>, StoreError> {
    let Some(mut known) = tx.reactive_authorization(publisher, watcher)? else {
        return Ok(None);
    };
    let push = known.push.take();
    if known.state != ReactiveState::Told {
        known.state = match sees.is_empty() {
            true => ReactiveState::Denied,
            false => ReactiveState::Granted,
        };
        known.since = hamlet_model::Timestamp::now();
    }
    tx.put_reactive_authorization(publisher, &known)?;
    taken_back(tx, publisher, push)
}

/// Takes a question back that waits for the publisher's clients.
pub(super) fn taken_back(
    tx: &mut Tx<'_>,
    publisher: &UserId,
    push: Option<String>,
) -> Result<Option<String>, StoreError> {
    if let Some(id) = &push {
        tx.remove_push(publisher, id)?;
    }
    Ok(push)
}
