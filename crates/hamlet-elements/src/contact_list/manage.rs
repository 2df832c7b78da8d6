//! ListManage (csp-presence 2.7).

use crate::authorization::authorize_added;
use crate::contact_list::follow::{Consequences, Effects};
use crate::contact_list::members::add;
use crate::contact_list::properties::{change, properties};
use crate::contact_list::{ManageContactList, Managed, Member};
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::notification::Notification;
use crate::once;
use crate::service::{Answer, IdempotenceKey, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{SessionId, StatusCode, UserId};
use hamlet_store::{StoreError, Tx};
use std::sync::atomic::AtomicU64;

impl Inner {
    /// Removes, adds and sets properties, in this order; or only reads.
    pub(crate) async fn manage_contact_list(
        &self,
        requestor: Requestor,
        mut request: ManageContactList,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let (owner, session) = (requestor.user, requestor.session);
        if request.list.owner() != owner {
            return Err(StatusCode::NO_SUCH_CONTACT_LIST.into());
        }
        let mut failures = Failures::new();
        let malformed = std::mem::take(&mut request.malformed);
        let members = std::mem::take(&mut request.add);
        let known = self
            .known_members(members, malformed, &mut failures)
            .await
            .map_err(|error| refusal(&error))?;
        request.add = known.members;
        if request.is_read_only() && failures.is_empty() {
            return self.read_contact_list(request).await;
        }
        let added = request.add.iter().map(|member| &member.user);
        self.load_concerned(&owner, request.remove.iter().chain(added))
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
                let (answer, effects) =
                    manage(tx, &shared, &tickets, &session, &request, failures)?;
                once::settle(tx, key.as_ref(), &answer)?;
                Ok((answer, effects))
            })
            .await
            .map_err(|error| refusal(&error))?;
        if effects.is_some() {
            self.tell_of_numbers(&owner, known.numbers);
        }
        self.follow(effects).await;
        answer
    }

    async fn read_contact_list(&self, request: ManageContactList) -> Answer {
        self.store
            .read(move |tx| managed(tx, &request, Failures::new(), true))
            .await
            .map_err(|error| refusal(&error))?
    }
}

impl ManageContactList {
    /// It changes nothing.
    pub(crate) fn is_read_only(&self) -> bool {
        self.remove.is_empty()
            && self.add.is_empty()
            && self.properties == crate::contact_list::PropertyChanges::default()
    }
}

fn manage(
    tx: &mut Tx<'_>,
    shared: &Shared,
    tickets: &AtomicU64,
    session: &Option<SessionId>,
    request: &ManageContactList,
    mut failures: Failures,
) -> Result<(Answer, Option<Effects>), StoreError> {
    let Some(mut list) = tx.contact_list(&request.list)? else {
        return Ok((Err(StatusCode::NO_SUCH_CONTACT_LIST.into()), None));
    };
    let mut consequences = Consequences::of(tx, shared, &request.list.owner())?;
    let mut removed = Vec::new();
    for user in &request.remove {
        if tx.remove_member(&list.id, user)? {
            removed.push(user.clone());
        }
    }
    consequences.removed(tx, shared, &list.id, &removed)?;
    let config = &shared.contact_lists;
    let (new, accepted) = add(tx, &list.id, &request.add, config, &mut failures)?;
    consequences.added(tx, shared, &list.id, &new)?;
    let set = change(&mut list, &request.properties, config, &mut failures);
    if set > 0 {
        tx.set_list_properties(&list)?;
    }
    consequences.tell_added(tx, shared, &list, &new)?;
    if request.authorize_and_grant {
        let added = accepted_members(request, &failures);
        let settled = authorize_added(tx, shared, &list.id, &added)?;
        consequences.settled(settled);
        consequences.grant(tx, shared, session.clone(), &added)?;
    }
    if accepted + set + removed.len() > 0 {
        let changed = Notification::ContactListChanged(list.id.clone());
        consequences.tell_owner(session.clone(), changed);
    }
    // To remove somebody who is not there is no error, and no failure either.
    let succeeded = accepted + set + request.remove.len() > 0;
    let answer = managed(tx, request, failures, succeeded)?;
    let effects = consequences.conclude(tx, shared, tickets)?;
    Ok((answer, Some(effects)))
}

/// Those members to add who were accepted.
fn accepted_members(request: &ManageContactList, failures: &Failures) -> Vec<UserId> {
    let added = request.add.iter().map(|member| &member.user);
    let accepted = added.filter(|user| !failures.names(user));
    accepted.cloned().collect()
}

/// The list as it is now.
fn managed(
    tx: &mut Tx<'_>,
    request: &ManageContactList,
    failures: Failures,
    succeeded: bool,
) -> Result<Answer, StoreError> {
    let Some(list) = tx.contact_list(&request.list)? else {
        return Ok(Err(StatusCode::NO_SUCH_CONTACT_LIST.into()));
    };
    let members = tx.members(&list.id)?.into_iter().map(|member| Member {
        user: member.user,
        nickname: member.nickname,
    });
    Ok(Ok(Response::ContactList(Box::new(Managed {
        members: members.collect(),
        properties: properties(&list),
        code: failures.overall(succeeded),
        details: failures.into_details(),
    }))))
}
