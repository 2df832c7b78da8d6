//! Recipients, reports, expiry, offline and several sessions (csp-im 5.3, 8, 9, 10), over a
//! socket.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;
use hamletd::control::Request;
use std::time::Duration;

const EACH: [(Version, Syntax); 4] = [
    (Version::V1_1, Syntax::Xml),
    (Version::V1_2, Syntax::Wbxml),
    (Version::V1_3, Syntax::Xml),
    (Version::V1_3, Syntax::Wbxml),
];

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

async fn log_in(server: &TestServer, name: &str, client_id: &str) -> Client {
    let mut client = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    client.client_id = client_id.into();
    client
        .login_with_password(&format!("wv:{name}@h"), "secret")
        .await
        .expect_code(200);
    client
}

async fn negotiate(client: &mut Client, capabilities: &str) -> Answer {
    let content = format!(
        "<ClientCapability-Request><CapabilityList>{capabilities}</CapabilityList></ClientCapability-Request>"
    );
    let answer = client.request(&content).await;
    answer.expect("ClientCapability-Response");
    answer
}

/// Polls until a server request of this name comes.
async fn wait(client: &mut Client, name: &str) -> Element {
    let polls = async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            if let Some(came) = client.take().await.filter(|came| came.name == name) {
                return came;
            }
        }
    };
    match tokio::time::timeout(PATIENCE, polls).await {
        Ok(came) => came,
        Err(_) => panic!("no {name} came"),
    }
}

