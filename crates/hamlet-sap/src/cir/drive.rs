//! Looks at the sessions for which something has been queued or whose time has come, and
//! sends CIRs. One task for all sessions; none of them has a task or a timer of its own.

use crate::Sap;
use crate::cir::decide::{Outstanding, Situation, Verdict, decide};
use crate::cir::method::Method;
use crate::cir::session::State;
use crate::cir::{Cir, SHORTEST_PAUSE, wvci};
use crate::session::Session;
use futures::{FutureExt, StreamExt};
use hamlet_model::{StatusCode, Timestamp};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// Sessions that are looked at in one go.
const BATCH: usize = 1000;

/// Of them, how many may wait for the store at a time.
const CONCURRENT: usize = 16;

/// The longest pause, in case the clock is set.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A session to look at, and whether something was queued for it.
type Work = (Arc<Session>, bool);

impl Sap {
    /// Works until the server stops.
    pub(crate) async fn drive_cir(self: Arc<Self>) {
        let mut stopping = self.stopping();
        let cir = self.hub.cir.clone();
        let sap = Arc::downgrade(&self);
        drop(self);
        loop {
            let work = cir.take_work(Timestamp::now());
            if work.is_empty() {
                tokio::select! {
                    _ = stopping.wait_for(|stop| *stop) => return,
                    () = cir.wake.notified() => {}
                    () = tokio::time::sleep(cir.pause(Timestamp::now())) => {}
                }
                continue;
            }
            let Some(sap) = sap.upgrade() else {
                return;
            };
            futures::stream::iter(work)
                .for_each_concurrent(CONCURRENT, |(session, fresh)| {
                    let sap = sap.clone();
                    async move {
                        let look = AssertUnwindSafe(sap.consider(&session, fresh));
                        // One session's fault must not silence all channels.
                        if look.catch_unwind().await.is_err() {
                            sap.metrics.panics.inc();
                        }
                    }
                })
                .await;
        }
    }

    /// Sends a CIR if one is called for.
    async fn consider(&self, session: &Arc<Session>, fresh: bool) {
        if !session.cir.is_ready() {
            return;
        }
        self.warm_session(session).await;
        let now = Timestamp::now();
        let pending = self.poll_is_worth_while(session, now);
        let settings = session.settings();
        let again = match pending {
            true => None,
            false => self.worth_another_look(session, now),
        };
        let cir = &self.hub.cir;
        let mut state = session.cir.state.lock();
        if state.ended {
            return;
        }
        state.fresh |= fresh;
        loop {
            let ways = state.ways(cir);
            let verdict = decide(&Situation {
                now,
                pending,
                busy: session.cir.is_busy(),
                fresh: state.fresh,
                best: ways.best(&settings.capabilities.cir.methods),
                outstanding: state.outstanding,
                repeat: &cir.config.repeat,
            });
            match verdict {
                Verdict::Nothing => {
                    if let Some(at) = again {
                        cir.schedule(session, &mut state, at);
                    }
                }
                Verdict::Answered => state.deferred = true,
                Verdict::Wait(at) => cir.schedule(session, &mut state, at),
                Verdict::Enough => tracing::debug!(
                    session = session.id.short(),
                    "client does not react; it comes when it comes"
                ),
                Verdict::Send { by, nth } => {
                    let cookie = settings.cookie.as_deref();
                    let line = || wvci(session.version, cookie);
                    let port = settings.capabilities.cir.udp_port;
                    if !cir.send(by, &mut state, port, line) {
                        // The request was given up a moment ago.
                        continue;
                    }
                    cir.metrics.cir_sent(by.name(), nth > 1);
                    self.trace_cir(session, || format!("CIR out by {}: {}", by.name(), line()));
                    tracing::debug!(session = session.id.short(), method = by.name(), nth, "CIR");
                    state.fresh &= nth > 1;
                    state.outstanding = Some(Outstanding {
                        by: Some(by),
                        at: now,
                        sent: nth,
                    });
                    let next = now.plus(cir.config.repeat.after(Some(by), nth));
                    cir.schedule(session, &mut state, next);
                }
            }
            return;
        }
    }

