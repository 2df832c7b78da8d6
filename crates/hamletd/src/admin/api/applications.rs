//! Applications.

use super::Api;
use super::body::{Body, Named, PageQuery};
use super::error::{ApiError, BadBody, Contradiction, Missing, Refused};
use crate::operations::{Actor, ApplicationSettings, Page};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use hamlet_model::UserId;
use hamlet_sap::journal::iso;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An application above IMPS.
#[derive(Debug, Serialize, ToSchema)]
pub struct Application {
    /// ApplicationID.
    #[schema(example = "chess")]
    id: String,
    /// The account by which it is itself a user.
    #[schema(example = "wv:chess@example.org")]
    account: String,
    /// Whether anybody may use it now.
    active: bool,
    /// What its sessions may use: Common, ContactList, Presence, IM, Group, Content.
    services: Vec<String>,
    /// Every user may use it with his own password; else only those that it may act for.
    open: bool,
    /// It may read and change the user profiles of those that it may act for.
    profiles: bool,
    /// The applications whose users may address it, beside its own.
    peers: Vec<String>,
    /// When it was registered.
    #[schema(format = DateTime)]
    created: String,
}

impl From<hamlet_model::Application> for Application {
    fn from(application: hamlet_model::Application) -> Self {
        let services = application.services.iter();
        Self {
            id: application.id.to_string(),
            account: application.account.to_string(),
            active: application.active,
            services: services.map(|service| service.name().to_owned()).collect(),
            open: application.open,
            profiles: application.profiles,
            peers: application.peers.iter().map(ToString::to_string).collect(),
            created: iso(application.created),
        }
    }
}

/// Some applications, in the order of their identifiers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationList {
    applications: Vec<Application>,
    /// Where the next page begins; null after the last one.
    next: Option<String>,
}

/// Some users that an application may act for, in the order of their addresses.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationUsers {
    users: Vec<String>,
    /// Where the next page begins; null after the last one.
    next: Option<String>,
}

/// An application to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApplication {
    /// ApplicationID: printable ASCII without blanks, at most 64 characters.
    #[schema(example = "chess")]
    id: String,
    /// The account that is made for it; its identifier in this domain, if none is given.
    account: Option<String>,
    /// Password of that account.
    password: String,
    /// Everything, if nothing is given.
    services: Option<Vec<String>>,
    /// See Application.
    open: Option<bool>,
    /// See Application.
    profiles: Option<bool>,
    /// See Application.
    peers: Option<Vec<String>>,
}

/// Changes of an application: what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationChange {
    /// See Application. The sessions of one that is switched off end.
    active: Option<bool>,
    /// See Application.
    services: Option<Vec<String>>,
    /// See Application.
    open: Option<bool>,
    /// See Application.
    profiles: Option<bool>,
    /// See Application.
    peers: Option<Vec<String>>,
}

/// Users that an application may act for, and not any more; all of them or none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationUserChange {
    /// Addresses.
    #[serde(default)]
    add: Vec<String>,
    /// Addresses.
    #[serde(default)]
    remove: Vec<String>,
}

/// List the applications.
#[utoipa::path(get, operation_id = "listApplications", path = "/applications", tag = "applications",
    params(PageQuery), responses((status = 200, body = ApplicationList), Refused))]
pub async fn list(
    State(api): State<Api>,
    page: PageQuery,
) -> Result<Json<ApplicationList>, ApiError> {
    let Page { entries, more } = api
        .applications(page.after.as_deref(), page.limit())
        .await?;
    let last = entries.last().filter(|_| more);
    Ok(Json(ApplicationList {
        next: last.map(|last| last.id.to_string()),
        applications: entries.into_iter().map(Into::into).collect(),
    }))
}

/// Register an application and make its account.
#[utoipa::path(post, operation_id = "addApplication", path = "/applications", tag = "applications",
    request_body = NewApplication,
    responses((status = 201, body = Application), Refused, BadBody, Contradiction))]
pub async fn add(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Body(new): Body<NewApplication>,
) -> Result<(StatusCode, Json<Application>), ApiError> {
    let settings = ApplicationSettings {
        active: None,
        services: new.services,
        open: new.open,
        profiles: new.profiles,
        peers: new.peers,
    };
    let account = new.account.as_deref();
    let added = api.add_application(&by, &new.id, account, &new.password, settings);
    Ok((StatusCode::CREATED, Json(added.await?.into())))
}

/// Show an application.
#[utoipa::path(get, operation_id = "getApplication", path = "/applications/{application}",
    tag = "applications", params(("application", description = "ApplicationID.")),
    responses((status = 200, body = Application), Refused, Missing))]
pub async fn show(State(api): State<Api>, Named(id): Named) -> Result<Json<Application>, ApiError> {
    Ok(Json(api.application(&id).await?.into()))
}

/// Change an application.
#[utoipa::path(patch, operation_id = "changeApplication", path = "/applications/{application}",
    tag = "applications", params(("application", description = "ApplicationID.")),
    request_body = ApplicationChange,
    responses((status = 200, body = Application), Refused, BadBody, Missing))]
pub async fn change(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(id): Named,
    Body(change): Body<ApplicationChange>,
) -> Result<Json<Application>, ApiError> {
    let settings = ApplicationSettings {
        active: change.active,
        services: change.services,
        open: change.open,
        profiles: change.profiles,
        peers: change.peers,
    };
    let changed = api.change_application(&by, &id, settings).await?;
    Ok(Json(changed.into()))
}

/// Remove an application with its account; its sessions end.
#[utoipa::path(delete, operation_id = "deleteApplication", path = "/applications/{application}",
    tag = "applications", params(("application", description = "ApplicationID.")),
    responses((status = 204), Refused, Missing))]
pub async fn delete(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(id): Named,
) -> Result<StatusCode, ApiError> {
    api.delete_application(&by, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the users that an application may act for.
#[utoipa::path(get, operation_id = "listApplicationUsers",
    path = "/applications/{application}/users", tag = "applications",
    params(("application", description = "ApplicationID."), PageQuery),
    responses((status = 200, body = ApplicationUsers), Refused, Missing))]
pub async fn users(
    State(api): State<Api>,
    Named(id): Named,
    page: PageQuery,
) -> Result<Json<ApplicationUsers>, ApiError> {
    let (after, limit) = (page.after.as_deref(), page.limit());
    let Page { entries, more } = api.application_users(&id, after, limit).await?;
    Ok(Json(ApplicationUsers {
        next: entries.last().filter(|_| more).map(ToString::to_string),
        users: entries.iter().map(UserId::to_string).collect(),
    }))
}

/// Change which users an application may act for.
#[utoipa::path(patch, operation_id = "changeApplicationUsers",
    path = "/applications/{application}/users", tag = "applications",
    params(("application", description = "ApplicationID.")), request_body = ApplicationUserChange,
    responses((status = 204), Refused, BadBody, Missing))]
pub async fn change_users(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(id): Named,
    Body(change): Body<ApplicationUserChange>,
) -> Result<StatusCode, ApiError> {
    let changed = api.change_application_users(&by, &id, &change.add, &change.remove);
    changed.await?;
    Ok(StatusCode::NO_CONTENT)
}
