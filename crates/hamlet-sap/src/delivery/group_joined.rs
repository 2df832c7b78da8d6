//! The groups that a session has joined, and what it has of each group's log (csp-group 6).
//! Pure; the store is read by others.

use crate::delivery::group_log::{Entry, GroupLog, Look};
use hamlet_elements::im::{GroupCursor, GroupMessage};
use hamlet_model::{ClientId, GroupId, SessionId, Timestamp, UserId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How many messages are read from the store at a time for a session that is slow.
pub(crate) const PAGE: usize = 16;

/// Most messages that are kept for a session that knows of all of them and fetches none.
const MOST_BEHIND: usize = 16 * PAGE;

/// How many messages a session may be done with beyond one that it does not come for. That one
/// is then given up.
const MAX_BEYOND: usize = 256;

/// All groups of one session.
#[derive(Default)]
pub(crate) struct JoinedGroups {
    groups: Vec<Membership>,
}

/// One of them.
struct Membership {
    log: Arc<GroupLog>,
    /// The session's screen name, as names are compared.
    name: String,
    /// Everything up to it is done with.
    position: i64,
    /// What is done with beyond that.
    beyond: BTreeSet<i64>,
    /// The position as the store knows it.
    stored: i64,
    /// More is done with than the store has been told.
    untold: bool,
    /// What the session has been given and is not done with.
    parts: BTreeMap<i64, Part>,
    /// What is older than the memory of the log, up to `behind_to`.
    behind: VecDeque<Arc<Entry>>,
    behind_to: i64,
}

#[derive(Clone, Copy)]
struct Part {
    state: State,
    turns: u32,
    /// How often it was written, and was too large for the client.
    too_large: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It may acknowledge until then.
    Sent(Timestamp),
    /// It did not.
    Missed,
    /// It knows that it can fetch it, or has fetched it.
    Notified,
}

/// Whose groups they are, and when he asks.
pub(crate) struct Me<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) client: &'a ClientId,
    pub(crate) now: Timestamp,
}

/// A message for the session.
#[derive(Clone)]
pub(crate) struct Turn {
    pub(crate) entry: Arc<Entry>,
    /// How often it was too large for the client when it was written.
    pub(crate) too_large: u8,
}

impl Turn {
    pub(crate) fn message(&self) -> &GroupMessage {
        &self.entry.message
    }
}

impl JoinedGroups {
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The session has joined, or is joined since before the server started; it gets what is
    /// behind the cursor.
    pub(crate) fn join(&mut self, log: Arc<GroupLog>, name: String, cursor: &GroupCursor) {
        self.groups.retain(|known| known.log.group != log.group);
        self.groups.push(Membership {
            log,
            name,
            position: cursor.position,
            beyond: cursor.beyond.iter().copied().collect(),
            stored: cursor.position,
            untold: false,
            parts: BTreeMap::new(),
            behind: VecDeque::new(),
            behind_to: cursor.position,
        });
    }

    /// The session has left; its log, if it was there.
    pub(crate) fn leave(&mut self, group: &GroupId) -> Option<Arc<GroupLog>> {
        let at = self.groups.iter().position(|m| m.log.group == *group)?;
        Some(self.groups.remove(at).log)
    }

    pub(crate) fn leave_all(&mut self) -> Vec<Arc<GroupLog>> {
        self.groups
            .drain(..)
            .map(|membership| membership.log)
            .collect()
    }

    /// Nothing at all waits: costs no lock of a log.
    pub(crate) fn is_idle(&self) -> bool {
        self.groups.iter().all(|m| m.log.newest() <= m.position)
    }

    /// The oldest message that the session gets now.
    pub(crate) fn find(&mut self, me: &Me<'_>) -> Option<Turn> {
        let turns = self.groups.iter_mut().filter_map(|m| m.find(me));
        turns.min_by_key(|turn| turn.message().at)
    }

    /// The logs that have to be read from the store, and behind which place.
    pub(crate) fn lacking(&self) -> Vec<(GroupId, i64)> {
        let lacks = |m: &Membership| {
            let from = m.known_to();
            (m.is_read() && from < m.log.floor()).then(|| (m.log.group.clone(), from))
        };
        self.groups.iter().filter_map(lacks).collect()
    }

    /// Whether all that waits is in memory.
    pub(crate) fn knows_all(&self) -> bool {
        let knows = |m: &Membership| m.known_to() >= m.log.floor() && m.log.lacks().is_none();
        self.groups.iter().all(knows)
    }

    /// Whether there are any.
    pub(crate) fn lacks(&self) -> bool {
        !self.lacking().is_empty() || self.groups.iter().any(|m| m.log.lacks().is_some())
    }

