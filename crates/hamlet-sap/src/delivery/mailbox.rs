//! The mailbox of a user while he has sessions: what the store holds for him, and which
//! session has been given what (csp-im 6, 10.3). Pure; the store is read by others.

use hamlet_elements::im::{MailboxItem, OnlineHandling, SessionView, choose_sessions};
use hamlet_model::{SessionId, Timestamp};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The mailbox of one user.
#[derive(Default)]
pub(crate) struct Mailbox {
    state: State,
    entries: VecDeque<Entry>,
    /// How entries are spread over the user's sessions.
    pub(crate) handling: OnlineHandling,
}

#[derive(Default)]
enum State {
    /// What is here may be less than the store has.
    #[default]
    Cold,
    /// The store is being read; what happens meanwhile is noted.
    Loading {
        arrived: Vec<Arc<MailboxItem>>,
        gone: HashSet<String>,
    },
    /// It has everything.
    Warm,
}

/// One message or report.
struct Entry {
    id: String,
    item: Arc<MailboxItem>,
    holders: Vec<Holder>,
    /// The store has it no more; only those who hold it already still get it.
    settled: bool,
}

/// What one session has to do with an entry.
struct Holder {
    session: SessionId,
    part: Part,
    /// How often the entry was meant for it.
    turns: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It is its turn until then, but it has not come for it yet.
    Meant(Timestamp),
    /// It has been sent and may acknowledge until then.
    Sent(Timestamp),
    /// It did not acknowledge, or answered an error.
    Missed,
    /// It cannot take it.
    Unfit,
    /// It has acknowledged.
    Done,
}

/// Who asks for entries, and when.
pub(crate) struct Asker<'a> {
    pub(crate) session: &'a SessionId,
    pub(crate) now: Timestamp,
    /// How long an answer is waited for.
    pub(crate) guard: Duration,
    /// The user's sessions, as they are for this entry.
    pub(crate) views: &'a dyn Fn(&MailboxItem) -> Vec<SessionView>,
}

/// An entry that has been found for a session.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) item: Arc<MailboxItem>,
}

