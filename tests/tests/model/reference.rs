//! The reference: what a server must hold and hand out (csp-im 5, 6, 8, 9, 10), in the
//! plainest form. It knows no sockets.

use crate::steps::{CLIENTS, CLIENTS_OF, To, clients_of, user_of};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Most messages that wait for a user.
pub const QUOTA: usize = 12;

/// Names what a client can be sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A message, by its MessageID.
    Message(String),
    /// What became of a message for a user.
    Report(String, usize),
}

impl Key {
    /// Its name in a mailbox of the store.
    pub fn stored(&self) -> String {
        match self {
            Self::Message(id) => id.clone(),
            Self::Report(id, user) => format!("{id}|{}", address(*user)),
        }
    }
}

/// The address of a user.
pub fn address(user: usize) -> String {
    format!("wv:user{user}@h")
}

/// What waits for a user.
#[derive(Debug, Clone)]
pub struct Entry {
    pub key: Key,
    pub what: What,
    /// Clients whose sessions have said that they cannot take it.
    unfit: BTreeSet<usize>,
    /// Clients whose sessions know that it waits, or have pulled it: they are not sent it.
    told: BTreeSet<usize>,
    /// It may have been removed: the server was killed while it was acknowledged by a Status,
    /// which after the restart names nothing (csp-access 2.4).
    perhaps: bool,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Message(Message),
    /// By its code.
    Report(u16),
}

/// A message for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The user who sent it.
    pub from: usize,
    /// The client that he sent it with: its messages come in the order of their numbers.
    pub by: usize,
    pub number: u64,
    pub text: String,
    /// He wants a report.
    pub report: bool,
    /// It expires before others do.
    pub short: bool,
    /// The client that it is for, if not for any.
    pub client: Option<usize>,
}

#[derive(Default)]
struct User {
    waiting: Vec<Entry>,
    contacts: BTreeSet<usize>,
    /// Whom he keeps out, and whom alone he lets in, with whether these lists are in use.
    blocked: (bool, BTreeSet<usize>),
    granted: (bool, BTreeSet<usize>),
    /// All his sessions get a copy, or did at some time.
    forks: bool,
    /// What one of his sessions has acknowledged, while others may still get their copies.
    settled: Vec<Entry>,
}

/// The reference.
pub struct Model {
    users: Vec<User>,
    /// Which clients have sessions.
    pub live: [bool; CLIENTS],
    /// What each client has acknowledged, and knows that it has.
    acknowledged: Vec<HashSet<Key>>,
}

/// For whom a message is: the users, each with the client that is meant, if one is, and the
/// codes of the failures.
pub struct Resolved {
    pub reached: Vec<(usize, Option<usize>)>,
    pub failures: BTreeSet<u16>,
}

impl Resolved {
    /// The code of the answer (csp-im 5.3 item 9).
    pub fn code(&self) -> u16 {
        match (self.reached.is_empty(), self.failures.len()) {
            (false, 0) => 200,
            (false, _) => 201,
            (true, 1) => *self.failures.first().expect("one"),
            (true, _) => 900,
        }
    }
}

impl Model {
    /// Users who have one contact each, the next user, and nothing else.
    pub fn new() -> Self {
        let users = (0..CLIENTS_OF.len()).map(|user| User {
            contacts: BTreeSet::from([(user + 1) % CLIENTS_OF.len()]),
            ..User::default()
        });
        Self {
            users: users.collect(),
            live: [false; CLIENTS],
            acknowledged: vec![HashSet::new(); CLIENTS],
        }
    }

