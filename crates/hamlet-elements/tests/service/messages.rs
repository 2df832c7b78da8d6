//! Messages within one domain (csp-im 5, 6, 8, 9).

use crate::common::*;
use hamlet_elements::im::ImConfig;
use hamlet_elements::{Call, ElementsConfig, Event, IdempotenceKey, Request, Requestor};
use hamlet_model::{ClientId, GroupId, MessageParty, Recipients, StatusCode, Timestamp, UserId};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn an_accepted_message_waits_for_its_recipient_and_the_session_hears_of_it() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let request = message(to(&[&user("bo")]), "päivää 😀");
    let id = accepted(&server.ask(&anna, send(request)).await);
    let waiting = server.mailbox(&user("bo")).await;
    assert_eq!(waiting.len(), 1);
    let got = as_message(&waiting[0]);
    assert_eq!(got.id, id);
    assert_eq!(got.content.data, "päivää 😀");
    assert_eq!(got.recipient, MessageParty::user(user("bo")));
    assert_eq!(
        got.sender,
        MessageParty::User {
            user: user("anna"),
            client: Some(ClientId::from_url("phone")),
            application: None
        }
    );
    let told = server.told.take();
    assert!(matches!(&told[..], [Event::Mailbox { user: of, item }]
            if *of == user("bo") && item.id() == id.to_string()));
}

#[tokio::test]
async fn every_recipient_form_fails_with_its_code() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let group = GroupId::parse("wv:bo/ski@a", &domain("a")).unwrap();
    let parties = |parties: Vec<MessageParty>| Recipients {
        parties,
        ..Recipients::default()
    };
    let contact_list = |name: &str| Recipients {
        contact_lists: vec![list(name)],
        ..Recipients::default()
    };
    for (recipients, expected) in [
        (to(&[&user("x")]), "531 531:wv:x@a"),
        (to(&[&user("x@elsewhere")]), "516 516:wv:x@elsewhere"),
        (to(&[&user("+4612345")]), "920 920:wv:+4612345@a"),
        (contact_list("wv:anna/none"), "700 700:wv:anna/none@a"),
        (contact_list("wv:bo/friends"), "700 700:wv:bo/friends@a"),
        (
            parties(vec![MessageParty::Group(group.clone())]),
            "800 800:wv:bo/ski@a",
        ),
        (
            parties(vec![MessageParty::ScreenName {
                name: "cy".into(),
                group,
            }]),
            "800 800:cy",
        ),
        (
            Recipients {
                malformed: vec!["a b".into()],
                ..Recipients::default()
            },
            "531 531:a b",
        ),
        (Recipients::default(), "402"),
        (
            to(&[&user("x"), &user("y@elsewhere")]),
            "900 531:wv:x@a 516:wv:y@elsewhere",
        ),
        (
            to(&[&user("x"), &user("bo"), &user("y"), &user("bo")]),
            "201 531:wv:x@a,wv:y@a",
        ),
        (to(&[&user("bo"), &user("anna")]), "200"),
    ] {
        let answer = server
            .ask(&anna, send(message(recipients.clone(), "hi")))
            .await;
        assert_eq!(outcome(&answer), expected, "{recipients:?}");
    }
    assert_eq!(server.mailbox(&user("bo")).await.len(), 2);
    assert_eq!(server.mailbox(&user("anna")).await.len(), 1);
}

#[tokio::test]
async fn a_user_cannot_send_as_another() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let mut request = message(to(&[&user("bo")]), "hi");
    request.sender = Some(MessageParty::user(user("bo")));
    assert_eq!(outcome(&server.ask(&anna, send(request)).await), "427");
    assert!(server.mailbox(&user("bo")).await.is_empty());
}

