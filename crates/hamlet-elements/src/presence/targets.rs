//! Whose presence is meant (csp-presence 4.2, 4.3, 4.6).

use crate::elements::Inner;
use crate::presence::Targets;
use hamlet_model::refusal::Failures;
use hamlet_model::{ContactListId, StatusCode, UserId};
use hamlet_store::StoreError;
use std::collections::HashSet;

/// Users that may exist, and lists that belong to the requestor; each once.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) users: Vec<UserId>,
    pub(crate) lists: Vec<ContactListId>,
    pub(crate) failures: Failures,
}

impl Targets {
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
            && self.contact_lists.is_empty()
            && self.malformed_users.is_empty()
            && self.malformed_lists.is_empty()
    }
}

impl Inner {
    pub(crate) async fn resolve_targets(
        &self,
        requestor: &UserId,
        targets: Targets,
    ) -> Result<Resolved, StoreError> {
        let mut failures = Failures::new();
        for (code, malformed) in [
            (StatusCode::UNKNOWN_USER, targets.malformed_users),
            (StatusCode::NO_SUCH_CONTACT_LIST, targets.malformed_lists),
        ] {
            if !malformed.is_empty() {
                failures.block(code).malformed.extend(malformed);
            }
        }
        let users = each_once(targets.users);
        let unknown = self.directory.unknown(&users).await?;
        let (requestor_is_home, keeps): (bool, Vec<bool>) = {
            let state = self.hub.lock();
            let keeps = users.iter().map(|user| state.keeps(user)).collect();
            (state.is_home(requestor), keeps)
        };
        let mut found = Vec::with_capacity(users.len());
        for (user, is_kept) in users.into_iter().zip(keeps) {
            if unknown.contains(&user) {
                failures.user(StatusCode::UNKNOWN_USER, user);
            } else if is_kept || requestor_is_home {
                found.push(user);
            } else {
                // Nobody asks a third domain for another one's user (csp-presence 10).
                failures.user(StatusCode::DOMAIN_NOT_SUPPORTED, user);
            }
        }
        let mut lists = Vec::new();
        for list in each_once(targets.contact_lists) {
            if list.owner() == *requestor {
                lists.push(list);
            } else {
                failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list);
            }
        }
        Ok(Resolved {
            users: found,
            lists,
            failures,
        })
    }
}

pub(crate) fn each_once<T: Clone + Eq + std::hash::Hash>(all: Vec<T>) -> Vec<T> {
    let mut seen = HashSet::with_capacity(all.len());
    all.into_iter()
        .filter(|one| seen.insert(one.clone()))
        .collect()
}
