//! Answers of the Group element, and what it tells sessions by itself (csp-group 3, 5), in the
//! form of each version and client.
//!
//! Clients that take all children at their word (clients AND-22) get the children of another
//! version only where they are filled in, so what a version does not have stays empty here.

use super::Facts;
use super::content;
use super::result::{self, text_of};
use hamlet_csp::Version;
use hamlet_csp::elements::{
    Admin, AdminMapList, AdminMapping, ExtendConversationResponse, GetGroupMembersResponse,
    GetGroupPropsResponse, GetJoinedUsersResponse, GroupChangeNotice,
    GroupProperties as GroupPropertiesElement, JoinGroupResponse, Joined as JoinedElement,
    JoinedBlocked, LeaveGroupResponse, Left, LeftBlocked, Mapping, Mod, ModMapping, OwnProperties,
    Primitive, Property, RejectListResponse, ScreenName as ScreenNameElement,
    SubscribeGroupNoticeResponse, User, UserList, UserMapList, UserMapping, Users, WelcomeNote,
};
use hamlet_elements::group::{
    Extended, GroupChange, GroupMembers, GroupProps, Joined, JoinedUser, JoinedUsers,
    ShownProperties,
};
use hamlet_model::{
    Content, GroupId, GroupProperty, OwnProperty, Refusal, Role, ScreenName, StatusCode, UserId,
};

/// JoinGroup-Response (csp-group 5.3).
pub fn joined(joined: &Joined, group: &GroupId, facts: &Facts<'_>) -> Primitive {
    let mut response = JoinGroupResponse {
        welcome_note: joined.welcome_note.as_ref().map(welcome_note),
        ..JoinGroupResponse::default()
    };
    let users = joined.users.as_deref();
    match facts.version {
        Version::V1_1 => response.user_list = users.map(|users| names_of(users, group)),
        // The only form in which the client finds the members (clients AND-22).
        _ if facts.profile.flat_user_map_list => response.user_map_list = users.map(flat),
        Version::V1_2 => response.user_map_list = users.map(nested),
        Version::V1_3 => {
            response.joined = users.map(|users| JoinedElement {
                user_map_list: Some(nested(users)),
                user_list: None,
            });
        }
    }
    if facts.version == Version::V1_3 {
        response.screen_name = Some(screen_name(&joined.screen_name, group));
    }
    Primitive::JoinGroupResponse(Box::new(response))
}

/// LeaveGroup-Response to a request: it names no group (csp-messages 2.5).
pub fn left(code: StatusCode, facts: &Facts<'_>) -> Primitive {
    Primitive::LeaveGroupResponse(Box::new(LeaveGroupResponse {
        group_id: None,
        result: Some(result::result(code, "", &[], facts)),
    }))
}

/// The same for a refusal.
pub fn leave_refused(refusal: &Refusal, facts: &Facts<'_>) -> Primitive {
    let Refusal {
        code,
        description,
        details,
    } = refusal;
    Primitive::LeaveGroupResponse(Box::new(LeaveGroupResponse {
        group_id: None,
        result: Some(result::result(*code, description, details, facts)),
    }))
}

/// LeaveGroup-Response by the server (csp-group 5.4).
pub fn put_out(group: &GroupId, code: StatusCode, facts: &Facts<'_>) -> Primitive {
    Primitive::LeaveGroupResponse(Box::new(LeaveGroupResponse {
        group_id: Some(text_of(group)),
        result: Some(result::result(code, "", &[], facts)),
    }))
}

/// GetJoinedUsers-Response (csp-group 5.5).
pub fn joined_users(joined: &JoinedUsers, group: &GroupId, facts: &Facts<'_>) -> Primitive {
    let mut response = GetJoinedUsersResponse::default();
    if joined.by_role {
        let of = |role: Role| -> Vec<Mapping> {
            let users = joined.users.iter().filter(|user| user.role == role);
            users.map(mapping).collect()
        };
        let some = |mappings: Vec<Mapping>| (!mappings.is_empty()).then_some(mappings);
        response.admin_map_list = Some(AdminMapList {
            admin_mapping: some(of(Role::Admin)).map(|mapping| AdminMapping { mapping }),
            mod_mapping: some(of(Role::Moderator)).map(|mapping| ModMapping { mapping }),
            user_mapping: some(of(Role::User)).map(|mapping| UserMapping { mapping }),
        });
    } else {
        response.user_map_list = Some(map_list(&joined.users, facts));
    }
    if facts.version == Version::V1_3 && !joined.blocked.is_empty() {
        response.joined_blocked = Some(JoinedBlocked {
            user_list: Some(names(&joined.blocked, group)),
        });
    }
    Primitive::GetJoinedUsersResponse(Box::new(response))
}

