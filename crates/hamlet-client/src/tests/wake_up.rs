//! Transport 6.6.

use super::server::{Canned, Server, logged_in, message};
use crate::{Client, Incoming, Syntax, Version};
use std::time::Duration;

/// Logged in, with this interval between polls and a channel at the URL.
async fn client(server: &Server, poll_min: u32) -> Client {
    server.answer(logged_in("c1"));
    let mut client = Client::builder(&server.url)
        .version(Version::V1_2)
        .syntax(Syntax::Xml)
        .user("wv:anna@im.example")
        .password("secret")
        .wake_up(true)
        .connect()
        .await
        .unwrap();
    client.login().await.unwrap();
    let url = server.url.replace("/csp", "/cir/5f3a");
    server.answer(message(
        "Response",
        "c2",
        &format!(
            "<ClientCapability-Response><AgreedCapabilityList>\
             <SupportedCIRMethod>SHTTP</SupportedCIRMethod><ServerPollMin>{poll_min}</ServerPollMin>\
             <CIRURL><URL>{url}</URL></CIRURL></AgreedCapabilityList></ClientCapability-Response>"
        ),
        "F",
    ));
    client.negotiate_capabilities().await.unwrap();
    assert!(
        server
            .last()
            .contains("<SupportedCIRMethod>SHTTP</SupportedCIRMethod>")
    );
    // Nothing waits at the first poll.
    server.answer("");
    client
}

fn waits(server: &Server) {
    server.answer(message(
        "Request",
        "S1",
        "<NewMessage><MessageInfo><MessageID>m1</MessageID><ContentSize>2</ContentSize>\
         <Recipient><User><UserID>wv:anna@im.example</UserID></User></Recipient>\
         <Sender><User><UserID>wv:bob@im.example</UserID></User></Sender></MessageInfo>\
         <ContentData>hi</ContentData></NewMessage>",
        "F",
    ));
}

/// Of the requests after the negotiation.
fn lines(server: &Server) -> Vec<String> {
    let asked = server.asked();
    asked[2..].iter().map(|asked| asked.line.clone()).collect()
}

fn ended(status: u16) -> Canned {
    Canned {
        status,
        body: Vec::new(),
        close: false,
    }
}

#[tokio::test]
async fn a_client_polls_when_the_server_says_so() {
    let server = Server::start().await;
    let mut client = client(&server, 3600).await;
    server.push(ended(200));
    waits(&server);
    let incoming = client.next(Duration::from_secs(60)).await.unwrap();
    assert!(matches!(incoming, Some(Incoming::Message(m)) if m.text() == "hi"));
    assert_eq!(
        lines(&server),
        ["POST /csp", "GET /cir/5f3a", "POST /csp"],
        "without waiting for the interval"
    );
}

#[tokio::test]
async fn a_client_polls_at_the_interval_where_the_channel_does_not_work() {
    for status in [404, 503] {
        let server = Server::start().await;
        let mut client = client(&server, 0).await;
        server.push(ended(status));
        waits(&server);
        let incoming = client.next(Duration::from_secs(60)).await.unwrap();
        assert!(matches!(incoming, Some(Incoming::Message(_))), "{status}");
        assert_eq!(
            lines(&server),
            ["POST /csp", "GET /cir/5f3a", "POST /csp"],
            "{status}"
        );
    }
}
