//! What requests of the client mean for its CIR channel (transport 6.8 items 1 and 4), and
//! the CIR flag of answers (csp-access 8.5).

use crate::Sap;
use crate::cir::SHORTEST_PAUSE;
use crate::cir::decide::Outstanding;
use crate::session::Session;
use hamlet_csp::Version;
use hamlet_model::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// A request of the session is being answered, until this is dropped.
pub(crate) struct InExchange<'a> {
    sap: &'a Sap,
    session: Arc<Session>,
    /// The answer carries the Poll flag.
    pub(crate) told: bool,
}

impl Sap {
    /// A message of the session's client has come.
    pub(crate) fn begin_exchange(
        &self,
        session: &Arc<Session>,
        peer: Option<IpAddr>,
    ) -> InExchange<'_> {
        session.cir.begin();
        if session.cir.is_ready() {
            let mut state = session.cir.state.lock();
            state.outstanding = None;
            state.fresh = false;
            // The newest request says where the client is (transport 9 item 4).
            state.peer = peer;
        }
        InExchange {
            sap: self,
            session: session.clone(),
            told: false,
        }
    }

    /// The CIR element of an answer to the session, when it is due.
    pub(crate) fn cir_flag(
        &self,
        session: &Session,
        version: Version,
        now: Timestamp,
    ) -> Option<bool> {
        if !session.cir.is_ready() {
            return None;
        }
        let config = &self.hub.cir.config;
        let (lost, flagged) = {
            let state = session.cir.state.lock();
            (state.lost?, state.flagged)
        };
        let facts = FlagFacts {
            version,
            lost,
            flagged,
            accepting: config.flag && self.hub.cir.tcp().is_some(),
        };
        let due = is_flag_due(&facts, now, config.flag_after, config.flag_every);
        due.then(|| session.settings().profile.cir_lost_is_true)
    }

    /// The CIR element has been written.
    pub(crate) fn cir_flag_sent(&self, session: &Session, now: Timestamp) {
        session.cir.state.lock().flagged = Some(now);
        tracing::info!(
            session = session.id.short(),
            "client told to open its STCP connection again"
        );
    }
}

/// What the CIR flag depends on.
#[derive(Debug, Clone, Copy)]
struct FlagFacts {
    version: Version,
    /// Since when the STCP connection is lost.
    lost: Timestamp,
    /// When the flag was last sent.
    flagged: Option<Timestamp>,
    /// STCP is served, has room, and the operator wants the flag.
    accepting: bool,
}

/// csp-access 8.5. A client that has noticed the loss itself opens anew within `after`.
fn is_flag_due(facts: &FlagFacts, now: Timestamp, after: Duration, every: Duration) -> bool {
    facts.version >= Version::V1_2
        && facts.accepting
        && facts.lost.plus(after) <= now
        && facts.flagged.is_none_or(|last| last.plus(every) <= now)
}

impl Drop for InExchange<'_> {
    fn drop(&mut self) {
        let (session, cir) = (&self.session, &self.sap.hub.cir);
        if !session.cir.finish() || !session.cir.is_ready() {
            return;
        }
        let now = Timestamp::now();
        let lapse = session.outbound.lock().first_lapse();
        let mut state = session.cir.state.lock();
        if state.ended {
            return;
        }
        let deferred = std::mem::take(&mut state.deferred);
        if self.told {
            state.outstanding = Some(Outstanding {
                by: None,
                at: now,
                sent: 0,
            });
            cir.schedule(session, &mut state, now.plus(cir.config.repeat.connected));
        }
        // What is not acknowledged is handed out again, and somebody has to say so.
        if let Some(at) = lapse {
            cir.schedule(session, &mut state, at.max(now.plus(SHORTEST_PAUSE)));
        }
        drop(state);
        if deferred && !self.told {
            cir.raise(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_sent_once_a_minute_for_a_lost_channel_of_1_2_and_later() {
        let at = |seconds: i64| Timestamp::from_secs(1_000_000 + seconds);
        let (after, every) = (Duration::from_secs(10), Duration::from_secs(60));
        let usual = FlagFacts {
            version: Version::V1_2,
            lost: at(0),
            flagged: None,
            accepting: true,
        };
        for (facts, now, due) in [
            (usual, 9, false),
            (usual, 10, true),
            (
                FlagFacts {
                    version: Version::V1_1,
                    ..usual
                },
                10,
                false,
            ),
            (
                FlagFacts {
                    version: Version::V1_3,
                    ..usual
                },
                10,
                true,
            ),
            // AND-31: only while the listener accepts.
            (
                FlagFacts {
                    accepting: false,
                    ..usual
                },
                10,
                false,
            ),
            (
                FlagFacts {
                    flagged: Some(at(10)),
                    ..usual
                },
                69,
                false,
            ),
            (
                FlagFacts {
                    flagged: Some(at(10)),
                    ..usual
                },
                70,
                true,
            ),
        ] {
            assert_eq!(
                is_flag_due(&facts, at(now), after, every),
                due,
                "{facts:?} {now}"
            );
        }
    }
}
