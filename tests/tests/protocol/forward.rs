//! ForwardMessage (csp-im 7.6).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::http::DEADLINE;
use hamlet_tests::server::TestServer;
use tokio::time::Instant;

use Version::V1_3;

const QUIET: &str =
    "<SetDeliveryMethod-Request><DeliveryMethod>N</DeliveryMethod></SetDeliveryMethod-Request>";

fn forward(id: &str, recipients: &str) -> String {
    forward_as(id, "", recipients)
}

fn forward_as(id: &str, sender: &str, recipients: &str) -> String {
    format!(
        "<ForwardMessage-Request><MessageID>{id}</MessageID>{sender}\
         <Recipient>{recipients}</Recipient></ForwardMessage-Request>"
    )
}

/// A message of bob's for alice, who wants to be notified.
async fn waiting(bob: &mut Client, text: &str) -> String {
    let answer = bob
        .request(&send_message(&user("wv:alice@h"), text, true))
        .await;
    answer.expect_code(200);
    let id = answer.primitive().text("MessageID");
    id.expect("an id").to_owned()
}

async fn reports(client: &mut Client) -> Vec<(String, String)> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let came = client.drain().await;
        if !came.is_empty() {
            let text = |report: &hamlet_tests::element::Element, path| {
                report.text(path).unwrap_or_default().to_owned()
            };
            return came
                .iter()
                .map(|report| {
                    (
                        text(report, "Result/Code"),
                        text(report, "MessageInfo/MessageID"),
                    )
                })
                .collect();
        }
        assert!(Instant::now() < deadline, "no report");
    }
}

/// Success, in the form of the version.
#[track_caller]
fn forwarded(answer: &Answer, version: Version) -> Option<String> {
    match version {
        V1_3 => {
            let response = answer.expect("ForwardMessage-Response");
            Some(response.text("MessageID").expect("an id").to_owned())
        }
        _ => {
            answer.expect_status(200);
            None
        }
    }
}

