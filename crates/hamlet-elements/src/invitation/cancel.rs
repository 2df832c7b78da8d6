//! Withdrawing an invitation (csp-access 10.2).

use super::arrive::{push_name, read};
use super::check::check_id;
use super::{CancelInvitation, CancellationShown, Invitation, InviteType, WithdrawInvitation};
use crate::content::unshare;
use crate::elements::Inner;
use crate::failure::{encoding, refusal};
use crate::im::check_sender;
use crate::notification::Notification;
use crate::once;
use crate::outbox::Parcel;
use crate::push::{Push, PushContent, Pushed};
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Request, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{Domain, GroupId, MessageParty, StatusCode, Timestamp, UserId};
use hamlet_store::{InvitationState, StoreError, StoredInvitation, Tx};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Inner {
    /// Withdraws an invitation from those who have not answered it: 423 unless there is one
    /// of this inviter.
    pub(crate) async fn cancel_invitation(
        &self,
        requestor: Requestor,
        request: CancelInvitation,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        check_id(&request.id)?;
        match &request.sender {
            Some(MessageParty::ScreenName { name, group }) => {
                let joined = self.groups.is_joined_as(&requestor.user, name, group);
                if !joined.await {
                    return Err(StatusCode::NOT_JOINED.into());
                }
            }
            claimed => drop(check_sender(claimed.clone(), &requestor)?),
        }
        let mut groups = None;
        let (named, failures) = match request.recipients {
            None => (None, Failures::new()),
            Some(recipients) => {
                let through = recipients.parties.iter().filter_map(|party| match party {
                    MessageParty::Group(group) => Some(group.clone()),
                    _ => None,
                });
                groups = Some(through.collect());
                // The same people that the addresses mean in an invitation to talk.
                let resolved = self.invitees(&requestor, recipients, InviteType::Messaging);
                let resolved = resolved.await.map_err(|error| refusal(&error))?;
                let local = resolved.local.into_iter().map(|(user, _)| user);
                let foreign = resolved.foreign.into_values().flatten();
                let foreign = foreign.filter_map(|party| match party {
                    MessageParty::User { user, .. } => Some(user),
                    _ => None,
                });
                (Some(local.chain(foreign).collect()), resolved.failures)
            }
        };
        let withdrawal = Withdrawal {
            inviter: requestor.user.clone(),
            id: request.id.clone(),
            named,
            groups,
            note: request.note,
            home: self.config.domain.clone(),
        };
        let (answer, events) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, Vec::new()));
                }
                let (answer, events) = withdrawal.carry_out(tx, failures.clone())?;
                if answer.is_ok() {
                    once::settle(tx, key.as_ref(), &answer)?;
                }
                Ok((answer, events))
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.emit(events);
        if answer.is_ok() {
            self.emit([Event::Notification {
                user: requestor.user,
                except: requestor.session,
                notification: Notification::InvitationCancelled(request.id),
            }]);
        }
        answer
    }

    /// An inviter elsewhere has withdrawn an invitation from users here.
    pub(crate) async fn take_withdrawal(
        &self,
        request: WithdrawInvitation,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        if request.invitees.len() > self.config.invitations.max_invitees {
            return Err(StatusCode::BAD_PARAMETER.into());
        }
        let unknown = self.directory.unknown(&request.invitees).await;
        let unknown = unknown.map_err(|error| refusal(&error))?;
        let shared = self.shared.clone();
        let events = self
            .store
            .write(move |tx| {
                let answer = Ok(Response::Done(Outcome::default()));
                if once::begin(tx, key.as_ref(), &answer)?.is_some() {
                    return Ok(Vec::new());
                }
                let mut events = Vec::new();
                let here = |user: &&UserId| shared.is_home(user) && !unknown.contains(*user);
                for invitee in request.invitees.iter().filter(here) {
                    events.extend(take_back(tx, &request, invitee)?);
                }
                Ok(events)
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.emit(events);
        Ok(Response::Done(Outcome::default()))
    }
}

struct Withdrawal {
    inviter: UserId,
    id: String,
    /// From whom; `None` for all.
    named: Option<BTreeSet<UserId>>,
    /// The groups among whom.
    groups: Option<Vec<GroupId>>,
    note: Option<String>,
    home: Domain,
}

impl Withdrawal {
    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
        mut failures: Failures,
    ) -> Result<(Answer, Vec<Event>), StoreError> {
        let now = Timestamp::now();
        let mut known = tx.invitations(&self.inviter, &self.id)?;
        known.retain(|kept| kept.expires > now);
        let was_shared = unshare(tx, &self.inviter, &self.id, self.groups.as_deref())?;
        if known.is_empty() && !was_shared {
            return Ok((Err(StatusCode::INVALID_INVITATION_ID.into()), Vec::new()));
        }
        let invited: BTreeSet<&UserId> = known.iter().map(|kept| &kept.invitee).collect();
        // Of a group, some have joined since, and some are the inviter.
        let by_group = self
            .groups
            .as_ref()
            .is_some_and(|groups| !groups.is_empty());
        let strangers = self.named.iter().flatten().filter(|_| !by_group);
        for user in strangers.filter(|user| !invited.contains(user)) {
            failures.user(StatusCode::INVALID_INVITATION_ID, user.clone());
        }
        let is_named = |user: &UserId| {
            let named = self.named.as_ref();
            named.is_none_or(|named| named.contains(user))
        };
        let mut events = Vec::new();
        let mut elsewhere: BTreeMap<Domain, (Invitation, Vec<UserId>)> = BTreeMap::new();
        let mut reached = usize::from(was_shared);
        for kept in known.iter().filter(|kept| is_named(&kept.invitee)) {
            // Who has answered already keeps his answer.
            reached += 1;
            if kept.state != InvitationState::Pending {
                continue;
            }
            let cancelled = InvitationState::Cancelled;
            tx.set_invitation_state(&self.inviter, &self.id, &kept.invitee, cancelled)?;
            tx.revoke_group_permission(&self.inviter, &self.id, &kept.invitee)?;
            let Some(invitation) = read(kept) else {
                continue;
            };
            if kept.invitee.domain_str() == self.home.as_str() {
                events.push(withdrawn(tx, kept, invitation, self.note.clone())?);
            } else {
                let domain = elsewhere.entry(kept.invitee.domain());
                let (_, invitees) = domain.or_insert_with(|| (invitation, Vec::new()));
                invitees.push(kept.invitee.clone());
            }
        }
        for (domain, (invitation, invitees)) in elsewhere {
            let expires = invitation.expires;
            let request = Request::WithdrawInvitation(Box::new(WithdrawInvitation {
                invitation,
                invitees,
                note: self.note.clone(),
            }));
            let parcel = Parcel::request(self.inviter.clone(), request);
            tx.put_outbox(&parcel.entry(domain, expires)?)?;
            events.push(Event::Outbox);
        }
        Ok((super::send::conclude(failures, reached > 0), events))
    }
}

