//! Inviting (csp-access 10.2).

use super::arrive::{Limits, put_local};
use super::check::check;
use super::{DeliverInvitation, Invitation, Invite, InviteType};
use crate::blocking::Initiator;
use crate::content::Sharing;
use crate::elements::Inner;
use crate::failure::{encoding, refusal};
use crate::group::{self, Telling};
use crate::im::Resolved;
use crate::once;
use crate::outbox::{Expected, Parcel};
use crate::profile::failed;
use crate::service::{Answer, Event, IdempotenceKey, Outcome, Request, Requestor, Response};
use futures::future::join_all;
use hamlet_model::refusal::{Failures, GivenScreenName};
use hamlet_model::{
    Domain, GroupId, MessageParty, Recipients, Refusal, StatusCode, Timestamp, UserId,
};
use hamlet_store::{InvitationState, StoreError, StoredInvitation, Tx};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Shortest life of an invitation, so that a client that is online can get it.
const MIN_VALIDITY: Duration = Duration::from_secs(1);

/// Whom an invitation reaches.
struct Invited {
    local: Vec<UserId>,
    foreign: BTreeMap<Domain, Vec<UserId>>,
    /// Whom it does not.
    failures: Failures,
    /// Somebody refuses the inviter without his being told (csp-im 11.4).
    silenced: bool,
    sharing: Sharing,
}

/// What the transaction did.
enum Sent {
    /// It was a repetition.
    Before(Answer),
    /// Nobody is invited.
    Refused(Refusal),
    /// How many are invited here, what to tell, and what other domains are expected to say
    /// about whom.
    Now {
        here: usize,
        failures: Failures,
        events: Vec<Event>,
        asked: Vec<(Vec<UserId>, Expected)>,
        telling: Option<Box<Telling>>,
    },
}

impl Inner {
    /// Invites: when this answers with success, at least one invitee gets to know.
    pub(crate) async fn invite(
        &self,
        requestor: Requestor,
        mut request: Invite,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let (kind, sender) = check(&request, &requestor)?;
        let sender = self
            .known_as(&requestor.user, kind, &request, sender)
            .await?;
        let recipients = std::mem::take(&mut request.recipients);
        let groups = self.shared_into(&requestor.user, kind, &recipients).await;
        let sharing = Sharing::of(self, kind, &request.urls, groups);
        let mut resolved = self
            .invitees(&requestor, recipients, kind)
            .await
            .map_err(|error| refusal(&error))?;
        let local: Vec<UserId> = resolved.local.drain(..).map(|(user, _)| user).collect();
        let inviter = Initiator {
            user: requestor.user.clone(),
            application: requestor.application.clone(),
            through: None,
        };
        let refusing = self.refusing(&inviter, &local).await;
        let refusing = refusing.map_err(|error| refusal(&error))?;
        let (refusing, local): (Vec<UserId>, Vec<UserId>) =
            local.into_iter().partition(|user| refusing.contains(user));
        let silenced = self.config.im.silent_blocking && !refusing.is_empty();
        if !silenced {
            for user in refusing {
                resolved.failures.user(StatusCode::BLOCKED, user);
            }
        }
        let foreign: BTreeMap<Domain, Vec<UserId>> = resolved
            .foreign
            .into_iter()
            .map(|(domain, parties)| (domain, parties.into_iter().filter_map(user_of).collect()))
            .collect();
        let count = local.len() + foreign.values().map(Vec::len).sum::<usize>();
        match count {
            // Those who join later may be told of it.
            0 if sharing.groups.is_empty() => return conclude(resolved.failures, silenced),
            _ if count > self.config.invitations.max_invitees => {
                let why = "The invitation has too many recipients";
                return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
            }
            _ => {}
        }
        let invitation = self.invitation(&requestor.user, kind, sender, request);
        let invited = Invited {
            local,
            foreign,
            failures: resolved.failures,
            silenced,
            sharing,
        };
        self.store_invitation(invitation, invited, key).await
    }

    /// The groups of this server into which an invitation shares content: those among its
    /// recipients in which the inviter may.
    async fn shared_into(
        &self,
        inviter: &UserId,
        kind: InviteType,
        recipients: &Recipients,
    ) -> Vec<GroupId> {
        let mut groups = Vec::new();
        if kind != InviteType::SharedContent {
            return groups;
        }
        for party in &recipients.parties {
            let MessageParty::Group(group) = party else {
                continue;
            };
            let is_home = group.domain_str() == self.config.domain.as_str();
            if is_home
                && !groups.contains(group)
                && self.groups.may_invite(inviter, group, kind).await.is_ok()
            {
                groups.push(group.clone());
            }
        }
        groups
    }

