//! PostgreSQL: a number of threads, each with a connection, that share the queues. Writes
//! are serializable and run again when they conflict; the server groups commits itself.

use crate::config::StoreConfig;
use crate::job::BoxedJob;
use crate::metrics::{Counters, count};
use crate::store::Alive;
use crate::tx::Connection;
use crate::{StoreError, Tx, migrate};
use crossbeam_channel::Receiver;
use postgres::{Client, Config, IsolationLevel, NoTls, Statement, Transaction};
use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How often a transaction that conflicts is run before its caller is told.
const ATTEMPTS: u32 = 30;

/// How often an operation is begun again on a new connection.
const LOSSES: u32 = 3;

/// How long an operation waits for a connection that is lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest wait between two attempts to connect.
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// Connects, brings the schema up to date and starts the threads.
pub(crate) fn start(
    url: &str,
    config: &StoreConfig,
    reads: Receiver<BoxedJob>,
    writes: Receiver<BoxedJob>,
    counters: &Arc<Counters>,
    alive: &Alive,
) -> Result<(), StoreError> {
    let server = server(url)?;
    migrate_apart(&server)?;
    let pools = [
        ("read", Mode::Read, reads, config.readers),
        ("write", Mode::Write, writes, config.writers),
    ];
    for (name, mode, jobs, threads) in pools {
        for number in 0..threads.max(1) {
            let mut worker = Worker {
                server: server.clone(),
                mode,
                link: None,
                was_linked: false,
                counters: counters.clone(),
            };
            let (jobs, alive) = (jobs.clone(), alive.clone());
            spawn(format!("store-{name}-{number}"), move || {
                worker.run(&jobs);
                drop((worker, alive));
            })?;
        }
    }
    Ok(())
}

fn server(url: &str) -> Result<Config, StoreError> {
    let mut server: Config = url.parse().map_err(StoreError::from)?;
    if server.get_connect_timeout().is_none() {
        server.connect_timeout(PATIENCE);
    }
    if server.get_application_name().is_none() {
        server.application_name("hamletd");
    }
    server.tcp_user_timeout(Duration::from_secs(30));
    Ok(server)
}

/// On a thread of its own: the client must not be used inside an async runtime, and the
/// caller may be in one.
fn migrate_apart(server: &Config) -> Result<(), StoreError> {
    let server = server.clone();
    let migration = thread::spawn(move || migrate::postgres(&mut server.connect(NoTls)?));
    migration.join().unwrap_or(Err(StoreError::Panicked))
}

fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    let thread = thread::Builder::new().name(name).spawn(body);
    thread
        .map(drop)
        .map_err(|error| StoreError::Database(error.to_string()))
}

