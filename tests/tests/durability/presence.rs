//! Presence over the death of the server and of phones (csp-presence 8.2, 9).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, user};
use hamlet_tests::fan_out::{Crowd, Fetched, publisher_client};
use hamlet_tests::process::Hamletd;
use hamlet_tests::server::CONTACTS;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_all_who_watch_once_also_after_a_crash() {
    const COUNT: usize = 60;
    let mut server = Hamletd::start(&[
        "domain=h",
        "accounts.auto_register=true",
        CONTACTS,
        "presence.window=0s",
    ]);
    let crowd = Crowd::gather(server.address(), COUNT, 2).await;
    let mut publisher = publisher_client(server.address(), &crowd.publishers[1]).await;
    crowd.subscribe().await;
    // Both publishers in one primitive.
    let first = crowd.fetch("").await;
    assert_eq!((first.primitives, first.presences), (COUNT, 2 * COUNT));
    for number in 0..10 {
        crowd
            .publish(&mut publisher, &format!("number {number}"))
            .await;
    }
    let coalesced = Fetched {
        primitives: COUNT,
        presences: COUNT,
        right: COUNT,
    };
    assert_eq!(crowd.fetch("number 9").await, coalesced);
    assert_eq!(crowd.fetch("number 9").await, Fetched::default());
    // Committed, and told to nobody yet.
    crowd.publish(&mut publisher, "before the crash").await;
    server.kill();
    server.start_again();
    let after = crowd.fetch("before the crash").await;
    assert_eq!((after.presences, after.right), (2 * COUNT, COUNT));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_died_before_a_crash_does_not_stay_online() {
    let settings = [
        "domain=h",
        CONTACTS,
        "session.ttl_min=1s",
        "session.ttl_default=2s",
        "session.ttl_max=2s",
        "session.grace=1s",
        "presence.hold=100ms",
        "presence.window=0s",
    ];
    let mut server = Hamletd::start(&settings);
    for name in ["alice", "bob"] {
        server.add_user(&format!("wv:{name}@h"), "secret");
    }
    let log_in = |name: &'static str| {
        let address = server.address();
        async move {
            let user = format!("wv:{name}@h");
            Client::login(address, Version::V1_2, Syntax::Xml, &user, "secret").await
        }
    };
    let alice = log_in("alice").await;
    let mut bob = log_in("bob").await;
    let add = "<ListManage-Request><ContactList>wv:bob/friends@h</ContactList><AddNickList><UserID>wv:alice@h</UserID>\
               </AddNickList></ListManage-Request>";
    bob.request(add).await.expect_code(200);
    let subscribe = format!(
        "<SubscribePresence-Request>{}<PresenceSubList><OnlineStatus/></PresenceSubList></SubscribePresence-Request>",
        user("wv:alice@h")
    );
    bob.request(&subscribe).await.expect_status(200);
    drop(alice);
    server.kill();
    server.start_again();
    let mut again = Client::connect(server.address(), bob.version, bob.syntax).await;
    again.session.clone_from(&bob.session);
    let waited = async {
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        loop {
            pause.tick().await;
            let Some(told) = again.take().await else {
                continue;
            };
            let path = "Presence/PresenceSubList/OnlineStatus/PresenceValue";
            if told.text(path) == Some("F") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waited)
        .await
        .expect("to hear that she is gone");
}
