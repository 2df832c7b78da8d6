//! `hamletd group …`, over the real program, with and without a server.

mod support;

use std::path::Path;
use support::{Daemon, complaint, output};

const SKI: &str = "wv:/ski@localhost";

fn manage(data_dir: &Path) {
    let group = |words: &[&str]| output(data_dir, &[&["group"], words].concat());
    let complaint = |words: &[&str]| complaint(data_dir, &[&["group"], words].concat());
    for name in ["anna", "bob", "carl"] {
        output(data_dir, &["user", "add", name, "--password", "pw"]);
    }
    assert_eq!(group(&["list"]), "");
    let properties = ["Name=Skiing", "Topic=Snow", "WelcomeNote=Hello there"];
    let create = [
        &["create", "wv:/ski"],
        &properties[..],
        &["--admin", "anna"],
    ]
    .concat();
    assert!(group(&create).contains(SKI));
    assert!(complaint(&create).contains("there is a group wv:/ski@localhost already"));
    assert_eq!(
        group(&["list"]),
        format!("{SKI}\t1 members\t0 joined\tSkiing\n")
    );
    assert_eq!(
        group(&["set", SKI, "AccessType=Restricted"]),
        format!("{SKI} is changed\n")
    );
    assert_eq!(
        group(&["member", "wv:/ski", "bob", "--role", "mod"]),
        format!("wv:bob@localhost is a member of {SKI} (Mod)\n")
    );
    group(&["member", SKI, "carl"]);
    let shown = group(&["show", SKI]);
    for line in [
        "group=wv:/ski@localhost",
        "Name=Skiing",
        "Topic=Snow",
        "AccessType=Restricted",
        "WelcomeNote=Hello there",
        "admin=wv:anna@localhost",
        "mod=wv:bob@localhost",
        "user=wv:carl@localhost",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    assert_eq!(
        group(&["member", SKI, "carl", "--role", "none"]),
        format!("wv:carl@localhost is no member of {SKI}\n")
    );
    assert_eq!(
        group(&["reject", SKI, "carl"]),
        format!("wv:carl@localhost cannot join {SKI} any more\n")
    );
    assert_eq!(
        group(&["reject", SKI, "carl", "--readmit"]),
        format!("wv:carl@localhost can join {SKI}\n")
    );
    let said = group(&["announce", SKI, "The lifts close at four"]);
    assert!(said.ends_with(&format!(" is said in {SKI}\n")), "{said}");
    group(&["create", "wv:/sun"]);
    for (words, expected) in [
        (&["create", "wv:anna/mine"][..], "wv:anna/mine@localhost"),
        (&["create", "anna"], "anna"),
        (
            &["set", SKI, "AccessType"],
            "`AccessType` is not of the form NAME=VALUE",
        ),
        (&["set", SKI, "AccessType=Shut"], SKI),
        (&["member", SKI, "nobody"], SKI),
        (&["announce", SKI, " "], "the announcement is empty"),
        (
            &["reject", "wv:/sun", "bob"],
            "wv:/sun@localhost has no administrator",
        ),
    ] {
        let complaint = complaint(words);
        assert!(complaint.contains(expected), "{words:?}: {complaint}");
    }
    assert_eq!(group(&["delete", SKI]), format!("{SKI} is deleted\n"));
    for words in [
        &["show", SKI][..],
        &["set", SKI, "Name=x"],
        &["member", SKI, "bob"],
        &["reject", SKI, "bob"],
        &["announce", SKI, "Hello"],
        &["delete", SKI],
    ] {
        assert_eq!(
            complaint(words),
            format!("hamletd: there is no group {SKI}")
        );
    }
    assert_eq!(group(&["list"]).lines().count(), 1);
}

#[test]
fn groups_are_managed_without_a_server() {
    let directory = tempfile::tempdir().unwrap();
    manage(&directory.path().join("data"));
}

#[test]
fn groups_are_managed_through_the_running_server() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(directory.path(), &[]);
    manage(directory.path());
    drop(daemon);
}
