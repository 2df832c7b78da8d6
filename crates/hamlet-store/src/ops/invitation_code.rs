//! Codes by which new users prove that they may register (csp-access 3.7).

use crate::row::{Row, values};
use crate::{StoreError, Tx};
use hamlet_model::Timestamp;

/// A code that an operator has given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationCode {
    /// The code.
    pub code: String,
    /// How many users may still register with it.
    pub uses: u32,
    /// When it was made.
    pub created: Timestamp,
    /// From when it is worth nothing.
    pub expires: Timestamp,
}

fn invitation_code(row: &Row<'_>) -> Result<InvitationCode, StoreError> {
    Ok(InvitationCode {
        code: row.text(0)?.to_owned(),
        uses: row.number(1)?,
        created: row.time(2)?,
        expires: row.time(3)?,
    })
}

impl Tx<'_> {
    /// Stores a code; `false` when there is one of this text, which stays as it is.
    pub fn put_invitation_code(&mut self, code: &InvitationCode) -> Result<bool, StoreError> {
        let made = self.execute(
            "INSERT INTO invitation_code (code, uses, created, expires)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (code) DO NOTHING",
            values![&code.code, code.uses, code.created, code.expires],
        )?;
        Ok(made == 1)
    }

    /// Uses a code once, if it is good at `now`; whether it was. Called together with what
    /// it is used for.
    pub fn use_invitation_code(&mut self, code: &str, now: Timestamp) -> Result<bool, StoreError> {
        let used = self.execute(
            "UPDATE invitation_code SET uses = uses - 1
             WHERE code = ?1 AND uses > 0 AND expires > ?2",
            values![code, now],
        )?;
        Ok(used == 1)
    }

    /// At most `limit` codes in the order of their texts, from the one after `after`; used
    /// and expired ones too.
    pub fn invitation_codes(
        &mut self,
        after: &str,
        limit: usize,
    ) -> Result<Vec<InvitationCode>, StoreError> {
        self.query(
            "SELECT code, uses, created, expires FROM invitation_code
             WHERE code > ?1 ORDER BY code LIMIT ?2",
            values![after, limit],
            invitation_code,
        )
    }

    /// Removes a code; whether there was one.
    pub fn remove_invitation_code(&mut self, code: &str) -> Result<bool, StoreError> {
        let gone = self.execute("DELETE FROM invitation_code WHERE code = ?1", values![code])?;
        Ok(gone == 1)
    }
}
