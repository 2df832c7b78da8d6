//! What the Group element is asked, answers and tells (csp-group 5, 8).

use crate::service::Outcome;
use hamlet_model::{
    Content, GroupId, GroupProperty, OwnProperty, Role, ScreenName, StatusCode, UserId,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Limits of groups.
#[derive(Debug, Clone)]
pub struct GroupConfig {
    /// Most groups that one user owns (814).
    pub max_owned: usize,
    /// Most groups that one client may be joined in (814).
    pub max_joined: usize,
    /// Most groups of the server (815).
    pub max_groups: usize,
    /// Most clients joined in one group (817), and what MaxActiveUsers may be at most.
    pub max_active_users: u32,
    /// Most members of a group, and most users on its reject list (816).
    pub max_members: usize,
    /// Most users in one request (402).
    pub max_users: usize,
    /// Longest value of a property, characters (806).
    pub max_property: usize,
    /// Longest welcome note, octets (806).
    pub max_welcome_note: usize,
    /// How long a request waits for another domain (csp-group 4); then 504.
    pub foreign_wait: Duration,
    /// How long what another domain has to know of a group is worth sending.
    pub foreign_life: Duration,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self {
            max_owned: 100,
            max_joined: 100,
            max_groups: 100_000,
            max_active_users: 10_000,
            max_members: 10_000,
            max_users: 1000,
            max_property: 255,
            max_welcome_note: 8 << 10,
            foreign_wait: Duration::from_secs(15),
            foreign_life: Duration::from_secs(7 * 86_400),
        }
    }
}

/// Properties as a client gives them: names and values are not looked at yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenProperties {
    /// Name and value; a missing value is an empty one.
    pub properties: Vec<(String, String)>,
    /// Only of a group: its welcome note. Empty content removes it.
    pub welcome_note: Option<Content>,
}

/// Users as a client names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUsers {
    /// By their addresses.
    pub users: Vec<UserId>,
    /// By their names in the group.
    pub screen_names: Vec<String>,
    /// What is no address, as it was given; each is an unknown user.
    pub malformed: Vec<String>,
}

/// csp-group 5.1. Answered with [`Response::Done`](crate::Response::Done).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateGroup {
    /// The address that the client has chosen. Who maps answers 806 for one that is none.
    pub group: GroupId,
    /// Its properties.
    pub properties: GivenProperties,
    /// Those of the creator (1.3).
    pub own: GivenProperties,
    /// The creator joins at once.
    pub join: bool,
    /// Under this name.
    pub screen_name: Option<String>,
    /// He wants notices.
    pub subscribe: bool,
}

/// csp-group 5.2. Answered with [`Response::Done`](crate::Response::Done).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteGroup {
    /// The group.
    pub group: GroupId,
}

/// csp-group 5.3. Answered with [`Response::GroupJoined`](crate::Response::GroupJoined).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinGroup {
    /// The group.
    pub group: GroupId,
    /// Under this name; `None` for what the server finds.
    pub screen_name: Option<String>,
    /// Tell who is there.
    pub list_joined: bool,
    /// Tell what changes.
    pub subscribe: bool,
    /// Own properties to set (1.2).
    pub own: GivenProperties,
}

/// csp-group 5.4. Answered with [`Response::Done`](crate::Response::Done): the code of
/// LeaveGroup-Response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaveGroup {
    /// The group.
    pub group: GroupId,
}

/// csp-group 5.5. Answered with [`Response::JoinedUsers`](crate::Response::JoinedUsers).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetJoinedUsers {
    /// The group.
    pub group: GroupId,
}

/// csp-group 5.6. Answered with [`Response::GroupMembers`](crate::Response::GroupMembers).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetGroupMembers {
    /// The group.
    pub group: GroupId,
}

/// csp-group 5.7. Answered with [`Response::Done`](crate::Response::Done).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddGroupMembers {
    /// The group.
    pub group: GroupId,
    /// Who becomes a member.
    pub users: GivenUsers,
}

/// csp-group 5.7. Answered with [`Response::Done`](crate::Response::Done).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoveGroupMembers {
    /// The group.
    pub group: GroupId,
    /// Who is no member any more.
    pub users: GivenUsers,
}

