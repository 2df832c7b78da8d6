//! From a request to what carries it out; requests for groups of other domains go there.

use crate::elements::Inner;
use crate::service::{Answer, IdempotenceKey, Request, Requestor};
use hamlet_model::StatusCode;

impl Inner {
    /// Carries out a request of the Group element.
    pub(crate) async fn group(
        &self,
        _requestor: Requestor,
        _request: Request,
        _key: Option<IdempotenceKey>,
    ) -> Answer {
        Err(StatusCode::SERVICE_NOT_SUPPORTED.into())
    }
}
