//! Block and grant lists as the service sees them (csp-im 11).

use crate::common::*;
use hamlet_elements::blocking::{ChangeAccessLists, ListChange};
use hamlet_elements::contact_list::DeleteContactList;
use hamlet_elements::im::DeliverMessage;
use hamlet_elements::notification::Notification;
use hamlet_elements::{Answer, Call, ElementsConfig, Event, Request, Requestor, Response};
use hamlet_model::{
    AccessEntity, AccessLists, ApplicationId, GroupId, Message, MessageId, MessageParty, Msisdn,
    Timestamp,
};
use std::sync::Arc;
use std::time::Duration;

fn by_user(name: &str) -> AccessEntity {
    AccessEntity::User(user(name))
}

fn adding(entities: &[AccessEntity]) -> ListChange {
    ListChange {
        in_use: Some(true),
        add: entities.to_vec(),
        ..ListChange::default()
    }
}

fn blocking(change: ListChange) -> ChangeAccessLists {
    ChangeAccessLists {
        block: change,
        ..ChangeAccessLists::default()
    }
}

fn granting(change: ListChange) -> ChangeAccessLists {
    ChangeAccessLists {
        grant: change,
        ..ChangeAccessLists::default()
    }
}

async fn change(server: &Server, by: &Requestor, change: ChangeAccessLists) -> Answer {
    let request = Request::ChangeAccessLists(Box::new(change));
    server.ask(by, request).await
}

async fn lists(server: &Server, of: &Requestor) -> AccessLists {
    match server.ask(of, Request::GetAccessLists).await {
        Ok(Response::AccessLists(lists)) => lists,
        other => panic!("{other:?}"),
    }
}

/// What the answer to a message from `by` to bo is.
async fn write(server: &Server, by: &Requestor) -> String {
    let to_bo = message(to(&[&user("bo")]), "hi");
    outcome(&server.ask(by, send(to_bo)).await)
}

fn notices(server: &Server) -> Vec<Notification> {
    let notice = |event| match event {
        Event::Notification { notification, .. } => Some(notification),
        _ => None,
    };
    server.told.take().into_iter().filter_map(notice).collect()
}

#[tokio::test]
async fn a_blocked_sender_gets_532_from_then_on_also_after_a_restart() {
    let server = Server::start(&["anna", "bo"]).await;
    let (anna, bo) = (
        server.log_in("anna", "p").await,
        server.log_in("bo", "q").await,
    );
    // He is known as one who refuses nobody.
    assert_eq!(write(&server, &anna).await, "200");
    let done = change(&server, &bo, blocking(adding(&[by_user("anna")]))).await;
    assert_eq!(outcome(&done), "200");
    assert_eq!(write(&server, &anna).await, "532 532:wv:bo@a");
    let server = server.restart().await;
    assert_eq!(write(&server, &anna).await, "532 532:wv:bo@a");
    let off = ListChange {
        in_use: Some(false),
        ..ListChange::default()
    };
    change(&server, &bo, blocking(off)).await.unwrap();
    assert_eq!(write(&server, &anna).await, "200");
    assert_eq!(lists(&server, &bo).await.block.entities, [by_user("anna")]);
}

#[tokio::test]
async fn nobody_keeps_himself_out() {
    // 11.3.
    let server = Server::start(&["bo"]).await;
    let bo = server.log_in("bo", "p").await;
    let nobody = granting(adding(&[]));
    change(&server, &bo, nobody).await.unwrap();
    assert_eq!(write(&server, &bo).await, "200");
}

#[tokio::test]
async fn what_waits_of_a_sender_who_is_blocked_now_is_dropped_and_reported() {
    // 11.3: judged again before delivery.
    let server = Server::start(&["anna", "bo", "carl"]).await;
    let (anna, bo) = (
        server.log_in("anna", "p").await,
        server.log_in("bo", "q").await,
    );
    let carl = server.log_in("carl", "r").await;
    for sender in [&anna, &carl] {
        let mut wanted = message(to(&[&user("bo")]), "hi");
        wanted.report = true;
        server.ask(sender, send(wanted)).await.unwrap();
    }
    assert_eq!(server.mailbox(&user("bo")).await.len(), 2);
    server.told.take();
    change(&server, &bo, blocking(adding(&[by_user("anna")])))
        .await
        .unwrap();
    let left = server.mailbox(&user("bo")).await;
    assert_eq!(left.len(), 1);
    assert_eq!(
        as_message(&left[0]).sender,
        MessageParty::User {
            user: user("carl"),
            client: carl.client.clone(),
            application: None,
        }
    );
    let reports = server.mailbox(&user("anna")).await;
    assert_eq!(as_report(&reports[0]), "532 wv:bo@a");
    assert!(server.mailbox(&user("carl")).await.is_empty());
    let gone = |event: &Event| matches!(event, Event::MailboxRemoved { user: of, .. } if *of == user("bo"));
    assert!(
        server.told.take().iter().any(gone),
        "his sessions have it no more"
    );
}

