//! Accounts.

use crate::row::{Row, to_json, user, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{Profile, Timestamp, UserId};
use std::collections::HashSet;

/// A user of a served domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: UserId,
    /// What proves his identity, in a form that the store does not know; `None` lets nobody
    /// in.
    pub credential: Option<Vec<u8>>,
    /// Whether he may log in.
    pub status: AccountStatus,
    /// When the account was made.
    pub created: Timestamp,
}

/// Whether the user may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountStatus {
    /// He may.
    Active,
    /// The operator keeps him out.
    Barred,
}

impl AccountStatus {
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Active => 0,
            Self::Barred => 1,
        }
    }

    fn from_number(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Active),
            1 => Ok(Self::Barred),
            other => Err(StoreError::Corrupt(format!("account status {other}"))),
        }
    }
}

fn account(row: &Row<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        user: row.user(0)?,
        credential: row.opt_blob(1)?,
        status: AccountStatus::from_number(row.int(2)?)?,
        created: row.time(3)?,
    })
}

/// What goes with an account, but for the account itself. Lists take their members with
/// them.
const BELONGINGS: &[&str] = &[
    "DELETE FROM auto_subscription
     WHERE session IN (SELECT id FROM session WHERE user_id = ?1)",
    "DELETE FROM search WHERE session IN (SELECT id FROM session WHERE user_id = ?1)",
    "DELETE FROM session WHERE user_id = ?1",
    "DELETE FROM msisdn WHERE user_id = ?1",
    "DELETE FROM profile WHERE user_id = ?1",
    "DELETE FROM user_profile WHERE user_id = ?1",
    "DELETE FROM terminal WHERE user_id = ?1",
    "DELETE FROM application_user WHERE user_id = ?1",
    "DELETE FROM application WHERE account = ?1",
    "DELETE FROM contact_list WHERE owner = ?1",
    "DELETE FROM access_control WHERE user_id = ?1",
    "DELETE FROM online_handling WHERE user_id = ?1",
    "DELETE FROM offline_handling WHERE user_id = ?1",
    "DELETE FROM mailbox_copy WHERE recipient = ?1",
    "DELETE FROM presence WHERE user_id = ?1",
    "DELETE FROM mailbox WHERE recipient = ?1",
    "DELETE FROM mailbox_usage WHERE recipient = ?1",
    "DELETE FROM subscription WHERE user_id = ?1 OR publisher = ?1",
    "DELETE FROM watcher_log WHERE publisher = ?1 OR watcher = ?1",
    "DELETE FROM attribute_list WHERE owner = ?1 OR target = ?1",
    "DELETE FROM reactive_authorization WHERE publisher = ?1 OR watcher = ?1",
    "DELETE FROM push WHERE user_id = ?1",
    "DELETE FROM invitation WHERE inviter = ?1 OR invitee = ?1",
    "DELETE FROM system_message_user WHERE user_id = ?1",
    "DELETE FROM group_permission WHERE user_id = ?1 OR inviter = ?1",
    "DELETE FROM group_share WHERE inviter = ?1",
    "DELETE FROM group_conversation WHERE user_id = ?1",
    "DELETE FROM group_member WHERE user_id = ?1",
    "DELETE FROM group_reject WHERE user_id = ?1",
    "DELETE FROM auto_join_elsewhere WHERE user_id = ?1",
    "UPDATE content_usage SET
         octets = octets - COALESCE((SELECT octets FROM content_usage WHERE owner = ?1), 0),
         items = items - COALESCE((SELECT items FROM content_usage WHERE owner = ?1), 0)
     WHERE owner = ''",
    "DELETE FROM content_usage WHERE owner = ?1",
    "DELETE FROM content WHERE owner = ?1",
];

impl Tx<'_> {
    /// The account of a user.
    pub fn account(&mut self, user: &UserId) -> Result<Option<Account>, StoreError> {
        self.query_one(
            "SELECT user_id, credential, status, created FROM account WHERE user_id = ?1",
            values![user],
            account,
        )
    }

    /// Makes an account; `false` when the user has one, which then stays as it is.
    pub fn create_account(&mut self, account: &Account) -> Result<bool, StoreError> {
        self.create_account_with_profile(account, &Profile::default())
    }

    /// Replaces the credential; `false` without such an account.
    pub fn set_credential(
        &mut self,
        user: &UserId,
        credential: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE account SET credential = ?2 WHERE user_id = ?1",
            values![user, credential],
        )?;
        Ok(changed == 1)
    }

    /// Bars or readmits a user; `false` without such an account.
    pub fn set_account_status(
        &mut self,
        user: &UserId,
        status: AccountStatus,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE account SET status = ?2 WHERE user_id = ?1",
            values![user, status.number()],
        )?;
        Ok(changed == 1)
    }

    /// Removes an account and everything of the user: profile, sessions with their idempotence
    /// records and searches, contact lists, block and grant lists, presence, mailbox and all else
    /// that waits for him, invitations by him and of him, the subscriptions that he has and those
    /// to him, what he lets others see and others let him see. He stays in the lists of others.
    /// `false` without such an account.
    pub fn delete_account(&mut self, user: &UserId) -> Result<bool, StoreError> {
        for session in self.sessions_of(user)? {
            self.forget_scope(session.id.as_str())?;
        }
        for statement in BELONGINGS {
            self.execute(*statement, values![user])?;
        }
        let deleted = self.execute("DELETE FROM account WHERE user_id = ?1", values![user])?;
        Ok(deleted == 1)
    }

    /// At most `limit` accounts in the order of their addresses, from the one after `after`.
    pub fn accounts(
        &mut self,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        self.query(
            "SELECT user_id, credential, status, created FROM account
             WHERE user_id > ?1 ORDER BY user_id LIMIT ?2",
            values![after.map_or("", UserId::as_str), limit],
            account,
        )
    }

    /// Those of `users` that have an account.
    pub fn existing(&mut self, users: &[UserId]) -> Result<HashSet<UserId>, StoreError> {
        let sql = dialects(
            "SELECT user_id FROM account WHERE user_id IN (SELECT value FROM json_each(?1))",
            "SELECT user_id FROM account WHERE user_id IN
                 (SELECT jsonb_array_elements_text(CAST(?1 AS text)::jsonb))",
        );
        let mut existing = HashSet::with_capacity(users.len());
        self.for_each(sql, values![&to_json(users)?], |row| {
            existing.insert(user(row.text(0)?)?);
            Ok(())
        })?;
        Ok(existing)
    }
}
