//! What an operator can do. Each operation is one function here; the control socket
//! (`execute.rs`), the commands that work without a server, and the HTTP API
//! (`crate::admin::api`) are ways to it.

mod accounts;
mod applications;
mod codes;
mod execute;
mod failure;
mod groups;
mod msisdns;
mod network;
mod outside_message;
mod profile;
mod sessions;
mod stats;
mod system_message;
mod user_profile;

pub use accounts::AccountDetails;
pub use applications::ApplicationSettings;
pub use failure::{Failure, FailureKind};

use crate::audit::Audit;
use hamlet_model::{ApplicationId, Domain, UserId};
use hamlet_sap::Sap;
use hamlet_store::Store;
use std::fmt;
use std::sync::Arc;

/// The operations on one server's state.
pub struct Operations {
    domain: Domain,
    store: Store,
    sap: Arc<Sap>,
    audit: Arc<Audit>,
}

/// Who asks for an operation, as the audit log names him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Who has the token of this name.
    Token(String),
    /// The application of this identifier.
    Application(String),
    /// A command, run by the system's user of this number.
    Local(u32),
}

impl Actor {
    /// Whoever runs this process.
    pub fn this_process() -> Self {
        Self::Local(rustix::process::geteuid().as_raw())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(name) => write!(f, "token {name}"),
            Self::Application(id) => write!(f, "application {id}"),
            Self::Local(uid) => write!(f, "uid {uid}"),
        }
    }
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In order.
    pub entries: Vec<T>,
    /// Whether there are more after the last.
    pub more: bool,
}

impl<T> Page<T> {
    /// Of what was found when one more than `limit` was looked for.
    fn of(mut entries: Vec<T>, limit: usize) -> Self {
        let more = entries.len() > limit;
        entries.truncate(limit);
        Self { entries, more }
    }
}

impl Operations {
    /// Operations through `sap`, which need not serve anybody.
    pub fn new(domain: Domain, store: Store, sap: Arc<Sap>, audit: Arc<Audit>) -> Self {
        Self {
            domain,
            store,
            sap,
            audit,
        }
    }

    /// Does something that changes something, and says in the audit log who did it and how
    /// it went.
    async fn audited<T>(
        &self,
        by: &Actor,
        operation: &'static str,
        target: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let outcome = work.await;
        let failure = outcome.as_ref().err();
        tracing::info!(%by, operation, target, failed = failure.is_some(), "operation");
        self.audit.record(by, operation, target, failure).await;
        outcome
    }

    /// The application that has this password.
    pub async fn authenticate_application(
        &self,
        id: &str,
        password: &str,
    ) -> Result<Actor, Failure> {
        let key = ApplicationId::new(id);
        let proved = self.sap.authenticate_application(&key, password).await;
        let proved = proved.map_err(|refusal| Failure::of_application(&key, refusal))?;
        Ok(Actor::Application(proved.id.to_string()))
    }

    fn user_id(&self, text: &str) -> Result<UserId, Failure> {
        UserId::parse(text, &self.domain).map_err(|error| Failure::invalid(error.to_string()))
    }

    /// A user that may have an account here (csp-access 3.7).
    fn home_user(&self, text: &str) -> Result<UserId, Failure> {
        let user = self.user_id(text)?;
        if user.domain_str() != self.domain.as_str() {
            return Err(Failure::invalid(format!(
                "{user} is not a user of {}; `--set domain=…` sets this server's domain",
                self.domain
            )));
        }
        Ok(user)
    }

    /// How the audit log names a user: by his whole address, if it is one.
    fn target(&self, user: &str) -> String {
        self.user_id(user)
            .map_or_else(|_| user.to_owned(), |user| user.to_string())
    }
}
