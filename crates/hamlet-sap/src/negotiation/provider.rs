//! GetSPInfo (csp-access 7).

use crate::config::ProviderConfig;
use hamlet_csp::elements::{GetSPInfoRequest, GetSPInfoResponse};

/// The service provider's data.
pub(crate) fn respond(request: GetSPInfoRequest, provider: &ProviderConfig) -> GetSPInfoResponse {
    GetSPInfoResponse {
        client_id: request.client_id,
        name: Some(provider.name.as_str().into()),
        logo: None,
        description: provider.description.as_deref().map(Into::into),
        url: provider.url.as_deref().map(Into::into),
    }
}