    /// csp-im 5.3 item 5.
    pub fn resolve(&self, sender: usize, to: &[To]) -> Resolved {
        let mut reached: BTreeMap<usize, Option<usize>> = BTreeMap::new();
        let mut order = Vec::new();
        let mut failures = BTreeSet::new();
        let mut reach = |user: usize, client| {
            reached.entry(user).or_insert_with(|| {
                order.push(user);
                client
            });
        };
        for to in to {
            match to {
                To::User(user) => reach(*user, None),
                To::Client(client) => reach(user_of(*client), Some(*client)),
                To::Nobody => {
                    failures.insert(531);
                }
                To::StrangeList => {
                    failures.insert(700);
                }
                To::OwnList => {}
            }
        }
        // Lists stand behind users in a Recipient.
        if to.contains(&To::OwnList) {
            let contacts = &self.users[user_of(sender)].contacts;
            contacts.iter().for_each(|user| reach(*user, None));
        }
        let mut reached: Vec<_> = order.iter().map(|user| (*user, reached[user])).collect();
        let from = user_of(sender);
        let before = reached.len();
        reached.retain(|(user, _)| self.lets_in(*user, from));
        if reached.len() < before {
            failures.insert(532);
        }
        let before = reached.len();
        reached.retain(|(user, _)| self.room(*user) > 0);
        if reached.len() < before {
            failures.insert(507);
        }
        Resolved { reached, failures }
    }

    /// csp-im 11.3.
    pub fn lets_in(&self, user: usize, from: usize) -> bool {
        let User {
            blocked, granted, ..
        } = &self.users[user];
        let refuses =
            (blocked.0 && blocked.1.contains(&from)) || (granted.0 && !granted.1.contains(&from));
        user == from || !refuses
    }

    /// A list changes; what waits is judged anew.
    pub fn access(&mut self, user: usize, (grants, other, add, in_use): (bool, usize, bool, bool)) {
        let User {
            blocked, granted, ..
        } = &mut self.users[user];
        let list = if grants { granted } else { blocked };
        list.0 = in_use;
        match add {
            true => list.1.insert(other),
            false => list.1.remove(&other),
        };
        let waiting = std::mem::take(&mut self.users[user].waiting);
        let (kept, dropped) = waiting.into_iter().partition(|entry| match &entry.what {
            What::Message(message) => self.lets_in(user, message.from),
            What::Report(_) => true,
        });
        self.users[user].waiting = kept;
        let dropped: Vec<Entry> = dropped;
        for entry in dropped {
            self.conclude(user, &entry, 532);
        }
        let kept = std::mem::take(&mut self.users[user].settled);
        let kept = kept.into_iter().filter(|entry| match &entry.what {
            What::Message(message) => self.lets_in(user, message.from),
            What::Report(_) => true,
        });
        self.users[user].settled = kept.collect();
    }

    /// How many more messages may wait for a user.
    pub fn room(&self, user: usize) -> usize {
        let waiting = self.users[user].waiting.iter();
        let messages = waiting.filter(|entry| matches!(entry.what, What::Message(_)));
        QUOTA - messages.count()
    }

    /// A message has been accepted for a user.
    pub fn accept(&mut self, user: usize, id: &str, message: Message) {
        let key = Key::Message(id.to_owned());
        self.put(user, key, What::Message(message));
    }

    fn put(&mut self, user: usize, key: Key, what: What) {
        self.users[user].waiting.push(Entry {
            key,
            what,
            unfit: BTreeSet::new(),
            told: BTreeSet::new(),
            perhaps: false,
        });
    }

    /// Whether the server may send this to a client now; what it must be then.
    pub fn may_come(&self, client: usize, key: &Key) -> Result<&Entry, String> {
        let user = &self.users[user_of(client)];
        if self.acknowledged[client].contains(key) {
            return Err(format!("{key:?} comes again after its acknowledgement"));
        }
        let waits = user.waiting.iter().find(|entry| entry.key == *key);
        let Some(entry) = waits else {
            let copy = user.settled.iter().find(|entry| entry.key == *key);
            return copy.ok_or_else(|| format!("{key:?} comes and does not wait"));
        };
        if !self.is_fit(entry, client) {
            return Err(format!("{entry:?} is not for client {client}"));
        }
        if let What::Message(Message { by, number, .. }) = entry.what
            && self.is_alone(client)
            && let Some(earlier) = user.waiting.iter().find(|earlier| {
                let is_before = |m: &Message| m.by == by && m.number < number;
                matches!(&earlier.what, What::Message(message) if is_before(message))
                    && self.is_fit(earlier, client)
                    && !earlier.told.contains(&client)
            })
        {
            return Err(format!("{entry:?} overtakes {earlier:?}"));
        }
        Ok(entry)
    }

