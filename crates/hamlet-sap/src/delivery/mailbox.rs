//! The mailbox of a user while he has sessions: what the store holds for him, and which
//! session has been given what (csp-im 6, 10.3). Pure; the store is read by others.

use hamlet_elements::im::{MailboxItem, OnlineHandling, SessionView, addresses, choose_sessions};
use hamlet_model::{ClientId, Message, SessionId, Timestamp};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How many of the entries that went last are remembered: what is told late of one, or read
/// from the store before it was removed there, does not bring it back.
const REMEMBERED: usize = 64;

/// The mailbox of one user.
#[derive(Default)]
pub(crate) struct Mailbox {
    state: State,
    entries: VecDeque<Entry>,
    /// The entries that went last, and whether a client acknowledged them.
    went: VecDeque<(String, bool)>,
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
    /// One client has it: only these still get it, each its copy (csp-im 10.3 item 5).
    owed: Option<Vec<ClientId>>,
    /// Where its content lies for clients that cannot be sent it (csp-im 4.4).
    link: Option<Arc<str>>,
}

/// What one session has to do with an entry.
struct Holder {
    session: SessionId,
    part: Part,
    /// How often the entry was meant for it.
    turns: u32,
    /// How many forms of it have been written that were too large for it.
    too_large: u8,
    /// It has asked for the entry by itself.
    pulled: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It is its turn until then, but it has not come for it yet.
    Meant(Timestamp),
    /// It has been sent and may acknowledge until then.
    Sent(Timestamp),
    /// It knows that the entry waits, or has pulled it: it is not given it again. Until then
    /// no other session is either.
    Told(Timestamp),
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
    /// How many forms of it were too large for this session.
    pub(crate) too_large: u8,
    /// Where its content lies, if that is known.
    pub(crate) link: Option<Arc<str>>,
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

