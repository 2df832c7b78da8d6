//! Failed logins slow down (csp-access 3.3 check 10): how many there were, per account and
//! per address, in bounded memory.

use hamlet_model::{Timestamp, UserId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// What is counted at most.
const MAX_COUNTED: usize = 20_000;

/// Many phones share the address of their gateway, so it may fail this many times as often
/// as an account.
const ADDRESS_FACTOR: u32 = 10;

/// Counts failed logins.
pub(crate) struct Throttle {
    limit: u32,
    window: Duration,
    counted: Mutex<HashMap<Source, Failures>>,
}

/// Who tries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Source {
    Account(UserId),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    /// When the counting began.
    since: Timestamp,
}

/// Whether another attempt is allowed after `count` failures that began `age` ago.
fn allowed(count: u32, age: Duration, limit: u32, window: Duration) -> bool {
    count < limit || age >= window
}

impl Throttle {
    pub(crate) fn new(limit: u32, window: Duration) -> Self {
        Self {
            limit: limit.max(1),
            window,
            counted: Mutex::new(HashMap::new()),
        }
    }

    fn limit(&self, source: &Source) -> u32 {
        match source {
            Source::Account(_) => self.limit,
            Source::Address(_) => self.limit.saturating_mul(ADDRESS_FACTOR),
        }
    }

    /// Whether a login may be tried at `now`.
    pub(crate) fn allows(&self, user: &UserId, peer: Option<IpAddr>, now: Timestamp) -> bool {
        let counted = self.counted.lock();
        sources(user, peer).all(|source| {
            let known = counted.get(&source).copied().unwrap_or_default();
            let age = now.since(known.since);
            allowed(known.count, age, self.limit(&source), self.window)
        })
    }

    /// A login failed.
    pub(crate) fn failed(&self, user: &UserId, peer: Option<IpAddr>, now: Timestamp) {
        let mut counted = self.counted.lock();
        if counted.len() + 2 > MAX_COUNTED {
            let window = self.window;
            counted.retain(|_, known| now.since(known.since) < window);
        }
        // Still full: somebody tries with many names; the least guilty are forgotten.
        if counted.len() + 2 > MAX_COUNTED {
            counted.retain(|_, known| known.count > 1);
        }
        if counted.len() + 2 > MAX_COUNTED {
            counted.clear();
        }
        for source in sources(user, peer) {
            let known = counted.entry(source).or_default();
            if now.since(known.since) >= self.window {
                *known = Failures {
                    count: 0,
                    since: now,
                };
            }
            known.count = known.count.saturating_add(1);
        }
    }

    /// The right password was given: the account starts anew, the address does not, or
    /// everybody with one account of his own could try all the others.
    pub(crate) fn succeeded(&self, user: &UserId) {
        self.counted.lock().remove(&Source::Account(user.clone()));
    }
}

fn sources(user: &UserId, peer: Option<IpAddr>) -> impl Iterator<Item = Source> {
    [Source::Account(user.clone())]
        .into_iter()
        .chain(peer.map(Source::Address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::user_id;

    const WINDOW: Duration = Duration::from_secs(600);

    #[test]
    fn the_limit_holds_within_the_window() {
        for (count, age, verdict) in [
            (0, 0, true),
            (9, 1, true),
            (10, 0, false),
            (10, 599, false),
            (10, 600, true),
            (5000, 10, false),
        ] {
            let age = Duration::from_secs(age);
            assert_eq!(allowed(count, age, 10, WINDOW), verdict, "{count} {age:?}");
        }
    }

    #[test]
    fn ten_failures_bar_an_account_and_a_hundred_an_address() {
        let throttle = Throttle::new(10, WINDOW);
        let start = Timestamp::from_secs(1_000_000);
        let peer = Some(IpAddr::from([192, 0, 2, 1]));
        let (anna, bob) = (user_id("anna"), user_id("bob"));
        for _ in 0..10 {
            assert!(throttle.allows(&anna, peer, start));
            throttle.failed(&anna, peer, start);
        }
        assert!(!throttle.allows(&anna, None, start));
        assert!(throttle.allows(&bob, peer, start));
        let later = start.plus(WINDOW);
        assert!(throttle.allows(&anna, peer, later));
        throttle.succeeded(&anna);
        assert!(throttle.allows(&anna, None, start));
        for n in 0..90 {
            throttle.failed(&user_id(&format!("user{n}")), peer, start);
        }
        assert!(!throttle.allows(&bob, peer, start));
        assert!(throttle.allows(&bob, None, start));
    }

    #[test]
    fn the_memory_is_bounded() {
        let throttle = Throttle::new(10, WINDOW);
        let now = Timestamp::from_secs(1_000_000);
        for n in 0..2 * MAX_COUNTED {
            throttle.failed(&user_id(&format!("u{n}")), None, now);
        }
        assert!(throttle.counted.lock().len() <= MAX_COUNTED);
    }
}
