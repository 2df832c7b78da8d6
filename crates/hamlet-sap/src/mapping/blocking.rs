//! Block and grant lists: GetBlockedList and BlockEntity (csp-im 11.1, 11.2).

use super::Facts;
use super::result::text_of;
use hamlet_csp::elements::{
    BlockEntityRequest, BlockList, EntityList, GetBlockedListResponse, GrantList, Primitive,
    ScreenName,
};
use hamlet_csp::{Text, Version};
use hamlet_elements::blocking::{ChangeAccessLists, ListChange};
use hamlet_model::refusal::{Failures, GivenScreenName};
use hamlet_model::{
    AccessEntity, AccessList, AccessLists, ApplicationId, ContactListId, GroupId, StatusCode,
    UserId,
};

/// The entities of EntityList, AddList or RemoveList, which have the same content.
#[derive(Clone, Copy)]
struct Entities<'a> {
    users: &'a [Text],
    screen_names: &'a [ScreenName],
    groups: &'a [Text],
    contact_lists: &'a [Text],
    applications: &'a [Text],
}

macro_rules! entities {
    ($list:expr) => {
        Entities {
            users: &$list.user_id,
            screen_names: &$list.screen_name,
            groups: &$list.group_id,
            contact_lists: &$list.contact_list,
            applications: &$list.application_id,
        }
    };
}

/// Reads BlockEntity-Request: the flags stand inside the lists (1.1, 1.2) or beside them
/// (1.3), EntityList counts as AddList (11.2).
pub fn change(request: &BlockEntityRequest, facts: &Facts<'_>) -> ChangeAccessLists {
    let mut change = ChangeAccessLists::default();
    macro_rules! read {
        ($list:ident, $flag:ident, $side:ident) => {
            let list = request.$list.as_ref();
            change.$side.in_use = request.$flag.or(list.and_then(|list| list.in_use));
            if let Some(list) = list {
                let whole = list.entity_list.as_ref().map(|list| entities!(list));
                let added = list.add_list.as_ref().map(|list| entities!(list));
                for given in whole.into_iter().chain(added) {
                    add(given, facts, &mut change.$side, &mut change.malformed);
                }
                if let Some(removed) = &list.remove_list {
                    change.$side.remove = read(entities!(removed), facts, &mut Failures::new());
                }
            }
        };
    }
    read!(block_list, block_list_in_use, block);
    read!(grant_list, grant_list_in_use, grant);
    change
}

fn add(given: Entities<'_>, facts: &Facts<'_>, change: &mut ListChange, failures: &mut Failures) {
    change.add.extend(read(given, facts, failures));
}

/// What is named; empty elements name nothing, and what is no address does not exist.
fn read(given: Entities<'_>, facts: &Facts<'_>, failures: &mut Failures) -> Vec<AccessEntity> {
    let home = facts.home;
    let filled = |text: &&Text| !text.trim().is_empty();
    let mut all = Vec::new();
    for text in given.users.iter().filter(filled) {
        match UserId::parse(text, home) {
            Ok(user) => all.push(AccessEntity::User(user)),
            Err(_) => {
                let block = failures.block(StatusCode::UNKNOWN_USER);
                block.malformed.push(text.to_string());
            }
        }
    }
    for given in given.screen_names {
        let name = given.sname.as_deref().unwrap_or("").to_owned();
        let group = given.group_id.as_deref().unwrap_or("");
        if name.is_empty() && group.is_empty() {
            continue;
        }
        match GroupId::parse(group, home) {
            Ok(group) if !name.is_empty() => all.push(AccessEntity::ScreenName { name, group }),
            _ => {
                let group = group.to_owned();
                let block = failures.block(StatusCode::NO_SUCH_GROUP);
                block.screen_names.push(GivenScreenName { name, group });
            }
        }
    }
    for text in given.groups.iter().filter(filled) {
        match GroupId::parse(text, home) {
            Ok(group) => all.push(AccessEntity::Group(group)),
            Err(_) => {
                let block = failures.block(StatusCode::NO_SUCH_GROUP);
                block.malformed_others.groups.push(text.to_string());
            }
        }
    }
    for text in given.contact_lists.iter().filter(filled) {
        match ContactListId::parse(text, home) {
            Ok(list) => all.push(AccessEntity::ContactList(list)),
            Err(_) => {
                let block = failures.block(StatusCode::NO_SUCH_CONTACT_LIST);
                block.malformed_others.contact_lists.push(text.to_string());
            }
        }
    }
    let applications = given.applications.iter().filter(filled);
    all.extend(applications.map(|text| AccessEntity::Application(ApplicationId::new(text.trim()))));
    all
}

/// GetBlockedList-Response, in the form of the version: the older ones know neither contact
/// lists nor applications.
pub fn response(lists: &AccessLists, facts: &Facts<'_>) -> Primitive {
    let latest = facts.version == Version::V1_3;
    let (block, grant) = (&lists.block, &lists.grant);
    let inside = |list: &AccessList| (!latest).then_some(list.in_use);
    let beside = |list: &AccessList| latest.then_some(list.in_use);
    Primitive::GetBlockedListResponse(Box::new(GetBlockedListResponse {
        block_list: Some(BlockList {
            in_use: inside(block),
            entity_list: entity_list(block, latest),
            ..BlockList::default()
        }),
        block_list_in_use: beside(block),
        grant_list: Some(GrantList {
            in_use: inside(grant),
            entity_list: entity_list(grant, latest),
            ..GrantList::default()
        }),
        grant_list_in_use: beside(grant),
    }))
}

