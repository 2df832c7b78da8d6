//! What the mobile network says of users.

use super::Api;
use super::body::{Body, Named};
use super::error::{ApiError, BadBody, Missing, Refused};
use crate::operations::Actor;
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What the mobile network says of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct Network {
    /// By field: registration (yes or no), plmn, time-zone, longitude, latitude, altitude,
    /// accuracy, country, city, street, crossing1, crossing2, building, named-area, location.
    #[schema(example = json!({"registration": "yes", "plmn": "24491"}))]
    pub values: BTreeMap<String, String>,
}

/// Changes of it: what is not named stays, null removes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkChange {
    /// By field.
    #[schema(example = json!({"plmn": "24491", "registration": null}))]
    pub values: BTreeMap<String, Option<String>>,
}

/// Show what the mobile network says of a user.
#[utoipa::path(get, operation_id = "getNetwork", path = "/users/{user}/network", tag = "users",
    params(("user", description = "Address.")),
    responses((status = 200, body = Network), Refused, Missing))]
pub async fn show(State(api): State<Api>, Named(user): Named) -> Result<Json<Network>, ApiError> {
    let values = api.network(&user).await?.into_iter().collect();
    Ok(Json(Network { values }))
}

/// Tell what the mobile network says of a user, until the server stops. Those who watch him
/// see it instead of what his client publishes.
#[utoipa::path(patch, operation_id = "changeNetwork", path = "/users/{user}/network", tag = "users",
    params(("user", description = "Address.")), request_body = NetworkChange,
    responses((status = 200, body = Network), Refused, BadBody, Missing))]
pub async fn change(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
    Body(change): Body<NetworkChange>,
) -> Result<Json<Network>, ApiError> {
    let changes: Vec<_> = change
        .values
        .into_iter()
        .map(|(field, value)| (field, value.unwrap_or_default()))
        .collect();
    let values = api.change_network(&by, &user, &changes).await?;
    let values = values.into_iter().collect();
    Ok(Json(Network { values }))
}
