//! Standalone HTTP (transport 6.6).

use super::{fetch, negotiate, url};
use hamlet_csp::{Syntax, Version};
use hamlet_model::UserId;
use hamlet_sap::SessionSummary;
use hamlet_tests::channel::HttpChannel;
use hamlet_tests::client::Client;
use hamlet_tests::http::DEADLINE;
use hamlet_tests::server::TestServer;
use hamletd::control::Request;

/// Requests are answered before long, so that the tests are.
const SHORT: &str = "cir.http.hold=50ms";

/// Until the server holds a request.
async fn until_one_waits(server: &TestServer) {
    let waiting = async {
        let held = |session: &SessionSummary| session.cir == Some("SHTTP");
        while !server.sap().sessions(None).iter().any(held) {
            tokio::task::yield_now().await;
        }
    };
    let held = tokio::time::timeout(DEADLINE, waiting).await;
    held.expect("a request that is held");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_request_is_answered_when_a_message_comes() {
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    for version in [Version::V1_2, Version::V1_3] {
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let url = url(&negotiate(&mut alice, &["STCP", "SSMS", "SHTTP"], "").await);
        let mut get = HttpChannel::get(&url).await;
        bob.send_text("wv:alice@h", "hello").await.expect_code(200);
        let answer = get.answer().await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-length"), Some("0"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(fetch(&mut alice).await, "hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_said_at_once_until_it_is_fetched_and_then_nothing_waits() {
    let server = TestServer::with_users(&[SHORT], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let url = url(&negotiate(&mut alice, &["SHTTP"], "").await);
    let id = UserId::parse("wv:alice@h", &server.sap().config().domain).unwrap();
    let seen = || server.sap().sessions(Some(&id))[0].seen;
    let before = seen();
    let mut get = HttpChannel::get(&url).await;
    assert_eq!(get.answer().await.status, 204);
    let mut bob = server.xml("bob").await;
    bob.send_text("wv:alice@h", "hello").await.expect_code(200);
    for _ in 0..2 {
        let mut get = HttpChannel::get(&url).await;
        assert_eq!(get.answer().await.status, 200);
    }
    assert_eq!(seen(), before, "no sign of life of the session");
    assert_eq!(fetch(&mut alice).await, "hello");
    let mut get = HttpChannel::get(&format!("{url}?x=1")).await;
    assert_eq!(get.answer().await.status, 204, "whatever the query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_request_takes_the_place_of_an_older_one() {
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let url = url(&negotiate(&mut alice, &["SHTTP"], "").await);
    let mut old = HttpChannel::get(&url).await;
    let mut bob = server.xml("bob").await;
    let mut new = HttpChannel::get(&url).await;
    assert_eq!(old.answer().await.status, 204);
    bob.send_text("wv:alice@h", "hello").await.expect_code(200);
    assert_eq!(new.answer().await.status, 200);
    assert_eq!(fetch(&mut alice).await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_of_nobody_and_of_ended_sessions_are_not_found() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut alice = server.xml("alice").await;
    let url = url(&negotiate(&mut alice, &["SHTTP"], "").await);
    // The SessionID opens nothing.
    for id in ["", "0", &alice.session, "%00"] {
        let guess = format!("http://{}/cir/{id}x", server.address());
        let answer = HttpChannel::get(&guess).await.answer().await;
        assert_eq!(answer.status, 404, "{guess}");
        assert_eq!(answer.header("content-length"), Some("0"));
    }
    let mut held = HttpChannel::get(&url).await;
    until_one_waits(&server).await;
    // transport 9 item 9: the client is to fetch the reason.
    let which = alice.session.clone();
    server.operate(Request::SessionEnd { which }).await;
    assert_eq!(held.answer().await.status, 200);
    alice.poll().await.expect("Disconnect");
    let mut get = HttpChannel::get(&url).await;
    assert_eq!(get.answer().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_survives_a_restart_which_waits_for_no_request() {
    let mut server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let url = url(&negotiate(&mut alice, &["SHTTP"], "").await);
    let mut held = HttpChannel::get(&url).await;
    until_one_waits(&server).await;
    server.restart().await;
    assert_eq!(held.answer().await.status, 204);
    let path = url.splitn(4, '/').nth(3).expect("a path");
    let url = format!("http://{}/{path}", server.address());
    let mut get = HttpChannel::get(&url).await;
    let mut bob = server.xml("bob").await;
    bob.send_text("wv:alice@h", "hello").await.expect_code(200);
    assert_eq!(get.answer().await.status, 200);
    let mut again = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    again.session = alice.session;
    assert_eq!(fetch(&mut again).await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_too_many_wait_requests_are_answered_at_once() {
    let settings = ["cir.http.max_waiting=1"];
    let server = TestServer::with_users(&settings, &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let hers = url(&negotiate(&mut alice, &["SHTTP"], "").await);
    let mut bob = server.xml("bob").await;
    let his = url(&negotiate(&mut bob, &["SHTTP"], "").await);
    let mut first = HttpChannel::get(&hers).await;
    until_one_waits(&server).await;
    let mut second = HttpChannel::get(&his).await;
    assert_eq!(second.answer().await.status, 204);
    bob.send_text("wv:alice@h", "hello").await.expect_code(200);
    assert_eq!(first.answer().await.status, 200);
}
