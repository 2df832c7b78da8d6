//! Messages through groups of this domain (csp-group 6; csp-im 5.3, 5.4, 8).

use crate::common::*;
use hamlet_elements::im::{GroupMessage, SendMessage};
use hamlet_elements::{Call, Event, IdempotenceKey, Request, Requestor};
use hamlet_model::{
    ClientId, Content, GroupId, GroupProperties, MessageParty, OwnProperties, Recipients, Role,
    ScreenName, StatusCode, Timestamp,
};
use hamlet_store::{StoredGroup, StoredJoined, StoredMember};
use std::time::Duration;

fn ski() -> GroupId {
    GroupId::parse("wv:anna/ski", &domain("a")).unwrap()
}

fn named(name: &str) -> MessageParty {
    MessageParty::ScreenName {
        name: name.into(),
        group: ski(),
    }
}

fn to_parties(parties: &[MessageParty]) -> Recipients {
    Recipients {
        parties: parties.to_vec(),
        ..Recipients::default()
    }
}

fn to_group(text: &str) -> SendMessage {
    message(to_parties(&[MessageParty::Group(ski())]), text)
}

/// A server with anna's group, in which private messages are `private`.
async fn with_group(users: &[&str], private: bool) -> Server {
    let server = Server::start(users).await;
    let group = StoredGroup {
        id: ski(),
        owner: Some(user("anna")),
        created: Timestamp::now(),
        expires: None,
        properties: GroupProperties {
            private_messaging: private,
            history: true,
            ..GroupProperties::default()
        },
    };
    let made = server.store.write(move |tx| tx.create_group(&group)).await;
    assert!(made.unwrap());
    server
}

async fn join(server: &Server, who: &Requestor, name: &str) {
    let who = who.clone();
    let name = ScreenName::new(name).unwrap();
    let joined = server.store.write(move |tx| {
        let cursor = tx.group_log_end(&ski())?;
        tx.put_group_joined(&StoredJoined {
            group: ski(),
            user: who.user.clone(),
            client: who.client.clone().unwrap(),
            session: who.session.clone(),
            copy: false,
            name: name.clone(),
            subscribed: false,
            joined: Timestamp::now(),
            cursor,
        })
    });
    joined.await.unwrap();
}

async fn be(server: &Server, name: &str, role: Role, takes_whispers: bool) {
    let member = StoredMember {
        user: user(name),
        is_member: true,
        role,
        own: OwnProperties {
            private_messaging: takes_whispers,
            ..OwnProperties::default()
        },
    };
    let put = server
        .store
        .write(move |tx| tx.put_group_member(&ski(), &member));
    put.await.unwrap();
}

async fn log(server: &Server) -> Vec<GroupMessage> {
    server.elements.group_log(&ski(), 0, 100).await.unwrap()
}

async fn texts(server: &Server) -> Vec<String> {
    let log = log(server).await.into_iter();
    log.map(|said| said.message.content.data).collect()
}

#[tokio::test]
async fn a_message_to_a_group_is_kept_once_and_comes_from_a_screen_name() {
    let server = with_group(&["anna", "bo", "cy"], false).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    join(&server, &anna, "Ann").await;
    join(&server, &bo, "Bo").await;
    server.told.take();
    // S60 always sends as a user (csp-im 5.4).
    let request = SendMessage {
        sender: Some(MessageParty::user(user("anna"))),
        ..to_group("hello")
    };
    let id = accepted(&server.ask(&anna, send(request)).await);
    let log = log(&server).await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].message.id, id);
    assert_eq!(log[0].message.sender, named("Ann"));
    assert_eq!(log[0].message.recipient, MessageParty::Group(ski()));
    assert_eq!(log[0].sender_client, Some(ClientId::from_url("phone")));
    assert!(log[0].is_for(&user("bo"), &ClientId::from_url("phone"), "bo"));
    assert!(server.mailbox(&user("bo")).await.is_empty());
    let told = server.told.take();
    assert!(
        matches!(&told[..], [Event::GroupMessage(said)] if **said == log[0]),
        "one event for all: {told:?}"
    );
}

