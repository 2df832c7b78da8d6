//! Messages that a client cannot be sent, and is not told of, as links to the content store
//! (csp-im 3.2 item 6, 4.4, 12.1).

use crate::content_store::{STORE, ask, basic, keep};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, STATUS_200, send_message, user};
use hamlet_tests::element::Element;
use hamlet_tests::http::HttpAnswer;
use hamlet_tests::server::{AT_ONCE, TestServer};
use std::time::Duration;

use Version::{V1_1, V1_2, V1_3};

const EACH: [(Version, Syntax); 6] = [
    (V1_1, Syntax::Xml),
    (V1_1, Syntax::Wbxml),
    (V1_2, Syntax::Xml),
    (V1_2, Syntax::Wbxml),
    (V1_3, Syntax::Xml),
    (V1_3, Syntax::Wbxml),
];

const GROUP: &str = "wv:bob/ski@h";

/// Functions of a client that knows no MessageNotification.
const NO_NOTICES: &str = "<IMFeat><IMReceiveFunc><GETLM/><GETM/><REJCM/><NEWM/></IMReceiveFunc></IMFeat>\
                          <GroupFeat/>";

fn octets(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at % 251) as u8).collect()
}

/// SendMessage of a picture, with a wish for a report.
fn picture(to: &str, octets: &[u8]) -> String {
    format!(
        "<SendMessage-Request><DeliveryReport>T</DeliveryReport><MessageInfo>\
         <ContentType>image/png</ContentType><ContentEncoding>BASE64</ContentEncoding>\
         <ContentSize>{}</ContentSize><Recipient>{to}</Recipient><Validity>600</Validity></MessageInfo>\
         <ContentData>{}</ContentData></SendMessage-Request>",
        octets.len(),
        STANDARD.encode(octets)
    )
}

