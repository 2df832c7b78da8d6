//! The transaction that is open: writes of several callers, which share its commit.

use super::answers::Answers;
use super::{abandon, delimit};
use crate::job::BoxedJob;
use crate::metrics::{Counters, count};
use crate::tx::Connection as TxConnection;
use crate::{StoreError, Tx};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Instant;

pub(super) struct Batch {
    connection: Connection,
    answers: Answers,
    counters: Arc<Counters>,
    jobs: Vec<BoxedJob>,
    /// An error is that of all its writes.
    outcome: Result<(), StoreError>,
    guard: Guard,
}

/// How the writes of a batch are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Not at all, which is the cheapest: none has failed so far.
    None,
    /// Each in a savepoint.
    Savepoints,
}

impl Batch {
    pub(super) fn new(connection: Connection, answers: Answers, counters: Arc<Counters>) -> Self {
        Self {
            connection,
            answers,
            counters,
            jobs: Vec::new(),
            outcome: Ok(()),
            guard: Guard::None,
        }
    }

    /// Carries out one more write.
    pub(super) fn add(&mut self, mut job: BoxedJob) {
        count(&self.counters.writes);
        if self.jobs.is_empty() {
            self.outcome = delimit(&self.connection, "BEGIN IMMEDIATE");
            self.guard = Guard::None;
        }
        if self.outcome.is_ok() {
            self.outcome = self.run_beside_others(&mut job);
        }
        self.jobs.push(job);
    }

    /// Commits, and answers everybody once that is on the disk.
    pub(super) fn commit(&mut self) {
        let began = Instant::now();
        let outcome = std::mem::replace(&mut self.outcome, Ok(()));
        let outcome = outcome.and_then(|()| delimit(&self.connection, "COMMIT"));
        match &outcome {
            Ok(()) => {
                self.counters.committed(self.jobs.len(), began.elapsed());
                self.answers.keep();
            }
            Err(error) => {
                tracing::error!(%error, writes = self.jobs.len(), "a batch of writes failed");
                self.abandon();
            }
        }
        for job in self.jobs.drain(..) {
            job.finish(outcome.clone());
        }
    }

    /// Makes the log a part of the file.
    pub(super) fn close(self) {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        if let Err(error) = self.connection.query_row(checkpoint, [], |_| Ok(())) {
            tracing::warn!(%error, "the log could not be written back");
        }
    }

    /// An error is the batch's, not the write's.
    fn run_beside_others(&mut self, job: &mut BoxedJob) -> Result<(), StoreError> {
        if self.guard == Guard::None {
            if self.run(job).is_ok() && !self.connection.is_autocommit() {
                return Ok(());
            }
            // What the write has done cannot be undone alone: all is undone, and done again
            // with marks to return to.
            self.guard = Guard::Savepoints;
            self.abandon();
            delimit(&self.connection, "BEGIN IMMEDIATE")?;
            let mut earlier = std::mem::take(&mut self.jobs);
            let done = earlier.iter_mut().try_for_each(|job| self.run_guarded(job));
            self.jobs = earlier;
            done?;
        }
        self.run_guarded(job)
    }

    fn run_guarded(&mut self, job: &mut BoxedJob) -> Result<(), StoreError> {
        delimit(&self.connection, "SAVEPOINT item")?;
        let mark = self.answers.mark();
        let undo = self.run(job).is_err();
        // A full disk or a failed read makes SQLite give up the whole transaction.
        if self.connection.is_autocommit() {
            return Err(StoreError::Database("the transaction was given up".into()));
        }
        if undo {
            delimit(&self.connection, "ROLLBACK TO item")?;
            self.answers.undo(mark);
        }
        delimit(&self.connection, "RELEASE item")
    }

    fn run(&mut self, job: &mut BoxedJob) -> Result<(), StoreError> {
        let connection = TxConnection::Sqlite(&self.connection, Some(&mut self.answers));
        job.run(&mut Tx::new(connection, &self.counters))
    }

    fn abandon(&mut self) {
        abandon(&self.connection);
        self.answers.undo(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Remembered;
    use crate::job::queued;
    use crate::row::values;
    use futures::FutureExt;
    use hamlet_model::Timestamp;

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
        let mut batch = Batch::new(connection, Answers::default(), counters.clone());
        let parent = |id: i64| {
            let op =
                move |tx: &mut Tx<'_>| tx.execute("INSERT INTO parent VALUES (?1)", values![id]);
            queued(op, &counters)
        };
        let orphan = |tx: &mut Tx<'_>| tx.execute("INSERT INTO child VALUES (7)", values![]);
        let (good, good_answer) = parent(1);
        let (bad, bad_answer) = queued(orphan, &counters);
        batch.add(good);
        batch.add(bad);
        batch.commit();
        for answer in [good_answer.now_or_never(), bad_answer.now_or_never()] {
            assert!(
                matches!(answer, Some(Err(StoreError::Constraint(_)))),
                "{answer:?}"
            );
        }
        let (next, next_answer) = parent(2);
        batch.add(next);
        batch.commit();
        assert_eq!(next_answer.now_or_never(), Some(Ok(1)));
        let parents = "SELECT id FROM parent";
        let id = batch.connection.query_row(parents, [], |row| row.get(0));
        assert_eq!(id, Ok(2));
    }
    #[test]
    fn what_a_failed_write_remembered_is_undone_and_its_neighbours_is_not() {
        let mut connection = Connection::open_in_memory().expect("open");
        crate::migrate::sqlite(&mut connection).expect("schema");
        let counters = Arc::new(Counters::default());
        let answers = Answers::load(&connection).expect("load");
        let mut batch = Batch::new(connection, answers, counters.clone());
        let remember = |id: &'static str, fails: bool| {
            let op = move |tx: &mut Tx<'_>| {
                let found = tx.remember("s", id, 1, b"", Timestamp::from_secs(1))?;
                let error = || StoreError::Constraint("of the test".into());
                if fails { Err(error()) } else { Ok(found) }
            };
            queued(op, &counters)
        };
        let run = |batch: &mut Batch, ids: &[(&'static str, bool)]| -> Vec<_> {
            let answers: Vec<_> = ids
                .iter()
                .map(|(id, fails)| {
                    let (job, answer) = remember(id, *fails);
                    batch.add(job);
                    answer
                })
                .collect();
            batch.commit();
            let now = answers.into_iter().map(|answer| answer.now_or_never());
            now.map(|answer| answer.and_then(Result::ok)).collect()
        };
        let known = Remembered::Known {
            hash: 1,
            answer: Vec::new(),
        };
        let first = run(
            &mut batch,
            &[("1", false), ("2", true), ("3", false), ("4", true)],
        );
        let new = Some(Remembered::New);
        assert_eq!(first, [new.clone(), None, new.clone(), None]);
        let again = run(
            &mut batch,
            &[("1", false), ("2", false), ("3", false), ("4", false)],
        );
        assert_eq!(again, [Some(known.clone()), new.clone(), Some(known), new]);
    }
}
