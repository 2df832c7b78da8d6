//! Drawing within bounds: a few maps at a time on threads of their own, a few that wait, and a
//! memory of the last ones.

use bytes::Bytes;
use hamlet_map::{Format, Map};
use hamlet_model::{Coordinates, Refusal, StatusCode};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Most that wait for their turn; each takes some ten milliseconds.
const WAITING: usize = 100;
/// Maps that are remembered: clients repeat, and ask for one in several sizes.
const REMEMBERED: usize = 128;
/// Most octets of them.
const REMEMBERED_OCTETS: usize = 2 << 20;

/// One picture, by what makes it that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// 1/100,000 degree: a metre.
    pub(crate) latitude: i32,
    /// The same.
    pub(crate) longitude: i32,
    /// Metres; 0 for none.
    pub(crate) accuracy: u32,
    /// Pixels.
    pub(crate) width: u16,
    /// Pixels.
    pub(crate) height: u16,
    pub(crate) format: Format,
}

/// 1/degrees.
const UNITS: f64 = 1e5;

impl Wanted {
    /// In the usual format.
    pub(crate) fn new(
        center: Coordinates,
        accuracy: Option<f64>,
        (width, height): (u32, u32),
    ) -> Self {
        let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
        Self {
            latitude: (center.latitude * UNITS).round() as i32,
            longitude: (center.longitude * UNITS).round() as i32,
            // What is more accurate than a metre is so for nobody.
            accuracy: accuracy.map_or(0.0, |metres| metres.ceil()) as u32,
            width: side(width),
            height: side(height),
            format: Format::Png,
        }
    }

    fn draw(self) -> Option<Bytes> {
        let map = Map {
            center: Coordinates {
                latitude: f64::from(self.latitude) / UNITS,
                longitude: f64::from(self.longitude) / UNITS,
            },
            accuracy: (self.accuracy > 0).then(|| f64::from(self.accuracy)),
            width: u32::from(self.width),
            height: u32::from(self.height),
        };
        let encoded = map.draw()?.encode(self.format);
        encoded
            .inspect_err(|error| tracing::error!(%error, "a map could not be written"))
            .ok()
            .map(Bytes::from)
    }
}

/// Draws maps and remembers some.
pub(crate) struct Maps {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    drawn: Mutex<VecDeque<(Wanted, Bytes)>>,
}

impl Maps {
    pub(crate) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(at_once())),
            waiting: AtomicUsize::new(0),
            drawn: Mutex::default(),
        }
    }

    /// The picture; 503 when too many want one.
    pub(crate) async fn draw(&self, wanted: Wanted) -> Result<Bytes, Refusal> {
        if let Some(known) = self.known(wanted) {
            return Ok(known);
        }
        let waits = Waits::begin(&self.waiting);
        if waits.before >= WAITING {
            return Err(StatusCode::SERVICE_UNAVAILABLE.into());
        }
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        // Another may have wanted the same.
        if let Some(known) = self.known(wanted) {
            return Ok(known);
        }
        // The turn goes with the work, which goes on when the client has gone.
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            wanted.draw()
        });
        let octets = work.await.ok().flatten();
        let octets = octets.ok_or(StatusCode::INTERNAL_ERROR)?;
        self.remember(wanted, &octets);
        Ok(octets)
    }

    fn known(&self, wanted: Wanted) -> Option<Bytes> {
        let drawn = self.drawn.lock();
        let found = drawn.iter().find(|(known, _)| *known == wanted);
        found.map(|(_, octets)| octets.clone())
    }

    fn remember(&self, wanted: Wanted, octets: &Bytes) {
        let mut drawn = self.drawn.lock();
        drawn.push_front((wanted, octets.clone()));
        let mut sum = 0;
        let mut kept = 0;
        for (_, octets) in drawn.iter().take(REMEMBERED) {
            sum += octets.len();
            kept += usize::from(sum <= REMEMBERED_OCTETS);
        }
        drawn.truncate(kept);
    }
}

/// Maps that are drawn at a time: half of the processors are for others.
fn at_once() -> usize {
    let processors = std::thread::available_parallelism();
    processors.map_or(1, |count| (count.get() / 2).max(1))
}

/// One that waits, or is drawn.
struct Waits<'a> {
    all: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waits<'a> {
    fn begin(all: &'a AtomicUsize) -> Self {
        Self {
            before: all.fetch_add(1, Ordering::Relaxed),
            all,
        }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(longitude: f64) -> Wanted {
        let center = Coordinates::new(0.0, longitude).unwrap();
        Wanted::new(center, Some(1000.0), (64, 64))
    }

    #[tokio::test]
    async fn a_map_is_drawn_once_and_the_memory_is_bounded() {
        let maps = Maps::new();
        let first = maps.draw(wanted(1.0)).await.unwrap();
        let again = maps.draw(wanted(1.0)).await.unwrap();
        assert_eq!(first.as_ptr(), again.as_ptr());
        for _ in 0..REMEMBERED {
            maps.remember(wanted(2.0), &first);
        }
        assert_eq!(maps.drawn.lock().len(), REMEMBERED);
        assert!(maps.known(wanted(1.0)).is_none(), "the oldest is forgotten");
        let large = Bytes::from(vec![0; REMEMBERED_OCTETS / 2]);
        for _ in 0..3 {
            maps.remember(wanted(3.0), &large);
        }
        assert_eq!(maps.drawn.lock().len(), 2);
    }

    #[tokio::test]
    async fn when_too_many_wait_the_next_is_refused() {
        let maps = Maps::new();
        maps.waiting.store(WAITING, Ordering::Relaxed);
        let refused = maps.draw(wanted(1.0)).await.unwrap_err();
        assert_eq!(refused.code, StatusCode::SERVICE_UNAVAILABLE);
        maps.waiting.store(WAITING - 1, Ordering::Relaxed);
        assert!(maps.draw(wanted(1.0)).await.is_ok());
    }
}
