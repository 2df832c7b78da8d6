//! The answering end of the control socket.

use super::{Answer, MAX_REQUEST, Request, SocketPath};
use crate::operations::{Actor, Operations};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections at a time; further ones wait.
const CONNECTIONS: usize = 16;

/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(60);

/// A listening control socket.
pub struct Control {
    path: PathBuf,
    listener: UnixListener,
}

impl Control {
    /// Listens at `path`, in place of whatever a killed server left there. The caller holds
    /// the data directory, so no living server is displaced.
    pub fn bind(path: &Path) -> io::Result<Self> {
        // Only a socket that nobody can reach yet gets its permissions, and then its name.
        let unfinished = path.with_extension("sock.new");
        match std::fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&SocketPath::new(&unfinished)?.path)?;
        std::fs::set_permissions(&unfinished, Permissions::from_mode(0o600))?;
        std::fs::rename(&unfinished, path)?;
        Ok(Self {
            path: path.to_owned(),
            listener,
        })
    }

    /// Answers until `stop` says true; then finishes what has been asked and removes the
    /// socket.
    pub async fn serve(self, operations: Arc<Operations>, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = accept(&self.listener, &places) => accepted,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, place)) => {
                    let (operations, stop) = (operations.clone(), stop.clone());
                    connections.spawn(async move {
                        serve_connection(stream, &operations, stop).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket cannot accept");
                    // Without free descriptors, accepting at once again would only spin.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        while connections.join_next().await.is_some() {}
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "the control socket cannot be removed");
        }
    }
}

async fn accept(
    listener: &UnixListener,
    places: &Arc<Semaphore>,
) -> io::Result<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = places
        .clone()
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn serve_connection(
    stream: UnixStream,
    operations: &Operations,
    mut stop: watch::Receiver<bool>,
) {
    let Some(actor) = trusted(&stream) else {
        tracing::warn!("another user tried the control socket");
        return;
    };
    let mut stream = BufReader::new(stream);
    loop {
        let line = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            line = tokio::time::timeout(IDLE, read_line(&mut stream)) => line,
        };
        let Ok(Ok(Some(line))) = line else { return };
        let answer = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => operations.execute(&actor, request).await,
            // The error's own text could repeat parts of the request, a password perhaps.
            Err(_) => Answer::failed("the request cannot be understood"),
        };
        if write_line(&mut stream, &answer).await.is_err() {
            return;
        }
    }
}

/// `None` at the end of the stream.
async fn read_line(stream: &mut BufReader<UnixStream>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut bounded = stream.take(MAX_REQUEST as u64);
    bounded.read_until(b'\n', &mut line).await?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}

async fn write_line(stream: &mut BufReader<UnixStream>, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let write = tokio::time::timeout(IDLE, stream.write_all(&line));
    write
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Between bind and chmod others may have got in; who they are is asked anyway.
fn trusted(stream: &UnixStream) -> Option<Actor> {
    let own = rustix::process::geteuid().as_raw();
    let peer = stream.peer_cred().ok()?.uid();
    (peer == own || peer == 0).then_some(Actor::Local(peer))
}
