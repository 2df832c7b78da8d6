//! Who is in which group now, with which client (csp-group 1.0).

use crate::ops::group_member::role;
use crate::row::{Row, values};
use crate::{StoreError, Tx};
use hamlet_model::{ClientId, GroupId, Role, ScreenName, SessionId, Timestamp, UserId};

/// A client in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJoined {
    /// The group.
    pub group: GroupId,
    /// The user.
    pub user: UserId,
    /// His client; without URL and number for a user of another domain.
    pub client: ClientId,
    /// Its session; `None` for a user of another domain.
    pub session: Option<SessionId>,
    /// The group is in another domain, and this is a copy of what is known there.
    pub copy: bool,
    /// His name in the group.
    pub name: ScreenName,
    /// It gets notices.
    pub subscribed: bool,
    /// Since when.
    pub joined: Timestamp,
    /// The place in the group's log up to which it has everything.
    pub cursor: i64,
}

/// The columns that [`joined`] reads.
macro_rules! columns {
    () => {
        "group_id, user_id, client, session, copy, screen_name, subscribed, joined, cursor"
    };
}

fn joined(row: &Row<'_>) -> Result<StoredJoined, StoreError> {
    let session = row.text(3)?;
    let name = row.text(5)?;
    Ok(StoredJoined {
        group: row.group(0)?,
        user: row.user(1)?,
        client: ClientId::from_key(row.text(2)?),
        session: (!session.is_empty()).then(|| SessionId::new(session)),
        copy: row.flag(4)?,
        name: ScreenName::new(name)
            .ok_or_else(|| StoreError::Corrupt(format!("`{name}` as a screen name")))?,
        subscribed: row.flag(6)?,
        joined: row.time(7)?,
        cursor: row.int(8)?,
    })
}

/// Who hears of the changes of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupListener {
    /// The session.
    pub session: SessionId,
    /// Its user.
    pub user: UserId,
    /// Its client.
    pub client: ClientId,
}

/// Somebody who is in a group, with what he is to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPresence {
    /// The client.
    pub joined: StoredJoined,
    /// The role of the user.
    pub role: Role,
    /// He is on the member list.
    pub is_member: bool,
    /// His address is shown.
    pub show_id: bool,
}

