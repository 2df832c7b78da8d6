//! Channels that clients open, and that they lose.

use crate::Sap;
use crate::cir::channel::{Channel, Closing};
use crate::cir::method::Method;
use crate::cir::{Cir, Sender};
use crate::session::Session;
use hamlet_model::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;

impl Sap {
    /// Takes up what has been agreed with the session, or what it had before a restart.
    pub(crate) fn adopt_cir(&self, session: &Arc<Session>) {
        let cir = &self.hub.cir;
        let settings = session.settings();
        let agreed = &settings.capabilities.cir;
        let mut state = session.cir.state.lock();
        if state.ended {
            return;
        }
        let url: Option<Box<str>> = agreed.url_id.as_deref().map(Into::into);
        if state.url != url {
            let mut urls = cir.urls.write();
            if let Some(old) = std::mem::replace(&mut state.url, url.clone()) {
                urls.remove(&old);
            }
            if let Some(new) = url {
                urls.insert(new, Arc::downgrade(session));
            }
        }
        state.peer = agreed.peer;
        // What was agreed anew replaces what was lost.
        state.lost = None;
        let live = state.channel.is_some() || state.caller.is_some();
        session.cir.set_ready(live || !agreed.methods.is_empty());
    }

    /// SUDP is served from now on: what waits for clients since before a restart is said.
    pub(crate) fn raise_for_datagrams(&self) {
        self.hub.registry.for_each(|session| {
            let settings = session.settings();
            if settings.capabilities.cir.methods.contains(&Method::Sudp) {
                self.hub.cir.raise(session);
            }
        });
    }

    /// HELO of a session on an STCP connection (transport 6.3); false if it is over.
    pub(crate) fn bind_channel(&self, session: &Arc<Session>, channel: &Arc<Channel>) -> bool {
        let mut state = session.cir.state.lock();
        if state.ended {
            return false;
        }
        let old = state.channel.replace(channel.clone());
        if let Some(old) = old.filter(|old| !Arc::ptr_eq(old, channel)) {
            // The newest wins: the client has given the other up.
            old.release(&session.id);
        }
        state.lost = None;
        state.flagged = None;
        state.outstanding = None;
        session.cir.set_ready(true);
        self.look_after_helo(session, &mut state);
        true
    }

    /// HELO or PING of a session by datagram (transport 6.4); false if it is over.
    pub(crate) fn bind_caller(&self, session: &Arc<Session>, from: SocketAddr) -> bool {
        let cir = &self.hub.cir;
        let mut state = session.cir.state.lock();
        if state.ended {
            return false;
        }
        let old = state.caller.replace(from);
        if let Some(old) = old.filter(|old| *old != from) {
            cir.forget_caller(old, session);
        }
        let before = cir.callers.lock().insert(from, Arc::downgrade(session));
        if old.is_none_or(|old| old != from) {
            self.trace_cir(session, || format!("CIR channel SUDP: in from {from}"));
            state.outstanding = None;
            session.cir.set_ready(true);
            self.look_after_helo(session, &mut state);
        }
        drop(state);
        // Another session of the same client that had the address.
        let before = before.and_then(|before| before.upgrade());
        if let Some(other) = before.filter(|other| !Arc::ptr_eq(other, session)) {
            let mut state = other.cir.state.lock();
            state.caller = state.caller.filter(|caller| *caller != from);
        }
        true
    }

    /// What waits already is said after a pause: what follows OK at once is lost on some
    /// clients (clients S60-18).
    fn look_after_helo(&self, session: &Arc<Session>, state: &mut super::session::State) {
        let cir = &self.hub.cir;
        cir.schedule(session, state, Timestamp::now().plus(cir.config.pause));
    }

    /// The connection is closed. Another way is looked for at once.
    pub(crate) fn lose_channel(&self, session: &Arc<Session>, channel: &Arc<Channel>) {
        let lost = session.cir.state.lock().lose(channel, Timestamp::now());
        if lost {
            self.trace_cir(session, || "CIR channel STCP: closed".to_owned());
            self.hub.cir.raise(session);
        }
    }
}

