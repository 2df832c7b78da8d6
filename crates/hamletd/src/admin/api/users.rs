//! Accounts, with profiles and telephone numbers.

use super::Api;
use super::body::{Body, Named, PageQuery};
use super::error::{ApiError, BadBody, Contradiction, Missing, Refused};
use super::types::{
    Ended, MsisdnChange, Msisdns, NewPassword, NewUser, ProfileBody, ProfileChange, UserChange,
    UserDetails, UserList,
};
use crate::operations::Actor;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

/// List the accounts.
#[utoipa::path(get, operation_id = "listUsers", path = "/users", tag = "users", params(PageQuery),
    responses((status = 200, body = UserList), Refused))]
pub async fn list(State(api): State<Api>, page: PageQuery) -> Result<Json<UserList>, ApiError> {
    let users = api.users(page.after.as_deref(), page.limit()).await?;
    Ok(Json(users.into()))
}

/// Make an account.
#[utoipa::path(post, operation_id = "addUser", path = "/users", tag = "users", request_body = NewUser,
    responses((status = 201, body = UserDetails), Refused, BadBody, Contradiction))]
pub async fn add(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<UserDetails>), ApiError> {
    api.add_user(&by, &new.user, &new.password).await?;
    let user = api.user(&new.user).await?;
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// Show an account.
#[utoipa::path(get, operation_id = "getUser", path = "/users/{user}", tag = "users", params(("user", description = "Address.")),
    responses((status = 200, body = UserDetails), Refused, Missing))]
pub async fn show(
    State(api): State<Api>,
    Named(user): Named,
) -> Result<Json<UserDetails>, ApiError> {
    Ok(Json(api.user(&user).await?.into()))
}

/// Let a user log in, or keep him out.
#[utoipa::path(patch, operation_id = "changeUser", path = "/users/{user}", tag = "users", params(("user", description = "Address.")),
    request_body = UserChange, responses((status = 200, body = Ended), Refused, BadBody, Missing))]
pub async fn change(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
    Body(change): Body<UserChange>,
) -> Result<Json<Ended>, ApiError> {
    let (_, sessions_ended) = api.set_active(&by, &user, change.active).await?;
    Ok(Json(Ended { sessions_ended }))
}

/// Delete an account with everything that belongs to it; not that of an application.
#[utoipa::path(delete, operation_id = "deleteUser", path = "/users/{user}", tag = "users", params(("user", description = "Address.")),
    responses((status = 200, body = Ended), Refused, Missing, Contradiction))]
pub async fn delete(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
) -> Result<Json<Ended>, ApiError> {
    let (_, sessions_ended) = api.delete_user(&by, &user).await?;
    Ok(Json(Ended { sessions_ended }))
}

/// Give an account a new password; its sessions end.
#[utoipa::path(put, operation_id = "setPassword", path = "/users/{user}/password", tag = "users",
    params(("user", description = "Address.")), request_body = NewPassword,
    responses((status = 200, body = Ended), Refused, BadBody, Missing))]
pub async fn password(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
    Body(new): Body<NewPassword>,
) -> Result<Json<Ended>, ApiError> {
    let (_, sessions_ended) = api.change_password(&by, &user, &new.password).await?;
    Ok(Json(Ended { sessions_ended }))
}

/// Show what others read of a user and find him by.
#[utoipa::path(get, operation_id = "getProfile", path = "/users/{user}/profile", tag = "users",
    params(("user", description = "Address.")),
    responses((status = 200, body = ProfileBody), Refused, Missing))]
pub async fn profile(
    State(api): State<Api>,
    Named(user): Named,
) -> Result<Json<ProfileBody>, ApiError> {
    Ok(Json(api.profile(&user).await?.into()))
}

/// Change what others read of a user and find him by.
#[utoipa::path(patch, operation_id = "changeProfile", path = "/users/{user}/profile", tag = "users",
    params(("user", description = "Address.")), request_body = ProfileChange,
    responses((status = 200, body = ProfileBody), Refused, BadBody, Missing))]
pub async fn change_profile(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
    Body(change): Body<ProfileChange>,
) -> Result<Json<ProfileBody>, ApiError> {
    api.set_profile(&by, &user, &change.changes()).await?;
    Ok(Json(api.profile(&user).await?.into()))
}

/// List the telephone numbers of a user.
#[utoipa::path(get, operation_id = "listMsisdns", path = "/users/{user}/msisdns", tag = "users",
    params(("user", description = "Address.")),
    responses((status = 200, body = Msisdns), Refused, Missing))]
pub async fn msisdns(
    State(api): State<Api>,
    Named(user): Named,
) -> Result<Json<Msisdns>, ApiError> {
    let msisdns = api.msisdns(&user).await?;
    let msisdns = msisdns.iter().map(ToString::to_string).collect();
    Ok(Json(Msisdns { msisdns }))
}

/// Add and remove telephone numbers of a user.
#[utoipa::path(patch, operation_id = "changeMsisdns", path = "/users/{user}/msisdns", tag = "users",
    params(("user", description = "Address.")), request_body = MsisdnChange,
    responses((status = 200, body = Msisdns), Refused, BadBody, Missing, Contradiction))]
pub async fn change_msisdns(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
    Body(change): Body<MsisdnChange>,
) -> Result<Json<Msisdns>, ApiError> {
    let changed = api.change_msisdns(&by, &user, &change.add, &change.remove);
    let msisdns = changed.await?.iter().map(ToString::to_string).collect();
    Ok(Json(Msisdns { msisdns }))
}
