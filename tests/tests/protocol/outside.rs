//! Messages that wait in other systems, such as mail (csp-im 7.7, 7.1).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;
use hamletd::control::{Answer, OutsideDraft, Request};
use std::time::Duration;

use Version::V1_3;

const URI: &str = "https://mail.example.org/m/4711";

fn mail(id: &str) -> OutsideDraft {
    OutsideDraft {
        id: Some(id.to_owned()),
        sender: "wv:anna@mail.example.org".to_owned(),
        uri: URI.to_owned(),
        content_type: Some("message/rfc822".to_owned()),
        size: 50_000,
        name: Some("Dinner?".to_owned()),
        hours: 1,
    }
}

async fn announce(server: &TestServer, message: OutsideDraft) -> Answer {
    let user = "wv:alice@h".to_owned();
    server
        .operate(Request::OutsideAnnounce { user, message })
        .await
}

async fn announced(server: &TestServer, id: &str) -> String {
    let answer = announce(server, mail(id)).await;
    assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    format!("out-{id}")
}

async fn capable(client: &mut Client, capabilities: &str) {
    let request = format!(
        "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
         {capabilities}</CapabilityList></ClientCapability-Request>"
    );
    let answer = client.request(&request).await;
    answer.expect("ClientCapability-Response");
}

fn get(id: &str) -> String {
    format!("<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>")
}

