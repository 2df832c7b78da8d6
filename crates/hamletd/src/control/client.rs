//! The asking end of the control socket.

use super::{Answer, MAX_ANSWER, Request, SocketPath};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// How long an answer may take; deleting a user with many sessions takes a while.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why the server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No server listens there.
    #[error("no server listens at {}", .0.display())]
    NoServer(PathBuf),
    /// It is there but cannot be talked to.
    #[error("the server cannot be reached at {}: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It answered something else than an answer.
    #[error("the server at {} gave an answer that cannot be understood; is it of another version?", .0.display())]
    Nonsense(PathBuf),
}

/// A connection to a running server.
pub struct Connection {
    path: PathBuf,
    stream: BufReader<UnixStream>,
}

impl Connection {
    /// Connects to the socket at `path`.
    pub async fn open(path: &Path) -> Result<Self, ControlError> {
        let short = match SocketPath::new(path) {
            Ok(short) => short,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ControlError::NoServer(path.to_owned()));
            }
            Err(source) => return Err(unreachable(path, source)),
        };
        match UnixStream::connect(&short.path).await {
            Ok(stream) => Ok(Self {
                path: path.to_owned(),
                stream: BufReader::new(stream),
            }),
            // Refused: the socket of a server that was killed.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Err(ControlError::NoServer(path.to_owned()))
            }
            Err(source) => Err(unreachable(path, source)),
        }
    }

    /// Asks one thing.
    pub async fn ask(&mut self, request: &Request) -> Result<Answer, ControlError> {
        let exchange = tokio::time::timeout(PATIENCE, exchange(&mut self.stream, request));
        let line = match exchange.await {
            Ok(line) => line,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let line = line.map_err(|source| unreachable(&self.path, source))?;
        serde_json::from_slice(&line).map_err(|_| ControlError::Nonsense(self.path.clone()))
    }
}

fn unreachable(path: &Path, source: io::Error) -> ControlError {
    ControlError::Io {
        path: path.to_owned(),
        source,
    }
}

async fn exchange(stream: &mut BufReader<UnixStream>, request: &Request) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    let mut bounded = stream.take(MAX_ANSWER as u64);
    bounded.read_until(b'\n', &mut answer).await?;
    match answer.last() {
        Some(b'\n') => Ok(answer),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
