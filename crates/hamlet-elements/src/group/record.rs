//! What call-detail records say of groups: who came and went when, and that there was a group.
//! Nothing of this is told unless `ElementsConfig::records` asks for it.

use hamlet_model::{ClientId, GroupId, ScreenName, SessionId, StatusCode, UserId};

/// Something that happened to a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRecord {
    /// The group.
    pub group: GroupId,
    /// What happened.
    pub what: GroupEvent,
}

/// What can happen to a group.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupEvent {
    /// It was made.
    Created {
        /// By whom; `None`: by the operator.
        owner: Option<UserId>,
    },
    /// It is gone.
    Deleted,
    /// A client has joined.
    Joined(GroupVisitor),
    /// A client is not joined any more.
    Left {
        /// Who.
        who: GroupVisitor,
        /// Why: 200 by himself, 824 with his session, else why he was put out
        /// (csp-group 5.4).
        code: StatusCode,
    },
}

/// A client in a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupVisitor {
    /// The user.
    pub user: UserId,
    /// His client; without URL and number for one of another domain.
    pub client: ClientId,
    /// Its session; `None` for one of another domain.
    pub session: Option<SessionId>,
    /// His name in the group.
    pub name: ScreenName,
}
