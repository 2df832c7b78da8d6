//! The standalone HTTP channel, by which the server tells at once that something waits
//! (transport 6.6): a GET that it holds and answers 200 when there is something to poll for.

use crate::error::Error;
use crate::transport::{Transport, TransportOptions};
use std::time::Duration;
use tokio::time::Instant;

/// An answer that comes sooner was not held.
const HELD: Duration = Duration::from_secs(5);

/// Between GETs that the server does not hold, as Android does.
const PAUSE: Duration = Duration::from_secs(10);

/// Where the server answers 200 although nothing comes of the poll.
const PAUSE_AFTER_NOTHING: Duration = Duration::from_secs(2);

/// The channel of one session.
#[derive(Debug)]
pub(crate) struct WakeUp {
    transport: Transport,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The last GET was held by the server, or none has ended yet.
    Live,
    /// Worth another GET from this moment on.
    Resting(Instant),
    /// The server does not know the URL.
    Gone,
}

/// What an ended GET means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Poll,
    Nothing,
    NothingForNow,
    Gone,
}

/// Only 200 says that something waits; what was not held is not asked for again at once.
fn judge(status: Option<u16>, held: Duration) -> Told {
    match status {
        Some(200) => Told::Poll,
        Some(404 | 410) => Told::Gone,
        Some(204) if held >= HELD => Told::Nothing,
        _ => Told::NothingForNow,
    }
}

impl WakeUp {
    pub fn new(url: &str, options: TransportOptions) -> Result<Self, Error> {
        Ok(Self {
            transport: Transport::new(url, options)?,
            state: State::Live,
        })
    }

    /// Whether it can be relied on, so that polls are only needed to keep the session alive.
    pub fn is_live(&self) -> bool {
        self.state == State::Live
    }

    /// Returns when the server says that something waits (true), or when the channel has ceased
    /// to be live (false): whoever waits polls at an interval then. While it is not live it
    /// tries again now and then.
    pub async fn told(&mut self) -> bool {
        loop {
            match self.state {
                State::Live => {}
                State::Resting(until) => tokio::time::sleep_until(until).await,
                State::Gone => std::future::pending().await,
            }
            let begun = Instant::now();
            let status = self.transport.get().await.ok().map(|reply| reply.status);
            let was_live = self.is_live();
            let told = judge(status, begun.elapsed());
            self.state = match told {
                Told::Poll | Told::Nothing => State::Live,
                Told::NothingForNow => State::Resting(Instant::now() + PAUSE),
                Told::Gone => State::Gone,
            };
            if told == Told::Poll || (was_live && !self.is_live()) {
                return told == Told::Poll;
            }
        }
    }

    /// The server said that something waits, and the poll brought nothing.
    pub fn was_wrong(&mut self) {
        if self.state == State::Live {
            self.state = State::Resting(Instant::now() + PAUSE_AFTER_NOTHING);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_200_says_poll_and_what_is_not_held_is_not_asked_at_once() {
        let (quick, long) = (Duration::from_millis(3), Duration::from_secs(30));
        for (status, held, told) in [
            (Some(200), quick, Told::Poll),
            (Some(200), long, Told::Poll),
            (Some(204), long, Told::Nothing),
            (Some(204), quick, Told::NothingForNow),
            (Some(404), quick, Told::Gone),
            (Some(410), quick, Told::Gone),
            (Some(503), long, Told::NothingForNow),
            (None, long, Told::NothingForNow),
        ] {
            assert_eq!(judge(status, held), told, "{status:?} after {held:?}");
        }
    }
}