impl Cir {
    /// STCP is served at this address until the guard is dropped.
    pub(crate) fn open_tcp(self: &Arc<Self>, address: Option<SocketAddr>) -> Open {
        *self.tcp.write() = address;
        Open(self.clone(), |cir| *cir.tcp.write() = None)
    }

    /// SUDP is served by this socket until the guard is dropped.
    pub(crate) fn open_udp(self: &Arc<Self>, socket: &Arc<UdpSocket>) -> Open {
        *self.udp.write() = socket.local_addr().ok().map(|address| Sender {
            socket: socket.clone(),
            address,
        });
        Open(self.clone(), |cir| *cir.udp.write() = None)
    }

    /// An HTTP listener ends: requests to SHTTP URLs are answered now and not held any more,
    /// until the guard is dropped.
    pub(crate) fn drain(self: &Arc<Self>, sap: &Sap) -> Open {
        self.draining.fetch_add(1, Ordering::Relaxed);
        sap.hub.registry.for_each(|session| {
            // Who waits for the other end learns that it is gone.
            session.cir.state.lock().held = None;
        });
        Open(self.clone(), |cir| {
            cir.draining.fetch_sub(1, Ordering::Relaxed);
        })
    }

    /// A place for a request that is held, and the end by which it is answered, which takes
    /// the place of an earlier one of the session; `None` when it cannot be held.
    pub(crate) fn hold(
        self: &Arc<Self>,
        session: &Session,
    ) -> Option<(Open, oneshot::Receiver<()>)> {
        let held = self.held.fetch_add(1, Ordering::Relaxed) + 1;
        self.metrics.cir_held.inc();
        let place = Open(self.clone(), |cir| {
            cir.held.fetch_sub(1, Ordering::Relaxed);
            cir.metrics.cir_held.dec();
        });
        if held > self.config.http_max_waiting {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        let mut state = session.cir.state.lock();
        if state.ended || self.is_draining() {
            return None;
        }
        state.held = Some(answer);
        Some((place, answered))
    }

    /// A connection that has said nothing yet. When there are too many of them, the oldest
    /// goes: one that means it says HELO at once.
    pub(crate) fn add_channel(&self, number: u64) -> Arc<Channel> {
        let channel = Arc::new(Channel::new(number));
        self.channels.lock().insert(number, channel.clone());
        let mut strangers = self.strangers.lock();
        strangers.insert(number, channel.clone());
        let most = (self.config.tcp_max_connections / 4).max(1);
        if strangers.len() > most
            && let Some((_, oldest)) = strangers.pop_first()
        {
            oldest.close(Closing::MakesWay);
        }
        drop(strangers);
        self.metrics.cir_connections.inc();
        channel
    }

    /// The connection has said HELO.
    pub(crate) fn has_introduced_itself(&self, channel: &Channel) {
        self.strangers.lock().remove(&channel.number);
    }

    /// The connection is closed.
    pub(crate) fn remove_channel(&self, channel: &Channel) {
        self.strangers.lock().remove(&channel.number);
        self.channels.lock().remove(&channel.number);
        self.metrics.cir_connections.dec();
    }

    /// All connections are to close.
    pub(crate) fn close_channels(&self) {
        let all: Vec<_> = self.channels.lock().values().cloned().collect();
        all.iter()
            .for_each(|channel| channel.close(Closing::Shutdown));
    }

    pub(crate) fn forget_caller(&self, address: SocketAddr, session: &Arc<Session>) {
        let mut callers = self.callers.lock();
        let mine = |known: &std::sync::Weak<Session>| known.as_ptr() == Arc::as_ptr(session);
        if callers.get(&address).is_some_and(mine) {
            callers.remove(&address);
        }
    }

    pub(crate) fn forget_url(&self, id: &str) {
        self.urls.write().remove(id);
    }
}

/// Something that is open until this is dropped.
pub(crate) struct Open(Arc<Cir>, fn(&Cir));

impl Drop for Open {
    fn drop(&mut self) {
        (self.1)(&self.0);
    }
}
