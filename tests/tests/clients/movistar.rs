//! The Movistar clients for a Colibria server, CSP 1.2 in XML (clients 5).
//!
//! MOV-2 to MOV-4 hold for every exchange: the connection waits for `100 Continue`, the
//! reader refuses prefixes, white space and other namespaces, and Content-Length must stand.

use hamlet_tests::client::Client;
use hamlet_tests::phone::Phone;
use hamlet_tests::server::{AT_ONCE, TestServer};

const CLIENT: &str = "movistar-1.2";

async fn operator(settings: &[&str]) -> TestServer {
    let settings = [&["domain=movistar.es"], settings].concat();
    let server = TestServer::start(&settings).await;
    for user in ["600000001", "600000002"] {
        server
            .add_user(&format!("wv:{user}@movistar.es"), "pw")
            .await;
    }
    server
}

async fn begona(server: &TestServer) -> Client {
    Client::xml_1_2(server.address(), "wv:600000002@movistar.es", "pw").await
}

/// A client after TIDs 1 to 9 of clients 5.4.
async fn logged_in(server: &TestServer) -> Phone {
    let mut phone = Phone::new(CLIENT, server.address()).await;
    let answer = phone.send("login").await;
    answer.expect_code(200);
    phone.keep_session(&answer);
    for step in [
        "client-capability",
        "service",
        "update-presence",
        "get-list",
        "own-presence",
        "read-private-list",
        "create-subscriptions",
        "subscribe",
        "set-alias",
    ] {
        phone.send(step).await;
    }
    phone
}

