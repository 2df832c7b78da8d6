//! Messages that wait: rejected, forwarded (csp-im 7.4 to 7.6).

use crate::common::*;
use crate::relay::Net;
use hamlet_elements::im::{ForwardMessage, GetHistory, RejectMessages};
use hamlet_elements::{Answer, Call, ElementsConfig, Event, IdempotenceKey, Request, Requestor};
use hamlet_model::{ApplicationId, ClientId, GroupId, MessageId, MessageParty, Recipients, UserId};

async fn sent(server: &Server, from: &Requestor, to: Recipients, text: &str) -> MessageId {
    let mut request = message(to, text);
    request.report = true;
    accepted(&server.ask(from, send(request)).await)
}

async fn reject(server: &Server, by: &Requestor, ids: &[&MessageId]) -> Answer {
    let messages = ids.iter().map(|id| (*id).clone()).collect();
    let request = Request::RejectMessages(RejectMessages { messages });
    server.ask(by, request).await
}

fn forward(id: &MessageId, recipients: Recipients) -> Request {
    Request::ForwardMessage(Box::new(ForwardMessage {
        message: id.clone(),
        sender: None,
        recipients,
    }))
}

async fn reports(server: &Server, user: &UserId) -> Vec<String> {
    let items = server.mailbox(user).await;
    items.iter().map(|item| as_report(item)).collect()
}

#[tokio::test]
async fn a_rejected_message_is_gone_and_its_sender_knows() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "desk").await;
    let to_bo = || to(&[&user("bo")]);
    let first = sent(&server, &anna, to_bo(), "one").await;
    let second = sent(&server, &anna, to_bo(), "two").await;
    let none = MessageId::new("none");
    server.told.take();
    let answer = reject(&server, &bo, &[&first, &none, &first]).await;
    assert_eq!(outcome(&answer), "201 426:none");
    assert_eq!(reports(&server, &user("anna")).await, ["538 wv:bo@a"]);
    let told = server.told.take();
    let removed = |event: &Event| {
        matches!(event, Event::MailboxRemoved { user: of, ids }
            if *of == user("bo") && ids == &[first.to_string()])
    };
    assert!(told.iter().any(removed), "{told:?}");
    assert_eq!(server.mailbox(&user("bo")).await.len(), 1);
    assert_eq!(
        outcome(&reject(&server, &bo, &[&first]).await),
        "426 426:first".replace("first", first.as_str())
    );
    assert_eq!(outcome(&reject(&server, &bo, &[&second]).await), "200");
    // A report is none of his messages.
    let report = server.mailbox(&user("anna")).await[0].id();
    let answer = reject(&server, &anna, &[&MessageId::new(&report)]).await;
    assert!(outcome(&answer).starts_with("426"), "{answer:?}");
}

#[tokio::test]
async fn a_session_decides_only_on_what_is_addressed_to_it() {
    // csp-im 10.3 items 1 and 2.
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let desk = server.log_in("bo", "desk").await;
    let phone = server.log_in("bo", "phone").await;
    let game = Requestor {
        application: Some(ApplicationId::new("chess")),
        ..desk.clone()
    };
    let party = |client: Option<&str>, application: Option<&str>| Recipients {
        parties: vec![MessageParty::User {
            user: user("bo"),
            client: client.map(ClientId::from_url),
            application: application.map(ApplicationId::new),
        }],
        ..Recipients::default()
    };
    for (recipient, theirs, others) in [
        (party(Some("phone"), None), &phone, [&desk, &game]),
        (party(None, Some("chess")), &game, [&desk, &phone]),
        (party(None, None), &desk, [&game, &game]),
    ] {
        let id = sent(&server, &anna, recipient, "for one").await;
        for other in others {
            let refused = reject(&server, other, &[&id]).await;
            assert_eq!(outcome(&refused), format!("426 426:{id}"), "{other:?}");
            let refused = server.ask(other, forward(&id, to(&[&user("cy")]))).await;
            assert_eq!(outcome(&refused), "426");
        }
        let answer = server.ask(theirs, forward(&id, to(&[&user("cy")]))).await;
        assert_eq!(outcome(&answer), "200");
    }
    assert_eq!(server.mailbox(&user("cy")).await.len(), 3);
    assert!(server.mailbox(&user("bo")).await.is_empty());
}