#[tokio::test]
async fn every_form_of_recipient_in_a_group_fails_with_its_code() {
    let server = with_group(&["anna", "bo", "cy", "di"], true).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let di = server.log_in("di", "phone").await;
    for (who, name) in [(&anna, "Ann"), (&bo, "Bo"), (&cy, "Cy")] {
        join(&server, who, name).await;
    }
    be(&server, "cy", Role::User, false).await;
    let none = GroupId::parse("wv:anna/none", &domain("a")).unwrap();
    let elsewhere = GroupId::parse("wv:x/y@elsewhere", &domain("a")).unwrap();
    let group = || MessageParty::Group(ski());
    for (who, parties, expected) in [
        (&anna, vec![group()], "200"),
        (&anna, vec![named("bo")], "200"),
        (&anna, vec![named("nobody")], "410 410:nobody"),
        (&anna, vec![named("ann")], "410 410:ann"),
        (&anna, vec![named("CY")], "813 813:CY"),
        (&di, vec![group()], "808 808:wv:anna/ski@a"),
        (&di, vec![named("bo")], "808 808:bo"),
        (
            &anna,
            vec![MessageParty::Group(none.clone())],
            "800 800:wv:anna/none@a",
        ),
        (
            &anna,
            vec![MessageParty::Group(elsewhere)],
            "516 516:wv:x/y@elsewhere",
        ),
        // csp-im 16.4: users, groups and names in one request.
        (
            &anna,
            vec![
                MessageParty::user(user("di")),
                MessageParty::user(user("nobody")),
                group(),
                group(),
                named("bo"),
                MessageParty::Group(none),
            ],
            "201 531:wv:nobody@a 800:wv:anna/none@a",
        ),
    ] {
        let request = message(to_parties(&parties), "x");
        let answer = server.ask(who, send(request)).await;
        assert_eq!(outcome(&answer), expected, "{parties:?}");
    }
    assert_eq!(server.mailbox(&user("di")).await.len(), 1);
    assert_eq!(log(&server).await.len(), 4);
}

#[tokio::test]
async fn a_group_without_private_messages_refuses_whispers() {
    let server = with_group(&["anna", "bo"], false).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    join(&server, &anna, "Ann").await;
    join(&server, &bo, "Bo").await;
    let answer = server
        .ask(&anna, send(message(to_parties(&[named("bo")]), "psst")))
        .await;
    assert_eq!(outcome(&answer), "812 812:bo");
    assert!(log(&server).await.is_empty(), "refused is not delivered");
}

#[tokio::test]
async fn who_a_sender_says_he_is_is_checked() {
    let server = with_group(&["anna", "bo"], false).await;
    let anna = server.log_in("anna", "phone").await;
    let desk = server.log_in("anna", "desk").await;
    let bo = server.log_in("bo", "phone").await;
    join(&server, &anna, "Ann").await;
    join(&server, &bo, "Bo").await;
    let none = GroupId::parse("wv:anna/none", &domain("a")).unwrap();
    let of_none = MessageParty::ScreenName {
        name: "Ann".into(),
        group: none,
    };
    for (who, claimed, expected) in [
        (&anna, named("ann"), "200"),
        (&anna, named("Bo"), "808"),
        (&desk, named("Ann"), "808"),
        (&anna, named(" "), "427"),
        (&anna, of_none, "800"),
        (&anna, MessageParty::user(user("bo")), "427"),
        // csp-group 6 item 11: only owner and administrators.
        (&bo, MessageParty::Group(ski()), "427"),
        (&anna, MessageParty::Group(ski()), "200"),
    ] {
        let request = SendMessage {
            sender: Some(claimed.clone()),
            ..to_group("x")
        };
        let answer = server.ask(who, send(request)).await;
        assert_eq!(outcome(&answer), expected, "{claimed:?}");
    }
    be(&server, "bo", Role::Admin, true).await;
    let mut request = SendMessage {
        sender: Some(MessageParty::Group(ski())),
        ..to_group("by an administrator")
    };
    let answer = server.ask(&bo, send(request.clone())).await;
    assert_eq!(outcome(&answer), "200");
    request.recipients = to(&[&user("anna")]);
    let answer = server.ask(&bo, send(request)).await;
    assert_eq!(outcome(&answer), "427", "a group speaks only in itself");
    let last = log(&server).await.pop().unwrap();
    assert_eq!(last.message.sender, MessageParty::Group(ski()));
}

#[tokio::test]
async fn a_message_to_a_group_that_is_sent_again_is_said_once() {
    let server = with_group(&["anna", "bo"], false).await;
    let anna = server.log_in("anna", "phone").await;
    join(&server, &anna, "Ann").await;
    let call = Call {
        requestor: anna.clone(),
        request: send(to_group("once")),
        key: Some(IdempotenceKey {
            scope: "s".into(),
            id: "1".into(),
            hash: 7,
        }),
    };
    let first = server.elements.call(call.clone()).await;
    let server = server.restart().await;
    let second = server.elements.call(call).await;
    assert_eq!(first, second);
    assert_eq!(texts(&server).await, ["once"]);
}