/// GetGroupMembers-Response (csp-group 5.6).
pub fn members(members: &GroupMembers, facts: &Facts<'_>) -> Primitive {
    let some = |users: &[UserId]| (!users.is_empty()).then(|| users_of(users));
    let list = |users: &[UserId]| some(users).map(Some);
    let mut response = GetGroupMembersResponse {
        admin: list(&members.admins).map(|user_list| Admin { user_list }),
        mod_: list(&members.moderators).map(|user_list| Mod { user_list }),
        ..GetGroupMembersResponse::default()
    };
    match facts.version {
        Version::V1_3 => response.user_list = some(&members.users),
        _ => response.users = list(&members.users).map(|user_list| Users { user_list }),
    }
    Primitive::GetGroupMembersResponse(Box::new(response))
}

/// GetGroupProps-Response: both parts, if need be empty (csp-group 5.9).
pub fn properties(props: &GroupProps, facts: &Facts<'_>) -> Primitive {
    Primitive::GetGroupPropsResponse(Box::new(GetGroupPropsResponse {
        group_properties: Some(common(&props.common, facts)),
        own_properties: Some(own(&props.own, facts)),
    }))
}

/// RejectList-Response with everybody who is on the list; an empty list has no UserList
/// (csp-group 5.11).
pub fn reject_list(users: &[UserId]) -> Primitive {
    Primitive::RejectListResponse(Box::new(RejectListResponse {
        user_list: (!users.is_empty()).then(|| users_of(users)),
    }))
}

/// SubscribeGroupNotice-Response (csp-group 5.12).
pub fn notices(subscribed: bool) -> Primitive {
    Primitive::SubscribeGroupNoticeResponse(Box::new(SubscribeGroupNoticeResponse {
        value: Some(if subscribed { "T" } else { "F" }.into()),
    }))
}

/// ExtendConversation-Response (csp-group 8).
pub fn extended(extended: &Extended, facts: &Facts<'_>) -> Primitive {
    let outcome = &extended.outcome;
    Primitive::ExtendConversationResponse(Box::new(ExtendConversationResponse {
        extend_conversation_id: Some(extended.id.as_str().into()),
        group_id: Some(text_of(&extended.group)),
        response_note: None,
        result: Some(result::result(outcome.code(), "", &outcome.details, facts)),
    }))
}

/// The same when no group was made.
pub fn extend_refused(id: &str, refusal: &Refusal, facts: &Facts<'_>) -> Primitive {
    let Refusal {
        code,
        description,
        details,
    } = refusal;
    Primitive::ExtendConversationResponse(Box::new(ExtendConversationResponse {
        extend_conversation_id: Some(id.into()),
        group_id: None,
        response_note: None,
        result: Some(result::result(*code, description, details, facts)),
    }))
}

/// GroupChangeNotice (csp-group 5.13); `None` when its version has nothing to say of it.
pub fn notice(group: &GroupId, change: &GroupChange, facts: &Facts<'_>) -> Option<Primitive> {
    let is_1_3 = facts.version == Version::V1_3;
    let some = |list: &[ScreenName]| (!list.is_empty()).then(|| Some(names(list, group)));
    let joined = (!change.joined.is_empty()).then(|| match facts.version {
        Version::V1_1 => JoinedElement {
            user_map_list: None,
            user_list: Some(names_of(&change.joined, group)),
        },
        _ => JoinedElement {
            user_map_list: Some(map_list(&change.joined, facts)),
            user_list: None,
        },
    });
    let common = common(&change.properties, facts);
    let own = own(&change.own, facts);
    let has_common = !common.property.is_empty() || common.welcome_note.is_some();
    let notice = GroupChangeNotice {
        group_id: Some(text_of(group)),
        joined,
        left: some(&change.left).map(|user_list| Left { user_list }),
        joined_blocked: some(&change.joined_blocked)
            .filter(|_| is_1_3)
            .map(|user_list| JoinedBlocked { user_list }),
        left_blocked: some(&change.left_blocked)
            .filter(|_| is_1_3)
            .map(|user_list| LeftBlocked { user_list }),
        group_properties: has_common.then_some(common),
        own_properties: (!own.property.is_empty()).then_some(own),
    };
    let says_something = notice.joined.is_some()
        || notice.left.is_some()
        || notice.group_properties.is_some()
        || notice.own_properties.is_some();
    says_something.then(|| Primitive::GroupChangeNotice(Box::new(notice)))
}

