//! GetPresence (csp-presence 4.2).

use crate::elements::Inner;
use crate::failure::refusal;
use crate::presence::render::select;
use crate::presence::targets::{Resolved, each_once};
use crate::presence::{GetPresence, PresenceValues, Targets, UserPresence};
use crate::service::{Answer, Request, Requestor, Response};
use futures::future::join_all;
use hamlet_model::presence::AttributeSet;
use hamlet_model::refusal::Failures;
use hamlet_model::{ContactListId, Domain, Refusal, StatusCode, UserId};
use hamlet_store::StoreError;
use std::collections::BTreeMap;

impl Inner {
    pub(crate) async fn get_presence(&self, requestor: Requestor, request: GetPresence) -> Answer {
        if request.targets.is_empty() {
            return Err(Refusal::because(StatusCode::BAD_REQUEST, "Nobody is named"));
        }
        let watcher = requestor.user;
        let set = all_if_empty(request.attributes);
        let Resolved {
            mut users,
            lists,
            mut failures,
        } = self
            .resolve_targets(&watcher, request.targets)
            .await
            .map_err(|error| refusal(&error))?;
        let members = self
            .members_of(lists, &mut failures)
            .await
            .map_err(|error| refusal(&error))?;
        let any_list = !members.is_empty();
        users.extend(members.into_iter().flatten());
        let (kept, elsewhere) = self.split(each_once(users));
        let mut found = self
            .presence_here(&watcher, kept, set)
            .await
            .map_err(|error| refusal(&error))?;
        let asked = self.ask_elsewhere(&watcher, elsewhere, request.attributes);
        for (values, details) in asked.await {
            found.extend(values);
            failures.merge(details);
        }
        let code = failures.overall(any_list || !found.is_empty());
        let details = failures.into_details();
        if !code.is_success() {
            return Err(Refusal {
                code,
                description: code.description().to_owned(),
                details,
            });
        }
        Ok(Response::Presence(PresenceValues {
            users: found,
            details,
        }))
    }

    /// The members of each of the lists that exist.
    async fn members_of(
        &self,
        lists: Vec<ContactListId>,
        failures: &mut Failures,
    ) -> Result<Vec<Vec<UserId>>, StoreError> {
        if lists.is_empty() {
            return Ok(Vec::new());
        }
        let (members, missing) = self
            .store
            .read(move |tx| {
                let (mut members, mut missing) = (Vec::new(), Vec::new());
                for list in &lists {
                    if tx.contact_list(list)?.is_none() {
                        missing.push(list.clone());
                        continue;
                    }
                    let users = tx.members(list)?.into_iter().map(|member| member.user);
                    members.push(users.collect());
                }
                Ok((members, missing))
            })
            .await?;
        for list in missing {
            failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list);
        }
        Ok(members)
    }

    /// Users whose presence is kept here, and the others by domain.
    fn split(&self, users: Vec<UserId>) -> (Vec<UserId>, BTreeMap<Domain, Vec<UserId>>) {
        let state = self.hub.lock();
        let (kept, others): (Vec<_>, Vec<_>) = users.into_iter().partition(|u| state.keeps(u));
        let mut elsewhere: BTreeMap<Domain, Vec<UserId>> = BTreeMap::new();
        for user in others {
            elsewhere.entry(user.domain()).or_default().push(user);
        }
        (kept, elsewhere)
    }

    async fn presence_here(
        &self,
        watcher: &UserId,
        users: Vec<UserId>,
        set: AttributeSet,
    ) -> Result<Vec<UserPresence>, StoreError> {
        self.load_for(watcher, &users).await?;
        self.note_access(watcher, &users).await?;
        let state = self.hub.lock();
        let presence = |user: UserId| {
            // csp-presence 6.8: who may see nothing gets nothing, and no reason.
            let seen = state.visible(&user, watcher, set);
            let attributes = match seen.is_empty() {
                true => Vec::new(),
                false => select(state.view(&user).of(&user, watcher), seen),
            };
            UserPresence { user, attributes }
        };
        Ok(users.into_iter().map(presence).collect())
    }

    async fn ask_elsewhere(
        &self,
        watcher: &UserId,
        elsewhere: BTreeMap<Domain, Vec<UserId>>,
        attributes: AttributeSet,
    ) -> Vec<(Vec<UserPresence>, Vec<hamlet_model::Detail>)> {
        let wait = self.config.presence.foreign_wait;
        join_all(elsewhere.into_iter().map(|(domain, users)| async move {
            let request = Request::GetPresence(GetPresence {
                targets: Targets {
                    users: users.clone(),
                    ..Targets::default()
                },
                attributes,
            });
            let answer = self
                .relay
                .ask(&domain, watcher.clone(), request, wait)
                .await;
            match answer {
                Ok(Response::Presence(values)) => {
                    let named = |presence: &UserPresence| users.contains(&presence.user);
                    (
                        values.users.into_iter().filter(named).collect(),
                        values.details,
                    )
                }
                Ok(_) => (
                    Vec::new(),
                    failed(users, &StatusCode::INTERNAL_ERROR.into()),
                ),
                Err(refusal) => (Vec::new(), failed(users, &refusal)),
            }
        }))
        .await
    }
}

/// What a refusal of another domain means for each of its users.
fn failed(users: Vec<UserId>, refusal: &Refusal) -> Vec<hamlet_model::Detail> {
    let mut failures = Failures::new();
    for user in users {
        let detail = refusal.details.iter().find(|d| d.users.contains(&user));
        failures.user(detail.map_or(refusal.code, |d| d.code), user);
    }
    failures.into_details()
}

/// csp-presence 3.1: a watcher who names no attribute wants all that CSP defines.
pub(crate) fn all_if_empty(set: AttributeSet) -> AttributeSet {
    if set.is_empty() {
        AttributeSet::STANDARD
    } else {
        set
    }
}
