//! The audit log: who changed what.

use crate::support::{TOKEN, server};
use hamlet_tests::server::TestServer;
use hamletd::control::Request;
use serde_json::{Value, json};

/// What the log says, but for the times.
fn log(server: &TestServer) -> Vec<(String, String, String, String)> {
    let text = std::fs::read_to_string(server.data_dir().join("audit.log")).expect("a log");
    let entry = |line: &str| {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        let at = entry["at"].as_str().expect("a time");
        assert!(at.ends_with('Z') && at.len() == 24, "{at}");
        let field = |name: &str| entry[name].as_str().expect("a text").to_owned();
        assert_eq!(entry["why"].is_string(), entry["outcome"] == "failed");
        (
            field("by"),
            field("operation"),
            field("target"),
            field("outcome"),
        )
    };
    text.lines().map(entry).collect()
}

#[tokio::test]
async fn every_change_is_written_with_who_made_it_and_how_it_went() {
    let (server, api) = server(&[], &["anna"]).await;
    let new = json!({"user": "bob", "password": "secret"});
    api.done("POST", "/users", new.clone()).await;
    api.fails("POST", "/users", new, 409).await;
    server.xml("bob").await;
    let sessions = api.done("GET", "/sessions", Value::Null).await;
    let id = sessions["sessions"][0]["id"]
        .as_str()
        .expect("a session")
        .to_owned();
    let code = api.done("POST", "/invitation-codes", json!({})).await;
    let code = code["code"].as_str().expect("a code").to_owned();
    for (method, path, body) in [
        (
            "PATCH",
            "/users/bob/msisdns",
            json!({"add": ["+358501234567"]}),
        ),
        ("PATCH", "/users/bob/profile", json!({"city": "Turku"})),
        (
            "PATCH",
            "/users/bob/network",
            json!({"values": {"plmn": "24491"}}),
        ),
        ("DELETE", &format!("/sessions/{id}"), Value::Null),
        ("DELETE", "/users/bob/sessions", Value::Null),
        (
            "PUT",
            "/users/bob/password",
            json!({"password": "new secret"}),
        ),
        ("PATCH", "/users/bob", json!({"active": false})),
        ("PATCH", "/users/bob", json!({"active": true})),
        ("DELETE", &format!("/invitation-codes/{code}"), Value::Null),
        (
            "POST",
            "/users/bob/outside-messages",
            json!({"id": "m", "sender": "anna", "uri": "https://mail.example/secret-path"}),
        ),
        ("GET", "/users/bob/outside-messages", Value::Null),
        ("DELETE", "/users/bob/outside-messages/out-m", Value::Null),
        (
            "POST",
            "/groups",
            json!({"group": "wv:/ski", "admins": ["anna"]}),
        ),
        (
            "PATCH",
            "/groups/wv:%2Fski",
            json!({"properties": {"Name": "Skiing"}}),
        ),
        (
            "PUT",
            "/groups/wv:%2Fski/members/bob",
            json!({"role": "moderator"}),
        ),
        ("DELETE", "/groups/wv:%2Fski/members/bob", Value::Null),
        ("PUT", "/groups/wv:%2Fski/rejects/bob", Value::Null),
        ("DELETE", "/groups/wv:%2Fski/rejects/bob", Value::Null),
        (
            "POST",
            "/groups/wv:%2Fski/announcements",
            json!({"text": "a secret of the group"}),
        ),
        ("GET", "/groups", Value::Null),
        ("GET", "/groups/wv:%2Fski", Value::Null),
        ("GET", "/groups/wv:%2Fski/rejects", Value::Null),
        ("DELETE", "/groups/wv:%2Fski", Value::Null),
        ("DELETE", "/users/wv:bob@h", Value::Null),
        // These change nothing.
        ("GET", "/users", Value::Null),
        ("GET", "/users/anna", Value::Null),
        ("GET", "/users/anna/profile", Value::Null),
        ("GET", "/stats", Value::Null),
    ] {
        api.done(method, path, body).await;
    }
    api.fails("DELETE", "/users/a@b@c", Value::Null, 400).await;
    let passwd = Request::UserPasswd {
        user: "nobody".to_owned(),
        password: "secret".to_owned(),
    };
    server.operate(passwd).await;

    let uid = format!("uid {}", rustix_uid());
    let short = &id[..8];
    let masked = format!("{}…", &code[..3]);
    let token = "token console";
    let expected = [
        (uid.as_str(), "user.add", "wv:anna@h", "done"),
        (token, "user.add", "wv:bob@h", "done"),
        (token, "user.add", "wv:bob@h", "failed"),
        (token, "invitation-code.add", "1 uses, 30 days", "done"),
        (token, "user.msisdn", "wv:bob@h", "done"),
        (token, "user.profile", "wv:bob@h", "done"),
        (token, "user.network", "wv:bob@h", "done"),
        (token, "session.end", short, "done"),
        (token, "session.end-all", "wv:bob@h", "done"),
        (token, "user.password", "wv:bob@h", "done"),
        (token, "user.disable", "wv:bob@h", "done"),
        (token, "user.enable", "wv:bob@h", "done"),
        (token, "invitation-code.delete", &masked, "done"),
        (token, "outside-message.announce", "wv:bob@h m", "done"),
        (token, "outside-message.withdraw", "wv:bob@h out-m", "done"),
        (token, "group.create", "wv:/ski@h", "done"),
        (token, "group.set", "wv:/ski@h", "done"),
        (token, "group.member", "wv:/ski@h wv:bob@h Mod", "done"),
        (token, "group.member", "wv:/ski@h wv:bob@h none", "done"),
        (token, "group.reject", "wv:/ski@h wv:bob@h", "done"),
        (token, "group.readmit", "wv:/ski@h wv:bob@h", "done"),
        (token, "group.announce", "wv:/ski@h", "done"),
        (token, "group.delete", "wv:/ski@h", "done"),
        (token, "user.delete", "wv:bob@h", "done"),
        (token, "user.delete", "a@b@c", "failed"),
        (uid.as_str(), "user.password", "wv:nobody@h", "failed"),
    ];
    let found = log(&server);
    let found: Vec<_> = found
        .iter()
        .map(|(by, operation, target, outcome)| {
            (
                by.as_str(),
                operation.as_str(),
                target.as_str(),
                outcome.as_str(),
            )
        })
        .collect();
    assert_eq!(found, expected);
    let text = std::fs::read_to_string(server.data_dir().join("audit.log")).expect("a log");
    for secret in ["secret", TOKEN, &id, &code] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn the_log_keeps_as_many_files_as_it_may() {
    let (server, api) = server(&["audit.max_size=200", "audit.files=2"], &[]).await;
    for _ in 0..10 {
        api.done("POST", "/invitation-codes", json!({})).await;
    }
    let size = |name: &str| std::fs::metadata(server.data_dir().join(name)).map(|file| file.len());
    assert!(size("audit.log").expect("a file") <= 200);
    assert!(size("audit.log.1").expect("a file") <= 200);
    assert!(size("audit.log.2").is_err());
    assert_eq!(log(&server).len(), 1);
}

fn rustix_uid() -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").expect("a process").uid()
}
