//! Contact lists: GetList, CreateList, DeleteList, ListManage (csp-presence 2).

use super::result::{self, text_of};
use super::{Facts, Reply};
use hamlet_csp::elements::{
    ContactListIdList, ContactListProperties, CreateListRequest, CreateListResponse,
    DeleteListRequest, GetListResponse, ListManageRequest, ListManageResponse, NickMember,
    NickMembers, NickName, Primitive, Property,
};
use hamlet_csp::{Text, Version};
use hamlet_elements::contact_list::{
    ContactLists, CreateContactList, Created, DeleteContactList, ManageContactList, Managed,
    Member, Properties, PropertyChanges,
};
use hamlet_model::{ContactListId, Refusal, StatusCode, UserId};

/// Reads CreateList-Request (csp-presence 2.5).
pub fn create(
    request: &CreateListRequest,
    facts: &Facts<'_>,
) -> Result<CreateContactList, Refusal> {
    let text = given(request.contact_list.as_ref())?;
    if text.is_empty() {
        return Err(bad_address("ContactList is empty"));
    }
    let list = ContactListId::parse(text, facts.home)
        .map_err(|_| bad_address("ContactList is no contact list address"))?;
    let (members, malformed) = members(request.nick_list.as_ref(), facts);
    Ok(CreateContactList {
        list,
        members,
        malformed,
        properties: properties(request.contact_list_properties.as_ref(), facts),
    })
}

/// Reads DeleteList-Request (csp-presence 2.6); what is no address names no list.
pub fn delete(
    request: &DeleteListRequest,
    facts: &Facts<'_>,
) -> Result<DeleteContactList, Refusal> {
    let list = existing(request.contact_list.as_ref(), facts)?;
    Ok(DeleteContactList { list })
}

/// Reads ListManage-Request, in any combination of its parts (csp-presence 2.7).
pub fn manage(
    request: &ListManageRequest,
    facts: &Facts<'_>,
) -> Result<(ManageContactList, Reply), Refusal> {
    let list = existing(request.contact_list.as_ref(), facts)?;
    let (add, malformed) = members(request.add_nick_list.as_ref(), facts);
    let removed = request
        .remove_nick_list
        .iter()
        .flat_map(|list| &list.user_id);
    let manage = ManageContactList {
        list,
        // Who is no member already need not be removed.
        remove: removed
            .filter_map(|text| UserId::parse(text, facts.home).ok())
            .collect(),
        add,
        malformed,
        properties: properties(request.contact_list_properties.as_ref(), facts),
        // csp-presence 2.7: older versions do not have it.
        authorize_and_grant: facts.version == Version::V1_3
            && request.authorize_and_grant.unwrap_or(false),
    };
    Ok((manage, wanted(request, facts.version)))
}

/// What the response includes: the table of csp-presence 2.7.
fn wanted(request: &ListManageRequest, version: Version) -> Reply {
    let moves = request.add_nick_list.is_some() || request.remove_nick_list.is_some();
    let changes = request.contact_list_properties.is_some();
    let reads = !moves && !changes;
    let members = match request.receive_list {
        Some(true) => true,
        None if reads => true,
        // 1.1 has no ReceiveList: a change of members always returns them.
        _ => version == Version::V1_1 && moves,
    };
    Reply::ListManage {
        members,
        properties: reads || changes,
    }
}

/// What to ask instead of creating a list that exists already: its members are added and
/// its properties set (clients MOV-12; clients 8: for lists of the phonebook profile this
/// is done for every client). `None` where 701 is the answer.
pub fn merge_instead(create: &CreateContactList, facts: &Facts<'_>) -> Option<ManageContactList> {
    let merges = facts.profile.create_list_merges || create.list.name().starts_with("~pep1.0_");
    merges.then(|| ManageContactList {
        list: create.list.clone(),
        remove: Vec::new(),
        add: create.members.clone(),
        malformed: create.malformed.clone(),
        properties: create.properties.clone(),
        authorize_and_grant: false,
    })
}

/// GetList-Response: the default list is named only once (csp-presence 2.4).
pub fn lists_response(lists: &ContactLists, facts: &Facts<'_>) -> Primitive {
    let others: Vec<Text> = lists
        .others
        .iter()
        .filter(|list| Some(*list) != lists.default.as_ref())
        .map(text_of)
        .collect();
    let mut response = GetListResponse {
        default_contact_list: lists.default.as_ref().map(text_of),
        ..GetListResponse::default()
    };
    if facts.version == Version::V1_3 && !facts.profile.contact_lists_direct {
        response.contact_list_id_list = (!others.is_empty()).then_some(ContactListIdList {
            contact_list: others,
        });
    } else {
        response.contact_list = others;
    }
    Primitive::GetListResponse(Box::new(response))
}

