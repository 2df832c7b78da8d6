//! The newest part of a group's log, once for all sessions that have joined it (csp-group 6):
//! its messages in their order, and the forms in which they have been written. Bounded; who is
//! slower reads the store.

use crate::session::Session;
use hamlet_csp::{Extension, Primitive, Syntax, Version, WriteOptions, Written};
use hamlet_elements::im::GroupMessage;
use hamlet_model::{GroupId, Message, SessionId};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// Most messages of a group in memory.
const WINDOW: usize = 256;

/// Most octets of their content.
const WINDOW_OCTETS: usize = 1 << 20;

/// Most messages that wait for one that was committed before them and is not known yet.
const EARLY: usize = 256;

/// Most forms of one message that are kept. There are two syntaxes, three versions, and few
/// ways in which phones want content or octets otherwise.
const FORMS: usize = 64;

/// The log of one group.
pub(crate) struct GroupLog {
    pub(crate) group: GroupId,
    /// The newest place that is known, with all before it.
    last: AtomicI64,
    /// The newest place that was told of: what was committed before it may be told later.
    newest: AtomicI64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Everything behind `floor`, in order.
    window: VecDeque<Arc<Entry>>,
    floor: i64,
    octets: usize,
    /// What came before something that was committed before it.
    early: BTreeMap<i64, Arc<Entry>>,
    /// There may be more in the store than was told.
    unsure: bool,
    members: HashMap<SessionId, Weak<Session>>,
}

/// One message of the log.
pub(crate) struct Entry {
    pub(crate) message: Arc<GroupMessage>,
    /// Where its content lies for clients that cannot be sent it (csp-im 4.4).
    pub(crate) link: OnceLock<String>,
    forms: Mutex<Vec<(FormKey, Form)>>,
}

/// What decides how a message is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormKey {
    pub(crate) version: Version,
    pub(crate) syntax: Syntax,
    pub(crate) options: WriteOptions,
    /// It is only told that the message waits.
    pub(crate) notification: bool,
    /// The message, where it is not taken as it is.
    pub(crate) adapted: Option<Box<Message>>,
}

/// A message as it is written for some sessions.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) carried: Carried,
    pub(crate) extensions: Vec<Extension>,
}

/// What was seen of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look<T> {
    /// What was looked for.
    Found(T),
    /// Everything up to this place; nothing of it was looked for.
    End(i64),
    /// Not everything is in memory.
    TooFarBack,
}

/// What a server transaction has inside.
#[derive(Debug, Clone)]
pub(crate) enum Carried {
    /// A primitive.
    Primitive(Primitive),
    /// One that has been written before.
    Written(Arc<Written>),
}

impl Entry {
    pub(crate) fn new(message: Arc<GroupMessage>) -> Arc<Self> {
        Arc::new(Self {
            message,
            link: OnceLock::new(),
            forms: Mutex::default(),
        })
    }

    /// The message in a form, made by `make` if nobody had it before.
    pub(crate) fn form(&self, key: FormKey, make: impl FnOnce() -> Form) -> Form {
        let mut forms = self.forms.lock();
        if let Some((_, form)) = forms.iter().find(|(known, _)| *known == key) {
            return form.clone();
        }
        let form = make();
        if forms.len() < FORMS {
            forms.push((key, form.clone()));
        }
        form
    }
}

impl GroupLog {
    /// A log whose newest place is `last`; nothing of it is in memory. `unsure`: there may be
    /// a newer one.
    pub(crate) fn new(group: GroupId, last: i64, unsure: bool) -> Self {
        let state = State {
            floor: last,
            unsure,
            ..State::default()
        };
        Self {
            group,
            last: AtomicI64::new(last),
            newest: AtomicI64::new(last),
            state: Mutex::new(state),
        }
    }

    /// The newest place that is known.
    pub(crate) fn last(&self) -> i64 {
        self.last.load(Ordering::Acquire)
    }

    /// The newest place that was told of.
    pub(crate) fn newest(&self) -> i64 {
        self.newest.load(Ordering::Acquire)
    }

    /// Everything behind this place is in memory.
    pub(crate) fn floor(&self) -> i64 {
        self.state.lock().floor
    }

