//! Applications.

use super::accounts::check_password;
use super::{Actor, Failure, Operations, Page};
use hamlet_model::{
    Application, ApplicationId, Service, ServiceSet, StatusCode, Timestamp, UserId,
};
use hamlet_sap::ApplicationChange;

/// What can be said of an application, new or known; `None` is the usual or stays.
#[derive(Debug, Clone, Default)]
pub struct ApplicationSettings {
    /// See [`Application::active`].
    pub active: Option<bool>,
    /// Names of services.
    pub services: Option<Vec<String>>,
    /// See [`Application::open`].
    pub open: Option<bool>,
    /// See [`Application::profiles`].
    pub profiles: Option<bool>,
    /// Identifiers of applications.
    pub peers: Option<Vec<String>>,
}

/// Most peers of an application.
const MAX_PEERS: usize = 100;

impl Operations {
    /// Registers an application; its account is `account`, or its identifier in this domain.
    pub async fn add_application(
        &self,
        by: &Actor,
        id: &str,
        account: Option<&str>,
        password: &str,
        settings: ApplicationSettings,
    ) -> Result<Application, Failure> {
        let add = async {
            let account = self.home_user(account.unwrap_or(id))?;
            check_password(password)?;
            let change = change(settings)?;
            let application = Application {
                id: ApplicationId::new(id),
                account,
                active: change.active.unwrap_or(true),
                services: change.services.unwrap_or_default(),
                open: change.open.unwrap_or(false),
                profiles: change.profiles.unwrap_or(false),
                peers: change.peers.unwrap_or_default(),
                created: Timestamp::now(),
            };
            let added = self.sap.add_application(application.clone(), password);
            added.await.map_err(|refusal| match refusal.code {
                StatusCode::FORBIDDEN => Failure::conflict(format!(
                    "there is an application {id} or an account {} already",
                    application.account
                )),
                _ => Failure::of_application(&application.id, refusal),
            })?;
            Ok(application)
        };
        self.audited(by, "application.add", id, add).await
    }

    /// Applications in the order of their identifiers, at most `limit` of them.
    pub async fn applications(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Application>, Failure> {
        let after = after.unwrap_or_default().to_owned();
        let read = self
            .store
            .read(move |tx| tx.applications(&after, limit.saturating_add(1)));
        Ok(Page::of(read.await?, limit))
    }

    /// One application.
    pub async fn application(&self, id: &str) -> Result<Application, Failure> {
        let id = ApplicationId::new(id);
        let found = self.sap.application(&id).await;
        let found = found.map_err(|refusal| Failure::of_application(&id, refusal))?;
        found.ok_or_else(|| Failure::no_application(&id))
    }

    /// Changes an application.
    pub async fn change_application(
        &self,
        by: &Actor,
        id: &str,
        settings: ApplicationSettings,
    ) -> Result<Application, Failure> {
        let work = async {
            let (key, change) = (ApplicationId::new(id), change(settings)?);
            let changed = self.sap.change_application(&key, change).await;
            changed.map_err(|refusal| Failure::of_application(&key, refusal))
        };
        self.audited(by, "application.set", id, work).await
    }

    /// Removes an application with its account.
    pub async fn delete_application(&self, by: &Actor, id: &str) -> Result<(), Failure> {
        let delete = async {
            let key = ApplicationId::new(id);
            let deleted = self.sap.delete_application(&key).await;
            let deleted = deleted.map_err(|refusal| Failure::of_application(&key, refusal))?;
            match deleted {
                true => Ok(()),
                false => Err(Failure::no_application(&key)),
            }
        };
        self.audited(by, "application.delete", id, delete).await
    }

    /// The users that an application may act for, in the order of their addresses, at most
    /// `limit` of them.
    pub async fn application_users(
        &self,
        id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<UserId>, Failure> {
        let id = self.application(id).await?.id;
        let after = after.unwrap_or_default().to_owned();
        let users = self
            .store
            .read(move |tx| tx.granted_users(&id, &after, limit.saturating_add(1)))
            .await?;
        Ok(Page::of(users, limit))
    }

    /// Lets an application act for users, and for others not any more; all of them or none.
    pub async fn change_application_users(
        &self,
        by: &Actor,
        id: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<(), Failure> {
        let work = async {
            let key = ApplicationId::new(id);
            let users = |texts: &[String]| {
                let users = texts.iter().map(|user| self.home_user(user));
                users.collect::<Result<Vec<UserId>, Failure>>()
            };
            let granted = self.sap.grant_users(&key, users(add)?, users(remove)?);
            granted.await.map_err(|refusal| match refusal.code {
                StatusCode::UNKNOWN_USER => Failure::missing(refusal.description),
                _ => Failure::of_application(&key, refusal),
            })
        };
        let target = match (add, remove) {
            ([user], []) | ([], [user]) => format!("{id} {}", self.target(user)),
            _ => format!("{id} +{} -{} users", add.len(), remove.len()),
        };
        self.audited(by, "application.users", &target, work).await
    }
}

fn change(settings: ApplicationSettings) -> Result<ApplicationChange, Failure> {
    let services = |names: Vec<String>| {
        let service = |name: &String| {
            let names = Service::ALL.iter().map(|service| service.name());
            let names: Vec<&str> = names.collect();
            let names = names.join(", ");
            let wrong =
                || Failure::invalid(format!("there is no service `{name}`; there are {names}"));
            Service::from_name(name).ok_or_else(wrong)
        };
        names.iter().map(service).collect::<Result<ServiceSet, _>>()
    };
    let peers = |peers: Vec<String>| {
        if peers.len() > MAX_PEERS {
            return Err(Failure::invalid("an application has at most 100 peers"));
        }
        let peer = |id: &String| match Application::is_id(id) {
            true => Ok(ApplicationId::new(id)),
            false => Err(Failure::invalid(format!("`{id}` is no ApplicationID"))),
        };
        peers.iter().map(peer).collect::<Result<Vec<_>, _>>()
    };
    Ok(ApplicationChange {
        active: settings.active,
        services: settings.services.map(services).transpose()?,
        open: settings.open,
        profiles: settings.profiles,
        peers: settings.peers.map(peers).transpose()?,
    })
}
