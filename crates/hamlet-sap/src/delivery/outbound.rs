//! The server transactions of one session: what is open, what waits (csp-access 2.4). Pure.

use crate::delivery::notices::{Notice, Notices};
use crate::delivery::pushes::{Pushes, Waiting};
use hamlet_csp::{Tag, Text};
use hamlet_elements::im::GroupMessage;
use hamlet_elements::push::Push;
use hamlet_model::{StatusCode, Timestamp};
use std::sync::Arc;

/// The server's side of a session.
pub(crate) struct Outbound {
    open: Vec<Open>,
    pub(crate) notices: Notices,
    pub(crate) pushes: Pushes,
    /// The client has answered a server transaction before.
    answers: bool,
    /// The next poll counts as the answer to everything (csp-access 2.4).
    implicit: bool,
    /// Transactions in a row that were not answered.
    unanswered: u32,
    /// Whether the client knows MessageNotification.
    notices_known: Known,
}

/// What has been seen of a request that clients may not know (csp-im 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// So many were not answered, and none was.
    Maybe(u32),
    Yes,
    No,
}

/// A server transaction that is not answered yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Open {
    pub(crate) id: Text,
    pub(crate) what: What,
    until: Timestamp,
}

/// What a server transaction carries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// A message of the mailbox, by its entry.
    Message(String),
    /// That a message of the mailbox waits, by its entry.
    Notification(String),
    /// A delivery report, by its entry.
    Report(String),
    /// Presence.
    Presence(Vec<Notice>),
    /// Something else (csp-access 2.4).
    Push(Waiting),
    /// A message of a group.
    Group(Given),
}

impl What {
    /// Whether it only says that a message waits.
    fn is_notification(&self) -> bool {
        match self {
            Self::Notification(_) => true,
            Self::Group(given) => given.notification,
            _ => false,
        }
    }
}

/// A message of a group on its way to the session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    pub(crate) message: Arc<GroupMessage>,
    /// The client is only told that it waits.
    pub(crate) notification: bool,
}

/// What a client's answer to a server transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// As it should be.
    Acknowledged,
    /// An error, by its code.
    Failed(StatusCode),
    /// A primitive that does not answer this.
    Wrong,
}

impl Outbound {
    /// `implicit` for clients that are known not to acknowledge.
    pub(crate) fn new(implicit: bool) -> Self {
        Self {
            open: Vec::new(),
            notices: Notices::default(),
            pushes: Pushes::default(),
            answers: false,
            implicit,
            unanswered: 0,
            notices_known: Known::Maybe(0),
        }
    }

    /// Whether another transaction may be opened.
    pub(crate) fn has_room(&self, multi_trans: u32) -> bool {
        (self.open.len() as u64) < u64::from(multi_trans)
    }

    pub(crate) fn open(&mut self, id: Text, what: What, until: Timestamp) {
        self.open.push(Open { id, what, until });
    }

    /// Closes what was not answered in time, and answers the entries of the mailbox among
    /// it; the rest is tried again by itself. After `implicit_after` transactions in a row
    /// without any answer ever, the client is taken to be one that does not answer.
    pub(crate) fn lapse(&mut self, now: Timestamp, implicit_after: u32) -> Vec<String> {
        let mut entries = Vec::new();
        while let Some(at) = self.open.iter().position(|open| open.until <= now) {
            let what = self.open.remove(at).what;
            // That it may just not know.
            match what.is_notification() {
                true => self.notice_unanswered(implicit_after),
                false => self.unanswered = self.unanswered.saturating_add(1),
            }
            match what {
                What::Message(id) | What::Report(id) | What::Notification(id) => entries.push(id),
                What::Presence(notices) => self.notices.put_back(notices),
                What::Push(waiting) => self.pushes.put_back(waiting),
                // The session's groups know until when it was waited for.
                What::Group(_) => {}
            }
        }
        if !self.answers && self.unanswered >= implicit_after.max(1) {
            self.implicit = true;
        }
        entries
    }

    /// When the first of the open transactions is given up.
    pub(crate) fn first_lapse(&self) -> Option<Timestamp> {
        self.open.iter().map(|open| open.until).min()
    }

