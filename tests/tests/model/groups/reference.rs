//! The reference: who has joined, and what each of them has not had yet, in order
//! (csp-group 6).

use crate::groups::steps::GROUPS;
use crate::steps::{CLIENTS, CLIENTS_OF, user_of};
use std::collections::{BTreeMap, BTreeSet};

/// Something said in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub id: String,
    /// The client that said it.
    pub by: usize,
    pub text: String,
    /// For this client alone.
    pub only: Option<usize>,
}

/// What a client has not acknowledged.
#[derive(Debug, Clone)]
pub struct Due {
    pub said: Said,
    /// It knows that it can fetch it.
    told: bool,
}

/// A client that has joined.
#[derive(Default)]
struct Joined {
    due: Vec<Due>,
    /// What it wants for this group, if that is not what it wants for all.
    notify: Option<bool>,
}

/// The reference.
#[derive(Default)]
pub struct Model {
    rooms: [BTreeMap<usize, Joined>; GROUPS],
    /// Which clients have sessions.
    pub live: [bool; CLIENTS],
    /// Who wants to be notified.
    notify: [bool; CLIENTS],
    /// Whom each user blocks.
    blocked: [BTreeSet<usize>; CLIENTS_OF.len()],
}

impl Model {
    pub fn has_joined(&self, client: usize, group: usize) -> bool {
        self.rooms[group].contains_key(&client)
    }

    pub fn join(&mut self, client: usize, group: usize) {
        self.rooms[group].insert(client, Joined::default());
    }

    pub fn leave(&mut self, client: usize, group: usize) {
        self.rooms[group].remove(&client);
    }

    /// The client has a new session, or none any more.
    pub fn session(&mut self, client: usize, live: bool) {
        self.rooms
            .iter_mut()
            .for_each(|room| drop(room.remove(&client)));
        self.live[client] = live;
        self.notify[client] = false;
    }

    /// What was only in the server's memory is gone.
    pub fn restarted(&mut self) {
        (0..CLIENTS).for_each(|client| self.reconsider(client));
    }

    /// How the client wants what it has not had is decided anew.
    fn reconsider(&mut self, client: usize) {
        for room in &mut self.rooms {
            let due = room.get_mut(&client).map(|joined| &mut joined.due);
            due.into_iter().flatten().for_each(|due| due.told = false);
        }
    }

    /// SetDeliveryMethod.
    pub fn method(&mut self, client: usize, group: Option<usize>, notify: bool) {
        match group {
            None => self.notify[client] = notify,
            Some(group) => {
                let joined = self.rooms[group].get_mut(&client);
                joined.expect("it has joined").notify = Some(notify);
            }
        }
        self.reconsider(client);
    }

    /// Whether the client wants to be notified of a group's messages.
    pub fn notifies(&self, client: usize, group: usize) -> bool {
        let joined = self.rooms[group].get(&client);
        let own = joined.and_then(|joined| joined.notify);
        own.unwrap_or(self.notify[client])
    }

    pub fn block(&mut self, user: usize, other: usize, add: bool) {
        match add {
            true => self.blocked[user].insert(other),
            false => self.blocked[user].remove(&other),
        };
    }

    fn refuses(&self, client: usize, from: usize) -> bool {
        let (user, from) = (user_of(client), user_of(from));
        user != from && self.blocked[user].contains(&from)
    }

    /// The code of a message (csp-im 5.3 item 5).
    pub fn code(&self, by: usize, group: usize, only: Option<usize>) -> u16 {
        let room = &self.rooms[group];
        match only {
            _ if !room.contains_key(&by) => 808,
            Some(only) if only == by || !room.contains_key(&only) => 410,
            Some(only) if self.refuses(only, by) => 532,
            _ => 200,
        }
    }

    /// A message is behind all others in the log of a group.
    pub fn say(&mut self, group: usize, said: &Said) {
        let refuse: Vec<_> = (0..CLIENTS).map(|c| self.refuses(c, said.by)).collect();
        for (client, joined) in &mut self.rooms[group] {
            let meant = said.only.is_none_or(|only| only == *client);
            if meant && *client != said.by && !refuse[*client] {
                let said = said.clone();
                joined.due.push(Due { said, told: false });
            }
        }
    }

    /// How many messages wait for the client of this group that has most.
    pub fn most(&self, group: usize) -> usize {
        let joined = self.rooms[group].values();
        joined.map(|joined| joined.due.len()).max().unwrap_or(0)
    }

    /// What a client has not had, in order in each group.
    pub fn due(&self, client: usize) -> impl Iterator<Item = (usize, &Due)> {
        let rooms = self.rooms.iter().enumerate();
        rooms.flat_map(move |(group, room)| {
            let joined = room.get(&client).into_iter();
            joined.flat_map(move |joined| joined.due.iter().map(move |due| (group, due)))
        })
    }

    /// What comes when the client polls: one of these, if there are any.
    pub fn next(&self, client: usize) -> Vec<(usize, &Said)> {
        let of_group = |group| {
            self.due(client)
                .find(move |(of, due)| *of == group && !due.told)
        };
        let next = (0..GROUPS).filter_map(of_group);
        next.map(|(group, due)| (group, &due.said)).collect()
    }

    /// The client has a message, or does not get it.
    pub fn done(&mut self, client: usize, id: &str) {
        for joined in self
            .rooms
            .iter_mut()
            .filter_map(|room| room.get_mut(&client))
        {
            joined.due.retain(|due| due.said.id != id);
        }
    }

    /// The client knows that it can fetch a message.
    pub fn tell(&mut self, client: usize, id: &str) {
        for joined in self
            .rooms
            .iter_mut()
            .filter_map(|room| room.get_mut(&client))
        {
            let of_id = joined.due.iter_mut().filter(|due| due.said.id == id);
            of_id.for_each(|due| due.told = true);
        }
    }
}
