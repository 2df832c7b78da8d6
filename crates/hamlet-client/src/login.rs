//! Login in two and four steps, re-establishment, keep-alive, logout (csp-access 3 and 4).

use crate::client::{Client, refusal, unexpected};
use crate::digest::{Digest, digest_bytes};
use crate::error::Error;
use crate::refusal::Refusal;
use hamlet_csp::elements::{KeepAliveRequest, LoginRequest, LoginResponse, WVCSPFeat};
use hamlet_csp::{Primitive, SessionDescriptor, Tag, Text, Version};
use hamlet_model::{SessionId, StatusCode, TransactionId};
use std::time::Duration;

/// A session as the client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionState {
    /// Names the session in every message.
    pub id: SessionId,
    /// Something has to be sent within this span, always.
    pub keep_alive: Option<Duration>,
}

/// What a login brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// The session.
    pub session: SessionId,
    /// The agreed KeepAliveTime.
    pub keep_alive: Option<Duration>,
    /// The server wants the capabilities.
    pub capability_request: bool,
    /// The session is the one that was asked to be re-established.
    pub resumed: bool,
    /// 1.3: the account that the server chose or completed.
    pub user: Option<String>,
    /// 1.3: the password that the server made at auto-registration.
    pub password: Option<String>,
    /// 1.3: functions asked for in the login and denied.
    pub denied: Option<WVCSPFeat>,
}

impl Client {
    /// Logs in (csp-access 3.1, 3.2): by password, or by digest when the builder names one.
    /// An older session of this client is forgotten.
    pub async fn login(&mut self) -> Result<Login, Error> {
        self.end_session();
        self.log_in(None).await
    }

    /// Logs in and takes up a session again (csp-access 3.8). The answer may be a new
    /// session; [`Login::resumed`] tells.
    pub async fn resume(&mut self, session: SessionId) -> Result<Login, Error> {
        self.end_session();
        self.log_in(Some(session)).await
    }

    /// [`Client::login`] and what the server then asks for: capabilities and services.
    pub async fn open(&mut self) -> Result<Login, Error> {
        let login = self.login().await?;
        if login.capability_request || !self.negotiates_in_login() {
            self.negotiate_capabilities().await?;
            self.negotiate_services().await?;
        }
        Ok(login)
    }

    async fn log_in(&mut self, old: Option<SessionId>) -> Result<Login, Error> {
        self.session_cookie = fresh_cookie()?;
        // Every step of one login carries the same TransactionID (csp-access 0.1).
        let id = self.next_transaction_id();
        let digests = self.config.digests.clone();
        let mut first = self.login_request(old.as_ref());
        if digests.is_empty() {
            first.password = Some(self.config.password.0.clone());
        } else {
            first.digest_schema = self.offer(&digests);
        }
        let answer = self.login_step(old.as_ref(), &id, first).await?;
        if answer.session_id.is_some() {
            return self.logged_in(old, answer);
        }
        let (Some(nonce), true) = (&answer.nonce, is_challenge(&answer)) else {
            return Err(Error::Refused(Refusal::from(answer.result)));
        };
        let mut second = self.login_request(old.as_ref());
        let schema = chosen(answer.digest_schema.as_deref(), &digests)?;
        match digest_bytes(schema, nonce, &self.config.password.0) {
            Some(digest) => second.digest_bytes = Some(Text::from(digest)),
            None => second.password = Some(self.config.password.0.clone()),
        }
        let answer = self.login_step(old.as_ref(), &id, second).await?;
        self.logged_in(old, answer)
    }

    async fn login_step(
        &mut self,
        old: Option<&SessionId>,
        id: &TransactionId,
        request: LoginRequest,
    ) -> Result<LoginResponse, Error> {
        // Before 1.3 the old session stands in the descriptor, as Android has it.
        let descriptor = match old {
            Some(session) if self.config.version < Version::V1_3 => {
                SessionDescriptor::inband(session.as_str())
            }
            _ => SessionDescriptor::outband(),
        };
        match self.request(descriptor, id, request.into()).await? {
            Primitive::LoginResponse(response) => match refusal(response.result.as_ref()) {
                Some(code) if code != StatusCode::UNAUTHORIZED || response.nonce.is_none() => {
                    Err(Error::Refused(Refusal::from(response.result)))
                }
                _ => Ok(*response),
            },
            Primitive::Status(status) => Err(Error::Refused(Refusal::from(status.result))),
            other => Err(unexpected(&other)),
        }
    }

    fn login_request(&self, old: Option<&SessionId>) -> LoginRequest {
        let config = &self.config;
        let latest = config.version == Version::V1_3;
        let embed = self.negotiates_in_login() && old.is_none();
        LoginRequest {
            user_id: Some(config.user.clone()),
            client_id: Some(config.client_id.clone()),
            application_id: config
                .application
                .as_ref()
                .map(|application| Text::new(application.as_str())),
            session_id: old
                .filter(|_| latest)
                .map(|session| Text::new(session.as_str())),
            time_to_live: Some(seconds(config.keep_alive)),
            session_cookie: Some(self.session_cookie.clone()),
            functions: embed.then(|| self.wanted_functions()),
            capability_list: embed.then(|| self.own_capabilities()),
            ..LoginRequest::default()
        }
    }

