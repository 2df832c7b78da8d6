//! The Android IM application, CSP 1.1, 1.2 and 1.3 in WBXML (clients 3).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::element::Form;
use hamlet_tests::fixture;
use hamlet_tests::phone::Phone;
use hamlet_tests::server::TestServer;

pub const ANDROIDS: [&str; 3] = ["android-1.1", "android-1.2", "android-1.3"];

/// Everyone whom the recorded requests name.
pub async fn village() -> TestServer {
    let users = [
        "alice", "bob", "cat", "dan", "eve2", "fay", "new", "new2", "carol",
    ];
    TestServer::with_users(&[], &users).await
}

/// An Android phone of alice after the whole sequence of clients 3.7.
pub async fn logged_in(client: &'static str, server: &TestServer) -> Phone {
    let mut phone = Phone::new(client, server.address()).await;
    let (_, done) = phone.login_4_way("secret").await;
    done.expect_code(200);
    for step in [
        "client-capability",
        "service",
        "own-presence",
        "client-info",
        "get-blocked-list",
        "get-list",
        "read-list",
        "subscribe-list",
    ] {
        phone.send(step).await;
    }
    phone
}

#[tokio::test(flavor = "multi_thread")]
async fn an_android_phone_logs_in_and_sees_its_lists() {
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = Phone::new(client, server.address()).await;
        let (challenge, done) = phone.login_4_way("secret").await;
        check_login(&challenge, &done);
        check_capability(&phone.send("client-capability").await, phone.version());
        check_service(&phone.send("service").await);
        check_own_presence(&phone.send("own-presence").await);
        // AND-17: nothing but 200 is a success.
        phone.send("client-info").await.expect_status(200);
        check_blocked_list(&phone.send("get-blocked-list").await);
        check_lists(&phone.send("get-list").await);
        check_list(&phone.send("read-list").await);
        // AND-18: no PresenceSubList is as good as all of them.
        phone.send("subscribe-list").await.expect_status(200);
        phone.send("subscribe-list-basic").await.expect_status(200);
        let poll = phone.send("poll").await;
        assert!(poll.is_empty(), "T-4, AND-2: {poll:?}");
    }
}

fn check_login(challenge: &Answer, done: &Answer) {
    // AND-5: a Login-Response with 401, Nonce and exactly one DigestSchema.
    let response = challenge.expect("Login-Response");
    challenge.expect_code(401);
    assert!(response.at("SessionID").is_none() && response.at("KeepAliveTime").is_none());
    let schemas = response.texts("DigestSchema");
    assert!(schemas == ["MD5"] || schemas == ["SHA"], "{schemas:?}");
    assert_eq!(challenge.transaction(), Some("1"));
    // AND-6, AND-8, csp-access 3.4: open at once, for as long as was asked.
    let response = done.expect("Login-Response");
    done.expect_code(200);
    assert_eq!((done.mode(), done.transaction()), ("Response", Some("1")));
    assert_eq!(response.text("KeepAliveTime"), Some("7205"));
    assert_eq!(response.text("CapabilityRequest"), Some("T"));
    // AND-6, AND-31: a CIR flag here would hang the client.
    assert!(done.root().at("Session/CIR").is_none());
    // GEN-12.
    let session = response.text("SessionID").unwrap();
    let plain = |c: char| c.is_ascii_graphic() && !"<>&\"'".contains(c);
    assert!(
        session.len() <= 50 && session.chars().all(plain),
        "{session}"
    );
}

fn check_capability(answer: &Answer, version: Version) {
    let response = answer.expect("ClientCapability-Response");
    // AND-9, clients 8: the list is the first child, whatever the version.
    let list = match version {
        Version::V1_1 => "CapabilityList",
        _ => "AgreedCapabilityList",
    };
    assert_eq!(response.child_names(), [list]);
    let list = &response.children[0];
    // AND-12: else it polls every 30 s of its own.
    let poll_min = list.text("ServerPollMin").map(str::parse::<u32>);
    assert!(poll_min.is_some_and(|seconds| seconds.is_ok_and(|seconds| seconds >= 30)));
    // AND-10: no address of a channel that does not listen; AND-11: the URL is a child.
    let methods = list.texts("SupportedCIRMethod");
    assert!(
        !methods.contains(&"STCP"),
        "no CIR listener is configured: {methods:?}"
    );
    assert!(list.at("TCPAddress").is_none() && list.at("TCPPort").is_none());
    for url in [list.at("CIRURL"), list.at("CIRHTTPAddress")]
        .into_iter()
        .flatten()
    {
        assert_eq!(url.child_names(), ["URL"]);
    }
}

