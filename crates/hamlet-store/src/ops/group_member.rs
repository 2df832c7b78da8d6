//! What users are to groups: members, roles, own properties; and who may not join
//! (csp-group 1.0, 5.6-5.8, 5.11).

use crate::row::{Row, to_json, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{GroupId, OwnProperties, Role, ScreenName, Timestamp, UserId};

/// What a user is to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMember {
    /// The user.
    pub user: UserId,
    /// On the member list.
    pub is_member: bool,
    /// His role.
    pub role: Role,
    /// What he has set himself.
    pub own: OwnProperties,
}

/// The columns that [`member`] reads.
macro_rules! columns {
    () => {
        "user_id, is_member, role, private_messaging, auto_join, show_id, screen_name"
    };
}

fn member(row: &Row<'_>) -> Result<StoredMember, StoreError> {
    Ok(StoredMember {
        user: row.user(0)?,
        is_member: row.flag(1)?,
        role: role(row.int(2)?)?,
        own: OwnProperties {
            private_messaging: row.flag(3)?,
            auto_join: row.flag(4)?,
            show_id: row.flag(5)?,
            screen_name: ScreenName::new(row.text(6)?),
        },
    })
}

pub(super) fn role(number: i64) -> Result<Role, StoreError> {
    match number {
        0 => Ok(Role::User),
        1 => Ok(Role::Moderator),
        2 => Ok(Role::Admin),
        other => Err(StoreError::Corrupt(format!("role {other}"))),
    }
}

fn number(role: Role) -> i64 {
    match role {
        Role::User => 0,
        Role::Moderator => 1,
        Role::Admin => 2,
    }
}

