//! The admin interface: health, metrics and the operator's API over HTTP.
//!
//! The API ([`api`]) asks for one of its own tokens, everything else for the bearer token of
//! `admin.token_file`. Only `/healthz` and `/metrics`, and only as long as the listener is a
//! loopback one, are open to everybody: monitoring on the same machine then needs no secret.

pub mod api;
mod listener;
mod metrics;
pub mod tokens;

pub use listener::serve;
pub use metrics::{METRICS, PREFIX, metrics_reference, registry};

use self::tokens::Tokens;
use crate::data_dir::Secret;
use crate::operations::Operations;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hamlet_model::SessionId;
use hamlet_store::Store;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
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
    /// What the API does.
    pub operations: Arc<Operations>,
    /// Who may use the API.
    pub tokens: Arc<Tokens>,
}

/// The routes, behind the question for the token.
pub fn router(admin: Admin) -> Router {
    let api = api::router(admin.operations.clone(), admin.tokens.clone());
    let admin = Arc::new(admin);
    let others = Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .layer(from_fn_with_state(admin.clone(), authorize))
        .fallback_service(
            // Who has no token does not learn what exists.
            Router::new()
                .fallback(|| async { StatusCode::NOT_FOUND })
                .layer(from_fn_with_state(admin.clone(), authorize)),
        )
        .with_state(admin);
    // Not by routes of one router: what each has matched would be told to the other.
    Router::new().fallback(move |request: Request| {
        let path = request.uri().path();
        let is_api = path == "/api" || path.starts_with("/api/");
        let router = if is_api { &api } else { &others };
        TowerToHyperService::new(router.clone()).call(request)
    })
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
    bearer(headers)
        .is_some_and(|given| bool::from(given.as_bytes().ct_eq(token.digits().as_bytes())))
}

/// The bearer token that a request gives.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, given) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(given.trim())
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
