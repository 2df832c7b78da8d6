//! Presence over the life of sessions (csp-presence 8.1, 8.2).

use crate::presence::{get, notice, subscribe, update, value};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
use hamlet_tests::server::{CONTACTS, TestServer};
use hamletd::control::Request;
use std::time::Duration;

const ASKED: &str = "<OnlineStatus/><FreeTextLocation/><UserAvailability/><Alias/>";

/// alice and bob as friends, with these settings.
async fn friends(settings: &[&str]) -> TestServer {
    let settings = [&[CONTACTS], settings].concat();
    let server = TestServer::with_users(&settings, &["alice", "bob"]).await;
    for (owner, contact) in [("alice", "bob"), ("bob", "alice")] {
        let mut client = server.xml(owner).await;
        let add = format!(
            "<ListManage-Request><ContactList>wv:{owner}/friends@h</ContactList><AddNickList><UserID>wv:{contact}@h</UserID>\
             </AddNickList></ListManage-Request>"
        );
        client.request(&add).await.expect_code(200);
        client.request("<Logout-Request/>").await.expect_status(200);
    }
    server
}

fn text(name: &str, value: &str) -> String {
    format!("<{name}><Qualifier>T</Qualifier><PresenceValue>{value}</PresenceValue></{name}>")
}

/// A watcher who has heard everything, and a publisher who has said something of everything.
async fn two(server: &TestServer, version: Version) -> (Client, Client) {
    let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
    let mut bob = server.client(version, Syntax::Xml, "bob").await;
    let longer = "<KeepAlive-Request><TimeToLive>80000</TimeToLive></KeepAlive-Request>";
    bob.request(longer).await.expect("KeepAlive-Response");
    subscribe(&mut bob, &["alice"], ASKED).await;
    let all = [
        text("FreeTextLocation", "home"),
        text("UserAvailability", "AVAILABLE"),
        text("Alias", "Al"),
    ];
    update(&mut alice, &all.concat()).await;
    let seen = notice(&mut bob, "alice").await.expect("a notice");
    assert_eq!(value(&seen, "OnlineStatus"), Some("T"));
    (alice, bob)
}

/// 8.1, 7 row 14: the user's own stays, what was of the client is unknown, he is not available.
#[track_caller]
fn is_away(seen: &Element) {
    assert_eq!(value(seen, "OnlineStatus"), Some("F"));
    assert_eq!(seen.text("FreeTextLocation/Qualifier"), Some("F"));
    assert_eq!(value(seen, "UserAvailability"), Some("NOT_AVAILABLE"));
    assert_eq!(value(seen, "Alias"), Some("Al"));
}

