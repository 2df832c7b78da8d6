//! Texts of the operator to users (csp-access 12): for whom they are, and what has become of
//! them.

use crate::ops::PURGE;
use crate::row::{Row, values};
use crate::{StoreError, Tx};
use hamlet_model::{Timestamp, UserId};

/// A text of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSystemMessage {
    /// Its number: later ones have larger ones, and none is given twice.
    pub number: i64,
    /// It is for all users, also for those who come later.
    pub everyone: bool,
    /// When it was made.
    pub created: Timestamp,
    /// From when nobody gets it any more.
    pub expires: Timestamp,
    /// The text itself, in a form that the store does not know.
    pub payload: Vec<u8>,
}

/// What has become of a text for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemMessageUser {
    /// The user.
    pub user: UserId,
    /// What has become of it.
    pub state: SystemMessageState,
    /// The option that he chose.
    pub choice: Option<u32>,
    /// When that was.
    pub changed: Timestamp,
}

/// What has become of a text for one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SystemMessageState {
    /// He has not got it yet.
    Waiting,
    /// He has got it, and owes an answer.
    Shown,
    /// He has answered.
    Answered,
    /// He has got it, and that is all.
    Delivered,
}

/// States below this one are not final.
const FINAL: i64 = 2;

impl SystemMessageState {
    /// Its name, for operators.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Shown => "shown",
            Self::Answered => "answered",
            Self::Delivered => "delivered",
        }
    }

    fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Shown => 1,
            Self::Answered => FINAL,
            Self::Delivered => 3,
        }
    }

    fn from_number(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Waiting),
            1 => Ok(Self::Shown),
            FINAL => Ok(Self::Answered),
            3 => Ok(Self::Delivered),
            other => Err(StoreError::Corrupt(format!("system message state {other}"))),
        }
    }
}

fn message(row: &Row<'_>) -> Result<StoredSystemMessage, StoreError> {
    Ok(StoredSystemMessage {
        number: row.int(0)?,
        everyone: row.flag(1)?,
        created: row.time(2)?,
        expires: row.time(3)?,
        payload: row.blob(4)?,
    })
}

