//! What one session has of the CIR channel.

use crate::cir::Cir;
use crate::cir::channel::Channel;
use crate::cir::decide::{Outstanding, Ways};
use crate::cir::method::Method;
use crate::cir::timers::Due;
use crate::session::Session;
use hamlet_model::Timestamp;
use parking_lot::Mutex;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::sync::oneshot;

/// The CIR side of a session.
#[derive(Default)]
pub(crate) struct SessionCir {
    /// A method is agreed, or a channel was opened; else there is nothing to do, ever.
    ready: AtomicBool,
    /// It is in the queue.
    queued: AtomicBool,
    /// Requests that are being answered.
    busy: AtomicU32,
    pub(crate) state: Mutex<State>,
}

/// What changes together.
#[derive(Default)]
pub(crate) struct State {
    /// The session is over.
    pub(crate) ended: bool,
    /// Something was queued while a request was being answered.
    pub(crate) deferred: bool,
    /// Something was queued after the first CIR of the series that is going on.
    pub(crate) fresh: bool,
    /// The identifier of its SHTTP URL.
    pub(crate) url: Option<Box<str>>,
    /// Its entry among the timers.
    pub(crate) due: Option<Due>,
    pub(crate) outstanding: Option<Outstanding>,
    /// Its STCP connection.
    pub(crate) channel: Option<Arc<Channel>>,
    /// Since when its STCP connection is gone.
    pub(crate) lost: Option<Timestamp>,
    /// When the CIR flag last said so.
    pub(crate) flagged: Option<Timestamp>,
    /// Where its HELO by datagram came from.
    pub(crate) caller: Option<SocketAddr>,
    /// Where its requests come from.
    pub(crate) peer: Option<IpAddr>,
    /// Answers the held request to its SHTTP URL.
    pub(crate) held: Option<oneshot::Sender<()>>,
}

impl SessionCir {
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Whether it is to be put into the queue: it is not there yet.
    pub(crate) fn take_up(&self) -> bool {
        self.is_ready() && !self.queued.swap(true, Ordering::AcqRel)
    }

    /// It has left the queue: what is queued from now on needs another look.
    pub(crate) fn taken_out(&self) {
        self.queued.store(false, Ordering::Release);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) > 0
    }

    pub(crate) fn begin(&self) {
        self.busy.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether that was the last.
    pub(crate) fn finish(&self) -> bool {
        self.busy.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

impl State {
    pub(crate) fn ways(&self, cir: &Cir) -> Ways {
        Ways {
            tcp: self.channel.is_some(),
            held: self.held.as_ref().is_some_and(|held| !held.is_closed()),
            caller: self.caller.is_some(),
            peer: cir.datagrams_may_go_to(self.peer).is_some(),
        }
    }

    /// Whether `channel` was its connection, which it is no more.
    pub(crate) fn lose(&mut self, channel: &Arc<Channel>, now: Timestamp) -> bool {
        let mine = |own: &Arc<Channel>| Arc::ptr_eq(own, channel);
        if !self.channel.as_ref().is_some_and(mine) {
            return false;
        }
        self.channel = None;
        self.lost = Some(now);
        true
    }
}

impl Session {
    /// The method by which it would be told to poll now.
    pub(crate) fn cir_method(&self, cir: &Cir) -> Option<&'static str> {
        let settings = self.settings();
        let ways = self.cir.state.lock().ways(cir);
        let best = ways.best(&settings.capabilities.cir.methods);
        best.map(Method::name)
    }
}
