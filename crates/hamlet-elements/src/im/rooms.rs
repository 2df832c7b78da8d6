//! Who is in a group, as those who send through it need to know: in memory, because each
//! message asks. What changes a group says so by [`Rooms::forget`] before it is answered.

use crate::elements::Inner;
use crate::service::Requestor;
use hamlet_model::{Domain, GroupId, SessionId, UserId};
use hamlet_store::{StoreError, StoredGroup, StoredJoined};
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Most joined clients that are remembered, of all groups together.
const REMEMBERED: usize = 200_000;

/// The groups that somebody talks in.
#[derive(Default)]
pub(crate) struct Rooms {
    state: Mutex<State>,
    /// The groups whose logs may have to be trimmed; `None` before the store has been asked.
    logs: Mutex<Option<HashSet<GroupId>>>,
}

#[derive(Default)]
struct State {
    rooms: HashMap<GroupId, Arc<Room>>,
    /// Joined clients in all of them.
    size: usize,
    /// Grows with each change, so that what was read before is not remembered after it.
    changes: u64,
}

/// One group with who is in it.
pub(crate) struct Room {
    /// The group; `None` for one that is kept in another domain.
    pub(crate) group: Option<StoredGroup>,
    pub(crate) joined: Vec<StoredJoined>,
    by_session: HashMap<SessionId, usize>,
    by_name: HashMap<String, usize>,
    /// Users of this domain, each once.
    pub(crate) users: Vec<UserId>,
    /// The other domains that have users in it.
    pub(crate) domains: BTreeSet<Domain>,
}

impl Room {
    fn new(group: Option<StoredGroup>, joined: Vec<StoredJoined>, home: &Domain) -> Self {
        let mut by_session = HashMap::new();
        let mut by_name = HashMap::new();
        let mut users = BTreeSet::new();
        let mut domains = BTreeSet::new();
        for (at, one) in joined.iter().enumerate() {
            if let Some(session) = &one.session {
                by_session.insert(session.clone(), at);
            }
            by_name.insert(one.name.key(), at);
            match one.user.domain_str() == home.as_str() {
                true => drop(users.insert(one.user.clone())),
                false => drop(domains.insert(one.user.domain())),
            }
        }
        Self {
            group,
            joined,
            by_session,
            by_name,
            users: users.into_iter().collect(),
            domains,
        }
    }

    /// How the requestor is in it: his session, or a user of another domain.
    pub(crate) fn of(&self, requestor: &Requestor) -> Option<&StoredJoined> {
        match &requestor.session {
            Some(session) => self.by_session.get(session).map(|at| &self.joined[*at]),
            None => {
                let mut joined = self.joined.iter();
                joined.find(|one| one.session.is_none() && one.user == requestor.user)
            }
        }
    }

    /// Who has this name.
    pub(crate) fn named(&self, name: &str) -> Option<&StoredJoined> {
        let key = name.trim().to_lowercase();
        self.by_name.get(&key).map(|at| &self.joined[*at])
    }
}

impl Rooms {
    /// Somebody has come or gone, or the group has changed.
    pub(crate) fn forget(&self, group: &GroupId) {
        let mut state = self.state.lock();
        state.changes += 1;
        if let Some(room) = state.rooms.remove(group) {
            state.size -= room.joined.len();
        }
    }

    /// Something was said.
    pub(crate) fn has_said(&self, group: &GroupId) {
        if let Some(logs) = &mut *self.logs.lock() {
            logs.insert(group.clone());
        }
    }

    /// The groups whose logs may have to be trimmed; `None` before [`Rooms::look_after`].
    pub(crate) fn logs(&self) -> Option<Vec<GroupId>> {
        let logs = self.logs.lock();
        logs.as_ref().map(|logs| logs.iter().cloned().collect())
    }

    /// The store has something in the logs of these groups.
    pub(crate) fn look_after(&self, groups: Vec<GroupId>) {
        let mut logs = self.logs.lock();
        logs.get_or_insert_default().extend(groups);
    }

    /// The store has nothing in the log of a group.
    pub(crate) fn is_silent(&self, group: &GroupId) {
        if let Some(logs) = &mut *self.logs.lock() {
            logs.remove(group);
        }
    }

    fn known(&self, group: &GroupId) -> Result<Arc<Room>, u64> {
        let state = self.state.lock();
        state.rooms.get(group).cloned().ok_or(state.changes)
    }

    fn remember(&self, id: &GroupId, room: &Arc<Room>, as_of: u64) {
        let mut state = self.state.lock();
        if state.changes != as_of || state.rooms.contains_key(id) {
            return;
        }
        if state.size + room.joined.len() > REMEMBERED {
            state.rooms.clear();
            state.size = 0;
        }
        state.size += room.joined.len();
        state.rooms.insert(id.clone(), room.clone());
    }
}

impl Inner {
    /// A group of this domain, or what is known here of one of another; `None` when there is
    /// none.
    pub(crate) async fn room(&self, id: &GroupId) -> Result<Option<Arc<Room>>, StoreError> {
        let as_of = match self.rooms.known(id) {
            Ok(room) => return Ok(Some(room)),
            Err(as_of) => as_of,
        };
        let asked = id.clone();
        let read = self.store.read(move |tx| {
            let group = tx.group(&asked)?;
            Ok((group, tx.group_joined(&asked)?))
        });
        let (group, joined) = read.await?;
        let is_home = id.domain_str() == self.config.domain.as_str();
        if is_home && group.is_none() {
            return Ok(None);
        }
        let room = Arc::new(Room::new(group, joined, &self.config.domain));
        self.rooms.remember(id, &room, as_of);
        Ok(Some(room))
    }
}
