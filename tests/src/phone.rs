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
    /// The next server request, when it came with the answer to an acknowledgement.
    ahead: Option<Answer>,
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
            ahead: None,
        }
    }

    /// The version it speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The next server request: one that has come already (transport 3.6 item 4), else what
    /// a poll brings.
    pub async fn poll(&mut self) -> Answer {
        match self.ahead.take() {
            Some(ahead) => ahead,
            None => self.send("poll").await,
        }
    }

    /// Acknowledges a server request: NewMessage by MessageDelivered, others by Status.
    pub async fn acknowledge(&mut self, push: &Answer) {
        assert_eq!(push.mode(), "Request", "{push:?}");
        let id = push.transaction().expect("a TransactionID").to_owned();
        self.keep("transaction", &id);
        let primitive = push.primitive();
        let answer = if primitive.name == "NewMessage" {
            let message = primitive.text("MessageInfo/MessageID");
            self.keep("message", message.expect("a MessageID"));
            self.send("message-delivered").await
        } else {
            self.send("status").await
        };
        if !answer.is_empty() {
            assert_eq!(answer.mode(), "Request", "GEN-2: {answer:?}");
            self.ahead = Some(answer);
        }
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

    /// Its SessionID.
    pub fn session(&self) -> &str {
        self.values.get("session").expect("an open session")
    }

    /// Keeps the session that a Login-Response opens.
    pub fn keep_session(&mut self, answer: &Answer) {
        let session = answer.expect("Login-Response").text("SessionID");
        self.keep("session", session.expect("an open session"));
    }

    /// Takes and acknowledges everything that waits.
    pub async fn drain(&mut self) -> Vec<Element> {
        let mut came = Vec::new();
        loop {
            let push = self.poll().await;
            if push.is_empty() {
                return came;
            }
            self.acknowledge(&push).await;
            came.push(push.primitive().clone());
            assert!(came.len() < 1000, "the queue does not end");
        }
    }
}