    pub(crate) fn join(&self, session: &Arc<Session>) {
        let mut state = self.state.lock();
        let of = (session.id.clone(), Arc::downgrade(session));
        state.members.insert(of.0, of.1);
    }

    /// Whether anybody is still joined.
    pub(crate) fn leave(&self, session: &SessionId) -> bool {
        let mut state = self.state.lock();
        state.members.remove(session);
        !state.members.is_empty()
    }

    /// The sessions that have joined.
    pub(crate) fn members(&self) -> Vec<Arc<Session>> {
        let state = self.state.lock();
        state.members.values().filter_map(Weak::upgrade).collect()
    }

    /// A message has been committed. Those that were committed before it may be told later:
    /// then it waits for them.
    pub(crate) fn arrived(&self, message: Arc<GroupMessage>) {
        let mut state = self.state.lock();
        let last = self.last();
        let seq = message.seq;
        if seq <= last {
            return;
        }
        self.newest.fetch_max(seq, Ordering::AcqRel);
        // Nobody knows what the first place of a log is: it is looked for in the store.
        if seq != last + 1 {
            if state.early.len() < EARLY {
                state.early.insert(seq, Entry::new(message));
            }
            return;
        }
        self.append(&mut state, Entry::new(message));
        while let Some(next) = state.early.remove(&(self.last() + 1)) {
            self.append(&mut state, next);
        }
        state.shrink();
    }

    /// Something may be missing that was committed: the store has to be read behind the place
    /// that is answered.
    pub(crate) fn lacks(&self) -> Option<i64> {
        let state = self.state.lock();
        (state.unsure || !state.early.is_empty()).then(|| self.last())
    }

    /// What the store has behind the place that [`GroupLog::lacks`] has answered; `is_all`:
    /// there was no more.
    pub(crate) fn filled(&self, messages: Vec<GroupMessage>, is_all: bool) {
        let mut state = self.state.lock();
        state.unsure = !is_all;
        for message in messages {
            if message.seq > self.last() {
                self.append(&mut state, Entry::new(Arc::new(message)));
            }
        }
        let last = self.last();
        state.early.retain(|seq, _| *seq > last);
        while let Some(next) = state.early.remove(&(self.last() + 1)) {
            self.append(&mut state, next);
        }
        state.shrink();
    }

    fn append(&self, state: &mut State, entry: Arc<Entry>) {
        state.octets += entry.message.message.content.data.len();
        self.last.store(entry.message.seq, Ordering::Release);
        self.newest.fetch_max(entry.message.seq, Ordering::AcqRel);
        state.window.push_back(entry);
    }

    /// Visits everything behind `after`, in order, until `visit` answers something.
    pub(crate) fn look<T>(
        &self,
        after: i64,
        visit: impl FnMut(&Arc<Entry>) -> Option<T>,
    ) -> Look<T> {
        let state = self.state.lock();
        if after < state.floor {
            return Look::TooFarBack;
        }
        let from = state.window.partition_point(|e| e.message.seq <= after);
        match state.window.range(from..).find_map(visit) {
            Some(found) => Look::Found(found),
            None => Look::End(self.last()),
        }
    }

    /// Everybody has everything up to `done`: that much leaves the memory.
    pub(crate) fn release(&self, done: i64) {
        let mut state = self.state.lock();
        while state.window.front().is_some_and(|e| e.message.seq <= done) {
            state.drop_oldest();
        }
    }
}

