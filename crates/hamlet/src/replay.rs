//! `hamlet replay`: plays the requests of a trace file against a server and compares what
//! comes back with what came then: names of primitives and status codes.
//!
//! The octets are the client's own, but for what cannot be the same again: the SessionID and
//! the server's TransactionIDs and MessageIDs become those of the live server, a masked
//! password is put in again and a digest is computed from the live nonce.

use crate::cli::{Account, Replay};
use crate::failure::Failure;
use crate::output::{line, plain};
use crate::trace::{self, Exchange, Recorded};
use bytes::Bytes;
use hamlet_client::{Digest, Transport, digest_bytes, elements};
use hamlet_csp::elements::{LoginRequest, LoginResponse, TransactionMode};
use hamlet_csp::{Document, Message, Primitive, Syntax, Tag, Text, Version, WriteOptions};
use hamlet_csp::{decode, encode};

/// Plays a file and prints where the answers differ; that they do is a failure.
pub async fn run(account: Account, options: Replay) -> Result<(), Failure> {
    let recorded = trace::read(&options.file)
        .map_err(|error| Failure::said(format!("{}: {error}", options.file.display())))?;
    if recorded.is_empty() {
        return Err(Failure::said("there is no request in the file"));
    }
    let mut transport = Transport::new(&account.server, account.transport()?)?;
    let mut live = Live {
        password: account.password().ok(),
        ..Live::default()
    };
    let mut differences = 0usize;
    for (at, pair) in recorded.iter().enumerate() {
        let request = &pair.request;
        let body = live.request(request)?;
        let content_type = request.content_type.as_deref().unwrap_or("");
        let headers: Vec<(String, String)> = request
            .headers
            .iter()
            .filter(|(name, _)| is_sent_again(name))
            .cloned()
            .collect();
        let reply = transport
            .post(content_type, &headers, Bytes::from(body))
            .await?;
        let answer = Exchange {
            content_type: reply.content_type,
            status: Some(reply.status),
            body: reply.body.to_vec(),
            ..Exchange::default()
        };
        let Some(then) = &pair.answer else { continue };
        live.learn(pair, &answer);
        let (then, now) = (summary(then), summary(&answer));
        let same = then == now;
        differences += usize::from(!same);
        if options.verbose || !same {
            let text = match same {
                true => format!("{}: {}: {now}", at + 1, asked(request)),
                false => format!(
                    "{}: {}: then {then}, now {now} (line {})",
                    at + 1,
                    asked(request),
                    request.line
                ),
            };
            line(plain(&text))?;
        }
    }
    match differences {
        0 => Ok(line(format!(
            "{} exchanges, no difference",
            recorded.len()
        ))?),
        _ => Err(Failure::said(format!(
            "{differences} of {} answers differ",
            recorded.len()
        ))),
    }
}

/// What the live server calls things, beside what the recorded one called them.
#[derive(Default)]
struct Live {
    password: Option<String>,
    /// (element, recorded, live), the newest last.
    names: Vec<(Tag, Text, Text)>,
    nonce: Option<Text>,
    schema: Option<Text>,
}

impl Live {
    /// The octets to send: the recorded ones with the live names in them.
    fn request(&self, request: &Exchange) -> Result<Vec<u8>, Failure> {
        let Some((document, syntax, version)) = read(request) else {
            // Not understood then, and to be played as it is.
            return Ok(request.body.clone());
        };
        let Document::Message(mut wanted) = document else {
            return Ok(request.body.clone());
        };
        let mut changes = Vec::new();
        self.rename(&mut wanted, &mut changes)?;
        let mut octets = request.body.clone();
        for (tag, old, new) in &changes {
            octets = replace(&octets, syntax, version, *tag, old, new);
        }
        let wanted = Document::Message(wanted);
        match decode(&octets, syntax) {
            Ok(decoded) if decoded.document == wanted => Ok(octets),
            // The names are written in a way that was not foreseen: our own octets then.
            _ => Ok(encode(&wanted, syntax, version, &WriteOptions::default())),
        }
    }

