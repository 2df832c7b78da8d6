//! Standalone TCP (transport 6.3): lines of text on a connection that the client keeps open.
//!
//! An idle connection costs a small task and no buffer: octets are read to the stack when
//! they come, and only an unfinished line is kept.

use crate::Sap;
use crate::cir::channel::{Channel, Closing};
use crate::cir::open::Open;
use crate::session::Session;
use crate::suspicion::Suspicion;
use crate::transport::cir_line::{self, Line};
use crate::transport::listener::is_passing;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// Octets that are read at a time, and the longest line.
const BUFFER: usize = 512;

/// Most sessions of one connection.
const MAX_SESSIONS: usize = 16;

/// After how long without traffic the network is asked whether the client is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(300);

/// How often it is asked again.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// How long the client's side may leave octets unacknowledged.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(90);

/// Why a connection ends. The client is told nothing (transport 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client closed it, or the network did.
    Closed,
    /// HELO named no live session.
    UnknownSession,
    /// Something else than HELO came first.
    NoHelo,
    /// It said nothing for too long.
    Silent,
    /// A line was too long, or there were too many sessions.
    TooMuch,
    /// The client does not read what is written.
    Slow,
    /// Its sessions are over or have other connections.
    Released,
    /// The server closes it.
    Told(Closing),
}

impl End {
    /// What a well-behaved client does not do; `stranger`: it has not said HELO.
    fn suspicion(self, stranger: bool) -> Option<Suspicion> {
        match self {
            Self::UnknownSession => Some(Suspicion::ChannelOfNoSession),
            Self::NoHelo => Some(Suspicion::ChannelWithoutHelo),
            // Its time was over, or it had to make way for others of its kind.
            Self::Silent | Self::Told(Closing::MakesWay) if stranger => {
                Some(Suspicion::ChannelWithoutHelo)
            }
            Self::TooMuch => Some(Suspicion::ChannelFlood),
            Self::Slow => Some(Suspicion::ChannelUnread),
            Self::Closed | Self::Silent | Self::Released | Self::Told(_) => None,
        }
    }
}

impl Sap {
    /// Serves STCP until `shutdown` is done, then closes all connections. From the call on,
    /// before the first poll, it is offered to clients.
    pub fn serve_cir_tcp<F>(
        self: &Arc<Self>,
        listener: TcpListener,
        shutdown: F,
    ) -> impl Future<Output = io::Result<()>> + Send + use<F>
    where
        F: Future<Output = ()> + Send,
    {
        let offered = self.hub.cir.open_tcp(listener.local_addr().ok());
        let sap = self.clone();
        async move {
            let served = sap.accept_cir(listener, shutdown, offered).await;
            sap.hub.cir.close_channels();
            let all = u32::try_from(sap.hub.cir.config.tcp_max_connections.max(1));
            let closed = sap.hub.cir.places.acquire_many(all.unwrap_or(u32::MAX));
            let limit = sap.config.http.drain_timeout;
            let _ = tokio::time::timeout(limit, closed).await;
            served
        }
    }

    async fn accept_cir(
        self: &Arc<Self>,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
        _offered: Open,
    ) -> io::Result<()> {
        let cir = &self.hub.cir;
        let mut shutdown = std::pin::pin!(shutdown);
        let mut full = false;
        for number in 0.. {
            let accepted = tokio::select! {
                () = &mut shutdown => return Ok(()),
                accepted = listener.accept() => accepted,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_passing(&error) => {
                    tracing::warn!(%error, "an STCP connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Ok(place) = cir.places.clone().try_acquire_owned() else {
                if !std::mem::replace(&mut full, true) {
                    tracing::warn!("all places for STCP connections are taken");
                }
                continue;
            };
            full = false;
            prepare(&stream);
            let connection = Connection::new(self.clone(), stream, address, number, place);
            tokio::spawn(connection.run());
        }
        Ok(())
    }
}

/// A client behind a network that has forgotten it must be found out (transport 6.3); and
/// each line is to be a segment of its own (clients S60-18). Without these it still works.
fn prepare(stream: &TcpStream) {
    let keep_alive = TcpKeepalive::new()
        .with_time(KEEP_ALIVE)
        .with_interval(KEEP_ALIVE_INTERVAL);
    let socket = SockRef::from(stream);
    let prepared = socket
        .set_tcp_nodelay(true)
        .and_then(|()| socket.set_tcp_keepalive(&keep_alive))
        .and_then(|()| limit_unacknowledged(&socket));
    if let Err(error) = prepared {
        tracing::debug!(%error, "an STCP connection goes without its options");
    }
}

/// What is written to a client that is gone shows it within this time, not within a quarter
/// of an hour.
#[cfg(target_os = "linux")]
fn limit_unacknowledged(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))
}

#[cfg(not(target_os = "linux"))]
fn limit_unacknowledged(_socket: &SockRef<'_>) -> io::Result<()> {
    Ok(())
}

struct Connection {
    sap: Arc<Sap>,
    stream: TcpStream,
    address: SocketAddr,
    channel: Arc<Channel>,
    sessions: Vec<Arc<Session>>,
    /// The beginning of a line.
    partial: Vec<u8>,
    /// When anything was last received; at first, when it was opened.
    heard: Instant,
    /// No CIR before: what follows an OK at once is lost on some clients.
    quiet_until: Instant,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(
        sap: Arc<Sap>,
        stream: TcpStream,
        address: SocketAddr,
        number: u64,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let now = Instant::now();
        Self {
            channel: sap.hub.cir.add_channel(number),
            sap,
            stream,
            address,
            sessions: Vec::new(),
            partial: Vec::new(),
            heard: now,
            quiet_until: now,
            _place: place,
        }
    }

