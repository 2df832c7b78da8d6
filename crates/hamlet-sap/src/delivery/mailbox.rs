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
    /// The entries that went last.
    went: VecDeque<String>,
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
        let went = owed.is_none() && self.went.contains(&id);
        if went || self.entries.iter().any(|entry| entry.id == id) {
            return;
        }
        self.entries.push_back(Entry {
            id,
            item,
            holders: Vec::new(),
            owed,
        });
    }

    fn went(&mut self, id: &str) {
        if self.went.len() == REMEMBERED {
            self.went.pop_front();
        }
        self.went.push_back(id.to_owned());
    }

    /// The store has an entry no more.
    pub(crate) fn removed(&mut self, id: &str) {
        self.went(id);
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
        self.went(id);
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
mod tests {
    use super::*;
    use crate::session::tests::user_id;
    use hamlet_model::{ClientId, Content, MessageId, MessageParty};

    const GUARD: Duration = Duration::from_secs(60);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    fn item(id: &str) -> Arc<MailboxItem> {
        Arc::new(MailboxItem::Message(Box::new(Message {
            id: MessageId::new(id),
            sender: MessageParty::user(user_id("anna")),
            sender_name: None,
            recipient: MessageParty::user(user_id("bob")),
            content: Content::text("x"),
            content_name: None,
            uri: None,
            elsewhere: None,
            sent: at(0),
            expires: at(100_000),
            font: None,
            extensions: Vec::new(),
            transaction_extensions: Vec::new(),
            report: false,
        })))
    }

    /// Sessions with their priorities.
    struct World(Vec<(SessionId, u32)>);

    impl World {
        fn new(sessions: &[(&str, u32)]) -> Self {
            Self(
                sessions
                    .iter()
                    .map(|(id, p)| (SessionId::new(id), *p))
                    .collect(),
            )
        }

        fn ask<T>(
            &self,
            mailbox: &mut Mailbox,
            session: &str,
            now: i64,
            ask: impl FnOnce(&mut Mailbox, &Asker<'_>) -> T,
        ) -> T {
            let views = |_: &MailboxItem| -> Vec<SessionView> {
                let view = |(id, priority): &(SessionId, u32)| SessionView {
                    id: id.clone(),
                    client: ClientId::from_url(id.as_str()),
                    application: None,
                    own: false,
                    priority: *priority,
                    active: at(0),
                    accepts: true,
                };
                self.0.iter().map(view).collect()
            };
            let asker = Asker {
                session: &SessionId::new(session),
                now: at(now),
                guard: GUARD,
                views: &views,
            };
            ask(mailbox, &asker)
        }

        /// Finds and sends.
        fn take(&self, mailbox: &mut Mailbox, session: &str, now: i64) -> Option<String> {
            let found = self.ask(mailbox, session, now, |mailbox, asker| mailbox.find(asker))?;
            mailbox.sent(&found.id, &SessionId::new(session), at(now), GUARD);
            Some(found.id)
        }

        /// The clients that get a copy.
        fn acknowledge(&self, mailbox: &mut Mailbox, session: &str, id: &str) -> Vec<String> {
            let owed = self.ask(mailbox, session, 1, |mailbox, asker| {
                mailbox.acknowledged(id, asker)
            });
            let name = |client: &ClientId| client.url.as_deref().unwrap_or_default().to_owned();
            owed.iter().map(name).collect()
        }
    }

    fn view(session: &str) -> SessionView {
        SessionView {
            id: SessionId::new(session),
            client: ClientId::from_url(session),
            application: None,
            own: false,
            priority: 0,
            active: at(0),
            accepts: true,
        }
    }

    fn shown(mailbox: &Mailbox, session: &str, now: i64) -> Vec<String> {
        let messages = mailbox.messages(&view(session), at(now));
        messages.iter().map(|item| item.id()).collect()
    }

    #[test]
    fn who_has_been_told_is_not_told_again_but_may_see_and_pull() {
        // csp-im 7.1, 7.3.
        let world = World::new(&[("p", 0)]);
        let mut mailbox = holding(&["m", "n"]);
        assert_eq!(world.take(&mut mailbox, "p", 0).as_deref(), Some("m"));
        world.ask(&mut mailbox, "p", 1, |mailbox, asker| {
            mailbox.told("m", asker)
        });
        assert_eq!(world.take(&mut mailbox, "p", 2).as_deref(), Some("n"));
        assert_eq!(world.take(&mut mailbox, "p", 10_000).as_deref(), Some("n"));
        assert_eq!(shown(&mailbox, "p", 10_000), ["m", "n"]);
        assert!(mailbox.message("m", &view("p"), at(10_000)).is_some());
        assert!(
            mailbox.message("m", &view("p"), at(100_000)).is_none(),
            "expired"
        );
        assert!(!mailbox.is_pulled("m", &SessionId::new("p")));
        world.ask(&mut mailbox, "p", 3, |mailbox, asker| {
            mailbox.pulled("m", asker)
        });
        assert!(mailbox.is_pulled("m", &SessionId::new("p")));
        assert!(world.acknowledge(&mut mailbox, "p", "m").is_empty());
        assert_eq!(shown(&mailbox, "p", 4), ["n"]);
    }

    #[test]
    fn another_session_gets_what_the_told_one_does_not_fetch_in_time() {
        // csp-im 10.3 item 6.
        let world = World::new(&[("p", 9), ("q", 0)]);
        let mut mailbox = holding(&["m"]);
        assert_eq!(world.take(&mut mailbox, "p", 0).as_deref(), Some("m"));
        world.ask(&mut mailbox, "p", 1, |mailbox, asker| {
            mailbox.told("m", asker)
        });
        assert_eq!(world.take(&mut mailbox, "q", 2), None);
        assert_eq!(world.take(&mut mailbox, "q", 62).as_deref(), Some("m"));
        // And again, because the first one knows.
        assert_eq!(world.take(&mut mailbox, "q", 200).as_deref(), Some("m"));
        assert_eq!(world.take(&mut mailbox, "p", 900), None);
    }

    #[test]
    fn another_way_of_delivery_lets_everything_be_decided_anew() {
        // csp-im 3.3.
        let world = World::new(&[("p", 0)]);
        let mut mailbox = holding(&["told", "unfit", "sent", "large"]);
        let p = SessionId::new("p");
        world.ask(&mut mailbox, "p", 0, |mailbox, asker| {
            mailbox.told("told", asker);
            mailbox.unfit("unfit", asker);
        });
        mailbox.sent("sent", &p, at(0), GUARD);
        mailbox.too_large("large", &p);
        let found = world.ask(&mut mailbox, "p", 1, |mailbox, asker| mailbox.find(asker));
        assert_eq!(found.map(|found| found.too_large), Some(1));
        mailbox.reconsider(&p);
        for expected in ["told", "unfit", "large"] {
            let found = world.ask(&mut mailbox, "p", 1, |mailbox, asker| mailbox.find(asker));
            assert_eq!(found.map(|found| found.too_large), Some(0));
            assert_eq!(world.take(&mut mailbox, "p", 1).as_deref(), Some(expected));
        }
        assert_eq!(world.take(&mut mailbox, "p", 1), None);
    }

    #[test]
    fn a_copy_can_be_pulled_and_dropped_by_whom_it_is_for() {
        // csp-im 10.3 item 5.
        let world = World::new(&[("p", 0), ("q", 0)]);
        let mut mailbox = holding(&["m"]);
        mailbox.handling = OnlineHandling::ForkAll;
        for session in ["p", "q"] {
            assert_eq!(world.take(&mut mailbox, session, 0).as_deref(), Some("m"));
        }
        world.ask(&mut mailbox, "q", 1, |mailbox, asker| {
            mailbox.told("m", asker)
        });
        assert!(
            !mailbox.drop_copy("m", &ClientId::from_url("q")),
            "the store has it"
        );
        assert_eq!(world.acknowledge(&mut mailbox, "p", "m"), ["q"]);
        assert_eq!(shown(&mailbox, "p", 2), Vec::<String>::new());
        assert_eq!(shown(&mailbox, "q", 2), ["m"]);
        mailbox.reconsider(&SessionId::new("q"));
        assert_eq!(world.take(&mut mailbox, "q", 2).as_deref(), Some("m"));
        assert!(mailbox.drop_copy("m", &ClientId::from_url("q")));
        assert!(!mailbox.drop_copy("m", &ClientId::from_url("q")));
        assert_eq!(mailbox.len(), 0);
    }

    #[test]
    fn a_session_sees_what_is_addressed_to_it() {
        // csp-im 10.3 item 1.
        let mut mailbox = holding(&["m"]);
        let MailboxItem::Message(message) = &*item("n") else {
            panic!("a message");
        };
        let mut message = message.clone();
        message.recipient = MessageParty::User {
            user: user_id("bob"),
            client: Some(ClientId::from_url("q")),
            application: None,
        };
        mailbox.arrived(Arc::new(MailboxItem::Message(message)));
        assert_eq!(shown(&mailbox, "p", 0), ["m"]);
        assert_eq!(shown(&mailbox, "q", 0), ["m", "n"]);
    }

    fn holding(ids: &[&str]) -> Mailbox {
        let mut mailbox = Mailbox::default();
        mailbox.begin_load();
        mailbox.loaded(ids.iter().map(|id| item(id)).collect(), Vec::new());
        mailbox
    }

    #[test]
    fn entries_go_out_in_order_and_once_until_they_are_due_again() {
        let one = World::new(&[("s", 0)]);
        let mut mailbox = holding(&["a", "b"]);
        assert_eq!(one.take(&mut mailbox, "s", 0).as_deref(), Some("a"));
        assert_eq!(one.take(&mut mailbox, "s", 1).as_deref(), Some("b"));
        assert_eq!(one.take(&mut mailbox, "s", 2), None);
        assert_eq!(one.take(&mut mailbox, "s", 60).as_deref(), Some("a"));
        // The second time it is waited for twice as long.
        assert_eq!(one.take(&mut mailbox, "s", 61).as_deref(), Some("b"));
        assert_eq!(one.take(&mut mailbox, "s", 179), None);
        assert_eq!(one.take(&mut mailbox, "s", 180).as_deref(), Some("a"));
        assert!(one.acknowledge(&mut mailbox, "s", "a").is_empty());
        assert!(!mailbox.contains("a"));
    }

    #[test]
    fn what_happens_while_the_store_is_read_is_not_lost() {
        let mut mailbox = Mailbox::default();
        mailbox.arrived(item("before"));
        assert_eq!(mailbox.len(), 0, "the store has it");
        mailbox.begin_load();
        mailbox.arrived(item("during"));
        mailbox.arrived(item("both"));
        mailbox.removed("gone");
        mailbox.begin_load();
        mailbox.loaded(vec![item("before"), item("both"), item("gone")], Vec::new());
        let ids: Vec<_> = mailbox.entries.iter().map(|e| e.id.as_str()).collect();
        assert_eq!(ids, ["before", "both", "during"]);
        // A second reading that ends later changes nothing.
        mailbox.loaded(vec![], Vec::new());
        assert_eq!(mailbox.len(), 3);
        assert!(!mailbox.is_cold());
    }

    #[test]
    fn what_is_told_late_does_not_bring_back_what_was_acknowledged() {
        let one = World::new(&[("s", 0)]);
        // It was read from the store, sent and acknowledged before its arrival was told.
        let mut mailbox = holding(&["a"]);
        one.take(&mut mailbox, "s", 0);
        assert!(one.acknowledge(&mut mailbox, "s", "a").is_empty());
        mailbox.arrived(item("a"));
        assert_eq!(one.take(&mut mailbox, "s", 100), None);
        // The store is read while it still has what was acknowledged a moment ago.
        assert!(mailbox.cool(at(200)));
        mailbox.begin_load();
        mailbox.loaded(vec![item("a"), item("b")], Vec::new());
        assert_eq!(one.take(&mut mailbox, "s", 201).as_deref(), Some("b"));
        // It could not be removed there: it waits.
        mailbox.reload();
        mailbox.begin_load();
        mailbox.loaded(vec![item("a"), item("b")], Vec::new());
        assert_eq!(one.take(&mut mailbox, "s", 500).as_deref(), Some("a"));
    }

    #[test]
    fn a_failed_reading_is_repeated() {
        let mut mailbox = Mailbox::default();
        mailbox.begin_load();
        mailbox.load_failed();
        assert!(mailbox.is_cold());
        mailbox.begin_load();
        mailbox.loaded(vec![item("a")], Vec::new());
        assert!(!mailbox.is_cold());
    }

    #[test]
    fn a_mailbox_cools_only_when_nothing_is_under_way() {
        let one = World::new(&[("s", 0)]);
        let mut mailbox = holding(&["a"]);
        one.take(&mut mailbox, "s", 0);
        assert!(!mailbox.cool(at(59)));
        assert!(mailbox.cool(at(60)));
        assert!(mailbox.is_cold());
    }

    #[test]
    fn the_preferred_session_gets_it_and_the_next_one_when_that_stays_silent() {
        let two = World::new(&[("low", 1), ("high", 9)]);
        let mut mailbox = holding(&["a"]);
        assert_eq!(
            two.take(&mut mailbox, "low", 0),
            None,
            "it is the other's turn"
        );
        assert_eq!(two.take(&mut mailbox, "low", 59), None);
        assert_eq!(two.take(&mut mailbox, "low", 60).as_deref(), Some("a"));
        // Now low has it; high comes late and waits.
        assert_eq!(two.take(&mut mailbox, "high", 61), None);
        assert_eq!(two.take(&mut mailbox, "high", 121).as_deref(), Some("a"));
    }

    #[test]
    fn two_silent_sessions_take_turns() {
        let two = World::new(&[("low", 1), ("high", 9)]);
        let mut mailbox = holding(&["a"]);
        let mut takers = Vec::new();
        for now in 0..2000 {
            for session in ["low", "high"] {
                if two.take(&mut mailbox, session, now).is_some() {
                    takers.push(session);
                }
            }
        }
        takers.truncate(4);
        assert_eq!(takers, ["high", "low", "high", "low"]);
    }

    #[test]
    fn a_session_that_cannot_take_it_leaves_it_to_others() {
        let two = World::new(&[("low", 1), ("high", 9)]);
        let mut mailbox = holding(&["a"]);
        let unfit = |mailbox: &mut Mailbox, session| {
            two.ask(mailbox, session, 0, |mailbox, asker| {
                mailbox.unfit("a", asker)
            })
        };
        assert!(unfit(&mut mailbox, "high"), "low may");
        assert_eq!(two.take(&mut mailbox, "high", 0), None);
        assert_eq!(two.take(&mut mailbox, "low", 0).as_deref(), Some("a"));
        assert!(!unfit(&mut mailbox, "low"), "nobody may");
    }

    #[test]
    fn when_all_shall_have_it_every_client_gets_its_copy_once() {
        let two = World::new(&[("s", 1), ("t", 9)]);
        let mut mailbox = holding(&["a"]);
        mailbox.handling = OnlineHandling::ForkAll;
        assert_eq!(two.take(&mut mailbox, "s", 0).as_deref(), Some("a"));
        assert_eq!(two.acknowledge(&mut mailbox, "s", "a"), ["t"]);
        assert_eq!(two.take(&mut mailbox, "s", 0), None);
        assert_eq!(two.take(&mut mailbox, "t", 0).as_deref(), Some("a"));
        assert!(two.acknowledge(&mut mailbox, "t", "a").is_empty());
        assert_eq!(mailbox.len(), 0);
    }

    #[test]
    fn a_copy_waits_for_its_client_and_nobody_else() {
        let both = World::new(&[("s", 1), ("t", 9)]);
        let mut mailbox = Mailbox::default();
        mailbox.begin_load();
        let owed = vec![ClientId::from_url("t")];
        mailbox.loaded(vec![item("b")], vec![(item("a"), owed)]);
        // Nobody shares it any more, but this copy was promised.
        assert_eq!(both.take(&mut mailbox, "s", 0), None);
        assert_eq!(both.take(&mut mailbox, "t", 0).as_deref(), Some("a"));
        mailbox.session_ended(&SessionId::new("t"));
        assert_eq!(both.take(&mut mailbox, "t", 1).as_deref(), Some("a"));
        assert!(both.acknowledge(&mut mailbox, "t", "a").is_empty());
        assert_eq!(both.take(&mut mailbox, "t", 2).as_deref(), Some("b"));
    }

    #[test]
    fn what_was_acknowledged_late_is_not_missed_by_a_later_sending() {
        let two = World::new(&[("s", 1), ("t", 9)]);
        let mut mailbox = holding(&["a"]);
        mailbox.handling = OnlineHandling::ForkAll;
        assert_eq!(two.take(&mut mailbox, "s", 0).as_deref(), Some("a"));
        assert_eq!(two.take(&mut mailbox, "s", 60).as_deref(), Some("a"));
        // The acknowledgement of the first, then the end of the wait for the second.
        assert_eq!(two.acknowledge(&mut mailbox, "s", "a"), ["t"]);
        mailbox.missed("a", &SessionId::new("s"));
        assert_eq!(two.take(&mut mailbox, "s", 200), None);
        assert_eq!(two.take(&mut mailbox, "t", 200).as_deref(), Some("a"));
    }

    #[test]
    fn a_session_that_ends_gives_back_what_it_had() {
        let two = World::new(&[("s", 9), ("t", 1)]);
        let mut mailbox = holding(&["a"]);
        two.take(&mut mailbox, "s", 0);
        mailbox.session_ended(&SessionId::new("s"));
        let rest = World::new(&[("t", 1)]);
        assert_eq!(rest.take(&mut mailbox, "t", 0).as_deref(), Some("a"));
    }
}
