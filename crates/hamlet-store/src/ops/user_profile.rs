//! User profiles and terminals (architecture document 5.3.6.3).

use crate::row::{to_json, user, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{Service, Timestamp, UserId, UserProfile};
use std::collections::HashSet;

/// Terminals that are remembered of a user.
pub const MAX_TERMINALS: usize = 16;

/// What a client of a user was like when it last negotiated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Its ClientID, as one text.
    pub client: String,
    /// What it negotiated; the store does not look into it.
    pub data: String,
    /// When that was.
    pub seen: Timestamp,
}

impl Tx<'_> {
    /// The user profile of a user; the usual one when he has none of his own.
    pub fn user_profile(&mut self, user: &UserId) -> Result<UserProfile, StoreError> {
        let found = self.query_one(
            "SELECT data FROM user_profile WHERE user_id = ?1",
            values![user],
            |row| row.json(0),
        )?;
        Ok(found.unwrap_or_default())
    }

    /// Replaces the user profile of a user.
    pub fn put_user_profile(
        &mut self,
        user: &UserId,
        profile: &UserProfile,
    ) -> Result<(), StoreError> {
        let messages = profile.usable().contains(Service::Im);
        self.execute(
            "INSERT INTO user_profile (user_id, data, messages) VALUES (?1, ?2, ?3)
             ON CONFLICT (user_id)
             DO UPDATE SET data = excluded.data, messages = excluded.messages",
            values![user, &to_json(profile)?, messages],
        )?;
        Ok(())
    }

    /// Those of `users` that may not get messages.
    pub fn without_messages(&mut self, users: &[UserId]) -> Result<HashSet<UserId>, StoreError> {
        let sql = dialects(
            "SELECT user_id FROM user_profile
             WHERE messages = 0 AND user_id IN (SELECT value FROM json_each(?1))",
            "SELECT user_id FROM user_profile WHERE messages = 0 AND user_id IN
                 (SELECT jsonb_array_elements_text(CAST(?1 AS text)::jsonb))",
        );
        let mut found = HashSet::new();
        self.for_each(sql, values![&to_json(users)?], |row| {
            found.insert(user(row.text(0)?)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Remembers what a client is like; of the clients of a user the [`MAX_TERMINALS`] newest.
    pub fn put_terminal(&mut self, user: &UserId, terminal: &Terminal) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO terminal (user_id, client, data, seen) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user_id, client)
             DO UPDATE SET data = excluded.data, seen = excluded.seen",
            values![user, &terminal.client, &terminal.data, terminal.seen],
        )?;
        self.execute(
            "DELETE FROM terminal WHERE user_id = ?1 AND client NOT IN
                 (SELECT client FROM terminal WHERE user_id = ?1
                  ORDER BY seen DESC, client LIMIT ?2)",
            values![user, MAX_TERMINALS],
        )?;
        Ok(())
    }

    /// The clients of a user, the newest first.
    pub fn terminals(&mut self, user: &UserId) -> Result<Vec<Terminal>, StoreError> {
        self.query(
            "SELECT client, data, seen FROM terminal WHERE user_id = ?1
             ORDER BY seen DESC, client",
            values![user],
            |row| {
                Ok(Terminal {
                    client: row.text(0)?.to_owned(),
                    data: row.text(1)?.to_owned(),
                    seen: row.time(2)?,
                })
            },
        )
    }
}
