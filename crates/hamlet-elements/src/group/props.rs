//! Reading and changing properties (csp-group 5.9, 5.10).

use super::change::{Changed, Failure, View, client_of, ends, keep_member, nothing, outcome};
use super::effects::Effects;
use super::leave::{Reason, take_out};
use super::property::{
    Surroundings, changed, changed_own, difference, shown, shown_own, shown_to_strangers,
};
use super::rights::Operation;
use super::types::{GetGroupProps, GivenProperties, GroupProps, SetGroupProps};
use crate::elements::{Inner, Shared};
use crate::service::{Answer, IdempotenceKey, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{AccessType, GroupProperties, OwnProperties, Refusal, StatusCode, UserId};
use hamlet_store::{StoreError, StoredGroup, StoredJoined, StoredMember, Tx};

impl Inner {
    pub(crate) async fn get_group_props(
        &self,
        requestor: Requestor,
        request: GetGroupProps,
    ) -> Answer {
        let shared = self.shared.clone();
        self.read_group(move |tx| {
            let view = View::read(tx, &request.group, &requestor)?;
            let properties = &view.group.properties;
            let visible = properties.access == AccessType::Open || properties.searchable;
            view.check(&requestor.user, Operation::GetProperties { visible })?;
            let standing = view.standing(&requestor.user);
            // Who has AutoJoin has set something, too.
            let related = standing.owner || standing.joined || view.member.is_some();
            let own = match related {
                true => {
                    let member = view.member.clone();
                    let member = member.unwrap_or_else(|| nothing(&requestor.user));
                    shown_own(&member.own, standing)
                }
                false => shown_to_strangers(),
            };
            Ok(Response::GroupProps(Box::new(GroupProps {
                common: shown(properties, around(tx, &view.group)?, &shared.groups),
                own,
            })))
        })
        .await
    }

    /// Common and own properties are set independently of each other: where one part fails,
    /// the other is set all the same (201).
    pub(crate) async fn set_group_props(
        &self,
        requestor: Requestor,
        request: SetGroupProps,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let shared = self.shared.clone();
        self.change_group(key, move |tx| set(tx, &shared, &requestor, &request))
            .await
    }
}

fn set(
    tx: &mut Tx<'_>,
    shared: &Shared,
    requestor: &Requestor,
    request: &SetGroupProps,
) -> Changed {
    let view = View::read(tx, &request.group, requestor)?;
    let mut effects = Effects::of(&request.group);
    effects.except(&requestor.user, &client_of(requestor));
    let mut failures = Failures::new();
    let mut parts = 0;
    let mut failed = Vec::new();
    if let Some(given) = &request.properties {
        parts += 1;
        let new = new_properties(tx, shared, &view, requestor, given);
        match new {
            Ok(new) => set_common(tx, shared, &view.group, new, &mut effects)?,
            Err(Failure::Refused(refusal)) => failed.push(refusal),
            Err(store) => return Err(store),
        }
    }
    if let Some(given) = &request.own {
        parts += 1;
        match new_own(tx, &view, requestor, given) {
            Ok(member) => keep_member(tx, &request.group, &member)?,
            Err(Failure::Refused(refusal)) => failed.push(refusal),
            Err(store) => return Err(store),
        }
    }
    if let [only] = failed.as_slice()
        && parts == 1
    {
        return Err(Failure::Refused(only.clone()));
    }
    let something = parts == 0 || failed.len() < parts;
    for refusal in failed {
        let block = failures.block(refusal.code);
        block.description = refusal.description;
        if !block.groups.contains(&request.group) {
            block.groups.push(request.group.clone());
        }
    }
    Ok((
        outcome(failures, something)?,
        vec![effects.seal(tx, shared)?],
    ))
}

fn new_properties(
    tx: &mut Tx<'_>,
    shared: &Shared,
    view: &View,
    requestor: &Requestor,
    given: &GivenProperties,
) -> Result<GroupProperties, Failure> {
    view.check(&requestor.user, Operation::SetProperties)?;
    let around = around(tx, &view.group)?;
    let current = &view.group.properties;
    changed(current, given, around, &shared.groups).map_err(Failure::from)
}

fn new_own(
    tx: &mut Tx<'_>,
    view: &View,
    requestor: &Requestor,
    given: &GivenProperties,
) -> Result<StoredMember, Failure> {
    let user = &requestor.user;
    view.check(user, Operation::SetOwnProperties)?;
    let mut member = view.member.clone().unwrap_or_else(|| nothing(user));
    let own = changed_own(&member.own, given, view.standing(user))?;
    check_name(tx, &view.group, user, &member.own, &own)?;
    member.own = own;
    Ok(member)
}

/// A name that is another's cannot be kept, nor be kept for AutoJoin when it has become
/// another's meanwhile: 811.
pub(super) fn check_name(
    tx: &mut Tx<'_>,
    group: &StoredGroup,
    user: &UserId,
    old: &OwnProperties,
    new: &OwnProperties,
) -> Result<(), Failure> {
    let begins = new.auto_join && !old.auto_join;
    let is_as_before = old.screen_name == new.screen_name && !begins;
    let Some(name) = new.screen_name.as_ref().filter(|_| !is_as_before) else {
        return Ok(());
    };
    let taken =
        super::names::is_reserved(name) || tx.is_screen_name_taken(&group.id, name, user)?;
    match taken {
        true => Err(Refusal::new(StatusCode::SCREEN_NAME_IN_USE).into()),
        false => Ok(()),
    }
}

/// Sets common properties, with their effects on who is there.
pub(super) fn set_common(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
    new: GroupProperties,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    let around = around(tx, group)?;
    let old = &group.properties;
    effects.properties(difference(old, &new, around, &shared.groups));
    let becomes_restricted = old.access == AccessType::Open && new.access == AccessType::Restricted;
    let expires = match old.validity == new.validity {
        true => group.expires,
        false => ends(new.validity),
    };
    let group = StoredGroup {
        expires,
        properties: new,
        ..group.clone()
    };
    tx.update_group(&group)?;
    if becomes_restricted {
        let strangers: Vec<StoredJoined> = tx
            .group_presences(&group.id)?
            .into_iter()
            .filter(|present| !present.is_member)
            .map(|present| present.joined)
            .filter(|joined| group.owner.as_ref() != Some(&joined.user))
            .collect();
        let code = StatusCode::GROUP_IS_RESTRICTED;
        take_out(tx, &group, &strangers, Reason::Others(code), effects)?;
    }
    Ok(())
}

pub(super) fn around(tx: &mut Tx<'_>, group: &StoredGroup) -> Result<Surroundings, StoreError> {
    Ok(Surroundings {
        public: group.owner.is_none(),
        active: tx.count_group_joined(&group.id)?,
    })
}
