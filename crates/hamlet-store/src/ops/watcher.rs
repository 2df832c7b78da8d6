//! Who has looked at whose presence (csp-presence 5). That a subscription has ended the
//! database notes by itself, in whatever way it ends.

use crate::ops::PURGE;
use crate::row::{to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{Timestamp, UserId};

/// Somebody who has looked at a publisher's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerWatcher {
    /// Who.
    pub watcher: UserId,
    /// He was subscribed; else he has only asked for it.
    pub subscribed: bool,
    /// When he last did, or was.
    pub last: Timestamp,
}

impl Tx<'_> {
    /// Notes that a user has asked for the presence of these publishers.
    pub fn note_access(
        &mut self,
        watcher: &UserId,
        publishers: &[UserId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = dialects(
            "INSERT INTO watcher_log (publisher, watcher, kind, last)
             SELECT value, ?1, 0, ?2 FROM json_each(?3) WHERE true
             ON CONFLICT (publisher, watcher, kind) DO UPDATE SET last = excluded.last",
            "INSERT INTO watcher_log (publisher, watcher, kind, last)
             SELECT DISTINCT value, CAST(?1 AS text), 0, CAST(?2 AS bigint)
             FROM jsonb_array_elements_text(CAST(?3 AS text)::jsonb) AS given (value)
             ON CONFLICT (publisher, watcher, kind) DO UPDATE SET last = excluded.last",
        );
        self.execute(sql, values![watcher, now, &to_json(publishers)?])
            .map(drop)
    }

    /// Who has looked at a publisher's presence since then, the latest first, at most `limit`
    /// entries; a user may have two.
    pub fn former_watchers(
        &mut self,
        publisher: &UserId,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<FormerWatcher>, StoreError> {
        self.query(
            "SELECT watcher, kind, last FROM watcher_log
             WHERE publisher = ?1 AND last >= ?2 ORDER BY last DESC, watcher LIMIT ?3",
            values![publisher, since, limit],
            |row| {
                Ok(FormerWatcher {
                    watcher: row.user(0)?,
                    subscribed: row.flag(1)?,
                    last: row.time(2)?,
                })
            },
        )
    }

    /// Forgets who has last looked before this, at most some thousands; how many.
    pub fn purge_watchers(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM watcher_log WHERE (publisher, watcher, kind) IN
                 (SELECT publisher, watcher, kind FROM watcher_log
                  WHERE last < ?1 ORDER BY last LIMIT ?2)",
            values![before, PURGE],
        )
    }
}
