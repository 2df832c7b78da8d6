//! Reading requests, within bounds, with errors in the API's form.

use super::error::ApiError;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use utoipa::IntoParams;

/// Largest body, octets.
const MAX_BODY: usize = 64 << 10;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// Largest page of a listing.
const MAX_PAGE: usize = 1000;

/// A body of JSON.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::no_json());
        }
        let body = axum::body::to_bytes(request.into_body(), MAX_BODY);
        let body = tokio::time::timeout(PATIENCE, body)
            .await
            .map_err(|_| ApiError::timeout())?
            .map_err(|_| ApiError::too_large())?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| ApiError::invalid(reason(&error)))
    }
}

/// Without the values that the error's own text may repeat, a password perhaps.
fn reason(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            let text = error.to_string();
            let known = ["missing field", "unknown field", "duplicate field"];
            match known.iter().any(|known| text.starts_with(known)) {
                true => text,
                false => format!("a value of the wrong type at {place}"),
            }
        }
        _ => format!("no JSON at {place}"),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let base = kind.split(';').next().unwrap_or_default().trim();
    base.eq_ignore_ascii_case("application/json")
}

/// The one variable part of a path.
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name))
            .map_err(|error| ApiError::invalid(error.body_text()))
    }
}

/// The two variable parts of a path: a thing, and what is within it.
pub struct NamedWithin(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for NamedWithin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        path.map(|Path((thing, within))| Self(thing, within))
            .map_err(|error| ApiError::invalid(error.body_text()))
    }
}

/// Which part of a listing.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Begin after this one: `next` of the page before.
    pub after: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

impl PageQuery {
    /// How many at most.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(100)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<Self>::from_request_parts(parts, state).await;
        let Query(query) = query.map_err(|error| ApiError::invalid(error.body_text()))?;
        if !(1..=MAX_PAGE).contains(&query.limit()) {
            return Err(ApiError::invalid("limit is from 1 to 1000"));
        }
        Ok(query)
    }
}
