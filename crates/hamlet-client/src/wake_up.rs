//! The standalone HTTP channel, by which the server tells at once that something waits
//! (transport 6.6): a GET that it holds and answers 200 when there is something to poll for.
//! A task holds it, whether somebody waits for what it tells or not.

use crate::error::Error;
use crate::transport::{Transport, TransportOptions};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Servers hold a request up to 39 s (transport 6.6); one that is not answered by then is lost.
const LONGEST: Duration = Duration::from_secs(60);

/// An answer that comes sooner was not held.
const HELD: Duration = Duration::from_secs(5);

/// Between GETs that the server does not hold, as Android does.
const PAUSE: Duration = Duration::from_secs(10);

/// Before the GET after one that said that something waits: the client polls meanwhile. It
/// doubles while the server says so again at once.
const BREATH: Duration = Duration::from_millis(100);

/// The channel of one session.
#[derive(Debug)]
pub(crate) struct WakeUp {
    told: mpsc::Receiver<Told>,
    task: JoinHandle<()>,
    is_live: bool,
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

/// How long to wait before the next GET, after this and the pause before it; never after the
/// server has forgotten the URL.
fn pause(told: Told, held: Duration, before: Duration) -> Option<Duration> {
    match told {
        Told::Poll if held < HELD => Some((before * 2).clamp(BREATH, PAUSE)),
        Told::Poll => Some(BREATH),
        Told::Nothing => Some(Duration::ZERO),
        Told::NothingForNow => Some(PAUSE),
        Told::Gone => None,
    }
}

async fn hold(mut transport: Transport, tell: mpsc::Sender<Told>) {
    let mut before = Duration::ZERO;
    loop {
        let begun = Instant::now();
        let status = transport.get().await.ok().map(|reply| reply.status);
        let held = begun.elapsed();
        let told = judge(status, held);
        let next = pause(told, held, before);
        // Who waits has time: what has been told and not been taken is enough.
        if tell.send(told).await.is_err() {
            return;
        }
        let Some(next) = next else { return };
        before = next;
        tokio::time::sleep(next).await;
    }
}

impl WakeUp {
    /// Begins to hold requests.
    pub fn new(url: &str, options: TransportOptions) -> Result<Self, Error> {
        let options = TransportOptions {
            timeout: LONGEST,
            ..options
        };
        let transport = Transport::new(url, options)?;
        let (tell, told) = mpsc::channel(1);
        Ok(Self {
            told,
            task: tokio::spawn(hold(transport, tell)),
            is_live: false,
        })
    }

    /// Whether it has shown that it can be relied on, so that polls are only needed to keep the
    /// session alive.
    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// Whether the server says that something waits, when it says anything; what it has said may
    /// change whether the channel is live. Never returns when nothing more will come.
    pub async fn told(&mut self) -> bool {
        let Some(told) = self.told.recv().await else {
            return std::future::pending().await;
        };
        self.is_live = matches!(told, Told::Poll | Told::Nothing);
        told == Told::Poll
    }
}

impl Drop for WakeUp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_200_says_poll_and_what_is_not_held_is_not_asked_at_once() {
        let (quick, long) = (Duration::from_millis(3), Duration::from_secs(30));
        for (status, held, told, next) in [
            (Some(200), quick, Told::Poll, Some(BREATH)),
            (Some(200), long, Told::Poll, Some(BREATH)),
            (Some(204), long, Told::Nothing, Some(Duration::ZERO)),
            (Some(204), quick, Told::NothingForNow, Some(PAUSE)),
            (Some(404), quick, Told::Gone, None),
            (Some(410), quick, Told::Gone, None),
            (Some(503), long, Told::NothingForNow, Some(PAUSE)),
            (None, long, Told::NothingForNow, Some(PAUSE)),
        ] {
            assert_eq!(judge(status, held), told, "{status:?} after {held:?}");
            assert_eq!(pause(told, held, Duration::ZERO), next, "{told:?}");
        }
        // Where it says so again and again, and nothing comes of it.
        assert_eq!(pause(Told::Poll, quick, BREATH), Some(BREATH * 2));
        assert_eq!(pause(Told::Poll, quick, PAUSE), Some(PAUSE));
    }
}