    /// What has to come when this client polls: nothing, unless it is the only one of its
    /// user.
    pub fn must_come(&self, client: usize) -> Option<&Entry> {
        let waiting = &self.users[user_of(client)].waiting;
        let mut fit = waiting
            .iter()
            .filter(|e| !e.perhaps && self.is_fit(e, client) && !e.told.contains(&client));
        fit.next().filter(|_| self.is_alone(client))
    }

    /// Whether the client has the only session of its user.
    fn is_alone(&self, client: usize) -> bool {
        let live = |client: &usize| self.live[*client];
        clients_of(user_of(client)).filter(live).eq([client])
    }

    fn is_fit(&self, entry: &Entry, client: usize) -> bool {
        let is_for = match &entry.what {
            What::Message(message) => message.client.is_none_or(|other| other == client),
            What::Report(_) => true,
        };
        is_for && !entry.unfit.contains(&client)
    }

    /// Something of a user's that waits.
    pub fn waits(&self, user: usize, key: &Key) -> bool {
        self.users[user].waiting.iter().any(|e| e.key == *key)
    }

    /// Whether a client of the user has acknowledged something.
    pub fn has(&self, user: usize, key: &Key) -> bool {
        clients_of(user).any(|client| self.acknowledged[client].contains(key))
    }

    /// Whether copies go to several sessions of a client's user.
    pub fn forks(&self, client: usize) -> bool {
        self.users[user_of(client)].forks
    }

    /// All that waits for sure is gone.
    pub fn is_empty(&self, user: usize) -> bool {
        self.users[user].waiting.iter().all(|entry| entry.perhaps)
    }

    /// What waits for a user.
    pub fn waiting(&self, user: usize) -> impl Iterator<Item = &Entry> {
        self.users[user].waiting.iter()
    }

    /// A client has acknowledged something, and knows it.
    pub fn acknowledge(&mut self, client: usize, key: &Key) {
        self.acknowledged[client].insert(key.clone());
        let user = user_of(client);
        if let Some(entry) = self.take(user, key) {
            if self.users[user].forks {
                self.users[user].settled.push(entry.clone());
            }
            self.conclude(user, &entry, 200);
        }
    }

    /// The server was killed while a client acknowledged a report.
    pub fn perhaps_acknowledge(&mut self, client: usize, key: &Key) {
        let waiting = &mut self.users[user_of(client)].waiting;
        waiting
            .iter_mut()
            .filter(|entry| entry.key == *key)
            .for_each(|entry| entry.perhaps = true);
    }

    /// A client cannot take a message. When no other session can, it has failed (csp-im 6
    /// rule 11).
    pub fn refuse(&mut self, client: usize, key: &Key) {
        let user = user_of(client);
        let live = self.live;
        let waiting = &mut self.users[user].waiting;
        let Some(entry) = waiting.iter_mut().find(|entry| entry.key == *key) else {
            return;
        };
        entry.unfit.insert(client);
        let entry = entry.clone();
        let another = clients_of(user).any(|other| live[other] && self.is_fit(&entry, other));
        if !another {
            self.take(user, key);
            self.conclude(user, &entry, 415);
        }
    }

    /// A client knows that a message waits, or has pulled it.
    pub fn tell(&mut self, client: usize, key: &Key) {
        let waiting = &mut self.users[user_of(client)].waiting;
        for entry in waiting.iter_mut().filter(|entry| entry.key == *key) {
            entry.told.insert(client);
        }
    }

    /// What a client can take, or how it wants it, is decided anew.
    pub fn reconsider(&mut self, client: usize) {
        for entry in &mut self.users[user_of(client)].waiting {
            entry.unfit.remove(&client);
            entry.told.remove(&client);
        }
    }

    /// The messages that wait for a client.
    pub fn for_client(&self, client: usize) -> Vec<(&Key, &Message)> {
        let waiting = self.users[user_of(client)].waiting.iter();
        let messages = waiting.filter_map(|entry| match &entry.what {
            What::Message(message) => Some((&entry.key, message)),
            What::Report(_) => None,
        });
        let is_for = |m: &Message| m.client.is_none_or(|other| other == client);
        messages.filter(|(_, message)| is_for(message)).collect()
    }

