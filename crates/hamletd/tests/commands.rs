//! `hamletd user …` and its like, over the real program, with and without a server.

mod support;

use hamletd::data_dir::DataDir;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use support::{DEADLINE, Daemon, complaint, hamletd, output, run, run_with_input};

/// The whole life of two accounts, by whichever way the commands take.
fn manage_users(data_dir: &Path) {
    let output = |arguments: &[&str]| output(data_dir, arguments);
    let complaint = |arguments: &[&str]| complaint(data_dir, arguments);
    assert_eq!(output(&["user", "list"]), "");
    assert_eq!(
        output(&["user", "add", "wv:bob@localhost", "--password", "pw"]),
        "wv:bob@localhost can log in now\n"
    );
    output(&["user", "add", "Alice", "--password", "pw"]);
    assert_eq!(
        complaint(&["user", "add", "wv:alice@localhost", "--password", "other"]),
        "hamletd: wv:alice@localhost has an account already"
    );
    let list = output(&["user", "list"]);
    let users: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert_eq!(users, ["wv:alice@localhost", "wv:bob@localhost"]);
    assert_eq!(
        output(&["user", "passwd", "alice", "--password", "new"]),
        "wv:alice@localhost has a new password\n"
    );
    manage_profiles(data_dir);
    assert_eq!(
        output(&["user", "delete", "bob"]),
        "wv:bob@localhost is deleted\n"
    );
    assert_eq!(
        complaint(&["user", "delete", "bob"]),
        "hamletd: wv:bob@localhost has no account"
    );
    assert_eq!(
        complaint(&["user", "passwd", "bob", "--password", "x"]),
        "hamletd: wv:bob@localhost has no account"
    );
    assert_eq!(output(&["user", "list"]).lines().count(), 1);
    assert_eq!(output(&["session", "list"]), "");
    assert_eq!(
        complaint(&["session", "end", "alice"]),
        "hamletd: there is no such session, and wv:alice@localhost has none"
    );
    assert_eq!(
        complaint(&["session", "end", "a b"]),
        "hamletd: `a b` is neither a session nor a user"
    );
    let stats = output(&["stats"]);
    assert!(
        stats.lines().any(|line| line.trim() == "1  accounts"),
        "{stats}"
    );
}

/// Sets, shows and removes fields of bob's profile.
fn manage_profiles(data_dir: &Path) {
    let output = |arguments: &[&str]| output(data_dir, arguments);
    let complaint = |arguments: &[&str]| complaint(data_dir, arguments);
    assert_eq!(output(&["user", "show", "bob"]), "findable=yes\n");
    assert_eq!(
        output(&[
            "user",
            "set",
            "bob",
            "mobile=+34 600-000-001",
            "city=San José",
            "age=31"
        ]),
        "the profile of wv:bob@localhost is changed\n"
    );
    output(&["user", "set", "bob", "findable=no", "age="]);
    assert_eq!(
        output(&["user", "show", "bob"]),
        "city=San José\nmobile=+34600000001\nfindable=no\n"
    );
    for (arguments, expected) in [
        (
            &["user", "set", "bob", "age=old"][..],
            "age takes a number of years up to 150",
        ),
        (
            &["user", "set", "bob", "shoe-size=42"],
            "there is no field `shoe-size`",
        ),
        (
            &["user", "set", "bob", "city"],
            "`city` is not of the form FIELD=VALUE",
        ),
        (
            &["user", "set", "zoe", "city=x"],
            "wv:zoe@localhost has no account",
        ),
        (&["user", "show", "zoe"], "wv:zoe@localhost has no account"),
    ] {
        let complaint = complaint(arguments);
        assert!(complaint.contains(expected), "{complaint}");
    }
}

#[test]
fn users_are_managed_without_a_server() {
    let directory = tempfile::tempdir().unwrap();
    manage_users(&directory.path().join("data"));
}

#[test]
fn users_are_managed_through_the_running_server() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(directory.path(), &[]);
    manage_users(directory.path());
    drop(daemon);
}

#[test]
fn what_the_server_knows_is_there_without_it_and_the_other_way_round() {
    let directory = tempfile::tempdir().unwrap();
    output(
        directory.path(),
        &["user", "add", "alice", "--password", "pw"],
    );
    let daemon = Daemon::start(directory.path(), &[]);
    assert!(output(directory.path(), &["user", "list"]).starts_with("wv:alice@localhost\t"));
    output(
        directory.path(),
        &["user", "add", "bob", "--password", "pw"],
    );
    let stdout = daemon.stop();
    assert_eq!(stdout, "", "no welcome when there are accounts");
    assert_eq!(
        output(directory.path(), &["user", "list"]).lines().count(),
        2
    );
}

