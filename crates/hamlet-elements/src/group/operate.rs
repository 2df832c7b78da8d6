//! What the operator does with groups (csp-group 1: public groups are the provider's).

use super::change::{Failure, done, ends, nothing, outcome};
use super::create::check_address;
use super::effects::Effects;
use super::members::grant;
use super::property::{Surroundings, changed, shown};
use super::props::{around, set_common};
use super::record::GroupEvent;
use super::types::{GivenProperties, GivenUsers, GroupMembers, GroupOverview};
use crate::elements::{Inner, Shared};
use crate::notification::GroupNotice;
use crate::service::Response;
use hamlet_model::refusal::Failures;
use hamlet_model::{GroupId, GroupProperties, Refusal, Role, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, StoredGroup, StoredMember, Tx};

impl Inner {
    pub(crate) async fn create_public_group(
        &self,
        id: GroupId,
        properties: GivenProperties,
        admins: Vec<UserId>,
    ) -> Result<(), Refusal> {
        if id.domain() != self.config.domain {
            return Err(StatusCode::DOMAIN_NOT_SUPPORTED.into());
        }
        if !id.is_public() {
            return Err(StatusCode::GROUP_IS_PRIVATE.into());
        }
        check_address(&id)?;
        let named = self
            .named(GivenUsers {
                users: admins,
                ..GivenUsers::default()
            })
            .await?;
        if !named.unknown.is_empty() {
            let mut failures = Failures::new();
            failures.block(StatusCode::UNKNOWN_USER).users = named.unknown;
            return Err(Refusal {
                details: failures.into_details(),
                ..Refusal::new(StatusCode::UNKNOWN_USER)
            });
        }
        let shared = self.shared.clone();
        let made = self.change_group(None, move |tx| {
            let around = Surroundings {
                public: true,
                active: 0,
            };
            let usual = GroupProperties::default();
            let properties = changed(&usual, &properties, around, &shared.groups)?;
            let group = StoredGroup {
                id: id.clone(),
                owner: None,
                created: Timestamp::now(),
                expires: ends(properties.validity),
                properties,
            };
            if !tx.create_group(&group)? {
                return Err(StatusCode::GROUP_EXISTS.into());
            }
            let mut effects = Effects::of(&id);
            effects.record(GroupEvent::Created { owner: None });
            for user in &named.users {
                grant(
                    tx,
                    &shared,
                    &group,
                    nothing(user),
                    Role::Admin,
                    &mut effects,
                )?;
            }
            Ok((done(), vec![effects.seal(tx, &shared)?]))
        });
        made.await.map(drop)
    }

    pub(crate) async fn operate_properties(
        &self,
        id: GroupId,
        given: GivenProperties,
    ) -> Result<(), Refusal> {
        let shared = self.shared.clone();
        let set = self.change_group(None, move |tx| {
            let group = tx.group(&id)?.ok_or(StatusCode::NO_SUCH_GROUP)?;
            let around = around(tx, &group)?;
            let new = changed(&group.properties, &given, around, &shared.groups)?;
            let mut effects = Effects::of(&id);
            set_common(tx, &shared, &group, new, &mut effects)?;
            Ok((done(), vec![effects.seal(tx, &shared)?]))
        });
        set.await.map(drop)
    }

    pub(crate) async fn operate_role(
        &self,
        id: GroupId,
        user: UserId,
        role: Role,
    ) -> Result<(), Refusal> {
        let named = self
            .named(GivenUsers {
                users: vec![user],
                ..GivenUsers::default()
            })
            .await?;
        let shared = self.shared.clone();
        let set = self.change_group(None, move |tx| {
            let group = tx.group(&id)?.ok_or(StatusCode::NO_SUCH_GROUP)?;
            let (users, failures) = named.resolve(tx, &group)?;
            let mut effects = Effects::of(&id);
            for user in &users {
                set_role(tx, &shared, &group, user, role, &mut effects)?;
            }
            let response: Response = outcome(failures, !users.is_empty())?;
            Ok((response, vec![effects.seal(tx, &shared)?]))
        });
        set.await.map(drop)
    }

    pub(crate) async fn group_overviews(
        &self,
        after: Option<GroupId>,
        limit: usize,
    ) -> Result<Vec<GroupOverview>, StoreError> {
        let shared = self.shared.clone();
        let found = self.store.read(move |tx| {
            let groups = tx.groups(after.as_ref(), limit)?;
            let groups = groups.iter().map(|group| overview(tx, &shared, group));
            groups.collect()
        });
        found.await
    }

    pub(crate) async fn group_overview(
        &self,
        id: GroupId,
    ) -> Result<Option<(GroupOverview, GroupMembers)>, StoreError> {
        let shared = self.shared.clone();
        let found = self.store.read(move |tx| {
            let Some(group) = tx.group(&id)? else {
                return Ok(None);
            };
            let mut members = GroupMembers::default();
            for member in tx.group_members(&id)? {
                match member.role {
                    Role::Admin => members.admins.push(member.user),
                    Role::Moderator => members.moderators.push(member.user),
                    Role::User => members.users.push(member.user),
                }
            }
            Ok(Some((overview(tx, &shared, &group)?, members)))
        });
        found.await
    }
}

fn set_role(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
    user: &UserId,
    role: Role,
    effects: &mut Effects,
) -> Result<(), Failure> {
    if group.owner.as_ref() == Some(user) {
        return Err(StatusCode::INSUFFICIENT_GROUP_RIGHTS.into());
    }
    let before = tx.group_member(&group.id, user)?;
    let before = before.unwrap_or_else(|| nothing(user));
    if before.role <= role {
        return Ok(grant(tx, shared, group, before, role, effects)?);
    }
    let after = StoredMember { role, ..before };
    tx.put_group_member(&group.id, &after)?;
    effects.notify(shared, user, None, GroupNotice::AccessUpdated);
    effects.own(tx, user, vec![super::property::privilege_level(role)])?;
    Ok(())
}

fn overview(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
) -> Result<GroupOverview, StoreError> {
    let around = around(tx, group)?;
    Ok(GroupOverview {
        group: group.id.clone(),
        owner: group.owner.clone(),
        properties: shown(&group.properties, around, &shared.groups),
        members: tx.count_group_members(&group.id)?,
        joined: around.active,
    })
}
