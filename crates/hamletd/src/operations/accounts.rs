//! Accounts.

use super::{Actor, Failure, Operations, Page};
use hamlet_model::{Msisdn, UserId};
use hamlet_store::{Account, AccountStatus};

/// An account with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDetails {
    /// The account; its credential is nobody's business.
    pub account: Account,
    /// His telephone numbers.
    pub msisdns: Vec<Msisdn>,
    /// How many sessions he has.
    pub sessions: usize,
}

impl Operations {
    /// Makes an account.
    pub async fn add_user(
        &self,
        by: &Actor,
        user: &str,
        password: &str,
    ) -> Result<UserId, Failure> {
        let add = async {
            let user = self.home_user(user)?;
            check_password(password)?;
            let made = self.sap.create_account(&user, password).await;
            made.map_err(|refusal| Failure::of(&user, refusal))?;
            Ok(user)
        };
        self.audited(by, "user.add", &self.target(user), add).await
    }

    /// Accounts in the order of their addresses, at most `limit` of them.
    pub async fn users(&self, after: Option<&str>, limit: usize) -> Result<Page<Account>, Failure> {
        let after = after.map(|user| self.user_id(user)).transpose()?;
        let accounts = self
            .store
            .read(move |tx| tx.accounts(after.as_ref(), limit.saturating_add(1)))
            .await?;
        Ok(Page::of(accounts, limit))
    }

    /// One account.
    pub async fn user(&self, user: &str) -> Result<AccountDetails, Failure> {
        let user = self.home_user(user)?;
        let key = user.clone();
        let read = self
            .store
            .read(move |tx| Ok((tx.account(&key)?, tx.msisdns_of(&key)?)));
        let (account, msisdns) = read.await?;
        Ok(AccountDetails {
            account: account.ok_or_else(|| Failure::no_account(&user))?,
            msisdns,
            sessions: self.sap.sessions(Some(&user)).len(),
        })
    }

    /// Gives an account another password; how many sessions have ended by that.
    pub async fn change_password(
        &self,
        by: &Actor,
        user: &str,
        password: &str,
    ) -> Result<(UserId, usize), Failure> {
        let change = async {
            let user = self.home_user(user)?;
            check_password(password)?;
            let sessions = self.sap.sessions(Some(&user)).len();
            let changed = self.sap.change_password(&user, password).await;
            changed.map_err(|refusal| Failure::of(&user, refusal))?;
            Ok((user, sessions))
        };
        self.audited(by, "user.password", &self.target(user), change)
            .await
    }

    /// Lets a user log in or keeps him out; how many sessions have ended by that.
    pub async fn set_active(
        &self,
        by: &Actor,
        user: &str,
        active: bool,
    ) -> Result<(UserId, usize), Failure> {
        let set = async {
            let user = self.home_user(user)?;
            let sessions = self.sap.sessions(Some(&user)).len();
            let status = match active {
                true => AccountStatus::Active,
                false => AccountStatus::Barred,
            };
            let set = self.sap.set_account_status(&user, status).await;
            set.map_err(|refusal| Failure::of(&user, refusal))?;
            Ok((user, if active { 0 } else { sessions }))
        };
        let operation = match active {
            true => "user.enable",
            false => "user.disable",
        };
        self.audited(by, operation, &self.target(user), set).await
    }

    /// Deletes an account with everything that belongs to it; how many sessions have ended
    /// by that.
    pub async fn delete_user(&self, by: &Actor, user: &str) -> Result<(UserId, usize), Failure> {
        let delete = async {
            let user = self.home_user(user)?;
            let key = user.clone();
            let application = self.store.read(move |tx| tx.application_of(&key));
            if let Some(application) = application.await? {
                let id = application.id;
                let why = format!("{user} is the account of application {id}; delete that");
                return Err(Failure::conflict(why));
            }
            let sessions = self.sap.sessions(Some(&user)).len();
            let deleted = self.sap.delete_account(&user).await;
            deleted.map_err(|refusal| Failure::of(&user, refusal))?;
            Ok((user, sessions))
        };
        self.audited(by, "user.delete", &self.target(user), delete)
            .await
    }

    /// Whether nobody can log in yet.
    pub async fn has_no_accounts(&self) -> bool {
        let first = self.store.read(|tx| tx.accounts(None, 1)).await;
        first.is_ok_and(|accounts| accounts.is_empty())
    }
}

pub(super) fn check_password(password: &str) -> Result<(), Failure> {
    match password {
        "" => Err(Failure::invalid("the password is empty")),
        // No phone could send it.
        odd if odd.contains(char::is_control) => Err(Failure::invalid(
            "the password contains a control character",
        )),
        _ => Ok(()),
    }
}