    fn rename(
        &self,
        message: &mut Message,
        changes: &mut Vec<(Tag, Text, Text)>,
    ) -> Result<(), Failure> {
        let mut rename = |tag, name: &mut Option<Text>| changes.extend(self.renamed(tag, name));
        rename(Tag::SessionID, &mut message.session.session_id);
        for transaction in &mut message.transactions {
            if transaction.mode == TransactionMode::Response {
                rename(Tag::TransactionID, &mut transaction.id);
            }
            match &mut transaction.content {
                Ok(Primitive::MessageDelivered(p)) => rename(Tag::MessageID, &mut p.message_id),
                Ok(Primitive::GetMessageRequest(p)) => rename(Tag::MessageID, &mut p.message_id),
                Ok(Primitive::ForwardMessageRequest(p)) => {
                    rename(Tag::MessageID, &mut p.message_id);
                }
                Ok(Primitive::RejectMessageRequest(p)) => {
                    for id in &mut p.message_id {
                        let mut name = Some(std::mem::take(id));
                        rename(Tag::MessageID, &mut name);
                        *id = name.unwrap_or_default();
                    }
                }
                Ok(Primitive::LoginRequest(p)) => rename(Tag::SessionID, &mut p.session_id),
                _ => {}
            }
        }
        for transaction in &mut message.transactions {
            if let Ok(Primitive::LoginRequest(login)) = &mut transaction.content {
                self.unmask(login, changes)?;
            }
        }
        Ok(())
    }

    /// Puts the live name into `name`, if it is another, and answers what changed.
    fn renamed(&self, tag: Tag, name: &mut Option<Text>) -> Option<(Tag, Text, Text)> {
        let old = name.clone()?;
        let new = self.name(tag, &old).filter(|new| *new != old)?;
        *name = Some(new.clone());
        Some((tag, old, new))
    }

    fn unmask(
        &self,
        login: &mut LoginRequest,
        changes: &mut Vec<(Tag, Text, Text)>,
    ) -> Result<(), Failure> {
        let masked = |text: &Option<Text>| {
            text.as_ref()
                .is_some_and(|text| !text.is_empty() && text.bytes().all(|octet| octet == b'*'))
        };
        let (password, digest) = (masked(&login.password), masked(&login.digest_bytes));
        if !password && !digest {
            return Ok(());
        }
        let secret = self.password.as_deref().ok_or_else(|| {
            Failure::said("the password is masked in the trace: name it with --password")
        })?;
        if password {
            let new = Text::new(secret);
            changes.extend(
                login
                    .password
                    .replace(new.clone())
                    .map(|old| (Tag::Password, old, new)),
            );
        }
        if digest {
            let schema = self.schema.as_deref().and_then(Digest::parse);
            let nonce = self.nonce.as_deref().unwrap_or("");
            let new = digest_bytes(schema.unwrap_or(Digest::Md5), nonce, secret)
                .map(Text::from)
                .ok_or_else(|| Failure::said("the server asks for the bare password"))?;
            let old = login.digest_bytes.replace(new.clone());
            changes.extend(old.map(|old| (Tag::DigestBytes, old, new)));
        }
        Ok(())
    }

    fn name(&self, tag: Tag, recorded: &Text) -> Option<Text> {
        let known = self.names.iter().rev();
        known
            .filter(|(of, then, _)| *of == tag && then == recorded)
            .map(|(_, _, now)| now.clone())
            .next()
    }

    /// Sets the names of the two answers side by side.
    fn learn(&mut self, recorded: &Recorded, now: &Exchange) {
        let then = recorded.answer.as_ref().and_then(message);
        let now = message(now);
        let (Some(then), Some(now)) = (then, now) else {
            return;
        };
        for (then, now) in then.transactions.into_iter().zip(now.transactions) {
            if then.mode == TransactionMode::Request && now.mode == TransactionMode::Request {
                self.pair(Tag::TransactionID, then.id, now.id);
            }
            match (then.content, now.content) {
                (Ok(Primitive::LoginResponse(then)), Ok(Primitive::LoginResponse(now))) => {
                    self.challenge(&now);
                    self.pair(Tag::SessionID, then.session_id, now.session_id);
                }
                (Ok(then), Ok(now)) => {
                    self.pair(Tag::MessageID, message_id(then), message_id(now));
                }
                _ => {}
            }
        }
    }

    fn challenge(&mut self, login: &LoginResponse) {
        if login.nonce.is_some() {
            self.nonce.clone_from(&login.nonce);
            self.schema.clone_from(&login.digest_schema);
        }
    }

    fn pair(&mut self, tag: Tag, then: Option<Text>, now: Option<Text>) {
        if let (Some(then), Some(now)) = (then, now) {
            self.names.push((tag, then, now));
        }
    }
}

/// The MessageID that a server gives out.
fn message_id(primitive: Primitive) -> Option<Text> {
    let of = |info: Option<elements::MessageInfo>| info.and_then(|info| info.message_id);
    match primitive {
        Primitive::NewMessage(p) => of(p.message_info),
        Primitive::MessageNotification(p) => of(p.message_info),
        Primitive::GetMessageResponse(p) => of(p.message_info),
        Primitive::SendMessageResponse(p) => p.message_id,
        _ => None,
    }
}

