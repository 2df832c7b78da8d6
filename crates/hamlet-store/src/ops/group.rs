//! Groups with their properties (csp-group 1).

use crate::ops::PURGE;
use crate::ops::profile::fold::stored;
use crate::row::{Row, as_stored, to_json, values};
use crate::{StoreError, Tx};
use hamlet_model::{GroupId, GroupProperties, Timestamp, UserId};

/// A group without its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGroup {
    /// Its address.
    pub id: GroupId,
    /// Its owner; `None` for a public one.
    pub owner: Option<UserId>,
    /// When it was made.
    pub created: Timestamp,
    /// When its validity ends; `None` for never.
    pub expires: Option<Timestamp>,
    /// What can be changed of it.
    pub properties: GroupProperties,
}

/// The columns that [`group`] reads.
macro_rules! columns {
    () => {
        "id, owner, created, expires, data"
    };
}

fn group(row: &Row<'_>) -> Result<StoredGroup, StoreError> {
    let owner = row.opt_text(1)?.map(crate::row::user).transpose()?;
    Ok(StoredGroup {
        id: row.group(0)?,
        owner,
        created: row.time(2)?,
        expires: row.opt_time(3)?,
        properties: row.json(4)?,
    })
}

/// What a search looks at: nothing of a group that does not want to be found.
fn texts(group: &StoredGroup) -> [String; 3] {
    let properties = &group.properties;
    match properties.searchable {
        true => [
            // Strings of two letters are found at the beginnings of words.
            stored(&format!(
                "{0} {1} {2}",
                group.id,
                &group.id.as_str()[3..],
                group.id.name()
            )),
            stored(&properties.name),
            stored(&properties.topic),
        ],
        false => Default::default(),
    }
}

