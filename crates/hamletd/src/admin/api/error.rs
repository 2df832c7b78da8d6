//! How the API says no.

use crate::operations::{Failure, FailureKind};
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// Why a request was not carried out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// For programs.
    error: ErrorCode,
    /// For people.
    message: String,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request makes no sense.
    Invalid,
    /// A token is missing or wrong.
    Unauthorized,
    /// Whoever asks may not.
    Forbidden,
    /// What the request is about does not exist.
    NotFound,
    /// There is something at this path, but not for this method.
    MethodNotAllowed,
    /// The request contradicts what exists.
    Conflict,
    /// The body is larger than 64 KiB.
    TooLarge,
    /// The body is no application/json.
    UnsupportedType,
    /// The body did not arrive in time.
    Timeout,
    /// A defect of the server.
    Internal,
    /// Not now; try again.
    Unavailable,
}

/// A refusal with its status.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    body: ErrorBody,
}

impl ApiError {
    fn new(status: StatusCode, error: ErrorCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            body: ErrorBody { error, message },
        }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::Invalid, message)
    }

    pub fn token() -> Self {
        let message = "a bearer token is needed that this server knows";
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
    }

    pub fn forbidden() -> Self {
        let message = "applications may only read and change user profiles";
        Self::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, message)
    }

    pub fn route() -> Self {
        let message = "there is nothing at this path; /api/v1/openapi.json tells what there is";
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
    }

    pub fn method() -> Self {
        let code = ErrorCode::MethodNotAllowed;
        let message = "this path does not take this method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, code, message)
    }

    pub fn too_large() -> Self {
        let code = ErrorCode::TooLarge;
        let message = "the body is larger than 64 KiB";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, message)
    }

    pub fn no_json() -> Self {
        let code = ErrorCode::UnsupportedType;
        let message = "the body has to be application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message)
    }

    pub fn timeout() -> Self {
        let message = "the body did not arrive in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::Timeout, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, ErrorCode::Internal, message)
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let (status, code) = match failure.kind {
            FailureKind::Invalid => (StatusCode::BAD_REQUEST, ErrorCode::Invalid),
            FailureKind::Missing => (StatusCode::NOT_FOUND, ErrorCode::NotFound),
            FailureKind::Conflict => (StatusCode::CONFLICT, ErrorCode::Conflict),
            FailureKind::Forbidden => (StatusCode::FORBIDDEN, ErrorCode::Forbidden),
            FailureKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable),
            FailureKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal),
        };
        Self::new(status, code, failure.text)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = header::HeaderValue::from_static("Bearer realm=\"hamletd\"");
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// What every request may get.
#[derive(IntoResponses)]
#[allow(dead_code)] // It is only described.
pub enum Refused {
    /// The request makes no sense.
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// No token, or a wrong one.
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// A defect of the server.
    #[response(status = 500)]
    Internal(ErrorBody),
    /// Not now.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// What an application may get.
#[derive(IntoResponses)]
#[allow(dead_code)] // It is only described.
pub enum Forbidden {
    /// It may not do this.
    #[response(status = 403)]
    Forbidden(ErrorBody),
}

/// What a request about something may get.
#[derive(IntoResponses)]
#[allow(dead_code)] // It is only described.
pub enum Missing {
    /// It does not exist.
    #[response(status = 404)]
    NotFound(ErrorBody),
}

/// What a request may get that adds something.
#[derive(IntoResponses)]
#[allow(dead_code)] // It is only described.
pub enum Contradiction {
    /// It contradicts what exists.
    #[response(status = 409)]
    Conflict(ErrorBody),
}

/// What a request with a body may get.
#[derive(IntoResponses)]
#[allow(dead_code)] // It is only described.
pub enum BadBody {
    /// The body did not arrive in time.
    #[response(status = 408)]
    Timeout(ErrorBody),
    /// The body is larger than 64 KiB.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The body is no JSON.
    #[response(status = 415)]
    UnsupportedType(ErrorBody),
}