/// UserMapList as the client reads it (clients AND-22).
fn map_list(users: &[JoinedUser], facts: &Facts<'_>) -> UserMapList {
    match facts.profile.flat_user_map_list {
        true => flat(users),
        false => nested(users),
    }
}

fn nested(users: &[JoinedUser]) -> UserMapList {
    let mapping: Vec<Mapping> = users.iter().map(mapping).collect();
    UserMapList {
        user_mapping: (!mapping.is_empty()).then_some(UserMapping { mapping }),
        mapping: Vec::new(),
    }
}

fn flat(users: &[JoinedUser]) -> UserMapList {
    UserMapList {
        user_mapping: None,
        mapping: users.iter().map(mapping).collect(),
    }
}

fn mapping(user: &JoinedUser) -> Mapping {
    Mapping {
        sname: Some(user.name.as_str().into()),
        user_id: user.user.as_ref().map(text_of),
    }
}

/// A UserList of screen names alone: nobody's address is told by it.
fn names_of(users: &[JoinedUser], group: &GroupId) -> UserList {
    UserList {
        user: Vec::new(),
        screen_name: users
            .iter()
            .map(|user| screen_name(&user.name, group))
            .collect(),
    }
}

fn names(list: &[ScreenName], group: &GroupId) -> UserList {
    UserList {
        user: Vec::new(),
        screen_name: list.iter().map(|name| screen_name(name, group)).collect(),
    }
}

fn users_of(users: &[UserId]) -> UserList {
    let user = |id: &UserId| User {
        user_id: Some(text_of(id)),
        ..User::default()
    };
    UserList {
        user: users.iter().map(user).collect(),
        screen_name: Vec::new(),
    }
}

fn screen_name(name: &ScreenName, group: &GroupId) -> ScreenNameElement {
    ScreenNameElement {
        sname: Some(name.as_str().into()),
        group_id: Some(text_of(group)),
    }
}

/// Those that the version has (data-types 4.2).
fn common(shown: &ShownProperties, facts: &Facts<'_>) -> GroupPropertiesElement {
    let since = |name: GroupProperty| match name {
        GroupProperty::AutoDelete | GroupProperty::Validity => Version::V1_2,
        GroupProperty::History | GroupProperty::RequireInvitation | GroupProperty::MinimumAge => {
            Version::V1_3
        }
        _ => Version::V1_1,
    };
    let known = shown.properties.iter();
    let known = known.filter(|(name, _)| facts.version >= since(*name));
    GroupPropertiesElement {
        property: known
            .map(|(name, value)| property(name.as_str(), value))
            .collect(),
        welcome_note: shown.welcome_note.as_ref().map(welcome_note),
    }
}

/// Those that the version has (data-types 4.3).
fn own(shown: &[(OwnProperty, String)], facts: &Facts<'_>) -> OwnProperties {
    let known = shown
        .iter()
        .filter(|(name, _)| *name != OwnProperty::ShowId || facts.version >= Version::V1_2);
    OwnProperties {
        property: known
            .map(|(name, value)| property(name.as_str(), value))
            .collect(),
    }
}

fn property(name: &str, value: &str) -> Property {
    Property {
        name: Some(name.into()),
        value: Some(value.into()),
    }
}

