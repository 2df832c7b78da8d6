//! Searches that are told page by page (csp-access 9.2): what they found, and how far they
//! have been told.

use crate::ops::PURGE;
use crate::row::values;
use crate::{StoreError, Tx};
use hamlet_model::{SessionId, Timestamp};

/// A search of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchCursor {
    /// The session.
    pub session: SessionId,
    /// Its number in the session, below 2^31.
    pub id: u32,
    /// Hits in a page.
    pub page: u32,
    /// The last hit that has been told, from 1; 0 before any.
    pub delivered: u32,
    /// How many hits there are.
    pub total: u32,
    /// When it ends unless it is used.
    pub expires: Timestamp,
}

impl Tx<'_> {
    /// Keeps a search under its number, or under the next that is free in the session; the
    /// number. Of more than `most` searches of the session those go that were used longest
    /// ago.
    pub fn put_search(
        &mut self,
        search: &SearchCursor,
        hits: &[u8],
        most: usize,
    ) -> Result<u32, StoreError> {
        let mut kept = self.query(
            "SELECT id FROM search WHERE session = ?1 ORDER BY expires DESC, id",
            values![&search.session],
            |row| row.number::<u32>(0),
        )?;
        let surplus = kept.split_off(kept.len().min(most.saturating_sub(1)));
        for id in surplus {
            self.drop_search(&search.session, id)?;
        }
        let mut id = search.id;
        while kept.contains(&id) {
            id = (id + 1) % (1 << 31);
        }
        self.execute(
            "INSERT INTO search (session, id, page, delivered, total, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            values![
                &search.session,
                id,
                search.page,
                search.delivered,
                search.total,
                search.expires
            ],
        )?;
        self.execute(
            "INSERT INTO search_hits (session, id, hits) VALUES (?1, ?2, ?3)",
            values![&search.session, id, hits],
        )?;
        Ok(id)
    }

    /// A search of a session with what it found.
    pub fn search_cursor(
        &mut self,
        session: &SessionId,
        id: u32,
    ) -> Result<Option<(SearchCursor, Vec<u8>)>, StoreError> {
        self.query_one(
            "SELECT page, delivered, total, expires, hits FROM search
             JOIN search_hits ON search_hits.session = search.session AND search_hits.id = search.id
             WHERE search.session = ?1 AND search.id = ?2",
            values![session, id],
            |row| {
                let cursor = SearchCursor {
                    session: session.clone(),
                    id,
                    page: row.number(0)?,
                    delivered: row.number(1)?,
                    total: row.number(2)?,
                    expires: row.time(3)?,
                };
                Ok((cursor, row.blob(4)?))
            },
        )
    }

    /// Notes that a search has been told further; `false` without such a search.
    pub fn advance_search(&mut self, search: &SearchCursor) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE search SET delivered = ?3, expires = ?4 WHERE session = ?1 AND id = ?2",
            values![&search.session, search.id, search.delivered, search.expires],
        )?;
        Ok(changed == 1)
    }

    /// Ends a search; `false` without such a search.
    pub fn drop_search(&mut self, session: &SessionId, id: u32) -> Result<bool, StoreError> {
        let dropped = self.execute(
            "DELETE FROM search WHERE session = ?1 AND id = ?2",
            values![session, id],
        )?;
        Ok(dropped == 1)
    }

    /// Ends all searches of a session; how many.
    pub fn drop_searches(&mut self, session: &SessionId) -> Result<u64, StoreError> {
        self.execute("DELETE FROM search WHERE session = ?1", values![session])
    }

    /// Whether a search has expired before a time.
    pub fn has_expired_searches(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        let first = self.query_one(
            "SELECT 1 FROM search WHERE expires < ?1 LIMIT 1",
            values![before],
            |_| Ok(()),
        )?;
        Ok(first.is_some())
    }

    /// Forgets searches that expired before a time, at most some thousands; how many.
    pub fn purge_searches(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let expired = self.query(
            "SELECT session, id FROM search WHERE expires < ?1 ORDER BY expires LIMIT ?2",
            values![before, PURGE],
            |row| Ok((SessionId::new(row.text(0)?), row.number::<u32>(1)?)),
        )?;
        for (session, id) in &expired {
            self.drop_search(session, *id)?;
        }
        Ok(expired.len() as u64)
    }
}