    /// The logs of which the store may have more than is known, and behind which place.
    pub(crate) fn unsure(&self) -> Vec<(Arc<GroupLog>, i64)> {
        let unsure = |m: &Membership| Some((m.log.clone(), m.log.lacks()?));
        self.groups.iter().filter_map(unsure).collect()
    }

    /// What the store has of a log behind the place that [`JoinedGroups::lacking`] has told.
    /// Fewer than [`PAGE`] are all that there are.
    pub(crate) fn read(&mut self, group: &GroupId, from: i64, messages: Vec<GroupMessage>) {
        let Some(m) = self.of(group).filter(|m| m.known_to() == from) else {
            return;
        };
        let floor = m.log.floor();
        m.behind_to = match messages.last() {
            Some(last) if messages.len() >= PAGE => last.seq.min(floor),
            _ => floor,
        };
        let older = messages.into_iter().filter(|message| message.seq <= floor);
        m.behind
            .extend(older.map(|message| Entry::new(Arc::new(message))));
        m.advance();
    }

    /// The message is on its way to the session.
    pub(crate) fn sent(&mut self, group: &GroupId, seq: i64, now: Timestamp, guard: Duration) {
        if let Some(m) = self.of(group) {
            let part = m.parts.get(&seq);
            let too_large = part.map_or(0, |part| part.too_large);
            let turns = part.map_or(0, |part| part.turns) + 1;
            // Every repetition waits twice as long as the one before.
            let patience = guard.saturating_mul(1 << (turns - 1).min(6));
            let state = State::Sent(now.plus(patience));
            let part = Part {
                state,
                turns,
                too_large,
            };
            m.parts.insert(seq, part);
        }
    }

    /// It has not been sent after all, or could not be read.
    pub(crate) fn missed(&mut self, group: &GroupId, seq: i64) {
        if let Some(part) = self.of(group).and_then(|m| m.parts.get_mut(&seq)) {
            part.state = State::Missed;
        }
    }

    /// Written, it was too large for the client: perhaps a smaller form of it fits.
    pub(crate) fn too_large(&mut self, group: &GroupId, seq: i64) {
        if let Some(part) = self.of(group).and_then(|m| m.parts.get_mut(&seq)) {
            part.state = State::Missed;
            part.too_large = part.too_large.saturating_add(1);
        }
    }

    /// The client knows that it can fetch the message, or has fetched it.
    pub(crate) fn notified(&mut self, group: &GroupId, seq: i64) {
        let Some(m) = self.of(group) else {
            return;
        };
        let part = m.parts.entry(seq).or_insert(Part {
            state: State::Notified,
            turns: 0,
            too_large: 0,
        });
        part.state = State::Notified;
    }

    /// Whether the client has been told that it can fetch the message, or has fetched it.
    pub(crate) fn is_notified(&mut self, id: &str, me: &Me<'_>) -> bool {
        let Some(turn) = self.by_id(id, me) else {
            return false;
        };
        let said = turn.message();
        let m = self.of(&said.group);
        let part = m.and_then(|m| m.parts.get(&said.seq));
        part.is_some_and(|part| part.state == State::Notified)
    }

    /// The method of delivery has changed: what has been notified may be pushed.
    pub(crate) fn reconsider(&mut self) {
        for m in &mut self.groups {
            m.parts.retain(|_, part| part.state != State::Notified);
        }
    }

    /// The session is done with a message; false when it was before, or has left.
    pub(crate) fn done(&mut self, group: &GroupId, seq: i64) -> bool {
        self.of(group).is_some_and(|m| m.done(seq))
    }

    /// A message of this identifier that the session is not done with.
    pub(crate) fn by_id(&mut self, id: &str, me: &Me<'_>) -> Option<Turn> {
        self.groups.iter_mut().find_map(|m| m.by_id(id, me))
    }

    /// All messages that the session is not done with, as far as they are in memory.
    pub(crate) fn waiting(&mut self, me: &Me<'_>) -> Vec<Turn> {
        self.groups.iter_mut().flat_map(|m| m.waiting(me)).collect()
    }

    /// How far the session has come in a group, for the store; taken to be told.
    pub(crate) fn cursor(&mut self, group: &GroupId, session: &SessionId) -> Option<GroupCursor> {
        let m = self.of(group)?;
        m.advance();
        m.stored = m.position;
        m.untold = false;
        Some(GroupCursor {
            group: group.clone(),
            session: session.clone(),
            position: m.position,
            beyond: m.beyond.iter().copied().collect(),
        })
    }

    /// How far the session has come in a group, and whether the store lags behind.
    pub(crate) fn progress(&mut self, group: &GroupId, me: &Me<'_>) -> Option<(i64, bool)> {
        let m = self.of(group)?;
        // What is not for it at all is passed.
        m.find(me);
        m.advance();
        Some((m.position, m.position > m.stored))
    }

