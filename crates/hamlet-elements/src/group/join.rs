//! Joining a group (csp-group 5.3).

use super::admission::{Applicant, Entrance, Present, admit};
use super::change::{Changed, Failure, View, client_of, keep_member, nothing};
use super::create::given_name;
use super::effects::Effects;
use super::names::proposals;
use super::property::{changed_own, most};
use super::props::check_name;
use super::rights::{Operation, may};
use super::types::{GroupConfig, JoinGroup, Joined, JoinedUser};
use crate::elements::{Inner, Shared};
use crate::service::{Answer, IdempotenceKey, Requestor, Response};
use hamlet_model::{GroupId, Role, ScreenName, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, StoredGroup, StoredJoined, StoredMember, Tx};

impl Inner {
    pub(crate) async fn join_group(
        &self,
        requestor: Requestor,
        request: JoinGroup,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let (shared, who) = (self.shared.clone(), requestor.clone());
        let (group, list_joined) = (request.group.clone(), request.list_joined);
        let entry = Entry::Asked(request);
        let answer = self
            .change_group(key, move |tx| join(tx, &shared, &requestor, &entry))
            .await?;
        // The list is not kept for repetitions: it is read anew.
        match answer {
            Response::GroupJoined(mut joined) if list_joined => {
                joined.users = Some(self.who_is_joined(group, who).await?);
                Ok(Response::GroupJoined(joined))
            }
            other => Ok(other),
        }
    }

    async fn who_is_joined(
        &self,
        group: GroupId,
        requestor: Requestor,
    ) -> Result<Vec<JoinedUser>, hamlet_model::Refusal> {
        self.read_group(move |tx| {
            let view = View::read(tx, &group, &requestor)?;
            let sees_all = may(view.standing(&requestor.user), Operation::SeeEverybody).is_ok();
            Ok(joined_users(tx, &view.group, sees_all)?)
        })
        .await
    }
}

/// How somebody comes into a group.
pub(super) enum Entry {
    /// He asks.
    Asked(JoinGroup),
    /// He has AutoJoin; his client hears of changes, or not.
    Automatic { group: GroupId, hears: bool },
}

impl Entry {
    fn group(&self) -> &GroupId {
        match self {
            Self::Asked(request) => &request.group,
            Self::Automatic { group, .. } => group,
        }
    }
}

pub(super) fn join(
    tx: &mut Tx<'_>,
    shared: &Shared,
    requestor: &Requestor,
    entry: &Entry,
) -> Changed {
    let (user, client) = (&requestor.user, client_of(requestor));
    let group = tx.group(entry.group())?.ok_or(StatusCode::NO_SUCH_GROUP)?;
    has_session(tx, requestor)?;
    let earlier = tx.group_joined_client(&group.id, user, &client)?;
    let member = tx.group_member(&group.id, user)?;
    let present = present(tx, requestor, earlier.as_ref())?;
    admission(
        tx,
        &group,
        requestor,
        member.as_ref(),
        present,
        &shared.groups,
    )?;
    let given = match entry {
        Entry::Asked(request) => request.screen_name.as_deref(),
        Entry::Automatic { .. } => None,
    };
    let given = given.map(given_name).transpose()?;
    let mut member = member.unwrap_or_else(|| nothing(user));
    if let Entry::Asked(request) = entry {
        let standing = super::change::standing(&group, user, Some(&member));
        let own = changed_own(&member.own, &request.own, standing)?;
        check_name(tx, &group, user, &member.own, &own)?;
        member.own = own;
    }
    let name = choose_name(tx, &group, given, Some(&member), user)?;
    let mut effects = Effects::of(&group.id);
    if let Some(dead) = earlier {
        tx.remove_group_joined(&group.id, user, &client)?;
        effects.left(&dead, StatusCode::LEFT_BY_SESSION_END);
    }
    let subscribe = match entry {
        Entry::Asked(request) => {
            effects.except(user, &client);
            request.subscribe
        }
        Entry::Automatic { hears, .. } => *hears,
    };
    let response = Joined {
        screen_name: name.clone(),
        users: None,
        welcome_note: group.properties.welcome_note.clone(),
    };
    enter(
        tx,
        &group,
        requestor,
        name,
        subscribe,
        &member,
        &mut effects,
    )?;
    tx.use_group_permissions(&group.id, user)?;
    let response = Response::GroupJoined(Box::new(response));
    Ok((response, vec![effects.seal(tx, shared)?]))
}

fn present(
    tx: &mut Tx<'_>,
    requestor: &Requestor,
    earlier: Option<&StoredJoined>,
) -> Result<Present, StoreError> {
    Ok(match earlier.map(|joined| &joined.session) {
        None => Present::No,
        Some(session) if *session == requestor.session => Present::Yes,
        Some(Some(other)) if tx.session(other)?.is_some() => Present::Yes,
        Some(_) => Present::Dead,
    })
}