#[tokio::test]
async fn a_contact_list_stands_for_whoever_is_in_it_at_the_time() {
    // 11.2, 11.5: the grant list names the own contacts.
    let server = Server::start(&["anna", "bo"]).await;
    let (anna, bo) = (
        server.log_in("anna", "p").await,
        server.log_in("bo", "q").await,
    );
    server.make_list(&bo, "friends", &[]).await;
    let friends = AccessEntity::ContactList(list("bo/friends"));
    change(
        &server,
        &bo,
        granting(adding(std::slice::from_ref(&friends))),
    )
    .await
    .unwrap();
    assert_eq!(write(&server, &anna).await, "532 532:wv:bo@a");
    server
        .change_list(&bo, "friends", &[&user("anna")], &[])
        .await
        .unwrap();
    assert_eq!(write(&server, &anna).await, "200");
    assert_eq!(server.mailbox(&user("bo")).await.len(), 1);
    // Who is taken out of it is out at once, with what waits.
    server
        .change_list(&bo, "friends", &[], &[&user("anna")])
        .await
        .unwrap();
    assert_eq!(write(&server, &anna).await, "532 532:wv:bo@a");
    assert!(server.mailbox(&user("bo")).await.is_empty());
    // csp-presence 2.6 e: a list that is deleted is named no more.
    server.told.take();
    let delete = DeleteContactList {
        list: list("bo/friends"),
    };
    server
        .ask(&bo, Request::DeleteContactList(delete))
        .await
        .unwrap();
    assert!(lists(&server, &bo).await.grant.entities.is_empty());
    assert!(notices(&server).contains(&Notification::GrantListChanged));
    assert_eq!(
        write(&server, &anna).await,
        "532 532:wv:bo@a",
        "the grant list is in use"
    );
}

#[tokio::test]
async fn entities_that_do_not_exist_have_their_codes_and_the_others_count() {
    // 11.2.
    let server = Server::start(&["anna", "bo"]).await;
    let bo = server.log_in("bo", "q").await;
    let group = |name: &str| GroupId::parse(name, &domain("a")).unwrap();
    let foreign_group = AccessEntity::Group(group("wv:/g@b"));
    let entities = [
        by_user("anna"),
        by_user("nobody"),
        by_user("eve@b"),
        AccessEntity::Group(group("/none")),
        foreign_group.clone(),
        AccessEntity::ContactList(list("bo/none")),
        AccessEntity::ContactList(list("anna/friends")),
        by_user("+4612345"),
        AccessEntity::Application(ApplicationId::new("any")),
    ];
    let answer = change(&server, &bo, blocking(adding(&entities))).await;
    let code = outcome(&answer);
    assert!(code.starts_with("201 "), "{code}");
    for failed in [
        "531:wv:nobody@a",
        "920:wv:+4612345@a",
        "700:wv:bo/none@a,wv:anna/friends@a",
        "800:wv:/none@a",
    ] {
        assert!(code.contains(failed), "{failed} in {code}");
    }
    let kept = lists(&server, &bo).await.block.entities;
    let application = AccessEntity::Application(ApplicationId::new("any"));
    assert_eq!(
        kept,
        [
            by_user("anna"),
            by_user("eve@b"),
            foreign_group,
            application
        ]
    );
    // Nothing but what failed: its code, but the flag counts.
    let only = granting(adding(&[by_user("nobody")]));
    assert_eq!(
        outcome(&change(&server, &bo, only).await),
        "531 531:wv:nobody@a"
    );
    assert!(lists(&server, &bo).await.grant.in_use);
    // To add what is there, or to remove what is not, is no error.
    let again = ListChange {
        remove: vec![by_user("carl"), by_user("nobody")],
        ..adding(&[by_user("anna")])
    };
    assert_eq!(outcome(&change(&server, &bo, blocking(again)).await), "200");
    // What is added and removed is removed.
    let both = ListChange {
        remove: vec![by_user("anna")],
        ..adding(&[by_user("anna")])
    };
    assert_eq!(outcome(&change(&server, &bo, blocking(both)).await), "200");
    assert!(
        !lists(&server, &bo)
            .await
            .block
            .entities
            .contains(&by_user("anna"))
    );
}

