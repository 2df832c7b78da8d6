//! A transaction: what the operations are written on.

use crate::StoreError;
use crate::metrics::{Counters, count};
use crate::postgres::Statements;
use crate::row::{Row, Value};
use crate::sqlite::Answers;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use rusqlite::StatementStatus;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// A transaction in which the operations are carried out. Its methods are the operations;
/// each is one short statement or few.
///
/// When one fails, the error must be returned: the transaction is then undone, and it is
/// undone as well if the error is swallowed.
pub struct Tx<'c> {
    connection: Connection<'c>,
    counters: &'c Counters,
    failure: Option<StoreError>,
}

/// The engine's part.
pub(crate) enum Connection<'c> {
    /// The directory is with the connection that writes.
    Sqlite(&'c rusqlite::Connection, Option<&'c mut Answers>),
    Postgres(postgres::Transaction<'c>, &'c mut Statements),
}

/// Which engine it is, where more than a dialect depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A statement; where the dialects differ, once for each. Parameters are `?1`, `?2`, …
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Self {
        Self {
            sqlite: both,
            postgres: both,
        }
    }
}

/// A statement whose dialects differ.
pub(crate) fn dialects(sqlite: &'static str, postgres: &'static str) -> Sql {
    Sql { sqlite, postgres }
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: Connection<'c>, counters: &'c Counters) -> Self {
        Self {
            connection,
            counters,
            failure: None,
        }
    }

    /// The engine's part, when everything has been done.
    pub(crate) fn into_connection(self) -> Connection<'c> {
        self.connection
    }

    /// The first error of any operation.
    pub(crate) fn failure(&self) -> Option<StoreError> {
        self.failure.clone()
    }

    pub(crate) fn engine(&self) -> Engine {
        match self.connection {
            Connection::Sqlite(..) => Engine::Sqlite,
            Connection::Postgres(..) => Engine::Postgres,
        }
    }

    /// Where remembered answers lie, if their table has no index.
    pub(crate) fn answers(&mut self) -> Option<&mut Answers> {
        match &mut self.connection {
            Connection::Sqlite(_, answers) => answers.as_deref_mut(),
            Connection::Postgres(..) => None,
        }
    }

    /// The directory and the number of the row that was made last.
    pub(crate) fn answers_and_newest_row(&mut self) -> Option<(&mut Answers, i64)> {
        match &mut self.connection {
            Connection::Sqlite(connection, Some(answers)) => {
                Some((answers, connection.last_insert_rowid()))
            }
            _ => None,
        }
    }

    /// Runs a statement; the number of rows that it changed.
    pub(crate) fn execute(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let sql = sql.into();
        count(&self.counters.statements);
        let changed = match &mut self.connection {
            Connection::Sqlite(connection, _) => connection
                .prepare_cached(sql.sqlite)
                .and_then(|mut statement| {
                    let changed = statement.execute(rusqlite::params_from_iter(values));
                    note_scan(self.counters, &statement);
                    changed
                })
                .map(|changed| changed as u64)
                .map_err(StoreError::from),
            Connection::Postgres(transaction, statements) => statements
                .prepared(transaction, sql.postgres)
                .and_then(|statement| transaction.execute(&statement, &parameters(values)))
                .map_err(StoreError::from),
        };
        self.noting(changed)
    }

    /// Runs a statement and hands over its rows as they come.
    pub(crate) fn for_each(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sql = sql.into();
        count(&self.counters.statements);
        let done = match &mut self.connection {
            Connection::Sqlite(connection, _) => {
                for_each_sqlite(connection, self.counters, sql.sqlite, values, &mut each)
            }
            Connection::Postgres(transaction, statements) => {
                for_each_postgres(transaction, statements, sql.postgres, values, &mut each)
            }
        };
        self.noting(done)
    }

    /// Runs a statement; its rows.
    pub(crate) fn query<T>(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        self.for_each(sql, values, |row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs a statement; its only row, if there is one.
    pub(crate) fn query_one<T>(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.query(sql, values, read)?.pop())
    }

    /// Runs a statement that was made for this occasion, and hands over its rows until one is
    /// enough.
    pub(crate) fn scan(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        count(&self.counters.statements);
        let done = match &mut self.connection {
            Connection::Sqlite(connection, _) => scan_sqlite(connection, sql, values, &mut each),
            Connection::Postgres(transaction, _) => {
                scan_postgres(transaction, sql, values, &mut each)
            }
        };
        self.noting(done)
    }

    /// Lets the statements of this transaction take time until then. On PostgreSQL they are
    /// also kept to indices: the planner must not take a table for small, nor compile a
    /// statement that runs once.
    pub(crate) fn hurry(&mut self, deadline: Instant) -> Result<(), StoreError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let done = match &mut self.connection {
            _ if left.is_zero() => Err(StoreError::TimedOut),
            Connection::Sqlite(..) => Ok(()),
            Connection::Postgres(transaction, _) => transaction
                .batch_execute(&format!(
                    "SET LOCAL statement_timeout = {}; SET LOCAL enable_seqscan = off;
                     SET LOCAL jit = off",
                    left.as_millis().clamp(1, 3_600_000)
                ))
                .map_err(StoreError::from),
        };
        self.noting(done)
    }

    fn noting<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.failure.get_or_insert_with(|| error.clone());
        }
        result
    }
}

fn for_each_sqlite(
    connection: &rusqlite::Connection,
    counters: &Counters,
    sql: &str,
    values: &[Value<'_>],
    each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        each(&Row::Sqlite(row))?;
    }
    drop(rows);
    note_scan(counters, &statement);
    Ok(())
}

/// Counts the rows that a statement has visited because no index led to what it wanted.
fn note_scan(counters: &Counters, statement: &rusqlite::Statement<'_>) {
    let rows = statement.reset_status(StatementStatus::FullscanStep);
    if let Ok(rows @ 1..) = u64::try_from(rows) {
        counters.scanned.fetch_add(rows, Relaxed);
    }
}

fn for_each_postgres(
    transaction: &mut postgres::Transaction<'_>,
    statements: &mut Statements,
    sql: &'static str,
    values: &[Value<'_>],
    each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let statement = statements.prepared(transaction, sql)?;
    let mut rows = transaction.query_raw(&statement, parameters(values))?;
    while let Some(row) = rows.next()? {
        each(&Row::Postgres(&row))?;
    }
    Ok(())
}

fn scan_sqlite(
    connection: &rusqlite::Connection,
    sql: &str,
    values: &[Value<'_>],
    each: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        if each(&Row::Sqlite(row))?.is_break() {
            break;
        }
    }
    Ok(())
}

fn scan_postgres(
    transaction: &mut postgres::Transaction<'_>,
    sql: &str,
    values: &[Value<'_>],
    each: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let statement = transaction.prepare(&sql.replace('?', "$"))?;
    let mut rows = transaction.query_raw(&statement, parameters(values))?;
    while let Some(row) = rows.next()? {
        if each(&Row::Postgres(&row))?.is_break() {
            break;
        }
    }
    Ok(())
}

fn parameters<'a>(values: &'a [Value<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(Value::as_postgres).collect()
}
