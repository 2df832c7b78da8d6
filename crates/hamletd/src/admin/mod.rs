//! The admin interface: health and metrics over HTTP.
//!
//! It asks for the bearer token of `admin.token_file`. Only `/healthz` and `/metrics`, and
//! only as long as the listener is a loopback one, are open to everybody: monitoring on the
//! same machine then needs no secret.

mod listener;
mod metrics;

pub use listener::serve;
pub use metrics::{METRICS, PREFIX, metrics_reference, registry};

use crate::data_dir::Secret;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hamlet_model::SessionId;
use hamlet_store::Store;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// How long the store may take to answer while it counts as healthy.
const HEALTHY: Duration = Duration::from_secs(5);

/// What the admin interface shows.
pub struct Admin {
    /// Asked whether it answers.
    pub store: Store,
    /// Printed by `/metrics`.
    pub registry: Registry,
    /// The bearer token.
    pub token: Secret,
    /// Whether health and metrics need the token too.
    pub exposed: bool,
}

/// The routes, behind the question for the token.
pub fn router(admin: Admin) -> Router {
    let admin = Arc::new(admin);
    Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .layer(from_fn_with_state(admin.clone(), authorize))
        .fallback_service(
            // Who has no token does not learn what exists.
            Router::new()
                .fallback(|| async { StatusCode::NOT_FOUND })
                .layer(from_fn_with_state(admin.clone(), authorize)),
        )
        .with_state(admin)
}

async fn authorize(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let open = !admin.exposed && matches!(request.uri().path(), "/healthz" | "/metrics");
    if open || has_token(request.headers(), &admin.token) {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"hamletd\"")];
    (StatusCode::UNAUTHORIZED, challenge).into_response()
}

fn has_token(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    given.is_some_and(|(_, given)| {
        bool::from(given.trim().as_bytes().ct_eq(token.digits().as_bytes()))
    })
}

/// 200 when the store answers a read in time, else 503.
async fn health(State(admin): State<Arc<Admin>>) -> (StatusCode, String) {
    let nobody = SessionId::new("");
    let read = admin.store.read(move |tx| tx.session(&nobody));
    match tokio::time::timeout(HEALTHY, read).await {
        Ok(Ok(_)) => (StatusCode::OK, "ok\n".to_owned()),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the store has not answered for {} s\n", HEALTHY.as_secs()),
        ),
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let mut text = String::new();
    if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &admin.registry) {
        tracing::error!(%error, "the metrics cannot be written");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
