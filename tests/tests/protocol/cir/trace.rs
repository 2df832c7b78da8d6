//! What happens on the CIR channel stands in `trace.dir` beside the exchanges.

use super::{EVERYTHING, fetch, negotiate};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::channel::TcpChannel;
use hamlet_tests::server::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_on_the_channel_stands_between_the_exchanges_of_its_session() {
    let directory = tempfile::tempdir().expect("a directory");
    let trace = format!("trace.dir={}", directory.path().display());
    let settings = [EVERYTHING[0], EVERYTHING[1], EVERYTHING[2], &trace];
    let mut server = TestServer::with_users(&settings, &["alice", "bob"]).await;
    let mut alice = server.client(Version::V1_2, Syntax::Wbxml, "alice").await;
    negotiate(&mut alice, &["STCP"], "").await;
    let mut channel = TcpChannel::open(server.cir_tcp(), &alice.session).await;
    let mut bob = server.xml("bob").await;
    bob.send_text("wv:alice@h", "hello").await.expect_code(200);
    let line = channel.hear().await;
    assert_eq!(fetch(&mut alice).await, "hello");
    server.stop().await;

    let file = std::fs::read_dir(directory.path())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains("alice@h"))
        .expect("the trace of alice");
    let text = std::fs::read_to_string(file).expect("a text");
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    let opened = place("Z CIR channel STCP: HELO from 127.0.0.1:");
    let called = place(&format!("Z CIR out by STCP: {}", line.trim_end()));
    assert!(place("ClientCapability-Request") < opened);
    assert!(opened < called && called < place("MessageDelivered"));
    // Each of them is a comment to who reads the exchanges.
    let notes = text.lines().filter(|line| line.contains(" CIR "));
    assert!(notes.into_iter().all(|line| line.starts_with("# 20")));
}
