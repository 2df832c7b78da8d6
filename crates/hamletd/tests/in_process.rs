//! The server as a library: several in one process, as the end-to-end suites use it.

use hamletd::control::{Answer, Request};
use hamletd::operations::Actor;
use hamletd::{Config, Server};
use std::path::Path;

fn config(data_dir: &Path, domain: &str) -> Config {
    let mut config = Config::default();
    for (key, value) in [
        ("domain", domain),
        ("http.listen", "127.0.0.1:0"),
        ("admin.listen", "127.0.0.1:0"),
    ] {
        config.set(key, value).unwrap();
    }
    config.data_dir = data_dir.to_owned();
    config
}

#[tokio::test]
async fn two_servers_live_in_one_process_and_one_can_be_started_again() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (directory.path().join("a"), directory.path().join("b"));
    let first = Server::start(config(&a, "a.example")).await.unwrap();
    let second = Server::start(config(&b, "b.example")).await.unwrap();
    assert_ne!(first.http_addr(), second.http_addr());
    let add = Request::UserAdd {
        user: "alice".to_owned(),
        password: "pw".to_owned(),
    };
    let added = first
        .operations()
        .execute(&Actor::this_process(), add)
        .await;
    assert!(matches!(added, Answer::Done { .. }), "{added:?}");
    let refused = Server::start(config(&a, "a.example")).await.err().unwrap();
    assert!(refused.to_string().contains("in use"), "{refused}");
    first.stop().await;

    let again = Server::start(config(&a, "a.example")).await.unwrap();
    assert!(!again.operations().has_no_accounts().await);
    assert!(second.operations().has_no_accounts().await);
    again.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_start_that_fails_lets_go_of_everything() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut wrong = config(directory.path(), "a.example");
    let address = taken.local_addr().unwrap().to_string();
    wrong.set("admin.listen", &address).unwrap();
    let refused = Server::start(wrong).await.err().unwrap().to_string();
    assert!(refused.contains("admin.listen"), "{refused}");
    let server = Server::start(config(directory.path(), "a.example"))
        .await
        .unwrap();
    server.stop().await;
}
