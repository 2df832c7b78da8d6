//! Groups (csp-group; architecture document 5.3.4, B.3): who may talk with whom in them, how
//! they come and go, and what their members hear of that. What is said in them is elsewhere.
//!
//! Rights, the decision whether somebody may join and the rules of properties are pure
//! functions. Every change of a group is one transaction; who hears of it is told after the
//! commit.

mod access;
mod admission;
mod api;
mod change;
mod create;
mod delete;
mod dispatch;
mod effects;
mod extend;
mod foreign;
mod invite;
mod join;
mod leave;
mod members;
mod names;
mod notices;
mod operate;
mod property;
mod props;
mod record;
mod reject;
mod rights;
mod sessions;
mod tell;
mod types;

pub(crate) use dispatch::subject;
pub(crate) use effects::Telling;
pub(crate) use foreign::undo_late_join;
pub(crate) use invite::{LocalGroups, answered, invited, invited_from_elsewhere};
pub(crate) use rights::Standing;
pub(crate) use tell::Teller;

pub use record::{GroupEvent, GroupRecord, GroupVisitor};
pub use types::{
    AddGroupMembers, CreateGroup, DeleteGroup, ExtendConversation, Extended, ForeignGroupLeave,
    ForeignGroupNotice, GetGroupMembers, GetGroupProps, GetJoinedUsers, GivenProperties,
    GivenUsers, GroupChange, GroupConfig, GroupMembers, GroupOverview, GroupProps, JoinGroup,
    Joined, JoinedUser, JoinedUsers, LeaveGroup, MemberAccess, RejectList, RemoveGroupMembers,
    SetGroupProps, ShownOwnProperties, ShownProperties, SubscribeGroupNotice, SubscribeType,
};
