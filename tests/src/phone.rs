//! A recorded client on one connection: sends its fixtures, keeps what the server gives.

use crate::answer::Answer;
use crate::digest;
use crate::element::Element;
use crate::fixture::Fixture;
use crate::http::Connection;
use hamlet_csp::{Syntax, Version};
use std::collections::HashMap;
use std::net::SocketAddr;

/// A client whose every octet was recorded, or made by another encoder.
#[derive(Debug)]
pub struct Phone {
    client: &'static str,
    version: Version,
    connection: Connection,
    values: HashMap<String, String>,
}

impl Phone {
    /// The client of a folder of fixtures, such as `android-1.2`.
    pub async fn new(client: &'static str, server: SocketAddr) -> Self {
        let (_, version) = client.rsplit_once('-').expect("a folder with a version");
        Self {
            client,
            version: Version::parse(version).expect("a version"),
            connection: Connection::open(server).await,
            values: HashMap::new(),
        }
    }

    /// The version it speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Sends a fixture and reads the answer.
    pub async fn send(&mut self, name: &str) -> Answer {
        let fixture = Fixture::load(self.client, name);
        let body = fixture.body(&self.values);
        let answer = self.connection.post(&fixture.headers, &body).await;
        let content_type = fixture
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, value)| value.as_str())
            .expect("a client names its syntax");
        let syntax = if content_type.contains("wbxml") {
            Syntax::Wbxml
        } else {
            Syntax::Xml
        };
        Answer::read(answer, content_type, syntax, self.version)
    }

    /// Keeps a value for the fixtures to come.
    pub fn keep(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// Both steps of a 4-way login; the answers to both.
    pub async fn login_4_way(&mut self, password: &str) -> (Answer, Answer) {
        let challenge = self.send("login-challenge").await;
        let response = challenge.expect("Login-Response");
        let nonce = response.text("Nonce").expect("a nonce");
        let schema = response.text("DigestSchema").expect("a schema");
        let digest = digest::of(schema, nonce, password);
        self.keep("digest", &digest);
        let done = self.send("login-digest").await;
        self.keep_session(&done);
        (challenge, done)
    }

    /// Keeps the session that a Login-Response opens.
    pub fn keep_session(&mut self, answer: &Answer) {
        let session = answer.expect("Login-Response").text("SessionID");
        self.keep("session", session.expect("an open session"));
    }

    /// Polls until a server request of this name comes; acknowledges every other by Status.
    pub async fn poll_for(&mut self, name: &str) -> Answer {
        let mut answer = self.send("poll").await;
        for _ in 0..50 {
            if answer.is_empty() {
                panic!("nothing waits, but {name} was expected");
            }
            self.keep_transaction(&answer);
            if answer.primitive().name == name {
                return answer;
            }
            assert_ne!(answer.primitive().name, "NewMessage", "{answer:?}");
            let next = self.send("status").await;
            answer = if next.is_empty() {
                self.send("poll").await
            } else {
                next
            };
        }
        panic!("{name} did not come within 50 polls");
    }

    /// Polls and acknowledges by Status until nothing waits; what came.
    pub async fn drain(&mut self) -> Vec<Element> {
        let mut came = Vec::new();
        loop {
            let answer = self.send("poll").await;
            if answer.is_empty() {
                return came;
            }
            self.keep_transaction(&answer);
            let primitive = answer.primitive().clone();
            if primitive.name == "NewMessage" {
                let message = primitive.text("MessageInfo/MessageID");
                self.keep("message", message.expect("a MessageID"));
                self.send("message-delivered").await;
            } else {
                self.send("status").await;
            }
            came.push(primitive);
            assert!(came.len() < 100, "the queue does not end");
        }
    }

    /// Polls for a message, acknowledges it, and gives it back.
    pub async fn take_message(&mut self) -> Element {
        let push = self.poll_for("NewMessage").await;
        let message = push.primitive().clone();
        let id = message.text("MessageInfo/MessageID");
        self.keep("message", id.expect("a MessageID"));
        let answer = self.send("message-delivered").await;
        assert!(answer.is_empty() || answer.mode() == "Request", "GEN-2");
        message
    }

    fn keep_transaction(&mut self, answer: &Answer) {
        assert_eq!(answer.mode(), "Request", "{answer:?}");
        let id = answer.transaction().expect("a TransactionID").to_owned();
        self.keep("transaction", &id);
    }
}
