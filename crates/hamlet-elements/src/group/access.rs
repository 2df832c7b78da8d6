//! Roles (csp-group 5.8).

use super::change::{Changed, View, nothing, outcome};
use super::effects::Effects;
use super::members::{Named, tell_administrators};
use super::property::{is_member, privilege_level};
use super::rights::{Operation, may};
use super::types::MemberAccess;
use crate::elements::{Inner, Shared};
use crate::notification::GroupNotice;
use crate::service::{Answer, IdempotenceKey, Requestor};
use hamlet_model::refusal::Failures;
use hamlet_model::{Role, StatusCode, UserId};
use hamlet_store::{StoredMember, Tx};

impl Inner {
    pub(crate) async fn member_access(
        &self,
        requestor: Requestor,
        request: MemberAccess,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let MemberAccess {
            group,
            admins,
            moderators,
            users,
        } = request;
        let named = [
            (Role::Admin, self.named(admins).await?),
            (Role::Moderator, self.named(moderators).await?),
            (Role::User, self.named(users).await?),
        ];
        let shared = self.shared.clone();
        self.change_group(key, move |tx| {
            let view = View::read(tx, &group, &requestor)?;
            view.check(&requestor.user, Operation::SetRole(Role::User, Role::User))?;
            set_roles(tx, &shared, &view, &requestor, &named)
        })
        .await
    }
}

fn set_roles(
    tx: &mut Tx<'_>,
    shared: &Shared,
    view: &View,
    requestor: &Requestor,
    named: &[(Role, Named)],
) -> Changed {
    let group = &view.group;
    let mut failures = Failures::new();
    let mut wanted: Vec<(UserId, Role)> = Vec::new();
    for (role, named) in named {
        let (users, failed) = named.resolve(tx, group)?;
        failures.merge(failed.into_details());
        for user in users {
            // Named twice, he gets the higher one.
            if !wanted.iter().any(|(known, _)| *known == user) {
                wanted.push((user, *role));
            }
        }
    }
    let standing = view.standing(&requestor.user);
    let mut count = tx.count_group_members(&group.id)?;
    let mut effects = Effects::of(&group.id);
    let (mut something, mut changed, mut listed) = (false, false, false);
    for (user, role) in wanted {
        let before = tx.group_member(&group.id, &user)?;
        let before = before.unwrap_or_else(|| nothing(&user));
        if before.is_member && before.role == role {
            something = true;
            continue;
        }
        let is_owner = group.owner.as_ref() == Some(&user);
        let allowed = may(standing, Operation::SetRole(before.role, role));
        let is_full = !before.is_member && count >= shared.groups.max_members;
        if is_owner || is_full || allowed.is_err() {
            failures.user(StatusCode::INSUFFICIENT_GROUP_RIGHTS, user);
            continue;
        }
        let mut own = Vec::new();
        if !before.is_member {
            own.push(is_member(true));
            effects.notify(shared, &user, None, GroupNotice::MembershipGranted);
            (listed, count) = (true, count + 1);
        }
        if before.role != role {
            own.push(privilege_level(role));
            effects.notify(shared, &user, None, GroupNotice::AccessUpdated);
            changed = true;
        }
        let after = StoredMember {
            is_member: true,
            role,
            ..before
        };
        tx.put_group_member(&group.id, &after)?;
        effects.own(tx, &user, own)?;
        something = true;
    }
    if changed {
        let notice = GroupNotice::AccessUpdated;
        tell_administrators(tx, shared, group, requestor, notice, &mut effects)?;
    }
    if listed {
        let notice = GroupNotice::MembersUpdated;
        tell_administrators(tx, shared, group, requestor, notice, &mut effects)?;
    }
    let response = outcome(failures, something)?;
    Ok((response, vec![effects.seal(tx, shared)?]))
}
