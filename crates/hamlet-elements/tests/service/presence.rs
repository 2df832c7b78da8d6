//! Publishing, fetching, clients that come and go (csp-presence 4.1, 4.2, 7, 8).

use crate::common::*;
use hamlet_elements::presence::{GetPresence, Targets};
use hamlet_elements::{Request, Requestor, Response, SessionFacts};
use hamlet_model::presence::{
    Attribute, AttributeName as N, AttributeSet, AttributeValue, ClientInfo,
};
use hamlet_model::{ClientId, UserId};

async fn get(server: &Server, requestor: &Requestor, whose: &[&UserId]) -> Vec<String> {
    let request = Request::GetPresence(GetPresence {
        targets: users(whose),
        attributes: AttributeSet::EMPTY,
    });
    match server.ask(requestor, request).await {
        Ok(Response::Presence(values)) => values
            .users
            .iter()
            .map(|presence| format!("{}: {}", presence.user, summary(&presence.attributes)))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn hide(qualifier: bool, online: bool) -> Attribute {
    Attribute {
        name: N::OnlineStatus,
        qualifier,
        client: None,
        value: AttributeValue::Flag(online),
    }
}

#[tokio::test]
async fn what_is_published_is_seen_by_oneself_and_by_contacts_only() {
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    server.make_list(&anna, "friends", &[&bo.user]).await;
    let attributes = vec![
        text(N::Alias, "Anna"),
        text(N::UserAvailability, "DISCREET"),
        text(N::FreeTextLocation, "home"),
    ];
    let answer = server.publish(&anna, attributes).await;
    assert_eq!(outcome(&answer), "200");
    let full = "wv:anna@a: OnlineStatus=T FreeTextLocation=home CommCap \
                UserAvailability=DISCREET Alias=Anna";
    assert_eq!(get(&server, &anna, &[&anna.user]).await, [full]);
    assert_eq!(get(&server, &bo, &[&anna.user]).await, [full]);
    assert_eq!(get(&server, &cy, &[&anna.user]).await, ["wv:anna@a: "]);
    // The other direction of the one list.
    let expected = ["wv:bo@a: OnlineStatus=T CommCap", "wv:cy@a: "];
    assert_eq!(get(&server, &anna, &[&bo.user, &cy.user]).await, expected);
}

#[tokio::test]
async fn targets_that_cannot_be_resolved_have_their_codes() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    server.make_list(&anna, "friends", &[&user("bo")]).await;
    let mixed = Targets {
        users: vec![user("bo"), user("x"), user("y@elsewhere"), user("bo")],
        contact_lists: vec![list("wv:anna/friends"), list("wv:bo/friends")],
        malformed_users: vec!["a b".into()],
        malformed_lists: vec!["c".into()],
    };
    for (targets, expected) in [
        (Targets::default(), "400"),
        (users(&[&user("x")]), "531 531:wv:x@a"),
        (users(&[&user("y@elsewhere")]), "516 516:wv:y@elsewhere"),
        (lists(&[&list("wv:anna/none")]), "700 700:wv:anna/none@a"),
        (lists(&[&list("wv:anna/friends")]), "200"),
        (
            mixed,
            "201 531:wv:x@a,a b 700:c,wv:bo/friends@a 516:wv:y@elsewhere",
        ),
    ] {
        let request = GetPresence {
            targets: targets.clone(),
            attributes: AttributeSet::EMPTY,
        };
        let answer = server.ask(&anna, Request::GetPresence(request)).await;
        assert_eq!(outcome(&answer), expected, "{targets:?}");
    }
}

#[tokio::test]
async fn illegal_values_are_refused_and_the_others_published() {
    let server = Server::start(&["anna"]).await;
    let anna = server.log_in("anna", "phone").await;
    assert_eq!(outcome(&server.publish(&anna, vec![]).await), "200");
    let bad = || text(N::StatusMood, "HUNGRY");
    let answer = server.publish(&anna, vec![bad()]).await;
    assert_eq!(outcome(&answer), "751 751:");
    let refusal = answer.unwrap_err();
    assert_eq!(refusal.details[0].description, "StatusMood");
    let answer = server
        .publish(&anna, vec![bad(), text(N::Alias, "Anna")])
        .await;
    assert_eq!(outcome(&answer), "201 751:");
    let expected = ["wv:anna@a: OnlineStatus=T CommCap Alias=Anna"];
    assert_eq!(get(&server, &anna, &[&anna.user]).await, expected);
}

#[tokio::test]
async fn a_change_is_told_in_full_to_those_who_asked_for_it() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&bo, "friends", &[&anna.user]).await;
    let set: AttributeSet = [N::OnlineStatus, N::Alias, N::StatusText]
        .into_iter()
        .collect();
    let answer = server
        .subscribe(&bo, users(&[&anna.user]), set, false)
        .await;
    assert_eq!(outcome(&answer), "200");
    let first = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&first), "OnlineStatus=T");
    server
        .publish(&anna, vec![text(N::Alias, "Anna")])
        .await
        .unwrap();
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T Alias=Anna");
    server
        .publish(&anna, vec![text(N::StatusText, "hi")])
        .await
        .unwrap();
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T StatusText=hi Alias=Anna");
    // Neither what is no change nor what he did not ask for.
    server
        .publish(&anna, vec![text(N::StatusText, "hi")])
        .await
        .unwrap();
    server
        .publish(&anna, vec![text(N::StatusMood, "SAD")])
        .await
        .unwrap();
    assert!(server.told_presence().is_empty());
    let withdraw = Attribute {
        qualifier: false,
        ..text(N::StatusText, "")
    };
    server.publish(&anna, vec![withdraw]).await.unwrap();
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T StatusText=? Alias=Anna");
}

