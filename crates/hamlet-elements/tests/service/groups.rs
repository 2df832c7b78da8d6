//! csp-group 5 and 9: what the Group element does, and who hears of it.

use crate::common::{Server, outcome, user};
use hamlet_elements::group::{
    AddGroupMembers, CreateGroup, DeleteGroup, GetGroupMembers, GetGroupProps, GetJoinedUsers,
    GivenProperties, GivenUsers, GroupChange, JoinGroup, Joined, JoinedUser, LeaveGroup,
    MemberAccess, RejectList, RemoveGroupMembers, SetGroupProps, SubscribeGroupNotice,
    SubscribeType,
};
use hamlet_elements::notification::Notification;
use hamlet_elements::{Answer, Call, Event, IdempotenceKey, Request, Requestor, Response};
use hamlet_model::{Content, Domain, GroupId, UserId};

pub fn group(name: &str) -> GroupId {
    GroupId::parse(name, &Domain::parse("a").unwrap()).unwrap()
}

pub fn given(pairs: &[(&str, &str)]) -> GivenProperties {
    GivenProperties {
        properties: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        welcome_note: None,
    }
}

pub fn whom(names: &[&str]) -> GivenUsers {
    GivenUsers {
        users: names.iter().map(|name| user(name)).collect(),
        ..GivenUsers::default()
    }
}

pub fn create(id: &str, properties: &[(&str, &str)], join: Option<&str>) -> Request {
    Request::CreateGroup(Box::new(CreateGroup {
        group: group(id),
        properties: given(properties),
        own: GivenProperties::default(),
        join: join.is_some(),
        screen_name: join.map(str::to_owned),
        subscribe: true,
    }))
}

pub fn join(id: &str, name: Option<&str>) -> Request {
    Request::JoinGroup(Box::new(JoinGroup {
        group: group(id),
        screen_name: name.map(str::to_owned),
        list_joined: true,
        subscribe: true,
        own: GivenProperties::default(),
    }))
}

pub fn leave(id: &str) -> Request {
    Request::LeaveGroup(LeaveGroup { group: group(id) })
}

pub fn delete(id: &str) -> Request {
    Request::DeleteGroup(DeleteGroup { group: group(id) })
}

pub fn add(id: &str, names: &[&str]) -> Request {
    Request::AddGroupMembers(AddGroupMembers {
        group: group(id),
        users: whom(names),
    })
}

pub fn remove(id: &str, names: &[&str]) -> Request {
    Request::RemoveGroupMembers(RemoveGroupMembers {
        group: group(id),
        users: whom(names),
    })
}

pub fn access(id: &str, admins: &[&str], moderators: &[&str], users: &[&str]) -> Request {
    Request::MemberAccess(Box::new(MemberAccess {
        group: group(id),
        admins: whom(admins),
        moderators: whom(moderators),
        users: whom(users),
    }))
}

pub fn set(id: &str, properties: &[(&str, &str)]) -> Request {
    Request::SetGroupProps(Box::new(SetGroupProps {
        group: group(id),
        properties: Some(given(properties)),
        own: None,
    }))
}

pub fn set_own(id: &str, own: &[(&str, &str)]) -> Request {
    Request::SetGroupProps(Box::new(SetGroupProps {
        group: group(id),
        properties: None,
        own: Some(given(own)),
    }))
}

pub fn reject(id: &str, add: &[&str], remove: &[&str]) -> Request {
    Request::RejectList(Box::new(RejectList {
        group: group(id),
        add: whom(add),
        remove: whom(remove),
    }))
}

pub fn joined(answer: &Answer) -> Joined {
    match answer {
        Ok(Response::GroupJoined(joined)) => (**joined).clone(),
        other => panic!("{other:?}"),
    }
}

/// `anna bo=wv:bo@a`: names, with the addresses that are shown.
pub fn people(users: &[JoinedUser]) -> String {
    let one = |joined: &JoinedUser| match &joined.user {
        Some(user) => format!("{}={user}", joined.name),
        None => joined.name.to_string(),
    };
    users.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// `+bo -cy Topic=x IsMember=T` of a change.
pub fn summary(change: &GroupChange) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(change.joined.iter().map(|user| format!("+{}", user.name)));
    parts.extend(change.left.iter().map(|name| format!("-{name}")));
    let common = change.properties.properties.iter();
    parts.extend(common.map(|(name, value)| format!("{}={value}", name.as_str())));
    let own = change.own.iter();
    parts.extend(own.map(|(name, value)| format!("own {}={value}", name.as_str())));
    parts.join(" ")
}

