//! A small CSP server that keeps everything in memory, for the commands to talk to, and the
//! commands themselves.

#![allow(dead_code)] // Each test file uses its part.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use hamlet_csp::elements::*;
use hamlet_csp::{
    Document, Message, Primitive, SessionDescriptor, Syntax, Text, Transaction, Version,
    WriteOptions, decode, encode,
};
use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

/// What the server does wrong, on request.
#[derive(Default, Clone, Copy)]
pub struct Faults {
    /// Forgets all sessions at every so-and-so-many-th request.
    pub forget_every: Option<u64>,
    /// Answers HTTP 500 to every so-and-so-many-th request.
    pub fail_every: Option<u64>,
    /// Loses every so-and-so-many-th message.
    pub lose_every: Option<u64>,
    /// Changes the text of every so-and-so-many-th message.
    pub alter_every: Option<u64>,
}

#[derive(Default)]
struct Inner {
    faults: Faults,
    requests: u64,
    messages: u64,
    next: u64,
    /// Session to user.
    sessions: HashMap<String, Text>,
    mail: HashMap<Text, VecDeque<NewMessage>>,
    lists: Vec<Text>,
    contacts: Vec<NickMember>,
}

#[derive(Clone, Default)]
pub struct Server {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl Server {
    /// Starts on a thread of its own.
    pub fn start() -> Self {
        Self::with(Faults::default())
    }

