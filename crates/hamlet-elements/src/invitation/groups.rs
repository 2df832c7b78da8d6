//! What other services need to know of groups; the Group element answers it.

use super::InviteType;
use crate::im::History;
use crate::service::Requestor;
use futures::future::BoxFuture;
use hamlet_model::{GroupId, Message, MessageId, MessageParty, StatusCode, UserId};

/// Groups, as invitations see them.
pub(crate) trait Groups: Send + Sync {
    /// Whether the user is joined in a group under this screen name.
    fn is_joined_as<'a>(
        &'a self,
        user: &'a UserId,
        name: &'a str,
        group: &'a GroupId,
    ) -> BoxFuture<'a, bool>;

    /// Whether there is such a group in this domain.
    fn exists<'a>(&'a self, group: &'a GroupId) -> BoxFuture<'a, bool>;

    /// Whether the user may invite others to the group (csp-access 10.2): 800 without such a
    /// group, 808 for one who has not joined and has no rights, 816 for one who has too few.
    fn may_invite<'a>(
        &'a self,
        user: &'a UserId,
        group: &'a GroupId,
        kind: InviteType,
    ) -> BoxFuture<'a, Result<(), StatusCode>>;

    /// Who is reached through a group or a screen name in one: administrators and moderators
    /// of the group for invitations to it, else whoever has joined but the inviter
    /// (csp-access 10.2); 800 without such a group, 410 without such a name, 808 for an
    /// inviter who is not joined himself, 516 for a group of another domain.
    fn invitees<'a>(
        &'a self,
        inviter: &'a UserId,
        through: &'a MessageParty,
        kind: InviteType,
    ) -> BoxFuture<'a, Result<Vec<UserId>, StatusCode>>;

    /// Whether the requestor has joined the group in his session (csp-im 3.3): 800 without
    /// such a group, 808 if he has not.
    fn joined<'a>(
        &'a self,
        requestor: &'a Requestor,
        group: &'a GroupId,
    ) -> BoxFuture<'a, Result<(), StatusCode>>;

    /// The newest messages of the group's history, all of them without a number (csp-im 7.3,
    /// 7.4): 800 without such a group, 808 for one who has not joined it in his session, 821
    /// where nothing is kept.
    fn history<'a>(
        &'a self,
        requestor: &'a Requestor,
        group: &'a GroupId,
        newest: Option<usize>,
    ) -> BoxFuture<'a, Result<History, StatusCode>>;

    /// A message of the history of a group (csp-im 7.2): 808 when the requestor has not joined
    /// that in his session, 426 when no history has it.
    fn history_message<'a>(
        &'a self,
        requestor: &'a Requestor,
        message: &'a MessageId,
    ) -> BoxFuture<'a, Result<Message, StatusCode>>;
}