/// What has been told of groups since the last look, `anna/phone +bo`, in the order of the
/// sessions.
pub fn told(server: &Server) -> Vec<String> {
    let mut told: Vec<String> = server.told.take().iter().filter_map(line).collect();
    told.sort();
    told
}

fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::GroupNotice {
            session, change, ..
        } => format!("{} {}", short(session.as_str()), summary(change)),
        Event::GroupLeft { session, code, .. } => {
            format!("{} out {code}", short(session.as_str()))
        }
        Event::Notification {
            user,
            notification: Notification::Group(..),
            ..
        } => {
            let Event::Notification { notification, .. } = event else {
                return None;
            };
            format!("{} {}", user.user(), notification.kind().code())
        }
        _ => return None,
    })
}

fn short(session: &str) -> String {
    session.replace("wv:", "").replace("@a", "")
}

/// Changes only, without the notifications of 1.3.
fn notices(server: &Server) -> Vec<String> {
    let mut told = told(server);
    told.retain(|line| line.contains('/'));
    told
}

async fn code(server: &Server, who: &Requestor, request: Request) -> String {
    outcome(&server.ask(who, request).await)
}

async fn members(server: &Server, who: &Requestor, id: &str) -> [Vec<UserId>; 3] {
    let request = Request::GetGroupMembers(GetGroupMembers { group: group(id) });
    match server.ask(who, request).await {
        Ok(Response::GroupMembers(members)) => [members.admins, members.moderators, members.users],
        other => panic!("{other:?}"),
    }
}

