//! What is asked about invitations, and what is told.

use hamlet_model::presence::AttributeSet;
use hamlet_model::refusal::GivenScreenName;
use hamlet_model::{ApplicationId, GroupId, MessageParty, Recipients, Refusal, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Limits of invitations.
#[derive(Debug, Clone)]
pub struct InvitationConfig {
    /// Life of an invitation that says nothing about it (csp-access 10.2).
    pub default_validity: Duration,
    /// Longest life.
    pub max_validity: Duration,
    /// How long an answer waits for the inviter.
    pub answer_life: Duration,
    /// Most invitees of one invitation.
    pub max_invitees: usize,
    /// Most invitees of one inviter whose invitations have not expired.
    pub max_invited: usize,
    /// Most that waits for one user.
    pub max_waiting: usize,
    /// How long an inviter waits for what other domains say.
    pub foreign_wait: Duration,
}

impl Default for InvitationConfig {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        Self {
            default_validity: DAY,
            max_validity: DAY * 7,
            answer_life: DAY,
            max_invitees: 200,
            max_invited: 2000,
            max_waiting: 200,
            foreign_wait: Duration::from_secs(10),
        }
    }
}

/// What an invitation is to (data-types 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InviteType {
    /// To join a group.
    Group,
    /// To talk.
    Messaging,
    /// To see the inviter's presence.
    Presence,
    /// To fetch content.
    SharedContent,
    /// To become member of a group.
    Membership,
    /// To use an application.
    Application,
    /// To join the group that a conversation has become.
    ExtendConversation,
    /// To join such a group later.
    ExtendGroup,
}

impl InviteType {
    /// It cannot be without a group.
    pub fn is_to_group(self) -> bool {
        matches!(
            self,
            Self::Group | Self::Membership | Self::ExtendConversation | Self::ExtendGroup
        )
    }
}

/// An invitation as its inviter submits it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invite {
    /// The inviter's name for it.
    pub id: String,
    /// What it is to; `None` for nothing that exists.
    pub kind: Option<InviteType>,
    /// Who the inviter says he is, or why that is nobody.
    pub sender: Result<Option<MessageParty>, Refusal>,
    /// Whom he invites.
    pub recipients: Recipients,
    /// The application.
    pub application: Option<ApplicationId>,
    /// The group, or a text that names none.
    pub group: Option<Result<GroupId, String>>,
    /// Attributes to see; empty for all.
    pub attributes: AttributeSet,
    /// Where the content is.
    pub urls: Vec<String>,
    /// Words to the invitees.
    pub note: Option<String>,
    /// The name in the group by which invitees know the inviter.
    pub screen_name: Option<String>,
    /// How long it can be answered.
    pub validity: Option<Duration>,
}

/// An invitation as it is kept, and as it travels between domains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// The inviter's name for it.
    pub id: String,
    /// Who invites.
    pub inviter: UserId,
    /// Who that is to the invitees.
    pub sender: MessageParty,
    /// What it is to.
    pub kind: InviteType,
    /// The application.
    pub application: Option<ApplicationId>,
    /// The group.
    pub group: Option<GroupId>,
    /// Attributes to see; empty for all.
    pub attributes: AttributeSet,
    /// Where the content is.
    pub urls: Vec<String>,
    /// Words to the invitees.
    pub note: Option<String>,
    /// When it was made: tells it from a later one with the same name.
    pub made: Timestamp,
    /// Until when it can be answered.
    pub expires: Timestamp,
}

/// An invitation for users of this domain, from the domain of the inviter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliverInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The invitees here.
    pub invitees: Vec<UserId>,
}

/// What an invitee says to an invitation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerInvitation {
    /// The name by which he knows it.
    pub id: String,
    /// Yes.
    pub accepted: bool,
    /// Words to the inviter.
    pub note: Option<String>,
    /// The invitee's name in the group.
    pub screen_name: Option<GivenScreenName>,
}

/// Withdraws an invitation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelInvitation {
    /// The inviter's name for it.
    pub id: String,
    /// Who the inviter says he is.
    pub sender: Option<MessageParty>,
    /// From whom it is withdrawn; `None` for all who have not answered.
    pub recipients: Option<Recipients>,
    /// Words to them.
    pub note: Option<String>,
}

/// The withdrawal of an invitation, for users of this domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WithdrawInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// From whom it is withdrawn here.
    pub invitees: Vec<UserId>,
    /// Words to them.
    pub note: Option<String>,
}

/// What an invitee sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationShown {
    /// The name by which he knows it.
    pub id: String,
    /// The invitee.
    pub invitee: UserId,
    /// The invitation.
    pub invitation: Invitation,
}

/// What an inviter sees of an answer; also how it travels between domains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerShown {
    /// The inviter's name for the invitation.
    pub id: String,
    /// The inviter.
    pub inviter: UserId,
    /// Who answers.
    pub invitee: UserId,
    /// Yes.
    pub accepted: bool,
    /// Words to the inviter.
    pub note: Option<String>,
    /// The invitee's name in the group.
    pub screen_name: Option<GivenScreenName>,
}

/// What an invitee sees of a withdrawal, or of what another session of his answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancellationShown {
    /// The name by which he knows the invitation.
    pub id: String,
    /// The invitee.
    pub invitee: UserId,
    /// The invitation.
    pub invitation: Invitation,
    /// Words to him.
    pub note: Option<String>,
}
