//! `hamletd outside-message …`, over the real program, with and without a server.

mod support;

use std::path::Path;
use support::{Daemon, complaint, output};

const SENDER: &str = "wv:bo@mail.example";

fn manage(data_dir: &Path) {
    let output = |arguments: &[&str]| output(data_dir, arguments);
    let complaint = |arguments: &[&str]| complaint(data_dir, arguments);
    let announce = |id: &'static str, uri: &'static str| {
        [
            "outside-message",
            "announce",
            "anna",
            "--sender",
            SENDER,
            "--uri",
            uri,
            "--type",
            "message/rfc822",
            "--size",
            "700",
            "--name",
            "Dinner\u{1b}?",
            "--id",
            id,
        ]
    };
    output(&["user", "add", "anna", "--password", "pw"]);
    let uri = "https://mail.example/1";
    // What plays with a terminal is no name.
    let why = complaint(&announce("one", uri));
    assert!(why.contains("control characters"), "{why}");
    let plain = announce("one", uri).map(|word| {
        if word.starts_with("Dinner") {
            "Dinner"
        } else {
            word
        }
    });
    let done = output(&plain);
    assert_eq!(done, "out-one is announced to wv:anna@localhost\n");
    let again = output(&plain);
    assert_eq!(again, "out-one waits for wv:anna@localhost already\n");
    let list = output(&["outside-message", "list", "anna"]);
    let fields: Vec<&str> = list.trim_end().split('\t').collect();
    assert_eq!((fields[0], fields[1]), ("out-one", SENDER));
    assert_eq!(fields[3..], ["message/rfc822", "700 octets", uri, "Dinner"]);
    let withdraw = ["outside-message", "withdraw", "anna", "out-one"];
    assert_eq!(output(&withdraw), "out-one is withdrawn\n");
    let why = complaint(&withdraw);
    assert!(why.contains("no message out-one"), "{why}");
    let why = complaint(&["outside-message", "list", "anna@elsewhere"]);
    assert!(why.contains("is not a user of"), "{why}");
    assert_eq!(output(&["outside-message", "list", "anna"]), "");
    output(&["user", "delete", "anna"]);
}

#[test]
fn messages_of_other_systems_are_announced_with_and_without_a_server() {
    let directory = tempfile::tempdir().unwrap();
    manage(directory.path());
    let _daemon = Daemon::start(directory.path(), &[]);
    manage(directory.path());
}