/// What 1.1 does not know is replaced.
fn in_1_1(code: &str) -> String {
    if code == "541" { "410" } else { code }.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_message_is_a_new_one_of_the_forwarding_user() {
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut alice = server.client(version, syntax, "alice").await;
            let mut bob = server.client(version, syntax, "bob").await;
            let mut carol = server.client(version, syntax, "carol").await;
            alice.request(QUIET).await.expect_status(200);
            let id = waiting(&mut bob, "pass it on").await;
            let told = alice.poll().await;
            told.expect("MessageNotification");
            alice.acknowledge(&told).await;
            let request = forward(&id, &user("wv:carol@h"));
            let answer = alice
                .request_as(&format!("f{version}{syntax:?}"), &request)
                .await;
            let new = forwarded(&answer, version);
            // csp-access 2.3: the answer was lost; nothing is forwarded twice.
            let answer = alice
                .request_as(&format!("f{version}{syntax:?}"), &request)
                .await;
            assert_eq!(forwarded(&answer, version), new);
            let messages = carol.messages().await;
            assert_eq!(messages.len(), 1);
            let text = |path: &str| messages[0].text(path).map(str::to_owned);
            assert_eq!(text("ContentData").as_deref(), Some("pass it on"));
            let sender = text("MessageInfo/Sender/User/UserID");
            assert_eq!(sender.as_deref(), Some("wv:alice@h"));
            let recipient = text("MessageInfo/Recipient/User/UserID");
            assert_eq!(recipient.as_deref(), Some("wv:carol@h"));
            let came = text("MessageInfo/MessageID");
            assert_ne!(came.as_deref(), Some(id.as_str()));
            if new.is_some() {
                assert_eq!(came, new);
            }
            // The original is gone, and its sender knows; the forwarder hears nothing.
            let code = match version {
                Version::V1_1 => in_1_1("541"),
                _ => "541".to_owned(),
            };
            assert_eq!(reports(&mut bob).await, [(code, id.clone())]);
            let gone = alice.request(&forward(&id, &user("wv:carol@h"))).await;
            gone.expect_status(426);
            assert!(alice.poll().await.is_empty());
            assert!(carol.poll().await.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_waits_on_when_nobody_gets_it() {
    // 531, 516: as SendMessage; 7.6: only on 200 and 201 it is removed.
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let mut bob = server.xml("bob").await;
        let mut carol = server.xml("carol").await;
        alice.request(QUIET).await.expect_status(200);
        let id = waiting(&mut bob, "pass it on").await;
        for (recipients, code) in [
            (user("wv:nobody@h"), 531),
            (user("wv:x@far.example"), 516),
            (
                "<ContactList>wv:bob/friends@h</ContactList>".to_owned(),
                700,
            ),
            (
                "<Group><GroupID>wv:bob/none@h</GroupID></Group>".to_owned(),
                800,
            ),
            (String::new(), 402),
        ] {
            let answer = alice.request(&forward(&id, &recipients)).await;
            answer.expect_status(code);
        }
        // To some: 201 with those who do not get it, which only a Status can say.
        let some = [user("wv:nobody@h"), user("wv:carol@h")].concat();
        let answer = alice.request(&forward(&id, &some)).await;
        answer.expect_status(201);
        let details = answer.primitive().all("Result/DetailedResult");
        assert_eq!(details.len(), 1);
        assert_eq!(details[0].text("Code"), Some("531"));
        assert_eq!(details[0].texts("UserID"), ["wv:nobody@h"]);
        assert_eq!(carol.messages().await.len(), 1);
        assert_eq!(reports(&mut bob).await.len(), 1, "one report");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_forwards_for_another_or_what_is_not_his() {
    // 426 before the sender is looked at; 5.3 item 3.
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    let mut alice = server.client(V1_3, Syntax::Xml, "alice").await;
    let mut bob = server.xml("bob").await;
    let mut carol = server.client(V1_3, Syntax::Xml, "carol").await;
    alice.request(QUIET).await.expect_status(200);
    let id = waiting(&mut bob, "pass it on").await;
    let sender = |name: &str| format!("<Sender>{}</Sender>", user(name));
    let to_carol = user("wv:carol@h");
    let stolen = carol
        .request(&forward_as(&id, &sender("wv:alice@h"), &to_carol))
        .await;
    stolen.expect_status(426);
    let false_name = alice
        .request(&forward_as(&id, &sender("wv:bob@h"), &to_carol))
        .await;
    false_name.expect_status(427);
    let honest = alice
        .request(&forward_as(&id, &sender("wv:alice@h"), &to_carol))
        .await;
    honest.expect("ForwardMessage-Response");
    assert_eq!(carol.messages().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forwarded_is_as_it_was() {
    // 7.6: content and type are kept, and what is left of its life; forwarded twice, too.
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    let mut alice = server.client(V1_3, Syntax::Wbxml, "alice").await;
    let mut bob = server.client(V1_3, Syntax::Xml, "bob").await;
    let mut carol = server.client(V1_3, Syntax::Xml, "carol").await;
    alice.request(QUIET).await.expect_status(200);
    let content = send_message(&user("wv:alice@h"), "UE5H", false).replace(
        "<ContentType>text/plain</ContentType><ContentSize>4</ContentSize>",
        "<ContentType>image/png</ContentType><ContentEncoding>BASE64</ContentEncoding>\
         <ContentSize>3</ContentSize><ContentName>lake.png</ContentName>",
    );
    let content = content.replace("</MessageInfo>", "<Validity>600</Validity></MessageInfo>");
    let sent = bob.request(&content).await;
    sent.expect_code(200);
    let id = sent.primitive().text("MessageID").unwrap().to_owned();
    let answer = alice.request(&forward(&id, &user("wv:carol@h"))).await;
    answer.expect("ForwardMessage-Response");
    let push = carol.poll().await;
    let message = push.expect("NewMessage");
    let info = |path: &str| message.text(&format!("MessageInfo/{path}"));
    assert_eq!(message.text("ContentData"), Some("UE5H"));
    assert_eq!(info("ContentType"), Some("image/png"));
    assert_eq!(info("ContentEncoding"), Some("BASE64"));
    assert_eq!(info("ContentName"), Some("lake.png"));
    let left: u32 = info("Validity").unwrap().parse().unwrap();
    assert!((500..=600).contains(&left), "{left}");
    // Pushed and not acknowledged, it can be handed on.
    let id = info("MessageID").unwrap().to_owned();
    let answer = carol.request(&forward(&id, &user("wv:bob@h"))).await;
    answer.expect("ForwardMessage-Response");
    let messages = bob.messages().await;
    assert_eq!(messages[0].text("ContentData"), Some("UE5H"));
    let sender = messages[0].text("MessageInfo/Sender/User/UserID");
    assert_eq!(sender, Some("wv:carol@h"));
}