impl Mailbox {
    /// Whether the store has to be read first.
    pub(crate) fn is_cold(&self) -> bool {
        !matches!(self.state, State::Warm)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The store is going to be read. A reading that is under way already stays as it is:
    /// whichever ends first is taken.
    pub(crate) fn begin_load(&mut self) {
        if matches!(self.state, State::Cold) {
            self.state = State::Loading {
                arrived: Vec::new(),
                gone: HashSet::new(),
            };
        }
    }

    /// The store has been read.
    pub(crate) fn loaded(&mut self, items: Vec<Arc<MailboxItem>>) {
        let State::Loading { arrived, gone } = std::mem::replace(&mut self.state, State::Warm)
        else {
            return;
        };
        self.entries.clear();
        for item in items.into_iter().chain(arrived) {
            let id = item.id();
            if !gone.contains(&id) {
                self.push(id, item);
            }
        }
    }

    /// The store could not be read.
    pub(crate) fn load_failed(&mut self) {
        if matches!(self.state, State::Loading { .. }) {
            self.state = State::Cold;
        }
    }

    /// What is here may be wrong: the store is to be read again.
    pub(crate) fn reload(&mut self) {
        self.state = State::Cold;
        self.entries.clear();
    }

    /// Forgets what the store has, too; false while something is being sent or loaded.
    pub(crate) fn cool(&mut self, now: Timestamp) -> bool {
        let busy = |holder: &Holder| matches!(holder.part, Part::Sent(until) if until > now);
        if matches!(self.state, State::Loading { .. })
            || self
                .entries
                .iter()
                .any(|entry| entry.settled || entry.holders.iter().any(busy))
        {
            return false;
        }
        self.entries.clear();
        self.state = State::Cold;
        true
    }

    /// Something has been stored for the user.
    pub(crate) fn arrived(&mut self, item: Arc<MailboxItem>) {
        match &mut self.state {
            State::Cold => {}
            State::Loading { arrived, .. } => arrived.push(item),
            State::Warm => self.push(item.id(), item),
        }
    }

    fn push(&mut self, id: String, item: Arc<MailboxItem>) {
        if self.entries.iter().any(|entry| entry.id == id) {
            return;
        }
        self.entries.push_back(Entry {
            id,
            item,
            holders: Vec::new(),
            settled: false,
        });
    }

    /// The store has an entry no more.
    pub(crate) fn removed(&mut self, id: &str) {
        if let State::Loading { gone, .. } = &mut self.state {
            gone.insert(id.to_owned());
        }
        self.entries.retain(|entry| entry.id != id);
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.entries.iter().any(|entry| entry.id == id)
    }

    /// The oldest entry that the asker gets now.
    pub(crate) fn find(&mut self, asker: &Asker<'_>) -> Option<Found> {
        let handling = self.handling;
        self.entries
            .iter_mut()
            .find_map(|entry| entry.is_for(asker, handling).then(|| entry.found()))
    }

    /// Whether there is one.
    pub(crate) fn has(&mut self, asker: &Asker<'_>) -> bool {
        let handling = self.handling;
        self.entries
            .iter_mut()
            .any(|entry| entry.is_for(asker, handling))
    }

    /// The entry is on its way to the session, which may acknowledge until the answer. How
    /// often it has been meant for it before.
    pub(crate) fn sent(&mut self, id: &str, session: &SessionId, now: Timestamp, guard: Duration) {
        if let Some(entry) = self.entry(id) {
            let holder = entry.holder(session);
            if !matches!(holder.part, Part::Meant(_)) {
                holder.turns += 1;
            }
            // Every repetition waits twice as long as the one before.
            let patience = guard.saturating_mul(1 << holder.turns.saturating_sub(1).min(6));
            holder.part = Part::Sent(now.plus(patience));
        }
    }

    /// The session cannot take the entry. Whether another session of the user still may.
    pub(crate) fn unfit(&mut self, id: &str, asker: &Asker<'_>) -> bool {
        let session = asker.session;
        let Some(entry) = self.entry(id) else {
            return true;
        };
        entry.holder(session).part = Part::Unfit;
        let others: Vec<_> = (asker.views)(&entry.item)
            .into_iter()
            .filter(|view| !entry.is(&view.id, |part| part == Part::Unfit))
            .collect();
        let all = OnlineHandling::ForkAll;
        !choose_sessions(&entry.item, &others, all).is_empty()
    }

    /// The session has not acknowledged, and is not waited for any more.
    pub(crate) fn missed(&mut self, id: &str, session: &SessionId) {
        if let Some(entry) = self.entry(id) {
            entry.holder(session).part = Part::Missed;
        }
    }

    /// The session has acknowledged the entry. Whether the store has to be told.
    pub(crate) fn acknowledged(&mut self, id: &str, asker: &Asker<'_>) -> bool {
        let forking = self.handling == OnlineHandling::ForkAll;
        if let State::Loading { gone, .. } = &mut self.state {
            gone.insert(id.to_owned());
        }
        let Some(at) = self.entries.iter().position(|entry| entry.id == id) else {
            return true;
        };
        let entry = &mut self.entries[at];
        let first = !entry.settled;
        entry.holder(asker.session).part = Part::Done;
        entry.settled = true;
        if first && forking {
            // The copies of the others are still to be delivered.
            let views = (asker.views)(&entry.item);
            let turn = Part::Meant(asker.now.plus(asker.guard));
            for other in choose_sessions(&entry.item, &views, OnlineHandling::ForkAll) {
                if !entry.holders.iter().any(|holder| holder.session == other) {
                    entry.holder(&other).part = turn;
                }
            }
        }
        if !forking || entry.is_delivered() {
            self.entries.remove(at);
        }
        first
    }

    /// The session is over: what it had may go to others.
    pub(crate) fn session_ended(&mut self, session: &SessionId) {
        for entry in &mut self.entries {
            entry.holders.retain(|holder| holder.session != *session);
        }
        self.entries.retain(|entry| !entry.is_delivered());
    }

    fn entry(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }
}

impl Entry {
    fn found(&self) -> Found {
        Found {
            id: self.id.clone(),
            item: self.item.clone(),
        }
    }

