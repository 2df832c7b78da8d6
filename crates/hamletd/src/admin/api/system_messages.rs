//! System messages (csp-access 12).

use super::Api;
use super::body::{Body, Named, PageQuery};
use super::error::{ApiError, BadBody, Missing, Refused};
use crate::control::{SystemMessageDraft, SystemMessageTo};
use crate::operations::{Actor, Page};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use hamlet_elements::system_message::Overview;
use hamlet_sap::journal::iso;
use hamlet_store::SystemMessageUser;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// For how many days a message is good that says nothing of it.
const DAYS: u32 = 30;

/// List the messages.
#[utoipa::path(get, operation_id = "listSystemMessages", path = "/system-messages", tag = "system messages", params(PageQuery),
    responses((status = 200, body = SystemMessageList), Refused))]
pub async fn list(
    State(api): State<Api>,
    page: PageQuery,
) -> Result<Json<SystemMessageList>, ApiError> {
    let after = page.after.as_deref().map_or(Ok(0), number)?;
    let messages = api.system_messages(after, page.limit()).await?;
    Ok(Json(messages.into()))
}

/// Send a message.
#[utoipa::path(post, operation_id = "sendSystemMessage", path = "/system-messages", tag = "system messages", request_body = NewSystemMessage,
    responses((status = 201, body = SystemMessageSent), Refused, BadBody, Missing))]
pub async fn send(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Body(new): Body<NewSystemMessage>,
) -> Result<(StatusCode, Json<SystemMessageSent>), ApiError> {
    let (draft, to) = new.into();
    let (number, users) = api.send_system_message(&by, draft, to).await?;
    Ok((
        StatusCode::CREATED,
        Json(SystemMessageSent { number, users }),
    ))
}

/// Show a message with its users.
#[utoipa::path(get, operation_id = "getSystemMessage", path = "/system-messages/{number}", tag = "system messages",
    params(("number" = i64, Path, description = "Its number."), PageQuery),
    responses((status = 200, body = SystemMessageDetails), Refused, Missing))]
pub async fn show(
    State(api): State<Api>,
    Named(named): Named,
    page: PageQuery,
) -> Result<Json<SystemMessageDetails>, ApiError> {
    let number = number(&named)?;
    let shown = api.system_message(number, page.after.as_deref(), page.limit());
    let (message, more) = shown.await?;
    Ok(Json(SystemMessageDetails::new(message, more)))
}

/// Send a message to more users.
#[utoipa::path(post, operation_id = "addSystemMessageUsers", path = "/system-messages/{number}/users", tag = "system messages", request_body = MoreUsers,
    params(("number" = i64, Path, description = "Its number.")),
    responses((status = 200, body = SystemMessageSent), Refused, BadBody, Missing))]
pub async fn add_users(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(named): Named,
    Body(more): Body<MoreUsers>,
) -> Result<Json<SystemMessageSent>, ApiError> {
    let number = number(&named)?;
    let count = api.add_to_system_message(&by, number, &more.users).await?;
    let users = Some(count);
    Ok(Json(SystemMessageSent { number, users }))
}

/// Cancel a message.
#[utoipa::path(delete, operation_id = "cancelSystemMessage", path = "/system-messages/{number}", tag = "system messages",
    params(("number" = i64, Path, description = "Its number.")),
    responses((status = 204), Refused, Missing))]
pub async fn cancel(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(named): Named,
) -> Result<StatusCode, ApiError> {
    api.cancel_system_message(&by, number(&named)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn number(text: &str) -> Result<i64, ApiError> {
    let no_number =
        |_| ApiError::invalid(format!("`{text}` is not the number of a system message"));
    text.parse().map_err(no_number)
}

/// A message to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSystemMessage {
    /// What it says.
    #[schema(example = "The server is away from two to four.")]
    text: String,
    /// What can be chosen; numbered from 1.
    #[serde(default)]
    options: Vec<String>,
    /// What can be chosen to be kept out; numbered after the others.
    #[serde(default)]
    refusals: Vec<String>,
    /// A question with only one right answer.
    question: Option<String>,
    /// The address of a picture that shows the right answer.
    picture: Option<String>,
    /// The right answer.
    key: Option<String>,
    /// Who gets it has to answer.
    #[serde(default)]
    must_answer: bool,
    /// It comes with the login; who has to answer does not get in before.
    #[serde(default)]
    at_login: bool,
    /// Clients that know no system messages get it as a message from this user.
    message_from: Option<String>,
    /// For how many days it is good.
    #[schema(minimum = 1, default = 30)]
    days: Option<u32>,
    /// For whom it is.
    to: Recipients,
}

/// For whom a message is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Recipients {
    /// All users, also those who register later.
    Everyone,
    /// All users who have a session.
    Online,
    /// These addresses.
    Users(Vec<String>),
}

