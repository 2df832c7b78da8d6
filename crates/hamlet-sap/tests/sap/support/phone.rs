//! A phone: one connection, one session.

use super::{DEADLINE, PASSWORD, Server};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hamlet_csp::elements::{
    CapabilityList, ClientCapabilityRequest, ClientId, Functions, LoginRequest, LoginResponse,
    MessageDelivered, MessageInfo, Primitive, Recipient, SendMessageRequest, ServiceRequest,
    Status, TransactionMode, User, WVCSPFeat,
};
use hamlet_csp::{
    Document, Message, SessionDescriptor, Syntax, Tag, Text, Transaction, Version, WriteOptions,
    decode, encode,
};
use hamlet_model::SessionId;
use md4::Md4;
use md5::{Digest, Md5};
use sha1::Sha1;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Phone {
    stream: TcpStream,
    address: SocketAddr,
    pub name: String,
    pub client: String,
    pub cookie: String,
    /// The last Login-Request.
    pub last_login: Option<LoginRequest>,
    pub version: Version,
    pub syntax: Syntax,
    session: Option<Text>,
    last_id: u32,
    last_body: Vec<u8>,
}

/// A message from the server.
#[derive(Debug, Clone)]
pub struct Heard(pub Message);

impl Heard {
    pub fn transaction(&self) -> &Transaction {
        &self.0.transactions[0]
    }

    pub fn transaction_id(&self) -> &str {
        self.transaction().id.as_deref().unwrap_or("")
    }

    pub fn primitive(&self) -> &Primitive {
        self.transaction().content.as_ref().unwrap()
    }

    pub fn tag(&self) -> Tag {
        self.primitive().tag()
    }

    pub fn poll_flag(&self) -> bool {
        self.0.poll.unwrap()
    }

    pub fn code(&self) -> u32 {
        let result = match self.primitive() {
            Primitive::Status(status) => status.result.as_ref(),
            Primitive::Disconnect(disconnect) => disconnect.result.as_ref(),
            Primitive::LoginResponse(response) => response.result.as_ref(),
            Primitive::SendMessageResponse(response) => response.result.as_ref(),
            other => panic!("no result in {other:?}"),
        };
        result.unwrap().code.unwrap()
    }

    pub fn content(&self) -> Option<String> {
        match self.primitive() {
            Primitive::NewMessage(new) => new.content_data.clone().map(|data| data.into_text()),
            other => panic!("no message: {other:?}"),
        }
    }

    pub fn message_id(&self) -> Option<Text> {
        match self.primitive() {
            Primitive::NewMessage(new) => new.message_info.as_ref()?.message_id.clone(),
            _ => None,
        }
    }
}

impl Phone {
    pub async fn new(server: &Server, name: &str, version: Version, syntax: Syntax) -> Self {
        Self {
            stream: TcpStream::connect(server.address).await.unwrap(),
            address: server.address,
            name: name.into(),
            client: "http://phone.example/".into(),
            cookie: "cookie".into(),
            last_login: None,
            version,
            syntax,
            session: None,
            last_id: 0,
            last_body: Vec::new(),
        }
    }

    pub async fn reconnect(&mut self, server: &Server) {
        self.address = server.address;
        self.stream = TcpStream::connect(server.address).await.unwrap();
    }

    pub fn session_id(&self) -> SessionId {
        SessionId::new(self.session.as_deref().unwrap())
    }

    fn next_id(&mut self) -> Text {
        self.last_id += 1;
        Text::from(self.last_id.to_string())
    }

    fn client_id(&self) -> Option<ClientId> {
        Some(ClientId {
            url: Some(self.client.as_str().into()),
            msisdn: None,
        })
    }

    /// Sends a transaction; what comes back, `None` for an empty body.
    pub async fn exchange(&mut self, transaction: Transaction) -> Option<Heard> {
        self.exchange_all(vec![transaction]).await
    }

    /// Sends several transactions in one message.
    pub async fn exchange_all(&mut self, transactions: Vec<Transaction>) -> Option<Heard> {
        let session = match &self.session {
            Some(id) => SessionDescriptor::inband(id),
            None => SessionDescriptor::outband(),
        };
        let message = Document::Message(Message {
            session,
            transactions,
            poll: None,
            cir: None,
        });
        self.last_body = encode(
            &message,
            self.syntax,
            self.version,
            &WriteOptions::default(),
        );
        self.repeat().await
    }

