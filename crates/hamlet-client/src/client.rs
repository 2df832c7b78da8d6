//! The client: one session on one connection, and the exchange of messages beneath every
//! transaction.

use crate::builder::{Builder, Config};
use crate::error::Error;
use crate::incoming::Incoming;
use crate::login::SessionState;
use crate::negotiate::Capabilities;
use crate::refusal::Refusal;
use crate::transport::Transport;
use crate::wake_up::WakeUp;
use bytes::Bytes;
use hamlet_csp::elements::{CspResult, TransactionMode};
use hamlet_csp::{
    Document, Message, Primitive, SessionDescriptor, Syntax, Text, Transaction, Version,
    WriteOptions, decode, encode,
};
use hamlet_model::{StatusCode, TransactionId};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// A client of one server for one user.
#[derive(Debug)]
pub struct Client {
    pub(crate) config: Config,
    transport: Transport,
    pub(crate) session: Option<SessionState>,
    pub(crate) capabilities: Option<Capabilities>,
    /// The agreed CIR channel of this session.
    pub(crate) wake_up: Option<WakeUp>,
    pub(crate) session_cookie: Text,
    /// Server-initiated transactions that came with other answers.
    pub(crate) inbox: VecDeque<Incoming>,
    /// MessageIDs seen lately, oldest first.
    pub(crate) seen: VecDeque<Text>,
    /// The newest Poll flag.
    pub(crate) poll_flag: bool,
    pub(crate) last_poll: Option<Instant>,
    pub(crate) last_request: Option<Instant>,
    next_transaction: u64,
}

impl Client {
    /// Begins a client of the server at `url`, `http://` or `https://`.
    pub fn builder(url: &str) -> Builder {
        Builder::new(url)
    }

    pub(crate) fn new(transport: Transport, config: Config) -> Self {
        Self {
            config,
            transport,
            session: None,
            capabilities: None,
            wake_up: None,
            session_cookie: Text::default(),
            inbox: VecDeque::new(),
            seen: VecDeque::new(),
            poll_flag: false,
            last_poll: None,
            last_request: None,
            next_transaction: 1,
        }
    }

    /// The CSP version spoken.
    pub fn version(&self) -> Version {
        self.config.version
    }

    /// The syntax spoken.
    pub fn syntax(&self) -> Syntax {
        self.config.syntax
    }

    /// The user as given.
    pub fn user(&self) -> &str {
        &self.config.user
    }

    /// The session, while there is one.
    pub fn session(&self) -> Option<&SessionState> {
        self.session.as_ref()
    }

    /// What the last capability negotiation agreed.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// Whether the newest answer said that something waits (csp-access 5.2).
    pub fn poll_flag(&self) -> bool {
        self.poll_flag
    }

    /// Drops the connection, not the session: the next request opens another one.
    pub fn disconnect(&mut self) {
        self.transport.disconnect();
    }

