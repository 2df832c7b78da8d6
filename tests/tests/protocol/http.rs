//! The HTTP binding (transport 2, 3; csp-access 1.1).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, transaction};
use hamlet_tests::http::{Connection, Framing, HttpAnswer};
use hamlet_tests::server::TestServer;

/// GetSPInfo, which needs no session.
fn question(server: &Client) -> Vec<u8> {
    server.message(
        "Outband",
        &[transaction("Request", Some("1"), "<GetSPInfo-Request/>")],
    )
}

async fn inn() -> (TestServer, Client) {
    let server =
        TestServer::with_users(&["im.max_content=8KiB", "http.max_body=16KiB"], &["alice"]).await;
    let client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    (server, client)
}

fn is_answer(answer: &HttpAnswer) -> bool {
    let body = String::from_utf8_lossy(&answer.body);
    answer.status == 200 && answer.framing == Framing::Length && body.contains("GetSPInfo-Response")
}

fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let mut request = head.replace('\n', "\r\n").into_bytes();
    request.extend_from_slice(body);
    request
}

fn post(body: &[u8], headers: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\nHost: h\nContent-Type: application/vnd.wv.csp.xml\n{headers}Content-Length: {length}\n\n"
    );
    request(&head, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_post_is_csp() {
    let (server, _) = inn().await;
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let mut connection = Connection::open(server.address()).await;
        let head = format!("{method} /imps HTTP/1.1\nHost: h\nContent-Length: 0\n\n");
        connection.send(&request(&head, b"")).await.unwrap();
        let answer = connection.receive().await.unwrap();
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_syntax_is_found_and_the_type_repeated() {
    // transport 2.1, 11 item 1; GEN-4, IV-10, OTH-2.
    let (server, xml) = inn().await;
    let wbxml = Client::connect(server.address(), Version::V1_2, Syntax::Wbxml).await;
    for (content_type, body) in [
        ("application/vnd.wv.csp.xml", question(&xml)),
        ("application/vnd.wv.csp+xml", question(&xml)),
        ("Application/VND.WV.CSP.XML", question(&xml)),
        ("application/vnd.wv.csp.xml; charset=utf-8", question(&xml)),
        ("application/xml", question(&xml)),
        ("text/xml", question(&xml)),
        ("text/plain", question(&xml)),
        ("application/vnd.wv.csp.wbxml", question(&wbxml)),
        ("application/vnd.wv.csp+wbxml", question(&wbxml)),
        ("application/octet-stream", question(&wbxml)),
    ] {
        let mut connection = Connection::open(server.address()).await;
        let headers = [("Content-Type".to_owned(), content_type.to_owned())];
        let answer = connection.post(&headers, &body).await;
        assert_eq!(answer.status, 200, "{content_type}");
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(
            answer.body[0],
            if body[0] == b'<' { b'<' } else { 0x03 },
            "{content_type}"
        );
        assert_eq!(answer.framing, Framing::Length, "{content_type}");
    }
    let mut connection = Connection::open(server.address()).await;
    let answer = connection.post(&[], &question(&xml)).await;
    assert!(
        is_answer(&answer),
        "guessed from the first octet: {answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_csp_is_refused_by_http() {
    // csp-access 1.1.
    let (server, _) = inn().await;
    for (content_type, body, status) in [
        ("application/json", &b"{}"[..], 415),
        ("image/png", b"\x89PNG", 415),
        ("application/vnd.wv.csp.xml", b"", 400),
        ("application/vnd.wv.csp.wbxml", b"", 400),
        ("application/vnd.wv.csp.xml", b"hello", 400),
        ("application/vnd.wv.csp.xml", b"<WV-CSP-Message", 400),
        ("application/vnd.wv.csp.xml", b"<html><body/></html>", 400),
        ("application/vnd.wv.csp.xml", b"\xff\xfe\xfd", 400),
        ("application/vnd.wv.csp.wbxml", b"\x03\x11\x6a\x00", 400),
        ("application/vnd.wv.csp.wbxml", b"hello", 400),
    ] {
        let mut connection = Connection::open(server.address()).await;
        let headers = [("Content-Type".to_owned(), content_type.to_owned())];
        let answer = connection.post(&headers, body).await;
        assert_eq!(answer.status, status, "{content_type} {body:?}");
        assert!(answer.body.is_empty(), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_413() {
    // Announced by Content-Length, and found out while it comes.
    let (server, client) = inn().await;
    let mut connection = Connection::open(server.address()).await;
    let answer = connection
        .post(&client.headers, &vec![b' '; 20 << 10])
        .await;
    assert_eq!(answer.status, 413);
    let mut connection = Connection::open(server.address()).await;
    let head = "POST / HTTP/1.1\nHost: h\nContent-Type: application/vnd.wv.csp.xml\nTransfer-Encoding: chunked\n\n";
    connection.send(&request(head, b"")).await.unwrap();
    let chunk = [b"1000\r\n", vec![b' '; 4096].as_slice(), b"\r\n"].concat();
    for _ in 0..6 {
        // The server may have answered and closed already.
        let _ = connection.send(&chunk).await;
    }
    let answer = connection.receive().await.unwrap();
    assert_eq!(answer.status, 413);
    let mut connection = Connection::open(server.address()).await;
    let answer = connection.post(&[], &question(&client)).await;
    assert!(is_answer(&answer), "the server goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_arrives_though_the_client_goes_on_sending() {
    // A close on unread octets would reset the connection, and the answer with it.
    let (server, _) = inn().await;
    for (head, status) in [
        ("POST / HTTP/1.1\nContent-Type: text/xml", 413),
        ("PUT / HTTP/1.1", 405),
    ] {
        let mut connection = Connection::open(server.address()).await;
        let head = format!("{head}\nHost: h\nContent-Length: 900000\n\n");
        connection.send(&request(&head, b"")).await.unwrap();
        let answer = connection.receive().await.unwrap();
        assert_eq!(answer.status, status);
        for _ in 0..9 {
            connection.send(&[b' '; 100_000]).await.unwrap();
        }
        assert!(connection.is_closed().await, "nothing follows it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_many_requests() {
    // transport 11 item 5.
    let (server, client) = inn().await;
    let mut connection = Connection::open(server.address()).await;
    for _ in 0..100 {
        assert!(is_answer(&connection.post(&[], &question(&client)).await));
    }
    // Also after one that was refused.
    let headers = [(
        "Content-Type".to_owned(),
        "application/vnd.wv.csp.xml".to_owned(),
    )];
    assert_eq!(connection.post(&headers, b"hello").await.status, 400);
    assert!(is_answer(&connection.post(&[], &question(&client)).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_may_be_sent_ahead_of_their_answers() {
    let (server, client) = inn().await;
    let mut connection = Connection::open(server.address()).await;
    let one = post(&question(&client), "");
    connection
        .send(&[one.as_slice(), &one, &one].concat())
        .await
        .unwrap();
    for _ in 0..3 {
        assert!(is_answer(&connection.receive().await.unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_connection_is_agreed() {
    let (server, client) = inn().await;
    let mut connection = Connection::open(server.address()).await;
    connection
        .send(&post(&question(&client), "Connection: close\n"))
        .await
        .unwrap();
    assert!(is_answer(&connection.receive().await.unwrap()));
    assert!(connection.is_closed().await);
    // HTTP/1.0, with and without keep-alive (GEN-27).
    let old = |extra: &str| {
        let body = question(&client);
        let length = body.len();
        let head = format!(
            "POST /some/path HTTP/1.0\nContent-Type: text/xml\n{extra}Content-Length: {length}\n\n"
        );
        request(&head, &body)
    };
    let mut connection = Connection::open(server.address()).await;
    connection.send(&old("")).await.unwrap();
    assert!(is_answer(&connection.receive().await.unwrap()));
    assert!(connection.is_closed().await);
    let mut connection = Connection::open(server.address()).await;
    for _ in 0..2 {
        connection
            .send(&old("Connection: keep-alive\n"))
            .await
            .unwrap();
        assert!(is_answer(&connection.receive().await.unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chunked_requests_are_read() {
    // transport 3.2.
    let (server, client) = inn().await;
    let body = question(&client);
    let mut connection = Connection::open(server.address()).await;
    let head = "POST / HTTP/1.1\nHost: h\nContent-Type: application/vnd.wv.csp.xml\nTransfer-Encoding: chunked\n\n";
    let mut chunks = Vec::new();
    for part in body.chunks(7) {
        chunks.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        chunks.extend_from_slice(part);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    for _ in 0..2 {
        connection.send(&request(head, &chunks)).await.unwrap();
        assert!(is_answer(&connection.receive().await.unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_small_pieces_are_put_together() {
    let (server, client) = inn().await;
    let mut connection = Connection::open(server.address()).await;
    for octet in post(&question(&client), "") {
        connection.send(&[octet]).await.unwrap();
    }
    assert!(is_answer(&connection.receive().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_100_gets_it() {
    // GEN-6; the connection asserts the interim answer.
    let (server, client) = inn().await;
    let mut connection = Connection::open(server.address()).await;
    let expect = [("Expect".to_owned(), "100-continue".to_owned())];
    for _ in 0..2 {
        assert!(is_answer(
            &connection.post(&expect, &question(&client)).await
        ));
    }
    // With the body already there no interim answer is needed, and it is never 417.
    let mut connection = Connection::open(server.address()).await;
    connection
        .send(&post(&question(&client), "Expect: 100-continue\n"))
        .await
        .unwrap();
    let mut answer = connection.receive().await.unwrap();
    if answer.status == 100 {
        answer = connection.receive().await.unwrap();
    }
    assert!(is_answer(&answer), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_may_add_what_they_like() {
    // transport 3.1, 3.2; OTH-2, GEN-5, MOV-3.
    let (server, client) = inn().await;
    let body = question(&client);
    let length = body.len();
    let mut connection = Connection::open(server.address()).await;
    let head = format!(
        "POST http://imps.example.com/imps?x=1 HTTP/1.1\nhOsT: imps.example.com\nVia: 1.1 wap\nX-Up-Calling-Line-Id: 1\n\
         MSISDN: +15551234\nAccept: */*\nAccept-Encoding: gzip, deflate\ncontent-TYPE: application/vnd.wv.csp.xml\n\
         content-length: {length}\nCookie: a=b\n\n"
    );
    connection.send(&request(&head, &body)).await.unwrap();
    let answer = connection.receive().await.unwrap();
    assert!(is_answer(&answer), "{answer:?}");
    assert_eq!(answer.header("content-encoding"), None);
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_instead_of_http_harms_nobody() {
    let (server, client) = inn().await;
    for nonsense in [
        &b"\r\n\r\n"[..],
        b"HELO s1\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let mut connection = Connection::open(server.address()).await;
        connection.send(nonsense).await.unwrap();
        connection.finish().await.unwrap();
        // Whether it answers 400 or just closes is all the same.
        if let Ok(answer) = connection.receive().await {
            assert!(
                (400..500).contains(&answer.status),
                "{nonsense:?}: {answer:?}"
            );
        }
    }
    let mut connection = Connection::open(server.address()).await;
    assert!(is_answer(&connection.post(&[], &question(&client)).await));
}
