//! Joining a group of another domain: one join there, and one screen name, for all clients of a
//! user here.

use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::group::change::client_of;
use crate::group::effects::{Effects, joined_event};
use crate::group::join::has_session;
use crate::group::types::{
    GetGroupProps, GetJoinedUsers, GivenProperties, JoinGroup, Joined, LeaveGroup, SetGroupProps,
};
use crate::outbox::Parcel;
use crate::service::{Answer, Event, IdempotenceKey, Request, Requestor, Response};
use hamlet_model::{GroupId, OwnProperty, Refusal, ScreenName, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, StoredJoined, Tx};

impl Inner {
    pub(super) async fn join_elsewhere(
        &self,
        requestor: Requestor,
        request: JoinGroup,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let (group, user) = (request.group.clone(), requestor.user.clone());
        let given = match &request.screen_name {
            Some(given) => Some(ScreenName::new(given).ok_or(StatusCode::BAD_PARAMETER)?),
            None => None,
        };
        let joined = self.joined_clients(&requestor, &group).await?;
        if is_among(&requestor, &joined) {
            return Err(StatusCode::ALREADY_JOINED.into());
        }
        if let Some(other) = joined.first() {
            return self
                .join_along(requestor, request, given, other.clone(), key)
                .await;
        }
        let ask = Request::JoinGroup(Box::new(JoinGroup {
            // Which of the clients hear of changes is decided here.
            subscribe: true,
            ..request.clone()
        }));
        let note = Note::Joined {
            requestor: requestor.clone(),
            subscribe: request.subscribe,
            auto_join: wanted(&request.own),
        };
        let answer = self
            .ask_surely(&user, &group, ask.clone(), key.clone(), note.clone())
            .await;
        match answer {
            // There he is joined from before, as far as is known here.
            Err(ref refused) if refused.code == StatusCode::ALREADY_JOINED => {
                let joined = self.joined_clients(&requestor, &group).await?;
                if is_among(&requestor, &joined) {
                    // Joined automatically at the same time: its place in the log stays.
                    return Err(StatusCode::ALREADY_JOINED.into());
                }
                if let Some(other) = joined.into_iter().next() {
                    // Another of his clients was faster.
                    return self.join_along(requestor, request, given, other, key).await;
                }
                let leave = Request::LeaveGroup(LeaveGroup {
                    group: group.clone(),
                });
                let left = self
                    .ask_surely(&user, &group, leave, None, Note::Nothing)
                    .await;
                // A join that was given up may be undone by itself meanwhile.
                if let Err(refused) = left
                    && refused.code != StatusCode::NOT_JOINED
                {
                    return Err(refused);
                }
                self.ask_surely(&user, &group, ask, key, note).await
            }
            other => other,
        }
    }

    /// The clients of the user that are joined; 604 when his session has ended.
    async fn joined_clients(
        &self,
        requestor: &Requestor,
        group: &GroupId,
    ) -> Result<Vec<StoredJoined>, Refusal> {
        let (who, of) = (requestor.clone(), group.clone());
        let (session, joined) = self
            .store
            .read(move |tx| {
                let session = match &who.session {
                    Some(session) => tx.session(session)?.is_some(),
                    None => false,
                };
                Ok((session, tx.joined_of_user(&of, &who.user)?))
            })
            .await
            .map_err(|error| refusal(&error))?;
        match session {
            true => Ok(joined),
            false => Err(StatusCode::INVALID_SESSION.into()),
        }
    }

    /// Another client of the user is joined: this one comes along.
    async fn join_along(
        &self,
        requestor: Requestor,
        request: JoinGroup,
        given: Option<ScreenName>,
        other: StoredJoined,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        if given.is_some_and(|given| given != other.name) {
            let why = "Another client of the user is joined under another name";
            return Err(Refusal::because(StatusCode::SCREEN_NAME_IN_USE, why));
        }
        let (user, group) = (requestor.user.clone(), request.group.clone());
        if request.own != GivenProperties::default() {
            let own = SetGroupProps {
                group: group.clone(),
                properties: None,
                own: Some(request.own),
            };
            let request = Request::SetGroupProps(Box::new(own));
            self.change_elsewhere(requestor.clone(), &group, request, None)
                .await?;
        }
        let props = Request::GetGroupProps(GetGroupProps {
            group: group.clone(),
        });
        let welcome_note = match self.ask_group(&user, &group, props).await {
            Ok(Response::GroupProps(props)) => props.common.welcome_note,
            _ => None,
        };
        let users = match request.list_joined {
            true => {
                let list = Request::GetJoinedUsers(GetJoinedUsers {
                    group: group.clone(),
                });
                match self.ask_group(&user, &group, list).await? {
                    Response::JoinedUsers(joined) => Some(joined.users),
                    _ => None,
                }
            }
            false => None,
        };
        let joined = Joined {
            screen_name: other.name.clone(),
            users,
            welcome_note,
        };
        let shared = self.shared.clone();
        self.change_group(key, move |tx| {
            has_session(tx, &requestor)?;
            let response = Response::GroupJoined(Box::new(joined.clone()));
            let name = &joined.screen_name;
            let copy = put_copy(tx, &requestor, &group, name, request.subscribe)?;
            let mut effects = Effects::of(&group);
            joined_event(&copy)
                .into_iter()
                .for_each(|event| effects.event(event));
            Ok((response, vec![effects.seal(tx, &shared)?]))
        })
        .await
    }
}

