//! What users want done with messages, online and offline (csp-im 10.2), and the copies that
//! clients still get of a message that another one has.

use crate::row::{Row, to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{ClientId, Timestamp, UserId};

/// Most clients of a user whose wishes are remembered.
pub const MAX_HANDLINGS: usize = 20;

/// What a client wants done while it is not online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineWish {
    /// Whose.
    pub user: UserId,
    /// Which client's.
    pub client: ClientId,
    /// A number that the store does not know; 0 is the usual.
    pub handling: i64,
}

/// A message that one client still gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxCopy {
    /// Whose mailbox it was in.
    pub recipient: UserId,
    /// Its name there.
    pub id: String,
    /// The client.
    pub client: ClientId,
    /// When it stops being worth delivering.
    pub expires: Timestamp,
    /// The message, in a form that the store does not know.
    pub payload: Vec<u8>,
}

fn copy(row: &Row<'_>) -> Result<MailboxCopy, StoreError> {
    Ok(MailboxCopy {
        recipient: row.user(0)?,
        id: row.text(1)?.to_owned(),
        client: row.json(2)?,
        expires: row.time(3)?,
        payload: row.blob(4)?,
    })
}

impl Tx<'_> {
    /// How messages are spread over the sessions of a user: a number that the store does not
    /// know.
    pub fn online_handling(&mut self, user: &UserId) -> Result<Option<i64>, StoreError> {
        self.query_one(
            "SELECT handling FROM online_handling WHERE user_id = ?1",
            values![user],
            |row| row.int(0),
        )
    }

    /// Sets how messages are spread over the sessions of a user.
    pub fn set_online_handling(&mut self, user: &UserId, handling: i64) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO online_handling (user_id, handling) VALUES (?1, ?2)
             ON CONFLICT (user_id) DO UPDATE SET handling = excluded.handling",
            values![user, handling],
        )
        .map(drop)
    }

    /// Remembers what a client wants done while it is not online; of the clients of a user
    /// the [`MAX_HANDLINGS`] newest.
    pub fn put_offline_wish(
        &mut self,
        wish: &OfflineWish,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let client = to_json(&wish.client)?;
        self.execute(
            "INSERT INTO offline_handling (user_id, client, handling, changed)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (user_id, client)
             DO UPDATE SET handling = excluded.handling, changed = excluded.changed",
            values![&wish.user, &client, wish.handling, now],
        )?;
        self.execute(
            "DELETE FROM offline_handling WHERE user_id = ?1 AND client NOT IN
                 (SELECT client FROM offline_handling WHERE user_id = ?1
                  ORDER BY changed DESC LIMIT ?2)",
            values![&wish.user, MAX_HANDLINGS],
        )
        .map(drop)
    }

    /// What the clients of those `users` want of whom any wants something unusual, the newest
    /// wish of each user first.
    pub fn offline_wishes(&mut self, users: &[UserId]) -> Result<Vec<OfflineWish>, StoreError> {
        let sql = dialects(
            "SELECT user_id, client, handling FROM offline_handling AS o
             WHERE user_id IN (SELECT value FROM json_each(?1))
                 AND EXISTS (SELECT 1 FROM offline_handling AS u
                     WHERE u.user_id = o.user_id AND u.handling <> 0)
             ORDER BY user_id, changed DESC",
            "SELECT user_id, client, handling FROM offline_handling AS o
             WHERE user_id IN (SELECT jsonb_array_elements_text(CAST(?1 AS text)::jsonb))
                 AND EXISTS (SELECT 1 FROM offline_handling AS u
                     WHERE u.user_id = o.user_id AND u.handling <> 0)
             ORDER BY user_id, changed DESC",
        );
        self.query(sql, values![&to_json(users)?], |row| {
            Ok(OfflineWish {
                user: row.user(0)?,
                client: row.json(1)?,
                handling: row.int(2)?,
            })
        })
    }

    /// Keeps a copy for a client; one that it has to get already stays.
    pub fn put_mailbox_copy(&mut self, copy: &MailboxCopy) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO mailbox_copy (recipient, id, client, expires, payload)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (recipient, id, client) DO NOTHING",
            values![
                &copy.recipient,
                &copy.id,
                &to_json(&copy.client)?,
                copy.expires,
                &copy.payload
            ],
        )
        .map(drop)
    }

    /// At most `limit` copies for clients of a user, oldest first.
    pub fn mailbox_copies(
        &mut self,
        recipient: &UserId,
        limit: usize,
    ) -> Result<Vec<MailboxCopy>, StoreError> {
        self.query(
            "SELECT recipient, id, client, expires, payload FROM mailbox_copy
             WHERE recipient = ?1 ORDER BY seq LIMIT ?2",
            values![recipient, limit],
            copy,
        )
    }

    /// The copy of an entry that a client still gets.
    pub fn mailbox_copy(
        &mut self,
        recipient: &UserId,
        id: &str,
        client: &ClientId,
    ) -> Result<Option<MailboxCopy>, StoreError> {
        self.query_one(
            "SELECT recipient, id, client, expires, payload FROM mailbox_copy
             WHERE recipient = ?1 AND id = ?2 AND client = ?3",
            values![recipient, id, &to_json(client)?],
            copy,
        )
    }

    /// A client has its copy; `false` when there was none for it.
    pub fn remove_mailbox_copy(
        &mut self,
        recipient: &UserId,
        id: &str,
        client: &ClientId,
    ) -> Result<bool, StoreError> {
        let removed = self.execute(
            "DELETE FROM mailbox_copy WHERE recipient = ?1 AND id = ?2 AND client = ?3",
            values![recipient, id, &to_json(client)?],
        )?;
        Ok(removed == 1)
    }

    /// No client gets a copy of this any more.
    pub fn drop_mailbox_copies(&mut self, recipient: &UserId, id: &str) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM mailbox_copy WHERE recipient = ?1 AND id = ?2",
            values![recipient, id],
        )
    }

    /// Whether there are copies that have expired by `now`.
    pub fn has_expired_copies(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let first = self.query_one(
            "SELECT min(expires) FROM mailbox_copy HAVING min(expires) <= ?1",
            values![now],
            |row| row.int(0),
        )?;
        Ok(first.is_some())
    }

    /// Removes at most `limit` copies that have expired by `now`, and returns them.
    pub fn take_expired_copies(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MailboxCopy>, StoreError> {
        self.query(
            "DELETE FROM mailbox_copy WHERE seq IN
                 (SELECT seq FROM mailbox_copy WHERE expires <= ?1 ORDER BY expires LIMIT ?2)
             RETURNING recipient, id, client, expires, payload",
            values![now, limit],
            copy,
        )
    }

    /// When the next of what waits for users and other domains expires.
    pub fn next_expiry(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let next = self.query_one(
            "SELECT min(next) FROM (
                 SELECT min(expires) AS next FROM mailbox
                 UNION ALL SELECT min(expires) FROM mailbox_copy
                 UNION ALL SELECT min(expires) FROM outbox) AS all_three
             HAVING min(next) IS NOT NULL",
            values![],
            |row| row.time(0),
        )?;
        Ok(next)
    }
}