#[tokio::test]
async fn a_number_stands_for_the_user_whose_it_is() {
    let server = Server::start(&["anna", "bo"]).await;
    let (anna, bo) = (
        server.log_in("anna", "p").await,
        server.log_in("bo", "q").await,
    );
    let number = Msisdn::parse("+4612345").unwrap();
    let owned = server
        .store
        .write(move |tx| tx.bind_msisdn(&number, &user("anna")));
    owned.await.unwrap();
    let answer = change(&server, &bo, blocking(adding(&[by_user("+4612345")]))).await;
    assert_eq!(outcome(&answer), "200");
    assert_eq!(lists(&server, &bo).await.block.entities, [by_user("anna")]);
    assert_eq!(write(&server, &anna).await, "532 532:wv:bo@a");
    let remove = ListChange {
        remove: vec![by_user("+4612345")],
        ..ListChange::default()
    };
    change(&server, &bo, blocking(remove)).await.unwrap();
    assert_eq!(write(&server, &anna).await, "200");
}

#[tokio::test]
async fn a_list_has_room_for_so_many() {
    let mut config = ElementsConfig::new(domain("a"));
    config.im.max_access_entities = 2;
    let server = Server::with(config, &["x", "y", "z", "bo"], Arc::new(NoRelay)).await;
    let bo = server.log_in("bo", "q").await;
    let three = ["x", "y", "z"].map(by_user);
    let answer = change(&server, &bo, blocking(adding(&three))).await;
    assert_eq!(outcome(&answer), "201 754:wv:z@a");
    // Both lists have it.
    let answer = change(&server, &bo, granting(adding(&three[..2]))).await;
    assert_eq!(outcome(&answer), "200");
}

#[tokio::test]
async fn other_sessions_are_told_what_has_changed_and_nothing_else() {
    // 11.2: BLC, BLUC, GLC, GLUC.
    let server = Server::start(&["anna", "bo"]).await;
    let bo = server.log_in("bo", "q").await;
    let both = |entities: &[AccessEntity]| ChangeAccessLists {
        block: adding(entities),
        grant: adding(&[]),
        ..ChangeAccessLists::default()
    };
    for (entities, expected) in [
        (
            &[by_user("anna")][..],
            vec![
                Notification::BlockListChanged,
                Notification::BlockListUsage(true),
                Notification::GrantListUsage(true),
            ],
        ),
        // The same again changes nothing.
        (&[by_user("anna")], vec![]),
    ] {
        change(&server, &bo, both(entities)).await.unwrap();
        assert_eq!(notices(&server), expected);
    }
}

#[tokio::test]
async fn an_operator_may_let_blocking_be_silent() {
    // 11.4: 200, and nothing is delivered.
    let mut config = ElementsConfig::new(domain("a"));
    config.im.silent_blocking = true;
    let server = Server::with(config, &["anna", "bo", "carl"], Arc::new(NoRelay)).await;
    let (anna, bo) = (
        server.log_in("anna", "p").await,
        server.log_in("bo", "q").await,
    );
    let mut waiting = message(to(&[&user("bo")]), "before");
    waiting.report = true;
    server.ask(&anna, send(waiting)).await.unwrap();
    change(&server, &bo, blocking(adding(&[by_user("anna")])))
        .await
        .unwrap();
    assert_eq!(write(&server, &anna).await, "200");
    let both = message(to(&[&user("bo"), &user("carl"), &user("x")]), "hi");
    let answer = server.ask(&anna, send(both)).await;
    assert_eq!(outcome(&answer), "201 531:wv:x@a");
    assert!(server.mailbox(&user("bo")).await.is_empty());
    assert_eq!(server.mailbox(&user("carl")).await.len(), 1);
    assert!(server.mailbox(&user("anna")).await.is_empty(), "no report");
}

