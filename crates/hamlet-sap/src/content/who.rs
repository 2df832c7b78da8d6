//! Who keeps content: the user of a session, or one who gives his password.

use crate::Sap;
use crate::login::credentials::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hamlet_model::{Refusal, Service, StatusCode, Timestamp, UserId};
use hamlet_store::AccountStatus;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use std::net::IpAddr;

/// What a request says of its user.
#[derive(Debug, PartialEq, Eq)]
enum Claim {
    /// It names a session.
    Session(String),
    /// It gives name and password.
    Password(String, String),
}

impl Sap {
    /// The user who may keep content; `None` when it is not known who asks. 403 for one who may
    /// not, and for too many wrong passwords.
    pub(super) async fn keeper(
        &self,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<Option<UserId>, Refusal> {
        let given = headers
            .get(AUTHORIZATION)
            .and_then(|text| text.to_str().ok());
        match given.and_then(claim) {
            None => Ok(None),
            Some(Claim::Session(id)) => {
                let Some(session) = self.hub.registry.session(&id) else {
                    return Ok(None);
                };
                let now = Timestamp::now();
                if session.expires(self.config.session.grace) <= now {
                    return Ok(None);
                }
                session.heard(now, true);
                match session.settings().services.contains(Service::Content) {
                    true => Ok(Some(session.user.id.clone())),
                    false => Err(StatusCode::FORBIDDEN.into()),
                }
            }
            Some(Claim::Password(name, password)) => {
                let Ok(user) = UserId::parse(&name, &self.config.domain) else {
                    return Ok(None);
                };
                let known = self.knows_password(&user, &password, peer).await?;
                Ok(known.then_some(user))
            }
        }
    }

    /// Whether it is the password of an account that may keep content. As at a login, beyond
    /// the limit of failures not even the right one is tried (csp-access 3.3).
    async fn knows_password(
        &self,
        user: &UserId,
        password: &str,
        peer: Option<IpAddr>,
    ) -> Result<bool, Refusal> {
        let now = Timestamp::now();
        if !self.throttle.allows(user, peer, now) {
            return Err(StatusCode::FORBIDDEN.into());
        }
        let of = user.clone();
        let read = self
            .store
            .read(move |tx| Ok((tx.account(&of)?, tx.user_profile(&of)?)));
        let (account, profile) = read
            .await
            .map_err(|error| self.store_failed("account", &error))?;
        let secret = account.as_ref().and_then(|account| {
            let stored = account.credential.as_ref()?;
            Some(self.credentials.open(user, stored))
        });
        let secret = secret.unwrap_or(Secret::Unreadable);
        if !self.credentials.verify(&secret, password).await {
            self.throttle.failed(user, peer, now);
            return Ok(false);
        }
        self.throttle.succeeded(user);
        let is_active = account.is_some_and(|account| account.status == AccountStatus::Active);
        match is_active && profile.usable().contains(Service::Content) {
            true => Ok(true),
            false => Err(StatusCode::FORBIDDEN.into()),
        }
    }
}

/// `Basic` with address and password, or `Bearer` with a SessionID.
fn claim(text: &str) -> Option<Claim> {
    let (scheme, rest) = text.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Claim::Session(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    // The first colon may be that of `wv:`, which no name has otherwise.
    let scheme = text
        .get(..3)
        .filter(|begin| begin.eq_ignore_ascii_case("wv:"));
    let begin = scheme.map_or(0, str::len);
    let colon = begin + text.get(begin..)?.find(':')?;
    let (name, password) = text.split_at(colon);
    Some(Claim::Password(
        name.to_owned(),
        password.get(1..)?.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_begin_with_its_scheme() {
        let basic = |text: &str| claim(&format!("Basic {}", STANDARD.encode(text)));
        let password = |name: &str, password: &str| {
            Some(Claim::Password(name.to_owned(), password.to_owned()))
        };
        assert_eq!(basic("wv:anna@h:se:cret"), password("wv:anna@h", "se:cret"));
        assert_eq!(basic("WV:anna@h:"), password("WV:anna@h", ""));
        assert_eq!(basic("anna:secret"), password("anna", "secret"));
        assert_eq!(basic("anna"), None);
        assert_eq!(basic("wv:anna"), None);
        assert_eq!(claim("Basic !"), None);
        assert_eq!(claim("Digest x"), None);
        assert_eq!(claim("bearer abc"), Some(Claim::Session("abc".to_owned())));
    }
}