    /// The rest of the checks about sender and group; who the inviter is to the invitees.
    async fn known_as(
        &self,
        inviter: &UserId,
        kind: InviteType,
        request: &Invite,
        sender: MessageParty,
    ) -> Result<MessageParty, Refusal> {
        if let MessageParty::ScreenName { name, group } = &sender
            && !self.groups.is_joined_as(inviter, name, group).await
        {
            return Err(StatusCode::NOT_JOINED.into());
        }
        let group = match &request.group {
            Some(Ok(group)) => group,
            Some(Err(given)) => {
                let mut failures = Failures::new();
                let block = failures.block(StatusCode::NO_SUCH_GROUP);
                block.malformed_others.groups.push(given.clone());
                return Err(Refusal {
                    details: failures.into_details(),
                    ..Refusal::new(StatusCode::NO_SUCH_GROUP)
                });
            }
            None => return Ok(sender),
        };
        self.groups.may_invite(inviter, group, kind).await?;
        match (&request.screen_name, sender) {
            // The older form of saying so; only who is joined under that name has it.
            (Some(name), MessageParty::User { user, .. }) => {
                match self.groups.is_joined_as(inviter, name, group).await {
                    true => Ok(MessageParty::ScreenName {
                        name: name.clone(),
                        group: group.clone(),
                    }),
                    false => Ok(MessageParty::user(user)),
                }
            }
            (_, sender) => Ok(sender),
        }
    }

    /// The users who are meant: also through groups and the inviter's contact lists.
    pub(super) async fn invitees(
        &self,
        requestor: &Requestor,
        mut recipients: Recipients,
        kind: InviteType,
    ) -> Result<Resolved, StoreError> {
        let mut failures = Failures::new();
        let mut users = Vec::with_capacity(recipients.parties.len());
        for party in recipients.parties {
            if let MessageParty::User { user, .. } = party {
                users.push(MessageParty::user(user));
                continue;
            }
            match self.groups.invitees(&requestor.user, &party, kind).await {
                Ok(reached) => users.extend(reached.into_iter().map(MessageParty::user)),
                Err(code) => {
                    let block = failures.block(code);
                    match party {
                        MessageParty::Group(group) => block.groups.push(group),
                        MessageParty::ScreenName { name, group } => {
                            let group = group.to_string();
                            block.screen_names.push(GivenScreenName { name, group });
                        }
                        MessageParty::User { .. } => {}
                    }
                }
            }
        }
        recipients.parties = users;
        let mut resolved = self.resolve_recipients(requestor, recipients).await?;
        failures.merge(std::mem::take(&mut resolved.failures).into_details());
        resolved.failures = failures;
        Ok(resolved)
    }

    fn invitation(
        &self,
        inviter: &UserId,
        kind: InviteType,
        sender: MessageParty,
        request: Invite,
    ) -> Invitation {
        let config = &self.config.invitations;
        let validity = request.validity.unwrap_or(config.default_validity);
        let longest = config.max_validity.max(MIN_VALIDITY);
        let made = Timestamp::now();
        Invitation {
            id: request.id,
            inviter: inviter.clone(),
            sender,
            kind,
            application: request.application,
            group: request.group.and_then(Result::ok),
            attributes: request.attributes,
            urls: request.urls,
            note: request.note,
            made,
            expires: made.plus(validity.clamp(MIN_VALIDITY, longest)),
        }
    }

