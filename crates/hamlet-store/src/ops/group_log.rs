//! What is said in groups: each message once, in the order of the commits, and how far each
//! joined session has come (csp-group 6).

use crate::row::{Row, to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{ClientId, GroupId, MessageId, SessionId, Timestamp, UserId};

/// Something said in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupLogEntry {
    /// The group.
    pub group: GroupId,
    /// Its place in the group's log: later ones have larger numbers.
    pub seq: i64,
    /// The message's identifier.
    pub message: MessageId,
    /// Who said it.
    pub sender: UserId,
    /// With which client; `None` for no client of a user.
    pub sender_client: Option<ClientId>,
    /// For whom alone, by the key of his screen name; empty for all.
    pub target: String,
    /// It is part of the history that can be read.
    pub history: bool,
    /// When it was accepted.
    pub sent: Timestamp,
    /// When it stops being worth delivering; nothing happens here at that time.
    pub expires: Timestamp,
    /// The thing itself, in a form that the store does not know.
    pub payload: Vec<u8>,
}

/// How far a joined session has come in the log of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCursor {
    /// The group.
    pub group: GroupId,
    /// The session.
    pub session: SessionId,
    /// Everything up to this place is done with.
    pub position: i64,
    /// What is done with beyond that.
    pub beyond: Vec<i64>,
}

/// A session that has joined a group, as it is after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedSession {
    /// How far it has come.
    pub cursor: GroupCursor,
    /// Its screen name.
    pub screen_name: String,
    /// The newest place in the log.
    pub last: i64,
}

/// What a log may be trimmed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPolicy {
    /// Most messages that are kept for sessions that have not come for them.
    pub waiting: u32,
    /// Most messages of the history.
    pub history: u32,
    /// The history begins then.
    pub history_since: Timestamp,
}

/// The columns that [`entry`] reads.
macro_rules! columns {
    () => {
        "group_id, seq, message, sender, sender_client, target, history, sent, expires, payload"
    };
}

fn entry(row: &Row<'_>) -> Result<GroupLogEntry, StoreError> {
    Ok(GroupLogEntry {
        group: row.group(0)?,
        seq: row.int(1)?,
        message: MessageId::new(row.text(2)?),
        sender: row.user(3)?,
        sender_client: row.text(4)?.strip_prefix('=').map(ClientId::from_key),
        target: row.text(5)?.to_owned(),
        history: row.flag(6)?,
        sent: row.time(7)?,
        expires: row.time(8)?,
        payload: row.blob(9)?,
    })
}

/// A list of places as a column has it.
fn places(text: &str) -> Vec<i64> {
    text.split(',')
        .filter_map(|place| place.parse().ok())
        .collect()
}

fn as_places(places: &[i64]) -> String {
    let places: Vec<String> = places.iter().map(i64::to_string).collect();
    places.join(",")
}

