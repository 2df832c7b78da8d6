//! Whose a telephone number is (csp-access 3.6, 11.4).

use crate::row::{Row, values};
use crate::{StoreError, Tx};
use hamlet_model::{Msisdn, UserId};

fn number(row: &Row<'_>) -> Result<Msisdn, StoreError> {
    let digits = row.text(0)?;
    Msisdn::parse(digits).ok_or_else(|| StoreError::Corrupt(format!("`{digits}` as a number")))
}

impl Tx<'_> {
    /// Makes a number that of a user. The user to whom it belongs already, if there is one:
    /// then nothing is changed.
    pub fn bind_msisdn(
        &mut self,
        msisdn: &Msisdn,
        user: &UserId,
    ) -> Result<Option<UserId>, StoreError> {
        let bound = self.execute(
            "INSERT INTO msisdn (number, user_id) VALUES (?1, ?2)
             ON CONFLICT (number) DO NOTHING",
            values![msisdn.digits(), user],
        )?;
        match bound {
            0 => self.user_of_msisdn(msisdn),
            _ => Ok(None),
        }
    }

    /// Takes a number from its user; whether it had one.
    pub fn unbind_msisdn(&mut self, msisdn: &Msisdn) -> Result<bool, StoreError> {
        let gone = self.execute(
            "DELETE FROM msisdn WHERE number = ?1",
            values![msisdn.digits()],
        )?;
        Ok(gone == 1)
    }

    /// The user of a number.
    pub fn user_of_msisdn(&mut self, msisdn: &Msisdn) -> Result<Option<UserId>, StoreError> {
        self.query_one(
            "SELECT user_id FROM msisdn WHERE number = ?1",
            values![msisdn.digits()],
            |row| row.user(0),
        )
    }

    /// The numbers of a user, in the order of their digits.
    pub fn msisdns_of(&mut self, user: &UserId) -> Result<Vec<Msisdn>, StoreError> {
        self.query(
            "SELECT number FROM msisdn WHERE user_id = ?1 ORDER BY number",
            values![user],
            number,
        )
    }
}
