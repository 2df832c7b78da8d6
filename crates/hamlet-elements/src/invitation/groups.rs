//! What invitations need to know of groups; the Group element answers it.

use super::InviteType;
use futures::future::BoxFuture;
use hamlet_model::{GroupId, MessageParty, StatusCode, UserId};

/// Groups, as invitations see them.
pub(crate) trait Groups: Send + Sync {
    /// Whether the user is joined in a group under this screen name.
    fn is_joined_as<'a>(
        &'a self,
        user: &'a UserId,
        name: &'a str,
        group: &'a GroupId,
    ) -> BoxFuture<'a, bool>;

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
}
