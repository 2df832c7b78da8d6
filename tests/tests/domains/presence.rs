//! Presence between domains.

use crate::{Domains, WEATHER, add_friends, log_in, wait};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, user};
use hamlet_tests::server::CONTACTS;
use std::time::Duration;

/// A setting: nobody has to be let see anything.
const EVERYONE: &str = "presence.unauthorized=everyone";

/// Subscribes to one user's presence, all attributes.
async fn subscribe(client: &mut Client, publisher: &str) {
    let target = match client.version {
        Version::V1_3 => format!("<UserIDList><UserID>{publisher}</UserID></UserIDList>"),
        _ => user(publisher),
    };
    let content = format!("<SubscribePresence-Request>{target}</SubscribePresence-Request>");
    client.request(&content).await.expect_status(200);
}

/// Waits until a notification about the publisher says this.
async fn sees(client: &mut Client, publisher: &str, attribute: &str, value: &str) {
    let what = format!("{attribute}={value} of {publisher}");
    wait(client, &what, |primitive| {
        primitive.all("Presence").into_iter().find_map(|presence| {
            let path = format!("PresenceSubList/{attribute}/PresenceValue");
            let about = presence.text("UserID") == Some(publisher);
            (about && presence.texts(&path).contains(&value)).then_some(())
        })
    })
    .await;
}