#[tokio::test]
async fn watchers_learn_of_login_logout_and_of_each_client() {
    let server = Server::start(&["anna", "bo"]).await;
    let bo = server.log_in("bo", "phone").await;
    let anna = user("anna");
    server.make_list(&bo, "friends", &[&anna]).await;
    let set: AttributeSet = [N::OnlineStatus, N::FreeTextLocation, N::UserAvailability]
        .into_iter()
        .collect();
    server
        .subscribe(&bo, users(&[&anna]), set, false)
        .await
        .unwrap();
    let told = server.notification(&bo, &anna).await;
    assert_eq!(summary(&told), "OnlineStatus=F");

    let phone = server.log_in("anna", "phone").await;
    let told = server.notification(&bo, &anna).await;
    assert_eq!(summary(&told), "OnlineStatus=T");
    assert_eq!(told[0].client, Some(ClientId::from_url("phone")));
    let attributes = vec![
        text(N::FreeTextLocation, "bus"),
        text(N::UserAvailability, "AVAILABLE"),
    ];
    server.publish(&phone, attributes).await.unwrap();
    server.notification(&bo, &anna).await;

    let desk = server.log_in("anna", "desk").await;
    let told = server.notification(&bo, &anna).await;
    assert_eq!(
        summary(&told),
        "OnlineStatus=T OnlineStatus=T FreeTextLocation=bus UserAvailability=AVAILABLE"
    );
    server.log_out(&phone).await;
    let told = server.notification(&bo, &anna).await;
    assert_eq!(
        summary(&told),
        "OnlineStatus=T OnlineStatus=F FreeTextLocation=? UserAvailability=AVAILABLE"
    );
    server.log_out(&desk).await;
    let told = server.notification(&bo, &anna).await;
    assert_eq!(
        summary(&told),
        "OnlineStatus=F UserAvailability=NOT_AVAILABLE"
    );
    // What is about the user stays, what is about the client went with it.
    server.log_in("anna", "phone").await;
    let told = server.notification(&bo, &anna).await;
    assert_eq!(summary(&told), "OnlineStatus=T UserAvailability=AVAILABLE");
    server.log_out(&phone).await;
    server.log_out(&phone).await;
    server.notification(&bo, &anna).await;
    assert!(server.told_presence().is_empty());
}

