//! Making a group (csp-group 5.1).

use super::change::{Changed, Failure, client_of, done, ends, nothing};
use super::effects::Effects;
use super::join::{choose_name, enter, has_session};
use super::names::is_reserved;
use super::property::{Surroundings, changed, changed_own};
use super::record::GroupEvent;
use super::rights::Standing;
use super::types::{CreateGroup, GroupConfig};
use crate::elements::{Inner, Shared};
use crate::notification::GroupNotice;
use crate::service::{Answer, IdempotenceKey, Requestor};
use hamlet_model::{
    GroupId, GroupProperties, OwnProperties, Refusal, Role, ScreenName, StatusCode, Timestamp,
    UserId,
};
use hamlet_store::{StoredGroup, StoredMember, Tx};

/// Longest address of a group that is made, characters (data-types 1.3).
const MAX_ADDRESS: usize = 100;

impl Inner {
    pub(crate) async fn create_group(
        &self,
        requestor: Requestor,
        request: CreateGroup,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let shared = self.shared.clone();
        if request.group.domain() != shared.domain {
            return Err(StatusCode::DOMAIN_NOT_SUPPORTED.into());
        }
        if request.group.owner().as_ref() != Some(&requestor.user) {
            let why = "A group bears the address of its owner";
            return Err(Refusal::because(StatusCode::INVALID_GROUP_PROPERTY, why));
        }
        check_address(&request.group)?;
        self.change_group(key, move |tx| create(tx, &shared, &requestor, &request))
            .await
    }
}

fn create(
    tx: &mut Tx<'_>,
    shared: &Shared,
    requestor: &Requestor,
    request: &CreateGroup,
) -> Changed {
    let (user, config) = (&requestor.user, &shared.groups);
    if tx.group(&request.group)?.is_some() {
        return Err(StatusCode::GROUP_EXISTS.into());
    }
    let properties = new_properties(request, config)?;
    let own = changed_own(
        &OwnProperties::default(),
        &request.own,
        Standing {
            owner: true,
            ..Standing::default()
        },
    )?;
    if own.screen_name.as_ref().is_some_and(is_reserved) {
        return Err(StatusCode::SCREEN_NAME_IN_USE.into());
    }
    check_room(tx, user, config)?;
    let name = match (&request.screen_name, request.join) {
        (Some(given), true) => Some(given_name(given)?),
        _ => None,
    };
    if request.join {
        has_session(tx, requestor)?;
        let joined = tx.count_joined_of_client(user, &client_of(requestor))?;
        if joined >= config.max_joined {
            return Err(StatusCode::TOO_MANY_GROUPS.into());
        }
    }
    let group = StoredGroup {
        id: request.group.clone(),
        owner: Some(user.clone()),
        created: Timestamp::now(),
        expires: ends(properties.validity),
        properties,
    };
    tx.create_group(&group)?;
    let member = owner(user, own);
    tx.put_group_member(&group.id, &member)?;
    let mut effects = Effects::of(&group.id);
    effects.record(GroupEvent::Created {
        owner: group.owner.clone(),
    });
    effects.notify(
        shared,
        user,
        requestor.session.as_ref(),
        GroupNotice::Created,
    );
    if request.join {
        let name = choose_name(tx, &group, name, Some(&member), user)?;
        effects.except(user, &client_of(requestor));
        enter(
            tx,
            &group,
            requestor,
            name,
            request.subscribe,
            &member,
            &mut effects,
        )?;
    }
    Ok((done(), vec![effects.seal(tx, shared)?]))
}

/// What the owner of a group is to it: always a member, and an administrator.
pub(super) fn owner(user: &UserId, own: OwnProperties) -> StoredMember {
    StoredMember {
        is_member: true,
        role: Role::Admin,
        own,
        ..nothing(user)
    }
}

/// 402 for a name that cannot be, 811 for one that nobody may have.
pub(super) fn given_name(given: &str) -> Result<ScreenName, Failure> {
    let name = ScreenName::new(given).ok_or_else(|| {
        Refusal::because(
            StatusCode::BAD_PARAMETER,
            "A screen name has 1 to 50 characters",
        )
    })?;
    match is_reserved(&name) {
        true => Err(StatusCode::SCREEN_NAME_IN_USE.into()),
        false => Ok(name),
    }
}

/// 814 and 815.
pub(super) fn check_room(
    tx: &mut Tx<'_>,
    user: &UserId,
    config: &GroupConfig,
) -> Result<(), Failure> {
    let (own, all) = tx.count_groups(user)?;
    if own >= config.max_owned {
        return Err(StatusCode::TOO_MANY_GROUPS.into());
    }
    if all >= config.max_groups {
        return Err(StatusCode::SERVER_HAS_TOO_MANY_GROUPS.into());
    }
    Ok(())
}

fn new_properties(request: &CreateGroup, config: &GroupConfig) -> Result<GroupProperties, Refusal> {
    let around = Surroundings {
        public: false,
        active: 0,
    };
    changed(
        &GroupProperties::default(),
        &request.properties,
        around,
        config,
    )
}

/// 806 for an address that phones could not use (csp-group 1.1).
pub(super) fn check_address(group: &GroupId) -> Result<(), Refusal> {
    let legal = |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b'/' | b'@' | b'+');
    match group.as_str().len() <= MAX_ADDRESS && group.name().bytes().all(legal) {
        true => Ok(()),
        false => Err(Refusal::because(
            StatusCode::INVALID_GROUP_PROPERTY,
            "A group has no such address",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::Domain;

    #[test]
    fn a_group_has_an_address_that_phones_can_use() {
        let home = Domain::parse("a").unwrap();
        for (name, expected) in [
            ("wv:anna/party", true),
            ("wv:anna/party-2.x_y~z", true),
            ("wv:anna/a%20b", true),
            ("wv:anna/a/b", false),
            ("wv:anna/a+b", false),
            ("wv:anna/ä", false),
            (&format!("wv:anna/{}", "x".repeat(89)), true),
            (&format!("wv:anna/{}", "x".repeat(91)), false),
        ] {
            let group = GroupId::parse(name, &home).unwrap();
            assert_eq!(check_address(&group).is_ok(), expected, "{name}");
        }
    }
}
