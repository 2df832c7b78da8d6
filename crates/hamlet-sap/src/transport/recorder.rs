//! Records exchanges for `trace.dir`, when that is set.

use crate::Sap;
use crate::session::Session;
use crate::trace::{TraceDocument, TraceExchange, TraceHalf, TraceNote, TraceSession};
use crate::transport::http::Peer;
use bytes::Bytes;
use hamlet_csp::elements::Primitive;
use hamlet_csp::{Document, Syntax, Version, decode_with_charset};
use hamlet_model::Timestamp;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response};
use http_body_util::{BodyExt, Full};

/// The first half of an exchange.
pub(crate) struct Recorder {
    connection: String,
    session: Option<TraceSession>,
    request: TraceHalf,
}

impl Recorder {
    /// Notes what the client sent; `None` when nothing is traced.
    pub(crate) fn begin(sap: &Sap, peer: Peer, headers: &HeaderMap, body: &Bytes) -> Option<Self> {
        sap.tracer.as_ref()?;
        let request = half(headers, None, body.clone());
        let named = request.document.as_ref().and_then(session_of);
        Some(Self {
            connection: peer.address.to_string(),
            // Looked up now: the exchange may end the session.
            session: named.and_then(|id| live(sap, &id)),
            request,
        })
    }

    /// Notes the answer, and hands both over.
    pub(crate) fn end(self, sap: &Sap, response: &Response<Full<Bytes>>) {
        let Some(tracer) = &sap.tracer else {
            return;
        };
        let status = Some(response.status().as_u16());
        let answer = half(response.headers(), status, octets(response));
        let opened = || answer.document.as_ref().and_then(session_of);
        let session = self.session.or_else(|| live(sap, &opened()?));
        tracer.exchange(TraceExchange {
            connection: self.connection,
            session,
            request: self.request,
            answer: Some(answer),
        });
    }
}

impl Sap {
    /// Notes what happens on the CIR channel of a session, when anything is traced.
    pub(crate) fn trace_cir(&self, session: &Session, what: impl FnOnce() -> String) {
        if let Some(tracer) = &self.tracer {
            tracer.note(TraceNote {
                session: TraceSession {
                    id: session.id.clone(),
                    user: session.user.id.clone(),
                },
                at: Timestamp::now(),
                text: what(),
            });
        }
    }
}

/// The body of a response that has not been sent: it is there at once.
fn octets(response: &Response<Full<Bytes>>) -> Bytes {
    use futures::FutureExt;
    let collected = response.body().clone().collect().now_or_never();
    collected.map_or_else(Bytes::new, |whole| match whole {
        Ok(whole) => whole.to_bytes(),
        Err(never) => match never {},
    })
}

fn half(headers: &HeaderMap, status: Option<u16>, body: Bytes) -> TraceHalf {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let content_type = headers.get(CONTENT_TYPE).map(text);
    let charset = content_type.as_deref().and_then(Syntax::charset);
    let document = Syntax::detect(content_type.as_deref(), &body)
        .and_then(|syntax| decode_with_charset(&body, syntax, charset).ok())
        .map(|decoded| TraceDocument {
            document: decoded.document,
            version: decoded.version.unwrap_or(Version::V1_2),
        });
    TraceHalf {
        at: Timestamp::now(),
        content_type,
        status,
        headers: headers
            .iter()
            .filter(|(name, _)| **name != CONTENT_TYPE)
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body,
        document,
    }
}

/// The session that a message is in, or that it opens.
fn session_of(decoded: &TraceDocument) -> Option<String> {
    let Document::Message(message) = &decoded.document else {
        return None;
    };
    let opened = message.transactions.iter().find_map(|transaction| {
        match transaction.content.as_ref().ok()? {
            Primitive::LoginResponse(response) => response.session_id.as_deref(),
            _ => None,
        }
    });
    let named = message.session.session_id.as_deref();
    opened.or(named).map(str::to_owned)
}

fn live(sap: &Sap, id: &str) -> Option<TraceSession> {
    let session = sap.hub.registry.session(id)?;
    Some(TraceSession {
        id: session.id.clone(),
        user: session.user.id.clone(),
    })
}
