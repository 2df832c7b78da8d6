//! The HTTP binding (transport 3, csp-access 1.1).

use crate::support::{DEADLINE, PASSWORD, Phone, Server, config, read_answer};
use hamlet_csp::Syntax::{Wbxml, Xml};
use hamlet_csp::Version::{V1_1, V1_2, V1_3};
use hamlet_csp::{Document, Syntax, Version, WriteOptions, decode, elements, encode};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Writes octets on a new connection and reads one answer.
async fn raw(server: &Server, octets: &[u8]) -> (String, Vec<u8>) {
    let exchange = async {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(octets).await.unwrap();
        read_answer(&mut stream).await
    };
    tokio::time::timeout(DEADLINE, exchange).await.unwrap()
}

fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /any/path HTTP/1.1\r\nHost: h\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn discovery(syntax: Syntax, version: Version) -> Vec<u8> {
    let request = Document::VersionDiscoveryRequest(elements::VersionDiscoveryRequest::default());
    encode(&request, syntax, version, &WriteOptions::default())
}

#[tokio::test]
async fn what_is_no_csp_gets_its_http_status() {
    let mut config = config();
    config.http.max_body = 2000;
    let server = Server::with(config).await;
    let xml = "Content-Type: application/vnd.wv.csp.xml\r\n";
    let large = vec![b' '; 2001];
    for (octets, status) in [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(), "405"),
        (
            b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "405",
        ),
        (post(xml, b""), "400"),
        (post(xml, b"<nonsense"), "400"),
        (post(xml, b"<html></html>"), "400"),
        (
            post(
                "Content-Type: application/vnd.wv.csp.wbxml\r\n",
                b"\x03\x11\x6a\x00\xff",
            ),
            "400",
        ),
        (post("Content-Type: text/plain\r\n", b"hello"), "415"),
        (post("", b"hello"), "415"),
        (post(xml, &large), "413"),
        (
            [
                &b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n7d1\r\n"[..],
                &large,
                b"\r\n0\r\n\r\n",
            ]
            .concat(),
            "413",
        ),
    ] {
        let (head, body) = raw(&server, &octets).await;
        let shown = String::from_utf8_lossy(&octets[..octets.len().min(120)]).into_owned();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{shown}\n{head}"
        );
        assert!(body.is_empty());
        let lower = head.to_ascii_lowercase();
        assert!(lower.contains("content-length: 0\r\n"), "{head}");
        assert_eq!(status == "405", lower.contains("allow: post\r\n"), "{head}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_media_type_of_the_request_comes_back() {
    let server = Server::start().await;
    for (content_type, syntax) in [
        ("application/vnd.wv.csp.xml", Xml),
        ("application/vnd.wv.csp+xml", Xml),
        ("Application/XML; charset=utf-8", Xml),
        ("text/xml", Xml),
        ("application/octet-stream", Xml),
        ("application/vnd.wv.csp.wbxml", Wbxml),
        ("application/vnd.wv.csp+wbxml", Wbxml),
        ("application/octet-stream", Wbxml),
    ] {
        let header = format!("Content-Type: {content_type}\r\n");
        let (head, body) = raw(&server, &post(&header, &discovery(syntax, V1_3))).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let answered = head
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "));
        assert_eq!(answered, Some(content_type));
        let decoded = decode(&body, syntax).unwrap();
        assert!(matches!(
            decoded.document,
            Document::VersionDiscoveryResponse(_)
        ));
    }
    let (head, _) = raw(&server, &post("", &discovery(Xml, V1_2))).await;
    assert!(
        head.contains("content-type: application/vnd.wv.csp+xml\r\n"),
        "{head}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_charset_of_the_media_type_counts_and_the_answer_is_in_utf_8() {
    let server = Server::start().await;
    let body =
        b"<WV-CSP-Message xmlns=\"http://www.openmobilealliance.org/DTD/WV-CSP1.2\"><Session>\
        <SessionDescriptor><SessionType>Outband</SessionType></SessionDescriptor>\
        <Transaction><TransactionDescriptor><TransactionMode>Request</TransactionMode>\
        <TransactionID>caf\xe9</TransactionID></TransactionDescriptor><TransactionContent \
        xmlns=\"http://www.openmobilealliance.org/DTD/WV-TRC1.2\"><KeepAlive-Request/>\
        </TransactionContent></Transaction></Session></WV-CSP-Message>";
    let header = "Content-Type: application/vnd.wv.csp.xml; charset=\"ISO-8859-1\"\r\n";
    let (head, body) = raw(&server, &post(header, body)).await;
    let body = String::from_utf8(body).unwrap();
    assert!(
        body.contains("<TransactionID>caf\u{e9}</TransactionID>"),
        "{body}"
    );
    let answered = "content-type: application/vnd.wv.csp.xml; charset=utf-8\r\n";
    assert!(head.contains(answered), "{head}");
    server.stop().await;
}

#[tokio::test]
async fn all_listeners_share_the_places_for_connections() {
    let mut config = config();
    config.http.max_connections = 1;
    let server = Server::with(config).await;
    let second = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = second.local_addr().unwrap();
    let sap = server.sap.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        sap.serve(second, None, stopped).await
    });
    let request = post("Content-Type: text/xml\r\n", &discovery(Xml, V1_3));
    let exchange = async {
        let mut first = TcpStream::connect(server.address).await.unwrap();
        first.write_all(&request).await.unwrap();
        read_answer(&mut first).await;
        let mut other = TcpStream::connect(address).await.unwrap();
        other.write_all(&request).await.unwrap();
        // The first is still served, and the other only when it has gone.
        for _ in 0..20 {
            first.write_all(&request).await.unwrap();
            read_answer(&mut first).await;
            assert!(other.try_read(&mut [0]).is_err());
        }
        drop(first);
        let (head, _) = read_answer(&mut other).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    };
    tokio::time::timeout(DEADLINE, exchange).await.unwrap();
    drop(stop);
    serving.await.unwrap().unwrap();
    server.stop().await;
}

