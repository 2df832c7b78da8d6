//! What is on its way to other domains: committed with the change that caused it, sent
//! until it is acknowledged or expires.

use crate::row::{Row, as_stored, values};
use crate::{StoreError, Tx};
use hamlet_model::{Domain, Timestamp};

/// Something for another domain, before it has a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutboxEntry {
    /// Where it goes.
    pub destination: Domain,
    /// The thing itself, in a form that the store does not know.
    pub payload: Vec<u8>,
    /// When it stops being worth sending.
    pub expires: Timestamp,
    /// When it is to be sent first.
    pub next_attempt: Timestamp,
}

/// Something for another domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its number: later entries have larger ones, and none is given twice.
    pub id: i64,
    /// Where it goes.
    pub destination: Domain,
    /// The thing itself.
    pub payload: Vec<u8>,
    /// When it stops being worth sending.
    pub expires: Timestamp,
    /// How often sending it has failed.
    pub attempts: u32,
    /// When it is to be sent.
    pub next_attempt: Timestamp,
}

/// The columns that [`entry`] reads.
macro_rules! columns {
    () => {
        "id, destination, payload, expires, attempts, next_attempt"
    };
}

fn entry(row: &Row<'_>) -> Result<OutboxEntry, StoreError> {
    Ok(OutboxEntry {
        id: row.int(0)?,
        destination: as_stored(row.text(1)?)?,
        payload: row.blob(2)?,
        expires: row.time(3)?,
        attempts: row.number(4)?,
        next_attempt: row.time(5)?,
    })
}

impl Tx<'_> {
    /// Adds an entry; its number.
    pub fn put_outbox(&mut self, entry: &NewOutboxEntry) -> Result<i64, StoreError> {
        let id = self.query_one(
            "INSERT INTO outbox (destination, payload, expires, attempts, next_attempt)
             VALUES (?1, ?2, ?3, 0, ?4) RETURNING id",
            values![
                &entry.destination,
                &entry.payload,
                entry.expires,
                entry.next_attempt
            ],
            |row| row.int(0),
        )?;
        id.ok_or_else(|| StoreError::corrupt("an outbox entry got no number"))
    }

    /// At most `limit` entries that are to be sent by `now`, longest due first.
    pub fn outbox_due(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM outbox WHERE next_attempt <= ?1 ORDER BY next_attempt, id LIMIT ?2"
            ),
            values![now, limit],
            entry,
        )
    }

    /// At most `limit` entries for a domain in their order, from the one after number
    /// `after`.
    pub fn outbox_of(
        &mut self,
        destination: &Domain,
        after: i64,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM outbox WHERE destination = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
            ),
            values![destination, after, limit],
            entry,
        )
    }

    /// The domains for which something waits.
    pub fn outbox_destinations(&mut self) -> Result<Vec<Domain>, StoreError> {
        self.query(
            "SELECT DISTINCT destination FROM outbox ORDER BY destination",
            values![],
            |row| as_stored(row.text(0)?),
        )
    }

    /// One entry.
    pub fn outbox_entry(&mut self, id: i64) -> Result<Option<OutboxEntry>, StoreError> {
        self.query_one(
            concat!("SELECT ", columns!(), " FROM outbox WHERE id = ?1"),
            values![id],
            entry,
        )
    }

    /// Notes a failed attempt and when to try again; `false` when the entry is gone.
    pub fn retry_outbox(&mut self, id: i64, next: Timestamp) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE outbox SET attempts = attempts + 1, next_attempt = ?2 WHERE id = ?1",
            values![id, next],
        )?;
        Ok(changed == 1)
    }

    /// Sets when an entry is to be sent, which is no attempt; `false` when it is gone.
    pub fn put_off_outbox(&mut self, id: i64, next: Timestamp) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE outbox SET next_attempt = ?2 WHERE id = ?1",
            values![id, next],
        )?;
        Ok(changed == 1)
    }

    /// Removes an entry; `false` when it was gone.
    pub fn remove_outbox(&mut self, id: i64) -> Result<bool, StoreError> {
        let removed = self.execute("DELETE FROM outbox WHERE id = ?1", values![id])?;
        Ok(removed == 1)
    }

    /// Removes at most `limit` entries that have expired by `now`, and returns them in the
    /// order of their numbers.
    pub fn take_expired_outbox(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let mut expired = self.query(
            concat!(
                "DELETE FROM outbox WHERE id IN
                     (SELECT id FROM outbox WHERE expires <= ?1 ORDER BY expires LIMIT ?2)
                 RETURNING ",
                columns!()
            ),
            values![now, limit],
            entry,
        )?;
        expired.sort_unstable_by_key(|entry| entry.id);
        Ok(expired)
    }
}