fn check_service(answer: &Answer) {
    // AND-13, csp-access 0.3: the client crashes without AllFunctions.
    let response = answer.expect("Service-Response");
    let all = response.at("AllFunctions").expect("AllFunctions");
    assert_eq!(all.child_names(), ["WVCSPFeat"]);
    // clients 8: Functions only if something is denied, and then not an empty tree.
    if let Some(denied) = response.at("Functions/WVCSPFeat") {
        assert!(!denied.children.is_empty());
    }
}

fn check_own_presence(answer: &Answer) {
    // AND-14: nothing was published yet, and still there is a PresenceSubList.
    let response = answer.expect("GetPresence-Response");
    answer.expect_code(200);
    let presence = response.all("Presence");
    assert_eq!(presence.len(), 1);
    // AND-33, GEN-16.
    assert_eq!(presence[0].text("UserID"), Some("wv:alice@h"));
    let attributes = presence[0].at("PresenceSubList").expect("a sublist");
    // csp-access 3.4: logged in is online.
    assert_eq!(attributes.text("OnlineStatus/Qualifier"), Some("T"));
    assert_eq!(attributes.text("OnlineStatus/PresenceValue"), Some("T"));
}

fn check_blocked_list(answer: &Answer) {
    // clients 3.8: any error but 501 is shown.
    let response = answer.expect("GetBlockedList-Response");
    assert!(response.at("BlockList").is_some());
}

fn check_lists(answer: &Answer) {
    // AND-15: in 1.3 too without ContactListIDList; the default list in one place only.
    let response = answer.expect("GetList-Response");
    let names = response.child_names();
    assert_eq!(names, ["DefaultContactList"]);
    assert_eq!(
        response.text("DefaultContactList"),
        Some("wv:alice/friends@h")
    );
}

