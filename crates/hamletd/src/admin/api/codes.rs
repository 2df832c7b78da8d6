//! Invitation codes.

use super::Api;
use super::body::{Body, Named, PageQuery};
use super::error::{ApiError, BadBody, Contradiction, Missing, Refused};
use super::types::{Code, CodeList, NewCode};
use crate::operations::Actor;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

/// List the codes.
#[utoipa::path(get, operation_id = "listInvitationCodes", path = "/invitation-codes", tag = "invitation codes", params(PageQuery),
    responses((status = 200, body = CodeList), Refused))]
pub async fn list(State(api): State<Api>, page: PageQuery) -> Result<Json<CodeList>, ApiError> {
    let codes = api.codes(page.after.as_deref(), page.limit()).await?;
    Ok(Json(codes.into()))
}

/// Make a code.
#[utoipa::path(post, operation_id = "addInvitationCode", path = "/invitation-codes", tag = "invitation codes", request_body = NewCode,
    responses((status = 201, body = Code), Refused, BadBody, Contradiction))]
pub async fn add(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Body(new): Body<NewCode>,
) -> Result<(StatusCode, Json<Code>), ApiError> {
    let code = api.add_code(&by, new.uses, new.days).await?;
    Ok((StatusCode::CREATED, Json(code.into())))
}

/// Delete a code.
#[utoipa::path(delete, operation_id = "deleteInvitationCode", path = "/invitation-codes/{code}", tag = "invitation codes",
    params(("code", description = "The code.")), responses((status = 204), Refused, Missing))]
pub async fn delete(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(code): Named,
) -> Result<StatusCode, ApiError> {
    api.delete_code(&by, &code).await?;
    Ok(StatusCode::NO_CONTENT)
}