    async fn store_invitation(
        &self,
        invitation: Invitation,
        invited: Invited,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let Invited {
            local,
            foreign,
            failures,
            silenced,
            sharing,
        } = invited;
        let shared = self.shared.clone();
        let limits = Limits::of(&self.config.invitations);
        let max_invited = self.config.invitations.max_invited;
        let (waiting, kept_key, kept) = (self.waiting.clone(), key.clone(), invitation.clone());
        let sent = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok(Sent::Before(earlier));
                }
                let inviter = &invitation.inviter;
                let many = local.len() + foreign.values().map(Vec::len).sum::<usize>();
                if tx.count_invitations(inviter, invitation.made)? + many > max_invited {
                    let why = "Too many invitations are waiting for an answer";
                    let refusal = Refusal::because(StatusCode::MESSAGE_QUEUE_FULL, why);
                    return Ok(Sent::Refused(refusal));
                }
                if let Err(refusal) = sharing.note(tx, &invitation)? {
                    return Ok(Sent::Refused(refusal));
                }
                let (events, full) = put_local(tx, &invitation, &local, limits)?;
                let mut failures = failures.clone();
                let all = local.iter().chain(foreign.values().flatten());
                let reached: Vec<UserId> =
                    all.filter(|user| !full.contains(user)).cloned().collect();
                let telling = group::invited(tx, &shared, &invitation, &reached)?.map(Box::new);
                for user in full {
                    failures.user(StatusCode::MESSAGE_QUEUE_FULL, user);
                }
                let mut asked = Vec::with_capacity(foreign.len());
                for (domain, invitees) in &foreign {
                    put_foreign(tx, &invitation, invitees)?;
                    let request = Request::DeliverInvitation(Box::new(DeliverInvitation {
                        invitation: invitation.clone(),
                        invitees: invitees.clone(),
                    }));
                    let parcel = Parcel::request(inviter.clone(), request);
                    let entry = parcel.entry(domain.clone(), invitation.expires)?;
                    let id = tx.put_outbox(&entry)?;
                    asked.push((invitees.clone(), waiting.expect(id)));
                }
                let here = events.len() + sharing.groups.len() + usize::from(silenced);
                let answer = conclude(failures.clone(), here + asked.len() > 0);
                once::settle(tx, key.as_ref(), &answer)?;
                Ok(Sent::Now {
                    here,
                    failures,
                    events,
                    asked,
                    telling,
                })
            })
            .await
            .map_err(|error| refusal(&error))?;
        match sent {
            Sent::Before(answer) => answer,
            Sent::Refused(refusal) => Err(refusal),
            Sent::Now {
                here,
                failures,
                events,
                asked,
                telling,
            } => {
                self.emit(events);
                self.tell_groups(telling.map(|telling| *telling).into_iter().collect())
                    .await;
                if asked.is_empty() {
                    return conclude(failures, here > 0);
                }
                self.emit([Event::Outbox]);
                self.hear_domains(&kept, here, failures, asked, kept_key)
                    .await
            }
        }
    }

    /// Waits for what the other domains say. One that does not answer in time has accepted,
    /// as far as this answer goes.
    async fn hear_domains(
        &self,
        invitation: &Invitation,
        here: usize,
        mut failures: Failures,
        asked: Vec<(Vec<UserId>, Expected)>,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let deadline = Instant::now() + self.config.invitations.foreign_wait;
        let mut reached = here + asked.iter().map(|(who, _)| who.len()).sum::<usize>();
        let answers = join_all(asked.into_iter().map(|(invitees, expected)| async move {
            let id = expected.id();
            Some((id, invitees, expected.answer(deadline).await?))
        }))
        .await;
        let (mut settled, mut gone) = (Vec::new(), Vec::new());
        for (id, invitees, answer) in answers.into_iter().flatten() {
            settled.push(id);
            let details = match answer {
                Ok(Response::Done(outcome)) => outcome.details,
                Ok(_) => Vec::new(),
                Err(refusal) => failed(invitees, &refusal),
            };
            let users = details.iter().flat_map(|detail| &detail.users);
            gone.extend(users.cloned());
            failures.merge(details);
        }
        reached = reached.saturating_sub(gone.len());
        let answer = conclude(failures, reached > 0);
        if settled.is_empty() {
            return answer;
        }
        let recorded = answer.clone();
        let (inviter, name) = (invitation.inviter.clone(), invitation.id.clone());
        let done = self.store.write(move |tx| {
            for id in &settled {
                tx.remove_outbox(*id)?;
            }
            for invitee in &gone {
                let cancelled = InvitationState::Cancelled;
                tx.set_invitation_state(&inviter, &name, invitee, cancelled)?;
            }
            once::settle(tx, key.as_ref(), &recorded)
        });
        // The entries are then sent again, and recognised as repetitions.
        if let Err(error) = done.await {
            tracing::warn!(%error, "answered outbox entries could not be removed");
        }
        answer
    }
}

/// What the inviter's domain keeps of invitees elsewhere: their answers are held against it.
pub(crate) fn put_foreign(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    invitees: &[UserId],
) -> Result<(), StoreError> {
    let payload = serde_json::to_vec(invitation).map_err(encoding)?;
    invitees.iter().try_for_each(|invitee| {
        tx.put_invitation(&StoredInvitation {
            inviter: invitation.inviter.clone(),
            id: invitation.id.clone(),
            invitee: invitee.clone(),
            shown: invitation.id.clone(),
            state: InvitationState::Pending,
            expires: invitation.expires,
            payload: payload.clone(),
        })
    })
}

/// Another domain has refused invitees after the inviter stopped waiting: they need not be
/// told of a withdrawal, nor can they answer.
pub(crate) fn forget_refused(
    tx: &mut Tx<'_>,
    deliver: &DeliverInvitation,
    refusal: &Refusal,
) -> Result<(), StoreError> {
    let Invitation { inviter, id, .. } = &deliver.invitation;
    for detail in failed(deliver.invitees.clone(), refusal) {
        for invitee in &detail.users {
            tx.set_invitation_state(inviter, id, invitee, InvitationState::Cancelled)?;
        }
    }
    Ok(())
}

fn user_of(party: MessageParty) -> Option<UserId> {
    match party {
        MessageParty::User { user, .. } => Some(user),
        _ => None,
    }
}

/// 200, 201, or the refusal when nobody was reached.
pub(super) fn conclude(failures: Failures, anybody: bool) -> Answer {
    let code = failures.overall(anybody);
    let details = failures.into_details();
    match code.is_success() {
        true => Ok(Response::Done(Outcome { details })),
        false => Err(Refusal {
            details,
            ..Refusal::new(code)
        }),
    }
}
