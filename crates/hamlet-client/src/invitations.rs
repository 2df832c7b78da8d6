//! Invitations of others, and what becomes of the user's own (csp-access 10).

use crate::client::Client;
use crate::error::Error;
use crate::incoming::named;
use hamlet_csp::elements::{
    CancelInviteUserRequest, InviteResponse, InviteType, InviteUserRequest, InviteUserResponse,
    Sender, User,
};
use hamlet_csp::{Text, Version};
use hamlet_model::TransactionId;
use hamlet_model::presence::AttributeSet;
use std::time::Duration;

/// Somebody invites the user.
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    /// Names the transaction that [`Client::shown`] answers.
    pub transaction: Option<TransactionId>,
    /// For [`Client::answer_invitation`].
    pub id: String,
    /// To what.
    pub kind: Option<InviteType>,
    /// The user or the screen name in a group that invites.
    pub from: Option<String>,
    /// The group that it is about.
    pub group: Option<String>,
    /// Where shared content lies.
    pub urls: Vec<String>,
    /// The presence that it is about.
    pub attributes: AttributeSet,
    /// Words of the inviter.
    pub note: Option<String>,
    /// How long it can be answered.
    pub validity: Option<Duration>,
}

/// What an invitee says to an invitation of the user's.
#[derive(Debug, Clone, PartialEq)]
pub struct InvitationAnswer {
    /// Names the transaction that [`Client::acknowledge`] answers.
    pub transaction: Option<TransactionId>,
    /// The user's name for the invitation.
    pub id: String,
    /// Who answers.
    pub from: Option<String>,
    /// He comes.
    pub accepted: bool,
    /// His words.
    pub note: Option<String>,
}

/// An invitation that is not valid any more.
#[derive(Debug, Clone, PartialEq)]
pub struct InvitationWithdrawn {
    /// Names the transaction that [`Client::acknowledge`] answers.
    pub transaction: Option<TransactionId>,
    /// Which.
    pub id: String,
    /// Who had invited.
    pub from: Option<String>,
    /// His words.
    pub note: Option<String>,
}

impl Client {
    /// Accepts or declines an invitation. To accept does nothing else: a group is joined by
    /// [`Client::join_group`].
    pub async fn answer_invitation(
        &mut self,
        id: &str,
        accept: bool,
        note: Option<&str>,
    ) -> Result<(), Error> {
        let user = User {
            user_id: Some(Text::new(self.user())),
            ..User::default()
        };
        let request = InviteUserResponse {
            invite_id: Some(Text::new(id)),
            acceptance: Some(accept),
            // csp-messages 2.2.2: 1.1 can do without, and does.
            sender: (self.version() > Version::V1_1).then(|| Sender {
                user: Some(user),
                group: None,
            }),
            response_note: note.map(Text::new),
            ..InviteUserResponse::default()
        };
        self.ask_status(request).await.map(drop)
    }
}

impl Invitation {
    pub(crate) fn of(transaction: Option<TransactionId>, request: InviteUserRequest) -> Self {
        let list = request.presence_sub_list;
        let urls = request.url_list.map(|list| list.url).unwrap_or_default();
        Self {
            transaction,
            id: text(request.invite_id).unwrap_or_default(),
            kind: request.invite_type,
            from: named(request.sender.as_ref()),
            group: text(request.group_id),
            urls: urls.into_iter().map(String::from).collect(),
            attributes: list.map(|list| list.named()).unwrap_or_default(),
            note: text(request.invite_note),
            validity: request
                .validity
                .map(|secs| Duration::from_secs(secs.into())),
        }
    }
}

impl InvitationAnswer {
    pub(crate) fn of(transaction: Option<TransactionId>, answer: InviteResponse) -> Self {
        Self {
            transaction,
            id: text(answer.invite_id).unwrap_or_default(),
            from: named(answer.sender.as_ref()),
            accepted: answer.acceptance.unwrap_or(false),
            note: text(answer.response_note.or(answer.invite_note)),
        }
    }
}

impl InvitationWithdrawn {
    pub(crate) fn of(transaction: Option<TransactionId>, request: CancelInviteUserRequest) -> Self {
        Self {
            transaction,
            id: text(request.invite_id).unwrap_or_default(),
            from: named(request.sender.as_ref()),
            note: text(request.invite_note),
        }
    }
}

fn text(text: Option<Text>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(String::from)
}
