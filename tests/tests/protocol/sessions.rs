//! Sessions: several of one user, lost ones, ended ones, and their negotiation
//! (csp-access 3.5 to 3.11, 6).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, transaction};
use hamlet_tests::server::TestServer;
use hamletd::control::Request;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_session_is_604() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut client = Client::connect(server.address(), version, syntax).await;
            client.session = "no-such-session".into();
            let answer = client.request("<GetList-Request/>").await;
            answer.expect_status(604);
            // GEN-20: echoed.
            assert_eq!(
                answer.root().text("Session/SessionDescriptor/SessionID"),
                Some("no-such-session")
            );
            client.poll().await.expect_status(604);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_login_of_the_same_client_ends_the_first_session() {
    // 3.5: phones lose sessions without logout all the time.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut first = server.xml("alice").await;
    let mut second = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    let content = second
        .login_step("wv:alice@h", "<Password>secret</Password>", "")
        .replace("cookie-", "another-cookie-");
    let answer = second.outband(&content).await;
    answer.expect_code(200);
    second.keep_session(&answer);
    assert_ne!(first.session, second.session);
    let told = first.request("<GetList-Request/>").await;
    assert_eq!(told.code(), Some(601), "1.5 item 3, 3.10: {told:?}");
    second
        .request("<GetList-Request/>")
        .await
        .expect("GetList-Response");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_is_repeated_while_it_is_served_is_answered_alike() {
    // 2.3, 3.9: the phone's connection was lost, and it says it again on another.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for _ in 0..10 {
        let first = server.xml("alice").await;
        let logouts = (0..6).map(|_| {
            let (address, session) = (server.address(), first.session.clone());
            tokio::spawn(async move {
                let mut client = Client::connect(address, Version::V1_2, Syntax::Xml).await;
                client.session = session;
                client.request_as("bye", "<Logout-Request/>").await.code()
            })
        });
        for logout in logouts.collect::<Vec<_>>() {
            assert_eq!(logout.await.unwrap(), Some(200));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_cookie_resumes_a_live_session() {
    // GEN-21.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let first = server.xml("alice").await;
    let mut again = server.xml("alice").await;
    let answer = again.request("<GetList-Request/>").await;
    answer.expect("GetList-Response");
    assert!(!first.session.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_clients_of_a_user_have_sessions_of_their_own() {
    // 3.5.
    let server = TestServer::with_users(&["session.max_per_user=3"], &["alice"]).await;
    let mut clients = Vec::new();
    for number in 0..3 {
        let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
        client.client_id = format!("WV:client-{number}");
        client
            .login_with_password("wv:alice@h", "secret")
            .await
            .expect_code(200);
        clients.push(client);
    }
    for client in &mut clients {
        client
            .request("<KeepAlive-Request/>")
            .await
            .expect_code(200);
    }
    // 3.3 item 14.
    let mut fourth = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    fourth.client_id = "WV:client-4".into();
    fourth
        .login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(603);
    clients[0]
        .request("<Logout-Request/>")
        .await
        .expect_status(200);
    fourth
        .login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(200);
}

/// A login that names the session of `client` in the descriptor (Android's way).
async fn inband_login(client: &mut Client, password: &str) -> Answer {
    let password = format!("<Password>{password}</Password>");
    let content = client.login_step("wv:alice@h", &password, "");
    client.request(&content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_session_is_established_again_by_an_inband_login() {
    // 3.8, AND-29, T-20.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    for version in Version::ALL {
        let client = server.client(version, Syntax::Wbxml, "alice").await;
        let before = client.session.clone();
        bob.send_text("wv:alice@h", "still there?")
            .await
            .expect_code(200);
        // Another connection, as after a lost network.
        let mut back = Client::connect(server.address(), version, Syntax::Wbxml).await;
        back.session = before.clone();
        let answer = inband_login(&mut back, "secret").await;
        answer.expect("Login-Response");
        answer.expect_code(200);
        back.keep_session(&answer);
        let messages = back.messages().await;
        assert_eq!(messages.len(), 1, "{version:?}");
        assert_eq!(back.session, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_session_is_replaced_at_an_inband_login() {
    // 3.8: never 604 or 600, which would end the client's attempts.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for version in Version::ALL {
        let mut client = Client::connect(server.address(), version, Syntax::Xml).await;
        client.session = "gone".into();
        let answer = inband_login(&mut client, "secret").await;
        answer.expect("Login-Response");
        answer.expect_code(200);
        assert_eq!(answer.primitive().text("CapabilityRequest"), Some("T"));
        client.keep_session(&answer);
        assert_ne!(client.session, "gone");
        client
            .request("<KeepAlive-Request/>")
            .await
            .expect_code(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_id_element_re_establishes_too() {
    // 3.8: 1.3's way.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut client = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let session = client.session.clone();
    let with = |client: &Client, session: &str| {
        let before = format!("<SessionID>{session}</SessionID>");
        client
            .login_step("wv:alice@h", "<Password>secret</Password>", "")
            .replace("<TimeToLive>", &format!("{before}<TimeToLive>"))
    };
    let capability = "<ClientCapability-Request><CapabilityList><ClientType>PDA</ClientType></CapabilityList></ClientCapability-Request>";
    client
        .request(capability)
        .await
        .expect("ClientCapability-Response");
    let answer = client.outband(&with(&client, &session)).await;
    answer.expect_code(200);
    assert_eq!(answer.primitive().text("SessionID"), Some(session.as_str()));
    assert_eq!(answer.primitive().text("CapabilityRequest"), Some("F"));
    // Named in both places, differently.
    let answer = client.request(&with(&client, "another")).await;
    answer.expect_code(422);
    // A dead one: 502, which only Android must never see (AND-29).
    let answer = client.outband(&with(&client, "dead")).await;
    answer.expect_code(502);
    let mut android = Client::connect(server.address(), Version::V1_3, Syntax::Wbxml).await;
    android.headers = vec![("User-Agent".into(), "Android-Imps/0.1".into())];
    android.client_id = "Jimmy".into();
    let answer = android.outband(&with(&android, "dead")).await;
    answer.expect_code(200);
    assert_eq!(answer.primitive().text("CapabilityRequest"), Some("T"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_over_the_session_of_another() {
    // 3.3 item 11.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    let mut thief = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    thief.session = bob.session.clone();
    let answer = inband_login(&mut thief, "secret").await;
    answer.expect_code(422);
    assert!(answer.primitive().at("SessionID").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_ends_a_session_and_the_client_is_told() {
    // 3.10.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for version in Version::ALL {
        let mut client = server.client(version, Syntax::Wbxml, "alice").await;
        let which = client.session.clone();
        server.operate(Request::SessionEnd { which }).await;
        let told = client.request("<GetList-Request/>").await;
        assert!(["Disconnect", "Status"].contains(&told.primitive().name.as_str()));
        assert_eq!(told.code(), Some(601));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_session_expires_and_is_600() {
    // 3.11, 1.5 item 3; csp-presence 8.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut alice = server.xml("alice").await;
    // KeepAliveTime is 600 s, the grace a quarter of it.
    server.sweep_after(Duration::from_secs(700)).await;
    alice.request("<KeepAlive-Request/>").await.expect_code(200);
    server.sweep_after(Duration::from_secs(800)).await;
    let told = alice.request("<KeepAlive-Request/>").await;
    assert_eq!(told.code(), Some(600), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn capabilities_are_agreed_in_the_shape_of_the_version() {
    // 6.2.
    let server = TestServer::with_users(&["poll.min=45s"], &["alice"]).await;
    for version in Version::ALL {
        let mut client = server.client(version, Syntax::Wbxml, "alice").await;
        let client_id = match version {
            Version::V1_1 => "<ClientID><URL>WV:a-test-client</URL></ClientID>",
            _ => "",
        };
        let answer = client
            .request(&format!(
                "<ClientCapability-Request>{client_id}<CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
                 <InitialDeliveryMethod>P</InitialDeliveryMethod><AnyContent>T</AnyContent><SupportedBearer>WSP</SupportedBearer>\
                 <SupportedBearer>HTTP</SupportedBearer><SupportedCIRMethod>WAPSMS</SupportedCIRMethod><MultiTrans>2</MultiTrans>\
                 <ParserSize>32767</ParserSize><ServerPollMin>5</ServerPollMin></CapabilityList></ClientCapability-Request>"
            ))
            .await;
        let response = answer.expect("ClientCapability-Response");
        let list = match version {
            Version::V1_1 => response.at("CapabilityList"),
            _ => response.at("AgreedCapabilityList"),
        };
        let list = list.expect("a list");
        // 5.1: the server may raise it.
        assert_eq!(list.text("ServerPollMin"), Some("45"));
        assert_eq!(list.texts("SupportedBearer"), ["HTTP"]);
        // No CIR channel is offered here.
        assert!(list.at("SupportedCIRMethod").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_are_not_offered_are_denied() {
    // 6.3: Functions lists what is denied.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for version in Version::ALL {
        let mut client = server.client(version, Syntax::Wbxml, "alice").await;
        let ask = |functions: &str, all: char| {
            let client_id = match version {
                Version::V1_1 => "<ClientID><URL>WV:a-test-client</URL></ClientID>",
                _ => "",
            };
            format!(
                "<Service-Request>{client_id}<Functions><WVCSPFeat>{functions}</WVCSPFeat></Functions>\
                 <AllFunctionsRequest>{all}</AllFunctionsRequest></Service-Request>"
            )
        };
        let answer = client.request(&ask("<IMFeat/>", 'T')).await;
        let response = answer.expect("Service-Response");
        // The one function that needs a bearer for clients who are away.
        let denied = response.at("Functions/WVCSPFeat/IMFeat/IMReceiveFunc");
        let names = denied.map(|denied| denied.children.iter().map(|one| one.name.as_str()));
        let names: Option<Vec<_>> = names.map(Iterator::collect);
        match version {
            Version::V1_3 => assert_eq!(names, Some(vec!["OFFNOTIF"])),
            _ => assert_eq!(names, None),
        }
        let all = response
            .at("AllFunctions/WVCSPFeat")
            .expect("what is offered");
        assert_eq!(all.at("IMFeat/IMReceiveFunc/OFFNOTIF"), None);

        let granted = "<IMFeat><IMReceiveFunc><NEWM/></IMReceiveFunc></IMFeat>";
        let answer = client.request(&ask(granted, 'F')).await;
        let response = answer.expect("Service-Response");
        // Absent = all agreed.
        assert!(response.at("Functions").is_none() && response.at("AllFunctions").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_takes_effect_at_once() {
    // 3.9.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    let mut alice = server.xml("alice").await;
    bob.send_text("wv:alice@h", "kept").await.expect_code(200);
    let push = alice.poll().await;
    push.expect("NewMessage");
    alice.request("<Logout-Request/>").await.expect_status(200);
    // 2.5: what was not acknowledged returns to the store.
    let late = alice
        .respond(
            push.transaction().unwrap(),
            "<MessageDelivered><MessageID>x</MessageID></MessageDelivered>",
        )
        .await;
    assert!(late.is_empty() || late.code() == Some(604), "{late:?}");
    let mut again = server.xml("alice").await;
    let messages = again.messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].text("ContentData"), Some("kept"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_may_be_used_from_any_connection_and_syntax() {
    // 8 item 4, transport 1: the session is not tied to a connection.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let xml = server.xml("alice").await;
    let mut wbxml = Client::connect(server.address(), Version::V1_2, Syntax::Wbxml).await;
    wbxml.session = xml.session.clone();
    wbxml
        .request("<GetList-Request/>")
        .await
        .expect("GetList-Response");
    // 1.2: another version is answered in that version.
    let mut other = Client::connect(server.address(), Version::V1_1, Syntax::Xml).await;
    other.session = xml.session.clone();
    other
        .request("<GetList-Request/>")
        .await
        .expect("GetList-Response");
    let body = other.message(
        "Inband",
        &[transaction("Request", Some("9"), "<Logout-Request/>")],
    );
    let http = other.post(&body).await;
    other.read(http).expect_code(200);
}
