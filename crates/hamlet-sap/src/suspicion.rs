//! What a well-behaved client does not do, in the log: one line when it happens, and one for
//! all that the same address does of the same kind within the next minute, so that nobody can
//! fill the log.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Suspicion {
    /// A session was named that does not exist.
    UnknownSession,
    /// A digest came for which no challenge is open: answered already, or too late.
    NoChallenge,
    /// A login was refused.
    LoginRefused,
    /// A session has as many searches under way as it may.
    TooManySearches,
    /// A head of a request was larger than it may be.
    LargeHead,
    /// A head did not come in time, or an answer was not taken.
    SlowPeer,
    /// A body was larger than it may be.
    LargeBody,
    /// A body did not come in time.
    SlowBody,
    /// What came is no message of CSP.
    Unreadable,
    /// A URL of the long poll was asked for that belongs to no session.
    UnknownUrl,
    /// A link to a map that was never made, or whose time is over.
    UnknownMap,
    /// A link to content that was never kept, or is kept no longer.
    UnknownContent,
    /// An STCP connection named a session that does not exist.
    ChannelOfNoSession,
    /// An STCP connection said nothing, or something else than HELO.
    ChannelWithoutHelo,
    /// An STCP connection sent more than a client has to say.
    ChannelFlood,
    /// An STCP connection does not read what is written.
    ChannelUnread,
}

impl Suspicion {
    fn text(self) -> &'static str {
        match self {
            Self::UnknownSession => "a request for an unknown session",
            Self::NoChallenge => "a digest that answers no open challenge",
            Self::LoginRefused => "login refused",
            Self::TooManySearches => "too many searches at a time",
            Self::LargeHead => "a head that is too large",
            Self::SlowPeer => "a head that does not come, or an answer that is not taken",
            Self::LargeBody => "a body that is too large",
            Self::SlowBody => "a body that does not come",
            Self::Unreadable => "a body that is no CSP",
            Self::UnknownUrl => "a long poll of no session",
            Self::UnknownMap => "a link to no map",
            Self::UnknownContent => "a link to no content",
            Self::ChannelOfNoSession => "HELO of an unknown session",
            Self::ChannelWithoutHelo => "a CIR connection without HELO",
            Self::ChannelFlood => "a CIR connection that sends too much",
            Self::ChannelUnread => "a CIR connection that does not read",
        }
    }
}

/// For how long the next of a kind are only counted.
const PAUSE: Duration = Duration::from_secs(60);
/// Most addresses and kinds that are counted apart.
const MAX_COUNTED: usize = 4096;
/// Most lines in a pause, of all addresses.
const MAX_LINES: u32 = 200;

/// Writes the lines.
#[derive(Default)]
pub(crate) struct Suspicions(Mutex<State>);

#[derive(Default)]
struct State {
    seen: HashMap<(Option<IpAddr>, Suspicion), Seen>,
    /// When the counting of lines began, and how many there were.
    lines: Option<(Instant, u32)>,
}

struct Seen {
    since: Instant,
    more: u64,
}

/// What is written.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// It happened, after so many that were only counted.
    Happened {
        before: u64,
    },
    /// There have been too many lines.
    TooMany,
    Nothing,
}

impl Suspicions {
    /// Something happened. `about` tells which, without secrets.
    pub(crate) fn note(&self, peer: Option<IpAddr>, what: Suspicion, about: impl Display) {
        let peer = peer.map(network);
        match self.0.lock().take(peer, what, Instant::now()) {
            Line::Happened { before } => {
                let address = peer.map_or_else(|| "none".to_owned(), |peer| peer.to_string());
                tracing::warn!(address, about = %about, before, "{}", what.text());
            }
            Line::TooMany => {
                tracing::warn!("too much of what clients do not do: no more of it for a minute");
            }
            Line::Nothing => {}
        }
    }

    /// Tells what was only counted, when its time is over.
    pub(crate) fn settle(&self) {
        let told = self.0.lock().settle(Instant::now());
        for (peer, what, more) in told {
            let address = peer.map_or_else(|| "none".to_owned(), |peer| peer.to_string());
            tracing::warn!(address, more, "{}, again and again", what.text());
        }
    }
}

impl State {
    fn take(&mut self, peer: Option<IpAddr>, what: Suspicion, now: Instant) -> Line {
        let key = (peer, what);
        let mut before = 0;
        if let Some(seen) = self.seen.get_mut(&key) {
            if now.duration_since(seen.since) < PAUSE {
                seen.more += 1;
                return Line::Nothing;
            }
            before = seen.more;
        }
        let (since, lines) = match self.lines {
            Some((since, lines)) if now.duration_since(since) < PAUSE => (since, lines),
            _ => (now, 0),
        };
        self.lines = Some((since, lines.saturating_add(1)));
        if lines >= MAX_LINES || self.seen.len() >= MAX_COUNTED && !self.seen.contains_key(&key) {
            return match lines == MAX_LINES {
                true => Line::TooMany,
                false => Line::Nothing,
            };
        }
        self.seen.insert(
            key,
            Seen {
                since: now,
                more: 0,
            },
        );
        Line::Happened { before }
    }

    fn settle(&mut self, now: Instant) -> Vec<(Option<IpAddr>, Suspicion, u64)> {
        let mut told = Vec::new();
        self.seen.retain(|(peer, what), seen| {
            let goes_on = now.duration_since(seen.since) < PAUSE;
            if !goes_on && seen.more > 0 {
                told.push((*peer, *what, seen.more));
            }
            goes_on
        });
        told.truncate(MAX_LINES as usize);
        told
    }
}

/// Of IPv6 the network: its addresses are one client's to choose.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn one_line_for_each_address_and_kind_in_a_minute() {
        let mut state = State::default();
        let start = Instant::now();
        let mut take = |last, what, seconds| {
            state.take(address(last), what, start + Duration::from_secs(seconds))
        };
        let (unknown, large) = (Suspicion::UnknownSession, Suspicion::LargeBody);
        assert_eq!(take(1, unknown, 0), Line::Happened { before: 0 });
        assert_eq!(take(1, unknown, 1), Line::Nothing);
        assert_eq!(take(1, large, 1), Line::Happened { before: 0 });
        assert_eq!(take(2, unknown, 1), Line::Happened { before: 0 });
        assert_eq!(take(1, unknown, 59), Line::Nothing);
        assert_eq!(take(1, unknown, 61), Line::Happened { before: 2 });
        assert_eq!(take(1, unknown, 62), Line::Nothing);
        assert_eq!(state.settle(start + Duration::from_secs(100)), []);
        let told = state.settle(start + Duration::from_secs(130));
        assert_eq!(told, [(address(1), unknown, 1)]);
        assert!(state.seen.is_empty());
    }

    #[test]
    fn many_addresses_fill_neither_the_log_nor_the_memory() {
        let mut state = State::default();
        let start = Instant::now();
        let (mut lines, mut warnings) = (0, 0);
        for number in 0..20_000_u32 {
            let peer = Some(IpAddr::from(number.to_be_bytes()));
            match state.take(peer, Suspicion::UnknownSession, start) {
                Line::Happened { .. } => lines += 1,
                Line::TooMany => warnings += 1,
                Line::Nothing => {}
            }
        }
        assert_eq!((lines, warnings), (MAX_LINES, 1));
        assert!(state.seen.len() <= MAX_COUNTED);
        let later = start + PAUSE;
        let next = state.take(address(1), Suspicion::UnknownSession, later);
        assert_eq!(next, Line::Happened { before: 0 });
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:1:3::3"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
