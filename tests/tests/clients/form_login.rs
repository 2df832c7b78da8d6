//! The login of the Movistar clients through a web form (clients 5.1, MOV-1).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::http::{Connection, HttpAnswer};
use hamlet_tests::phone::Phone;
use hamlet_tests::server::TestServer;

/// The path and the fields as the clients have them (V-8).
const PATH: &str = "/tmelogin/tmelogin.jsp";

fn form(password: &str) -> String {
    format!(
        "TM_ACTION=AUTHENTICATE&TM_LOGIN=600000001&TM_PASSWORD={password}&SessionCookie=ColibriaIMPS_367918656&ClientID=WV%3AInstantMessenger-1.0.2309.16485%40COLIBRIA.PC-CLIENT"
    )
}

async fn operator(settings: &[&str]) -> TestServer {
    let settings = [&["domain=movistar.es"], settings].concat();
    let server = TestServer::start(&settings).await;
    server.add_user("wv:600000001@movistar.es", "pw").await;
    server
}

/// POSTs a form as the Python client does.
async fn post(server: &TestServer, target: &str, form: &str) -> HttpAnswer {
    let mut connection = Connection::open(server.address()).await;
    let length = form.len();
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: impw.movistar.es\r\nAccept-Encoding: identity\r\nContent-Length: {length}\r\n\
         Content-type: application/x-www-form-urlencoded\r\n\r\n{form}"
    );
    connection
        .send(request.as_bytes())
        .await
        .expect("a connection");
    connection.receive().await.expect("an answer")
}

fn read(answer: HttpAnswer) -> Answer {
    Answer::read(
        answer,
        "application/vnd.wv.csp.xml",
        Syntax::Xml,
        Version::V1_2,
    )
}

const ON: &str = "http.form_login=/tmelogin/tmelogin.jsp";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_logs_in_by_the_form_and_goes_on_by_csp() {
    // Java adds a query.
    for target in [PATH.to_owned(), format!("{PATH}?USERID=")] {
        let server = operator(&[ON]).await;
        let answer = read(post(&server, &target, &form("pw")).await);
        let response = answer.expect("Login-Response");
        answer.expect_code(200);
        assert!(response.text("SessionID").is_some());
        assert!(response.text("KeepAliveTime").is_some());
        assert_eq!(response.text("CapabilityRequest"), Some("T"));
        let mut phone = Phone::new("movistar-1.2", server.address()).await;
        phone.keep_session(&answer);
        phone
            .send("client-capability")
            .await
            .expect("ClientCapability-Response");
        phone.send("service").await.expect("Service-Response");
        // The client is known for what it is: its lists are there (MOV-10).
        let lists = phone.send("get-list").await;
        let response = lists.expect("GetList-Response");
        let mut lists = response.texts("ContactList");
        lists.extend(response.texts("DefaultContactList"));
        assert!(lists.contains(&"wv:600000001/~pep1.0_privatelist@movistar.es"));
        let own = phone.send("own-presence").await;
        let user = own.primitive().text("Presence/UserID");
        assert_eq!(user, Some("wv:600000001@movistar.es"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_answered_409_and_slowed_down_like_every_other() {
    // T-17, MOV-1.
    let server = operator(&[ON, "accounts.max_failures=3"]).await;
    for _ in 0..3 {
        let answer = read(post(&server, PATH, &form("wrong")).await);
        answer.expect("Login-Response");
        answer.expect_code(409);
        assert_eq!(answer.primitive().text("SessionID"), None);
    }
    // The right one, too, has to wait now.
    let answer = read(post(&server, PATH, &form("pw")).await);
    assert_eq!(answer.primitive().text("SessionID"), None, "{answer:?}");
    assert_ne!(answer.code(), Some(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_such_form_is_a_bad_request() {
    let server = operator(&[ON]).await;
    for bad in [
        "",
        "TM_ACTION=AUTHENTICATE",
        "TM_ACTION=OTHER&TM_LOGIN=1&TM_PASSWORD=2",
        "%",
    ] {
        let answer = post(&server, PATH, bad).await;
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.body.is_empty());
    }
    let answer = read(post(&server, PATH, &form("pw").replace("600000001", "nobody")).await);
    assert_eq!(answer.primitive().text("SessionID"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_there_is_no_form() {
    let server = operator(&[]).await;
    let answer = post(&server, PATH, &form("pw")).await;
    assert_eq!(answer.status, 415);
    assert!(answer.body.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_a_form_is_in_no_trace() {
    let directory = tempfile::tempdir().expect("a directory");
    let trace = format!("trace.dir={}", directory.path().display());
    let mut server = operator(&[ON, &trace]).await;
    let secret = "sesam-oeffne-dich";
    server.add_user("wv:600000002@movistar.es", secret).await;
    let form = form(secret).replace("600000001", "600000002");
    read(post(&server, PATH, &form).await).expect_code(200);
    read(post(&server, PATH, &form.replace(secret, "sesam-falsch")).await).expect_code(409);
    server.stop().await;
    let mut traces = String::new();
    for entry in std::fs::read_dir(directory.path()).expect("a directory") {
        let path = entry.expect("an entry").path();
        let octets = std::fs::read(path).expect("a file");
        traces.push_str(&String::from_utf8_lossy(&octets));
    }
    assert!(traces.contains("Login-Request"), "{traces}");
    assert!(!traces.contains("sesam"), "{traces}");
}
