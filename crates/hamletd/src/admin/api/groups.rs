//! Groups (csp-group).

use super::Api;
use super::body::{Body, Named, NamedWithin, PageQuery};
use super::error::{ApiError, BadBody, Contradiction, Missing, Refused};
use crate::operations::{Actor, Page};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use hamlet_elements::group::{GroupMembers, GroupOverview};
use hamlet_model::{GroupProperty, Role, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// List the groups, public and private.
#[utoipa::path(get, operation_id = "listGroups", path = "/groups", tag = "groups", params(PageQuery),
    responses((status = 200, body = GroupList), Refused))]
pub async fn list(State(api): State<Api>, page: PageQuery) -> Result<Json<GroupList>, ApiError> {
    let groups = api.groups(page.after.as_deref(), page.limit()).await?;
    Ok(Json(groups.into()))
}

/// Make a public group.
#[utoipa::path(post, operation_id = "addGroup", path = "/groups", tag = "groups", request_body = NewGroup,
    responses((status = 201, body = GroupDetails), Refused, BadBody, Missing, Contradiction))]
pub async fn add(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Body(new): Body<NewGroup>,
) -> Result<(StatusCode, Json<GroupDetails>), ApiError> {
    let properties = given(new.properties, new.welcome_note);
    api.create_group(&by, &new.group, properties, &new.admins)
        .await?;
    let group = api.group(&new.group).await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}

/// Show a group with its members.
#[utoipa::path(get, operation_id = "getGroup", path = "/groups/{group}", tag = "groups",
    params(("group", description = "Address.")),
    responses((status = 200, body = GroupDetails), Refused, Missing))]
pub async fn show(
    State(api): State<Api>,
    Named(group): Named,
) -> Result<Json<GroupDetails>, ApiError> {
    Ok(Json(api.group(&group).await?.into()))
}

/// Change properties of a group; who is joined is told.
#[utoipa::path(patch, operation_id = "changeGroup", path = "/groups/{group}", tag = "groups",
    params(("group", description = "Address.")), request_body = GroupChange,
    responses((status = 200, body = GroupDetails), Refused, BadBody, Missing))]
pub async fn change(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(group): Named,
    Body(change): Body<GroupChange>,
) -> Result<Json<GroupDetails>, ApiError> {
    let properties = given(change.properties, change.welcome_note);
    api.set_group(&by, &group, properties).await?;
    Ok(Json(api.group(&group).await?.into()))
}

/// Delete a group; who is joined is told.
#[utoipa::path(delete, operation_id = "deleteGroup", path = "/groups/{group}", tag = "groups",
    params(("group", description = "Address.")), responses((status = 204), Refused, Missing))]
pub async fn delete(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(group): Named,
) -> Result<StatusCode, ApiError> {
    api.delete_group(&by, &group).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a user a member of a group, or give him another role.
#[utoipa::path(put, operation_id = "setGroupMember", path = "/groups/{group}/members/{user}", tag = "groups",
    params(("group", description = "Address."), ("user", description = "Address of the user.")),
    request_body = GroupMember, responses((status = 204), Refused, BadBody, Missing))]
pub async fn set_member(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    NamedWithin(group, user): NamedWithin,
    Body(member): Body<GroupMember>,
) -> Result<StatusCode, ApiError> {
    let role = Some(member.role.into());
    api.set_group_member(&by, &group, &user, role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a user no member of a group any more; in the name of its owner or an administrator.
#[utoipa::path(delete, operation_id = "removeGroupMember", path = "/groups/{group}/members/{user}", tag = "groups",
    params(("group", description = "Address."), ("user", description = "Address of the user.")),
    responses((status = 204), Refused, Missing, Contradiction))]
pub async fn remove_member(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    NamedWithin(group, user): NamedWithin,
) -> Result<StatusCode, ApiError> {
    api.set_group_member(&by, &group, &user, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the users whom a group keeps out.
#[utoipa::path(get, operation_id = "listGroupRejects", path = "/groups/{group}/rejects", tag = "groups",
    params(("group", description = "Address.")),
    responses((status = 200, body = GroupRejects), Refused, Missing))]
pub async fn rejects(
    State(api): State<Api>,
    Named(group): Named,
) -> Result<Json<GroupRejects>, ApiError> {
    let users = texts(&api.group_rejects(&group).await?);
    Ok(Json(GroupRejects { users }))
}

/// Keep a user out of a group, who is put out if he is joined; in the name of its owner or an
/// administrator.
#[utoipa::path(put, operation_id = "rejectFromGroup", path = "/groups/{group}/rejects/{user}", tag = "groups",
    params(("group", description = "Address."), ("user", description = "Address of the user.")),
    responses((status = 204), Refused, Missing, Contradiction))]
pub async fn reject(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    NamedWithin(group, user): NamedWithin,
) -> Result<StatusCode, ApiError> {
    api.reject_from_group(&by, &group, &user, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a user into a group again; in the name of its owner or an administrator.
#[utoipa::path(delete, operation_id = "readmitToGroup", path = "/groups/{group}/rejects/{user}", tag = "groups",
    params(("group", description = "Address."), ("user", description = "Address of the user.")),
    responses((status = 204), Refused, Missing, Contradiction))]
