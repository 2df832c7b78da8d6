//! Delivery of messages (csp-im 5, 6, 8, 9, 10; csp-access 2.4, 5).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::element::Element;
use hamlet_tests::http::DEADLINE;
use hamlet_tests::server::{AT_ONCE, TestServer};
use std::time::Duration;
use tokio::time::Instant;

fn text(message: &Element) -> &str {
    message.text("ContentData").expect("a text")
}

fn message_id(push: &Element) -> String {
    push.text("MessageInfo/MessageID")
        .expect("an id")
        .to_owned()
}

/// The next push, when it comes only after a poll or two: a guard time of nothing needs the
/// clock to move on, and some reports are made while others are served.
async fn again(client: &mut Client) -> Answer {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let push = client.poll().await;
        if !push.is_empty() {
            return push;
        }
        assert!(Instant::now() < deadline, "nothing came again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_pushed_until_it_is_acknowledged() {
    // csp-im 6 rules 1 to 3, csp-access 2.4, GEN-11: the same message, another transaction.
    let server = TestServer::with_users(&[AT_ONCE], &["alice", "bob"]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut bob = server.xml("bob").await;
            bob.send_text("wv:alice@h", "again").await.expect_code(200);
            let mut alice = server.client(version, syntax, "alice").await;
            let first = alice.poll().await;
            let second = again(&mut alice).await;
            assert_eq!(
                message_id(first.expect("NewMessage")),
                message_id(second.expect("NewMessage"))
            );
            assert_ne!(first.transaction(), second.transaction());
            assert_eq!(text(second.primitive()), "again");
            alice.acknowledge(&second).await;
            assert!(alice.poll().await.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_acknowledgement_of_the_first_push_counts_after_the_second() {
    // csp-im 6 rule 1: it is the message that is acknowledged.
    let server = TestServer::with_users(&[AT_ONCE], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    let mut alice = server.xml("alice").await;
    bob.send_text("wv:alice@h", "slow network")
        .await
        .expect_code(200);
    let first = alice.poll().await;
    again(&mut alice).await.expect("NewMessage");
    alice.acknowledge(&first).await;
    assert!(alice.poll().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn within_the_guard_time_a_message_is_not_pushed_again() {
    // csp-im 6 rule 2, rule 8.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    let mut alice = server.xml("alice").await;
    for number in 0..2 {
        bob.send_text("wv:alice@h", &format!("{number}"))
            .await
            .expect_code(200);
    }
    let first = alice.poll().await;
    assert_eq!(text(first.expect("NewMessage")), "0");
    // MultiTrans 1: the next waits for the answer.
    assert!(alice.poll().await.is_empty());
    alice.acknowledge(&first).await;
    let second = alice.poll().await;
    assert_eq!(text(second.expect("NewMessage")), "1");
    alice.acknowledge(&second).await;
    assert!(alice.poll().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_wait_for_whoever_is_away_and_come_in_order() {
    // csp-im 10.1, 6 rule 9; csp-access 3.4 item 6.
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    let mut bob = server.xml("bob").await;
    let mut carol = server.client(Version::V1_1, Syntax::Wbxml, "carol").await;
    let mut expected = Vec::new();
    for number in 0..20 {
        let (sender, name) = if number % 3 == 0 {
            (&mut carol, "carol")
        } else {
            (&mut bob, "bob")
        };
        let text = format!("{name} {number}");
        sender.send_text("wv:alice@h", &text).await.expect_code(200);
        expected.push(text);
    }
    let mut alice = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    let login = alice.login_with_password("wv:alice@h", "secret").await;
    login.expect_code(200);
    let messages = alice.messages().await;
    let texts: Vec<_> = messages.iter().map(text).collect();
    assert_eq!(texts, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_report_follows_the_acknowledgement() {
    // csp-im 8.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut bob = server.client(version, syntax, "bob").await;
            let mut alice = server.xml("alice").await;
            let sent = bob
                .request(&send_message(&user("wv:alice@h"), "read this", true))
                .await;
            sent.expect_code(200);
            let id = sent
                .primitive()
                .text("MessageID")
                .expect("an id")
                .to_owned();
            assert!(bob.poll().await.is_empty(), "accepted is not delivered");
            assert_eq!(alice.messages().await.len(), 1);
            let report = bob.poll().await;
            let primitive = report.expect("DeliveryReport-Request");
            // The order of its children, and rule 3.
            assert_eq!(
                primitive.child_names(),
                ["Result", "DeliveryTime", "MessageInfo"]
            );
            assert_eq!(primitive.text("Result/Code"), Some("200"));
            assert_eq!(message_id(primitive), id);
            assert_eq!(
                primitive.text("MessageInfo/Sender/User/UserID"),
                Some("wv:bob@h")
            );
            assert_eq!(
                primitive.text("MessageInfo/Recipient/User/UserID"),
                Some("wv:alice@h")
            );
            bob.acknowledge(&report).await;
            assert!(bob.poll().await.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_waits_for_a_sender_who_is_away() {
    // csp-im 8 rule 4.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    bob.request(&send_message(&user("wv:alice@h"), "read this", true))
        .await
        .expect_code(200);
    bob.request("<Logout-Request/>").await.expect_status(200);
    let mut alice = server.xml("alice").await;
    assert_eq!(alice.messages().await.len(), 1);
    let mut bob = server.xml("bob").await;
    assert_eq!(bob.poll().await.primitive().name, "DeliveryReport-Request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_expires_is_reported_and_gone() {
    // csp-im 9, 8 rule 6.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    let content = send_message(&user("wv:alice@h"), "now or never", true)
        .replace("</MessageInfo>", "<Validity>1</Validity></MessageInfo>");
    bob.request(&content).await.expect_code(200);
    server.sweep_after(Duration::from_secs(2)).await;
    let report = bob.take().await.expect("a report");
    assert_eq!(report.name, "DeliveryReport-Request");
    assert_eq!(report.text("Result/Code"), Some("542"));
    let mut alice = server.xml("alice").await;
    assert!(alice.messages().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_recipient_is_judged_apart() {
    // csp-im 5.3 items 5 and 9.
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    let mut alice = server.xml("alice").await;
    let recipients = [
        user("wv:bob@h"),
        user("wv:nobody@h"),
        user("carol"),
        user("wv:ghost@h"),
        user("wv:BOB@h"),
    ]
    .concat();
    let sent = alice
        .request(&send_message(&recipients, "to all", false))
        .await;
    let response = sent.expect("SendMessage-Response");
    sent.expect_code(201);
    let details = response.all("Result/DetailedResult");
    assert_eq!(details.len(), 1, "one block a code");
    assert_eq!(details[0].text("Code"), Some("531"));
    let mut unknown = details[0].texts("UserID");
    unknown.sort_unstable();
    assert_eq!(unknown, ["wv:ghost@h", "wv:nobody@h"]);
    let id = response.text("MessageID").expect("an id").to_owned();
    for name in ["bob", "carol"] {
        let mut client = server.xml(name).await;
        let messages = client.messages().await;
        // Reached twice, told once.
        assert_eq!(messages.len(), 1, "{name}");
        // 2.6: one id for all.
        assert_eq!(message_id(&messages[0]), id);
        // 5.4: the others are not disclosed.
        let recipients = messages[0].texts("MessageInfo/Recipient/User/UserID");
        assert_eq!(recipients, [format!("wv:{name}@h")]);
    }
    // All failed with one code: that code, and no id.
    let sent = alice
        .request(&send_message(&user("wv:nobody@h"), "anyone?", false))
        .await;
    sent.expect_code(531);
    assert!(sent.primitive().at("MessageID").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_list_is_a_recipient() {
    // csp-im 5.3: expanded, each member once.
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    let mut alice = server.xml("alice").await;
    let add = "<ListManage-Request><ContactList>wv:alice/friends@h</ContactList><AddNickList><UserID>wv:bob@h</UserID>\
        <UserID>wv:carol@h</UserID></AddNickList></ListManage-Request>";
    alice.request(add).await.expect_code(200);
    let recipients = format!(
        "{}<ContactList>wv:alice/friends@h</ContactList>",
        user("wv:bob@h")
    );
    alice
        .request(&send_message(&recipients, "party", false))
        .await
        .expect_code(200);
    for name in ["bob", "carol"] {
        assert_eq!(server.xml(name).await.messages().await.len(), 1, "{name}");
    }
    for list in ["wv:alice/none@h", "wv:bob/friends@h"] {
        let recipient = format!("<ContactList>{list}</ContactList>");
        alice
            .request(&send_message(&recipient, "x", false))
            .await
            .expect_code(700);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_for_another() {
    // csp-im 5.3 item 3.
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let with_sender = |sender: &str| {
            send_message(&user("wv:bob@h"), "x", false).replace(
                "</Recipient>",
                &format!("</Recipient><Sender>{sender}</Sender>"),
            )
        };
        alice
            .request(&with_sender(&user("wv:alice@h")))
            .await
            .expect_code(200);
        alice
            .request(&with_sender(&user("Alice")))
            .await
            .expect_code(200);
        alice.request(&with_sender("")).await.expect_code(200);
        let stranger = alice.request(&with_sender(&user("wv:carol@h"))).await;
        // data-types 10.1: what 1.1 does not have is replaced.
        assert!(
            stranger.code().is_some_and(|code| code >= 400),
            "{stranger:?}"
        );
        if version == Version::V1_3 {
            stranger.expect_code(427);
        }
    }
    let mut bob = server.xml("bob").await;
    let messages = bob.messages().await;
    assert_eq!(messages.len(), 9);
    for message in messages {
        assert_eq!(
            message.text("MessageInfo/Sender/User/UserID"),
            Some("wv:alice@h")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_needs_a_recipient_that_can_be_reached() {
    // csp-im 5.3 items 2, 4, 5; 5.5.
    let settings = ["im.max_content=1KiB", "im.quota_messages=3"];
    let server = TestServer::with_users(&settings, &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    alice
        .request(&send_message("", "x", false))
        .await
        .expect_code(402);
    alice
        .request(&send_message(&user("wv:x@far.example"), "x", false))
        .await
        .expect_code(516);
    let room = "<Group><GroupID>wv:alice/room@h</GroupID></Group>";
    let to_group = alice.request(&send_message(room, "x", false)).await;
    assert!(
        to_group
            .code()
            .is_some_and(|code| [501, 800].contains(&code)),
        "{to_group:?}"
    );
    alice
        .send_text("wv:bob@h", &"x".repeat(2000))
        .await
        .expect_code(402);
    for _ in 0..3 {
        alice.send_text("wv:bob@h", "x").await.expect_code(200);
    }
    // csp-im 9: over quota.
    alice.send_text("wv:bob@h", "x").await.expect_code(507);
    let mut bob = server.xml("bob").await;
    assert_eq!(bob.messages().await.len(), 3);
    alice.send_text("wv:bob@h", "x").await.expect_code(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_a_client_goes_to_that_client() {
    // csp-im 10.3 item 1.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut clients = Vec::new();
    for name in ["WV:phone", "WV:desk"] {
        let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
        client.client_id = name.into();
        client
            .login_with_password("wv:alice@h", "secret")
            .await
            .expect_code(200);
        clients.push(client);
    }
    let mut bob = server.xml("bob").await;
    let recipient =
        "<User><UserID>wv:alice@h</UserID><ClientID><URL>WV:desk</URL></ClientID></User>";
    bob.request(&send_message(recipient, "at the desk", false))
        .await
        .expect_code(200);
    assert!(clients[0].messages().await.is_empty());
    let messages = clients[1].messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(
        messages[0].text("MessageInfo/Recipient/User/ClientID/URL"),
        Some("WV:desk")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_clients_one_gets_the_message() {
    // csp-im 10.3 items 5 to 7: once in all, whoever it is.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut clients = Vec::new();
    for name in ["WV:one", "WV:two", "WV:three"] {
        let mut client = Client::connect(server.address(), Version::V1_1, Syntax::Wbxml).await;
        client.client_id = name.into();
        client
            .login_with_password("wv:alice@h", "secret")
            .await
            .expect_code(200);
        clients.push(client);
    }
    let mut bob = server.xml("bob").await;
    for number in 0..5 {
        bob.send_text("wv:alice@h", &format!("{number}"))
            .await
            .expect_code(200);
    }
    let mut came = Vec::new();
    for client in &mut clients {
        came.extend(
            client
                .messages()
                .await
                .iter()
                .map(|message| text(message).to_owned()),
        );
    }
    came.sort_unstable();
    assert_eq!(came, ["0", "1", "2", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn forkall_gives_every_client_a_copy() {
    // csp-im 10.3 item 5.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut clients = Vec::new();
    for name in ["WV:one", "WV:two"] {
        let mut client = Client::connect(server.address(), Version::V1_3, Syntax::Wbxml).await;
        client.client_id = name.into();
        client
            .login_with_password("wv:alice@h", "secret")
            .await
            .expect_code(200);
        let capability = "<ClientCapability-Request><CapabilityList><ClientType>COMPUTER</ClientType>\
            <OnlineETEMHandling>FORKALL</OnlineETEMHandling></CapabilityList></ClientCapability-Request>";
        client
            .request(capability)
            .await
            .expect("ClientCapability-Response");
        clients.push(client);
    }
    let mut bob = server.xml("bob").await;
    bob.request(&send_message(&user("wv:alice@h"), "everywhere", true))
        .await
        .expect_code(200);
    let mut ids = Vec::new();
    for client in &mut clients {
        let messages = client.messages().await;
        assert_eq!(messages.len(), 1);
        ids.push(message_id(&messages[0]));
    }
    assert_eq!(ids[0], ids[1]);
    let reports = bob.drain().await;
    assert_eq!(reports.len(), 1, "the report comes once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_cannot_take_a_message_says_so() {
    // csp-im 6 rule 11.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    let mut alice = server.xml("alice").await;
    bob.request(&send_message(&user("wv:alice@h"), "unreadable", true))
        .await
        .expect_code(200);
    let push = alice.poll().await;
    push.expect("NewMessage");
    let refusal = "<Status><Result><Code>415</Code></Result></Status>";
    alice.respond(push.transaction().unwrap(), refusal).await;
    let report = again(&mut bob).await;
    report.expect("DeliveryReport-Request");
    report.expect_code(415);
    assert!(alice.messages().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_message_may_come_with_the_answer_or_on_poll() {
    // csp-access 5.2, transport 3.6: T exactly while something waits beyond this message.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let quiet = alice.request("<KeepAlive-Request/>").await;
        assert!(!quiet.poll());
        for number in 0..3 {
            bob.send_text("wv:alice@h", &format!("{number}"))
                .await
                .expect_code(200);
        }
        assert!(alice.request("<KeepAlive-Request/>").await.poll());
        for number in 0..3 {
            let push = alice.poll().await;
            assert_eq!(text(push.expect("NewMessage")), format!("{number}"));
            assert_eq!(push.poll(), number < 2, "{version:?} {number}");
            alice.acknowledge(&push).await;
        }
        assert!(!alice.request("<KeepAlive-Request/>").await.poll());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_many_talk_at_once() {
    let server = TestServer::with_users(&[], &["a", "b", "c", "d", "sink"]).await;
    let senders = ["a", "b", "c", "d"].map(|name| {
        let address = server.address();
        tokio::spawn(async move {
            let mut client = Client::xml_1_2(address, &format!("wv:{name}@h"), "secret").await;
            for number in 0..50 {
                client
                    .send_text("wv:sink@h", &format!("{name}{number}"))
                    .await
                    .expect_code(200);
            }
        })
    });
    let mut sink = server.client(Version::V1_3, Syntax::Wbxml, "sink").await;
    let mut came: Vec<String> = Vec::new();
    let deadline = Instant::now() + DEADLINE;
    while came.len() < 200 {
        if let Some(message) = sink.take().await {
            came.push(text(&message).to_owned());
        }
        assert!(Instant::now() < deadline, "{} came", came.len());
    }
    for sender in senders {
        sender.await.unwrap();
    }
    assert!(sink.messages().await.is_empty());
    // Each sender's messages in the order in which they were sent.
    for name in ["a", "b", "c", "d"] {
        let of_one: Vec<_> = came
            .iter()
            .filter(|text| text.starts_with(name))
            .cloned()
            .collect();
        let expected: Vec<_> = (0..50).map(|number| format!("{name}{number}")).collect();
        assert_eq!(of_one, expected);
    }
}
