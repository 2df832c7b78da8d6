//! Group requests (csp-group 5, 8; csp-messages 2.5): read in every form that any version or
//! client has.

use super::{Facts, Reply};
use hamlet_csp::Text;
use hamlet_csp::elements::{
    AddGroupMembersRequest, AddList, ContentEncoding, CreateGroupRequest,
    ExtendConversationRequest, GroupProperties, JoinGroupRequest, MemberAccessRequest,
    OwnProperties, Property, RejectListRequest, RemoveGroupMembersRequest, RemoveList, ScreenName,
    SetGroupPropsRequest, SubscribeGroupNoticeRequest, SubscribeType as SubscribeTypeElement,
    UserIdList, UserList, WelcomeNote,
};
use hamlet_elements::Request;
use hamlet_elements::group::{
    AddGroupMembers, CreateGroup, DeleteGroup, ExtendConversation, GetGroupMembers, GetGroupProps,
    GetJoinedUsers, GivenProperties, GivenUsers, JoinGroup, LeaveGroup, MemberAccess, RejectList,
    RemoveGroupMembers, SetGroupProps, SubscribeGroupNotice, SubscribeType,
};
use hamlet_model::content::TransferEncoding;
use hamlet_model::{Content, GroupId, Refusal, StatusCode, UserId};

type Asked = Result<(Request, Reply), Refusal>;

/// CreateGroup-Request. What is no address cannot be made (csp-group 5.1).
pub fn create(request: CreateGroupRequest, facts: &Facts<'_>) -> Asked {
    let text = present(request.group_id.as_ref(), "GroupID")?;
    let group = GroupId::parse(text, facts.home).map_err(|_| {
        let why = "GroupID is no group address";
        Refusal::because(StatusCode::INVALID_GROUP_PROPERTY, why)
    })?;
    let create = CreateGroup {
        group,
        properties: common(request.group_properties),
        own: own(request.own_properties),
        join: request.join_group.unwrap_or(false),
        screen_name: screen_name(request.screen_name),
        subscribe: request.subscribe_notification.unwrap_or(false),
    };
    Ok((Request::CreateGroup(Box::new(create)), Reply::Status))
}

/// DeleteGroup-Request.
pub fn delete(id: Option<&Text>, facts: &Facts<'_>) -> Asked {
    let group = group(id, facts)?;
    Ok((Request::DeleteGroup(DeleteGroup { group }), Reply::Status))
}

/// JoinGroup-Request.
pub fn join(request: JoinGroupRequest, facts: &Facts<'_>) -> Asked {
    let group = group(request.group_id.as_ref(), facts)?;
    let join = JoinGroup {
        group: group.clone(),
        screen_name: screen_name(request.screen_name),
        list_joined: request.joined_request.unwrap_or(false),
        subscribe: request.subscribe_notification.unwrap_or(false),
        own: own(request.own_properties),
    };
    Ok((Request::JoinGroup(Box::new(join)), Reply::JoinGroup(group)))
}

/// LeaveGroup-Request.
pub fn leave(id: Option<&Text>, facts: &Facts<'_>) -> Asked {
    let group = group(id, facts)?;
    let leave = LeaveGroup {
        group: group.clone(),
    };
    Ok((Request::LeaveGroup(leave), Reply::LeaveGroup(group)))
}

/// GetJoinedUsers-Request.
pub fn joined_users(id: Option<&Text>, facts: &Facts<'_>) -> Asked {
    let group = group(id, facts)?;
    let get = GetJoinedUsers {
        group: group.clone(),
    };
    Ok((Request::GetJoinedUsers(get), Reply::GetJoinedUsers(group)))
}

/// GetGroupMembers-Request.
pub fn members(id: Option<&Text>, facts: &Facts<'_>) -> Asked {
    let group = group(id, facts)?;
    let get = GetGroupMembers { group };
    Ok((Request::GetGroupMembers(get), Reply::GetGroupMembers))
}

/// AddGroupMembers-Request; users stand in UserList or UserIDList.
pub fn add_members(request: &AddGroupMembersRequest, facts: &Facts<'_>) -> Asked {
    let group = group(request.group_id.as_ref(), facts)?;
    let lists = (request.user_list.as_ref(), request.user_id_list.as_ref());
    let users = required_users(lists, facts)?;
    let add = AddGroupMembers { group, users };
    Ok((Request::AddGroupMembers(add), Reply::Status))
}

/// RemoveGroupMembers-Request.
pub fn remove_members(request: &RemoveGroupMembersRequest, facts: &Facts<'_>) -> Asked {
    let group = group(request.group_id.as_ref(), facts)?;
    let lists = (request.user_list.as_ref(), request.user_id_list.as_ref());
    let users = required_users(lists, facts)?;
    let remove = RemoveGroupMembers { group, users };
    Ok((Request::RemoveGroupMembers(remove), Reply::Status))
}

