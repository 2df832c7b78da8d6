//! Standalone UDP (transport 6.4): CIRs go to where the client's requests come from, or to
//! where it said HELO from, which gets through a NAT.

use crate::Sap;
use crate::cir::open::Open;
use crate::transport::cir_line::{self, Line};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Longer datagrams mean nothing.
const BUFFER: usize = 512;

impl Sap {
    /// Serves SUDP until `shutdown` is done. From the call on, before the first poll, it is
    /// offered to clients.
    pub fn serve_cir_udp<F>(
        self: &Arc<Self>,
        socket: UdpSocket,
        shutdown: F,
    ) -> impl Future<Output = ()> + Send + use<F>
    where
        F: Future<Output = ()> + Send,
    {
        let socket = Arc::new(socket);
        let offered = self.hub.cir.open_udp(&socket);
        self.raise_for_datagrams();
        let sap = self.clone();
        async move { sap.receive_cir(&socket, shutdown, offered).await }
    }

    async fn receive_cir(
        &self,
        socket: &UdpSocket,
        shutdown: impl Future<Output = ()> + Send,
        _offered: Open,
    ) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut buffer = [0; BUFFER];
        loop {
            let received = tokio::select! {
                () = &mut shutdown => return,
                received = socket.recv_from(&mut buffer) => received,
            };
            match received {
                Ok((count, from)) if self.datagram(&buffer[..count], from) => {
                    self.hub.cir.send_datagram(from, b"OK");
                }
                // Who knows no session gets no answer, so that nobody is flooded by it.
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "a datagram could not be received");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Whether it is answered: it belongs to a live session, whose address it shows.
    fn datagram(&self, octets: &[u8], from: SocketAddr) -> bool {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let session = match cir_line::parse(octets) {
            Line::Helo(id) | Line::Ping(Some(id)) => self.hub.registry.session(id),
            Line::Ping(None) => self.hub.cir.session_of_caller(from),
            Line::Nothing | Line::Other => None,
        };
        session.is_some_and(|session| self.bind_caller(&session, from))
    }
}