    pub fn with(faults: Faults) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = Self {
            url: format!("http://{}/", listener.local_addr().unwrap()),
            inner: Arc::new(Mutex::new(Inner {
                faults,
                ..Inner::default()
            })),
        };
        let router = Router::new().fallback(answer).with_state(server.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        server
    }
}

async fn answer(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<([(&'static str, String); 1], Vec<u8>), axum::http::StatusCode> {
    let content_type = headers["content-type"].to_str().unwrap().to_owned();
    let syntax = Syntax::detect(Some(&content_type), &body).unwrap();
    let decoded = decode(&body, syntax).unwrap();
    let version = decoded.version.unwrap();
    let Document::Message(message) = decoded.document else {
        panic!("no message")
    };
    let mut inner = server.inner.lock().unwrap();
    inner.requests += 1;
    let requests = inner.requests;
    let due = |every: Option<u64>| every.is_some_and(|every| requests.is_multiple_of(every));
    if due(inner.faults.fail_every) {
        return Err(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
    }
    if due(inner.faults.forget_every) {
        inner.sessions.clear();
    }
    let session = message.session.clone();
    let transaction = message.transactions.into_iter().next().unwrap();
    let reply = inner.handle(&session, transaction, version);
    let body = reply.map_or(Vec::new(), |transaction| {
        let document = Document::Message(Message {
            session,
            transactions: vec![transaction],
            poll: Some(false),
            cir: None,
        });
        encode(&document, syntax, version, &WriteOptions::default())
    });
    Ok(([("content-type", content_type)], body))
}

impl Inner {
    fn handle(
        &mut self,
        session: &SessionDescriptor,
        transaction: Transaction,
        version: Version,
    ) -> Option<Transaction> {
        let others: Vec<_> = self.lists.iter().skip(1).cloned().collect();
        let id = transaction.id.clone().unwrap_or_default();
        let primitive = transaction.content.unwrap();
        let user = session
            .session_id
            .as_deref()
            .and_then(|session| self.sessions.get(session).cloned());
        let reply: Primitive = match (primitive, user) {
            (Primitive::LoginRequest(login), _) => self.login(*login),
            (_, None) => status(604),
            (Primitive::ClientCapabilityRequest(_), _) => ClientCapabilityResponse {
                agreed_capability_list: Some(AgreedCapabilityList {
                    server_poll_min: Some(1),
                    ..AgreedCapabilityList::default()
                }),
                ..ClientCapabilityResponse::default()
            }
            .into(),
            (Primitive::ServiceRequest(_), _) => ServiceResponse::default().into(),
            (Primitive::SendMessageRequest(send), Some(_)) => self.send(*send),
            (Primitive::PollingRequest, Some(user)) => return self.poll(&user),
            (Primitive::MessageDelivered(p), Some(user)) => {
                let mail = self.mail.entry(user.clone()).or_default();
                mail.retain(|m| m.message_info.as_ref().unwrap().message_id != p.message_id);
                return None;
            }
            (Primitive::GetListRequest, _) => GetListResponse {
                default_contact_list: self.lists.first().cloned(),
                // One form for 1.3, the other for the older ones.
                contact_list_id_list: (version == Version::V1_3).then(|| ContactListIdList {
                    contact_list: others.clone(),
                }),
                contact_list: match version {
                    Version::V1_3 => Vec::new(),
                    _ => others,
                },
            }
            .into(),
            (Primitive::CreateListRequest(p), _) => {
                self.lists.extend(p.contact_list);
                status(200)
            }
            (Primitive::ListManageRequest(p), Some(user)) => {
                // A list is its owner's.
                let owner = user.split('@').next().unwrap();
                if !p.contact_list.unwrap().starts_with(owner) {
                    return Some(Transaction::response(id, status(403)));
                }
                self.contacts
                    .extend(p.add_nick_list.into_iter().flat_map(|list| list.members));
                ListManageResponse {
                    result: result(200),
                    nick_list: Some(NickMembers {
                        members: self.contacts.clone(),
                    }),
                    ..ListManageResponse::default()
                }
                .into()
            }
            (Primitive::UpdatePresenceRequest(_), _) => status(200),
            (Primitive::LogoutRequest, _) => {
                self.sessions
                    .remove(session.session_id.as_deref().unwrap_or(""));
                status(200)
            }
            (Primitive::Status(_), _) => return None,
            _ => status(501),
        };
        Some(Transaction::response(id, reply))
    }

    fn login(&mut self, login: LoginRequest) -> Primitive {
        let nonce = "N0nce-4711";
        let good = match (&login.password, &login.digest_bytes) {
            (Some(password), _) => password == "secret",
            // data-types 3.2.
            (None, Some(digest)) => digest == "rpg4uKTejo5bPpnlybqnDmF76I4=",
            (None, None) => {
                return LoginResponse {
                    client_id: login.client_id,
                    result: result(401),
                    nonce: Some(Text::new(nonce)),
                    digest_schema: Some(Text::new("SHA")),
                    ..LoginResponse::default()
                }
                .into();
            }
        };
        if !good {
            return LoginResponse {
                client_id: login.client_id,
                result: result(409),
                ..LoginResponse::default()
            }
            .into();
        }
        self.next += 1;
        let session = format!("session-{}", self.next);
        self.sessions
            .insert(session.clone(), login.user_id.unwrap());
        LoginResponse {
            client_id: login.client_id,
            result: result(200),
            session_id: Some(Text::from(session)),
            keep_alive_time: Some(600),
            capability_request: Some(true),
            ..LoginResponse::default()
        }
        .into()
    }

    fn send(&mut self, send: SendMessageRequest) -> Primitive {
        self.messages += 1;
        let at = self.messages;
        let due = |every: Option<u64>| every.is_some_and(|every| at.is_multiple_of(every));
        let id = Text::from(format!("m{at}&"));
        let mut info = send.message_info.unwrap();
        let to = info.recipient.as_ref().unwrap().user[0].user_id.clone();
        let to = to.unwrap();
        if to == "wv:nobody@localhost" {
            return SendMessageResponse {
                result: result(531),
                message_id: None,
            }
            .into();
        }
        info.message_id = Some(id.clone());
        let mut content = send.content_data;
        if due(self.faults.alter_every) {
            let text = content.take().unwrap().into_text();
            content = Some(hamlet_csp::ContentData::Text(text + "!"));
        }
        if !due(self.faults.lose_every) {
            self.mail.entry(to).or_default().push_back(NewMessage {
                message_info: Some(info),
                content_data: content,
            });
        }
        SendMessageResponse {
            result: result(200),
            message_id: Some(id),
        }
        .into()
    }

    fn poll(&mut self, user: &Text) -> Option<Transaction> {
        let message = self.mail.get(user)?.front()?.clone();
        self.next += 1;
        Some(Transaction::request(format!("S{}", self.next), message))
    }
}

pub fn result(code: u32) -> Option<CspResult> {
    Some(CspResult {
        code: Some(code),
        ..CspResult::default()
    })
}

pub fn status(code: u32) -> Primitive {
    Status {
        result: result(code),
        client_id: None,
    }
    .into()
}

/// Runs the command with an input.
pub fn hamlet(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hamlet"))
        .args(arguments)
        .env_remove("HAMLET_PASSWORD")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A command that does not want its input may have ended before.
        let _ = stdin.write_all(&input);
    });
    let mut stdout = Vec::new();
    let mut reading = child.stdout.take().unwrap();
    let out = std::thread::spawn(move || {
        reading.read_to_end(&mut stdout).unwrap();
        stdout
    });
    let mut stderr = Vec::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_end(&mut stderr)
        .unwrap();
    writer.join().unwrap();
    Output {
        status: child.wait().unwrap(),
        stdout: out.join().unwrap(),
        stderr,
    }
}

/// Standard output of a command that has to succeed.
pub fn succeed(arguments: &[&str], input: &[u8]) -> String {
    let output = hamlet(arguments, input);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one line on standard error of a command that has to fail.
pub fn fail(arguments: &[&str], input: &[u8]) -> String {
    let output = hamlet(arguments, input);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim_end().to_owned()
}
