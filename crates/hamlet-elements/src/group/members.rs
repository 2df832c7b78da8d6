//! The member list (csp-group 5.5-5.8).

use super::change::{Changed, Failure, View, keep_member, nothing, outcome};
use super::effects::Effects;
use super::join::joined_users;
use super::leave::{Reason, take_out};
use super::property::{is_member, privilege_level};
use super::rights::{Operation, may};
use super::types::{
    AddGroupMembers, GetGroupMembers, GetJoinedUsers, GivenUsers, GroupMembers, JoinedUsers,
    RemoveGroupMembers,
};
use crate::blocking::Initiator;
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::notification::GroupNotice;
use crate::service::{Answer, IdempotenceKey, Requestor, Response};
use hamlet_model::refusal::{Failures, GivenScreenName};
use hamlet_model::{AccessType, Refusal, Role, StatusCode, UserId};
use hamlet_store::{StoreError, StoredGroup, StoredMember, Tx};
use std::collections::BTreeSet;

impl Inner {
    pub(crate) async fn get_joined_users(
        &self,
        requestor: Requestor,
        request: GetJoinedUsers,
    ) -> Answer {
        let who = requestor.clone();
        let (by_role, users, people) = self
            .read_group(move |tx| {
                let view = View::read(tx, &request.group, &who)?;
                view.check(&who.user, Operation::GetJoinedUsers)?;
                let by_role = may(view.standing(&who.user), Operation::SeeEverybody).is_ok();
                let users = joined_users(tx, &view.group, by_role)?;
                let people = tx.group_joined(&request.group)?;
                Ok((by_role, users, people))
            })
            .await?;
        // Only of users here it is known whom they block.
        let mut blocked = Vec::new();
        if self.directory.is_home(&requestor.user) {
            let asking = std::slice::from_ref(&requestor.user);
            for joined in people {
                let initiator = Initiator {
                    through: Some(hamlet_model::MessageParty::ScreenName {
                        name: joined.name.to_string(),
                        group: joined.group,
                    }),
                    ..Initiator::user(joined.user)
                };
                let refusing = self.refusing(&initiator, asking).await;
                if !refusing.map_err(|error| refusal(&error))?.is_empty() {
                    blocked.push(joined.name);
                }
            }
        }
        Ok(Response::JoinedUsers(JoinedUsers {
            by_role,
            users,
            blocked,
        }))
    }

    pub(crate) async fn get_group_members(
        &self,
        requestor: Requestor,
        request: GetGroupMembers,
    ) -> Answer {
        self.read_group(move |tx| {
            let view = View::read(tx, &request.group, &requestor)?;
            view.check(&requestor.user, Operation::GetMembers)?;
            let mut members = GroupMembers::default();
            for member in tx.group_members(&request.group)? {
                match member.role {
                    Role::Admin => members.admins.push(member.user),
                    Role::Moderator => members.moderators.push(member.user),
                    Role::User => members.users.push(member.user),
                }
            }
            Ok(Response::GroupMembers(members))
        })
        .await
    }

    pub(crate) async fn add_group_members(
        &self,
        requestor: Requestor,
        request: AddGroupMembers,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let named = self.named(request.users).await?;
        let shared = self.shared.clone();
        self.change_group(key, move |tx| {
            let view = View::read(tx, &request.group, &requestor)?;
            view.check(&requestor.user, Operation::ChangeMember(Role::User))?;
            let (users, mut failures) = named.resolve(tx, &view.group)?;
            let mut effects = Effects::of(&request.group);
            let mut count = tx.count_group_members(&request.group)?;
            let (mut done, mut added) = (false, false);
            for user in users {
                let before = tx.group_member(&request.group, &user)?;
                if before.as_ref().is_some_and(|member| member.is_member) {
                    done = true;
                    continue;
                }
                if count >= shared.groups.max_members {
                    failures.user(StatusCode::INSUFFICIENT_GROUP_RIGHTS, user);
                    continue;
                }
                let before = before.unwrap_or_else(|| nothing(&user));
                grant(tx, &shared, &view.group, before, Role::User, &mut effects)?;
                (done, added, count) = (true, true, count + 1);
            }
            if added {
                tell_administrators(
                    tx,
                    &shared,
                    &view.group,
                    &requestor,
                    GroupNotice::MembersUpdated,
                    &mut effects,
                )?;
            }
            Ok((outcome(failures, done)?, vec![effects.seal(tx, &shared)?]))
        })
        .await
    }

    pub(crate) async fn remove_group_members(
        &self,
        requestor: Requestor,
        request: RemoveGroupMembers,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let named = self.named(request.users).await?;
        let shared = self.shared.clone();
        self.change_group(key, move |tx| {
            let view = View::read(tx, &request.group, &requestor)?;
            view.check(&requestor.user, Operation::ChangeMember(Role::User))?;
            remove(tx, &shared, &view, &requestor, &named)
        })
        .await
    }

