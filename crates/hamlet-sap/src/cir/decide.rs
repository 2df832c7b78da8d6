//! When a CIR is sent, and by which method (transport 6.8). Pure.

use crate::cir::method::{Method, RepeatTimes};
use hamlet_model::Timestamp;

/// How often a CIR that brings no poll is repeated.
const MAX_REPEATS: u8 = 3;

/// A CIR, or a Poll flag, that no request of the client has followed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outstanding {
    /// `None`: a Poll flag.
    pub(crate) by: Option<Method>,
    /// When the last one was sent.
    pub(crate) at: Timestamp,
    /// How many have been sent by this method.
    pub(crate) sent: u8,
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub(crate) now: Timestamp,
    /// A poll would bring the client something.
    pub(crate) pending: bool,
    /// A request of the session is being answered.
    pub(crate) busy: bool,
    /// Something new has been queued; else it is only time to look again.
    pub(crate) fresh: bool,
    /// The best way that there is now.
    pub(crate) best: Option<Method>,
    pub(crate) outstanding: Option<Outstanding>,
    pub(crate) repeat: &'a RepeatTimes,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: nothing waits, or there is no way to say so.
    Nothing,
    /// The answer that is being made carries the Poll flag.
    Answered,
    /// It has been said already; then again.
    Wait(Timestamp),
    /// It has been said often enough: the client comes when it comes.
    Enough,
    /// A CIR goes out, the `nth` by this method.
    Send { by: Method, nth: u8 },
}

/// The decision of transport 6.8.
pub(crate) fn decide(situation: &Situation<'_>) -> Verdict {
    if !situation.pending {
        return Verdict::Nothing;
    }
    if situation.busy {
        return Verdict::Answered;
    }
    let Some(best) = situation.best else {
        return Verdict::Nothing;
    };
    let first = Verdict::Send { by: best, nth: 1 };
    let Some(last) = situation.outstanding else {
        return first;
    };
    // The channel that it went by is gone, or there is a better one now.
    if last.by.is_some_and(|by| by != best) {
        return first;
    }
    let due = last.at.plus(situation.repeat.after(last.by, last.sent));
    if situation.now < due {
        return Verdict::Wait(due);
    }
    match last.sent {
        sent if sent <= MAX_REPEATS => Verdict::Send {
            by: best,
            nth: sent + 1,
        },
        // A client that was out of reach for long may be back for this one.
        _ if situation.fresh => first,
        _ => Verdict::Enough,
    }
}

/// The ways to a client that are open now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    /// Its STCP connection stands.
    pub(crate) tcp: bool,
    /// A request to its SHTTP URL is held.
    pub(crate) held: bool,
    /// It has said HELO by datagram.
    pub(crate) caller: bool,
    /// Datagrams may be sent to where its requests come from.
    pub(crate) peer: bool,
}

