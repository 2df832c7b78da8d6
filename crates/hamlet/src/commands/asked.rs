//! What others ask of the user: to see his presence, and to come along. Commands that wait for
//! something show it; `hamlet presence authorize` and `hamlet invitation` answer.

use crate::failure::Failure;
use crate::output::{line, plain};
use hamlet_client::elements::InviteType;
use hamlet_client::{AttributeSet, AuthorizationRequest, Client, Incoming, Invitation};
use serde_json::{Value, json};

/// Shows what others ask or answer, and acknowledges it; `false` for anything else, which is
/// left as it is.
pub async fn show(
    client: &mut Client,
    incoming: &Incoming,
    as_json: bool,
) -> Result<bool, Failure> {
    let (object, text) = match incoming {
        Incoming::Authorization(request) => authorization(request),
        Incoming::Invitation(invitation) => invited(invitation),
        Incoming::InvitationAnswer(answer) => {
            let from = somebody(&answer.from);
            let does = if answer.accepted {
                "accepts"
            } else {
                "declines"
            };
            let text = format!(
                "{from} {does} your invitation {}{}",
                answer.id,
                words(&answer.note)
            );
            let object = json!({"event": "invitation-answer", "id": answer.id, "from": from,
                "accepted": answer.accepted, "note": answer.note});
            (object, text)
        }
        Incoming::InvitationWithdrawn(withdrawn) => {
            let from = somebody(&withdrawn.from);
            let text = format!(
                "{from} withdraws the invitation {}{}",
                withdrawn.id,
                words(&withdrawn.note)
            );
            let object = json!({"event": "invitation-withdrawn", "id": withdrawn.id,
                "from": from, "note": withdrawn.note});
            (object, text)
        }
        _ => return Ok(false),
    };
    match as_json {
        true => line(object)?,
        false => line(format!("* {}", plain(&text)))?,
    }
    match incoming {
        Incoming::Authorization(_) | Incoming::Invitation(_) => client.shown(incoming).await?,
        _ => client.acknowledge(incoming).await?,
    }
    Ok(true)
}

fn authorization(request: &AuthorizationRequest) -> (Value, String) {
    let who = request.watchers.join(" ");
    let names = names(request.attributes);
    let what = match names.as_str() {
        "" => String::new(),
        names => format!(" ({names})"),
    };
    let text = format!(
        "{who} asks to see your presence{what}; answer: hamlet presence authorize {who}, or deny"
    );
    let attributes: Vec<&str> = request
        .attributes
        .iter()
        .map(|name| name.as_str())
        .collect();
    let object = json!({"event": "authorization", "from": request.watchers,
        "attributes": attributes});
    (object, text)
}

fn invited(invitation: &Invitation) -> (Value, String) {
    let from = somebody(&invitation.from);
    let group = invitation.group.as_deref().unwrap_or("?");
    let kind = invitation.kind.as_ref().map_or("", InviteType::as_str);
    let to = match &invitation.kind {
        Some(InviteType::GR | InviteType::EC | InviteType::EG) => format!("to the group {group}"),
        Some(InviteType::GM) => format!("to be a member of {group}"),
        Some(InviteType::SC) => format!("to fetch {}", invitation.urls.join(" ")),
        Some(InviteType::PR) => format!("to see his presence ({})", names(invitation.attributes)),
        Some(InviteType::IM) => "to exchange messages".to_owned(),
        _ => format!("to something of type {kind}"),
    };
    let text = format!(
        "{from} invites you {to}{}; answer: hamlet invitation accept {id}, or decline",
        words(&invitation.note),
        id = invitation.id,
    );
    let object = json!({"event": "invitation", "id": invitation.id, "kind": kind, "from": from,
        "group": invitation.group, "urls": invitation.urls, "note": invitation.note});
    (object, text)
}

/// Names of attributes as the command line takes them.
pub fn names(attributes: AttributeSet) -> String {
    let names: Vec<&str> = attributes.iter().map(|name| name.as_str()).collect();
    names.join(",")
}

fn somebody(from: &Option<String>) -> &str {
    from.as_deref().unwrap_or("somebody")
}

fn words(note: &Option<String>) -> String {
    let words = note.as_ref().map(|note| format!(": {note:?}"));
    words.unwrap_or_default()
}
