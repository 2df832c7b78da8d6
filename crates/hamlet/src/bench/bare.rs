//! The bare HTTP server: axum, two threads, the recorded octets for an answer, nothing else.
//! What it costs is what HTTP costs, whatever stands behind it.

use super::peer::Kind;
use crate::cli::BenchBare;
use crate::failure::Failure;
use crate::output::line;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt;
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// Serves until standard input ends, so that it does not outlive who started it.
pub async fn serve(options: BenchBare) -> Result<(), Failure> {
    let mut router = Router::new();
    for kind in Kind::ALL {
        let body = Bytes::from(std::fs::read(options.answers.join(kind.name()))?);
        let path = format!("/{}", kind.name());
        router = router.route(&path, post(answer).with_state(body));
    }
    let listener = TcpListener::bind(options.listen).await?;
    line(format!("http://{}/", listener.local_addr()?))?;
    let listener = listener.tap_io(|stream| {
        // It only costs time when it fails.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router)
        .with_graceful_shutdown(async {
            let input = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            let _ = tokio::task::spawn_blocking(input).await;
        })
        .await?;
    Ok(())
}

/// The request is read to its end, as any server has to.
async fn answer(
    State(body): State<Bytes>,
    headers: HeaderMap,
    _request: Bytes,
) -> impl IntoResponse {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .cloned()
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    ([(header::CONTENT_TYPE, content_type)], body)
}

/// The bare server in a process of its own, with the directory of its answers.
pub struct Bare {
    /// Where it listens.
    pub url: String,
    child: Child,
    answers: PathBuf,
}

impl Bare {
    /// Starts it with one answer for each kind of request.
    pub async fn start(recorded: [Vec<u8>; 4]) -> Result<Self, Failure> {
        let answers = std::env::temp_dir().join(format!("hamlet-bench-{}", std::process::id()));
        std::fs::create_dir_all(&answers)?;
        for (kind, body) in Kind::ALL.into_iter().zip(recorded) {
            std::fs::write(answers.join(kind.name()), body)?;
        }
        let (child, url) = spawn(&answers).await.inspect_err(|_| {
            let _ = std::fs::remove_dir_all(&answers);
        })?;
        Ok(Self {
            url,
            child,
            answers,
        })
    }

    /// Ends it.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill().await;
        let _ = std::fs::remove_dir_all(&self.answers);
    }
}

async fn spawn(answers: &Path) -> Result<(Child, String), Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("bench-bare")
        .arg("--answers")
        .arg(answers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut url = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut url).await?;
    }
    match url.trim() {
        "" => Err(Failure::said("the bare server did not start")),
        url => Ok((child, url.to_owned())),
    }
}
