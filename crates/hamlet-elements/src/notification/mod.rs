//! General notifications (csp-access 13, data-types 8): a user's sessions learn what others
//! have changed. Which session wants which is the access point's business; a service only
//! says what has happened, by [`Event::Notification`](crate::Event::Notification).

mod tell;

pub(crate) use tell::ListNotices;

use hamlet_model::presence::AttributeSet;
use hamlet_model::{ContactListId, GroupId, UserId};
use serde::{Deserialize, Serialize};

/// What has happened, with its payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notification {
    /// Authorization of watchers has changed.
    AuthorizationChanged {
        /// The attributes concerned.
        attributes: AttributeSet,
        /// For whom.
        whom: Watchers,
    },
    /// A watcher asks for more than he may see; at which level that was decided.
    AuthorizationNeeded {
        /// The level.
        level: AuthorizationLevel,
        /// What is missing.
        attributes: AttributeSet,
        /// Who asks, and through what he is known.
        whom: Watchers,
    },
    /// Somebody has put the user into a contact list.
    AddedToContactList(UserId),
    /// The block list has changed.
    BlockListChanged,
    /// The block list is used from now on, or not.
    BlockListUsage(bool),
    /// The grant list has changed.
    GrantListChanged,
    /// The grant list is used from now on, or not.
    GrantListUsage(bool),
    /// Members or properties of a contact list have changed.
    ContactListChanged(ContactListId),
    /// There is a new contact list.
    ContactListCreated(ContactListId),
    /// A contact list is gone.
    ContactListDeleted(ContactListId),
    /// The valid address of a contact that was added by another one (csp-presence 2.8).
    ValidUser {
        /// As it was given.
        given: String,
        /// The user whom it means.
        valid: UserId,
    },
    /// Something about a group.
    Group(GroupNotice, GroupId),
    /// Another session has accepted the invitation with this identifier.
    InvitationAccepted(String),
    /// Another session has rejected it.
    InvitationRejected(String),
    /// Another session has withdrawn the invitation with this identifier.
    InvitationCancelled(String),
    /// How messages are spread over the user's sessions has changed (csp-im 10.2).
    OnlineHandlingUpdated(crate::im::OnlineHandling),
    /// The user's public profile has changed.
    PublicProfileUpdated,
    /// The priority of the session is another one.
    SessionPriorityAdjusted(u32),
}

/// A notification for a user of this domain, from the domain of who caused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// The user.
    pub user: UserId,
    /// What has happened.
    pub notification: Notification,
}

/// Watchers by any of the ways in which they can be named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watchers {
    /// Users.
    pub users: Vec<UserId>,
    /// The members of contact lists.
    pub contact_lists: Vec<ContactListId>,
    /// Everybody else.
    pub default: bool,
}

impl Watchers {
    /// A single user.
    pub(crate) fn user(user: &UserId) -> Self {
        Self {
            users: vec![user.clone()],
            ..Self::default()
        }
    }
}

/// At which level an authorization was not enough (csp-presence 6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthorizationLevel {
    /// That of the user.
    User,
    /// That of a contact list.
    ContactList,
    /// The default one.
    Default,
}

/// What has happened to a group, or to the user in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupNotice {
    /// It was made.
    Created,
    /// It is gone.
    Deleted,
    /// Rights in it have changed.
    AccessUpdated,
    /// The user has become a member.
    MembershipGranted,
    /// The user is no member any more.
    MembershipRevoked,
    /// Its members have changed.
    MembersUpdated,
    /// The user is kept out.
    Rejected,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// NotificationType (data-types 8).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum NotificationKind {
            $($(#[$doc])* #[doc = $code] $name,)*
        }

        impl NotificationKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its code in messages.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// The type with this code, in whatever case.
            pub fn parse(code: &str) -> Option<Self> {
                let all = Self::ALL.iter().copied();
                all.into_iter().find(|kind| kind.code().eq_ignore_ascii_case(code))
            }
        }
    };
}

kinds! {
    AuthorizationChanged = "AC",
    AuthorizationNeededUser = "ANU",
    AuthorizationNeededContactList = "ANC",
    AuthorizationNeededDefault = "AND",
    AddedToContactList = "ATCL",
    BlockListChanged = "BLC",
    BlockListUsage = "BLUC",
    GrantListChanged = "GLC",
    GrantListUsage = "GLUC",
    ContactListChanged = "CLC",
    ContactListCreated = "CLCR",
    ContactListDeleted = "CLD",
    GroupCreated = "GC",
    GroupDeleted = "GD",
    GroupAccessUpdated = "GMAU",
    GroupMembershipGranted = "GMG",
    GroupMembershipRevoked = "GMR",
    GroupMembersUpdated = "GMU",
    GroupRejected = "GR",
    InvitationAccepted = "IA",
    InvitationRejected = "IR",
    InvitationCancelled = "IC",
    OnlineHandlingUpdated = "OEU",
    PublicProfileUpdated = "PPU",
    SessionPriorityAdjusted = "SPA",
}

impl Notification {
    /// Its type.
    pub fn kind(&self) -> NotificationKind {
        use NotificationKind as Kind;
        match self {
            Self::AuthorizationChanged { .. } => Kind::AuthorizationChanged,
            Self::AuthorizationNeeded { level, .. } => match level {
                AuthorizationLevel::User => Kind::AuthorizationNeededUser,
                AuthorizationLevel::ContactList => Kind::AuthorizationNeededContactList,
                AuthorizationLevel::Default => Kind::AuthorizationNeededDefault,
            },
            Self::AddedToContactList(_) => Kind::AddedToContactList,
            Self::BlockListChanged => Kind::BlockListChanged,
            Self::BlockListUsage(_) => Kind::BlockListUsage,
            Self::GrantListChanged => Kind::GrantListChanged,
            Self::GrantListUsage(_) => Kind::GrantListUsage,
            Self::ContactListChanged(_) | Self::ValidUser { .. } => Kind::ContactListChanged,
            Self::ContactListCreated(_) => Kind::ContactListCreated,
            Self::ContactListDeleted(_) => Kind::ContactListDeleted,
            Self::Group(notice, _) => match notice {
                GroupNotice::Created => Kind::GroupCreated,
                GroupNotice::Deleted => Kind::GroupDeleted,
                GroupNotice::AccessUpdated => Kind::GroupAccessUpdated,
                GroupNotice::MembershipGranted => Kind::GroupMembershipGranted,
                GroupNotice::MembershipRevoked => Kind::GroupMembershipRevoked,
                GroupNotice::MembersUpdated => Kind::GroupMembersUpdated,
                GroupNotice::Rejected => Kind::GroupRejected,
            },
            Self::InvitationAccepted(_) => Kind::InvitationAccepted,
            Self::InvitationRejected(_) => Kind::InvitationRejected,
            Self::InvitationCancelled(_) => Kind::InvitationCancelled,
            Self::OnlineHandlingUpdated(_) => Kind::OnlineHandlingUpdated,
            Self::PublicProfileUpdated => Kind::PublicProfileUpdated,
            Self::SessionPriorityAdjusted(_) => Kind::SessionPriorityAdjusted,
        }
    }
}

impl NotificationKind {
    /// Needs no subscription (csp-access 13): whether it is wanted the attribute lists say.
    pub fn is_unasked(self) -> bool {
        matches!(
            self,
            Self::AuthorizationNeededUser
                | Self::AuthorizationNeededContactList
                | Self::AuthorizationNeededDefault
        )
    }
}
