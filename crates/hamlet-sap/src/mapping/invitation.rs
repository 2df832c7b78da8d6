//! Invitations (csp-access 10; csp-messages 2.2.2).

use super::result::text_of;
use super::{Facts, message, presence_attributes, send_message};
use hamlet_csp::elements::{
    CancelInviteRequest, CancelInviteUserRequest, InviteRequest, InviteResponse,
    InviteType as InviteTypeElement, InviteUserRequest, InviteUserResponse, PresenceSubList,
    Primitive, Recipient, ScreenName, Sender, URLList, User,
};
use hamlet_csp::{Text, Version};
use hamlet_elements::invitation::{
    AnswerInvitation, AnswerShown, CancelInvitation, CancellationShown, Invitation,
    InvitationShown, Invite, InviteType,
};
use hamlet_model::presence::AttributeSet;
use hamlet_model::refusal::GivenScreenName;
use hamlet_model::{ApplicationId, GroupId, Refusal, StatusCode, Timestamp, UserId};
use std::time::Duration;

/// Reads Invite-Request. What is there but wrong is the service's to refuse, in its order.
pub fn invite(request: InviteRequest, facts: &Facts<'_>) -> Result<Invite, Refusal> {
    let id = present(request.invite_id, "InviteID")?;
    let kind = request.invite_type.ok_or_else(|| missing("InviteType"))?;
    let recipient = request.recipient.ok_or_else(|| missing("Recipient"))?;
    let given = |text: &Text| !text.is_empty();
    let list = request.presence_sub_list;
    let urls = request.url_list.into_iter().flat_map(|list| list.url);
    let name = request.screen_name.and_then(|name| name.sname);
    Ok(Invite {
        id,
        kind: kind_of(&kind, facts.version),
        sender: send_message::sender(request.sender.as_ref(), facts),
        recipients: send_message::addressees(&recipient, facts),
        application: request.application_id.filter(given).map(ApplicationId::new),
        group: request
            .group_id
            .filter(given)
            .map(|text| GroupId::parse(&text, facts.home).map_err(|_| text.to_string())),
        attributes: list.map_or(AttributeSet::EMPTY, |list| {
            presence_attributes::names(&list)
        }),
        urls: urls.filter(given).map(String::from).collect(),
        note: note(request.invite_note),
        screen_name: name.filter(given).map(String::from),
        validity: request
            .validity
            .map(|secs| Duration::from_secs(secs.into())),
    })
}

/// Reads InviteUser-Response. Who answers is the user of the session, whatever the primitive
/// says (clients AND-23).
pub fn answer(request: InviteUserResponse) -> Result<AnswerInvitation, Refusal> {
    let id = present(request.invite_id, "InviteID")?;
    let accepted = request.acceptance.ok_or_else(|| missing("Acceptance"))?;
    let text = |text: Option<Text>| text.map_or_else(String::new, String::from);
    let name = request.screen_name.map(|name| GivenScreenName {
        name: text(name.sname),
        group: text(name.group_id),
    });
    Ok(AnswerInvitation {
        id,
        accepted,
        note: note(request.response_note),
        screen_name: name.filter(|name| !name.name.is_empty()),
    })
}

/// Reads CancelInvite-Request.
pub fn cancel(
    request: &CancelInviteRequest,
    facts: &Facts<'_>,
) -> Result<CancelInvitation, Refusal> {
    let recipients = request.recipient.as_ref();
    let recipients = recipients.map(|recipient| send_message::addressees(recipient, facts));
    Ok(CancelInvitation {
        id: present(request.invite_id.clone(), "InviteID")?,
        sender: send_message::sender(request.sender.as_ref(), facts)?,
        // An empty element names nobody, so nobody in particular.
        recipients: recipients.filter(|recipients| *recipients != Default::default()),
        note: note(request.invite_note.clone()),
    })
}