/// MemberAccess-Request; ordinary users stand in Users or in a bare UserList.
pub fn access(request: &MemberAccessRequest, facts: &Facts<'_>) -> Asked {
    let group = group(request.group_id.as_ref(), facts)?;
    let list = |list: Option<&UserList>| users([list], None, facts);
    let admins = request.admin.as_ref();
    let moderators = request.mod_.as_ref();
    let wrapped = request.users.as_ref();
    let access = MemberAccess {
        group,
        admins: list(admins.and_then(|admin| admin.user_list.as_ref())),
        moderators: list(moderators.and_then(|moderator| moderator.user_list.as_ref())),
        users: users(
            [
                wrapped.and_then(|users| users.user_list.as_ref()),
                request.user_list.as_ref(),
            ],
            None,
            facts,
        ),
    };
    Ok((Request::MemberAccess(Box::new(access)), Reply::Status))
}

/// GetGroupProps-Request.
pub fn properties(id: Option<&Text>, facts: &Facts<'_>) -> Asked {
    let group = group(id, facts)?;
    let get = GetGroupProps { group };
    Ok((Request::GetGroupProps(get), Reply::GetGroupProps))
}

/// SetGroupProps-Request.
pub fn set_properties(request: SetGroupPropsRequest, facts: &Facts<'_>) -> Asked {
    let group = group(request.group_id.as_ref(), facts)?;
    let set = SetGroupProps {
        group,
        properties: request.group_properties.map(|given| common(Some(given))),
        own: request.own_properties.map(|given| own(Some(given))),
    };
    Ok((Request::SetGroupProps(Box::new(set)), Reply::Status))
}

/// RejectList-Request. The groups in its lists say nothing (csp-group 5.11).
pub fn reject_list(request: &RejectListRequest, facts: &Facts<'_>) -> Asked {
    let group = group(request.group_id.as_ref(), facts)?;
    let add = request.add_list.as_ref();
    let remove = request.remove_list.as_ref();
    let reject = RejectList {
        group,
        add: add.map_or_else(
            GivenUsers::default,
            |AddList {
                 user_id,
                 screen_name,
                 ..
             }| { given(user_id, screen_name, facts) },
        ),
        remove: remove.map_or_else(
            GivenUsers::default,
            |RemoveList {
                 user_id,
                 screen_name,
                 ..
             }| given(user_id, screen_name, facts),
        ),
    };
    Ok((Request::RejectList(Box::new(reject)), Reply::RejectList))
}

/// SubscribeGroupNotice-Request: 402 for any other type (csp-group 5.12).
pub fn subscribe(request: &SubscribeGroupNoticeRequest, facts: &Facts<'_>) -> Asked {
    let group = group(request.group_id.as_ref(), facts)?;
    let kind = match &request.subscribe_type {
        None => return Err(missing("SubscribeType")),
        Some(SubscribeTypeElement::G) => SubscribeType::Get,
        Some(SubscribeTypeElement::S) => SubscribeType::Set,
        Some(SubscribeTypeElement::U) => SubscribeType::Unset,
        Some(SubscribeTypeElement::Undefined(_)) => {
            let why = "There is no such SubscribeType";
            return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
        }
    };
    let subscribe = SubscribeGroupNotice { group, kind };
    let reply = match kind {
        SubscribeType::Get => Reply::SubscribeGroupNotice,
        _ => Reply::Status,
    };
    Ok((Request::SubscribeGroupNotice(subscribe), reply))
}

/// ExtendConversation-Request (1.3). A partner that is no address is an unknown user.
pub fn extend(request: ExtendConversationRequest, facts: &Facts<'_>) -> Asked {
    let id = present(
        request.extend_conversation_id.as_ref(),
        "ExtendConversationID",
    )?;
    let id = id.to_string();
    if id.is_empty() {
        let why = "ExtendConversationID is empty";
        return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
    }
    let partner = request.extend_conversation_user.as_ref();
    let partner = partner.and_then(|user| user.user_id.as_ref());
    let partner = partner.filter(|text| !text.is_empty());
    let partner = partner
        .map(|text| UserId::parse(text, facts.home))
        .transpose();
    let extend = ExtendConversation {
        id: id.clone(),
        partner: partner.map_err(|_| Refusal::new(StatusCode::UNKNOWN_USER))?,
        users: users([], request.user_id_list.as_ref(), facts),
        subscribe: request.subscribe_notification.unwrap_or(false),
        welcome_note: request.welcome_note.map(note),
        screen_name: screen_name(request.screen_name),
    };
    let request = Request::ExtendConversation(Box::new(extend));
    Ok((request, Reply::ExtendConversation(id)))
}