fn admission(
    tx: &mut Tx<'_>,
    group: &StoredGroup,
    requestor: &Requestor,
    member: Option<&StoredMember>,
    present: Present,
    config: &GroupConfig,
) -> Result<(), Failure> {
    let user = &requestor.user;
    let standing = super::change::standing(group, user, member);
    let properties = &group.properties;
    let age = match properties.minimum_age {
        Some(_) => tx
            .profiles(std::slice::from_ref(user))?
            .remove(user)
            .and_then(|profile| profile.age),
        None => None,
    };
    let (invited, admitted) = tx.group_permission(&group.id, user, Timestamp::now())?;
    let applicant = Applicant {
        owner: standing.owner,
        admin: standing.rank() == Role::Admin,
        member: standing.member,
        rejected: tx.is_group_rejected(&group.id, user)?,
        invited,
        admitted,
        age,
        present,
        joined_groups: tx.count_joined_of_client(user, &client_of(requestor))?,
    };
    let entrance = Entrance {
        access: properties.access,
        require_invitation: properties.require_invitation,
        minimum_age: properties.minimum_age,
        active: tx.count_group_joined(&group.id)?,
        max_active: most(properties, config) as usize,
        max_joined: config.max_joined,
    };
    admit(&applicant, &entrance).map_err(Failure::from)
}

/// 604 for a session that has ended meanwhile: nobody is joined without one.
pub(super) fn has_session(tx: &mut Tx<'_>, requestor: &Requestor) -> Result<(), Failure> {
    match &requestor.session {
        Some(session) if tx.session(session)?.is_none() => Err(StatusCode::INVALID_SESSION.into()),
        _ => Ok(()),
    }
}

/// The name that is given, 811 if another has it; else the first that nobody has.
pub(super) fn choose_name(
    tx: &mut Tx<'_>,
    group: &StoredGroup,
    given: Option<ScreenName>,
    member: Option<&StoredMember>,
    user: &UserId,
) -> Result<ScreenName, Failure> {
    if let Some(given) = given {
        return match is_free(tx, &group.id, &given, user)? {
            true => Ok(given),
            false => Err(StatusCode::SCREEN_NAME_IN_USE.into()),
        };
    }
    let preferred = member.and_then(|member| member.own.screen_name.as_ref());
    for name in proposals(preferred, user) {
        if is_free(tx, &group.id, &name, user)? {
            return Ok(name);
        }
    }
    Err(StatusCode::SCREEN_NAME_IN_USE.into())
}

/// Another user has it, or another client of this one that is there.
fn is_free(
    tx: &mut Tx<'_>,
    group: &GroupId,
    name: &ScreenName,
    user: &UserId,
) -> Result<bool, StoreError> {
    if tx.is_screen_name_taken(group, name, user)? {
        return Ok(false);
    }
    match tx.group_joined_as(group, name.as_str())? {
        Some(StoredJoined {
            session: Some(session),
            ..
        }) => Ok(tx.session(&session)?.is_none()),
        Some(_) => Ok(false),
        None => Ok(true),
    }
}

/// The client is in the group from now on.
pub(super) fn enter(
    tx: &mut Tx<'_>,
    group: &StoredGroup,
    requestor: &Requestor,
    name: ScreenName,
    subscribed: bool,
    member: &StoredMember,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    // The name may be that of a dead session of the same user.
    if let Some(dead) = tx.group_joined_as(&group.id, name.as_str())? {
        tx.remove_group_joined(&group.id, &dead.user, &dead.client)?;
        effects.left(&dead, StatusCode::LEFT_BY_SESSION_END);
    }
    let joined = StoredJoined {
        group: group.id.clone(),
        user: requestor.user.clone(),
        client: client_of(requestor),
        session: requestor.session.clone(),
        copy: false,
        name,
        subscribed,
        joined: Timestamp::now(),
        cursor: tx.group_log_end(&group.id)?,
    };
    tx.put_group_joined(&joined)?;
    keep_member(tx, &group.id, member)?;
    let rank = super::change::standing(group, &joined.user, Some(member)).rank();
    effects.joined(&joined, rank, member.own.show_id);
    Ok(())
}

/// Everybody who is joined; addresses of those who show them, or of all.
pub(super) fn joined_users(
    tx: &mut Tx<'_>,
    group: &StoredGroup,
    sees_all: bool,
) -> Result<Vec<JoinedUser>, StoreError> {
    let present = tx.group_presences(&group.id)?;
    let shown = present.into_iter().map(|present| {
        let user = present.joined.user;
        let is_owner = group.owner.as_ref() == Some(&user);
        JoinedUser {
            name: present.joined.name,
            role: if is_owner { Role::Admin } else { present.role },
            user: (sees_all || present.show_id).then_some(user),
        }
    });
    Ok(shown.collect())
}