    /// Sends the last body once more.
    pub async fn repeat(&mut self) -> Option<Heard> {
        let body = self.last_body.clone();
        let (head, body) = self.post(&body).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let media_type = self.syntax.media_type(self.version);
        if body.is_empty() {
            return None;
        }
        let expected = format!("content-type: {media_type}\r\n");
        assert!(head.to_ascii_lowercase().contains(&expected), "{head}");
        let decoded = decode(&body, self.syntax).unwrap();
        assert_eq!(decoded.version, Some(self.version));
        match decoded.document {
            Document::Message(message) => Some(Heard(message)),
            other => panic!("{other:?}"),
        }
    }

    /// Posts octets; head and body of the answer.
    pub async fn post(&mut self, body: &[u8]) -> (String, Vec<u8>) {
        let head = format!(
            "POST /imps HTTP/1.1\r\nHost: im.example\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            self.syntax.media_type(self.version),
            body.len()
        );
        let exchange = async {
            self.stream.write_all(head.as_bytes()).await.unwrap();
            self.stream.write_all(body).await.unwrap();
            read_answer(&mut self.stream).await
        };
        tokio::time::timeout(DEADLINE, exchange).await.unwrap()
    }

    /// Sends a request; there must be an answer to it.
    pub async fn ask(&mut self, primitive: impl Into<Primitive>) -> Heard {
        let id = self.next_id();
        let heard = self.exchange(Transaction::request(&id, primitive)).await;
        let heard = heard.expect("an answer");
        assert_eq!(heard.transaction().mode, TransactionMode::Response);
        assert_eq!(heard.transaction_id(), id);
        heard
    }

    /// The Login-Request of a 2-way login with the right password.
    pub async fn login_request(&self) -> LoginRequest {
        LoginRequest {
            password: Some(PASSWORD.into()),
            ..self.anonymous_request()
        }
    }

    fn anonymous_request(&self) -> LoginRequest {
        LoginRequest {
            user_id: Some(format!("wv:{}", self.name).into()),
            client_id: self.client_id(),
            time_to_live: Some(3600),
            session_cookie: Some(self.cookie.as_str().into()),
            ..LoginRequest::default()
        }
    }

    pub async fn log_in(&mut self, password: &str) -> u32 {
        let request = LoginRequest {
            password: Some(password.into()),
            ..self.anonymous_request()
        };
        self.session = None;
        self.log_in_with(request).await.0
    }

    /// Logs in with this request, Inband if there is a session.
    pub async fn log_in_with(&mut self, request: LoginRequest) -> (u32, LoginResponse) {
        self.last_login = Some(request.clone());
        let heard = self.ask(request).await;
        let code = self.take_session(&heard);
        (code, login_response(&heard).clone())
    }

    pub fn forget_session(&mut self) {
        self.session = None;
    }

    pub fn set_session(&mut self, id: &str) {
        self.session = Some(id.into());
    }

    fn take_session(&mut self, heard: &Heard) -> u32 {
        let response = login_response(heard);
        self.session = response.session_id.clone();
        if heard.code() == 200 {
            assert!(self.session.as_ref().unwrap().len() <= 40);
            assert_eq!(response.keep_alive_time, Some(3600));
        }
        heard.code()
    }

    /// Both steps of a 4-way login, under one TransactionID as phones do.
    pub async fn log_in_by_digest(&mut self, schema: &str, password: &str) -> u32 {
        self.session = None;
        let id = self.next_id();
        let first = LoginRequest {
            digest_schema: vec![schema.into()],
            ..self.anonymous_request()
        };
        let heard = self.exchange(Transaction::request(&id, first)).await;
        let challenge = heard.expect("the challenge");
        assert_eq!(challenge.code(), 401);
        let response = login_response(&challenge);
        assert_eq!(response.digest_schema.as_deref(), Some(schema));
        let nonce = response.nonce.clone().unwrap();
        let text = format!("{nonce}{password}");
        let digest = match schema {
            "SHA" => Some(BASE64.encode(Sha1::digest(text.as_bytes()))),
            "MD5" => Some(BASE64.encode(Md5::digest(text.as_bytes()))),
            "MD4" => Some(BASE64.encode(Md4::digest(text.as_bytes()))),
            _ => None,
        };
        let second = LoginRequest {
            password: digest.is_none().then(|| password.into()),
            digest_bytes: digest.map(Text::from),
            ..self.anonymous_request()
        };
        self.last_login = Some(second.clone());
        let heard = self.exchange(Transaction::request(&id, second)).await;
        self.take_session(&heard.expect("the answer"))
    }

