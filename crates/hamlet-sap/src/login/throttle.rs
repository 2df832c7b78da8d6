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

/// How often the time of a bar doubles: up to 32 times the first.
const MAX_DOUBLINGS: u32 = 5;

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

/// The failures of one who tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Failures {
    /// Since counting began, at most the limit.
    count: u32,
    /// How often the limit has been reached since the right password was last given.
    bars: u32,
    /// When the counting began, or the bar that the last failure brought about.
    since: Timestamp,
}

impl Failures {
    /// How long one who has reached the limit is barred: each time twice as long.
    fn bar(self, window: Duration) -> Duration {
        let times = 1 << self.bars.saturating_sub(1).min(MAX_DOUBLINGS);
        window.saturating_mul(times)
    }

    /// Whether another attempt is allowed at `now`.
    fn allow(self, now: Timestamp, limit: u32, window: Duration) -> bool {
        self.count < limit || now.since(self.since) >= self.bar(window)
    }

    /// After one more at `now`.
    fn and_another(self, now: Timestamp, limit: u32, window: Duration) -> Self {
        let age = now.since(self.since);
        let Self { count, bars, since } = match self {
            // It was under way when the bar came: several at once are no worse than in turn.
            _ if !self.allow(now, limit, window) => return self,
            _ if self.is_over(now, window) => Self {
                since: now,
                ..Self::default()
            },
            _ if age >= window => Self {
                count: 0,
                since: now,
                ..self
            },
            _ => self,
        };
        match count + 1 >= limit {
            false => Self {
                count: count + 1,
                bars,
                since,
            },
            true => Self {
                count: limit,
                bars: bars.saturating_add(1),
                since: now,
            },
        }
    }

    /// Whether it is as if there had been none.
    fn is_over(self, now: Timestamp, window: Duration) -> bool {
        let remembered = match self.bars {
            0 => window,
            _ => self.bar(window).saturating_mul(2),
        };
        now.since(self.since) >= remembered
    }
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
            known.allow(now, self.limit(&source), self.window)
        })
    }

    /// A login failed.
    pub(crate) fn failed(&self, user: &UserId, peer: Option<IpAddr>, now: Timestamp) {
        let window = self.window;
        let mut counted = self.counted.lock();
        if counted.len() + 2 > MAX_COUNTED {
            counted.retain(|_, known| !known.is_over(now, window));
        }
        // Still full: somebody tries with many names; the least guilty are forgotten.
        if counted.len() + 2 > MAX_COUNTED {
            counted.retain(|_, known| known.count > 1 || known.bars > 0);
        }
        if counted.len() + 2 > MAX_COUNTED {
            counted.clear();
        }
        for source in sources(user, peer) {
            let limit = self.limit(&source);
            let known = counted.entry(source.clone()).or_default();
            let before = known.bars;
            *known = known.and_another(now, limit, window);
            if known.bars > before {
                let seconds = known.bar(window).as_secs();
                match source {
                    Source::Account(user) => {
                        tracing::warn!(
                            user = user.as_str(),
                            ?peer,
                            seconds,
                            "no logins for a while: too many failed"
                        );
                    }
                    Source::Address(peer) => {
                        tracing::warn!(%peer, seconds, "no logins from here for a while: too many failed");
                    }
                }
            }
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

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn the_limit_holds_within_the_window_and_each_bar_is_twice_as_long() {
        for (count, bars, age, verdict) in [
            (0, 0, 0, true),
            (9, 0, 1, true),
            (10, 1, 0, false),
            (10, 1, 599, false),
            (10, 1, 600, true),
            (9, 1, 0, true),
            (10, 2, 1199, false),
            (10, 2, 1200, true),
            (10, 6, 32 * 600 - 1, false),
            (10, 6, 32 * 600, true),
            (10, u32::MAX, 32 * 600, true),
        ] {
            let known = Failures {
                count,
                bars,
                since: at(0),
            };
            let allowed = known.allow(at(age), 10, WINDOW);
            assert_eq!(allowed, verdict, "{count} {bars} {age}");
        }
    }

    #[test]
    fn failures_add_up_and_are_forgotten() {
        let known = |count, bars, since| Failures {
            count,
            bars,
            since: at(since),
        };
        for (before, now, after) in [
            (Failures::default(), 0, known(1, 0, 0)),
            (known(1, 0, 0), 599, known(2, 0, 0)),
            (known(1, 0, 0), 600, known(1, 0, 600)),
            (known(9, 0, 0), 500, known(10, 1, 500)),
            // The bar is served: counting goes on, and what was is remembered as long again.
            (known(10, 1, 0), 600, known(1, 1, 600)),
            (known(9, 1, 600), 700, known(10, 2, 700)),
            (known(10, 1, 0), 1200, known(1, 0, 1200)),
            (known(10, 2, 0), 1200, known(1, 2, 1200)),
            (known(10, 2, 0), 2400, known(1, 0, 2400)),
            // Attempts that were under way when the bar came do not make it longer.
            (known(10, 1, 0), 1, known(10, 1, 0)),
            (known(10, 2, 0), 1199, known(10, 2, 0)),
        ] {
            let got = before.and_another(at(now), 10, WINDOW);
            assert_eq!(got, after, "{before:?} at {now}");
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
