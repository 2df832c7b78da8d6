//! The content store (architecture document 5.3.5): users keep, everybody who has the URL
//! fetches.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hamlet_csp::{Syntax, Version};
use hamlet_tests::http::{Connection, HttpAnswer};
use hamlet_tests::server::TestServer;
use std::time::Duration;

/// The settings of a server that keeps content.
pub const STORE: &[&str] = &[
    "content.enabled=true",
    "content.base_url=http://im.example/x/",
];

/// A request without session; `who` is what Authorization says.
pub async fn ask(
    server: &TestServer,
    method: &str,
    path: &str,
    who: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> HttpAnswer {
    let mut connection = Connection::open(server.address()).await;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: im.example\r\n");
    if !who.is_empty() {
        head.push_str(&format!("Authorization: {who}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" || method == "PUT" {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let request = [head.as_bytes(), body].concat();
    connection.send(&request).await.expect("an open connection");
    connection.receive().await.expect("an answer")
}

/// `Basic` of a user whose password is `secret`.
pub fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("wv:{user}@h:secret")))
}

const PNG: &[(&str, &str)] = &[("Content-Type", "image/png")];

/// Keeps content; its path.
pub async fn keep(server: &TestServer, who: &str, octets: &[u8]) -> String {
    let answer = ask(server, "POST", "/content", who, PNG, octets).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let url = answer.header("location").expect("a URL").to_owned();
    let path = url.strip_prefix("http://im.example/x").expect("the base");
    assert!(
        path.starts_with("/content/") && path.ends_with(".png"),
        "{path}"
    );
    // 160 bits that nobody can guess.
    assert_eq!(path.len(), "/content/".len() + 40 + ".png".len());
    path.to_owned()
}

fn octets(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at % 251) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_user_keeps_everybody_fetches_who_has_the_url() {
    let server = TestServer::with_users(STORE, &["alice"]).await;
    let all = octets(100_000);
    let path = keep(&server, &basic("alice"), &all).await;
    let got = ask(&server, "GET", &path, "", &[], b"").await;
    assert_eq!((got.status, got.body.len()), (200, all.len()));
    assert_eq!(got.body, all);
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "100000"),
        ("etag", "\"1\""),
        ("x-content-type-options", "nosniff"),
        ("content-disposition", "inline"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    // Behind a proxy that takes nothing away, and with another ending or none.
    let bare = path.trim_end_matches(".png");
    for same in [format!("/x{path}"), bare.to_owned(), format!("{bare}.exe")] {
        let got = ask(&server, "GET", &same, "", &[], b"").await;
        assert_eq!(
            (got.status, got.header("content-type")),
            (200, Some("image/png"))
        );
    }
    let listed = ask(&server, "GET", "/content", &basic("alice"), &[], b"").await;
    let listed: serde_json::Value = serde_json::from_slice(&listed.body).expect("JSON");
    assert_eq!(listed[0]["size"], 100_000);
    assert_eq!(listed[0]["url"], format!("http://im.example/x{path}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_and_unchanged_content_are_not_sent_whole() {
    let server = TestServer::with_users(STORE, &["alice"]).await;
    let all = octets(70_000);
    let path = keep(&server, &basic("alice"), &all).await;
    let get = async |headers: &[(&str, &str)]| ask(&server, "GET", &path, "", headers, b"").await;
    let part = get(&[("Range", "bytes=65530-65545")]).await;
    assert_eq!(part.status, 206);
    assert_eq!(part.body, all[65_530..=65_545]);
    assert_eq!(
        part.header("content-range"),
        Some("bytes 65530-65545/70000")
    );
    let beyond = get(&[("Range", "bytes=70000-")]).await;
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.header("content-range"), Some("bytes */70000"));
    assert_eq!(get(&[("Range", "bytes=0-1,5-6")]).await.status, 200);
    let mut connection = Connection::open(server.address()).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"1\"\r\n\r\n");
    connection.send(request.as_bytes()).await.expect("open");
    let unchanged = connection.receive_head().await.expect("an answer");
    assert_eq!(unchanged.status, 304);
    assert_eq!(unchanged.header("etag"), Some("\"1\""));
    let mut connection = Connection::open(server.address()).await;
    let request = format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n");
    connection.send(request.as_bytes()).await.expect("open");
    let head = connection.receive_head().await.expect("an answer");
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-length"), Some("70000"));
    assert_eq!(head.header("content-type"), Some("image/png"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_replaces_and_removes_content() {
    let server = TestServer::with_users(STORE, &["alice", "bob"]).await;
    let alice = basic("alice");
    let path = keep(&server, &alice, b"one").await;
    for (method, who, status) in [
        ("PUT", String::new(), 401),
        ("DELETE", String::new(), 401),
        ("PUT", basic("bob"), 403),
        ("DELETE", basic("bob"), 403),
        ("PUT", basic("nobody"), 401),
        ("POST", alice.clone(), 405),
    ] {
        let answer = ask(&server, method, &path, &who, PNG, b"other").await;
        assert_eq!(answer.status, status, "{method} {who}");
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge.is_some(), status == 401, "{method}");
    }
    assert_eq!(ask(&server, "GET", &path, "", &[], b"").await.body, b"one");
    let replaced = ask(&server, "PUT", &path, &alice, PNG, b"another").await;
    assert_eq!(
        (replaced.status, replaced.header("etag")),
        (200, Some("\"2\""))
    );
    assert_eq!(
        ask(&server, "GET", &path, "", &[], b"").await.body,
        b"another"
    );
    let removed = ask(&server, "DELETE", &path, &alice, &[], b"").await;
    assert_eq!(removed.status, 204);
    for method in ["GET", "PUT", "DELETE"] {
        let gone = ask(&server, method, &path, &alice, PNG, b"x").await;
        assert_eq!(gone.status, 404, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_keeps_content_without_the_password() {
    let server = TestServer::with_users(STORE, &["alice"]).await;
    let mut alice = server.client(Version::V1_2, Syntax::Xml, "alice").await;
    let who = format!("Bearer {}", alice.session);
    let path = keep(&server, &who, b"one").await;
    assert_eq!(ask(&server, "GET", &path, "", &[], b"").await.status, 200);
    alice.request("<Logout-Request/>").await.expect_code(200);
    let over = ask(&server, "POST", "/content", &who, PNG, b"two").await;
    assert_eq!(over.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_are_counted_like_those_of_logins() {
    // csp-access 3.3 check 10.
    let settings = [STORE, &["accounts.max_failures=3"]].concat();
    let server = TestServer::with_users(&settings, &["alice"]).await;
    let wrong = format!("Basic {}", STANDARD.encode("wv:alice@h:wrong"));
    for _ in 0..3 {
        let answer = ask(&server, "GET", "/content", &wrong, &[], b"").await;
        assert_eq!(answer.status, 401);
    }
    let right = ask(&server, "GET", "/content", &basic("alice"), &[], b"").await;
    assert_eq!(right.status, 403, "not even the right one is tried");
    let mut client =
        hamlet_tests::client::Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    let login = client.login_with_password("wv:alice@h", "secret").await;
    login.expect_code(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn type_size_and_quota_bound_what_is_kept() {
    let settings = [
        STORE,
        &[
            "content.max_size=1KiB",
            "content.quota_user=2KiB",
            "content.quota_total=3KiB",
        ],
    ]
    .concat();
    let server = TestServer::with_users(&settings, &["alice", "bob"]).await;
    let post = async |who: &str, media_type: &str, size: usize| {
        let headers = [("Content-Type", media_type)];
        let who = basic(who);
        let answer = ask(&server, "POST", "/content", &who, &headers, &octets(size)).await;
        answer.status
    };
    assert_eq!(post("alice", "image/png", 1025).await, 413);
    for media_type in ["text/html", "image/*", "nonsense", "application/x-sh"] {
        assert_eq!(post("alice", media_type, 10).await, 415, "{media_type}");
    }
    assert_eq!(
        ask(&server, "POST", "/content", &basic("alice"), &[], b"x")
            .await
            .status,
        415
    );
    assert_eq!(post("alice", "image/png", 1024).await, 201);
    assert_eq!(post("alice", "text/plain; charset=utf-8", 1024).await, 201);
    assert_eq!(post("alice", "image/png", 1).await, 507, "her quota");
    assert_eq!(post("bob", "image/png", 1000).await, 201);
    assert_eq!(post("bob", "image/png", 100).await, 507, "that of all");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_kept_runs_in_a_browser() {
    let settings = [STORE, &["content.types=*"]].concat();
    let server = TestServer::with_users(&settings, &["alice"]).await;
    let headers = [("Content-Type", "text/html")];
    let path = "/content?name=..%2F%3Cx%3E.html&life=3600";
    let answer = ask(
        &server,
        "POST",
        path,
        &basic("alice"),
        &headers,
        b"<script>",
    )
    .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let url = answer.header("location").expect("a URL");
    let path = url.strip_prefix("http://im.example/x").expect("the base");
    let got = ask(&server, "GET", path, "", &[], b"").await;
    assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
    let disposition = got.header("content-disposition");
    assert_eq!(disposition, Some("attachment; filename=\"x.html\""));
    let policy = got.header("content-security-policy");
    assert_eq!(policy, Some("default-src 'none'; sandbox"));
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_there_after_a_restart_and_gone_after_its_time() {
    let mut server = TestServer::with_users(STORE, &["alice"]).await;
    let long = keep(&server, &basic("alice"), b"long").await;
    let path = "/content?life=60";
    let answer = ask(&server, "POST", path, &basic("alice"), PNG, b"short").await;
    let url = answer.header("location").expect("a URL").to_owned();
    let short = url.strip_prefix("http://im.example/x").expect("the base");
    server.restart().await;
    for path in [&long, short] {
        assert_eq!(ask(&server, "GET", path, "", &[], b"").await.status, 200);
    }
    server.sweep_after(Duration::from_secs(61)).await;
    assert_eq!(ask(&server, "GET", short, "", &[], b"").await.status, 404);
    assert_eq!(ask(&server, "GET", &long, "", &[], b"").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_the_path_is_one_like_others() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    for (method, status) in [("GET", 405), ("PUT", 405)] {
        let answer = ask(&server, method, "/content", &basic("alice"), PNG, b"").await;
        assert_eq!(answer.status, status, "{method}");
    }
}
