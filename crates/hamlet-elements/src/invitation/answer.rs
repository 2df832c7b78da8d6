//! Answers to invitations (csp-access 10.2).

use super::arrive::{push_name, read};
use super::{AnswerInvitation, AnswerShown, CancellationShown};
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::group::{self, Telling};
use crate::notification::Notification;
use crate::once;
use crate::outbox::Parcel;
use crate::push::{Push, PushContent, Pushed};
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Request, Requestor, Response};
use hamlet_model::{Refusal, SessionId, StatusCode, Timestamp, UserId};
use hamlet_store::{InvitationState, StoreError, StoredInvitation, Tx};
use std::sync::Arc;
use std::time::Duration;

impl Inner {
    /// An invitee here says yes or no: 423 unless the invitation waits for that.
    pub(crate) async fn answer_invitation(
        &self,
        requestor: Requestor,
        request: AnswerInvitation,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let (shared, life) = (self.shared.clone(), self.config.invitations.answer_life);
        let (answer, events, telling) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, Vec::new(), None));
                }
                let now = Timestamp::now();
                let Some(kept) = tx.invitation_shown(&requestor.user, &request.id, now)? else {
                    return Ok((Err(unknown()), Vec::new(), None));
                };
                let mut events = settle(tx, &kept, &request, requestor.session.as_ref())?;
                let telling = answered(tx, &shared, &kept, request.accepted)?;
                let told = AnswerShown {
                    id: kept.id,
                    inviter: kept.inviter,
                    invitee: kept.invitee,
                    accepted: request.accepted,
                    note: request.note.clone(),
                    screen_name: request.screen_name.clone(),
                };
                events.push(tell_inviter(tx, &shared, told, life)?);
                let answer = Ok(Response::Done(Outcome::default()));
                once::settle(tx, key.as_ref(), &answer)?;
                Ok((answer, events, telling))
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.emit(events);
        self.tell_groups(telling.into_iter().collect()).await;
        answer
    }

    /// An invitee elsewhere has answered an invitation of a user here.
    pub(crate) async fn take_invitation_answer(
        &self,
        told: AnswerShown,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let (shared, life) = (self.shared.clone(), self.config.invitations.answer_life);
        let (answer, events, telling) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, Vec::new(), None));
                }
                let kept = tx.invitation(&told.inviter, &told.id, &told.invitee)?;
                let waits = |kept: &StoredInvitation| {
                    kept.state == InvitationState::Pending && kept.expires > Timestamp::now()
                };
                let kept = kept.filter(waits);
                let Some(kept) = kept.filter(|_| shared.is_home(&told.inviter)) else {
                    return Ok((Err(unknown()), Vec::new(), None));
                };
                let telling = answered(tx, &shared, &kept, told.accepted)?;
                let state = state(told.accepted);
                tx.set_invitation_state(&told.inviter, &told.id, &told.invitee, state)?;
                let event = tell_inviter(tx, &shared, told.clone(), life)?;
                let answer = Ok(Response::Done(Outcome::default()));
                once::settle(tx, key.as_ref(), &answer)?;
                Ok((answer, vec![event], telling))
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.emit(events);
        self.tell_groups(telling.into_iter().collect()).await;
        answer
    }
}

/// What the answer means to the group that the invitation is to.
fn answered(
    tx: &mut Tx<'_>,
    shared: &Shared,
    kept: &StoredInvitation,
    accepted: bool,
) -> Result<Option<Telling>, StoreError> {
    match read(kept) {
        Some(invitation) => group::answered(tx, shared, &invitation, &kept.invitee, accepted),
        None => Ok(None),
    }
}

/// Notes the answer; the other sessions of the invitee need not ask any more.
fn settle(
    tx: &mut Tx<'_>,
    kept: &StoredInvitation,
    request: &AnswerInvitation,
    session: Option<&SessionId>,
) -> Result<Vec<Event>, StoreError> {
    let state = state(request.accepted);
    tx.set_invitation_state(&kept.inviter, &kept.id, &kept.invitee, state)?;
    let Some(invitation) = read(kept) else {
        return Ok(Vec::new());
    };
    let name = push_name(&invitation);
    tx.remove_push(&kept.invitee, &name)?;
    let shown = kept.shown.clone();
    let rather = match request.accepted {
        true => Notification::InvitationAccepted(shown.clone()),
        false => Notification::InvitationRejected(shown.clone()),
    };
    let push = Push {
        id: format!("settled {name}"),
        since: Timestamp::now(),
        expires: kept.expires,
        durable: false,
        content: PushContent::InvitationCancelled(Box::new(CancellationShown {
            id: shown,
            invitee: kept.invitee.clone(),
            invitation,
            note: None,
        })),
    };
    Ok(vec![Event::Push(Pushed {
        user: kept.invitee.clone(),
        push: Arc::new(push),
        except: session.cloned(),
        instead_of: Some(name),
        rather: Some(rather),
    })])
}

/// Tells the inviter, here or in his domain.
fn tell_inviter(
    tx: &mut Tx<'_>,
    shared: &Shared,
    told: AnswerShown,
    life: Duration,
) -> Result<Event, StoreError> {
    let now = Timestamp::now();
    let (inviter, invitee): (UserId, UserId) = (told.inviter.clone(), told.invitee.clone());
    if !shared.is_home(&inviter) {
        let domain = inviter.domain();
        let parcel = Parcel::request(invitee, Request::InvitationAnswer(Box::new(told)));
        tx.put_outbox(&parcel.entry(domain, now.plus(life))?)?;
        return Ok(Event::Outbox);
    }
    let push = Push {
        id: format!("answer {} {invitee} {}", now.millis(), told.id),
        since: now,
        expires: now.plus(life),
        durable: true,
        content: PushContent::InvitationAnswer(Box::new(told)),
    };
    push.put(tx, &inviter)?;
    Ok(Event::Push(Pushed::to(inviter, push)))
}

fn state(accepted: bool) -> InvitationState {
    match accepted {
        true => InvitationState::Accepted,
        false => InvitationState::Rejected,
    }
}

fn unknown() -> Refusal {
    StatusCode::INVALID_INVITATION_ID.into()
}
