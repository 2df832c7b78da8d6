//! Requests that have to arrive in the order in which they were committed: what the domain of a
//! group says to another one about that group, and what one user asks of a group there
//! (csp-group 6 item 12; ssp 3.3). Links keep no order, so the next of them is sent when the one
//! before it has been answered or is not worth sending any more.

use super::Parcel;
use crate::elements::Inner;
use crate::group::subject;
use crate::service::{Event, Request};
use hamlet_model::{Domain, GroupId, Timestamp, UserId};
use hamlet_store::{OutboxEntry, StoreError};
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Entries that are read at a time.
const PAGE: usize = 1000;

/// For how long an entry is out of the way of others when many are due; its turn, or a new start
/// of the server, ends that.
const HOLD: Duration = Duration::from_secs(600);

/// What is kept in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Line {
    destination: Domain,
    group: GroupId,
    /// Who asks; `None`: the domain of the group speaks.
    user: Option<UserId>,
}

/// The line of an entry, if it has one. Pure.
fn line_of(entry: &OutboxEntry) -> Option<Line> {
    let Parcel::Request { requestor, request } = Parcel::of(entry)? else {
        return None;
    };
    line(&entry.destination, &requestor, &request)
}

/// The line of a request. Pure.
pub(super) fn line(destination: &Domain, requestor: &UserId, request: &Request) -> Option<Line> {
    let (group, user) = match request {
        Request::DeliverGroupMessage(said) => (&said.group, None),
        Request::ForeignGroupNotice(notice) => (&notice.group, None),
        Request::ForeignGroupLeave(leave) => (&leave.group, None),
        other => (subject(other)?, Some(requestor.clone())),
    };
    Some(Line {
        destination: destination.clone(),
        group: group.clone(),
        user,
    })
}

/// The entries that wait in lines.
#[derive(Default)]
pub(crate) struct Lines {
    state: Mutex<State>,
    /// What was in the outbox at the start is known.
    complete: AtomicBool,
}

#[derive(Default)]
struct State {
    waiting: HashMap<Line, BTreeSet<i64>>,
    of: HashMap<i64, Line>,
    /// Put off in the store, until it is their turn.
    held: HashSet<i64>,
}

impl Lines {
    /// An entry waits in its line.
    pub(super) fn enter(&self, id: i64, line: Line) {
        let mut state = self.state.lock();
        state.waiting.entry(line.clone()).or_default().insert(id);
        state.of.insert(id, line);
    }

    /// The first of every line.
    fn first(&self) -> Vec<i64> {
        let state = self.state.lock();
        let lines = state.waiting.values();
        lines.filter_map(|line| line.first().copied()).collect()
    }

    /// The entry that has to be answered before this one.
    pub(super) fn ahead_of(&self, id: i64) -> Option<i64> {
        let state = self.state.lock();
        let first = *state.waiting.get(state.of.get(&id)?)?.first()?;
        (first != id).then_some(first)
    }

    /// An entry waits no more. The one whose turn it is now, if it was put off.
    fn leave(&self, id: i64) -> Left {
        let mut state = self.state.lock();
        state.held.remove(&id);
        let Some(line) = state.of.remove(&id) else {
            return Left::default();
        };
        let Some(waiting) = state.waiting.get_mut(&line) else {
            return Left::default();
        };
        let was_first = waiting.first() == Some(&id);
        waiting.remove(&id);
        let next = waiting.first().copied();
        if next.is_none() {
            state.waiting.remove(&line);
        }
        let next = next.filter(|_| was_first);
        Left {
            turn: next.is_some(),
            held: next.filter(|next| state.held.remove(next)),
        }
    }
}

/// What follows when an entry has left its line.
#[derive(Default)]
struct Left {
    /// It is another's turn.
    turn: bool,
    /// That one, if it was put off.
    held: Option<i64>,
}

impl Inner {
    /// Knows all lines that were in the outbox when the server started.
    pub(super) async fn know_lines(&self) -> Result<(), StoreError> {
        if self.lines.complete.load(Ordering::Acquire) {
            return Ok(());
        }
        let lines = self.lines.clone();
        let read = self.store.read(move |tx| {
            for destination in tx.outbox_destinations()? {
                let mut after = 0;
                loop {
                    let page = tx.outbox_of(&destination, after, PAGE)?;
                    let Some(last) = page.last() else { break };
                    after = last.id;
                    for entry in &page {
                        if let Some(line) = line_of(entry) {
                            lines.enter(entry.id, line);
                        }
                    }
                }
            }
            Ok(())
        });
        read.await?;
        // Some were out of the way when the server ended, and may be the first by now.
        let first = self.lines.first();
        let due = self.store.write(move |tx| {
            let now = Timestamp::now();
            first
                .iter()
                .try_for_each(|id| tx.put_off_outbox(*id, now).map(drop))
        });
        due.await?;
        self.lines.complete.store(true, Ordering::Release);
        Ok(())
    }