impl Ways {
    /// The best: live channels first, then what the client prefers of what was agreed
    /// (transport 6.1).
    pub(crate) fn best(self, agreed: &[Method]) -> Option<Method> {
        if self.tcp {
            return Some(Method::Stcp);
        }
        if self.held {
            return Some(Method::Shttp);
        }
        if self.caller {
            return Some(Method::Sudp);
        }
        agreed.iter().copied().find(|method| match method {
            Method::Sudp => self.peer,
            // These are opened by the client.
            Method::Stcp | Method::Shttp => false,
            // Their bearers are not served.
            Method::WapUdp | Method::WapSms | Method::Ssms => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Method::{Shttp, Stcp, Sudp, WapSms};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    fn sent(by: Method, sent: u8) -> Option<Outstanding> {
        Some(Outstanding {
            by: Some(by),
            at: at(0),
            sent,
        })
    }

    const FLAG: Option<Outstanding> = Some(Outstanding {
        by: None,
        at: Timestamp::from_secs(1_000_000),
        sent: 0,
    });

    /// Pending, idle, without outstanding CIR, over STCP.
    fn usual(repeat: &RepeatTimes) -> Situation<'_> {
        Situation {
            now: at(0),
            pending: true,
            busy: false,
            fresh: true,
            best: Some(Stcp),
            outstanding: None,
            repeat,
        }
    }

    fn send(by: Method, nth: u8) -> Verdict {
        Verdict::Send { by, nth }
    }

    #[test]
    fn a_cir_goes_out_when_something_waits_and_nothing_else_says_so() {
        let repeat = RepeatTimes::default();
        let usual = usual(&repeat);
        for (situation, verdict) in [
            (usual, send(Stcp, 1)),
            (
                Situation {
                    pending: false,
                    ..usual
                },
                Verdict::Nothing,
            ),
            // Rule 1.
            (
                Situation {
                    busy: true,
                    ..usual
                },
                Verdict::Answered,
            ),
            (
                Situation {
                    best: None,
                    ..usual
                },
                Verdict::Nothing,
            ),
        ] {
            assert_eq!(decide(&situation), verdict, "{situation:?}");
        }
    }

    #[test]
    fn an_outstanding_cir_is_repeated_in_the_methods_time_three_times() {
        let repeat = RepeatTimes::default();
        // Method, how many were sent, seconds since the last, whether something is new.
        for (best, outstanding, now, fresh, verdict) in [
            // Rule 2.
            (Stcp, sent(Stcp, 1), 0, true, Verdict::Wait(at(30))),
            (Stcp, sent(Stcp, 1), 29, true, Verdict::Wait(at(30))),
            (Stcp, sent(Stcp, 1), 30, false, send(Stcp, 2)),
            (Stcp, sent(Stcp, 3), 30, false, send(Stcp, 4)),
            // Rule 5.
            (Stcp, sent(Stcp, 4), 30, false, Verdict::Enough),
            (Stcp, sent(Stcp, 4), 29, true, Verdict::Wait(at(30))),
            (Stcp, sent(Stcp, 4), 30, true, send(Stcp, 1)),
            (Sudp, sent(Sudp, 1), 14, false, Verdict::Wait(at(15))),
            (Sudp, sent(Sudp, 1), 15, false, send(Sudp, 2)),
            (Sudp, sent(Sudp, 2), 59, false, Verdict::Wait(at(60))),
            (Sudp, sent(Sudp, 2), 60, false, send(Sudp, 3)),
            (WapSms, sent(WapSms, 1), 119, true, Verdict::Wait(at(120))),
            (WapSms, sent(WapSms, 2), 600, false, send(WapSms, 3)),
            // Another channel than the one that was used.
            (Sudp, sent(Stcp, 1), 1, false, send(Sudp, 1)),
            (Stcp, sent(Sudp, 4), 1, false, send(Stcp, 1)),
            // A Poll flag that no poll has followed.
            (Stcp, FLAG, 29, true, Verdict::Wait(at(30))),
            (Sudp, FLAG, 30, false, send(Sudp, 1)),
        ] {
            let situation = Situation {
                now: at(now),
                fresh,
                best: Some(best),
                outstanding,
                ..usual(&repeat)
            };
            assert_eq!(decide(&situation), verdict, "{situation:?}");
        }
    }

    #[test]
    fn live_channels_come_before_what_the_client_prefers() {
        let none = Ways::default();
        let peer = Ways { peer: true, ..none };
        let agreed = [WapSms, Shttp, Sudp, Stcp];
        for (ways, methods, best) in [
            (none, &agreed[..], None),
            (peer, &agreed[..], Some(Sudp)),
            (peer, &[Stcp, Shttp][..], None),
            (
                Ways {
                    caller: true,
                    ..none
                },
                &[][..],
                Some(Sudp),
            ),
            (Ways { held: true, ..peer }, &agreed[..], Some(Shttp)),
            (
                Ways {
                    tcp: true,
                    held: true,
                    caller: true,
                    peer: true,
                },
                &agreed[..],
                Some(Stcp),
            ),
        ] {
            assert_eq!(ways.best(methods), best, "{ways:?} {methods:?}");
        }
    }
}
