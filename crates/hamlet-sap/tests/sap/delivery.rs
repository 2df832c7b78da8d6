//! Delivery: repetition, several sessions, sizes, several transactions (csp-access 2, csp-im
//! 6, 10).

use crate::support::{Phone, Server, config};
use hamlet_csp::Syntax::{Wbxml, Xml};
use hamlet_csp::Version::{V1_2, V1_3};
use hamlet_csp::elements::{
    AcceptedContentType, CapabilityList, CspResult, MessageDelivered, OnlineETEMHandling,
    Primitive, Status,
};
use hamlet_csp::{Tag, Transaction};
use std::time::Duration;

async fn server(guard: Duration) -> Server {
    let mut config = config();
    config.delivery.guard_time = Some(guard);
    let server = Server::with(config).await;
    server.account("anna").await;
    server.account("bob").await;
    server
}

async fn phone(server: &Server, name: &str) -> Phone {
    let mut phone = Phone::new(server, name, V1_2, Wbxml).await;
    phone.log_in_and_negotiate().await;
    phone
}

fn status(code: u32) -> Status {
    Status {
        result: Some(CspResult {
            code: Some(code),
            ..CspResult::default()
        }),
        client_id: None,
    }
}

#[tokio::test]
async fn what_is_not_acknowledged_in_time_comes_again_under_another_transaction() {
    let server = server(Duration::ZERO).await;
    let (mut anna, mut bob) = (phone(&server, "anna").await, phone(&server, "bob").await);
    anna.send("bob", "hello", false).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let pushed = bob.poll().await.expect("the message");
        assert_eq!(pushed.content().as_deref(), Some("hello"));
        assert!(!seen.contains(&pushed.transaction_id().to_owned()));
        seen.push(pushed.transaction_id().to_owned());
    }
    // A late acknowledgement of the first counts (csp-im 6 rule 1).
    let pushed = bob.poll().await.expect("once more");
    let late = MessageDelivered {
        message_id: pushed.message_id(),
    };
    assert!(
        bob.exchange(Transaction::response(&seen[0], late))
            .await
            .is_none()
    );
    assert!(bob.poll().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn gen_29_a_client_that_never_acknowledges_does_so_by_polling() {
    let server = server(Duration::ZERO).await;
    let (mut anna, mut bob) = (phone(&server, "anna").await, phone(&server, "bob").await);
    for text in ["one", "two"] {
        anna.send("bob", text, true).await;
    }
    let mut heard = Vec::new();
    while let Some(pushed) = bob.poll().await {
        heard.push(pushed.content().unwrap());
        assert!(heard.len() < 20, "{heard:?}");
    }
    heard.dedup();
    assert_eq!(heard, ["one", "two"]);
    assert_eq!(anna.poll().await.unwrap().tag(), Tag::DeliveryReportRequest);
    server.stop().await;
}

#[tokio::test]
async fn mov_20_a_status_in_mode_request_acknowledges_the_oldest() {
    let server = server(Duration::from_secs(60)).await;
    let (mut anna, mut bob) = (phone(&server, "anna").await, phone(&server, "bob").await);
    anna.send("bob", "one", false).await;
    anna.send("bob", "two", false).await;
    assert_eq!(bob.poll().await.unwrap().content().as_deref(), Some("one"));
    let answer = bob.exchange(Transaction::request("own", status(200))).await;
    assert!(answer.is_none(), "an empty body");
    assert_eq!(bob.poll().await.unwrap().content().as_deref(), Some("two"));
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_refuses_the_type_makes_the_message_fail() {
    let server = server(Duration::from_secs(60)).await;
    let (mut anna, mut bob) = (phone(&server, "anna").await, phone(&server, "bob").await);
    anna.send("bob", "one", true).await;
    let pushed = bob.poll().await.unwrap();
    let refusal = Transaction::response(pushed.transaction_id(), status(415));
    assert!(bob.exchange(refusal).await.is_none());
    assert!(bob.poll().await.is_none());
    let report = anna.poll().await.expect("the report");
    let Primitive::DeliveryReportRequest(report) = report.primitive() else {
        panic!("{report:?}");
    };
    assert_eq!(report.result.as_ref().unwrap().code, Some(415));
    server.stop().await;
}

#[tokio::test]
async fn nonsense_in_answer_to_a_message_is_no_acknowledgement() {
    let server = server(Duration::from_secs(60)).await;
    let (mut anna, mut bob) = (phone(&server, "anna").await, phone(&server, "bob").await);
    anna.send("bob", "one", false).await;
    let pushed = bob.poll().await.unwrap();
    let other = MessageDelivered {
        message_id: Some("another".into()),
    };
    let answer = Transaction::response(pushed.transaction_id(), other);
    let again = bob.exchange(answer).await.or(bob.poll().await);
    assert_eq!(again.unwrap().content().as_deref(), Some("one"));
    assert!(
        bob.exchange(Transaction::response("unknown", status(200)))
            .await
            .is_none()
    );
    server.stop().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_parsed_by_the_client_does_not_block_others() {
    let server = server(Duration::from_secs(60)).await;
    let mut anna = phone(&server, "anna").await;
    let mut bob = Phone::new(&server, "bob", V1_2, Xml).await;
    bob.log_in_and_negotiate().await;
    bob.negotiate(CapabilityList {
        parser_size: Some(2000),
        ..CapabilityList::default()
    })
    .await;
    anna.send("bob", &"x".repeat(3000), false).await;
    anna.send("bob", "short", false).await;
    // csp-im 3.2 item 4: of what he cannot parse he is told.
    let told = bob.poll().await.unwrap();
    assert_eq!(told.tag(), Tag::MessageNotification);
    let pushed = bob.acknowledge(&told).await.unwrap();
    assert_eq!(pushed.content().as_deref(), Some("short"));
    assert!(bob.acknowledge(&pushed).await.is_none());
    // Once the client can do more, the message is still there.
    bob.log_out().await;
    bob.log_in_and_negotiate().await;
    assert_eq!(bob.poll().await.unwrap().content().unwrap().len(), 3000);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_over_two_connections_at_once_gets_one_message() {
    // csp-access 2.4: the first connection seems to be lost. MultiTrans is 1.
    let server = server(Duration::from_secs(60)).await;
    let (mut anna, mut bob) = (phone(&server, "anna").await, phone(&server, "bob").await);
    let mut again = Phone::new(&server, "bob", V1_2, Wbxml).await;
    again.set_session(bob.session_id().as_str());
    for round in 0..50 {
        let texts = [format!("{round} a"), format!("{round} b")];
        for text in &texts {
            anna.send("bob", text, false).await;
        }
        let (one, two) = tokio::join!(bob.poll(), again.poll());
        let came: Vec<_> = one.into_iter().chain(two).collect();
        assert_eq!(came.len(), 1, "round {round}");
        assert_eq!(came[0].content().as_ref(), Some(&texts[0]));
        let next = bob.acknowledge(&came[0]).await.expect("the second one");
        assert_eq!(next.content().as_ref(), Some(&texts[1]));
        assert!(bob.acknowledge(&next).await.is_none());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_acknowledgement_is_answered_when_the_first_one_is_durable() {
    // csp-im 6: the connection of the first one is lost, the server has read it.
    let server = server(Duration::from_secs(60)).await;
    let (mut anna, mut bob) = (phone(&server, "anna").await, phone(&server, "bob").await);
    let mut again = Phone::new(&server, "bob", V1_2, Wbxml).await;
    again.set_session(bob.session_id().as_str());
    anna.send("bob", "hello", false).await;
    let pushed = bob.poll().await.expect("the message");
    let held = server.hold_writes().await;
    let first_answer = async {
        tokio::select! {
            _ = bob.acknowledge(&pushed) => {}
            _ = again.acknowledge(&pushed) => {}
        }
    };
    let many_polls = async {
        for _ in 0..100 {
            assert!(anna.poll().await.is_none());
        }
    };
    tokio::select! {
        () = first_answer => panic!("answered, and nothing is written yet"),
        () = many_polls => {}
    }
    drop(held);
    again.reconnect(&server).await;
    assert!(again.acknowledge(&pushed).await.is_none());
    let server = server.restart().await;
    again.reconnect(&server).await;
    assert!(again.poll().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn mov_21_html_is_plain_text_for_those_who_take_only_that() {
    let server = server(Duration::from_secs(60)).await;
    let (mut anna, mut bob) = (phone(&server, "anna").await, phone(&server, "bob").await);
    bob.negotiate(CapabilityList {
        accepted_content_type: vec![AcceptedContentType {
            content_type: Some("text/plain; charset=utf-8".into()),
            ..AcceptedContentType::default()
        }],
        ..CapabilityList::default()
    })
    .await;
    let html = "<span style=\"color:red\">Hola &amp; adi\u{f3}s</span>";
    anna.send_typed("bob", "text/html", html, false).await;
    let pushed = bob.poll().await.unwrap();
    assert_eq!(pushed.content().as_deref(), Some("Hola & adi\u{f3}s"));
    assert!(bob.acknowledge(&pushed).await.is_none());
    anna.send_typed("bob", "image/png", "AAAA", true).await;
    assert!(bob.poll().await.is_none());
    let report = anna.poll_for(Tag::DeliveryReportRequest).await;
    let Primitive::DeliveryReportRequest(report) = report.primitive() else {
        panic!("{report:?}");
    };
    assert_eq!(report.result.as_ref().unwrap().code, Some(415));
    server.stop().await;
}

#[tokio::test]
async fn of_several_sessions_one_gets_a_message_unless_all_shall() {
    let server = server(Duration::from_secs(60)).await;
    let mut anna = phone(&server, "anna").await;
    let mut first = Phone::new(&server, "bob", V1_3, Xml).await;
    first.log_in_and_negotiate().await;
    let mut second = Phone::new(&server, "bob", V1_3, Wbxml).await;
    second.client = "second".into();
    second.log_in_and_negotiate().await;
    for (phone, priority) in [(&mut first, 5), (&mut second, 3)] {
        phone
            .negotiate(CapabilityList {
                session_priority: Some(priority),
                ..CapabilityList::default()
            })
            .await;
    }
    anna.send("bob", "to one", false).await;
    assert!(second.poll().await.is_none());
    let pushed = first.poll().await.unwrap();
    assert!(first.acknowledge(&pushed).await.is_none());
    assert!(second.poll().await.is_none());

    second
        .negotiate(CapabilityList {
            online_etem_handling: Some(OnlineETEMHandling::Forkall),
            ..CapabilityList::default()
        })
        .await;
    anna.send("bob", "to all", true).await;
    for phone in [&mut second, &mut first] {
        let pushed = phone.poll().await.unwrap();
        assert_eq!(pushed.content().as_deref(), Some("to all"));
        assert!(phone.acknowledge(&pushed).await.is_none());
        assert!(phone.poll().await.is_none());
    }
    let report = anna.poll().await.unwrap();
    anna.acknowledge(&report).await;
    assert!(anna.poll().await.is_none(), "one report");
    server.stop().await;
}

#[tokio::test]
async fn a_session_that_ends_leaves_its_messages_to_the_others() {
    let server = server(Duration::from_secs(60)).await;
    let mut anna = phone(&server, "anna").await;
    let mut first = phone(&server, "bob").await;
    let mut second = Phone::new(&server, "bob", V1_2, Xml).await;
    second.client = "second".into();
    second.log_in_and_negotiate().await;
    anna.send("bob", "one", false).await;
    let (one, other) = (first.poll().await, second.poll().await);
    let (mut holder, mut free) = match (one, other) {
        (Some(_), None) => (first, second),
        (None, Some(_)) => (second, first),
        both => panic!("{both:?}"),
    };
    holder.log_out().await;
    assert_eq!(free.poll().await.unwrap().content().as_deref(), Some("one"));
    server.stop().await;
}

#[tokio::test]
async fn several_transactions_in_one_message_are_answered_in_order() {
    let server = server(Duration::from_secs(60)).await;
    let mut anna = Phone::new(&server, "anna", V1_3, Wbxml).await;
    anna.log_in_and_negotiate().await;
    let mut bob = phone(&server, "bob").await;
    anna.negotiate(CapabilityList {
        multi_trans: Some(4),
        multi_trans_per_message: Some(4),
        ..CapabilityList::default()
    })
    .await;
    for text in ["one", "two", "three"] {
        bob.send("anna", text, false).await;
    }
    let requests = vec![
        Transaction::request("a", Primitive::GetListRequest),
        Transaction::request("", Primitive::PollingRequest),
        Transaction::request("b", Primitive::GetBlockedListRequest),
    ];
    let heard = anna.exchange_all(requests).await.unwrap();
    let ids: Vec<_> = heard
        .0
        .transactions
        .iter()
        .map(|t| t.id.clone().unwrap())
        .collect();
    let tags: Vec<_> = heard
        .0
        .transactions
        .iter()
        .map(|t| t.content.as_ref().unwrap().tag())
        .collect();
    assert_eq!(
        tags,
        [
            Tag::GetListResponse,
            Tag::GetBlockedListResponse,
            Tag::NewMessage,
            Tag::NewMessage
        ]
    );
    assert_eq!((ids[0].as_str(), ids[1].as_str()), ("a", "b"));
    assert_eq!(heard.0.poll, Some(true), "one more");
    // Both are acknowledged in one message, which the third answers.
    let acknowledgements = heard.0.transactions[2..]
        .iter()
        .map(|pushed| {
            let Ok(Primitive::NewMessage(new)) = &pushed.content else {
                panic!("{pushed:?}");
            };
            let message_id = new.message_info.as_ref().unwrap().message_id.clone();
            Transaction::response(pushed.id.as_ref().unwrap(), MessageDelivered { message_id })
        })
        .collect();
    let third = anna.exchange_all(acknowledgements).await.unwrap();
    assert_eq!(third.content().as_deref(), Some("three"));
    assert_eq!(third.0.poll, Some(false));
    server.stop().await;
}
