//! What changes of contact lists do to the subscriptions of all sessions of their owner
//! (csp-presence 2.5 to 2.7, 2.9, 4.4; 18 items 3, 8).

use crate::presence::{notice, update, value};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::server::{CONTACTS, TestServer};

/// bob has no contacts; everybody else has him.
async fn village() -> TestServer {
    let server = TestServer::with_users(&[CONTACTS], &["alice", "bob", "carol"]).await;
    for owner in ["alice", "carol"] {
        let mut client = server.xml(owner).await;
        change(
            &mut client,
            owner,
            "friends",
            &add(&["<UserID>wv:bob@h</UserID>"]),
        )
        .await
        .expect_code(200);
    }
    server
}

async fn log_in(server: &TestServer, version: Version, user: &str, client_id: &str) -> Client {
    let mut client = Client::connect(server.address(), version, Syntax::Wbxml).await;
    client.client_id = client_id.into();
    client
        .login_with_password(&format!("wv:{user}@h"), "secret")
        .await
        .expect_code(200);
    client
}

fn add(members: &[&str]) -> String {
    format!("<AddNickList>{}</AddNickList>", members.concat())
}

fn remove(name: &str) -> String {
    format!("<RemoveNickList><UserID>wv:{name}@h</UserID></RemoveNickList>")
}

fn user_id(name: &str) -> String {
    format!("<UserID>wv:{name}@h</UserID>")
}

async fn change(client: &mut Client, owner: &str, list: &str, rest: &str) -> Answer {
    let content = format!(
        "<ListManage-Request><ContactList>wv:{owner}/{list}@h</ContactList>{rest}</ListManage-Request>"
    );
    client.request(&content).await
}

async fn create(client: &mut Client, list: &str, rest: &str) -> Answer {
    let content = format!(
        "<CreateList-Request><ContactList>wv:bob/{list}@h</ContactList>{rest}</CreateList-Request>"
    );
    client.request(&content).await
}

async fn follow(client: &mut Client, list: &str, attributes: &str, follow: &str) {
    let list = format!("<ContactList>wv:bob/{list}@h</ContactList>");
    let list = match client.version {
        Version::V1_3 => format!("<ContactListIDList>{list}</ContactListIDList>"),
        _ => list,
    };
    let content = format!(
        "<SubscribePresence-Request>{list}<PresenceSubList>{attributes}</PresenceSubList>{follow}</SubscribePresence-Request>"
    );
    client.request(&content).await.expect_status(200);
    client.drain().await;
}

const FOLLOW: &str = "<AutoSubscribe>T</AutoSubscribe>";

async fn say(client: &mut Client, text: &str) {
    let status = format!(
        "<StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue></StatusText>"
    );
    update(client, &status).await;
}

