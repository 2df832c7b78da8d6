//! The records themselves. docs/call-detail-records.md says the same for those who read them; a
//! field is never renamed, and new ones may come.

use crate::journal::iso;
use crate::session::Session;
use hamlet_csp::Syntax;
use hamlet_elements::group::{GroupEvent, GroupRecord};
use hamlet_elements::im::{MessageEvent, MessageRecord};
use hamlet_model::{MessageParty, StatusCode, Timestamp};
use serde::Serialize;
use std::sync::atomic::Ordering;

/// A line.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Record {
    Session(Box<SessionLine>),
    MessageAccepted(Box<AcceptedLine>),
    MessageConcluded(Box<ConcludedLine>),
    GroupEvent(Box<GroupLine>),
}

#[derive(Debug, Serialize)]
pub(crate) struct SessionLine {
    at: String,
    session: String,
    user: String,
    client: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<String>,
    version: &'static str,
    syntax: &'static str,
    transport: &'static str,
    start: String,
    end: String,
    seen: String,
    counted_since: String,
    requests: u64,
    messages_sent: u64,
    messages_received: u64,
    code: u16,
    reason: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct AcceptedLine {
    at: String,
    message: String,
    sender: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<String>,
    recipients: Vec<String>,
    content_type: String,
    size: usize,
    sent: String,
    expires: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ConcludedLine {
    at: String,
    message: String,
    sender: String,
    recipient: String,
    content_type: String,
    size: usize,
    sent: String,
    code: u16,
    outcome: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct GroupLine {
    at: String,
    group: String,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    screen_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
}

impl Record {
    pub(super) fn group(record: GroupRecord, now: Timestamp) -> Self {
        let (event, user, who, code) = match record.what {
            GroupEvent::Created { owner } => ("created", owner, None, None),
            GroupEvent::Deleted => ("deleted", None, None, None),
            GroupEvent::Joined(who) => ("joined", Some(who.user.clone()), Some(who), None),
            GroupEvent::Left { who, code } => {
                ("left", Some(who.user.clone()), Some(who), Some(code.0))
            }
        };
        let session = who.as_ref().and_then(|who| who.session.as_ref());
        Self::GroupEvent(Box::new(GroupLine {
            at: iso(now),
            group: record.group.to_string(),
            event,
            user: user.map(|user| user.to_string()),
            screen_name: who.as_ref().map(|who| who.name.to_string()),
            session: session.map(|session| session.short().to_owned()),
            client: who
                .as_ref()
                .filter(|who| who.session.is_some())
                .map(|who| who.client.key()),
            code,
        }))
    }

    pub(super) fn session(session: &Session, code: StatusCode, now: Timestamp) -> Self {
        let tally = &session.tally;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let since = Timestamp::from_millis(tally.since.load(Ordering::Relaxed));
        Self::Session(Box::new(SessionLine {
            at: iso(now),
            session: session.id.short().to_owned(),
            user: session.user.id.to_string(),
            client: session.client.key(),
            application: session.application.as_ref().map(ToString::to_string),
            version: session.version.as_str(),
            syntax: match session.settings().syntax {
                Syntax::Xml => "xml",
                Syntax::Wbxml => "wbxml",
            },
            transport: match tally.secure.load(Ordering::Relaxed) {
                true => "https",
                false => "http",
            },
            start: iso(session.created),
            end: iso(now),
            seen: iso(session.seen()),
            counted_since: iso(since),
            requests: count(&tally.requests),
            messages_sent: count(&tally.sent),
            messages_received: count(&tally.received),
            code: code.0,
            reason: match code {
                StatusCode::OK => "logout",
                StatusCode::SESSION_EXPIRED => "expired",
                StatusCode::FORCED_LOGOUT => "ended",
                _ => "failed",
            },
        }))
    }

    pub(super) fn message(record: MessageRecord, now: Timestamp) -> Self {
        let plain = || "text/plain".to_owned();
        let (at, message) = (iso(now), record.id.to_string());
        let (sender, sent) = (party(&record.sender), iso(record.sent));
        let (content_type, size) = (record.content_type.unwrap_or_else(plain), record.size);
        match record.what {
            MessageEvent::Accepted {
                session,
                client,
                application,
                recipients,
                expires,
            } => Self::MessageAccepted(Box::new(AcceptedLine {
                at,
                message,
                sender,
                session: session.map(|session| session.short().to_owned()),
                client: client.map(|client| client.key()),
                application: application.map(|application| application.to_string()),
                recipients: recipients.iter().map(party).collect(),
                content_type,
                size,
                sent,
                expires: iso(expires),
            })),
            MessageEvent::Concluded { recipient, code } => {
                Self::MessageConcluded(Box::new(ConcludedLine {
                    at,
                    message,
                    sender,
                    recipient: recipient.to_string(),
                    content_type,
                    size,
                    sent,
                    code: code.0,
                    outcome: match code {
                        StatusCode::OK => "delivered",
                        StatusCode::MESSAGE_EXPIRED => "expired",
                        _ => "failed",
                    },
                }))
            }
        }
    }
}

/// An address; of somebody in a group, with his name there.
fn party(party: &MessageParty) -> String {
    match party {
        MessageParty::User { user, .. } => user.to_string(),
        MessageParty::Group(group) => group.to_string(),
        MessageParty::ScreenName { name, group } => format!("{name}|{group}"),
    }
}
