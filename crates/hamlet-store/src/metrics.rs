//! What the store has done, in figures.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counters since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StoreMetrics {
    /// Operations carried out, read and write, failed ones included.
    pub transactions: u64,
    /// Those of them that were writes.
    pub writes: u64,
    /// Commits of writes; on SQLite one for each batch.
    pub commits: u64,
    /// SQL statements of the operations; those that delimit transactions are not counted.
    pub statements: u64,
    /// Rows that statements visited one after the other because no index led to what they
    /// wanted (SQLite). What costs what the store holds shows here.
    pub scanned: u64,
    /// Operations that failed.
    pub errors: u64,
    /// Operations refused because the queue was full.
    pub refused: u64,
    /// Transactions that were run again after a conflict (PostgreSQL).
    pub retries: u64,
    /// Connections made anew after they had been lost (PostgreSQL).
    pub reconnects: u64,
    /// Sum of the sizes of all batches of writes.
    pub batch_sum: u64,
    /// Largest batch.
    pub batch_max: u64,
    /// The time that they took, until all was on the disk, seconds.
    pub commit_seconds: f64,
    /// Reads that wait now.
    pub read_queue: u64,
    /// Writes that wait now.
    pub write_queue: u64,
}

/// The live counters behind [`StoreMetrics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub reads: AtomicU64,
    pub writes: AtomicU64,
    pub commits: AtomicU64,
    pub statements: AtomicU64,
    pub scanned: AtomicU64,
    pub errors: AtomicU64,
    pub refused: AtomicU64,
    pub retries: AtomicU64,
    pub reconnects: AtomicU64,
    pub batch_sum: AtomicU64,
    pub batch_max: AtomicU64,
    pub commit_nanos: AtomicU64,
}

impl Counters {
    pub(crate) fn committed(&self, batch: usize, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.commit_nanos.fetch_add(nanos, Relaxed);
        self.commits.fetch_add(1, Relaxed);
        self.batch_sum.fetch_add(batch as u64, Relaxed);
        self.batch_max.fetch_max(batch as u64, Relaxed);
    }

    pub(crate) fn snapshot(&self, read_queue: usize, write_queue: usize) -> StoreMetrics {
        let (reads, writes) = (self.reads.load(Relaxed), self.writes.load(Relaxed));
        StoreMetrics {
            transactions: reads + writes,
            writes,
            commits: self.commits.load(Relaxed),
            statements: self.statements.load(Relaxed),
            scanned: self.scanned.load(Relaxed),
            errors: self.errors.load(Relaxed),
            refused: self.refused.load(Relaxed),
            retries: self.retries.load(Relaxed),
            reconnects: self.reconnects.load(Relaxed),
            batch_sum: self.batch_sum.load(Relaxed),
            batch_max: self.batch_max.load(Relaxed),
            commit_seconds: Duration::from_nanos(self.commit_nanos.load(Relaxed)).as_secs_f64(),
            read_queue: read_queue as u64,
            write_queue: write_queue as u64,
        }
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