fn with_validity(request: &str, seconds: u32) -> String {
    request.replace(
        "</MessageInfo>",
        &format!("<Validity>{seconds}</Validity></MessageInfo>"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_expires_is_reported_at_once() {
    // 8 rule 6; with and without sessions of the recipient.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        // carl is here, but does not poll.
        let _carl = server.client(version, syntax, "carl").await;
        let both = user("wv:bob@h") + &user("wv:carl@h");
        let request = with_validity(&send_message(&both, "soon", true), 1);
        alice.request(&request).await.expect_code(200);
        let mut told = Vec::new();
        for _ in 0..2 {
            let came = wait(&mut alice, "DeliveryReport-Request").await;
            let expected = match version {
                // data-types 10.1.
                Version::V1_1 => "410",
                _ => "542",
            };
            assert_eq!(came.text("Result/Code"), Some(expected));
            let about = came.text("MessageInfo/Recipient/User/UserID");
            told.push(about.unwrap().to_owned());
        }
        told.sort();
        assert_eq!(told, ["wv:bob@h", "wv:carl@h"]);
        let mut bob = server.client(version, syntax, "bob").await;
        assert!(bob.messages().await.is_empty());
        assert!(alice.drain().await.is_empty(), "once each");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_handling_is_kept_beyond_the_session_and_the_server() {
    // 10.2: 533.
    for (version, syntax) in EACH {
        let mut server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut bob = log_in(&server, "bob", "WV:phone").await;
        let agreed = negotiate(
            &mut bob,
            "<OfflineETEMHandling>REJECT</OfflineETEMHandling>",
        )
        .await;
        assert_eq!(
            agreed
                .primitive()
                .text("AgreedCapabilityList/OfflineETEMHandling"),
            Some("REJECT")
        );
        let mut alice = server.client(version, syntax, "alice").await;
        alice.send_text("wv:bob@h", "hi").await.expect_code(200);
        assert_eq!(bob.messages().await.len(), 1);
        bob.request("<Logout-Request/>").await;
        let refused = alice.send_text("wv:bob@h", "hi").await;
        assert_eq!(refused.code(), Some(533));
        assert_eq!(
            refused.primitive().text("Result/DetailedResult/UserID"),
            Some("wv:bob@h")
        );
        server.restart().await;
        let mut alice = server.client(version, syntax, "alice").await;
        assert_eq!(alice.send_text("wv:bob@h", "hi").await.code(), Some(533));
        let mut bob = log_in(&server, "bob", "WV:phone").await;
        assert!(bob.messages().await.is_empty());
        negotiate(
            &mut bob,
            "<OfflineETEMHandling>SENDSTORE</OfflineETEMHandling>",
        )
        .await;
        bob.request("<Logout-Request/>").await;
        alice.send_text("wv:bob@h", "stored").await.expect_code(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_away_may_leave_its_messages_to_another() {
    // 10.2 PRIORITYSTORE, 10.3 item 1.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut phone = log_in(&server, "bob", "WV:phone").await;
    let handling = "<OfflineETEMHandling>PRIORITYSTORE</OfflineETEMHandling>";
    negotiate(&mut phone, handling).await;
    let to_phone = "<User><UserID>wv:bob@h</UserID><ClientID><URL>WV:phone</URL></ClientID></User>";
    let mut laptop = log_in(&server, "bob", "WV:laptop").await;
    let request = send_message(to_phone, "for the phone", false);
    alice.request(&request).await.expect_code(200);
    assert!(laptop.messages().await.is_empty(), "the phone is here");
    assert_eq!(phone.messages().await.len(), 1);
    phone.request("<Logout-Request/>").await;
    alice.request(&request).await.expect_code(200);
    assert_eq!(laptop.messages().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_for_all_clients_survive_the_server() {
    // 10.3 item 5: FORKALL.
    let mut server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut one = log_in(&server, "bob", "WV:one").await;
    let mut two = log_in(&server, "bob", "WV:two").await;
    negotiate(&mut one, "<OnlineETEMHandling>FORKALL</OnlineETEMHandling>").await;
    let mut alice = server.xml("alice").await;
    let request = send_message(&user("wv:bob@h"), "everywhere", true);
    alice.request(&request).await.expect_code(200);
    assert_eq!(one.messages().await.len(), 1);
    let sessions = [one.session.clone(), two.session.clone()];
    server.restart().await;
    for client in [&mut one, &mut two] {
        *client = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    }
    (one.session, two.session) = (sessions[0].clone(), sessions[1].clone());
    assert!(one.messages().await.is_empty(), "it has it");
    assert_eq!(two.messages().await.len(), 1);
    assert!(two.messages().await.is_empty());
    let mut alice = server.xml("alice").await;
    assert_eq!(alice.drain().await.len(), 1, "one report");
    // The setting has survived, too, and a copy waits for a client that logs in again.
    alice.send_text("wv:bob@h", "later").await.expect_code(200);
    assert_eq!(one.messages().await.len(), 1);
    two.request("<Logout-Request/>").await;
    let mut two = log_in(&server, "bob", "WV:two").await;
    assert_eq!(two.messages().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_equal_priority_part_and_the_other_one_is_told() {
    // 10.2: SPA.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut one = log_in(&server, "bob", "WV:one").await;
    let mut two = log_in(&server, "bob", "WV:two").await;
    let subscribe = "<SubscribeNotification-Request><NotificationTypeList><NotificationType>SPA</NotificationType>\
                     </NotificationTypeList></SubscribeNotification-Request>";
    for client in [&mut one, &mut two] {
        client.request(subscribe).await.expect_status(200);
        let agreed = negotiate(client, "<SessionPriority>7</SessionPriority>").await;
        let own = agreed
            .primitive()
            .text("AgreedCapabilityList/SessionPriority");
        assert_eq!(own, Some("7"));
    }
    let came = one.take().await.expect("SPA");
    assert_eq!(came.text("NotificationType"), Some("SPA"));
    assert_eq!(came.text("SessionPriority"), Some("6"));
    assert!(two.take().await.is_none());
    let mut alice = server.xml("alice").await;
    alice.send_text("wv:bob@h", "hi").await.expect_code(200);
    assert!(one.messages().await.is_empty());
    assert_eq!(two.messages().await.len(), 1, "the higher one");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_were_not_agreed_are_not_sent() {
    // 5.5: MDELIV.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let without = "<Service-Request><Functions><WVCSPFeat><IMFeat><IMReceiveFunc/></IMFeat></WVCSPFeat></Functions>\
                   <AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>";
    alice.request(without).await.expect("Service-Response");
    let request = send_message(&user("wv:bob@h"), "hi", true);
    alice.request(&request).await.expect_code(200);
    let mut bob = server.xml("bob").await;
    assert_eq!(bob.messages().await.len(), 1);
    assert!(alice.drain().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_reach_their_users_and_unknown_ones_have_their_code() {
    // 5.3 item 5; data-types 10.1: 920 is 531 in old versions.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let bind = Request::UserMsisdn {
            user: "wv:bob@h".into(),
            add: vec!["+4612345".into()],
            remove: Vec::new(),
        };
        server.operate(bind).await;
        let both = user("wv:+4612345@h") + &user("wv:bob@h");
        alice
            .request(&send_message(&both, "hi", true))
            .await
            .expect_code(200);
        assert_eq!(bob.messages().await.len(), 1, "one copy");
        let came = wait(&mut alice, "DeliveryReport-Request").await;
        assert_eq!(
            came.text("MessageInfo/Recipient/User/UserID"),
            Some("wv:+4612345@h"),
            "8 rule 3: as it was addressed"
        );
        let unknown = alice.send_text("wv:+4699999@h", "hi").await;
        let expected = match version {
            Version::V1_3 => 920,
            _ => 531,
        };
        assert_eq!(unknown.code(), Some(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_who_is_somebody_else_has_his_code_in_every_version() {
    // 5.3 item 3; data-types 10.1.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let request = send_message(&user("wv:bob@h"), "hi", false);
        let from = |sender: &str| {
            let sender = format!("</Recipient><Sender>{sender}</Sender>");
            request.replace("</Recipient>", &sender)
        };
        let client = |id: &str| {
            format!("<User><UserID>wv:alice@h</UserID><ClientID><URL>{id}</URL></ClientID></User>")
        };
        let latest = version == Version::V1_3;
        for (sender, expected) in [
            (user("wv:alice@h"), 200),
            // Without scheme, in another case (Movistar).
            (user("Alice@H"), 200),
            (user("wv:bob@h"), if latest { 427 } else { 402 }),
            (client("WV:a-test-client"), 200),
            (client("WV:another"), if latest { 428 } else { 422 }),
            (
                "<Group><GroupID>wv:alice/g@h</GroupID></Group>".to_owned(),
                if latest { 427 } else { 402 },
            ),
        ] {
            let answer = alice.request(&from(&sender)).await;
            assert_eq!(answer.code(), Some(expected), "{version:?} {sender}");
        }
        if latest {
            let chess =
                "<User><UserID>wv:alice@h</UserID><ApplicationID>chess</ApplicationID></User>";
            let answer = alice.request(&from(chess)).await;
            assert_eq!(answer.code(), Some(450));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_of_messages_and_octets_are_507() {
    // 9.
    for (setting, text) in [("im.quota_messages=2", "x"), ("im.quota_size=600B", "")] {
        let settings = [setting, "im.max_content=300B"];
        let server = TestServer::with_users(&settings, &["alice", "bob", "carl"]).await;
        let text = match text {
            "" => "x".repeat(250),
            short => short.to_owned(),
        };
        let mut alice = server.xml("alice").await;
        for expected in [200, 200, 507] {
            let answer = alice.send_text("wv:bob@h", &text).await;
            assert_eq!(answer.code(), Some(expected), "{setting}");
        }
        let both = user("wv:bob@h") + &user("wv:carl@h");
        let answer = alice.request(&send_message(&both, &text, false)).await;
        assert_eq!(answer.code(), Some(201));
        let detail = answer.primitive().at("Result/DetailedResult").unwrap();
        assert_eq!(
            (detail.text("Code"), detail.text("UserID")),
            (Some("507"), Some("wv:bob@h"))
        );
        // What is fetched makes room.
        let mut bob = server.xml("bob").await;
        assert_eq!(bob.messages().await.len(), 2);
        alice.send_text("wv:bob@h", &text).await.expect_code(200);
    }
}
