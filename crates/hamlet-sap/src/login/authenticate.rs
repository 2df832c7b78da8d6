//! Proving who one is: 2-way and 4-way (csp-access 3.1, 3.2, 3.7).

use crate::Sap;
use crate::client_profile::ClientFamily;
use crate::login::credentials::Secret;
use crate::login::digest::{self, Schema};
use crate::login::registration::{self, Entitlement};
use crate::login::respond::Login;
use crate::session::id::new_nonce;
use crate::suspicion::Suspicion;
use hamlet_model::{Refusal, StatusCode};
use hamlet_store::{AccountStatus, Challenge};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

/// What a login has proved.
pub(crate) enum Authenticated {
    /// It is the user.
    Yes {
        /// The TimeToLive that counts: the last one given.
        time_to_live: Option<u32>,
        /// How, if by a challenge.
        schema: Option<Schema>,
    },
    /// It has to answer this first.
    Challenge { nonce: String, schema: &'static str },
}

/// What is kept of step 1 until step 3.
#[derive(Serialize, Deserialize)]
struct Pending {
    schema: Schema,
    time_to_live: Option<u32>,
}

impl Sap {
    /// Checks 6 to 10 of csp-access 3.3. The limit on failures comes first: beyond it not
    /// even the right password is tried.
    pub(crate) async fn authenticate(&self, login: &Login<'_>) -> Result<Authenticated, Refusal> {
        let peer = login.around.inbound.peer;
        if !self.throttle.allows(&login.user, peer, login.now) {
            return Err(StatusCode::FORBIDDEN.into());
        }
        let user = login.user.clone();
        let account = self.store.read(move |tx| tx.account(&user)).await;
        let account = account.map_err(|error| self.store_failed("account", &error))?;
        let Some(account) = account else {
            return self.unknown_user(login).await;
        };
        if account.status != AccountStatus::Active {
            return Err(StatusCode::FORBIDDEN.into());
        }
        if self.is_vouched_for(login).await? {
            self.throttle.succeeded(&login.user);
            return Ok(Authenticated::Yes {
                time_to_live: login.request.time_to_live,
                schema: None,
            });
        }
        let secret = match &account.credential {
            Some(stored) => self.credentials.open(&login.user, stored),
            None => Secret::Unreadable,
        };
        let request = login.request;
        if let Some(password) = request.password.as_deref() {
            let right = self.credentials.verify(&secret, password).await
                || match self.secret_of_application(login).await? {
                    Some(secret) => self.credentials.verify(&secret, password).await,
                    None => false,
                };
            return self.proved(login, right, request.time_to_live, None);
        }
        let Some(digest_bytes) = request.digest_bytes.as_deref() else {
            return self.challenge(login, self.schema(login, &secret)?).await;
        };
        let Some((nonce, pending)) = self.pending(login).await? else {
            let about = login.user.as_str();
            self.suspicions.note(peer, Suspicion::NoChallenge, about);
            // Android would never come back from a second challenge (clients AND-5).
            if login.profile.family == ClientFamily::Android {
                return Err(StatusCode::INVALID_PASSWORD.into());
            }
            return self.challenge(login, self.schema(login, &secret)?).await;
        };
        let proves = |secret: &Secret| match secret {
            Secret::Password(password) => {
                digest::proves(pending.schema, &nonce, password, digest_bytes)
            }
            _ => false,
        };
        let right = proves(&secret)
            || self
                .secret_of_application(login)
                .await?
                .is_some_and(|secret| proves(&secret));
        let time_to_live = request.time_to_live.or(pending.time_to_live);
        self.proved(login, right, time_to_live, Some(pending.schema))
    }

    fn proved(
        &self,
        login: &Login<'_>,
        right: bool,
        time_to_live: Option<u32>,
        schema: Option<Schema>,
    ) -> Result<Authenticated, Refusal> {
        if right {
            self.throttle.succeeded(&login.user);
            return Ok(Authenticated::Yes {
                time_to_live,
                schema,
            });
        }
        let peer = login.around.inbound.peer;
        self.throttle.failed(&login.user, peer, login.now);
        Err(StatusCode::INVALID_PASSWORD.into())
    }

    /// Registration (csp-access 3.7), or 531.
    async fn unknown_user(&self, login: &Login<'_>) -> Result<Authenticated, Refusal> {
        let password = login.request.password.as_deref();
        let inbound = login.around.inbound;
        let policy = self.config.accounts.registration;
        let not_entitled = || {
            self.throttle.failed(&login.user, inbound.peer, login.now);
            Refusal::new(StatusCode::UNKNOWN_USER)
        };
        let proof = match registration::proof(policy, password, inbound.msisdn) {
            Entitlement::Entitled(proof) => proof,
            Entitlement::Unclear => return self.ask_for_password(login).await,
            Entitlement::None => return Err(not_entitled()),
        };
        let Some(password) = password else {
            return self.ask_for_password(login).await;
        };
        // Who is not let in gets no account either.
        self.admit(login).await?;
        let registered = self.register(&login.user, password, proof).await;
        registered.map_err(|refusal| match refusal.code {
            StatusCode::UNKNOWN_USER => not_entitled(),
            _ => refusal,
        })?;
        Ok(Authenticated::Yes {
            time_to_live: login.request.time_to_live,
            schema: None,
        })
    }