    /// A poll has come: what it acknowledges by itself.
    pub(crate) fn take_implicit(&mut self) -> Vec<What> {
        match self.implicit {
            true => self.open.drain(..).map(|open| open.what).collect(),
            false => Vec::new(),
        }
    }

    /// Closes the transaction that an answer belongs to.
    pub(crate) fn answered(&mut self, id: &str) -> Option<What> {
        let at = self.open.iter().position(|open| open.id == id)?;
        self.has_answered();
        Some(self.open.remove(at).what)
    }

    /// Closes the oldest transaction (csp-access 2.4: a Status in mode Request).
    pub(crate) fn answered_oldest(&mut self) -> Option<What> {
        if self.open.is_empty() {
            return None;
        }
        self.has_answered();
        Some(self.open.remove(0).what)
    }

    /// Closes the transaction with this message or the notification of it, whatever its
    /// identifier.
    pub(crate) fn answered_message(&mut self, entry: &str) -> bool {
        let known = |open: &Open| match &open.what {
            What::Message(id) | What::Notification(id) => id == entry,
            What::Group(given) => given.message.message.id.as_str() == entry,
            _ => false,
        };
        let at = self.open.iter().position(known);
        at.map(|at| self.open.remove(at)).is_some()
    }

    /// Closes the transaction with this push, whatever its identifier.
    pub(crate) fn answered_push(&mut self, push: &str) -> Option<What> {
        let known = |open: &Open| matches!(&open.what, What::Push(w) if w.push.id == push);
        let at = self.open.iter().position(known)?;
        Some(self.open.remove(at).what)
    }

    /// Adds a push, unless it is known already; false if another one is lost by that.
    pub(crate) fn add_push(&mut self, push: Arc<Push>, max: usize) -> bool {
        let known = |open: &Open| matches!(&open.what, What::Push(w) if w.push.id == push.id);
        if self.open.iter().any(known) {
            return true;
        }
        self.pushes.add(push, max)
    }

    /// The client has answered a MessageNotification: `known`, or by saying that it does not
    /// know it.
    pub(crate) fn notice_answered(&mut self, known: bool) {
        self.notices_known = if known { Known::Yes } else { Known::No };
    }

    /// Whether it is worth sending one.
    pub(crate) fn takes_notices(&self) -> bool {
        self.notices_known != Known::No
    }

    /// Many clients drop what they do not know without a word (clients AND-28, S60-17).
    fn notice_unanswered(&mut self, after: u32) {
        self.notices_known = match self.notices_known {
            Known::Maybe(before) if before + 1 >= after.max(1) => Known::No,
            Known::Maybe(before) => Known::Maybe(before + 1),
            known => known,
        };
    }

    fn has_answered(&mut self) {
        self.answers = true;
        self.implicit = false;
        self.unanswered = 0;
    }

    /// A transaction was not written after all.
    pub(crate) fn withdraw(&mut self, id: &str) -> Option<What> {
        let at = self.open.iter().position(|open| open.id == id)?;
        Some(self.open.remove(at).what)
    }
}

