//! Which users exist here.

use hamlet_model::{ApplicationId, Domain, UserId};
use hamlet_store::{Store, StoreError};
use parking_lot::RwLock;
use std::collections::{HashMap, HashSet};

/// Largest number of users that are remembered to exist.
const REMEMBERED: usize = 1_000_000;

/// The users of the home domain, with a memory of those that exist, so that a message costs
/// no query. Absence is not remembered: an account may be made at any time.
pub(crate) struct Directory {
    store: Store,
    domain: Domain,
    known: RwLock<HashSet<UserId>>,
    /// Those of the known ones that are not like the others; few.
    unusual: RwLock<HashMap<UserId, Unusual>>,
}

/// What is unusual about a user as a recipient.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unusual {
    /// He may not get messages: he is not subscribed to them.
    pub(crate) mute: bool,
    /// He is the account of this application.
    pub(crate) application: Option<ApplicationId>,
}

impl Directory {
    pub(crate) fn new(store: Store, domain: Domain) -> Self {
        Self {
            store,
            domain,
            known: RwLock::default(),
            unusual: RwLock::default(),
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
        let read = self.store.read(move |tx| {
            let mute = tx.without_messages(&asked)?;
            Ok((tx.existing(&asked)?, mute, tx.applications_of(&asked)?))
        });
        let (existing, mute, applications) = read.await?;
        {
            // Before they are known.
            let mut unusual = self.unusual.write();
            for user in mute {
                unusual.entry(user).or_default().mute = true;
            }
            for (user, id) in applications {
                unusual.entry(user).or_default().application = Some(id);
            }
        }
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

    /// What is unusual about a user that is known to exist.
    pub(crate) fn unusual(&self, user: &UserId) -> Unusual {
        let unusual = self.unusual.read();
        unusual.get(user).cloned().unwrap_or_default()
    }

    /// Forgets a user whose account is gone or has changed.
    pub(crate) fn forget(&self, user: &UserId) {
        // It is not known before its peculiarities are read again.
        self.known.write().remove(user);
        self.unusual.write().remove(user);
    }
}