/// GetList has no Result: a refusal is a Status, but for a client that must not get one
/// (clients AND-15).
pub fn lists_refused(refusal: &Refusal, facts: &Facts<'_>) -> Primitive {
    if facts.profile.get_list_never_fails {
        return lists_response(&ContactLists::default(), facts);
    }
    result::refused(refusal, facts)
}

/// CreateList-Response for full success in 1.3, else Status (csp-presence 2.5).
pub fn created_response(created: &Created, facts: &Facts<'_>) -> Primitive {
    let outcome = &created.outcome;
    if facts.version < Version::V1_3 || outcome.code() != StatusCode::OK {
        return result::status_with(outcome.code(), "", &outcome.details, facts);
    }
    Primitive::CreateListResponse(Box::new(CreateListResponse {
        contact_list: Some(text_of(&created.list)),
        contact_list_properties: Some(properties_element(&created.properties, facts.version)),
    }))
}

/// ListManage-Response with what was asked for.
pub fn managed_response(
    managed: &Managed,
    members: bool,
    properties: bool,
    facts: &Facts<'_>,
) -> Primitive {
    Primitive::ListManageResponse(Box::new(ListManageResponse {
        result: Some(result::result(managed.code, "", &managed.details, facts)),
        nick_list: members.then(|| nick_list(&managed.members)),
        contact_list_properties: properties
            .then(|| properties_element(&managed.properties, facts.version)),
    }))
}

/// ListManage-Response with nothing but a Result (csp-access 1.5).
pub fn manage_refused(refusal: &Refusal, facts: &Facts<'_>) -> Primitive {
    Primitive::ListManageResponse(Box::new(ListManageResponse {
        result: Some(result::result(
            refusal.code,
            &refusal.description,
            &refusal.details,
            facts,
        )),
        ..ListManageResponse::default()
    }))
}

fn given(text: Option<&Text>) -> Result<&Text, Refusal> {
    text.ok_or_else(|| Refusal::because(StatusCode::BAD_REQUEST, "ContactList is missing"))
}

fn bad_address(what: &str) -> Refusal {
    Refusal::because(StatusCode::BAD_PARAMETER, what)
}

/// The address of a list that should exist.
fn existing(text: Option<&Text>, facts: &Facts<'_>) -> Result<ContactListId, Refusal> {
    ContactListId::parse(given(text)?, facts.home)
        .map_err(|_| Refusal::new(StatusCode::NO_SUCH_CONTACT_LIST))
}

/// The members of a NickList, and the addresses in it that are none. An empty Name is no
/// nickname.
fn members(element: Option<&NickMembers>, facts: &Facts<'_>) -> (Vec<Member>, Vec<String>) {
    let (mut members, mut malformed) = (Vec::new(), Vec::new());
    for member in element.into_iter().flat_map(|list| &list.members) {
        let (id, name) = match member {
            NickMember::Nick(nick) => (nick.user_id.as_ref(), nick.name.as_ref()),
            NickMember::User(id) => (Some(id), None),
        };
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            continue;
        };
        match UserId::parse(id, facts.home) {
            Ok(user) => members.push(Member {
                user,
                nickname: name.filter(|name| !name.is_empty()).map(Text::to_string),
            }),
            Err(_) => malformed.push(id.to_string()),
        }
    }
    (members, malformed)
}

