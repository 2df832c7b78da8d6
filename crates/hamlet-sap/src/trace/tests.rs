//! Traces as they stand on the disk.

use super::*;
use bytes::Bytes;
use hamlet_csp::elements::{LoginRequest, Primitive};
use hamlet_csp::{
    Document, Message, SessionDescriptor, Syntax, Transaction, Version, WriteOptions, encode,
};
use hamlet_model::{Domain, SessionId, Timestamp, UserId};
use std::collections::BTreeMap;
use std::fs;

const TYPE: &str = "application/vnd.wv.csp.wbxml";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

fn half(at: Timestamp, body: &[u8]) -> TraceHalf {
    TraceHalf {
        at,
        content_type: Some(TYPE.into()),
        body: Bytes::copy_from_slice(body),
        ..TraceHalf::default()
    }
}

fn exchange(connection: &str, session: Option<(&str, &str)>, millis: i64) -> TraceExchange {
    TraceExchange {
        connection: connection.into(),
        session: session.map(|(user, id)| TraceSession {
            id: SessionId::new(id),
            user: UserId::parse(user, &Domain::parse("im.example").unwrap()).unwrap(),
        }),
        request: half(at(millis), b"\x03\x11question"),
        answer: Some(TraceHalf {
            status: Some(200),
            ..half(at(millis + 1), b"\x03\x11answer")
        }),
    }
}

fn login(password: &str) -> Document {
    let login = LoginRequest {
        user_id: Some("anna".into()),
        password: Some(password.into()),
        session_cookie: Some("line\nbreak".into()),
        ..LoginRequest::default()
    };
    Document::Message(Message {
        session: SessionDescriptor::outband(),
        transactions: vec![Transaction::request(
            "1",
            Primitive::LoginRequest(Box::new(login)),
        )],
        poll: None,
        cir: None,
    })
}

/// Runs a tracer over the exchanges and returns the files by name.
async fn traced(limits: TraceLimits, exchanges: Vec<TraceExchange>) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let tracer = Tracer::open(dir.path().join("new/trace"), limits).unwrap();
    for exchange in exchanges {
        tracer.exchange(exchange);
    }
    tracer.close().await;
    fs::read_dir(dir.path().join("new/trace"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

/// The bodies of a file, in order, as a replay reads them.
fn bodies(file: &str) -> Vec<(String, Vec<u8>)> {
    let mut bodies: Vec<(String, Vec<u8>)> = Vec::new();
    for line in file.lines() {
        if let Some(head) = line.strip_prefix("== ") {
            bodies.push((head.to_owned(), Vec::new()));
        } else if let Some(digits) = line.strip_prefix("hex: ") {
            assert!(digits.len() <= 128);
            let octets = digits
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
            bodies.last_mut().unwrap().1.extend(octets);
        } else {
            assert!(
                line.starts_with("# ") || line.starts_with("header: ") || line.starts_with("xml: "),
                "{line}"
            );
        }
    }
    bodies
}

#[tokio::test]
async fn an_exchange_can_be_read_back_octet_by_octet() {
    let long: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let mut exchange = exchange("c1", None, 0);
    exchange.request.body = Bytes::from(long.clone());
    exchange.request.headers = vec![
        ("User-Agent".into(), "MOT-V3\r\nx: y".into()),
        ("Authorization".into(), "Basic abc".into()),
    ];
    exchange.request.content_type = Some("text/xml; charset=utf-8".into());
    if let Some(answer) = &mut exchange.answer {
        (answer.content_type, answer.body) = (None, Bytes::new());
    }
    let files = traced(TraceLimits::default(), vec![exchange]).await;
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["20231114T221320000Z-login-c1.trace"]
    );
    let file = files.values().next().unwrap();
    assert!(file.contains("header: User-Agent: MOT-V3  x: y\n"));
    assert!(file.contains("header: Authorization: *********\n"));
    assert_eq!(
        bodies(file),
        [
            (
                "2023-11-14T22:13:20.000Z in text/xml;charset=utf-8 -".to_owned(),
                long
            ),
            ("2023-11-14T22:13:20.001Z out - 200".to_owned(), vec![]),
        ]
    );
}

#[tokio::test]
async fn the_login_stands_in_the_file_of_its_session() {
    let anna = Some(("wv:anna", "s#1/x"));
    let files = traced(
        TraceLimits::default(),
        vec![
            exchange("c1", None, 0),
            exchange("c2", None, 5),
            exchange("c1", anna, 10),
            // The phone opened another connection.
            exchange("c3", anna, 20),
            // And logged in again over the first one.
            exchange("c1", None, 30),
        ],
    )
    .await;
    let counts: Vec<_> = files
        .iter()
        .map(|(name, file)| (name.as_str(), bodies(file).len()))
        .collect();
    assert_eq!(
        counts,
        [
            ("20231114T221320000Z-anna@im.example-s_1_x.trace", 6),
            ("20231114T221320005Z-login-c2.trace", 2),
            ("20231114T221320030Z-login-c1.trace", 2),
        ]
    );
}

#[tokio::test]
async fn passwords_are_masked_in_octets_and_in_xml() {
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        let document = login("geheim");
        let body = encode(&document, syntax, Version::V1_2, &WriteOptions::default());
        let mut exchange = exchange("c1", None, 0);
        exchange.request.body = Bytes::from(body.clone());
        exchange.request.document = Some(TraceDocument {
            document,
            version: Version::V1_2,
        });
        let files = traced(TraceLimits::default(), vec![exchange]).await;
        let file = files.values().next().unwrap();
        assert!(!file.contains("geheim") && !file.contains("67656865696d"));
        assert!(file.contains("<Password>******</Password>"));
        assert!(file.contains("line&#10;break"), "one line of XML");
        let masked = &bodies(file)[0].1;
        assert_eq!(masked.len(), body.len());
        assert!(masked.windows(6).any(|window| window == b"******"));
    }
}

