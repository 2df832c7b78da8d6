//! Content that is shared with a group (csp-access 10.2): who joins later is invited to what
//! is still shared, as if he had been there.

use super::arrive::{Limits, put_local};
use super::{DeliverInvitation, Invitation, InviteType};
use crate::elements::Shared;
use crate::failure::encoding;
use crate::outbox::Parcel;
use crate::service::{Event, Request};
use hamlet_model::{GroupId, MessageParty, Recipients, Timestamp, UserId};
use hamlet_store::{InvitationState, StoreError, StoredInvitation, Tx};

/// Most that one who joins is invited to.
const MAX_SHARES: usize = 50;

/// The groups that content is shared with by an invitation.
pub(super) fn shared_with(kind: InviteType, recipients: &Recipients) -> Vec<GroupId> {
    let groups = recipients.parties.iter().filter_map(|party| match party {
        MessageParty::Group(group) if kind == InviteType::SharedContent => Some(group.clone()),
        _ => None,
    });
    groups.collect()
}

/// Keeps an invitation to content for those who join later.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    groups: &[GroupId],
) -> Result<(), StoreError> {
    let payload = serde_json::to_vec(invitation).map_err(encoding)?;
    let Invitation {
        inviter,
        id,
        expires,
        ..
    } = invitation;
    for group in groups {
        if tx.group(group)?.is_some() {
            tx.put_group_share(group, inviter, id, *expires, &payload)?;
        }
    }
    Ok(())
}

/// Somebody has joined: he is invited to what is shared with the group.
pub(crate) fn put_shares(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &GroupId,
    user: &UserId,
    max_waiting: usize,
) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    for payload in tx.group_shares(group, Timestamp::now(), MAX_SHARES)? {
        let Ok(invitation) = serde_json::from_slice::<Invitation>(&payload) else {
            tracing::error!(group = group.as_str(), "shared content is unreadable");
            continue;
        };
        // His own content he has, and what he has been told of he is not told of again.
        let known = tx.invitation(&invitation.inviter, &invitation.id, user)?;
        if invitation.inviter == *user || known.is_some() {
            continue;
        }
        if shared.is_home(user) {
            let invitees = std::slice::from_ref(user);
            let limits = Limits { max_waiting };
            events.extend(put_local(tx, &invitation, invitees, limits)?.0);
        } else if shared.reaches(&user.domain()) {
            tx.put_invitation(&StoredInvitation {
                inviter: invitation.inviter.clone(),
                id: invitation.id.clone(),
                invitee: user.clone(),
                shown: invitation.id.clone(),
                state: InvitationState::Pending,
                expires: invitation.expires,
                payload,
            })?;
            let (inviter, expires) = (invitation.inviter.clone(), invitation.expires);
            let request = Request::DeliverInvitation(Box::new(DeliverInvitation {
                invitation,
                invitees: vec![user.clone()],
            }));
            let parcel = Parcel::request(inviter, request);
            tx.put_outbox(&parcel.entry(user.domain(), expires)?)?;
            events.push(Event::Outbox);
        }
    }
    Ok(events)
}