    /// Looks up whom a request names, as far as that can be done without the group.
    pub(super) async fn named(&self, given: GivenUsers) -> Result<Named, Refusal> {
        let GivenUsers {
            users,
            screen_names,
            malformed,
        } = given;
        if users.len() + screen_names.len() + malformed.len() > self.config.groups.max_users {
            let why = "The request names too many users";
            return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
        }
        let unknown = self.directory.unknown(&users).await;
        let unknown = unknown.map_err(|error| refusal(&error))?;
        let (unknown, users): (Vec<UserId>, Vec<UserId>) =
            users.into_iter().partition(|user| unknown.contains(user));
        Ok(Named {
            users,
            unknown,
            screen_names,
            malformed,
        })
    }
}

/// Whom a request names.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) users: Vec<UserId>,
    pub(super) unknown: Vec<UserId>,
    pub(super) screen_names: Vec<String>,
    pub(super) malformed: Vec<String>,
}

impl Named {
    /// The users that are meant, each once, and who is nobody: 531 by address, 410 by name.
    pub(super) fn resolve(
        &self,
        tx: &mut Tx<'_>,
        group: &StoredGroup,
    ) -> Result<(Vec<UserId>, Failures), StoreError> {
        let mut failures = Failures::new();
        if !self.unknown.is_empty() || !self.malformed.is_empty() {
            let block = failures.block(StatusCode::UNKNOWN_USER);
            block.users.extend(self.unknown.iter().cloned());
            block.malformed.extend(self.malformed.iter().cloned());
        }
        let mut users = self.users.clone();
        for name in &self.screen_names {
            match tx.group_joined_as(&group.id, name)? {
                Some(joined) => users.push(joined.user),
                None => {
                    let block = failures.block(StatusCode::UNABLE_TO_DELIVER);
                    block.screen_names.push(GivenScreenName {
                        name: name.clone(),
                        group: group.id.to_string(),
                    });
                }
            }
        }
        let mut seen = BTreeSet::new();
        users.retain(|user| seen.insert(user.clone()));
        Ok((users, failures))
    }
}

/// Makes somebody a member with a role, and tells him.
pub(super) fn grant(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
    before: StoredMember,
    role: Role,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    let user = before.user.clone();
    let role = before.role.max(role);
    let mut own = Vec::new();
    if !before.is_member {
        own.push(is_member(true));
        effects.notify(shared, &user, None, GroupNotice::MembershipGranted);
    }
    if before.role != role {
        own.push(privilege_level(role));
    }
    let after = StoredMember {
        is_member: true,
        role,
        ..before
    };
    tx.put_group_member(&group.id, &after)?;
    effects.own(tx, &user, own)
}

fn remove(
    tx: &mut Tx<'_>,
    shared: &Shared,
    view: &View,
    requestor: &Requestor,
    named: &Named,
) -> Changed {
    let group = &view.group;
    let (users, mut failures) = named.resolve(tx, group)?;
    let mut effects = Effects::of(&group.id);
    let (mut something, mut removed) = (false, false);
    for user in users {
        if group.owner.as_ref() == Some(&user) {
            failures.user(StatusCode::INSUFFICIENT_GROUP_RIGHTS, user);
            continue;
        }
        let before = tx.group_member(&group.id, &user)?;
        let Some(before) = before.filter(|member| member.is_member) else {
            something = true;
            continue;
        };
        if let Err(code) = may(
            view.standing(&requestor.user),
            Operation::ChangeMember(before.role),
        ) {
            failures.user(code, user);
            continue;
        }
        revoke(tx, shared, group, before, &mut effects)?;
        (something, removed) = (true, true);
    }
    if removed {
        let notice = GroupNotice::MembersUpdated;
        tell_administrators(tx, shared, group, requestor, notice, &mut effects)?;
    }
    let response = outcome(failures, something)?;
    Ok((response, vec![effects.seal(tx, shared)?]))
}

/// Somebody is no member any more: out of a restricted group he has to go.
fn revoke(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
    before: StoredMember,
    effects: &mut Effects,
) -> Result<(), Failure> {
    let mut own = vec![is_member(false)];
    if before.role != Role::User {
        own.push(privilege_level(Role::User));
    }
    let user = before.user.clone();
    let mut after = StoredMember {
        is_member: false,
        role: Role::User,
        ..before
    };
    after.own.auto_join = false;
    tx.put_group_member(&group.id, &after)?;
    effects.notify(shared, &user, None, GroupNotice::MembershipRevoked);
    let joined = tx.joined_of_user(&group.id, &user)?;
    match group.properties.access {
        AccessType::Restricted => {
            take_out(
                tx,
                group,
                &joined,
                Reason::Others(StatusCode::NOT_A_MEMBER),
                effects,
            )?;
        }
        AccessType::Open => effects.own(tx, &user, own)?,
    }
    keep_member(tx, &group.id, &after)?;
    Ok(())
}

/// Owner and administrators hear of what one of them has done.
pub(super) fn tell_administrators(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
    requestor: &Requestor,
    notice: GroupNotice,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    let members = tx.group_members(&group.id)?;
    let admins = members.iter().filter(|member| member.role == Role::Admin);
    let concerned: BTreeSet<&UserId> = admins
        .map(|member| &member.user)
        .chain(&group.owner)
        .collect();
    for user in concerned {
        effects.notify(shared, user, requestor.session.as_ref(), notice);
    }
    Ok(())
}
