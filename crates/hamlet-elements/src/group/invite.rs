//! Invitations to groups and through them (csp-group 7; csp-access 10.2).

use super::change::{nothing, standing};
use super::effects::{Effects, Telling};
use super::members::grant;
use super::rights::{Operation, Standing, may};
use crate::elements::Shared;
use crate::im::{History, check_joined, history, history_message};
use crate::invitation::{Groups, Invitation, InviteType};
use crate::service::Requestor;
use futures::FutureExt;
use futures::future::BoxFuture;
use hamlet_model::{
    Domain, GroupId, Message, MessageId, MessageParty, Role, StatusCode, Timestamp, UserId,
};
use hamlet_store::{GroupPermission, Store, StoreError, StoredGroup, Tx};
use std::time::Duration;

/// The groups of this server, as invitations see them.
pub(crate) struct LocalGroups {
    store: Store,
    domain: Domain,
    /// For how long a message is history.
    history_age: Duration,
}

impl LocalGroups {
    pub(crate) fn new(store: Store, domain: Domain, history_age: Duration) -> Self {
        Self {
            store,
            domain,
            history_age,
        }
    }

    fn is_here(&self, group: &GroupId) -> bool {
        group.domain_str() == self.domain.as_str()
    }

    async fn read<T: Send + 'static>(
        &self,
        mut read: impl FnMut(&mut Tx<'_>) -> Result<Result<T, StatusCode>, StoreError> + Send + 'static,
    ) -> Result<T, StatusCode> {
        let found = self.store.read(move |tx| read(tx)).await;
        found.unwrap_or_else(|error| {
            tracing::warn!(%error, "a group could not be read");
            Err(StatusCode::SERVICE_UNAVAILABLE)
        })
    }
}

impl Groups for LocalGroups {
    fn joined<'a>(
        &'a self,
        requestor: &'a Requestor,
        group: &'a GroupId,
    ) -> BoxFuture<'a, Result<(), StatusCode>> {
        let (home, requestor, group) = (self.domain.clone(), requestor.clone(), group.clone());
        self.read(move |tx| check_joined(tx, &home, &requestor, &group))
            .boxed()
    }

    fn history<'a>(
        &'a self,
        requestor: &'a Requestor,
        group: &'a GroupId,
        newest: Option<usize>,
    ) -> BoxFuture<'a, Result<History, StatusCode>> {
        let (home, requestor, group) = (self.domain.clone(), requestor.clone(), group.clone());
        let since = Timestamp::now().minus(self.history_age);
        self.read(move |tx| history(tx, &home, &requestor, &group, newest, since))
            .boxed()
    }

    fn history_message<'a>(
        &'a self,
        requestor: &'a Requestor,
        message: &'a MessageId,
    ) -> BoxFuture<'a, Result<Message, StatusCode>> {
        let (home, requestor, id) = (self.domain.clone(), requestor.clone(), message.clone());
        self.read(move |tx| history_message(tx, &home, &requestor, &id))
            .boxed()
    }

    fn is_joined_as<'a>(
        &'a self,
        user: &'a UserId,
        name: &'a str,
        group: &'a GroupId,
    ) -> BoxFuture<'a, bool> {
        let (user, name, group) = (user.clone(), name.trim().to_lowercase(), group.clone());
        async move {
            let joined = self.read(move |tx| Ok(Ok(tx.joined_of_user(&group, &user)?)));
            let joined = joined.await.unwrap_or_default();
            joined.iter().any(|joined| joined.name.key() == name)
        }
        .boxed()
    }

    fn exists<'a>(&'a self, group: &'a GroupId) -> BoxFuture<'a, bool> {
        let group = group.clone();
        self.read(move |tx| Ok(Ok(tx.group(&group)?.is_some())))
            .map(|found| found.unwrap_or(false))
            .boxed()
    }

    fn may_invite<'a>(
        &'a self,
        user: &'a UserId,
        group: &'a GroupId,
        kind: InviteType,
    ) -> BoxFuture<'a, Result<(), StatusCode>> {
        let is_here = self.is_here(group);
        let (user, id) = (user.clone(), group.clone());
        self.read(move |tx| {
            let joined = !tx.joined_of_user(&id, &user)?.is_empty();
            if !is_here {
                // Of roles elsewhere nothing is known.
                let standing = Standing {
                    joined,
                    ..Standing::default()
                };
                return Ok(may(standing, operation(kind)));
            }
            may_invite_here(tx, &user, &id, kind)
        })
        .boxed()
    }

    fn invitees<'a>(
        &'a self,
        inviter: &'a UserId,
        through: &'a MessageParty,
        kind: InviteType,
    ) -> BoxFuture<'a, Result<Vec<UserId>, StatusCode>> {
        let (id, name) = match through {
            MessageParty::Group(group) => (group.clone(), None),
            MessageParty::ScreenName { name, group } => (group.clone(), Some(name.clone())),
            MessageParty::User { user, .. } => {
                let user = user.clone();
                return async move { Ok(vec![user]) }.boxed();
            }
        };
        if !self.is_here(&id) {
            return async { Err(StatusCode::DOMAIN_NOT_SUPPORTED) }.boxed();
        }
        let inviter = inviter.clone();
        self.read(move |tx| {
            let Some(group) = tx.group(&id)? else {
                return Ok(Err(StatusCode::NO_SUCH_GROUP));
            };
            let is_joined = !tx.joined_of_user(&id, &inviter)?.is_empty();
            if let Some(name) = &name {
                return Ok(match tx.group_joined_as(&id, name)? {
                    _ if !is_joined => Err(StatusCode::NOT_JOINED),
                    Some(joined) => Ok(vec![joined.user]),
                    None => Err(StatusCode::UNABLE_TO_DELIVER),
                });
            }
            if kind.is_to_group() {
                return Ok(Ok(moderators(tx, &group)?));
            }
            if !is_joined {
                return Ok(Err(StatusCode::NOT_JOINED));
            }
            let mut users: Vec<UserId> = tx
                .group_joined(&id)?
                .into_iter()
                .map(|joined| joined.user)
                .filter(|user| *user != inviter)
                .collect();
            users.sort();
            users.dedup();
            Ok(Ok(users))
        })
        .boxed()
    }
}

