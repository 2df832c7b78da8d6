//! Which of a user's sessions get a mailbox entry (csp-im 10.3).

use crate::im::{MailboxItem, OnlineHandling, SessionView};
use hamlet_model::{MessageParty, SessionId};

/// The sessions that get the entry now; empty when it has to wait.
///
/// A message addressed to a client or an application goes only there, and one that is not
/// addressed to an application goes only to sessions without one. Of the sessions left,
/// those that accept the content are preferred; how many of them get a copy is the user's
/// `handling`. When nobody acknowledges in time, the caller asks again with the sessions
/// that have not had it yet (csp-im 10.3 item 6).
pub fn choose_sessions(
    item: &MailboxItem,
    sessions: &[SessionView],
    handling: OnlineHandling,
) -> Vec<SessionId> {
    match item {
        MailboxItem::Message(message) => {
            let addressed: Vec<_> = sessions
                .iter()
                .filter(|session| addresses(&message.recipient, session))
                .collect();
            let accepting = accepting(addressed);
            match handling {
                OnlineHandling::ForkAll => accepting.iter().map(|s| s.id.clone()).collect(),
                OnlineHandling::ServerLogic => one(preferred(&accepting)),
                OnlineHandling::Detect => one(last_active(&accepting)),
            }
        }
        // csp-im 8 rule 4: the session that sent the message, else any.
        MailboxItem::Report(report) => {
            let senders: Vec<_> = sessions
                .iter()
                .filter(|session| report.origin.as_ref() == Some(&session.client))
                .collect();
            let candidates = if senders.is_empty() {
                sessions.iter().collect()
            } else {
                senders
            };
            one(preferred(&candidates))
        }
    }
}

/// Items 1 and 2. Groups choose their sessions themselves (item 3).
fn addresses(recipient: &MessageParty, session: &SessionView) -> bool {
    let MessageParty::User {
        client,
        application,
        ..
    } = recipient
    else {
        return true;
    };
    match client {
        Some(client) => *client == session.client,
        None => *application == session.application,
    }
}

/// Item 4: those that accept the content, unless none does.
fn accepting(sessions: Vec<&SessionView>) -> Vec<&SessionView> {
    if sessions.iter().any(|session| session.accepts) {
        sessions.into_iter().filter(|s| s.accepts).collect()
    } else {
        sessions
    }
}

fn preferred<'a>(sessions: &[&'a SessionView]) -> Option<&'a SessionView> {
    let rank = |session: &&&SessionView| (session.priority, session.active);
    sessions.iter().max_by_key(rank).copied()
}

fn last_active<'a>(sessions: &[&'a SessionView]) -> Option<&'a SessionView> {
    sessions.iter().max_by_key(|s| s.active).copied()
}

fn one(session: Option<&SessionView>) -> Vec<SessionId> {
    session.map(|s| s.id.clone()).into_iter().collect()
}