impl Tx<'_> {
    /// Appends to the log of a group; the place. `entry.seq` is not looked at. The places of
    /// a log that begins anew are larger than those that it ever had.
    pub fn append_group_log(&mut self, entry: &GroupLogEntry) -> Result<i64, StoreError> {
        let first = Timestamp::now().millis();
        let client = entry.sender_client.as_ref();
        let client = client.map_or_else(String::new, |client| format!("={}", client.key()));
        let place = self.query_one(
            "INSERT INTO group_log_head (group_id, next) VALUES (?1, CAST(?2 AS BIGINT) + 1)
             ON CONFLICT (group_id) DO UPDATE SET next = group_log_head.next + 1
             RETURNING next - 1",
            values![&entry.group, first],
            |row| row.int(0),
        )?;
        let Some(place) = place else {
            return Err(StoreError::corrupt("a group's log has no end"));
        };
        self.execute(
            "INSERT INTO group_log (group_id, seq, message, sender, sender_client, target,
                 history, sent, expires, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            values![
                &entry.group,
                place,
                entry.message.as_str(),
                &entry.sender,
                &client,
                &entry.target,
                entry.history,
                entry.sent,
                entry.expires,
                &entry.payload
            ],
        )?;
        Ok(place)
    }

    /// At most `limit` messages of a group behind place `after`, in order.
    pub fn group_log(
        &mut self,
        group: &GroupId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<GroupLogEntry>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_log WHERE group_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"
            ),
            values![group, after, limit],
            entry,
        )
    }

    /// The messages of this identifier, in whatever groups.
    pub fn group_log_entries(
        &mut self,
        message: &MessageId,
    ) -> Result<Vec<GroupLogEntry>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_log WHERE message = ?1 ORDER BY group_id, seq"
            ),
            values![message.as_str()],
            entry,
        )
    }

    /// The newest messages of a group's history, of those said after `since` that have not
    /// expired by `now`: at most `limit`, oldest first; and how many there are.
    pub fn group_history(
        &mut self,
        group: &GroupId,
        now: Timestamp,
        since: Timestamp,
        limit: usize,
    ) -> Result<(Vec<GroupLogEntry>, usize), StoreError> {
        let mut newest = self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_log WHERE group_id = ?1 AND history = 1 AND expires > ?2
                  AND sent >= ?4 ORDER BY seq DESC LIMIT ?3"
            ),
            values![group, now, limit, since],
            entry,
        )?;
        newest.reverse();
        let count = self.query_one(
            "SELECT count(*) FROM group_log
             WHERE group_id = ?1 AND history = 1 AND expires > ?2 AND sent >= ?3",
            values![group, now, since],
            |row| row.number(0),
        )?;
        Ok((newest, count.unwrap_or(0)))
    }

    /// Removes one message; false when it was gone.
    pub fn remove_group_log(&mut self, group: &GroupId, seq: i64) -> Result<bool, StoreError> {
        let removed = self.execute(
            "DELETE FROM group_log WHERE group_id = ?1 AND seq = ?2",
            values![group, seq],
        )?;
        Ok(removed == 1)
    }

    /// How far a session has come in the log of a group; `None` when it has not joined.
    pub fn group_cursor(
        &mut self,
        group: &GroupId,
        session: &SessionId,
    ) -> Result<Option<GroupCursor>, StoreError> {
        self.query_one(
            "SELECT cursor, beyond FROM group_joined
             WHERE session = ?2 AND session <> '' AND group_id = ?1",
            values![group, session],
            |row| {
                Ok(GroupCursor {
                    group: group.clone(),
                    session: session.clone(),
                    position: row.int(0)?,
                    beyond: places(row.text(1)?),
                })
            },
        )
    }

    /// Notes how far sessions have come, in one statement for all; who has left meanwhile is
    /// passed over.
    pub fn advance_group_cursors(&mut self, cursors: &[GroupCursor]) -> Result<(), StoreError> {
        let rows: Vec<_> = cursors
            .iter()
            .map(|c| {
                (
                    c.group.as_str(),
                    c.session.as_str(),
                    c.position,
                    as_places(&c.beyond),
                )
            })
            .collect();
        self.execute(
            dialects(
                "UPDATE group_joined SET cursor = j.value ->> 2, beyond = j.value ->> 3
                 FROM json_each(?1) AS j
                 WHERE group_joined.session = j.value ->> 1 AND group_joined.session <> ''
                     AND group_joined.group_id = j.value ->> 0",
                "UPDATE group_joined SET cursor = (j.value ->> 2)::bigint, beyond = j.value ->> 3
                 FROM jsonb_array_elements(?1::text::jsonb) AS j (value)
                 WHERE group_joined.session = j.value ->> 1 AND group_joined.session <> ''
                     AND group_joined.group_id = j.value ->> 0",
            ),
            values![&to_json(&rows)?],
        )?;
        Ok(())
    }

    /// At most `limit` of all sessions that have joined a group, by session and group, from
    /// the one after `after`.
    pub fn joined_sessions(
        &mut self,
        after: Option<&(SessionId, GroupId)>,
        limit: usize,
    ) -> Result<Vec<JoinedSession>, StoreError> {
        let (session, group) = match after {
            Some((session, group)) => (session.as_str(), group.as_str()),
            None => ("", ""),
        };
        self.query(
            "SELECT j.group_id, j.session, j.cursor, j.beyond, j.screen_name,
                 coalesce(h.next - 1, 0)
             FROM group_joined AS j LEFT JOIN group_log_head AS h ON h.group_id = j.group_id
             WHERE j.session <> '' AND (j.session > ?1 OR (j.session = ?1 AND j.group_id > ?2))
             ORDER BY j.session, j.group_id LIMIT ?3",
            values![session, group, limit],
            |row| {
                Ok(JoinedSession {
                    cursor: GroupCursor {
                        group: row.group(0)?,
                        session: SessionId::new(row.text(1)?),
                        position: row.int(2)?,
                        beyond: places(row.text(3)?),
                    },
                    screen_name: row.text(4)?.to_owned(),
                    last: row.int(5)?,
                })
            },
        )
    }

    /// The groups in whose logs anything is.
    pub fn groups_with_log(&mut self) -> Result<Vec<GroupId>, StoreError> {
        self.query(
            "SELECT DISTINCT group_id FROM group_log ORDER BY group_id",
            values![],
            |row| row.group(0),
        )
    }

    /// Whether anything is in the log of a group.
    pub fn has_group_log(&mut self, group: &GroupId) -> Result<bool, StoreError> {
        let any = self.query_one(
            "SELECT 1 FROM group_log WHERE group_id = ?1 LIMIT 1",
            values![group],
            |_| Ok(()),
        )?;
        Ok(any.is_some())
    }

    /// Removes from a group's log what every joined session has, or what is too much, and is
    /// no history any more; how many.
    pub fn trim_group_log(
        &mut self,
        group: &GroupId,
        policy: &LogPolicy,
    ) -> Result<u64, StoreError> {
        let slowest = self.query_one(
            "SELECT min(cursor) FROM group_joined WHERE group_id = ?1 AND session <> ''
             HAVING count(*) > 0",
            values![group],
            |row| row.int(0),
        )?;
        let end = self.group_log_end(group)?;
        let oldest = end.saturating_sub(i64::from(policy.waiting));
        let done = slowest.map_or(end, |slowest| slowest.max(oldest));
        self.execute(
            "DELETE FROM group_log WHERE group_id = ?1 AND seq <= ?2 AND (history = 0
                 OR sent < ?3 OR seq <= coalesce((SELECT seq FROM group_log
                     WHERE group_id = ?1 AND history = 1
                     ORDER BY seq DESC LIMIT 1 OFFSET ?4), 0))",
            values![group, done, policy.history_since, policy.history],
        )
    }

    /// Removes at most `limit` messages that have expired by `now`, and returns them.
    pub fn take_expired_group_log(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<GroupLogEntry>, StoreError> {
        self.query(
            concat!(
                "DELETE FROM group_log WHERE (group_id, seq) IN
                     (SELECT group_id, seq FROM group_log WHERE expires <= ?1
                      ORDER BY expires LIMIT ?2)
                 RETURNING ",
                columns!()
            ),
            values![now, limit],
            entry,
        )
    }
}
