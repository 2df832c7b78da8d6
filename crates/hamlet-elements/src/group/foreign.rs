//! Groups of other domains (csp-group 4, ssp 11.3). The group's domain knows a user without
//! his clients; here is known which of them are joined, and what reaches the user is spread
//! over these. So all clients of a user share one join there, and its screen name.

use super::change::{client_of, done};
use super::effects::{Effects, joined_event};
use super::types::{
    ForeignGroupLeave, ForeignGroupNotice, GetGroupProps, GetJoinedUsers, JoinGroup, Joined,
    LeaveGroup, RejectList, SubscribeGroupNotice, SubscribeType,
};
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::once;
use crate::outbox::{Expected, Parcel};
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Request, Requestor, Response};
use hamlet_model::{GroupId, Refusal, ScreenName, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, StoredJoined, Tx};
use std::time::Duration;
use tokio::time::Instant;

/// How long a request is worth sending whose sender has stopped waiting.
const REQUEST_LIFE: Duration = Duration::from_secs(3600);

impl Inner {
    /// Carries out what is done here, and asks the group's domain for the rest.
    pub(crate) async fn group_elsewhere(
        &self,
        requestor: Requestor,
        request: Request,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        match request {
            Request::JoinGroup(request) => self.join_elsewhere(requestor, *request, key).await,
            Request::LeaveGroup(request) => self.leave_elsewhere(requestor, request, key).await,
            Request::SubscribeGroupNotice(request) => {
                self.subscribe_elsewhere(requestor, request, key).await
            }
            Request::GetJoinedUsers(request) => {
                self.check_joined_elsewhere(&requestor, &request.group)
                    .await?;
                let group = request.group.clone();
                self.ask_group(&requestor.user, &group, Request::GetJoinedUsers(request))
                    .await
            }
            Request::GetGroupMembers(ref read) => {
                let group = read.group.clone();
                self.ask_group(&requestor.user, &group, request).await
            }
            Request::GetGroupProps(ref read) => {
                let group = read.group.clone();
                self.ask_group(&requestor.user, &group, request).await
            }
            Request::RejectList(ref list) if is_question(list) => {
                let group = list.group.clone();
                self.ask_group(&requestor.user, &group, request).await
            }
            Request::DeleteGroup(ref change) => {
                let group = change.group.clone();
                self.change_elsewhere(requestor, &group, request, key).await
            }
            Request::AddGroupMembers(ref change) => {
                let group = change.group.clone();
                self.change_elsewhere(requestor, &group, request, key).await
            }
            Request::RemoveGroupMembers(ref change) => {
                let group = change.group.clone();
                self.change_elsewhere(requestor, &group, request, key).await
            }
            Request::MemberAccess(ref change) => {
                let group = change.group.clone();
                self.change_elsewhere(requestor, &group, request, key).await
            }
            Request::SetGroupProps(ref change) => {
                let group = change.group.clone();
                self.change_elsewhere(requestor, &group, request, key).await
            }
            Request::RejectList(ref change) => {
                let group = change.group.clone();
                self.change_elsewhere(requestor, &group, request, key).await
            }
            _ => Err(StatusCode::SERVICE_NOT_SUPPORTED.into()),
        }
    }

