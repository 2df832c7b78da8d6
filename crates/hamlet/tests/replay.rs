//! `hamlet replay` against a server in the test.

mod common;

use common::{Server, fail, status, succeed};
use hamlet_csp::elements::*;
use hamlet_csp::{
    ContentData, Document, Message, Primitive, SessionDescriptor, Syntax, Text, Transaction,
    Version, WriteOptions, encode,
};
use std::fmt::Write;

/// Writes a trace as a server would.
struct Trace {
    syntax: Syntax,
    text: String,
}

impl Trace {
    fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            text: "# a session of the test\n".into(),
        }
    }

    fn body(&mut self, direction: &str, session: &str, transaction: Option<Transaction>) {
        let version = Version::V1_2;
        let (media_type, status) = (
            self.syntax.media_type(version),
            if direction == "in" { "-" } else { "200" },
        );
        writeln!(
            self.text,
            "== 2026-01-01T00:00:00Z {direction} {media_type} {status}"
        )
        .unwrap();
        writeln!(self.text, "header: User-Agent: Test/1").unwrap();
        let Some(transaction) = transaction else {
            return;
        };
        let session = match session {
            "" => SessionDescriptor::outband(),
            session => SessionDescriptor::inband(session),
        };
        let document = Document::Message(Message {
            session,
            transactions: vec![transaction],
            poll: None,
            cir: None,
        });
        let octets = encode(&document, self.syntax, version, &WriteOptions::default());
        for line in octets.chunks(32) {
            let digits: String = line.iter().map(|octet| format!("{octet:02x}")).collect();
            writeln!(self.text, "hex: {digits}").unwrap();
        }
    }

    fn login(&mut self, digest: bool, code: u32) {
        let base = LoginRequest {
            user_id: Some(Text::new("wv:anna@localhost")),
            client_id: Some(ClientId {
                url: Some(Text::new("t")),
                msisdn: None,
            }),
            session_cookie: Some(Text::new("c")),
            ..LoginRequest::default()
        };
        let last = if digest {
            let first = LoginRequest {
                digest_schema: vec![Text::new("SHA")],
                ..base.clone()
            };
            self.body("in", "", Some(Transaction::request("1", first)));
            let challenge = LoginResponse {
                result: common::result(401),
                nonce: Some(Text::new("of-then")),
                digest_schema: Some(Text::new("SHA")),
                ..LoginResponse::default()
            };
            self.body("out", "", Some(Transaction::response("1", challenge)));
            LoginRequest {
                digest_bytes: Some(Text::new("*".repeat(28))),
                ..base
            }
        } else {
            LoginRequest {
                password: Some(Text::new("*".repeat(6))),
                ..base
            }
        };
        self.body("in", "", Some(Transaction::request("1", last)));
        let answer = LoginResponse {
            result: common::result(code),
            session_id: Some(Text::new("then")),
            ..LoginResponse::default()
        };
        self.body("out", "", Some(Transaction::response("1", answer)));
    }

    /// A message to oneself, fetched and acknowledged.
    fn chat(&mut self) {
        let info = MessageInfo {
            content_size: Some(2),
            recipient: Some(Recipient {
                user: vec![User {
                    user_id: Some(Text::new("wv:anna@localhost")),
                    ..User::default()
                }],
                ..Recipient::default()
            }),
            ..MessageInfo::default()
        };
        let send = SendMessageRequest {
            delivery_report: Some(false),
            message_info: Some(info.clone()),
            content_data: Some(ContentData::from("hi")),
        };
        self.body("in", "then", Some(Transaction::request("2", send)));
        let sent = SendMessageResponse {
            result: common::result(200),
            message_id: Some(Text::new("old-1")),
        };
        self.body("out", "then", Some(Transaction::response("2", sent)));
        self.body(
            "in",
            "then",
            Some(Transaction::request("", Primitive::PollingRequest)),
        );
        let new = NewMessage {
            message_info: Some(MessageInfo {
                message_id: Some(Text::new("old-1")),
                ..info
            }),
            content_data: Some(ContentData::from("hi")),
        };
        self.body("out", "then", Some(Transaction::request("77", new)));
        let delivered = MessageDelivered {
            message_id: Some(Text::new("old-1")),
        };
        self.body("in", "then", Some(Transaction::response("77", delivered)));
        self.body("out", "then", None);
        // Nothing is left only if the acknowledgement named the live message.
        self.body(
            "in",
            "then",
            Some(Transaction::request("", Primitive::PollingRequest)),
        );
        self.body("out", "then", None);
    }

    fn play(&self, server: &Server, succeeds: bool) -> String {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("trace");
        std::fs::write(&file, &self.text).unwrap();
        let file = file.to_str().unwrap();
        let line = [
            "replay",
            file,
            "--server",
            &server.url,
            "--password",
            "secret",
        ];
        match succeeds {
            true => succeed(&line, b""),
            false => fail(&line, b""),
        }
    }
}

#[test]
fn a_session_is_played_with_the_live_names_and_the_password() {
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        for digest in [false, true] {
            let mut trace = Trace::new(syntax);
            trace.login(digest, 200);
            trace.chat();
            let said = trace.play(&Server::start(), true);
            let exchanges = if digest { 6 } else { 5 };
            assert_eq!(said, format!("{exchanges} exchanges, no difference\n"));
        }
    }
}

#[test]
fn a_difference_is_printed_and_fails() {
    let mut trace = Trace::new(Syntax::Wbxml);
    trace.login(false, 200);
    trace.body(
        "in",
        "then",
        Some(Transaction::request("2", Primitive::LogoutRequest)),
    );
    trace.body("out", "then", Some(Transaction::response("2", status(503))));
    let said = trace.play(&Server::start(), false);
    assert_eq!(said, "hamlet: 1 of 2 answers differ");
}

#[test]
fn a_masked_password_has_to_be_named() {
    let mut trace = Trace::new(Syntax::Wbxml);
    trace.login(false, 200);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trace");
    std::fs::write(&file, &trace.text).unwrap();
    let server = Server::start();
    let line = ["replay", file.to_str().unwrap(), "--server", &server.url];
    assert!(fail(&line, b"").contains("--password"));
}

#[test]
fn a_file_that_is_no_trace_is_named_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trace");
    std::fs::write(&file, "# ok\nnonsense\n").unwrap();
    let line = fail(&["replay", file.to_str().unwrap()], b"");
    assert!(line.contains("line 2"), "{line}");
}