async fn publish(client: &mut Client, text: &str) {
    let content = format!(
        "<UpdatePresence-Request><PresenceSubList><StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue>\
         </StatusText></PresenceSubList></UpdatePresence-Request>"
    );
    client.request(&content).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn alice_and_bob_watch_each_other() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = domains.alice().await;
        let mut bob = domains.bob().await;
        alice.accept("wv:bob@b").await;
        bob.accept("wv:alice@a").await;
        subscribe(&mut alice, "wv:bob@b").await;
        sees(&mut alice, "wv:bob@b", "OnlineStatus", "T").await;
        subscribe(&mut bob, "wv:alice@a").await;
        sees(&mut bob, "wv:alice@a", "OnlineStatus", "T").await;
        publish(&mut bob, "lähellä").await;
        sees(&mut alice, "wv:bob@b", "StatusText", "lähellä").await;
        publish(&mut alice, "kaukana").await;
        sees(&mut bob, "wv:alice@a", "StatusText", "kaukana").await;
        bob.request("<Logout-Request/>").await.expect_status(200);
        sees(&mut alice, "wv:bob@b", "OnlineStatus", "F").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_of_users_elsewhere_is_fetched_or_fails_alone() {
    // csp-presence 10, 4.2: 201 with 516 for a domain without a way, 504 for one that is silent.
    let domains = Domains::start_with(&[CONTACTS], &[CONTACTS], WEATHER[0]).await;
    let mut alice = domains.alice().await;
    let mut bob = domains.bob().await;
    add_friends(&mut alice, "wv:alice@a", &["wv:bob@b"]).await;
    add_friends(&mut bob, "wv:bob@b", &["wv:alice@a"]).await;
    publish(&mut bob, "lähellä").await;
    let targets = [user("wv:bob@b"), user("wv:alice@a"), user("wv:eve@c")].concat();
    let get = format!("<GetPresence-Request>{targets}</GetPresence-Request>");
    let answer = alice.request(&get).await;
    answer.expect_code(201);
    let response = answer.expect("GetPresence-Response");
    let mut found = response.texts("Presence/UserID");
    found.sort_unstable();
    assert_eq!(found, ["wv:alice@a", "wv:bob@b"]);
    assert!(
        response
            .texts("Presence/PresenceSubList/StatusText/PresenceValue")
            .contains(&"lähellä")
    );
    let detail = response.at("Result/DetailedResult").unwrap();
    assert_eq!(detail.text("Code"), Some("516"));
    assert_eq!(detail.texts("UserID"), ["wv:eve@c"]);
    // csp-presence 4.3, S60: never 531 for one who is only out of reach.
    let subscribe = format!("<SubscribePresence-Request>{targets}</SubscribePresence-Request>");
    alice.request(&subscribe).await.expect_status(200);
    domains.net.hold();
    let get = format!(
        "<GetPresence-Request>{}{}</GetPresence-Request>",
        user("wv:bob@b"),
        user("wv:alice@a")
    );
    let answer = alice.request(&get).await;
    answer.expect_code(201);
    let response = answer.expect("GetPresence-Response");
    assert_eq!(response.texts("Presence/UserID"), ["wv:alice@a"]);
    let detail = response.at("Result/DetailedResult").unwrap();
    assert_eq!(detail.text("Code"), Some("504"));
    assert_eq!(detail.texts("UserID"), ["wv:bob@b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_of_a_user_share_one_subscription_elsewhere() {
    // csp-presence 10: the union goes out, each session gets what it asked for.
    let domains = Domains::start_with(&[CONTACTS], &[CONTACTS], WEATHER[0]).await;
    let mut phone = domains.alice().await;
    let mut desk = Client::connect(domains.a.address(), Version::V1_3, Syntax::Xml).await;
    desk.client_id = "WV:desk".into();
    desk.login_with_password("wv:alice@a", "secret")
        .await
        .expect_code(200);
    let mut bob = domains.bob().await;
    add_friends(&mut phone, "wv:alice@a", &["wv:bob@b"]).await;
    add_friends(&mut bob, "wv:bob@b", &["wv:alice@a"]).await;
    for (client, target, attribute) in [
        (&mut phone, user("wv:bob@b"), "StatusText"),
        (
            &mut desk,
            "<UserIDList><UserID>wv:bob@b</UserID></UserIDList>".to_owned(),
            "OnlineStatus",
        ),
    ] {
        let content = format!(
            "<SubscribePresence-Request>{target}<PresenceSubList><{attribute}/></PresenceSubList></SubscribePresence-Request>"
        );
        client.request(&content).await.expect_status(200);
    }
    sees(&mut desk, "wv:bob@b", "OnlineStatus", "T").await;
    publish(&mut bob, "lähellä").await;
    let told = wait(&mut phone, "notice", |primitive| {
        let told = primitive.at("Presence/PresenceSubList")?.clone();
        (told.text("StatusText/PresenceValue") == Some("lähellä")).then_some(told)
    })
    .await;
    assert_eq!(told.child_names(), ["StatusText"]);
    // One goes, and the other is still told.
    phone.request("<Logout-Request/>").await.expect_code(200);
    bob.request("<Logout-Request/>").await.expect_status(200);
    sees(&mut desk, "wv:bob@b", "OnlineStatus", "F").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_a_domain_that_is_lost_are_neither_online_nor_offline() {
    // csp-presence 10.
    let domains = Domains::start_with(&[CONTACTS], &[CONTACTS], WEATHER[0]).await;
    let mut alice = domains.alice().await;
    let mut bob = domains.bob().await;
    add_friends(&mut alice, "wv:alice@a", &["wv:bob@b"]).await;
    add_friends(&mut bob, "wv:bob@b", &["wv:alice@a"]).await;
    publish(&mut bob, "lähellä").await;
    subscribe(&mut alice, "wv:bob@b").await;
    sees(&mut alice, "wv:bob@b", "StatusText", "lähellä").await;
    domains.net.hold();
    // It is asked for a sign of life after five minutes, and given up after ten more.
    domains.a.sweep_after(Duration::from_secs(310)).await;
    domains.a.sweep_after(Duration::from_secs(620)).await;
    wait(&mut alice, "notice that bob is out of reach", |primitive| {
        let told = primitive.at("Presence/PresenceSubList")?;
        let unknown = told.text("OnlineStatus/Qualifier") == Some("F");
        // The rest stays as it was.
        let rest = told.text("StatusText/PresenceValue") == Some("lähellä");
        (unknown && rest).then_some(())
    })
    .await;
    domains.net.release();
    sees(&mut alice, "wv:bob@b", "OnlineStatus", "T").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_of_other_namespaces_come_over_to_those_who_name_them() {
    // csp-presence 3.6: subscribed and fetched, as at home.
    let domains = Domains::start_with(&[EVERYONE], &[EVERYONE], WEATHER[0]).await;
    let mut alice = domains.alice().await;
    let mut bob = log_in(&domains.b, Version::V1_3, Syntax::Xml, "wv:bob@b").await;
    let named = "<PresenceSubList><Tide xmlns=\"urn:vendor:1\"/></PresenceSubList>";
    let target = "<UserIDList><UserID>wv:alice@a</UserID></UserIDList>";
    let watch = format!("<SubscribePresence-Request>{target}{named}</SubscribePresence-Request>");
    bob.request(&watch).await.expect_status(200);
    let tide = "<UpdatePresence-Request><PresenceSubList><Tide xmlns=\"urn:vendor:1\">high &amp; low</Tide></PresenceSubList></UpdatePresence-Request>";
    alice.request(tide).await.expect_status(200);
    let seen = wait(&mut bob, "tide", |came| {
        came.at("Presence/PresenceSubList/Tide").cloned()
    })
    .await;
    assert_eq!(seen.text, "high & low");
    assert_eq!(seen.namespace.as_deref(), Some("urn:vendor:1"));
    for (asked, found) in [(named, true), ("", false)] {
        let get = format!("<GetPresence-Request>{target}{asked}</GetPresence-Request>");
        let answer = bob.request(&get).await;
        answer.expect_code(200);
        let seen = answer.primitive().at("Presence/PresenceSubList/Tide");
        assert_eq!(seen.is_some(), found, "{asked}");
    }
}
