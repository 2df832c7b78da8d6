//! SQLite: one thread that writes and commits in batches, a few that read.

mod answers;
mod batch;

pub(crate) use self::answers::Answers;
use self::batch::Batch;
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
    let connection = open_writer(path)?;
    let answers = Answers::load(&connection)?;
    let batch = Batch::new(connection, answers, counters.clone());
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
    let (limit, alive) = (config.batch.max(1), alive.clone());
    spawn("store-write", move || {
        write(batch, &writes, limit);
        drop((lock, alive));
    })
}

/// Until the queue is closed and empty: whatever has come while the last commit was under way
/// makes the next batch.
fn write(mut batch: Batch, jobs: &Receiver<BoxedJob>, limit: usize) {
    while let Ok(first) = jobs.recv() {
        batch.add(first);
        for job in jobs.try_iter().take(limit - 1) {
            batch.add(job);
        }
        batch.commit();
    }
    batch.close();
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
        let mut tx = Tx::new(TxConnection::Sqlite(&self.connection, None), &self.counters);
        let own = job.run(&mut tx);
        abandon(&self.connection);
        own
    }
}