/// The group that a request is about: 400 without one, 429 for what is no address, which
/// is 402 before 1.3 (csp-group 4).
fn group(id: Option<&Text>, facts: &Facts<'_>) -> Result<GroupId, Refusal> {
    GroupId::parse(present(id, "GroupID")?, facts.home)
        .map_err(|_| Refusal::new(StatusCode::INVALID_GROUP_ID))
}

/// The name; whatever group stands beside it (csp-group 1).
fn screen_name(element: Option<ScreenName>) -> Option<String> {
    element?.sname.map(String::from)
}

fn common(element: Option<GroupProperties>) -> GivenProperties {
    let element = element.unwrap_or_default();
    GivenProperties {
        properties: pairs(element.property),
        welcome_note: element.welcome_note.map(note),
    }
}

fn own(element: Option<OwnProperties>) -> GivenProperties {
    GivenProperties {
        properties: pairs(element.unwrap_or_default().property),
        welcome_note: None,
    }
}

/// A missing value is an empty one (csp-group 1.2).
fn pairs(properties: Vec<Property>) -> Vec<(String, String)> {
    let text = |text: Option<Text>| text.map_or_else(String::new, String::from);
    properties
        .into_iter()
        .map(|property| (text(property.name), text(property.value)))
        .collect()
}

fn note(element: WelcomeNote) -> Content {
    Content {
        content_type: element.content_type.map(String::from),
        encoding: match element.content_encoding {
            Some(ContentEncoding::Base64) => TransferEncoding::Base64,
            _ => TransferEncoding::None,
        },
        data: element
            .content_data
            .map_or_else(String::new, hamlet_csp::ContentData::into_text),
    }
}

fn required_users(
    (list, ids): (Option<&UserList>, Option<&UserIdList>),
    facts: &Facts<'_>,
) -> Result<GivenUsers, Refusal> {
    match (list, ids) {
        (None, None) => Err(missing("The list of users")),
        _ => Ok(users([list], ids, facts)),
    }
}

fn users<const N: usize>(
    lists: [Option<&UserList>; N],
    ids: Option<&UserIdList>,
    facts: &Facts<'_>,
) -> GivenUsers {
    let mut all = given(ids.map_or(&[], |list| list.user_id.as_slice()), &[], facts);
    for list in lists.into_iter().flatten() {
        let ids: Vec<Text> = list
            .user
            .iter()
            .filter_map(|user| user.user_id.clone())
            .collect();
        let GivenUsers {
            users,
            screen_names,
            malformed,
        } = given(&ids, &list.screen_name, facts);
        all.users.extend(users);
        all.screen_names.extend(screen_names);
        all.malformed.extend(malformed);
    }
    all
}

/// Empty elements name nobody.
fn given(ids: &[Text], names: &[ScreenName], facts: &Facts<'_>) -> GivenUsers {
    let mut given = GivenUsers::default();
    for text in ids.iter().filter(|text| !text.is_empty()) {
        match UserId::parse(text, facts.home) {
            Ok(user) => given.users.push(user),
            Err(_) => given.malformed.push(text.to_string()),
        }
    }
    let names = names.iter().filter_map(|name| name.sname.as_ref());
    let names = names.filter(|name| !name.is_empty());
    given.screen_names.extend(names.map(Text::to_string));
    given
}