#[tokio::test]
async fn a_full_file_is_followed_by_the_next_part() {
    let limits = TraceLimits {
        file: 600,
        ..TraceLimits::default()
    };
    let anna = Some(("anna", "s1"));
    let exchanges = (0..9).map(|n| exchange("c1", anna, n)).collect();
    let files = traced(limits, exchanges).await;
    assert!(files.len() > 1);
    let count: usize = files.values().map(|file| bodies(file).len()).sum();
    assert_eq!(count, 18, "nothing is lost");
    assert!(files.contains_key("20231114T221320000Z-anna@im.example-s1.trace"));
    assert!(files.contains_key("20231114T221320000Z-anna@im.example-s1-2.trace"));
    assert!(files.values().all(|file| file.len() < 1200));
}

#[tokio::test]
async fn an_exchange_larger_than_a_file_is_left_out() {
    let limits = TraceLimits {
        file: 600,
        ..TraceLimits::default()
    };
    let mut large = exchange("c1", None, 0);
    large.request.body = Bytes::from(vec![7; 4000]);
    let files = traced(limits, vec![large]).await;
    let file = files.values().next().unwrap();
    assert!(file.contains("was left out"));
    assert!(bodies(file).is_empty());
}

#[tokio::test]
async fn the_oldest_files_make_room() {
    let limits = TraceLimits {
        total: 2000,
        ..TraceLimits::default()
    };
    let exchanges = (0..40)
        .map(|n| exchange("c", Some(("anna", &format!("s{n:02}"))), n))
        .collect();
    let files = traced(limits, exchanges).await;
    let total: usize = files.values().map(String::len).sum();
    assert!(total <= 2000, "{total}");
    let newest = files.keys().next_back().unwrap();
    assert!(newest.contains("s39"), "{newest}");
}

#[tokio::test]
async fn other_files_of_the_directory_stay() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), vec![b'x'; 4000]).unwrap();
    fs::write(dir.path().join("20200101-old.trace"), vec![b'#'; 4000]).unwrap();
    let limits = TraceLimits {
        total: 2000,
        ..TraceLimits::default()
    };
    let tracer = Tracer::open(dir.path(), limits).unwrap();
    tracer.exchange(exchange("c1", None, 0));
    tracer.close().await;
    assert!(dir.path().join("notes.txt").exists());
    assert!(!dir.path().join("20200101-old.trace").exists());
}

#[tokio::test]
async fn what_is_dropped_is_counted_and_noted() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Files::open(dir.path(), TraceLimits::default()).unwrap();
    write(&mut files, &exchange("c1", None, 0), 7);
    let name = dir.path().join("20231114T221320000Z-login-c1.trace");
    let file = fs::read_to_string(name).unwrap();
    assert!(file.contains("# 7 exchanges before this one were not recorded"));

    let tracer = Tracer::open(dir.path(), TraceLimits::default()).unwrap();
    tracer.close().await;
    // Nobody writes any more: what comes now is only counted.
    tracer.exchange(exchange("c1", None, 0));
    assert_eq!(tracer.dropped.load(Ordering::Relaxed), 1);
    tracer.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn traces_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace");
    let tracer = Tracer::open(&path, TraceLimits::default()).unwrap();
    tracer.exchange(exchange("c1", None, 0));
    tracer.close().await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(
        mode(&path.join("20231114T221320000Z-login-c1.trace")),
        0o600
    );
}
