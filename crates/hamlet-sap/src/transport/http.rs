//! One HTTP request (transport 3; csp-access 1.1): what is CSP goes to the exchange, what
//! is not is answered here.

use crate::Sap;
use crate::content;
use crate::envelope::exchange::{Inbound, Reply};
use crate::map::link;
use crate::metrics::Metrics;
use crate::suspicion::Suspicion;
use crate::transport::form_login;
use crate::transport::gateway::{Origin, origin};
use crate::transport::recorder::Recorder;
use crate::transport::shttp;
use crate::transport::unstoppable::Unstoppable;
use bytes::{Bytes, BytesMut};
use hamlet_csp::Syntax;
use hamlet_model::Timestamp;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use prometheus_client::metrics::gauge::Gauge;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Most octets of bodies of all requests together.
const MAX_BODIES: usize = 256 << 20;

/// How the connection is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// The server's side.
    pub(crate) local: Option<SocketAddr>,
    /// TLS.
    pub(crate) secure: bool,
}

/// Answers one request.
pub(crate) async fn answer(
    sap: Arc<Sap>,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let response = respond(&sap, peer, request).await;
    sap.metrics.http(response.status().as_u16());
    response
}

async fn respond(sap: &Arc<Sap>, peer: Peer, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.method() == Method::GET
        && let Some(id) = shttp::id_in(request.uri().path())
    {
        let from = origin(peer, request.headers(), &sap.config.http.gateways).address;
        let id = id.to_owned();
        // Its headers lie in the buffer of the connection, which would need a second one for
        // as long as the request is held.
        drop(request);
        let status = sap.long_poll(&id).await;
        if status == StatusCode::NOT_FOUND {
            let about = id.get(..8).unwrap_or(&id);
            sap.suspicions
                .note(Some(from), Suspicion::UnknownUrl, about);
        }
        let mut response = bare(status);
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(CACHE_CONTROL, no_store);
        return response;
    }
    if request.method() == Method::GET
        && let Some(token) = link::token_in(request.uri().path())
    {
        let response = map(sap, token).await;
        if response.status() == StatusCode::NOT_FOUND {
            let from = origin(peer, request.headers(), &sap.config.http.gateways).address;
            let about = token.get(..8).unwrap_or(token);
            sap.suspicions
                .note(Some(from), Suspicion::UnknownMap, about);
        }
        return response;
    }
    if sap.config.content.is_some() && content::place(request.uri().path()).is_some() {
        return content::answer(sap, peer, request).await;
    }
    if request.method() != Method::POST {
        let mut response = bare(StatusCode::METHOD_NOT_ALLOWED);
        let allowed = HeaderValue::from_static("POST");
        response.headers_mut().insert(ALLOW, allowed);
        let whole = request.body().is_end_stream();
        return if whole { response } else { closing(response) };
    }
    let (mut head, body) = request.into_parts();
    let (mut body, _held) = match read(body, sap, sap.config.http.max_body).await {
        Ok(read) => read,
        Err(Unread(status, what)) => {
            if let Some(what) = what {
                let from = origin(peer, &head.headers, &sap.config.http.gateways).address;
                sap.suspicions.note(Some(from), what, status.as_u16());
            }
            return closing(bare(status));
        }
    };
    if sap.config.http.form_login.as_deref() == Some(head.uri.path()) {
        let Some(login) = form_login::login_of(&body, Timestamp::now()) else {
            return bare(StatusCode::BAD_REQUEST);
        };
        body = Bytes::from(login);
        let media_type = HeaderValue::from_static(form_login::MEDIA_TYPE);
        head.headers.insert(CONTENT_TYPE, media_type);
    }
    let start = Instant::now();
    let content_type = head.headers.get(CONTENT_TYPE).cloned();
    let user_agent = head.headers.get(USER_AGENT).cloned();
    let recorder = Recorder::begin(sap, peer, &head.headers, &body);
    let origin = origin(peer, &head.headers, &sap.config.http.gateways);
    let way = Way {
        origin,
        local: peer.local,
        host: host(&head),
    };
    let from = way.origin.address;
    let work = exchange(sap.clone(), way, body, content_type.clone(), user_agent);
    let reply = Unstoppable::new(Box::pin(work)).await;
    if matches!(reply, Some(Reply::BadRequest | Reply::UnsupportedMediaType)) {
        let about = content_type.as_ref().and_then(|text| text.to_str().ok());
        let about = format!("{:.64?}", about.unwrap_or(""));
        sap.suspicions
            .note(Some(from), Suspicion::Unreadable, about);
    }
    sap.metrics.latency.observe(start.elapsed().as_secs_f64());
    let response = written(sap, reply, content_type);
    if let Some(recorder) = recorder {
        recorder.end(sap, &response);
    }
    response
}

