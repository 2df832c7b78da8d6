//! Block and grant lists (csp-im 11).

use crate::row::{Row, as_stored, to_json, user, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{
    AccessEntity, AccessLists, AccessSide, ApplicationId, ContactListId, GroupId, UserId,
};
use std::collections::{HashMap, HashSet};

/// Who wants something of a user, as far as lists can name him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessProbe {
    /// The user.
    pub user: UserId,
    /// His application.
    pub application: Option<ApplicationId>,
    /// The group that it comes through.
    pub group: Option<GroupId>,
}

/// How an entity is stored: its kind, its name, the group of a screen name.
fn columns(entity: &AccessEntity) -> (i64, &str, &str) {
    match entity {
        AccessEntity::User(user) => (0, user.as_str(), ""),
        AccessEntity::ScreenName { name, group } => (1, name, group.as_str()),
        AccessEntity::Group(group) => (2, group.as_str(), ""),
        AccessEntity::ContactList(list) => (3, list.as_str(), ""),
        AccessEntity::Application(application) => (4, application.as_str(), ""),
    }
}

fn side_number(side: AccessSide) -> i64 {
    match side {
        AccessSide::Block => 0,
        AccessSide::Grant => 1,
    }
}

/// Side, kind, name and scope, from the column `first` on; nothing where the side is below 0.
fn entry(row: &Row<'_>, first: usize) -> Result<Option<(AccessSide, AccessEntity)>, StoreError> {
    let side = match row.int(first)? {
        0 => AccessSide::Block,
        1 => AccessSide::Grant,
        _ => return Ok(None),
    };
    let name = row.text(first + 2)?;
    let entity = match row.int(first + 1)? {
        0 => AccessEntity::User(user(name)?),
        1 => AccessEntity::ScreenName {
            name: name.to_owned(),
            group: as_stored(row.text(first + 3)?)?,
        },
        2 => AccessEntity::Group(as_stored(name)?),
        3 => AccessEntity::ContactList(crate::row::contact_list(name)?),
        4 => AccessEntity::Application(ApplicationId::new(name)),
        other => return Err(StoreError::Corrupt(format!("kind {other} in a list"))),
    };
    Ok(Some((side, entity)))
}

