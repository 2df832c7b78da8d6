//! What waits for clients beside messages (csp-access 2.4): until one of the user's clients
//! has acknowledged it, or it expires.

use crate::ops::PURGE;
use crate::row::values;
use crate::{StoreError, Tx};
use hamlet_model::{Timestamp, UserId};

/// Something that waits for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPush {
    /// The user.
    pub user: UserId,
    /// Names it among those of the user.
    pub id: String,
    /// When it stops being worth delivering.
    pub expires: Timestamp,
    /// The thing itself, in a form that the store does not know.
    pub payload: Vec<u8>,
}

impl Tx<'_> {
    /// Keeps one, in place of one of the same name.
    pub fn put_push(&mut self, push: &StoredPush) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO push (user_id, id, expires, payload) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user_id, id)
             DO UPDATE SET expires = excluded.expires, payload = excluded.payload",
            values![&push.user, &push.id, push.expires, &push.payload],
        )?;
        Ok(())
    }

    /// At most `limit` of a user that have not expired by `now`, oldest first.
    pub fn pushes(
        &mut self,
        user: &UserId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredPush>, StoreError> {
        self.query(
            "SELECT id, expires, payload FROM push WHERE user_id = ?1 AND expires > ?2
             ORDER BY number LIMIT ?3",
            values![user, now, limit],
            |row| {
                Ok(StoredPush {
                    user: user.clone(),
                    id: row.text(0)?.to_owned(),
                    expires: row.time(1)?,
                    payload: row.blob(2)?,
                })
            },
        )
    }

    /// How many wait for a user.
    pub fn count_pushes(&mut self, user: &UserId) -> Result<usize, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM push WHERE user_id = ?1",
            values![user],
            |row| row.number(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Removes one; `false` when it was gone.
    pub fn remove_push(&mut self, user: &UserId, id: &str) -> Result<bool, StoreError> {
        let removed = self.execute(
            "DELETE FROM push WHERE user_id = ?1 AND id = ?2",
            values![user, id],
        )?;
        Ok(removed == 1)
    }

    /// Removes what has expired by `now`, at most some thousands; how many.
    pub fn purge_pushes(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM push WHERE number IN
                 (SELECT number FROM push WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
            values![now, PURGE],
        )
    }
}