impl Tx<'_> {
    /// What a user is to a group.
    pub fn group_member(
        &mut self,
        group: &GroupId,
        user: &UserId,
    ) -> Result<Option<StoredMember>, StoreError> {
        self.query_one(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_member WHERE group_id = ?1 AND user_id = ?2"
            ),
            values![group, user],
            member,
        )
    }

    /// What these users are to a group; who is nothing to it is left out.
    pub fn group_members_among(
        &mut self,
        group: &GroupId,
        users: &[UserId],
    ) -> Result<Vec<StoredMember>, StoreError> {
        let sql = dialects(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_member WHERE group_id = ?1 AND user_id IN
                     (SELECT value FROM json_each(?2))"
            ),
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_member WHERE group_id = ?1 AND user_id IN
                     (SELECT jsonb_array_elements_text(CAST(?2 AS text)::jsonb))"
            ),
        );
        self.query(sql, values![group, &to_json(users)?], member)
    }

    /// Everybody on the member list of a group, in the order of the addresses.
    pub fn group_members(&mut self, group: &GroupId) -> Result<Vec<StoredMember>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM group_member WHERE group_id = ?1 AND is_member = 1 ORDER BY user_id"
            ),
            values![group],
            member,
        )
    }

    /// How many are on the member list of a group.
    pub fn count_group_members(&mut self, group: &GroupId) -> Result<usize, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM group_member WHERE group_id = ?1 AND is_member = 1",
            values![group],
            |row| row.number(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Sets what a user is to a group.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when there is no such group.
    pub fn put_group_member(
        &mut self,
        group: &GroupId,
        member: &StoredMember,
    ) -> Result<(), StoreError> {
        let own = &member.own;
        let name = own.screen_name.as_ref();
        let key = name.map(ScreenName::key).unwrap_or_default();
        self.execute(
            "INSERT INTO group_member (group_id, user_id, is_member, role, private_messaging,
                 auto_join, show_id, screen_name, name_key, since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (group_id, user_id) DO UPDATE SET is_member = excluded.is_member,
                 role = excluded.role, private_messaging = excluded.private_messaging,
                 auto_join = excluded.auto_join, show_id = excluded.show_id,
                 screen_name = excluded.screen_name, name_key = excluded.name_key",
            values![
                group,
                &member.user,
                member.is_member,
                number(member.role),
                own.private_messaging,
                own.auto_join,
                own.show_id,
                name.map_or("", ScreenName::as_str),
                &key,
                Timestamp::now()
            ],
        )?;
        Ok(())
    }

    /// A user is nothing to a group any more.
    pub fn remove_group_member(
        &mut self,
        group: &GroupId,
        user: &UserId,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM group_member WHERE group_id = ?1 AND user_id = ?2",
            values![group, user],
        )?;
        Ok(())
    }

    /// Whether another user than this one has the name, joined or kept for him.
    pub fn is_screen_name_taken(
        &mut self,
        group: &GroupId,
        name: &ScreenName,
        except: &UserId,
    ) -> Result<bool, StoreError> {
        let key = name.key();
        let found = self.query_one(
            "SELECT user_id FROM group_joined
             WHERE group_id = ?1 AND name_key = ?2 AND copy = 0 AND user_id <> ?3
             UNION ALL
             SELECT user_id FROM group_member
             WHERE group_id = ?1 AND name_key = ?2 AND auto_join = 1 AND user_id <> ?3
             LIMIT 1",
            values![group, &key, except],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// The groups in which a user has AutoJoin, in the order of their addresses.
    pub fn auto_join_groups(&mut self, user: &UserId) -> Result<Vec<GroupId>, StoreError> {
        self.query(
            "SELECT group_id FROM group_member WHERE user_id = ?1 AND auto_join = 1
             ORDER BY group_id",
            values![user],
            |row| row.group(0),
        )
    }

    /// The groups of other domains in which a user wants to be joined at login, at most `limit`
    /// in the order of their addresses.
    pub fn auto_join_elsewhere(
        &mut self,
        user: &UserId,
        limit: usize,
    ) -> Result<Vec<GroupId>, StoreError> {
        self.query(
            "SELECT group_id FROM auto_join_elsewhere WHERE user_id = ?1
             ORDER BY group_id LIMIT ?2",
            values![user, limit],
            |row| row.group(0),
        )
    }

    /// Notes whether a user wants to be joined at login in a group of another domain.
    pub fn set_auto_join_elsewhere(
        &mut self,
        user: &UserId,
        group: &GroupId,
        wanted: bool,
    ) -> Result<(), StoreError> {
        let statement = match wanted {
            true => {
                "INSERT INTO auto_join_elsewhere (user_id, group_id) VALUES (?1, ?2)
                 ON CONFLICT (user_id, group_id) DO NOTHING"
            }
            false => "DELETE FROM auto_join_elsewhere WHERE user_id = ?1 AND group_id = ?2",
        };
        self.execute(statement, values![user, group]).map(drop)
    }

    /// Puts a user on the reject list; `false` when he was on it.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when there is no such group.
    pub fn put_group_reject(
        &mut self,
        group: &GroupId,
        user: &UserId,
        by: &UserId,
    ) -> Result<bool, StoreError> {
        let made = self.execute(
            "INSERT INTO group_reject (group_id, user_id, rejected_by, since)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (group_id, user_id) DO NOTHING",
            values![group, user, by, Timestamp::now()],
        )?;
        Ok(made == 1)
    }

    /// Takes a user off the reject list; `false` when he was not on it.
    pub fn remove_group_reject(
        &mut self,
        group: &GroupId,
        user: &UserId,
    ) -> Result<bool, StoreError> {
        let gone = self.execute(
            "DELETE FROM group_reject WHERE group_id = ?1 AND user_id = ?2",
            values![group, user],
        )?;
        Ok(gone == 1)
    }

    /// Whether a user is on the reject list of a group.
    pub fn is_group_rejected(
        &mut self,
        group: &GroupId,
        user: &UserId,
    ) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT user_id FROM group_reject WHERE group_id = ?1 AND user_id = ?2",
            values![group, user],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// The reject list of a group, in the order of the addresses.
    pub fn group_rejects(&mut self, group: &GroupId) -> Result<Vec<UserId>, StoreError> {
        self.query(
            "SELECT user_id FROM group_reject WHERE group_id = ?1 ORDER BY user_id",
            values![group],
            |row| row.user(0),
        )
    }
}