/// Properties to set; names are compared without case (csp-presence 2.3).
fn properties(element: Option<&ContactListProperties>, facts: &Facts<'_>) -> PropertyChanges {
    let mut changes = PropertyChanges::default();
    for property in element.into_iter().flat_map(|list| &list.property) {
        let name = property.name.as_deref().unwrap_or("");
        let value = property.value.as_deref().unwrap_or("").trim();
        let flag = match value {
            "T" | "t" => Some(true),
            "F" | "f" => Some(false),
            _ => None,
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let known = if is("DisplayName") {
            changes.display_name = Some(value.to_owned());
            true
        } else if is("Default") {
            changes.default = flag.or(changes.default);
            flag.is_some()
        } else if is("DoNotNotify") && facts.version == Version::V1_3 {
            changes.do_not_notify = flag.or(changes.do_not_notify);
            flag.is_some()
        } else {
            false
        };
        if !known {
            changes.invalid.push(name.to_owned());
        }
    }
    changes
}

/// Every member as a NickName with a Name, if need be an empty one: some parsers expect
/// no other form (csp-presence 2.7, clients AND-16, S60-13).
fn nick_list(members: &[Member]) -> NickMembers {
    let element = |member: &Member| {
        NickMember::Nick(NickName {
            name: Some(member.nickname.as_deref().unwrap_or("").into()),
            user_id: Some(text_of(&member.user)),
        })
    };
    NickMembers {
        members: members.iter().map(element).collect(),
    }
}

fn properties_element(properties: &Properties, version: Version) -> ContactListProperties {
    let property = |name: &str, value: &str| Property {
        name: Some(name.into()),
        value: Some(value.into()),
    };
    let flag = |set: bool| if set { "T" } else { "F" };
    let mut all = vec![
        property("DisplayName", &properties.display_name),
        property("Default", flag(properties.default)),
    ];
    if version == Version::V1_3 {
        all.push(property("DoNotNotify", flag(properties.do_not_notify)));
    }
    ContactListProperties { property: all }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily::{self, Android, Colibria, Standard};
    use crate::mapping::tests::{facts, home, list, user};
    use hamlet_csp::elements::RemoveNickList;
    use hamlet_elements::service::Outcome;
    use hamlet_model::Detail;

    fn nick(name: Option<&str>, id: Option<&str>) -> NickMember {
        NickMember::Nick(NickName {
            name: name.map(Text::new),
            user_id: id.map(Text::new),
        })
    }

    fn props(pairs: &[(&str, &str)]) -> ContactListProperties {
        ContactListProperties {
            property: pairs
                .iter()
                .map(|(name, value)| Property {
                    name: Some((*name).into()),
                    value: Some((*value).into()),
                })
                .collect(),
        }
    }

    fn managed() -> Managed {
        Managed {
            members: vec![
                Member {
                    user: user("bob"),
                    nickname: Some("Bobby".into()),
                },
                Member {
                    user: user("carol"),
                    nickname: None,
                },
            ],
            properties: Properties {
                display_name: "Friends".into(),
                default: true,
                do_not_notify: false,
            },
            code: StatusCode::OK,
            details: Vec::new(),
        }
    }

    #[test]
    fn a_list_is_created_with_members_and_properties() {
        let home = home();
        let request = CreateListRequest {
            contact_list: Some("wv:Anna/Work@im.example".into()),
            nick_list: Some(NickMembers {
                members: vec![
                    nick(Some("Bobby"), Some("bob")),
                    nick(Some(""), Some("wv:carol@other.org")),
                    NickMember::User("dan".into()),
                    nick(Some("nobody"), None),
                    NickMember::User("a b".into()),
                ],
            }),
            contact_list_properties: Some(props(&[
                ("displayname", "My Work"),
                ("Default", "t"),
                ("DoNotNotify", "T"),
                ("Colour", "red"),
            ])),
        };
        for version in Version::ALL {
            let create = create(&request, &facts(version, &home, Standard)).unwrap();
            assert_eq!(create.list, list("anna/work"));
            let members: Vec<_> = create
                .members
                .iter()
                .map(|m| (m.user.as_str(), m.nickname.as_deref()))
                .collect();
            assert_eq!(
                members,
                [
                    ("wv:bob@im.example", Some("Bobby")),
                    ("wv:carol@other.org", None),
                    ("wv:dan@im.example", None),
                ]
            );
            assert_eq!(create.malformed, ["a b"]);
            assert_eq!(create.properties.display_name.as_deref(), Some("My Work"));
            assert_eq!(create.properties.default, Some(true));
            if version == Version::V1_3 {
                assert_eq!(create.properties.do_not_notify, Some(true));
                assert_eq!(create.properties.invalid, ["Colour"]);
            } else {
                assert_eq!(create.properties.do_not_notify, None);
                assert_eq!(create.properties.invalid, ["DoNotNotify", "Colour"]);
            }
        }
    }

    #[test]
    fn a_list_that_is_missing_or_malformed_has_its_code() {
        let home = home();
        let facts = facts(Version::V1_2, &home, Standard);
        for (text, at_create, at_delete, at_manage) in [
            (None, 400, 400, 400),
            (Some(""), 402, 700, 700),
            (Some("wv:anna"), 402, 700, 700),
            (Some("wv:/work"), 402, 700, 700),
        ] {
            let contact_list = text.map(Text::new);
            let created = create(
                &CreateListRequest {
                    contact_list: contact_list.clone(),
                    ..CreateListRequest::default()
                },
                &facts,
            );
            assert_eq!(created.unwrap_err().code.0, at_create, "{text:?}");
            let deleted = delete(
                &DeleteListRequest {
                    contact_list: contact_list.clone(),
                },
                &facts,
            );
            assert_eq!(deleted.unwrap_err().code.0, at_delete, "{text:?}");
            let managed = manage(
                &ListManageRequest {
                    contact_list,
                    ..ListManageRequest::default()
                },
                &facts,
            );
            assert_eq!(managed.unwrap_err().code.0, at_manage, "{text:?}");
        }
    }

    #[test]
    fn a_flag_that_is_neither_t_nor_f_is_an_invalid_property() {
        let home = home();
        let facts = facts(Version::V1_2, &home, Standard);
        let changes = properties(Some(&props(&[("Default", "maybe"), ("", "x")])), &facts);
        assert_eq!(changes.default, None);
        assert_eq!(changes.invalid, ["Default", ""]);
    }

    #[test]
    fn the_response_includes_what_the_table_of_2_7_says() {
        let home = home();
        let add = || ListManageRequest {
            contact_list: Some("anna/work".into()),
            add_nick_list: Some(NickMembers {
                members: vec![nick(Some("B"), Some("bob"))],
            }),
            ..ListManageRequest::default()
        };
        let remove = || ListManageRequest {
            contact_list: Some("anna/work".into()),
            remove_nick_list: Some(RemoveNickList {
                user_id: vec!["bob".into(), "a b".into()],
            }),
            ..ListManageRequest::default()
        };
        let rename = || ListManageRequest {
            contact_list: Some("anna/work".into()),
            contact_list_properties: Some(props(&[("DisplayName", "x")])),
            ..ListManageRequest::default()
        };
        let read = || ListManageRequest {
            contact_list: Some("anna/work".into()),
            ..ListManageRequest::default()
        };
        let (v11, v12, v13) = (Version::V1_1, Version::V1_2, Version::V1_3);
        type Make<'a> = &'a dyn Fn() -> ListManageRequest;
        for (request, receive_list, version, members, properties) in [
            (&read as Make<'_>, None, v11, true, true),
            (&read, None, v12, true, true),
            (&read, None, v13, true, true),
            (&read, Some(true), v12, true, true),
            (&read, Some(true), v11, true, true),
            (&read, Some(false), v12, false, true),
            (&add, None, v11, true, false),
            (&add, Some(false), v11, true, false),
            (&add, None, v12, false, false),
            (&add, Some(false), v13, false, false),
            (&add, Some(true), v12, true, false),
            (&remove, None, v11, true, false),
            (&remove, Some(true), v13, true, false),
            (&remove, Some(false), v12, false, false),
            (&rename, None, v11, false, true),
            (&rename, None, v12, false, true),
            (&rename, Some(true), v13, true, true),
        ] {
            let mut request = request();
            request.receive_list = receive_list;
            let (manage, reply) = manage(&request, &facts(version, &home, Standard)).unwrap();
            let expected = Reply::ListManage {
                members,
                properties,
            };
            assert_eq!(reply, expected, "{request:?} in {version}");
            assert!(manage.remove.iter().all(|removed| *removed == user("bob")));
        }
    }

    #[test]
    fn members_always_have_a_name_and_properties_are_those_of_the_version() {
        let home = home();
        for version in Version::ALL {
            let facts = facts(version, &home, Standard);
            let written = managed_response(&managed(), true, true, &facts);
            let Primitive::ListManageResponse(response) = written else {
                panic!("{written:?}");
            };
            assert_eq!(response.result, Some(result::success()));
            assert_eq!(
                response.nick_list.unwrap().members,
                [
                    nick(Some("Bobby"), Some("wv:bob@im.example")),
                    nick(Some(""), Some("wv:carol@im.example")),
                ]
            );
            let names: Vec<_> = response
                .contact_list_properties
                .unwrap()
                .property
                .into_iter()
                .filter_map(|property| property.name)
                .collect();
            let expected = ["DisplayName", "Default", "DoNotNotify"];
            let count = if version == Version::V1_3 { 3 } else { 2 };
            assert_eq!(names, expected[..count]);

            let bare = managed_response(&managed(), false, false, &facts);
            let Primitive::ListManageResponse(response) = bare else {
                panic!("{bare:?}");
            };
            assert_eq!(response.nick_list, None);
            assert_eq!(response.contact_list_properties, None);
        }
    }

    #[test]
    fn an_empty_list_is_an_empty_element() {
        let home = home();
        let empty = Managed {
            members: Vec::new(),
            ..managed()
        };
        let written = managed_response(&empty, true, false, &facts(Version::V1_1, &home, Standard));
        let Primitive::ListManageResponse(response) = written else {
            panic!("{written:?}");
        };
        assert_eq!(response.nick_list, Some(NickMembers::default()));
    }

    #[test]
    fn and_15_lists_stand_where_the_client_looks_for_them() {
        let home = home();
        let lists = ContactLists {
            // Even if an element names the default list twice.
            others: vec![list("anna/work"), list("anna/friends")],
            default: Some(list("anna/friends")),
        };
        let work = "wv:anna/work@im.example";
        for (version, family, direct) in [
            (Version::V1_1, Standard, true),
            (Version::V1_2, Standard, true),
            (Version::V1_3, Standard, false),
            (Version::V1_3, Colibria, false),
            (Version::V1_2, Android, true),
            (Version::V1_3, Android, true),
        ] {
            let written = lists_response(&lists, &facts(version, &home, family));
            let Primitive::GetListResponse(response) = written else {
                panic!("{written:?}");
            };
            let default = response.default_contact_list.as_deref();
            assert_eq!(default, Some("wv:anna/friends@im.example"));
            let listed = response.contact_list_id_list.map(|list| list.contact_list);
            if direct {
                assert_eq!((response.contact_list, listed), (vec![work.into()], None));
            } else {
                assert_eq!(
                    (response.contact_list, listed),
                    (vec![], Some(vec![work.into()]))
                );
            }
        }
        let none = lists_response(
            &ContactLists::default(),
            &facts(Version::V1_3, &home, Standard),
        );
        assert_eq!(none, Primitive::GetListResponse(Box::default()));
    }

    #[test]
    fn and_15_get_list_is_refused_only_to_those_who_bear_it() {
        let home = home();
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE);
        let standard = facts(Version::V1_2, &home, Standard);
        assert_eq!(
            lists_refused(&refusal, &standard),
            result::refused(&refusal, &standard)
        );
        let android = facts(Version::V1_2, &home, Android);
        assert_eq!(
            lists_refused(&refusal, &android),
            Primitive::GetListResponse(Box::default())
        );
    }

    #[test]
    fn full_success_of_create_list_has_its_own_response_in_1_3_only() {
        let home = home();
        let created = |details| Created {
            list: list("anna/work"),
            properties: managed().properties,
            outcome: Outcome { details },
        };
        let failed = || vec![Detail::new(StatusCode::UNKNOWN_USER)];
        for (version, details, own) in [
            (Version::V1_1, vec![], false),
            (Version::V1_2, vec![], false),
            (Version::V1_3, vec![], true),
            (Version::V1_3, failed(), false),
        ] {
            let code = if details.is_empty() { 200 } else { 201 };
            let facts = facts(version, &home, Standard);
            match created_response(&created(details), &facts) {
                Primitive::CreateListResponse(response) if own => {
                    assert_eq!(
                        response.contact_list.as_deref(),
                        Some("wv:anna/work@im.example")
                    );
                }
                Primitive::Status(status) if !own => {
                    assert_eq!(status.result.unwrap().code, Some(code));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn mov_12_an_existing_list_takes_the_contacts() {
        let home = home();
        let create = |name: &str| CreateContactList {
            list: list(name),
            members: managed().members,
            malformed: vec!["a b".into()],
            properties: PropertyChanges::default(),
        };
        let merged = |name: &str, family: ClientFamily| {
            merge_instead(&create(name), &facts(Version::V1_2, &home, family))
        };
        assert!(merged("anna/work", Standard).is_none());
        assert!(merged("anna/work", Colibria).is_some());
        let pep = merged("anna/~PEP1.0_subscriptions", Standard).unwrap();
        assert_eq!(pep.add, managed().members);
        assert_eq!(pep.malformed, ["a b"]);
    }

    #[test]
    fn a_list_that_does_not_exist_is_told_in_the_own_response() {
        let home = home();
        let refusal = Refusal::new(StatusCode::NO_SUCH_CONTACT_LIST);
        let written = manage_refused(&refusal, &facts(Version::V1_1, &home, Standard));
        let Primitive::ListManageResponse(response) = written else {
            panic!("{written:?}");
        };
        assert_eq!(response.result.unwrap().code, Some(700));
        assert_eq!(response.nick_list, None);
    }
}