    pub async fn log_in_and_negotiate(&mut self) {
        assert_eq!(self.log_in(PASSWORD).await, 200);
        self.negotiate(CapabilityList {
            any_content: Some(true),
            multi_trans: Some(1),
            parser_size: Some(131_072),
            server_poll_min: Some(8),
            ..CapabilityList::default()
        })
        .await;
        let service = self
            .ask(ServiceRequest {
                client_id: self.client_id().filter(|_| self.version == Version::V1_1),
                functions: Some(Functions {
                    wvcsp_feat: Some(WVCSPFeat::default()),
                }),
                all_functions_request: Some(true),
            })
            .await;
        let Primitive::ServiceResponse(response) = service.primitive() else {
            panic!("{service:?}");
        };
        assert!(response.all_functions.is_some());
    }

    pub async fn negotiate(&mut self, list: CapabilityList) {
        let heard = self
            .ask(ClientCapabilityRequest {
                client_id: self.client_id().filter(|_| self.version == Version::V1_1),
                capability_list: Some(list),
            })
            .await;
        assert_eq!(heard.tag(), Tag::ClientCapabilityResponse);
    }

    pub async fn send(&mut self, to: &str, text: &str, report: bool) -> Heard {
        self.send_typed(to, "text/plain", text, report).await
    }

    pub async fn send_typed(
        &mut self,
        to: &str,
        content_type: &str,
        text: &str,
        report: bool,
    ) -> Heard {
        let request = SendMessageRequest {
            delivery_report: Some(report),
            message_info: Some(MessageInfo {
                content_type: Some(content_type.into()),
                content_size: Some(text.len() as u32),
                recipient: Some(Recipient {
                    user: vec![User {
                        user_id: Some(format!("wv:{to}").into()),
                        ..User::default()
                    }],
                    ..Recipient::default()
                }),
                ..MessageInfo::default()
            }),
            content_data: Some(text.into()),
        };
        let heard = self.ask(request).await;
        assert_eq!(heard.tag(), Tag::SendMessageResponse, "{heard:?}");
        heard
    }

    /// Polls; what the server had to say.
    pub async fn poll(&mut self) -> Option<Heard> {
        let heard = self
            .exchange(Transaction::request("", Primitive::PollingRequest))
            .await?;
        assert_eq!(heard.transaction().mode, TransactionMode::Request);
        assert!(!heard.transaction_id().is_empty());
        Some(heard)
    }

    /// Polls until something of this kind comes.
    pub async fn poll_for(&mut self, tag: Tag) -> Heard {
        let polling = async {
            loop {
                match self.poll().await {
                    Some(heard) if heard.tag() == tag => return heard,
                    Some(other) => panic!("{other:?}"),
                    None => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(DEADLINE, polling).await.unwrap()
    }

    /// Acknowledges a server transaction; the answer may be the next one.
    pub async fn acknowledge(&mut self, heard: &Heard) -> Option<Heard> {
        let answer: Primitive = match heard.message_id() {
            Some(id) => MessageDelivered {
                message_id: Some(id),
            }
            .into(),
            None => Status {
                result: Some(hamlet_csp::elements::CspResult {
                    code: Some(200),
                    ..Default::default()
                }),
                client_id: None,
            }
            .into(),
        };
        let id = heard.transaction_id().to_owned();
        self.exchange(Transaction::response(&id, answer)).await
    }

    pub async fn log_out(&mut self) {
        let heard = self.ask(Primitive::LogoutRequest).await;
        let expected = match self.version {
            Version::V1_1 => Tag::Disconnect,
            _ => Tag::Status,
        };
        assert_eq!((heard.tag(), heard.code()), (expected, 200));
        self.session = None;
    }
}

fn login_response(heard: &Heard) -> &LoginResponse {
    match heard.primitive() {
        Primitive::LoginResponse(response) => response,
        other => panic!("{other:?}"),
    }
}

/// Reads one HTTP answer with a Content-Length.
pub async fn read_answer(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut octets = Vec::new();
    let end = loop {
        if let Some(end) = octets.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "closed: {}", String::from_utf8_lossy(&octets));
        octets.extend_from_slice(&buffer[..count]);
    };
    let head = String::from_utf8(octets[..end].to_vec()).unwrap();
    let mut body = octets[end..].to_vec();
    let length: usize = head
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().unwrap())
        })
        .expect("Content-Length");
    let have = body.len();
    body.resize(length, 0);
    if have < length {
        stream.read_exact(&mut body[have..]).await.unwrap();
    }
    (head, body)
}
