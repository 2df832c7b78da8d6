//! A CSP answer, read by the strict readers, with the questions that tests ask of it.

use crate::element::Element;
use crate::http::{Framing, HttpAnswer};
use crate::{strict_wbxml, strict_xml};
use hamlet_csp::{Syntax, Version};

/// An answer to a POST.
#[derive(Debug, Clone)]
pub struct Answer {
    /// As HTTP carried it.
    pub http: HttpAnswer,
    /// WV-CSP-Message; `None` when the body is empty.
    pub root: Option<Element>,
}

impl Answer {
    /// Reads an answer to a request of this syntax and version, and checks what holds for
    /// every answer: clients GEN-1, GEN-3 to GEN-5, GEN-7, GEN-13, GEN-14; csp-access 0.6, 0.7,
    /// 0.12.
    pub fn read(http: HttpAnswer, content_type: &str, syntax: Syntax, version: Version) -> Self {
        assert_eq!(http.status, 200, "GEN-1: {http:?}");
        assert_eq!(http.framing, Framing::Length, "GEN-1: {http:?}");
        assert_eq!(http.header("content-encoding"), None, "GEN-5: {http:?}");
        if http.body.is_empty() {
            return Self { http, root: None };
        }
        assert_eq!(http.header("content-type"), Some(content_type), "GEN-4");
        let root = match syntax {
            Syntax::Xml => strict_xml::read(&http.body),
            Syntax::Wbxml => strict_wbxml::read(&http.body).map(|document| {
                let expected = 0x10 + version.index() as u8;
                assert_eq!(document.public_id, expected, "GEN-7");
                document.root
            }),
        };
        let root = root.unwrap_or_else(|what| panic!("{what} in {}", printable(&http.body)));
        let decoded = hamlet_csp::decode(&http.body, syntax);
        assert!(decoded.is_ok(), "{decoded:?}");
        let answer = Self {
            http,
            root: Some(root),
        };
        answer.check_envelope(version);
        answer
    }

    fn check_envelope(&self, version: Version) {
        let root = self.root();
        assert_eq!(root.name, "WV-CSP-Message");
        assert_eq!(
            root.namespace,
            Some(version.session_namespace()),
            "GEN-3, GEN-7"
        );
        for content in root.all("Session/Transaction/TransactionContent") {
            assert_eq!(content.namespace, Some(version.transaction_namespace()));
        }
        for element in root.descendants() {
            if element.name == "PresenceSubList" {
                assert_eq!(element.namespace, Some(version.presence_namespace()));
            }
        }
        for transaction in root.all("Session/Transaction") {
            let descriptor = "TransactionDescriptor/TransactionMode";
            let mode = transaction.text(descriptor).unwrap_or_default();
            assert!(["Request", "Response"].contains(&mode), "csp-access 0.12");
            if mode == "Request" {
                let id = transaction.text("TransactionDescriptor/TransactionID");
                assert!(
                    id.is_some_and(|id| (1..=50).contains(&id.len())),
                    "csp-access 0.7, GEN-12: {id:?}"
                );
            }
        }
        let results = root.descendants().into_iter();
        for result in results.filter(|element| element.name == "Result") {
            assert_eq!(result.child_names().first(), Some(&"Code"), "GEN-14");
            if result.text("Code") == Some("201") {
                let why = result.at("DetailedResult").is_some();
                assert!(why, "GEN-13: {result:#?}");
            }
        }
        let (right, wrong) = match version {
            Version::V1_1 => (POLL_1_1, POLL),
            _ => (POLL, POLL_1_1),
        };
        assert!(root.at(wrong).is_none(), "csp-access 5.2: Poll in {wrong}");
        if let Some(poll) = root.text(right) {
            assert!(["T", "F"].contains(&poll), "{poll}");
        }
    }

    /// Whether there is no body.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// WV-CSP-Message.
    pub fn root(&self) -> &Element {
        self.root.as_ref().expect("an answer with content")
    }

    /// The primitive of the one transaction (clients GEN-10).
    pub fn primitive(&self) -> &Element {
        let contents = self.root().all("Session/Transaction/TransactionContent");
        assert_eq!(contents.len(), 1, "GEN-10: one transaction");
        assert_eq!(contents[0].children.len(), 1, "one primitive");
        &contents[0].children[0]
    }

    /// The primitive, which must have this name.
    pub fn expect(&self, name: &str) -> &Element {
        let primitive = self.primitive();
        assert_eq!(primitive.name, name, "{primitive:#?}");
        primitive
    }

    /// Result/Code of the primitive.
    pub fn code(&self) -> Option<u16> {
        self.primitive()
            .text("Result/Code")
            .map(|code| code.parse().expect("a number"))
    }

    /// Checks that this is a Status with the code.
    #[track_caller]
    pub fn expect_status(&self, code: u16) {
        self.expect("Status");
        assert_eq!(self.code(), Some(code), "{:#?}", self.primitive());
    }

    /// Checks that the primitive, whatever it is, has the code.
    #[track_caller]
    pub fn expect_code(&self, code: u16) {
        assert_eq!(self.code(), Some(code), "{:#?}", self.primitive());
    }

    /// TransactionMode.
    pub fn mode(&self) -> &str {
        self.descriptor("TransactionMode").expect("a mode")
    }

    /// TransactionID.
    pub fn transaction(&self) -> Option<&str> {
        self.descriptor("TransactionID")
    }

    /// The Poll flag; absent is F.
    pub fn poll(&self) -> bool {
        let root = self.root();
        root.text(POLL).or_else(|| root.text(POLL_1_1)) == Some("T")
    }

    fn descriptor(&self, name: &str) -> Option<&str> {
        self.root()
            .text(&format!("Session/Transaction/TransactionDescriptor/{name}"))
    }
}

const POLL_1_1: &str = "Session/Transaction/TransactionDescriptor/Poll";
const POLL: &str = "Session/Poll";

/// A body for a failure message.
pub fn printable(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) if text.starts_with('<') => text.to_owned(),
        _ => body.iter().map(|octet| format!("{octet:02x}")).collect(),
    }
}