#[tokio::test]
async fn a_session_that_replaces_another_of_its_client_is_no_absence() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&bo, "friends", &[&anna.user]).await;
    server
        .subscribe(&bo, users(&[&anna.user]), AttributeSet::EMPTY, false)
        .await
        .unwrap();
    server.notification(&bo, &anna.user).await;
    let newer = SessionFacts {
        id: hamlet_model::SessionId::new("newer"),
        ..server.facts("anna", "phone")
    };
    server.elements.session_opened(&newer).await.unwrap();
    server.log_out(&anna).await;
    assert!(server.told_presence().is_empty());
    server.elements.session_closed(&newer.id).await.unwrap();
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "OnlineStatus=F CommCap=?");
}

#[tokio::test]
async fn negotiation_tells_what_it_changes() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&bo, "friends", &[&anna.user]).await;
    server
        .subscribe(&bo, users(&[&anna.user]), AttributeSet::EMPTY, false)
        .await
        .unwrap();
    server.notification(&bo, &anna.user).await;
    let facts = server.facts("anna", "phone");
    server.elements.session_changed(&facts).await.unwrap();
    assert!(server.told_presence().is_empty());
    let info = ClientInfo {
        client_type: Some("MOBILE_PHONE".into()),
        ..ClientInfo::default()
    };
    let changed = SessionFacts {
        info: info.clone(),
        ..facts
    };
    server.elements.session_changed(&changed).await.unwrap();
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T ClientInfo CommCap");
    assert_eq!(told[1].value, AttributeValue::ClientInfo(Box::new(info)));
}

#[tokio::test]
async fn who_hides_seems_offline_to_all_but_himself() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&bo, "friends", &[&anna.user]).await;
    server
        .subscribe(&bo, users(&[&anna.user]), AttributeSet::EMPTY, false)
        .await
        .unwrap();
    server.notification(&bo, &anna.user).await;
    for hidden in [hide(true, false), hide(false, true)] {
        server.publish(&anna, vec![hidden]).await.unwrap();
        let told = server.notification(&bo, &anna.user).await;
        assert_eq!(summary(&told), "OnlineStatus=F CommCap=?");
        let seen = get(&server, &bo, &[&anna.user]).await;
        assert_eq!(seen, ["wv:anna@a: OnlineStatus=F"]);
        let own = get(&server, &anna, &[&anna.user]).await;
        assert_eq!(own, ["wv:anna@a: OnlineStatus=T CommCap"]);
        server.publish(&anna, vec![hide(true, true)]).await.unwrap();
        let told = server.notification(&bo, &anna.user).await;
        assert_eq!(summary(&told), "OnlineStatus=T CommCap");
    }
}

#[tokio::test]
async fn what_is_about_the_user_survives_logout_and_restart() {
    let server = Server::start(&["anna"]).await;
    let anna = server.log_in("anna", "phone").await;
    let attributes = vec![text(N::Alias, "Anna"), text(N::FreeTextLocation, "home")];
    server.publish(&anna, attributes).await.unwrap();
    let server = server.restart().await;
    // The session lives on.
    let expected = ["wv:anna@a: OnlineStatus=T FreeTextLocation=home CommCap Alias=Anna"];
    assert_eq!(get(&server, &anna, &[&anna.user]).await, expected);
    server.log_out(&anna).await;
    let server = server.restart().await;
    let anna = server.log_in("anna", "phone").await;
    let expected = ["wv:anna@a: OnlineStatus=T CommCap Alias=Anna"];
    assert_eq!(get(&server, &anna, &[&anna.user]).await, expected);
}
