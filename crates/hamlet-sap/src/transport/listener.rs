//! A listener: accepts, bounds, encrypts, and ends gracefully.

use crate::Sap;
use crate::suspicion::Suspicion;
use crate::transport::http::{Peer, answer};
use crate::transport::watch_io::{Phase, Watched};
use http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The largest head of a request; phones' gateways add headers of their own.
const MAX_HEAD: usize = 32 * 1024;

impl Sap {
    /// Answers CSP over HTTP, or over HTTPS with `tls`, until `shutdown` is done; then
    /// waits for exchanges that are under way. Fails only when the listener does.
    pub async fn serve(
        self: &Arc<Self>,
        listener: TcpListener,
        tls: Option<Arc<rustls::ServerConfig>>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let (ending, _) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => continue,
                accepted = accept(&listener, &self.places) => accepted,
            };
            let (stream, address, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_passing(&error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    // Out of files, for example: some will be free in a moment.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let acceptor = tls.clone().map(TlsAcceptor::from);
            let connection = Connection {
                sap: self.clone(),
                address,
                ending: ending.subscribe(),
                _place: place,
            };
            connections.spawn(connection.run(stream, acceptor));
        }
        drop(listener);
        let _draining = self.hub.cir.drain(self);
        ending.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        let limit = self.config.http.drain_timeout;
        if tokio::time::timeout(limit, drained).await.is_err() {
            tracing::warn!("connections were cut at shutdown");
        }
        Ok(())
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await;
    let place = place.map_err(|_| io::Error::other("closed"))?;
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, place))
}

/// Whether the listener may go on after this error.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    const OUT_OF_FILES: [i32; 2] = [23, 24];
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted | WouldBlock
    ) || error
        .raw_os_error()
        .is_some_and(|code| OUT_OF_FILES.contains(&code))
}

async fn told_to_end(ending: &mut watch::Receiver<bool>) {
    // An error means that the listener is gone.
    let _ = ending.wait_for(|ending| *ending).await;
}

/// What no client does, among the ways in which a connection ends.
fn suspicion(error: &hyper::Error) -> Option<Suspicion> {
    let source = error.source().and_then(|source| source.downcast_ref());
    match source.map(io::Error::kind) {
        Some(io::ErrorKind::TimedOut) => Some(Suspicion::SlowPeer),
        _ if error.is_parse_too_large() => Some(Suspicion::LargeHead),
        _ => None,
    }
}

struct Connection {
    sap: Arc<Sap>,
    address: SocketAddr,
    ending: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // Answers are single writes; nothing is to be waited for.
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().ok();
        let metrics = self.sap.metrics.clone();
        metrics.connections.inc();
        match tls {
            None => self.talk(stream, local, false).await,
            Some(acceptor) => {
                let limit = self.sap.config.http.read_timeout;
                let handshake = tokio::time::timeout(limit, acceptor.accept(stream)).await;
                match handshake {
                    Ok(Ok(stream)) => self.talk(stream, local, true).await,
                    Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                    Err(_) => tracing::debug!("TLS handshake took too long"),
                }
            }
        }
        metrics.connections.dec();
    }

    async fn talk(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        local: Option<SocketAddr>,
        secure: bool,
    ) {
        let config = self.sap.config.http.clone();
        let peer = Peer {
            address: self.address,
            local,
            secure,
        };
        let phase = Phase::new();
        let watched = Watched::new(stream, phase.clone(), config.read_timeout);
        let sap = self.sap.clone();
        let service = service_fn(move |request| {
            phase.busy();
            let (sap, phase) = (sap.clone(), phase.clone());
            async move {
                let response = answer(sap, peer, request).await;
                if response.headers().contains_key(CONNECTION) {
                    phase.leave_rest();
                }
                phase.idle();
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(config.idle_timeout)
            .max_buf_size(MAX_HEAD)
            // No `pipeline_flush`: it holds an answer back while octets are unread, also the
            // last one before the close.
            // The whole answer in one call (clients AND-36).
            .writev(false)
            .serve_connection(TokioIo::new(watched), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => Some(ended),
            () = told_to_end(&mut self.ending) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            if let Some(suspicion) = suspicion(&error) {
                let address = Some(peer.address.ip());
                self.sap.suspicions.note(address, suspicion, "HTTP");
            }
            tracing::debug!(%error, "connection ended");
        }
    }
}
