//! The commands of users about presence, invitations, groups, shared content and messages that
//! wait, as processes against a server that is one too.

use hamlet_tests::process::{Hamletd, program};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

const SKI: &str = "wv:anna/ski@h";

/// A server that keeps content, with anna, bob and carl.
fn server() -> Hamletd {
    let settings = [
        "domain=h",
        "content.enabled=true",
        "content.base_url=http://im.example/",
    ];
    let server = Hamletd::start(&settings);
    for name in ["anna", "bob", "carl"] {
        server.add_user(name, "secret");
    }
    server
}

fn command(server: &Hamletd, user: &str, words: &[&str]) -> Command {
    let url = format!("http://{}/", server.address());
    let user = format!("wv:{user}@h");
    let mut command = Command::new(program("hamlet"));
    command
        .args(["--server", &url, "--user", &user, "--password", "secret"])
        .args(words);
    command
}

fn hamlet(server: &Hamletd, user: &str, words: &[&str]) -> Output {
    let output = command(server, user, words).output();
    output.expect("hamlet runs")
}

/// What a command prints that must succeed.
fn done(server: &Hamletd, user: &str, words: &[&str]) -> String {
    let output = hamlet(server, user, words);
    assert!(output.status.success(), "{user} {words:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a command complains of that must fail.
fn fails(server: &Hamletd, user: &str, words: &[&str]) -> String {
    let output = hamlet(server, user, words);
    assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn a_group_is_made_joined_and_talked_in() {
    let server = server();
    let anna = |words: &[&str]| done(&server, "anna", words);
    assert_eq!(anna(&["group", "list"]), "");
    let create = ["group", "create", "ski", "--name", "Skiing"];
    anna(&[&create[..], &["--topic", "Snow", "--searchable"]].concat());
    assert!(fails(&server, "anna", &create).contains("801"));
    assert_eq!(anna(&["group", "list"]), format!("{SKI}\n"));
    let members = anna(&["group", "members", "ski"]);
    assert!(members.contains("admin\twv:anna@h"), "{members}");
    anna(&["group", "invite", "ski", "wv:bob@h", "--note", "Come"]);

    let join = ["--poll-every", "1", "group", "join", SKI, "--as", "Bobby"];
    let join = [&join[..], &["--timeout", "60"]].concat();
    let mut bob = command(&server, "bob", &join);
    let bob = bob.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut bob = bob.spawn().expect("hamlet runs");
    let heard = BufReader::new(bob.stdout.take().expect("a pipe"));
    let mut heard = heard.lines().map(|line| line.expect("UTF-8"));
    assert_eq!(heard.next().as_deref(), Some("* Bobby is here"));
    let said = ["group", "say", SKI, "Hello", "--as", "Carlo"];
    assert_eq!(done(&server, "carl", &said), "200\n");
    assert!(heard.any(|line| line == "<Carlo> Hello"));
    for version in ["1.1", "1.2"] {
        let old = [&["--csp", version, "--syntax", "xml"], &said[..]].concat();
        assert_eq!(done(&server, "carl", &old), "200\n");
        assert!(heard.any(|line| line == "<Carlo> Hello"));
    }
    server.operate(&["group", "announce", SKI, "We close"]);
    assert!(heard.any(|line| line.ends_with("> We close")));
    assert!(fails(&server, "carl", &["group", "delete", SKI]).contains("816"));
    anna(&["group", "delete", "ski"]);
    // Who is joined is put out and told why he hears no more.
    heard.for_each(drop);
    let bob = bob.wait_with_output().expect("its end");
    let why = String::from_utf8(bob.stderr).expect("UTF-8");
    assert_eq!(why, "hamlet: you are not in the group any more\n");
    assert!(fails(&server, "carl", &said).contains("800"));
    assert_eq!(anna(&["group", "list"]), "");
}

/// What the server keeps at a URL of its own.
fn fetch(server: &Hamletd, url: &str) -> String {
    let path = url.strip_prefix("http://im.example").expect("its base");
    let mut stream = TcpStream::connect(server.address()).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: im.example\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a connection");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}

#[test]
fn a_file_is_shared_with_users_and_groups() {
    let server = server();
    let file = server.data_dir().join("cat.txt");
    std::fs::write(&file, "a cat").expect("a file");
    let file = file.to_str().expect("a path");
    let printed = done(
        &server,
        "anna",
        &["share", file, "--with", "wv:bob@h", "--note", "Look"],
    );
    assert!(
        printed.starts_with("http://im.example/content/"),
        "{printed}"
    );
    assert_eq!(fetch(&server, printed.trim_end()), "a cat");
    let alone = done(&server, "anna", &["share", file]);
    assert_ne!(alone, printed);
    let to_group = ["share", file, "--group", "ski"];
    let why = fails(&server, "anna", &to_group);
    assert!(why.contains("800"), "{why}");
    done(&server, "anna", &["group", "create", "ski"]);
    done(&server, "anna", &to_group);
    let why = fails(&server, "anna", &["share", file, "--with", "wv:nobody@h"]);
    assert!(why.contains("531"), "{why}");
    let unknown = server.data_dir().join("cat.odd");
    std::fs::write(&unknown, "?").expect("a file");
    let unknown = unknown.to_str().expect("a path");
    let why = fails(&server, "anna", &["share", unknown]);
    assert!(why.contains("--type"), "{why}");
}

/// The MessageIDs of what waits for a user.
fn waiting(server: &Hamletd, user: &str) -> Vec<String> {
    let list = done(server, user, &["waiting", "list"]);
    let id = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    list.lines().map(id).collect()
}

#[test]
fn messages_that_wait_are_listed_fetched_rejected_and_forwarded() {
    let server = server();
    for text in ["one", "two", "three"] {
        done(&server, "anna", &["send", "wv:bob@h", text]);
    }
    let list = done(&server, "bob", &["waiting", "list", "--count", "2"]);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    assert!(
        lines[0].ends_with(" from wv:anna@h: text/plain, 3 octets"),
        "{list}"
    );
    assert_eq!(lines[2], "and 1 more");
    let ids = waiting(&server, "bob");
    let [one, two, three] = ids.as_slice() else {
        panic!("{ids:?}")
    };
    for words in [
        &["waiting", "get", one, "--keep"][..],
        &["waiting", "get", one],
    ] {
        let got = done(&server, "bob", words);
        assert!(got.trim_end().ends_with("wv:anna@h: one"), "{got}");
    }
    let why = fails(&server, "bob", &["waiting", "get", one]);
    assert!(why.contains("426"), "{why}");
    assert_eq!(done(&server, "bob", &["waiting", "reject", two]), "");
    let forwarded = done(&server, "bob", &["waiting", "forward", three, "wv:carl@h"]);
    assert!(forwarded.starts_with("200"), "{forwarded}");
    let got = waiting(&server, "carl");
    let [id] = got.as_slice() else {
        panic!("{got:?}")
    };
    let got = done(&server, "carl", &["waiting", "get", id, "--json"]);
    assert!(got.contains("\"three\""), "{got}");
    assert_eq!(waiting(&server, "carl"), Vec::<String>::new());
}

const VERSIONS: [&str; 3] = ["1.1", "1.2", "1.3"];

/// The command's words for a client of this version.
fn of<'a>(version: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    [&["--csp", version][..], words].concat()
}

#[test]
fn two_users_who_only_know_the_commands_come_to_see_each_other() {
    // README; csp-presence 6.5 to 6.7: out of the box nobody sees anything until he is let.
    let server = server();
    for version in VERSIONS {
        let anna = |words: &[&str]| done(&server, "anna", &of(version, words));
        let bob = |words: &[&str]| done(&server, "bob", &of(version, words));
        bob(&[
            "presence",
            "set",
            "--text",
            "Hi",
            "--availability",
            "available",
        ]);
        let look = ["presence", "get", "wv:bob@h"];
        let nothing = "wv:bob@h shows you nothing; to ask: hamlet presence ask wv:bob@h\n";
        assert_eq!(anna(&look), nothing);
        anna(&["presence", "ask", "wv:bob@h"]);
        // A command that shows no questions leaves it to one that does.
        bob(&["contacts", "list"]);
        let asked = bob(&["receive"]);
        let expected = "* wv:anna@h asks to see your presence (";
        assert!(asked.starts_with(expected), "{version}: {asked}");
        let answer = "answer: hamlet presence authorize wv:anna@h, or deny\n";
        assert!(asked.ends_with(answer), "{asked}");
        assert_eq!(bob(&["receive"]), "", "once");
        bob(&["presence", "authorize", "wv:anna@h"]);
        assert_eq!(anna(&look), "wv:bob@h offline NOT_AVAILABLE \"Hi\"\n");
        bob(&[
            "presence",
            "authorize",
            "wv:anna@h",
            "--only",
            "onlinestatus,Alias",
        ]);
        assert_eq!(anna(&look), "wv:bob@h offline\n");
        if version != "1.1" {
            // 1.1 knows only who watches now.
            let watchers = bob(&["presence", "watchers"]);
            let expected = "wv:anna@h has watched, may see OnlineStatus,Alias\n";
            assert_eq!(watchers, expected);
        }
        bob(&["presence", "deny", "wv:anna@h"]);
        assert_eq!(anna(&look), nothing);
        anna(&["presence", "ask", "wv:bob@h"]);
        assert_eq!(bob(&["receive"]), "", "denied");
        bob(&["presence", "forget", "wv:anna@h"]);
        anna(&["presence", "ask", "wv:bob@h"]);
        let again = bob(&["receive", "--json"]);
        let again: serde_json::Value = serde_json::from_str(&again).expect("JSON");
        assert_eq!(again["event"], "authorization");
        assert_eq!(again["from"][0], "wv:anna@h");
        bob(&["presence", "forget", "wv:anna@h"]);
    }
    let why = fails(&server, "bob", &["presence", "authorize", "wv:nobody@h"]);
    assert!(why.contains("531"), "{why}");
}

#[test]
fn who_watches_sees_somebody_come_as_soon_as_he_is_let() {
    let server = server();
    let words = ["--poll-every", "1", "presence", "watch", "wv:bob@h"];
    let words = [&words[..], &["--count", "1", "--timeout", "60"]].concat();
    let mut anna = command(&server, "anna", &words);
    let anna = anna.stdout(Stdio::piped()).spawn().expect("hamlet runs");
    // Waits for the question, which the subscription raises.
    let words = ["--poll-every", "1", "presence", "watch", "wv:bob@h"];
    let mut bob = command(&server, "bob", &[&words[..], &["--timeout", "60"]].concat());
    let mut bob = bob.stdout(Stdio::piped()).spawn().expect("hamlet runs");
    let heard = BufReader::new(bob.stdout.take().expect("a pipe"));
    let mut heard = heard.lines().map(|line| line.expect("UTF-8"));
    assert!(heard.any(|line| line.starts_with("* wv:anna@h asks to see your presence")));
    done(
        &server,
        "bob",
        &["--client-id", "other", "presence", "authorize", "wv:anna@h"],
    );
    let anna = anna.wait_with_output().expect("its end");
    let seen = String::from_utf8(anna.stdout).expect("UTF-8");
    assert!(seen.starts_with("wv:bob@h online"), "{seen}");
    bob.kill().expect("it runs");
    bob.wait().expect("its end");
}

/// The identifier in the line that `receive` prints of an invitation.
fn invitation(line: &str) -> &str {
    let (_, rest) = line.split_once("hamlet invitation accept ").expect(line);
    rest.split(',').next().expect(line)
}

#[test]
fn invitations_are_shown_and_answered() {
    // csp-access 10.
    let server = server();
    done(&server, "anna", &["group", "create", "ski"]);
    let file = server.data_dir().join("cat.txt");
    std::fs::write(&file, "a cat").expect("a file");
    let file = file.to_str().expect("a path");
    for version in VERSIONS {
        let anna = |words: &[&str]| done(&server, "anna", &of(version, words));
        let bob = |words: &[&str]| done(&server, "bob", &of(version, words));
        anna(&["group", "invite", "ski", "wv:bob@h", "--note", "Come"]);
        // Only a command that shows it takes it.
        bob(&["contacts", "list"]);
        let came = bob(&["receive"]);
        let expected = format!("* wv:anna@h invites you to the group {SKI}: \"Come\"; answer: ");
        assert!(came.starts_with(&expected), "{version}: {came}");
        assert_eq!(bob(&["receive"]), "", "once");
        let id = invitation(&came);
        bob(&["invitation", "accept", id, "--note", "Fine"]);
        let answer = anna(&["receive"]);
        let expected = "* wv:bob@h accepts your invitation ";
        assert!(answer.starts_with(expected), "{answer}");
        assert!(answer.ends_with(": \"Fine\"\n"), "{answer}");
        let late = fails(&server, "bob", &of(version, &["invitation", "decline", id]));
        assert!(late.contains("423"), "{late}");

        let url = anna(&["share", file, "--with", "wv:bob@h"]);
        let came = bob(&["receive"]);
        let expected = format!(
            "* wv:anna@h invites you to fetch {}; answer: ",
            url.trim_end()
        );
        assert!(came.starts_with(&expected), "{came}");
        bob(&["invitation", "decline", invitation(&came)]);
        let answer = anna(&["receive"]);
        assert!(
            answer.starts_with("* wv:bob@h declines your invitation "),
            "{answer}"
        );
    }
}