fn check_list(answer: &Answer) {
    let response = answer.expect("ListManage-Response");
    answer.expect_code(200);
    // csp-presence 2.7: the element stands even when empty.
    assert!(response.at("NickList").is_some());
    // clients 3.8: isDefault is taken from here alone.
    let properties: Vec<_> = response
        .all("ContactListProperties/Property")
        .into_iter()
        .map(|property| {
            (
                property.text("Name").unwrap(),
                property.text("Value").unwrap(),
            )
        })
        .collect();
    assert!(properties.contains(&("Default", "T")), "{properties:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_android_phone_receives_and_acknowledges_a_message() {
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        let mut bob = server.client(Version::V1_1, Syntax::Xml, "bob").await;
        phone.drain().await;
        bob.send_text("wv:alice@h", "hällo <你好> 😀")
            .await
            .expect_code(200);
        // csp-access 5.2: any answer says that something waits.
        let alive = phone.send("keep-alive").await;
        alive.expect("KeepAlive-Response");
        alive.expect_code(200);
        assert!(alive.poll());

        let push = phone.poll().await;
        // AND-28: always NewMessage; AND-3: one transaction with an id (Answer::read).
        let message = push.expect("NewMessage");
        assert!(!push.poll(), "nothing more waits");
        // AND-27, csp-im 5.4.
        assert_eq!(
            message.text("MessageInfo/Sender/User/UserID"),
            Some("wv:bob@h")
        );
        assert_eq!(
            message.text("MessageInfo/Recipient/User/UserID"),
            Some("wv:alice@h")
        );
        assert_eq!(message.text("MessageInfo/ContentType"), Some("text/plain"));
        let data = message.at("ContentData").unwrap();
        assert_eq!(data.text, "hällo <你好> 😀");
        assert_eq!(data.form, Form::Text, "GEN-9");
        // GEN-30, csp-im 4.3: octets of the content.
        let size = "hällo <你好> 😀".len().to_string();
        assert_eq!(message.text("MessageInfo/ContentSize"), Some(size.as_str()));
        // GEN-8.
        let date = message.at("MessageInfo/DateTime").unwrap();
        let shape: String = date
            .text
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        assert_eq!(
            (shape.as_str(), date.form),
            ("00000000T000000Z", Form::Text)
        );

        let id = message.text("MessageInfo/MessageID").unwrap();
        phone.keep("message", id);
        phone.keep("transaction", push.transaction().unwrap());
        // T-5, AND-2.
        let done = phone.send("message-delivered").await;
        assert!(done.is_empty(), "{done:?}");
        assert!(phone.send("poll").await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_android_phone_sends_messages() {
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        let mut bob = server.xml("bob").await;
        // AND-25: Recipient before Sender, ContentSize last and in UTF-16 units.
        for (fixture, text) in [
            ("send-hello", "hello"),
            // T-25, AND-38: CESU-8 on the wire.
            ("send-emoji", "Ä€😀z"),
            // clients 3.5: a text that is also a value goes out as a token.
            ("send-open", "Open"),
        ] {
            let sent = phone.send(fixture).await;
            let response = sent.expect("SendMessage-Response");
            sent.expect_code(200);
            let id = response.text("MessageID").expect("an id").to_owned();
            let messages = bob.messages().await;
            assert_eq!(messages.len(), 1, "{fixture}");
            assert_eq!(messages[0].text("ContentData"), Some(text));
            assert_eq!(messages[0].text("MessageInfo/MessageID"), Some(id.as_str()));
            let size = text.len().to_string();
            assert_eq!(
                messages[0].text("MessageInfo/ContentSize"),
                Some(size.as_str()),
                "GEN-30"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_answered_again_and_not_done_again() {
    // csp-access 2.3: the same TransactionID with the same content.
    let server = village().await;
    let mut phone = logged_in("android-1.2", &server).await;
    let mut bob = server.xml("bob").await;
    let first = phone.send("send-hello").await;
    let second = phone.send("send-hello").await;
    assert_eq!(first.http.body, second.http.body);
    assert_eq!(bob.messages().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_android_phone_logs_in_with_a_password() {
    // AND-7, T-2.
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = Phone::new(client, server.address()).await;
        let answer = phone.send("login-password").await;
        answer.expect_code(200);
        phone.keep_session(&answer);
        check_capability(&phone.send("client-capability").await, phone.version());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_digest_is_409_and_never_401() {
    // AND-5: 401 in phase 2 would hang the client.
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = Phone::new(client, server.address()).await;
        phone.send("login-challenge").await.expect_code(401);
        phone.keep("digest", "ktSj1nIHxh6tXya5KSnaEw==");
        let refused = phone.send("login-digest").await;
        let response = refused.expect("Login-Response");
        refused.expect_code(409);
        assert!(response.at("SessionID").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_is_answered_in_mode_response() {
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        let answer = phone.send("logout").await;
        // AND-37, GEN-22.
        assert_eq!(
            (answer.mode(), answer.transaction()),
            ("Response", Some("44"))
        );
        let expected = match phone.version() {
            Version::V1_1 => "Disconnect",
            _ => "Status",
        };
        answer.expect(expected);
        answer.expect_code(200);
        // GEN-20: the session is gone.
        phone.send("keep-alive").await.expect_status(604);
        phone.send("poll").await.expect_status(604);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_request_is_answered_and_the_session_survives() {
    // T-24. What this server does not offer is 501 in a Status (csp-access 1.5).
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        for name in fixture::names(client) {
            let skipped = ["login-", "logout", "message-delivered", "status"];
            if skipped.iter().any(|part| name[3..].starts_with(part)) {
                continue;
            }
            let answer = phone.send(&name).await;
            if name.ends_with("-poll") {
                continue;
            }
            let code = answer.code().unwrap_or(200);
            let allowed: &[u16] = match &name[3..] {
                "invitation-answer" => &[423],
                // csp-group 9: it went with its last user (AutoDelete).
                "delete-group" | "join-group" => &[800],
                // AND-20: the identifier stands in a Property.
                "unsubscribe-user" => &[200, 400],
                // clients 3.12: in 1.3, too, which does not have it.
                "authorize" | "refuse" => &[200],
                "block" | "unblock" => &[200],
                _ => &[200],
            };
            assert!(allowed.contains(&code), "{client}/{name}: {answer:?}");
        }
        phone.send("keep-alive").await.expect_code(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_an_android_phone_blocks_gets_532() {
    // AND-32, csp-im 11.2: only the block list, in use, with one user as it was typed; in 1.3
    // both flags beside it.
    for client in ANDROIDS {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        let mut eve = server.xml("eve2").await;
        eve.send_text("wv:alice@h", "hi").await.expect_code(200);
        phone.send("block").await.expect_status(200);
        let refused = eve.send_text("wv:alice@h", "hi").await;
        assert_eq!(refused.code(), Some(532), "{client}");
        let list = phone.send("get-blocked-list").await;
        let blocked = list.expect("GetBlockedList-Response");
        let users = blocked.texts("BlockList/EntityList/UserID");
        assert_eq!(users, ["wv:eve2@h"], "{client}");
    }
}