    /// When something may have changed for a session that has nothing to fetch now: its
    /// client owes answers, or it is the turn of another session of the user.
    fn worth_another_look(&self, session: &Session, now: Timestamp) -> Option<Timestamp> {
        let settings = session.settings();
        let lapse = session.outbound.lock().first_lapse();
        let presence = self.presence_due(session, &settings);
        let waiting = session.user.mailbox.lock().len() > 0;
        let turn = waiting.then(|| now.plus(self.guard_time(&settings)));
        let at = lapse.into_iter().chain(turn).chain(presence).min()?;
        Some(at.max(now.plus(SHORTEST_PAUSE)))
    }

    /// The end of a session that is out of the registry (csp-access 3.9, transport 9 item 9):
    /// unless the client has asked for it, it is told to poll, which brings it the reason.
    pub(crate) fn end_cir(&self, session: &Arc<Session>, code: StatusCode) {
        let cir = &self.hub.cir;
        let settings = session.settings();
        let mut state = session.cir.state.lock();
        state.ended = true;
        if let Some(url) = state.url.take() {
            cir.forget_url(&url);
        }
        if let Some(due) = state.due.take() {
            cir.timers.lock().cancel(due);
        }
        let best = state.ways(cir).best(&settings.capabilities.cir.methods);
        if let Some(by) = best.filter(|_| code != StatusCode::OK) {
            let line = || wvci(session.version, settings.cookie.as_deref());
            let port = settings.capabilities.cir.udp_port;
            if cir.send(by, &mut state, port, line) {
                cir.metrics.cir_sent(by.name(), false);
                self.trace_cir(session, || format!("CIR out by {}: {}", by.name(), line()));
            }
        }
        if let Some(caller) = state.caller.take() {
            cir.forget_caller(caller, session);
        }
        state.held = None;
        if let Some(channel) = state.channel.take() {
            channel.release(&session.id);
        }
    }
}

impl Cir {
    /// What there is to look at now.
    fn take_work(&self, now: Timestamp) -> Vec<Work> {
        let mut work: Vec<Work> = {
            let mut queue = self.queue.lock();
            let count = queue.len().min(BATCH);
            queue
                .drain(..count)
                .map(|session| (session, true))
                .collect()
        };
        for (session, _) in &work {
            session.cir.taken_out();
        }
        let due = self.timers.lock().take_due(now, BATCH);
        for (entry, session) in due {
            let mut state = session.cir.state.lock();
            if state.due == Some(entry) {
                state.due = None;
            }
            drop(state);
            work.push((session, false));
        }
        work
    }

    /// How long there is nothing to do.
    fn pause(&self, now: Timestamp) -> Duration {
        let first = self.timers.lock().first();
        first.map_or(LONGEST_PAUSE, |at| {
            let millis = at.millis().saturating_sub(now.millis());
            Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(LONGEST_PAUSE)
        })
    }

    /// Sends a CIR by a method that was open a moment ago; false if it is no more.
    fn send(
        &self,
        by: Method,
        state: &mut State,
        udp_port: u16,
        line: impl FnOnce() -> String,
    ) -> bool {
        match by {
            Method::Stcp => {
                let Some(channel) = &state.channel else {
                    return false;
                };
                channel.call(line());
                true
            }
            Method::Shttp => state.held.take().is_some_and(|held| held.send(()).is_ok()),
            Method::Sudp => {
                let peer = |ip| SocketAddr::new(ip, udp_port);
                if let Some(address) = state.caller.or(state.peer.map(peer)) {
                    self.send_datagram(address, line().as_bytes());
                }
                // It is as unreliable when there is an error as when there is none.
                true
            }
            // Never the best while their bearers are not served.
            Method::WapUdp | Method::WapSms | Method::Ssms => true,
        }
    }

    /// Sends a datagram; what cannot go out is lost, like any.
    pub(crate) fn send_datagram(&self, to: SocketAddr, octets: &[u8]) {
        let Some(from) = self.udp() else {
            return;
        };
        let to = in_family(to, from.address.is_ipv6());
        if let Err(error) = from.socket.try_send_to(octets, to) {
            tracing::debug!(%to, %error, "a datagram was lost");
        }
    }
}

/// The address as a socket of this family writes it.
fn in_family(to: SocketAddr, v6: bool) -> SocketAddr {
    match (to.ip().to_canonical(), v6) {
        (IpAddr::V4(ip), true) => SocketAddr::new(Ipv4Addr::to_ipv6_mapped(&ip).into(), to.port()),
        (ip, _) => SocketAddr::new(ip, to.port()),
    }
}
