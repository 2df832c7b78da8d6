//! Which users exist here.

use crate::im::OfflineHandling;
use hamlet_model::{ApplicationId, ClientId, Domain, UserId};
use hamlet_store::{Store, StoreError};
use parking_lot::RwLock;
use std::collections::{HashMap, HashSet};

/// Largest number of users that are remembered to exist.
const REMEMBERED: usize = 1_000_000;

/// The users of the home domain, with a memory of those that exist, so that a message costs
/// no query. Absence is not remembered: an account may be made at any time. What another
/// process on the same store changes about a user that is remembered is not noticed here.
pub(crate) struct Directory {
    store: Store,
    domain: Domain,
    memory: RwLock<Memory>,
}

#[derive(Default)]
struct Memory {
    known: HashSet<UserId>,
    /// Those of the known ones that have something of their own.
    unusual: HashMap<UserId, Unusual>,
    /// How often anything has been forgotten: what was read before may be out of date.
    forgotten: u64,
    /// How often block or grant lists have changed.
    access_changes: u64,
}

/// What is unusual about a user as a recipient, and his name as a sender.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unusual {
    /// He may not get messages: he is not subscribed to them.
    pub(crate) mute: bool,
    /// His block and grant lists can keep somebody out.
    pub(crate) refuses: bool,
    /// He is the account of this application.
    pub(crate) application: Option<ApplicationId>,
    /// What his clients want done with messages while they are not online, the newest wish
    /// first; nothing if all want the usual.
    pub(crate) offline: Vec<(ClientId, OfflineHandling)>,
    /// The name by which he wants to be known.
    pub(crate) friendly_name: Option<String>,
}

impl Directory {
    pub(crate) fn new(store: Store, domain: Domain) -> Self {
        Self {
            store,
            domain,
            memory: RwLock::default(),
        }
    }

    /// Whether the user belongs to the home domain, existing or not.
    pub(crate) fn is_home(&self, user: &UserId) -> bool {
        user.domain_str() == self.domain.as_str()
    }

    /// Those of `users` that do not exist; users of other domains are taken to exist.
    pub(crate) async fn unknown(&self, users: &[UserId]) -> Result<HashSet<UserId>, StoreError> {
        let (doubtful, forgotten): (Vec<UserId>, u64) = {
            let memory = self.memory.read();
            let doubtful = users
                .iter()
                .filter(|user| self.is_home(user) && !memory.known.contains(*user))
                .cloned()
                .collect();
            (doubtful, memory.forgotten)
        };
        if doubtful.is_empty() {
            return Ok(HashSet::new());
        }
        let asked = doubtful.clone();
        let read = self.store.read(move |tx| {
            let mut unusual: HashMap<UserId, Unusual> = HashMap::new();
            for user in tx.without_messages(&asked)? {
                unusual.entry(user).or_default().mute = true;
            }
            for user in tx.who_can_refuse(&asked)? {
                unusual.entry(user).or_default().refuses = true;
            }
            for (user, id) in tx.applications_of(&asked)? {
                unusual.entry(user).or_default().application = Some(id);
            }
            for wish in tx.offline_wishes(&asked)? {
                let handling = OfflineHandling::of_number(wish.handling);
                let wishes = &mut unusual.entry(wish.user).or_default().offline;
                wishes.push((wish.client, handling));
            }
            for (user, name) in tx.friendly_names(&asked)? {
                unusual.entry(user).or_default().friendly_name = Some(name);
            }
            Ok((tx.existing(&asked)?, unusual))
        });
        let (existing, mut unusual) = read.await?;
        let missing = doubtful
            .into_iter()
            .filter(|user| !existing.contains(user))
            .collect();
        self.memory
            .write()
            .remember(existing, &mut unusual, forgotten);
        Ok(missing)
    }

    /// What is unusual about a user that is known to exist.
    pub(crate) fn unusual(&self, user: &UserId) -> Unusual {
        let memory = self.memory.read();
        memory.unusual.get(user).cloned().unwrap_or_default()
    }

    /// Forgets a user whose account is gone or has changed.
    pub(crate) fn forget(&self, user: &UserId) {
        self.memory.write().forget(user);
    }

    /// Block or grant lists of a user have changed.
    pub(crate) fn access_changed(&self, user: &UserId) {
        let mut memory = self.memory.write();
        memory.forget(user);
        memory.access_changes += 1;
    }

    /// A number that is another one after block or grant lists have changed.
    pub(crate) fn access_changes(&self) -> u64 {
        self.memory.read().access_changes
    }
}

impl Memory {
    /// `forgotten` is as it was when the store was read. What has been read too early serves
    /// whoever has read it, but is not relied on later.
    fn remember(
        &mut self,
        existing: HashSet<UserId>,
        unusual: &mut HashMap<UserId, Unusual>,
        forgotten: u64,
    ) {
        let is_fresh = self.forgotten == forgotten;
        if self.known.len() + existing.len() > REMEMBERED {
            self.known.clear();
        }
        for user in existing {
            if self.known.contains(&user) {
                continue;
            }
            match unusual.remove(&user) {
                Some(found) => self.unusual.insert(user.clone(), found),
                None => self.unusual.remove(&user),
            };
            if is_fresh {
                self.known.insert(user);
            }
        }
    }

    fn forget(&mut self, user: &UserId) {
        // What is unusual stays for those who have just asked; it is read again before the
        // user is known again.
        self.known.remove(user);
        self.forgotten += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("a").unwrap()).unwrap()
    }

    fn refusing(name: &str) -> HashMap<UserId, Unusual> {
        let unusual = Unusual {
            refuses: true,
            ..Unusual::default()
        };
        HashMap::from([(user(name), unusual)])
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered() {
        let mut memory = Memory::default();
        let before = memory.forgotten;
        memory.forget(&user("bo"));
        memory.remember([user("bo")].into(), &mut HashMap::new(), before);
        assert!(!memory.known.contains(&user("bo")));
        // Read again, it is.
        let now = memory.forgotten;
        memory.remember([user("bo")].into(), &mut refusing("bo"), now);
        assert!(memory.known.contains(&user("bo")) && memory.unusual[&user("bo")].refuses);
        // Whoever has read earlier comes too late.
        memory.remember([user("bo")].into(), &mut HashMap::new(), before);
        assert!(memory.unusual[&user("bo")].refuses);
        memory.forget(&user("bo"));
        let now = memory.forgotten;
        memory.remember([user("bo")].into(), &mut HashMap::new(), now);
        assert!(!memory.unusual.contains_key(&user("bo")));
    }
}