impl From<NewSystemMessage> for (SystemMessageDraft, SystemMessageTo) {
    fn from(new: NewSystemMessage) -> Self {
        let draft = SystemMessageDraft {
            text: new.text,
            options: new.options,
            refusals: new.refusals,
            question: new.question,
            picture: new.picture,
            key: new.key,
            must_answer: new.must_answer,
            at_login: new.at_login,
            message_from: new.message_from,
            days: new.days.unwrap_or(DAYS),
        };
        let to = match new.to {
            Recipients::Everyone => SystemMessageTo::Everyone,
            Recipients::Online => SystemMessageTo::Online,
            Recipients::Users(users) => SystemMessageTo::Users(users),
        };
        (draft, to)
    }
}

/// Users who get a message, too.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoreUsers {
    /// Addresses.
    users: Vec<String>,
}

/// That a message is sent.
#[derive(Serialize, ToSchema)]
pub struct SystemMessageSent {
    /// Its number.
    number: i64,
    /// To how many users; null for everyone.
    users: Option<usize>,
}

/// A message.
#[derive(Serialize, ToSchema)]
pub struct SystemMessage {
    /// Its number.
    number: i64,
    /// What it says.
    text: String,
    /// What can be chosen; numbered from 1.
    options: Vec<String>,
    /// It is for all users.
    everyone: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    created: String,
    /// From when nobody gets it any more.
    #[schema(format = DateTime)]
    expires: String,
    /// How many users are `waiting` for it, have been `shown` it and owe an answer, have
    /// `answered`, or have got it (`delivered`) and owe none.
    states: BTreeMap<String, usize>,
}

impl From<Overview> for SystemMessage {
    fn from(found: Overview) -> Self {
        let options = found.message.options.into_iter();
        let states = found.states.into_iter();
        Self {
            number: found.number,
            text: found.message.text,
            options: options.map(|option| option.text).collect(),
            everyone: found.everyone,
            created: iso(found.created),
            expires: iso(found.expires),
            states: states
                .map(|(state, count)| (state.name().to_owned(), count))
                .collect(),
        }
    }
}

/// Some messages, in the order of their numbers.
#[derive(Serialize, ToSchema)]
pub struct SystemMessageList {
    messages: Vec<SystemMessage>,
    /// Where the next page begins; null after the last one.
    next: Option<String>,
}

impl From<Page<Overview>> for SystemMessageList {
    fn from(page: Page<Overview>) -> Self {
        let last = page.entries.last().filter(|_| page.more);
        Self {
            next: last.map(|message| message.number.to_string()),
            messages: page.entries.into_iter().map(Into::into).collect(),
        }
    }
}

/// A message with some of its users, in the order of their addresses.
#[derive(Serialize, ToSchema)]
pub struct SystemMessageDetails {
    message: SystemMessage,
    users: Vec<UserState>,
    /// Where the next page of users begins; null after the last one.
    next: Option<String>,
}

impl SystemMessageDetails {
    fn new(mut found: Overview, more: bool) -> Self {
        let users = std::mem::take(&mut found.users);
        let last = users.last().filter(|_| more);
        Self {
            next: last.map(|user| user.user.to_string()),
            users: users.into_iter().map(Into::into).collect(),
            message: found.into(),
        }
    }
}

/// What has become of a message for one user.
#[derive(Serialize, ToSchema)]
pub struct UserState {
    /// Address.
    #[schema(example = "wv:alice@example.org")]
    user: String,
    /// `waiting`, `shown`, `answered` or `delivered`.
    state: &'static str,
    /// The number of the option that he has chosen.
    choice: Option<u32>,
    /// Since when it is so.
    #[schema(format = DateTime)]
    changed: String,
}

impl From<SystemMessageUser> for UserState {
    fn from(user: SystemMessageUser) -> Self {
        Self {
            user: user.user.to_string(),
            state: user.state.name(),
            choice: user.choice,
            changed: iso(user.changed),
        }
    }
}