/// The prepared statements of one connection, by their text.
#[derive(Default)]
pub(crate) struct Statements(HashMap<&'static str, Statement>);

impl Statements {
    /// Prepares a statement once.
    pub(crate) fn prepared(
        &mut self,
        transaction: &mut Transaction<'_>,
        sql: &'static str,
    ) -> Result<Statement, postgres::Error> {
        match self.0.entry(sql) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(vacant) => {
                // Parameters are written as SQLite writes them; nothing else has a `?`.
                let statement = transaction.prepare(&sql.replace('?', "$"))?;
                Ok(vacant.insert(statement).clone())
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
}

struct Link {
    client: Client,
    statements: Statements,
}

struct Worker {
    server: Config,
    mode: Mode,
    link: Option<Link>,
    was_linked: bool,
    counters: Arc<Counters>,
}

/// What one run of an operation came to.
enum Verdict {
    /// It is over; an error here is the commit's.
    Done(Result<(), StoreError>),
    /// It conflicted with another transaction and had no effect.
    Conflicted,
    /// The connection was lost before the commit, so it had no effect.
    Lost(StoreError),
}

impl Worker {
    fn run(&mut self, jobs: &Receiver<BoxedJob>) {
        while let Ok(mut job) = jobs.recv() {
            count(match self.mode {
                Mode::Read => &self.counters.reads,
                Mode::Write => &self.counters.writes,
            });
            let done = self.run_job(&mut job);
            job.finish(done);
        }
    }

    fn run_job(&mut self, job: &mut BoxedJob) -> Result<(), StoreError> {
        let deadline = job.queued() + PATIENCE;
        let (mut attempt, mut losses) = (0, 0);
        loop {
            self.connect(deadline)?;
            match self.attempt(job) {
                Verdict::Done(done) => return done,
                Verdict::Conflicted if attempt < ATTEMPTS => {
                    count(&self.counters.retries);
                    thread::sleep(pause(attempt));
                    attempt += 1;
                }
                Verdict::Conflicted => return Err(StoreError::Conflict),
                Verdict::Lost(error) => {
                    tracing::warn!(%error, "the connection to the database was lost");
                    self.link = None;
                    losses += 1;
                    if losses == LOSSES || Instant::now() >= deadline {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Makes sure that there is a connection; tries at least once, and again until the
    /// deadline.
    fn connect(&mut self, deadline: Instant) -> Result<(), StoreError> {
        if self
            .link
            .as_ref()
            .is_some_and(|link| !link.client.is_closed())
        {
            return Ok(());
        }
        let mut backoff = Duration::from_millis(20);
        loop {
            match self.server.connect(NoTls) {
                Ok(client) => {
                    if self.was_linked {
                        count(&self.counters.reconnects);
                    }
                    self.was_linked = true;
                    self.link = Some(Link {
                        client,
                        statements: Statements::default(),
                    });
                    return Ok(());
                }
                Err(error) if Instant::now() + backoff >= deadline => return Err(error.into()),
                Err(_) => thread::sleep(backoff),
            }
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }

    fn attempt(&mut self, job: &mut BoxedJob) -> Verdict {
        let Some(link) = &mut self.link else {
            return Verdict::Lost(StoreError::Unavailable("no connection".into()));
        };
        // A snapshot is all that a read needs, and it never conflicts.
        let (level, read_only) = match self.mode {
            Mode::Read => (IsolationLevel::RepeatableRead, true),
            Mode::Write => (IsolationLevel::Serializable, false),
        };
        let builder = link.client.build_transaction();
        let transaction = match builder.isolation_level(level).read_only(read_only).start() {
            Ok(transaction) => transaction,
            Err(error) => return failed(error.into()),
        };
        let connection = Connection::Postgres(transaction, &mut link.statements);
        let mut tx = Tx::new(connection, &self.counters);
        let own = job.run(&mut tx);
        // The first error counts, whatever the operation made of it.
        let own = tx.failure().map_or(own, Err);
        let Connection::Postgres(transaction, _) = tx.into_connection() else {
            return Verdict::Done(own);
        };
        if let Err(error) = own {
            // When even this fails the connection is lost, and the next attempt sees it.
            let _ = transaction.rollback();
            return failed(error);
        }
        let began = Instant::now();
        match transaction.commit().map_err(StoreError::from) {
            Ok(()) => {
                if self.mode == Mode::Write {
                    self.counters.committed(1, began.elapsed());
                }
                Verdict::Done(Ok(()))
            }
            Err(StoreError::Conflict) => Verdict::Conflicted,
            Err(StoreError::Unavailable(error)) if self.mode == Mode::Write => {
                self.link = None;
                Verdict::Done(Err(StoreError::Unknown(error)))
            }
            Err(error) => Verdict::Done(Err(error)),
        }
    }
}

fn failed(error: StoreError) -> Verdict {
    match error {
        StoreError::Conflict => Verdict::Conflicted,
        StoreError::Unavailable(_) => Verdict::Lost(error),
        error => Verdict::Done(Err(error)),
    }
}

/// How long to keep out of the others' way: longer each time, and not the same for all.
fn pause(attempt: u32) -> Duration {
    let longest = 500 << attempt.min(7);
    let chance = RandomState::new().hash_one(Instant::now());
    Duration::from_micros(chance % longest)
}
