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

/// Whether a message to `recipient` is for this session (csp-im 10.3 items 1 and 2). Groups
/// choose their sessions themselves (item 3).
pub fn addresses(recipient: &MessageParty, session: &SessionView) -> bool {
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
        None => *application == session.application || (application.is_none() && session.own),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::im::DeliveryReport;
    use hamlet_model::{
        ApplicationId, ClientId, Content, Domain, Message, MessageId, StatusCode, Timestamp, UserId,
    };

    fn bo() -> UserId {
        UserId::parse("bo", &Domain::parse("a").unwrap()).unwrap()
    }

    fn party(client: Option<&str>, application: Option<&str>) -> MessageParty {
        MessageParty::User {
            user: bo(),
            client: client.map(ClientId::from_url),
            application: application.map(ApplicationId::new),
        }
    }

    fn to(recipient: MessageParty) -> MailboxItem {
        MailboxItem::Message(Box::new(Message {
            id: MessageId::new("m"),
            sender: MessageParty::user(bo()),
            sender_name: None,
            recipient,
            content: Content::text("hi"),
            content_name: None,
            uri: None,
            elsewhere: None,
            sent: Timestamp::from_secs(0),
            expires: Timestamp::from_secs(1),
            font: None,
            extensions: Vec::new(),
            transaction_extensions: Vec::new(),
            report: false,
        }))
    }

    fn report(origin: Option<&str>) -> MailboxItem {
        MailboxItem::Report(Box::new(DeliveryReport {
            message_id: MessageId::new("m"),
            code: StatusCode::OK,
            delivered: None,
            sender: MessageParty::user(bo()),
            origin: origin.map(ClientId::from_url),
            recipient: MessageParty::user(bo()),
            content_type: None,
            content_size: 2,
            sent: Timestamp::from_secs(0),
            expires: Timestamp::from_secs(1),
        }))
    }

    /// A session named like its client: priority, time of activity, acceptance.
    fn session(client: &str, priority: u32, active: i64, accepts: bool) -> SessionView {
        SessionView {
            id: SessionId::new(client),
            client: ClientId::from_url(client),
            application: None,
            own: false,
            priority,
            active: Timestamp::from_secs(active),
            accepts,
        }
    }

    fn of_application(application: &str, view: SessionView) -> SessionView {
        SessionView {
            application: Some(ApplicationId::new(application)),
            ..view
        }
    }

    fn chosen(item: &MailboxItem, sessions: &[SessionView], handling: OnlineHandling) -> String {
        let ids = choose_sessions(item, sessions, handling);
        let names: Vec<&str> = ids.iter().map(SessionId::as_str).collect();
        names.join(" ")
    }

    #[test]
    fn a_message_to_a_user_goes_by_his_handling() {
        use OnlineHandling::{Detect, ForkAll, ServerLogic};
        let none: &[SessionView] = &[];
        let one = &[session("p", 0, 1, true)][..];
        let by_priority = &[session("p", 10, 1, true), session("q", 0, 2, true)][..];
        let by_activity = &[session("p", 5, 1, true), session("q", 5, 2, true)][..];
        let one_accepts = &[session("p", 10, 2, false), session("q", 0, 1, true)][..];
        let none_accepts = &[session("p", 10, 1, false), session("q", 0, 2, false)][..];
        for (sessions, logic, fork, detect) in [
            (none, "", "", ""),
            (one, "p", "p", "p"),
            (by_priority, "p", "p q", "q"),
            (by_activity, "q", "p q", "q"),
            (one_accepts, "q", "q", "q"),
            (none_accepts, "p", "p q", "q"),
        ] {
            for (handling, expected) in [(ServerLogic, logic), (ForkAll, fork), (Detect, detect)] {
                let got = chosen(&to(party(None, None)), sessions, handling);
                assert_eq!(got, expected, "{handling:?} {sessions:?}");
            }
        }
    }

    #[test]
    fn an_address_of_a_client_or_application_is_kept_to() {
        let sessions = [
            session("p", 1, 1, true),
            session("q", 9, 9, false),
            of_application("chess", session("r", 99, 99, true)),
            of_application("go", session("s", 98, 98, true)),
        ];
        for (recipient, logic, fork) in [
            // Nobody asked for an application, so those with one get nothing.
            (party(None, None), "p", "p"),
            (party(Some("p"), None), "p", "p"),
            (party(Some("q"), None), "q", "q"),
            (party(Some("r"), None), "r", "r"),
            (party(Some("none"), None), "", ""),
            (party(None, Some("chess")), "r", "r"),
            (party(None, Some("go")), "s", "s"),
            (party(None, Some("none")), "", ""),
        ] {
            let item = to(recipient.clone());
            let got = chosen(&item, &sessions, OnlineHandling::ServerLogic);
            assert_eq!(got, logic, "{recipient:?}");
            let got = chosen(&item, &sessions, OnlineHandling::ForkAll);
            assert_eq!(got, fork, "{recipient:?}");
        }
    }

    #[test]
    fn a_report_goes_to_the_session_that_sent_the_message_or_to_any_one() {
        let sessions = [
            session("p", 0, 1, true),
            session("q", 9, 2, true),
            of_application("chess", session("r", 1, 3, true)),
        ];
        for handling in [
            OnlineHandling::ServerLogic,
            OnlineHandling::ForkAll,
            OnlineHandling::Detect,
        ] {
            for (origin, expected) in [
                (Some("p"), "p"),
                (Some("r"), "r"),
                (Some("gone"), "q"),
                (None, "q"),
            ] {
                let got = chosen(&report(origin), &sessions, handling);
                assert_eq!(got, expected, "{origin:?}");
            }
            assert_eq!(chosen(&report(Some("p")), &[], handling), "");
        }
    }
}
