//! Invitations (csp-access 10.2): who has invited whom, and what has become of it.

use crate::ops::PURGE;
use crate::row::{Row, values};
use crate::{StoreError, Tx};
use hamlet_model::{Timestamp, UserId};

/// An invitation of one invitee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInvitation {
    /// Who invited.
    pub inviter: UserId,
    /// The inviter's name for the invitation.
    pub id: String,
    /// Who is invited.
    pub invitee: UserId,
    /// The name by which the invitee knows it.
    pub shown: String,
    /// What has become of it.
    pub state: InvitationState,
    /// Until when it can be answered.
    pub expires: Timestamp,
    /// The invitation itself, in a form that the store does not know.
    pub payload: Vec<u8>,
}

/// What has become of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvitationState {
    /// Not answered yet.
    Pending,
    /// The invitee accepted.
    Accepted,
    /// The invitee rejected.
    Rejected,
    /// The inviter withdrew it.
    Cancelled,
}

impl InvitationState {
    fn number(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Accepted => 1,
            Self::Rejected => 2,
            Self::Cancelled => 3,
        }
    }

    fn from_number(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Pending),
            1 => Ok(Self::Accepted),
            2 => Ok(Self::Rejected),
            3 => Ok(Self::Cancelled),
            other => Err(StoreError::Corrupt(format!("invitation state {other}"))),
        }
    }
}

fn invitation(row: &Row<'_>) -> Result<StoredInvitation, StoreError> {
    Ok(StoredInvitation {
        inviter: row.user(0)?,
        id: row.text(1)?.to_owned(),
        invitee: row.user(2)?,
        shown: row.text(3)?.to_owned(),
        state: InvitationState::from_number(row.int(4)?)?,
        expires: row.time(5)?,
        payload: row.blob(6)?,
    })
}

impl Tx<'_> {
    /// Keeps an invitation; a new one of the same inviter, name and invitee replaces it.
    pub fn put_invitation(&mut self, kept: &StoredInvitation) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO invitation (inviter, id, invitee, shown, state, expires, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (inviter, id, invitee) DO UPDATE SET shown = excluded.shown,
                 state = excluded.state, expires = excluded.expires, payload = excluded.payload",
            values![
                &kept.inviter,
                &kept.id,
                &kept.invitee,
                &kept.shown,
                kept.state.number(),
                kept.expires,
                &kept.payload
            ],
        )?;
        Ok(())
    }

    /// An invitation of one invitee.
    pub fn invitation(
        &mut self,
        inviter: &UserId,
        id: &str,
        invitee: &UserId,
    ) -> Result<Option<StoredInvitation>, StoreError> {
        self.query_one(
            "SELECT inviter, id, invitee, shown, state, expires, payload FROM invitation
             WHERE inviter = ?1 AND id = ?2 AND invitee = ?3",
            values![inviter, id, invitee],
            invitation,
        )
    }

    /// All invitees of an invitation.
    pub fn invitations(
        &mut self,
        inviter: &UserId,
        id: &str,
    ) -> Result<Vec<StoredInvitation>, StoreError> {
        self.query(
            "SELECT inviter, id, invitee, shown, state, expires, payload FROM invitation
             WHERE inviter = ?1 AND id = ?2 ORDER BY invitee",
            values![inviter, id],
            invitation,
        )
    }

    /// The pending invitation that an invitee knows by this name, if it has not expired by
    /// `now`.
    pub fn invitation_shown(
        &mut self,
        invitee: &UserId,
        shown: &str,
        now: Timestamp,
    ) -> Result<Option<StoredInvitation>, StoreError> {
        self.query_one(
            "SELECT inviter, id, invitee, shown, state, expires, payload FROM invitation
             WHERE invitee = ?1 AND shown = ?2 AND state = 0 AND expires > ?3",
            values![invitee, shown, now],
            invitation,
        )
    }

    /// Notes what has become of an invitation of one invitee.
    pub fn set_invitation_state(
        &mut self,
        inviter: &UserId,
        id: &str,
        invitee: &UserId,
        state: InvitationState,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE invitation SET state = ?4 WHERE inviter = ?1 AND id = ?2 AND invitee = ?3",
            values![inviter, id, invitee, state.number()],
        )?;
        Ok(())
    }

    /// How many invitations of an inviter have not expired by `now`, counted by invitees.
    pub fn count_invitations(
        &mut self,
        inviter: &UserId,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM invitation WHERE inviter = ?1 AND expires > ?2",
            values![inviter, now],
            |row| row.number(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Forgets invitations that have expired by `now`, at most some thousands; how many.
    pub fn purge_invitations(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM invitation WHERE (inviter, id, invitee) IN
                 (SELECT inviter, id, invitee FROM invitation WHERE expires <= ?1
                  ORDER BY expires LIMIT ?2)",
            values![now, PURGE],
        )
    }
}
