//! The operator's HTTP API: JSON over the admin listener, below `/api/v1`.
//!
//! Each handler is declared together with its description, and only what is declared so has
//! a route; the whole description (OpenAPI 3.1) is answered at `/api/v1/openapi.json` and
//! stands in docs/openapi.json. What is done is in [`crate::operations`].

mod applications;
mod body;
mod codes;
mod error;
mod groups;
mod networks;
mod outside_messages;
mod sessions;
mod system_messages;
mod types;
mod user_profiles;
mod users;

use super::bearer;
use super::tokens::Tokens;
use crate::operations::{Actor, Operations};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use error::{ApiError, ErrorBody, ErrorCode};
use std::sync::Arc;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Where it begins.
const ROOT: &str = "/api/v1";

/// What the handlers work with.
pub type Api = Arc<Operations>;

/// Its routes, for those who have one of `tokens`.
pub fn router(operations: Api, tokens: Arc<Tokens>) -> Router {
    let (routes, description) = described().split_for_parts();
    let description = Arc::new(description);
    routes
        .route(
            "/api/v1/openapi.json",
            get(move || async move { Json(description.as_ref().clone()) }),
        )
        .method_not_allowed_fallback(|| async { ApiError::method() })
        .fallback(|| async { ApiError::route() })
        .layer(from_fn(whole))
        .layer(from_fn_with_state((operations.clone(), tokens), authorize))
        .with_state(operations)
}

/// The description as it stands in docs/openapi.json.
pub fn reference() -> String {
    let (_, description) = described().split_for_parts();
    // It was made from declarations, which are all texts.
    let text = description.to_pretty_json().unwrap_or_default();
    text + "\n"
}

fn described() -> OpenApiRouter<Api> {
    let api = OpenApiRouter::new()
        .routes(routes!(users::list, users::add))
        .routes(routes!(users::show, users::change, users::delete))
        .routes(routes!(users::password))
        .routes(routes!(users::profile, users::change_profile))
        .routes(routes!(users::msisdns, users::change_msisdns))
        .routes(routes!(networks::show, networks::change))
        .routes(routes!(user_profiles::show, user_profiles::change))
        .routes(routes!(applications::list, applications::add))
        .routes(routes!(
            applications::show,
            applications::change,
            applications::delete
        ))
        .routes(routes!(applications::users, applications::change_users))
        .routes(routes!(sessions::of_user, sessions::end_all))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(codes::list, codes::add))
        .routes(routes!(codes::delete))
        .routes(routes!(system_messages::list, system_messages::send))
        .routes(routes!(system_messages::show, system_messages::cancel))
        .routes(routes!(system_messages::add_users))
        .routes(routes!(outside_messages::list, outside_messages::announce))
        .routes(routes!(outside_messages::withdraw))
        .routes(routes!(groups::list, groups::add))
        .routes(routes!(groups::show, groups::change, groups::delete))
        .routes(routes!(groups::set_member, groups::remove_member))
        .routes(routes!(groups::rejects))
        .routes(routes!(groups::reject, groups::readmit))
        .routes(routes!(groups::announce))
        .routes(routes!(sessions::stats));
    OpenApiRouter::with_openapi(Description::openapi()).nest(ROOT, api)
}

const ABOUT: &str = "\
Every request needs `Authorization: Bearer TOKEN` with a token of `admin.api_tokens`. Users are named \
by their addresses (`wv:alice@example.org`), in paths too; the domain may be left out. So are groups (`wv:/skiing@example.org`), whose slash is \
written `%2F` in paths. Listings come \
in pages: `next` of one is `after` of the next. Every change is written to the audit log under the \
name of the token. An application that has been granted it reads and changes user profiles, by \
Basic authentication with its ApplicationID and password.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Hamlet operator's API", version = "1", description = ABOUT, license(name = "MIT OR Apache-2.0")),
    security(("token" = [])),
    modifiers(&TokenScheme),
    components(schemas(ErrorBody, ErrorCode)),
    tags(
        (name = "users", description = "Accounts, with profiles and telephone numbers."),
        (name = "sessions", description = "Sessions of clients, and figures."),
        (name = "applications", description = "Applications above IMPS."),
        (name = "groups", description = "Public groups, and a look at private ones."),
        (name = "outside messages", description = "Messages that wait for users in other systems, such as mail."),
        (name = "system messages", description = "Texts of the operator, with answers (CSP 1.3)."),
        (name = "invitation codes", description = "What new users register with."),
    )
)]
struct Description;

struct TokenScheme;

impl Modify for TokenScheme {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("token", scheme);
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
        components.add_security_scheme("application", scheme);
    }
}

/// Lets those pass who have a token, and says who it is.
async fn authorize(
    State((operations, tokens)): State<(Api, Arc<Tokens>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let name = bearer(request.headers()).and_then(|given| tokens.name_of(given));
    let actor = match (name, basic(request.headers())) {
        (Some(name), _) => Ok(Actor::Token(name)),
        (None, Some((id, password))) => {
            // Not the request: it must not be held while this waits.
            let may = is_user_profile(request.uri().path());
            application(&operations, &id, &password, may).await
        }
        (None, None) => Err(ApiError::token()),
    };
    match actor {
        Ok(actor) => request.extensions_mut().insert(actor),
        Err(error) => return error.into_response(),
    };
    let mut response = next.run(request).await;
    // Some answers are secrets.
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An application that proves who it is, and asks for the one thing that applications may.
async fn application(
    operations: &Operations,
    id: &str,
    password: &str,
    may: bool,
) -> Result<Actor, ApiError> {
    let proved = operations.authenticate_application(id, password).await;
    let actor = proved.map_err(|_| ApiError::token())?;
    match may {
        true => Ok(actor),
        false => Err(ApiError::forbidden()),
    }
}

/// The one path that is for applications too.
fn is_user_profile(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        parts.as_slice(),
        ["", "api", "v1", "users", _, "user-profile"]
    )
}

/// Name and password of Basic authentication.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, given) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let octets = BASE64_STANDARD.decode(given.trim()).ok()?;
    let text = String::from_utf8(octets).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// What has begun is done to its end and written to the audit log, even if nobody waits for
/// the answer any more.
async fn whole(request: Request, next: Next) -> Response {
    let answered = tokio::spawn(next.run(request)).await;
    answered.unwrap_or_else(|error| {
        tracing::error!(%error, "an operation of the API broke off");
        let failed = ApiError::internal("the operation broke off");
        (StatusCode::INTERNAL_SERVER_ERROR, failed).into_response()
    })
}
