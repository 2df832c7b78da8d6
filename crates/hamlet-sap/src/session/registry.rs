//! The live sessions, by identifier and by user. Sharded; nothing here waits.

use crate::session::{NewSession, Session, User};
use hamlet_model::{ApplicationId, ClientId, SessionId, StatusCode, Timestamp, UserId};
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const SHARDS: usize = 64;

/// The live sessions.
pub(crate) struct Registry {
    hasher: RandomState,
    sessions: [RwLock<HashMap<SessionId, Arc<Session>>>; SHARDS],
    users: [Mutex<HashMap<UserId, Arc<User>>>; SHARDS],
    count: AtomicUsize,
    /// Sessions that end, until the store knows how: what names one meanwhile is to hear it.
    ending: Mutex<HashMap<SessionId, StatusCode>>,
}

/// What came of adding a session.
pub(crate) enum Added {
    /// It is there; those of the same user, client and application are not any more
    /// (csp-access 3.5).
    Session {
        session: Arc<Session>,
        replaced: Vec<Arc<Session>>,
    },
    /// The user has too many sessions.
    UserLimit,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            sessions: std::array::from_fn(|_| RwLock::default()),
            users: std::array::from_fn(|_| Mutex::default()),
            count: AtomicUsize::new(0),
            ending: Mutex::default(),
        }
    }

    fn shard(&self, key: &str) -> usize {
        // The remainder is below SHARDS.
        (self.hasher.hash_one(key) % SHARDS as u64) as usize
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.sessions[self.shard(id)].read().get(id).cloned()
    }

    pub(crate) fn user(&self, id: &UserId) -> Option<Arc<User>> {
        self.users[self.shard(id.as_str())].lock().get(id).cloned()
    }

    pub(crate) fn sessions_of(&self, user: &UserId) -> Vec<Arc<Session>> {
        self.user(user)
            .map_or_else(Vec::new, |user| user.sessions())
    }

    /// The session of this user, client and application.
    pub(crate) fn find(
        &self,
        user: &UserId,
        client: &ClientId,
        application: Option<&ApplicationId>,
    ) -> Option<Arc<Session>> {
        self.sessions_of(user)
            .into_iter()
            .find(|session| is_of(session, client, application))
    }

    /// Adds a session in place of those of its user, client and application.
    pub(crate) fn add(&self, new: NewSession, now: Timestamp, max_per_user: usize) -> Added {
        let shard = self.shard(new.user.as_str());
        let mut users = self.users[shard].lock();
        let user = match users.entry(new.user.clone()) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(free) => {
                let user = Arc::new(User::new(new.user.clone()));
                free.insert(user.clone());
                user
            }
        };
        let mut sessions = user.sessions.write();
        let (replaced, kept): (Vec<_>, Vec<_>) = sessions
            .drain(..)
            .partition(|session| is_of(session, &new.client, new.application.as_ref()));
        *sessions = kept;
        if sessions.len() >= max_per_user {
            sessions.extend(replaced);
            return Added::UserLimit;
        }
        let session = Arc::new(Session::new(new, user.clone(), now));
        sessions.push(session.clone());
        drop(sessions);
        let replaced: Vec<_> = replaced
            .into_iter()
            .filter(|old| self.unlist(&old.id))
            .collect();
        self.sessions[self.shard(session.id.as_str())]
            .write()
            .insert(session.id.clone(), session.clone());
        self.count.fetch_add(1, Ordering::Relaxed);
        Added::Session { session, replaced }
    }

    /// Takes a session out; false when it was not there (any more), so that of several who
    /// end it one does.
    pub(crate) fn remove(&self, session: &Session) -> bool {
        let shard = self.shard(session.user.id.as_str());
        let mut users = self.users[shard].lock();
        if !self.unlist(&session.id) {
            return false;
        }
        let mut sessions = session.user.sessions.write();
        sessions.retain(|other| other.id != session.id);
        if sessions.is_empty() {
            users.remove(&session.user.id);
        }
        true
    }

    /// A session is going to end by `code`, which the store does not know yet. False when
    /// that has been said before.
    pub(crate) fn begin_end(&self, id: &SessionId, code: StatusCode) -> bool {
        match self.ending.lock().entry(id.clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert(code);
                true
            }
        }
    }

    /// By what a session ends that the store may not know of yet.
    pub(crate) fn ending(&self, id: &SessionId) -> Option<StatusCode> {
        self.ending.lock().get(id).copied()
    }

    /// The store knows of the end of a session, or it did not end.
    pub(crate) fn end_told(&self, id: &SessionId) {
        self.ending.lock().remove(id);
    }

    fn unlist(&self, id: &SessionId) -> bool {
        let was_there = self.sessions[self.shard(id.as_str())]
            .write()
            .remove(id)
            .is_some();
        if was_there {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        was_there
    }

    /// Visits all sessions, shard by shard.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Arc<Session>)) {
        for shard in &self.sessions {
            let sessions: Vec<_> = shard.read().values().cloned().collect();
            sessions.iter().for_each(&mut visit);
        }
    }
}

fn is_of(session: &Session, client: &ClientId, application: Option<&ApplicationId>) -> bool {
    session.client == *client && session.application.as_ref() == application
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{new_session, user_id};

    fn add(registry: &Registry, id: &str, user: &str, client: &str) -> Added {
        registry.add(new_session(id, user, client), Timestamp::from_secs(1), 2)
    }

    #[test]
    fn a_login_of_the_same_client_replaces_its_session() {
        let registry = Registry::new();
        assert!(matches!(
            add(&registry, "s1", "anna", "a"),
            Added::Session { .. }
        ));
        let Added::Session { session, replaced } = add(&registry, "s2", "anna", "a") else {
            panic!("no session");
        };
        assert_eq!(replaced.len(), 1);
        assert_eq!(replaced[0].id.as_str(), "s1");
        assert!(registry.session("s1").is_none());
        assert!(registry.session("s2").is_some());
        assert!(
            Arc::ptr_eq(&session.user, &replaced[0].user),
            "one mailbox for both"
        );
        assert!(!registry.remove(&replaced[0]), "it is gone already");
        assert_eq!(registry.len(), 1);
    }

    #[test]
    fn a_user_has_only_so_many_sessions_but_may_replace_one() {
        let registry = Registry::new();
        add(&registry, "s1", "anna", "a");
        add(&registry, "s2", "anna", "b");
        assert!(matches!(
            add(&registry, "s3", "anna", "c"),
            Added::UserLimit
        ));
        assert!(matches!(
            add(&registry, "s4", "anna", "b"),
            Added::Session { .. }
        ));
        assert!(matches!(
            add(&registry, "s5", "bob", "a"),
            Added::Session { .. }
        ));
        assert_eq!(registry.sessions_of(&user_id("anna")).len(), 2);
    }

    #[test]
    fn a_user_without_sessions_leaves_no_trace() {
        let registry = Registry::new();
        let Added::Session { session, .. } = add(&registry, "s1", "anna", "a") else {
            panic!("no session");
        };
        assert!(registry.remove(&session) && !registry.remove(&session));
        assert!(registry.user(&user_id("anna")).is_none());
        assert_eq!(registry.len(), 0);
    }
}