    async fn ask_for_password(&self, login: &Login<'_>) -> Result<Authenticated, Refusal> {
        let request = login.request;
        // Only the password itself makes an account, so it is asked for.
        if self.config.accounts.allow_pwd_digest && request.digest_bytes.is_none() {
            return self.challenge(login, Schema::Pwd).await;
        }
        Err(StatusCode::UNKNOWN_USER.into())
    }

    /// Whether the network's word is enough (csp-access 3.6). A password or digest that is
    /// given is looked at all the same.
    async fn is_vouched_for(&self, login: &Login<'_>) -> Result<bool, Refusal> {
        let request = login.request;
        let waits_for_challenge =
            login.profile.always_challenge && !request.digest_schema.is_empty();
        let proves_itself = request.password.is_some() || request.digest_bytes.is_some();
        if !self.config.accounts.msisdn_login || waits_for_challenge || proves_itself {
            return Ok(false);
        }
        let Some(msisdn) = login.around.inbound.msisdn else {
            return Ok(false);
        };
        Ok(self.user_of(msisdn).await?.as_ref() == Some(&login.user))
    }

    /// The scheme of a challenge.
    fn schema(&self, login: &Login<'_>, secret: &Secret) -> Result<Schema, Refusal> {
        let offered = &login.request.digest_schema;
        let pwd = self.config.accounts.allow_pwd_digest && login.around.inbound.secure;
        // Without the password no digest can be computed.
        let digests = self.config.accounts.digest_login && !matches!(secret, Secret::Hash(_));
        let schema = match (digests, offered.is_empty()) {
            (true, true) => Some(Schema::Md5),
            (true, false) => Schema::choose(offered, pwd),
            (false, _) => self.config.accounts.allow_pwd_digest.then_some(Schema::Pwd),
        };
        schema.ok_or_else(|| StatusCode::NO_DIGEST_SCHEMA.into())
    }

    /// Step 2: a nonce that is good for one answer.
    async fn challenge(&self, login: &Login<'_>, schema: Schema) -> Result<Authenticated, Refusal> {
        let nonce = new_nonce().ok_or(StatusCode::INTERNAL_ERROR)?;
        let pending = Pending {
            schema,
            time_to_live: login.request.time_to_live,
        };
        let challenge = Challenge {
            key: key(login),
            nonce: nonce.clone(),
            data: serde_json::to_vec(&pending).map_err(|_| StatusCode::INTERNAL_ERROR)?,
            expires: login.now.plus(self.config.accounts.challenge_life),
        };
        self.store
            .write(move |tx| tx.put_challenge(&challenge))
            .await
            .map_err(|error| self.store_failed("challenge", &error))?;
        let schema = schema.as_str();
        Ok(Authenticated::Challenge { nonce, schema })
    }

    /// A new nonce for a client that has proved itself by an old one, which is used up.
    pub(crate) async fn challenge_again(
        &self,
        login: &Login<'_>,
        schema: Option<Schema>,
    ) -> Result<Option<(String, &'static str)>, Refusal> {
        let Some(schema) = schema else {
            return Ok(None);
        };
        match self.challenge(login, schema).await? {
            Authenticated::Challenge { nonce, schema } => Ok(Some((nonce, schema))),
            Authenticated::Yes { .. } => Ok(None),
        }
    }

    /// The challenge that step 3 answers, if there is one and it is not too old.
    async fn pending(&self, login: &Login<'_>) -> Result<Option<(String, Pending)>, Refusal> {
        let key = key(login);
        let found = self.store.write(move |tx| tx.take_challenge(&key)).await;
        let found = found.map_err(|error| self.store_failed("challenge", &error))?;
        Ok(found
            .filter(|challenge| challenge.expires > login.now)
            .and_then(|challenge| {
                let pending = serde_json::from_slice(&challenge.data).ok()?;
                Some((challenge.nonce, pending))
            }))
    }
}

/// Step 3 belongs to the step 1 of the same user, client and cookie.
fn key(login: &Login<'_>) -> String {
    let cookie = login.request.session_cookie.as_deref().unwrap_or("");
    let mut hash = Sha1::new();
    for part in [login.user.as_str(), &login.client.key(), cookie] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}
