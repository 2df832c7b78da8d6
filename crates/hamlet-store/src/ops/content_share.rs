//! By which invitations content is shared (csp-access 10.2; architecture document B.4).

use crate::row::values;
use crate::{StoreError, Tx};
use hamlet_model::{GroupId, Timestamp, UserId};

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

    /// How much one user shares with a group at `now`.
    pub fn count_group_shares(
        &mut self,
        group: &GroupId,
        inviter: &UserId,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM group_share
             WHERE group_id = ?1 AND inviter = ?2 AND expires > ?3",
            values![group, inviter, now],
            |row| row.number(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// An invitation is withdrawn, from one group or from all: those who join are told of it no
    /// more. Whether they were.
    pub fn unshare_with_groups(
        &mut self,
        inviter: &UserId,
        invitation: &str,
        group: Option<&GroupId>,
    ) -> Result<bool, StoreError> {
        let removed = match group {
            Some(group) => self.execute(
                "DELETE FROM group_share
                 WHERE inviter = ?1 AND invitation = ?2 AND group_id = ?3",
                values![inviter, invitation, group],
            )?,
            None => self.execute(
                "DELETE FROM group_share WHERE inviter = ?1 AND invitation = ?2",
                values![inviter, invitation],
            )?,
        };
        Ok(removed > 0)
    }
}