/// Waits for a notice that says this of OnlineStatus.
async fn until(client: &mut Client, online: &str) -> Element {
    let waited = async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            if let Some(seen) = notice(client, "alice").await
                && value(&seen, "OnlineStatus") == Some(online)
            {
                return seen;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waited)
        .await
        .expect("a notice in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_out_is_gone_at_once() {
    for version in Version::ALL {
        let server = friends(&["presence.hold=1h"]).await;
        let (mut alice, mut bob) = two(&server, version).await;
        alice.request("<Logout-Request/>").await.expect_code(200);
        is_away(&notice(&mut bob, "alice").await.expect("a notice"));
        // 8.1: the stored value is kept for the owner's view.
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let own = get(&mut alice, "alice", "<UserAvailability/>").await;
        assert_eq!(value(&own, "UserAvailability"), Some("AVAILABLE"));
        // And what was of the client is not.
        assert!(
            get(&mut alice, "alice", "<FreeTextLocation/>")
                .await
                .children
                .is_empty()
        );
    }
}

/// How a session may end without its client's doing.
enum End {
    Expiry,
    ByOperator,
}

async fn end(server: &TestServer, client: &Client, how: &End) {
    match how {
        // The keep-alive time is 600 s, and the watcher's is longer.
        End::Expiry => server.sweep_after(Duration::from_secs(1000)).await,
        End::ByOperator => {
            let which = client.session.clone();
            server.operate(Request::SessionEnd { which }).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_expires_or_is_ended_is_told_after_a_moment() {
    for version in Version::ALL {
        for how in [End::Expiry, End::ByOperator] {
            let server = friends(&["presence.hold=150ms"]).await;
            let (alice, mut bob) = two(&server, version).await;
            end(&server, &alice, &how).await;
            is_away(&until(&mut bob, "F").await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_back_in_a_moment_was_not_away() {
    for version in Version::ALL {
        for how in [End::Expiry, End::ByOperator] {
            let server = friends(&["presence.hold=1h"]).await;
            let (alice, mut bob) = two(&server, version).await;
            end(&server, &alice, &how).await;
            assert!(notice(&mut bob, "alice").await.is_none());
            let seen = get(&mut bob, "alice", "<OnlineStatus/>").await;
            assert_eq!(value(&seen, "OnlineStatus"), Some("T"));
            let mut again = server.client(version, Syntax::Wbxml, "alice").await;
            assert!(notice(&mut bob, "alice").await.is_none());
            update(&mut again, &text("Alias", "Allie")).await;
            let seen = notice(&mut bob, "alice").await.expect("a notice");
            assert_eq!(value(&seen, "OnlineStatus"), Some("T"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_replaces_another_of_its_client_is_no_absence() {
    for version in Version::ALL {
        let server = friends(&["presence.hold=1h"]).await;
        let (_lost, mut bob) = two(&server, version).await;
        let _alice = server.client(version, Syntax::Wbxml, "alice").await;
        assert!(notice(&mut bob, "alice").await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_deleted_is_gone_whatever_is_waited_for() {
    let server = friends(&["presence.hold=1h"]).await;
    let (_alice, mut bob) = two(&server, Version::V1_2).await;
    let user = "wv:alice@h".to_owned();
    server.operate(Request::UserDelete { user }).await;
    let seen = notice(&mut bob, "alice").await.expect("a notice");
    assert_eq!(value(&seen, "OnlineStatus"), Some("F"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_everybody_hears_how_it_is() {
    // 8.2: what was told, or was to be told, before is not known any more.
    let mut server = friends(&["presence.hold=1h"]).await;
    let (mut alice, bob) = two(&server, Version::V1_2).await;
    alice.request("<Logout-Request/>").await.expect_code(200);
    server.restart().await;
    let mut again = Client::connect(server.address(), bob.version, bob.syntax).await;
    again.session.clone_from(&bob.session);
    let seen = notice(&mut again, "alice").await.expect("a notice");
    assert_eq!(value(&seen, "OnlineStatus"), Some("F"));
    assert_eq!(value(&seen, "Alias"), Some("Al"));
    assert!(notice(&mut again, "alice").await.is_none(), "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_right_after_any_of_it_leaves_the_truth() {
    // 8.2: who was held is not held any more; nobody comes back by a restart.
    for version in Version::ALL {
        for (event, online) in [
            ("login", "T"),
            ("logout", "F"),
            ("expiry", "F"),
            ("end", "F"),
        ] {
            let mut server = friends(&["presence.hold=1h"]).await;
            let (mut alice, bob) = two(&server, version).await;
            match event {
                "expiry" => end(&server, &alice, &End::Expiry).await,
                "end" => end(&server, &alice, &End::ByOperator).await,
                _ => drop(alice.request("<Logout-Request/>").await),
            }
            if event == "login" {
                server.client(version, Syntax::Wbxml, "alice").await;
            }
            server.restart().await;
            let mut again = Client::connect(server.address(), bob.version, bob.syntax).await;
            again.session.clone_from(&bob.session);
            let seen = notice(&mut again, "alice").await.expect("a notice");
            let at = format!("{version:?} {event}");
            assert_eq!(value(&seen, "OnlineStatus"), Some(online), "{at}");
            assert_eq!(value(&seen, "Alias"), Some("Al"), "{at}");
            let availability = match online {
                "T" => "AVAILABLE",
                _ => "NOT_AVAILABLE",
            };
            assert_eq!(value(&seen, "UserAvailability"), Some(availability), "{at}");
            // What was of the client went with its session.
            assert!(seen.at("FreeTextLocation").is_none(), "{at}: {seen:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_phone_does_not_stay_online_by_a_restart() {
    let mut server = friends(&[]).await;
    let (alice, bob) = two(&server, Version::V1_3).await;
    // The store knows that her time is over; she has her grace from the start on, no more.
    server.restart_after_silence_of(&alice.session).await;
    let mut again = Client::connect(server.address(), bob.version, bob.syntax).await;
    again.session.clone_from(&bob.session);
    until(&mut again, "T").await;
    server.sweep_after(Duration::from_secs(100)).await;
    assert!(notice(&mut again, "alice").await.is_none());
    server.sweep_after(Duration::from_secs(200)).await;
    until(&mut again, "F").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_hides_is_offline_for_others_until_it_shows_itself() {
    // 3.3, 7 rows 2 and 15.
    for version in Version::ALL {
        let server = friends(&[]).await;
        let (mut alice, mut bob) = two(&server, version).await;
        for hide in [
            "<OnlineStatus><Qualifier>F</Qualifier></OnlineStatus>".to_owned(),
            text("OnlineStatus", "F"),
        ] {
            update(&mut alice, &hide).await;
            let seen = notice(&mut bob, "alice").await.expect("a notice");
            assert_eq!(value(&seen, "OnlineStatus"), Some("F"));
            assert_eq!(value(&seen, "UserAvailability"), Some("AVAILABLE"));
            let own = get(&mut alice, "alice", "<OnlineStatus/>").await;
            assert_eq!(value(&own, "OnlineStatus"), Some("T"));
            update(&mut alice, &text("OnlineStatus", "T")).await;
            let seen = notice(&mut bob, "alice").await.expect("a notice");
            assert_eq!(value(&seen, "OnlineStatus"), Some("T"));
        }
    }
}