#[tokio::test]
async fn bodies_may_be_chunked_announced_and_pipelined() {
    let server = Server::start().await;
    let body = discovery(Xml, V1_3);
    let whole = async {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // Expect: 100-continue (clients MOV-2).
        let head = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(&body).await.unwrap();
        let (head, _) = read_answer(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");

        // Chunked, octet by octet.
        let mut chunked =
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for octet in &body {
            chunked.extend_from_slice(&[b'1', b'\r', b'\n', *octet, b'\r', b'\n']);
        }
        chunked.extend_from_slice(b"0\r\n\r\n");
        stream.write_all(&chunked).await.unwrap();
        let (head, _) = read_answer(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(
            !head.to_ascii_lowercase().contains("transfer-encoding"),
            "{head}"
        );

        // Three at once on the same connection, answered in order.
        let three = [post("", &body), post("", b"hello"), post("", &body)].concat();
        stream.write_all(&three).await.unwrap();
        let mut answers = Vec::new();
        let mut heads = String::new();
        while heads.matches("HTTP/1.1 ").count() < 3 {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0);
            answers.extend_from_slice(&buffer[..count]);
            heads = String::from_utf8_lossy(&answers).into_owned();
        }
        let statuses: Vec<_> = heads
            .match_indices("HTTP/1.1 ")
            .map(|(at, _)| &heads[at + 9..at + 12])
            .collect();
        assert_eq!(statuses, ["200", "415", "200"]);
    };
    tokio::time::timeout(DEADLINE, whole).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_get_on_is_not_waited_for() {
    let mut config = config();
    config.http.read_timeout = Duration::from_millis(200);
    let server = Server::with(config).await;
    let slow = async {
        // Half a body (clients MOV-28).
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let half = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n<WV-CSP";
        stream.write_all(half).await.unwrap();
        let (head, _) = read_answer(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
        // Half a head, and nothing at all.
        for sent in [&b"POST / HTTP/1.1\r\nHo"[..], b""] {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(sent).await.unwrap();
            let mut rest = Vec::new();
            // Closed, in whatever way.
            let _ = stream.read_to_end(&mut rest).await;
        }
    };
    tokio::time::timeout(DEADLINE, slow).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_faulty_message_is_answered_in_its_transaction_when_that_can_be_read() {
    let server = Server::start().await;
    server.account("anna").await;
    for version in [V1_1, V1_2, V1_3] {
        let mut phone = Phone::new(&server, "anna", version, Xml).await;
        assert_eq!(phone.log_in(PASSWORD).await, 200);
        let message = format!(
            "<WV-CSP-Message xmlns=\"{}\"><Session><SessionDescriptor><SessionType>Inband\
             </SessionType><SessionID>{}</SessionID></SessionDescriptor><Transaction>\
             <TransactionDescriptor><TransactionMode>Request</TransactionMode><TransactionID>77\
             </TransactionID></TransactionDescriptor><TransactionContent xmlns=\"{}\">\
             <CreateList-Request><NickList><UserID>x</userID></NickList>",
            version.session_namespace(),
            phone.session_id(),
            version.transaction_namespace(),
        );
        // clients MOV-22: ill-formed XML.
        let (head, body) = phone.post(message.as_bytes()).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains("<TransactionID>77</TransactionID>"), "{text}");
        assert!(text.contains("<Code>400</Code>"), "{text}");
        phone.log_out().await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_version_that_is_not_spoken_gets_505() {
    let server = Server::start().await;
    let body = "<WV-CSP-Message xmlns=\"http://www.openmobilealliance.org/DTD/IMPS-CSP2.0\"/>";
    let (head, body) = raw(
        &server,
        &post("Content-Type: text/xml\r\n", body.as_bytes()),
    )
    .await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let text = String::from_utf8(body).unwrap();
    assert!(
        text.contains("IMPS-CSP1.3") && text.contains("<Code>505</Code>"),
        "{text}"
    );
    server.stop().await;
}

#[tokio::test]
async fn the_doctype_of_the_request_comes_back() {
    let server = Server::start().await;
    let body = "<?xml version=\"1.0\"?><!DOCTYPE WV-CSP-Message PUBLIC \"-//OMA//DTD WV-CSP 1.2//EN\" \
        \"http://www.openmobilealliance.org/DTD/WV-CSP.DTD\"><WV-CSP-Message \
        xmlns=\"http://www.openmobilealliance.org/DTD/WV-CSP1.2\"><Session><SessionDescriptor>\
        <SessionType>Outband</SessionType></SessionDescriptor><Transaction><TransactionDescriptor>\
        <TransactionMode>Request</TransactionMode><TransactionID>1</TransactionID>\
        </TransactionDescriptor><TransactionContent xmlns=\"\
        http://www.openmobilealliance.org/DTD/WV-TRC1.2\"><GetSPInfo-Request/>\
        </TransactionContent></Transaction></Session></WV-CSP-Message>";
    for (body, doctype) in [
        (body.to_owned(), true),
        (
            body[body.find("<WV-CSP-Message").unwrap()..].to_owned(),
            false,
        ),
    ] {
        let (_, answer) = raw(
            &server,
            &post("Content-Type: text/xml\r\n", body.as_bytes()),
        )
        .await;
        let text = String::from_utf8(answer).unwrap();
        assert!(text.contains("<Name>im.example</Name>"), "{text}");
        assert_eq!(text.contains("<!DOCTYPE"), doctype, "{text}");
    }
    server.stop().await;
}
