//! What has been answered, so that a repeated request is answered and not carried out
//! again (csp-access 2.3).

use crate::ops::PURGE;
use crate::row::{Row, values};
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
        let recorded = self.execute(
            "INSERT INTO remembered (scope, id, hash, answered, answer)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (scope, id) DO NOTHING",
            values![scope, id, hash, at, answer],
        )?;
        if recorded == 1 {
            return Ok(Remembered::New);
        }
        let (hash, answer) = self
            .remembered(scope, id)?
            .ok_or_else(|| StoreError::corrupt("a record is there and is not"))?;
        Ok(Remembered::Known { hash, answer })
    }

    /// The recorded hash and answer.
    pub fn remembered(
        &mut self,
        scope: &str,
        id: &str,
    ) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
        self.query_one(
            "SELECT hash, answer FROM remembered WHERE scope = ?1 AND id = ?2",
            values![scope, id],
            record,
        )
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
        // Either way the record gets a new number: it is the newest now.
        let sql = dialects(
            "REPLACE INTO remembered (scope, id, hash, answered, answer)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            "INSERT INTO remembered (scope, id, hash, answered, answer)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (scope, id) DO UPDATE
             SET seq = DEFAULT, hash = excluded.hash, answered = excluded.answered,
                 answer = excluded.answer",
        );
        self.execute(sql, values![scope, id, hash, at, answer])?;
        Ok(())
    }

    /// Forgets everything of a scope; how many records.
    pub fn forget_scope(&mut self, scope: &str) -> Result<u64, StoreError> {
        self.execute("DELETE FROM remembered WHERE scope = ?1", values![scope])
    }

    /// Forgets answers given before a time, at most some thousands; how many. More may be
    /// left unless it is 0. (A clock that was set back delays this, by as much.)
    pub fn purge_remembered(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM remembered WHERE seq IN
                 (SELECT seq FROM
                      (SELECT seq, answered FROM remembered ORDER BY seq LIMIT ?2) AS oldest
                  WHERE answered < ?1)",
            values![before, PURGE],
        )
    }
}