impl Tx<'_> {
    /// Makes a group; `false` when it exists, and stays as it is.
    pub fn create_group(&mut self, group: &StoredGroup) -> Result<bool, StoreError> {
        let [id_text, name_text, topic_text] = texts(group);
        let made = self.execute(
            "INSERT INTO chat_group
                 (id, owner, created, expires, data, id_text, name_text, topic_text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING",
            values![
                &group.id,
                group.owner.as_ref().map(UserId::as_str),
                group.created,
                group.expires,
                &to_json(&group.properties)?,
                &id_text,
                &name_text,
                &topic_text
            ],
        )?;
        Ok(made == 1)
    }

    /// Sets expiry and properties of a group; `false` when there is none.
    pub fn update_group(&mut self, group: &StoredGroup) -> Result<bool, StoreError> {
        let [id_text, name_text, topic_text] = texts(group);
        let changed = self.execute(
            "UPDATE chat_group SET expires = ?2, data = ?3, id_text = ?4, name_text = ?5,
                 topic_text = ?6 WHERE id = ?1",
            values![
                &group.id,
                group.expires,
                &to_json(&group.properties)?,
                &id_text,
                &name_text,
                &topic_text
            ],
        )?;
        Ok(changed == 1)
    }

    /// A group.
    pub fn group(&mut self, id: &GroupId) -> Result<Option<StoredGroup>, StoreError> {
        self.query_one(
            concat!("SELECT ", columns!(), " FROM chat_group WHERE id = ?1"),
            values![id],
            group,
        )
    }

    /// Removes a group with its members, joined users, reject list, permissions, shared
    /// content and everything that was said in it; `false` when there is none.
    pub fn delete_group(&mut self, id: &GroupId) -> Result<bool, StoreError> {
        self.forget_group(id)?;
        self.execute(
            "DELETE FROM group_conversation WHERE group_id = ?1",
            values![id],
        )?;
        let gone = self.execute("DELETE FROM chat_group WHERE id = ?1", values![id])?;
        Ok(gone == 1)
    }

    /// Removes who is joined, what is shared and what was said: also of a group that is kept
    /// in another domain, and has nobody here any more.
    pub fn forget_group(&mut self, id: &GroupId) -> Result<(), StoreError> {
        for statement in [
            "DELETE FROM group_joined WHERE group_id = ?1",
            "DELETE FROM group_share WHERE group_id = ?1",
            "DELETE FROM group_log WHERE group_id = ?1",
            "DELETE FROM group_log_head WHERE group_id = ?1",
        ] {
            self.execute(statement, values![id])?;
        }
        Ok(())
    }

    /// The groups that a user owns, oldest first.
    pub fn groups_owned(&mut self, owner: &UserId) -> Result<Vec<GroupId>, StoreError> {
        self.query(
            "SELECT id FROM chat_group WHERE owner = ?1 ORDER BY seq",
            values![owner],
            |row| row.group(0),
        )
    }

    /// How many groups a user owns, and how many there are.
    pub fn count_groups(&mut self, owner: &UserId) -> Result<(usize, usize), StoreError> {
        let count = self.query_one(
            "SELECT (SELECT count(*) FROM chat_group WHERE owner = ?1),
                    (SELECT count(*) FROM chat_group)",
            values![owner],
            |row| Ok((row.number(0)?, row.number(1)?)),
        )?;
        Ok(count.unwrap_or_default())
    }

    /// At most `limit` groups in the order of their addresses, from the one after `after`.
    pub fn groups(
        &mut self,
        after: Option<&GroupId>,
        limit: usize,
    ) -> Result<Vec<StoredGroup>, StoreError> {
        self.query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM chat_group WHERE id > ?1 ORDER BY id LIMIT ?2"
            ),
            values![after.map_or("", GroupId::as_str), limit],
            group,
        )
    }

    /// Some groups whose validity has ended by `now`.
    pub fn expired_groups(&mut self, now: Timestamp) -> Result<Vec<GroupId>, StoreError> {
        self.query(
            "SELECT id FROM chat_group WHERE expires IS NOT NULL AND expires <= ?1
             ORDER BY expires LIMIT 100",
            values![now],
            |row| row.group(0),
        )
    }

    /// Some groups whose owner has no account any more.
    pub fn orphaned_groups(&mut self) -> Result<Vec<GroupId>, StoreError> {
        self.query(
            "SELECT id FROM chat_group WHERE owner IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM account WHERE account.user_id = chat_group.owner)
             ORDER BY id LIMIT 100",
            values![],
            |row| row.group(0),
        )
    }

    /// Notes that a user's conversation has become a group; `false` when he has used the
    /// name before.
    pub fn put_conversation(
        &mut self,
        user: &UserId,
        id: &str,
        group: &GroupId,
    ) -> Result<bool, StoreError> {
        let made = self.execute(
            "INSERT INTO group_conversation (user_id, id, group_id) VALUES (?1, ?2, ?3)
             ON CONFLICT (user_id, id) DO NOTHING",
            values![user, id, group],
        )?;
        Ok(made == 1)
    }

    /// Whether a group has come from a conversation.
    pub fn is_conversation(&mut self, group: &GroupId) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT group_id FROM group_conversation WHERE group_id = ?1 LIMIT 1",
            values![group],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Whether [`Tx::purge_group_invitations`] has something to do.
    pub fn has_expired_group_invitations(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT expires FROM group_permission WHERE expires <= ?1
             UNION ALL SELECT expires FROM group_share WHERE expires <= ?1 LIMIT 1",
            values![now],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Forgets permissions and shared content that have expired by `now`, at most some
    /// thousands; how many.
    pub fn purge_group_invitations(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let permissions = self.execute(
            "DELETE FROM group_permission WHERE (group_id, user_id, inviter, invitation) IN
                 (SELECT group_id, user_id, inviter, invitation FROM group_permission
                  WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
            values![now, PURGE],
        )?;
        let shares = self.execute(
            "DELETE FROM group_share WHERE (group_id, inviter, invitation) IN
                 (SELECT group_id, inviter, invitation FROM group_share
                  WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
            values![now, PURGE],
        )?;
        Ok(permissions + shares)
    }
}

impl Row<'_> {
    /// A group address as it was stored.
    pub(crate) fn group(&self, column: usize) -> Result<GroupId, StoreError> {
        let text = self.text(column)?;
        if !(text.starts_with("wv:") && text.contains('/') && text.contains('@')) {
            return Err(StoreError::Corrupt(format!("`{text}` as a group")));
        }
        as_stored(text)
    }
}
