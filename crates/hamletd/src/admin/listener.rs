//! Accepts connections for the admin interface, within bounds.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Connections at a time; further ones wait.
const CONNECTIONS: usize = 64;

/// How long a request's head may take, and a connection be without one.
const HEAD: Duration = Duration::from_secs(30);

/// How long one answer may take, when the server stops.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves `router`, over TLS if a configuration for it is given, until `stop` says true and what had been asked by then is answered.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let tls = tls.map(TlsAcceptor::from);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &places) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, place)) => {
                let (tls, router, stop) = (tls.clone(), router.clone(), stop.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve_connection(stream, router, stop).await,
                        Some(tls) => serve_encrypted(stream, &tls, router, stop).await,
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin listener cannot accept");
                // Without free descriptors, accepting at once again would only spin.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    // What is still open then ends with the set.
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await;
    let place = place.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn serve_encrypted(
    stream: TcpStream,
    tls: &TlsAcceptor,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    match tokio::time::timeout(HEAD, tls.accept(stream)).await {
        Ok(Ok(stream)) => serve_connection(stream, router, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS failed at the admin interface"),
        Err(_) => tracing::debug!("TLS took too long at the admin interface"),
    }
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let stopped = async move { stop.wait_for(|stop| *stop).await.is_ok() };
    let outcome = tokio::select! {
        outcome = connection.as_mut() => Some(outcome),
        _ = stopped => None,
    };
    let outcome = match outcome {
        Some(outcome) => outcome,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "an admin connection broke off");
    }
}
