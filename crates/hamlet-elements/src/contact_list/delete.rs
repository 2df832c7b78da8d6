//! DeleteList (csp-presence 2.6).

use crate::blocking::AccessChange;
use crate::contact_list::DeleteContactList;
use crate::contact_list::follow::{Consequences, Effects};
use crate::elements::{Inner, Shared};
use crate::failure::refusal;
use crate::notification::Notification;
use crate::once;
use crate::service::{Answer, IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::{ContactListId, SessionId, StatusCode, UserId};
use hamlet_store::{StoreError, Tx};
use std::sync::atomic::AtomicU64;

impl Inner {
    pub(crate) async fn delete_contact_list(
        &self,
        requestor: Requestor,
        request: DeleteContactList,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let (owner, list, session) = (requestor.user, request.list, requestor.session);
        if list.owner() != owner {
            return Err(StatusCode::NO_SUCH_CONTACT_LIST.into());
        }
        self.load_list(&owner, &list)
            .await
            .map_err(|error| refusal(&error))?;
        let sessions: Vec<SessionId> = {
            let state = self.hub.lock();
            state.sessions_of(&owner).map(|s| s.id.clone()).collect()
        };
        let (shared, tickets) = (self.shared.clone(), self.hub.tickets());
        let (owner_of, by) = (owner.clone(), session.clone());
        let (answer, done) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, None));
                }
                let Some(done) = delete(tx, &shared, &tickets, &list, (&session, &sessions))?
                else {
                    return Ok((Err(StatusCode::NO_SUCH_CONTACT_LIST.into()), None));
                };
                let answer = Ok(Response::Done(Outcome::default()));
                once::settle(tx, key.as_ref(), &answer)?;
                Ok((answer, Some(done)))
            })
            .await
            .map_err(|error| refusal(&error))?;
        if let Some((effects, access)) = done {
            self.follow(Some(effects)).await;
            self.access_changed(&owner_of, by, access).await;
        }
        answer
    }

    /// Loads whom the end of a list concerns.
    async fn load_list(&self, owner: &UserId, list: &ContactListId) -> Result<(), StoreError> {
        let list = list.clone();
        let members = self.store.read(move |tx| tx.members(&list)).await?;
        self.load_concerned(owner, members.iter().map(|m| &m.user))
            .await
    }
}

fn delete(
    tx: &mut Tx<'_>,
    shared: &Shared,
    tickets: &AtomicU64,
    id: &ContactListId,
    (session, sessions): (&Option<SessionId>, &[SessionId]),
) -> Result<Option<(Effects, AccessChange)>, StoreError> {
    let Some(list) = tx.contact_list(id)? else {
        return Ok(None);
    };
    let members: Vec<UserId> = tx.members(id)?.into_iter().map(|m| m.user).collect();
    let owner = id.owner();
    let mut consequences = Consequences::of(tx, shared, &owner)?;
    tx.delete_contact_list(id)?;
    let access = AccessChange::of_entities(tx.forget_in_access_lists(id)?);
    if list.default {
        // The oldest of those left.
        if let Some(next) = tx.contact_lists(&owner)?.first() {
            tx.set_default_list(&next.id)?;
        }
    }
    consequences.deleted(tx, shared, id, &members, sessions)?;
    let deleted = Notification::ContactListDeleted(id.clone());
    consequences.tell_owner(session.clone(), deleted);
    let effects = consequences.conclude(tx, shared, tickets)?;
    Ok(Some((effects, access)))
}
