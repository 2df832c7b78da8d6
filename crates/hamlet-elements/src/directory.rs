//! Which users exist here.

use hamlet_model::{Domain, UserId};
use hamlet_store::{Store, StoreError};
use parking_lot::RwLock;
use std::collections::HashSet;

/// Largest number of users that are remembered to exist.
const REMEMBERED: usize = 1_000_000;

/// The users of the home domain, with a memory of those that exist, so that a message costs
/// no query. Absence is not remembered: an account may be made at any time.
pub(crate) struct Directory {
    store: Store,
    domain: Domain,
    known: RwLock<HashSet<UserId>>,
}

impl Directory {
    pub(crate) fn new(store: Store, domain: Domain) -> Self {
        Self {
            store,
            domain,
            known: RwLock::default(),
        }
    }

    /// Whether the user belongs to the home domain, existing or not.
    pub(crate) fn is_home(&self, user: &UserId) -> bool {
        user.domain_str() == self.domain.as_str()
    }

    /// Those of `users` that do not exist; users of other domains are taken to exist.
    pub(crate) async fn unknown(&self, users: &[UserId]) -> Result<HashSet<UserId>, StoreError> {
        let doubtful: Vec<UserId> = {
            let known = self.known.read();
            users
                .iter()
                .filter(|user| self.is_home(user) && !known.contains(*user))
                .cloned()
                .collect()
        };
        if doubtful.is_empty() {
            return Ok(HashSet::new());
        }
        let asked = doubtful.clone();
        let existing = self.store.read(move |tx| tx.existing(&asked)).await?;
        let missing = doubtful
            .into_iter()
            .filter(|user| !existing.contains(user))
            .collect();
        let mut known = self.known.write();
        if known.len() + existing.len() > REMEMBERED {
            known.clear();
        }
        known.extend(existing);
        Ok(missing)
    }

    /// Forgets a user whose account is gone.
    pub(crate) fn forget(&self, user: &UserId) {
        self.known.write().remove(user);
    }
}