pub async fn readmit(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    NamedWithin(group, user): NamedWithin,
) -> Result<StatusCode, ApiError> {
    api.reject_from_group(&by, &group, &user, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say something in the name of a group to everybody who is joined.
#[utoipa::path(post, operation_id = "announceInGroup", path = "/groups/{group}/announcements", tag = "groups",
    params(("group", description = "Address.")), request_body = GroupAnnouncement,
    responses((status = 201, body = GroupAnnounced), Refused, BadBody, Missing))]
pub async fn announce(
    State(api): State<Api>,
    Extension(by): Extension<Actor>,
    Named(group): Named,
    Body(said): Body<GroupAnnouncement>,
) -> Result<(StatusCode, Json<GroupAnnounced>), ApiError> {
    let (_, id) = api.announce_in_group(&by, &group, said.text).await?;
    let message = id.to_string();
    Ok((StatusCode::CREATED, Json(GroupAnnounced { message })))
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
pub struct Group {
    /// Address.
    #[schema(example = "wv:/skiing@example.org")]
    group: String,
    /// Address of its owner; null for a public one.
    owner: Option<String>,
    /// The name that is shown.
    name: Option<String>,
    /// How many are members.
    members: usize,
    /// How many clients are joined.
    joined: usize,
}

impl From<GroupOverview> for Group {
    fn from(group: GroupOverview) -> Self {
        let mut properties = group.properties.properties.into_iter();
        let name = properties.find(|(name, _)| *name == GroupProperty::Name);
        Self {
            group: group.group.to_string(),
            owner: group.owner.map(|owner| owner.to_string()),
            name: name.map(|(_, value)| value),
            members: group.members,
            joined: group.joined,
        }
    }
}

/// Some groups, in the order of their addresses.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupList {
    groups: Vec<Group>,
    /// Where the next page begins; null after the last one.
    next: Option<String>,
}

impl From<Page<GroupOverview>> for GroupList {
    fn from(page: Page<GroupOverview>) -> Self {
        let last = page.entries.last().filter(|_| page.more);
        Self {
            next: last.map(|last| last.group.to_string()),
            groups: page.entries.into_iter().map(Into::into).collect(),
        }
    }
}

/// A group with its properties and members.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupDetails {
    /// Address.
    #[schema(example = "wv:/skiing@example.org")]
    group: String,
    /// Address of its owner; null for a public one.
    owner: Option<String>,
    /// By the names of CSP.
    #[schema(example = json!({"Name": "Skiing", "Topic": "Snow", "AccessType": "Open"}))]
    properties: BTreeMap<&'static str, String>,
    /// Shown to who joins.
    welcome_note: Option<String>,
    /// Addresses of its administrators.
    admins: Vec<String>,
    /// Addresses of its moderators.
    moderators: Vec<String>,
    /// Addresses of its other members.
    users: Vec<String>,
    /// How many clients are joined.
    joined: usize,
}

impl From<(GroupOverview, GroupMembers)> for GroupDetails {
    fn from((group, members): (GroupOverview, GroupMembers)) -> Self {
        let properties = group.properties.properties.into_iter();
        Self {
            group: group.group.to_string(),
            owner: group.owner.map(|owner| owner.to_string()),
            properties: properties
                .map(|(name, value)| (name.as_str(), value))
                .collect(),
            welcome_note: group.properties.welcome_note.map(|note| note.data),
            admins: texts(&members.admins),
            moderators: texts(&members.moderators),
            users: texts(&members.users),
            joined: group.joined,
        }
    }
}

/// A public group to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// Address; the domain may be left out.
    #[schema(example = "wv:/skiing@example.org")]
    group: String,
    /// By the names of CSP; what is not named is as CSP says.
    #[serde(default)]
    #[schema(example = json!({"Name": "Skiing", "Topic": "Snow", "Searchable": "T"}))]
    properties: BTreeMap<String, String>,
    /// Shown to who joins.
    welcome_note: Option<String>,
    /// Addresses of its administrators.
    #[serde(default)]
    admins: Vec<String>,
}

/// Changes of a group: what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupChange {
    /// By the names of CSP.
    #[serde(default)]
    #[schema(example = json!({"AccessType": "Restricted"}))]
    properties: BTreeMap<String, String>,
    /// Shown to who joins.
    welcome_note: Option<String>,
}

fn given(
    properties: BTreeMap<String, String>,
    welcome_note: Option<String>,
) -> Vec<(String, String)> {
    let note = welcome_note.map(|text| ("WelcomeNote".to_owned(), text));
    properties.into_iter().chain(note).collect()
}

/// A member of a group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMember {
    /// What he may.
    role: GroupRole,
}

/// A role in a group.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GroupRole {
    /// Administrator.
    Admin,
    /// Moderator.
    Moderator,
    /// Ordinary member.
    User,
}

impl From<GroupRole> for Role {
    fn from(role: GroupRole) -> Self {
        match role {
            GroupRole::Admin => Self::Admin,
            GroupRole::Moderator => Self::Moderator,
            GroupRole::User => Self::User,
        }
    }
}

/// Users whom a group keeps out.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupRejects {
    /// Addresses.
    users: Vec<String>,
}

/// What is to be said in the name of a group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupAnnouncement {
    /// The text.
    #[schema(example = "The lifts close at four.")]
    text: String,
}

/// That something was said.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupAnnounced {
    /// MessageID.
    message: String,
}

fn texts(users: &[UserId]) -> Vec<String> {
    users.iter().map(ToString::to_string).collect()
}