#[tokio::test(flavor = "multi_thread")]
async fn a_movistar_client_goes_through_its_nine_requests() {
    // T-13.
    let server = operator(&[]).await;
    let mut phone = Phone::new(CLIENT, server.address()).await;
    let answer = phone.send("login").await;
    let response = answer.expect("Login-Response");
    answer.expect_code(200);
    assert!(response.text("KeepAliveTime").is_some());
    phone.keep_session(&answer);

    // MOV-5: ColibriaExtensions is ignored.
    let answer = phone.send("client-capability").await;
    answer.expect("ClientCapability-Response");
    let answer = phone.send("service").await;
    assert!(
        answer
            .expect("Service-Response")
            .at("AllFunctions")
            .is_some()
    );
    // MOV-6, MOV-7, GEN-24: a foreign element, and OnlineStatus with the Qualifier alone.
    phone.send("update-presence").await.expect_status(200);
    // MOV-10, MOV-11: the lists are there, in lower case.
    let answer = phone.send("get-list").await;
    let response = answer.expect("GetList-Response");
    let mut lists = response.texts("ContactList");
    lists.extend(response.texts("DefaultContactList"));
    assert!(
        lists.contains(&"wv:600000001/~pep1.0_subscriptions@movistar.es"),
        "{lists:?}"
    );
    assert!(
        lists.contains(&"wv:600000001/~pep1.0_privatelist@movistar.es"),
        "{lists:?}"
    );
    // csp-presence 2.4: each once, the default list among them.
    let each: std::collections::HashSet<_> = lists.iter().collect();
    assert_eq!(each.len(), lists.len(), "{lists:?}");
    let answer = phone.send("own-presence").await;
    let response = answer.expect("GetPresence-Response");
    answer.expect_code(200);
    // MOV-9.
    assert_eq!(
        response.text("Presence/UserID"),
        Some("wv:600000001@movistar.es")
    );
    // MOV-8: the alias first, the number when there is none.
    let attributes: Vec<_> = response
        .all("Presence/PresenceSubList")
        .into_iter()
        .flat_map(|list| &list.children)
        .collect();
    let value = |name: &str| {
        let attribute = attributes.iter().find(|attribute| attribute.name == name);
        attribute.and_then(|attribute| attribute.text("PresenceValue"))
    };
    assert_eq!(attributes[0].name, "Alias");
    assert_eq!(value("Alias"), Some("600000001"));
    // MOV-7: the value is the server's.
    assert_eq!(value("OnlineStatus"), Some("T"));
    assert_eq!(value("UserAvailability"), Some("AVAILABLE"));
    // MOV-10.
    let answer = phone.send("read-private-list").await;
    answer.expect("ListManage-Response");
    answer.expect_code(200);
    // MOV-12, MOV-13, T-15: it exists, and the NickList is empty.
    phone.send("create-subscriptions").await.expect_status(200);
    // MOV-15, MOV-16.
    phone.send("subscribe").await.expect_status(200);
    phone.send("set-alias").await.expect_status(200);
    // MOV-17, T-4.
    assert!(phone.send("poll").await.is_empty());
    let answer = phone.send("own-presence").await;
    let attributes = answer.primitive().at("Presence/PresenceSubList").unwrap();
    assert_eq!(attributes.text("Alias/PresenceValue"), Some("Iñaki"));
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_added_to_both_lists() {
    let server = operator(&[]).await;
    let mut phone = logged_in(&server).await;
    for list in ["add-to-subscriptions", "add-to-private-list"] {
        // MOV-14: again is as good as once.
        for _ in 0..2 {
            let answer = phone.send(list).await;
            let response = answer.expect("ListManage-Response");
            answer.expect_code(200);
            assert_eq!(
                response.texts("NickList/NickName/UserID"),
                ["wv:600000002@movistar.es"]
            );
            assert_eq!(response.texts("NickList/NickName/Name"), ["Begoña"]);
        }
    }
    phone.send("remove-contact").await.expect_code(200);
    phone.send("unsubscribe").await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_html_message_arrives_as_the_text_that_it_shows() {
    // MOV-21, MOV-24: the wrong size, the sender without "wv:", raw quotes in an attribute.
    let server = operator(&[]).await;
    let mut phone = logged_in(&server).await;
    let mut begona = begona(&server).await;
    let capability = "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
        <AcceptedContentType>text/plain</AcceptedContentType></CapabilityList></ClientCapability-Request>";
    begona
        .request(capability)
        .await
        .expect("ClientCapability-Response");
    let sent = phone.send("send-message").await;
    sent.expect("SendMessage-Response");
    sent.expect_code(200);
    let messages = begona.messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].text("ContentData"), Some("¿Qué tal? 1 < 2"));
    assert_eq!(
        messages[0].text("MessageInfo/ContentType"),
        Some("text/plain")
    );
    assert_eq!(
        messages[0].text("MessageInfo/Sender/User/UserID"),
        Some("wv:600000001@movistar.es")
    );
    let size = "¿Qué tal? 1 < 2".len().to_string();
    assert_eq!(
        messages[0].text("MessageInfo/ContentSize"),
        Some(size.as_str()),
        "GEN-30"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_never_acknowledged_does_not_block_the_queue() {
    // MOV-18, T-14, GEN-29: after two repeats the next poll is taken as acknowledgement.
    let server = operator(&[AT_ONCE]).await;
    let mut phone = logged_in(&server).await;
    let mut begona = begona(&server).await;
    for text in ["uno", "dos"] {
        begona
            .send_text("wv:600000001@movistar.es", text)
            .await
            .expect_code(200);
    }
    let mut came = Vec::new();
    let mut transactions = Vec::new();
    loop {
        let push = phone.send("poll").await;
        if push.is_empty() {
            break;
        }
        let message = push.expect("NewMessage");
        came.push(message.text("ContentData").unwrap().to_owned());
        transactions.push(push.transaction().unwrap().to_owned());
        assert!(came.len() <= 6, "{came:?}");
    }
    assert!(
        came.contains(&"uno".to_owned()) && came.contains(&"dos".to_owned()),
        "{came:?}"
    );
    // GEN-11.
    transactions.sort();
    transactions.dedup();
    assert_eq!(transactions.len(), came.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_that_is_never_acknowledged_neither_blocks_the_queue_nor_comes_for_ever() {
    // MOV-19, GEN-29; clients 5.5: no notification is acknowledged.
    let server = operator(&[AT_ONCE]).await;
    let mut begona = begona(&server).await;
    begona.accept("wv:600000001@movistar.es").await;
    let mut phone = logged_in(&server).await;
    phone.send("add-to-subscriptions").await.expect_code(200);
    for text in ["uno", "dos"] {
        let status = format!(
            "<UpdatePresence-Request><PresenceSubList><StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue>\
             </StatusText></PresenceSubList></UpdatePresence-Request>"
        );
        begona.request(&status).await.expect_status(200);
        begona
            .send_text("wv:600000001@movistar.es", text)
            .await
            .expect_code(200);
        let (mut seen, mut read, mut polls) = (Vec::new(), Vec::new(), 0);
        loop {
            let push = phone.send("poll").await;
            if push.is_empty() {
                break;
            }
            let primitive = push.primitive();
            let said = "Presence/PresenceSubList/StatusText/PresenceValue";
            seen.extend(primitive.text(said).map(str::to_owned));
            read.extend(primitive.text("ContentData").map(str::to_owned));
            polls += 1;
            assert!(polls <= 12, "{seen:?} {read:?}");
        }
        assert_eq!(seen.last().map(String::as_str), Some(text));
        assert!(read.contains(&text.to_owned()), "{read:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_in_mode_request_is_tolerated() {
    // MOV-20.
    let server = operator(&[]).await;
    let mut phone = logged_in(&server).await;
    let mut begona = begona(&server).await;
    begona
        .send_text("wv:600000001@movistar.es", "hola")
        .await
        .expect_code(200);
    phone.send("poll").await.expect("NewMessage");
    assert!(phone.send("status-in-mode-request").await.is_empty());
    phone.send("get-list").await.expect("GetList-Response");
}

#[tokio::test(flavor = "multi_thread")]
async fn ill_formed_requests_are_400_and_the_session_goes_on() {
    // MOV-22, MOV-23, GEN-28, T-16.
    let server = operator(&[]).await;
    let mut phone = logged_in(&server).await;
    for (request, id) in [
        ("create-ill-formed", "14"),
        ("create-without-start-tag", "15"),
    ] {
        let answer = phone.send(request).await;
        answer.expect_status(400);
        assert_eq!(answer.transaction(), Some(id));
        phone.send("get-list").await.expect("GetList-Response");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_decided_is_taken_back_all_the_same() {
    // MOV-27: to delete a contact, whatever there is.
    let server = operator(&[]).await;
    let mut phone = logged_in(&server).await;
    for request in ["delete-attribute-list", "cancel-auth"] {
        phone.send(request).await.expect_status(200);
    }
    let answer = phone.send("logout").await;
    answer.expect_status(200);
    phone.send("poll").await.expect_status(604);
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_found_by_their_numbers() {
    // MOV-26; clients 5.5: the first UserID is taken.
    let server = operator(&[]).await;
    let mut phone = logged_in(&server).await;
    let answer = phone.send("search").await;
    let response = answer.expect("Search-Response");
    assert_eq!(response.text("SearchFindings"), Some("1"));
    assert_eq!(response.text("CompletionFlag"), Some("T"));
    let users = response.texts("SearchResult/UserList/User/UserID");
    assert_eq!(users, ["wv:600000002@movistar.es"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_alone_keep_the_session() {
    // MOV-25, MOV-29: no keep-alive, no CIR channel; 30 s is the shortest that is granted.
    let server = operator(&[
        "session.ttl_min=2s",
        "session.ttl_default=2s",
        "session.grace=1s",
    ])
    .await;
    let mut phone = Phone::new(CLIENT, server.address()).await;
    let answer = phone.send("login").await;
    phone.keep_session(&answer);
    let start = std::time::Instant::now();
    while start.elapsed() < std::time::Duration::from_secs(3) {
        // An error here would be the end of the session.
        assert!(phone.send("poll").await.is_empty());
    }
}
