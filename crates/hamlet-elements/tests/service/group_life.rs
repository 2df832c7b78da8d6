//! csp-group 9: how sessions, time, accounts and restarts act on groups; 7 and 8: how people
//! are asked in; data-types 5: how groups are found.

use crate::common::{Server, outcome, user};
use crate::groups::{
    add, create, delete, given, group, join, joined, leave, reject, set, set_own, told, whom,
};
use hamlet_elements::group::{ExtendConversation, GetJoinedUsers, GivenProperties, JoinGroup};
use hamlet_elements::invitation::{AnswerInvitation, CancelInvitation, Invite, InviteType};
use hamlet_elements::push::PushContent;
use hamlet_elements::search::{
    Hits, NamedElement, PageSize, Search, SearchElement, SearchPair, StopSearch,
};
use hamlet_elements::{Event, Request, Requestor, Response};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{
    Content, GroupId, MessageParty, Recipients, Role, ScreenName, Timestamp, UserId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const G: &str = "wv:anna/g";

async fn code(server: &Server, who: &Requestor, request: Request) -> String {
    outcome(&server.ask(who, request).await)
}

async fn names(server: &Server, who: &Requestor, id: &str) -> Vec<String> {
    let request = Request::GetJoinedUsers(GetJoinedUsers { group: group(id) });
    match server.ask(who, request).await {
        Ok(Response::JoinedUsers(joined)) => joined
            .users
            .iter()
            .map(|user| user.name.to_string())
            .collect(),
        Err(refusal) => vec![refusal.code.to_string()],
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_loses_his_session_leaves_and_comes_back_by_himself() {
    // csp-group 9, 11.9.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    code(&server, &anna, create(G, &[], Some("Anna"))).await;
    code(&server, &bo, join(G, Some("King"))).await;
    let own = [("AutoJoin", "T"), ("ScreenName", "King")];
    assert_eq!(code(&server, &bo, set_own(G, &own)).await, "200");
    told(&server);
    server.log_out(&bo).await;
    assert_eq!(told(&server), ["anna/phone -King"]);
    // Nobody else gets his name meanwhile.
    let cy = server.log_in("cy", "phone").await;
    assert_eq!(code(&server, &cy, join(G, Some("king"))).await, "811");
    let bo = server.log_in("bo", "phone").await;
    assert_eq!(
        code(&server, &bo, leave(G)).await,
        "808",
        "not before he can hear"
    );
    told(&server);
    let facts = server.facts("bo", "phone");
    assert_eq!(server.elements.auto_join(&facts, true).await.unwrap(), 1);
    assert_eq!(told(&server), ["anna/phone +King", "bo/phone +King"]);
    assert_eq!(
        server.elements.auto_join(&facts, true).await.unwrap(),
        0,
        "he is there"
    );
    // With his name in use by another client of his he gets another.
    server.log_in("bo", "pc").await;
    let facts = server.facts("bo", "pc");
    assert_eq!(server.elements.auto_join(&facts, false).await.unwrap(), 1);
    assert_eq!(
        told(&server),
        ["anna/phone +King-2", "bo/phone +King-2"],
        "it does not listen"
    );
    // Where he may not join nothing happens.
    code(&server, &anna, reject(G, &["bo"], &[])).await;
    server.log_in("bo", "tablet").await;
    let facts = server.facts("bo", "tablet");
    assert_eq!(server.elements.auto_join(&facts, true).await.unwrap(), 0);
}

#[tokio::test]
async fn a_client_that_logs_in_anew_takes_the_place_of_its_dead_session() {
    // csp-group 5.3 item 5.
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    code(&server, &anna, create(G, &[], Some("Anna"))).await;
    code(&server, &bo, join(G, Some("King"))).await;
    // The server died between ending the session and leaving its groups.
    let id = bo.session.clone().unwrap();
    let gone = id.clone();
    let ended = server
        .store
        .write(move |tx| tx.end_session(&gone, 600, Timestamp::now()));
    ended.await.unwrap();
    let again = Requestor {
        session: Some(hamlet_model::SessionId::new("wv:bo@a/phone 2")),
        ..bo.clone()
    };
    let session = hamlet_store::StoredSession {
        id: again.session.clone().unwrap(),
        user: user("bo"),
        client: bo.client.clone().unwrap(),
        application: None,
        data: Vec::new(),
        created: Timestamp::now(),
        expires: Timestamp::now().plus(Duration::from_secs(60)),
    };
    server
        .store
        .write(move |tx| tx.put_session(&session))
        .await
        .unwrap();
    assert_eq!(
        code(&server, &bo, join(G, None)).await,
        "604",
        "the dead one joins nothing"
    );
    told(&server);
    let answer = server.ask(&again, join(G, Some("King"))).await;
    assert_eq!(joined(&answer).screen_name.as_str(), "King");
    assert_eq!(told(&server), ["anna/phone +King"]);
    assert_eq!(code(&server, &again, join(G, None)).await, "807");
    // What comes late for the dead session does not end the new one's join.
    server.elements.session_closed(&id).await.unwrap();
    assert_eq!(names(&server, &again, G).await, ["Anna", "King"]);
}

#[tokio::test]
async fn joins_whose_sessions_are_gone_are_ended_at_the_next_sweep() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    code(&server, &anna, create(G, &[], Some("Anna"))).await;
    code(&server, &bo, join(G, None)).await;
    let gone = bo.session.clone().unwrap();
    let ended = server
        .store
        .write(move |tx| tx.end_session(&gone, 600, Timestamp::now()));
    ended.await.unwrap();
    let server = server.restart().await;
    told(&server);
    server.elements.expire(Timestamp::now()).await.unwrap();
    assert_eq!(told(&server), ["anna/phone -bo"]);
    assert_eq!(names(&server, &anna, G).await, ["Anna"], "hers lives on");
}

#[tokio::test]
async fn a_group_may_go_with_the_last_who_leaves() {
    // csp-group 9: and not before.
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    code(&server, &anna, create(G, &[("AutoDelete", "T")], None)).await;
    for who in [&anna, &bo] {
        code(&server, who, join(G, None)).await;
    }
    told(&server);
    assert_eq!(code(&server, &anna, leave(G)).await, "200");
    assert_eq!(told(&server), ["bo/phone -anna"]);
    server.log_out(&bo).await;
    assert_eq!(told(&server), ["anna GD"]);
    assert_eq!(code(&server, &anna, join(G, None)).await, "800");
    // One that does not go stays when it is empty; put out, nobody takes it with him.
    code(&server, &anna, create(G, &[("AutoDelete", "T")], None)).await;
    let bo = server.log_in("bo", "phone").await;
    code(&server, &bo, join(G, None)).await;
    code(&server, &anna, reject(G, &["bo"], &[])).await;
    assert_eq!(code(&server, &anna, join(G, None)).await, "200");
}

#[tokio::test]
async fn a_group_ends_with_its_validity() {
    // csp-group 9.
    let server = Server::start(&["anna"]).await;
    let anna = server.log_in("anna", "phone").await;
    code(
        &server,
        &anna,
        create(G, &[("Validity", "60")], Some("Anna")),
    )
    .await;
    told(&server);
    let soon = |secs| Timestamp::now().plus(Duration::from_secs(secs));
    server.elements.expire(soon(50)).await.unwrap();
    assert_eq!(names(&server, &anna, G).await, ["Anna"]);
    code(&server, &anna, set(G, &[("Validity", "3600")])).await;
    server.elements.expire(soon(70)).await.unwrap();
    assert_eq!(
        names(&server, &anna, G).await,
        ["Anna"],
        "it has been prolonged"
    );
    told(&server);
    server.elements.expire(soon(3700)).await.unwrap();
    assert_eq!(told(&server), ["anna GD", "anna/phone out 800"]);
    assert_eq!(names(&server, &anna, G).await, ["800"]);
}

#[tokio::test]
async fn the_groups_of_a_deleted_account_end() {
    // csp-group 9; also when it was deleted while the server was down.
    for while_down in [false, true] {
        let server = Server::start(&["anna", "bo"]).await;
        let anna = server.log_in("anna", "phone").await;
        let bo = server.log_in("bo", "phone").await;
        code(&server, &anna, create(G, &[], None)).await;
        code(&server, &bo, join(G, None)).await;
        told(&server);
        let deleted = server.store.write(|tx| tx.delete_account(&user("anna")));
        assert!(deleted.await.unwrap());
        let server = match while_down {
            true => server.restart().await,
            false => {
                server.elements.end_orphaned_groups().await.unwrap();
                server
            }
        };
        assert_eq!(
            told(&server),
            ["anna GD", "bo/phone out 800"],
            "{while_down}"
        );
        assert_eq!(code(&server, &bo, join(G, None)).await, "800");
    }
}

fn invite(kind: InviteType, id: &str, whom: &[&str]) -> Request {
    let parties = whom.iter().map(|name| MessageParty::user(user(name)));
    Request::Invite(Box::new(Invite {
        id: id.into(),
        kind: Some(kind),
        sender: Ok(None),
        recipients: Recipients {
            parties: parties.collect(),
            ..Recipients::default()
        },
        application: None,
        group: Some(Ok(group(G))),
        attributes: AttributeSet::EMPTY,
        urls: Vec::new(),
        note: None,
        screen_name: None,
        validity: None,
    }))
}

fn say(id: &str, accepted: bool) -> Request {
    Request::AnswerInvitation(Box::new(AnswerInvitation {
        id: id.into(),
        accepted,
        note: None,
        screen_name: None,
    }))
}

#[tokio::test]
async fn who_is_invited_may_join_once() {
    // csp-group 5.3, 7.
    let server = Server::start(&["anna", "bo", "cy", "dan"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let restricted = [("AccessType", "Restricted")];
    code(&server, &anna, create(G, &restricted, None)).await;
    assert_eq!(
        code(&server, &cy, invite(InviteType::Group, "x", &["bo"])).await,
        "808"
    );
    assert_eq!(code(&server, &bo, join(G, None)).await, "810");
    let group = InviteType::Group;
    assert_eq!(
        code(&server, &anna, invite(group, "i1", &["bo"])).await,
        "200"
    );
    assert_eq!(code(&server, &bo, join(G, None)).await, "200");
    // By an ordinary user it is no key to a restricted group.
    assert_eq!(
        code(&server, &bo, invite(group, "i2", &["cy"])).await,
        "200"
    );
    assert_eq!(code(&server, &cy, join(G, None)).await, "810");
    code(&server, &bo, leave(G)).await;
    assert_eq!(
        code(&server, &bo, join(G, None)).await,
        "810",
        "it is used up"
    );
    // Withdrawn or rejected it lets nobody in.
    code(&server, &anna, invite(group, "i3", &["cy"])).await;
    let cancel = Request::CancelInvitation(Box::new(CancelInvitation {
        id: "i3".into(),
        sender: None,
        recipients: None,
        note: None,
    }));
    assert_eq!(code(&server, &anna, cancel).await, "200");
    assert_eq!(code(&server, &cy, join(G, None)).await, "810");
    code(&server, &anna, invite(group, "i4", &["cy"])).await;
    assert_eq!(code(&server, &cy, say("i4", false)).await, "200");
    assert_eq!(code(&server, &cy, join(G, None)).await, "810");
    // RequireInvitation: any invitation will do.
    let open = [("AccessType", "Open"), ("RequireInvitation", "T")];
    code(&server, &anna, set(G, &open)).await;
    let dan = server.log_in("dan", "phone").await;
    assert_eq!(code(&server, &dan, join(G, None)).await, "816");
    assert_eq!(
        code(&server, &cy, join(G, None)).await,
        "200",
        "bo has asked him"
    );
    code(&server, &cy, invite(group, "i5", &["dan"])).await;
    assert_eq!(code(&server, &dan, join(G, None)).await, "200");
}

#[tokio::test]
async fn who_accepts_to_become_a_member_is_one() {
    // csp-group 7; csp-access 10.2.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    code(&server, &anna, create(G, &[], None)).await;
    code(&server, &bo, join(G, None)).await;
    let membership = InviteType::Membership;
    assert_eq!(
        code(&server, &bo, invite(membership, "m1", &["cy"])).await,
        "816"
    );
    code(&server, &anna, invite(membership, "m2", &["bo", "cy"])).await;
    told(&server);
    assert_eq!(code(&server, &bo, say("m2", true)).await, "200");
    assert_eq!(told(&server), ["bo GMG", "bo/phone own IsMember=T"]);
    assert_eq!(code(&server, &cy, say("m2", false)).await, "200");
    code(&server, &anna, set(G, &[("AccessType", "Restricted")])).await;
    assert_eq!(code(&server, &cy, join(G, None)).await, "810");
    code(&server, &bo, leave(G)).await;
    assert_eq!(code(&server, &bo, join(G, None)).await, "200");
}

#[tokio::test]
async fn content_is_shared_with_everybody_in_the_group_but_who_shares_it() {
    // csp-access 10.2.
    let server = Server::start(&["anna", "bo", "cy", "dan"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let dan = server.log_in("dan", "phone").await;
    code(&server, &anna, create(G, &[], Some("Anna"))).await;
    for who in [&bo, &cy] {
        code(&server, who, join(G, None)).await;
    }
    let share = |party: MessageParty| match invite(InviteType::SharedContent, "s1", &[]) {
        Request::Invite(invite) => Request::Invite(Box::new(Invite {
            recipients: Recipients {
                parties: vec![party],
                ..Recipients::default()
            },
            group: None,
            urls: vec!["http://h/picture".into()],
            ..*invite
        })),
        _ => unreachable!(),
    };
    let whole = MessageParty::Group(group(G));
    let name = |name: &str| MessageParty::ScreenName {
        name: name.into(),
        group: group(G),
    };
    server.told.take();
    assert_eq!(code(&server, &bo, share(whole.clone())).await, "200");
    let reached = |events: Vec<Event>| {
        let pushed = events.into_iter().filter_map(|event| match event {
            Event::Push(pushed) if matches!(pushed.push.content, PushContent::Invitation(_)) => {
                Some(pushed.user)
            }
            _ => None,
        });
        pushed.collect::<Vec<UserId>>()
    };
    assert_eq!(reached(server.told.take()), [user("anna"), user("cy")]);
    assert!(code(&server, &dan, share(whole)).await.starts_with("808"));
    assert_eq!(code(&server, &bo, share(name("CY"))).await, "200");
    assert_eq!(reached(server.told.take()), [user("cy")]);
    assert!(
        code(&server, &bo, share(name("nobody")))
            .await
            .starts_with("410")
    );
}

#[tokio::test]
async fn a_conversation_becomes_a_group() {
    // csp-group 8, 11.10.
    let server = Server::start(&["anna", "bo", "cy", "dan"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let dan = server.log_in("dan", "phone").await;
    let extend = |id: &str, partner: &str, users: &[&str]| {
        Request::ExtendConversation(Box::new(ExtendConversation {
            id: id.into(),
            partner: Some(user(partner)),
            users: whom(users),
            subscribe: true,
            welcome_note: Some(Content::text("Hello")),
            screen_name: Some("Anna".into()),
        }))
    };
    assert_eq!(code(&server, &anna, extend("", "bo", &[])).await, "402");
    assert_eq!(
        code(&server, &anna, extend("x1", "x", &[])).await,
        "531 531:wv:x@a"
    );
    let answer = server.ask(&anna, extend("x1", "bo", &["cy", "y"])).await;
    let Ok(Response::ConversationExtended(extended)) = &answer else {
        panic!("{answer:?}");
    };
    assert_eq!(outcome(&answer), "201 531:wv:y@a");
    assert_eq!(extended.id, "x1");
    let id = extended.group.clone();
    assert_eq!(
        code(&server, &anna, extend("x1", "bo", &[])).await,
        "402",
        "used before"
    );
    let invited: Vec<(UserId, InviteType)> = server
        .told
        .take()
        .into_iter()
        .filter_map(|event| match event {
            Event::Push(pushed) => match &pushed.push.content {
                PushContent::Invitation(shown) => {
                    assert_eq!(shown.invitation.group.as_ref(), Some(&id));
                    Some((pushed.user.clone(), shown.invitation.kind))
                }
                _ => None,
            },
            _ => None,
        })
        .collect();
    let conversation = InviteType::ExtendConversation;
    assert_eq!(
        invited,
        [(user("bo"), conversation), (user("cy"), conversation)]
    );
    let enter = Request::JoinGroup(Box::new(JoinGroup {
        group: id.clone(),
        screen_name: None,
        list_joined: true,
        subscribe: true,
        own: GivenProperties::default(),
    }));
    let answer = server.ask(&bo, enter.clone()).await;
    assert_eq!(joined(&answer).welcome_note, Some(Content::text("Hello")));
    assert_eq!(told(&server), ["anna/phone +bo"]);
    assert_eq!(code(&server, &dan, enter.clone()).await, "810");
    // Whoever takes part may ask more people in.
    let more = match invite(InviteType::ExtendGroup, "e1", &["dan"]) {
        Request::Invite(invite) => Request::Invite(Box::new(Invite {
            group: Some(Ok(id.clone())),
            ..*invite
        })),
        _ => unreachable!(),
    };
    assert_eq!(code(&server, &cy, more).await, "200");
    assert_eq!(code(&server, &dan, enter).await, "200");
    // It goes with the last.
    for who in [&anna, &bo, &dan] {
        assert_eq!(code(&server, who, leave(id.as_str())).await, "200");
    }
    assert_eq!(code(&server, &anna, leave(id.as_str())).await, "800");
}

#[tokio::test]
async fn the_operator_makes_public_groups() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let make = |id: &str, admins: Vec<UserId>| {
        let properties = given(&[("Name", "Football"), ("Searchable", "T")]);
        server
            .elements
            .create_public_group(group(id), properties, admins)
    };
    let code_of = |made: Result<(), hamlet_model::Refusal>| made.map_err(|refusal| refusal.code.0);
    assert_eq!(code_of(make("wv:anna/f", Vec::new()).await), Err(805));
    assert_eq!(code_of(make("/f", vec![user("x")]).await), Err(531));
    assert_eq!(code_of(make("/f", vec![user("anna")]).await), Ok(()));
    assert_eq!(code_of(make("/f", Vec::new()).await), Err(801));
    assert_eq!(code(&server, &bo, join("/f", None)).await, "200");
    assert_eq!(
        code(&server, &anna, set("/f", &[("Topic", "cup")])).await,
        "200"
    );
    assert_eq!(
        code(&server, &anna, delete("/f")).await,
        "804",
        "it is the provider's"
    );
    let role = |role| {
        server
            .elements
            .set_group_role(group("/f"), user("bo"), role)
    };
    assert_eq!(code_of(role(Role::Moderator).await), Ok(()));
    let (overview, members) = server.elements.group(group("/f")).await.unwrap().unwrap();
    assert_eq!(
        (overview.members, overview.joined, overview.owner),
        (2, 1, None)
    );
    assert_eq!(members.moderators, [user("bo")]);
    assert_eq!(code_of(role(Role::User).await), Ok(()));
    let all = server.elements.groups(None, 9).await.unwrap();
    assert_eq!(all.len(), 1);
    told(&server);
    let topic = given(&[("Topic", "league")]);
    let changed = server.elements.set_group_properties(group("/f"), topic);
    assert_eq!(code_of(changed.await), Ok(()));
    assert_eq!(told(&server), ["bo/phone Topic=league"]);
    assert_eq!(
        code_of(server.elements.delete_group(group("/f")).await),
        Ok(())
    );
    assert!(told(&server).contains(&"bo/phone out 800".to_owned()));
    assert_eq!(
        code_of(server.elements.delete_group(group("/f")).await),
        Err(800)
    );
}

#[tokio::test]
async fn groups_are_found_by_what_they_are_and_who_is_in_them() {
    // data-types 5; csp-group 5.1 (S60 looks for its own groups), 9.
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let found = |properties: &'static [(&'static str, &'static str)]| properties;
    for (id, properties) in [
        (
            "wv:anna/ski",
            found(&[("Name", "Snow and ice"), ("Searchable", "T")]),
        ),
        (
            "wv:anna/sea",
            &[
                ("Topic", "Sun & snow"),
                ("Searchable", "T"),
                ("Name", "Beach"),
            ],
        ),
        ("wv:anna/den", &[("Name", "Snow too")]),
    ] {
        assert_eq!(
            code(&server, &anna, create(id, properties, None)).await,
            "200"
        );
    }
    for id in ["wv:anna/ski", "wv:anna/den"] {
        code(&server, &bo, join(id, None)).await;
        code(&server, &bo, set_own(id, &[("AutoJoin", "T")])).await;
    }
    use SearchElement as E;
    let search = async |who: &Requestor, pairs: &[(E, &str)]| {
        let pairs = pairs.iter().map(|(element, string)| SearchPair {
            element: NamedElement::Known(*element),
            string: (*string).to_owned(),
            id: None,
        });
        let request = Request::Search(Box::new(Search {
            pairs: pairs.collect(),
            expression: None,
            page: PageSize::default(),
        }));
        match server.ask(who, request).await {
            Ok(Response::SearchPage(page)) => match page.hits {
                Hits::Groups(groups) => groups
                    .iter()
                    .map(GroupId::name)
                    .collect::<Vec<_>>()
                    .join(" "),
                Hits::Users(users) => panic!("{users:?}"),
            },
            Err(refusal) => refusal.code.to_string(),
            other => panic!("{other:?}"),
        }
    };
    for (who, pairs, expected) in [
        (&bo, &[(E::GroupName, "SNOW")][..], "ski"),
        (&bo, &[(E::GroupName, "ic")], "ski"),
        (&bo, &[(E::GroupTopic, "snow")], "sea"),
        (&bo, &[(E::GroupId, "anna/s")], "sea ski"),
        (&bo, &[(E::GroupId, "wv:anna/ski@a")], "ski"),
        (&bo, &[(E::GroupId, "den")], ""),
        (&bo, &[(E::GroupName, "snow"), (E::GroupTopic, "snow")], ""),
        // His own are found even if they do not want to be.
        (&anna, &[(E::GroupUserIdOwner, "wv:anna@a")], "den sea ski"),
        (&bo, &[(E::GroupUserIdOwner, "anna")], "sea ski"),
        (&bo, &[(E::GroupUserIdJoined, "bo")], "den ski"),
        (&anna, &[(E::GroupUserIdJoined, "bo")], "ski"),
        (&bo, &[(E::GroupUserIdAutojoin, "bo")], "den ski"),
        (&anna, &[(E::GroupUserIdAutojoin, "bo")], "ski"),
        (
            &bo,
            &[(E::GroupUserIdJoined, "bo"), (E::GroupName, "ice")],
            "ski",
        ),
        (&bo, &[(E::GroupName, "snow"), (E::UserCity, "oulu")], "562"),
        (&bo, &[(E::GroupUserIdOwner, "a b")], "402"),
    ] {
        assert_eq!(search(who, pairs).await, expected, "{pairs:?}");
    }
    // Page by page.
    let pair = SearchPair {
        element: NamedElement::Known(E::GroupUserIdOwner),
        string: "anna".into(),
        id: None,
    };
    let request = Request::Search(Box::new(Search {
        pairs: vec![pair],
        expression: None,
        page: PageSize {
            hits: Some(2),
            octets: None,
        },
    }));
    let Ok(Response::SearchPage(page)) = server.ask(&anna, request).await else {
        panic!("no page");
    };
    assert_eq!((page.findings, page.index, page.complete), (3, 2, false));
    let id = page.id.unwrap();
    let more = Request::ContinueSearch(hamlet_elements::search::ContinueSearch {
        id,
        index: None,
        page: PageSize::default(),
    });
    let Ok(Response::SearchPage(page)) = server.ask(&anna, more).await else {
        panic!("no page");
    };
    assert_eq!(page.hits, Hits::Groups(vec![group("wv:anna/ski")]));
    assert!(page.complete);
    let stop = Request::StopSearch(StopSearch { id });
    assert_eq!(code(&server, &anna, stop).await, "200");
    // What wants not to be found any more is not.
    code(&server, &anna, set("wv:anna/ski", &[("Searchable", "F")])).await;
    assert_eq!(search(&bo, &[(E::GroupName, "snow")]).await, "");
}

/// A small generator, so that a failure can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// What is in the store must make sense after every step.
async fn check_state(server: &Server, step: &str) {
    let state = server.store.read(|tx| {
        let groups = tx.groups(None, 1000)?;
        let mut joined = Vec::new();
        for id in groups.iter().map(|group| &group.id) {
            joined.extend(tx.group_joined(id)?);
        }
        let all = tx.count_all_group_joined()?;
        let ghosts = tx.joined_without_session(10)?;
        let mut members = Vec::new();
        for group in &groups {
            for joined in tx.group_joined(&group.id)? {
                members.push((group.clone(), tx.group_member(&group.id, &joined.user)?));
            }
        }
        Ok((groups, joined, all, ghosts, members))
    });
    let (groups, joined, all, ghosts, members) = state.await.unwrap();
    assert_eq!(ghosts, [], "{step}: joined without a session");
    assert_eq!(all, joined.len(), "{step}: joined in a group that is gone");
    let mut names: BTreeMap<&GroupId, BTreeSet<String>> = BTreeMap::new();
    for row in &joined {
        let is_new = names.entry(&row.group).or_default().insert(row.name.key());
        assert!(is_new, "{step}: {} twice", row.name);
    }
    for (group, member) in members {
        let is_owner = |user: &UserId| group.owner.as_ref() == Some(user);
        let listed = member
            .as_ref()
            .is_some_and(|member| member.is_member || is_owner(&member.user));
        let open = group.properties.access == hamlet_model::AccessType::Open;
        assert!(open || listed, "{step}: a stranger in {}", group.id);
    }
    let orphans = server.store.read(|tx| tx.orphaned_groups()).await.unwrap();
    assert!(orphans.is_empty(), "{step}: {orphans:?} of {groups:?}");
}

#[tokio::test]
async fn the_state_makes_sense_whatever_happens_in_whatever_order() {
    // Owners delete, members come and go, sessions die, the server is killed, at every step.
    let users = ["anna", "bo", "cy", "dan"];
    for seed in [1_u64, 2026, 77, 4242] {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut server = Server::start(&users).await;
        let mut sessions: BTreeMap<&str, Requestor> = BTreeMap::new();
        for step in 0..150 {
            let name = users[random.below(users.len())];
            let other = users[random.below(users.len())];
            let id = format!("wv:{}/g", users[random.below(2)]);
            let action = random.below(14);
            let step = format!("seed {seed} step {step} action {action} {name} {other} {id}");
            let who = match sessions.get(name) {
                Some(who) => who.clone(),
                None => {
                    let who = server.log_in(name, "phone").await;
                    sessions.insert(name, who.clone());
                    let facts = server.facts(name, "phone");
                    server.elements.auto_join(&facts, true).await.unwrap();
                    who
                }
            };
            match action {
                0 => drop(
                    server
                        .ask(&who, create(&id, &[("AutoDelete", "T")], Some(name)))
                        .await,
                ),
                1 => drop(server.ask(&who, create(&id, &[], None)).await),
                2 | 3 => drop(server.ask(&who, join(&id, None)).await),
                4 => drop(server.ask(&who, join(&id, Some(other))).await),
                5 => drop(server.ask(&who, leave(&id)).await),
                6 => drop(server.ask(&who, delete(&id)).await),
                7 => drop(server.ask(&who, add(&id, &[other])).await),
                8 => drop(server.ask(&who, reject(&id, &[other], &[name])).await),
                9 => drop(
                    server
                        .ask(&who, set(&id, &[("AccessType", "Restricted")]))
                        .await,
                ),
                10 => drop(server.ask(&who, set_own(&id, &[("AutoJoin", "T")])).await),
                11 => {
                    server.log_out(&who).await;
                    sessions.remove(name);
                }
                12 => {
                    // The session ends, and the server dies before the groups hear of it.
                    let gone = who.session.clone().unwrap();
                    let ended = server
                        .store
                        .write(move |tx| tx.end_session(&gone, 600, Timestamp::now()));
                    ended.await.unwrap();
                    sessions.remove(name);
                    server = server.restart().await;
                    for name in sessions.keys() {
                        let facts = server.facts(name, "phone");
                        server.elements.session_restored(&facts).await.unwrap();
                    }
                    server.elements.expire(Timestamp::now()).await.unwrap();
                }
                _ => {
                    // Two at once.
                    let (one, two) = (join(&id, Some("x")), leave(&id));
                    drop(tokio::join!(server.ask(&who, one), server.ask(&who, two)));
                }
            }
            check_state(&server, &step).await;
        }
        // When all have gone, nobody is anywhere.
        for who in sessions.values() {
            server.log_out(who).await;
        }
        let left = server.store.read(|tx| tx.count_all_group_joined()).await;
        assert_eq!(left.unwrap(), 0, "seed {seed}");
    }
}

#[tokio::test]
async fn the_last_word_about_somebody_is_the_true_one() {
    // csp-group 5.13: whatever the order in which changes are told.
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    code(&server, &anna, create(G, &[], Some("Anna"))).await;
    let mut seen: Option<bool> = None;
    for _ in 0..40 {
        drop(tokio::join!(
            server.ask(&bo, join(G, Some("bo"))),
            server.ask(&bo, leave(G)),
            server.ask(&bo, join(G, Some("bo"))),
        ));
        let bo_is = ScreenName::new("bo").unwrap();
        for event in server.told.take() {
            if let Event::GroupNotice {
                change, session, ..
            } = event
                && session.as_str() == "wv:anna@a/phone"
            {
                let came = change.joined.iter().any(|user| user.name == bo_is);
                seen = Some(came);
                assert!(came || change.left.contains(&bo_is));
            }
        }
        let is_there = names(&server, &anna, G).await.contains(&"bo".to_owned());
        assert_eq!(seen, Some(is_there));
    }
}