#[tokio::test]
async fn a_contact_list_reaches_each_member_once() {
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    server
        .make_list(&anna, "one", &[&user("bo"), &user("cy")])
        .await;
    server.make_list(&anna, "two", &[&user("cy")]).await;
    let recipients = Recipients {
        contact_lists: vec![list("wv:anna/one"), list("wv:anna/two")],
        ..to(&[&user("bo")])
    };
    let answer = server.ask(&anna, send(message(recipients, "hi"))).await;
    assert_eq!(outcome(&answer), "200");
    for name in ["bo", "cy"] {
        let waiting = server.mailbox(&user(name)).await;
        assert_eq!(waiting.len(), 1, "{name}");
        let recipient = &as_message(&waiting[0]).recipient;
        assert_eq!(*recipient, MessageParty::user(user(name)));
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_and_not_carried_out_again() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let call = |text: &str, hash| Call {
        requestor: anna.clone(),
        request: send(message(to(&[&user("bo"), &user("x")]), text)),
        key: Some(IdempotenceKey {
            scope: "session".into(),
            id: "1 SendMessage-Request".into(),
            hash,
        }),
    };
    let first = server.elements.call(call("hi", 7)).await;
    assert_eq!(outcome(&first), "201 531:wv:x@a");
    assert_eq!(server.elements.call(call("hi", 7)).await, first);
    assert_eq!(server.mailbox(&user("bo")).await.len(), 1);
    let server = server.restart().await;
    assert_eq!(server.elements.call(call("hi", 7)).await, first);
    // Another content under the same number is another message.
    let other = server.elements.call(call("ho", 8)).await;
    assert_ne!(accepted(&other), accepted(&first));
    assert_eq!(server.elements.call(call("ho", 8)).await, other);
    let waiting = server.mailbox(&user("bo")).await;
    let texts: Vec<&str> = waiting
        .iter()
        .map(|i| &*as_message(i).content.data)
        .collect();
    assert_eq!(texts, ["hi", "ho"]);
}

#[tokio::test]
async fn a_message_costs_two_statements_and_its_acknowledgement_one() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let call = |id: &str| Call {
        requestor: anna.clone(),
        request: send(message(to(&[&user("bo")]), "hi")),
        key: Some(IdempotenceKey {
            scope: "session".into(),
            id: id.into(),
            hash: 1,
        }),
    };
    // The first finds out that the recipient exists, and reserves numbers.
    server.elements.call(call("1")).await.unwrap();
    let before = server.store.metrics().statements;
    let id = accepted(&server.elements.call(call("2")).await);
    let sent = server.store.metrics().statements;
    assert_eq!(sent - before, 2);
    assert!(
        server
            .elements
            .acknowledge(&user("bo"), id.as_str())
            .await
            .unwrap()
    );
    assert_eq!(server.store.metrics().statements - sent, 1);
}

#[tokio::test]
async fn messages_keep_their_order_and_survive_a_restart_with_new_identifiers() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let mut ids = std::collections::HashSet::new();
    for text in ["1", "2", "3"] {
        let answer = server
            .ask(&anna, send(message(to(&[&user("bo")]), text)))
            .await;
        assert!(ids.insert(accepted(&answer)));
    }
    let server = server.restart().await;
    let answer = server
        .ask(&anna, send(message(to(&[&user("bo")]), "4")))
        .await;
    assert!(ids.insert(accepted(&answer)));
    assert!(ids.iter().all(|id| id.as_str().len() < 24));
    let waiting = server.mailbox(&user("bo")).await;
    let texts: Vec<&str> = waiting
        .iter()
        .map(|i| &*as_message(i).content.data)
        .collect();
    assert_eq!(texts, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_full_mailbox_answers_507_and_gets_nothing() {
    let config = ElementsConfig {
        im: ImConfig {
            max_waiting: 2,
            ..ImConfig::default()
        },
        ..among_contacts(domain("a"))
    };
    let server = Server::with(config, &["anna", "bo", "cy"], Arc::new(NoRelay)).await;
    let anna = server.log_in("anna", "phone").await;
    let call = |recipients, id: &str| Call {
        requestor: anna.clone(),
        request: send(message(recipients, "hi")),
        key: Some(IdempotenceKey {
            scope: "s".into(),
            id: id.into(),
            hash: 1,
        }),
    };
    for id in ["1", "2"] {
        server
            .elements
            .call(call(to(&[&user("bo")]), id))
            .await
            .unwrap();
    }
    let full = server.elements.call(call(to(&[&user("bo")]), "3")).await;
    assert_eq!(outcome(&full), "507 507:wv:bo@a");
    let partly = server
        .elements
        .call(call(to(&[&user("bo"), &user("cy")]), "4"))
        .await;
    assert_eq!(outcome(&partly), "201 507:wv:bo@a");
    // The record says the same.
    let again = server.elements.call(call(to(&[&user("bo")]), "3")).await;
    assert_eq!(again, full);
    assert_eq!(server.mailbox(&user("bo")).await.len(), 2);
    assert_eq!(server.mailbox(&user("cy")).await.len(), 1);
}

#[tokio::test]
async fn content_beyond_the_limit_is_refused() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let large = "x".repeat((512 << 10) + 1);
    let answer = server
        .ask(&anna, send(message(to(&[&user("bo")]), &large)))
        .await;
    assert_eq!(outcome(&answer), "402");
}

