//! Requests that do not end, or not in time, and answers that nobody reads.

use crate::{Attacked, log_in};
use futures::future::join_all;
use hamlet_tests::http::Connection;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

#[tokio::test(flavor = "multi_thread")]
async fn slow_writers_are_cut_off() {
    let attacked = Attacked::start(&["http.read_timeout=1s", "http.max_connections=400"]).await;
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    for _ in 0..150 {
        let mut head = Connection::open(attacked.address()).await;
        head.send(b"POST / HTTP/1.1\r\nHo")
            .await
            .expect("a connection");
        heads.push(head);
        let mut body = Connection::open(attacked.address()).await;
        let begin = "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/vnd.wv.csp.xml\r\nContent-Length: 5000\r\n\r\n<WV-CSP";
        body.send(begin.as_bytes()).await.expect("a connection");
        bodies.push(body);
    }
    // clients MOV-28: 400 for a body that does not come.
    for mut body in bodies {
        assert_eq!(body.receive().await.expect("an answer").status, 400);
    }
    for mut head in heads {
        assert!(head.is_closed().await);
    }
    attacked.expect_one_line("a body that does not come").await;
    attacked.expect_one_line("a head that does not come").await;
    // 300 connections of a few ten kilobytes.
    attacked.survives(48).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_heads_and_bodies_are_not_kept() {
    let attacked = Attacked::start(&["http.max_body=64KiB", "im.max_content=32KiB"]).await;
    for _ in 0..50 {
        let mut head = TcpStream::connect(attacked.address())
            .await
            .expect("a connection");
        let _ = head.write_all(b"POST / HTTP/1.1\r\n").await;
        // It ends when the server closes the connection, at 32 KiB.
        let line = format!("X-Filler: {}\r\n", "x".repeat(1000));
        let mut sent = 0;
        while head.write_all(line.as_bytes()).await.is_ok() {
            sent += line.len();
            assert!(sent < 64 << 20, "a head without end is read");
        }
    }
    attacked.expect_one_line("a head that is too large").await;
    for _ in 0..50 {
        let mut body = TcpStream::connect(attacked.address())
            .await
            .expect("a connection");
        let begin = "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/vnd.wv.csp.xml\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = body.write_all(begin.as_bytes()).await;
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        let mut sent = 0;
        while body.write_all(chunk.as_bytes()).await.is_ok() {
            sent += chunk.len();
            assert!(sent < 64 << 20, "a body without end is read");
        }
    }
    attacked.expect_one_line("a body that is too large").await;
    let mut garbage = Connection::open(attacked.address()).await;
    for _ in 0..500 {
        let headers = [(
            "Content-Type".to_owned(),
            "application/vnd.wv.csp.wbxml".to_owned(),
        )];
        assert_eq!(garbage.post(&headers, b"\x03\x11garbage").await.status, 400);
    }
    attacked.expect_one_line("a body that is no CSP").await;
    attacked.survives(48).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_are_not_piled_up() {
    let attacked = Attacked::start(&[]).await;
    let eve = log_in(attacked.address(), "eve").await;
    // Its answer is many times as long: what the server can do.
    let service = "<Service-Request><Functions><WVCSPFeat/></Functions><AllFunctionsRequest>T</AllFunctionsRequest></Service-Request>";
    let eve = &eve;
    let address = attacked.address();
    let deaf = (0..10).map(|connection| async move {
        // With small buffers of its own, so that what is not read soon stands at the server.
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a size");
        socket.set_send_buffer_size(4096).expect("a size");
        let mut stream = socket.connect(address).await.expect("a connection");
        // Requests one after the other, until the server takes no more of them, because
        // nobody reads what it answers.
        let mut taken = 0;
        for turn in 0.. {
            let id = format!("d{connection}-{turn}");
            let transaction = hamlet_tests::client::transaction("Request", Some(&id), service);
            let body = eve.message("Inband", &[transaction]);
            let mut request = format!(
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/vnd.wv.csp.wbxml\r\nContent-Length: {}\r\n\r\n",
                body.len()
            )
            .into_bytes();
            request.extend(body);
            let written = stream.write_all(&request);
            match tokio::time::timeout(Duration::from_secs(1), written).await {
                Ok(Ok(())) => taken += request.len(),
                Ok(Err(_)) | Err(_) => break,
            }
            assert!(taken < 64 << 20, "a client that reads nothing is served for ever");
        }
        stream
    });
    let deaf = join_all(deaf).await;
    // At most one answer and one buffer of requests for each connection, in the server; the
    // rest lies in the sockets, which are the kernel's.
    attacked.survives(64).await;
    drop(deaf);
}