/// Withdraws an invitation of another domain from one invitee. When the withdrawal is faster
/// than the invitation, that is remembered.
fn take_back(
    tx: &mut Tx<'_>,
    request: &WithdrawInvitation,
    invitee: &UserId,
) -> Result<Option<Event>, StoreError> {
    let invitation = &request.invitation;
    let known = tx.invitation(&invitation.inviter, &invitation.id, invitee)?;
    match known {
        Some(kept) if read(&kept).is_some_and(|known| known.made == invitation.made) => {
            if kept.state != InvitationState::Pending {
                return Ok(None);
            }
            let cancelled = InvitationState::Cancelled;
            tx.set_invitation_state(&kept.inviter, &kept.id, invitee, cancelled)?;
            tx.revoke_group_permission(&kept.inviter, &kept.id, invitee)?;
            let note = request.note.clone();
            withdrawn(tx, &kept, invitation.clone(), note).map(Some)
        }
        // A later one with the same name.
        Some(_) => Ok(None),
        None => {
            tx.put_invitation(&StoredInvitation {
                inviter: invitation.inviter.clone(),
                id: invitation.id.clone(),
                invitee: invitee.clone(),
                shown: invitation.id.clone(),
                state: InvitationState::Cancelled,
                expires: invitation.expires,
                payload: serde_json::to_vec(invitation).map_err(encoding)?,
            })?;
            Ok(None)
        }
    }
}

/// Tells the invitee's sessions that have seen the invitation; from the others it is taken
/// back. Only who may have seen it on a client that is gone is told later.
fn withdrawn(
    tx: &mut Tx<'_>,
    kept: &StoredInvitation,
    invitation: Invitation,
    note: Option<String>,
) -> Result<Event, StoreError> {
    let name = push_name(&invitation);
    let unseen = tx.remove_push(&kept.invitee, &name)?;
    let push = Push {
        id: format!("withdrawn {name}"),
        since: Timestamp::now(),
        expires: kept.expires,
        durable: !unseen,
        content: PushContent::InvitationCancelled(Box::new(CancellationShown {
            id: kept.shown.clone(),
            invitee: kept.invitee.clone(),
            invitation,
            note,
        })),
    };
    if push.durable {
        push.put(tx, &kept.invitee)?;
    }
    Ok(Event::Push(Pushed {
        user: kept.invitee.clone(),
        push: Arc::new(push),
        except: None,
        instead_of: Some(name),
        rather: None,
    }))
}