fn entity_list(list: &AccessList, latest: bool) -> Option<EntityList> {
    let mut element = EntityList::default();
    for entity in &list.entities {
        match entity {
            AccessEntity::User(user) => element.user_id.push(text_of(user)),
            AccessEntity::ScreenName { name, group } => element.screen_name.push(ScreenName {
                sname: Some(Text::new(name)),
                group_id: Some(text_of(group)),
            }),
            AccessEntity::Group(group) => element.group_id.push(text_of(group)),
            AccessEntity::ContactList(list) if latest => element.contact_list.push(text_of(list)),
            AccessEntity::Application(application) if latest => {
                element.application_id.push(Text::new(application.as_str()));
            }
            AccessEntity::ContactList(_) | AccessEntity::Application(_) => {}
        }
    }
    (element != EntityList::default()).then_some(element)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::mapping::tests::{facts, home, list, user};
    use hamlet_csp::elements::{AddList, RemoveList};

    fn group(name: &str) -> GroupId {
        GroupId::parse(name, &home()).unwrap()
    }

    fn everything() -> AccessLists {
        AccessLists {
            block: AccessList {
                in_use: true,
                entities: vec![
                    AccessEntity::User(user("anna")),
                    AccessEntity::ScreenName {
                        name: "Cy".into(),
                        group: group("/g"),
                    },
                    AccessEntity::Group(group("/h")),
                    AccessEntity::ContactList(list("bo/friends")),
                    AccessEntity::Application(ApplicationId::new("chess")),
                ],
            },
            grant: AccessList::default(),
        }
    }

    #[test]
    fn lists_are_told_in_the_form_of_the_version() {
        let home = home();
        for version in Version::ALL {
            let facts = facts(version, &home, ClientFamily::Standard);
            let Primitive::GetBlockedListResponse(told) = response(&everything(), &facts) else {
                panic!("another primitive");
            };
            let latest = version == Version::V1_3;
            let (block, grant) = (told.block_list.unwrap(), told.grant_list.unwrap());
            assert_eq!(block.in_use, (!latest).then_some(true));
            assert_eq!(grant.in_use, (!latest).then_some(false));
            assert_eq!(told.block_list_in_use, latest.then_some(true));
            assert_eq!(told.grant_list_in_use, latest.then_some(false));
            let entities = block.entity_list.unwrap();
            assert_eq!(entities.user_id, ["wv:anna@im.example"]);
            assert_eq!(entities.screen_name.len(), 1);
            assert_eq!(entities.group_id, ["wv:/h@im.example"]);
            assert_eq!(entities.contact_list.len(), usize::from(latest));
            assert_eq!(entities.application_id.len(), usize::from(latest));
            assert_eq!(grant.entity_list, None);
        }
    }

    #[test]
    fn flags_are_read_inside_and_beside_the_lists() {
        let home = home();
        let facts = facts(Version::V1_2, &home, ClientFamily::Standard);
        for (inside, beside, expected) in [
            (None, None, None),
            (Some(true), None, Some(true)),
            (None, Some(false), Some(false)),
            (Some(true), Some(false), Some(false)),
        ] {
            let request = BlockEntityRequest {
                block_list: Some(BlockList {
                    in_use: inside,
                    ..BlockList::default()
                }),
                block_list_in_use: beside,
                ..BlockEntityRequest::default()
            };
            let read = change(&request, &facts);
            assert_eq!(read.block.in_use, expected);
            assert_eq!(read.grant, ListChange::default());
        }
    }

    #[test]
    fn entities_are_read_and_what_is_none_has_its_code() {
        let home = home();
        let facts = facts(Version::V1_3, &home, ClientFamily::Standard);
        let name = |name: &str, group: &str| ScreenName {
            sname: Some(name.into()),
            group_id: Some(group.into()),
        };
        let request = BlockEntityRequest {
            block_list: Some(BlockList {
                add_list: Some(AddList {
                    user_id: vec!["Anna".into(), "".into(), "a b".into()],
                    screen_name: vec![name("Cy", "/g"), name("", ""), name("Di", "no group")],
                    group_id: vec!["/h".into(), "no group".into()],
                    contact_list: vec!["bo/friends".into(), "none".into()],
                    application_id: vec!["chess".into(), "".into()],
                }),
                remove_list: Some(RemoveList {
                    user_id: vec!["carl".into(), "a b".into()],
                    ..RemoveList::default()
                }),
                entity_list: Some(EntityList {
                    user_id: vec!["eve".into()],
                    ..EntityList::default()
                }),
                in_use: None,
            }),
            ..BlockEntityRequest::default()
        };
        let read = change(&request, &facts);
        let mut expected = everything().block.entities;
        expected.insert(0, AccessEntity::User(user("eve")));
        assert_eq!(read.block.add, expected);
        assert_eq!(read.block.remove, [AccessEntity::User(user("carl"))]);
        let details = read.malformed.into_details();
        let codes: Vec<u16> = details.iter().map(|detail| detail.code.0).collect();
        assert_eq!(codes, [531, 800, 700]);
        assert_eq!(details[0].malformed, ["a b"]);
        assert_eq!(details[1].screen_names.len(), 1);
        assert_eq!(details[1].malformed_others.groups, ["no group"]);
        assert_eq!(details[2].malformed_others.contact_lists, ["none"]);
    }
}