    /// A message is taken away by its recipient.
    pub fn remove(&mut self, user: usize, key: &Key, code: u16) {
        if let Some(entry) = self.take(user, key) {
            self.conclude(user, &entry, code);
        }
    }

    fn take(&mut self, user: usize, key: &Key) -> Option<Entry> {
        let waiting = &mut self.users[user].waiting;
        let at = waiting.iter().position(|entry| entry.key == *key)?;
        Some(waiting.remove(at))
    }

    /// The sender is told, once, if he asked (csp-im 8).
    fn conclude(&mut self, recipient: usize, entry: &Entry, code: u16) {
        if let (
            Key::Message(id),
            What::Message(Message {
                report: true, from, ..
            }),
        ) = (&entry.key, &entry.what)
        {
            let key = Key::Report(id.clone(), recipient);
            self.put(*from, key, What::Report(code));
        }
    }

    /// Messages of short life expire (csp-im 9).
    pub fn expire(&mut self) {
        for user in 0..self.users.len() {
            let is_short = |entry: &Entry| matches!(&entry.what, What::Message(m) if m.short);
            let waiting = std::mem::take(&mut self.users[user].waiting);
            let (gone, kept) = waiting.into_iter().partition(is_short);
            self.users[user].waiting = kept;
            let gone: Vec<Entry> = gone;
            for entry in gone {
                self.conclude(user, &entry, 542);
            }
        }
    }

    /// A client has a new session.
    pub fn session_began(&mut self, client: usize) {
        self.session_ended(client);
        self.live[client] = true;
    }

    /// A client has none any more.
    pub fn session_ended(&mut self, client: usize) {
        self.live[client] = false;
        self.reconsider(client);
    }

    /// Whether a client has refused something that still waits, or knows that it does.
    pub fn has_refused(&self, client: usize) -> bool {
        let mut waiting = self.waiting(user_of(client));
        waiting.any(|entry| entry.unfit.contains(&client) || entry.told.contains(&client))
    }

    /// What was only in the server's memory is gone.
    pub fn restarted(&mut self) {
        (0..CLIENTS).for_each(|client| self.reconsider(client));
    }

    /// From now on, all sessions of the client's user may get copies.
    pub fn fork(&mut self, client: usize) {
        self.users[user_of(client)].forks = true;
    }

    /// Changes the contact list of a client's user; never to none.
    pub fn contact(&mut self, client: usize, user: usize, add: bool) -> bool {
        let contacts = &mut self.users[user_of(client)].contacts;
        match add {
            true => contacts.insert(user),
            false => contacts.len() > 1 && contacts.remove(&user),
        }
    }

    /// Compares with the names of what the store holds for a user, oldest first, and takes
    /// over the order of what came at the same time.
    pub fn compare(&mut self, user: usize, stored: &[String]) -> Result<(), String> {
        let waiting = &mut self.users[user].waiting;
        waiting.retain(|entry| !entry.perhaps || stored.contains(&entry.key.stored()));
        waiting.iter_mut().for_each(|entry| entry.perhaps = false);
        let place = |entry: &Entry| stored.iter().position(|id| *id == entry.key.stored());
        if waiting.len() != stored.len() || waiting.iter().any(|entry| place(entry).is_none()) {
            let expected: Vec<_> = waiting.iter().map(|entry| entry.key.stored()).collect();
            return Err(format!(
                "the mailbox of user {user} holds {stored:?} and should hold {expected:?}"
            ));
        }
        waiting.sort_by_key(place);
        let mut last: BTreeMap<usize, u64> = BTreeMap::new();
        for entry in waiting {
            if let What::Message(message) = &entry.what
                && let Some(earlier) = last.insert(message.by, message.number)
                && earlier > message.number
            {
                return Err(format!("{message:?} is stored behind number {earlier}"));
            }
        }
        Ok(())
    }
}