/// The map to which a link leads (csp-access 11.3).
async fn map(sap: &Sap, token: &str) -> Response<Full<Bytes>> {
    let Some(wanted) = sap.map_links.open(token, Timestamp::now()) else {
        return bare(StatusCode::NOT_FOUND);
    };
    match sap.maps.draw(wanted).await {
        Ok(octets) => {
            let mut response = Response::new(Full::new(octets));
            let headers = response.headers_mut();
            let media_type = HeaderValue::from_static(wanted.format.media_type());
            headers.insert(CONTENT_TYPE, media_type);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
            response
        }
        Err(_) => bare(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// The way on which a request came.
struct Way {
    origin: Origin,
    /// The server's side.
    local: Option<SocketAddr>,
    /// What the client calls the server.
    host: Option<String>,
}

/// Counts an exchange until it ends, be it by a panic.
struct UnderWay(Gauge);

impl UnderWay {
    fn begin(metrics: &Metrics) -> Self {
        metrics.exchanges.inc();
        Self(metrics.exchanges.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

async fn exchange(
    sap: Arc<Sap>,
    way: Way,
    body: Bytes,
    content_type: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
) -> Reply {
    let _under_way = UnderWay::begin(&sap.metrics);
    let text = |value: &Option<HeaderValue>| -> Option<String> {
        let octets = value.as_ref()?.as_bytes();
        Some(String::from_utf8_lossy(octets).into_owned())
    };
    let (content_type, user_agent) = (text(&content_type), text(&user_agent));
    let inbound = Inbound {
        body: &body,
        content_type: content_type.as_deref(),
        user_agent: user_agent.as_deref(),
        peer: Some(way.origin.address),
        host: way.host.as_deref(),
        local: way.local,
        secure: way.origin.secure,
        msisdn: way.origin.msisdn.as_ref(),
    };
    sap.exchange(&inbound).await
}

/// What the client calls the server: in the request line when it takes it for a proxy.
fn host(head: &http::request::Parts) -> Option<String> {
    let authority = head.uri.authority().map(|authority| authority.as_str());
    let header = || head.headers.get(HOST)?.to_str().ok();
    authority.or_else(header).map(str::to_owned)
}

/// The reply as a response; `content_type` is that of the request.
fn written(
    sap: &Sap,
    reply: Option<Reply>,
    content_type: Option<HeaderValue>,
) -> Response<Full<Bytes>> {
    match reply {
        Some(Reply::Message { body, media_type }) => {
            let mut response = Response::new(Full::new(Bytes::from(body)));
            let media_type = content_type
                .map(in_utf_8)
                .unwrap_or(HeaderValue::from_static(media_type));
            response.headers_mut().insert(CONTENT_TYPE, media_type);
            response
        }
        Some(Reply::Nothing) => bare(StatusCode::OK),
        Some(Reply::BadRequest) => bare(StatusCode::BAD_REQUEST),
        Some(Reply::UnsupportedMediaType) => bare(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        None => {
            sap.metrics.panics.inc();
            bare(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// The media type of a request for its answer, which is in UTF-8 whatever the request was in.
fn in_utf_8(content_type: HeaderValue) -> HeaderValue {
    let Some(text) = content_type.to_str().ok() else {
        return content_type;
    };
    match Syntax::charset(text) {
        Some(charset) if !charset.eq_ignore_ascii_case("utf-8") => {
            let media_type = text.split(';').next().unwrap_or_default().trim();
            HeaderValue::try_from(format!("{media_type}; charset=utf-8")).unwrap_or(content_type)
        }
        _ => content_type,
    }
}

/// An answer without body; hyper writes `Content-Length: 0`.
pub(crate) fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let soon = HeaderValue::from_static("10");
        response.headers_mut().insert(RETRY_AFTER, soon);
    }
    response
}

/// The rest of the request is not read, so nothing can follow it.
pub(crate) fn closing(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// The whole body, however it is framed; never more than the limit is kept.
pub(crate) async fn read(
    body: Incoming,
    sap: &Arc<Sap>,
    limit: usize,
) -> Result<(Bytes, Held), Unread> {
    let config = &sap.config.http;
    if body.size_hint().lower() > limit as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE.into());
    }
    // A client that announces more than it sends (clients MOV-28) gets 400, not silence.
    let mut held = Held::none(sap.clone());
    let body = tokio::time::timeout(config.read_timeout, collect(body, limit, &mut held)).await;
    match body {
        Ok(Ok(body)) => Ok((body, held)),
        Ok(Err(status)) => Err(status.into()),
        Err(_) => Err(Unread(StatusCode::BAD_REQUEST, Some(Suspicion::SlowBody))),
    }
}

/// Why there is no body: what is answered, and what a client does not do.
pub(crate) struct Unread(pub(crate) StatusCode, pub(crate) Option<Suspicion>);

impl From<StatusCode> for Unread {
    fn from(status: StatusCode) -> Self {
        // A connection that ends in the middle is a phone's daily bread.
        let is_large = status == StatusCode::PAYLOAD_TOO_LARGE;
        Self(status, is_large.then_some(Suspicion::LargeBody))
    }
}

/// Octets of bodies that are in memory on behalf of one request.
pub(crate) struct Held {
    sap: Arc<Sap>,
    mine: usize,
}

impl Held {
    fn none(sap: Arc<Sap>) -> Self {
        Self { sap, mine: 0 }
    }

    /// So many; `None` when the server has as much as it can hold.
    pub(crate) fn of(sap: Arc<Sap>, octets: usize) -> Option<Self> {
        let mut held = Self::none(sap);
        held.grow(octets).then_some(held)
    }

    /// Takes more; false when the server has as much as it can hold.
    fn grow(&mut self, octets: usize) -> bool {
        self.mine += octets;
        self.sap.bodies.fetch_add(octets, Ordering::Relaxed) + octets <= MAX_BODIES
    }

    /// Octets that are counted until the last of them is gone.
    pub(crate) fn with(self, octets: Vec<u8>) -> Bytes {
        struct Counted(Vec<u8>, #[allow(dead_code)] Held);
        impl AsRef<[u8]> for Counted {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        Bytes::from_owner(Counted(octets, self))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.sap.bodies.fetch_sub(self.mine, Ordering::Relaxed);
    }
}

async fn collect(mut body: Incoming, limit: usize, held: &mut Held) -> Result<Bytes, StatusCode> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len() + all.len() + data.len() > limit {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if !held.grow(data.len()) {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        // One frame is the rule, and is not copied.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
                first = Bytes::new();
            }
            all.extend_from_slice(&data);
        }
    }
    match all.is_empty() {
        true => Ok(first),
        false => Ok(all.freeze()),
    }
}
