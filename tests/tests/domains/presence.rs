//! Presence between domains.

use crate::{Domains, WEATHER, wait};
use hamlet_csp::Version;
use hamlet_tests::client::{Client, user};

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