    /// The groups in which the session is done with more than the store has been told.
    pub(crate) fn untold(&self) -> Vec<GroupId> {
        let untold = self.groups.iter().filter(|m| m.untold);
        untold.map(|m| m.log.group.clone()).collect()
    }

    fn of(&mut self, group: &GroupId) -> Option<&mut Membership> {
        self.groups.iter_mut().find(|m| m.log.group == *group)
    }
}

impl Membership {
    /// Everything behind `position` is known up to here, or in the log's memory.
    fn known_to(&self) -> i64 {
        self.position.max(self.behind_to)
    }

    /// Whether nothing that was read from the store may still come by itself.
    fn is_read(&self) -> bool {
        let settled = |entry: &Arc<Entry>| {
            let seq = entry.message.seq;
            let part = self.parts.get(&seq);
            self.beyond.contains(&seq) || part.is_some_and(|part| part.state == State::Notified)
        };
        self.behind.len() < MOST_BEHIND && self.behind.iter().all(settled)
    }

    /// Visits all messages behind the position that are known without a gap, in order.
    fn look<T>(&self, mut visit: impl FnMut(&Arc<Entry>) -> Option<T>) -> Look<T> {
        for entry in &self.behind {
            if entry.message.seq > self.position
                && let Some(found) = visit(entry)
            {
                return Look::Found(found);
            }
        }
        self.log.look(self.known_to(), visit)
    }

    fn find(&mut self, me: &Me<'_>) -> Option<Turn> {
        if self.log.last() <= self.position {
            return None;
        }
        let mut passed = Vec::new();
        let found = self.look(|entry| {
            let seq = entry.message.seq;
            if self.beyond.contains(&seq) {
                return None;
            }
            if !self.is_for(&entry.message, me) {
                passed.push(seq);
                return None;
            }
            match self.parts.get(&seq).map(|part| part.state) {
                Some(State::Notified) => None,
                Some(State::Sent(until)) if until > me.now => None,
                _ => Some(entry.clone()),
            }
        });
        let passed_any = !passed.is_empty();
        self.beyond.extend(passed);
        if passed_any {
            self.advance();
        }
        match found {
            Look::Found(entry) => Some(self.turn(entry)),
            _ => None,
        }
    }

    fn waiting(&mut self, me: &Me<'_>) -> Vec<Turn> {
        let mut waiting = Vec::new();
        self.look(|entry| {
            let message = &entry.message;
            if !self.beyond.contains(&message.seq) && self.is_for(message, me) {
                waiting.push(self.turn(entry.clone()));
            }
            None::<()>
        });
        waiting
    }

    fn by_id(&mut self, id: &str, me: &Me<'_>) -> Option<Turn> {
        let found = self.look(|entry| {
            let message = &entry.message;
            let is_it = message.message.id.as_str() == id
                && !self.beyond.contains(&message.seq)
                && self.is_for(message, me);
            is_it.then(|| entry.clone())
        });
        match found {
            Look::Found(entry) => Some(self.turn(entry)),
            _ => None,
        }
    }

    fn turn(&self, entry: Arc<Entry>) -> Turn {
        let part = self.parts.get(&entry.message.seq);
        Turn {
            too_large: part.map_or(0, |part| part.too_large),
            entry,
        }
    }

    fn is_for(&self, message: &GroupMessage, me: &Me<'_>) -> bool {
        message.message.expires > me.now && message.is_for(me.user, me.client, &self.name)
    }

    fn done(&mut self, seq: i64) -> bool {
        self.parts.remove(&seq);
        let is_new = seq > self.position && self.beyond.insert(seq);
        self.untold |= is_new;
        self.advance();
        is_new
    }

    /// Moves the position over everything that is done with. Places without a message do not
    /// count.
    fn advance(&mut self) {
        let mut position = self.position;
        let looked = self.look(|entry| {
            let seq = entry.message.seq;
            if !self.beyond.contains(&seq) {
                return Some(());
            }
            position = seq;
            None
        });
        if let Look::End(last) = looked {
            position = position.max(last);
        }
        if self.beyond.len() > MAX_BEYOND {
            position = position.max(self.beyond.first().copied().unwrap_or(0));
        }
        self.position = position;
        self.beyond = self.beyond.split_off(&(position + 1));
        self.parts = self.parts.split_off(&(position + 1));
        while self
            .behind
            .front()
            .is_some_and(|e| e.message.seq <= position)
        {
            self.behind.pop_front();
        }
    }
}

#[cfg(test)]
#[path = "group_joined_tests.rs"]
mod tests;