    /// The store has been read: also copies that only these clients still get.
    pub(crate) fn loaded(
        &mut self,
        items: Vec<Arc<MailboxItem>>,
        copies: Vec<(Arc<MailboxItem>, Vec<ClientId>)>,
    ) {
        let State::Loading { arrived, gone } = std::mem::replace(&mut self.state, State::Warm)
        else {
            return;
        };
        self.entries.clear();
        for (item, owed) in copies {
            let id = item.id();
            if !gone.contains(&id) {
                self.push(id, item, Some(owed));
            }
        }
        for item in items.into_iter().chain(arrived) {
            let id = item.id();
            if !gone.contains(&id) {
                self.push(id, item, None);
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
        self.went.clear();
    }

    /// Forgets what the store has, too; false while something is being sent or loaded.
    pub(crate) fn cool(&mut self, now: Timestamp) -> bool {
        let busy = |holder: &Holder| matches!(holder.part, Part::Sent(until) if until > now);
        if matches!(self.state, State::Loading { .. })
            || self
                .entries
                .iter()
                .any(|entry| entry.holders.iter().any(busy))
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
            State::Warm => self.push(item.id(), item, None),
        }
    }

    fn push(&mut self, id: String, item: Arc<MailboxItem>, owed: Option<Vec<ClientId>>) {
        // Who has no copy yet may still get one of an entry that went.
        let went = owed.is_none() && self.went.iter().any(|(gone, _)| *gone == id);
        if went || self.entries.iter().any(|entry| entry.id == id) {
            return;
        }
        self.entries.push_back(Entry {
            id,
            item,
            holders: Vec::new(),
            owed,
            link: None,
        });
    }

    fn went(&mut self, id: &str, acknowledged: bool) {
        if self.went.len() == REMEMBERED {
            self.went.pop_front();
        }
        self.went.push_back((id.to_owned(), acknowledged));
    }

    /// Whether a client has acknowledged the entry, as far as that is remembered.
    pub(crate) fn was_acknowledged(&self, id: &str) -> bool {
        self.went.iter().any(|(gone, by)| *by && gone == id)
    }

    /// The store has an entry no more.
    pub(crate) fn removed(&mut self, id: &str) {
        self.went(id, false);
        if let State::Loading { gone, .. } = &mut self.state {
            gone.insert(id.to_owned());
        }
        self.entries.retain(|entry| entry.id != id);
    }

    /// Whether there is an entry that is addressed to the session of this view, which has not
    /// acknowledged it.
    pub(crate) fn concerns(&self, id: &str, view: &SessionView) -> bool {
        let entry = self.entries.iter().find(|entry| entry.id == id);
        entry.is_some_and(|entry| {
            let owed = entry.owed.as_ref();
            let addressed = match &*entry.item {
                MailboxItem::Message(message) => addresses(&message.recipient, view),
                MailboxItem::Report(_) => true,
            };
            addressed
                && !entry.is(&view.id, |part| part == Part::Done)
                && owed.is_none_or(|owed| owed.contains(&view.client))
        })
    }

    /// The oldest entry that the asker gets now.
    pub(crate) fn find(&mut self, asker: &Asker<'_>) -> Option<Found> {
        let handling = self.handling;
        self.entries.iter_mut().find_map(|entry| {
            let is_for = entry.is_for(asker, handling);
            is_for.then(|| entry.found(asker.session))
        })
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

    /// The session has not acknowledged, and is not waited for any more. It may have
    /// acknowledged the entry otherwise, as one that was sent to it before.
    pub(crate) fn missed(&mut self, id: &str, session: &SessionId) {
        if let Some(entry) = self.entry(id) {
            let holder = entry.holder(session);
            if !matches!(holder.part, Part::Done | Part::Unfit) {
                holder.part = Part::Missed;
            }
        }
    }

    /// What was written of the entry is too large for the session; another form may not be.
    pub(crate) fn too_large(&mut self, id: &str, session: &SessionId) {
        if let Some(entry) = self.entry(id) {
            let holder = entry.holder(session);
            holder.part = Part::Missed;
            holder.too_large = holder.too_large.saturating_add(1);
        }
    }

    /// The content of the entry lies here, too.
    pub(crate) fn linked(&mut self, id: &str, url: &str) {
        if let Some(entry) = self.entry(id) {
            entry.link = Some(url.into());
        }
    }

    /// The session knows that the entry waits (csp-im 7.1). For as long as it is waited for, no
    /// other session gets it.
    pub(crate) fn told(&mut self, id: &str, asker: &Asker<'_>) {
        if let Some(entry) = self.entry(id) {
            entry.holder(asker.session).part = Part::Told(asker.now.plus(asker.guard));
        }
    }

    /// The message of this name, if the session of this view may have it.
    pub(crate) fn message(
        &self,
        id: &str,
        view: &SessionView,
        now: Timestamp,
    ) -> Option<Arc<MailboxItem>> {
        let entry = self.entries.iter().find(|entry| entry.id == id)?;
        entry.shown_to(view, now).map(|_| entry.item.clone())
    }

    /// The messages that the session of this view may have, oldest first.
    pub(crate) fn messages(&self, view: &SessionView, now: Timestamp) -> Vec<Arc<MailboxItem>> {
        let shown = |entry: &&Entry| entry.shown_to(view, now).is_some();
        let entries = self.entries.iter().filter(shown);
        entries.map(|entry| entry.item.clone()).collect()
    }

    /// The session has pulled the entry and may acknowledge it. One that was told of it, or is
    /// to be, is not told or pushed to meanwhile; nor is another one.
    pub(crate) fn pulled(&mut self, id: &str, asker: &Asker<'_>) {
        let Some(entry) = self.entry(id) else {
            return;
        };
        let until = asker.now.plus(asker.guard);
        let holder = entry.holder(asker.session);
        holder.pulled = true;
        holder.part = match holder.part {
            Part::Told(_) => Part::Told(until),
            part @ Part::Sent(_) => part,
            _ => Part::Sent(until),
        };
    }

    /// Whether the session has pulled the entry.
    pub(crate) fn is_pulled(&self, id: &str, session: &SessionId) -> bool {
        let entry = self.entries.iter().find(|entry| entry.id == id);
        let pulled = |holder: &Holder| holder.session == *session && holder.pulled;
        entry.is_some_and(|entry| entry.holders.iter().any(pulled))
    }

    /// The client does not want its copy of an entry that another one has. Whether it was such
    /// a one; the store has to be told.
    pub(crate) fn drop_copy(&mut self, id: &str, client: &ClientId) -> bool {
        let Some(at) = self.entries.iter().position(|entry| entry.id == id) else {
            return false;
        };
        let Some(owed) = &mut self.entries[at].owed else {
            return false;
        };
        let before = owed.len();
        owed.retain(|other| other != client);
        let was_there = owed.len() < before;
        if owed.is_empty() {
            self.entries.remove(at);
        }
        was_there
    }

    /// What the session can take, and how it wants it, is decided anew (csp-im 3.3).
    pub(crate) fn reconsider(&mut self, session: &SessionId) {
        for entry in &mut self.entries {
            let forgotten = |part| matches!(part, Part::Unfit | Part::Told(_) | Part::Missed);
            let ours = |h: &Holder| h.session == *session && forgotten(h.part);
            entry.holders.retain(|holder| !ours(holder));
        }
    }

    /// The session has acknowledged the entry; the clients that get a copy of it now.
    pub(crate) fn acknowledged(&mut self, id: &str, asker: &Asker<'_>) -> Vec<ClientId> {
        let forks = self.handling == OnlineHandling::ForkAll;
        self.went(id, true);
        if let State::Loading { gone, .. } = &mut self.state {
            gone.insert(id.to_owned());
        }
        let Some(at) = self.entries.iter().position(|entry| entry.id == id) else {
            return Vec::new();
        };
        let entry = &mut self.entries[at];
        entry.holder(asker.session).part = Part::Done;
        let client = entry.client_of(asker);
        if let Some(owed) = &mut entry.owed {
            owed.retain(|other| Some(other) != client.as_ref());
            if owed.is_empty() {
                self.entries.remove(at);
            }
            return Vec::new();
        }
        let owed = match forks && matches!(*entry.item, MailboxItem::Message(_)) {
            true => entry.others(asker, client.as_ref()),
            false => Vec::new(),
        };
        match owed.is_empty() {
            true => {
                self.entries.remove(at);
            }
            false => entry.owed = Some(owed.clone()),
        }
        owed
    }

    /// The session is over: what it had may go to others.
    pub(crate) fn session_ended(&mut self, session: &SessionId) {
        for entry in &mut self.entries {
            entry.holders.retain(|holder| holder.session != *session);
        }
    }

    fn entry(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }
}

impl Entry {
    fn found(&self, session: &SessionId) -> Found {
        let mine = self.holders.iter().find(|h| h.session == *session);
        Found {
            id: self.id.clone(),
            item: self.item.clone(),
            too_large: mine.map_or(0, |holder| holder.too_large),
            link: self.link.clone(),
        }
    }

    /// The message, if this session may see it: it is addressed to it, has not expired, and is
    /// not settled but for a copy that it still gets.
    fn shown_to(&self, view: &SessionView, now: Timestamp) -> Option<&Message> {
        let MailboxItem::Message(message) = &*self.item else {
            return None;
        };
        let mine = self.holders.iter().find(|h| h.session == view.id);
        let has = |part| mine.is_some_and(|holder| holder.part == part);
        let owed = self.owed.as_ref();
        let gone = has(Part::Done) || owed.is_some_and(|owed| !owed.contains(&view.client));
        (!gone && message.expires > now && addresses(&message.recipient, view)).then_some(message)
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
                too_large: 0,
                pulled: false,
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

    /// The client of the session that asks.
    fn client_of(&self, asker: &Asker<'_>) -> Option<ClientId> {
        let views = (asker.views)(&self.item);
        let own = views.into_iter().find(|view| view.id == *asker.session);
        own.map(|view| view.client)
    }

    /// The clients other than this one that are to have the entry, too.
    fn others(&self, asker: &Asker<'_>, client: Option<&ClientId>) -> Vec<ClientId> {
        let mut views = (asker.views)(&self.item);
        views.retain(|view| !self.is(&view.id, |part| part == Part::Unfit));
        let chosen = choose_sessions(&self.item, &views, OnlineHandling::ForkAll);
        let mut owed = Vec::new();
        for view in views.into_iter().filter(|view| chosen.contains(&view.id)) {
            if Some(&view.client) != client && !owed.contains(&view.client) {
                owed.push(view.client);
            }
        }
        owed
    }

    /// Whether the asker gets it now; if it is the turn of another session, that is noted.
    fn is_for(&mut self, asker: &Asker<'_>, handling: OnlineHandling) -> bool {
        let (me, now) = (asker.session, asker.now);
        if self.item.expires() <= now {
            return false;
        }
        let mine = self.holders.iter().find(|holder| holder.session == *me);
        match mine.map(|holder| holder.part) {
            Some(Part::Unfit | Part::Done | Part::Told(_)) => return false,
            Some(Part::Sent(until)) if until > now => return false,
            Some(Part::Meant(until)) if until > now => return true,
            _ => {}
        }
        if let Some(owed) = &self.owed {
            return self
                .client_of(asker)
                .is_some_and(|client| owed.contains(&client));
        }
        let holds = |holder: &Holder| match holder.part {
            Part::Meant(until) | Part::Sent(until) | Part::Told(until) => {
                until > now && holder.session != *me
            }
            _ => false,
        };
        if handling != OnlineHandling::ForkAll && self.holders.iter().any(holds) {
            // Who is gone holds nothing back, or what came later would overtake it.
            let views = (asker.views)(&self.item);
            let is_there = |holder: &Holder| views.iter().any(|view| view.id == holder.session);
            if self.holders.iter().any(|h| holds(h) && is_there(h)) {
                return false;
            }
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
        let out = |part| matches!(part, Part::Unfit | Part::Told(_));
        views.retain(|view| !self.is(&view.id, out));
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
                let those: Vec<_> = views
                    .iter()
                    .filter(|v| turns(v) == level)
                    .cloned()
                    .collect();
                choose_sessions(&self.item, &those, handling)
            })
            .find(|chosen| !chosen.is_empty())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