/// What the answer `primitive`, a Status with `code` if it is one, means for `what`.
pub(crate) fn reaction(what: &What, primitive: Tag, code: Option<StatusCode>) -> Reaction {
    match (primitive, code, what) {
        (Tag::Status, Some(code), _) if !code.is_success() => Reaction::Failed(code),
        (Tag::MessageDelivered, _, What::Message(_) | What::Push(_) | What::Group(_)) => {
            Reaction::Acknowledged
        }
        // A client that acknowledges everything by Status has the message all the same.
        (Tag::Status, _, _) => Reaction::Acknowledged,
        _ => Reaction::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    fn message(id: &str) -> What {
        What::Message(id.into())
    }

    #[test]
    fn one_transaction_is_open_at_a_time_unless_more_are_agreed() {
        let mut outbound = Outbound::new(false);
        outbound.open("t1".into(), message("m1"), at(60));
        assert!(!outbound.has_room(1));
        assert!(outbound.has_room(2));
        assert_eq!(outbound.answered("t9"), None);
        assert_eq!(outbound.answered("t1"), Some(message("m1")));
        assert_eq!(outbound.answered("t1"), None);
        assert!(outbound.has_room(1));
    }

    #[test]
    fn what_is_not_answered_in_time_is_closed() {
        let mut outbound = Outbound::new(false);
        outbound.open("t1".into(), message("m1"), at(60));
        assert_eq!(outbound.lapse(at(59), 2), Vec::<String>::new());
        assert_eq!(outbound.lapse(at(60), 2), ["m1"]);
        assert!(outbound.has_room(1));
    }

    #[test]
    fn gen_29_a_client_that_never_answers_acknowledges_by_polling() {
        let mut outbound = Outbound::new(false);
        for turn in 0..2 {
            outbound.open("t".into(), message("m"), at(turn * 100));
            assert!(outbound.take_implicit().is_empty());
            outbound.lapse(at(turn * 100 + 1), 2);
        }
        outbound.open("t3".into(), message("m"), at(1000));
        assert_eq!(outbound.take_implicit(), [message("m")]);
        // One that is known by its marks does so from the start.
        let mut colibria = Outbound::new(true);
        colibria.open("t".into(), message("m"), at(60));
        assert_eq!(colibria.take_implicit(), [message("m")]);
    }

    #[test]
    fn a_client_that_has_answered_once_is_waited_for() {
        let mut outbound = Outbound::new(false);
        outbound.open("t".into(), message("m"), at(0));
        assert!(outbound.answered_oldest().is_some());
        for _ in 0..9 {
            outbound.open("t".into(), message("m"), at(0));
            outbound.lapse(at(1), 2);
        }
        outbound.open("t".into(), message("m"), at(60));
        assert!(outbound.take_implicit().is_empty());
    }

    #[test]
    fn answers_are_told_from_errors_and_nonsense() {
        let report = What::Report("r".into());
        let presence = What::Presence(Vec::new());
        let failed = |code| Reaction::Failed(StatusCode(code));
        for (what, primitive, code, expected) in [
            (
                &message("m"),
                Tag::MessageDelivered,
                None,
                Reaction::Acknowledged,
            ),
            (
                &message("m"),
                Tag::Status,
                Some(200),
                Reaction::Acknowledged,
            ),
            (&message("m"), Tag::Status, None, Reaction::Acknowledged),
            (&message("m"), Tag::Status, Some(415), failed(415)),
            (&report, Tag::Status, Some(200), Reaction::Acknowledged),
            (&report, Tag::MessageDelivered, None, Reaction::Wrong),
            (&presence, Tag::Status, Some(501), failed(501)),
            (&presence, Tag::KeepAliveResponse, None, Reaction::Wrong),
        ] {
            let code = code.map(StatusCode);
            assert_eq!(
                reaction(what, primitive, code),
                expected,
                "{what:?} {primitive}"
            );
        }
    }

    #[test]
    fn a_client_that_leaves_notifications_unanswered_does_not_know_them() {
        // csp-im 3.2 item 6, clients AND-28.
        let told = || What::Notification("m".into());
        let mut outbound = Outbound::new(false);
        for _ in 0..2 {
            assert!(outbound.takes_notices());
            outbound.open("t".into(), told(), at(0));
            assert_eq!(outbound.lapse(at(1), 2), ["m"]);
        }
        assert!(!outbound.takes_notices());
        // One that has answered before was only slow.
        let mut slow = Outbound::new(false);
        slow.notice_answered(true);
        for _ in 0..5 {
            slow.open("t".into(), told(), at(0));
            slow.lapse(at(1), 2);
        }
        assert!(slow.takes_notices());
        slow.notice_answered(false);
        assert!(!slow.takes_notices());
    }

    #[test]
    fn unanswered_presence_waits_again() {
        let mut outbound = Outbound::new(false);
        let anna = crate::session::tests::user_id("anna");
        outbound.notices.add(anna, Default::default(), 9);
        let notices = outbound.notices.take(1, at(0), Duration::ZERO);
        let until = at(0).plus(Duration::from_secs(60));
        outbound.open("t1".into(), What::Presence(notices), until);
        assert!(outbound.notices.is_empty());
        assert!(outbound.lapse(at(61), 9).is_empty());
        assert_eq!(outbound.notices.take(9, at(61), Duration::ZERO).len(), 1);
    }
}