impl Tx<'_> {
    /// Both lists of a user; empty and not in use when he has none.
    pub fn access_lists(&mut self, owner: &UserId) -> Result<AccessLists, StoreError> {
        let mut lists = AccessLists::default();
        let flags = self.query_one(
            "SELECT block_in_use, grant_in_use FROM access_control WHERE user_id = ?1",
            values![owner],
            |row| Ok((row.flag(0)?, row.flag(1)?)),
        )?;
        let Some((block, grant)) = flags else {
            return Ok(lists);
        };
        (lists.block.in_use, lists.grant.in_use) = (block, grant);
        self.for_each(
            "SELECT side, kind, name, scope FROM access_entry WHERE user_id = ?1 ORDER BY seq",
            values![owner],
            |row| {
                if let Some((side, entity)) = entry(row, 0)? {
                    lists.side_mut(side).entities.push(entity);
                }
                Ok(())
            },
        )?;
        Ok(lists)
    }

    /// At most `limit` of the users whose block list is in use and names this one, by himself
    /// or in one of their contact lists.
    pub fn users_blocking(
        &mut self,
        blocked: &UserId,
        limit: usize,
    ) -> Result<HashSet<UserId>, StoreError> {
        let found = self.query(
            "SELECT e.user_id FROM access_entry AS e
                 JOIN access_control AS a ON a.user_id = e.user_id AND a.block_in_use = 1
             WHERE e.side = 0 AND e.kind = 0 AND e.name = ?1
             UNION SELECT e.user_id FROM contact AS c
                 JOIN access_entry AS e ON e.kind = 3 AND e.name = c.list AND e.side = 0
                 JOIN access_control AS a ON a.user_id = e.user_id AND a.block_in_use = 1
             WHERE c.user_id = ?1
             LIMIT ?2",
            values![blocked, limit],
            |row| row.user(0),
        )?;
        Ok(found.into_iter().collect())
    }

    /// Puts an entity at the end of a list; `false` when it was there.
    pub fn put_access_entity(
        &mut self,
        owner: &UserId,
        side: AccessSide,
        entity: &AccessEntity,
    ) -> Result<bool, StoreError> {
        self.has_access_lists(owner)?;
        let (kind, name, scope) = columns(entity);
        let put = self.execute(
            "INSERT INTO access_entry (user_id, side, kind, name, scope)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (user_id, side, kind, name, scope) DO NOTHING",
            values![owner, side_number(side), kind, name, scope],
        )?;
        Ok(put == 1)
    }

    /// Takes an entity out of a list; `false` when it was not there.
    pub fn remove_access_entity(
        &mut self,
        owner: &UserId,
        side: AccessSide,
        entity: &AccessEntity,
    ) -> Result<bool, StoreError> {
        let (kind, name, scope) = columns(entity);
        let removed = self.execute(
            "DELETE FROM access_entry
             WHERE user_id = ?1 AND side = ?2 AND kind = ?3 AND name = ?4 AND scope = ?5",
            values![owner, side_number(side), kind, name, scope],
        )?;
        Ok(removed == 1)
    }

    /// Switches a list on or off.
    pub fn set_access_in_use(
        &mut self,
        owner: &UserId,
        side: AccessSide,
        in_use: bool,
    ) -> Result<(), StoreError> {
        self.has_access_lists(owner)?;
        let sql = match side {
            AccessSide::Block => "UPDATE access_control SET block_in_use = ?2 WHERE user_id = ?1",
            AccessSide::Grant => "UPDATE access_control SET grant_in_use = ?2 WHERE user_id = ?1",
        };
        self.execute(sql, values![owner, in_use]).map(drop)
    }

    fn has_access_lists(&mut self, owner: &UserId) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO access_control (user_id, block_in_use, grant_in_use) VALUES (?1, 0, 0)
             ON CONFLICT (user_id) DO NOTHING",
            values![owner],
        )
        .map(drop)
    }

    /// Those of `users` whose lists can keep anybody out.
    pub fn who_can_refuse(&mut self, users: &[UserId]) -> Result<HashSet<UserId>, StoreError> {
        let sql = dialects(
            "SELECT user_id FROM access_control AS a
             WHERE user_id IN (SELECT value FROM json_each(?1)) AND (grant_in_use = 1
                 OR (block_in_use = 1 AND EXISTS (SELECT 1 FROM access_entry AS e
                     WHERE e.user_id = a.user_id AND e.side = 0)))",
            "SELECT user_id FROM access_control AS a
             WHERE user_id IN (SELECT jsonb_array_elements_text(CAST(?1 AS text)::jsonb))
                 AND (grant_in_use = 1
                     OR (block_in_use = 1 AND EXISTS (SELECT 1 FROM access_entry AS e
                         WHERE e.user_id = a.user_id AND e.side = 0)))",
        );
        let mut found = HashSet::new();
        self.for_each(sql, values![&to_json(users)?], |row| {
            found.insert(row.user(0)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The lists of `users`, of their entries only those that may speak of who is probed:
    /// screen names of the group, and all contact lists, are among them.
    pub fn access_lists_about(
        &mut self,
        users: &[UserId],
        probe: &AccessProbe,
    ) -> Result<HashMap<UserId, AccessLists>, StoreError> {
        let sql = dialects(
            "SELECT a.user_id, a.block_in_use, a.grant_in_use,
                 coalesce(e.side, -1), coalesce(e.kind, -1), coalesce(e.name, ''),
                 coalesce(e.scope, '')
             FROM access_control AS a LEFT JOIN access_entry AS e ON e.user_id = a.user_id
                 AND ((e.kind = 0 AND e.name = ?2) OR (e.kind = 1 AND e.scope = ?3)
                     OR (e.kind = 2 AND e.name = ?3) OR e.kind = 3
                     OR (e.kind = 4 AND e.name = ?4))
             WHERE a.user_id IN (SELECT value FROM json_each(?1))",
            "SELECT a.user_id, a.block_in_use, a.grant_in_use,
                 coalesce(e.side, -1), coalesce(e.kind, -1), coalesce(e.name, ''),
                 coalesce(e.scope, '')
             FROM access_control AS a LEFT JOIN access_entry AS e ON e.user_id = a.user_id
                 AND ((e.kind = 0 AND e.name = ?2) OR (e.kind = 1 AND e.scope = ?3)
                     OR (e.kind = 2 AND e.name = ?3) OR e.kind = 3
                     OR (e.kind = 4 AND e.name = ?4))
             WHERE a.user_id IN (SELECT jsonb_array_elements_text(CAST(?1 AS text)::jsonb))",
        );
        let group = probe.group.as_ref().map_or("", GroupId::as_str);
        let application = probe.application.as_ref();
        let application = application.map_or("", ApplicationId::as_str);
        let mut found: HashMap<UserId, AccessLists> = HashMap::new();
        self.for_each(
            sql,
            values![&to_json(users)?, &probe.user, group, application],
            |row| {
                let lists = found.entry(row.user(0)?).or_default();
                lists.block.in_use = row.flag(1)?;
                lists.grant.in_use = row.flag(2)?;
                if let Some((side, entity)) = entry(row, 3)? {
                    lists.side_mut(side).entities.push(entity);
                }
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// A contact list is gone: the lists of its owner do not name it any more (csp-presence
    /// 2.6 e). Which of them did.
    pub fn forget_in_access_lists(
        &mut self,
        list: &ContactListId,
    ) -> Result<Vec<AccessSide>, StoreError> {
        let owner = list.owner();
        let entity = AccessEntity::ContactList(list.clone());
        let mut changed = Vec::new();
        for side in [AccessSide::Block, AccessSide::Grant] {
            if self.remove_access_entity(&owner, side, &entity)? {
                changed.push(side);
            }
        }
        Ok(changed)
    }

    /// Those of `lists` that have this member.
    pub fn lists_among_with(
        &mut self,
        lists: &[ContactListId],
        member: &UserId,
    ) -> Result<HashSet<ContactListId>, StoreError> {
        let sql = dialects(
            "SELECT list FROM contact
             WHERE user_id = ?1 AND list IN (SELECT value FROM json_each(?2))",
            "SELECT list FROM contact WHERE user_id = ?1 AND list IN
                 (SELECT jsonb_array_elements_text(CAST(?2 AS text)::jsonb))",
        );
        let mut found = HashSet::new();
        self.for_each(sql, values![member, &to_json(lists)?], |row| {
            found.insert(row.contact_list(0)?);
            Ok(())
        })?;
        Ok(found)
    }
}
