//! The operator's newer commands, and the tokens of the HTTP API.

mod support;

use rustix::process::Signal;
use support::{Daemon, complaint, get, output};

#[test]
fn an_account_is_disabled_and_enabled() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    output(data, &["user", "add", "anna", "--password", "pw"]);
    let said = output(data, &["user", "disable", "anna"]);
    assert_eq!(said, "wv:anna@localhost cannot log in any more\n");
    assert!(output(data, &["user", "list"]).contains("\tbarred\t"));
    output(data, &["user", "enable", "anna"]);
    assert!(output(data, &["user", "list"]).contains("\tactive\t"));
    let why = complaint(data, &["user", "disable", "nobody"]);
    assert_eq!(why, "hamletd: wv:nobody@localhost has no account");
}

#[test]
fn a_user_profile_is_shown_and_changed() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    output(data, &["user", "add", "anna", "--password", "pw"]);
    let profile = output(data, &["user", "user-profile", "anna"]);
    assert!(profile.contains("service.IM=active\n") && profile.contains("findable=yes\n"));
    let fields = [
        "service.im=inactive",
        "service.Group=unsubscribed",
        "findable=no",
        "privacy.Location=no",
        "preference.language=fi",
    ];
    output(data, &setting(&fields));
    let profile = output(data, &["user", "user-profile", "anna"]);
    for line in [
        "service.IM=inactive",
        "service.Group=unsubscribed",
        "service.Presence=active",
        "findable=no",
        "privacy.Location=no",
        "preference.language=fi",
    ] {
        assert!(
            profile.lines().any(|found| found == line),
            "{line}: {profile}"
        );
    }
    output(
        data,
        &setting(&["privacy.Location=", "preference.language="]),
    );
    let profile = output(data, &["user", "user-profile", "anna"]);
    assert!(!profile.contains("Location") && !profile.contains("language"));
    for wrong in [
        "service.IM",
        "service.IM=perhaps",
        "service.Mail=active",
        "findable=",
        "privacy.Location=perhaps",
        "privacy.a b=no",
        "city=Turku",
    ] {
        complaint(data, &setting(&[wrong]));
    }
}

fn setting<'a>(fields: &[&'a str]) -> Vec<&'a str> {
    [&["user", "user-profile", "anna"], fields].concat()
}

#[test]
fn an_application_is_registered_changed_and_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    output(data, &["user", "add", "anna", "--password", "pw"]);
    let add = [
        "app",
        "add",
        "chess",
        "--password",
        "pw",
        "--services",
        "IM,Presence",
    ];
    let said = output(data, &add);
    assert_eq!(
        said,
        "application chess can log in now as wv:chess@localhost\n"
    );
    complaint(data, &add);
    complaint(data, &["user", "delete", "chess"]);
    let set = [
        "app", "set", "chess", "--grant", "anna", "--open", "true", "--peers", "clock",
    ];
    output(data, &set);
    let shown = output(data, &["app", "show", "chess"]);
    for line in [
        "account=wv:chess@localhost",
        "active=yes",
        "services=Presence,IM",
        "open=yes",
        "profiles=no",
        "peers=clock",
        "user=wv:anna@localhost",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line}: {shown}");
    }
    output(
        data,
        &[
            "app", "set", "chess", "--revoke", "anna", "--active", "false",
        ],
    );
    let list = output(data, &["app", "list"]);
    assert_eq!(list, "chess\toff\twv:chess@localhost\n");
    output(data, &["app", "delete", "chess"]);
    assert_eq!(output(data, &["app", "list"]), "");
    assert!(!output(data, &["user", "list"]).contains("chess"));
    complaint(data, &["app", "show", "chess"]);
}

#[test]
fn tokens_of_the_api_are_read_again_at_sighup() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("api.tokens");
    let mut daemon = Daemon::start(directory.path(), &[]);
    let admin = daemon.admin.unwrap();
    let token = "0123456789abcdef0123456789abcdef";
    let header = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(get(admin, "/api/v1/users", &header).0, 401);
    std::fs::write(&file, format!("console {token}\n")).unwrap();
    daemon.signal(Signal::HUP);
    daemon.wait_for_log(|event| event["message"] == "tokens of the API read again");
    assert_eq!(get(admin, "/api/v1/users", &header).0, 200);
    assert_eq!(get(admin, "/healthz", "").0, 200);
    std::fs::write(&file, "console short\n").unwrap();
    daemon.signal(Signal::HUP);
    let event = daemon.wait_for_log(|event| event["message"] == "the old tokens stay in use");
    assert!(event["error"].as_str().unwrap().contains("line 1 of"));
    assert_eq!(get(admin, "/api/v1/users", &header).0, 200);
    daemon.stop();
    let why = complaint(directory.path(), &[]);
    assert!(why.contains("a token has at least 32"), "{why}");
}