#[tokio::test]
async fn a_message_is_forwarded_and_removed_at_once_and_once() {
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "desk").await;
    let id = sent(&server, &anna, to(&[&user("bo")]), "on and on").await;
    let before = server.mailbox(&user("bo")).await;
    let call = |id: &MessageId| Call {
        requestor: bo.clone(),
        request: forward(id, to(&[&user("cy"), &user("x")])),
        key: Some(IdempotenceKey {
            scope: "bo's".into(),
            id: "1 ForwardMessage-Request".into(),
            hash: 7,
        }),
    };
    let answer = server.elements.call(call(&id)).await;
    assert_eq!(outcome(&answer), "201 531:wv:x@a");
    assert_eq!(
        server.elements.call(call(&id)).await,
        answer,
        "a repetition"
    );
    assert_eq!(reports(&server, &user("anna")).await, ["541 wv:bo@a"]);
    assert!(server.mailbox(&user("bo")).await.is_empty());
    let after = server.mailbox(&user("cy")).await;
    assert_eq!(after.len(), 1);
    let (old, new) = (as_message(&before[0]), as_message(&after[0]));
    assert_eq!(new.id, accepted(&answer));
    assert_ne!(new.id, old.id);
    assert_eq!((&new.content, new.expires), (&old.content, old.expires));
    assert_eq!(new.recipient, MessageParty::user(user("cy")));
    assert!(!new.report, "nobody asked for one");
    // It is his own again, after a restart, too.
    let server = server.restart().await;
    assert_eq!(server.elements.call(call(&id)).await, answer);
    assert_eq!(server.mailbox(&user("cy")).await.len(), 1);
}

#[tokio::test]
async fn a_message_forwarded_to_another_domain_stays_until_that_has_it() {
    let net = Net::new();
    let a = Server::with(
        ElementsConfig::new(domain("a")),
        &["alice", "carl"],
        net.relay(&domain("a")),
    )
    .await;
    let b = Server::with(
        ElementsConfig::new(domain("b")),
        &["bob"],
        net.relay(&domain("b")),
    )
    .await;
    net.join(&a);
    net.join(&b);
    let alice = a.log_in("alice", "phone").await;
    let carl = a.log_in("carl", "phone").await;
    let id = sent(&a, &carl, to(&[&user("alice")]), "far away").await;
    let (bob, nobody) = (user("bob@b"), user("nobody@b"));
    let answer = a.ask(&alice, forward(&id, to(&[&nobody]))).await;
    assert_eq!(outcome(&answer), "531 531:wv:nobody@b");
    assert_eq!(a.mailbox(&user("alice")).await.len(), 1, "nobody has it");
    let answer = a.ask(&alice, forward(&id, to(&[&nobody, &bob]))).await;
    assert_eq!(outcome(&answer), "201 531:wv:nobody@b");
    assert!(a.mailbox(&user("alice")).await.is_empty());
    assert_eq!(reports(&a, &user("carl")).await, ["541 wv:alice@a"]);
    let waiting = b.mailbox(&bob).await;
    assert_eq!(as_message(&waiting[0]).content.data, "far away");
}

#[tokio::test]
async fn without_groups_there_is_no_history() {
    let server = Server::start(&["anna"]).await;
    let anna = server.log_in("anna", "phone").await;
    let group = GroupId::parse("wv:anna/chess", &domain("a")).unwrap();
    let newest = Some(5);
    let history = Request::GetHistory(GetHistory {
        group: group.clone(),
        newest,
    });
    assert_eq!(outcome(&server.ask(&anna, history).await), "800");
    let message = Request::GetHistoryMessage(MessageId::new("m"));
    assert_eq!(outcome(&server.ask(&anna, message).await), "426");
    let joined = server.elements.joined(&anna, &group).await;
    assert_eq!(joined.map_err(|refusal| refusal.code.0), Err(800));
}
