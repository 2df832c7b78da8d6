//! Notification and pull: SetDeliveryMethod, MessageNotification, GetMessageList, GetMessage,
//! RejectMessage (csp-im 3, 7).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, STATUS_200, send_message, transaction, user};
use hamlet_tests::element::Element;
use hamlet_tests::http::DEADLINE;
use hamlet_tests::server::{AT_ONCE, TestServer};
use std::time::Duration;
use tokio::time::Instant;

use Version::{V1_1, V1_2, V1_3};

const QUIET: &str =
    "<SetDeliveryMethod-Request><DeliveryMethod>N</DeliveryMethod></SetDeliveryMethod-Request>";
const PUSH: &str =
    "<SetDeliveryMethod-Request><DeliveryMethod>P</DeliveryMethod></SetDeliveryMethod-Request>";
const LIST: &str = "<GetMessageList-Request/>";

fn get(id: &str) -> String {
    format!("<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>")
}

fn delivered(id: &str) -> String {
    format!("<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>")
}

fn reject(ids: &[&str]) -> String {
    let ids: String = ids
        .iter()
        .map(|id| format!("<MessageID>{id}</MessageID>"))
        .collect();
    format!("<RejectMessage-Request>{ids}</RejectMessage-Request>")
}

/// Sends a text with a wish for a report; the MessageID.
async fn sent(client: &mut Client, to: &str, text: &str) -> String {
    let answer = client.request(&send_message(&user(to), text, true)).await;
    answer.expect_code(200);
    let id = answer.primitive().text("MessageID");
    id.expect("an id").to_owned()
}

/// The MessageIDs that GetMessageList tells, and MessageTotalCount.
async fn listed(client: &mut Client, request: &str) -> (Vec<String>, Option<String>) {
    let answer = client.request(request).await;
    let list = answer.expect("GetMessageList-Response");
    let path = match client.version {
        V1_3 => {
            assert!(list.at("MessageInfoList").is_some(), "csp-im 7.3: always");
            "MessageInfoList/MessageInfo"
        }
        _ => {
            assert!(list.at("MessageInfoList").is_none(), "csp-im 7.3: only 1.3");
            "MessageInfo"
        }
    };
    let infos = list.all(path);
    let ids = infos.iter().filter_map(|info| info.text("MessageID"));
    let ids = ids.map(str::to_owned).collect();
    (ids, list.text("MessageTotalCount").map(str::to_owned))
}

/// The next server request when it comes only after some time.
async fn again(client: &mut Client) -> Answer {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let push = client.poll().await;
        if !push.is_empty() {
            return push;
        }
        assert!(Instant::now() < deadline, "nothing came");
    }
}

async fn reported(client: &mut Client) -> (String, String) {
    let report = again(client).await;
    let primitive = report.expect("DeliveryReport-Request").clone();
    client.acknowledge(&report).await;
    let text = |path| primitive.text(path).expect("a value").to_owned();
    (text("Result/Code"), text("MessageInfo/MessageID"))
}

async fn capable(client: &mut Client, capabilities: &str) {
    let request = format!(
        "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
         {capabilities}</CapabilityList></ClientCapability-Request>"
    );
    let answer = client.request(&request).await;
    answer.expect("ClientCapability-Response");
}

async fn agree(client: &mut Client, functions: &str) {
    let request = format!(
        "<Service-Request><Functions><WVCSPFeat>{functions}</WVCSPFeat></Functions>\
         <AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>"
    );
    client.request(&request).await.expect("Service-Response");
}

