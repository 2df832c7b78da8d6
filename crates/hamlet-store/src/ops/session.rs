//! Sessions, and how those that have ended did so.

use crate::ops::PURGE;
use crate::row::{Row, to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{ApplicationId, ClientId, SessionId, Timestamp, UserId};

/// A live session (csp-access 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// With which client.
    pub client: ClientId,
    /// Of which application.
    pub application: Option<ApplicationId>,
    /// What else the service access point knows of it, in a form of its own.
    pub data: Vec<u8>,
    /// When it began.
    pub created: Timestamp,
    /// When it ends unless the client is heard of; nothing happens here at that time.
    pub expires: Timestamp,
}

/// The columns that [`session`] reads.
macro_rules! columns {
    () => {
        "id, user_id, client, application, data, created, expires"
    };
}

fn session(row: &Row<'_>) -> Result<StoredSession, StoreError> {
    Ok(StoredSession {
        id: SessionId::new(row.text(0)?),
        user: row.user(1)?,
        client: row.json(2)?,
        application: row.opt_text(3)?.map(ApplicationId::new),
        data: row.blob(4)?,
        created: row.time(5)?,
        expires: row.time(6)?,
    })
}

impl Tx<'_> {
    /// Stores a session, in place of the one that has its identifier.
    pub fn put_session(&mut self, session: &StoredSession) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO session (id, user_id, client, application, data, created, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id,
                 client = excluded.client, application = excluded.application,
                 data = excluded.data, created = excluded.created, expires = excluded.expires",
            values![
                &session.id,
                &session.user,
                &to_json(&session.client)?,
                session.application.as_ref().map(ApplicationId::as_str),
                &session.data,
                session.created,
                session.expires
            ],
        )?;
        Ok(())
    }

    /// A session that has not ended.
    pub fn session(&mut self, id: &SessionId) -> Result<Option<StoredSession>, StoreError> {
        self.query_one(
            concat!("SELECT ", columns!(), " FROM session WHERE id = ?1"),
            values![id],
            session,
        )
    }

    /// At most `limit` of all sessions that have not ended, in the order of their
    /// identifiers, from the one after `after`.
    pub fn sessions(
        &mut self,
        after: Option<&SessionId>,
        limit: usize,
    ) -> Result<Vec<StoredSession>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM session WHERE id > ?1 ORDER BY id LIMIT ?2"
            ),
            values![after.map_or("", SessionId::as_str), limit],
            session,
        )
    }

    /// The sessions of a user, oldest first.
    pub fn sessions_of(&mut self, user: &UserId) -> Result<Vec<StoredSession>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM session WHERE user_id = ?1 ORDER BY created, id"
            ),
            values![user],
            session,
        )
    }

    /// Sets when sessions expire; those that have ended are passed over.
    pub fn touch_sessions(
        &mut self,
        expiries: &[(SessionId, Timestamp)],
    ) -> Result<(), StoreError> {
        if expiries.is_empty() {
            return Ok(());
        }
        let sql = dialects(
            "UPDATE session SET expires = touched.value ->> 1 FROM json_each(?1) AS touched
             WHERE session.id = touched.value ->> 0",
            "UPDATE session SET expires = (touched.value ->> 1)::bigint
             FROM jsonb_array_elements(CAST(?1 AS text)::jsonb) AS touched (value)
             WHERE session.id = touched.value ->> 0",
        );
        self.execute(sql, values![&to_json(expiries)?])?;
        Ok(())
    }

    /// Ends a session and remembers with which status code (600, 601, 604 or 200 for a
    /// logout); `None` when there is no such session. What belongs to it in other places
    /// has operations of its own: [`Tx::remove_session_subscriptions`], [`Tx::forget_scope`],
    /// [`Tx::drop_client_presence`].
    pub fn end_session(
        &mut self,
        id: &SessionId,
        code: u16,
        at: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        let ended = self.query_one(
            concat!("DELETE FROM session WHERE id = ?1 RETURNING ", columns!()),
            values![id],
            session,
        )?;
        if ended.is_some() {
            self.execute(
                "INSERT INTO ended_session (id, code, ended) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET code = excluded.code, ended = excluded.ended",
                values![id, u32::from(code), at],
            )?;
        }
        Ok(ended)
    }

    /// With which code a session ended, as long as that is remembered.
    pub fn ended_session(&mut self, id: &SessionId) -> Result<Option<u16>, StoreError> {
        self.query_one(
            "SELECT code FROM ended_session WHERE id = ?1",
            values![id],
            |row| row.number(0),
        )
    }

    /// Forgets sessions that ended before a time, at most some thousands; how many. More
    /// may be left unless it is 0.
    pub fn purge_ended(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM ended_session WHERE id IN
                 (SELECT id FROM ended_session WHERE ended < ?1 ORDER BY ended LIMIT ?2)",
            values![before, PURGE],
        )
    }
}