fn is_mail(primitive: &Element, id: &str) {
    let text = |path| primitive.text(&format!("MessageInfo/{path}"));
    assert_eq!(text("MessageID"), Some(id));
    assert_eq!(text("MessageURI"), Some(URI));
    assert_eq!(text("Sender/User/UserID"), Some("wv:anna@mail.example.org"));
    assert_eq!(text("Recipient/User/UserID"), Some("wv:alice@h"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_notified_of_mail_and_finds_it_by_its_uri() {
    // Whatever method and limits he has, also after a login.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let id = announced(&server, &format!("m-{version}-{syntax:?}")).await;
            let mut alice = server.client(version, syntax, "alice").await;
            let limits = match version {
                V1_3 => "<AcceptedPushLength>100</AcceptedPushLength>",
                _ => "<AcceptedContentLength>100</AcceptedContentLength>",
            };
            capable(&mut alice, limits).await;
            let told = alice.poll().await;
            let told_of = told.expect("MessageNotification");
            is_mail(told_of, &id);
            let text = |path| told_of.text(&format!("MessageInfo/{path}"));
            assert_eq!(text("ContentSize"), Some("50000"));
            match version {
                V1_3 => {
                    assert_eq!(text("ContentType"), Some("message/rfc822"));
                    assert_eq!(text("ContentName"), Some("Dinner?"));
                }
                _ => {
                    let named = "message/rfc822; name=\"Dinner?\"";
                    assert_eq!(text("ContentType"), Some(named));
                }
            }
            alice.acknowledge(&told).await;
            let answer = alice.request(&get(&id)).await;
            let message = answer.expect("GetMessage-Response");
            is_mail(message, &id);
            match version {
                V1_3 => assert!(message.at("ContentData").is_none()),
                _ => {
                    let content = message.text("ContentData").unwrap();
                    assert_eq!(content, format!("Dinner?\n{URI}"));
                    let kind = message.text("MessageInfo/ContentType");
                    assert_eq!(kind, Some("text/plain"));
                }
            }
            let list = alice.request("<GetMessageList-Request/>").await;
            let listed = list.primitive().descendants();
            assert!(listed.iter().any(|element| element.text == id));
            let done = format!("<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>");
            alice.request(&done).await.expect_status(200);
            alice.request(&get(&id)).await.expect_status(426);
            assert!(alice.poll().await.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn and_28_who_knows_no_notification_gets_the_link() {
    // clients AND-28, S60-17.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for version in [Version::V1_2, V1_3] {
        let id = announced(&server, &format!("a-{version}")).await;
        let mut alice = Client::connect(server.address(), version, Syntax::Wbxml).await;
        alice.headers = vec![("User-Agent".into(), "Android-Imps/0.1".into())];
        let login = alice.login_with_password("wv:alice@h", "secret").await;
        login.expect_code(200);
        let messages = alice.messages().await;
        assert_eq!(messages.len(), 1);
        is_mail(&messages[0], &id);
        let content = messages[0].text("ContentData").unwrap();
        assert_eq!(content, format!("Dinner?\n{URI}"));
        assert_eq!(
            messages[0].text("MessageInfo/ContentType"),
            Some("text/plain")
        );
        alice.request("<Logout-Request/>").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_survives_a_restart_and_is_made_once() {
    let mut server = TestServer::with_users(&[], &["alice"]).await;
    let id = announced(&server, "once").await;
    announced(&server, "once").await;
    server.restart().await;
    announced(&server, "once").await;
    let user = "alice".to_owned();
    let listed = server.operate(Request::OutsideList { user }).await;
    let Answer::OutsideMessages { messages } = listed else {
        panic!("{listed:?}");
    };
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (messages[0].id.as_str(), messages[0].size),
        (id.as_str(), 50_000)
    );
    assert_eq!(messages[0].name.as_deref(), Some("Dinner?"));
    let mut alice = server.xml("alice").await;
    let told = alice.poll().await;
    is_mail(told.expect("MessageNotification"), &id);
    alice.acknowledge(&told).await;
    assert!(alice.poll().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_withdraws_or_what_expires_is_gone() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut alice = server.xml("alice").await;
    let (gone, old) = (
        announced(&server, "gone").await,
        announced(&server, "old").await,
    );
    let withdraw = |id: &str| Request::OutsideWithdraw {
        user: "alice".to_owned(),
        id: id.to_owned(),
    };
    let answer = server.operate(withdraw(&gone)).await;
    assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    let answer = server.operate(withdraw(&gone)).await;
    assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}");
    alice.request(&get(&gone)).await.expect_status(426);
    alice
        .request(&get(&old))
        .await
        .expect("GetMessage-Response");
    server.sweep_after(Duration::from_secs(3601)).await;
    // So long the session has not lived.
    let mut alice = server.xml("alice").await;
    assert!(alice.poll().await.is_empty());
    alice.request(&get(&old)).await.expect_status(426);
    // A message of a user is not the gateway's to withdraw.
    let sent = alice.send_text("wv:alice@h", "to myself").await;
    let id = sent.primitive().text("MessageID").unwrap().to_owned();
    let answer = server.operate(withdraw(&id)).await;
    assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_can_be_rejected_and_forwarded_like_a_message() {
    // csp-im 7.5, 7.6.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(V1_3, Syntax::Xml, "alice").await;
    let mut bob = server.client(V1_3, Syntax::Xml, "bob").await;
    let (first, second) = (
        announced(&server, "first").await,
        announced(&server, "second").await,
    );
    let reject =
        format!("<RejectMessage-Request><MessageID>{first}</MessageID></RejectMessage-Request>");
    alice.request(&reject).await.expect_status(200);
    let forward = format!(
        "<ForwardMessage-Request><MessageID>{second}</MessageID><Recipient>{}</Recipient></ForwardMessage-Request>",
        user("wv:bob@h")
    );
    let answer = alice.request(&forward).await;
    answer.expect("ForwardMessage-Response");
    assert!(alice.poll().await.is_empty());
    let told = bob.poll().await;
    let told_of = told.expect("MessageNotification");
    assert_eq!(told_of.text("MessageInfo/MessageURI"), Some(URI));
    let sender = told_of.text("MessageInfo/Sender/User/UserID");
    assert_eq!(sender, Some("wv:alice@h"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_announced_is_refused() {
    let server = TestServer::with_users(&["im.quota_messages=2"], &["alice"]).await;
    let wrong: [fn(&mut OutsideDraft); 9] = [
        |mail| mail.id = Some(String::new()),
        |mail| mail.id = Some("x".repeat(41)),
        |mail| mail.id = Some("a b".to_owned()),
        |mail| mail.sender = "a b".to_owned(),
        |mail| mail.uri = "no link".to_owned(),
        |mail| mail.uri = ":".to_owned(),
        |mail| mail.content_type = Some("a\nb".to_owned()),
        |mail| mail.name = Some("x".repeat(1001)),
        |mail| mail.hours = 0,
    ];
    for spoil in wrong {
        let mut message = mail("wrong");
        spoil(&mut message);
        let answer = announce(&server, message.clone()).await;
        assert!(matches!(answer, Answer::Failed { .. }), "{message:?}");
    }
    for user in ["nobody", "wv:alice@elsewhere"] {
        let announce = Request::OutsideAnnounce {
            user: user.to_owned(),
            message: mail("wrong"),
        };
        let answer = server.operate(announce).await;
        assert!(matches!(answer, Answer::Failed { .. }), "{user}");
    }
    // The quota is that of all messages.
    for id in ["one", "two"] {
        announced(&server, id).await;
    }
    let answer = announce(&server, mail("three")).await;
    assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}");
}
