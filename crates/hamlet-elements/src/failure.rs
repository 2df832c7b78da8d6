//! What a failure of the store means to the one who asked.

use hamlet_model::{Refusal, StatusCode};
use hamlet_store::StoreError;

/// 503 when trying again later may help, else 500 (csp-access 16).
pub(crate) fn refusal(error: &StoreError) -> Refusal {
    match error {
        StoreError::Busy | StoreError::Conflict | StoreError::Closed => {
            tracing::warn!(%error, "a request could not be carried out now");
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE)
        }
        _ => {
            tracing::error!(%error, "a request failed in the store");
            Refusal::new(StatusCode::INTERNAL_ERROR)
        }
    }
}

/// Something that cannot be written down: a defect of ours, not of the caller.
pub(crate) fn encoding(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
