//! Applications (architecture document 5.3.6.1): application to network, user to application,
//! application to application, user to network; each with success and refusal.

use crate::support::{Api, server};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, send_message};
use hamlet_tests::digest;
use hamlet_tests::server::TestServer;
use serde_json::{Value, json};

/// A login in 1.3, with this application if any.
async fn login(
    server: &TestServer,
    user: &str,
    password: &str,
    application: Option<&str>,
) -> (Client, Answer) {
    let mut client = Client::connect(server.address(), Version::V1_3, Syntax::Wbxml).await;
    client.client_id = format!("WV:{user}-{}", application.unwrap_or("plain"));
    let password = format!("<Password>{password}</Password>");
    let content = client.login_step(&format!("wv:{user}@h"), &password, "");
    let content = with_application(&content, application);
    let answer = client.outband(&content).await;
    client.keep_session(&answer);
    (client, answer)
}

fn with_application(login: &str, application: Option<&str>) -> String {
    let element = |id: &str| format!("</ClientID><ApplicationID>{id}</ApplicationID>");
    let element = application.map_or_else(|| "</ClientID>".to_owned(), element);
    login.replace("</ClientID>", &element)
}

async fn logged_in(
    server: &TestServer,
    user: &str,
    password: &str,
    application: Option<&str>,
) -> Client {
    let (client, answer) = login(server, user, password, application).await;
    answer.expect_code(200);
    client
}

async fn refused(
    server: &TestServer,
    user: &str,
    password: &str,
    application: Option<&str>,
    code: u16,
) {
    let (client, answer) = login(server, user, password, application).await;
    assert_eq!(answer.code(), Some(code), "{user} {application:?}");
    assert!(client.session.is_empty());
}

/// A User element of a session of an application.
fn at(user: &str, application: &str) -> String {
    format!("<User><UserID>wv:{user}@h</UserID><ApplicationID>{application}</ApplicationID></User>")
}

async fn add(api: &Api, id: &str, more: Value) {
    let mut new = json!({"id": id, "password": format!("{id} secret")});
    if let (Some(new), Some(more)) = (new.as_object_mut(), more.as_object()) {
        new.extend(more.clone());
    }
    api.done("POST", "/applications", new).await;
}

#[tokio::test]
async fn application_to_network_by_its_own_account() {
    let (server, api) = server(&[], &["anna"]).await;
    add(&api, "chess", json!({"services": ["IM"], "open": true})).await;
    // With its identifier or, as in 1.2, without.
    let mut chess = logged_in(&server, "chess", "chess secret", Some("chess")).await;
    Client::xml_1_2(server.address(), "wv:chess@h", "chess secret").await;
    refused(&server, "chess", "wrong", Some("chess"), 409).await;
    refused(&server, "chess", "chess secret", Some("draughts"), 450).await;
    // It may do what it was granted.
    let get = "<GetPresence-Request><UserIDList><UserID>wv:anna@h</UserID></UserIDList></GetPresence-Request>";
    chess.request(get).await.expect_status(405);
    chess
        .send_text("wv:anna@h", "your move")
        .await
        .expect_code(200);
    let mut anna = server.xml("anna").await;
    assert_eq!(anna.messages().await.len(), 1);
    api.done(
        "PATCH",
        "/applications/chess",
        json!({"services": ["IM", "Presence"]}),
    )
    .await;
    chess.request(get).await.expect("GetPresence-Response");
    // Switched off, its sessions end and nobody gets in.
    api.done("PATCH", "/applications/chess", json!({"active": false}))
        .await;
    assert_eq!(chess.poll().await.code(), Some(601));
    refused(&server, "chess", "chess secret", Some("chess"), 403).await;
    api.done("DELETE", "/applications/chess", Value::Null).await;
    refused(&server, "chess", "chess secret", Some("chess"), 531).await;
}

#[tokio::test]
async fn who_may_not_use_the_application_that_he_names_gets_no_account() {
    let (server, api) = server(&["accounts.auto_register=true"], &[]).await;
    add(&api, "chess", json!({"services": ["IM"]})).await;
    refused(&server, "cy", "first", Some("chess"), 403).await;
    // The name is still free, for any password.
    logged_in(&server, "cy", "second", None).await;
    refused(&server, "cy", "first", None, 409).await;
}

