//! Call-detail records.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{send_message, user};
use hamlet_tests::server::TestServer;
use hamletd::control::Request;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// The records of a server that has stopped.
fn records(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("a file");
    let record = |line: &str| serde_json::from_str(line).expect("JSON");
    text.lines().map(record).collect()
}

/// Those of a type.
fn of_type<'a>(records: &'a [Value], name: &str) -> Vec<&'a Value> {
    let is_it = |record: &&Value| record["type"] == name;
    records.iter().filter(is_it).collect()
}

#[tokio::test]
async fn sessions_and_messages_are_recorded_without_their_texts() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("records.jsonl");
    let set = format!("records.file={}", file.display());
    let mut server = TestServer::with_users(&[&set], &["anna", "bob", "carl"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Wbxml, "anna").await;
    let mut bob = server.xml("bob").await;
    let both = user("wv:bob@h") + &user("wv:carl@h");
    let text = "a text for nobody else";
    let sent = anna.request(&send_message(&both, text, true)).await;
    sent.expect_code(200);
    let id = sent
        .primitive()
        .text("MessageID")
        .expect("a MessageID")
        .to_owned();
    assert_eq!(bob.messages().await.len(), 1);
    assert_eq!(anna.drain().await.len(), 1, "the report about Bob");
    anna.request("<Logout-Request/>").await.expect_status(200);
    // Carl never comes; Bob falls silent.
    server.sweep_after(30 * DAY).await;
    server.stop().await;

    let records = records(&file);
    assert_eq!(records.len(), 5, "{records:?}");
    let accepted = of_type(&records, "message_accepted");
    let [accepted] = accepted.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(accepted["message"], id.as_str());
    assert_eq!(accepted["sender"], "wv:anna@h");
    assert_eq!(accepted["recipients"], json!(["wv:bob@h", "wv:carl@h"]));
    assert_eq!(accepted["size"], text.len());
    assert_eq!(accepted["content_type"], "text/plain");
    assert_eq!(accepted["client"], "WV:a-test-client");
    assert_eq!(accepted["session"], &anna.session[..8]);

    let concluded = of_type(&records, "message_concluded");
    let outcome = |who: &str| {
        let of = |record: &&&Value| record["recipient"] == who;
        let record = concluded.iter().find(of).expect("a record");
        assert_eq!(record["message"], id.as_str());
        (record["outcome"].clone(), record["code"].clone())
    };
    assert_eq!(outcome("wv:bob@h"), (json!("delivered"), json!(200)));
    assert_eq!(outcome("wv:carl@h"), (json!("expired"), json!(542)));

    let sessions = of_type(&records, "session");
    let of = |who: &str| {
        *sessions
            .iter()
            .find(|s| s["user"] == who)
            .expect("a record")
    };
    let (anna_s, bob_s) = (of("wv:anna@h"), of("wv:bob@h"));
    assert_eq!(
        (&anna_s["reason"], &anna_s["code"]),
        (&json!("logout"), &json!(200))
    );
    assert_eq!(
        (&bob_s["reason"], &bob_s["code"]),
        (&json!("expired"), &json!(600))
    );
    assert_eq!(
        (&anna_s["version"], &bob_s["version"]),
        (&json!("1.3"), &json!("1.2"))
    );
    assert_eq!(
        (&anna_s["syntax"], &bob_s["syntax"]),
        (&json!("wbxml"), &json!("xml"))
    );
    assert_eq!(
        (&anna_s["messages_sent"], &anna_s["messages_received"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&bob_s["messages_sent"], &bob_s["messages_received"]),
        (&json!(0), &json!(1))
    );
    assert!(anna_s["requests"].as_u64() >= Some(4), "{anna_s}");
    assert_eq!(anna_s["transport"], "http");
    let whole = std::fs::read_to_string(&file).expect("a file");
    for secret in [text, &anna.session, "secret"] {
        assert!(!whole.contains(secret), "{secret} is in {whole}");
    }
}

#[tokio::test]
async fn every_field_is_explained() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("records.jsonl");
    let set = format!("records.file={}", file.display());
    let mut server = TestServer::with_users(&[&set], &["anna"]).await;
    let mut anna = server.xml("anna").await;
    anna.send_text("wv:anna@h", "to myself")
        .await
        .expect_code(200);
    assert_eq!(anna.messages().await.len(), 1);
    anna.request("<Logout-Request/>").await.expect_status(200);
    server.stop().await;
    let records = records(&file);
    assert_eq!(records.len(), 3, "{records:?}");
    explained(&records);
}

