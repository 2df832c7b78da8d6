//! Messages that wait in other systems (csp-im 7.7): what gateways to those say.

use super::Api;
use super::body::{Body, Named, NamedWithin};
use super::error::{ApiError, BadBody, Contradiction, Forbidden, Missing, Refused};
use crate::control::{OutsideDraft, OutsideEntry};
use crate::operations::Actor;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use hamlet_sap::journal::iso;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// For how many hours it is told of a message that says nothing of it.
const HOURS: u32 = 168;

/// List the messages of other systems that wait for a user.
#[utoipa::path(get, operation_id = "listOutsideMessages", path = "/users/{user}/outside-messages", tag = "outside messages",
    params(("user", description = "Address.")),
    responses((status = 200, body = OutsideMessageList), Refused, Missing))]
pub async fn list(
    State(api): State<Api>,
    Named(user): Named,
) -> Result<Json<OutsideMessageList>, ApiError> {
    let messages = api.outside_messages(&user).await?.into_iter();
    let messages = messages.map(OutsideEntry::from).map(Into::into).collect();
    Ok(Json(OutsideMessageList { messages }))
}

/// Let a user know of a message that waits for him in another system.
#[utoipa::path(post, operation_id = "announceOutsideMessage", path = "/users/{user}/outside-messages", tag = "outside messages",
    params(("user", description = "Address.")), request_body = NewOutsideMessage,
    responses((status = 201, body = OutsideMessageAnnounced), Refused, BadBody, Forbidden, Missing, Contradiction))]
pub async fn announce(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(user): Named,
    Body(new): Body<NewOutsideMessage>,
) -> Result<(StatusCode, Json<OutsideMessageAnnounced>), ApiError> {
    let (id, new) = api.announce(&by, &user, new.into()).await?;
    let announced = OutsideMessageAnnounced {
        id: id.to_string(),
        new,
    };
    Ok((StatusCode::CREATED, Json(announced)))
}

/// Tell the user of a message no more.
#[utoipa::path(delete, operation_id = "withdrawOutsideMessage", path = "/users/{user}/outside-messages/{id}", tag = "outside messages",
    params(("user", description = "Address."), ("id", description = "Its MessageID.")),
    responses((status = 204), Refused, Missing))]
pub async fn withdraw(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    NamedWithin(user, id): NamedWithin,
) -> Result<StatusCode, ApiError> {
    api.withdraw_outside(&by, &user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A message that waits in another system.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOutsideMessage {
    /// How the gateway names it: announced again under this name it is the same message. 1 to 40
    /// letters, digits, `-`, `.` and `_`.
    #[schema(example = "mail-4711")]
    id: Option<String>,
    /// Address of the sender, as one of IMPS.
    #[schema(example = "wv:anna@mail.example.org")]
    sender: String,
    /// Where the user finds it.
    #[schema(example = "https://mail.example.org/m/4711")]
    uri: String,
    /// Its MIME type.
    #[schema(example = "message/rfc822")]
    content_type: Option<String>,
    /// Its size, octets.
    #[serde(default)]
    size: u32,
    /// Its subject, or the name of its file.
    name: Option<String>,
    /// For how many hours it is worth telling of it.
    #[schema(minimum = 1, default = 168)]
    hours: Option<u32>,
}

impl From<NewOutsideMessage> for OutsideDraft {
    fn from(new: NewOutsideMessage) -> Self {
        Self {
            id: new.id,
            sender: new.sender,
            uri: new.uri,
            content_type: new.content_type,
            size: new.size,
            name: new.name,
            hours: new.hours.unwrap_or(HOURS),
        }
    }
}

/// That a message is announced.
#[derive(Serialize, ToSchema)]
pub struct OutsideMessageAnnounced {
    /// Its MessageID.
    id: String,
    /// It was not announced before.
    new: bool,
}

/// A message that waits in another system.
#[derive(Serialize, ToSchema)]
pub struct OutsideMessage {
    /// Its MessageID.
    id: String,
    /// Address of the sender.
    sender: String,
    /// Where the user finds it.
    uri: String,
    /// Its MIME type.
    content_type: String,
    /// Its size, octets.
    size: u64,
    /// Its subject, or the name of its file.
    name: Option<String>,
    /// From when the user is not told of it any more.
    #[schema(format = DateTime)]
    expires: String,
}

impl From<OutsideEntry> for OutsideMessage {
    fn from(entry: OutsideEntry) -> Self {
        Self {
            id: entry.id,
            sender: entry.sender,
            uri: entry.uri,
            content_type: entry.content_type,
            size: entry.size,
            name: entry.name,
            expires: iso(entry.expires),
        }
    }
}

/// All of them, oldest first.
#[derive(Serialize, ToSchema)]
pub struct OutsideMessageList {
    messages: Vec<OutsideMessage>,
}
