//! Extending a conversation to a private group (csp-group 8).

use super::change::{Changed, Failure, client_of};
use super::create::{check_room, given_name, owner};
use super::effects::Effects;
use super::join::{choose_name, enter, has_session};
use super::members::grant;
use super::record::GroupEvent;
use super::types::{ExtendConversation, Extended};
use crate::blocking::Initiator;
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::invitation::{Invite, InviteType};
use crate::notification::GroupNotice;
use crate::service::{Answer, Call, IdempotenceKey, Outcome, Request, Requestor, Response};
use hamlet_model::presence::AttributeSet;
use hamlet_model::refusal::Failures;
use hamlet_model::{
    AccessType, GroupId, GroupProperties, MessageParty, OwnProperties, Recipients, Refusal, Role,
    StatusCode, Timestamp, UserId,
};
use hamlet_store::{StoredGroup, Tx};

/// Longest name of a conversation, characters.
const MAX_ID: usize = 255;

impl Inner {
    /// Makes the group, joins who asks, and invites the others.
    pub(crate) async fn extend_conversation(
        &self,
        requestor: Requestor,
        request: ExtendConversation,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let guests = self.guests(&requestor, &request).await?;
        let shared = self.shared.clone();
        let name = group_name()?;
        let group = GroupId::of(&requestor.user, &name)
            .map_err(|_| Refusal::new(StatusCode::INVALID_GROUP_PROPERTY))?;
        let (who, id) = (requestor.clone(), request.id.clone());
        let (users, failures) = guests;
        let invited = users.clone();
        let answer = self
            .change_group(key, move |tx| {
                let failures = failures.clone();
                extend(tx, &shared, &who, &request, &group, &users, failures)
            })
            .await?;
        let Response::ConversationExtended(extended) = answer else {
            return Ok(answer);
        };
        // Invited once more after a repetition, they see the same invitation.
        self.invite_guests(requestor, id, &extended.group, invited)
            .await;
        Ok(Response::ConversationExtended(extended))
    }

    /// Who is to come, with the partner at the head; and who cannot. A partner who cannot
    /// makes the whole request fail.
    async fn guests(
        &self,
        requestor: &Requestor,
        request: &ExtendConversation,
    ) -> Result<(Vec<UserId>, Failures), Refusal> {
        let bad = |why: &str| Refusal::because(StatusCode::BAD_PARAMETER, why);
        if !(1..=MAX_ID).contains(&request.id.chars().count()) {
            return Err(bad("ExtendConversationID is empty or too long"));
        }
        let named = self.named(request.users.clone()).await?;
        let mut users: Vec<UserId> = request.partner.iter().cloned().collect();
        for user in &named.users {
            if *user != requestor.user && !users.contains(user) {
                users.push(user.clone());
            }
        }
        let mut failures = Failures::new();
        let partner = request.partner.iter().cloned().collect::<Vec<_>>();
        let unknown = self.directory.unknown(&partner).await;
        let unknown = unknown.map_err(|error| refusal(&error))?;
        let initiator = Initiator::user(requestor.user.clone());
        let here: Vec<UserId> = users
            .iter()
            .filter(|user| self.directory.is_home(user))
            .cloned()
            .collect();
        let refusing = self.refusing(&initiator, &here).await;
        let refusing = refusing.map_err(|error| refusal(&error))?;
        if let Some(partner) = &request.partner {
            let code = match () {
                () if unknown.contains(partner) => Some(StatusCode::UNKNOWN_USER),
                () if refusing.contains(partner) => Some(StatusCode::BLOCKED),
                () => None,
            };
            if let Some(code) = code {
                failures.user(code, partner.clone());
                return Err(Refusal {
                    details: failures.into_details(),
                    ..Refusal::new(code)
                });
            }
        }
        if !named.unknown.is_empty() || !named.malformed.is_empty() {
            let block = failures.block(StatusCode::UNKNOWN_USER);
            block.users.extend(named.unknown);
            block.malformed.extend(named.malformed);
        }
        let (refused, users): (Vec<UserId>, Vec<UserId>) =
            users.into_iter().partition(|user| refusing.contains(user));
        for user in refused {
            failures.user(StatusCode::BLOCKED, user);
        }
        Ok((users, failures))
    }