#[tokio::test]
async fn the_sender_gets_a_report_if_he_asked_for_it() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    for (report, code, expected) in [
        (true, StatusCode::OK, vec!["200 wv:bo@a"]),
        (true, StatusCode::MESSAGE_REJECTED, vec!["538 wv:bo@a"]),
        (false, StatusCode::OK, vec![]),
        (false, StatusCode::UNSUPPORTED_MEDIA_TYPE, vec![]),
    ] {
        let mut request = message(to(&[&user("bo")]), "hi");
        request.report = report;
        let id = accepted(&server.ask(&anna, send(request)).await);
        server.told.take();
        let concluded = match code {
            StatusCode::OK => server.elements.acknowledge(&user("bo"), id.as_str()).await,
            code => server.elements.fail(&user("bo"), id.as_str(), code).await,
        };
        assert!(concluded.unwrap());
        assert!(
            !server
                .elements
                .acknowledge(&user("bo"), id.as_str())
                .await
                .unwrap()
        );
        assert!(server.mailbox(&user("bo")).await.is_empty());
        let reports = server.mailbox(&user("anna")).await;
        let got: Vec<String> = reports.iter().map(|item| as_report(item)).collect();
        assert_eq!(got, expected);
        let told = server.told.take();
        assert_eq!(told.len(), reports.len());
        for item in reports {
            let hamlet_elements::im::MailboxItem::Report(report) = &*item else {
                panic!("{item:?}");
            };
            assert_eq!(report.message_id, id);
            assert_eq!(report.origin, Some(ClientId::from_url("phone")));
            assert_eq!(report.delivered.is_some(), code == StatusCode::OK);
            assert!(
                server
                    .elements
                    .acknowledge(&user("anna"), &item.id())
                    .await
                    .unwrap()
            );
        }
    }
}

#[tokio::test]
async fn an_expired_message_is_not_fetched_and_is_reported_as_542() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let mut request = message(to(&[&user("bo")]), "hi");
    request.report = true;
    request.validity = Some(Duration::from_secs(600));
    let id = accepted(&server.ask(&anna, send(request)).await);
    server.told.take();
    let soon = Timestamp::now().plus(Duration::from_secs(300));
    assert_eq!(server.elements.expire(soon).await.unwrap(), 0);
    let later = Timestamp::now().plus(Duration::from_secs(601));
    assert_eq!(server.elements.expire(later).await.unwrap(), 1);
    assert!(server.mailbox(&user("bo")).await.is_empty());
    let reports = server.mailbox(&user("anna")).await;
    assert_eq!(as_report(&reports[0]), "542 wv:bo@a");
    let told = server.told.take();
    assert!(told.iter().any(|event| matches!(event,
        Event::MailboxRemoved { user: of, ids } if *of == user("bo") && *ids == [id.to_string()])));
}

#[tokio::test]
async fn validity_is_honoured_up_to_the_server_s_limit() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let day = Duration::from_secs(86_400);
    for (validity, life) in [
        (None, day * 7),
        (Some(Duration::from_secs(5)), Duration::from_secs(5)),
        (Some(day * 365), day * 28),
    ] {
        let mut request = message(to(&[&user("bo")]), "hi");
        request.validity = validity;
        let before = Timestamp::now();
        let id = accepted(&server.ask(&anna, send(request)).await);
        let after = Timestamp::now();
        let waiting = server.mailbox(&user("bo")).await;
        let expires = as_message(&waiting[0]).expires;
        assert!(before.plus(life) <= expires && expires <= after.plus(life));
        server
            .elements
            .acknowledge(&user("bo"), id.as_str())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_does_not_count() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let hour = Duration::from_secs(3600);
    for (sent, counts) in [
        (Timestamp::now().minus(hour * 23), true),
        (Timestamp::now().plus(hour * 23), true),
        (Timestamp::now().minus(hour * 25), false),
        (Timestamp::now().plus(hour * 25), false),
    ] {
        let mut request = message(to(&[&user("bo")]), "hi");
        request.sent = Some(sent);
        let id = accepted(&server.ask(&anna, send(request)).await);
        let waiting = server.mailbox(&user("bo")).await;
        assert_eq!(as_message(&waiting[0]).sent == sent, counts);
        server
            .elements
            .acknowledge(&user("bo"), id.as_str())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_account_that_is_gone_is_unknown_at_once() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let ask = || server.ask(&anna, send(message(to(&[&user("bo")]), "hi")));
    assert_eq!(outcome(&ask().await), "200");
    let gone = server.store.write(|tx| tx.delete_account(&user("bo")));
    gone.await.unwrap();
    server.elements.forget(&user("bo"));
    assert_eq!(outcome(&ask().await), "531 531:wv:bo@a");
}

#[tokio::test]
async fn another_domain_speaks_for_its_own_users_only() {
    let server = Server::start(&["anna", "bo"]).await;
    let from = |user: UserId, request| Call {
        requestor: Requestor::user(user),
        request,
        key: None,
    };
    let b = domain("b");
    for (call, expected) in [
        (from(user("anna"), Request::GetContactLists), "901"),
        (from(user("eve@b"), Request::GetContactLists), "403"),
        (
            from(user("eve@b"), send(message(to(&[&user("bo")]), "hi"))),
            "405",
        ),
    ] {
        let answer = server.elements.call_from_domain(&b, call.clone()).await;
        assert_eq!(outcome(&answer), expected, "{call:?}");
    }
    assert!(server.mailbox(&user("bo")).await.is_empty());
}