#[tokio::test]
async fn user_to_application_only_for_those_it_may_act_for() {
    let (server, api) = server(&[], &["anna", "bob"]).await;
    add(&api, "chess", json!({"services": ["IM"]})).await;
    let grant = json!({"add": ["anna"]});
    api.done("PATCH", "/applications/chess/users", grant).await;
    let mut anna = logged_in(&server, "anna", "secret", Some("chess")).await;
    refused(&server, "bob", "secret", Some("chess"), 403).await;
    // Nobody has registered this one.
    logged_in(&server, "bob", "secret", Some("snake")).await;
    // What the application was not granted its users do not get from it.
    anna.request("<GetList-Request/>").await.expect_status(405);
    let mut plain = logged_in(&server, "anna", "secret", None).await;
    plain
        .request("<GetList-Request/>")
        .await
        .expect("GetList-Response");
    // Its account takes messages from its users, from anywhere, and from nobody else.
    let mut chess = logged_in(&server, "chess", "chess secret", Some("chess")).await;
    anna.send_text("wv:chess@h", "e4").await.expect_code(200);
    plain.send_text("wv:chess@h", "e5").await.expect_code(200);
    let named = send_message(&at("chess", "chess"), "d4", false);
    plain.request(&named).await.expect_code(200);
    assert_eq!(chess.messages().await.len(), 3);
    let mut bob = server.xml("bob").await;
    bob.send_text("wv:chess@h", "hello").await.expect_code(403);
    api.done("PATCH", "/applications/chess", json!({"open": true}))
        .await;
    bob.send_text("wv:chess@h", "hello").await.expect_code(200);
    logged_in(&server, "bob", "secret", Some("chess")).await;
    // Who may not use it any more is out.
    let revoke = json!({"remove": ["anna"]});
    api.done("PATCH", "/applications/chess", json!({"open": false}))
        .await;
    api.done("PATCH", "/applications/chess/users", revoke).await;
    assert_eq!(anna.poll().await.code(), Some(601));
    assert!(plain.poll().await.is_empty());
}

#[tokio::test]
async fn an_application_acts_for_its_users_with_its_own_password() {
    let (server, api) = server(&[], &["anna", "bob"]).await;
    add(&api, "chess", json!({"open": true})).await;
    let grant = json!({"add": ["anna"]});
    api.done("PATCH", "/applications/chess/users", grant).await;
    let mut chess = logged_in(&server, "anna", "chess secret", Some("chess")).await;
    chess
        .send_text("wv:bob@h", "from Anna")
        .await
        .expect_code(200);
    let mut bob = server.xml("bob").await;
    let came = bob.messages().await;
    let sender = came[0].text("MessageInfo/Sender/User/UserID");
    assert_eq!(sender, Some("wv:anna@h"));
    // By digest, too.
    let mut client = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    let offer = client.login_step("wv:anna@h", "", "<DigestSchema>MD5</DigestSchema>");
    let challenge = client
        .outband_as("4way", &with_application(&offer, Some("chess")))
        .await;
    let nonce = challenge
        .primitive()
        .text("Nonce")
        .expect("a nonce")
        .to_owned();
    let digest = digest::of("MD5", &nonce, "chess secret");
    let digest = format!("<DigestBytes>{digest}</DigestBytes>");
    let proof = client.login_step("wv:anna@h", "", &digest);
    let answer = client
        .outband_as("4way", &with_application(&proof, Some("chess")))
        .await;
    answer.expect_code(200);
    // Not without naming itself, nor for others, though they may use it themselves.
    refused(&server, "anna", "chess secret", None, 409).await;
    refused(&server, "anna", "chess secret", Some("snake"), 409).await;
    refused(&server, "bob", "chess secret", Some("chess"), 409).await;
    logged_in(&server, "bob", "secret", Some("chess")).await;
    api.done("PATCH", "/applications/chess", json!({"active": false}))
        .await;
    refused(&server, "anna", "chess secret", Some("chess"), 409).await;
}

