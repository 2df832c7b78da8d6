//! Accounts: made at login (csp-access 3.7) or by the operator.

use crate::Sap;
use hamlet_model::{Msisdn, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{Account, AccountStatus, StoreError, Tx};

/// Longest user part of a new address, characters: what phones can hold with scheme and
/// domain (data-types 1.3).
const MAX_NAME: usize = 50;

/// Longest password, characters (data-types 1.3).
const MAX_PASSWORD: usize = 255;

/// What entitles somebody to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The operator's word or policy.
    Policy,
    /// A code that is used up by this.
    Code(String),
    /// A telephone number, which becomes the user's.
    Msisdn(Msisdn),
}

/// What became of a new account.
enum Made {
    Yes,
    Exists,
    /// The proof is worth nothing any more.
    Unproved,
}

impl Sap {
    /// Makes an account with its first contact list. Fails with 402 for a name or password
    /// that cannot be one, with 403 when there is such a user already, with 500 when the
    /// password cannot be kept, with 503 when the store does not answer.
    pub async fn create_account(&self, user: &UserId, password: &str) -> Result<(), Refusal> {
        self.make_account(user, password, Proof::Policy).await
    }

    /// As [`Sap::create_account`]; 531 when the proof turns out to be worth nothing.
    async fn make_account(
        &self,
        user: &UserId,
        password: &str,
        proof: Proof,
    ) -> Result<(), Refusal> {
        check_name(user)?;
        let credential = self.sealed(user, password).await?;
        let account = Account {
            user: user.clone(),
            credential: Some(credential),
            status: AccountStatus::Active,
            created: Timestamp::now(),
        };
        let made = self
            .store
            .write(move |tx| enter(tx, &account, &proof))
            .await;
        match made {
            Ok(Made::Yes) => {}
            Ok(Made::Exists) => {
                return Err(Refusal::because(StatusCode::FORBIDDEN, "The user exists"));
            }
            Ok(Made::Unproved) => return Err(StatusCode::UNKNOWN_USER.into()),
            Err(error) => return Err(self.store_failed("account", &error)),
        }
        self.elements
            .provision(user)
            .await
            .map_err(|error| self.store_failed("provision", &error))
    }

    /// Registers the user of a login. Of two logins at the same time the second proves
    /// itself by the password of the first.
    pub(crate) async fn register(
        &self,
        user: &UserId,
        password: &str,
        proof: Proof,
    ) -> Result<(), Refusal> {
        match self.make_account(user, password, proof).await {
            Err(refusal) if refusal.code == StatusCode::FORBIDDEN => {}
            other => {
                if other.is_ok() {
                    tracing::info!(user = user.as_str(), "account made at login");
                }
                return other;
            }
        }
        let key = user.clone();
        let account = self.store.read(move |tx| tx.account(&key)).await;
        let account = account.map_err(|error| self.store_failed("account", &error))?;
        let stored = account.and_then(|account| account.credential);
        let secret = stored.map(|stored| self.credentials.open(user, &stored));
        match secret {
            Some(secret) if self.credentials.verify(&secret, password).await => Ok(()),
            _ => Err(StatusCode::INVALID_PASSWORD.into()),
        }
    }

    /// Gives a user another password and ends his sessions. Fails with 531 without such a
    /// user, else as [`Sap::create_account`].
    pub async fn change_password(&self, user: &UserId, password: &str) -> Result<(), Refusal> {
        let credential = self.sealed(user, password).await?;
        let key = user.clone();
        let changed = self
            .store
            .write(move |tx| tx.set_credential(&key, Some(&credential)))
            .await
            .map_err(|error| self.store_failed("password", &error))?;
        if !changed {
            return Err(StatusCode::UNKNOWN_USER.into());
        }
        self.throttle.succeeded(user);
        self.end_sessions_of(user, StatusCode::FORCED_LOGOUT).await;
        Ok(())
    }

    /// Lets a user log in again, or keeps him out and ends his sessions. Fails with 531
    /// without such a user.
    pub async fn set_account_status(
        &self,
        user: &UserId,
        status: AccountStatus,
    ) -> Result<(), Refusal> {
        let key = user.clone();
        let set = self
            .store
            .write(move |tx| tx.set_account_status(&key, status))
            .await
            .map_err(|error| self.store_failed("account", &error))?;
        if !set {
            return Err(StatusCode::UNKNOWN_USER.into());
        }
        if status != AccountStatus::Active {
            self.end_sessions_of(user, StatusCode::FORCED_LOGOUT).await;
        }
        Ok(())
    }

    /// Deletes an account with everything of the user, and ends his sessions. Fails with
    /// 531 without such a user.
    pub async fn delete_account(&self, user: &UserId) -> Result<(), Refusal> {
        self.end_sessions_of(user, StatusCode::FORCED_LOGOUT).await;
        let key = user.clone();
        let deleted = self.store.write(move |tx| tx.delete_account(&key)).await;
        let deleted = deleted.map_err(|error| self.store_failed("account", &error))?;
        // He may have logged in between.
        self.end_sessions_of(user, StatusCode::FORCED_LOGOUT).await;
        self.elements.forget(user);
        let groups = self.elements.end_orphaned_groups().await;
        groups.map_err(|error| self.store_failed("group", &error))?;
        match deleted {
            true => Ok(()),
            false => Err(StatusCode::UNKNOWN_USER.into()),
        }
    }

    async fn sealed(&self, user: &UserId, password: &str) -> Result<Vec<u8>, Refusal> {
        if password.is_empty() || password.chars().count() > MAX_PASSWORD {
            let why = "A password has 1 to 255 characters";
            return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
        }
        let sealed = self.credentials.seal(user, password).await;
        sealed.ok_or_else(|| StatusCode::INTERNAL_ERROR.into())
    }
}

/// Makes the account and uses the proof up, both or none.
fn enter(tx: &mut Tx<'_>, account: &Account, proof: &Proof) -> Result<Made, StoreError> {
    // Who exists needs no proof, and shall not use one up.
    if tx.account(&account.user)?.is_some() {
        return Ok(Made::Exists);
    }
    let proved = match proof {
        Proof::Policy => true,
        Proof::Code(code) => tx.use_invitation_code(code, account.created)?,
        Proof::Msisdn(msisdn) => tx.bind_msisdn(msisdn, &account.user)?.is_none(),
    };
    if !proved {
        return Ok(Made::Unproved);
    }
    tx.create_account(account)?;
    Ok(Made::Yes)
}

/// Characters that names may not have (csp-access 3.7); those that addresses may not have
/// are gone already.
fn check_name(user: &UserId) -> Result<(), Refusal> {
    let name = user.user();
    if name.chars().count() > MAX_NAME || name.contains(['/', '~', '<', '>', '@', '%']) {
        let why = "The name is too long or has characters that a name may not have";
        return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::user_id;

    #[test]
    fn names_are_short_and_plain() {
        for (name, fine) in [
            ("anna", true),
            ("+358501234567", true),
            ("änna", true),
            ("~anna", false),
            ("a%40b", false),
            (&"a".repeat(51), false),
        ] {
            assert_eq!(check_name(&user_id(name)).is_ok(), fine, "{name}");
        }
    }
}
