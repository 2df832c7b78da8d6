//! Groups, and sharing content by invitation (csp-group 5, 7; csp-access 10).

use crate::client::{Client, unexpected};
use crate::error::Error;
use crate::im::Recipients;
use crate::refusal::Refusal;
use hamlet_csp::elements::{
    CreateGroupRequest, DeleteGroupRequest, GetGroupMembersRequest, GroupProperties, InviteRequest,
    InviteType, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, Property, ScreenName,
    SearchElement, SearchPair, SearchPairList, SearchRequest, URLList, UserList,
};
use hamlet_csp::{Primitive, Text, Version};
use std::time::Duration;

/// What joining a group brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JoinedGroup {
    /// The name that the server assigned, where it says so (1.3).
    pub screen_name: Option<String>,
    /// The names of those who are there.
    pub present: Vec<String>,
    /// The welcome note, if it is a text.
    pub welcome_note: Option<String>,
}

/// The members of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupMembers {
    /// Administrators.
    pub admins: Vec<String>,
    /// Moderators.
    pub moderators: Vec<String>,
    /// All others.
    pub users: Vec<String>,
}

impl Client {
    /// Makes a group with these properties, without joining it (csp-group 5.1).
    pub async fn create_group(
        &mut self,
        group: &str,
        properties: Vec<(String, String)>,
    ) -> Result<Refusal, Error> {
        let property = properties.into_iter().map(|(name, value)| Property {
            name: Some(name.into()),
            value: Some(value.into()),
        });
        self.ask_status(CreateGroupRequest {
            group_id: Some(Text::new(group)),
            group_properties: Some(GroupProperties {
                property: property.collect(),
                welcome_note: None,
            }),
            join_group: Some(false),
            subscribe_notification: Some(false),
            ..CreateGroupRequest::default()
        })
        .await
    }

    /// Deletes a group (csp-group 5.2).
    pub async fn delete_group(&mut self, group: &str) -> Result<(), Error> {
        let request = DeleteGroupRequest {
            group_id: Some(Text::new(group)),
        };
        self.ask_status(request).await.map(drop)
    }

    /// Joins a group, with notices of who comes and goes (csp-group 5.3). It lasts as long as
    /// the session.
    pub async fn join_group(
        &mut self,
        group: &str,
        name: Option<&str>,
    ) -> Result<JoinedGroup, Error> {
        let request = JoinGroupRequest {
            group_id: Some(Text::new(group)),
            screen_name: name.map(|name| ScreenName {
                sname: Some(Text::new(name)),
                group_id: Some(Text::new(group)),
            }),
            joined_request: Some(true),
            subscribe_notification: Some(true),
            own_properties: None,
        };
        match self.ask(request).await? {
            Primitive::JoinGroupResponse(response) => Ok(joined(*response)),
            other => Err(unexpected(&other)),
        }
    }

    /// Leaves a group (csp-group 5.4).
    pub async fn leave_group(&mut self, group: &str) -> Result<(), Error> {
        let request = LeaveGroupRequest {
            group_id: Some(Text::new(group)),
        };
        match self.ask(request).await? {
            Primitive::LeaveGroupResponse(response) => {
                let result = Refusal::from(response.result);
                match result.code.is_success() {
                    true => Ok(()),
                    false => Err(Error::Refused(result)),
                }
            }
            other => Err(unexpected(&other)),
        }
    }