/// Text is never in base64: the Nokia engine shows it as it is (csp-group 5.3).
fn welcome_note(content: &Content) -> WelcomeNote {
    let written = content::write(content);
    WelcomeNote {
        content_type: Some(written.content_type.into()),
        content_encoding: written.encoding,
        content_data: Some(written.data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily::{Android, Standard};
    use crate::mapping::tests::{facts, home, user};
    use hamlet_csp::{
        Document, Message, SessionDescriptor, Syntax, Text, Transaction, decode, encode,
    };
    use hamlet_model::content::TransferEncoding;

    fn group() -> GroupId {
        GroupId::parse("wv:anna/g", &home()).unwrap()
    }

    fn name(text: &str) -> ScreenName {
        ScreenName::new(text).unwrap()
    }

    fn two() -> Vec<JoinedUser> {
        let one = |text: &str, id: Option<UserId>, role| JoinedUser {
            name: name(text),
            user: id,
            role,
        };
        vec![
            one("Ann", Some(user("anna")), Role::Admin),
            one("bo", None, Role::User),
        ]
    }

    /// What the client reads of it.
    fn read(primitive: &Primitive, syntax: Syntax, facts: &Facts<'_>) -> Primitive {
        let message = Message {
            session: SessionDescriptor::outband(),
            transactions: vec![Transaction::request("1", primitive.clone())],
            poll: None,
            cir: None,
        };
        let mut options = facts.profile.write_options(false);
        options.all_children = facts.profile.takes_form_of_other_version(primitive.tag());
        let octets = encode(&Document::Message(message), syntax, facts.version, &options);
        let decoded = decode(&octets, syntax).unwrap();
        let Document::Message(mut message) = decoded.document else {
            panic!("a message");
        };
        message.transactions.remove(0).content.unwrap()
    }

    #[test]
    fn each_version_and_client_finds_who_is_joined() {
        // csp-group 3, 5.3; clients AND-22.
        let home = home();
        let answer = Joined {
            screen_name: name("Ann"),
            users: Some(two()),
            welcome_note: None,
        };
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            for (version, family, form) in [
                (Version::V1_1, Standard, "list"),
                (Version::V1_2, Standard, "nested"),
                (Version::V1_3, Standard, "joined"),
                (Version::V1_1, Android, "list"),
                (Version::V1_2, Android, "flat"),
                (Version::V1_3, Android, "flat"),
            ] {
                let facts = facts(version, &home, family);
                let written = joined(&answer, &group(), &facts);
                let Primitive::JoinGroupResponse(got) = read(&written, syntax, &facts) else {
                    panic!("{written:?}");
                };
                let all = |mappings: &[Mapping]| -> Vec<(Option<Text>, bool)> {
                    let pair = |m: &Mapping| (m.sname.clone(), m.user_id.is_some());
                    mappings.iter().map(pair).collect()
                };
                let expected = [
                    (Some(Text::new("Ann")), true),
                    (Some(Text::new("bo")), false),
                ];
                let nested = |list: &UserMapList| all(&list.user_mapping.as_ref().unwrap().mapping);
                let at = format!("{version} {family:?}");
                match form {
                    "list" => {
                        let list = got.user_list.as_ref().unwrap();
                        assert_eq!(list.screen_name.len(), 2, "{at}");
                        assert!(list.user.is_empty(), "{at}");
                    }
                    "nested" => assert_eq!(nested(got.user_map_list.as_ref().unwrap()), expected),
                    "flat" => {
                        let list = got.user_map_list.as_ref().unwrap();
                        assert_eq!(all(&list.mapping), expected, "{at}");
                        assert_eq!(list.user_mapping, None, "{at}");
                    }
                    _ => {
                        let joined = got.joined.as_ref().unwrap();
                        assert_eq!(nested(joined.user_map_list.as_ref().unwrap()), expected);
                    }
                }
                assert_eq!(got.screen_name.is_some(), version == Version::V1_3, "{at}");
            }
        }
    }

    #[test]
    fn a_notice_has_what_its_version_knows() {
        // csp-group 5.13, 12.
        let home = home();
        let change = GroupChange {
            joined: two(),
            left: vec![name("cy")],
            joined_blocked: vec![name("bo")],
            left_blocked: vec![name("cy")],
            properties: ShownProperties {
                properties: vec![
                    (GroupProperty::Topic, "Snow".into()),
                    (GroupProperty::AutoDelete, "T".into()),
                    (GroupProperty::History, "T".into()),
                ],
                welcome_note: None,
            },
            own: vec![(OwnProperty::ShowId, "T".into())],
        };
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            for version in Version::ALL {
                let facts = facts(version, &home, Standard);
                let written = notice(&group(), &change, &facts).unwrap();
                let Primitive::GroupChangeNotice(got) = read(&written, syntax, &facts) else {
                    panic!("{written:?}");
                };
                let joined = got.joined.unwrap();
                assert_eq!(joined.user_list.is_some(), version == Version::V1_1);
                assert_eq!(joined.user_map_list.is_some(), version != Version::V1_1);
                let left = got.left.unwrap().user_list.unwrap();
                assert_eq!(left.screen_name[0].sname.as_deref(), Some("cy"));
                assert_eq!(got.joined_blocked.is_some(), version == Version::V1_3);
                assert_eq!(got.left_blocked.is_some(), version == Version::V1_3);
                let count = got.group_properties.unwrap().property.len();
                assert_eq!(count, 1 + version.index(), "{version}");
                assert_eq!(got.own_properties.is_some(), version != Version::V1_1);
            }
        }
        let android = facts(Version::V1_3, &home, Android);
        let written = notice(&group(), &change, &android).unwrap();
        let Primitive::GroupChangeNotice(got) = read(&written, Syntax::Wbxml, &android) else {
            panic!("{written:?}");
        };
        let list = got.joined.unwrap().user_map_list.unwrap();
        assert_eq!((list.mapping.len(), list.user_mapping), (2, None), "AND-22");
    }

    #[test]
    fn nothing_is_told_of_what_a_version_does_not_know() {
        let home = home();
        let change = GroupChange {
            own: vec![(OwnProperty::ShowId, "T".into())],
            ..GroupChange::default()
        };
        let in_version = |version| {
            let facts = facts(version, &home, Standard);
            notice(&group(), &change, &facts).is_some()
        };
        assert_eq!(Version::ALL.map(in_version), [false, true, true]);
    }

    #[test]
    fn members_and_joined_users_stand_by_their_roles() {
        // csp-group 5.5, 5.6.
        let home = home();
        let all = GroupMembers {
            admins: vec![user("anna")],
            moderators: Vec::new(),
            users: vec![user("bo")],
        };
        for version in Version::ALL {
            let facts = facts(version, &home, Standard);
            let Primitive::GetGroupMembersResponse(got) =
                read(&members(&all, &facts), Syntax::Xml, &facts)
            else {
                panic!("members");
            };
            assert!(got.admin.is_some() && got.mod_.is_none());
            assert_eq!(got.user_list.is_some(), version == Version::V1_3);
            assert_eq!(got.users.is_some(), version != Version::V1_3);
        }
        let facts = facts(Version::V1_3, &home, Standard);
        let mut present = JoinedUsers {
            by_role: true,
            users: two(),
            blocked: vec![name("bo")],
        };
        let Primitive::GetJoinedUsersResponse(got) = joined_users(&present, &group(), &facts)
        else {
            panic!("joined users");
        };
        let list = got.admin_map_list.unwrap();
        assert_eq!(list.admin_mapping.unwrap().mapping.len(), 1);
        assert_eq!(list.user_mapping.unwrap().mapping.len(), 1);
        assert!(list.mod_mapping.is_none() && got.joined_blocked.is_some());
        present.by_role = false;
        let Primitive::GetJoinedUsersResponse(got) = joined_users(&present, &group(), &facts)
        else {
            panic!("joined users");
        };
        assert_eq!(
            got.user_map_list
                .unwrap()
                .user_mapping
                .unwrap()
                .mapping
                .len(),
            2
        );
    }

    #[test]
    fn a_welcome_note_in_base64_is_read_as_text() {
        let home = home();
        let facts = facts(Version::V1_2, &home, Standard);
        let answer = Joined {
            screen_name: name("Ann"),
            users: None,
            welcome_note: Some(Content {
                content_type: Some("text/plain".into()),
                encoding: TransferEncoding::Base64,
                data: "aGVsbG8=".into(),
            }),
        };
        let Primitive::JoinGroupResponse(got) = joined(&answer, &group(), &facts) else {
            panic!("joined");
        };
        let note = got.welcome_note.unwrap();
        assert_eq!(note.content_data, Some("hello".into()));
        assert_eq!(note.content_encoding, None);
        assert_eq!(got.user_map_list, None, "nobody asked for it");
    }

    #[test]
    fn who_is_put_out_learns_from_where_and_why() {
        // csp-group 5.4; 824 is 200 before 1.3 (data-types 10.1).
        let home = home();
        for (version, code) in [
            (Version::V1_1, 200),
            (Version::V1_2, 200),
            (Version::V1_3, 824),
        ] {
            let facts = facts(version, &home, Standard);
            let Primitive::LeaveGroupResponse(got) = put_out(&group(), StatusCode(824), &facts)
            else {
                panic!("a LeaveGroup-Response");
            };
            assert_eq!(got.group_id.as_deref(), Some("wv:anna/g@im.example"));
            assert_eq!(got.result.unwrap().code, Some(code));
        }
    }
}
