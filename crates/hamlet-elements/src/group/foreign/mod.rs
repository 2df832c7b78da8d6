//! Groups of other domains (csp-group 4, ssp 11.3). The group's domain knows a user without
//! his clients; here is known which of them are joined, and what reaches the user is spread
//! over these. So all clients of a user share one join there, and its screen name.

mod arrive;
mod auto_join;
mod join;

use super::change::{client_of, done};
use super::effects::Effects;
use super::types::{LeaveGroup, RejectList, SubscribeGroupNotice, SubscribeType};
use crate::elements::Inner;
use crate::failure::refusal;
use crate::once;
use crate::outbox::{Expected, Parcel};
use crate::service::{Answer, Event, IdempotenceKey, Request, Requestor, Response};
use hamlet_model::{GroupId, Refusal, StatusCode, Timestamp, UserId};
use join::{Note, wanted};
use std::time::Duration;
use tokio::time::Instant;

pub(super) use join::tell_home_of_leave;
pub(crate) use join::undo_late_join;

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
    pub(crate) async fn ask_group(
        &self,
        user: &UserId,
        group: &GroupId,
        request: Request,
    ) -> Answer {
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
        let wanted = match &request {
            Request::SetGroupProps(set) => set.own.as_ref().and_then(wanted),
            _ => None,
        };
        let note = wanted.map_or(Note::Nothing, |wanted| Note::AutoJoin {
            user: user.clone(),
            wanted,
        });
        let answer = self.ask_surely(&user, group, request, key, note).await;
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
        let (answer, events, gone) = self
            .store
            .write(move |tx| {
                let Some(answer) = &answer else {
                    // A join stays, so that its late success can be undone.
                    let gone = !matches!(note, Note::Joined { .. });
                    if gone {
                        tx.remove_outbox(id)?;
                    }
                    return Ok((Err(StatusCode::TIMEOUT.into()), Vec::new(), gone));
                };
                tx.remove_outbox(id)?;
                let (answer, events) = note.conclude(tx, &shared, &group, answer)?;
                if answer.is_ok() {
                    once::settle(tx, key.as_ref(), &answer)?;
                }
                Ok((answer, events, true))
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.rooms.forget(&told_group);
        self.emit(events);
        if gone && let Err(error) = self.next_in_line(&[id]).await {
            tracing::warn!(%error, "what waits behind a request goes later");
        }
        answer
    }
}

fn is_question(list: &RejectList) -> bool {
    list.add == Default::default() && list.remove == Default::default()
}