#[tokio::test]
async fn application_to_application_only_where_the_other_takes_it() {
    let (server, api) = server(&[], &["anna"]).await;
    add(&api, "chess", json!({"peers": ["clock"]})).await;
    add(&api, "clock", json!({})).await;
    add(&api, "snake", json!({"open": true})).await;
    let mut chess = logged_in(&server, "chess", "chess secret", Some("chess")).await;
    let mut clock = logged_in(&server, "clock", "clock secret", Some("clock")).await;
    let mut snake = logged_in(&server, "snake", "snake secret", Some("snake")).await;
    let to_chess = send_message(&at("chess", "chess"), "tick", false);
    clock.request(&to_chess).await.expect_code(200);
    clock.send_text("wv:chess@h", "tock").await.expect_code(200);
    assert_eq!(chess.messages().await.len(), 2);
    snake.request(&to_chess).await.expect_code(403);
    snake.send_text("wv:chess@h", "hiss").await.expect_code(403);
    // It is not mutual, and being open to users is not being open to applications.
    chess.send_text("wv:clock@h", "stop").await.expect_code(403);
    chess.send_text("wv:snake@h", "hush").await.expect_code(403);
    // A session of a user in an application is guarded by that application.
    api.done(
        "PATCH",
        "/applications/chess/users",
        json!({"add": ["anna"]}),
    )
    .await;
    let mut anna = logged_in(&server, "anna", "secret", Some("chess")).await;
    let to_anna = send_message(&at("anna", "chess"), "tick", false);
    clock.request(&to_anna).await.expect_code(200);
    snake.request(&to_anna).await.expect_code(403);
    assert_eq!(anna.messages().await.len(), 1);
    assert!(chess.messages().await.is_empty());
}

#[tokio::test]
async fn user_to_network_and_only_registered_applications() {
    let settings = ["accounts.registered_applications_only=true"];
    let (server, api) = server(&settings, &["anna"]).await;
    add(&api, "chess", json!({"open": true})).await;
    logged_in(&server, "anna", "secret", None).await;
    logged_in(&server, "anna", "secret", Some("chess")).await;
    refused(&server, "anna", "wrong", None, 409).await;
    refused(&server, "anna", "secret", Some("snake"), 450).await;
    refused(&server, "nobody", "secret", None, 531).await;
}

#[tokio::test]
async fn an_application_manages_the_user_profiles_that_it_may() {
    let (server, api) = server(&[], &["anna", "bob"]).await;
    add(&api, "chess", json!({"profiles": true})).await;
    add(&api, "user-profile", json!({})).await;
    api.done(
        "PATCH",
        "/applications/chess/users",
        json!({"add": ["anna"]}),
    )
    .await;
    let by = |id: &str, password: &str| {
        let proof = BASE64_STANDARD.encode(format!("{id}:{password}"));
        api.with_authorization(Some(format!("Basic {proof}")))
    };
    let chess = by("chess", "chess secret");
    let path = "/users/anna/user-profile";
    let update = json!({"preferences": {"board": "green"}});
    let profile = chess.done("PATCH", path, update).await;
    assert_eq!(profile["preferences"]["board"], "green");
    assert_eq!(chess.done("GET", path, Value::Null).await, profile);
    for (path, expected) in [
        ("/users/bob/user-profile", 403),
        ("/users/nobody/user-profile", 403),
        ("/users/chess/user-profile", 403),
    ] {
        chess.fails("GET", path, Value::Null, expected).await;
    }
    for (method, path) in [
        ("GET", "/api/v1/users"),
        ("GET", "/api/v1/users/anna"),
        ("DELETE", "/api/v1/users/anna"),
        ("DELETE", "/api/v1/applications/user-profile"),
        ("GET", "/api/v1/users/user-profile"),
        ("GET", "/api/v1/openapi.json"),
    ] {
        assert_eq!(
            chess.raw(method, path, None).await.0,
            403,
            "{method} {path}"
        );
    }
    for stranger in [by("chess", "wrong"), by("snake", "x"), by("anna", "secret")] {
        stranger.fails("GET", path, Value::Null, 401).await;
    }
    api.done("PATCH", "/applications/chess", json!({"profiles": false}))
        .await;
    chess.fails("GET", path, Value::Null, 403).await;
    api.done("PATCH", "/applications/chess", json!({"active": false}))
        .await;
    chess.fails("GET", path, Value::Null, 401).await;
    let log = std::fs::read_to_string(server.data_dir().join("audit.log")).expect("a log");
    assert!(log.contains("\"by\":\"application chess\",\"operation\":\"user.user-profile\""));
}

#[tokio::test]
async fn without_an_application_nothing_changes_for_a_message_to_one_that_is_unknown() {
    let (server, _api) = server(&[], &["anna", "bob"]).await;
    let mut anna = server.client(Version::V1_3, Syntax::Xml, "anna").await;
    let to_snake = send_message(&at("bob", "snake"), "hiss", false);
    anna.request(&to_snake).await.expect_code(200);
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    assert!(bob.messages().await.is_empty());
    let mut snake = logged_in(&server, "bob", "secret", Some("snake")).await;
    assert_eq!(snake.messages().await.len(), 1);
}
