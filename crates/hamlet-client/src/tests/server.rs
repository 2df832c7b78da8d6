//! A server that answers each request with the next of its prepared answers and keeps what it
//! was asked.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// One prepared answer.
#[derive(Clone)]
pub(crate) struct Canned {
    pub status: u16,
    pub body: Vec<u8>,
    /// Closes the connection after it.
    pub close: bool,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Canned>,
    /// For GETs; one without an answer is held.
    held: VecDeque<Canned>,
    asked: Vec<Asked>,
    connections: usize,
}

/// What a client sent.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Method and path.
    pub line: String,
    pub content_type: String,
    pub body: String,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/csp", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let served = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                served.lock().unwrap().connections += 1;
                let state = served.clone();
                let service = service_fn(move |request| answer(request, state.clone()));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, state }
    }

    /// Prepares an XML answer of the given version.
    pub fn answer(&self, body: impl Into<Vec<u8>>) {
        self.push(Canned {
            status: 200,
            body: body.into(),
            close: false,
        });
    }

    pub fn push(&self, canned: Canned) {
        self.state.lock().unwrap().answers.push_back(canned);
    }

    /// Prepares the answer to a GET, before it comes.
    pub fn release(&self, status: u16) {
        self.state.lock().unwrap().held.push_back(Canned {
            status,
            body: Vec::new(),
            close: false,
        });
    }

    /// Everything asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The latest request.
    pub fn last(&self) -> String {
        self.asked().pop().expect("a request").body
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

async fn answer(
    request: http::Request<hyper::body::Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<http::Response<Full<Bytes>>, hyper::Error> {
    let content_type = request
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .to_owned();
    let is_get = request.method() == http::Method::GET;
    let line = format!("{} {}", request.method(), request.uri().path());
    let body = request.into_body().collect().await?.to_bytes();
    let canned = {
        let mut state = state.lock().unwrap();
        state.asked.push(Asked {
            line,
            content_type: content_type.clone(),
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        match is_get {
            true => state.held.pop_front(),
            false => Some(state.answers.pop_front().expect("a prepared answer")),
        }
    };
    let Some(canned) = canned else {
        return std::future::pending().await;
    };
    let mut response = http::Response::builder()
        .status(canned.status)
        .header("content-type", content_type);
    if canned.close {
        response = response.header("connection", "close");
    }
    Ok(response.body(Full::new(Bytes::from(canned.body))).unwrap())
}

/// An XML message of CSP 1.2 in session `s1`: one transaction.
pub(crate) fn message(mode: &str, id: &str, content: &str, poll: &str) -> String {
    format!(
        "<WV-CSP-Message xmlns=\"http://www.openmobilealliance.org/DTD/WV-CSP1.2\"><Session>\
         <SessionDescriptor><SessionType>Inband</SessionType><SessionID>s1</SessionID></SessionDescriptor>\
         <Transaction><TransactionDescriptor><TransactionMode>{mode}</TransactionMode><TransactionID>{id}</TransactionID></TransactionDescriptor>\
         <TransactionContent xmlns=\"http://www.openmobilealliance.org/DTD/WV-TRC1.2\">{content}</TransactionContent></Transaction>\
         <Poll>{poll}</Poll></Session></WV-CSP-Message>"
    )
}

pub(crate) fn status(id: &str, code: u16) -> String {
    message(
        "Response",
        id,
        &format!("<Status><Result><Code>{code}</Code></Result></Status>"),
        "F",
    )
}

pub(crate) fn logged_in(id: &str) -> String {
    message(
        "Response",
        id,
        "<Login-Response><ClientID><URL>t</URL></ClientID><Result><Code>200</Code></Result>\
         <SessionID>s1</SessionID><KeepAliveTime>600</KeepAliveTime><CapabilityRequest>T</CapabilityRequest></Login-Response>",
        "F",
    )
}
