//! Standalone TCP (transport 6.3).

use super::{fetch, negotiate, village};
use hamlet_csp::{Syntax, Version};
use hamlet_model::UserId;
use hamlet_tests::channel::{TcpChannel, UdpChannel};
use hamlet_tests::client::{Client, send_message, user};
use hamlet_tests::server::TestServer;
use hamletd::control::{Answer, Request};

/// A client with a channel.
async fn with_channel(server: &TestServer, version: Version, name: &str) -> (Client, TcpChannel) {
    let mut client = server.client(version, Syntax::Wbxml, name).await;
    negotiate(&mut client, &["STCP"], "").await;
    let channel = TcpChannel::open(server.cir_tcp(), &client.session).await;
    (client, channel)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_announced_by_version_and_cookie_and_fetched() {
    let server = village(&["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    for version in Version::ALL {
        let (mut alice, mut channel) = with_channel(&server, version, "alice").await;
        for text in ["one", "two"] {
            bob.send_text("wv:alice@h", text).await.expect_code(200);
            let line = channel.hear().await;
            let cookie = "cookie-WV:a-test-client";
            assert_eq!(line, format!("WVCI {} {cookie}\r\n", version.as_str()));
            assert_eq!(fetch(&mut alice).await, text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_and_presence_are_announced_too() {
    let server = village(&["alice", "bob"]).await;
    let (mut alice, mut channel) = with_channel(&server, Version::V1_2, "alice").await;
    let mut bob = server.xml("bob").await;
    let content = send_message(&user("wv:bob@h"), "hello", true);
    alice.request(&content).await.expect_code(200);
    assert_eq!(fetch(&mut bob).await, "hello");
    assert!(channel.hear().await.starts_with("WVCI 1.2 "));
    let report = alice.take().await.expect("the report");
    assert_eq!(report.name, "DeliveryReport-Request");

    bob.accept("wv:alice@h").await;
    let subscribe = "<SubscribePresence-Request><User><UserID>wv:bob@h</UserID></User></SubscribePresence-Request>";
    alice.request(subscribe).await.expect_status(200);
    let update = "<UpdatePresence-Request><PresenceSubList><StatusText><Qualifier>T</Qualifier><PresenceValue>new</PresenceValue>\
                  </StatusText></PresenceSubList></UpdatePresence-Request>";
    alice.drain().await;
    bob.request(update).await.expect_status(200);
    assert!(channel.hear().await.starts_with("WVCI 1.2 "));
    let notice = alice.take().await.expect("the notice");
    assert_eq!(notice.name, "PresenceNotification-Request");
}

#[tokio::test(flavor = "multi_thread")]
async fn s60_18_what_waits_already_is_announced_after_the_ok_and_apart_from_it() {
    let server = village(&["alice", "bob"]).await;
    let mut alice = server.client(Version::V1_1, Syntax::Wbxml, "alice").await;
    negotiate(&mut alice, &["STCP"], "").await;
    let mut bob = server.xml("bob").await;
    bob.send_text("wv:alice@h", "early").await.expect_code(200);
    // Both read what the engine reads at once: OK is alone, and so is WVCI.
    let mut channel = TcpChannel::open(server.cir_tcp(), &alice.session).await;
    let line = channel.hear().await;
    assert_eq!(line, "WVCI 1.1 cookie-WV:a-test-client\r\n");
    assert_eq!(fetch(&mut alice).await, "early");
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_are_answered_and_so_is_what_nobody_knows() {
    let server = village(&["alice"]).await;
    let (alice, mut channel) = with_channel(&server, Version::V1_2, "alice").await;
    let id = UserId::parse("wv:alice@h", &server.sap().config().domain).unwrap();
    let seen = || server.sap().sessions(Some(&id))[0].seen;
    let before = seen();
    // AND-30: with the blank of Android, with LF alone, in pieces, in any case.
    for ping in [
        &["PING\r\n"][..],
        &["PING \r\n"],
        &["ping\n"],
        &["PI", "NG\r", "\n"],
        &["WHAT\r\n"],
    ] {
        for piece in ping {
            channel.say(piece).await;
        }
        assert_eq!(channel.hear().await, "OK\r\n", "{ping:?}");
    }
    assert_eq!(seen(), before, "a ping is no sign of life of the session");
    channel.say(&format!("helo {} \r\n", alice.session)).await;
    assert_eq!(channel.hear().await, "OK\r\n", "HELO may come again");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_say_helo_of_a_live_session_is_cut_off_without_a_word() {
    let server = village(&["alice"]).await;
    let (mut alice, channel) = with_channel(&server, Version::V1_2, "alice").await;
    drop(channel);
    let session = alice.session.clone();
    alice.request("<Logout-Request/>").await.expect_status(200);
    let long = "x".repeat(2000);
    for first in [
        "HELO nobody\r\n",
        "HELO\r\n",
        "PING\r\n",
        "GET / HTTP/1.1\r\n",
        &format!("HELO {session}\r\n"),
        &long,
    ] {
        let mut channel = TcpChannel::connect(server.cir_tcp()).await;
        channel.say(first).await;
        assert!(channel.is_closed().await, "{first:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_connection_of_a_session_wins() {
    let server = village(&["alice", "bob"]).await;
    let (mut alice, mut old) = with_channel(&server, Version::V1_2, "alice").await;
    let mut new = TcpChannel::open(server.cir_tcp(), &alice.session).await;
    assert!(old.is_closed().await);
    let mut bob = server.xml("bob").await;
    bob.send_text("wv:alice@h", "hello").await.expect_code(200);
    assert!(new.hear().await.starts_with("WVCI "));
    assert_eq!(fetch(&mut alice).await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_may_carry_several_sessions() {
    let server = village(&["alice", "bob", "carol"]).await;
    let (mut alice, mut channel) = with_channel(&server, Version::V1_2, "alice").await;
    let mut bob = server.client(Version::V1_1, Syntax::Xml, "bob").await;
    channel.say(&format!("HELO {}\r\n", bob.session)).await;
    assert_eq!(channel.hear().await, "OK\r\n");
    let mut carol = server.xml("carol").await;
    for (to, version) in [("alice", "1.2"), ("bob", "1.1")] {
        let to = format!("wv:{to}@h");
        carol.send_text(&to, "hello").await.expect_code(200);
        let line = channel.hear().await;
        assert!(line.starts_with(&format!("WVCI {version} ")), "{line}");
    }
    // The end of one leaves the other its channel.
    assert_eq!(fetch(&mut alice).await, "hello");
    alice.request("<Logout-Request/>").await.expect_status(200);
    channel.say("PING\r\n").await;
    assert_eq!(channel.hear().await, "OK\r\n");
    bob.request("<Logout-Request/>").await.expect_code(200);
    assert!(channel.is_closed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_end_is_announced_before_the_channel_closes() {
    // transport 9 item 9, csp-access 3.10.
    let server = village(&["alice"]).await;
    for version in Version::ALL {
        let (mut alice, mut channel) = with_channel(&server, version, "alice").await;
        let end = Request::SessionEnd {
            which: "wv:alice@h".to_owned(),
        };
        let ended = server.operate(end).await;
        assert!(matches!(ended, Answer::Done { .. }), "{ended:?}");
        assert!(channel.hear().await.starts_with("WVCI "), "{version:?}");
        assert!(channel.is_closed().await);
        let answer = alice.poll().await;
        answer.expect("Disconnect");
        answer.expect_code(601);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_channel_a_session_goes_on_by_polling_or_by_another_method() {
    let server = village(&["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    // MOV-29: agreed and never opened.
    let mut alice = server.xml("alice").await;
    negotiate(&mut alice, &["STCP"], "").await;
    bob.send_text("wv:alice@h", "one").await.expect_code(200);
    assert_eq!(fetch(&mut alice).await, "one");
    // Opened and lost: what has been announced in vain is announced by datagram.
    let datagrams = UdpChannel::open().await;
    let more = format!("<UDPPort>{}</UDPPort>", datagrams.port());
    negotiate(&mut alice, &["STCP", "SUDP"], &more).await;
    let mut channel = TcpChannel::open(server.cir_tcp(), &alice.session).await;
    bob.send_text("wv:alice@h", "two").await.expect_code(200);
    assert!(channel.hear().await.starts_with("WVCI "));
    drop(channel);
    let line = "WVCI 1.2 cookie-WV:a-test-client";
    assert_eq!(datagrams.hear().await, line);
    assert_eq!(fetch(&mut alice).await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_a_lost_connection_and_no_more() {
    let mut server = village(&["alice", "bob"]).await;
    let (alice, mut channel) = with_channel(&server, Version::V1_2, "alice").await;
    let mut bob = server.xml("bob").await;
    bob.send_text("wv:alice@h", "before").await.expect_code(200);
    assert!(channel.hear().await.starts_with("WVCI "));
    server.restart().await;
    assert!(channel.is_closed().await);
    let mut channel = TcpChannel::open(server.cir_tcp(), &alice.session).await;
    assert!(channel.hear().await.starts_with("WVCI 1.2 cookie-"));
    let mut again = Client::connect(server.address(), Version::V1_2, Syntax::Wbxml).await;
    again.session = alice.session;
    assert_eq!(fetch(&mut again).await, "before");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_the_channel_of_a_session() {
    let server = village(&["alice"]).await;
    let (_alice, _channel) = with_channel(&server, Version::V1_2, "alice").await;
    let list = Request::SessionList { after: None };
    let Answer::Sessions { sessions, .. } = server.operate(list).await else {
        panic!("no sessions");
    };
    assert_eq!(sessions[0].cir.as_deref(), Some("STCP"));
}
