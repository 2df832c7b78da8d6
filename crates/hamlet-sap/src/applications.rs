//! Applications (architecture document 5.3.6.1): registered by the operator, each with an account
//! of its own, granted services, and users that it may act for.

use crate::Sap;
use crate::session::Session;
use hamlet_model::{Application, ApplicationId, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{AccountStatus, StoreError};
use std::sync::Arc;

/// What is changed of an application; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ApplicationChange {
    /// See [`Application::active`].
    pub active: Option<bool>,
    /// See [`Application::services`].
    pub services: Option<hamlet_model::ServiceSet>,
    /// See [`Application::open`].
    pub open: Option<bool>,
    /// See [`Application::profiles`].
    pub profiles: Option<bool>,
    /// See [`Application::peers`].
    pub peers: Option<Vec<ApplicationId>>,
}

impl Sap {
    /// Registers an application and makes its account. 402 for an identifier, name or password
    /// that cannot be one, 403 when there is such an account or application already.
    pub async fn add_application(
        &self,
        application: Application,
        password: &str,
    ) -> Result<(), Refusal> {
        if !Application::is_id(application.id.as_str()) {
            let why = "An ApplicationID is printable ASCII without blanks, at most 64 characters";
            return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
        }
        let exists = || Refusal::because(StatusCode::FORBIDDEN, "The application exists");
        if self.application(&application.id).await?.is_some() {
            return Err(exists());
        }
        let account = application.account.clone();
        self.create_account(&account, password).await?;
        let write = self.store.write(move |tx| {
            // Another may have come in between.
            let free = tx.application(&application.id)?.is_none();
            if free {
                tx.put_application(&application)?;
            }
            Ok(free)
        });
        let added = write.await;
        let added = added.map_err(|error| self.store_failed("application", &error));
        if !matches!(added, Ok(true)) {
            self.delete_account(&account).await?;
        }
        self.elements.forget_recipient(&account);
        match added? {
            true => Ok(()),
            false => Err(exists()),
        }
    }

    /// The application of this identifier.
    pub async fn application(&self, id: &ApplicationId) -> Result<Option<Application>, Refusal> {
        let id = id.clone();
        let read = self.store.read(move |tx| tx.application(&id)).await;
        read.map_err(|error| self.store_failed("application", &error))
    }

    /// Changes an application; 450 without it. Sessions that would have more than it now
    /// grants are told so at once; those of one that is switched off end.
    pub async fn change_application(
        &self,
        id: &ApplicationId,
        change: ApplicationChange,
    ) -> Result<Application, Refusal> {
        let key = id.clone();
        let write = self.store.write(move |tx| {
            let Some(mut application) = tx.application(&key)? else {
                return Ok(None);
            };
            let change = change.clone();
            application.active = change.active.unwrap_or(application.active);
            application.services = change.services.unwrap_or(application.services);
            application.open = change.open.unwrap_or(application.open);
            application.profiles = change.profiles.unwrap_or(application.profiles);
            application.peers = change.peers.unwrap_or(application.peers);
            tx.put_application(&application)?;
            Ok(Some(application))
        });
        let changed = write.await;
        let changed = changed.map_err(|error| self.store_failed("application", &error))?;
        let application = changed.ok_or(StatusCode::INVALID_APPLICATION_ID)?;
        for session in self.sessions_of_application(id) {
            if !self.is_admitted(&session, &application).await? {
                self.end_session(&session, StatusCode::FORCED_LOGOUT).await;
            } else {
                self.entitle_sessions_of(&session.user.id).await?;
            }
        }
        Ok(application)
    }

    /// Removes an application, its account and all sessions of it; whether there was one.
    pub async fn delete_application(&self, id: &ApplicationId) -> Result<bool, Refusal> {
        let Some(application) = self.application(id).await? else {
            return Ok(false);
        };
        // The registration goes with the account.
        match self.delete_account(&application.account).await {
            Err(refusal) if refusal.code != StatusCode::UNKNOWN_USER => return Err(refusal),
            _ => {}
        }
        let key = id.clone();
        let gone = self
            .store
            .write(move |tx| tx.delete_application(&key))
            .await;
        gone.map_err(|error| self.store_failed("application", &error))?;
        for session in self.sessions_of_application(id) {
            self.end_session(&session, StatusCode::FORCED_LOGOUT).await;
        }
        Ok(true)
    }

