//! CreateList (csp-presence 2.5).

use crate::contact_list::follow::{Consequences, Effects};
use crate::contact_list::members::{Known, add};
use crate::contact_list::properties::{change, properties};
use crate::contact_list::{CreateContactList, Created, Member};
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::notification::Notification;
use crate::once;
use crate::service::{Answer, IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{Refusal, SessionId, StatusCode};
use hamlet_store::{ContactList, StoreError, Tx};
use std::sync::atomic::AtomicU64;

/// Longest name of a list, characters (csp-presence 2.9).
const MAX_LIST_NAME: usize = 64;

impl Inner {
    pub(crate) async fn create_contact_list(
        &self,
        requestor: Requestor,
        mut request: CreateContactList,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let (owner, session) = (requestor.user, requestor.session);
        if request.list.owner() != owner {
            return Err(Refusal::because(
                StatusCode::FORBIDDEN,
                "The list would belong to another user",
            ));
        }
        if request.list.name().chars().count() > MAX_LIST_NAME {
            return Err(Refusal::because(
                StatusCode::BAD_PARAMETER,
                "The name of the list is too long",
            ));
        }
        let mut failures = Failures::new();
        let malformed = std::mem::take(&mut request.malformed);
        let members = std::mem::take(&mut request.members);
        let Known { members, numbers } = self
            .known_members(members, malformed, &mut failures)
            .await
            .map_err(|error| refusal(&error))?;
        self.load_concerned(&owner, members.iter().map(|m| &m.user))
            .await
            .map_err(|error| refusal(&error))?;
        let (shared, tickets) = (self.shared.clone(), self.hub.tickets());
        let (answer, effects) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, None));
                }
                let failures = failures.clone();
                let (answer, effects) = create(
                    tx, &shared, &tickets, &session, &request, &members, failures,
                )?;
                once::settle(tx, key.as_ref(), &answer)?;
                Ok((answer, effects))
            })
            .await
            .map_err(|error| refusal(&error))?;
        if effects.is_some() {
            self.tell_of_numbers(&owner, numbers);
        }
        self.follow(effects).await;
        answer
    }
}

fn create(
    tx: &mut Tx<'_>,
    shared: &Shared,
    tickets: &AtomicU64,
    session: &Option<SessionId>,
    request: &CreateContactList,
    members: &[Member],
    mut failures: Failures,
) -> Result<(Answer, Option<Effects>), StoreError> {
    let owner = request.list.owner();
    let lists = tx.contact_lists(&owner)?;
    if lists.iter().any(|list| list.id == request.list) {
        return Ok((Err(StatusCode::CONTACT_LIST_EXISTS.into()), None));
    }
    let config = &shared.contact_lists;
    if lists.len() >= config.max_lists {
        return Ok((Err(StatusCode::TOO_MANY_LISTS.into()), None));
    }
    let mut list = ContactList {
        id: request.list.clone(),
        display_name: None,
        do_not_notify: false,
        // The first one, whatever the property says.
        default: lists.is_empty(),
    };
    change(&mut list, &request.properties, config, &mut failures);
    let mut consequences = Consequences::of(tx, shared, &owner)?;
    tx.create_contact_list(&list)?;
    let (new, _) = add(tx, &list.id, members, config, &mut failures)?;
    consequences.added(tx, shared, &list.id, &new)?;
    consequences.tell_added(tx, shared, &list, &new)?;
    let created = Notification::ContactListCreated(list.id.clone());
    consequences.tell_owner(session.clone(), created);
    let effects = consequences.conclude(tx, shared, tickets)?;
    // Even if every member failed: a plain 531 would make phones create it again.
    let answer = Ok(Response::ContactListCreated(Created {
        properties: properties(&list),
        list: list.id,
        outcome: Outcome {
            details: failures.into_details(),
        },
    }));
    Ok((answer, Some(effects)))
}
