//! Telephone numbers of accounts.

use super::{Actor, Failure, Operations};
use hamlet_model::{Msisdn, UserId};
use hamlet_store::{StoreError, Tx};

impl Operations {
    /// The telephone numbers of a user.
    pub async fn msisdns(&self, user: &str) -> Result<Vec<Msisdn>, Failure> {
        let user = self.home_user(user)?;
        let read = self.store.read(move |tx| numbers_of(tx, &user));
        read.await?
    }

    /// Adds and removes numbers, all of them or none; what the user has then.
    pub async fn change_msisdns(
        &self,
        by: &Actor,
        user: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<Vec<Msisdn>, Failure> {
        let change = async {
            let user = self.home_user(user)?;
            let (add, remove) = (numbers(add)?, numbers(remove)?);
            let write = self.store.write(move |tx| change(tx, &user, &add, &remove));
            write.await?
        };
        self.audited(by, "user.msisdn", &self.target(user), change)
            .await
    }
}

fn numbers_of(tx: &mut Tx<'_>, user: &UserId) -> Result<Result<Vec<Msisdn>, Failure>, StoreError> {
    if tx.account(user)?.is_none() {
        return Ok(Err(Failure::no_account(user)));
    }
    tx.msisdns_of(user).map(Ok)
}

fn change(
    tx: &mut Tx<'_>,
    user: &UserId,
    add: &[Msisdn],
    remove: &[Msisdn],
) -> Result<Result<Vec<Msisdn>, Failure>, StoreError> {
    let present = match numbers_of(tx, user)? {
        Ok(present) => present,
        refused => return Ok(refused),
    };
    if let Some(absent) = remove.iter().find(|number| !present.contains(number)) {
        let why = format!("{absent} is no number of {user}");
        return Ok(Err(Failure::missing(why)));
    }
    for number in add {
        match tx.user_of_msisdn(number)? {
            Some(other) if other != *user => {
                let why = format!("{number} is the number of {other}");
                return Ok(Err(Failure::conflict(why)));
            }
            _ => {}
        }
    }
    for number in remove {
        tx.unbind_msisdn(number)?;
    }
    for number in add {
        tx.bind_msisdn(number, user)?;
    }
    tx.msisdns_of(user).map(Ok)
}

fn numbers(texts: &[String]) -> Result<Vec<Msisdn>, Failure> {
    let number = |text: &String| {
        let wrong = || Failure::invalid(format!("`{text}` is no telephone number"));
        Msisdn::parse(text).ok_or_else(wrong)
    };
    texts.iter().map(number).collect()
}
