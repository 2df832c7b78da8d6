//! Numbers that are never given twice.

use crate::row::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Reserves `count` numbers of the counter `name` and returns the first; counters begin
    /// at 1. A block is never given again, whatever happens to the numbers in it.
    pub fn reserve(&mut self, name: &str, count: u64) -> Result<u64, StoreError> {
        let first = self.query_one(
            "INSERT INTO counter (name, next) VALUES (?1, 1 + CAST(?2 AS BIGINT))
             ON CONFLICT (name) DO UPDATE SET next = counter.next + CAST(?2 AS BIGINT)
             RETURNING next - CAST(?2 AS BIGINT)",
            values![name, count],
            |row| row.number(0),
        )?;
        first.ok_or_else(|| StoreError::corrupt("a counter gave no number"))
    }
}
