//! GetWatcherList: who looks at the requestor's presence (csp-presence 5).

use crate::elements::Inner;
use crate::failure::refusal;
use crate::service::{Answer, Requestor, Response};
use hamlet_model::{Timestamp, UserId};
use hamlet_store::StoreError;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// Most former watchers that are looked through.
const MAX_FORMER: usize = 20_000;

/// An access is written down once in this time.
const ACCESS_PERIOD: Duration = Duration::from_secs(3600);

/// csp-presence 5.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GetWatchers {
    /// How far back, seconds; `None` for present subscribers only.
    pub history: Option<u32>,
    /// Most watchers in the answer; `None` for all.
    pub max: Option<u32>,
}

/// What a watcher does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WatcherStatus {
    /// He is subscribed.
    Current,
    /// He was.
    Former,
    /// He has only asked for presence.
    Access,
}

/// Somebody who looks, or has looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watcher {
    /// Who.
    pub user: UserId,
    /// How.
    pub status: WatcherStatus,
    /// His own name for himself in his public profile, if he is of this domain.
    pub name: Option<String>,
}

/// Answer to GetWatchers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watchers {
    /// How far back it really goes, seconds, if that was asked for.
    pub history: Option<u32>,
    /// How many there are.
    pub total: u32,
    /// Those there is room for: present subscribers first, then the latest.
    pub watchers: Vec<Watcher>,
}

/// Which accesses have been written down lately.
#[derive(Default)]
pub(crate) struct Accesses(Mutex<HashMap<(UserId, UserId), Timestamp>>);

impl Accesses {
    /// Those of the publishers whose access by the watcher is worth writing down; it is taken
    /// to be done.
    fn untold(&self, watcher: &UserId, publishers: &[UserId], now: Timestamp) -> Vec<UserId> {
        /// Bounds the memory; an access that is forgotten is written once more.
        const REMEMBERED: usize = 100_000;
        let mut known = self.0.lock();
        if known.len() + publishers.len() > REMEMBERED {
            known.clear();
        }
        let mut untold = Vec::new();
        for publisher in publishers.iter().filter(|publisher| *publisher != watcher) {
            let last = known
                .entry((watcher.clone(), publisher.clone()))
                .or_insert(Timestamp::from_millis(0));
            if last.plus(ACCESS_PERIOD) <= now {
                *last = now;
                untold.push(publisher.clone());
            }
        }
        untold
    }
}

impl Inner {
    /// A user has asked for presence that is kept here.
    pub(crate) async fn note_access(
        &self,
        watcher: &UserId,
        publishers: &[UserId],
    ) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let untold = self.accesses.untold(watcher, publishers, now);
        if untold.is_empty() {
            return Ok(());
        }
        let watcher = watcher.clone();
        self.store
            .write(move |tx| tx.note_access(&watcher, &untold, now))
            .await
    }

    pub(crate) async fn get_watchers(&self, requestor: Requestor, request: GetWatchers) -> Answer {
        let owner = requestor.user;
        let current: BTreeSet<UserId> = {
            let state = self.hub.lock();
            let users = state.watchers(&owner).map(|(watcher, _)| watcher.user());
            users.filter(|user| **user != owner).cloned().collect()
        };
        let longest = self.config.presence.watcher_history;
        let period = request
            .history
            .map(|secs| Duration::from_secs(secs.into()).min(longest));
        let former = match period {
            Some(period) => {
                let (owner, since) = (owner.clone(), Timestamp::now().minus(period));
                let read = move |tx: &mut hamlet_store::Tx<'_>| {
                    tx.former_watchers(&owner, since, MAX_FORMER)
                };
                let former = self.store.read(read).await;
                former.map_err(|error| refusal(&error))?
            }
            None => Vec::new(),
        };
        let former = former.into_iter().map(|former| {
            let status = match former.subscribed {
                true => WatcherStatus::Former,
                false => WatcherStatus::Access,
            };
            (former.watcher, status)
        });
        let all = strongest(&current, former.collect());
        let total = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let max = request.max.map_or(usize::MAX, |max| max as usize);
        let told: Vec<_> = all.into_iter().take(max).collect();
        let names = self
            .names_of(&told)
            .await
            .map_err(|error| refusal(&error))?;
        let watchers = told.into_iter().map(|(user, status)| Watcher {
            name: names.get(&user).cloned(),
            user,
            status,
        });
        Ok(Response::Watchers(Watchers {
            history: period.and_then(|period| u32::try_from(period.as_secs()).ok()),
            total,
            watchers: watchers.collect(),
        }))
    }

    /// What those of this domain call themselves in public.
    async fn names_of(
        &self,
        told: &[(UserId, WatcherStatus)],
    ) -> Result<HashMap<UserId, String>, StoreError> {
        let users = told.iter().map(|(user, _)| user);
        let home: Vec<UserId> = users
            .filter(|user| self.directory.is_home(user))
            .cloned()
            .collect();
        if home.is_empty() {
            return Ok(HashMap::new());
        }
        self.store.read(move |tx| tx.friendly_names(&home)).await
    }
}

/// Each watcher once, with what says most of him: present subscribers first, in the order of
/// their addresses, then the others as they come.
fn strongest(
    current: &BTreeSet<UserId>,
    former: Vec<(UserId, WatcherStatus)>,
) -> Vec<(UserId, WatcherStatus)> {
    let mut best: HashMap<UserId, WatcherStatus> = HashMap::new();
    for (user, status) in &former {
        let known = best.entry(user.clone()).or_insert(*status);
        *known = (*known).min(*status);
    }
    let mut all: Vec<_> = current
        .iter()
        .map(|user| (user.clone(), WatcherStatus::Current))
        .collect();
    for (user, _) in former {
        if current.contains(&user) {
            continue;
        }
        if let Some(status) = best.remove(&user) {
            all.push((user, status));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::Domain;

    fn user(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("a").unwrap()).unwrap()
    }

    #[test]
    fn each_watcher_comes_once_with_the_strongest_status() {
        use WatcherStatus::{Access, Current, Former};
        let current = BTreeSet::from([user("cy"), user("bo")]);
        let former = vec![
            (user("ed"), Access),
            (user("bo"), Former),
            (user("di"), Access),
            (user("di"), Former),
        ];
        let all = strongest(&current, former);
        let expected = [
            ("bo", Current),
            ("cy", Current),
            ("ed", Access),
            ("di", Former),
        ];
        assert_eq!(all, expected.map(|(name, status)| (user(name), status)));
    }

    #[test]
    fn an_access_is_written_down_once_an_hour() {
        let accesses = Accesses::default();
        let at = |secs: i64| Timestamp::from_secs(1_000_000 + secs);
        let both = [user("bo"), user("anna"), user("cy")];
        assert_eq!(
            accesses.untold(&user("anna"), &both, at(0)),
            [user("bo"), user("cy")]
        );
        assert!(accesses.untold(&user("anna"), &both, at(3599)).is_empty());
        assert_eq!(
            accesses.untold(&user("di"), &both[..1], at(3599)),
            [user("bo")]
        );
        assert_eq!(
            accesses.untold(&user("anna"), &both[..1], at(3600)),
            [user("bo")]
        );
    }
}