    fn holder(&mut self, session: &SessionId) -> &mut Holder {
        let known = self
            .holders
            .iter()
            .position(|holder| holder.session == *session);
        let at = known.unwrap_or_else(|| {
            self.holders.push(Holder {
                session: session.clone(),
                part: Part::Missed,
                turns: 0,
            });
            self.holders.len() - 1
        });
        &mut self.holders[at]
    }

    fn is(&self, session: &SessionId, test: impl Fn(Part) -> bool) -> bool {
        self.holders
            .iter()
            .any(|holder| holder.session == *session && test(holder.part))
    }

    /// Everybody who gets it has it.
    fn is_delivered(&self) -> bool {
        self.settled
            && self
                .holders
                .iter()
                .all(|holder| matches!(holder.part, Part::Done | Part::Unfit))
    }

    /// Whether the asker gets it now; if it is the turn of another session, that is noted.
    fn is_for(&mut self, asker: &Asker<'_>, handling: OnlineHandling) -> bool {
        let (me, now) = (asker.session, asker.now);
        if self.item.expires() <= now {
            return false;
        }
        let mine = self.holders.iter().find(|holder| holder.session == *me);
        match mine.map(|holder| holder.part) {
            Some(Part::Unfit | Part::Done) => return false,
            Some(Part::Sent(until)) if until > now => return false,
            Some(Part::Meant(until)) if until > now => return true,
            None if self.settled => return false,
            Some(_) if self.settled => return true,
            _ => {}
        }
        let holds = |holder: &Holder| match holder.part {
            Part::Meant(until) | Part::Sent(until) => until > now && holder.session != *me,
            _ => false,
        };
        if handling != OnlineHandling::ForkAll && self.holders.iter().any(holds) {
            return false;
        }
        let chosen = self.choose(asker, handling);
        for other in chosen.iter().filter(|id| *id != me) {
            let holder = self.holder(other);
            if !matches!(holder.part, Part::Sent(until) if until > now) {
                holder.part = Part::Meant(now.plus(asker.guard));
                holder.turns += 1;
            }
        }
        chosen.contains(me)
    }

    /// Of the sessions that the entry is addressed to, those whose turn it is: who has had
    /// fewest (csp-im 10.3 items 4 to 6).
    fn choose(&self, asker: &Asker<'_>, handling: OnlineHandling) -> Vec<SessionId> {
        let mut views = (asker.views)(&self.item);
        views.retain(|view| !self.is(&view.id, |part| part == Part::Unfit));
        if views.len() > 1 && views.iter().any(|view| view.accepts) {
            views.retain(|view| view.accepts);
        }
        if views.len() <= 1 || handling == OnlineHandling::ForkAll {
            return choose_sessions(&self.item, &views, handling);
        }
        let turns = |view: &SessionView| {
            let holder = self.holders.iter().find(|h| h.session == view.id);
            holder.map_or(0, |holder| match holder.part {
                // It has not come for it in time, but it is here now.
                Part::Meant(_) if view.id == *asker.session => holder.turns.saturating_sub(1),
                _ => holder.turns,
            })
        };
        let mut levels: Vec<_> = views.iter().map(turns).collect();
        levels.sort_unstable();
        levels.dedup();
        levels
            .into_iter()
            .map(|level| {
                let those: Vec<_> = views.iter().filter(|v| turns(v) == level).cloned().collect();
                choose_sessions(&self.item, &those, handling)
            })
            .find(|chosen| !chosen.is_empty())
            .unwrap_or_default()
    }
}
