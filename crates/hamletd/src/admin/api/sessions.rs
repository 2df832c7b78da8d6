//! Sessions, and figures.

use super::Api;
use super::body::{Named, PageQuery};
use super::error::{ApiError, Missing, Refused};
use super::types::{Ended, SessionList, Stats};
use crate::operations::Actor;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

/// List the sessions.
#[utoipa::path(get, operation_id = "listSessions", path = "/sessions", tag = "sessions", params(PageQuery),
    responses((status = 200, body = SessionList), Refused))]
pub async fn list(State(api): State<Api>, page: PageQuery) -> Result<Json<SessionList>, ApiError> {
    let sessions = api.sessions(None, page.after.as_deref(), page.limit())?;
    Ok(Json(sessions.into()))
}

/// End a session; its client hears 601.
#[utoipa::path(delete, operation_id = "endSession", path = "/sessions/{session}", tag = "sessions",
    params(("session", description = "SessionID.")), responses((status = 204), Refused, Missing))]
pub async fn end(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(session): Named,
) -> Result<StatusCode, ApiError> {
    api.end_session(&by, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the sessions of a user.
#[utoipa::path(get, operation_id = "listSessionsOfUser", path = "/users/{user}/sessions", tag = "sessions",
    params(("user", description = "Address."), PageQuery),
    responses((status = 200, body = SessionList), Refused))]
pub async fn of_user(
    State(api): State<Api>,
    Named(user): Named,
    page: PageQuery,
) -> Result<Json<SessionList>, ApiError> {
    let sessions = api.sessions(Some(&user), page.after.as_deref(), page.limit())?;
    Ok(Json(sessions.into()))
}

/// End all sessions of a user; his clients hear 601.
#[utoipa::path(delete, operation_id = "endSessionsOfUser", path = "/users/{user}/sessions", tag = "sessions",
    params(("user", description = "Address.")), responses((status = 200, body = Ended), Refused))]
pub async fn end_all(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
) -> Result<Json<Ended>, ApiError> {
    let (_, sessions_ended) = api.end_sessions_of(&by, &user).await?;
    Ok(Json(Ended { sessions_ended }))
}

/// Show figures of the server and of its store.
#[utoipa::path(get, operation_id = "getStats", path = "/stats", tag = "sessions",
    responses((status = 200, body = Stats), Refused))]
pub async fn stats(State(api): State<Api>) -> Result<Json<Stats>, ApiError> {
    let figures = api.stats().await?.into_iter();
    let figures = figures.map(|(name, value)| (name.replace(' ', "_"), value));
    Ok(Json(Stats {
        figures: figures.collect(),
    }))
}
