//! TransactionIDs of the server: never the same twice, across restarts too
//! (csp-access 2.4, clients GEN-11).

use compact_str::CompactString;
use hamlet_store::{Store, StoreError};
use parking_lot::Mutex;
use std::ops::Range;

/// The store's name of the counter.
const COUNTER: &str = "server-transaction";

/// How many numbers are reserved at a time. Numbers are not scarce: a block that is lost at
/// a restart does not matter.
const BLOCK: u64 = 1 << 20;

/// Gives numbers out of blocks that the store has reserved.
pub(crate) struct Numbers {
    store: Store,
    range: Mutex<Range<u64>>,
}

impl Numbers {
    pub(crate) async fn start(store: Store) -> Result<Self, StoreError> {
        let numbers = Self {
            store,
            range: Mutex::new(0..0),
        };
        numbers.refill().await?;
        Ok(numbers)
    }

    /// A fresh TransactionID; `None` when the block is used up and the next not here yet.
    pub(crate) fn next(&self) -> Option<CompactString> {
        let number = self.range.lock().next()?;
        Some(compact_str::format_compact!("h{number}"))
    }

    /// Whether it is time to call [`Numbers::refill`].
    pub(crate) fn is_low(&self) -> bool {
        let range = self.range.lock();
        range.end - range.start < BLOCK / 4
    }

    /// Reserves the next block.
    pub(crate) async fn refill(&self) -> Result<(), StoreError> {
        let first = self.store.write(|tx| tx.reserve(COUNTER, BLOCK)).await?;
        *self.range.lock() = first..first + BLOCK;
        Ok(())
    }
}
