//! The CIR channel where times and bounds matter (transport 6.3, 6.8; csp-access 8.5).

use crate::support::{DEADLINE, Phone, Server, config};
use hamlet_csp::Syntax::{Wbxml, Xml};
use hamlet_csp::Version::{self, V1_1, V1_2, V1_3};
use hamlet_csp::elements::{
    AgreedCapabilityList, CapabilityList, ClientCapabilityRequest, KeepAliveRequest, Primitive,
    SupportedCIRMethod,
};
use hamlet_csp::{Syntax, Tag};
use hamlet_sap::SapConfig;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const MOMENT: Duration = Duration::from_millis(30);

/// A server with STCP, whose repetitions come soon.
struct Village {
    server: Server,
    tcp: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
}

fn hasty() -> SapConfig {
    let mut config = config();
    config.cir.pause = Duration::ZERO;
    config.cir.repeat.connected = MOMENT;
    config.cir.flag_after = Duration::ZERO;
    config
}

impl Village {
    async fn with(config: SapConfig) -> Self {
        let server = Server::with(config).await;
        for name in ["anna", "bob"] {
            server.account(name).await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = server.sap.serve_cir_tcp(listener, async {
            let _ = stopped.await;
        });
        tokio::spawn(serving);
        Self {
            server,
            tcp,
            stop: Some(stop),
        }
    }

    async fn phone(&self, name: &str, version: Version, syntax: Syntax, cookie: &str) -> Phone {
        let mut phone = Phone::new(&self.server, name, version, syntax).await;
        phone.cookie = cookie.into();
        assert_eq!(phone.log_in(crate::support::PASSWORD).await, 200);
        agreed(&mut phone).await;
        phone
    }

    async fn channel(&self, phone: &Phone) -> Channel {
        let mut channel = Channel::connect(self.tcp).await;
        let helo = format!("HELO {}\r\n", phone.session_id());
        channel.say(&helo).await;
        assert_eq!(channel.hear().await, "OK\r\n");
        channel
    }

    async fn is_lost(&self, phone: &Phone) {
        let id = phone.session_id();
        let open = || {
            let sessions = self.server.sap.sessions(None);
            let session = sessions.into_iter().find(|session| session.id == id);
            session.expect("it lives on").cir.is_some()
        };
        until(|| !open()).await;
    }
}

/// Negotiates STCP; whether it was agreed.
async fn agreed(phone: &mut Phone) -> bool {
    let list = CapabilityList {
        supported_cir_method: vec![SupportedCIRMethod::Stcp],
        ..CapabilityList::default()
    };
    let request = ClientCapabilityRequest {
        client_id: None,
        capability_list: Some(list),
    };
    let heard = phone.ask(request).await;
    let Primitive::ClientCapabilityResponse(response) = heard.primitive() else {
        panic!("{heard:?}");
    };
    let agreed = response.agreed_capability_list.clone();
    let has_address = |list: &AgreedCapabilityList| list.tcp_address.is_some();
    let old = response.capability_list.as_ref();
    agreed.as_ref().is_some_and(has_address) || old.is_some_and(|list| list.tcp_address.is_some())
}

async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap();
}

struct Channel(TcpStream);