#[test]
fn more_accounts_than_one_answer_holds_are_all_listed() {
    let directory = tempfile::tempdir().unwrap();
    let _daemon = Daemon::start(directory.path(), &[]);
    let mut stream = UnixStream::connect(directory.path().join("control.sock")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for n in 0..1001 {
        let request =
            serde_json::json!({"command": "user-add", "user": format!("u{n}"), "password": "pw"});
        writeln!(stream, "{request}").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.contains("can log in"), "{answer}");
    }
    assert_eq!(
        output(directory.path(), &["user", "list"]).lines().count(),
        1001
    );
    assert!(output(directory.path(), &["stats"]).contains("1001  accounts"));
}

#[test]
fn a_password_can_come_from_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    let added = run_with_input(directory.path(), &["user", "add", "alice"], "from stdin\n");
    assert!(added.status.success());
    let empty = run_with_input(directory.path(), &["user", "add", "bob"], "");
    assert!(!empty.status.success());
    assert_eq!(
        String::from_utf8_lossy(&empty.stderr),
        "hamletd: the password is empty\n"
    );
}

#[test]
fn users_that_cannot_exist_here_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (user, part) in [
        (
            "wv:alice@elsewhere.example",
            "is not a user of localhost; `--set domain=…`",
        ),
        ("wv:alice/list@localhost", "not a well-formed address"),
        ("mailto:alice@localhost", "not a wv: address"),
        ("a~b", "hamletd: wv:a~b@localhost: "),
        ("", "the address is empty"),
    ] {
        let text = complaint(directory.path(), &["user", "add", user, "--password", "pw"]);
        assert!(text.contains(part), "{user}: {text}");
    }
    let long = "x".repeat(256);
    for (password, part) in [
        (long.as_str(), "hamletd: wv:alice@localhost: "),
        ("a\tb", "control character"),
    ] {
        let text = complaint(
            directory.path(),
            &["user", "add", "alice", "--password", password],
        );
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_wrong_configuration_is_told_from_other_failures() {
    let directory = tempfile::tempdir().unwrap();
    let refused = run(directory.path(), &["user", "list", "--set", "domian=x"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&refused.stderr),
        "hamletd: --set: unknown key `domian`; did you mean `domain`?\n"
    );
    assert_eq!(
        run(directory.path(), &["user", "delete", "nobody"])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn a_server_that_does_not_listen_is_not_gone_around() {
    let directory = tempfile::tempdir().unwrap();
    let _held = DataDir::take(directory.path()).unwrap();
    let text = complaint(directory.path(), &["user", "list"]);
    let pid = std::process::id();
    assert!(
        text.contains(&format!("in use by another hamletd (process {pid})")),
        "{text}"
    );
    assert!(
        text.contains("does not listen at its control socket"),
        "{text}"
    );
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let text = complaint(Path::new("/proc/nowhere"), &["user", "list"]);
    assert!(
        text.starts_with("hamletd: cannot use /proc/nowhere: "),
        "{text}"
    );
}

#[test]
fn the_control_socket_survives_what_is_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let _daemon = Daemon::start(directory.path(), &[]);
    let path = directory.path().join("control.sock");
    assert_eq!(support::mode(&path), 0o600);
    let connect = || {
        let stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    };
    // Nonsense gets an answer that does not repeat it; the connection goes on.
    let mut stream = connect();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for line in [
        "",
        "nonsense",
        "{\"command\":\"user-add\",\"user\":\"x\",\"password\":[\"s3cret\"]}",
        "\u{0}",
    ] {
        writeln!(stream, "{line}").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.contains("cannot be understood"), "{line}: {answer}");
        assert!(!answer.contains("s3cret"), "{answer}");
    }
    // A line that never ends is cut off.
    let mut stream = connect();
    let chunk = [b'x'; 4096];
    for _ in 0..16 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    let mut rest = String::new();
    let end = BufReader::new(stream).read_line(&mut rest);
    assert!(matches!(end, Ok(0) | Err(_)), "{rest}");
    // Many silent connections are bounded and do not keep others out once they go.
    let silent: Vec<UnixStream> = (0..40).map(|_| connect()).collect();
    drop(silent);
    output(directory.path(), &["user", "list"]);
}

#[test]
fn the_reference_is_printed_without_touching_anything() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let printed = output(&data_dir, &["config-reference"]);
    assert_eq!(printed, hamletd::config::reference());
    assert!(!data_dir.exists());
    let version = hamletd().arg("--version").output().unwrap();
    assert!(version.status.success());
}
