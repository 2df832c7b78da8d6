//! The Nokia S60 engine, CSP 1.1 and 1.2 in WBXML (clients 4).
//!
//! S60-1 to S60-3 hold for every answer: the strict reader refuses what the engine would.

use crate::android_lists::newest;
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
use hamlet_tests::fixture;
use hamlet_tests::phone::Phone;
use hamlet_tests::server::TestServer;

const S60S: [&str; 2] = ["s60-1.1", "s60-1.2"];

async fn village() -> TestServer {
    let server = TestServer::start(&["domain=village.example"]).await;
    for user in ["nina", "erik", "spam"] {
        server
            .add_user(&format!("wv:{user}@village.example"), "finland")
            .await;
    }
    server
}

async fn erik(server: &TestServer, version: Version, syntax: Syntax) -> Client {
    Client::login(
        server.address(),
        version,
        syntax,
        "wv:erik@village.example",
        "finland",
    )
    .await
}

/// A phone of nina after the whole sequence of clients 4.5, in the default 2-way login.
async fn logged_in(client: &'static str, server: &TestServer) -> Phone {
    let mut phone = Phone::new(client, server.address()).await;
    let answer = phone.send("login-password").await;
    answer.expect_code(200);
    phone.keep_session(&answer);
    for step in [
        "client-capability",
        "service",
        "update-presence",
        "create-attribute-list",
        "get-list",
        "read-list",
        "subscribe-list",
        "get-blocked-list",
    ] {
        phone.send(step).await;
    }
    phone
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s60_phone_logs_in_and_negotiates() {
    for client in S60S {
        let server = village().await;
        let mut phone = Phone::new(client, server.address()).await;
        // S60-6: T-8.
        let answer = phone.send("login-password").await;
        let response = answer.expect("Login-Response");
        answer.expect_code(200);
        // S60-4.
        let session = response.text("SessionID").unwrap();
        assert!(session.len() <= 50);
        // csp-access 4: the day that it asks for is the longest that is granted.
        assert_eq!(response.text("KeepAliveTime"), Some("86400"));
        phone.keep_session(&answer);

        let answer = phone.send("client-capability").await;
        assert_eq!(
            answer.root().text("Session/SessionDescriptor/SessionID"),
            Some(session),
            "S60-4"
        );
        let response = answer.expect("ClientCapability-Response");
        // S60-8, S60-23, IV-3: the list's name, and ClientID first in 1.1.
        let list = if phone.version() == Version::V1_1 {
            assert_eq!(response.child_names(), ["ClientID", "CapabilityList"]);
            assert_eq!(response.text("ClientID/URL"), Some("WV:IMEngine-S60"));
            &response.children[1]
        } else {
            assert_eq!(response.child_names(), ["AgreedCapabilityList"]);
            &response.children[0]
        };
        for method in ["WAPSMS", "WAPUDP", "STCP", "SUDP"] {
            let times = list
                .texts("SupportedCIRMethod")
                .iter()
                .filter(|found| **found == method)
                .count();
            assert!(times <= 1, "S60-8: {method}");
        }
        // clients 4.5: the answer can only raise it.
        assert!(list.text("ServerPollMin").is_some());

        let answer = phone.send("service").await;
        let response = answer.expect("Service-Response");
        // S60-11, S60-23.
        assert!(response.at("AllFunctions").is_none());
        if phone.version() == Version::V1_1 {
            assert_eq!(response.child_names().first(), Some(&"ClientID"));
        }
        check_grants(response);
    }
}

/// S60-9, S60-10: what stands in Functions is denied; the engine goes on only with these.
fn check_grants(response: &Element) {
    let Some(denied) = response.at("Functions/WVCSPFeat") else {
        return;
    };
    assert!(
        !denied.children.is_empty(),
        "S60-9: an empty tree denies everything"
    );
    for needed in ["GCLI", "MCLS", "GETPR", "UPDPR", "NEWM"] {
        assert!(
            denied
                .descendants()
                .iter()
                .all(|element| element.name != needed),
            "S60-10: {needed}"
        );
    }
    // An empty feature or function element denies its whole branch.
    for branch in [
        "PresenceFeat",
        "IMFeat",
        "PresenceFeat/ContListFunc",
        "PresenceFeat/PresenceDeliverFunc",
        "IMFeat/IMReceiveFunc",
    ] {
        if let Some(element) = denied.at(branch) {
            assert!(!element.children.is_empty(), "S60-10: {branch}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s60_phone_logs_in_with_a_digest() {
    // S60-5, S60-7, T-9: a challenge, and MD5, the only schema it offers.
    for client in S60S {
        let server = village().await;
        let mut phone = Phone::new(client, server.address()).await;
        let (challenge, done) = phone.login_4_way("finland").await;
        let response = challenge.expect("Login-Response");
        challenge.expect_code(401);
        assert_eq!(response.texts("DigestSchema"), ["MD5"]);
        assert!(!response.text("Nonce").unwrap().is_empty());
        assert!(response.at("SessionID").is_none());
        assert_eq!(challenge.transaction(), Some("nok1"));
        done.expect_code(200);
        assert_eq!(done.transaction(), Some("nok1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s60_phone_gets_its_lists() {
    for client in S60S {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        let lists = phone.send("get-list").await;
        let response = lists.expect("GetList-Response");
        // csp-presence 2.4: named once, and nowhere else, or the engine shows it twice.
        assert_eq!(response.child_names(), ["DefaultContactList"]);
        assert_eq!(
            response.text("DefaultContactList"),
            Some("wv:nina/friends@village.example")
        );
        // S60-12: with Result 200, and the whole list without ReceiveList in 1.1.
        let answer = phone.send("read-list").await;
        let response = answer.expect("ListManage-Response");
        answer.expect_code(200);
        assert!(response.at("NickList").is_some());
        assert!(response.at("ContactListProperties").is_some());
        // S60-13.
        let added = phone.send("add-contact").await;
        added.expect("ListManage-Response");
        added.expect_code(200);
        let answer = phone.send("read-list").await;
        let nicks = answer.primitive().all("NickList/NickName");
        assert_eq!(nicks.len(), 1);
        assert_eq!(nicks[0].text("UserID"), Some("wv:erik@village.example"));
        assert_eq!(nicks[0].text("Name"), Some("Erik"));
        // S60-25: the list is made; who is unknown stands in the details.
        let created = phone.send("create-list").await;
        created.expect_status(201);
        let details = created.primitive().all("Result/DetailedResult");
        assert_eq!(details.len(), 1);
        assert_eq!(details[0].text("Code"), Some("531"));
        assert_eq!(details[0].texts("UserID"), ["wv:nobody@village.example"]);
        phone.send("delete-list").await.expect_status(200);
        // csp-presence 4.6: nothing to unsubscribe is no error.
        phone.send("unsubscribe-list").await.expect_status(200);
        phone.send("unsubscribe-list").await.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s60_phone_asks_for_presence() {
    for client in S60S {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        // S60-24, csp-presence 4.2: the unknown one stands in the details.
        let answer = phone.send("get-presence").await;
        let response = answer.expect("GetPresence-Response");
        answer.expect_code(201);
        assert_eq!(response.text("Result/DetailedResult/Code"), Some("531"));
        assert_eq!(
            response.texts("Result/DetailedResult/UserID"),
            ["wv:nobody@village.example"]
        );
        assert_eq!(
            response.texts("Presence/UserID"),
            ["wv:erik@village.example"]
        );
        // S60-29: with CommCap and ClientInfo, and no empty Note.
        let answer = phone.send("own-presence").await;
        let own = answer
            .expect("GetPresence-Response")
            .at("Presence/PresenceSubList")
            .unwrap();
        assert_eq!(own.text("CommCap/CommC/Cap"), Some("IM"));
        assert_eq!(own.text("CommCap/CommC/Status"), Some("OPEN"));
        assert!(own.at("CommCap/CommC/Note").is_none());
        assert_eq!(own.text("ClientInfo/Model"), Some("6630"));
        // csp-presence 4.2: requested and no more.
        let mut names = own.child_names();
        names.sort_unstable();
        assert_eq!(names, ["ClientInfo", "CommCap"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s60_phone_is_told_the_whole_presence_of_its_contacts() {
    for client in S60S {
        let server = village().await;
        let mut erik = erik(&server, Version::V1_3, Syntax::Wbxml).await;
        erik.accept("wv:nina@village.example").await;
        let mut phone = logged_in(client, &server).await;
        phone.send("add-contact").await.expect_code(200);
        if client == "s60-1.1" {
            // clients 4.5 step 5: in 1.1 a subscription follows.
            phone.send("subscribe-user").await.expect_status(200);
        }
        phone.drain().await;
        let status_text = "<StatusText><Qualifier>T</Qualifier><PresenceValue>skiing</PresenceValue></StatusText>";
        let mood =
            "<StatusMood><Qualifier>T</Qualifier><PresenceValue>HAPPY</PresenceValue></StatusMood>";
        update(&mut erik, &format!("{status_text}{mood}")).await;
        let came = phone.drain().await;
        assert!(newest(&came, "wv:erik@village.example").is_some());
        let availability = "<UserAvailability><Qualifier>T</Qualifier><PresenceValue>DISCREET</PresenceValue></UserAvailability>";
        update(&mut erik, availability).await;
        let came = phone.drain().await;
        let presence = newest(&came, "wv:erik@village.example").expect("a notification");
        let attributes = presence.at("PresenceSubList").unwrap();
        assert_eq!(
            attributes.text("UserAvailability/PresenceValue"),
            Some("DISCREET")
        );
        // S60-15, GEN-25: else the engine clears the text.
        assert_eq!(attributes.text("StatusText/PresenceValue"), Some("skiing"));
        // clients 8: only what was subscribed.
        assert!(attributes.at("StatusMood").is_none());
        // csp-presence 4.5: one element an attribute, no ClientID before 1.3.
        assert!(
            attributes
                .descendants()
                .iter()
                .all(|element| element.name != "ClientID")
        );
        assert_eq!(attributes.all("OnlineStatus").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_an_s60_phone_arrive_without_visible_entities() {
    // S60-20, T-11: it escapes inside WBXML and unescapes what comes.
    for client in S60S {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        let mut erik = erik(&server, Version::V1_2, Syntax::Xml).await;
        phone.drain().await;
        let sent = phone.send("send-message").await;
        sent.expect("SendMessage-Response");
        sent.expect_code(200);
        let messages = erik.messages().await;
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].text("ContentData"), Some("a<b & c€"));
        // What the engine shows is what it has unescaped (4.3).
        for text in ["x<y & z", "the entity &lt; is written &amp;lt;", "plain"] {
            erik.send_text("wv:nina@village.example", text)
                .await
                .expect_code(200);
            let came = phone.drain().await;
            assert_eq!(came.len(), 1);
            let shown = came[0].text("ContentData").unwrap();
            let shown = ["&lt;<", "&gt;>", "&quot;\"", "&apos;'", "&amp;&"]
                .iter()
                .fold(shown.to_owned(), |text, entity| {
                    let (name, c) = entity.split_at(entity.len() - 1);
                    text.replace(name, c)
                });
            assert_eq!(shown, text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_to_an_s60_phone_never_repeat_a_transaction() {
    // S60-16, S60-17, GEN-11.
    for client in S60S {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        let mut erik = erik(&server, Version::V1_1, Syntax::Wbxml).await;
        phone.drain().await;
        for number in 0..5 {
            let text = format!("number {number}");
            erik.send_text("wv:nina@village.example", &text)
                .await
                .expect_code(200);
        }
        let mut seen = Vec::new();
        for number in 0..5 {
            let push = phone.poll().await;
            let message = push.expect("NewMessage");
            // csp-im 6, rule 9: first in, first out.
            assert_eq!(
                message.text("ContentData"),
                Some(format!("number {number}").as_str())
            );
            // 5.2: T exactly while more waits.
            assert_eq!(push.poll(), number < 4);
            let id = push.transaction().unwrap().to_owned();
            assert!(id.len() <= 50 && !seen.contains(&id), "S60-4, S60-16: {id}");
            seen.push(id);
            phone.acknowledge(&push).await;
        }
        assert!(phone.poll().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s60_phone_keeps_alive_and_logs_out() {
    for client in S60S {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        // S60-26.
        let answer = phone.send("keep-alive").await;
        answer.expect("KeepAlive-Response");
        answer.expect_code(200);
        let answer = phone.send("logout").await;
        // S60-23.
        answer.expect(if client == "s60-1.1" {
            "Disconnect"
        } else {
            "Status"
        });
        answer.expect_code(200);
        assert_eq!(
            (answer.mode(), answer.transaction()),
            ("Response", Some("nok20"))
        );
        phone.send("poll").await.expect_status(604);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_requests_at_once_are_each_answered() {
    // S60-31: on parallel connections, in any order.
    for client in S60S {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        let lists = phone.send("get-list").await;
        let session = lists
            .root()
            .text("Session/SessionDescriptor/SessionID")
            .unwrap()
            .to_owned();
        let mut others = Vec::new();
        for _ in 0..4 {
            let mut other = Phone::new(client, server.address()).await;
            other.keep("session", &session);
            others.push(other);
        }
        let steps = ["get-list", "read-list", "own-presence", "keep-alive"];
        let answers = futures::future::join_all(
            others
                .iter_mut()
                .zip(steps)
                .map(|(phone, step)| phone.send(step)),
        );
        for (answer, name) in answers.await.iter().zip([
            "GetList-Response",
            "ListManage-Response",
            "GetPresence-Response",
            "KeepAlive-Response",
        ]) {
            answer.expect(name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_of_an_s60_phone_is_answered_and_the_session_survives() {
    // S60-32, GEN-26, csp-access 1.5.
    for client in S60S {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        for name in fixture::names(client) {
            let skipped = ["login-", "logout", "message-delivered", "status", "poll"];
            if skipped.iter().any(|part| name[3..].starts_with(part)) {
                continue;
            }
            let answer = phone.send(&name).await;
            let code = answer.code().unwrap_or(200);
            assert!(
                [200, 201, 501].contains(&code),
                "{client}/{name}: {answer:?}"
            );
        }
        phone.send("keep-alive").await.expect_code(200);
    }
}

async fn update(client: &mut Client, attributes: &str) {
    let content = format!(
        "<UpdatePresence-Request><PresenceSubList>{attributes}</PresenceSubList></UpdatePresence-Request>"
    );
    client.request(&content).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn s60_14_what_the_phone_lets_be_seen_is_seen_and_no_more() {
    // clients 4.5 step 4: a default list with five attributes.
    for client in S60S {
        let server = village().await;
        let mut erik = erik(&server, Version::V1_2, Syntax::Xml).await;
        let watch = "<SubscribePresence-Request><User><UserID>wv:nina@village.example</UserID></User></SubscribePresence-Request>";
        erik.request(watch).await.expect_status(200);
        assert!(newest(&erik.drain().await, "wv:nina@village.example").is_none());
        let mut phone = logged_in(client, &server).await;
        let came = erik.drain().await;
        let presence = newest(&came, "wv:nina@village.example").expect("a notification");
        let attributes = presence.at("PresenceSubList").unwrap();
        let mut names = attributes.child_names();
        names.sort_unstable();
        let seen = [
            "ClientInfo",
            "CommCap",
            "OnlineStatus",
            "StatusText",
            "UserAvailability",
        ];
        assert!(names.iter().all(|name| seen.contains(name)), "{names:?}");
        assert!(names.contains(&"OnlineStatus") && names.contains(&"UserAvailability"));
        // clients 4.5, 4.7: it is asked about him who came before, and handles that, though it
        // has named only GETWL in its service negotiation.
        let asked = phone.drain().await;
        let question = asked
            .iter()
            .find(|asked| asked.name == "PresenceAuth-Request");
        let watcher = question.and_then(|question| question.text("UserID"));
        assert_eq!(watcher, Some("wv:erik@village.example"), "{asked:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_an_s60_phone_blocks_gets_532() {
    // S60-27, csp-im 11.2: always both lists with both flags.
    for (client, version) in [("s60-1.1", Version::V1_1), ("s60-1.2", Version::V1_2)] {
        let server = village().await;
        let mut phone = logged_in(client, &server).await;
        let address = server.address();
        let spam = "wv:spam@village.example";
        let mut spam = Client::login(address, version, Syntax::Xml, spam, "finland").await;
        spam.send_text("wv:nina@village.example", "hi")
            .await
            .expect_code(200);
        phone.send("block").await.expect_status(200);
        let refused = spam.send_text("wv:nina@village.example", "hi").await;
        assert_eq!(refused.code(), Some(532), "{client}");
        let list = phone.send("get-blocked-list").await;
        let blocked = list.expect("GetBlockedList-Response");
        let users = blocked.texts("BlockList/EntityList/UserID");
        assert_eq!(users, ["wv:spam@village.example"], "{client}");
        assert_eq!(blocked.text("BlockList/InUse"), Some("T"));
        assert_eq!(blocked.text("GrantList/InUse"), Some("F"));
    }
}
