//! Standalone UDP (transport 6.4).

use super::{fetch, negotiate, village};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::channel::UdpChannel;
use hamlet_tests::client::Client;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_announced_at_the_port_that_the_client_named() {
    let server = village(&["alice", "bob"]).await;
    let mut bob = server.xml("bob").await;
    for version in Version::ALL {
        let datagrams = UdpChannel::open().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let more = format!("<UDPPort>{}</UDPPort>", datagrams.port());
        negotiate(&mut alice, &["WAPUDP", "SUDP"], &more).await;
        bob.send_text("wv:alice@h", "hello").await.expect_code(200);
        // No line end in datagrams.
        let expected = format!("WVCI {} cookie-WV:a-test-client", version.as_str());
        assert_eq!(datagrams.hear().await, expected);
        assert_eq!(fetch(&mut alice).await, "hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_behind_a_router_says_helo_and_is_called_back() {
    let server = village(&["alice", "bob"]).await;
    let (first, second) = (UdpChannel::open().await, UdpChannel::open().await);
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    // Where nothing listens.
    negotiate(&mut alice, &["SUDP"], "<UDPPort>9</UDPPort>").await;
    let helo = format!("HELO {}", alice.session);
    first.say(server.cir_udp(), &helo).await;
    assert_eq!(first.hear().await, "OK");
    first.say(server.cir_udp(), "PING").await;
    assert_eq!(first.hear().await, "OK");
    let mut bob = server.xml("bob").await;
    bob.send_text("wv:alice@h", "one").await.expect_code(200);
    assert_eq!(first.hear().await, "WVCI 1.3 cookie-WV:a-test-client");
    assert_eq!(fetch(&mut alice).await, "one");
    // The router has given the client another port.
    second.say(server.cir_udp(), &helo).await;
    assert_eq!(second.hear().await, "OK");
    bob.send_text("wv:alice@h", "two").await.expect_code(200);
    assert_eq!(second.hear().await, "WVCI 1.3 cookie-WV:a-test-client");
    assert_eq!(fetch(&mut alice).await, "two");
    // Who belongs to no session gets no answer: the first that comes is to the last.
    first.say(server.cir_udp(), "PING").await;
    first.say(server.cir_udp(), "HELO nobody").await;
    first.say(server.cir_udp(), "nonsense").await;
    second.say(server.cir_udp(), "PING").await;
    assert_eq!(second.hear().await, "OK");
    let ping = format!("PING {}\r\n", alice.session);
    first.say(server.cir_udp(), &ping).await;
    assert_eq!(first.hear().await, "OK");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_what_waits_is_announced_where_the_client_was() {
    let mut server = village(&["alice", "bob"]).await;
    let datagrams = UdpChannel::open().await;
    let mut alice = server.client(Version::V1_2, Syntax::Wbxml, "alice").await;
    let more = format!("<UDPPort>{}</UDPPort>", datagrams.port());
    negotiate(&mut alice, &["SUDP"], &more).await;
    let mut bob = server.xml("bob").await;
    bob.send_text("wv:alice@h", "hello").await.expect_code(200);
    // Once before, and once after.
    assert!(datagrams.hear().await.starts_with("WVCI 1.2 "));
    server.restart().await;
    assert!(datagrams.hear().await.starts_with("WVCI 1.2 "));
    let mut again = Client::connect(server.address(), Version::V1_2, Syntax::Wbxml).await;
    again.session = alice.session;
    assert_eq!(fetch(&mut again).await, "hello");
}