/// InviteUser-Request; `None` when the version has no such invitation.
pub fn invite_user(
    shown: &InvitationShown,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Option<Primitive> {
    let Invitation {
        sender,
        kind,
        note,
        expires,
        ..
    } = &shown.invitation;
    let about = About::of(&shown.invitation);
    let left = expires.since(now).as_secs().max(1);
    Some(Primitive::InviteUserRequest(Box::new(InviteUserRequest {
        invite_id: Some(Text::new(&shown.id)),
        invite_type: Some(type_element(*kind, facts.version)?),
        sender: Some(message::sender(sender, facts.version)),
        recipient: Some(user_recipient(&shown.invitee)),
        application_id: about.application,
        group_id: about.group,
        presence_sub_list: about.attributes,
        url_list: about.urls,
        invite_note: note.as_ref().map(Text::new),
        screen_name: None,
        validity: Some(u32::try_from(left).unwrap_or(u32::MAX)),
    })))
}

/// Invite-Response.
pub fn invite_response(shown: &AnswerShown, facts: &Facts<'_>) -> Primitive {
    let note = shown.note.as_ref().map(Text::new);
    let (response_note, invite_note) = match facts.version {
        Version::V1_3 => (None, note),
        _ => (note, None),
    };
    Primitive::InviteResponse(Box::new(InviteResponse {
        invite_id: Some(Text::new(&shown.id)),
        acceptance: Some(shown.accepted),
        sender: Some(Sender {
            user: Some(user(&shown.invitee)),
            group: None,
        }),
        recipient: Some(user_recipient(&shown.inviter)),
        invite_note,
        screen_name: shown.screen_name.as_ref().map(|name| ScreenName {
            sname: Some(Text::new(&name.name)),
            group_id: Some(Text::new(&name.group)),
        }),
        response_note,
    }))
}

/// CancelInviteUser-Request; `None` when the version has no such invitation.
pub fn cancel_invite_user(shown: &CancellationShown, facts: &Facts<'_>) -> Option<Primitive> {
    type_element(shown.invitation.kind, facts.version)?;
    let about = About::of(&shown.invitation);
    let request = CancelInviteUserRequest {
        invite_id: Some(Text::new(&shown.id)),
        sender: Some(message::sender(&shown.invitation.sender, facts.version)),
        recipient: Some(user_recipient(&shown.invitee)),
        invite_note: shown.note.as_ref().map(Text::new),
        application_id: about.application,
        group_id: about.group,
        presence_sub_list: about.attributes,
        url_list: about.urls,
        screen_name: None,
    };
    Some(Primitive::CancelInviteUserRequest(Box::new(request)))
}

/// What an invitation is about, as elements.
struct About {
    application: Option<Text>,
    group: Option<Text>,
    attributes: Option<PresenceSubList>,
    urls: Option<URLList>,
}

impl About {
    fn of(invitation: &Invitation) -> Self {
        let attributes = invitation.attributes;
        let urls = &invitation.urls;
        Self {
            application: invitation
                .application
                .as_ref()
                .map(|id| Text::new(id.as_str())),
            group: invitation.group.as_ref().map(text_of),
            attributes: (!attributes.is_empty()).then(|| PresenceSubList::naming(attributes)),
            urls: (!urls.is_empty()).then(|| URLList {
                url: urls.iter().map(Text::new).collect(),
            }),
        }
    }
}

/// The types that a version has (data-types 7).
fn kind_of(element: &InviteTypeElement, version: Version) -> Option<InviteType> {
    let (kind, since) = match element {
        InviteTypeElement::GR => (InviteType::Group, Version::V1_1),
        InviteTypeElement::IM => (InviteType::Messaging, Version::V1_1),
        InviteTypeElement::PR => (InviteType::Presence, Version::V1_1),
        InviteTypeElement::SC => (InviteType::SharedContent, Version::V1_1),
        InviteTypeElement::GM => (InviteType::Membership, Version::V1_2),
        InviteTypeElement::AP => (InviteType::Application, Version::V1_3),
        InviteTypeElement::EC => (InviteType::ExtendConversation, Version::V1_3),
        InviteTypeElement::EG => (InviteType::ExtendGroup, Version::V1_3),
        InviteTypeElement::Undefined(_) => return None,
    };
    (version >= since).then_some(kind)
}

/// The type as a version knows it; an extended conversation is a group to those that do not
/// know more (csp-group 8 item 3).
fn type_element(kind: InviteType, version: Version) -> Option<InviteTypeElement> {
    let element = match kind {
        InviteType::Group => InviteTypeElement::GR,
        InviteType::Messaging => InviteTypeElement::IM,
        InviteType::Presence => InviteTypeElement::PR,
        InviteType::SharedContent => InviteTypeElement::SC,
        InviteType::Membership => InviteTypeElement::GM,
        InviteType::Application => InviteTypeElement::AP,
        InviteType::ExtendConversation => InviteTypeElement::EC,
        InviteType::ExtendGroup => InviteTypeElement::EG,
    };
    match kind {
        _ if kind_of(&element, version).is_some() => Some(element),
        InviteType::ExtendConversation | InviteType::ExtendGroup => Some(InviteTypeElement::GR),
        _ => None,
    }
}

fn user(id: &UserId) -> User {
    User {
        user_id: Some(text_of(id)),
        ..User::default()
    }
}

fn user_recipient(id: &UserId) -> Recipient {
    Recipient {
        user: vec![user(id)],
        ..Recipient::default()
    }
}

fn note(text: Option<Text>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(String::from)
}

fn present(text: Option<Text>, name: &str) -> Result<String, Refusal> {
    text.map(String::from).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Refusal {
    Refusal::because(StatusCode::BAD_REQUEST, format!("{name} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::mapping::tests::{facts, home, user as user_id};
    use hamlet_model::MessageParty;

    fn shown(kind: InviteType) -> InvitationShown {
        let (made, expires) = (Timestamp::from_secs(100), Timestamp::from_secs(160));
        InvitationShown {
            id: "i1".into(),
            invitee: user_id("bo"),
            invitation: Invitation {
                id: "i1".into(),
                inviter: user_id("anna"),
                sender: MessageParty::user(user_id("anna")),
                kind,
                application: None,
                group: None,
                attributes: AttributeSet::EMPTY,
                urls: Vec::new(),
                note: None,
                made,
                expires,
            },
        }
    }

    #[test]
    fn a_version_gets_the_types_that_it_has() {
        // data-types 7, csp-group 8 item 3.
        let home = home();
        let name = |kind, version| {
            let facts = facts(version, &home, ClientFamily::Standard);
            match invite_user(&shown(kind), &facts, Timestamp::from_secs(150)) {
                Some(Primitive::InviteUserRequest(request)) => {
                    assert_eq!(request.validity, Some(10));
                    request.invite_type.map(|kind| kind.as_str().to_owned())
                }
                _ => None,
            }
        };
        for (kind, in_each) in [
            (InviteType::Group, [Some("GR"); 3]),
            (InviteType::Messaging, [Some("IM"); 3]),
            (InviteType::Presence, [Some("PR"); 3]),
            (InviteType::SharedContent, [Some("SC"); 3]),
            (InviteType::Membership, [None, Some("GM"), Some("GM")]),
            (InviteType::Application, [None, None, Some("AP")]),
            (
                InviteType::ExtendConversation,
                [Some("GR"), Some("GR"), Some("EC")],
            ),
            (
                InviteType::ExtendGroup,
                [Some("GR"), Some("GR"), Some("EG")],
            ),
        ] {
            let got = Version::ALL.map(|version| name(kind, version));
            assert_eq!(got.each_ref().map(Option::as_deref), in_each, "{kind:?}");
        }
    }
}