impl Channel {
    async fn connect(server: SocketAddr) -> Self {
        Self(TcpStream::connect(server).await.unwrap())
    }

    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// One line; empty at the end.
    async fn hear(&mut self) -> String {
        let mut line = String::new();
        let reading = async {
            while !line.ends_with('\n') {
                match self.0.read_u8().await {
                    Ok(octet) => line.push(char::from(octet)),
                    Err(_) => break,
                }
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.unwrap();
        line
    }

    async fn is_closed(&mut self) -> bool {
        self.hear().await.is_empty()
    }
}

#[tokio::test]
async fn a_cir_that_brings_no_poll_is_repeated_and_a_poll_ends_that() {
    let village = Village::with(hasty()).await;
    let mut anna = village.phone("anna", V1_2, Wbxml, "c1").await;
    let mut bob = village.phone("bob", V1_1, Xml, "c2").await;
    let mut channel = village.channel(&anna).await;
    // Once and three times more; then for another message again.
    for text in ["one", "two"] {
        bob.send("anna", text, false).await;
        for _ in 0..4 {
            assert_eq!(channel.hear().await, "WVCI 1.2 c1\r\n");
        }
    }
    let one = anna.poll_for(Tag::NewMessage).await;
    assert_eq!(one.content().as_deref(), Some("one"));
    let two = anna.acknowledge(&one).await.expect("the next");
    assert_eq!(two.content().as_deref(), Some("two"));
    assert!(anna.acknowledge(&two).await.is_none());
    village.server.stop().await;
}

#[tokio::test]
async fn what_is_not_acknowledged_is_announced_again() {
    // The client polls only when it is told to (clients 4.6).
    let mut config = hasty();
    config.delivery.guard_time = Some(MOMENT);
    config.cir.repeat.connected = DEADLINE * 2;
    let village = Village::with(config).await;
    let mut anna = village.phone("anna", V1_1, Wbxml, "wv:nokia.1").await;
    let mut bob = village.phone("bob", V1_2, Xml, "c2").await;
    let mut channel = village.channel(&anna).await;
    bob.send("anna", "hello", false).await;
    for _ in 0..2 {
        assert_eq!(channel.hear().await, "WVCI 1.1 wv:nokia.1\r\n");
        anna.poll_for(Tag::NewMessage).await;
    }
}

#[tokio::test]
async fn a_lost_channel_is_flagged_once_f_or_t_as_the_client_understands_it() {
    let village = Village::with(hasty()).await;
    for (version, syntax, cookie, flag) in [
        (V1_2, Wbxml, "c1", Some(false)),
        (V1_3, Xml, "c1", Some(false)),
        (V1_2, Wbxml, "wv:nokia.17", Some(true)),
        (V1_1, Wbxml, "wv:nokia.17", None),
    ] {
        let mut anna = village.phone("anna", version, syntax, cookie).await;
        let keep_alive = || KeepAliveRequest::default();
        // Never opened is not lost (clients MOV-29).
        assert_eq!(anna.ask(keep_alive()).await.0.cir, None);
        let channel = village.channel(&anna).await;
        assert_eq!(anna.ask(keep_alive()).await.0.cir, None);
        drop(channel);
        village.is_lost(&anna).await;
        // A Login-Response must not have it (clients AND-6).
        let request = anna.login_request().await;
        let again = hamlet_csp::Transaction::request("again", request);
        let login = anna.exchange(again).await.unwrap();
        assert_eq!((login.code(), login.0.cir), (200, None));
        // After a login it opens another, and may lose that.
        drop(village.channel(&anna).await);
        village.is_lost(&anna).await;
        assert_eq!(anna.ask(keep_alive()).await.0.cir, flag, "{cookie}");
        assert_eq!(anna.ask(keep_alive()).await.0.cir, None, "once a minute");
        let _channel = village.channel(&anna).await;
        assert_eq!(anna.ask(keep_alive()).await.0.cir, None);
    }
}

#[tokio::test]
async fn and_31_the_flag_is_not_sent_while_the_listener_does_not_accept() {
    let mut village = Village::with(hasty()).await;
    let mut anna = village.phone("anna", V1_2, Wbxml, "c1").await;
    let mut channel = village.channel(&anna).await;
    drop(village.stop.take());
    assert!(channel.is_closed().await);
    village.is_lost(&anna).await;
    let heard = anna.ask(KeepAliveRequest::default()).await;
    assert_eq!(heard.0.cir, None);
    assert!(!agreed(&mut anna).await, "nor is it offered any more");
}

#[tokio::test]
async fn the_flag_can_be_switched_off() {
    let mut config = hasty();
    config.cir.flag = false;
    let village = Village::with(config).await;
    let mut anna = village.phone("anna", V1_2, Wbxml, "c1").await;
    drop(village.channel(&anna).await);
    village.is_lost(&anna).await;
    assert_eq!(anna.ask(KeepAliveRequest::default()).await.0.cir, None);
}

#[tokio::test]
async fn who_says_nothing_is_cut_off_and_a_silent_channel_is_closed() {
    let mut config = hasty();
    config.cir.tcp_hello_timeout = MOMENT;
    let village = Village::with(config).await;
    let anna = village.phone("anna", V1_2, Wbxml, "c1").await;
    let mut channel = village.channel(&anna).await;
    let mut silent = Channel::connect(village.tcp).await;
    assert!(silent.is_closed().await);
    channel.say("PING\r\n").await;
    assert_eq!(channel.hear().await, "OK\r\n", "HELO has been said here");

    let mut config = hasty();
    config.cir.tcp_idle_timeout = MOMENT;
    let village = Village::with(config).await;
    let mut anna = village.phone("anna", V1_2, Wbxml, "c1").await;
    let mut channel = village.channel(&anna).await;
    assert!(channel.is_closed().await);
    let heard = anna.ask(KeepAliveRequest::default()).await;
    assert_eq!(heard.tag(), Tag::KeepAliveResponse, "the session goes on");
}

#[tokio::test]
async fn connections_are_bounded_and_those_without_helo_make_way() {
    let mut config = hasty();
    config.cir.tcp_max_connections = 4;
    let village = Village::with(config).await;
    let mut anna = village.phone("anna", V1_2, Wbxml, "c1").await;
    // One of four may be there without HELO: the oldest goes.
    let mut first = Channel::connect(village.tcp).await;
    let mut second = Channel::connect(village.tcp).await;
    assert!(first.is_closed().await);
    second.say(&format!("HELO {}\r\n", anna.session_id())).await;
    assert_eq!(second.hear().await, "OK\r\n");
    // Others than the session's own do not take its place.
    let mut channels = vec![second];
    let mut phones = Vec::new();
    for number in 0..3 {
        let mut phone = Phone::new(&village.server, "bob", V1_2, Xml).await;
        phone.client = format!("http://phone.example/{number}");
        assert_eq!(phone.log_in(crate::support::PASSWORD).await, 200);
        assert!(agreed(&mut phone).await);
        channels.push(village.channel(&phone).await);
        phones.push(phone);
    }
    let mut fifth = Channel::connect(village.tcp).await;
    assert!(fifth.is_closed().await);
    assert!(!agreed(&mut anna).await, "no place, no offer");
    channels.pop();
    let tried = async { while !agreed(&mut anna).await {} };
    tokio::time::timeout(DEADLINE, tried).await.unwrap();
}

#[tokio::test]
async fn who_does_not_read_what_is_written_is_cut_off() {
    let village = Village::with(hasty()).await;
    let anna = village.phone("anna", V1_2, Wbxml, "c1").await;
    let mut channel = village.channel(&anna).await;
    let pings = "PING\r\n".repeat(1000);
    let flooding = async { while channel.0.write_all(pings.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(DEADLINE, flooding).await.unwrap();
    village.is_lost(&anna).await;
    let _again = village.channel(&anna).await;
}