impl Tx<'_> {
    /// Everybody who is in a group of this domain, in the order of joining, with what he is
    /// to it.
    pub fn group_presences(&mut self, group: &GroupId) -> Result<Vec<GroupPresence>, StoreError> {
        self.query(
            "SELECT j.group_id, j.user_id, j.client, j.session, j.copy, j.screen_name,
                 j.subscribed, j.joined, j.cursor, coalesce(m.role, 0),
                 coalesce(m.is_member, 0), coalesce(m.show_id, 0)
             FROM group_joined AS j LEFT JOIN group_member AS m
                 ON m.group_id = j.group_id AND m.user_id = j.user_id
             WHERE j.group_id = ?1 AND j.copy = 0 ORDER BY j.joined, j.user_id, j.client",
            values![group],
            |row| {
                Ok(GroupPresence {
                    joined: joined(row)?,
                    role: role(row.int(9)?)?,
                    is_member: row.flag(10)?,
                    show_id: row.flag(11)?,
                })
            },
        )
    }

    /// The sessions that get the notices of a group.
    pub fn group_listeners(&mut self, group: &GroupId) -> Result<Vec<GroupListener>, StoreError> {
        self.query(
            "SELECT session, user_id, client FROM group_joined
             WHERE group_id = ?1 AND session <> '' AND subscribed = 1",
            values![group],
            |row| {
                Ok(GroupListener {
                    session: SessionId::new(row.text(0)?),
                    user: row.user(1)?,
                    client: ClientId::from_key(row.text(2)?),
                })
            },
        )
    }

    /// The users of other domains that get the notices of a group.
    pub fn foreign_group_listeners(&mut self, group: &GroupId) -> Result<Vec<UserId>, StoreError> {
        self.query(
            "SELECT user_id FROM group_joined
             WHERE group_id = ?1 AND session = '' AND subscribed = 1 ORDER BY user_id",
            values![group],
            |row| row.user(0),
        )
    }

    /// A client joins, with its cursor at the end of the group's log. An earlier join of the
    /// same client is replaced.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when another has the screen name.
    pub fn put_group_joined(&mut self, joined: &StoredJoined) -> Result<(), StoreError> {
        let (client, key) = (joined.client.key(), joined.name.key());
        self.execute(
            "INSERT INTO group_joined (group_id, user_id, client, session, copy, screen_name,
                 name_key, subscribed, joined, cursor)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (group_id, user_id, client) DO UPDATE SET session = excluded.session,
                 copy = excluded.copy, screen_name = excluded.screen_name,
                 name_key = excluded.name_key, subscribed = excluded.subscribed,
                 joined = excluded.joined, cursor = excluded.cursor, beyond = '',
                 delivery = NULL",
            values![
                &joined.group,
                &joined.user,
                &client,
                joined.session.as_ref().map_or("", SessionId::as_str),
                joined.copy,
                joined.name.as_str(),
                &key,
                joined.subscribed,
                joined.joined,
                joined.cursor
            ],
        )?;
        Ok(())
    }

    /// The join of one client.
    pub fn group_joined_client(
        &mut self,
        group: &GroupId,
        user: &UserId,
        client: &ClientId,
    ) -> Result<Option<StoredJoined>, StoreError> {
        self.query_one(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_joined WHERE group_id = ?1 AND user_id = ?2 AND client = ?3"
            ),
            values![group, user, &client.key()],
            joined,
        )
    }

    /// The join of a session.
    pub fn group_joined_session(
        &mut self,
        group: &GroupId,
        session: &SessionId,
    ) -> Result<Option<StoredJoined>, StoreError> {
        self.query_one(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_joined WHERE session = ?2 AND session <> '' AND group_id = ?1"
            ),
            values![group, session],
            joined,
        )
    }

    /// All joins of a session.
    pub fn joined_of_session(
        &mut self,
        session: &SessionId,
    ) -> Result<Vec<StoredJoined>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_joined WHERE session = ?1 AND session <> '' ORDER BY group_id"
            ),
            values![session],
            joined,
        )
    }

    /// All joins of a user in a group.
    pub fn joined_of_user(
        &mut self,
        group: &GroupId,
        user: &UserId,
    ) -> Result<Vec<StoredJoined>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_joined WHERE group_id = ?1 AND user_id = ?2 ORDER BY joined, client"
            ),
            values![group, user],
            joined,
        )
    }

    /// Who has this name in a group of this domain now.
    pub fn group_joined_as(
        &mut self,
        group: &GroupId,
        name: &str,
    ) -> Result<Option<StoredJoined>, StoreError> {
        let key = name.trim().to_lowercase();
        self.query_one(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_joined WHERE group_id = ?1 AND name_key = ?2 AND copy = 0"
            ),
            values![group, &key],
            joined,
        )
    }

    /// Everybody who is in a group, in the order of joining.
    pub fn group_joined(&mut self, group: &GroupId) -> Result<Vec<StoredJoined>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_joined WHERE group_id = ?1 ORDER BY joined, user_id, client"
            ),
            values![group],
            joined,
        )
    }

    /// How many clients are in a group.
    pub fn count_group_joined(&mut self, group: &GroupId) -> Result<usize, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM group_joined WHERE group_id = ?1",
            values![group],
            |row| row.number(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// In how many groups a client is joined.
    pub fn count_joined_of_client(
        &mut self,
        user: &UserId,
        client: &ClientId,
    ) -> Result<usize, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM group_joined WHERE user_id = ?1 AND client = ?2",
            values![user, &client.key()],
            |row| row.number(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// How many clients are joined in all groups together.
    pub fn count_all_group_joined(&mut self) -> Result<usize, StoreError> {
        let count = self.query_one("SELECT count(*) FROM group_joined", values![], |row| {
            row.number(0)
        })?;
        Ok(count.unwrap_or(0))
    }

    /// A client is not in a group any more; `false` when it was not.
    pub fn remove_group_joined(
        &mut self,
        group: &GroupId,
        user: &UserId,
        client: &ClientId,
    ) -> Result<bool, StoreError> {
        let gone = self.execute(
            "DELETE FROM group_joined WHERE group_id = ?1 AND user_id = ?2 AND client = ?3",
            values![group, user, &client.key()],
        )?;
        Ok(gone == 1)
    }

    /// Sets whether a session gets the notices of a group; `false` when it is not joined.
    pub fn set_group_subscribed(
        &mut self,
        group: &GroupId,
        user: &UserId,
        client: &ClientId,
        subscribed: bool,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE group_joined SET subscribed = ?4
             WHERE group_id = ?1 AND user_id = ?2 AND client = ?3",
            values![group, user, &client.key(), subscribed],
        )?;
        Ok(changed == 1)
    }

    /// The groups that a user is joined in.
    pub fn groups_joined(&mut self, user: &UserId) -> Result<Vec<GroupId>, StoreError> {
        self.query(
            "SELECT DISTINCT group_id FROM group_joined WHERE user_id = ?1 ORDER BY group_id",
            values![user],
            |row| row.group(0),
        )
    }

    /// At most `limit` joins whose sessions are not there any more.
    pub fn joined_without_session(
        &mut self,
        limit: usize,
    ) -> Result<Vec<StoredJoined>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_joined WHERE session <> '' AND NOT EXISTS
                     (SELECT 1 FROM session WHERE session.id = group_joined.session)
                 ORDER BY session, group_id LIMIT ?1"
            ),
            values![limit],
            joined,
        )
    }

    /// The last place that is taken in the log of a group; 0 for an empty one.
    pub fn group_log_end(&mut self, group: &GroupId) -> Result<i64, StoreError> {
        let next = self.query_one(
            "SELECT next FROM group_log_head WHERE group_id = ?1",
            values![group],
            |row| row.int(0),
        )?;
        Ok(next.map_or(0, |next| next - 1))
    }
}
