//! One exchange, and its form as text.

use super::mask;
use crate::journal::iso;
use bytes::Bytes;
use hamlet_csp::elements::Primitive;
use hamlet_csp::{Document, Syntax, Text, Version, WriteOptions, encode};
use hamlet_model::{SessionId, Timestamp, UserId};
use std::fmt::Write;

/// Octets of one `hex: ` line.
const HEX_LINE: usize = 64;

/// The session that an exchange belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceSession {
    /// Its identifier.
    pub id: SessionId,
    /// Its user.
    pub user: UserId,
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct TraceExchange {
    /// Names the connection or the login attempt while there is no session.
    pub connection: String,
    /// The session, from the exchange on that made it.
    pub session: Option<TraceSession>,
    /// What the client sent.
    pub request: TraceHalf,
    /// What it was answered; `None` when the connection ended before.
    pub answer: Option<TraceHalf>,
}

/// Something that happened to a session beside its exchanges.
#[derive(Debug, Clone)]
pub struct TraceNote {
    /// The session.
    pub session: TraceSession,
    /// When.
    pub at: Timestamp,
    /// What, in one line.
    pub text: String,
}

/// What went in one direction.
#[derive(Debug, Clone, Default)]
pub struct TraceHalf {
    /// When it was complete.
    pub at: Timestamp,
    /// Content-Type.
    pub content_type: Option<String>,
    /// HTTP status of an answer.
    pub status: Option<u16>,
    /// Headers that matter (User-Agent, Accept, ...).
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// What the body says, when it can be read.
    pub document: Option<TraceDocument>,
}

/// A decoded body.
#[derive(Debug, Clone)]
pub struct TraceDocument {
    /// The document.
    pub document: Document,
    /// Its version.
    pub version: Version,
}

/// Appends the exchange as text.
pub(super) fn write(out: &mut String, exchange: &TraceExchange) {
    half(out, "in", &exchange.request);
    match &exchange.answer {
        Some(answer) => half(out, "out", answer),
        None => out.push_str("# not answered: the connection ended\n"),
    }
}

/// Appends the note as a comment.
pub(super) fn write_note(out: &mut String, note: &TraceNote) {
    out.push_str(&format!("# {} {}\n", iso(note.at), one_line(&note.text)));
}

fn half(out: &mut String, direction: &str, half: &TraceHalf) {
    let content_type = match half.content_type.as_deref() {
        None | Some("") => "-".to_owned(),
        // The fields of the line are separated by blanks.
        Some(text) => one_line(text).replace(' ', ""),
    };
    let status = half
        .status
        .map_or("-".to_owned(), |status| status.to_string());
    let at = iso(half.at);
    out.push_str(&format!("== {at} {direction} {content_type} {status}\n"));
    for (name, value) in &half.headers {
        let value = match mask::is_secret_header(name) {
            true => "*".repeat(value.len()),
            false => one_line(value),
        };
        out.push_str(&format!("header: {}: {value}\n", one_line(name)));
    }
    let mut document = half.document.clone();
    let secrets = document
        .as_mut()
        .map(|decoded| mask::take_secrets(&mut decoded.document))
        .unwrap_or_default();
    let unsure = document
        .as_ref()
        .is_none_or(|decoded| !is_readable(&decoded.document));
    match mask::body(&half.body, half.content_type.as_deref(), &secrets, unsure) {
        Some(body) => hex(out, &body),
        None => out.push_str("# body withheld: it holds a secret that cannot be masked\n"),
    }
    if let Some(decoded) = &document {
        xml(out, decoded);
    }
}

/// Whether every primitive of it could be read.
fn is_readable(document: &Document) -> bool {
    match document {
        Document::Message(message) => message.transactions.iter().all(|t| t.content.is_ok()),
        _ => true,
    }
}

fn hex(out: &mut String, body: &[u8]) {
    for line in body.chunks(HEX_LINE) {
        out.push_str("hex: ");
        for octet in line {
            // Writing to a String does not fail.
            let _ = write!(out, "{octet:02x}");
        }
        out.push('\n');
    }
}

fn xml(out: &mut String, decoded: &TraceDocument) {
    let options = WriteOptions::default();
    let text = encode(&decoded.document, Syntax::Xml, decoded.version, &options);
    out.push_str("xml: ");
    // Only content can hold line breaks; carriage returns are references already.
    out.push_str(&String::from_utf8_lossy(&text).replace('\n', "&#10;"));
    out.push('\n');
    let Document::Message(message) = &decoded.document else {
        return;
    };
    for unreadable in message
        .transactions
        .iter()
        .filter_map(|t| t.content.as_ref().err())
    {
        out.push_str(&format!("# {}\n", one_line(&unreadable.to_string())));
    }
}

/// Header values and the like: no control characters, bounded.
fn one_line(text: &str) -> String {
    text.chars()
        .take(1000)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// The parts of a primitive that nobody may read.
pub(super) fn secret_fields(primitive: &mut Primitive) -> Vec<&mut Text> {
    match primitive {
        Primitive::LoginRequest(login) => [&mut login.password, &mut login.digest_bytes]
            .into_iter()
            .flatten()
            .collect(),
        Primitive::LoginResponse(login) => login.password.iter_mut().collect(),
        _ => Vec::new(),
    }
}
