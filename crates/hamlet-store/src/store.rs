//! The handle that everybody holds.

use crate::config::{StoreConfig, StoreUrl};
use crate::job::Queue;
use crate::metrics::{Counters, StoreMetrics};
use crate::{StoreError, Tx, postgres, sqlite};
use std::sync::Arc;
use tokio::sync::watch;

/// A cheap handle to the durable state. When the last one is dropped, or after
/// [`Store::close`], what is queued is finished and the database closed.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    reads: Queue,
    writes: Queue,
    counters: Arc<Counters>,
    running: Running,
}

/// Held by every thread of an engine, so that its end can be awaited.
pub(crate) type Alive = watch::Sender<()>;

struct Running(watch::Receiver<()>);

impl Store {
    /// Opens or creates the database and brings its schema up to date. Blocks.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has the file, [`StoreError::Newer`] when a
    /// later version wrote it, [`StoreError::Corrupt`] or [`StoreError::Database`] when it
    /// cannot be read.
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let counters = Arc::new(Counters::default());
        let (alive, running) = watch::channel(());
        let (reads, read_jobs) = Queue::new(config.queue);
        let (writes, write_jobs) = Queue::new(config.queue);
        match &config.url {
            StoreUrl::Sqlite(path) => {
                sqlite::start(path, config, read_jobs, write_jobs, &counters, &alive)?;
            }
            StoreUrl::Postgres(url) => {
                postgres::start(url, config, read_jobs, write_jobs, &counters, &alive)?;
            }
        }
        let running = Running(running);
        let inner = Inner {
            reads,
            writes,
            counters,
            running,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Runs `op` on a consistent state that includes every write answered before. On
    /// PostgreSQL it may be run again after a lost connection.
    pub async fn read<T, F>(&self, op: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.inner.reads.run(op, &self.inner.counters).await
    }

    /// Runs `op` in a transaction of its own and answers after its commit is durable. An
    /// error from `op`, or from anything that it did, undoes all that it did; other writes
    /// are not affected. It may be run again, on what is there then: on PostgreSQL after a
    /// conflict, on SQLite when another write of its commit has failed. When the returned
    /// future is dropped the write happens nevertheless.
    pub async fn write<T, F>(&self, op: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.inner.writes.run(op, &self.inner.counters).await
    }

    /// What has been done since the store was opened, and what waits.
    pub fn metrics(&self) -> StoreMetrics {
        let inner = &self.inner;
        inner
            .counters
            .snapshot(inner.reads.depth(), inner.writes.depth())
    }

    /// Finishes what is queued, lets nothing more in, and closes the database; on SQLite
    /// the log is then part of the file. Any handle may call it, also repeatedly.
    pub async fn close(&self) {
        self.inner.reads.close();
        self.inner.writes.close();
        let mut running = self.inner.running.0.clone();
        // An error means that the last thread has ended.
        while running.changed().await.is_ok() {}
    }
}
