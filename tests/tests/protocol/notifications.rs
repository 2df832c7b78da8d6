//! Notifications (csp-access 13; data-types 8; csp-presence 12), over a socket.

use crate::profile::{befriend, set};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;

const BOTH: [Syntax; 2] = [Syntax::Xml, Syntax::Wbxml];

fn list(kinds: &[&str]) -> String {
    let kinds: String = kinds
        .iter()
        .map(|kind| format!("<NotificationType>{kind}</NotificationType>"))
        .collect();
    format!("<NotificationTypeList>{kinds}</NotificationTypeList>")
}

async fn subscribe(client: &mut Client, kinds: &[&str]) -> Answer {
    let list = list(kinds);
    let content = format!("<SubscribeNotification-Request>{list}</SubscribeNotification-Request>");
    client.request(&content).await
}

async fn unsubscribe(client: &mut Client, kinds: &[&str]) -> Answer {
    let list = list(kinds);
    let content =
        format!("<UnsubscribeNotification-Request>{list}</UnsubscribeNotification-Request>");
    client.request(&content).await
}

/// Two sessions of alice, who does something, and hers who hears of it.
async fn two(server: &TestServer, syntax: Syntax) -> (Client, Client) {
    let alice = server.client(Version::V1_3, syntax, "alice").await;
    let mut other = Client::connect(server.address(), Version::V1_3, syntax).await;
    other.client_id = "WV:another-client".into();
    other
        .login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(200);
    (alice, other)
}

/// The next notification, which must be of this type.
async fn take(client: &mut Client, kind: &str) -> Element {
    let came = client.take().await;
    let came = came.unwrap_or_else(|| panic!("no {kind}"));
    assert_eq!(came.name, "Notification-Request", "{came:#?}");
    assert_eq!(came.text("NotificationType"), Some(kind));
    came
}

async fn nothing(client: &mut Client) {
    let came = client.take().await;
    assert!(came.is_none(), "{came:#?}");
}

const WORK: &str = "<ContactList>wv:alice/work@h</ContactList>";

