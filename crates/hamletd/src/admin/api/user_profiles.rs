//! User profiles; the one part of the API that is for applications too.

use super::Api;
use super::body::{Body, Named};
use super::error::{ApiError, BadBody, Forbidden, Missing, Refused};
use crate::operations::Actor;
use axum::extract::State;
use axum::{Extension, Json};
use hamlet_model::user_profile::ServiceStatusChange;
use hamlet_model::{Service, UserProfileChange};
use hamlet_sap::WholeUserProfile;
use hamlet_sap::journal::iso;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a user is subscribed to, allows and prefers, and what his terminals can do.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserProfile {
    /// By name: Common, ContactList, Presence, IM, Group, Content.
    services: BTreeMap<String, Subscription>,
    /// What network services may do with him, by name: Location, UserInteraction,
    /// NetworkPresence, TerminalCapability or a name of the operator's. What is not named is
    /// allowed.
    privacy: BTreeMap<String, bool>,
    /// Whether searches find him.
    findable: bool,
    /// By name, such as language.
    preferences: BTreeMap<String, String>,
    /// His clients as they last negotiated, the newest first.
    terminals: Vec<Terminal>,
}

/// How a user stands to a service.
#[derive(Debug, Serialize, ToSchema)]
pub struct Subscription {
    /// He has it.
    subscribed: bool,
    /// He can use it now.
    active: bool,
}

/// A client as it last negotiated.
#[derive(Debug, Serialize, ToSchema)]
pub struct Terminal {
    /// ClientID, as one text.
    client: String,
    /// When it was.
    #[schema(format = DateTime)]
    seen: String,
    /// Version of CSP.
    version: String,
    /// What the client says that it is.
    user_agent: Option<String>,
    /// ClientType.
    client_type: Option<String>,
    /// DefaultLanguage.
    language: Option<String>,
    /// The content types that it takes; null for any.
    content_types: Option<Vec<String>>,
    /// Largest content that is pushed to it, octets.
    push_length: Option<u32>,
    /// Largest message that it can parse, octets.
    parser_size: Option<u32>,
    /// push or notify.
    delivery: String,
    /// SessionPriority.
    priority: u32,
}

/// Changes of a user profile: what is not named stays, null removes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserProfileUpdate {
    /// By name: Common, ContactList, Presence, IM, Group, Content.
    #[serde(default)]
    services: BTreeMap<String, SubscriptionChange>,
    /// By name.
    #[serde(default)]
    privacy: BTreeMap<String, Option<bool>>,
    /// Whether searches find him.
    findable: Option<bool>,
    /// By name.
    #[serde(default)]
    preferences: BTreeMap<String, Option<String>>,
}

/// What is to become of a subscription.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionChange {
    /// He has it.
    subscribed: Option<bool>,
    /// He can use it now.
    active: Option<bool>,
}

impl From<WholeUserProfile> for UserProfile {
    fn from(whole: WholeUserProfile) -> Self {
        let profile = whole.profile;
        let subscription = |service: &Service| {
            let status = profile.status(*service);
            let subscription = Subscription {
                subscribed: status.subscribed,
                active: status.active,
            };
            (service.name().to_owned(), subscription)
        };
        let services = Service::ALL.iter().map(subscription).collect();
        let terminals = whole.terminals.into_iter();
        let terminals = terminals.map(|(client, seen, can)| Terminal {
            client,
            seen: iso(seen),
            version: can.version,
            user_agent: can.user_agent,
            client_type: can.client_type,
            language: can.language,
            content_types: can.content_types,
            push_length: can.push_length,
            parser_size: can.parser_size,
            delivery: if can.notify { "notify" } else { "push" }.to_owned(),
            priority: can.priority,
        });
        Self {
            services,
            privacy: profile.privacy,
            findable: whole.findable,
            preferences: profile.preferences,
            terminals: terminals.collect(),
        }
    }
}

impl UserProfileUpdate {
    fn parts(self) -> (UserProfileChange, Option<bool>) {
        let services = self.services.into_iter().map(|(name, change)| {
            let change = ServiceStatusChange {
                subscribed: change.subscribed,
                active: change.active,
            };
            (name, change)
        });
        let change = UserProfileChange {
            services: services.collect(),
            privacy: self.privacy,
            preferences: self.preferences,
        };
        (change, self.findable)
    }
}

/// Show what a user is subscribed to, allows and prefers. Also for applications that may.
#[utoipa::path(get, operation_id = "getUserProfile", path = "/users/{user}/user-profile",
    tag = "users", params(("user", description = "Address.")), security(("token" = []), ("application" = [])),
    responses((status = 200, body = UserProfile), Refused, Missing, Forbidden))]
pub async fn show(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
) -> Result<Json<UserProfile>, ApiError> {
    check(&api, &by, &user).await?;
    Ok(Json(api.user_profile(&user).await?.into()))
}

/// Change what a user is subscribed to, allows and prefers; it takes effect in his sessions at
/// once. Also for applications that may.
#[utoipa::path(patch, operation_id = "changeUserProfile", path = "/users/{user}/user-profile",
    tag = "users", params(("user", description = "Address.")), security(("token" = []), ("application" = [])),
    request_body = UserProfileUpdate,
    responses((status = 200, body = UserProfile), Refused, BadBody, Missing, Forbidden))]
pub async fn change(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
    Body(update): Body<UserProfileUpdate>,
) -> Result<Json<UserProfile>, ApiError> {
    check(&api, &by, &user).await?;
    let (change, findable) = update.parts();
    api.change_user_profile(&by, &user, change, findable)
        .await?;
    Ok(Json(api.user_profile(&user).await?.into()))
}

async fn check(api: &Api, by: &Actor, user: &str) -> Result<(), ApiError> {
    match by {
        Actor::Application(id) => Ok(api.may_manage(id, user).await?),
        Actor::Token(_) | Actor::Local(_) => Ok(()),
    }
}
