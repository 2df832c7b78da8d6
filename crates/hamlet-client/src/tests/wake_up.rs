//! Transport 6.6.

use super::server::{Server, logged_in, message};
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
    let asked = server.asked();
    let offers = |body: &str| body.contains("<SupportedCIRMethod>SHTTP</SupportedCIRMethod>");
    assert!(asked.iter().any(|asked| offers(&asked.body)));
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

#[tokio::test]
async fn a_client_polls_when_the_server_says_so() {
    let server = Server::start().await;
    server.release(200);
    let mut client = client(&server, 3600).await;
    waits(&server);
    let incoming = client.next(Duration::from_secs(60)).await.unwrap();
    assert!(matches!(incoming, Some(Incoming::Message(m)) if m.text() == "hi"));
    let lines = server.asked().into_iter().map(|asked| asked.line);
    let held = lines.filter(|line| line == "GET /cir/5f3a").count();
    assert!(held > 0, "by the URL of the server");
}

#[tokio::test]
async fn a_client_polls_at_the_interval_where_the_channel_does_not_work() {
    // Gone, out of order, or a proxy that swallows it.
    for status in [Some(404), Some(503), None] {
        let server = Server::start().await;
        if let Some(status) = status {
            server.release(status);
        }
        let mut client = client(&server, 1).await;
        waits(&server);
        let incoming = client.next(Duration::from_secs(60)).await.unwrap();
        assert!(matches!(incoming, Some(Incoming::Message(_))), "{status:?}");
    }
}