    fn logged_in(&mut self, old: Option<SessionId>, answer: LoginResponse) -> Result<Login, Error> {
        if let Some(code) = refusal(answer.result.as_ref()) {
            tracing::debug!(%code, "a session although the code refuses");
        }
        let id = answer
            .session_id
            .as_ref()
            .map(SessionId::new)
            .ok_or_else(|| Error::missing(Tag::SessionID))?;
        let keep_alive = answer
            .keep_alive_time
            .map(|secs| Duration::from_secs(secs.into()));
        let resumed = old.as_ref() == Some(&id);
        self.session = Some(SessionState {
            id: id.clone(),
            keep_alive,
        });
        if let Some(agreed) = answer.agreed_capability_list {
            self.keep_capabilities(agreed.into());
        }
        Ok(Login {
            session: id,
            keep_alive,
            capability_request: answer.capability_request.unwrap_or(!resumed),
            resumed,
            user: answer.user_id.map(String::from),
            password: answer.password.map(String::from),
            denied: answer.functions.and_then(|functions| functions.wvcsp_feat),
        })
    }

    /// 1.1 has room for one DigestSchema: a list with commas there (data-types 3.1).
    fn offer(&self, digests: &[Digest]) -> Vec<Text> {
        let names = digests.iter().map(|digest| digest.as_str());
        if self.config.version == Version::V1_1 {
            vec![Text::from(names.collect::<Vec<_>>().join(","))]
        } else {
            names.map(Text::new).collect()
        }
    }

    pub(crate) fn negotiates_in_login(&self) -> bool {
        self.config.negotiate_in_login && self.config.version == Version::V1_3
    }

    /// Prolongs the session (csp-access 4) and answers the KeepAliveTime that now holds.
    pub async fn keep_alive(&mut self, wish: Option<Duration>) -> Result<Option<Duration>, Error> {
        let request = KeepAliveRequest {
            time_to_live: wish.map(seconds),
        };
        match self.ask(request).await? {
            Primitive::KeepAliveResponse(response) => {
                let agreed = response
                    .keep_alive_time
                    .or(response.time_to_live)
                    .map(|secs| Duration::from_secs(secs.into()));
                if let (Some(session), Some(_)) = (&mut self.session, agreed) {
                    session.keep_alive = agreed;
                }
                match refusal(response.result.as_ref()) {
                    Some(_) => Err(Error::Refused(Refusal::from(response.result))),
                    None => Ok(self.session.as_ref().and_then(|s| s.keep_alive)),
                }
            }
            // Some servers answer with a bare success.
            Primitive::Status(_) => Ok(self.session.as_ref().and_then(|s| s.keep_alive)),
            other => Err(unexpected(&other)),
        }
    }

    /// Ends the session (csp-access 3.9): a Status 200 or, in 1.1, a Disconnect 200.
    pub async fn logout(&mut self) -> Result<(), Error> {
        let answer = self.transact(Primitive::LogoutRequest).await;
        let result = match answer {
            Ok(Primitive::Status(status)) => status.result,
            Ok(Primitive::Disconnect(disconnect)) => disconnect.result,
            Ok(other) => return Err(unexpected(&other)),
            // A Disconnect in mode Request, from servers that know no other.
            Err(Error::SessionEnded(refusal)) if refusal.code == StatusCode::OK => return Ok(()),
            Err(error) => return Err(error),
        };
        match refusal(result.as_ref()) {
            None => {
                self.end_session();
                Ok(())
            }
            Some(_) => Err(Error::Refused(Refusal::from(result))),
        }
    }
}

/// 401 is a challenge, and 200 without a session is one too (csp-access 3.2).
fn is_challenge(answer: &LoginResponse) -> bool {
    match refusal(answer.result.as_ref()) {
        None => true,
        Some(code) => code == StatusCode::UNAUTHORIZED,
    }
}

/// The schema to compute: never the bare password unless it was offered, or else anybody who
/// answers in the server's place could ask for it.
fn chosen(wanted: Option<&str>, offered: &[Digest]) -> Result<Digest, Error> {
    let Some(wanted) = wanted else {
        return Ok(offered.first().copied().unwrap_or(Digest::Md5));
    };
    Digest::parse(wanted)
        .filter(|digest| offered.contains(digest) || *digest != Digest::Pwd)
        .ok_or_else(|| Error::DigestNotOffered(wanted.to_owned()))
}

/// Unique per login (data-types 1.8).
fn fresh_cookie() -> Result<Text, Error> {
    let mut octets = [0u8; 8];
    getrandom::fill(&mut octets)
        .map_err(|error| Error::Configuration(format!("no random numbers: {error}")))?;
    Ok(Text::from(format!(
        "hamlet-{:016x}",
        u64::from_be_bytes(octets)
    )))
}

/// Whole seconds; saturates.
pub(crate) fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}