    /// What becomes of the invitations the inviter hears as of any (csp-access 10.2).
    async fn invite_guests(
        &self,
        requestor: Requestor,
        id: String,
        group: &GroupId,
        users: Vec<UserId>,
    ) {
        if users.is_empty() {
            return;
        }
        let invite = Invite {
            id: format!("conversation {}", group.name()),
            kind: Some(InviteType::ExtendConversation),
            sender: Ok(None),
            recipients: Recipients {
                parties: users.into_iter().map(MessageParty::user).collect(),
                ..Recipients::default()
            },
            application: None,
            group: Some(Ok(group.clone())),
            attributes: AttributeSet::EMPTY,
            urls: Vec::new(),
            note: None,
            screen_name: None,
            validity: None,
        };
        let key = requestor.session.as_ref().map(|session| IdempotenceKey {
            scope: session.to_string(),
            id: format!("conversation {id}"),
            hash: 0,
        });
        let call = Call {
            requestor,
            request: Request::Invite(Box::new(invite)),
            key,
        };
        if let Err(refusal) = Box::pin(self.route(call)).await {
            tracing::info!(%refusal, "nobody could be invited to a conversation");
        }
    }
}

fn extend(
    tx: &mut Tx<'_>,
    shared: &Shared,
    requestor: &Requestor,
    request: &ExtendConversation,
    id: &GroupId,
    users: &[UserId],
    failures: Failures,
) -> Changed {
    let (user, config) = (&requestor.user, &shared.groups);
    check_room(tx, user, config)?;
    has_session(tx, requestor)?;
    let note = request.welcome_note.clone();
    let note = note.filter(|note| !note.data.is_empty());
    if note
        .as_ref()
        .is_some_and(|note| note.data.len() > config.max_welcome_note)
    {
        return Err(StatusCode::INVALID_GROUP_PROPERTY.into());
    }
    let name = request.screen_name.as_deref().map(given_name).transpose()?;
    if !tx.put_conversation(user, &request.id, id)? {
        let why = "The ExtendConversationID has been used before";
        return Err(Failure::from(Refusal::because(
            StatusCode::BAD_PARAMETER,
            why,
        )));
    }
    let group = StoredGroup {
        id: id.clone(),
        owner: Some(user.clone()),
        created: Timestamp::now(),
        expires: None,
        properties: GroupProperties {
            access: AccessType::Restricted,
            auto_delete: true,
            welcome_note: note,
            ..GroupProperties::default()
        },
    };
    tx.create_group(&group)?;
    let member = owner(user, OwnProperties::default());
    tx.put_group_member(id, &member)?;
    let mut effects = Effects::of(id);
    effects.record(GroupEvent::Created {
        owner: group.owner.clone(),
    });
    effects.notify(
        shared,
        user,
        requestor.session.as_ref(),
        GroupNotice::Created,
    );
    for guest in users {
        let before = super::change::nothing(guest);
        grant(tx, shared, &group, before, Role::User, &mut effects)?;
    }
    let name = choose_name(tx, &group, name, Some(&member), user)?;
    effects.except(user, &client_of(requestor));
    enter(
        tx,
        &group,
        requestor,
        name,
        request.subscribe,
        &member,
        &mut effects,
    )?;
    let response = Response::ConversationExtended(Box::new(Extended {
        id: request.id.clone(),
        group: id.clone(),
        outcome: Outcome {
            details: failures.into_details(),
        },
    }));
    Ok((response, vec![effects.seal(tx, shared)?]))
}

/// A name that nobody has and nobody can guess, and short enough for phones
/// (csp-group 1.1).
fn group_name() -> Result<String, Refusal> {
    let mut octets = [0; 6];
    getrandom::fill(&mut octets).map_err(|error| {
        tracing::error!(%error, "no random numbers");
        Refusal::new(StatusCode::INTERNAL_ERROR)
    })?;
    let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    Ok(format!("c{digits}"))
}
