//! Invitations on their way to invitees of this domain (csp-access 10.2).

use super::send::conclude;
use super::{DeliverInvitation, Invitation, InvitationConfig, InvitationShown};
use crate::blocking::Initiator;
use crate::elements::Inner;
use crate::failure::{encoding, refusal};
use crate::group;
use crate::once;
use crate::presence::each_once;
use crate::push::{Push, PushContent, Pushed};
use crate::service::{Answer, Event, IdempotenceKey};
use hamlet_model::refusal::Failures;
use hamlet_model::{MessageParty, Refusal, StatusCode, Timestamp, UserId};
use hamlet_store::{InvitationState, StoreError, StoredInvitation, Tx};

/// How many names are tried for an invitation whose own is taken.
const NAMES: usize = 100;

/// What bounds an invitation here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    max_waiting: usize,
}

impl Limits {
    pub(super) fn of(config: &InvitationConfig) -> Self {
        Self {
            max_waiting: config.max_waiting,
        }
    }
}

impl Inner {
    /// Takes an invitation of another domain.
    pub(crate) async fn take_invitation(
        &self,
        request: DeliverInvitation,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let DeliverInvitation {
            mut invitation,
            invitees,
        } = request;
        let config = &self.config.invitations;
        if invitees.is_empty() || invitees.len() > config.max_invitees {
            return Err(StatusCode::BAD_PARAMETER.into());
        }
        super::check::check_id(&invitation.id)?;
        // ssp 5.5 item 4.
        if let MessageParty::ScreenName { name, group } = &invitation.sender
            && group.domain_str() == self.config.domain.as_str()
            && !(self.groups)
                .is_joined_as(&invitation.inviter, name, group)
                .await
        {
            return Err(StatusCode::NOT_JOINED.into());
        }
        // Another domain may be more patient, or have another time.
        let longest = Timestamp::now().plus(config.max_validity);
        invitation.expires = invitation.expires.min(longest);
        let invitees = each_once(invitees);
        let unknown = self.directory.unknown(&invitees).await;
        let unknown = unknown.map_err(|error| refusal(&error))?;
        let inviter = Initiator::user(invitation.inviter.clone());
        let refusing = self.refusing(&inviter, &invitees).await;
        let refusing = refusing.map_err(|error| refusal(&error))?;
        let mut failures = Failures::new();
        let mut welcome = Vec::new();
        let mut silenced = 0;
        for user in invitees {
            match () {
                () if !self.directory.is_home(&user) => {
                    failures.user(StatusCode::DOMAIN_NOT_SUPPORTED, user);
                }
                () if unknown.contains(&user) => failures.user(StatusCode::UNKNOWN_USER, user),
                () if refusing.contains(&user) && self.config.im.silent_blocking => silenced += 1,
                () if refusing.contains(&user) => failures.user(StatusCode::BLOCKED, user),
                () => welcome.push(user),
            }
        }
        let limits = Limits::of(config);
        let max_invited = config.max_invited;
        let shared = self.shared.clone();
        let (answer, events, telling) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, Vec::new(), None));
                }
                let many = tx.count_invitations(&invitation.inviter, Timestamp::now())?;
                if many + welcome.len() > max_invited {
                    return Ok((
                        Err(Refusal::new(StatusCode::MESSAGE_QUEUE_FULL)),
                        Vec::new(),
                        None,
                    ));
                }
                let (events, full) = put_local(tx, &invitation, &welcome, limits)?;
                let mut invited = Vec::new();
                for user in &welcome {
                    let kept = tx.invitation(&invitation.inviter, &invitation.id, user)?;
                    if kept.is_some_and(|kept| kept.state == InvitationState::Pending) {
                        invited.push(user.clone());
                    }
                }
                let telling = group::invited_from_elsewhere(tx, &shared, &invitation, &invited)?;
                let mut failures = failures.clone();
                let reached = welcome.len() - full.len() + silenced;
                for user in full {
                    failures.user(StatusCode::MESSAGE_QUEUE_FULL, user);
                }
                let answer = conclude(failures, reached > 0);
                once::settle(tx, key.as_ref(), &answer)?;
                Ok((answer, events, telling))
            })
            .await
            .map_err(|error| refusal(&error))?;
        self.emit(events);
        self.tell_groups(telling.into_iter().collect()).await;
        answer
    }
}

/// Keeps an invitation for invitees here; what to tell, and for whom there is no room.
pub(super) fn put_local(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    invitees: &[UserId],
    limits: Limits,
) -> Result<(Vec<Event>, Vec<UserId>), StoreError> {
    let payload = serde_json::to_vec(invitation).map_err(encoding)?;
    let (mut events, mut full) = (Vec::new(), Vec::new());
    for invitee in invitees {
        let known = tx.invitation(&invitation.inviter, &invitation.id, invitee)?;
        if known.is_some_and(|known| is_withdrawn(&known, invitation)) {
            continue;
        }
        let shown = match tx.count_pushes(invitee)? < limits.max_waiting {
            true => free_name(tx, invitation, invitee)?,
            false => None,
        };
        let Some(shown) = shown else {
            full.push(invitee.clone());
            continue;
        };
        tx.put_invitation(&StoredInvitation {
            inviter: invitation.inviter.clone(),
            id: invitation.id.clone(),
            invitee: invitee.clone(),
            shown: shown.clone(),
            state: InvitationState::Pending,
            expires: invitation.expires,
            payload: payload.clone(),
        })?;
        let push = Push {
            id: push_name(invitation),
            since: Timestamp::now(),
            expires: invitation.expires,
            durable: true,
            content: PushContent::Invitation(Box::new(InvitationShown {
                id: shown,
                invitee: invitee.clone(),
                invitation: invitation.clone(),
            })),
        };
        push.put(tx, invitee)?;
        events.push(Event::Push(Pushed::to(invitee.clone(), push)));
    }
    Ok((events, full))
}

/// Lets one more user here know of an invitation that was made before, if there is room for it
/// with him.
pub(crate) fn invite_later(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    invitee: &UserId,
    config: &InvitationConfig,
) -> Result<Vec<Event>, StoreError> {
    let invitees = std::slice::from_ref(invitee);
    let (events, _full) = put_local(tx, invitation, invitees, Limits::of(config))?;
    Ok(events)
}

/// The withdrawal has overtaken the invitation.
fn is_withdrawn(known: &StoredInvitation, invitation: &Invitation) -> bool {
    known.state == InvitationState::Cancelled
        && read(known).is_some_and(|earlier| earlier.made == invitation.made)
}

/// Two inviters may use the same name towards one invitee (csp-access 10.2).
fn free_name(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    invitee: &UserId,
) -> Result<Option<String>, StoreError> {
    let own =
        |kept: &StoredInvitation| kept.inviter == invitation.inviter && kept.id == invitation.id;
    for number in 1..=NAMES {
        let name = match number {
            1 => invitation.id.clone(),
            _ => format!("{}.{number}", invitation.id),
        };
        let taken = tx.invitation_shown(invitee, &name, Timestamp::now())?;
        if taken.is_none_or(|kept| own(&kept)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The invitation of a stored row; one that cannot be read is logged.
pub(super) fn read(kept: &StoredInvitation) -> Option<Invitation> {
    serde_json::from_slice(&kept.payload)
        .map_err(|error| tracing::error!(%error, id = kept.id, "an invitation is unreadable"))
        .ok()
}

/// Names the push of an invitation among those of its invitee.
pub(super) fn push_name(invitation: &Invitation) -> String {
    let Invitation {
        made, inviter, id, ..
    } = invitation;
    format!("invitation {} {inviter} {id}", made.millis())
}
