//! The operator's HTTP API.

use crate::support::{Api, TOKEN, server};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn every_operation_answers_as_it_is_described() {
    let (server, api) = server(&[], &["anna"]).await;
    let new = json!({"user": "bob", "password": "secret"});
    let bob = api.done("POST", "/users", new.clone()).await;
    assert_eq!(bob["user"], "wv:bob@h");
    assert_eq!(bob["active"], true);
    let why = api.fails("POST", "/users", new, 409).await;
    assert_eq!(why, "wv:bob@h has an account already");
    let odd = json!({"user": "bob@elsewhere", "password": "secret"});
    api.fails("POST", "/users", odd, 400).await;
    let users = api.done("GET", "/users", Value::Null).await;
    assert_eq!(users["users"][1]["user"], "wv:bob@h");
    assert_eq!(users["next"], Value::Null);

    let numbers = json!({"add": ["+358501234567", "+35850765"]});
    api.done("PATCH", "/users/bob/msisdns", numbers.clone())
        .await;
    api.fails("PATCH", "/users/anna/msisdns", numbers, 409)
        .await;
    let gone = json!({"remove": ["+35850765"]});
    api.done("PATCH", "/users/bob/msisdns", gone.clone()).await;
    api.fails("PATCH", "/users/bob/msisdns", gone, 404).await;
    let numbers = api
        .done("GET", "/users/wv:bob@h/msisdns", Value::Null)
        .await;
    assert_eq!(numbers, json!({"msisdns": ["+358501234567"]}));

    let change = json!({"city": "Turku", "age": 31, "findable": false, "email": "b@h"});
    let profile = api.done("PATCH", "/users/bob/profile", change).await;
    assert_eq!(
        (&profile["city"], &profile["age"]),
        (&json!("Turku"), &json!(31))
    );
    api.done("PATCH", "/users/bob/profile", json!({"age": null}))
        .await;
    let profile = api.done("GET", "/users/bob/profile", Value::Null).await;
    assert_eq!(
        (&profile["age"], &profile["findable"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(profile["email"], "b@h");
    api.fails("PATCH", "/users/bob/profile", json!({"age": 151}), 400)
        .await;

    let mut phone = server.xml("bob").await;
    let sessions = api.done("GET", "/users/bob/sessions", Value::Null).await;
    let id = sessions["sessions"][0]["id"]
        .as_str()
        .expect("a session")
        .to_owned();
    api.done("GET", "/sessions", Value::Null).await;
    api.done("DELETE", &format!("/sessions/{id}"), Value::Null)
        .await;
    api.fails("DELETE", &format!("/sessions/{id}"), Value::Null, 404)
        .await;
    phone.poll().await;
    server.xml("bob").await;
    let ended = api.done("DELETE", "/users/bob/sessions", Value::Null).await;
    assert_eq!(ended, json!({"sessions_ended": 1}));
    server.xml("bob").await;
    let ended = api
        .done("PUT", "/users/bob/password", json!({"password": "other"}))
        .await;
    assert_eq!(ended, json!({"sessions_ended": 1}));
    let ended = api
        .done("PATCH", "/users/bob", json!({"active": false}))
        .await;
    assert_eq!(ended, json!({"sessions_ended": 0}));
    let bob = api.done("GET", "/users/bob", Value::Null).await;
    assert_eq!(
        (&bob["active"], &bob["sessions"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(bob["msisdns"], json!(["+358501234567"]));
    api.done("PATCH", "/users/bob", json!({"active": true}))
        .await;

    let code = api
        .done("POST", "/invitation-codes", json!({"uses": 3}))
        .await;
    assert_eq!(code["uses"], 3);
    api.fails("POST", "/invitation-codes", json!({"days": 0}), 400)
        .await;
    let codes = api.done("GET", "/invitation-codes", Value::Null).await;
    assert_eq!(codes["codes"][0], code);
    let path = format!(
        "/invitation-codes/{}",
        code["code"].as_str().expect("a code")
    );
    api.done("DELETE", &path, Value::Null).await;
    api.fails("DELETE", &path, Value::Null, 404).await;

    applications_and_user_profiles(&api).await;
    system_messages(&api).await;
    outside_messages(&api).await;
    groups(&api).await;
    network(&api).await;
    let stats = api.done("GET", "/stats", Value::Null).await;
    assert_eq!(stats["figures"]["accounts"], 2);
    api.done("DELETE", "/users/bob", Value::Null).await;
    for (method, path, body) in [
        ("GET", "/users/bob", Value::Null),
        ("DELETE", "/users/bob", Value::Null),
        ("PATCH", "/users/bob", json!({"active": true})),
        ("PUT", "/users/bob/password", json!({"password": "x"})),
        ("GET", "/users/bob/profile", Value::Null),
        ("PATCH", "/users/bob/profile", json!({})),
        ("GET", "/users/bob/msisdns", Value::Null),
        ("PATCH", "/users/bob/msisdns", json!({})),
        ("GET", "/users/bob/network", Value::Null),
        (
            "PATCH",
            "/users/bob/network",
            json!({"values": {"plmn": "24491"}}),
        ),
    ] {
        let why = api.fails(method, path, body, 404).await;
        assert_eq!(why, "wv:bob@h has no account", "{method} {path}");
    }

    let mut described = BTreeSet::new();
    for (path, item) in api.description["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            described.insert((method.clone(), path.clone()));
        }
        // Nothing but what is described has a route.
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if item.get(method.to_lowercase()).is_none() {
                let path = path.trim_start_matches("/api/v1").replace(['{', '}'], "");
                api.fails(method, &path, Value::Null, 405).await;
            }
        }
    }
    let used = api.used.into_inner().expect("no panic");
    let unused: Vec<_> = described.difference(&used).collect();
    assert!(unused.is_empty(), "nobody tried {unused:?}");
}

async fn network(api: &Api) {
    let path = "/users/bob/network";
    let change = json!({"values": {"plmn": "24491", "registration": "yes"}});
    let known = api.done("PATCH", path, change.clone()).await;
    assert_eq!(known, change);
    let change = json!({"values": {"registration": null}});
    api.done("PATCH", path, change).await;
    let known = api.done("GET", path, Value::Null).await;
    assert_eq!(known, json!({"values": {"plmn": "24491"}}));
    let odd = json!({"values": {"weather": "fine"}});
    api.fails("PATCH", path, odd, 400).await;
}

async fn groups(api: &Api) {
    let new = json!({"group": "wv:/ski", "properties": {"Name": "Skiing", "Topic": "Snow"},
        "welcome_note": "Hello", "admins": ["anna"]});
    let ski = api.done("POST", "/groups", new.clone()).await;
    assert_eq!(
        (&ski["group"], &ski["owner"], &ski["welcome_note"]),
        (&json!("wv:/ski@h"), &Value::Null, &json!("Hello"))
    );
    assert_eq!(ski["properties"]["Topic"], "Snow");
    assert_eq!(ski["admins"], json!(["wv:anna@h"]));
    let why = api.fails("POST", "/groups", new, 409).await;
    assert_eq!(why, "there is a group wv:/ski@h already");
    let path = "/groups/wv:%2Fski@h";
    assert_eq!(api.done("GET", path, Value::Null).await, ski);

    let change =
        json!({"properties": {"AccessType": "Restricted"}, "welcome_note": "Members only"});
    let ski = api.done("PATCH", path, change).await;
    assert_eq!(ski["properties"]["AccessType"], "Restricted");
    assert_eq!(ski["properties"]["Topic"], "Snow");
    assert_eq!(ski["welcome_note"], "Members only");

    let member = format!("{path}/members/bob");
    for role in ["user", "moderator"] {
        api.done("PUT", &member, json!({ "role": role })).await;
    }
    let ski = api.done("GET", path, Value::Null).await;
    assert_eq!(ski["moderators"], json!(["wv:bob@h"]));
    assert_eq!(ski["users"], json!([]));
    api.done("DELETE", &member, Value::Null).await;
    let ski = api.done("GET", path, Value::Null).await;
    assert_eq!(ski["moderators"], json!([]));

    let (rejects, rejected) = (format!("{path}/rejects"), format!("{path}/rejects/bob"));
    api.done("PUT", &rejected, Value::Null).await;
    let list = api.done("GET", &rejects, Value::Null).await;
    assert_eq!(list, json!({"users": ["wv:bob@h"]}));
    api.done("DELETE", &rejected, Value::Null).await;
    let list = api.done("GET", &rejects, Value::Null).await;
    assert_eq!(list, json!({"users": []}));

    let announcements = format!("{path}/announcements");
    let said = json!({"text": "We close at ten"});
    let announced = api.done("POST", &announcements, said.clone()).await;
    assert!(announced["message"].is_string(), "{announced}");

    // One without administrators has nobody in whose name it could be done.
    api.done("POST", "/groups", json!({"group": "wv:/sun"}))
        .await;
    api.fails("PUT", "/groups/wv:%2Fsun/rejects/bob", Value::Null, 409)
        .await;
    let page = api.done("GET", "/groups?limit=1", Value::Null).await;
    assert_eq!(page["next"], "wv:/ski@h");
    let group =
        json!({"group": "wv:/ski@h", "owner": null, "name": "Skiing", "members": 1, "joined": 0});
    assert_eq!(page["groups"], json!([group]));
    let page = api.done("GET", "/groups?limit=1&after=wv:/ski@h", Value::Null);
    let page = page.await;
    assert_eq!(page["groups"][0]["group"], "wv:/sun@h");
    assert_eq!(page["next"], Value::Null);

    for (method, path, body) in [
        ("POST", "/groups", json!({"group": "wv:anna/mine"})),
        ("POST", "/groups", json!({"group": "wv:/x@elsewhere"})),
        (
            "POST",
            "/groups",
            json!({"group": "wv:/x", "properties": {"Colour": "red"}}),
        ),
        (
            "POST",
            "/groups",
            json!({"group": "wv:/x", "owner": "anna"}),
        ),
        ("PATCH", path, json!({"properties": {"AccessType": "Shut"}})),
        ("PUT", &member, json!({"role": "king"})),
        ("POST", &announcements, json!({"text": " "})),
        ("GET", "/groups/anna", Value::Null),
        ("GET", "/groups?after=anna", Value::Null),
    ] {
        api.fails(method, path, body, 400).await;
    }
    let nobody = format!("{path}/members/nobody");
    api.fails("PUT", &nobody, json!({"role": "user"}), 404)
        .await;
    let new = json!({"group": "wv:/x", "admins": ["nobody"]});
    api.fails("POST", "/groups", new, 404).await;
    api.done("DELETE", path, Value::Null).await;
    for (method, path, body) in [
        ("GET", path, Value::Null),
        ("PATCH", path, json!({"properties": {"Name": "Ski"}})),
        ("DELETE", path, Value::Null),
        ("PUT", &member, json!({"role": "user"})),
        ("DELETE", &member, Value::Null),
        ("GET", &rejects, Value::Null),
        ("PUT", &rejected, Value::Null),
        ("DELETE", &rejected, Value::Null),
        ("POST", &announcements, said),
    ] {
        let why = api.fails(method, path, body, 404).await;
        assert_eq!(why, "there is no group wv:/ski@h", "{method} {path}");
    }
}

async fn system_messages(api: &Api) {
    let new = json!({"text": "New terms", "options": ["Yes"], "refusals": ["No"], "at_login": true,
        "to": {"users": ["anna", "bob"]}, "days": 3});
    let sent = api.done("POST", "/system-messages", new).await;
    assert_eq!(sent["users"], 2);
    let path = format!("/system-messages/{}", sent["number"]);
    let shown = api.done("GET", &path, Value::Null).await;
    assert_eq!(shown["message"]["options"], json!(["Yes", "No"]));
    assert_eq!(shown["message"]["states"], json!({"waiting": 2}));
    assert_eq!(shown["users"][1]["user"], "wv:bob@h");
    let first = format!("{path}?limit=1");
    let page = api.done("GET", &first, Value::Null).await;
    assert_eq!(page["next"], "wv:anna@h");
    let whole = json!({"text": "Hello", "to": "everyone"});
    let everyone = api.done("POST", "/system-messages", whole).await;
    assert_eq!(everyone["users"], Value::Null);
    let page = api.done("GET", "/system-messages?limit=1", Value::Null);
    assert_eq!(page.await["next"], sent["number"].to_string());
    let more = json!({"users": ["anna"]});
    api.done("POST", &format!("{path}/users"), more.clone())
        .await;
    api.done("DELETE", &path, Value::Null).await;
    for (method, path, body) in [
        ("DELETE", path.clone(), Value::Null),
        ("GET", "/system-messages/999".into(), Value::Null),
        ("POST", "/system-messages/999/users".into(), more),
        (
            "POST",
            "/system-messages".into(),
            json!({"text": "x", "to": {"users": ["nobody"]}}),
        ),
    ] {
        api.fails(method, &path, body, 404).await;
    }
    for (path, body) in [
        ("/system-messages", json!({"text": "", "to": "everyone"})),
        ("/system-messages", json!({"text": "x", "to": "online"})),
        (
            "/system-messages",
            json!({"text": "x", "to": "everyone", "days": 0}),
        ),
        ("/system-messages/first/users", json!({"users": []})),
    ] {
        api.fails("POST", path, body, 400).await;
    }
}

async fn applications_and_user_profiles(api: &Api) {
    let new = json!({"id": "chess", "password": "secret", "services": ["IM", "presence"]});
    let chess = api.done("POST", "/applications", new.clone()).await;
    assert_eq!(chess["account"], "wv:chess@h");
    assert_eq!(chess["services"], json!(["Presence", "IM"]));
    api.fails("POST", "/applications", new, 409).await;
    api.fails("DELETE", "/users/chess", Value::Null, 409).await;
    for wrong in [
        json!({"id": "a b", "password": "x", "account": "ab"}),
        json!({"id": "go", "password": ""}),
        json!({"id": "go", "password": "x", "services": ["Mail"]}),
        json!({"id": "go", "password": "x", "peers": [""]}),
        json!({"id": "go", "password": "x", "account": "go@elsewhere"}),
    ] {
        api.fails("POST", "/applications", wrong, 400).await;
    }
    let change = json!({"open": true, "peers": ["go"], "profiles": true, "active": false});
    let changed = api.done("PATCH", "/applications/chess", change).await;
    assert_eq!(
        (&changed["open"], &changed["active"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        api.done("GET", "/applications/chess", Value::Null).await,
        changed
    );
    let list = api.done("GET", "/applications", Value::Null).await;
    assert_eq!(list["applications"], json!([changed]));
    let users = json!({"add": ["bob", "anna"]});
    api.done("PATCH", "/applications/chess/users", users).await;
    api.done(
        "PATCH",
        "/applications/chess/users",
        json!({"remove": ["anna"]}),
    )
    .await;
    let unknown = json!({"add": ["anna", "nobody"]});
    api.fails("PATCH", "/applications/chess/users", unknown, 404)
        .await;
    let users = api
        .done("GET", "/applications/chess/users", Value::Null)
        .await;
    assert_eq!(users, json!({"users": ["wv:bob@h"], "next": null}));
    api.done("DELETE", "/applications/chess", Value::Null).await;
    for (method, path, body) in [
        ("GET", "/applications/chess", Value::Null),
        ("PATCH", "/applications/chess", json!({})),
        ("DELETE", "/applications/chess", Value::Null),
        ("GET", "/applications/chess/users", Value::Null),
        ("PATCH", "/applications/chess/users", json!({})),
        ("GET", "/users/chess", Value::Null),
        ("GET", "/users/chess/user-profile", Value::Null),
        ("PATCH", "/users/chess/user-profile", json!({})),
    ] {
        api.fails(method, path, body, 404).await;
    }
    let update = json!({
        "services": {"Group": {"subscribed": false}, "IM": {"active": false}},
        "privacy": {"Location": false}, "preferences": {"language": "fi"}, "findable": false
    });
    let profile = api.done("PATCH", "/users/bob/user-profile", update).await;
    let inactive = json!({"subscribed": true, "active": false});
    assert_eq!(profile["services"]["IM"], inactive);
    assert_eq!(profile["privacy"], json!({"Location": false}));
    assert_eq!(profile["findable"], false);
    let update = json!({"privacy": {"Location": null}, "services": {"IM": {"active": true}}});
    let profile = api.done("PATCH", "/users/bob/user-profile", update).await;
    assert_eq!(profile["privacy"], json!({}));
    assert_eq!(
        profile,
        api.done("GET", "/users/bob/user-profile", Value::Null)
            .await
    );
    for wrong in [
        json!({"services": {"Mail": {}}}),
        json!({"services": {"IM": {"paid": true}}}),
        json!({"privacy": {"a b": true}}),
        json!({"preferences": {"x": "y".repeat(300)}}),
    ] {
        api.fails("PATCH", "/users/bob/user-profile", wrong, 400)
            .await;
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_told() {
    let (server, api) = server(&[], &["anna"]).await;
    let admin = std::fs::read_to_string(server.data_dir().join("admin.token")).expect("a token");
    let wrong = [
        None,
        Some("Bearer".to_owned()),
        Some(format!("Bearer {}", &TOKEN[1..])),
        Some(format!("Bearer {TOKEN}0")),
        Some(format!("Basic {TOKEN}")),
        // Who may read metrics may not delete accounts.
        Some(format!("Bearer {}", admin.trim())),
    ];
    for authorization in wrong {
        let stranger = api.with_authorization(authorization.clone());
        for path in ["/users", "/users/anna", "/nothing", "/openapi.json"] {
            stranger.fails("GET", path, Value::Null, 401).await;
        }
        stranger
            .fails("DELETE", "/users/anna", Value::Null, 401)
            .await;
        let answer = stranger.send("GET", "/api", "", "").await;
        assert!(
            answer.starts_with("HTTP/1.1 401"),
            "{authorization:?} {answer}"
        );
    }
    let lower = api.with_authorization(Some(format!("bearer  {TOKEN}")));
    lower.done("GET", "/users/anna", Value::Null).await;
}

#[tokio::test]
async fn without_a_file_of_tokens_the_api_is_off() {
    let server = TestServer::with_users(&[], &["anna"]).await;
    let (_other, api) = crate::support::server(&[], &[]).await;
    let api = api.at(&server);
    api.fails("GET", "/users", Value::Null, 401).await;
}

#[tokio::test]
async fn a_listing_comes_in_pages() {
    let (_server, api) = server(&[], &["a", "b", "c", "d", "e"]).await;
    let mut seen = Vec::new();
    let mut path = "/users?limit=2".to_owned();
    loop {
        let page = api.done("GET", &path, Value::Null).await;
        let users = page["users"].as_array().expect("users");
        assert!(users.len() <= 2);
        seen.extend(
            users
                .iter()
                .map(|user| user["user"].as_str().unwrap_or_default().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/users?limit=2&after={next}"),
            None => break,
        }
    }
    let all = ["a", "b", "c", "d", "e"].map(|name| format!("wv:{name}@h"));
    assert_eq!(seen, all);
    for query in ["limit=0", "limit=1001", "limit=x", "page=2"] {
        api.fails("GET", &format!("/users?{query}"), Value::Null, 400)
            .await;
    }
}

#[tokio::test]
async fn what_is_no_request_gets_an_error_in_json() {
    let (_server, api) = server(&[], &["anna"]).await;
    api.fails("GET", "/nothing", Value::Null, 404).await;
    api.fails("POST", "/users/anna", json!({}), 405).await;
    api.fails("GET", "/users/%ff", Value::Null, 400).await;
    api.fails("GET", "/users/a@b@c", Value::Null, 400).await;
    let secret = "correct horse battery staple";
    for body in [
        json!({"user": "carl"}),
        json!({"user": "carl", "password": "x", "admin": true}),
        json!({"user": secret, "password": 1, "more": secret}),
        json!({"user": 1, "password": secret}),
        json!([secret]),
        json!({"user": "carl", "password": ""}),
        json!({"user": "carl", "password": "a\nb"}),
        json!({"user": "carl", "password": "x".repeat(300)}),
    ] {
        let why = api.fails("POST", "/users", body.clone(), 400).await;
        assert!(!why.contains(secret), "{body}: {why}");
    }
    for (headers, body, expected) in [
        ("", "{}", "415"),
        ("Content-Type: text/plain\r\n", "{}", "415"),
        (
            "Content-Type: application/json; charset=utf-8\r\n",
            "{",
            "400",
        ),
        ("Content-Type: application/json\r\n", "", "400"),
        (
            "Content-Type: application/json\r\n",
            &" ".repeat(70_000),
            "413",
        ),
    ] {
        let answer = api.send("POST", "/api/v1/users", headers, body).await;
        assert_eq!(
            answer.split(' ').nth(1),
            Some(expected),
            "{headers}{answer}"
        );
        assert!(answer.contains("\r\n\r\n{\"error\":"), "{answer}");
        assert!(answer.contains("cache-control: no-store"), "{answer}");
    }
}

#[tokio::test]
async fn a_user_who_is_kept_out_cannot_log_in_until_he_is_let_in() {
    let (server, api) = server(&[], &["anna"]).await;
    let mut phone = server.xml("anna").await;
    let ended = api
        .done("PATCH", "/users/anna", json!({"active": false}))
        .await;
    assert_eq!(ended, json!({"sessions_ended": 1}));
    let answer = phone.poll().await;
    assert_eq!(answer.code(), Some(601), "{answer:?}");
    assert_eq!(login_code(&server).await, Some(403));
    api.done("PATCH", "/users/anna", json!({"active": true}))
        .await;
    assert_eq!(login_code(&server).await, Some(200));
}

async fn login_code(server: &TestServer) -> Option<u16> {
    let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    client
        .login_with_password("wv:anna@h", "secret")
        .await
        .code()
}

#[test]
fn the_description_in_the_documents_is_the_present_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let present = hamletd::admin::api::reference();
    assert!(present.contains("\"openapi\": \"3.1.0\""));
    assert!(
        written == present,
        "write it anew: hamletd api-reference > docs/openapi.json"
    );
}

/// csp-im 7.7.
async fn outside_messages(api: &Api) {
    let path = "/users/anna/outside-messages";
    let mail = json!({
        "id": "mail-1", "sender": "wv:bo@mail.example", "uri": "https://mail.example/1",
        "content_type": "message/rfc822", "size": 700, "name": "Hello"
    });
    let announced = api.done("POST", path, mail.clone()).await;
    assert_eq!(announced, json!({"id": "out-mail-1", "new": true}));
    let again = api.done("POST", path, mail).await;
    assert_eq!(again["new"], false);
    let listed = api.done("GET", path, Value::Null).await;
    let messages = listed["messages"].as_array().expect("a list");
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["sender"], "wv:bo@mail.example");
    assert_eq!(messages[0]["size"], 700);
    let odd = json!({"sender": "wv:bo@mail.example", "uri": "no link"});
    api.fails("POST", path, odd.clone(), 400).await;
    let nobody = "/users/nobody/outside-messages";
    let fine = json!({"sender": "wv:bo@mail.example", "uri": "https://mail.example/1"});
    api.fails("POST", nobody, fine, 404).await;
    let one = format!("{path}/out-mail-1");
    api.done("DELETE", &one, Value::Null).await;
    api.fails("DELETE", &one, Value::Null, 404).await;
}