fn present<'a>(text: Option<&'a Text>, name: &str) -> Result<&'a Text, Refusal> {
    text.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Refusal {
    Refusal::because(StatusCode::BAD_REQUEST, format!("{name} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::mapping::tests::{facts, home, user};
    use hamlet_csp::Version;
    use hamlet_csp::elements::{Admin, User, Users};

    fn list(ids: &[&str], names: &[&str]) -> UserList {
        UserList {
            user: ids
                .iter()
                .map(|id| User {
                    user_id: Some((*id).into()),
                    ..User::default()
                })
                .collect(),
            screen_name: names
                .iter()
                .map(|name| ScreenName {
                    sname: Some((*name).into()),
                    group_id: Some("wv:wrong/group".into()),
                })
                .collect(),
        }
    }

    #[test]
    fn members_are_named_in_either_form_in_any_version() {
        // csp-group 5.7.
        let home = home();
        for version in Version::ALL {
            let facts = facts(version, &home, ClientFamily::Standard);
            let asked = add_members(
                &AddGroupMembersRequest {
                    group_id: Some("wv:anna/G".into()),
                    user_list: Some(list(&["bo", "a b", ""], &["Queen", ""])),
                    user_id_list: Some(UserIdList {
                        user_id: vec!["cy".into()],
                    }),
                },
                &facts,
            );
            let Ok((Request::AddGroupMembers(add), Reply::Status)) = asked else {
                panic!("{asked:?}");
            };
            assert_eq!(add.group.as_str(), "wv:anna/g@im.example");
            assert_eq!(add.users.users, [user("cy"), user("bo")]);
            assert_eq!(add.users.screen_names, ["Queen"]);
            assert_eq!(add.users.malformed, ["a b"]);
            let nobody = AddGroupMembersRequest {
                group_id: Some("wv:anna/g".into()),
                ..AddGroupMembersRequest::default()
            };
            let code = add_members(&nobody, &facts).unwrap_err().code;
            assert_eq!(code, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn ordinary_users_stand_in_either_wrapper() {
        // csp-group 3, 5.8.
        let home = home();
        let facts = facts(Version::V1_2, &home, ClientFamily::Nokia);
        let asked = access(
            &MemberAccessRequest {
                group_id: Some("wv:anna/g".into()),
                admin: Some(Admin {
                    user_list: Some(list(&["bo"], &[])),
                }),
                users: Some(Users {
                    user_list: Some(list(&["cy"], &[])),
                }),
                user_list: Some(list(&["di"], &[])),
                ..MemberAccessRequest::default()
            },
            &facts,
        );
        let Ok((Request::MemberAccess(access), Reply::Status)) = asked else {
            panic!("{asked:?}");
        };
        assert_eq!(access.admins.users, [user("bo")]);
        assert_eq!(access.moderators, GivenUsers::default());
        assert_eq!(access.users.users, [user("cy"), user("di")]);
    }

    #[test]
    fn a_group_that_is_no_address_has_the_code_of_its_request() {
        // csp-group 4, 5.1.
        let home = home();
        let facts = facts(Version::V1_3, &home, ClientFamily::Standard);
        let code = |asked: Asked| asked.unwrap_err().code.0;
        assert_eq!(code(delete(None, &facts)), 400);
        assert_eq!(code(delete(Some(&":::".into()), &facts)), 429);
        let create = |id: Option<&str>| {
            super::create(
                CreateGroupRequest {
                    group_id: id.map(Text::new),
                    ..CreateGroupRequest::default()
                },
                &facts,
            )
        };
        assert_eq!(code(create(None)), 400);
        assert_eq!(code(create(Some("wv:anna"))), 806);
        assert!(create(Some("wv:anna/g")).is_ok());
    }

    #[test]
    fn welcome_notes_keep_their_encoding_and_properties_their_texts() {
        let home = home();
        let facts = facts(Version::V1_2, &home, ClientFamily::Standard);
        let asked = set_properties(
            SetGroupPropsRequest {
                group_id: Some("wv:anna/g".into()),
                group_properties: Some(GroupProperties {
                    property: vec![Property {
                        name: Some("Accesstype".into()),
                        value: None,
                    }],
                    welcome_note: Some(WelcomeNote {
                        content_type: Some("image/png".into()),
                        content_encoding: Some(ContentEncoding::Base64),
                        content_data: Some("UE5H".into()),
                    }),
                }),
                own_properties: None,
            },
            &facts,
        );
        let Ok((Request::SetGroupProps(set), Reply::Status)) = asked else {
            panic!("{asked:?}");
        };
        assert_eq!(set.own, None);
        let given = set.properties.unwrap();
        assert_eq!(given.properties, [("Accesstype".into(), String::new())]);
        let note = given.welcome_note.unwrap();
        assert_eq!(note.encoding, TransferEncoding::Base64);
        assert_eq!(note.data, "UE5H");
    }

    #[test]
    fn a_subscription_is_asked_for_set_or_unset() {
        // csp-group 5.12.
        let home = home();
        let facts = facts(Version::V1_1, &home, ClientFamily::Standard);
        let ask = |kind: Option<SubscribeTypeElement>| {
            subscribe(
                &SubscribeGroupNoticeRequest {
                    group_id: Some("wv:anna/g".into()),
                    subscribe_type: kind,
                },
                &facts,
            )
        };
        assert_eq!(ask(None).unwrap_err().code.0, 400);
        let undefined = SubscribeTypeElement::Undefined("X".into());
        assert_eq!(ask(Some(undefined)).unwrap_err().code.0, 402);
        for (kind, reply) in [
            (SubscribeTypeElement::G, Reply::SubscribeGroupNotice),
            (SubscribeTypeElement::S, Reply::Status),
            (SubscribeTypeElement::U, Reply::Status),
        ] {
            assert_eq!(ask(Some(kind)).unwrap().1, reply);
        }
    }
}
