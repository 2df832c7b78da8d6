//! What the server asks of clients beside messages and presence (csp-access 2.4).

use super::{Facts, authorization, group_answer, invitation, notification, system_message};
use crate::negotiation::functions::Function;
use crate::negotiation::service::Agreement;
use hamlet_csp::elements::Primitive;
use hamlet_elements::notification::Notification;
use hamlet_elements::push::{Push, PushContent};
use hamlet_model::{Timestamp, UserId};

/// The request of a push for a session; `None` when its version has no such request, its
/// client does not handle it, or it has not agreed on it. `wants`: which notifications the
/// session takes.
pub(crate) fn primitive(
    push: &Push,
    facts: &Facts<'_>,
    agreement: Option<&Agreement>,
    wants: impl Fn(&Notification) -> bool,
    user: &UserId,
    now: Timestamp,
) -> Option<Primitive> {
    let agreed =
        |function| agreement.is_none_or(|agreement| agreement.allows(function, facts.version));
    let primitive = match &push.content {
        PushContent::Invitation(shown) => {
            let invite = agreed(Function::INVIT).then_some(shown)?;
            invitation::invite_user(invite, facts, now)
        }
        PushContent::InvitationAnswer(shown) => {
            let answer = agreed(Function::INVIT).then_some(shown)?;
            Some(invitation::invite_response(answer, facts))
        }
        PushContent::InvitationCancelled(shown) => {
            let cancel = agreed(Function::CAINV).then_some(shown)?;
            invitation::cancel_invite_user(cancel, facts)
        }
        PushContent::SystemMessage(shown) => system_message::request(shown, push, user, facts, now),
        PushContent::Notification(what) => notification::request(what, facts),
        PushContent::Authorization(asked) => {
            let asks = facts.profile.asked_unrequested
                || agreement.is_none_or(|agreement| agreement.agrees(Function::REACT));
            authorization::asked(asked, facts, asks, wants)
        }
        PushContent::GroupChange { group, change } => {
            let change = agreed(Function::GRCHN).then_some(change)?;
            group_answer::notice(group, change, facts)
        }
        PushContent::GroupLeft { group, code } => Some(group_answer::put_out(group, *code, facts)),
    };
    primitive.filter(|primitive| facts.profile.takes_push(primitive.tag()))
}
