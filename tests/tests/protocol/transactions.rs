//! Transactions: the order of checks, identifiers, repeats, several in one message
//! (csp-access 1.5, 2, 16).

use hamlet_csp::{Syntax, Version};
use hamlet_sap::Inbound;
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, STATUS_200, send_message, transaction, user};
use hamlet_tests::server::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_served_is_told_apart_from_one_that_does_not_exist() {
    // 1.5 items 6 and 8.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut client = server.xml("alice").await;
    for (request, code) in [
        // Known, but what it names is not there.
        (
            "<JoinGroup-Request><GroupID>wv:a/b@h</GroupID><JoinedRequest>T</JoinedRequest><SubscribeNotification>T</SubscribeNotification></JoinGroup-Request>",
            800,
        ),
        // Unknown to CSP.
        ("<Frobnicate-Request/>", 405),
        // Of 1.3, in a session of 1.2.
        (
            "<SubscribeNotification-Request><NotificationTypeList><NotificationType>CLC</NotificationType></NotificationTypeList></SubscribeNotification-Request>",
            405,
        ),
        // Not in this direction.
        (
            "<Login-Response><Result><Code>200</Code></Result></Login-Response>",
            405,
        ),
        // A mandatory element is missing.
        (
            "<SendMessage-Request><DeliveryReport>F</DeliveryReport></SendMessage-Request>",
            400,
        ),
        ("<GetPresence-Request/>", 400),
        ("<SubscribePresence-Request/>", 400),
        ("<UpdatePresence-Request/>", 400),
        ("<DeleteList-Request/>", 400),
    ] {
        let answer = client.request(request).await;
        answer.expect_code(code);
        assert_eq!(answer.mode(), "Response", "{request}");
    }
    client
        .request("<GetList-Request/>")
        .await
        .expect("GetList-Response");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_misplaced_elements_do_no_harm() {
    // 16, GEN-17.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut client = server.xml("alice").await;
    let answer = client
        .request(
            "<SendMessage-Request><Vendor xmlns=\"urn:x\"><Deep a=\"1\"/>text</Vendor><ContentData>ciao</ContentData><MessageInfo>\
             <Sender><User><UserID>alice</UserID></User></Sender><ContentSize>9999</ContentSize><Recipient><Extra/><User>\
             <UserID>bob</UserID></User></Recipient></MessageInfo><DeliveryReport>f</DeliveryReport></SendMessage-Request>",
        )
        .await;
    answer.expect_code(200);
    let mut bob = server.xml("bob").await;
    let messages = bob.messages().await;
    assert_eq!(messages[0].text("ContentData"), Some("ciao"));
    // GEN-30.
    assert_eq!(messages[0].text("MessageInfo/ContentSize"), Some("4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_needs_a_mode_and_an_identifier() {
    // 1.5 items 1 and 2.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut client = server.xml("alice").await;
    let without_id = client.message(
        "Inband",
        &[transaction("Request", None, "<GetList-Request/>")],
    );
    let http = client.post(&without_id).await;
    let answer = client.read(http);
    assert!(
        [Some(400), Some(420)].contains(&answer.code()),
        "{answer:?}"
    );
    let bad_mode = client.message(
        "Inband",
        &[transaction("Perhaps", Some("1"), "<GetList-Request/>")],
    );
    let http = client.post(&bad_mode).await;
    client.read(http).expect_status(400);
    client
        .request("<GetList-Request/>")
        .await
        .expect("GetList-Response");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_is_answered_whatever_its_identifier() {
    // 5.1, GEN-19.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    for version in Version::ALL {
        let mut client = server.client(version, Syntax::Xml, "alice").await;
        let with_id = client.request_as("17", "<Polling-Request/>").await;
        assert!(with_id.is_empty());
        let absent =
            transaction("Request", None, "<Polling-Request/>").replace("<TransactionID/>", "");
        let body = client.message("Inband", &[absent]);
        let http = client.post(&body).await;
        assert!(client.read(http).is_empty());
        bob.send_text("wv:alice@h", "x").await.expect_code(200);
        let push = client.request_as("17", "<Polling-Request/>").await;
        // The server's own identifier, in mode Request.
        assert_eq!(push.mode(), "Request");
        assert_ne!(push.transaction(), Some("17"));
        client.acknowledge(&push).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_done_once() {
    // 2.3: also over another connection, as a phone does after a lost one.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut alice = server.client(version, syntax, "alice").await;
            let content = send_message(&user("wv:bob@h"), "once", false);
            let first = alice.request_as("77", &content).await;
            first.expect_code(200);
            let mut other = Client::connect(server.address(), version, syntax).await;
            other.session = alice.session.clone();
            let second = other.request_as("77", &content).await;
            assert_eq!(first.primitive(), second.primitive());
            let mut bob = server.xml("bob").await;
            assert_eq!(bob.messages().await.len(), 1);
            // The same identifier with another content is a new transaction.
            let third = alice
                .request_as("77", &send_message(&user("wv:bob@h"), "twice", false))
                .await;
            third.expect_code(200);
            assert_ne!(first.primitive(), third.primitive());
            assert_eq!(bob.messages().await.len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_answered_as_before_whatever_has_changed() {
    // 2.3: meanwhile the only recipient that was reached keeps the sender out.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let mut bob = server.xml("bob").await;
        let recipients = [user("wv:nobody@h"), user("wv:bob@h")].concat();
        let content = send_message(&recipients, "once", false);
        let first = alice.request_as("77", &content).await;
        first.expect_code(201);
        let block = |change: &str| {
            format!(
                "<BlockEntity-Request><BlockList><InUse>T</InUse><{change}><UserID>wv:alice@h</UserID></{change}>\
                 </BlockList></BlockEntity-Request>"
            )
        };
        bob.request(&block("AddList")).await.expect_status(200);
        let second = alice.request_as("77", &content).await;
        assert_eq!(first.primitive(), second.primitive());
        bob.request(&block("RemoveList")).await.expect_status(200);
        bob.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_served_when_the_session_is_over_is_not_carried_out() {
    // 2.3: the copy was under way when the client, with its answer, logged out.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let content = send_message(&user("wv:bob@h"), "once", false);
    let body = alice.message("Inband", &[transaction("Request", Some("77"), &content)]);
    let inbound = Inbound {
        body: &body,
        content_type: Some(Syntax::Xml.media_type(Version::V1_2)),
        user_agent: None,
        peer: None,
        host: None,
        local: None,
        secure: false,
        msisdn: None,
    };
    let mut copy = Box::pin(server.sap().exchange(&inbound));
    // Whether bob exists is to be read: the copy is in its session, and waits.
    assert!(futures::poll!(copy.as_mut()).is_pending());
    alice.request_as("77", &content).await.expect_code(200);
    alice.request("<Logout-Request/>").await.expect_code(200);
    copy.await;
    let mut bob = server.xml("bob").await;
    assert_eq!(bob.messages().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_waits_for_is_taken_silently() {
    // 2.4, GEN-2, 16.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut client = server.xml("alice").await;
    assert!(client.respond("never-sent", STATUS_200).await.is_empty());
    let delivered = "<MessageDelivered><MessageID>none</MessageID></MessageDelivered>";
    let answer = client.respond("never-sent", delivered).await;
    assert!(answer.is_empty() || answer.primitive().name == "Status");
    // 16: a session without transaction counts as activity.
    let empty = client.message("Inband", &[]);
    let http = client.post(&empty).await;
    assert!(client.read(http).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_transactions_in_one_message_are_all_answered() {
    // 16, transport 3.5, 11 item 3: in order, in one message.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut client = server.client(version, syntax, "alice").await;
            let http = client
                .batch(&[
                    transaction("Request", Some("a"), "<GetList-Request/>"),
                    transaction("Request", Some("b"), "<KeepAlive-Request/>"),
                    transaction(
                        "Request",
                        Some("c"),
                        &send_message(&user("wv:bob@h"), "one of three", false),
                    ),
                ])
                .await;
            let answer = Answer::read(http, syntax.media_type(version), syntax, version);
            let transactions = answer.root().all("Session/Transaction");
            let ids: Vec<_> = transactions
                .iter()
                .map(|transaction| {
                    transaction
                        .text("TransactionDescriptor/TransactionID")
                        .unwrap()
                })
                .collect();
            assert_eq!(ids, ["a", "b", "c"]);
            let names: Vec<_> = transactions
                .iter()
                .map(|transaction| transaction.at("TransactionContent").unwrap().child_names()[0])
                .collect();
            assert_eq!(
                names,
                [
                    "GetList-Response",
                    "KeepAlive-Response",
                    "SendMessage-Response"
                ]
            );
        }
        assert_eq!(server.xml("bob").await.messages().await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_1_3_client_gets_several_server_requests_in_one_message() {
    // 2.1, transport 3.5: as many as MultiTransPerMessage says.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Wbxml, "alice").await;
    let capability = "<ClientCapability-Request><CapabilityList><ClientType>COMPUTER</ClientType><MultiTrans>3</MultiTrans>\
        <MultiTransPerMessage>3</MultiTransPerMessage></CapabilityList></ClientCapability-Request>";
    let answer = alice.request(capability).await;
    let agreed = answer
        .primitive()
        .text("AgreedCapabilityList/MultiTransPerMessage");
    let most: usize = agreed.map_or(1, |number| number.parse().unwrap());
    assert!(most <= 3);
    let mut bob = server.xml("bob").await;
    for number in 0..6 {
        bob.send_text("wv:alice@h", &format!("{number}"))
            .await
            .expect_code(200);
    }
    let mut texts = Vec::new();
    let mut pushes = std::collections::VecDeque::from([alice.poll().await]);
    while let Some(push) = pushes.pop_front() {
        let transactions = push.root().all("Session/Transaction");
        assert!(transactions.len() <= most);
        for transaction in transactions {
            let message = transaction
                .at("TransactionContent/NewMessage")
                .expect("a message");
            texts.push(message.text("ContentData").unwrap().to_owned());
            let id = transaction
                .text("TransactionDescriptor/TransactionID")
                .unwrap();
            let message = message.text("MessageInfo/MessageID").unwrap();
            let delivered =
                format!("<MessageDelivered><MessageID>{message}</MessageID></MessageDelivered>");
            pushes.push_back(alice.respond(id, &delivered).await);
        }
        pushes.retain(|push| !push.is_empty());
        if pushes.is_empty() && texts.len() < 6 {
            pushes.push_back(alice.poll().await);
        }
    }
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_told_to_whoever_asks() {
    // 1.3: no session, no transaction.
    let server = TestServer::with_users(&[], &[]).await;
    for name in ["WV-CSP-VersionDiscovery", "WV-CSP-NSDiscovery"] {
        let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
        let namespace = Version::V1_2.session_namespace();
        let http = client
            .post(format!("<{name}-Request xmlns=\"{namespace}\"/>").as_bytes())
            .await;
        assert_eq!(http.status, 200);
        let root = hamlet_tests::strict_xml::read(&http.body).unwrap();
        assert_eq!(root.name, "WV-CSP-VersionDiscovery-Response");
        // Best first.
        assert_eq!(
            root.texts("VersionList/SessionNSName"),
            [Version::V1_3, Version::V1_2, Version::V1_1]
                .map(|version| version.session_namespace())
        );
        assert_eq!(root.all("VersionList/PresenceAttributeNSName").len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_not_spoken_is_505() {
    // 1.2.
    let server = TestServer::with_users(&[], &[]).await;
    let mut client = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    let login = client.login_step("alice", "<Password>x</Password>", "");
    let body = client.message("Outband", &[transaction("Request", Some("1"), &login)]);
    let future = String::from_utf8(body)
        .unwrap()
        .replace("IMPS-CSP1.3", "IMPS-CSP1.9");
    let http = client.post(future.as_bytes()).await;
    assert_eq!(http.status, 200);
    let root = hamlet_tests::strict_xml::read(&http.body).unwrap();
    // In the highest that is not above the request's.
    assert_eq!(root.namespace, Some(Version::V1_3.session_namespace()));
    assert_eq!(
        root.text("Session/Transaction/TransactionContent/Status/Result/Code"),
        Some("505")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extended_request_is_refused_and_extensions_are_ignored() {
    // 15.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for (version, extended) in [
        (Version::V1_1, None),
        (Version::V1_2, Some([405, 501])),
        (Version::V1_3, Some([405, 501])),
    ] {
        let mut client = server.client(version, Syntax::Xml, "alice").await;
        let request = "<Extended-Request xmlns=\"urn:vendor\"><Anything at=\"all\"><Deep/>text</Anything></Extended-Request>";
        let code = client.request(request).await.code().unwrap();
        assert!(extended.unwrap_or([405, 405]).contains(&code), "{code}");
        let block = transaction("Request", Some("e1"), "<KeepAlive-Request/>").replace(
            "</TransactionContent>",
            "</TransactionContent><ExtBlock><x:Thing xmlns:x=\"urn:vendor\">1</x:Thing></ExtBlock>",
        );
        let http = client.batch(&[block]).await;
        client.read(http).expect_code(200);
    }
}
