//! One client of a pair: a session, its connection, its prepared requests.

use super::template::{Template, Templates};
use super::wire::{Head, Wire, split_url};
use crate::cli::{Account, Bench};
use crate::failure::Failure;
use hamlet_client::{Builder, Client, Digest, Syntax, Version};
use hamlet_csp::elements::TransactionMode;
use hamlet_csp::{Document, Primitive, Text, decode};
use std::io;
use std::time::Duration;

/// What all clients of a run have in common.
pub struct Setup {
    account: Account,
    /// Tells the messages of this run from those of an earlier one.
    pub run: u32,
    /// Octets of text in a message.
    pub size: usize,
    /// How long a message may take.
    pub patience: Duration,
    /// Ride over lost connections and sessions.
    pub keep_going: bool,
    prefix: String,
    domain: String,
    password: String,
    digests: Vec<Digest>,
}

/// Kinds of requests, each with a head of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// SendMessage-Request.
    Send,
    /// Polling-Request that may bring something.
    Poll,
    /// MessageDelivered or Status.
    Acknowledge,
    /// Polling-Request when nothing waits.
    EmptyPoll,
}

impl Kind {
    /// In the order of the heads.
    pub const ALL: [Self; 4] = [Self::Send, Self::Poll, Self::Acknowledge, Self::EmptyPoll];

    /// A name for files and paths.
    pub fn name(self) -> &'static str {
        ["send", "poll", "ack", "empty"][self as usize]
    }
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// An empty body.
    Nothing,
    /// SendMessage-Response or Status: code, MessageID.
    Result(u32, Option<Text>),
    /// NewMessage.
    Message {
        /// The server's TransactionID.
        transaction: Text,
        /// MessageID.
        id: Text,
        /// Its text.
        text: String,
    },
    /// Another request of the server: its TransactionID.
    Other(Text),
}

/// Why an exchange did not work.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The connection.
    #[error("connection: {0}")]
    Io(#[from] io::Error),
    /// Another HTTP status than 200.
    #[error("HTTP {0}")]
    Http(u16),
    /// 600, 601 or 604, or a Disconnect.
    #[error("the session has ended: {0}")]
    Session(u32),
    /// No CSP answer.
    #[error("unreadable answer: {0}")]
    Unreadable(String),
}

/// A logged-in client.
pub struct Peer {
    user: String,
    to: String,
    syntax: Syntax,
    wire: Wire,
    heads: [Head; 4],
    templates: Templates,
    next_id: u64,
    body: Vec<u8>,
}

impl Setup {
    /// From the command line.
    pub fn new(account: &Account, options: &Bench) -> Result<Self, Failure> {
        if split_url(&account.server).is_none() {
            return Err(Failure::said("bench needs an http:// URL"));
        }
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Ok(Self {
            account: account.clone(),
            run: (since.as_millis() & 0xFFFF_FFFF) as u32,
            size: options.size,
            patience: options.patience,
            keep_going: options.keep_going,
            prefix: options.users.clone(),
            domain: options.domain.clone(),
            password: account
                .password()
                .unwrap_or_else(|_| "bench-password".to_owned()),
            digests: account.digest.iter().filter_map(|name| name.0).collect(),
        })
    }

    /// The address of the sender (`s`) or receiver (`r`) of a pair.
    pub fn user(&self, role: char, index: usize) -> String {
        format!("wv:{}{role}{index}@{}", self.prefix, self.domain)
    }

    /// The other one of the pair.
    fn partner(&self, user: &str) -> String {
        let rest = user
            .strip_prefix("wv:")
            .and_then(|rest| rest.strip_prefix(self.prefix.as_str()))
            .unwrap_or("");
        let other = if rest.starts_with('s') { 'r' } else { 's' };
        let tail = rest.get(1..).unwrap_or("");
        format!("wv:{}{other}{tail}", self.prefix)
    }

    async fn client(&self, user: &str) -> Result<Client, Failure> {
        let builder = self
            .account
            .builder()?
            .client_id("hamlet-bench")
            .user(user)
            .password(&self.password);
        let builder = self.digests.iter().copied().fold(builder, Builder::digest);
        let mut client = builder.connect().await?;
        client
            .open()
            .await
            .map_err(|error| Failure::said(format!("{user}: {error}")))?;
        Ok(client)
    }
}

impl Peer {
    /// Logs in, with everything negotiated, as any client does.
    pub async fn log_in(setup: &Setup, user: String) -> Result<Self, Failure> {
        let client = setup.client(&user).await?;
        let (version, syntax) = (client.version(), client.syntax());
        let to = setup.partner(&user);
        let templates = templates(&client, &user, &to, setup.size)?;
        let (host, path) = split_url(&setup.account.server)
            .ok_or_else(|| Failure::said("bench needs an http:// URL"))?;
        let head = Head::new(&host, &path, syntax.media_type(version));
        Ok(Self {
            wire: Wire::new(host, setup.account.answer_timeout),
            heads: [head.clone(), head.clone(), head.clone(), head],
            user,
            to,
            syntax,
            templates,
            next_id: 0,
            body: Vec::new(),
        })
    }