    /// Lets an application act for users, and for others not any more: 450 without it, 531 for
    /// a user that does not exist; all of the changes or none. Sessions of those that may not
    /// use it any more end.
    pub async fn grant_users(
        &self,
        id: &ApplicationId,
        grant: Vec<UserId>,
        revoke: Vec<UserId>,
    ) -> Result<(), Refusal> {
        let key = id.clone();
        let write = self.store.write(move |tx| {
            let Some(application) = tx.application(&key)? else {
                return Ok(Err(Refusal::from(StatusCode::INVALID_APPLICATION_ID)));
            };
            let existing = tx.existing(&grant)?;
            if let Some(unknown) = grant.iter().find(|user| !existing.contains(*user)) {
                let why = format!("{unknown} has no account");
                return Ok(Err(Refusal::because(StatusCode::UNKNOWN_USER, why)));
            }
            revoke
                .iter()
                .try_for_each(|user| tx.revoke_user(&key, user).map(drop))?;
            grant
                .iter()
                .try_for_each(|user| tx.grant_user(&key, user))?;
            Ok(Ok(application))
        });
        let granted = write.await;
        let application = granted.map_err(|error| self.store_failed("application", &error))??;
        for session in self.sessions_of_application(id) {
            if !self.is_admitted(&session, &application).await? {
                self.end_session(&session, StatusCode::FORCED_LOGOUT).await;
            }
        }
        Ok(())
    }

    /// The application that has this password, for interfaces beside CSP: 409 when there is
    /// none, 403 after too many failures or when it is switched off.
    pub async fn authenticate_application(
        &self,
        id: &ApplicationId,
        password: &str,
    ) -> Result<Application, Refusal> {
        let key = id.clone();
        let read = self.store.read(move |tx| {
            let Some(application) = tx.application(&key)? else {
                return Ok(None);
            };
            let account = tx.account(&application.account)?;
            Ok(account.map(|account| (application, account)))
        });
        let found = read.await;
        let found = found.map_err(|error: StoreError| self.store_failed("application", &error))?;
        let (application, account) = found.ok_or(StatusCode::INVALID_PASSWORD)?;
        let now = Timestamp::now();
        if !self.throttle.allows(&account.user, None, now) {
            return Err(StatusCode::FORBIDDEN.into());
        }
        let stored = account.credential.unwrap_or_default();
        let secret = self.credentials.open(&account.user, &stored);
        if !self.credentials.verify(&secret, password).await {
            self.throttle.failed(&account.user, None, now);
            return Err(StatusCode::INVALID_PASSWORD.into());
        }
        self.throttle.succeeded(&account.user);
        if !application.active || account.status != AccountStatus::Active {
            return Err(StatusCode::FORBIDDEN.into());
        }
        Ok(application)
    }

    /// Whether an application may act for a user.
    pub async fn acts_for(&self, id: &ApplicationId, user: &UserId) -> Result<bool, Refusal> {
        let (id, user) = (id.clone(), user.clone());
        let read = self.store.read(move |tx| tx.is_granted(&id, &user)).await;
        read.map_err(|error| self.store_failed("application", &error))
    }

    /// Whether a session of the application could still be opened.
    async fn is_admitted(
        &self,
        session: &Session,
        application: &Application,
    ) -> Result<bool, Refusal> {
        let user = &session.user.id;
        Ok(application.active
            && (application.open
                || *user == application.account
                || self.acts_for(&application.id, user).await?))
    }

    fn sessions_of_application(&self, id: &ApplicationId) -> Vec<Arc<Session>> {
        let mut sessions = Vec::new();
        self.hub.registry.for_each(|session| {
            if session.application.as_ref() == Some(id) {
                sessions.push(session.clone());
            }
        });
        sessions
    }
}
