//! Block and grant lists (csp-im 11), over a socket, in every version.

use crate::profile::{befriend, set};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;

const EACH: [(Version, Syntax); 5] = [
    (Version::V1_1, Syntax::Xml),
    (Version::V1_2, Syntax::Xml),
    (Version::V1_2, Syntax::Wbxml),
    (Version::V1_3, Syntax::Xml),
    (Version::V1_3, Syntax::Wbxml),
];

/// BlockEntity-Request for the block list (flag and lists) and the grant list, in the form
/// of the version.
fn block_entity(version: Version, block: (&str, &str), grant: (&str, &str)) -> String {
    let flag = |name: &str, value: &str| match value {
        "" => String::new(),
        value => format!("<{name}>{value}</{name}>"),
    };
    let content = match version {
        Version::V1_3 => format!(
            "<BlockList>{}</BlockList>{}<GrantList>{}</GrantList>{}",
            block.1,
            flag("BlockListInUse", block.0),
            grant.1,
            flag("GrantListInUse", grant.0),
        ),
        _ => format!(
            "<BlockList>{}{}</BlockList><GrantList>{}{}</GrantList>",
            flag("InUse", block.0),
            block.1,
            flag("InUse", grant.0),
            grant.1,
        ),
    };
    format!("<BlockEntity-Request>{content}</BlockEntity-Request>")
}

fn add(users: &[&str]) -> String {
    entities("AddList", users)
}

fn remove(users: &[&str]) -> String {
    entities("RemoveList", users)
}

fn entities(list: &str, users: &[&str]) -> String {
    let users: String = users
        .iter()
        .map(|user| format!("<UserID>{user}</UserID>"))
        .collect();
    format!("<{list}>{users}</{list}>")
}

/// Flag and users of one list in GetBlockedList-Response, whichever its version.
fn list(answer: &Answer, name: &str) -> (String, Vec<String>) {
    let response = answer.expect("GetBlockedList-Response");
    let inside = response.text(&format!("{name}/InUse"));
    let beside = response.text(&format!("{name}InUse"));
    assert!(
        inside.is_none() != beside.is_none(),
        "one form: {response:#?}"
    );
    let users = response.texts(&format!("{name}/EntityList/UserID"));
    (
        inside.or(beside).unwrap_or_default().to_owned(),
        users.into_iter().map(str::to_owned).collect(),
    )
}

async fn lists(client: &mut Client) -> Answer {
    client.request("<GetBlockedList-Request/>").await
}

/// Flag and users, as [`list`] gives them.
fn is(flag: &str, users: &[&str]) -> (String, Vec<String>) {
    let users = users.iter().map(|user| (*user).to_owned());
    (flag.to_owned(), users.collect())
}

