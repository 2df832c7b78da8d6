//! PresenceAuth-User, CancelAuth, GetReactiveAuthStatus (csp-presence 6.6).

use super::change::{Changed, taken_back};
use super::types::{
    AuthorizeWatcher, CancelAuthorization, GetReactiveAuthorizations, ReactiveAuthorizationShown,
    ReactiveAuthorizations, ReactiveShown,
};
use crate::elements::Inner;
use crate::failure::refusal;
use crate::notification::Watchers;
use crate::presence::{all_if_empty, each_once};
use crate::service::{Answer, IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::presence::AttributeSet;
use hamlet_model::refusal::Failures;
use hamlet_model::{Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{
    AttributeList, AttributeTarget, ReactiveAuthorization, ReactiveState, StoreError, Tx,
};
use std::collections::HashSet;

/// Most that one answer tells.
const MAX_SHOWN: usize = 1000;

impl Inner {
    /// The publisher lets a watcher see something or nothing, asked or not.
    pub(crate) async fn authorize_watcher(
        &self,
        requestor: Requestor,
        request: AuthorizeWatcher,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        self.known_watcher(&request.watcher).await?;
        let owner = requestor.user.clone();
        let max = self.config.presence.max_attribute_lists;
        self.change_authorization(requestor, key, move |tx, _| {
            authorize(tx, &owner, &request, max)
        })
        .await
    }

    /// What was decided about a watcher is forgotten.
    pub(crate) async fn cancel_authorization(
        &self,
        requestor: Requestor,
        request: CancelAuthorization,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        self.known_watcher(&request.watcher).await?;
        let owner = requestor.user.clone();
        self.change_authorization(requestor, key, move |tx, _| {
            let watcher = &request.watcher;
            let target = AttributeTarget::User(watcher.clone());
            let removed = tx.remove_attribute_list(&owner, &target)?;
            let asked = tx.remove_reactive_authorization(&owner, watcher)?;
            let any = removed || asked.is_some();
            let settled = taken_back(tx, &owner, asked.and_then(|asked| asked.push))?;
            Ok(Changed {
                answer: Ok(Response::Done(Outcome::default())),
                notice: any.then(|| (AttributeSet::EMPTY, Watchers::user(watcher))),
                settled: settled.into_iter().collect(),
            })
        })
        .await
    }

    pub(crate) async fn get_reactive_authorizations(
        &self,
        requestor: Requestor,
        request: GetReactiveAuthorizations,
    ) -> Answer {
        let all = request.users.is_empty() && request.malformed.is_empty();
        let mut failures = Failures::new();
        if !request.malformed.is_empty() {
            let block = failures.block(StatusCode::UNKNOWN_USER);
            block.malformed = request.malformed;
        }
        let mut users = each_once(request.users);
        let unknown = self.directory.unknown(&users).await;
        let unknown = unknown.map_err(|error| refusal(&error))?;
        users.retain(|user| !unknown.contains(user));
        for user in unknown {
            failures.user(StatusCode::UNKNOWN_USER, user);
        }
        if users.is_empty() && !all {
            // The answer has no room for less than everything failing.
            let code = failures.overall(false);
            return Err(Refusal {
                code,
                description: code.description().to_owned(),
                details: failures.into_details(),
            });
        }
        let wanted: HashSet<UserId> = users.into_iter().collect();
        let owner = requestor.user;
        let found = self.store.read(move |tx| {
            let mut found = Vec::new();
            for asked in tx.reactive_authorizations(&owner, MAX_SHOWN)? {
                if all || wanted.contains(&asked.watcher) {
                    found.extend(shown(tx, &owner, asked)?);
                }
            }
            Ok(found)
        });
        let all = found.await.map_err(|error| refusal(&error))?;
        let answer = ReactiveAuthorizations { all };
        Ok(Response::ReactiveAuthorizations(answer))
    }

    async fn known_watcher(&self, watcher: &UserId) -> Result<(), Refusal> {
        let unknown = self.directory.unknown(std::slice::from_ref(watcher)).await;
        let unknown = unknown.map_err(|error| refusal(&error))?;
        if unknown.is_empty() {
            return Ok(());
        }
        let mut failures = Failures::new();
        failures.user(StatusCode::UNKNOWN_USER, watcher.clone());
        Err(Refusal {
            details: failures.into_details(),
            ..Refusal::new(StatusCode::UNKNOWN_USER)
        })
    }
}

fn authorize(
    tx: &mut Tx<'_>,
    owner: &UserId,
    request: &AuthorizeWatcher,
    max: usize,
) -> Result<Changed, StoreError> {
    let watcher = &request.watcher;
    let known = tx.reactive_authorization(owner, watcher)?;
    let requested = known.as_ref().map(|known| known.requested);
    let attributes = match (request.accept, request.attributes) {
        (false, _) => AttributeSet::EMPTY,
        (true, Some(given)) => all_if_empty(given),
        (true, None) => all_if_empty(requested.unwrap_or_default()),
    };
    let target = AttributeTarget::User(watcher.clone());
    let before = tx.attribute_list(owner, &target)?;
    if before.is_none() {
        let lists = tx.attribute_lists(owner)?;
        let of_users = lists
            .iter()
            .filter(|list| matches!(list.target, AttributeTarget::User(_)));
        if of_users.count() >= max {
            let refusal = Refusal::new(StatusCode::TOO_MANY_ATTRIBUTE_LISTS);
            return Ok(Changed::nothing(Err(refusal)));
        }
    }
    tx.put_attribute_list(
        owner,
        &AttributeList {
            target,
            attributes: Some(attributes),
            notify: before.is_some_and(|before| before.notify),
        },
    )?;
    let never = Timestamp::from_millis(0);
    tx.put_reactive_authorization(
        owner,
        &ReactiveAuthorization {
            watcher: watcher.clone(),
            state: match attributes.is_empty() {
                true => ReactiveState::Denied,
                false => ReactiveState::Granted,
            },
            requested: requested.unwrap_or(attributes),
            since: Timestamp::now(),
            told: known.as_ref().map_or(never, |known| known.told),
            missing: known
                .as_ref()
                .map_or(AttributeSet::EMPTY, |known| known.missing),
            push: None,
        },
    )?;
    let settled = taken_back(tx, owner, known.and_then(|known| known.push))?;
    Ok(Changed {
        answer: Ok(Response::Done(Outcome::default())),
        notice: Some((attributes, Watchers::user(watcher))),
        settled: settled.into_iter().collect(),
    })
}

/// A question with what became of it; what he may see now is in the attribute list.
fn shown(
    tx: &mut Tx<'_>,
    owner: &UserId,
    asked: ReactiveAuthorization,
) -> Result<Option<ReactiveAuthorizationShown>, StoreError> {
    let target = AttributeTarget::User(asked.watcher.clone());
    let (state, attributes) = match asked.state {
        ReactiveState::Told => return Ok(None),
        ReactiveState::Pending => (ReactiveShown::Pending, asked.requested),
        ReactiveState::Denied => (ReactiveShown::Denied, AttributeSet::EMPTY),
        ReactiveState::Granted => {
            let list = tx.attribute_list(owner, &target)?;
            let set = list.and_then(|list| list.attributes);
            (ReactiveShown::Granted, set.unwrap_or_default())
        }
    };
    Ok(Some(ReactiveAuthorizationShown {
        watcher: asked.watcher,
        state,
        attributes,
    }))
}
