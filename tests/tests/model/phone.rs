//! One client of a run: its connection, and what it remembers.

use crate::host::PASSWORD;
use crate::reference::{Key, address};
use crate::steps::{To, user_of};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
use std::collections::HashSet;
use std::net::SocketAddr;

/// A client.
pub struct Phone {
    pub client: Client,
    user: String,
    cookie: u32,
    /// What came last and is not answered.
    pub pending: Option<Came>,
    /// What came before that, or was answered.
    pub before: Option<Came>,
    /// Its last SendMessage.
    pub last: Option<Sent>,
    /// The server has heard, since it last forgot, that this client answers.
    pub answers: bool,
    /// It wants to be notified of messages.
    pub quiet: bool,
    /// What it has acknowledged by requests of its own, in this session.
    pub requested: HashSet<Key>,
    /// It has left a notification unanswered: the server may take it for a client that knows
    /// none, and send it messages (csp-im 3.2 item 6).
    pub deaf: bool,
}

/// A server transaction.
#[derive(Debug, Clone)]
pub struct Came {
    /// Its TransactionID.
    pub id: String,
    pub key: Key,
    /// It is only a notification.
    pub notified: bool,
    /// The server still waits for the answer: with a guard time of nothing it does so until
    /// the session's next exchange.
    pub open: bool,
}

/// What a SendMessage is to do.
#[derive(Debug, Clone)]
pub struct Sending {
    pub number: u64,
    pub to: Vec<To>,
    pub text: String,
    pub report: bool,
    /// It expires soon.
    pub short: bool,
    /// The request.
    pub content: String,
}

/// A SendMessage.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its TransactionID.
    pub id: String,
    pub sending: Sending,
    /// The primitive of the answer.
    pub answer: Element,
    /// No copy of the request can still be under way.
    pub settled: bool,
}

impl Phone {
    /// One without a session.
    pub async fn new(number: usize, server: SocketAddr, version: Version, syntax: Syntax) -> Self {
        let mut client = Client::connect(server, version, syntax).await;
        client.client_id = format!("WV:client-{number}");
        Self {
            client,
            user: address(user_of(number)),
            cookie: 0,
            pending: None,
            before: None,
            last: None,
            answers: false,
            quiet: false,
            requested: HashSet::new(),
            deaf: false,
        }
    }

    /// A login; `fresh`: with another cookie than before. Keeps the session.
    pub async fn login(&mut self, fresh: bool) -> Answer {
        self.cookie += u32::from(fresh);
        let password = format!("<Password>{PASSWORD}</Password>");
        let login = self.client.login_step(&self.user, &password, "");
        let login = login.replace("cookie-", &format!("cookie{}-", self.cookie));
        let answer = self.client.outband(&login).await;
        self.client.keep_session(&answer);
        answer
    }

    /// It has a new session.
    pub fn begin(&mut self) {
        self.pending = None;
        self.before = None;
        self.last = None;
        self.answers = false;
        self.quiet = false;
        self.requested.clear();
        self.deaf = false;
    }

    /// The server does not wait any more for what has not been answered.
    pub fn lapse(&mut self) {
        let pending = self.pending.as_ref();
        self.deaf |= pending.is_some_and(|came| came.open && came.notified);
        for came in self.pending.iter_mut().chain(&mut self.before) {
            came.open = false;
        }
    }

    /// The server has forgotten what it only remembered.
    pub async fn server_restarted(&mut self, server: SocketAddr) {
        self.client.reconnect(server).await;
        self.lapse();
        self.answers = false;
    }
}
