//! Content that users keep to be fetched by others (architecture document 5.3.5).
//!
//! The octets lie in the database, in parts: so all processes on one database have them, they
//! commit with what is said about them, and a backup of the database is a backup of them.

use crate::row::{Row, values};
use crate::{StoreError, Tx};
use hamlet_model::{Timestamp, UserId};
use std::ops::Range;

/// Octets of each part but the last.
const PART: usize = 64 << 10;

/// Most content that one purge removes: its octets are many.
const PURGE: usize = 100;

/// What is said about content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredContent {
    /// Names it, and cannot be guessed.
    pub id: String,
    /// Who keeps it.
    pub owner: UserId,
    /// What the server keeps it for; `None` when its owner keeps it himself.
    pub purpose: Option<String>,
    /// Its type, parameters allowed.
    pub media_type: String,
    /// Its file name; may be empty.
    pub name: String,
    /// Octets.
    pub size: u64,
    /// Counts how often it was replaced; the first is 1. The store sets it.
    pub revision: u32,
    /// Since when it is kept.
    pub created: Timestamp,
    /// Until when.
    pub expires: Timestamp,
}

/// How much may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentQuota {
    /// Octets of one owner.
    pub owner_octets: u64,
    /// Pieces of one owner.
    pub owner_items: u64,
    /// Octets of all.
    pub total_octets: u64,
}

/// What came of keeping content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentPut {
    /// It is kept.
    Kept,
    /// The owner keeps as much as he may.
    OwnerFull,
    /// All together keep as much as they may.
    Full,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContentUsage {
    /// Octets.
    pub octets: u64,
    /// Pieces.
    pub items: u64,
}

fn content(row: &Row<'_>) -> Result<StoredContent, StoreError> {
    Ok(StoredContent {
        id: row.text(0)?.to_owned(),
        owner: row.user(1)?,
        purpose: row.opt_text(2)?.map(str::to_owned),
        media_type: row.text(3)?.to_owned(),
        name: row.text(4)?.to_owned(),
        size: row.number(5)?,
        revision: row.number(6)?,
        created: row.time(7)?,
        expires: row.time(8)?,
    })
}

