//! The terminal client as a program of its own.

use hamlet_tests::http::DEADLINE;
use hamlet_tests::metrics::Metrics;
use hamlet_tests::process::program;
use hamlet_tests::server::TestServer;
use std::process::Stdio;
use std::time::Instant;
use tokio::process::Command;

fn hamlet(server: &TestServer, user: &str, words: &[&str]) -> Command {
    let url = format!("http://{}/", server.address());
    let user = format!("wv:{user}@h");
    let mut command = Command::new(program("hamlet"));
    command
        .args(["--server", &url, "--user", &user, "--password", "secret"])
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_receives_is_told_at_once_though_polls_are_an_hour_apart() {
    // Transport 6.6.
    let server = TestServer::with_users(&["poll.min=1h"], &["anna", "bob"]).await;
    let words = ["receive", "--count", "1", "--timeout", "120"];
    let receiving = hamlet(&server, "bob", &words).spawn().expect("it runs");
    let deadline = Instant::now() + DEADLINE;
    // A request of standalone HTTP is held.
    while Metrics::of(server.admin_address())
        .await
        .value("hamlet_cir_http_waiting")
        < 1.0
    {
        assert!(Instant::now() < deadline, "no request is held");
    }
    let mut anna = server.xml("anna").await;
    anna.send_text("wv:bob@h", "hello").await.expect_code(200);
    let output = receiving.wait_with_output().await.expect("it ends");
    assert!(output.status.success(), "{output:?}");
    let received = String::from_utf8_lossy(&output.stdout);
    assert!(received.ends_with("wv:anna@h: hello\n"), "{received}");
}
