//! What the server asks of clients by itself, beside messages and presence (csp-access 2.4):
//! invitations, their answers and withdrawals, texts of the operator, notifications.
//!
//! Every session of the user gets it. What must not be lost is in the store until one of
//! them has acknowledged it; a mere notice lives as long as the sessions do.

mod waiting;

use crate::authorization::AuthorizationAsked;
use crate::group::GroupChange;
use crate::invitation::{AnswerShown, CancellationShown, InvitationShown};
use crate::notification::Notification;
use crate::system_message::SystemMessageShown;
use hamlet_model::{GroupId, SessionId, StatusCode, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Something for the clients of a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// Names it among those of its user.
    pub id: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it stops being worth delivering.
    pub expires: Timestamp,
    /// It is in the store until it is acknowledged.
    pub durable: bool,
    /// What it is.
    pub content: PushContent,
}

/// What a client is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum PushContent {
    /// The user is invited (csp-access 10).
    Invitation(Box<InvitationShown>),
    /// Somebody whom he has invited has answered.
    InvitationAnswer(Box<AnswerShown>),
    /// An invitation of him is withdrawn.
    InvitationCancelled(Box<CancellationShown>),
    /// The operator has something to say (csp-access 12).
    SystemMessage(Box<SystemMessageShown>),
    /// Something has changed (csp-access 13).
    Notification(Notification),
    /// A watcher wants more than he may see (csp-presence 6.6, 6.7).
    Authorization(Box<AuthorizationAsked>),
    /// Something has changed in a group in which the session is joined (csp-group 5.13). Not
    /// stored.
    #[serde(skip)]
    GroupChange {
        /// The group.
        group: GroupId,
        /// What.
        change: Arc<GroupChange>,
    },
    /// The session is not joined in a group any more (csp-group 5.4). Not stored.
    #[serde(skip)]
    GroupLeft {
        /// The group.
        group: GroupId,
        /// Why.
        code: StatusCode,
    },
}

impl PushContent {
    /// Whether it tells somebody who is, or was, joined in this group of it.
    pub fn is_about(&self, group: &GroupId) -> bool {
        match self {
            Self::GroupChange { group: of, .. } | Self::GroupLeft { group: of, .. } => of == group,
            _ => false,
        }
    }
}

impl Push {
    /// Clients that do not know what it is have it all the same.
    pub fn is_done_when_unknown(&self) -> bool {
        // csp-access 12: it is then a mere information.
        matches!(self.content, PushContent::SystemMessage(_))
    }
}

/// A push on its way to the sessions of a user.
#[derive(Debug, Clone, PartialEq)]
pub struct Pushed {
    /// The user.
    pub user: UserId,
    /// What his sessions get.
    pub push: Arc<Push>,
    /// The session that caused it gets nothing.
    pub except: Option<SessionId>,
    /// Where the push with this name still waits, it is taken back instead.
    pub instead_of: Option<String>,
    /// What sessions get that have subscribed it, in place of the push.
    pub rather: Option<Notification>,
}

impl Pushed {
    /// For all sessions of the user.
    pub(crate) fn to(user: UserId, push: Push) -> Self {
        Self {
            user,
            push: Arc::new(push),
            except: None,
            instead_of: None,
            rather: None,
        }
    }
}