    /// These have to wait for others. Where `many` are due they are put off, so that they keep
    /// nobody from his turn.
    pub(super) async fn hold_back(&self, ids: Vec<i64>, many: bool) -> Result<(), StoreError> {
        let ahead: BTreeSet<i64> = ids
            .iter()
            .filter_map(|id| self.lines.ahead_of(*id))
            .collect();
        let gone = self.store.read(move |tx| {
            let mut gone = Vec::new();
            for id in &ahead {
                if tx.outbox_entry(*id)?.is_none() {
                    gone.push(*id);
                }
            }
            Ok(gone)
        });
        let gone = gone.await?;
        self.next_in_line(&gone).await?;
        if !many {
            return Ok(());
        }
        let lines = self.lines.clone();
        let held = self.store.write(move |tx| {
            for id in &ids {
                // Its turn may have come meanwhile; if it comes later, it is noted after this.
                if lines.ahead_of(*id).is_some() {
                    tx.put_off_outbox(*id, Timestamp::now().plus(HOLD))?;
                    lines.state.lock().held.insert(*id);
                }
            }
            Ok(())
        });
        held.await?;
        self.emit([Event::Outbox]);
        Ok(())
    }

    /// These have been answered, or are gone: it is the turn of those behind them.
    pub(crate) async fn next_in_line(&self, gone: &[i64]) -> Result<(), StoreError> {
        let left: Vec<Left> = gone.iter().map(|id| self.lines.leave(*id)).collect();
        let held: Vec<i64> = left.iter().filter_map(|left| left.held).collect();
        if !held.is_empty() {
            let now = Timestamp::now();
            let due = self.store.write(move |tx| {
                held.iter()
                    .try_for_each(|id| tx.put_off_outbox(*id, now).map(drop))
            });
            due.await?;
        }
        let turn = left.iter().any(|left| left.turn);
        self.emit(turn.then_some(Event::Outbox));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{GetGroupProps, LeaveGroup};

    fn user(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("b").unwrap()).unwrap()
    }

    fn of(domain: &str, who: &str, group: &str) -> Line {
        let domain = Domain::parse(domain).unwrap();
        let request = Request::LeaveGroup(LeaveGroup {
            group: GroupId::parse(group, &domain).unwrap(),
        });
        line(&domain, &user(who), &request).unwrap()
    }

    #[test]
    fn what_has_to_keep_its_order_is_one_line() {
        // csp-group 6 item 12.
        let ski = of("a", "bob", "wv:ann/ski@a");
        assert_eq!(ski, of("a", "bob", "wv:ann/ski@a"));
        for other in [
            of("a", "bea", "wv:ann/ski@a"),
            of("a", "bob", "wv:ann/golf@a"),
            of("c", "bob", "wv:ann/ski@c"),
        ] {
            assert_ne!(ski, other);
        }
        let domain = Domain::parse("a").unwrap();
        let group = GroupId::parse("wv:ann/ski@a", &domain).unwrap();
        let read = Request::GetGroupProps(GetGroupProps { group });
        assert_eq!(line(&domain, &user("bob"), &read), Some(ski));
        let none = Request::GetContactLists;
        assert_eq!(line(&domain, &user("bob"), &none), None);
    }

    #[test]
    fn the_next_one_has_its_turn_when_the_first_has_left() {
        let lines = Lines::default();
        let (ski, golf) = (of("a", "bob", "/ski"), of("a", "bob", "/golf"));
        for (id, line) in [(5, &ski), (7, &ski), (6, &golf), (9, &ski)] {
            lines.enter(id, line.clone());
        }
        for (id, ahead) in [(5, None), (6, None), (7, Some(5)), (9, Some(5)), (1, None)] {
            assert_eq!(lines.ahead_of(id), ahead, "{id}");
        }
        // One that expires on its place changes nothing for the others.
        assert!(!lines.leave(7).turn);
        lines.state.lock().held.insert(9);
        let left = lines.leave(5);
        assert_eq!((left.turn, left.held), (true, Some(9)));
        assert_eq!(lines.ahead_of(9), None);
        let mut first = lines.first();
        first.sort_unstable();
        assert_eq!(first, [6, 9]);
        assert!(!lines.leave(5).turn, "only once");
        assert!(!lines.leave(9).turn);
        assert!(lines.state.lock().waiting.keys().eq([&golf]));
    }
}