fn description(primitive: &Element, id: &str, size: &str) {
    let text = |path| primitive.text(&format!("MessageInfo/{path}"));
    assert_eq!(text("MessageID"), Some(id));
    assert_eq!(text("ContentType"), Some("text/plain"));
    assert_eq!(text("ContentSize"), Some(size));
    assert_eq!(text("Sender/User/UserID"), Some("wv:bob@h"));
    assert_eq!(text("Recipient/User/UserID"), Some("wv:alice@h"));
    assert!(text("DateTime").is_some() && text("Validity").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_until_it_is_pulled_and_acknowledged() {
    // csp-im 7.1, 7.2, 16.3; 3.3.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut alice = server.client(version, syntax, "alice").await;
            let mut bob = server.xml("bob").await;
            alice.request(QUIET).await.expect_status(200);
            let id = sent(&mut bob, "wv:alice@h", "hello").await;
            let told = alice.poll().await;
            description(told.expect("MessageNotification"), &id, "5");
            assert!(told.primitive().at("ContentData").is_none());
            alice.acknowledge(&told).await;
            assert!(alice.poll().await.is_empty(), "7.1: told once");
            let (ids, _) = listed(&mut alice, LIST).await;
            assert_eq!(ids, [id.as_str()]);
            // It can be fetched again until it is acknowledged.
            for _ in 0..2 {
                let answer = alice.request(&get(&id)).await;
                let message = answer.expect("GetMessage-Response");
                description(message, &id, "5");
                assert_eq!(message.text("ContentData"), Some("hello"));
            }
            assert!(bob.poll().await.is_empty(), "pulled is not delivered");
            alice.request(&delivered(&id)).await.expect_status(200);
            assert_eq!(reported(&mut bob).await, ("200".into(), id.clone()));
            alice.request(&get(&id)).await.expect_status(426);
            // The answer was lost: acknowledged again it is no error, and reported once.
            alice.request(&delivered(&id)).await.expect_status(200);
            assert_eq!(listed(&mut alice, LIST).await.0, Vec::<String>::new());
            assert!(alice.poll().await.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulled_message_can_be_acknowledged_in_mode_response() {
    // csp-im 7.2: with a TransactionID that is none of the server's; answered all the same.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let mut bob = server.xml("bob").await;
        alice.request(QUIET).await.expect_status(200);
        let id = sent(&mut bob, "wv:alice@h", "hello").await;
        alice.request(&get(&id)).await.expect("GetMessage-Response");
        let answer = alice.respond("of-my-own", &delivered(&id)).await;
        answer.expect_status(200);
        assert_eq!(answer.transaction(), Some("of-my-own"));
        assert_eq!(reported(&mut bob).await.0, "200");
        assert!(alice.poll().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_can_be_listed_fetched_and_rejected_too() {
    // csp-im 7.3, 7.5; 6 rule 1.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let mut bob = server.xml("bob").await;
        let id = sent(&mut bob, "wv:alice@h", "pushed").await;
        let push = alice.poll().await;
        push.expect("NewMessage");
        assert_eq!(listed(&mut alice, LIST).await.0, [id.as_str()]);
        let fetched = alice.request(&get(&id)).await;
        let fetched = fetched.expect("GetMessage-Response");
        assert_eq!(fetched.text("ContentData"), Some("pushed"));
        alice.request(&reject(&[&id])).await.expect_status(200);
        assert_eq!(reported(&mut bob).await, ("538".into(), id));
        // The answer to the push changes nothing any more, and the next one has room.
        let other = sent(&mut bob, "wv:alice@h", "next").await;
        let next = alice.poll().await;
        let next_id = next.expect("NewMessage").text("MessageInfo/MessageID");
        assert_eq!(next_id, Some(other.as_str()));
        alice.acknowledge(&next).await;
        assert_eq!(reported(&mut bob).await.0, "200");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_in_pages_oldest_first() {
    // csp-im 7.3: there is no offset, the client makes room.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let mut bob = server.xml("bob").await;
        alice.request(QUIET).await.expect_status(200);
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(sent(&mut bob, "wv:alice@h", &format!("{number}")).await);
        }
        let page = |count: usize| {
            format!(
                "<GetMessageList-Request><MessageCount>{count}</MessageCount></GetMessageList-Request>"
            )
        };
        let total = |count: &str| (version == V1_3).then(|| count.to_owned());
        for _ in 0..2 {
            // Listing changes nothing.
            let (first, count) = listed(&mut alice, &page(2)).await;
            assert_eq!((first.as_slice(), count), (&ids[..2], total("5")));
        }
        let gone = [ids[0].as_str(), ids[1].as_str()];
        alice.request(&reject(&gone)).await.expect_status(200);
        let (second, count) = listed(&mut alice, &page(2)).await;
        assert_eq!((second.as_slice(), count), (&ids[2..4], total("3")));
        for all in [page(0), page(99), LIST.to_owned()] {
            let (rest, count) = listed(&mut alice, &all).await;
            assert_eq!((rest.as_slice(), count), (&ids[2..], total("3")));
        }
        alice.request(PUSH).await.expect_status(200);
        assert_eq!(alice.messages().await.len(), 3);
        let (none, count) = listed(&mut alice, LIST).await;
        assert_eq!((none.len(), count), (0, total("0")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_the_client_cannot_parse_comes_as_far_as_it_can() {
    // csp-access 6.2: smaller pages; csp-im 7.3 MessageTotalCount says how many there are.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(V1_3, Syntax::Xml, "alice").await;
    capable(
        &mut alice,
        "<InitialDeliveryMethod>N</InitialDeliveryMethod><ParserSize>3000</ParserSize>",
    )
    .await;
    let mut bob = server.xml("bob").await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(sent(&mut bob, "wv:alice@h", "one of many").await);
    }
    let mut came = Vec::new();
    while came.len() < 20 {
        let (page, total) = listed(&mut alice, LIST).await;
        assert!(!page.is_empty() && page.len() < 10, "{page:?}");
        assert_eq!(total, Some((20 - came.len()).to_string()));
        let page: Vec<&str> = page.iter().map(String::as_str).collect();
        alice.request(&reject(&page)).await.expect_status(200);
        came.extend(page.into_iter().map(str::to_owned));
    }
    assert_eq!(came, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_tells_which_messages_are_unknown() {
    // csp-im 7.5.
    let server = TestServer::with_users(&[], &["alice", "bob", "carol"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let mut bob = server.xml("bob").await;
        alice.request(QUIET).await.expect_status(200);
        let id = sent(&mut bob, "wv:alice@h", "no thanks").await;
        // Not his.
        let mut carol = server.client(version, Syntax::Xml, "carol").await;
        carol.request(&reject(&[&id])).await.expect_status(426);
        carol.request(&get(&id)).await.expect_status(426);
        let request = reject(&["none", &id, "nil", &id]);
        let answer = alice
            .request_as(&format!("again-{version}"), &request)
            .await;
        answer.expect_status(201);
        let details = answer.primitive().all("Result/DetailedResult");
        assert_eq!(details.len(), 1);
        assert_eq!(details[0].text("Code"), Some("426"));
        if version > V1_1 {
            assert_eq!(details[0].texts("MessageID"), ["none", "nil"]);
        }
        // csp-access 2.3: the answer was lost.
        let answer = alice
            .request_as(&format!("again-{version}"), &request)
            .await;
        answer.expect_status(201);
        assert_eq!(reported(&mut bob).await, ("538".into(), id.clone()));
        assert!(bob.poll().await.is_empty(), "7.5: one report");
        alice.request(&reject(&[&id])).await.expect_status(426);
        assert!(alice.poll().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_method_counts_for_what_already_waits() {
    // csp-im 3.3: switching to P makes what waits eligible for push, and limits, too.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let mut bob = server.xml("bob").await;
        alice.request(QUIET).await.expect_status(200);
        let short = sent(&mut bob, "wv:alice@h", "short").await;
        let long = sent(&mut bob, "wv:alice@h", "a longer text").await;
        for _ in 0..2 {
            let told = alice.poll().await;
            told.expect("MessageNotification");
            alice.acknowledge(&told).await;
        }
        assert!(alice.poll().await.is_empty());
        let limited = PUSH.replace(
            "</SetD",
            "<AcceptedContentLength>5</AcceptedContentLength></SetD",
        );
        let answer = alice.request(&limited).await;
        answer.expect_status(200);
        assert!(answer.poll(), "something waits now");
        let push = alice.poll().await;
        let id = push.expect("NewMessage").text("MessageInfo/MessageID");
        assert_eq!(id, Some(short.as_str()));
        alice.acknowledge(&push).await;
        let told = alice.poll().await;
        let id = told
            .expect("MessageNotification")
            .text("MessageInfo/MessageID");
        assert_eq!(id, Some(long.as_str()));
        alice.acknowledge(&told).await;
        // 7.2: the limit is one of pushing.
        let fetched = alice.request(&get(&long)).await;
        fetched.expect("GetMessage-Response");
        alice.request(&delivered(&long)).await.expect_status(200);
        bob.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_method_survives_a_restart_and_a_new_session_begins_anew() {
    // csp-im 3.3.
    let mut server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(V1_2, Syntax::Wbxml, "alice").await;
    alice.request(QUIET).await.expect_status(200);
    let session = alice.session.clone();
    server.restart().await;
    let mut alice = Client::connect(server.address(), V1_2, Syntax::Wbxml).await;
    alice.session = session;
    let mut bob = server.xml("bob").await;
    let id = sent(&mut bob, "wv:alice@h", "still quiet").await;
    let told = again(&mut alice).await;
    told.expect("MessageNotification");
    alice.request("<Logout-Request/>").await;
    let mut alice = server.client(V1_2, Syntax::Wbxml, "alice").await;
    let push = alice.poll().await;
    let pushed = push.expect("NewMessage").text("MessageInfo/MessageID");
    assert_eq!(pushed, Some(id.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_message_is_notified_after_login_to_who_wants_it_so() {
    // csp-im 10.1, 3.1: InitialDeliveryMethod, and 1.3 with the login.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    let id = sent(&mut bob, "wv:alice@h", "while away").await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        capable(
            &mut alice,
            "<InitialDeliveryMethod>N</InitialDeliveryMethod>",
        )
        .await;
        let told = alice.poll().await;
        description(told.expect("MessageNotification"), &id, "10");
        alice.request("<Logout-Request/>").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_for_a_group_needs_a_group_that_is_joined() {
    // csp-im 3.3: in this order 400, 402, 800.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        let request = |method: &str, group: &str| {
            format!(
                "<SetDeliveryMethod-Request>{method}<GroupID>{group}</GroupID></SetDeliveryMethod-Request>"
            )
        };
        let quiet = "<DeliveryMethod>N</DeliveryMethod>";
        for (method, group, code) in [
            ("", "nonsense", 400),
            ("<DeliveryMethod>X</DeliveryMethod>", "nonsense", 402),
            (quiet, "nonsense", 800),
            (quiet, "wv:alice/none@h", 800),
        ] {
            let answer = alice.request(&request(method, group)).await;
            answer.expect_status(code);
        }
        let history =
            "<GetMessageList-Request><GroupID>wv:alice/none@h</GroupID></GetMessageList-Request>";
        alice.request(history).await.expect_status(800);
        // Nothing of it holds for the session.
        let mut bob = server.xml("bob").await;
        bob.send_text("wv:alice@h", "x").await.expect_code(200);
        assert_eq!(alice.messages().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_agreed_is_not_carried_out() {
    // csp-access 1.5 item 7, 6.3: strict in 1.3.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        agree(&mut alice, "<PresenceFeat/>").await;
        for request in [
            "<SetDeliveryMethod-Request/>",
            "<GetMessageList-Request/>",
            "<GetMessage-Request/>",
            "<RejectMessage-Request/>",
            "<ForwardMessage-Request/>",
        ] {
            let refused = alice.request(request).await.code() == Some(506);
            assert_eq!(refused, version == V1_3, "{version} {request}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_only_what_it_has_agreed_to() {
    // csp-im 1, 3.2 item 6.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let receive = |codes: &str| format!("<IMFeat><IMReceiveFunc>{codes}</IMReceiveFunc></IMFeat>");
    for version in Version::ALL {
        for (functions, expected) in [
            (receive("<NEWM/>"), Some("NewMessage")),
            (receive("<NOTIF/><GETM/>"), Some("MessageNotification")),
            (receive("<NOTIF/><NEWM/>"), Some("MessageNotification")),
            (
                receive("<GETLM/>"),
                (version < V1_3).then_some("NewMessage"),
            ),
        ] {
            let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
            agree(&mut alice, &functions).await;
            capable(
                &mut alice,
                "<InitialDeliveryMethod>N</InitialDeliveryMethod>",
            )
            .await;
            let mut bob = server.xml("bob").await;
            sent(&mut bob, "wv:alice@h", "hello").await;
            let came = alice.poll().await;
            match expected {
                Some(name) => {
                    came.expect(name);
                }
                None => {
                    assert!(came.is_empty(), "{came:?}");
                    // Never lost: it waits for being asked for.
                    assert_eq!(listed(&mut alice, LIST).await.0.len(), 1);
                }
            }
            alice.request("<Logout-Request/>").await;
            assert_eq!(server.xml("alice").await.messages().await.len(), 1);
            bob.drain().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_goes_only_to_who_has_agreed_to_reports() {
    // csp-im 1, 5.5: MDELIV, strict in 1.3 (csp-access 6.3).
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let functions = "<IMFeat><IMReceiveFunc><NEWM/></IMReceiveFunc></IMFeat>";
        agree(&mut bob, functions).await;
        sent(&mut bob, "wv:alice@h", "read?").await;
        assert_eq!(server.xml("alice").await.messages().await.len(), 1);
        let reports = bob.drain().await;
        assert_eq!(reports.len(), usize::from(version < V1_3), "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn and_28_phones_that_know_no_notification_get_messages_as_far_as_they_can_take_them() {
    // clients AND-28, S60-17; csp-im 3.2 item 6.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in [V1_2, V1_3] {
        let mut alice = Client::connect(server.address(), version, Syntax::Wbxml).await;
        alice.headers = vec![("User-Agent".into(), "Android-Imps/0.1".into())];
        alice
            .login_with_password("wv:alice@h", "secret")
            .await
            .expect_code(200);
        let limit = match version {
            V1_3 => "<AcceptedPushLength>10</AcceptedPushLength>",
            _ => "<AcceptedContentLength>10</AcceptedContentLength>",
        };
        let wanted = format!("<InitialDeliveryMethod>N</InitialDeliveryMethod>{limit}");
        capable(&mut alice, &wanted).await;
        let mut bob = server.xml("bob").await;
        let long = sent(&mut bob, "wv:alice@h", "a text of too many letters").await;
        sent(&mut bob, "wv:alice@h", "short").await;
        let messages = alice.drain().await;
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].text("ContentData"), Some("short"));
        // What it cannot take waits for a client that can.
        alice.request("<Logout-Request/>").await;
        let messages = server.xml("alice").await.messages().await;
        let id = messages[0].text("MessageInfo/MessageID");
        assert_eq!(id, Some(long.as_str()));
        bob.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_know_notifications_is_pushed_to_from_then_on() {
    // csp-im 3.2 item 6, 15: said by Status, or by silence.
    let server = TestServer::with_users(&[AT_ONCE], &["alice", "bob"]).await;
    for status in [Some(501), Some(405), None] {
        let mut alice = server.client(V1_2, Syntax::Xml, "alice").await;
        alice.request(QUIET).await.expect_status(200);
        let mut bob = server.xml("bob").await;
        sent(&mut bob, "wv:alice@h", "first").await;
        match status {
            Some(code) => {
                let told = alice.poll().await;
                told.expect("MessageNotification");
                let refusal = STATUS_200.replace("200", &code.to_string());
                alice.respond(told.transaction().unwrap(), &refusal).await;
            }
            None => {
                for _ in 0..2 {
                    again(&mut alice).await.expect("MessageNotification");
                }
            }
        }
        for text in ["first", "second"] {
            let push = again(&mut alice).await;
            let message = push.expect("NewMessage");
            assert_eq!(message.text("ContentData"), Some(text));
            alice.acknowledge(&push).await;
            if text == "first" {
                sent(&mut bob, "wv:alice@h", "second").await;
            }
        }
        alice.request("<Logout-Request/>").await.expect_status(200);
        bob.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exceeds_parser_size_is_notified_and_segmented_or_refused_when_pulled() {
    // csp-im 3.2 item 4, 7.2, 12.5: 432, 500 in 1.1, segments in 1.3.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let text = "a long text ".repeat(300);
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        capable(&mut alice, "<ParserSize>2000</ParserSize>").await;
        let mut bob = server.xml("bob").await;
        let id = sent(&mut bob, "wv:alice@h", &text).await;
        sent(&mut bob, "wv:alice@h", "short").await;
        let told = alice.poll().await;
        description(
            told.expect("MessageNotification"),
            &id,
            &text.len().to_string(),
        );
        alice.acknowledge(&told).await;
        let push = alice.poll().await;
        push.expect("NewMessage");
        alice.acknowledge(&push).await;
        let refused = alice.request(&get(&id)).await;
        refused.expect_status(if version == V1_1 { 500 } else { 432 });
        if version == V1_3 {
            agree(&mut alice, "").await;
            let answer = alice.request(&get(&id)).await;
            answer.expect("GetSegment-Response");
        }
        alice.request(&reject(&[&id])).await.expect_status(200);
        bob.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_longer_than_a_client_pulls_is_432() {
    // csp-im 7.2; 3.3: also by SetDeliveryMethod.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    let id = sent(&mut bob, "wv:alice@h", "twelve signs").await;
    let mut alice = server.client(V1_3, Syntax::Xml, "alice").await;
    let push =
        "<AcceptedPullLength>11</AcceptedPullLength><AcceptedPushLength>5</AcceptedPushLength>";
    capable(&mut alice, push).await;
    let told = alice.poll().await;
    told.expect("MessageNotification");
    alice.acknowledge(&told).await;
    alice.request(&get(&id)).await.expect_status(432);
    let more = QUIET.replace(
        "</SetD",
        "<AcceptedPullLength>12</AcceptedPullLength></SetD",
    );
    alice.request(&more).await.expect_status(200);
    let answer = alice.request(&get(&id)).await;
    answer.expect("GetMessage-Response");
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_costs_is_notified_and_content_that_is_refused_is_reported() {
    // csp-im 3.2 item 5: ContentPolicy C and R with ContentPolicyLimit.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(V1_3, Syntax::Xml, "alice").await;
    capable(
        &mut alice,
        "<AcceptedContentType><ContentType>text/plain</ContentType><ContentPolicy>C</ContentPolicy>\
         <ContentPolicyLimit>5</ContentPolicyLimit></AcceptedContentType>\
         <AcceptedContentType><ContentType>image/png</ContentType><ContentPolicy>R</ContentPolicy>\
         <ContentPolicyLimit>5</ContentPolicyLimit></AcceptedContentType>",
    )
    .await;
    let mut bob = server.xml("bob").await;
    let picture = |data: &str| {
        send_message(&user("wv:alice@h"), data, true).replace(
            "<ContentType>text/plain",
            "<ContentEncoding>BASE64</ContentEncoding><ContentType>image/png",
        )
    };
    for (content, expected) in [
        (
            send_message(&user("wv:alice@h"), "free!", true),
            Some("NewMessage"),
        ),
        (
            send_message(&user("wv:alice@h"), "costly", true),
            Some("MessageNotification"),
        ),
        (picture("UE5HMQ=="), Some("NewMessage")),
        (picture("UE5HMTIz"), None),
    ] {
        let answer = bob.request(&content).await;
        answer.expect_code(200);
        let id = answer.primitive().text("MessageID").unwrap().to_owned();
        let came = alice.poll().await;
        match expected {
            Some(name) => {
                came.expect(name);
                alice.acknowledge(&came).await;
                // The user decides, and does not mind.
                if name == "MessageNotification" {
                    alice.request(&get(&id)).await.expect("GetMessage-Response");
                    alice.request(&delivered(&id)).await.expect_status(200);
                }
                assert_eq!(reported(&mut bob).await, ("200".into(), id));
            }
            None => {
                assert!(came.is_empty());
                assert_eq!(reported(&mut bob).await, ("415".into(), id));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_of_what_he_cannot_take_may_reject_it() {
    // csp-im 4.4 (3), 7.2: 415.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let accepted = match version {
            V1_3 => {
                "<AcceptedContentType><ContentType>text/plain</ContentType></AcceptedContentType>"
            }
            _ => "<AcceptedContentType>text/plain</AcceptedContentType>",
        };
        let quiet = format!("<InitialDeliveryMethod>N</InitialDeliveryMethod>{accepted}");
        capable(&mut alice, &quiet).await;
        let mut bob = server.xml("bob").await;
        let picture = send_message(&user("wv:alice@h"), "UE5H", true).replace(
            "<ContentType>text/plain",
            "<ContentEncoding>BASE64</ContentEncoding><ContentType>image/png",
        );
        bob.request(&picture).await.expect_code(200);
        let told = alice.poll().await;
        let told_of = told.expect("MessageNotification");
        assert_eq!(told_of.text("MessageInfo/ContentType"), Some("image/png"));
        let id = told_of.text("MessageInfo/MessageID").unwrap().to_owned();
        alice.acknowledge(&told).await;
        alice.request(&get(&id)).await.expect_status(415);
        alice.request(&reject(&[&id])).await.expect_status(200);
        assert_eq!(reported(&mut bob).await, ("538".into(), id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_neither_listed_nor_fetched() {
    // csp-im 9.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(V1_1, Syntax::Xml, "alice").await;
    alice.request(QUIET).await.expect_status(200);
    let mut bob = server.xml("bob").await;
    let content = send_message(&user("wv:alice@h"), "now or never", true)
        .replace("</MessageInfo>", "<Validity>1</Validity></MessageInfo>");
    let answer = bob.request(&content).await;
    let id = answer.primitive().text("MessageID").unwrap().to_owned();
    server.sweep_after(Duration::from_secs(2)).await;
    assert!(listed(&mut alice, LIST).await.0.is_empty());
    alice.request(&get(&id)).await.expect_status(426);
    alice.request(&reject(&[&id])).await.expect_status(426);
    assert_eq!(reported(&mut bob).await.0, "542");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_stands_beside_other_transactions_of_its_message() {
    // csp-access 2.1: MultiTransPerMessage in 1.3.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(V1_3, Syntax::Xml, "alice").await;
    capable(
        &mut alice,
        "<InitialDeliveryMethod>N</InitialDeliveryMethod><MultiTrans>4</MultiTrans>\
         <MultiTransPerMessage>4</MultiTransPerMessage>",
    )
    .await;
    let mut bob = server.xml("bob").await;
    let id = sent(&mut bob, "wv:alice@h", "hello").await;
    let http = alice
        .batch(&[
            transaction("Request", Some("a"), &get(&id)),
            transaction("Request", Some("b"), LIST),
            transaction("Request", Some("c"), &delivered(&id)),
            transaction("Request", Some("d"), LIST),
        ])
        .await;
    let answer = alice.read(http);
    let path = "Session/Transaction/TransactionContent";
    let names: Vec<_> = answer
        .root()
        .all(path)
        .iter()
        .map(|content| content.children[0].name.clone())
        .collect();
    assert_eq!(
        names,
        [
            "GetMessage-Response",
            "GetMessageList-Response",
            "Status",
            "GetMessageList-Response"
        ]
    );
}