fn code(answer: &Answer) -> Option<u16> {
    answer.code()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_sender_gets_532_in_every_version() {
    // 16.6.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let request = block_entity(version, ("T", &add(&["wv:alice@h"])), ("", ""));
        bob.request(&request).await.expect_status(200);
        let answer = alice.send_text("wv:bob@h", "hi").await;
        let response = answer.expect("SendMessage-Response");
        assert_eq!(code(&answer), Some(532));
        assert_eq!(
            response.text("MessageID"),
            None,
            "5.2: nothing was accepted"
        );
        assert_eq!(
            response.text("Result/DetailedResult/UserID"),
            Some("wv:bob@h")
        );
        let told = lists(&mut bob).await;
        assert_eq!(list(&told, "BlockList"), is("T", &["wv:alice@h"]));
        assert_eq!(list(&told, "GrantList"), is("F", &[]));
        // Partial success (16.4).
        let both = user("wv:bob@h") + &user("wv:alice@h");
        let answer = alice.request(&send_message(&both, "hi", false)).await;
        assert_eq!(code(&answer), Some(201));
        let detail = answer.primitive().at("Result/DetailedResult").unwrap();
        assert_eq!(
            (detail.text("Code"), detail.text("UserID")),
            (Some("532"), Some("wv:bob@h"))
        );
        assert!(bob.messages().await.is_empty());
        // And off again.
        let request = block_entity(version, ("", &remove(&["wv:alice@h"])), ("", ""));
        bob.request(&request).await.expect_status(200);
        alice.send_text("wv:bob@h", "again").await.expect_code(200);
        assert_eq!(bob.messages().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_inviter_gets_532_in_every_version() {
    // csp-access 10.2.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        let request = block_entity(version, ("T", &add(&["wv:alice@h"])), ("", ""));
        bob.request(&request).await.expect_status(200);
        let invite = |id: &str, users: &[&str]| {
            let users: String = users.iter().map(|name| user(name)).collect();
            format!(
                "<Invite-Request><InviteID>{id}</InviteID><InviteType>IM</InviteType>\
                 <Recipient>{users}</Recipient></Invite-Request>"
            )
        };
        let answer = alice.request(&invite("i1", &["wv:bob@h"])).await;
        answer.expect_status(532);
        let answer = alice
            .request(&invite("i2", &["wv:bob@h", "wv:carl@h"]))
            .await;
        answer.expect_status(201);
        let detail = answer.primitive().at("Result/DetailedResult").unwrap();
        assert_eq!(
            (detail.text("Code"), detail.text("UserID")),
            (Some("532"), Some("wv:bob@h"))
        );
        assert!(bob.take().await.is_none());
        let came = carl.take().await.expect("an invitation");
        assert_eq!(came.name, "InviteUser-Request");
        // Only those whom he grants it.
        let request = block_entity(version, ("F", ""), ("T", &add(&["wv:carl@h"])));
        bob.request(&request).await.expect_status(200);
        let answer = alice.request(&invite("i3", &["wv:bob@h"])).await;
        answer.expect_status(532);
        let answer = carl.request(&invite("i4", &["wv:bob@h"])).await;
        answer.expect_status(200);
        assert!(bob.take().await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s60_receives_from_nobody_from_friends_or_from_all_but_some() {
    // 11.2, 11.3: the engine always sends both lists with both flags.
    for version in [Version::V1_1, Version::V1_2] {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        let (none, anna) = ("", add(&["wv:alice@h"]));
        for (block, grant, expected) in [
            (("F", none), ("T", none), 532),
            (("F", none), ("T", anna.as_str()), 200),
            (("T", anna.as_str()), ("T", none), 532),
            (("F", none), ("F", none), 200),
        ] {
            let request = block_entity(version, block, grant);
            bob.request(&request).await.expect_status(200);
            let answer = alice.send_text("wv:bob@h", "hi").await;
            assert_eq!(code(&answer), Some(expected), "{block:?} {grant:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_elements_change_nothing_and_the_old_name_is_taken() {
    // 11.2; 1: BlockUser-Request.
    for version in [Version::V1_1, Version::V1_2] {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let request = block_entity(version, ("T", &add(&["wv:alice@h"])), ("", ""));
        let request = request.replace("BlockEntity-Request", "BlockUser-Request");
        bob.request(&request).await.expect_status(200);
        for empty in [
            "<BlockEntity-Request><BlockList><InUse/><AddList/><RemoveList/></BlockList><GrantList><InUse/></GrantList></BlockEntity-Request>",
            "<BlockEntity-Request><BlockList/></BlockEntity-Request>",
            "<BlockEntity-Request/>",
        ] {
            bob.request(empty).await.expect_status(200);
            let told = lists(&mut bob).await;
            assert_eq!(list(&told, "BlockList"), is("T", &["wv:alice@h"]));
            assert_eq!(list(&told, "GrantList"), is("F", &[]));
        }
        // EntityList counts as AddList.
        let whole = entities("EntityList", &["wv:bob@h"]);
        let request = block_entity(version, ("", &whole), ("", ""));
        bob.request(&request).await.expect_status(200);
        let told = lists(&mut bob).await;
        assert_eq!(
            list(&told, "BlockList"),
            is("T", &["wv:alice@h", "wv:bob@h"])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_entities_have_their_codes() {
    // 11.2.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mixed = add(&["wv:alice@h", "wv:nobody@h"]);
        let answer = bob
            .request(&block_entity(version, ("T", &mixed), ("", "")))
            .await;
        answer.expect_status(201);
        let detail = answer.primitive().at("Result/DetailedResult").unwrap();
        assert_eq!(
            (detail.text("Code"), detail.text("UserID")),
            (Some("531"), Some("wv:nobody@h"))
        );
        let only = "<AddList><GroupID>wv:bob/none@h</GroupID></AddList>";
        let answer = bob
            .request(&block_entity(version, ("T", only), ("", "")))
            .await;
        answer.expect_status(800);
        if version == Version::V1_3 {
            let only = "<AddList><ContactList>wv:bob/none@h</ContactList></AddList>";
            let answer = bob
                .request(&block_entity(version, ("T", only), ("", "")))
                .await;
            answer.expect_status(700);
        }
        let told = lists(&mut bob).await;
        assert_eq!(list(&told, "BlockList"), is("T", &["wv:alice@h"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_one_for_all_sessions_and_survive_the_server() {
    // 11.2: per user, persistent; each version sees what it knows.
    let mut server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut new = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    befriend(&mut new, "bob", &["alice"]).await;
    let all = "<AddList><UserID>wv:alice@h</UserID><ContactList>wv:bob/friends@h</ContactList>\
               <ApplicationID>chess</ApplicationID></AddList>";
    let request = block_entity(Version::V1_3, ("T", all), ("", ""));
    new.request(&request).await.expect_status(200);
    server.restart().await;
    let mut new = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    let told = lists(&mut new).await;
    let response = told.primitive();
    assert_eq!(
        response.child_names(),
        ["BlockList", "BlockListInUse", "GrantList", "GrantListInUse"]
    );
    let path = "BlockList/EntityList";
    assert_eq!(
        response.text(&format!("{path}/ContactList")),
        Some("wv:bob/friends@h")
    );
    assert_eq!(
        response.text(&format!("{path}/ApplicationID")),
        Some("chess")
    );
    for version in [Version::V1_1, Version::V1_2] {
        let mut old = server.client(version, Syntax::Xml, "bob").await;
        let told = lists(&mut old).await;
        assert_eq!(list(&told, "BlockList"), is("T", &["wv:alice@h"]));
        let names: Vec<&str> = told.primitive().child_names();
        assert_eq!(names, ["BlockList", "GrantList"]);
    }
    let mut alice = server.xml("alice").await;
    assert_eq!(code(&alice.send_text("wv:bob@h", "hi").await), Some(532));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_contacts_get_through_when_the_grant_list_names_their_list() {
    // 11.5.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.client(Version::V1_3, Syntax::Wbxml, "bob").await;
    let friends = "<AddList><ContactList>wv:bob/friends@h</ContactList></AddList>";
    befriend(&mut bob, "bob", &[]).await;
    let request = block_entity(Version::V1_3, ("", ""), ("T", friends));
    bob.request(&request).await.expect_status(200);
    assert_eq!(code(&alice.send_text("wv:bob@h", "hi").await), Some(532));
    befriend(&mut bob, "bob", &["alice"]).await;
    alice.send_text("wv:bob@h", "hi").await.expect_code(200);
    // csp-presence 2.6 e: the list is gone, and nobody gets through any more.
    let delete =
        "<DeleteList-Request><ContactList>wv:bob/friends@h</ContactList></DeleteList-Request>";
    bob.request(delete).await.expect_code(200);
    let told = lists(&mut bob).await;
    assert!(told.primitive().at("GrantList/EntityList").is_none());
    assert_eq!(code(&alice.send_text("wv:bob@h", "hi").await), Some(532));
}

/// The next notification, which must be of this type.
async fn notice(client: &mut Client, kind: &str) -> Element {
    let came = client.take().await;
    let came = came.unwrap_or_else(|| panic!("no {kind}"));
    assert_eq!(came.text("NotificationType"), Some(kind), "{came:#?}");
    came
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sessions_hear_of_changes() {
    // csp-presence 12: BLC, BLUC, GLC, GLUC.
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut bob = server.client(Version::V1_1, syntax, "bob").await;
        let mut other = Client::connect(server.address(), Version::V1_3, syntax).await;
        other.client_id = "WV:another-client".into();
        other
            .login_with_password("wv:bob@h", "secret")
            .await
            .expect_code(200);
        let kinds = "<NotificationType>BLC</NotificationType><NotificationType>BLUC</NotificationType>\
                     <NotificationType>GLC</NotificationType><NotificationType>GLUC</NotificationType>";
        let subscribe = format!(
            "<SubscribeNotification-Request><NotificationTypeList>{kinds}</NotificationTypeList></SubscribeNotification-Request>"
        );
        other.request(&subscribe).await.expect_status(200);
        let anna = add(&["wv:alice@h"]);
        let request = block_entity(Version::V1_1, ("T", &anna), ("T", &anna));
        bob.request(&request).await.expect_status(200);
        notice(&mut other, "BLC").await;
        notice(&mut other, "GLC").await;
        let came = notice(&mut other, "BLUC").await;
        assert_eq!(came.text("BlockListInUse"), Some("T"));
        let came = notice(&mut other, "GLUC").await;
        assert_eq!(came.text("GrantListInUse"), Some("T"));
        // The same again changes nothing.
        bob.request(&request).await.expect_status(200);
        assert!(other.take().await.is_none());
        assert!(bob.take().await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_of_a_sender_who_is_blocked_later_is_dropped_and_reported() {
    // 11.3.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let wanted = send_message(&user("wv:bob@h"), "waits", true);
        alice.request(&wanted).await.expect_code(200);
        let mut bob = server.client(version, syntax, "bob").await;
        let request = block_entity(version, ("T", &add(&["wv:alice@h"])), ("", ""));
        let answer = bob.request(&request).await;
        answer.expect_status(200);
        assert!(bob.messages().await.is_empty());
        let told = alice.take().await.expect("a report");
        assert_eq!(told.name, "DeliveryReport-Request");
        assert_eq!(told.text("Result/Code"), Some("532"));
        assert_eq!(
            told.text("MessageInfo/Recipient/User/UserID"),
            Some("wv:bob@h")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocking_may_be_silent() {
    // 11.4.
    let server = TestServer::with_users(&["im.silent_blocking=true"], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    let request = block_entity(Version::V1_2, ("T", &add(&["wv:alice@h"])), ("", ""));
    bob.request(&request).await.expect_status(200);
    let answer = alice.send_text("wv:bob@h", "hi").await;
    assert_eq!(code(&answer), Some(200));
    assert!(answer.primitive().text("MessageID").is_some());
    let invite = format!(
        "<Invite-Request><InviteID>i</InviteID><InviteType>IM</InviteType><Recipient>{}</Recipient></Invite-Request>",
        user("wv:bob@h")
    );
    alice.request(&invite).await.expect_status(200);
    assert!(bob.drain().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_was_not_agreed_is_506() {
    // 1: GLBLU, BLENT.
    let server = TestServer::with_users(&[], &["bob"]).await;
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    let without = "<Service-Request><Functions><WVCSPFeat><IMFeat><IMReceiveFunc/></IMFeat></WVCSPFeat></Functions>\
                   <AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>";
    bob.request(without).await.expect("Service-Response");
    lists(&mut bob).await.expect_status(506);
    let request = block_entity(Version::V1_3, ("T", ""), ("", ""));
    bob.request(&request).await.expect_status(506);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_contact_is_shown_with_his_friendly_name() {
    // 11.5: by default everybody gets through; 1.3 says who it is.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        for name in ["Änni", "Anna&Co"] {
            set(&server, "alice", &format!("friendly-name={name}")).await;
            alice.send_text("wv:bob@h", "hi").await.expect_code(200);
            let came = bob.messages().await;
            let shown = came[0].text("MessageInfo/Sender/User/FriendlyName");
            assert_eq!(shown, (version == Version::V1_3).then_some(name));
        }
        // A sender without one is named by his address.
        bob.send_text("wv:alice@h", "ho").await.expect_code(200);
        let came = alice.messages().await;
        let sender = came[0].at("MessageInfo/Sender/User").unwrap();
        assert_eq!(sender.text("UserID"), Some("wv:bob@h"));
        assert_eq!(sender.text("FriendlyName"), None);
    }
}