/// What is noted here of an answer.
#[derive(Debug, Clone)]
pub(super) enum Note {
    Nothing,
    /// Whether the user wants to be joined at login.
    AutoJoin {
        user: UserId,
        wanted: bool,
    },
    /// The client that is joined now, and the same if he has said it.
    Joined {
        requestor: Requestor,
        subscribe: bool,
        auto_join: Option<bool>,
    },
}

impl Note {
    /// The answer for the client, and whether something waits in the outbox.
    pub(super) fn conclude(
        &self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        group: &GroupId,
        answer: &Answer,
    ) -> Result<(Answer, Vec<Event>), StoreError> {
        if let (Self::AutoJoin { user, wanted }, Ok(_)) = (self, answer) {
            note_auto_join(tx, shared, user, group, *wanted)?;
        }
        let (
            Self::Joined {
                requestor,
                subscribe,
                auto_join,
            },
            Ok(Response::GroupJoined(joined)),
        ) = (self, answer)
        else {
            return Ok((answer.clone(), Vec::new()));
        };
        if let Some(wanted) = auto_join {
            note_auto_join(tx, shared, &requestor.user, group, *wanted)?;
        }
        let session = match &requestor.session {
            Some(session) => tx.session(session)?,
            None => None,
        };
        if session.is_none() {
            // It has ended meanwhile, and joined nothing.
            let outbox = tell_home_of_leave(tx, shared, group, &requestor.user)?;
            let events = outbox.then_some(Event::Outbox).into_iter().collect();
            return Ok((Err(StatusCode::INVALID_SESSION.into()), events));
        }
        let copy = put_copy(tx, requestor, group, &joined.screen_name, *subscribe)?;
        let events = joined_event(&copy).into_iter().collect();
        Ok((answer.clone(), events))
    }
}

/// Whether the requestor's session is one of those that are joined.
fn is_among(requestor: &Requestor, joined: &[StoredJoined]) -> bool {
    let mut sessions = joined.iter().map(|joined| &joined.session);
    sessions.any(|session| *session == requestor.session)
}

/// What given own properties say of AutoJoin.
pub(super) fn wanted(own: &GivenProperties) -> Option<bool> {
    let is_auto_join = |name: &str| OwnProperty::parse(name) == Some(OwnProperty::AutoJoin);
    let mut given = own.properties.iter().rev();
    let (_, value) = given.find(|(name, _)| is_auto_join(name))?;
    Some(value.eq_ignore_ascii_case("T"))
}

/// Notes what the user wants, in as many groups as he may join.
fn note_auto_join(
    tx: &mut Tx<'_>,
    shared: &Shared,
    user: &UserId,
    group: &GroupId,
    wanted: bool,
) -> Result<(), StoreError> {
    let most = shared.groups.max_joined;
    match wanted && tx.auto_join_elsewhere(user, most)?.len() >= most {
        true => Ok(()),
        false => tx.set_auto_join_elsewhere(user, group, wanted),
    }
}

fn put_copy(
    tx: &mut Tx<'_>,
    requestor: &Requestor,
    group: &GroupId,
    name: &ScreenName,
    subscribed: bool,
) -> Result<StoredJoined, StoreError> {
    let cursor = tx.group_log_end(group)?;
    let copy = StoredJoined {
        group: group.clone(),
        user: requestor.user.clone(),
        client: client_of(requestor),
        session: requestor.session.clone(),
        copy: true,
        name: name.clone(),
        subscribed,
        joined: Timestamp::now(),
        cursor,
    };
    tx.put_group_joined(&copy)?;
    Ok(copy)
}

/// A client of the user is out: with the last one he leaves the group in its domain. Whether
/// something waits in the outbox.
pub(in crate::group) fn tell_home_of_leave(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &GroupId,
    user: &UserId,
) -> Result<bool, StoreError> {
    if tx.count_group_joined(group)? == 0 {
        tx.forget_group(group)?;
    }
    let domain = group.domain();
    if !tx.joined_of_user(group, user)?.is_empty() || !shared.reaches(&domain) {
        return Ok(false);
    }
    let leave = Request::LeaveGroup(LeaveGroup {
        group: group.clone(),
    });
    let expires = Timestamp::now().plus(shared.groups.foreign_life);
    tx.put_outbox(&Parcel::request(user.clone(), leave).entry(domain, expires)?)?;
    Ok(true)
}

/// Another domain has answered a request whose sender waits no more: a join that nobody here
/// knows of is undone.
pub(crate) fn undo_late_join(
    tx: &mut Tx<'_>,
    shared: &Shared,
    user: &UserId,
    request: &Request,
    answer: &Answer,
) -> Result<bool, StoreError> {
    match (request, answer) {
        (Request::JoinGroup(join), Ok(Response::GroupJoined(_))) => {
            tell_home_of_leave(tx, shared, &join.group, user)
        }
        _ => Ok(false),
    }
}
