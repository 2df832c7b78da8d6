//! When to look at a session again: one queue for all sessions, at most one entry each, and
//! none for a session that nothing waits for.

use crate::session::Session;
use hamlet_model::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

/// An entry: when, and a number that makes it unique.
pub(crate) type Due = (Timestamp, u64);

/// The queue.
#[derive(Default)]
pub(crate) struct Timers {
    entries: BTreeMap<Due, Weak<Session>>,
    last: u64,
}

impl Timers {
    /// Sets the session's timer, whose entry is `due`, unless it is set to an earlier time
    /// already. Whether it is the first of all now.
    pub(crate) fn set(
        &mut self,
        session: &Arc<Session>,
        due: &mut Option<Due>,
        at: Timestamp,
    ) -> bool {
        match due {
            Some((earlier, _)) if *earlier <= at => return false,
            Some(later) => {
                self.entries.remove(later);
            }
            None => {}
        }
        self.last += 1;
        let key = (at, self.last);
        *due = Some(key);
        self.entries.insert(key, Arc::downgrade(session));
        self.first().is_none_or(|first| first == at)
    }

    /// Removes an entry.
    pub(crate) fn cancel(&mut self, due: Due) {
        self.entries.remove(&due);
    }

    /// When the next is due.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// Up to `count` sessions whose time has come, with their entries.
    pub(crate) fn take_due(&mut self, now: Timestamp, count: usize) -> Vec<(Due, Arc<Session>)> {
        let mut taken = Vec::new();
        while taken.len() < count && self.first().is_some_and(|first| first <= now) {
            let Some((due, session)) = self.entries.pop_first() else {
                break;
            };
            taken.extend(session.upgrade().map(|session| (due, session)));
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::User;
    use crate::session::tests::{new_session, user_id};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn session(id: &str) -> Arc<Session> {
        let user = Arc::new(User::new(user_id("anna")));
        Arc::new(Session::new(new_session(id, "anna", "a"), user, at(0)))
    }

    #[test]
    fn a_session_has_one_entry_and_the_earlier_time_counts() {
        let mut timers = Timers::default();
        let (one, other) = (session("1"), session("2"));
        let (mut due, mut due_other) = (None, None);
        assert!(timers.set(&one, &mut due, at(30)));
        assert!(!timers.set(&one, &mut due, at(40)));
        assert!(!timers.set(&other, &mut due_other, at(35)));
        assert!(timers.set(&one, &mut due, at(20)));
        assert_eq!(timers.first(), Some(at(20)));
        assert!(timers.take_due(at(19), 9).is_empty());
        let taken = timers.take_due(at(100), 9);
        let ids: Vec<_> = taken
            .iter()
            .map(|(_, session)| session.id.as_str())
            .collect();
        assert_eq!(ids, ["1", "2"]);
        assert_eq!(timers.first(), None);
    }

    #[test]
    fn a_session_that_is_gone_is_not_looked_at() {
        let mut timers = Timers::default();
        let mut due = None;
        timers.set(&session("1"), &mut due, at(1));
        assert!(timers.take_due(at(2), 9).is_empty());
        let kept = session("2");
        let mut due = None;
        timers.set(&kept, &mut due, at(1));
        timers.cancel(due.unwrap());
        assert!(timers.take_due(at(2), 9).is_empty());
    }
}
