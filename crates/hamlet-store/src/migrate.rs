//! Versioned schemas: forward only, applied when the store is opened.

use crate::metrics::Counters;
use crate::postgres::Statements;
use crate::tx::Connection;
use crate::{StoreError, Tx};
use hamlet_model::Timestamp;

/// The schema that this version of Hamlet reads and writes.
pub const SCHEMA_VERSION: u32 = SQLITE.len() as u32;

/// The steps, from nothing to version 1, from 1 to 2, and so on. A step that has been
/// released is never changed.
const SQLITE: &[&str] = &[
    include_str!("migrations/sqlite/0001.sql"),
    include_str!("migrations/sqlite/0002.sql"),
    include_str!("migrations/sqlite/0003.sql"),
    include_str!("migrations/sqlite/0004.sql"),
    include_str!("migrations/sqlite/0005.sql"),
    include_str!("migrations/sqlite/0006.sql"),
    include_str!("migrations/sqlite/0007.sql"),
    include_str!("migrations/sqlite/0008.sql"),
];
const POSTGRES: &[&str] = &[
    include_str!("migrations/postgres/0001.sql"),
    include_str!("migrations/postgres/0002.sql"),
    include_str!("migrations/postgres/0003.sql"),
    include_str!("migrations/postgres/0004.sql"),
    include_str!("migrations/postgres/0005.sql"),
    include_str!("migrations/postgres/0006.sql"),
    include_str!("migrations/postgres/0007.sql"),
    include_str!("migrations/postgres/0008.sql"),
];
const _: () = assert!(SQLITE.len() == POSTGRES.len());

/// Held while migrating, so that of several servers that start together one does it. The
/// number means nothing.
const POSTGRES_LOCK: i64 = 0x68_61_6d_6c_65_74;

/// Brings a SQLite database up to date, one transaction for each step.
pub(crate) fn sqlite(connection: &mut rusqlite::Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (
             version INTEGER PRIMARY KEY, applied INTEGER NOT NULL) STRICT",
    )?;
    let found = connection.query_row(
        "SELECT coalesce(max(version), 0) FROM migration",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    for (version, step) in outstanding(found, SQLITE)? {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        let counters = Counters::default();
        let connection = Connection::Sqlite(&transaction, None);
        complete(version, &mut Tx::new(connection, &counters))?;
        transaction.execute(
            "INSERT INTO migration (version, applied) VALUES (?1, ?2)",
            (version, Timestamp::now().millis()),
        )?;
        transaction.commit()?;
        tracing::info!(version, "schema of the store brought up to date");
    }
    Ok(())
}

/// Brings a PostgreSQL database up to date, all in one transaction.
pub(crate) fn postgres(client: &mut postgres::Client) -> Result<(), StoreError> {
    let (counters, mut statements) = (Counters::default(), Statements::default());
    let mut transaction = client.transaction()?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&POSTGRES_LOCK])?;
    transaction.batch_execute(
        "CREATE TABLE IF NOT EXISTS migration (
             version BIGINT PRIMARY KEY, applied BIGINT NOT NULL)",
    )?;
    let found = transaction
        .query_one("SELECT coalesce(max(version), 0) FROM migration", &[])?
        .try_get::<_, i64>(0)?;
    let steps = outstanding(found, POSTGRES)?;
    install_trigrams(&mut transaction)?;
    let mut taken = Vec::new();
    for (version, step) in steps {
        transaction.batch_execute(step)?;
        transaction.execute(
            "INSERT INTO migration (version, applied) VALUES ($1, $2)",
            &[&version, &Timestamp::now().millis()],
        )?;
        taken.push(version);
    }
    let connection = Connection::Postgres(transaction, &mut statements);
    let mut tx = Tx::new(connection, &counters);
    taken
        .iter()
        .try_for_each(|version| complete(*version, &mut tx))?;
    if let Connection::Postgres(transaction, _) = tx.into_connection() {
        transaction.commit()?;
    }
    for version in taken {
        tracing::info!(version, "schema of the store brought up to date");
    }
    Ok(())
}

/// What a step does that SQL alone cannot.
fn complete(version: i64, tx: &mut Tx<'_>) -> Result<(), StoreError> {
    match version {
        4 => tx.follow_all_aliases(),
        _ => Ok(()),
    }
}

/// The index of parts of words needs it. The owner of a database may install it since
/// PostgreSQL 13, if the server has it at all.
fn install_trigrams(transaction: &mut postgres::Transaction<'_>) -> Result<(), StoreError> {
    const NAME: &str = "pg_trgm";
    let known = "SELECT 1 FROM pg_extension WHERE extname = $1";
    if transaction.query_opt(known, &[&NAME])?.is_some() {
        return Ok(());
    }
    transaction
        .batch_execute("CREATE EXTENSION pg_trgm")
        .map_err(|error| StoreError::Extension {
            name: NAME,
            why: StoreError::from(error).to_string(),
        })
}

/// The steps still to be done, each with the version that it leads to.
fn outstanding(
    found: i64,
    steps: &'static [&'static str],
) -> Result<impl Iterator<Item = (i64, &'static str)>, StoreError> {
    let done = usize::try_from(found).map_err(|_| StoreError::corrupt("schema version"))?;
    if done > steps.len() {
        return Err(StoreError::Newer {
            found: u32::try_from(found).unwrap_or(u32::MAX),
            known: SCHEMA_VERSION,
        });
    }
    Ok((1..).zip(steps.iter().copied()).skip(done))
}
