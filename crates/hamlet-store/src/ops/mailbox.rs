//! What waits for a user until he has acknowledged it or it expires (csp-im 2.6, 6, 9).

use crate::row::{Row, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{Timestamp, UserId};

/// Most delivery reports that wait for one user.
pub const MAX_REPORTS: u32 = 10_000;

/// Something that waits for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxEntry {
    /// Whom it waits for.
    pub recipient: UserId,
    /// Its name in his mailbox.
    pub id: String,
    /// What it is.
    pub kind: MailboxKind,
    /// When it stops being worth delivering; nothing happens here at that time.
    pub expires: Timestamp,
    /// What it counts against the quota, octets.
    pub size: u32,
    /// The thing itself, in a form that the store does not know.
    pub payload: Vec<u8>,
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailboxKind {
    /// A message.
    Message,
    /// A delivery report.
    Report,
}

impl MailboxKind {
    fn number(self) -> i64 {
        match self {
            Self::Message => 0,
            Self::Report => 1,
        }
    }

    fn from_number(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Message),
            1 => Ok(Self::Report),
            other => Err(StoreError::Corrupt(format!("mailbox kind {other}"))),
        }
    }
}

/// Bounds of the messages that wait for one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub messages: u32,
    /// Sum of their sizes, octets.
    pub bytes: u64,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Put {
    /// It waits.
    Stored,
    /// Something of that name was waiting already; it is left as it is.
    Duplicate,
    /// The quota is used up (status 507).
    Full,
}

/// The columns that [`entry`] reads.
macro_rules! columns {
    () => {
        "seq, recipient, id, kind, expires, size, payload"
    };
}

/// An entry with its place in the order.
fn entry(row: &Row<'_>) -> Result<(i64, MailboxEntry), StoreError> {
    let entry = MailboxEntry {
        recipient: row.user(1)?,
        id: row.text(2)?.to_owned(),
        kind: MailboxKind::from_number(row.int(3)?)?,
        expires: row.time(4)?,
        size: row.number(5)?,
        payload: row.blob(6)?,
    };
    Ok((row.int(0)?, entry))
}

fn in_order(mut entries: Vec<(i64, MailboxEntry)>) -> Vec<MailboxEntry> {
    entries.sort_unstable_by_key(|(seq, _)| *seq);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

impl Tx<'_> {
    /// Puts an entry behind all others of its recipient, if the quota allows; reports do
    /// not count against it and have [`MAX_REPORTS`].
    pub fn put_mailbox(&mut self, entry: &MailboxEntry, quota: &Quota) -> Result<Put, StoreError> {
        let (most, bytes) = match entry.kind {
            MailboxKind::Message => (quota.messages, quota.bytes),
            MailboxKind::Report => (MAX_REPORTS, u64::MAX),
        };
        // How full the mailbox may be for this entry to fit.
        let room = bytes.checked_sub(u64::from(entry.size));
        let stored = match room.filter(|_| most > 0) {
            None => 0,
            Some(room) => self.execute(
                dialects(
                    "INSERT INTO mailbox (recipient, id, kind, expires, size, payload, seq)
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6, coalesce(max(last), 0) + 1
                     FROM mailbox_usage WHERE recipient = ?1
                     HAVING NOT coalesce(max(kind = ?3 AND (entries >= ?7 OR octets > ?8)), 0)
                     ON CONFLICT (recipient, id) DO NOTHING",
                    "INSERT INTO mailbox (recipient, id, kind, expires, size, payload)
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6
                     WHERE NOT EXISTS (SELECT 1 FROM mailbox_usage
                         WHERE recipient = ?1 AND kind = ?3 AND (entries >= ?7 OR octets > ?8))
                     ON CONFLICT (recipient, id) DO NOTHING",
                ),
                values![
                    &entry.recipient,
                    &entry.id,
                    entry.kind.number(),
                    entry.expires,
                    entry.size,
                    &entry.payload,
                    most,
                    room
                ],
            )?,
        };
        if stored == 1 {
            return Ok(Put::Stored);
        }
        let waiting = self.query_one(
            "SELECT seq FROM mailbox WHERE recipient = ?1 AND id = ?2",
            values![&entry.recipient, &entry.id],
            |row| row.int(0),
        )?;
        Ok(waiting.map_or(Put::Full, |_| Put::Duplicate))
    }

    /// At most `limit` entries of a user, oldest first.
    pub fn mailbox(
        &mut self,
        recipient: &UserId,
        limit: usize,
    ) -> Result<Vec<MailboxEntry>, StoreError> {
        // Names are sorted, not entries: an index in this order would cost every message
        // something, and few mailboxes are ever listed.
        let entries = self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM mailbox WHERE recipient = ?1 AND id IN
                     (SELECT id FROM mailbox WHERE recipient = ?1 ORDER BY seq LIMIT ?2)
                 ORDER BY seq"
            ),
            values![recipient, limit],
            entry,
        )?;
        Ok(entries.into_iter().map(|(_, entry)| entry).collect())
    }

    /// One entry.
    pub fn mailbox_entry(
        &mut self,
        recipient: &UserId,
        id: &str,
    ) -> Result<Option<MailboxEntry>, StoreError> {
        let found = self.query_one(
            concat!(
                "SELECT ",
                columns!(),
                " FROM mailbox WHERE recipient = ?1 AND id = ?2"
            ),
            values![recipient, id],
            entry,
        )?;
        Ok(found.map(|(_, entry)| entry))
    }

    /// Removes an entry and returns it.
    pub fn take_mailbox(
        &mut self,
        recipient: &UserId,
        id: &str,
    ) -> Result<Option<MailboxEntry>, StoreError> {
        let taken = self.query_one(
            concat!(
                "DELETE FROM mailbox WHERE recipient = ?1 AND id = ?2 RETURNING ",
                columns!()
            ),
            values![recipient, id],
            entry,
        )?;
        Ok(taken.map(|(_, entry)| entry))
    }

    /// Removes at most `limit` entries that have expired by `now`, and returns them.
    pub fn take_expired(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MailboxEntry>, StoreError> {
        let expired = self.query(
            concat!(
                "DELETE FROM mailbox WHERE (recipient, id) IN
                     (SELECT recipient, id FROM mailbox WHERE expires <= ?1
                      ORDER BY expires LIMIT ?2)
                 RETURNING ",
                columns!()
            ),
            values![now, limit],
            entry,
        )?;
        Ok(in_order(expired))
    }

    /// The users for whom something waits, in the order of their addresses.
    pub fn waiting_users(&mut self) -> Result<Vec<UserId>, StoreError> {
        self.query(
            "SELECT DISTINCT recipient FROM mailbox_usage WHERE entries > 0 ORDER BY recipient",
            values![],
            |row| row.user(0),
        )
    }
}
