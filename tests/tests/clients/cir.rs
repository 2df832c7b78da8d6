//! The CIR channel as recorded clients use it: Android by TCP and HTTP (clients 3.9), S60 by
//! TCP and UDP (clients 4.6).

use crate::android::ANDROIDS;
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::channel::{HttpChannel, TcpChannel, UdpChannel};
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
use hamlet_tests::phone::Phone;
use hamlet_tests::server::TestServer;

const S60S: [&str; 2] = ["s60-1.1", "s60-1.2"];

/// The steps of Android after the CIR channel is set up (clients 3.7).
const ANDROID_STEPS: [&str; 6] = [
    "service",
    "own-presence",
    "client-info",
    "get-blocked-list",
    "get-list",
    "read-list",
];

/// A server with all methods, and a user who writes.
async fn village(domain: &str, user: &str, password: &str) -> (TestServer, Client) {
    let server = TestServer::start(&[
        &format!("domain={domain}"),
        "cir.tcp.listen=127.0.0.1:0",
        "cir.udp.listen=127.0.0.1:0",
        "cir.udp.private=true",
        "cir.http.hold=50ms",
    ])
    .await;
    server
        .add_user(&format!("wv:{user}@{domain}"), password)
        .await;
    let writer = format!("wv:writer@{domain}");
    server.add_user(&writer, "pw").await;
    let (version, syntax) = (Version::V1_2, Syntax::Xml);
    let writer = Client::login(server.address(), version, syntax, &writer, "pw").await;
    (server, writer)
}

/// The list of a ClientCapability-Response.
fn agreed(answer: &Answer) -> Element {
    let response = answer.expect("ClientCapability-Response");
    let list = response.children.iter().find(|child| {
        // Whatever the version calls it.
        child.name.ends_with("CapabilityList")
    });
    list.expect("a list").clone()
}

/// Where the list says that TCP is served.
fn tcp(list: &Element) -> std::net::SocketAddr {
    let host = list.text("TCPAddress").expect("an address");
    let port = list.text("TCPPort").expect("a port");
    format!("{host}:{port}").parse().expect("an address")
}

/// Polls, which must bring this message, and acknowledges it.
async fn fetch(phone: &mut Phone, text: &str) {
    let push = phone.poll().await;
    let message = push.expect("NewMessage");
    assert_eq!(message.text("ContentData"), Some(text));
    phone.acknowledge(&push).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_android_phone_is_told_of_messages_by_tcp() {
    for client in ANDROIDS {
        let (server, mut writer) = village("h", "alice", "secret").await;
        let mut phone = Phone::new(client, server.address()).await;
        phone.login_4_way("secret").await.1.expect_code(200);
        let answer = phone.send("client-capability").await;
        assert_eq!(
            answer.primitive().children[0].name,
            agreed(&answer).name,
            "AND-9: the list comes first"
        );
        // AND-10: it connects before it goes on, and gives up if it cannot.
        let address = tcp(&agreed(&answer));
        let mut channel = TcpChannel::open(address, phone.session()).await;
        for step in ANDROID_STEPS {
            phone.send(step).await;
        }
        writer.send_text("wv:alice@h", "one").await.expect_code(200);
        let line = channel.hear().await;
        let expected = format!("WVCI {} ", phone.version().as_str());
        assert!(
            line.starts_with(&expected) && line.ends_with("\r\n"),
            "AND-30: {line:?}"
        );
        fetch(&mut phone, "one").await;
        channel.say("PING \r\n").await;
        assert_eq!(channel.hear().await, "OK\r\n", "AND-30");

        // T-23: the connection breaks; it opens another after a while, and polls.
        drop(channel);
        writer.send_text("wv:alice@h", "two").await.expect_code(200);
        let mut channel = TcpChannel::open(address, phone.session()).await;
        fetch(&mut phone, "two").await;
        writer
            .send_text("wv:alice@h", "three")
            .await
            .expect_code(200);
        assert!(channel.hear().await.starts_with("WVCI "));
        fetch(&mut phone, "three").await;
        phone.send("logout").await.expect_code(200);
        assert!(channel.is_closed().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_android_phone_is_told_of_messages_by_http() {
    for client in ["android-1.2", "android-1.3"] {
        let (server, mut writer) = village("h", "alice", "secret").await;
        let mut phone = Phone::new(client, server.address()).await;
        phone.login_4_way("secret").await.1.expect_code(200);
        let list = agreed(&phone.send("client-capability").await);
        // AND-11: in a child of its own.
        let url = list.text("CIRURL/URL").or(list.text("CIRHTTPAddress/URL"));
        let url = url.expect("a URL").to_owned();
        for step in ANDROID_STEPS {
            phone.send(step).await;
        }
        let mut get = HttpChannel::get(&url).await;
        assert_eq!(get.answer().await.status, 204, "it looks again later");
        writer.send_text("wv:alice@h", "one").await.expect_code(200);
        let mut get = HttpChannel::get(&url).await;
        assert_eq!(get.answer().await.status, 200);
        fetch(&mut phone, "one").await;
        let mut get = HttpChannel::get(&url).await;
        assert_eq!(get.answer().await.status, 204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s60_phone_is_told_of_messages_by_tcp() {
    for client in S60S {
        let (server, mut writer) = village("village.example", "nina", "finland").await;
        let mut phone = Phone::new(client, server.address()).await;
        let answer = phone.send("login-password").await;
        phone.keep_session(&answer);
        let list = agreed(&phone.send("client-capability").await);
        assert_eq!(list.texts("SupportedCIRMethod"), ["STCP", "SUDP"], "S60-8");
        phone.send("service").await;
        let nina = "wv:nina@village.example";
        writer.send_text(nina, "early").await.expect_code(200);
        // S60-18: what it reads at once is OK alone, and WVCI from its beginning.
        let mut channel = TcpChannel::open(tcp(&list), phone.session()).await;
        for text in ["early", "late"] {
            let line = channel.hear().await;
            let expected = format!("WVCI {} wv:nokia.", phone.version().as_str());
            assert!(line.starts_with(&expected), "{line:?}");
            assert_eq!(line.lines().count(), 1);
            fetch(&mut phone, text).await;
            if text == "early" {
                writer.send_text(nina, "late").await.expect_code(200);
            }
        }
        channel.say("PING\r\n").await;
        assert_eq!(channel.hear().await, "OK\r\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s60_phone_is_told_of_messages_by_datagram() {
    for client in S60S {
        let (server, mut writer) = village("village.example", "nina", "finland").await;
        // The port that it announces.
        let datagrams = UdpChannel::at(3717).await;
        let mut phone = Phone::new(client, server.address()).await;
        let answer = phone.send("login-password").await;
        phone.keep_session(&answer);
        phone.send("client-capability").await;
        phone.send("service").await;
        let nina = "wv:nina@village.example";
        writer.send_text(nina, "hello").await.expect_code(200);
        let datagram = datagrams.hear().await;
        let expected = format!("WVCI {} wv:nokia.", phone.version().as_str());
        assert!(datagram.starts_with(&expected), "{datagram:?}");
        assert!(!datagram.contains(['\r', '\n']));
        fetch(&mut phone, "hello").await;
    }
}