impl Tx<'_> {
    /// Keeps a text; its number.
    pub fn put_system_message(
        &mut self,
        everyone: bool,
        created: Timestamp,
        expires: Timestamp,
        payload: &[u8],
    ) -> Result<i64, StoreError> {
        let number = self.query_one(
            "INSERT INTO system_message (everyone, created, expires, payload)
             VALUES (?1, ?2, ?3, ?4) RETURNING number",
            values![everyone, created, expires, payload],
            |row| row.int(0),
        )?;
        number.ok_or_else(|| StoreError::corrupt("a system message got no number"))
    }

    /// A text.
    pub fn system_message(
        &mut self,
        number: i64,
    ) -> Result<Option<StoredSystemMessage>, StoreError> {
        self.query_one(
            "SELECT number, everyone, created, expires, payload FROM system_message
             WHERE number = ?1",
            values![number],
            message,
        )
    }

    /// At most `limit` texts in the order of their numbers, from the one after `after`.
    pub fn system_messages(
        &mut self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<StoredSystemMessage>, StoreError> {
        self.query(
            "SELECT number, everyone, created, expires, payload FROM system_message
             WHERE number > ?1 ORDER BY number LIMIT ?2",
            values![after, limit],
            message,
        )
    }

    /// At most `limit` texts that a user has not got, or not answered, and that have not
    /// expired by `now`; oldest first.
    pub fn system_messages_for(
        &mut self,
        user: &UserId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredSystemMessage>, StoreError> {
        self.query(
            "SELECT m.number, m.everyone, m.created, m.expires, m.payload
             FROM system_message AS m
             LEFT JOIN system_message_user AS u ON u.user_id = ?1 AND u.message = m.number
             WHERE m.everyone = 1 AND m.expires > ?2 AND coalesce(u.state, 0) < ?4
             UNION ALL
             SELECT m.number, m.everyone, m.created, m.expires, m.payload
             FROM system_message_user AS u JOIN system_message AS m ON m.number = u.message
             WHERE u.user_id = ?1 AND u.state < ?4 AND m.everyone = 0 AND m.expires > ?2
             ORDER BY 1 LIMIT ?3",
            values![user, now, limit, FINAL],
            message,
        )
    }

    /// A text is for this user; `false` when it was already.
    pub fn address_system_message(
        &mut self,
        number: i64,
        user: &UserId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO system_message_user (user_id, message, state, choice, changed)
             VALUES (?1, ?2, 0, 0, ?3) ON CONFLICT (user_id, message) DO NOTHING",
            values![user, number, now],
        )?;
        Ok(added == 1)
    }

    /// What has become of a text for one user; `None` when nothing is known of that.
    pub fn system_message_user(
        &mut self,
        number: i64,
        user: &UserId,
    ) -> Result<Option<SystemMessageUser>, StoreError> {
        self.query_one(
            "SELECT user_id, state, choice, changed FROM system_message_user
             WHERE user_id = ?1 AND message = ?2",
            values![user, number],
            one_user,
        )
    }

    /// Notes what has become of a text for one user.
    pub fn set_system_message_user(
        &mut self,
        number: i64,
        state: &SystemMessageUser,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO system_message_user (user_id, message, state, choice, changed)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (user_id, message) DO UPDATE SET state = excluded.state,
                 choice = excluded.choice, changed = excluded.changed",
            values![
                &state.user,
                number,
                state.state.number(),
                state.choice.unwrap_or(0),
                state.changed
            ],
        )?;
        Ok(())
    }

    /// At most `limit` users of whom something is known, in the order of their addresses,
    /// from the one after `after`.
    pub fn system_message_users(
        &mut self,
        number: i64,
        after: &str,
        limit: usize,
    ) -> Result<Vec<SystemMessageUser>, StoreError> {
        self.query(
            "SELECT user_id, state, choice, changed FROM system_message_user
             WHERE message = ?1 AND user_id > ?2 ORDER BY user_id LIMIT ?3",
            values![number, after, limit],
            one_user,
        )
    }

    /// For how many users there is which state.
    pub fn count_system_message_users(
        &mut self,
        number: i64,
    ) -> Result<Vec<(SystemMessageState, usize)>, StoreError> {
        self.query(
            "SELECT state, count(*) FROM system_message_user WHERE message = ?1
             GROUP BY state ORDER BY state",
            values![number],
            |row| {
                Ok((
                    SystemMessageState::from_number(row.int(0)?)?,
                    row.number(1)?,
                ))
            },
        )
    }

    /// Nobody gets a text from `now` on; `false` when nobody would have.
    pub fn cancel_system_message(
        &mut self,
        number: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE system_message SET expires = ?2 WHERE number = ?1 AND expires > ?2",
            values![number, now],
        )?;
        Ok(changed == 1)
    }

    /// Forgets texts that expired before a time, with their answers, a bounded number at
    /// once; how many rows went.
    pub fn purge_system_messages(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let gone = self.execute(
            "DELETE FROM system_message_user WHERE (user_id, message) IN
                 (SELECT u.user_id, u.message FROM system_message AS m
                  JOIN system_message_user AS u ON u.message = m.number
                  WHERE m.expires < ?1 LIMIT ?2)",
            values![before, PURGE],
        )?;
        if gone > 0 {
            return Ok(gone);
        }
        self.execute(
            "DELETE FROM system_message WHERE expires < ?1",
            values![before],
        )
    }
}

fn one_user(row: &Row<'_>) -> Result<SystemMessageUser, StoreError> {
    let choice: u32 = row.number(2)?;
    Ok(SystemMessageUser {
        user: row.user(0)?,
        state: SystemMessageState::from_number(row.int(1)?)?,
        choice: (choice > 0).then_some(choice),
        changed: row.time(3)?,
    })
}