/// What a client hears of somebody's status text.
async fn hears(client: &mut Client, of: &str) -> Option<String> {
    let seen = notice(client, of).await?;
    value(&seen, "StatusText").map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_one_session_moves_the_subscriptions_of_all_that_follow_the_list() {
    for version in [Version::V1_2, Version::V1_3] {
        let server = village().await;
        let mut alice = server.xml("alice").await;
        let mut phone = log_in(&server, version, "bob", "WV:phone").await;
        let mut desk = log_in(&server, version, "bob", "WV:desk").await;
        // It changes lists and follows none.
        let mut third = log_in(&server, Version::V1_1, "bob", "WV:third").await;
        say(&mut alice, "one").await;
        follow(&mut phone, "friends", "<StatusText/>", FOLLOW).await;
        follow(&mut desk, "friends", "<StatusText/>", FOLLOW).await;
        change(&mut third, "bob", "friends", &add(&[&user_id("alice")]))
            .await
            .expect_code(200);
        // 4.4: subscribed at once, the first notice follows.
        assert_eq!(hears(&mut phone, "alice").await.as_deref(), Some("one"));
        assert_eq!(hears(&mut desk, "alice").await.as_deref(), Some("one"));
        assert_eq!(hears(&mut third, "alice").await, None);
        // Without AutoSubscribe a later subscription freezes what the list stands for.
        follow(&mut desk, "friends", "<StatusText/>", "").await;
        change(&mut third, "bob", "friends", &remove("alice"))
            .await
            .expect_code(200);
        phone.drain().await;
        desk.drain().await;
        say(&mut alice, "two").await;
        assert_eq!(hears(&mut phone, "alice").await, None, "{version:?}");
        assert_eq!(hears(&mut desk, "alice").await.as_deref(), Some("two"));
        change(&mut third, "bob", "friends", &add(&[&user_id("alice")]))
            .await
            .expect_code(200);
        assert_eq!(hears(&mut phone, "alice").await.as_deref(), Some("two"));
        // 2.6: with the list goes what it stands for, in every session.
        let delete =
            "<DeleteList-Request><ContactList>wv:bob/friends@h</ContactList></DeleteList-Request>";
        third.request(delete).await.expect_status(200);
        phone.drain().await;
        desk.drain().await;
        say(&mut alice, "three").await;
        assert_eq!(hears(&mut phone, "alice").await, None);
        assert_eq!(hears(&mut desk, "alice").await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_two_lists_is_watched_until_he_is_in_none() {
    // 4.3: the sets of the sources add up; 4.4.
    for version in [Version::V1_2, Version::V1_3] {
        let server = village().await;
        let mut alice = server.xml("alice").await;
        let mut bob = log_in(&server, version, "bob", "WV:phone").await;
        create(&mut bob, "work", "").await;
        for list in ["friends", "work"] {
            change(&mut bob, "bob", list, &add(&[&user_id("alice")]))
                .await
                .expect_code(200);
        }
        follow(&mut bob, "friends", "<OnlineStatus/>", FOLLOW).await;
        follow(&mut bob, "work", "<StatusText/>", FOLLOW).await;
        say(&mut alice, "one").await;
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(seen.child_names(), ["OnlineStatus", "StatusText"]);
        change(&mut bob, "bob", "friends", &remove("alice"))
            .await
            .expect_code(200);
        bob.drain().await;
        say(&mut alice, "two").await;
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(seen.child_names(), ["StatusText"]);
        change(&mut bob, "bob", "work", &remove("alice"))
            .await
            .expect_code(200);
        bob.drain().await;
        say(&mut alice, "three").await;
        assert_eq!(hears(&mut bob, "alice").await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_numbers_and_properties_have_their_codes_and_the_rest_is_done() {
    // 2.3, 2.5, 2.7, 2.9.
    for version in Version::ALL {
        let server = TestServer::with_users(
            &["presence.max_contacts=3", "presence.max_members=2"],
            &["bob", "alice", "carol", "dan", "eve"],
        )
        .await;
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let code = |answer: &Answer| {
            let detail = answer.primitive().text("Result/DetailedResult/Code");
            (answer.code(), detail.map(str::to_owned))
        };
        // A nickname is too long, and it alone fails.
        let long = format!(
            "<NickName><Name>{}</Name><UserID>wv:alice@h</UserID></NickName>",
            "x".repeat(129)
        );
        let answer = change(
            &mut bob,
            "bob",
            "friends",
            &add(&[&long, &user_id("carol")]),
        )
        .await;
        assert_eq!(
            code(&answer),
            (Some(201), Some("702".into())),
            "{version:?}"
        );
        // Two in a list, three in all of them. 1.1 has no code of its own for that.
        let full = match version {
            Version::V1_1 => "403",
            _ => "754",
        };
        let three = [user_id("alice"), user_id("dan"), user_id("eve")];
        let three: Vec<&str> = three.iter().map(String::as_str).collect();
        let answer = change(&mut bob, "bob", "friends", &add(&three)).await;
        assert_eq!(code(&answer), (Some(201), Some(full.into())));
        let nicks = format!("<NickList>{}</NickList>", three.concat());
        let answer = create(&mut bob, "work", &nicks).await;
        assert_eq!(code(&answer), (Some(201), Some(full.into())));
        let answer = change(&mut bob, "bob", "work", &add(&[&user_id("eve")])).await;
        assert_eq!(answer.code(), full.parse().ok());
        // The nickname of one who is there can be changed all the same.
        let rename = "<NickName><Name>C</Name><UserID>wv:carol@h</UserID></NickName>";
        let answer = change(&mut bob, "bob", "friends", &add(&[rename])).await;
        assert_eq!(answer.code(), Some(200));
        // An unknown property beside a good one.
        let properties = "<ContactListProperties><Property><Name>DISPLAYNAME</Name><Value>Pals</Value></Property>\
                          <Property><Name>Colour</Name><Value>red</Value></Property></ContactListProperties>";
        let answer = change(&mut bob, "bob", "friends", properties).await;
        assert_eq!(code(&answer), (Some(201), Some("752".into())));
        let read = change(&mut bob, "bob", "friends", "").await;
        read.expect_code(200);
        let shown = read
            .primitive()
            .texts("ContactListProperties/Property/Value");
        assert!(shown.contains(&"Pals"), "{shown:?}");
        let mut names = read.primitive().texts("NickList/NickName/UserID");
        names.sort_unstable();
        assert_eq!(names, ["wv:alice@h", "wv:carol@h"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_other_domains_are_members_without_being_looked_for() {
    // 2.7.
    for version in Version::ALL {
        let server = village().await;
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        let elsewhere = "<UserID>wv:eve@elsewhere.example</UserID>";
        change(&mut bob, "bob", "friends", &add(&[elsewhere]))
            .await
            .expect_code(200);
        // S60: 531 on subscribe would remove the contact from the phone.
        let list = "<ContactList>wv:bob/friends@h</ContactList>";
        let list = match version {
            Version::V1_3 => format!("<ContactListIDList>{list}</ContactListIDList>"),
            _ => list.to_owned(),
        };
        let subscribe = format!("<SubscribePresence-Request>{list}</SubscribePresence-Request>");
        bob.request(&subscribe).await.expect_status(200);
        let unsubscribe =
            format!("<UnsubscribePresence-Request>{list}</UnsubscribePresence-Request>");
        bob.request(&unsubscribe).await.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn to_unsubscribe_a_list_ends_what_it_stands_for_and_its_following() {
    // 4.6.
    for version in [Version::V1_2, Version::V1_3] {
        let server = village().await;
        let mut alice = server.xml("alice").await;
        let mut carol = server.xml("carol").await;
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        change(&mut bob, "bob", "friends", &add(&[&user_id("alice")]))
            .await
            .expect_code(200);
        follow(&mut bob, "friends", "<StatusText/>", FOLLOW).await;
        let list = "<ContactList>wv:bob/friends@h</ContactList>";
        let list = match version {
            Version::V1_3 => format!("<ContactListIDList>{list}</ContactListIDList>"),
            _ => list.to_owned(),
        };
        let unsubscribe =
            format!("<UnsubscribePresence-Request>{list}</UnsubscribePresence-Request>");
        bob.request(&unsubscribe).await.expect_status(200);
        change(&mut bob, "bob", "friends", &add(&[&user_id("carol")]))
            .await
            .expect_code(200);
        say(&mut alice, "one").await;
        say(&mut carol, "one").await;
        assert_eq!(hears(&mut bob, "alice").await, None);
        assert_eq!(hears(&mut bob, "carol").await, None);
    }
}