/// The MessageID.
async fn sent(client: &mut Client, request: &str) -> String {
    let answer = client.request(request).await;
    answer.expect_code(200);
    let id = answer.primitive().text("MessageID");
    id.expect("an id").to_owned()
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

/// The limit of what is pushed, in the words of the version.
fn limit(version: Version, octets: usize) -> String {
    match version {
        V1_3 => format!("<AcceptedPushLength>{octets}</AcceptedPushLength>"),
        _ => format!("<AcceptedContentLength>{octets}</AcceptedContentLength>"),
    }
}

async fn log_in(
    server: &TestServer,
    (version, syntax): (Version, Syntax),
    name: &str,
    client_id: &str,
) -> Client {
    let mut client = Client::connect(server.address(), version, syntax).await;
    client.client_id = client_id.to_owned();
    let address = format!("wv:{name}@h");
    let login = client.login_with_password(&address, "secret").await;
    login.expect_code(200);
    client
}

/// A client that takes 1000 octets, and knows no MessageNotification.
async fn small(
    server: &TestServer,
    (version, syntax): (Version, Syntax),
    name: &str,
    client_id: &str,
) -> Client {
    let mut client = log_in(server, (version, syntax), name, client_id).await;
    agree(&mut client, NO_NOTICES).await;
    capable(&mut client, &limit(version, 1000)).await;
    client
}

/// The path of the link that this message is.
fn path_of(message: &Element) -> String {
    assert_eq!(message.name, "NewMessage", "{message:#?}");
    let url = message.text("ContentData").expect("a text");
    let info = |name| message.text(&format!("MessageInfo/{name}"));
    assert_eq!(info("MessageURI"), Some(url), "12.1");
    assert_eq!(info("ContentType"), Some("text/plain"));
    assert_eq!(info("ContentSize"), Some(url.len().to_string().as_str()));
    assert_eq!(info("ContentEncoding").filter(|name| *name != "None"), None);
    let path = url.strip_prefix("http://im.example/x").expect("the base");
    path.to_owned()
}

/// The next message, a link that is not acknowledged yet: its path.
async fn link(client: &mut Client) -> String {
    let push = client.poll().await;
    path_of(push.expect("NewMessage"))
}

/// What comes when it is the turn of this client of several.
async fn in_turn(client: &mut Client) -> Answer {
    for _ in 0..10 {
        let push = client.poll().await;
        if !push.is_empty() {
            return push;
        }
    }
    panic!("it is never its turn");
}

async fn fetch(server: &TestServer, path: &str) -> HttpAnswer {
    ask(server, "GET", path, "", &[], b"").await
}

/// How much the user keeps, or has kept for him.
async fn kept(server: &TestServer, name: &str) -> usize {
    let listed = ask(server, "GET", "/content", &basic(name), &[], b"").await;
    let listed: serde_json::Value = serde_json::from_slice(&listed.body).expect("JSON");
    listed.as_array().expect("a list").len()
}

/// The codes of the reports that wait.
async fn reports(client: &mut Client) -> Vec<String> {
    let came = client.drain().await;
    let codes = came.iter().filter_map(|report| report.text("Result/Code"));
    codes.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_to_be_pushed_is_fetched_by_a_link() {
    let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
    let long = "Grüße & <Küsse>\n".repeat(18_000);
    for form in EACH {
        let mut bob = log_in(&server, form, "bob", "WV:bob").await;
        let mut alice = small(&server, form, "alice", "WV:phone").await;
        let image = octets(300_000);
        sent(&mut bob, &picture(&user("wv:alice@h"), &image)).await;
        sent(&mut bob, &send_message(&user("wv:alice@h"), &long, true)).await;
        sent(&mut bob, &send_message(&user("wv:alice@h"), "short", true)).await;
        let kinds = [
            ("image/png", image.as_slice()),
            ("text/plain; charset=utf-8", long.as_bytes()),
        ];
        for (media_type, content) in kinds {
            let push = alice.poll().await;
            let path = path_of(push.expect("NewMessage"));
            let got = fetch(&server, &path).await;
            assert_eq!(got.status, 200, "{form:?}");
            assert_eq!(got.header("content-type"), Some(media_type));
            assert!(got.body == content, "octet for octet");
            assert_eq!(reports(&mut bob).await, [""; 0], "he does not have it yet");
            alice.acknowledge(&push).await;
            assert_eq!(reports(&mut bob).await, ["200"], "{form:?}");
            // He has the link now, and time to follow it.
            assert_eq!(fetch(&server, &path).await.status, 200);
        }
        // In the order in which they were sent.
        let short = alice.take().await.expect("the last one");
        assert_eq!(short.text("ContentData"), Some("short"));
        assert_eq!(short.text("MessageInfo/MessageURI"), None);
        assert!(alice.take().await.is_none());
        bob.drain().await;
        assert_eq!(kept(&server, "bob").await, 0, "not at his expense");
        server
            .expire_after(Duration::from_secs(8 * 24 * 3600))
            .await;
        assert_eq!(kept(&server, "alice").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_clients_of_a_user_get_the_same_link_whatever_happens() {
    let settings = [STORE, &[AT_ONCE]].concat();
    for form in EACH {
        let mut server = TestServer::with_users(&settings, &["alice", "bob"]).await;
        let mut bob = log_in(&server, form, "bob", "WV:bob").await;
        let image = octets(5000);
        sent(&mut bob, &picture(&user("wv:alice@h"), &image)).await;
        let mut phone = small(&server, form, "alice", "WV:phone").await;
        let first = link(&mut phone).await;
        assert_eq!(link(&mut phone).await, first, "it was not acknowledged");
        let mut desk = small(&server, form, "alice", "WV:desk").await;
        for client in [&mut phone, &mut desk] {
            let push = in_turn(client).await;
            assert_eq!(path_of(push.primitive()), first, "{form:?}");
        }
        server.restart().await;
        for client in [&mut phone, &mut desk] {
            client.reconnect(server.address()).await;
            let push = in_turn(client).await;
            assert_eq!(path_of(push.primitive()), first, "after a restart");
        }
        assert_eq!(kept(&server, "alice").await, 1, "{form:?}");
        assert!(fetch(&server, &first).await.body == image);
        let push = in_turn(&mut desk).await;
        desk.acknowledge(&push).await;
        assert!(phone.take().await.is_none(), "one of them has it");
        bob.reconnect(server.address()).await;
        assert_eq!(reports(&mut bob).await, ["200"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_gets_its_copy_as_a_link_if_its_user_wants_copies() {
    // csp-im 10.3 item 5: FORKALL.
    let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
    let form = (V1_3, Syntax::Xml);
    let mut bob = log_in(&server, form, "bob", "WV:bob").await;
    let mut phone = small(&server, form, "alice", "WV:phone").await;
    let mut desk = small(&server, form, "alice", "WV:desk").await;
    let copies = "<OnlineETEMHandling>FORKALL</OnlineETEMHandling>";
    capable(&mut desk, &format!("{copies}{}", limit(V1_3, 1000))).await;
    sent(&mut bob, &picture(&user("wv:alice@h"), &octets(5000))).await;
    let mut links = Vec::new();
    for client in [&mut phone, &mut desk] {
        links.push(path_of(&client.take().await.expect("a copy")));
    }
    assert_eq!(links[0], links[1]);
    assert_eq!(kept(&server, "alice").await, 1);
    assert_eq!(reports(&mut bob).await, ["200"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_for_it_a_message_waits_as_ever() {
    // csp-im 3.2 item 6: kept, listed, expired with 542.
    let with = |more: &[&'static str]| [STORE, &["content.max_size=8kB"], more].concat();
    let octets_of_bob = octets(8000);
    for (settings, full) in [
        // Half of what is his is left to him.
        (with(&["content.quota_user=9kB"]), false),
        (with(&["content.max_items=1"]), false),
        (
            with(&["content.quota_user=20kB", "content.quota_total=20kB"]),
            true,
        ),
        (with(&["content.max_size=4kB"]), false),
        (with(&["content.types=text/plain"]), false),
        (Vec::new(), false),
    ] {
        let server = TestServer::with_users(&settings, &["alice", "bob"]).await;
        if full {
            for _ in 0..2 {
                keep(&server, &basic("bob"), &octets_of_bob).await;
            }
        }
        for form in [
            (V1_1, Syntax::Xml),
            (V1_2, Syntax::Wbxml),
            (V1_3, Syntax::Xml),
        ] {
            let mut bob = log_in(&server, form, "bob", "WV:bob").await;
            let mut alice = small(&server, form, "alice", "WV:phone").await;
            let id = sent(&mut bob, &picture(&user("wv:alice@h"), &octets(5000))).await;
            sent(&mut bob, &send_message(&user("wv:alice@h"), "short", false)).await;
            let came = alice.drain().await;
            assert_eq!(came.len(), 1, "{settings:?} {form:?}");
            assert_eq!(came[0].text("ContentData"), Some("short"));
            let list = alice.request("<GetMessageList-Request/>").await;
            let path = match form.0 {
                V1_3 => "MessageInfoList/MessageInfo/MessageID",
                _ => "MessageInfo/MessageID",
            };
            let listed = list.expect("GetMessageList-Response").texts(path);
            assert_eq!(listed, [id.as_str()], "{settings:?}");
            server.expire_after(Duration::from_secs(601)).await;
            let expected = if form.0 == V1_1 { "410" } else { "542" };
            assert_eq!(reports(&mut bob).await, [expected], "csp-im 13");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_notifications_is_notified_and_who_refuses_them_gets_the_link() {
    // csp-im 3.2 items 3 and 6.
    let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
    for form in EACH {
        let mut bob = log_in(&server, form, "bob", "WV:bob").await;
        let mut alice = log_in(&server, form, "alice", "WV:phone").await;
        capable(&mut alice, &limit(form.0, 1000)).await;
        let image = octets(5000);
        let id = sent(&mut bob, &picture(&user("wv:alice@h"), &image)).await;
        let told = alice.poll().await;
        let notified = told.expect("MessageNotification");
        assert_eq!(notified.text("MessageInfo/MessageID"), Some(id.as_str()));
        assert_eq!(notified.text("MessageInfo/MessageURI"), None);
        assert_eq!(kept(&server, "alice").await, 0, "nothing is kept for that");
        let refusal = STATUS_200.replace("200", "501");
        let transaction = told.transaction().expect("a TransactionID");
        let next = alice.respond(transaction, &refusal).await;
        let next = if next.is_empty() {
            alice.poll().await
        } else {
            next
        };
        let path = path_of(next.expect("NewMessage"));
        assert!(fetch(&server, &path).await.body == image, "{form:?}");
        alice.acknowledge(&next).await;
        assert_eq!(reports(&mut bob).await, ["200"]);
        alice.request("<Logout-Request/>").await.expect_code(200);
        server.expire_after(Duration::from_secs(601)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_a_client_does_not_take_is_a_link_unless_its_user_refuses_it() {
    // csp-im 4.4 (2); 3.2 item 5.
    let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
    for form in EACH {
        let mut bob = log_in(&server, form, "bob", "WV:bob").await;
        let mut alice = log_in(&server, form, "alice", "WV:phone").await;
        let one = |name: &str, more: &str| match form.0 {
            V1_3 => format!(
                "<AcceptedContentType><ContentType>{name}</ContentType>{more}</AcceptedContentType>"
            ),
            _ => format!("<AcceptedContentType>{name}</AcceptedContentType>"),
        };
        capable(&mut alice, &one("text/plain", "")).await;
        let image = octets(500);
        let request = picture(&user("wv:alice@h"), &image);
        sent(&mut bob, &request).await;
        let came = alice.take().await.expect("a link");
        assert!(fetch(&server, &path_of(&came)).await.body == image);
        assert_eq!(reports(&mut bob).await, ["200"], "{form:?}");
        // Who takes no text takes no link either.
        capable(&mut alice, &one("audio/amr", "")).await;
        sent(&mut bob, &request).await;
        assert!(alice.take().await.is_none());
        assert_eq!(refused(&mut bob).await, "415", "{form:?}");
        if form.0 == V1_3 {
            let policy =
                "<ContentPolicy>R</ContentPolicy><ContentPolicyLimit>9</ContentPolicyLimit>";
            let types = format!("{}{}", one("text/plain", ""), one("image/png", policy));
            capable(&mut alice, &types).await;
            sent(&mut bob, &request).await;
            assert!(alice.take().await.is_none());
            assert_eq!(refused(&mut bob).await, "415", "he does not want it");
        }
        assert_eq!(kept(&server, "alice").await, 1);
        alice.request("<Logout-Request/>").await.expect_code(200);
        server.expire_after(Duration::from_secs(601)).await;
    }
}

/// The code of the report that comes, perhaps after a moment.
async fn refused(client: &mut Client) -> String {
    let polls = async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            if let Some(report) = client.take().await {
                return report.text("Result/Code").expect("a code").to_owned();
            }
        }
    };
    let report = tokio::time::timeout(hamlet_tests::http::DEADLINE, polls).await;
    report.expect("no report came")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_goes_with_its_message() {
    // csp-im 7.5, 7.6, 9: rejected, forwarded, expired, withdrawn by a block list.
    let settings = [STORE, &[AT_ONCE]].concat();
    let server = TestServer::with_users(&settings, &["alice", "bob", "carol"]).await;
    for form in [
        (V1_1, Syntax::Wbxml),
        (V1_2, Syntax::Xml),
        (V1_3, Syntax::Wbxml),
    ] {
        for (end, code) in [
            ("rejected", 538),
            ("forwarded", 541),
            ("expired", 542),
            ("blocked", 532),
        ] {
            let mut bob = log_in(&server, form, "bob", "WV:bob").await;
            let mut alice = log_in(&server, form, "alice", "WV:phone").await;
            let all = "<IMFeat><IMSendFunc><FWMSG/></IMSendFunc><IMReceiveFunc><REJCM/><NEWM/></IMReceiveFunc>\
                       <IMAuthFunc/></IMFeat>";
            agree(&mut alice, all).await;
            capable(&mut alice, &limit(form.0, 1000)).await;
            let id = sent(&mut bob, &picture(&user("wv:alice@h"), &octets(5000))).await;
            let path = link(&mut alice).await;
            assert_eq!(fetch(&server, &path).await.status, 200);
            match end {
                "rejected" => {
                    let reject = format!(
                        "<RejectMessage-Request><MessageID>{id}</MessageID></RejectMessage-Request>"
                    );
                    alice.request(&reject).await.expect_status(200);
                }
                "forwarded" => {
                    let forward = format!(
                        "<ForwardMessage-Request><MessageID>{id}</MessageID>\
                         <Recipient>{}</Recipient></ForwardMessage-Request>",
                        user("wv:carol@h")
                    );
                    let answer = alice.request(&forward).await;
                    assert!(answer.code().is_none_or(|code| code == 200), "{answer:?}");
                }
                "expired" => server.expire_after(Duration::from_secs(601)).await,
                _ => {
                    let list = |in_use: &str, change: &str| match form.0 {
                        V1_3 => format!(
                            "<BlockEntity-Request><BlockList><{change}><UserID>wv:bob@h</UserID></{change}></BlockList>\
                             <BlockListInUse>{in_use}</BlockListInUse></BlockEntity-Request>"
                        ),
                        _ => format!(
                            "<BlockEntity-Request><BlockList><InUse>{in_use}</InUse><{change}><UserID>wv:bob@h</UserID>\
                             </{change}></BlockList></BlockEntity-Request>"
                        ),
                    };
                    let block = list("T", "AddList");
                    alice.request(&block).await.expect_status(200);
                    assert_eq!(fetch(&server, &path).await.status, 404, "{end} {form:?}");
                    let again = list("F", "RemoveList");
                    alice.request(&again).await.expect_status(200);
                }
            }
            assert_eq!(fetch(&server, &path).await.status, 404, "{end} {form:?}");
            assert_eq!(kept(&server, "alice").await, 0);
            let code = match (code, form.0) {
                (541 | 542, V1_1) => 410,
                (code, _) => code,
            };
            assert_eq!(
                reports(&mut bob).await,
                [code.to_string()],
                "{end} {form:?}"
            );
            alice.request("<Logout-Request/>").await.expect_code(200);
            bob.request("<Logout-Request/>").await.expect_code(200);
        }
        server.xml("carol").await.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_not_replaced_but_its_owner_may_be_done_with_it() {
    let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
    let form = (V1_2, Syntax::Xml);
    let mut bob = log_in(&server, form, "bob", "WV:bob").await;
    let mut alice = small(&server, form, "alice", "WV:phone").await;
    sent(&mut bob, &picture(&user("wv:alice@h"), &octets(5000))).await;
    let came = alice.take().await.expect("a link");
    let path = path_of(&came);
    let png = [("Content-Type", "image/png")];
    for (method, who, status) in [
        ("PUT", "alice", 403),
        ("PUT", "bob", 403),
        ("DELETE", "bob", 403),
    ] {
        let answer = ask(&server, method, &path, &basic(who), &png, b"other").await;
        assert_eq!(answer.status, status, "{method} {who}");
    }
    assert_eq!(fetch(&server, &path).await.body.len(), 5000);
    let done = ask(&server, "DELETE", &path, &basic("alice"), &[], b"").await;
    assert_eq!(done.status, 204);
    assert_eq!(fetch(&server, &path).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_to_be_pulled_is_a_link_too() {
    // csp-im 7.2.
    let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
    let mut bob = log_in(&server, (V1_3, Syntax::Xml), "bob", "WV:bob").await;
    let mut alice = log_in(&server, (V1_3, Syntax::Xml), "alice", "WV:phone").await;
    capable(
        &mut alice,
        "<AcceptedPullLength>1000</AcceptedPullLength><AcceptedPushLength>1000</AcceptedPushLength>",
    )
    .await;
    let image = octets(5000);
    let id = sent(&mut bob, &picture(&user("wv:alice@h"), &image)).await;
    alice.take().await.expect("a notification");
    let get = format!("<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>");
    let answer = alice.request(&get).await;
    let message = answer.expect("GetMessage-Response");
    let url = message.text("MessageInfo/MessageURI").expect("a link");
    assert_eq!(message.text("ContentData"), Some(url));
    let path = url.strip_prefix("http://im.example/x").expect("the base");
    assert!(fetch(&server, path).await.body == image);
    let delivered = format!("<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>");
    alice.request(&delivered).await.expect_status(200);
    assert_eq!(reports(&mut bob).await, ["200"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_group_each_gets_what_he_can_take_and_all_links_are_one() {
    let settings = [STORE, &[AT_ONCE]].concat();
    let mut server = TestServer::with_users(&settings, &["bob", "large"]).await;
    let mut bob = log_in(&server, (V1_2, Syntax::Xml), "bob", "WV:bob").await;
    let create = format!(
        "<CreateGroup-Request><GroupID>{GROUP}</GroupID><GroupProperties/><JoinGroup>T</JoinGroup>\
         <SubscribeNotification>F</SubscribeNotification></CreateGroup-Request>"
    );
    bob.request(&create).await.expect_code(200);
    let join = format!(
        "<JoinGroup-Request><GroupID>{GROUP}</GroupID><JoinedRequest>F</JoinedRequest>\
         <SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>"
    );
    let mut large = log_in(&server, (V1_3, Syntax::Xml), "large", "WV:desk").await;
    large.request(&join).await.expect("JoinGroup-Response");
    let mut members = Vec::new();
    for (at, form) in EACH.into_iter().enumerate() {
        let name = format!("u{at}");
        server.add_user(&format!("wv:{name}@h"), "secret").await;
        let mut member = small(&server, form, &name, "WV:phone").await;
        member.request(&join).await.expect("JoinGroup-Response");
        members.push(member);
    }
    let image = octets(5000);
    let group = format!("<Group><GroupID>{GROUP}</GroupID></Group>");
    sent(&mut bob, &picture(&group, &image)).await;
    let whole = large.take().await.expect("the picture");
    let data = STANDARD.encode(&image);
    assert_eq!(whole.text("ContentData"), Some(data.as_str()));
    let mut links = Vec::new();
    for member in &mut members {
        links.push(link(member).await);
    }
    server.restart().await;
    for member in &mut members {
        member.reconnect(server.address()).await;
        let came = member.take().await.expect("a link");
        links.push(path_of(&came));
        let from = "MessageInfo/Sender/Group/ScreenName/SName";
        assert_eq!(came.text(from), Some("bob"));
        assert!(member.take().await.is_none(), "he has it");
    }
    links.dedup();
    assert_eq!(links.len(), 1, "{links:?}");
    assert!(fetch(&server, &links[0]).await.body == image);
    // At the expense of who said it.
    assert_eq!(kept(&server, "bob").await, 1);
    assert_eq!(kept(&server, "u0").await, 0);
    server.expire_after(Duration::from_secs(601)).await;
    assert_eq!(fetch(&server, &links[0]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_pushed_to_who_has_asked_for_no_messages() {
    // csp-im 3.2 RULE: in 1.3 without NEWM and NOTIF it stays listed, link or not.
    let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
    let mut bob = log_in(&server, (V1_3, Syntax::Xml), "bob", "WV:bob").await;
    let mut alice = log_in(&server, (V1_3, Syntax::Xml), "alice", "WV:phone").await;
    agree(
        &mut alice,
        "<IMFeat><IMReceiveFunc><GETLM/><GETM/></IMReceiveFunc></IMFeat>",
    )
    .await;
    capable(&mut alice, &limit(V1_3, 1000)).await;
    let own = sent(&mut bob, &picture(&user("wv:alice@h"), &octets(5000))).await;
    let with_uri = picture(&user("wv:alice@h"), &octets(5000)).replace(
        "<ContentType>",
        "<MessageURI>http://h/p.png</MessageURI><ContentType>",
    );
    let linked = sent(&mut bob, &with_uri).await;
    assert!(alice.take().await.is_none());
    let list = alice.request("<GetMessageList-Request/>").await;
    let list = list.expect("GetMessageList-Response");
    let listed = list.texts("MessageInfoList/MessageInfo/MessageID");
    assert_eq!(listed, [own.as_str(), linked.as_str()]);
    assert_eq!(kept(&server, "alice").await, 0);
}
