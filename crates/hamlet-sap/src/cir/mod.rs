//! The CIR channel (transport 6): how a client that does not poll learns that something
//! waits for it. Here: the methods, what each session's channels are, when a CIR is sent and
//! by which of them. How octets travel is in `transport`; what is agreed, in
//! `negotiation/cir.rs`.

pub(crate) mod address;
pub(crate) mod channel;
pub(crate) mod decide;
pub(crate) mod drive;
pub(crate) mod exchange;
pub(crate) mod method;
pub(crate) mod open;
pub(crate) mod session;
pub(crate) mod timers;

use crate::config::CirConfig;
use crate::metrics::Metrics;
use crate::session::Session;
use channel::Channel;
use hamlet_csp::Version;
use hamlet_model::Timestamp;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use timers::Timers;
use tokio::net::UdpSocket;
use tokio::sync::{Notify, Semaphore};

/// A session that has nothing to fetch yet is not looked at more often.
pub(crate) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// What all sessions share of the CIR channel.
pub(crate) struct Cir {
    pub(crate) config: CirConfig,
    pub(crate) metrics: Arc<Metrics>,
    /// Sessions for which something has been queued.
    queue: Mutex<Vec<Arc<Session>>>,
    /// Something is in the queue, or a timer is due earlier than thought.
    wake: Notify,
    /// When to look at a session again.
    timers: Mutex<Timers>,
    /// Sessions by the identifiers of their SHTTP URLs.
    urls: RwLock<HashMap<Box<str>, Weak<Session>>>,
    /// Where STCP listens, while it does.
    tcp: RwLock<Option<SocketAddr>>,
    /// Places for STCP connections.
    pub(crate) places: Arc<Semaphore>,
    /// All STCP connections, by number.
    channels: Mutex<HashMap<u64, Arc<Channel>>>,
    /// Those that have not said HELO yet, the oldest first.
    strangers: Mutex<BTreeMap<u64, Arc<Channel>>>,
    /// What SUDP sends from, while it is served.
    udp: RwLock<Option<Sender>>,
    /// Sessions by the addresses that said HELO.
    callers: Mutex<HashMap<SocketAddr, Weak<Session>>>,
    /// Requests to SHTTP URLs that are held.
    held: AtomicUsize,
    /// HTTP listeners that are ending: nothing is held any more.
    draining: AtomicUsize,
}

/// What SUDP sends from.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) address: SocketAddr,
}

impl Cir {
    pub(crate) fn new(config: CirConfig, metrics: Arc<Metrics>) -> Self {
        let places = Arc::new(Semaphore::new(config.tcp_max_connections.max(1)));
        Self {
            config,
            metrics,
            queue: Mutex::default(),
            wake: Notify::new(),
            timers: Mutex::default(),
            urls: RwLock::default(),
            tcp: RwLock::default(),
            places,
            channels: Mutex::default(),
            strangers: Mutex::default(),
            udp: RwLock::default(),
            callers: Mutex::default(),
            held: AtomicUsize::new(0),
            draining: AtomicUsize::new(0),
        }
    }

    /// Something has been queued for the session: it is looked at soon. To be called by
    /// whoever queues anything that a poll would bring.
    pub(crate) fn raise(&self, session: &Arc<Session>) {
        if session.cir.take_up() {
            self.queue.lock().push(session.clone());
            self.wake.notify_one();
        }
    }

    /// The session, whose state this is, is looked at then, or earlier.
    pub(crate) fn schedule(
        &self,
        session: &Arc<Session>,
        state: &mut session::State,
        at: Timestamp,
    ) {
        if self.timers.lock().set(session, &mut state.due, at) {
            self.wake.notify_one();
        }
    }

    /// Where STCP listens, while it does and has room.
    pub(crate) fn tcp(&self) -> Option<SocketAddr> {
        let listening = *self.tcp.read();
        listening.filter(|_| self.places.available_permits() > 0)
    }

    /// What SUDP sends from.
    pub(crate) fn udp(&self) -> Option<Sender> {
        self.udp.read().clone()
    }

    /// The address, if SUDP is served and may go there.
    pub(crate) fn datagrams_may_go_to(&self, peer: Option<IpAddr>) -> Option<IpAddr> {
        let peer = peer?.to_canonical();
        let from = self.udp.read().as_ref()?.address;
        let allowed = self.config.udp_private || !address::is_private(peer);
        (allowed && (from.is_ipv6() || peer.is_ipv4())).then_some(peer)
    }

    /// The session whose SHTTP URL ends in `id`.
    pub(crate) fn session_of_url(&self, id: &str) -> Option<Arc<Session>> {
        self.urls.read().get(id)?.upgrade()
    }

    /// The session whose client said HELO from this address.
    pub(crate) fn session_of_caller(&self, address: SocketAddr) -> Option<Arc<Session>> {
        self.callers.lock().get(&address)?.upgrade()
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed) > 0
    }
}

/// The text of a CIR, without line end (transport 6.2).
pub(crate) fn wvci(version: Version, cookie: Option<&str>) -> String {
    match cookie.filter(|cookie| is_usable(cookie)) {
        Some(cookie) => format!("WVCI {} {cookie}", version.as_str()),
        None => format!("WVCI {}", version.as_str()),
    }
}

/// Whether a cookie can stand in a line.
pub(crate) fn is_usable(cookie: &str) -> bool {
    !cookie.is_empty() && !cookie.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cir_names_the_version_and_the_cookie() {
        assert_eq!(
            wvci(Version::V1_2, Some("wv:nokia.1785931")),
            "WVCI 1.2 wv:nokia.1785931"
        );
        assert_eq!(wvci(Version::V1_3, None), "WVCI 1.3");
        // A cookie must not be able to begin a line of its own.
        assert_eq!(wvci(Version::V1_1, Some("a\r\nOK")), "WVCI 1.1");
    }
}
