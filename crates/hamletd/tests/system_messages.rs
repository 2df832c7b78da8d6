//! `hamletd system-message …`, over the real program, with and without a server.

mod support;

use std::path::Path;
use support::{Daemon, complaint, output};

fn manage(data_dir: &Path, users: &Path) {
    let output = |arguments: &[&str]| output(data_dir, arguments);
    let complaint = |arguments: &[&str]| complaint(data_dir, arguments);
    assert_eq!(output(&["system-message", "list"]), "");
    let names: Vec<String> = (0..100).map(|number| format!("user{number:03}")).collect();
    for name in &names[..3] {
        output(&["user", "add", name, "--password", "pw"]);
    }
    std::fs::write(users, "user000\n\n wv:user001@localhost \n").unwrap();
    let file = users.to_str().unwrap();
    let sent = output(&[
        "system-message",
        "send",
        "New terms of use",
        "--to-file",
        file,
        "--to",
        "user002",
        "--option",
        "Accept",
        "--refusal",
        "Decline",
        "--at-login",
    ]);
    assert_eq!(sent, "system message 1 is sent to 3 users\n");
    let list = output(&["system-message", "list"]);
    let fields: Vec<&str> = list.trim_end().split('\t').collect();
    assert_eq!((fields[0], fields[1]), ("1", "some"));
    assert_eq!((fields[4], fields[5]), ("3 waiting", "New terms of use"));
    let shown = output(&["system-message", "show", "1"]);
    let of: Vec<&str> = shown
        .lines()
        .skip(1)
        .map(|line| line.split('\t').next().unwrap())
        .collect();
    let expected = [
        "wv:user000@localhost",
        "wv:user001@localhost",
        "wv:user002@localhost",
    ];
    assert_eq!(of, expected);
    assert_eq!(
        output(&["system-message", "cancel", "1"]),
        "nobody gets system message 1 any more\n"
    );
    assert_eq!(
        output(&["system-message", "send", "Hello", "--everyone"]),
        "system message 2 is sent to everyone\n"
    );
    // More than fit into one request.
    for name in &names[3..] {
        output(&["user", "add", name, "--password", "pw"]);
    }
    std::fs::write(users, names.join("\n")).unwrap();
    assert_eq!(
        output(&["system-message", "send", "Hello", "--to-file", file]),
        "system message 3 is sent to 40 users\nand to 60 more users\n"
    );
    let shown = output(&["system-message", "show", "3"]);
    assert_eq!(shown.lines().count(), 101);
    for (arguments, expected) in [
        (&["send", "x"][..], "say to whom"),
        (
            &["send", "x", "--to", "zoe"],
            "wv:zoe@localhost does not exist",
        ),
        (
            &["send", "x", "--to", "a@elsewhere"],
            "is not a user of localhost",
        ),
        (&["send", "x", "--online"], "there is nobody to send it to"),
        (
            &["send", "x", "--everyone", "--key", "k"],
            "belong together",
        ),
        (&["cancel", "1"], "there is no system message 1"),
        (&["show", "9"], "there is no system message 9"),
    ] {
        let complaint = complaint(&[&["system-message"], arguments].concat());
        assert!(complaint.contains(expected), "{complaint}");
    }
}

#[test]
fn system_messages_are_managed_without_a_server() {
    let directory = tempfile::tempdir().unwrap();
    manage(
        &directory.path().join("data"),
        &directory.path().join("users"),
    );
}

#[test]
fn system_messages_are_managed_through_the_running_server() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(directory.path(), &[]);
    manage(directory.path(), &directory.path().join("users"));
    drop(daemon);
}