    /// The members of a group, for those who may see them (csp-group 5.6).
    pub async fn group_members(&mut self, group: &str) -> Result<GroupMembers, Error> {
        let request = GetGroupMembersRequest {
            group_id: Some(Text::new(group)),
        };
        match self.ask(request).await? {
            Primitive::GetGroupMembersResponse(response) => {
                let ordinary = response.users.and_then(|users| users.user_list);
                Ok(GroupMembers {
                    admins: ids(response.admin.and_then(|admin| admin.user_list)),
                    moderators: ids(response.mod_.and_then(|moderator| moderator.user_list)),
                    users: ids(response.user_list.or(ordinary)),
                })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// The addresses of the user's own groups, at most 50 (csp-group 9).
    pub async fn own_groups(&mut self) -> Result<Vec<String>, Error> {
        let pair = SearchPair {
            search_element: Some(SearchElement::parse("GROUP_USER_ID_OWNER".into())),
            search_string: Some(Text::new(self.user())),
            ..SearchPair::default()
        };
        let request = SearchRequest {
            search_pair_list: vec![SearchPairList { pairs: vec![pair] }],
            search_limit: Some(50),
            ..SearchRequest::default()
        };
        match self.ask(request).await? {
            Primitive::SearchResponse(response) => {
                let found = response.search_result.and_then(|found| found.group_list);
                let groups = found.map(|list| list.group_id).unwrap_or_default();
                Ok(groups.into_iter().map(String::from).collect())
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Invites to a group (csp-group 7). `id` is the inviter's name for the invitation.
    pub async fn invite_to_group(
        &mut self,
        id: &str,
        group: &str,
        to: impl Into<Recipients>,
        note: Option<&str>,
    ) -> Result<Refusal, Error> {
        let request = InviteRequest {
            group_id: Some(Text::new(group)),
            ..self.invitation(id, "GR", to.into(), note, None)
        };
        self.ask_status(request).await
    }

    /// Shares content that lies at these URLs (csp-access 10): with users, or with a group,
    /// where those who join later are told too.
    pub async fn share(
        &mut self,
        id: &str,
        urls: Vec<String>,
        to: impl Into<Recipients>,
        note: Option<&str>,
        validity: Option<Duration>,
    ) -> Result<Refusal, Error> {
        let request = InviteRequest {
            url_list: Some(URLList {
                url: urls.into_iter().map(Text::from).collect(),
            }),
            ..self.invitation(id, "SC", to.into(), note, validity)
        };
        self.ask_status(request).await
    }

    fn invitation(
        &self,
        id: &str,
        kind: &str,
        to: Recipients,
        note: Option<&str>,
        validity: Option<Duration>,
    ) -> InviteRequest {
        let seconds = |span: Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
        InviteRequest {
            invite_id: Some(Text::new(id)),
            invite_type: Some(InviteType::parse(kind.into())),
            recipient: Some(to.into_element()),
            invite_note: note.map(Text::new),
            validity: match (validity, self.version()) {
                // csp-messages 2.2.2: 1.1 cannot do without.
                (None, Version::V1_1) => Some(86_400),
                (given, _) => given.map(seconds),
            },
            ..InviteRequest::default()
        }
    }
}

/// Reads it in the form of any version.
fn joined(response: JoinGroupResponse) -> JoinedGroup {
    let standard = response.joined.unwrap_or_default();
    let list = response.user_list.or(standard.user_list);
    let map = response.user_map_list.or(standard.user_map_list);
    let names = list.map(|list| list.screen_name).unwrap_or_default();
    let map = map.unwrap_or_default();
    let mapped = map.user_mapping.unwrap_or_default().mapping;
    let mapped = mapped.into_iter().chain(map.mapping);
    let present = names
        .into_iter()
        .map(|name| name.sname)
        .chain(mapped.map(|mapping| mapping.sname));
    let note = response.welcome_note;
    JoinedGroup {
        screen_name: response
            .screen_name
            .and_then(|name| name.sname)
            .map(String::from),
        present: present.flatten().map(String::from).collect(),
        welcome_note: note
            .filter(|note| note.content_encoding.is_none())
            .and_then(|note| note.content_data)
            .map(hamlet_csp::ContentData::into_text),
    }
}

fn ids(list: Option<UserList>) -> Vec<String> {
    let users = list.map(|list| list.user).unwrap_or_default();
    let ids = users.into_iter().filter_map(|user| user.user_id);
    ids.map(String::from).collect()
}
