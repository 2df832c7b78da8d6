//! The checks of an invitation that need no more than itself (csp-access 10.2). Pure.

use super::{Invite, InviteType};
use crate::im::check_sender;
use crate::service::Requestor;
use hamlet_model::{MessageParty, Refusal, StatusCode};

/// Longest InviteID, characters (csp-messages 0).
const MAX_ID: usize = 255;

/// Most URLs of shared content.
const MAX_URLS: usize = 50;

/// Longest note, characters.
const MAX_NOTE: usize = 4096;

/// Goes through them in their order; what the invitation is to, and who the inviter is to
/// the invitees. A screen name is still to be looked up.
pub(crate) fn check(
    invite: &Invite,
    requestor: &Requestor,
) -> Result<(InviteType, MessageParty), Refusal> {
    check_id(&invite.id)?;
    let kind = invite
        .kind
        .ok_or_else(|| bad("There is no such InviteType"))?;
    if kind.is_to_group() && invite.group.is_none() {
        let why = "The invitation names no group";
        return Err(Refusal::because(StatusCode::INVALID_GROUP_ID, why));
    }
    if kind == InviteType::Application && invite.application.is_none() {
        let why = "The invitation names no application";
        return Err(Refusal::because(StatusCode::INVALID_APPLICATION_ID, why));
    }
    if kind == InviteType::SharedContent && invite.urls.is_empty() {
        let why = "The invitation names no content";
        return Err(Refusal::because(StatusCode::BAD_REQUEST, why));
    }
    let sender = match &invite.sender.clone()? {
        Some(named @ MessageParty::ScreenName { name, .. }) if !name.trim().is_empty() => {
            named.clone()
        }
        claimed => without_client(check_sender(claimed.clone(), requestor)?),
    };
    let recipients = &invite.recipients;
    if recipients.parties.is_empty()
        && recipients.contact_lists.is_empty()
        && recipients.malformed.is_empty()
    {
        return Err(bad("The invitation has no recipient"));
    }
    if invite.urls.len() > MAX_URLS {
        return Err(bad("The invitation names too much content"));
    }
    if invite
        .note
        .as_ref()
        .is_some_and(|note| note.chars().count() > MAX_NOTE)
    {
        return Err(bad("The note is too long"));
    }
    Ok((kind, sender))
}

/// 402 for a name that cannot be.
pub(crate) fn check_id(id: &str) -> Result<(), Refusal> {
    match id.chars().count() {
        0 => Err(bad("InviteID is empty")),
        1..=MAX_ID => Ok(()),
        _ => Err(bad("InviteID is too long")),
    }
}

/// An invitation is by a user, from whatever client.
fn without_client(sender: MessageParty) -> MessageParty {
    match sender {
        MessageParty::User { user, .. } => MessageParty::user(user),
        other => other,
    }
}

fn bad(why: &str) -> Refusal {
    Refusal::because(StatusCode::BAD_PARAMETER, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::presence::AttributeSet;
    use hamlet_model::{ApplicationId, ClientId, Domain, GroupId, Recipients, UserId};

    fn user(name: &str) -> UserId {
        UserId::parse(name, &Domain::parse("a").unwrap()).unwrap()
    }

    fn group() -> GroupId {
        GroupId::parse("wv:anna/g@a", &Domain::parse("a").unwrap()).unwrap()
    }

    fn invite(kind: InviteType) -> Invite {
        Invite {
            id: "i1".into(),
            kind: Some(kind),
            sender: Ok(None),
            recipients: Recipients {
                parties: vec![MessageParty::user(user("bo"))],
                ..Recipients::default()
            },
            application: Some(ApplicationId::new("chess")),
            group: Some(Ok(group())),
            attributes: AttributeSet::EMPTY,
            urls: vec!["http://h/x".into()],
            note: None,
            screen_name: None,
            validity: None,
        }
    }

    #[test]
    fn the_first_fault_in_the_order_of_the_reference_counts() {
        use InviteType::{
            Application, ExtendConversation, ExtendGroup, Group, Membership, Messaging, Presence,
            SharedContent,
        };
        let requestor = Requestor {
            client: Some(ClientId::from_url("phone")),
            ..Requestor::user(user("anna"))
        };
        let code = |invite: &Invite| match check(invite, &requestor) {
            Ok(_) => 200,
            Err(refusal) => refusal.code.0,
        };
        // From the last check to the first: each fault hides those before it in this list.
        let mut all = invite(Group);
        assert_eq!(code(&all), 200);
        all.recipients = Recipients::default();
        assert_eq!(code(&all), 402);
        all.sender = Ok(Some(MessageParty::user(user("bo"))));
        assert_eq!(code(&all), 427);
        all.group = None;
        for kind in [Group, Membership, ExtendConversation, ExtendGroup] {
            all.kind = Some(kind);
            assert_eq!(code(&all), 429, "{kind:?}");
        }
        (all.kind, all.application) = (Some(Application), None);
        assert_eq!(code(&all), 450);
        (all.kind, all.urls) = (Some(SharedContent), Vec::new());
        assert_eq!(code(&all), 400);
        for kind in [Messaging, Presence] {
            all.kind = Some(kind);
            assert_eq!(code(&all), 427, "{kind:?}");
        }
        all.kind = None;
        assert_eq!(code(&all), 402);
        all.id = String::new();
        assert_eq!(code(&all), 402);
    }

    #[test]
    fn the_invitees_know_a_user_or_a_screen_name_but_no_client() {
        let requestor = Requestor {
            client: Some(ClientId::from_url("phone")),
            ..Requestor::user(user("anna"))
        };
        let (_, sender) = check(&invite(InviteType::Messaging), &requestor).unwrap();
        assert_eq!(sender, MessageParty::user(user("anna")));
        let named = MessageParty::ScreenName {
            name: "queen".into(),
            group: group(),
        };
        let hidden = Invite {
            sender: Ok(Some(named.clone())),
            ..invite(InviteType::Group)
        };
        assert_eq!(check(&hidden, &requestor).unwrap().1, named);
    }
}