#[tokio::test(flavor = "multi_thread")]
async fn other_sessions_hear_of_changes_of_contact_lists() {
    for syntax in BOTH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let (mut alice, mut other) = two(&server, syntax).await;
        for client in [&mut alice, &mut other] {
            let all = subscribe(client, &["CLCR", "CLC", "CLD"]).await;
            all.expect_status(200);
        }
        let create = format!("<CreateList-Request>{WORK}</CreateList-Request>");
        alice.request(&create).await.expect("CreateList-Response");
        let came = take(&mut other, "CLCR").await;
        let path = "ContactListIDList/ContactList";
        assert_eq!(came.text(path), Some("wv:alice/work@h"));
        let add = format!(
            "<ListManage-Request>{WORK}<AddNickList><UserID>wv:bob@h</UserID></AddNickList></ListManage-Request>"
        );
        alice.request(&add).await.expect_code(200);
        let came = take(&mut other, "CLC").await;
        assert_eq!(came.text(path), Some("wv:alice/work@h"));
        // To read is no change.
        let read =
            format!("<ListManage-Request>{WORK}<ReceiveList>T</ReceiveList></ListManage-Request>");
        alice.request(&read).await.expect_code(200);
        nothing(&mut other).await;
        let delete = format!("<DeleteList-Request>{WORK}</DeleteList-Request>");
        alice.request(&delete).await.expect_code(200);
        let came = take(&mut other, "CLD").await;
        assert_eq!(came.text(path), Some("wv:alice/work@h"));
        nothing(&mut other).await;
        // Who has done it knows.
        nothing(&mut alice).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_added_to_a_list_may_hear_of_it() {
    for syntax in BOTH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(Version::V1_2, syntax, "alice").await;
        let mut bob = server.client(Version::V1_3, syntax, "bob").await;
        subscribe(&mut bob, &["ATCL"]).await.expect_status(200);
        befriend(&mut alice, "alice", &["bob"]).await;
        let came = take(&mut bob, "ATCL").await;
        assert_eq!(came.text("UserList/User/UserID"), Some("wv:alice@h"));
        // Once for each list.
        befriend(&mut alice, "alice", &["bob"]).await;
        nothing(&mut bob).await;
        // The owner can keep it to himself.
        let mut quiet = server.client(Version::V1_3, syntax, "alice").await;
        let create = format!(
            "<CreateList-Request>{WORK}<NickList><UserID>wv:bob@h</UserID></NickList><ContactListProperties><Property>\
             <Name>DoNotNotify</Name><Value>T</Value></Property></ContactListProperties></CreateList-Request>"
        );
        quiet.request(&create).await.expect("CreateList-Response");
        nothing(&mut bob).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sessions_hear_of_profile_handling_and_withdrawals() {
    for syntax in BOTH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let (mut alice, mut other) = two(&server, syntax).await;
        subscribe(&mut other, &["PPU", "OEU", "IC"])
            .await
            .expect_status(200);
        let profile = "<UpdatePublicProfile-Request><PublicProfile><Property><Name>PP_CITY</Name><Value>Turku</Value>\
                       </Property></PublicProfile></UpdatePublicProfile-Request>";
        alice.request(profile).await.expect_status(200);
        take(&mut other, "PPU").await;
        let refused = profile.replace("PP_CITY", "PP_NONSENSE");
        alice.request(&refused).await.expect_status(702);
        nothing(&mut other).await;
        set(&server, "alice", "city=Oulu").await;
        take(&mut other, "PPU").await;
        set(&server, "alice", "last-name=Korhonen").await;
        nothing(&mut other).await;

        let capabilities = |handling: &str| {
            format!(
                "<ClientCapability-Request><CapabilityList><OnlineETEMHandling>{handling}</OnlineETEMHandling>\
                 </CapabilityList></ClientCapability-Request>"
            )
        };
        for _ in 0..2 {
            let answer = alice.request(&capabilities("FORKALL")).await;
            answer.expect("ClientCapability-Response");
        }
        let came = take(&mut other, "OEU").await;
        assert_eq!(came.text("OnlineETEMHandling"), Some("FORKALL"));
        nothing(&mut other).await;

        let invite = "<Invite-Request><InviteID>i1</InviteID><InviteType>IM</InviteType><Recipient><User>\
                      <UserID>wv:bob@h</UserID></User></Recipient></Invite-Request>";
        alice.request(invite).await.expect_status(200);
        let cancel = "<CancelInvite-Request><InviteID>i1</InviteID></CancelInvite-Request>";
        alice.request(cancel).await.expect_status(200);
        let came = take(&mut other, "IC").await;
        assert_eq!(came.text("InviteID"), Some("i1"));
        nothing(&mut other).await;
        nothing(&mut alice).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_without_subscription_nor_after_its_end() {
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let (mut alice, mut other) = two(&server, Syntax::Xml).await;
    befriend(&mut alice, "alice", &["bob"]).await;
    nothing(&mut other).await;
    subscribe(&mut other, &["CLC", "CLCR"])
        .await
        .expect_status(200);
    // Nothing is sent for past events.
    nothing(&mut other).await;
    unsubscribe(&mut other, &["CLC"]).await.expect_status(200);
    let remove = "<ListManage-Request><ContactList>wv:alice/friends@h</ContactList><RemoveNickList>\
                  <UserID>wv:bob@h</UserID></RemoveNickList></ListManage-Request>";
    alice.request(remove).await.expect_code(200);
    nothing(&mut other).await;
    unsubscribe(&mut other, &[]).await.expect_status(200);
    let create = format!("<CreateList-Request>{WORK}</CreateList-Request>");
    alice.request(&create).await.expect("CreateList-Response");
    nothing(&mut other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_lives_as_long_as_its_session() {
    // 13: lost at logout; it survives the server.
    let mut server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let (alice, mut other) = two(&server, Syntax::Xml).await;
    subscribe(&mut other, &["CLC"]).await.expect_status(200);
    let sessions = [alice.session.clone(), other.session.clone()];
    server.restart().await;
    let mut clients = Vec::new();
    for session in sessions {
        let mut client = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
        client.session = session;
        clients.push(client);
    }
    befriend(&mut clients[0], "alice", &["bob"]).await;
    take(&mut clients[1], "CLC").await;
    clients[1]
        .request("<Logout-Request/>")
        .await
        .expect_code(200);
    let mut other = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    other.client_id = "WV:another-client".into();
    other
        .login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(200);
    let remove = "<ListManage-Request><ContactList>wv:alice/friends@h</ContactList><RemoveNickList>\
                  <UserID>wv:bob@h</UserID></RemoveNickList></ListManage-Request>";
    clients[0].request(remove).await.expect_code(200);
    nothing(&mut other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_types_and_older_versions_have_their_codes() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    for missing in [
        "<SubscribeNotification-Request></SubscribeNotification-Request>",
        "<UnsubscribeNotification-Request></UnsubscribeNotification-Request>",
    ] {
        alice.request(missing).await.expect_status(400);
    }
    subscribe(&mut alice, &[]).await.expect_status(400);
    subscribe(&mut alice, &["XX", "YY"])
        .await
        .expect_status(402);
    unsubscribe(&mut alice, &["XX"]).await.expect_status(402);
    let partly = subscribe(&mut alice, &["XX", "CLC"]).await;
    partly.expect_status(201);
    assert_eq!(
        partly.primitive().text("Result/DetailedResult/Code"),
        Some("402")
    );
    for version in [Version::V1_1, Version::V1_2] {
        let mut old = server.client(version, Syntax::Xml, "alice").await;
        subscribe(&mut old, &["CLC"]).await.expect_status(405);
        unsubscribe(&mut old, &["CLC"]).await.expect_status(405);
    }
}
