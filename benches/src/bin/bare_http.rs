//! An HTTP server that does nothing but answer: what `hamletd` costs is measured against it.
//!
//! `bare_http --listen 127.0.0.1:9000 --answers DIR` answers every POST with 200 and the octets
//! of the first file `<n>.response` in DIR whose `<n>.request-needle` occurs in the request, or
//! with no octets. It prints one line when it listens, and uses two threads.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)]

use axum::Router;
use axum::extract::State;
use axum::serve::ListenerExt;
use bytes::Bytes;
use clap::Parser;
use hamlet_benches::answers::Answers;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Parser)]
#[command(about = "A bare HTTP server that answers fixed octets")]
struct Options {
    /// Where it listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Directory of pairs `<n>.request-needle` and `<n>.response`.
    #[arg(long)]
    answers: Option<PathBuf>,
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let answers = match &options.answers {
        Some(directory) => Answers::read(directory)?,
        None => Answers::default(),
    };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(serve(options.listen, answers))
}

async fn serve(listen: SocketAddr, answers: Answers) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let (at, count) = (listener.local_addr()?, answers.len());
    println!("bare_http listens on http://{at} with {count} answers");
    let listener = listener.tap_io(|stream| {
        // An answer must not wait for the acknowledgement of the one before it.
        let _ = stream.set_nodelay(true);
    });
    let app = Router::new().fallback(answer).with_state(Arc::new(answers));
    axum::serve(listener, app).await
}

/// The answer's media type is that of the request, as a CSP server's is.
async fn answer(
    State(answers): State<Arc<Answers>>,
    headers: HeaderMap,
    body: Bytes,
) -> ([(http::HeaderName, HeaderValue); 1], Bytes) {
    let plain = HeaderValue::from_static("application/octet-stream");
    let media_type = headers.get(CONTENT_TYPE).cloned().unwrap_or(plain);
    ([(CONTENT_TYPE, media_type)], answers.to(&body))
}