#[tokio::test]
async fn a_group_reports_once_that_a_message_has_reached_it() {
    let server = with_group(&["anna", "bo"], true).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    join(&server, &anna, "Ann").await;
    join(&server, &bo, "Bo").await;
    let request = SendMessage {
        report: true,
        // csp-im 8 rule 7: then nothing else is said of him.
        sender: Some(named("Ann")),
        ..to_group("x")
    };
    accepted(&server.ask(&anna, send(request)).await);
    let reports = server.mailbox(&user("anna")).await;
    assert_eq!(reports.len(), 1);
    let hamlet_elements::im::MailboxItem::Report(report) = &*reports[0] else {
        panic!("{reports:?}");
    };
    assert_eq!(report.code, StatusCode::OK);
    assert_eq!(report.sender, named("Ann"));
    assert_eq!(report.recipient, MessageParty::Group(ski()));
}

#[tokio::test]
async fn the_sender_of_a_whisper_hears_what_became_of_it() {
    let server = with_group(&["anna", "bo"], true).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    join(&server, &anna, "Ann").await;
    join(&server, &bo, "Bo").await;
    for validity in [3600, 1] {
        let request = SendMessage {
            report: true,
            validity: Some(Duration::from_secs(validity)),
            ..message(to_parties(&[named("bo")]), "psst")
        };
        accepted(&server.ask(&anna, send(request)).await);
    }
    let whispers = log(&server).await;
    assert_eq!(whispers[0].message.recipient, named("Bo"));
    assert_eq!(whispers[0].message.sender, named("Ann"));
    assert_eq!(whispers[0].target, "bo");
    let done = server
        .elements
        .conclude_whisper(&whispers[0], StatusCode::OK);
    assert!(done.await.unwrap());
    let later = Timestamp::now().plus(Duration::from_secs(60));
    server.elements.expire(later).await.unwrap();
    assert!(log(&server).await.is_empty());
    let reports = server.mailbox(&user("anna")).await;
    let codes: Vec<_> = reports
        .iter()
        .map(|item| match &**item {
            hamlet_elements::im::MailboxItem::Report(report) => report.code.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, [200, 542]);
}

#[tokio::test]
async fn the_operator_announces() {
    let server = with_group(&["anna"], false).await;
    let content = Content::text("We close at ten");
    let id = server
        .elements
        .announce_in_group(&ski(), content.clone())
        .await;
    let said = log(&server).await.pop().unwrap();
    assert_eq!(said.message.id, id.unwrap());
    assert_eq!(said.message.sender, MessageParty::Group(ski()));
    assert_eq!(said.sender_client, None);
    let none = GroupId::parse("/none", &domain("a")).unwrap();
    let refused = server.elements.announce_in_group(&none, content).await;
    assert_eq!(refused.unwrap_err().code, StatusCode::NO_SUCH_GROUP);
}

#[tokio::test]
async fn what_was_said_is_history_as_long_as_the_policy_says() {
    let server = with_group(&["anna"], false).await;
    let anna = server.log_in("anna", "phone").await;
    join(&server, &anna, "Ann").await;
    let ask = |request| server.ask(&anna, request);
    for text in ["one", "two"] {
        accepted(&ask(send(to_group(text))).await);
    }
    let end = log(&server).await.pop().unwrap().seq;
    let cursor = hamlet_elements::im::GroupCursor {
        group: ski(),
        session: anna.session.clone().unwrap(),
        position: end,
        beyond: Vec::new(),
    };
    let moved = server.elements.advance_group_cursors(vec![cursor]).await;
    moved.unwrap();
    server.elements.expire(Timestamp::now()).await.unwrap();
    assert_eq!(texts(&server).await, ["one", "two"], "it is history");
    let tomorrow = Timestamp::now().plus(Duration::from_secs(86_401));
    server.elements.expire(tomorrow).await.unwrap();
    assert!(texts(&server).await.is_empty());
}

#[tokio::test]
async fn a_request_of_another_kind_is_not_disturbed() {
    // A contact list cannot be mixed into a group: it stays a personal distribution.
    let server = with_group(&["anna", "bo", "cy"], false).await;
    let anna = server.log_in("anna", "phone").await;
    join(&server, &anna, "Ann").await;
    server
        .make_list(&anna, "friends", &[&user("bo"), &user("cy")])
        .await;
    let recipients = Recipients {
        parties: vec![MessageParty::Group(ski())],
        contact_lists: vec![list("wv:anna/friends")],
        malformed: Vec::new(),
    };
    let answer = server.ask(
        &anna,
        Request::SendMessage(Box::new(message(recipients, "x"))),
    );
    assert_eq!(outcome(&answer.await), "200");
    assert_eq!(log(&server).await.len(), 1);
    let waiting = server.mailbox(&user("bo")).await;
    let got = as_message(&waiting[0]);
    assert_eq!(got.recipient, MessageParty::user(user("bo")));
}
