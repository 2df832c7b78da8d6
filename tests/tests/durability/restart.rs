//! A restart that no phone notices.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::process::Hamletd;
use hamlet_tests::server::{AT_ONCE, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn sessions_messages_and_transactions_survive_a_restart() {
    let mut server = TestServer::with_users(&[AT_ONCE], &["alice", "bob"]).await;
    let mut bob = server.client(Version::V1_1, Syntax::Xml, "bob").await;
    let mut alice = server.client(Version::V1_3, Syntax::Wbxml, "alice").await;
    bob.send_text("wv:alice@h", "before").await.expect_code(200);
    let content = send_message(&user("wv:alice@h"), "repeated", true);
    let first = bob.request_as("77", &content).await;
    first.expect_code(200);
    let push = alice.poll().await;
    let before = push.transaction().unwrap().to_owned();

    server.restart().await;
    let mut alice_again = reconnect(&server, &alice).await;
    let mut bob_again = reconnect(&server, &bob).await;
    // csp-access 2.3: the phone repeats what it has no answer to.
    let second = bob_again.request_as("77", &content).await;
    assert_eq!(first.primitive(), second.primitive());
    // Server identifiers never repeat.
    let push = alice_again.poll().await;
    assert_eq!(
        push.expect("NewMessage").text("ContentData"),
        Some("before")
    );
    assert_ne!(push.transaction(), Some(before.as_str()));
    // What was pushed before counts after.
    alice_again.acknowledge(&push).await;
    let rest = alice_again.messages().await;
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].text("ContentData"), Some("repeated"));
    let reports = bob_again.drain().await;
    assert!(
        reports
            .iter()
            .any(|report| report.name == "DeliveryReport-Request")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_lists_and_presence_survive_a_restart() {
    let mut server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    alice.accept("wv:bob@h").await;
    bob.request("<SubscribePresence-Request><User><UserID>wv:alice@h</UserID></User></SubscribePresence-Request>")
        .await
        .expect_status(200);
    let status = |text: &str| {
        format!(
            "<UpdatePresence-Request><PresenceSubList><StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue>\
             </StatusText></PresenceSubList></UpdatePresence-Request>"
        )
    };
    alice.request(&status("before")).await.expect_status(200);
    bob.drain().await;

    server.restart().await;
    let mut alice = reconnect(&server, &alice).await;
    let mut bob = reconnect(&server, &bob).await;
    let get = "<GetPresence-Request><User><UserID>wv:alice@h</UserID></User></GetPresence-Request>";
    let answer = bob.request(get).await;
    let seen = answer.primitive().at("Presence/PresenceSubList").unwrap();
    assert_eq!(seen.text("StatusText/PresenceValue"), Some("before"));
    assert_eq!(seen.text("OnlineStatus/PresenceValue"), Some("T"));
    // The subscription goes on: the phone does not know that it should make another.
    bob.drain().await;
    alice.request(&status("after")).await.expect_status(200);
    let came = bob.drain().await;
    let newest = came.last().expect("a notice");
    assert_eq!(
        newest.text("Presence/PresenceSubList/StatusText/PresenceValue"),
        Some("after")
    );
    // And the passwords.
    let mut again = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    let (_, done) = again
        .login_with_digest("wv:alice@h", "secret", &["SHA"])
        .await;
    done.expect_code(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_end_ends_well() {
    let mut server = Hamletd::start(&["domain=h"]);
    server.add_user("wv:alice@h", "secret");
    let mut alice = Client::xml_1_2(server.address(), "wv:alice@h", "secret").await;
    alice
        .send_text("wv:alice@h", "to myself")
        .await
        .expect_code(200);
    server.terminate();
    server.start_again();
    let mut again = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    again.session = alice.session.clone();
    assert_eq!(again.messages().await.len(), 1);
}

/// The same client on a new connection.
async fn reconnect(server: &TestServer, client: &Client) -> Client {
    let mut again = Client::connect(server.address(), client.version, client.syntax).await;
    again.session = client.session.clone();
    again.client_id = client.client_id.clone();
    again
}