/// As [`Groups::may_invite`], for a group of this domain and an inviter of any.
fn may_invite_here(
    tx: &mut Tx<'_>,
    user: &UserId,
    id: &GroupId,
    kind: InviteType,
) -> Result<Result<(), StatusCode>, StoreError> {
    let Some(group) = tx.group(id)? else {
        return Ok(Err(StatusCode::NO_SUCH_GROUP));
    };
    let member = tx.group_member(id, user)?;
    let standing = Standing {
        joined: !tx.joined_of_user(id, user)?.is_empty(),
        ..standing(&group, user, member.as_ref())
    };
    // Who takes part in a conversation may ask more people in.
    if kind == InviteType::ExtendGroup && standing.member && tx.is_conversation(id)? {
        return Ok(Ok(()));
    }
    Ok(may(standing, operation(kind)))
}

fn operation(kind: InviteType) -> Operation {
    match kind {
        InviteType::Membership => Operation::InviteMembers,
        _ => Operation::Invite,
    }
}

fn moderators(tx: &mut Tx<'_>, group: &StoredGroup) -> Result<Vec<UserId>, StoreError> {
    let mut users: Vec<UserId> = tx
        .group_members(&group.id)?
        .into_iter()
        .filter(|member| member.role >= Role::Moderator)
        .map(|member| member.user)
        .chain(group.owner.clone())
        .collect();
    users.sort();
    users.dedup();
    Ok(users)
}

/// Users have been invited to a group of this domain: what that allows them
/// (csp-group 7, 8 item 6).
pub(crate) fn invited(
    tx: &mut Tx<'_>,
    shared: &Shared,
    invitation: &Invitation,
    invitees: &[UserId],
) -> Result<Option<Telling>, StoreError> {
    let Some(group) = group_of(tx, invitation)? else {
        return Ok(None);
    };
    let inviter = tx.group_member(&group.id, &invitation.inviter)?;
    let rank = standing(&group, &invitation.inviter, inviter.as_ref()).rank();
    let mut effects = Effects::of(&group.id);
    for user in invitees {
        if invitation.kind == InviteType::Membership {
            continue;
        }
        let permission = GroupPermission {
            user: user.clone(),
            inviter: invitation.inviter.clone(),
            invitation: invitation.id.clone(),
            restricted: rank >= Role::Moderator,
            expires: invitation.expires,
        };
        tx.put_group_permission(&group.id, &permission)?;
        if invitation.kind == InviteType::ExtendGroup && tx.is_conversation(&group.id)? {
            add(tx, shared, &group, user, &mut effects)?;
        }
    }
    effects.seal(tx, shared).map(Some)
}

/// As [`invited`], by a user of another domain, of whom only that one has seen whether he may
/// invite: if he may not, the invitation allows nothing.
pub(crate) fn invited_from_elsewhere(
    tx: &mut Tx<'_>,
    shared: &Shared,
    invitation: &Invitation,
    invitees: &[UserId],
) -> Result<Option<Telling>, StoreError> {
    let Some(group) = invitation.group.as_ref() else {
        return Ok(None);
    };
    match may_invite_here(tx, &invitation.inviter, group, invitation.kind)? {
        Ok(()) => invited(tx, shared, invitation, invitees),
        Err(_) => Ok(None),
    }
}

/// An invitee has answered: who accepts to become a member is one, if his inviter still has
/// the right; who rejects needs no permission.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    shared: &Shared,
    invitation: &Invitation,
    invitee: &UserId,
    accepted: bool,
) -> Result<Option<Telling>, StoreError> {
    if !accepted {
        tx.revoke_group_permission(&invitation.inviter, &invitation.id, invitee)?;
        return Ok(None);
    }
    if invitation.kind != InviteType::Membership {
        return Ok(None);
    }
    let Some(group) = group_of(tx, invitation)? else {
        return Ok(None);
    };
    let inviter = tx.group_member(&group.id, &invitation.inviter)?;
    let standing = standing(&group, &invitation.inviter, inviter.as_ref());
    if may(standing, Operation::ChangeMember(Role::User)).is_err() {
        return Ok(None);
    }
    let mut effects = Effects::of(&group.id);
    add(tx, shared, &group, invitee, &mut effects)?;
    effects.seal(tx, shared).map(Some)
}

fn add(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
    user: &UserId,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    let before = tx.group_member(&group.id, user)?;
    let before = before.unwrap_or_else(|| nothing(user));
    let has_room = tx.count_group_members(&group.id)? < shared.groups.max_members;
    match before.is_member || !has_room {
        true => Ok(()),
        false => grant(tx, shared, group, before, Role::User, effects),
    }
}

/// The group of an invitation to a group, if it is one of this domain.
fn group_of(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<Option<StoredGroup>, StoreError> {
    match &invitation.group {
        Some(group) if invitation.kind.is_to_group() => tx.group(group),
        _ => Ok(None),
    }
}
