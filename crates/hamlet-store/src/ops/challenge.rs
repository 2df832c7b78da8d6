//! Login challenges that wait for their answer (csp-access 3.2).

use crate::ops::PURGE;
use crate::row::values;
use crate::{StoreError, Tx};
use hamlet_model::Timestamp;

/// The first half of a 4-way login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Whose second half may answer it: user, client and cookie in a form of the caller's.
    pub key: String,
    /// The nonce that was sent.
    pub nonce: String,
    /// What else the caller needs then.
    pub data: Vec<u8>,
    /// Until when the answer counts; the caller checks it.
    pub expires: Timestamp,
}

impl Tx<'_> {
    /// Stores a challenge, in place of an earlier one with its key.
    pub fn put_challenge(&mut self, challenge: &Challenge) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO challenge (key, nonce, data, expires) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (key) DO UPDATE SET nonce = excluded.nonce, data = excluded.data,
                 expires = excluded.expires",
            values![
                &challenge.key,
                &challenge.nonce,
                &challenge.data,
                challenge.expires
            ],
        )?;
        Ok(())
    }

    /// Removes a challenge and returns it: each is good for one answer.
    pub fn take_challenge(&mut self, key: &str) -> Result<Option<Challenge>, StoreError> {
        self.query_one(
            "DELETE FROM challenge WHERE key = ?1 RETURNING key, nonce, data, expires",
            values![key],
            |row| {
                Ok(Challenge {
                    key: row.text(0)?.to_owned(),
                    nonce: row.text(1)?.to_owned(),
                    data: row.blob(2)?,
                    expires: row.time(3)?,
                })
            },
        )
    }

    /// Removes challenges that expired before a time, at most some thousands; how many.
    /// More may be left unless it is 0.
    pub fn purge_challenges(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM challenge WHERE key IN
                 (SELECT key FROM challenge WHERE expires < ?1 ORDER BY expires LIMIT ?2)",
            values![before, PURGE],
        )
    }
}