impl Tx<'_> {
    /// Keeps content, in place of what the same owner keeps under this name.
    pub fn put_content(
        &mut self,
        new: &StoredContent,
        octets: &[u8],
        quota: &ContentQuota,
    ) -> Result<ContentPut, StoreError> {
        let old = self.content(&new.id)?;
        let of_owner = self.content_usage(Some(&new.owner))?;
        let of_all = self.content_usage(None)?;
        let (size, old_size) = (octets.len() as u64, old.as_ref().map_or(0, |old| old.size));
        let items = of_owner.items + u64::from(old.is_none());
        if (of_owner.octets + size).saturating_sub(old_size) > quota.owner_octets
            || items > quota.owner_items
        {
            return Ok(ContentPut::OwnerFull);
        }
        if (of_all.octets + size).saturating_sub(old_size) > quota.total_octets {
            return Ok(ContentPut::Full);
        }
        if let Some(old) = &old {
            self.use_content(old, -1)?;
            let gone = "DELETE FROM content_part WHERE content = ?1";
            self.execute(gone, values![&new.id])?;
        }
        let kept = StoredContent {
            size,
            revision: old.map_or(1, |old| old.revision.saturating_add(1)),
            ..new.clone()
        };
        self.execute(
            "INSERT INTO content
                 (id, owner, purpose, media_type, name, size, revision, created, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (id) DO UPDATE SET media_type = excluded.media_type,
                 name = excluded.name, size = excluded.size, revision = excluded.revision,
                 expires = excluded.expires",
            values![
                &kept.id,
                &kept.owner,
                kept.purpose.as_deref(),
                &kept.media_type,
                &kept.name,
                kept.size,
                kept.revision,
                kept.created,
                kept.expires
            ],
        )?;
        for (number, part) in octets.chunks(PART).enumerate() {
            self.execute(
                "INSERT INTO content_part (content, number, octets) VALUES (?1, ?2, ?3)",
                values![&kept.id, number, part],
            )?;
        }
        self.use_content(&kept, 1)?;
        Ok(ContentPut::Kept)
    }

    /// What is said about the content of this name.
    pub fn content(&mut self, id: &str) -> Result<Option<StoredContent>, StoreError> {
        self.query_one(
            "SELECT id, owner, purpose, media_type, name, size, revision, created, expires
             FROM content WHERE id = ?1",
            values![id],
            content,
        )
    }

    /// What the server keeps for a purpose of an owner.
    pub fn content_for(
        &mut self,
        owner: &UserId,
        purpose: &str,
    ) -> Result<Option<StoredContent>, StoreError> {
        self.query_one(
            "SELECT id, owner, purpose, media_type, name, size, revision, created, expires
             FROM content WHERE owner = ?1 AND purpose = ?2",
            values![owner, purpose],
            content,
        )
    }

    /// At most `limit` of an owner, oldest first.
    pub fn contents_of(
        &mut self,
        owner: &UserId,
        limit: usize,
    ) -> Result<Vec<StoredContent>, StoreError> {
        self.query(
            "SELECT id, owner, purpose, media_type, name, size, revision, created, expires
             FROM content WHERE owner = ?1 ORDER BY created, id LIMIT ?2",
            values![owner, limit],
            content,
        )
    }

    /// Some octets of content; as many of the range as there are.
    pub fn content_octets(&mut self, id: &str, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let part = PART as u64;
        let (first, last) = (range.start / part, (range.end - 1) / part);
        let mut octets = Vec::new();
        self.for_each(
            "SELECT octets FROM content_part
             WHERE content = ?1 AND number BETWEEN ?2 AND ?3 ORDER BY number",
            values![id, first, last],
            |row| {
                octets.extend_from_slice(&row.blob(0)?);
                Ok(())
            },
        )?;
        let index = |at: u64| usize::try_from(at - first * part).unwrap_or(usize::MAX);
        octets.truncate(index(range.end));
        octets.drain(..index(range.start).min(octets.len()));
        Ok(octets)
    }

    /// Removes content with its octets; `false` when there is none.
    pub fn remove_content(&mut self, id: &str) -> Result<bool, StoreError> {
        let Some(kept) = self.content(id)? else {
            return Ok(false);
        };
        self.execute("DELETE FROM content WHERE id = ?1", values![id])?;
        self.use_content(&kept, -1)?;
        Ok(true)
    }

    /// Removes what the server keeps for a purpose of an owner; `false` when there is nothing.
    pub fn remove_content_for(
        &mut self,
        owner: &UserId,
        purpose: &str,
    ) -> Result<bool, StoreError> {
        match self.content_for(owner, purpose)? {
            Some(kept) => self.remove_content(&kept.id),
            None => Ok(false),
        }
    }

    /// How much an owner keeps, or all together.
    pub fn content_usage(&mut self, owner: Option<&UserId>) -> Result<ContentUsage, StoreError> {
        let usage = self.query_one(
            "SELECT octets, items FROM content_usage WHERE owner = ?1",
            values![owner.map_or("", UserId::as_str)],
            |row| {
                Ok(ContentUsage {
                    octets: row.number(0)?,
                    items: row.number(1)?,
                })
            },
        )?;
        Ok(usage.unwrap_or_default())
    }

    fn use_content(&mut self, kept: &StoredContent, sign: i64) -> Result<(), StoreError> {
        let octets = i64::try_from(kept.size).unwrap_or(i64::MAX);
        for owner in [kept.owner.as_str(), ""] {
            self.execute(
                "INSERT INTO content_usage (owner, octets, items) VALUES (?1, ?2, ?3)
                 ON CONFLICT (owner) DO UPDATE SET
                     octets = content_usage.octets + excluded.octets,
                     items = content_usage.items + excluded.items",
                values![owner, sign * octets, sign],
            )?;
        }
        self.execute(
            "DELETE FROM content_usage WHERE owner = ?1 AND items = 0",
            values![&kept.owner],
        )?;
        Ok(())
    }

    /// Removes content that has expired by `now`, some at a time; how much.
    pub fn purge_content(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let expired = self.query(
            "SELECT id FROM content WHERE expires <= ?1 ORDER BY expires LIMIT ?2",
            values![now, PURGE],
            |row| Ok(row.text(0)?.to_owned()),
        )?;
        for id in &expired {
            self.remove_content(id)?;
        }
        Ok(expired.len() as u64)
    }
}
