//! By which invitations content is shared (csp-access 10.2; architecture document B.4).

use crate::ops::PURGE;
use crate::row::{Row, values};
use crate::{StoreError, Tx};
use hamlet_model::{GroupId, Timestamp, UserId};

/// An invitation by which content is shared into a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupContent {
    /// The group.
    pub group: GroupId,
    /// Who shares it.
    pub inviter: UserId,
    /// His name for the invitation.
    pub invitation: String,
    /// Since when.
    pub created: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// The invitation itself, in a form that the store does not know.
    pub payload: Vec<u8>,
}

impl Tx<'_> {
    /// Notes that an invitation of its owner shares content.
    pub fn share_content(&mut self, content: &str, invitation: &str) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO content_share (content, invitation) VALUES (?1, ?2)
             ON CONFLICT (content, invitation) DO NOTHING",
            values![content, invitation],
        )?;
        Ok(())
    }

    /// An invitation is withdrawn: what nothing else shares that it shared is removed. How much.
    pub fn unshare_content(&mut self, owner: &UserId, invitation: &str) -> Result<u64, StoreError> {
        let shared = self.query(
            "SELECT content FROM content_share
             WHERE invitation = ?2 AND content IN (SELECT id FROM content WHERE owner = ?1)",
            values![owner, invitation],
            |row| Ok(row.text(0)?.to_owned()),
        )?;
        let mut removed = 0;
        for content in &shared {
            self.execute(
                "DELETE FROM content_share WHERE content = ?1 AND invitation = ?2",
                values![content, invitation],
            )?;
            let others = self.query_one(
                "SELECT count(*) FROM content_share WHERE content = ?1",
                values![content],
                |row| row.int(0),
            )?;
            if others == Some(0) && self.remove_content(content)? {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Shares content into a group; a new invitation of the same name takes the place of the
    /// earlier one.
    pub fn put_group_content(&mut self, shared: &GroupContent) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO group_content (group_id, inviter, invitation, created, expires, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (group_id, inviter, invitation) DO UPDATE SET
                 created = excluded.created, expires = excluded.expires,
                 payload = excluded.payload",
            values![
                shared.group.as_str(),
                &shared.inviter,
                &shared.invitation,
                shared.created,
                shared.expires,
                &shared.payload
            ],
        )?;
        Ok(())
    }

    /// At most `limit` of what is shared into a group at `now`, newest first.
    pub fn group_content(
        &mut self,
        group: &GroupId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<GroupContent>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(GroupContent {
                group: group.clone(),
                inviter: row.user(0)?,
                invitation: row.text(1)?.to_owned(),
                created: row.time(2)?,
                expires: row.time(3)?,
                payload: row.blob(4)?,
            })
        };
        self.query(
            "SELECT inviter, invitation, created, expires, payload FROM group_content
             WHERE group_id = ?1 AND expires > ?2
             ORDER BY created DESC, inviter, invitation LIMIT ?3",
            values![group.as_str(), now, limit],
            read,
        )
    }

    /// How much one user shares into a group at `now`.
    pub fn count_group_content(
        &mut self,
        group: &GroupId,
        inviter: &UserId,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM group_content
             WHERE group_id = ?1 AND inviter = ?2 AND expires > ?3",
            values![group.as_str(), inviter, now],
            |row| row.number(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// An invitation is withdrawn, from one group or from all: what it shared is not there any
    /// more. Whether it was.
    pub fn remove_group_content(
        &mut self,
        inviter: &UserId,
        invitation: &str,
        group: Option<&GroupId>,
    ) -> Result<bool, StoreError> {
        let removed = match group {
            Some(group) => self.execute(
                "DELETE FROM group_content
                 WHERE inviter = ?1 AND invitation = ?2 AND group_id = ?3",
                values![inviter, invitation, group.as_str()],
            )?,
            None => self.execute(
                "DELETE FROM group_content WHERE inviter = ?1 AND invitation = ?2",
                values![inviter, invitation],
            )?,
        };
        Ok(removed > 0)
    }

    /// A group is gone, with what was shared into it.
    pub fn forget_group_content(&mut self, group: &GroupId) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM group_content WHERE group_id = ?1",
            values![group.as_str()],
        )?;
        Ok(())
    }

    /// Forgets what was shared into groups until `now`, at most some thousands; how many.
    pub fn purge_group_content(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM group_content WHERE (group_id, inviter, invitation) IN
                 (SELECT group_id, inviter, invitation FROM group_content
                  WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
            values![now, PURGE],
        )
    }
}
