//! Authorization between domains (csp-presence 10): a watcher of one, a publisher of another.

use crate::{Domains, WEATHER, wait};
use hamlet_tests::client::Client;

async fn sees(client: &mut Client, text: &str) {
    wait(client, text, |primitive| {
        let seen = primitive.texts("Presence/PresenceSubList/StatusText/PresenceValue");
        seen.contains(&text).then_some(())
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
async fn a_phone_is_asked_about_a_watcher_of_another_domain() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let (mut alice, mut bob) = (domains.alice().await, domains.bob().await);
        publish(&mut alice, "kotona").await;
        let watch = "<SubscribePresence-Request><UserIDList><UserID>wv:alice@a</UserID></UserIDList>\
                     <PresenceSubList><StatusText/></PresenceSubList></SubscribePresence-Request>";
        bob.request(watch).await.expect_status(200);
        let watcher = wait(&mut alice, "question", |primitive| {
            let asked = primitive.name == "PresenceAuth-Request";
            asked.then(|| primitive.text("UserID").unwrap_or_default().to_owned())
        });
        assert_eq!(watcher.await, "wv:bob@b");
        let get = "<GetPresence-Request><UserIDList><UserID>wv:alice@a</UserID></UserIDList></GetPresence-Request>";
        let lossless = faults.lose == 0;
        if lossless {
            // A question that is lost is not repeated: its asker would be told (504).
            let answer = bob.request(get).await;
            answer.expect_code(200);
            let list = answer.primitive().at("Presence/PresenceSubList").unwrap();
            assert!(list.children.is_empty(), "not yet");
        }
        alice.accept("wv:bob@b").await;
        sees(&mut bob, "kotona").await;
        publish(&mut alice, "kylässä").await;
        sees(&mut bob, "kylässä").await;
        let watchers = alice.request("<GetWatcherList-Request/>").await;
        let watchers = watchers.expect("GetWatcherList-Response");
        assert_eq!(watchers.texts("User/UserID"), ["wv:bob@b"]);
        let no = "<PresenceAuth-User><UserID>wv:bob@b</UserID><Acceptance>F</Acceptance></PresenceAuth-User>";
        alice.request(no).await.expect_status(200);
        wait(&mut bob, "withdrawal", |primitive| {
            let unknown = primitive.texts("Presence/PresenceSubList/StatusText/Qualifier");
            unknown.contains(&"F").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_of_1_3_is_notified_of_a_watcher_of_another_domain() {
    // csp-presence 6.7, 6.9, 10.
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let (mut alice, mut bob) = (domains.alice().await, domains.bob().await);
        publish(&mut bob, "kotona").await;
        let watch = "<SubscribePresence-Request><User><UserID>wv:bob@b</UserID></User>\
                     <PresenceSubList><StatusText/></PresenceSubList></SubscribePresence-Request>";
        alice.request(watch).await.expect_status(200);
        let told = wait(&mut bob, "notification", |came| {
            (came.text("NotificationType") == Some("AND")).then(|| came.clone())
        })
        .await;
        assert_eq!(told.texts("UserIDList/UserID"), ["wv:alice@a"]);
        let names = told.at("PresenceSubList").unwrap();
        assert_eq!(names.child_names(), ["StatusText"]);
        let list = |attributes: &str| {
            format!(
                "<CreateAttributeList-Request><PresenceSubList>{attributes}</PresenceSubList><UserIDList><UserID>wv:alice@a</UserID>\
                 </UserIDList><DefaultList>F</DefaultList></CreateAttributeList-Request>"
            )
        };
        bob.request(&list("<StatusText/>")).await.expect_status(200);
        sees(&mut alice, "kotona").await;
        bob.request(&list("")).await.expect_status(200);
        wait(&mut alice, "withdrawal", |came| {
            let unknown = came.texts("Presence/PresenceSubList/StatusText/Qualifier");
            unknown.contains(&"F").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_whose_presence_is_kept_elsewhere_is_asked_at_home() {
    // Figure 6.
    let domains = Domains::start_with(
        &["elements.presence=b"],
        &["elements.presence_of=a"],
        WEATHER[0],
    )
    .await;
    let (mut alice, mut bob) = (domains.alice().await, domains.bob().await);
    publish(&mut alice, "kotona").await;
    let watch = "<SubscribePresence-Request><UserIDList><UserID>wv:alice@a</UserID></UserIDList></SubscribePresence-Request>";
    bob.request(watch).await.expect_status(200);
    wait(&mut alice, "question", |primitive| {
        (primitive.name == "PresenceAuth-Request").then_some(())
    })
    .await;
    alice.accept("wv:bob@b").await;
    sees(&mut bob, "kotona").await;
}