    /// Opens a session in place of a lost one.
    pub async fn log_in_again(&mut self, setup: &Setup) -> Result<(), Failure> {
        let client = setup.client(&self.user).await?;
        self.templates = templates(&client, &self.user, &self.to, setup.size)?;
        Ok(())
    }

    /// The same client, speaking to a bare server with a path for each kind of request.
    pub fn aside(&self, url: &str, version: Version, timeout: Duration) -> Option<Self> {
        let (host, _) = split_url(url)?;
        let media_type = self.syntax.media_type(version);
        let heads =
            Kind::ALL.map(|kind| Head::new(&host, &format!("/{}", kind.name()), media_type));
        Some(Self {
            user: self.user.clone(),
            to: self.to.clone(),
            syntax: self.syntax,
            wire: Wire::new(host, timeout),
            heads,
            templates: self.templates.clone(),
            next_id: 0,
            body: Vec::new(),
        })
    }

    /// A TransactionID that this client has not used.
    pub fn new_id(&mut self) -> String {
        self.next_id += 1;
        format!("b{:08}", self.next_id)
    }

    /// Sends a message.
    pub async fn send(&mut self, id: &str, text: &str) -> Result<Heard, Trouble> {
        self.exchange(Kind::Send, |t| &t.send, [id, text]).await
    }

    /// Polls.
    pub async fn poll(&mut self, kind: Kind) -> Result<Heard, Trouble> {
        self.exchange(kind, |t| &t.poll, ["", ""]).await
    }

    /// Acknowledges a NewMessage.
    pub async fn delivered(&mut self, transaction: &str, id: &str) -> Result<Heard, Trouble> {
        self.exchange(Kind::Acknowledge, |t| &t.delivered, [transaction, id])
            .await
    }

    /// Acknowledges anything else.
    pub async fn status(&mut self, transaction: &str) -> Result<Heard, Trouble> {
        self.exchange(Kind::Acknowledge, |t| &t.status, [transaction, ""])
            .await
    }

    /// Ends the session.
    pub async fn log_out(&mut self) {
        let id = self.new_id();
        // Nothing depends on it: a session that stays ends by itself.
        let _ = self.exchange(Kind::Send, |t| &t.logout, [&id, ""]).await;
    }

    /// The body of the newest answer.
    pub fn newest_body(&self) -> &[u8] {
        &self.body
    }

    async fn exchange(
        &mut self,
        kind: Kind,
        of: impl Fn(&Templates) -> &Template,
        values: [&str; 2],
    ) -> Result<Heard, Trouble> {
        of(&self.templates).fill(values, &mut self.body);
        let answer = self
            .wire
            .exchange(&self.heads[kind as usize], &self.body)
            .await?;
        if answer.status != 200 {
            return Err(Trouble::Http(answer.status));
        }
        let body = self.wire.body(answer);
        self.body.clear();
        self.body.extend_from_slice(body);
        if body.is_empty() {
            return Ok(Heard::Nothing);
        }
        let decoded =
            decode(body, self.syntax).map_err(|fault| Trouble::Unreadable(fault.to_string()))?;
        heard(decoded.document)
    }
}

fn templates(client: &Client, user: &str, to: &str, size: usize) -> Result<Templates, Failure> {
    let session = client
        .session()
        .ok_or_else(|| Failure::said("no session after the login"))?;
    let (version, syntax) = (client.version(), client.syntax());
    let id = session.id.as_str();
    Ok(Templates::new(version, syntax, id, user, to, size))
}

/// The first thing that a message says; no more than one transaction was agreed.
fn heard(document: Document) -> Result<Heard, Trouble> {
    let Document::Message(message) = document else {
        return Err(Trouble::Unreadable("no WV-CSP-Message".into()));
    };
    let Some(transaction) = message.transactions.into_iter().next() else {
        return Ok(Heard::Nothing);
    };
    let id = transaction.id.unwrap_or_default();
    let primitive = match transaction.content {
        Ok(primitive) => primitive,
        Err(fault) => return Err(Trouble::Unreadable(fault.to_string())),
    };
    let (result, message_id) = match primitive {
        Primitive::SendMessageResponse(p) => (p.result, p.message_id),
        Primitive::Status(p) => (p.result, None),
        Primitive::Disconnect(p) => {
            let code = p.result.and_then(|result| result.code);
            return Err(Trouble::Session(code.unwrap_or(604)));
        }
        Primitive::NewMessage(p) => {
            return Ok(Heard::Message {
                transaction: id,
                id: p
                    .message_info
                    .and_then(|info| info.message_id)
                    .unwrap_or_default(),
                text: p
                    .content_data
                    .map(hamlet_csp::ContentData::into_text)
                    .unwrap_or_default(),
            });
        }
        _ if transaction.mode == TransactionMode::Request => return Ok(Heard::Other(id)),
        other => {
            return Err(Trouble::Unreadable(format!(
                "{} was not asked",
                other.tag()
            )));
        }
    };
    match result.and_then(|result| result.code).unwrap_or(500) {
        code @ (600 | 601 | 604) => Err(Trouble::Session(code)),
        code => Ok(Heard::Result(code, message_id)),
    }
}