    async fn run(mut self) {
        let end = loop {
            let step = tokio::select! {
                ready = self.stream.readable() => match ready {
                    Ok(()) => self.read(),
                    Err(_) => Err(End::Closed),
                },
                () = self.channel.wake.notified() => self.obey(),
                () = tokio::time::sleep_until(self.deadline()) => self.time_has_come(),
            };
            if let Err(end) = step {
                break end;
            }
            // A client that never stops talking must not keep others waiting.
            tokio::task::coop::consume_budget().await;
        };
        if let Some(what) = end.suspicion(self.sessions.is_empty()) {
            let peer = Some(self.address.ip());
            self.sap
                .suspicions
                .note(peer, what, format_args!("{end:?}"));
        }
        tracing::debug!(
            address = %self.address,
            session = self.sessions.first().map_or("none", |session| session.id.short()),
            ?end,
            "STCP connection ended"
        );
    }

    /// Takes what has come, at most one buffer of it.
    fn read(&mut self) -> Result<(), End> {
        let mut buffer = [0; BUFFER];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(End::Closed),
            Ok(count) => {
                self.heard = Instant::now();
                self.take(&buffer[..count])
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(End::Closed),
        }
    }

    fn take(&mut self, mut octets: &[u8]) -> Result<(), End> {
        while let Some(end) = octets.iter().position(|octet| *octet == b'\n') {
            let (line, rest) = (&octets[..end], &octets[end + 1..]);
            if self.partial.len() + line.len() > BUFFER {
                return Err(End::TooMuch);
            }
            if self.partial.is_empty() {
                self.line(line)?;
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(line);
                self.line(&whole)?;
            }
            octets = rest;
        }
        if self.partial.len() + octets.len() > BUFFER {
            return Err(End::TooMuch);
        }
        self.partial.extend_from_slice(octets);
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), End> {
        match cir_line::parse(line) {
            Line::Nothing => return Ok(()),
            Line::Helo(id) => self.helo(id)?,
            Line::Ping(_) | Line::Other if self.sessions.is_empty() => return Err(End::NoHelo),
            Line::Ping(_) | Line::Other => {}
        }
        self.write("OK")?;
        self.quiet_until = Instant::now() + self.sap.hub.cir.config.pause;
        Ok(())
    }

    fn helo(&mut self, id: &str) -> Result<(), End> {
        let session = self.sap.hub.registry.session(id);
        let session = session.ok_or(End::UnknownSession)?;
        let known = self.sessions.iter().any(|known| known.id == session.id);
        if !known && self.sessions.len() >= MAX_SESSIONS {
            return Err(End::TooMuch);
        }
        if !self.sap.bind_channel(&session, &self.channel) {
            return Err(End::UnknownSession);
        }
        if self.sessions.is_empty() {
            self.sap.hub.cir.has_introduced_itself(&self.channel);
        }
        tracing::debug!(address = %self.address, session = session.id.short(), "STCP channel");
        let address = self.address;
        self.sap.trace_cir(&session, || {
            format!("CIR channel STCP: HELO from {address}")
        });
        if !known {
            self.sessions.push(session);
        }
        Ok(())
    }

    /// Does what the channel was told.
    fn obey(&mut self) -> Result<(), End> {
        let may_write = Instant::now() >= self.quiet_until;
        let orders = self.channel.take(may_write);
        if let Some(why) = orders.close {
            return Err(End::Told(why));
        }
        for line in &orders.lines {
            self.write(line)?;
        }
        if orders.released.is_empty() {
            return Ok(());
        }
        self.sessions.retain(|session| {
            // It may have said HELO again meanwhile.
            let state = session.cir.state.lock();
            let own = state.channel.as_ref();
            own.is_some_and(|own| Arc::ptr_eq(own, &self.channel))
                || !orders.released.contains(&session.id)
        });
        match self.sessions.is_empty() {
            true => Err(End::Released),
            false => Ok(()),
        }
    }

    /// One line, one write, one segment. A client that leaves so much unread that this does
    /// not fit is gone.
    fn write(&self, line: &str) -> Result<(), End> {
        let line = format!("{line}\r\n");
        match self.stream.try_write(line.as_bytes()) {
            Ok(count) if count == line.len() => Ok(()),
            Ok(_) => Err(End::Slow),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(End::Slow),
            Err(_) => Err(End::Closed),
        }
    }

    /// When something has to happen although nothing comes.
    fn deadline(&self) -> Instant {
        let config = &self.sap.hub.cir.config;
        let limit = match self.sessions.is_empty() {
            true => config.tcp_hello_timeout,
            false => config.tcp_idle_timeout,
        };
        let silent = self.heard + limit;
        match self.channel.has_lines() {
            true => silent.min(self.quiet_until),
            false => silent,
        }
    }

    fn time_has_come(&mut self) -> Result<(), End> {
        match self.channel.has_lines() && Instant::now() >= self.quiet_until {
            true => self.obey(),
            false => Err(End::Silent),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.sap.hub.cir.remove_channel(&self.channel);
        for session in self.sessions.drain(..) {
            self.sap.lose_channel(&session, &self.channel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_not_said_helo_is_suspicious_unless_the_server_ends() {
        for (end, stranger, suspicious) in [
            (End::NoHelo, true, true),
            (End::Silent, true, true),
            (End::Silent, false, false),
            (End::Told(Closing::MakesWay), true, true),
            (End::Told(Closing::Shutdown), true, false),
            (End::Told(Closing::Shutdown), false, false),
            (End::Closed, true, false),
            (End::Released, false, false),
            (End::UnknownSession, true, true),
            (End::TooMuch, false, true),
            (End::Slow, false, true),
        ] {
            let found = end.suspicion(stranger).is_some();
            assert_eq!(found, suspicious, "{end:?} {stranger}");
        }
    }
}
