//! Why an operation was not carried out.

use hamlet_model::{ApplicationId, Refusal, StatusCode, UserId};
use hamlet_store::StoreError;
use std::fmt;

/// Why an operation was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub kind: FailureKind,
    /// For people.
    pub text: String,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// What was asked for makes no sense.
    Invalid,
    /// What it is about does not exist.
    Missing,
    /// It contradicts what exists.
    Conflict,
    /// Whoever asks may not.
    Forbidden,
    /// Not now.
    Unavailable,
    /// A defect, here or below.
    Internal,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { kind, text }
    }

    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::new(FailureKind::Invalid, text)
    }

    pub(crate) fn missing(text: impl Into<String>) -> Self {
        Self::new(FailureKind::Missing, text)
    }

    pub(crate) fn conflict(text: impl Into<String>) -> Self {
        Self::new(FailureKind::Conflict, text)
    }

    pub(crate) fn forbidden(text: impl Into<String>) -> Self {
        Self::new(FailureKind::Forbidden, text)
    }

    pub(crate) fn no_application(id: &ApplicationId) -> Self {
        Self::missing(format!("there is no application {id}"))
    }

    /// In the words of somebody who manages applications.
    pub(super) fn of_application(id: &ApplicationId, refusal: Refusal) -> Self {
        match refusal.code {
            StatusCode::INVALID_APPLICATION_ID => Self::no_application(id),
            StatusCode::FORBIDDEN | StatusCode::INVALID_PASSWORD => {
                Self::forbidden(format!("application {id}: {}", refusal.description))
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                Self::new(FailureKind::Unavailable, refusal.description)
            }
            StatusCode::INTERNAL_ERROR => Self::new(FailureKind::Internal, refusal.description),
            _ => Self::invalid(format!("application {id}: {}", refusal.description)),
        }
    }

    pub(crate) fn no_account(user: &UserId) -> Self {
        Self::missing(format!("{user} has no account"))
    }

    /// In the words of somebody who manages accounts, not of somebody who logs in.
    pub(super) fn of(user: &UserId, refusal: Refusal) -> Self {
        match refusal.code {
            StatusCode::FORBIDDEN => Self::conflict(format!("{user} has an account already")),
            StatusCode::UNKNOWN_USER => Self::no_account(user),
            code => Self::new(
                match code {
                    StatusCode::SERVICE_UNAVAILABLE => FailureKind::Unavailable,
                    StatusCode::INTERNAL_ERROR => FailureKind::Internal,
                    _ => FailureKind::Invalid,
                },
                format!("{user}: {}", refusal.description),
            ),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let kind = match error {
            StoreError::Busy | StoreError::Closed | StoreError::Conflict => {
                FailureKind::Unavailable
            }
            _ => FailureKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}