async fn present(server: &Server, who: &Requestor, id: &str) -> String {
    let request = Request::GetJoinedUsers(GetJoinedUsers { group: group(id) });
    match server.ask(who, request).await {
        Ok(Response::JoinedUsers(joined)) => people(&joined.users),
        Err(refusal) => refusal.code.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn props(server: &Server, who: &Requestor, id: &str) -> String {
    let request = Request::GetGroupProps(GetGroupProps { group: group(id) });
    match server.ask(who, request).await {
        Ok(Response::GroupProps(props)) => {
            let common = props.common.properties.iter();
            let own = props.own.iter();
            common
                .map(|(name, value)| format!("{}={value}", name.as_str()))
                .chain(own.map(|(name, value)| format!("own {}={value}", name.as_str())))
                .collect::<Vec<_>>()
                .join(" ")
        }
        Err(refusal) => refusal.code.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_group_is_made_and_its_maker_is_in_it() {
    // csp-group 5.1, 11.1 (Android).
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let party = [
        ("Name", "Party"),
        ("Accesstype", "Open"),
        ("AutoDelete", "T"),
    ];
    let request = create("wv:anna/party", &party, Some("Anna"));
    assert_eq!(code(&server, &anna, request.clone()).await, "200");
    assert_eq!(told(&server), ["anna GC"]);
    assert_eq!(code(&server, &anna, request).await, "801");
    assert_eq!(
        present(&server, &anna, "wv:anna/party").await,
        "Anna=wv:anna@a"
    );
    let [admins, ..] = members(&server, &anna, "wv:anna/party").await;
    assert_eq!(admins, [user("anna")]);
    let all = props(&server, &anna, "wv:anna/party").await;
    assert!(
        all.starts_with("Name=Party AccessType=Open Type=Private"),
        "{all}"
    );
    assert!(all.contains("ActiveUsers=1"), "{all}");
    assert!(
        all.contains("own IsMember=T own PrivilegeLevel=Admin"),
        "{all}"
    );
    for (who, id, properties, expected) in [
        (&bo, "wv:anna/other", &[][..], "806"),
        (&anna, "wv:anna/a/b", &[], "806"),
        (&anna, "wv:anna/x@b", &[], "516"),
        (&anna, "wv:anna/x", &[("Colour", "red")], "806"),
        (&anna, "wv:anna/x", &[("Type", "Public")], "806"),
        (&anna, "wv:anna/x", &[("Searchable", "T")], "822"),
    ] {
        assert_eq!(
            code(&server, who, create(id, properties, None)).await,
            expected,
            "{id}"
        );
    }
    assert_eq!(
        code(&server, &anna, create("wv:anna/x", &[], Some(" "))).await,
        "402"
    );
    assert_eq!(
        code(&server, &anna, create("wv:anna/x", &[], Some("*x*"))).await,
        "811"
    );
}

#[tokio::test]
async fn the_owner_needs_not_be_joined() {
    // csp-group 1, 11.2 (S60): populate first, join last.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let restricted = [("Accesstype", "Restricted")];
    for request in [
        create("wv:anna/g", &restricted, None),
        add("wv:anna/g", &["bo", "cy"]),
        access("wv:anna/g", &["bo"], &[], &[]),
        reject("wv:anna/g", &["cy"], &[]),
        set("wv:anna/g", &[("Topic", "snow")]),
    ] {
        assert_eq!(code(&server, &anna, request).await, "200");
    }
    assert_eq!(present(&server, &anna, "wv:anna/g").await, "808");
    let answer = server.ask(&anna, join("wv:anna/g", Some("Anna"))).await;
    assert_eq!(people(&joined(&answer).users.unwrap()), "Anna=wv:anna@a");
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    assert_eq!(code(&server, &bo, join("wv:anna/g", None)).await, "200");
    assert_eq!(code(&server, &cy, join("wv:anna/g", None)).await, "809");
}

#[tokio::test]
async fn who_joins_and_leaves_is_told_to_those_who_listen() {
    // csp-group 5.3, 5.4, 5.12, 5.13, 11.3.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    code(&server, &anna, create("wv:anna/g", &[], Some("Anna"))).await;
    told(&server);
    let answer = server.ask(&bo, join("wv:anna/g", None)).await;
    assert_eq!(joined(&answer).screen_name.as_str(), "bo");
    assert_eq!(people(&joined(&answer).users.unwrap()), "Anna bo");
    assert_eq!(told(&server), ["anna/phone +bo"]);
    assert_eq!(code(&server, &bo, join("wv:anna/g", None)).await, "807");
    assert_eq!(
        code(&server, &cy, join("wv:anna/g", Some("ANNA"))).await,
        "811"
    );
    assert_eq!(code(&server, &cy, join("wv:anna/g", Some(""))).await, "402");
    assert_eq!(code(&server, &cy, join("wv:anna/none", None)).await, "800");
    let notice = |kind| {
        let group = group("wv:anna/g");
        Request::SubscribeGroupNotice(SubscribeGroupNotice { group, kind })
    };
    assert_eq!(code(&server, &cy, notice(SubscribeType::Get)).await, "808");
    let subscribed = server.ask(&bo, notice(SubscribeType::Get)).await;
    assert_eq!(subscribed, Ok(Response::GroupNotices(true)));
    assert_eq!(
        code(&server, &bo, notice(SubscribeType::Unset)).await,
        "200"
    );
    let subscribed = server.ask(&bo, notice(SubscribeType::Get)).await;
    assert_eq!(subscribed, Ok(Response::GroupNotices(false)));
    assert_eq!(
        code(&server, &cy, join("wv:anna/g", Some("Cy"))).await,
        "200"
    );
    assert_eq!(told(&server), ["anna/phone +Cy"]);
    assert_eq!(code(&server, &bo, notice(SubscribeType::Set)).await, "200");
    assert_eq!(code(&server, &cy, leave("wv:anna/g")).await, "200");
    assert_eq!(told(&server), ["anna/phone -Cy", "bo/phone -Cy"]);
    assert_eq!(code(&server, &cy, leave("wv:anna/g")).await, "808");
    assert_eq!(code(&server, &cy, leave("wv:anna/none")).await, "800");
    // The name is free again.
    assert_eq!(
        code(&server, &cy, join("wv:anna/g", Some("Cy"))).await,
        "200"
    );
}

#[tokio::test]
async fn an_address_is_shown_only_to_those_who_may_see_it() {
    // csp-group 3, 5.5, 5.13.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    code(&server, &anna, create("wv:anna/g", &[], Some("Anna"))).await;
    code(&server, &bo, join("wv:anna/g", Some("King"))).await;
    let shown = Request::JoinGroup(Box::new(JoinGroup {
        own: given(&[("ShowID", "T")]),
        ..match join("wv:anna/g", Some("Cy")) {
            Request::JoinGroup(join) => *join,
            _ => unreachable!(),
        }
    }));
    assert_eq!(code(&server, &cy, shown).await, "200");
    let seen = server.told.take();
    let change = seen.iter().find_map(|event| match event {
        Event::GroupNotice { change, .. } if !change.joined.is_empty() => Some(change.clone()),
        _ => None,
    });
    assert_eq!(people(&change.unwrap().joined), "King");
    assert_eq!(
        present(&server, &bo, "wv:anna/g").await,
        "Anna King Cy=wv:cy@a"
    );
    let all = "Anna=wv:anna@a King=wv:bo@a Cy=wv:cy@a";
    assert_eq!(present(&server, &anna, "wv:anna/g").await, all);
    code(&server, &anna, access("wv:anna/g", &[], &["bo"], &[])).await;
    assert_eq!(present(&server, &bo, "wv:anna/g").await, all);
}

#[tokio::test]
async fn members_are_added_and_removed_by_those_who_may() {
    // csp-group 5.6, 5.7.
    let server = Server::start(&["anna", "bo", "cy", "dan"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let g = "wv:anna/g";
    code(&server, &anna, create(g, &[], Some("Anna"))).await;
    code(&server, &cy, join(g, None)).await;
    told(&server);
    let answer = code(&server, &anna, add(g, &["bo", "cy", "nobody"])).await;
    assert_eq!(answer, "201 531:wv:nobody@a");
    let expected = ["anna GMU", "bo GMG", "cy GMG", "cy/phone own IsMember=T"];
    assert_eq!(told(&server), expected);
    assert_eq!(
        code(&server, &anna, add(g, &["nobody"])).await,
        "531 531:wv:nobody@a"
    );
    assert_eq!(code(&server, &anna, add(g, &["bo"])).await, "200", "again");
    assert_eq!(told(&server), [""; 0]);
    // A name stands for who has it now.
    let by_name = |name: &str| {
        let users = GivenUsers {
            screen_names: vec![name.to_owned()],
            ..GivenUsers::default()
        };
        Request::RemoveGroupMembers(RemoveGroupMembers {
            group: group(g),
            users,
        })
    };
    assert_eq!(
        code(&server, &anna, by_name("nobody")).await,
        "410 410:nobody"
    );
    assert_eq!(code(&server, &anna, by_name("CY")).await, "200");
    assert_eq!(
        told(&server),
        ["anna GMU", "cy GMR", "cy/phone own IsMember=F"]
    );
    assert_eq!(code(&server, &bo, add(g, &["dan"])).await, "816");
    code(&server, &anna, access(g, &[], &["bo"], &[])).await;
    assert_eq!(code(&server, &bo, add(g, &["dan"])).await, "200");
    code(&server, &anna, access(g, &["dan"], &[], &[])).await;
    assert_eq!(
        code(&server, &bo, remove(g, &["dan"])).await,
        "816 816:wv:dan@a"
    );
    assert_eq!(
        code(&server, &anna, remove(g, &["anna"])).await,
        "816 816:wv:anna@a"
    );
    let [admins, moderators, users] = members(&server, &bo, g).await;
    assert_eq!(
        (admins, moderators, users),
        (vec![user("anna"), user("dan")], vec![user("bo")], vec![])
    );
    let request = Request::GetGroupMembers(GetGroupMembers { group: group(g) });
    assert_eq!(
        code(&server, &cy, request).await,
        "816",
        "joined, but no more"
    );
}

#[tokio::test]
async fn who_loses_membership_has_to_leave_a_restricted_group() {
    // csp-group 5.4, 5.7.
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let g = "wv:anna/g";
    code(
        &server,
        &anna,
        create(g, &[("AccessType", "Restricted")], Some("Anna")),
    )
    .await;
    assert_eq!(code(&server, &bo, join(g, None)).await, "810");
    code(&server, &anna, add(g, &["bo"])).await;
    assert_eq!(code(&server, &bo, join(g, None)).await, "200");
    told(&server);
    assert_eq!(code(&server, &anna, remove(g, &["bo"])).await, "200");
    let expected = ["anna GMU", "anna/phone -bo", "bo GMR", "bo/phone out 810"];
    assert_eq!(told(&server), expected);
    assert_eq!(code(&server, &bo, join(g, None)).await, "810");
}

#[tokio::test]
async fn roles_are_given_by_administrators_alone() {
    // csp-group 5.8.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let g = "wv:anna/g";
    code(&server, &anna, create(g, &[], Some("Anna"))).await;
    code(&server, &bo, join(g, None)).await;
    told(&server);
    assert_eq!(
        code(&server, &anna, access(g, &[], &["bo"], &["cy", "x"])).await,
        "201 531:wv:x@a"
    );
    let expected = [
        "anna GMAU",
        "anna GMU",
        "bo GMAU",
        "bo GMG",
        "bo/phone own IsMember=T own PrivilegeLevel=Mod",
        "cy GMG",
    ];
    assert_eq!(told(&server), expected);
    assert_eq!(
        code(&server, &bo, access(g, &["cy"], &[], &[])).await,
        "816 816:wv:cy@a"
    );
    assert_eq!(
        code(&server, &bo, access(g, &[], &[], &["cy"])).await,
        "200"
    );
    assert_eq!(
        code(&server, &cy, access(g, &[], &[], &["bo"])).await,
        "816"
    );
    code(&server, &anna, access(g, &["bo"], &[], &[])).await;
    let demotion = access(g, &[], &[], &["anna"]);
    assert_eq!(
        code(&server, &bo, demotion).await,
        "816 816:wv:anna@a",
        "the owner"
    );
    assert_eq!(
        code(&server, &bo, access(g, &["anna"], &[], &[])).await,
        "200",
        "as he is"
    );
}

#[tokio::test]
async fn changed_properties_are_told_to_the_others() {
    // csp-group 5.9, 5.10.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let g = "wv:anna/g";
    code(&server, &anna, create(g, &[], Some("Anna"))).await;
    code(&server, &bo, join(g, None)).await;
    told(&server);
    let request = set(
        g,
        &[("Topic", "snow"), ("PrivateMessaging", "T"), ("Name", "")],
    );
    assert_eq!(code(&server, &anna, request).await, "200");
    assert_eq!(told(&server), ["bo/phone PrivateMessaging=T Topic=snow"]);
    assert_eq!(
        code(&server, &anna, set(g, &[("Topic", "snow")])).await,
        "200"
    );
    assert_eq!(told(&server), [""; 0], "nothing has changed");
    assert_eq!(
        code(&server, &bo, set(g, &[("Topic", "rain")])).await,
        "816"
    );
    // One part fails, the other is done.
    let both = |who| {
        Request::SetGroupProps(Box::new(SetGroupProps {
            group: group(g),
            properties: Some(given(&[("Topic", who)])),
            own: Some(given(&[("PrivateMessaging", "F")])),
        }))
    };
    assert_eq!(
        code(&server, &bo, both("rain")).await,
        "201 816:wv:anna/g@a"
    );
    let all = props(&server, &bo, g).await;
    assert!(
        all.contains("Topic=snow") && all.contains("own PrivateMessaging=F"),
        "{all}"
    );
    let answer = code(&server, &cy, both("rain")).await;
    assert_eq!(answer, "900 816:wv:anna/g@a 808:wv:anna/g@a");
    assert_eq!(
        code(&server, &cy, set_own(g, &[("AutoJoin", "T")])).await,
        "808"
    );
    assert_eq!(
        code(&server, &bo, set_own(g, &[("IsMember", "T")])).await,
        "806"
    );
    assert_eq!(
        code(&server, &bo, set_own(g, &[("ScreenName", "anna")])).await,
        "811"
    );
    let echo = [
        ("IsMember", "F"),
        ("PrivilegeLevel", "User"),
        ("PrivateMessaging", "T"),
    ];
    assert_eq!(
        code(&server, &bo, set_own(g, &echo)).await,
        "200",
        "S60 echoes"
    );
    // A stranger sees an open group, and only an open one.
    let all = props(&server, &cy, g).await;
    assert!(
        all.ends_with("own IsMember=F own PrivilegeLevel=User"),
        "{all}"
    );
    code(&server, &anna, set(g, &[("AccessType", "Restricted")])).await;
    assert_eq!(props(&server, &cy, g).await, "816");
    code(&server, &anna, set(g, &[("Searchable", "T")])).await;
    assert_ne!(props(&server, &cy, g).await, "816");
}

#[tokio::test]
async fn strangers_have_to_go_when_a_group_becomes_restricted() {
    // csp-group 5.10, 11.6.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let g = "wv:anna/g";
    code(&server, &anna, create(g, &[("AutoDelete", "T")], None)).await;
    code(&server, &anna, add(g, &["bo"])).await;
    for who in [&bo, &cy] {
        code(&server, who, join(g, None)).await;
    }
    told(&server);
    let restrict = set(g, &[("Accesstype", "Restricted")]);
    assert_eq!(code(&server, &anna, restrict).await, "200");
    let expected = ["bo/phone -cy AccessType=Restricted", "cy/phone out 803"];
    assert_eq!(told(&server), expected);
    assert_eq!(code(&server, &cy, join(g, None)).await, "810");
    assert_eq!(present(&server, &bo, g).await, "bo");
}

#[tokio::test]
async fn who_is_rejected_is_put_out_and_stays_out() {
    // csp-group 5.11, 11.4.
    let server = Server::start(&["anna", "bo", "cy", "dan"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let g = "wv:anna/g";
    code(&server, &anna, create(g, &[], Some("Anna"))).await;
    for who in [&bo, &cy] {
        code(&server, who, join(g, None)).await;
    }
    told(&server);
    let answer = server.ask(&anna, reject(g, &["cy", "anna"], &[])).await;
    assert_eq!(answer, Ok(Response::RejectList(vec![user("cy")])));
    let expected = [
        "anna/phone -cy",
        "bo/phone -cy",
        "cy GR",
        "cy/phone out 809",
    ];
    assert_eq!(told(&server), expected);
    assert_eq!(code(&server, &cy, join(g, None)).await, "809");
    assert_eq!(code(&server, &bo, reject(g, &[], &[])).await, "816");
    assert_eq!(
        code(&server, &anna, reject(g, &["x"], &[])).await,
        "531 531:wv:x@a"
    );
    code(&server, &anna, access(g, &["dan"], &["bo"], &[])).await;
    assert_eq!(
        code(&server, &bo, reject(g, &["dan"], &[])).await,
        "816 816:wv:dan@a"
    );
    let answer = server.ask(&bo, reject(g, &[], &["cy", "nobody"])).await;
    assert_eq!(answer, Ok(Response::RejectList(Vec::new())));
    assert_eq!(code(&server, &cy, join(g, None)).await, "200");
}

#[tokio::test]
async fn a_deleted_group_is_left_by_all() {
    // csp-group 5.2, 11.5.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let g = "wv:anna/g";
    code(&server, &anna, create(g, &[], Some("Anna"))).await;
    code(&server, &anna, add(g, &["bo"])).await;
    for who in [&bo, &cy] {
        code(&server, who, join(g, None)).await;
    }
    told(&server);
    assert_eq!(code(&server, &bo, delete(g)).await, "816");
    assert_eq!(code(&server, &anna, delete(g)).await, "200");
    let expected = ["anna GD", "bo GD", "bo/phone out 800", "cy/phone out 800"];
    assert_eq!(told(&server), expected);
    assert_eq!(code(&server, &anna, delete(g)).await, "800");
    assert_eq!(code(&server, &bo, leave(g)).await, "800");
}

#[tokio::test]
async fn limits_hold() {
    // csp-group 5.1, 5.3, 10: 814, 815, 817.
    let mut config = hamlet_elements::ElementsConfig::new(Domain::parse("a").unwrap());
    config.groups.max_owned = 2;
    config.groups.max_groups = 3;
    config.groups.max_joined = 2;
    config.groups.max_active_users = 3;
    let users = ["anna", "bo", "cy", "dan"];
    let server = Server::with(config, &users, std::sync::Arc::new(crate::common::NoRelay)).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let dan = server.log_in("dan", "phone").await;
    let full = [("MaxActiveUsers", "1")];
    assert_eq!(
        code(&server, &anna, create("wv:anna/1", &full, None)).await,
        "200"
    );
    assert_eq!(
        code(&server, &anna, create("wv:anna/2", &[], None)).await,
        "200"
    );
    assert_eq!(
        code(&server, &anna, create("wv:anna/3", &[], None)).await,
        "814"
    );
    assert_eq!(
        code(&server, &bo, create("wv:bo/1", &[], None)).await,
        "200"
    );
    assert_eq!(
        code(&server, &bo, create("wv:bo/2", &[], None)).await,
        "815"
    );
    assert_eq!(code(&server, &bo, join("wv:anna/1", None)).await, "200");
    assert_eq!(code(&server, &cy, join("wv:anna/1", None)).await, "817");
    assert_eq!(
        code(&server, &anna, join("wv:anna/1", None)).await,
        "200",
        "the owner"
    );
    assert_eq!(code(&server, &bo, join("wv:anna/2", None)).await, "200");
    assert_eq!(code(&server, &bo, join("wv:bo/1", None)).await, "814");
    // The limit of the server counts where the group has none, and nobody is put out.
    for who in [&cy, &dan] {
        assert_eq!(code(&server, who, join("wv:anna/2", None)).await, "200");
    }
    assert_eq!(code(&server, &anna, set("wv:anna/2", &full)).await, "200");
    assert_eq!(present(&server, &bo, "wv:anna/2").await, "bo cy dan");
}

#[tokio::test]
async fn a_welcome_note_greets_who_joins() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let note = |text: &str| {
        Request::SetGroupProps(Box::new(SetGroupProps {
            group: group("wv:anna/g"),
            properties: Some(GivenProperties {
                properties: Vec::new(),
                welcome_note: Some(Content::text(text)),
            }),
            own: None,
        }))
    };
    code(&server, &anna, create("wv:anna/g", &[], None)).await;
    assert_eq!(code(&server, &anna, note("Hello")).await, "200");
    let answer = server.ask(&bo, join("wv:anna/g", None)).await;
    assert_eq!(joined(&answer).welcome_note, Some(Content::text("Hello")));
    code(&server, &bo, leave("wv:anna/g")).await;
    assert_eq!(code(&server, &anna, note("")).await, "200");
    let answer = server.ask(&bo, join("wv:anna/g", None)).await;
    assert_eq!(joined(&answer).welcome_note, None);
}

#[tokio::test]
async fn each_client_of_a_user_joins_for_itself() {
    // csp-group 1, 5.3 item 8.
    let server = Server::start(&["anna"]).await;
    let phone = server.log_in("anna", "phone").await;
    let pc = server.log_in("anna", "pc").await;
    code(&server, &phone, create("wv:anna/g", &[], Some("Anna"))).await;
    assert_eq!(code(&server, &pc, leave("wv:anna/g")).await, "808");
    assert_eq!(
        code(&server, &pc, join("wv:anna/g", Some("anna"))).await,
        "811"
    );
    let answer = server.ask(&pc, join("wv:anna/g", None)).await;
    assert_eq!(joined(&answer).screen_name.as_str(), "anna-2");
    assert_eq!(notices(&server), ["anna/phone +anna-2"]);
    assert_eq!(code(&server, &phone, leave("wv:anna/g")).await, "200");
    assert_eq!(notices(&server), ["anna/pc -Anna"]);
    assert_eq!(present(&server, &pc, "wv:anna/g").await, "anna-2=wv:anna@a");
}

#[tokio::test]
async fn a_repeated_request_is_answered_again_and_nothing_more() {
    // csp-group 1.0; csp-access 2.3.
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    code(&server, &anna, create("wv:anna/g", &[], Some("Anna"))).await;
    told(&server);
    let twice = |number: &str, request: Request| {
        let key = IdempotenceKey {
            scope: "bo".into(),
            id: number.into(),
            hash: 1,
        };
        Call {
            requestor: bo.clone(),
            request,
            key: Some(key),
        }
    };
    let joining = twice("1", join("wv:anna/g", None));
    let first = server.elements.call(joining.clone()).await;
    assert_eq!(told(&server), ["anna/phone +bo"]);
    assert_eq!(server.elements.call(joining).await, first, "with the list");
    assert_eq!(told(&server), [""; 0]);
    let leaving = twice("2", leave("wv:anna/g"));
    for _ in 0..2 {
        assert_eq!(outcome(&server.elements.call(leaving.clone()).await), "200");
    }
    assert_eq!(told(&server), ["anna/phone -bo"]);
}