/// csp-group 5.8. Answered with [`Response::Done`](crate::Response::Done).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberAccess {
    /// The group.
    pub group: GroupId,
    /// Who becomes administrator.
    pub admins: GivenUsers,
    /// Who becomes moderator.
    pub moderators: GivenUsers,
    /// Who becomes an ordinary user.
    pub users: GivenUsers,
}

/// csp-group 5.9. Answered with [`Response::GroupProps`](crate::Response::GroupProps).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GetGroupProps {
    /// The group.
    pub group: GroupId,
}

/// csp-group 5.10. Answered with [`Response::Done`](crate::Response::Done).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetGroupProps {
    /// The group.
    pub group: GroupId,
    /// Common properties, if any are to change.
    pub properties: Option<GivenProperties>,
    /// Own properties, if any are to change.
    pub own: Option<GivenProperties>,
}

/// csp-group 5.11; without lists a question. Answered with
/// [`Response::RejectList`](crate::Response::RejectList), or with
/// [`Response::Done`](crate::Response::Done) and details when some could not be added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RejectList {
    /// The group.
    pub group: GroupId,
    /// Who may not join any more.
    pub add: GivenUsers,
    /// Who may again.
    pub remove: GivenUsers,
}

/// What is wanted of the subscription to notices (SubscribeType).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubscribeType {
    /// G: is it on?
    Get,
    /// S: on.
    Set,
    /// U: off.
    Unset,
}

/// csp-group 5.12. Answered with [`Response::GroupNotices`](crate::Response::GroupNotices) to
/// [`SubscribeType::Get`], else with [`Response::Done`](crate::Response::Done).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscribeGroupNotice {
    /// The group.
    pub group: GroupId,
    /// What is wanted; who maps answers 402 for anything else.
    pub kind: SubscribeType,
}

/// csp-group 8. Answered with
/// [`Response::ConversationExtended`](crate::Response::ConversationExtended).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtendConversation {
    /// The client's name for the conversation.
    pub id: String,
    /// With whom he talks now.
    pub partner: Option<UserId>,
    /// Who else shall come.
    pub users: GivenUsers,
    /// He wants notices.
    pub subscribe: bool,
    /// Shown to who joins.
    pub welcome_note: Option<Content>,
    /// His name in the group.
    pub screen_name: Option<String>,
}

/// Somebody who is joined, as another may see him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedUser {
    /// His name.
    pub name: ScreenName,
    /// Who that is, where he shows it or the other may know.
    pub user: Option<UserId>,
    /// His role.
    pub role: Role,
}

/// Answer to JoinGroup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    /// The name that the user has got.
    pub screen_name: ScreenName,
    /// Who is there, with the user himself, if he asked.
    pub users: Option<Vec<JoinedUser>>,
    /// The welcome note.
    pub welcome_note: Option<Content>,
}

/// Answer to GetJoinedUsers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinedUsers {
    /// The requestor may see roles: AdminMapList, else UserMapList.
    pub by_role: bool,
    /// Who is there.
    pub users: Vec<JoinedUser>,
    /// Those of them whom the requestor blocks (1.3).
    pub blocked: Vec<ScreenName>,
}

/// Answer to GetGroupMembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMembers {
    /// Administrators.
    pub admins: Vec<UserId>,
    /// Moderators.
    pub moderators: Vec<UserId>,
    /// All other members.
    pub users: Vec<UserId>,
}

/// Common properties as they are told: those of them that a version lacks are left out by
/// who writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownProperties {
    /// Name and value.
    pub properties: Vec<(GroupProperty, String)>,
    /// The welcome note.
    pub welcome_note: Option<Content>,
}

/// Own properties as they are told.
pub type ShownOwnProperties = Vec<(OwnProperty, String)>;

/// Answer to GetGroupProps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupProps {
    /// Common properties.
    pub common: ShownProperties,
    /// Own properties.
    pub own: ShownOwnProperties,
}

/// Answer to ExtendConversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extended {
    /// The client's name for the conversation.
    pub id: String,
    /// The group that it has become.
    pub group: GroupId,
    /// Who could not be invited.
    pub outcome: Outcome,
}

