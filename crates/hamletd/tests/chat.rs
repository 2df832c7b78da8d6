//! Two clients chat through the real program, and what the operator then sees and does.

mod support;

use std::path::Path;
use support::phone::{Phone, code};
use support::{Daemon, get, output};

const PASSWORD: &str = "pa55-w0rd-of-alice";
const TEXT: &str = "the quick brown fox says: meet me at noon";

fn start(data_dir: &Path, sets: &[&str]) -> Daemon {
    add_users(data_dir);
    Daemon::start(data_dir, sets)
}

fn add_users(data_dir: &Path) {
    for user in ["alice", "bob"] {
        output(data_dir, &["user", "add", user, "--password", PASSWORD]);
    }
}

fn log_in(daemon: &Daemon, user: &str) -> Phone {
    Phone::log_in(
        daemon.http.unwrap(),
        &format!("wv:{user}@localhost"),
        PASSWORD,
    )
    .unwrap()
}

/// A login that fails, one that registers, and a message that arrives.
fn chat(daemon: &Daemon) {
    let (mut alice, mut bob) = (log_in(daemon, "alice"), log_in(daemon, "bob"));
    let server = daemon.http.unwrap();
    let wrong = Phone::log_in(server, "wv:alice@localhost", "wr0ng-passw0rd");
    assert_eq!(wrong.err().and_then(|answer| code(&answer)), Some(409));
    Phone::log_in(server, "wv:carol@localhost", "pa55-w0rd-of-carol").unwrap();
    assert_eq!(alice.send("wv:bob@localhost", TEXT), Some(200));
    let news = bob.poll();
    assert!(news.contains(TEXT), "{news}");
}

#[test]
fn passwords_and_messages_never_show_in_the_log() {
    for start in [Daemon::start, Daemon::start_with_text_log] {
        let directory = tempfile::tempdir().unwrap();
        add_users(directory.path());
        let mut daemon = start(directory.path(), &["accounts.auto_register=true"]);
        chat(&daemon);
        output(
            directory.path(),
            &["user", "passwd", "bob", "--password", "n3w-passw0rd"],
        );
        daemon.signal(rustix::process::Signal::TERM);
        let (_, stdout) = daemon.wait();
        let log = daemon.seen.join("\n") + &stdout;
        assert!(log.contains("serving") && log.contains("stopped"), "{log}");
        for secret in [
            PASSWORD,
            TEXT,
            "wr0ng-passw0rd",
            "pa55-w0rd-of-carol",
            "n3w-passw0rd",
            "brown fox",
        ] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
}

#[test]
fn a_session_that_the_operator_ends_is_over_for_the_client() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = start(directory.path(), &[]);
    let (mut alice, mut bob) = (log_in(&daemon, "alice"), log_in(&daemon, "bob"));
    let list = output(directory.path(), &["session", "list"]);
    assert_eq!(list.lines().count(), 2, "{list}");
    let line = list.lines().find(|line| line.starts_with(&alice.session));
    let parts: Vec<&str> = line.unwrap().split('\t').collect();
    assert_eq!(parts[1..3], ["wv:alice@localhost", "CSP 1.2"]);
    assert_eq!(
        parts[5..],
        ["0 waiting", "CIR -", "test/wv:alice@localhost", "-"]
    );

    assert_eq!(
        output(directory.path(), &["session", "end", &alice.session]),
        "the session has ended\n"
    );
    assert_eq!(alice.keep_alive(), Some(601));
    assert_eq!(bob.keep_alive(), Some(200));
    assert_eq!(
        output(directory.path(), &["session", "end", "bob"]),
        "wv:bob@localhost; one session has ended\n"
    );
    assert_eq!(bob.keep_alive(), Some(601));
    assert_eq!(output(directory.path(), &["session", "list"]), "");
}

#[test]
fn a_new_password_and_a_deletion_end_the_sessions() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = start(directory.path(), &[]);
    let (mut alice, mut bob) = (log_in(&daemon, "alice"), log_in(&daemon, "bob"));
    let server = daemon.http.unwrap();
    assert_eq!(
        output(
            directory.path(),
            &["user", "passwd", "alice", "--password", "new"]
        ),
        "wv:alice@localhost has a new password; one session has ended\n"
    );
    assert_eq!(alice.keep_alive(), Some(601));
    assert!(Phone::log_in(server, "wv:alice@localhost", PASSWORD).is_err());
    let mut alice = Phone::log_in(server, "wv:alice@localhost", "new").unwrap();

    assert_eq!(
        output(directory.path(), &["user", "delete", "bob"]),
        "wv:bob@localhost is deleted; one session has ended\n"
    );
    assert!(matches!(bob.keep_alive(), Some(601 | 604)));
    assert!(Phone::log_in(server, "wv:bob@localhost", PASSWORD).is_err());
    assert_eq!(alice.send("wv:bob@localhost", "gone?"), Some(531));
}

#[test]
fn sessions_outlive_a_restart_and_can_be_ended_without_a_server() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = start(directory.path(), &[]);
    let alice = log_in(&daemon, "alice");
    let bob = log_in(&daemon, "bob");
    daemon.stop();
    output(directory.path(), &["session", "end", "alice"]);
    let daemon = Daemon::start(directory.path(), &[]);
    let server = daemon.http.unwrap();
    assert_eq!(alice.at(server).keep_alive(), Some(601));
    assert_eq!(bob.at(server).keep_alive(), Some(200));
}

#[test]
fn the_metrics_tell_of_sessions_and_requests() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = start(directory.path(), &["accounts.auto_register=true"]);
    chat(&daemon);
    let (status, text) = get(daemon.admin.unwrap(), "/metrics", "");
    assert_eq!(status, 200);
    for primitive in ["Login-Request", "SendMessage-Request", "Polling-Request"] {
        assert!(text.contains(primitive), "{primitive}: {text}");
    }
    let stats = output(directory.path(), &["stats"]);
    for figure in ["3  accounts", "3  sessions"] {
        assert!(stats.contains(figure), "{figure}: {stats}");
    }
}

#[test]
fn a_trace_shows_what_was_said_but_for_the_passwords() {
    let directory = tempfile::tempdir().unwrap();
    let traces = directory.path().join("traces");
    let set = format!("trace.dir={}", traces.display());
    let daemon = start(&directory.path().join("data"), &[&set]);
    let mut alice = log_in(&daemon, "alice");
    assert_eq!(alice.send("wv:bob@localhost", TEXT), Some(200));
    // What was said is in the files when the server has stopped.
    daemon.stop();
    let files = std::fs::read_dir(&traces).unwrap();
    let texts: Vec<String> = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let all = texts.concat();
    assert!(all.contains("Login-Request") && all.contains(TEXT), "{all}");
    let in_hex: String = PASSWORD
        .bytes()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    for secret in [PASSWORD, &in_hex, &in_hex.to_uppercase()] {
        assert!(!all.replace("\nhex: ", "").contains(secret), "{all}");
    }
}
