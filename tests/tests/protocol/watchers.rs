//! GetWatcherList (csp-presence 5), in the form of each version.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;
use std::time::Duration;

use Version::{V1_1, V1_2, V1_3};

const WATCH: &str = "<SubscribePresence-Request><User><UserID>wv:alice@h</UserID></User></SubscribePresence-Request>";
const LEAVE: &str = "<UnsubscribePresence-Request><User><UserID>wv:alice@h</UserID></User></UnsubscribePresence-Request>";

/// bob watches, carol has watched, dan has asked; nobody may see anything.
async fn village() -> (TestServer, Client) {
    let server = TestServer::with_users(&[], &["alice", "bob", "carol", "dan"]).await;
    let mut bob = server.xml("bob").await;
    bob.request(WATCH).await.expect_status(200);
    let mut carol = server.xml("carol").await;
    carol.request(WATCH).await.expect_status(200);
    carol.request(LEAVE).await.expect_status(200);
    let mut dan = server.xml("dan").await;
    let get = format!(
        "<GetPresence-Request>{}</GetPresence-Request>",
        user("wv:alice@h")
    );
    dan.request(&get).await.expect_code(200);
    (server, bob)
}

async fn watchers(client: &mut Client, content: &str) -> Element {
    let request = format!("<GetWatcherList-Request>{content}</GetWatcherList-Request>");
    let answer = client.request(&request).await;
    answer.expect("GetWatcherList-Response").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watcher_list_has_the_form_of_the_version() {
    // 5; 18 item 12.
    let (server, _bob) = village().await;
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        let mut alice = server.client(V1_1, syntax, "alice").await;
        let all = watchers(&mut alice, "").await;
        assert_eq!(all.texts("User/UserID"), ["wv:bob@h"]);
        assert_eq!(all.child_names(), ["User"]);
        let history = "<HistoryPeriod>172800</HistoryPeriod><MaxWatcherList>2</MaxWatcherList>";
        let mut alice = server.client(V1_2, syntax, "alice").await;
        let all = watchers(&mut alice, history).await;
        assert_eq!(all.text("HistoryPeriod"), Some("172800"));
        assert_eq!(all.texts("Watcher/User/UserID")[0], "wv:bob@h");
        assert_eq!(all.texts("Watcher/WatcherStatus")[0], "CURRENT_SUBSCRIBER");
        assert!(all.at("WatcherCount").is_none());
        let mut alice = server.client(V1_3, syntax, "alice").await;
        let all = watchers(&mut alice, history).await;
        assert_eq!(all.text("WatcherCount"), Some("3"));
        assert_eq!(all.all("Watcher").len(), 2, "truncated, not emptied");
        let all = watchers(&mut alice, "<HistoryPeriod>172800</HistoryPeriod>").await;
        assert!(all.at("WatcherCount").is_none());
        let mut pairs: Vec<_> = all
            .all("Watcher")
            .into_iter()
            .map(|one| {
                (
                    one.text("UserID").unwrap(),
                    one.text("WatcherStatus").unwrap(),
                )
            })
            .collect();
        assert_eq!(pairs[0], ("wv:bob@h", "CURRENT_SUBSCRIBER"));
        pairs.sort_unstable();
        let expected = [
            ("wv:bob@h", "CURRENT_SUBSCRIBER"),
            ("wv:carol@h", "FORMER_SUBSCRIBER"),
            ("wv:dan@h", "PRESENCE_ACCESS"),
        ];
        assert_eq!(pairs, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_have_the_names_that_they_gave_themselves() {
    // 5: FriendlyName, 1.3.
    let (server, _bob) = village().await;
    let mut bob = Client::connect(server.address(), V1_3, Syntax::Xml).await;
    bob.client_id = "WV:profile".into();
    bob.login_with_password("wv:bob@h", "secret")
        .await
        .expect_code(200);
    let name = "<UpdatePublicProfile-Request><PublicProfile><Property><Name>PP_FRIENDLY_NAME</Name><Value>Bob B.</Value></Property>\
                </PublicProfile></UpdatePublicProfile-Request>";
    bob.request(name).await.expect_status(200);
    let mut alice = server.client(V1_3, Syntax::Wbxml, "alice").await;
    let all = watchers(&mut alice, "").await;
    assert_eq!(all.texts("Watcher/FriendlyName"), ["Bob B."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_watched_is_remembered_for_its_time() {
    let (mut server, _bob) = village().await;
    server.restart().await;
    let mut alice = server.client(V1_3, Syntax::Xml, "alice").await;
    let long = "<HistoryPeriod>99999999</HistoryPeriod>";
    let all = watchers(&mut alice, long).await;
    assert_eq!(all.text("HistoryPeriod"), Some("2592000"), "30 days");
    assert_eq!(all.all("Watcher").len(), 3);
    server.sweep_after(Duration::from_secs(31 * 86_400)).await;
    // Her session has ended as well.
    let mut alice = server.client(V1_3, Syntax::Xml, "alice").await;
    assert!(watchers(&mut alice, long).await.all("Watcher").len() <= 1);
    let negative =
        "<GetWatcherList-Request><MaxWatcherList>-1</MaxWatcherList></GetWatcherList-Request>";
    alice.request(negative).await.expect_status(402);
}
