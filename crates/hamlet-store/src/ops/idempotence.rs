//! What has been answered, so that a repeated request is answered and not carried out
//! again (csp-access 2.3).

use crate::ops::PURGE;
use crate::row::{Row, to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::Timestamp;

/// What [`Tx::remember`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remembered {
    /// Nothing: the answer has been recorded.
    New,
    /// An earlier record under this identifier; it is left as it is.
    Known {
        /// Hash of the earlier request.
        hash: i64,
        /// The earlier answer.
        answer: Vec<u8>,
    },
}

fn record(row: &Row<'_>) -> Result<(i64, Vec<u8>), StoreError> {
    Ok((row.int(0)?, row.blob(1)?))
}

const BY_NUMBER: &str =
    "SELECT hash, answer FROM remembered WHERE seq = ?1 AND scope = ?2 AND id = ?3";
/// Without the directory of a SQLite connection that writes, this reads its whole table.
const BY_NAME: &str = "SELECT hash, answer FROM remembered WHERE scope = ?1 AND id = ?2";

impl Tx<'_> {
    /// Records the answer to request `id` of `scope` (a session or a domain), unless there
    /// is a record. Called together with what the request changes.
    pub fn remember(
        &mut self,
        scope: &str,
        id: &str,
        hash: i64,
        answer: &[u8],
        at: Timestamp,
    ) -> Result<Remembered, StoreError> {
        if let Some((hash, answer)) = self.looked_up(scope, id)? {
            return Ok(Remembered::Known { hash, answer });
        }
        let sql = dialects(
            "INSERT INTO remembered (scope, id, hash, answered, answer)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            "INSERT INTO remembered (scope, id, hash, answered, answer)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (scope, id) DO NOTHING",
        );
        if self.execute(sql, values![scope, id, hash, at, answer])? == 1 {
            self.note_newest(scope, id);
            return Ok(Remembered::New);
        }
        let (hash, answer) = self
            .remembered(scope, id)?
            .ok_or_else(|| StoreError::corrupt("a record is there and is not"))?;
        Ok(Remembered::Known { hash, answer })
    }

    /// The recorded hash and answer. Meant for transactions that write: a reader of SQLite
    /// has to look through all records.
    pub fn remembered(
        &mut self,
        scope: &str,
        id: &str,
    ) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
        if self.answers().is_some() {
            return self.looked_up(scope, id);
        }
        self.query_one(BY_NAME, values![scope, id], record)
    }

    /// Records an answer in place of an earlier one.
    pub fn replace_remembered(
        &mut self,
        scope: &str,
        id: &str,
        hash: i64,
        answer: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(number) = self.answers().and_then(|answers| answers.find(scope, id)) {
            self.execute("DELETE FROM remembered WHERE seq = ?1", values![number])?;
        }
        // Either way the record gets a new number: it is the newest now.
        let sql = dialects(
            "INSERT INTO remembered (scope, id, hash, answered, answer)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            "INSERT INTO remembered (scope, id, hash, answered, answer)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (scope, id) DO UPDATE
             SET seq = DEFAULT, hash = excluded.hash, answered = excluded.answered,
                 answer = excluded.answer",
        );
        self.execute(sql, values![scope, id, hash, at, answer])?;
        self.note_newest(scope, id);
        Ok(())
    }

    /// Forgets everything of a scope; how many records.
    pub fn forget_scope(&mut self, scope: &str) -> Result<u64, StoreError> {
        let Some(numbers) = self.answers().map(|answers| answers.take_scope(scope)) else {
            return self.execute("DELETE FROM remembered WHERE scope = ?1", values![scope]);
        };
        if numbers.is_empty() {
            return Ok(0);
        }
        self.execute(
            "DELETE FROM remembered WHERE seq IN (SELECT value FROM json_each(?1))",
            values![&to_json(&numbers)?],
        )
    }

    /// Forgets answers given before a time, at most some thousands; how many. More may be
    /// left unless it is 0. (A clock that was set back delays this, by as much.)
    pub fn purge_remembered(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let gone = self.query(
            "DELETE FROM remembered WHERE seq IN
                 (SELECT seq FROM
                      (SELECT seq, answered FROM remembered ORDER BY seq LIMIT ?2) AS oldest
                  WHERE answered < ?1)
             RETURNING scope, id",
            values![before, PURGE],
            |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())),
        )?;
        if let Some(answers) = self.answers() {
            for (scope, id) in &gone {
                answers.remove(scope, id);
            }
        }
        Ok(gone.len() as u64)
    }

    /// The record that the directory knows, if there is a directory.
    fn looked_up(&mut self, scope: &str, id: &str) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
        match self.answers().and_then(|answers| answers.find(scope, id)) {
            Some(number) => self.query_one(BY_NUMBER, values![number, scope, id], record),
            None => Ok(None),
        }
    }

    /// Enters the record that was made last into the directory, if there is one.
    fn note_newest(&mut self, scope: &str, id: &str) {
        if let Some((answers, row)) = self.answers_and_newest_row() {
            answers.put(scope, id, row);
        }
    }
}
