//! What an operator can do, by the control socket of a running server or without one.

use crate::control::{Answer, PAGE, Request, SessionEntry, UserEntry};
use crate::seam::Sap;
use hamlet_model::{Domain, Refusal, SessionId, StatusCode, UserId};
use hamlet_store::{AccountStatus, Store, StoreError};
use std::sync::Arc;

/// The operations on one server's state.
pub struct Operations {
    domain: Domain,
    store: Store,
    sap: Arc<Sap>,
}

/// Why an operation was not carried out, for people.
struct Failure(String);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl Operations {
    /// Operations through `sap`, which need not serve anybody.
    pub fn new(domain: Domain, store: Store, sap: Arc<Sap>) -> Self {
        Self { domain, store, sap }
    }

    /// Carries out one request.
    pub async fn execute(&self, request: Request) -> Answer {
        let outcome = match request {
            Request::UserAdd { user, password } => self.add(&user, &password).await,
            Request::UserList { after } => self.users(after.as_deref()).await,
            Request::UserPasswd { user, password } => self.passwd(&user, &password).await,
            Request::UserDelete { user } => self.delete(&user).await,
            Request::SessionList { after } => self.sessions(after).await,
            Request::SessionEnd { which } => self.end(&which).await,
            Request::Stats => self.stats().await,
        };
        outcome.unwrap_or_else(|Failure(text)| Answer::Failed { text })
    }

    /// Whether nobody can log in yet.
    pub async fn has_no_accounts(&self) -> bool {
        let first = self.store.read(|tx| tx.accounts(None, 1)).await;
        first.is_ok_and(|accounts| accounts.is_empty())
    }

    async fn add(&self, user: &str, password: &str) -> Result<Answer, Failure> {
        let user = self.home_user(user)?;
        check_password(password)?;
        let made = self.sap.create_account(&user, password).await;
        made.map_err(|refusal| refused(&user, refusal))?;
        tracing::info!(%user, "account made by the operator");
        done(format!("{user} can log in now"))
    }

    async fn passwd(&self, user: &str, password: &str) -> Result<Answer, Failure> {
        let user = self.home_user(user)?;
        check_password(password)?;
        let sessions = self.sessions_of(&user).await?;
        let changed = self.sap.change_password(&user, password).await;
        changed.map_err(|refusal| refused(&user, refusal))?;
        tracing::info!(%user, "password changed by the operator");
        done(format!("{user} has a new password{}", and_ended(sessions)))
    }

    async fn delete(&self, user: &str) -> Result<Answer, Failure> {
        let user = self.home_user(user)?;
        let sessions = self.sessions_of(&user).await?;
        let deleted = self.sap.delete_account(&user).await;
        deleted.map_err(|refusal| refused(&user, refusal))?;
        tracing::info!(%user, "account deleted by the operator");
        done(format!("{user} is deleted{}", and_ended(sessions)))
    }

    async fn users(&self, after: Option<&str>) -> Result<Answer, Failure> {
        let after = after.map(|user| self.user(user)).transpose()?;
        let read = self.store.read(move |tx| tx.accounts(after.as_ref(), PAGE));
        let accounts = read.await?;
        Ok(Answer::Users {
            more: accounts.len() == PAGE,
            users: accounts
                .into_iter()
                .map(|account| UserEntry {
                    user: account.user.to_string(),
                    active: account.status == AccountStatus::Active,
                    created: account.created,
                })
                .collect(),
        })
    }

    async fn sessions(&self, after: Option<String>) -> Result<Answer, Failure> {
        let after = after.map(SessionId::new);
        let read = self.store.read(move |tx| tx.sessions(after.as_ref(), PAGE));
        let sessions = read.await?;
        Ok(Answer::Sessions {
            more: sessions.len() == PAGE,
            sessions: sessions
                .into_iter()
                .map(|session| SessionEntry {
                    id: session.id.to_string(),
                    user: session.user.to_string(),
                    client: session.client.key(),
                    created: session.created,
                    expires: session.expires,
                })
                .collect(),
        })
    }

    /// A session of that identifier, else the sessions of the user of that address.
    async fn end(&self, which: &str) -> Result<Answer, Failure> {
        let id = SessionId::new(which);
        if self.sap.end_session(&id, StatusCode::FORCED_LOGOUT).await {
            tracing::info!("a session was ended by the operator");
            return done("the session has ended");
        }
        let Ok(user) = UserId::parse(which, &self.domain) else {
            return Err(Failure(format!(
                "`{which}` is neither a session nor a user"
            )));
        };
        let sessions = self.sessions_of(&user).await?;
        if sessions == 0 {
            return Err(Failure(format!(
                "there is no such session, and {user} has none"
            )));
        }
        self.sap
            .end_sessions_of(&user, StatusCode::FORCED_LOGOUT)
            .await;
        tracing::info!(%user, "sessions ended by the operator");
        done(format!("{user}{}", and_ended(sessions)))
    }

    async fn sessions_of(&self, user: &UserId) -> Result<usize, StoreError> {
        let user = user.clone();
        let sessions = self.store.read(move |tx| tx.sessions_of(&user)).await?;
        Ok(sessions.len())
    }

    async fn stats(&self) -> Result<Answer, Failure> {
        let (mut accounts, mut sessions) = (0, 0);
        let mut after = None;
        loop {
            let from = after.clone();
            let page = self
                .store
                .read(move |tx| tx.accounts(from.as_ref(), PAGE))
                .await?;
            accounts += page.len() as u64;
            match page.into_iter().next_back() {
                Some(last) => after = Some(last.user),
                None => break,
            }
        }
        let mut after = None;
        loop {
            let from = after.clone();
            let page = self
                .store
                .read(move |tx| tx.sessions(from.as_ref(), PAGE))
                .await?;
            sessions += page.len() as u64;
            match page.into_iter().next_back() {
                Some(last) => after = Some(last.id),
                None => break,
            }
        }
        Ok(Answer::Stats {
            figures: vec![
                ("accounts".to_owned(), accounts),
                ("sessions".to_owned(), sessions),
            ],
        })
    }

    fn user(&self, text: &str) -> Result<UserId, Failure> {
        UserId::parse(text, &self.domain).map_err(|error| Failure(error.to_string()))
    }

    /// A user that may have an account here (csp-access 3.7).
    fn home_user(&self, text: &str) -> Result<UserId, Failure> {
        let user = self.user(text)?;
        if user.domain_str() != self.domain.as_str() {
            return Err(Failure(format!(
                "{user} is not a user of {}; `--set domain=…` sets this server's domain",
                self.domain
            )));
        }
        Ok(user)
    }
}

fn check_password(password: &str) -> Result<(), Failure> {
    match password {
        "" => Err(Failure("the password is empty".to_owned())),
        // No phone could send it.
        odd if odd.contains(char::is_control) => Err(Failure(
            "the password contains a control character".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// In the words of somebody who manages accounts, not of somebody who logs in.
fn refused(user: &UserId, refusal: Refusal) -> Failure {
    Failure(match refusal.code {
        StatusCode::FORBIDDEN => format!("{user} has an account already"),
        StatusCode::UNKNOWN_USER => format!("{user} has no account"),
        _ => format!("{user}: {}", refusal.description),
    })
}

fn and_ended(sessions: usize) -> String {
    match sessions {
        0 => String::new(),
        1 => "; one session has ended".to_owned(),
        count => format!("; {count} sessions have ended"),
    }
}

fn done(text: impl Into<String>) -> Result<Answer, Failure> {
    Ok(Answer::Done { text: text.into() })
}