    async fn join_elsewhere(
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
        if !session {
            return Err(StatusCode::INVALID_SESSION.into());
        }
        if joined
            .iter()
            .any(|joined| joined.session == requestor.session)
        {
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
        };
        let answer = self
            .ask_surely(&user, &group, ask.clone(), key.clone(), note.clone())
            .await;
        match answer {
            // There he is still joined from before; here nobody knows of it.
            Err(ref refused) if refused.code == StatusCode::ALREADY_JOINED => {
                let leave = Request::LeaveGroup(LeaveGroup {
                    group: group.clone(),
                });
                self.ask_surely(&user, &group, leave, None, Note::Nothing)
                    .await?;
                self.ask_surely(&user, &group, ask, key, note).await
            }
            other => other,
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
            super::join::has_session(tx, &requestor)?;
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

    async fn leave_elsewhere(
        &self,
        requestor: Requestor,
        request: LeaveGroup,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let shared = self.shared.clone();
        let answer = self
            .change_group(key, move |tx| {
                let (user, group) = (&requestor.user, &request.group);
                if !tx.remove_group_joined(group, user, &client_of(&requestor))? {
                    return Err(StatusCode::NOT_JOINED.into());
                }
                tell_home_of_leave(tx, &shared, group, user)?;
                let mut effects = Effects::of(group);
                if let Some(session) = requestor.session.clone() {
                    effects.event(Event::GroupUnjoined {
                        session,
                        group: group.clone(),
                    });
                }
                Ok((done(), vec![effects.seal(tx, &shared)?]))
            })
            .await;
        self.emit([Event::Outbox]);
        answer
    }

    async fn subscribe_elsewhere(
        &self,
        requestor: Requestor,
        request: SubscribeGroupNotice,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        self.change_group(key, move |tx| {
            let (user, client) = (&requestor.user, client_of(&requestor));
            let joined = tx.group_joined_client(&request.group, user, &client)?;
            let joined = joined.ok_or(StatusCode::NOT_JOINED)?;
            let subscribed = match request.kind {
                SubscribeType::Get => {
                    return Ok((Response::GroupNotices(joined.subscribed), Vec::new()));
                }
                SubscribeType::Set => true,
                SubscribeType::Unset => false,
            };
            tx.set_group_subscribed(&request.group, user, &client, subscribed)?;
            Ok((done(), Vec::new()))
        })
        .await
    }

    async fn check_joined_elsewhere(
        &self,
        requestor: &Requestor,
        group: &GroupId,
    ) -> Result<(), Refusal> {
        let (user, client, id) = (requestor.user.clone(), client_of(requestor), group.clone());
        let joined = self
            .store
            .read(move |tx| tx.group_joined_client(&id, &user, &client))
            .await
            .map_err(|error| refusal(&error))?;
        match joined {
            Some(_) => Ok(()),
            None => Err(StatusCode::NOT_JOINED.into()),
        }
    }

    /// A question, which changes nothing.
    async fn ask_group(&self, user: &UserId, group: &GroupId, request: Request) -> Answer {
        let wait = self.config.groups.foreign_wait;
        let domain = group.domain();
        let answer = self.relay.ask(&domain, user.clone(), request, wait).await;
        self.notice_lost_join(user, group, &answer).await;
        answer
    }

    async fn change_elsewhere(
        &self,
        requestor: Requestor,
        group: &GroupId,
        request: Request,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let user = requestor.user;
        let answer = self
            .ask_surely(&user, group, request, key, Note::Nothing)
            .await;
        self.notice_lost_join(&user, group, &answer).await;
        answer
    }

    /// Asks by the outbox, so that a lost frame loses nothing, and waits for the answer: 504
    /// when it does not come in time, 516 without a way.
    async fn ask_surely(
        &self,
        user: &UserId,
        group: &GroupId,
        request: Request,
        key: Option<IdempotenceKey>,
        note: Note,
    ) -> Answer {
        let domain = group.domain();
        if !self.relay.reaches(domain.as_str()) {
            return Err(StatusCode::DOMAIN_NOT_SUPPORTED.into());
        }
        let deadline = Instant::now() + self.config.groups.foreign_wait;
        let parcel = Parcel::request(user.clone(), request);
        let (waiting, asked_key) = (self.waiting.clone(), key.clone());
        let asked: Result<Expected, Answer> = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, asked_key.as_ref())? {
                    return Ok(Err(earlier));
                }
                let expires = Timestamp::now().plus(REQUEST_LIFE);
                let id = tx.put_outbox(&parcel.entry(domain.clone(), expires)?)?;
                Ok(Ok(waiting.expect(id)))
            })
            .await
            .map_err(|error| refusal(&error))?;
        let expected = match asked {
            Ok(expected) => expected,
            Err(earlier) => return earlier,
        };
        self.emit([Event::Outbox]);
        let id = expected.id();
        let answer = expected.answer(deadline).await;
        let (shared, group) = (self.shared.clone(), group.clone());
        let told_group = group.clone();
        let (answer, events) = self
            .store
            .write(move |tx| {
                let Some(answer) = &answer else {
                    // A join stays, so that its late success can be undone.
                    if matches!(note, Note::Nothing) {
                        tx.remove_outbox(id)?;
                    }
                    return Ok((Err(StatusCode::TIMEOUT.into()), Vec::new()));
                };
                tx.remove_outbox(id)?;
                let (answer, events) = note.conclude(tx, &shared, &group, answer)?;
                if answer.is_ok() {
                    once::settle(tx, key.as_ref(), &answer)?;
                }
                Ok((answer, events))
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.rooms.forget(&told_group);
        self.emit(events);
        answer
    }

    /// The group's domain says that the user is not joined, or that there is no such group,
    /// though he was: his clients hear of it.
    pub(crate) async fn notice_lost_join(&self, user: &UserId, group: &GroupId, answer: &Answer) {
        let lost = [StatusCode::NOT_JOINED, StatusCode::NO_SUCH_GROUP];
        let code = match answer {
            Err(refusal) if lost.contains(&refusal.code) => refusal.code,
            _ => return,
        };
        let leave = ForeignGroupLeave {
            group: group.clone(),
            users: vec![user.clone()],
            code,
        };
        if let Err(refusal) = self.take_group_leave(leave, None).await {
            tracing::warn!(%refusal, "a lost join could not be told");
        }
    }

    /// Something has changed in a group elsewhere.
    pub(crate) async fn take_group_notice(
        &self,
        notice: ForeignGroupNotice,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let ForeignGroupNotice {
            group,
            users,
            change,
        } = notice;
        let of = group.clone();
        let (repeated, sessions) = self
            .store
            .write(move |tx| {
                if once::recall(tx, key.as_ref())?.is_some() {
                    return Ok((true, Vec::new()));
                }
                once::settle(tx, key.as_ref(), &Ok(done()))?;
                let mut sessions = Vec::new();
                for user in &users {
                    let joined = tx.joined_of_user(&of, user)?;
                    let listening = joined
                        .into_iter()
                        .filter(|join| join.copy && join.subscribed);
                    sessions.extend(listening.filter_map(|joined| joined.session));
                }
                Ok((false, sessions))
            })
            .await
            .map_err(|error| refusal(&error))?;
        if !repeated {
            let change = std::sync::Arc::new(change);
            self.emit(sessions.into_iter().map(|session| Event::GroupNotice {
                session,
                group: group.clone(),
                change: change.clone(),
            }));
        }
        Ok(Response::Done(Outcome::default()))
    }

    /// Users are out of a group elsewhere.
    pub(crate) async fn take_group_leave(
        &self,
        leave: ForeignGroupLeave,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let ForeignGroupLeave { group, users, code } = leave;
        let of = group.clone();
        let sessions = self
            .store
            .write(move |tx| {
                if once::recall(tx, key.as_ref())?.is_some() {
                    return Ok(Vec::new());
                }
                once::settle(tx, key.as_ref(), &Ok(done()))?;
                let mut sessions = Vec::new();
                for user in &users {
                    let joined = tx.joined_of_user(&of, user)?;
                    for joined in joined.into_iter().filter(|joined| joined.copy) {
                        tx.remove_group_joined(&of, user, &joined.client)?;
                        sessions.extend(joined.session);
                    }
                }
                if tx.count_group_joined(&of)? == 0 {
                    tx.forget_group(&of)?;
                }
                Ok(sessions)
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.rooms.forget(&group);
        self.emit(sessions.into_iter().map(|session| Event::GroupLeft {
            session,
            group: group.clone(),
            code,
        }));
        Ok(Response::Done(Outcome::default()))
    }
}

/// What is noted here of an answer.
#[derive(Debug, Clone)]
enum Note {
    Nothing,
    /// The client that is joined now.
    Joined {
        requestor: Requestor,
        subscribe: bool,
    },
}

impl Note {
    /// The answer for the client, and whether something waits in the outbox.
    fn conclude(
        &self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        group: &GroupId,
        answer: &Answer,
    ) -> Result<(Answer, Vec<Event>), StoreError> {
        let (
            Self::Joined {
                requestor,
                subscribe,
            },
            Ok(Response::GroupJoined(joined)),
        ) = (self, answer)
        else {
            return Ok((answer.clone(), Vec::new()));
        };
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
pub(super) fn tell_home_of_leave(
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

fn is_question(list: &RejectList) -> bool {
    list.add == Default::default() && list.remove == Default::default()
}