#[tokio::test]
async fn a_sender_of_another_domain_is_kept_out_too() {
    let server = Server::start(&["bo"]).await;
    let bo = server.log_in("bo", "q").await;
    change(&server, &bo, blocking(adding(&[by_user("eve@b")])))
        .await
        .unwrap();
    let deliver = |sender: &str| {
        let now = Timestamp::now();
        Request::DeliverMessage(Box::new(DeliverMessage {
            message: Message {
                id: MessageId::new("m"),
                sender: MessageParty::user(user(sender)),
                sender_name: None,
                recipient: MessageParty::user(user("bo")),
                content: hamlet_model::Content::text("hi"),
                content_name: None,
                uri: None,
                elsewhere: None,
                sent: now,
                expires: now.plus(Duration::from_secs(60)),
                font: None,
                extensions: Vec::new(),
                transaction_extensions: Vec::new(),
                report: false,
            },
            recipients: vec![MessageParty::user(user("bo"))],
            client: None,
        }))
    };
    for (sender, expected) in [("eve@b", "532 532:wv:bo@a"), ("dan@b", "200")] {
        let call = Call {
            requestor: Requestor::user(user(sender)),
            request: deliver(sender),
            key: None,
        };
        let answer = server.elements.call_from_domain(&domain("b"), call).await;
        assert_eq!(outcome(&answer), expected);
    }
    // Lists are nobody's business but the user's.
    for request in [
        Request::GetAccessLists,
        Request::ChangeAccessLists(Box::default()),
    ] {
        let call = Call {
            requestor: Requestor::user(user("eve@b")),
            request,
            key: None,
        };
        let answer = server.elements.call_from_domain(&domain("b"), call).await;
        assert_eq!(outcome(&answer), "405");
    }
}

#[tokio::test]
async fn whoever_blocks_nobody_costs_a_message_no_statement() {
    let server = Server::start(&["anna", "bo", "carl"]).await;
    let (anna, bo) = (
        server.log_in("anna", "p").await,
        server.log_in("bo", "q").await,
    );
    server.log_in("carl", "r").await;
    // In use and empty, as an S60 phone leaves it.
    change(&server, &bo, blocking(adding(&[]))).await.unwrap();
    let statements = || server.store.metrics().statements;
    let mut costs = Vec::new();
    for _ in 0..3 {
        let before = statements();
        for name in ["bo", "carl"] {
            let sent = server
                .ask(&anna, send(message(to(&[&user(name)]), "hi")))
                .await;
            accepted(&sent);
        }
        costs.push(statements() - before);
    }
    // Both are known after the first.
    assert_eq!(costs[1], costs[2]);
    assert_eq!(costs[2], 2, "each message is one statement");
}

#[tokio::test]
async fn authorize_and_grant_lets_new_contacts_through() {
    // csp-presence 2.7 (ii): off the block list, on the grant list while that is in use.
    let server = Server::start(&["anna", "bo", "carl"]).await;
    let (anna, bo) = (
        server.log_in("anna", "p").await,
        server.log_in("bo", "q").await,
    );
    server.make_list(&bo, "friends", &[]).await;
    let manage = |name: &str, grant: bool| {
        let request = hamlet_elements::contact_list::ManageContactList {
            add: vec![member(&user(name))],
            authorize_and_grant: grant,
            ..look(&list("bo/friends"))
        };
        Request::ManageContactList(request)
    };
    let out = ListChange {
        in_use: Some(true),
        add: vec![by_user("anna"), by_user("carl")],
        ..ListChange::default()
    };
    change(&server, &bo, blocking(out)).await.unwrap();
    server.ask(&bo, manage("carl", false)).await.unwrap();
    assert_eq!(write(&server, &anna).await, "532 532:wv:bo@a");
    server.told.take();
    server.ask(&bo, manage("anna", true)).await.unwrap();
    assert!(notices(&server).contains(&Notification::BlockListChanged));
    assert_eq!(write(&server, &anna).await, "200");
    let now = lists(&server, &bo).await;
    assert_eq!(now.block.entities, [by_user("carl")]);
    assert!(now.grant.entities.is_empty(), "it is not in use");
    change(&server, &bo, granting(adding(&[]))).await.unwrap();
    assert_eq!(write(&server, &anna).await, "532 532:wv:bo@a");
    server.ask(&bo, manage("anna", true)).await.unwrap();
    assert_eq!(write(&server, &anna).await, "200");
    let now = lists(&server, &bo).await;
    assert_eq!(now.grant.entities, [by_user("anna")]);
}