impl State {
    fn shrink(&mut self) {
        while self.window.len() > 1 && (self.window.len() > WINDOW || self.octets > WINDOW_OCTETS) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.window.pop_front() {
            self.floor = oldest.message.seq;
            self.octets -= oldest.message.message.content.data.len();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::session::tests::user_id;
    use hamlet_model::{ClientId, Content, Domain, MessageId, MessageParty, Timestamp};
    use std::collections::HashSet;

    pub(crate) fn group() -> GroupId {
        GroupId::parse("/ski", &Domain::parse("im.example").unwrap()).unwrap()
    }

    pub(crate) fn said(seq: i64) -> GroupMessage {
        GroupMessage {
            group: group(),
            seq,
            at: Timestamp::from_secs(1_000_000 + seq),
            sender: user_id("anna"),
            sender_client: Some(ClientId::from_url("phone")),
            target: String::new(),
            refusing: HashSet::new(),
            message: Message {
                sender_name: None,
                id: MessageId::new(format!("m{seq}")),
                sender: MessageParty::ScreenName {
                    name: "ann".into(),
                    group: group(),
                },
                recipient: MessageParty::Group(group()),
                content: Content::text("hello"),
                content_name: None,
                elsewhere: None,
                uri: None,
                sent: Timestamp::from_secs(1_000_000),
                expires: Timestamp::from_secs(2_000_000),
                font: None,
                extensions: Vec::new(),
                transaction_extensions: Vec::new(),
                report: false,
            },
        }
    }

    fn places(log: &GroupLog, after: i64) -> Vec<i64> {
        let mut places = Vec::new();
        log.look(after.max(log.floor()), |entry| {
            places.push(entry.message.seq);
            None::<()>
        });
        places
    }

    #[test]
    fn messages_are_in_the_order_of_their_commits_however_they_are_told() {
        let log = GroupLog::new(group(), 4, false);
        for seq in [6, 7, 6] {
            log.arrived(Arc::new(said(seq)));
            assert_eq!(places(&log, 0), [0; 0]);
        }
        assert_eq!(log.lacks(), Some(4));
        log.arrived(Arc::new(said(5)));
        assert_eq!(places(&log, 0), [5, 6, 7]);
        assert_eq!((log.lacks(), log.last()), (None, 7));
        log.arrived(Arc::new(said(5)));
        assert_eq!(places(&log, 5), [6, 7]);
    }

    #[test]
    fn the_first_two_messages_of_a_group_may_be_told_of_in_the_other_order() {
        // They may have any places.
        let log = GroupLog::new(group(), 0, false);
        log.arrived(Arc::new(said(801)));
        assert_eq!((log.last(), log.newest()), (0, 801));
        assert_eq!(log.lacks(), Some(0));
        log.arrived(Arc::new(said(800)));
        log.filled(vec![said(800), said(801)], true);
        assert_eq!(places(&log, 0), [800, 801]);
        assert_eq!(log.lacks(), None);
    }

    #[test]
    fn what_nobody_told_is_read_from_the_store() {
        let log = GroupLog::new(group(), 4, true);
        assert_eq!(log.lacks(), Some(4));
        log.filled(Vec::new(), true);
        assert_eq!(log.lacks(), None);
        log.arrived(Arc::new(said(9)));
        assert_eq!(log.lacks(), Some(4));
        // 5 was private, and is gone already.
        log.filled(vec![said(6), said(8)], true);
        assert_eq!(places(&log, 0), [6, 8, 9]);
        assert_eq!(log.lacks(), None);
    }

    #[test]
    fn memory_is_bounded_and_is_given_back() {
        let log = GroupLog::new(group(), 0, false);
        for seq in 1..=1000 {
            log.arrived(Arc::new(said(seq)));
        }
        assert_eq!(places(&log, 0).len(), WINDOW);
        assert_eq!(log.floor(), 1000 - WINDOW as i64);
        let mut large = said(1001);
        large.message.content = Content::text("x".repeat(WINDOW_OCTETS + 1));
        log.arrived(Arc::new(large));
        assert_eq!(places(&log, 0), [1001], "the newest stays, however large");
        log.release(1001);
        assert_eq!(places(&log, 0), [0; 0]);
        assert_eq!(log.floor(), 1001);
        assert_eq!(log.look(1000, |_| None::<()>), Look::TooFarBack);
        assert_eq!(log.look(1001, |_| None::<()>), Look::End(1001));
    }

    #[test]
    fn a_form_is_made_once() {
        let entry = Entry::new(Arc::new(said(1)));
        let key = |version| FormKey {
            version,
            syntax: Syntax::Xml,
            options: WriteOptions::default(),
            notification: false,
            adapted: None,
        };
        let mut made = 0;
        for version in [Version::V1_1, Version::V1_2, Version::V1_1, Version::V1_2] {
            entry.form(key(version), || {
                made += 1;
                Form {
                    carried: Carried::Primitive(Primitive::PollingRequest),
                    extensions: Vec::new(),
                }
            });
        }
        assert_eq!(made, 2);
    }
}
