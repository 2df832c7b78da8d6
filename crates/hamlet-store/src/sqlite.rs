//! SQLite: one thread that writes and commits in batches, a few that read.

use crate::config::StoreConfig;
use crate::job::BoxedJob;
use crate::metrics::{Counters, count};
use crate::store::Alive;
use crate::tx::Connection as TxConnection;
use crate::{StoreError, Tx, migrate};
use crossbeam_channel::Receiver;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Prepared statements that a connection keeps; more than there are different ones.
const STATEMENTS: usize = 256;

/// How long to wait for somebody else's lock on the file, such as a backup's.
const BUSY: Duration = Duration::from_secs(10);

/// Opens the file and starts the threads.
pub(crate) fn start(
    path: &Path,
    config: &StoreConfig,
    reads: Receiver<BoxedJob>,
    writes: Receiver<BoxedJob>,
    counters: &Arc<Counters>,
    alive: &Alive,
) -> Result<(), StoreError> {
    let lock = lock(path)?;
    let writer = Writer {
        connection: open_writer(path)?,
        batch: config.batch.max(1),
        counters: counters.clone(),
    };
    for number in 0..config.readers.max(1) {
        let reader = Reader {
            connection: open_reader(path)?,
            counters: counters.clone(),
        };
        let (jobs, alive) = (reads.clone(), alive.clone());
        spawn(&format!("store-read-{number}"), move || {
            reader.run(&jobs);
            drop((reader, alive));
        })?;
    }
    let alive = alive.clone();
    spawn("store-write", move || {
        writer.run(&writes);
        drop((writer, lock, alive));
    })
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map(drop)
        .map_err(|error| StoreError::Database(error.to_string()))
}

/// Keeps a second process off the file. SQLite alone would let it in, and the two would
/// hold different truths in their caches.
fn lock(path: &Path) -> Result<File, StoreError> {
    let io = |error: std::io::Error| StoreError::Database(format!("{}: {error}", path.display()));
    if let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(directory).map_err(io)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = private(&PathBuf::from(name)).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Err(StoreError::InUse(path.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => return Err(io(error)),
    }
    // Made here so that nobody else can read it; SQLite's other files follow its mode.
    private(path).map_err(io)?;
    Ok(file)
}

/// Opens or creates a file that only its owner reads.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    prepare(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Every commit is on the disk before it is answered.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Savepoints keep their undo pages in memory.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    // Fewer, larger checkpoints than by default: 16 MiB of log.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    migrate::sqlite(&mut connection)?;
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Runs a statement that delimits a transaction.
fn delimit(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Ends a transaction without its changes, if one is open.
fn abandon(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    if let Err(error) = delimit(connection, "ROLLBACK") {
        tracing::error!(%error, "a transaction could not be undone");
    }
}

struct Writer {
    connection: Connection,
    batch: usize,
    counters: Arc<Counters>,
}

impl Writer {
    /// Until the queue is closed and empty: whatever has come while the last commit was
    /// under way makes the next batch.
    fn run(&self, jobs: &Receiver<BoxedJob>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = vec![first];
            batch.extend(jobs.try_iter().take(self.batch - 1));
            let committed = self.commit(&mut batch);
            if let Err(error) = &committed {
                tracing::error!(%error, writes = batch.len(), "a batch of writes failed");
                abandon(&self.connection);
            }
            for job in batch {
                job.finish(committed.clone());
            }
        }
        if let Err(error) = self.checkpoint() {
            tracing::warn!(%error, "the log could not be written back");
        }
    }

    fn commit(&self, batch: &mut [BoxedJob]) -> Result<(), StoreError> {
        delimit(&self.connection, "BEGIN IMMEDIATE")?;
        for job in batch.iter_mut() {
            self.run_one(job)?;
        }
        delimit(&self.connection, "COMMIT")?;
        self.counters.committed(batch.len());
        Ok(())
    }

    /// Runs one item of a batch; an error is the batch's, not the item's.
    fn run_one(&self, job: &mut BoxedJob) -> Result<(), StoreError> {
        count(&self.counters.writes);
        delimit(&self.connection, "SAVEPOINT item")?;
        let mut tx = Tx::new(TxConnection::Sqlite(&self.connection), &self.counters);
        let undo = job.run(&mut tx).is_err();
        // A full disk or a failed read makes SQLite give up the whole transaction.
        if self.connection.is_autocommit() {
            return Err(StoreError::Database("the transaction was given up".into()));
        }
        if undo {
            delimit(&self.connection, "ROLLBACK TO item")?;
        }
        delimit(&self.connection, "RELEASE item")
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

struct Reader {
    connection: Connection,
    counters: Arc<Counters>,
}

impl Reader {
    fn run(&self, jobs: &Receiver<BoxedJob>) {
        while let Ok(mut job) = jobs.recv() {
            count(&self.counters.reads);
            let done = self.run_one(&mut job);
            job.finish(done);
        }
    }

    /// One snapshot for everything that the operation reads.
    fn run_one(&self, job: &mut BoxedJob) -> Result<(), StoreError> {
        delimit(&self.connection, "BEGIN")?;
        let mut tx = Tx::new(TxConnection::Sqlite(&self.connection), &self.counters);
        let own = job.run(&mut tx);
        abandon(&self.connection);
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Queue;
    use crate::row::values;

    /// The commit is what checks this schema.
    const DEFERRED: &str = "
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (
            parent INTEGER NOT NULL REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);";

    #[test]
    fn a_commit_that_fails_fails_all_of_its_batch_and_nothing_else() {
        let connection = Connection::open_in_memory().expect("open");
        connection.execute_batch(DEFERRED).expect("schema");
        let counters = Arc::new(Counters::default());
        let writer = Writer {
            connection,
            batch: 8,
            counters: counters.clone(),
        };
        let (queue, jobs) = Queue::new(8);
        let parent = |id: i64| {
            move |tx: &mut Tx<'_>| tx.execute("INSERT INTO parent VALUES (?1)", values![id])
        };
        let orphan = |tx: &mut Tx<'_>| tx.execute("INSERT INTO child VALUES (7)", values![]);
        let count = |tx: &mut Tx<'_>| {
            tx.query_one("SELECT count(*) FROM parent", values![], |row| row.int(0))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let thread = runtime.expect("runtime").block_on(async {
            // Both wait when the thread begins, and so make one batch.
            let (good, bad, thread) = tokio::join!(
                queue.run(parent(1), &counters),
                queue.run(orphan, &counters),
                async { std::thread::spawn(move || writer.run(&jobs)) },
            );
            assert!(matches!(good, Err(StoreError::Constraint(_))), "{good:?}");
            assert!(matches!(bad, Err(StoreError::Constraint(_))), "{bad:?}");
            assert_eq!(queue.run(parent(2), &counters).await, Ok(1));
            assert_eq!(queue.run(count, &counters).await, Ok(Some(1)));
            queue.close();
            thread
        });
        thread.join().expect("the writer ends");
    }
}
