//! Who may register by logging in (csp-access 3.7), and users who are known by their
//! telephone alone (csp-access 3.6).

use crate::Sap;
use crate::config::Registration;
use crate::envelope::exchange::Around;
use crate::login::accounts::Proof;
use crate::session::id::new_password;
use hamlet_csp::Version;
use hamlet_model::{Msisdn, Refusal, StatusCode, UserId};

/// Whether somebody may have an account.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entitlement {
    Entitled(Proof),
    /// His password would tell.
    Unclear,
    None,
}

/// Whether `policy` lets an unknown user register who gives this password, and whom the
/// network takes for `msisdn`.
pub(crate) fn proof(
    policy: Registration,
    password: Option<&str>,
    msisdn: Option<&Msisdn>,
) -> Entitlement {
    match (policy, password, msisdn) {
        (Registration::Open, _, _) => Entitlement::Entitled(Proof::Policy),
        (Registration::Code, Some(password), _) => {
            Entitlement::Entitled(Proof::Code(code_of(password)))
        }
        (Registration::Code, None, _) => Entitlement::Unclear,
        (Registration::Msisdn, _, Some(msisdn)) => {
            Entitlement::Entitled(Proof::Msisdn(msisdn.clone()))
        }
        (Registration::Msisdn, _, None) | (Registration::Off, _, _) => Entitlement::None,
    }
}

/// The code that a password begins with: all up to the first `/`. A phone has no other
/// field for it, and keeps the whole as the password.
fn code_of(password: &str) -> String {
    let code = password.split('/').next().unwrap_or(password);
    code.trim().to_ascii_uppercase()
}

/// A user whom the login did not name.
pub(crate) struct Found {
    pub(crate) user: UserId,
    /// Made for a user who has just been registered; the client has to keep it.
    pub(crate) password: Option<String>,
}

impl Sap {
    /// The user of a login that names none.
    pub(crate) async fn user_of_network(&self, around: &Around<'_>) -> Result<Found, Refusal> {
        let accounts = &self.config.accounts;
        // csp-access 3.3 check 2.
        if !accounts.msisdn_login {
            return Err(StatusCode::UNKNOWN_USER.into());
        }
        let unknown = || match around.version {
            Version::V1_3 => Refusal::new(StatusCode::MSISDN_ERROR),
            _ => Refusal::new(StatusCode::UNKNOWN_USER),
        };
        let msisdn = around.inbound.msisdn.ok_or_else(unknown)?;
        if let Some(user) = self.user_of(msisdn).await? {
            return Ok(Found {
                user,
                password: None,
            });
        }
        // Without a password to keep, only 1.3 can tell its client what it has got.
        if accounts.registration != Registration::Msisdn || around.version != Version::V1_3 {
            return Err(unknown());
        }
        let user =
            UserId::parse(&msisdn.to_string(), &self.config.domain).map_err(|_| unknown())?;
        let password = new_password().ok_or(StatusCode::INTERNAL_ERROR)?;
        self.register(&user, &password, Proof::Msisdn(msisdn.clone()))
            .await
            .map_err(|refusal| match refusal.code {
                // Somebody else has this name, or the number meanwhile.
                StatusCode::INVALID_PASSWORD | StatusCode::UNKNOWN_USER => unknown(),
                _ => refusal,
            })?;
        Ok(Found {
            user,
            password: Some(password),
        })
    }

    /// Whose a telephone number is.
    pub(crate) async fn user_of(&self, msisdn: &Msisdn) -> Result<Option<UserId>, Refusal> {
        let number = msisdn.clone();
        let found = self.store.read(move |tx| tx.user_of_msisdn(&number)).await;
        found.map_err(|error| self.store_failed("msisdn", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_asks_for_its_own_proof() {
        use Registration::{Code, Msisdn as Number, Off, Open};
        let number = Msisdn::parse("+358501234567");
        let entitled = Entitlement::Entitled;
        let code = |text: &str| entitled(Proof::Code(text.into()));
        let by_number = || entitled(Proof::Msisdn(number.clone().unwrap()));
        for (policy, password, msisdn, expected) in [
            (Off, Some("secret"), &number, Entitlement::None),
            (Open, None, &None, entitled(Proof::Policy)),
            (Open, Some("secret"), &number, entitled(Proof::Policy)),
            (Code, None, &number, Entitlement::Unclear),
            (Code, Some("k7xq2mfd"), &None, code("K7XQ2MFD")),
            (Code, Some("K7XQ2MFD/my/secret"), &None, code("K7XQ2MFD")),
            (Code, Some("/secret"), &None, code("")),
            (Number, Some("secret"), &None, Entitlement::None),
            (Number, None, &number, by_number()),
            (Number, Some("secret"), &number, by_number()),
        ] {
            let proof = proof(policy, password, msisdn.as_ref());
            assert_eq!(proof, expected, "{policy:?} {password:?} {msisdn:?}");
        }
    }
}
