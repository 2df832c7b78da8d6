//! Invitations that let somebody join a group, and content that is shared with one
//! (csp-group 7; csp-access 10.2).

use crate::row::values;
use crate::{StoreError, Tx};
use hamlet_model::{GroupId, Timestamp, UserId};

/// What lets a user join a group once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPermission {
    /// Who may join.
    pub user: UserId,
    /// Who has invited him.
    pub inviter: UserId,
    /// By which invitation.
    pub invitation: String,
    /// Also if the group is restricted.
    pub restricted: bool,
    /// Until when.
    pub expires: Timestamp,
}

impl Tx<'_> {
    /// Lets a user join a group once.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when there is no such group.
    pub fn put_group_permission(
        &mut self,
        group: &GroupId,
        permission: &GroupPermission,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO group_permission
                 (group_id, user_id, inviter, invitation, restricted, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (group_id, user_id, inviter, invitation) DO UPDATE SET
                 restricted = excluded.restricted, expires = excluded.expires",
            values![
                group,
                &permission.user,
                &permission.inviter,
                &permission.invitation,
                permission.restricted,
                permission.expires
            ],
        )?;
        Ok(())
    }

    /// Whether an invitation lets a user join at `now`, and whether one does so even if the
    /// group is restricted.
    pub fn group_permission(
        &mut self,
        group: &GroupId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<(bool, bool), StoreError> {
        let found = self.query_one(
            "SELECT count(*), coalesce(max(restricted), 0) FROM group_permission
             WHERE group_id = ?1 AND user_id = ?2 AND expires > ?3",
            values![group, user, now],
            |row| Ok((row.int(0)? > 0, row.flag(1)?)),
        )?;
        Ok(found.unwrap_or_default())
    }

    /// The user has joined: what let him do so is used up.
    pub fn use_group_permissions(
        &mut self,
        group: &GroupId,
        user: &UserId,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM group_permission WHERE group_id = ?1 AND user_id = ?2",
            values![group, user],
        )?;
        Ok(())
    }

    /// An invitation of a user is withdrawn or rejected: it lets him join no more.
    pub fn revoke_group_permission(
        &mut self,
        inviter: &UserId,
        invitation: &str,
        user: &UserId,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM group_permission
             WHERE inviter = ?1 AND invitation = ?2 AND user_id = ?3",
            values![inviter, invitation, user],
        )?;
        Ok(())
    }

    /// Content is shared with a group; the invitation is in a form that the store does not
    /// know.
    pub fn put_group_share(
        &mut self,
        group: &GroupId,
        inviter: &UserId,
        invitation: &str,
        expires: Timestamp,
        payload: &[u8],
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO group_share (group_id, inviter, invitation, expires, payload)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (group_id, inviter, invitation) DO UPDATE SET
                 expires = excluded.expires, payload = excluded.payload",
            values![group, inviter, invitation, expires, payload],
        )?;
        Ok(())
    }

    /// What is shared with a group and has not expired by `now`, at most `limit`.
    pub fn group_shares(
        &mut self,
        group: &GroupId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.query(
            "SELECT payload FROM group_share WHERE group_id = ?1 AND expires > ?2
             ORDER BY expires LIMIT ?3",
            values![group, now, limit],
            |row| row.blob(0),
        )
    }
}