/// Puts `new` for `old` as the content of `tag`, wherever it stands there as plain text
/// (XML) or as an inline string (WBXML); elsewhere the same octets may mean something else.
fn replace(
    octets: &[u8],
    syntax: Syntax,
    version: Version,
    tag: Tag,
    old: &str,
    new: &str,
) -> Vec<u8> {
    let (before, after, old, new) = match syntax {
        Syntax::Xml => (
            format!("<{tag}>").into_bytes(),
            format!("</{tag}>").into_bytes(),
            escape(old),
            escape(new),
        ),
        Syntax::Wbxml => {
            let Some((_, token)) = tag.token(version) else {
                return octets.to_vec();
            };
            // The token with content, STR_I; the string ends with 0, the element with END.
            (
                vec![token | 0x40, 0x03],
                vec![0x00, 0x01],
                old.to_owned(),
                new.to_owned(),
            )
        }
    };
    let wrap = |text: &str| [before.as_slice(), text.as_bytes(), after.as_slice()].concat();
    let (old, new) = (wrap(&old), wrap(&new));
    let mut out = Vec::with_capacity(octets.len() + new.len());
    let mut rest = octets;
    while let Some(at) = find(rest, &old) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&new);
        rest = &rest[at + old.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn find(octets: &[u8], part: &[u8]) -> Option<usize> {
    octets.windows(part.len()).position(|window| window == part)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Headers that the connection makes itself stay away.
fn is_sent_again(name: &str) -> bool {
    ![
        "host",
        "content-length",
        "content-type",
        "connection",
        "transfer-encoding",
        "expect",
    ]
    .iter()
    .any(|own| name.eq_ignore_ascii_case(own))
}

fn read(exchange: &Exchange) -> Option<(Document, Syntax, Version)> {
    let syntax = Syntax::detect(exchange.content_type.as_deref(), &exchange.body)?;
    let decoded = decode(&exchange.body, syntax).ok()?;
    let version = decoded.version.unwrap_or(Version::V1_2);
    Some((decoded.document, syntax, version))
}

fn message(exchange: &Exchange) -> Option<Message> {
    match read(exchange)?.0 {
        Document::Message(message) => Some(message),
        _ => None,
    }
}

/// What a request asks for, for people.
fn asked(request: &Exchange) -> String {
    match message(request) {
        Some(message) => {
            let names = message.transactions.iter().map(|t| match &t.content {
                Ok(primitive) => primitive.tag().name().to_owned(),
                Err(fault) => fault.to_string(),
            });
            names.collect::<Vec<_>>().join(", ")
        }
        None => format!("{} octets", request.body.len()),
    }
}

/// What is compared of an answer: HTTP status, names of the primitives, status codes.
fn summary(answer: &Exchange) -> String {
    let http = match answer.status {
        None | Some(200) => String::new(),
        Some(status) => format!("HTTP {status} "),
    };
    let content = if answer.body.is_empty() {
        "nothing".to_owned()
    } else {
        match read(answer) {
            None => "something unreadable".to_owned(),
            Some((Document::Message(message), ..)) => {
                let parts = message.transactions.iter().map(|t| match &t.content {
                    Ok(primitive) => named(primitive),
                    Err(_) => "something unreadable".to_owned(),
                });
                parts.collect::<Vec<_>>().join(" + ")
            }
            Some(_) => "a version discovery".to_owned(),
        }
    };
    http + &content
}

fn named(primitive: &Primitive) -> String {
    let code = match primitive {
        Primitive::Status(p) => p.result.as_ref(),
        Primitive::LoginResponse(p) => p.result.as_ref(),
        Primitive::Disconnect(p) => p.result.as_ref(),
        Primitive::KeepAliveResponse(p) => p.result.as_ref(),
        Primitive::SendMessageResponse(p) => p.result.as_ref(),
        Primitive::DeliveryReportRequest(p) => p.result.as_ref(),
        Primitive::GetPresenceResponse(p) => p.result.as_ref(),
        Primitive::GetAttributeListResponse(p) => p.result.as_ref(),
        Primitive::ListManageResponse(p) => p.result.as_ref(),
        Primitive::GetPublicProfileResponse(p) => p.result.as_ref(),
        Primitive::LeaveGroupResponse(p) => p.result.as_ref(),
        Primitive::ExtendConversationResponse(p) => p.result.as_ref(),
        _ => None,
    }
    .and_then(|result| result.code);
    match code {
        Some(code) => format!("{} {code}", primitive.tag()),
        None => primitive.tag().name().to_owned(),
    }
}