/// Fails unless the documentation says what each field is.
fn explained(records: &[Value]) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/call-detail-records.md"
    );
    let documentation = std::fs::read_to_string(path).expect("a document");
    for record in records {
        for name in record.as_object().expect("an object").keys() {
            let explained = documentation.contains(&format!("| `{name}` |"));
            assert!(explained, "{name} is not explained in {path}");
        }
    }
}

#[tokio::test]
async fn the_life_of_a_group_is_recorded() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("records.jsonl");
    let set = format!("records.file={}", file.display());
    let mut server = TestServer::with_users(&[&set], &["anna", "bob"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Wbxml, "anna").await;
    let mut bob = server.xml("bob").await;
    let id = "<GroupID>wv:anna/ski@h</GroupID>";
    let name = |name: &str| format!("<ScreenName><SName>{name}</SName>{id}</ScreenName>");
    let create = format!(
        "<CreateGroup-Request>{id}<GroupProperties/><JoinGroup>T</JoinGroup>{}\
         <SubscribeNotification>F</SubscribeNotification></CreateGroup-Request>",
        name("Ann")
    );
    anna.request(&create).await.expect_code(200);
    let join = format!(
        "<JoinGroup-Request>{id}{}<JoinedRequest>F</JoinedRequest>\
         <SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>",
        name("Bobby")
    );
    bob.request(&join).await.expect("JoinGroup-Response");
    let text = "fresh snow";
    let to = format!("<Group>{id}</Group>");
    let sent = bob.request(&send_message(&to, text, false)).await;
    sent.expect_code(200);
    assert_eq!(anna.messages().await.len(), 1);
    let leave = format!("<LeaveGroup-Request>{id}</LeaveGroup-Request>");
    bob.request(&leave).await.expect("LeaveGroup-Response");
    let delete = format!("<DeleteGroup-Request>{id}</DeleteGroup-Request>");
    anna.request(&delete).await.expect_code(200);
    let (anna_s, bob_s) = (anna.session[..8].to_owned(), bob.session[..8].to_owned());
    // A public one has no owner.
    let public = Request::GroupCreate {
        group: "wv:/sun".to_owned(),
        properties: Vec::new(),
        admins: Vec::new(),
    };
    server.operate(public).await;
    server.stop().await;

    let records = records(&file);
    explained(&records);
    let client = "WV:a-test-client";
    let events: Vec<Value> = of_type(&records, "group_event")
        .into_iter()
        .map(|record| {
            let field = |name: &str| record.get(name).cloned().unwrap_or_default();
            let names = [
                "group",
                "event",
                "user",
                "screen_name",
                "session",
                "client",
                "code",
            ];
            names.map(field).into_iter().collect()
        })
        .collect();
    let ski = "wv:anna/ski@h";
    let expected = [
        json!([ski, "created", "wv:anna@h", null, null, null, null]),
        json!([ski, "joined", "wv:anna@h", "Ann", anna_s, client, null]),
        json!([ski, "joined", "wv:bob@h", "Bobby", bob_s, client, null]),
        json!([ski, "left", "wv:bob@h", "Bobby", bob_s, client, 200]),
        json!([ski, "left", "wv:anna@h", "Ann", anna_s, client, 800]),
        json!([ski, "deleted", null, null, null, null, null]),
        json!(["wv:/sun@h", "created", null, null, null, null, null]),
    ];
    assert_eq!(events, expected);
    let accepted = of_type(&records, "message_accepted");
    let [accepted] = accepted.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(accepted["sender"], "wv:bob@h");
    assert_eq!(accepted["recipients"], json!([ski]));
    let whole = std::fs::read_to_string(&file).expect("a file");
    assert!(!whole.contains(text), "{whole}");
}

#[tokio::test]
async fn records_go_on_behind_those_of_the_last_start() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("records.jsonl");
    let set = format!("records.file={}", file.display());
    let mut server = TestServer::with_users(&[&set], &["anna"]).await;
    server.xml("anna").await;
    server.restart().await;
    // The client takes up its session again.
    let mut anna = server.xml("anna").await;
    anna.request("<Logout-Request/>").await.expect_status(200);
    server.stop().await;
    let records = records(&file);
    let sessions = of_type(&records, "session");
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["reason"], "logout");
    assert_ne!(sessions[0]["start"], sessions[0]["counted_since"]);
}
