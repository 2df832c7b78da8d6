//! What invitations need to know of groups. The group service will answer it.

use super::InviteType;
use futures::FutureExt;
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
    /// of the group for invitations to it, else whoever has joined (csp-access 10.2); 800
    /// without such a group.
    fn invitees<'a>(
        &'a self,
        through: &'a MessageParty,
        kind: InviteType,
    ) -> BoxFuture<'a, Result<Vec<UserId>, StatusCode>>;
}

/// A server without groups.
pub(crate) struct NoGroups;

impl Groups for NoGroups {
    fn is_joined_as<'a>(
        &'a self,
        _user: &'a UserId,
        _name: &'a str,
        _group: &'a GroupId,
    ) -> BoxFuture<'a, bool> {
        async { false }.boxed()
    }

    fn exists<'a>(&'a self, _group: &'a GroupId) -> BoxFuture<'a, bool> {
        async { false }.boxed()
    }

    fn may_invite<'a>(
        &'a self,
        _user: &'a UserId,
        _group: &'a GroupId,
        _kind: InviteType,
    ) -> BoxFuture<'a, Result<(), StatusCode>> {
        async { Err(StatusCode::NO_SUCH_GROUP) }.boxed()
    }

    fn invitees<'a>(
        &'a self,
        _through: &'a MessageParty,
        _kind: InviteType,
    ) -> BoxFuture<'a, Result<Vec<UserId>, StatusCode>> {
        async { Err(StatusCode::NO_SUCH_GROUP) }.boxed()
    }
}
