//! The user's commands against a server.

mod common;

use common::{Server, fail, succeed};

fn line(server: &Server, user: &str, rest: &[&str]) -> Vec<String> {
    [
        "--server",
        &server.url,
        "--user",
        user,
        "--password",
        "secret",
    ]
    .iter()
    .chain(rest)
    .map(|word| (*word).to_owned())
    .collect()
}

fn ok(server: &Server, user: &str, rest: &[&str], input: &[u8]) -> String {
    let line = line(server, user, rest);
    succeed(&line.iter().map(String::as_str).collect::<Vec<_>>(), input)
}

fn refused(server: &Server, user: &str, rest: &[&str]) -> String {
    let line = line(server, user, rest);
    fail(&line.iter().map(String::as_str).collect::<Vec<_>>(), b"")
}

const ALICE: &str = "wv:alice@localhost";
const BOB: &str = "wv:bob@localhost";

#[test]
fn login_prints_what_was_agreed() {
    let server = Server::start();
    for digest in ["none", "sha"] {
        let text = ok(&server, ALICE, &["--digest", digest, "login"], b"");
        assert!(text.contains("keep-alive    600 s"), "{text}");
        assert!(text.contains("poll          every 1 s"), "{text}");
        assert!(text.contains("denied        nothing"), "{text}");
    }
}

#[test]
fn a_message_goes_from_an_old_xml_client_to_a_new_wbxml_client() {
    let server = Server::start();
    let text = "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442} <\u{1f600}> & \u{1b}[1m";
    let old = ["--csp", "1.1", "--syntax", "xml", "send", BOB, text];
    assert_eq!(ok(&server, ALICE, &old, b""), "200 m1&\n");
    ok(&server, ALICE, &["send", BOB, "-"], b"from a pipe\n");
    let received = ok(&server, BOB, &["receive"], b"");
    let lines: Vec<&str> = received.lines().collect();
    assert_eq!(lines.len(), 2, "{received}");
    assert!(lines[0].ends_with(
        "wv:alice@localhost: \u{41f}\u{440}\u{438}\u{432}\u{435}\u{442} <\u{1f600}> & \u{fffd}[1m"
    ));
    assert!(lines[1].ends_with(": from a pipe"));
    // All acknowledged.
    assert_eq!(ok(&server, BOB, &["receive"], b""), "");
}

#[test]
fn receive_counts_and_prints_json() {
    let server = Server::start();
    for text in ["one", "two"] {
        ok(&server, ALICE, &["send", BOB, text], b"");
    }
    let received = ok(&server, BOB, &["receive", "--count", "2", "--json"], b"");
    let second: serde_json::Value = serde_json::from_str(received.lines().nth(1).unwrap()).unwrap();
    assert_eq!(second["text"], "two");
    assert_eq!(second["from"], ALICE);
    let missing = refused(&server, BOB, &["receive", "--count", "1", "--timeout", "0"]);
    assert_eq!(missing, "hamlet: 1 messages did not come");
}

#[test]
fn errors_are_one_line_and_exit_code_1() {
    let server = Server::start();
    let line = refused(&server, ALICE, &["send", "wv:nobody@localhost", "x"]);
    assert_eq!(line, "hamlet: refused: 531 Unknown user");
    let wrong = [
        "--server",
        &server.url,
        "--user",
        ALICE,
        "--password",
        "wrong",
        "login",
    ];
    assert_eq!(fail(&wrong, b""), "hamlet: refused: 409 Invalid password");
    assert!(fail(&["login"], b"").contains("--user"));
    let nobody = [
        "--server",
        "http://127.0.0.1:1/",
        "--user",
        ALICE,
        "--password",
        "x",
        "login",
    ];
    assert!(fail(&nobody, b"").starts_with("hamlet: no connection to 127.0.0.1:1"));
}

#[test]
fn contact_lists_are_made_and_filled() {
    let server = Server::start();
    let none = refused(&server, ALICE, &["contacts", "add", BOB]);
    assert!(none.contains("no default contact list"), "{none}");
    ok(&server, ALICE, &["contacts", "create", "friends"], b"");
    ok(
        &server,
        ALICE,
        &["--csp", "1.2", "contacts", "create", "work"],
        b"",
    );
    let lists = ok(&server, ALICE, &["contacts", "list"], b"");
    assert_eq!(
        lists,
        "wv:alice/friends@localhost (default)\nwv:alice/work@localhost\n"
    );
    let members = ok(
        &server,
        ALICE,
        &["contacts", "add", BOB, "--name", "Bob"],
        b"",
    );
    assert_eq!(members, "wv:bob@localhost \"Bob\"\n");
}

#[test]
fn presence_is_published_and_what_the_server_lacks_is_said() {
    let server = Server::start();
    let set = [
        "presence",
        "set",
        "--availability",
        "discreet",
        "--mood",
        "happy",
    ];
    assert_eq!(ok(&server, ALICE, &set, b""), "");
    let line = refused(&server, ALICE, &["presence", "get", BOB]);
    assert_eq!(line, "hamlet: refused: 501 Not implemented");
}