    pub(crate) fn transport_mut(&mut self) -> &mut Transport {
        &mut self.transport
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The next TransactionID of this client (csp-access 2.2).
    pub fn next_transaction_id(&mut self) -> TransactionId {
        let id = self.next_transaction;
        self.next_transaction += 1;
        TransactionId::new(format!("c{id}"))
    }

    /// Sends any request inside the session and hands back its answer as it is, a Status that
    /// refuses included. Session-ending codes and a Disconnect end the session here too.
    pub async fn transact(&mut self, primitive: impl Into<Primitive>) -> Result<Primitive, Error> {
        let session = self.inband()?;
        let id = self.next_transaction_id();
        self.request(session, &id, primitive.into()).await
    }

    /// Like [`Client::transact`], with refusals as errors.
    pub(crate) async fn ask(
        &mut self,
        primitive: impl Into<Primitive>,
    ) -> Result<Primitive, Error> {
        match self.transact(primitive).await? {
            Primitive::Status(status) => match refusal(status.result.as_ref()) {
                None => Ok(Primitive::Status(status)),
                Some(_) => Err(Error::Refused(Refusal::from(status.result))),
            },
            other => Ok(other),
        }
    }

    /// For requests whose success is a Status: hands back the details of a 201.
    pub(crate) async fn ask_status(
        &mut self,
        primitive: impl Into<Primitive>,
    ) -> Result<Refusal, Error> {
        match self.ask(primitive).await? {
            Primitive::Status(status) => Ok(Refusal::from(status.result)),
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) fn inband(&self) -> Result<SessionDescriptor, Error> {
        let session = self.session.as_ref().ok_or(Error::NotLoggedIn)?;
        Ok(SessionDescriptor::inband(session.id.as_str()))
    }

    /// One request and its answer, inside or outside a session.
    pub(crate) async fn request(
        &mut self,
        session: SessionDescriptor,
        id: &TransactionId,
        primitive: Primitive,
    ) -> Result<Primitive, Error> {
        let asked = primitive.tag();
        let transaction = Transaction::request(id.as_str(), primitive);
        let Some(message) = self.exchange(session, transaction).await? else {
            return Err(Error::Unexpected(format!("nothing answers the {asked}")));
        };
        let mut answer = None;
        for transaction in message.transactions {
            let own = transaction.id.as_deref() == Some(id.as_str());
            let response = transaction.mode == TransactionMode::Response;
            let only = answer.is_none() && response;
            if response && (own || only) {
                let content = transaction.content;
                answer = Some(content.map_err(|fault| Error::Decode(fault.to_string()))?);
            } else if !response {
                self.receive(transaction);
            }
        }
        let answer = match answer {
            Some(answer) => answer,
            // A Disconnect may come instead of the answer (csp-access 3.10).
            None => match self.take_disconnect() {
                Some(refusal) => {
                    self.end_session();
                    return Err(Error::SessionEnded(refusal));
                }
                None => return Err(Error::Unexpected(format!("nothing answers the {asked}"))),
            },
        };
        if let Some(code) = result_of(&answer).and_then(|r| refusal(Some(r)))
            && ends_session(code)
            && self.session.is_some()
        {
            self.end_session();
            let result = result_of(&answer).cloned();
            return Err(Error::SessionEnded(Refusal::from(result)));
        }
        Ok(answer)
    }

    /// Sends one transaction; `None` is an empty answer.
    pub(crate) async fn exchange(
        &mut self,
        session: SessionDescriptor,
        transaction: Transaction,
    ) -> Result<Option<Message>, Error> {
        let document = Document::Message(Message {
            session,
            transactions: vec![transaction],
            poll: None,
            cir: None,
        });
        match self.post(&document).await? {
            None => Ok(None),
            Some(Document::Message(message)) => {
                if let Some(poll) = message.poll {
                    self.poll_flag = poll;
                }
                Ok(Some(message))
            }
            Some(_) => Err(Error::Unexpected("no WV-CSP-Message".into())),
        }
    }

    /// Posts a document and reads what comes back.
    pub(crate) async fn post(&mut self, document: &Document) -> Result<Option<Document>, Error> {
        let (version, syntax) = (self.config.version, self.config.syntax);
        let body = encode(document, syntax, version, &WriteOptions::default());
        let content_type = self
            .config
            .content_type
            .as_deref()
            .unwrap_or(syntax.media_type(version));
        let reply = self
            .transport
            .post(content_type, &self.config.headers, Bytes::from(body))
            .await?;
        self.last_request = Some(Instant::now());
        if reply.status != 200 {
            return Err(Error::Http(reply.status));
        }
        if reply.body.is_empty() {
            return Ok(None);
        }
        let syntax = Syntax::detect(reply.content_type.as_deref(), &reply.body)
            .ok_or_else(|| Error::Decode("its media type is no CSP syntax".into()))?;
        let decoded =
            decode(&reply.body, syntax).map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(decoded.document))
    }

    /// Forgets the session and what belongs to it.
    pub(crate) fn end_session(&mut self) {
        self.session = None;
        self.capabilities = None;
        self.wake_up = None;
        self.poll_flag = false;
        self.last_poll = None;
    }

    fn take_disconnect(&mut self) -> Option<Refusal> {
        let at = self
            .inbox
            .iter()
            .position(|incoming| matches!(incoming, Incoming::Disconnect(_)))?;
        match self.inbox.remove(at) {
            Some(Incoming::Disconnect(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// When a keep-alive is due: at 80 % of the KeepAliveTime after the last request
    /// (csp-access 18).
    pub fn keep_alive_due(&self) -> Option<Instant> {
        let session = self.session.as_ref()?;
        let span = session.keep_alive.unwrap_or(self.config.keep_alive);
        Some(self.last_request? + span.mul_f64(0.8))
    }

    /// The interval between polls that nothing has asked for.
    pub fn poll_interval(&self) -> Duration {
        let agreed = self.capabilities.as_ref().and_then(|c| c.poll_min);
        self.config
            .poll_every
            .or(agreed)
            .unwrap_or(self.config.poll_min)
    }
}

/// The code of a Result that is none of 200, 201, 202; 500 for a missing Result.
pub(crate) fn refusal(result: Option<&CspResult>) -> Option<StatusCode> {
    let code = crate::refusal::code(result.and_then(|result| result.code));
    (!code.is_success()).then_some(code)
}

/// Codes that end a session, in any response (csp-access 0.8).
pub(crate) fn ends_session(code: StatusCode) -> bool {
    matches!(
        code,
        StatusCode::SESSION_EXPIRED | StatusCode::FORCED_LOGOUT | StatusCode::INVALID_SESSION
    )
}

/// The Result of an answer that has one.
pub(crate) fn result_of(primitive: &Primitive) -> Option<&CspResult> {
    match primitive {
        Primitive::Status(p) => p.result.as_ref(),
        Primitive::LoginResponse(p) => p.result.as_ref(),
        Primitive::Disconnect(p) => p.result.as_ref(),
        Primitive::KeepAliveResponse(p) => p.result.as_ref(),
        Primitive::SendMessageResponse(p) => p.result.as_ref(),
        Primitive::GetPresenceResponse(p) => p.result.as_ref(),
        Primitive::GetAttributeListResponse(p) => p.result.as_ref(),
        Primitive::ListManageResponse(p) => p.result.as_ref(),
        Primitive::GetPublicProfileResponse(p) => p.result.as_ref(),
        Primitive::LeaveGroupResponse(p) => p.result.as_ref(),
        Primitive::ExtendConversationResponse(p) => p.result.as_ref(),
        _ => None,
    }
}

pub(crate) fn unexpected(answer: &Primitive) -> Error {
    Error::Unexpected(format!("{} where it does not belong", answer.tag()))
}