/// What has changed in a group, for somebody who is joined in it (csp-group 5.13). Several
/// that wait for one session become one by [`GroupChange::absorb`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupChange {
    /// Who came.
    pub joined: Vec<JoinedUser>,
    /// Who went.
    pub left: Vec<ScreenName>,
    /// Those of who came whom the receiver blocks; they are in `joined` as well (1.3).
    pub joined_blocked: Vec<ScreenName>,
    /// Those of who went whom the receiver blocks; they are in `left` as well (1.3).
    pub left_blocked: Vec<ScreenName>,
    /// Common properties with their new values.
    pub properties: ShownProperties,
    /// The receiver's own properties that others have changed.
    pub own: ShownOwnProperties,
}

impl GroupChange {
    /// Takes in a later change: what the receiver then reads is how it is after both.
    pub fn absorb(&mut self, later: &Self) {
        for name in &later.left {
            self.joined.retain(|user| user.name != *name);
            self.joined_blocked.retain(|known| known != name);
            if !self.left.contains(name) {
                self.left.push(name.clone());
            }
        }
        for user in &later.joined {
            self.left.retain(|name| *name != user.name);
            self.left_blocked.retain(|name| *name != user.name);
            self.joined.retain(|known| known.name != user.name);
            self.joined.push(user.clone());
        }
        let more = later.joined_blocked.iter().cloned();
        self.joined_blocked.extend(more);
        let more = later.left_blocked.iter().cloned();
        self.left_blocked.extend(more);
        for (name, value) in &later.properties.properties {
            let properties = &mut self.properties.properties;
            properties.retain(|(known, _)| known != name);
            properties.push((*name, value.clone()));
        }
        if later.properties.welcome_note.is_some() {
            self.properties.welcome_note = later.properties.welcome_note.clone();
        }
        for (name, value) in &later.own {
            self.own.retain(|(known, _)| known != name);
            self.own.push((*name, value.clone()));
        }
    }

    /// Nothing has changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What has changed in a group of the domain that says so, for users of this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForeignGroupNotice {
    /// The group.
    pub group: GroupId,
    /// Who shall hear of it.
    pub users: Vec<UserId>,
    /// What.
    pub change: GroupChange,
}

/// Users of this domain are not joined any more in a group of the domain that says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForeignGroupLeave {
    /// The group.
    pub group: GroupId,
    /// Who.
    pub users: Vec<UserId>,
    /// Why (csp-group 5.4).
    pub code: StatusCode,
}

/// A group as the operator sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupOverview {
    /// The group.
    pub group: GroupId,
    /// Its owner; none for a public one.
    pub owner: Option<UserId>,
    /// All its common properties.
    pub properties: ShownProperties,
    /// How many are members.
    pub members: usize,
    /// How many clients are joined.
    pub joined: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ScreenName {
        ScreenName::new(text).unwrap()
    }

    fn joined(text: &str) -> GroupChange {
        GroupChange {
            joined: vec![JoinedUser {
                name: name(text),
                user: None,
                role: Role::User,
            }],
            ..GroupChange::default()
        }
    }

    fn left(text: &str) -> GroupChange {
        GroupChange {
            left: vec![name(text)],
            ..GroupChange::default()
        }
    }

    #[test]
    fn several_changes_become_one_that_says_how_it_is_now() {
        // csp-group 5.13: a slow member reads the last state, not the way there.
        let mut change = joined("a");
        change.absorb(&joined("b"));
        change.absorb(&left("A"));
        assert_eq!(change.joined.len(), 1);
        assert_eq!(change.joined[0].name, name("b"));
        assert_eq!(change.left, [name("a")]);
        change.absorb(&joined("a"));
        assert_eq!(change.left, []);
        assert_eq!(change.joined.len(), 2);
        let topic = |value: &str| GroupChange {
            properties: ShownProperties {
                properties: vec![(GroupProperty::Topic, value.into())],
                welcome_note: None,
            },
            ..GroupChange::default()
        };
        change.absorb(&topic("x"));
        change.absorb(&topic("y"));
        let properties = [(GroupProperty::Topic, "y".to_owned())];
        assert_eq!(change.properties.properties, properties);
        assert!(!change.is_empty());
    }
}
