//! Leaving a group, of one's own accord or not (csp-group 5.4, 9).

use super::change::{View, client_of, done, keep_member};
use super::delete::delete_whole;
use super::effects::Effects;
use super::rights::Operation;
use super::types::LeaveGroup;
use crate::elements::{Inner, Shared};
use crate::service::{Answer, IdempotenceKey, Requestor};
use hamlet_model::{StatusCode, UserId};
use hamlet_store::{StoreError, StoredGroup, StoredJoined, Tx};
use std::collections::BTreeSet;

impl Inner {
    pub(crate) async fn leave_group(
        &self,
        requestor: Requestor,
        request: LeaveGroup,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let shared = self.shared.clone();
        self.change_group(key, move |tx| {
            let view = View::read(tx, &request.group, &requestor)?;
            view.check(&requestor.user, Operation::Leave)?;
            let mut effects = Effects::of(&request.group);
            effects.except(&requestor.user, &client_of(&requestor));
            let gone: Vec<StoredJoined> = view.joined.into_iter().collect();
            depart(tx, &shared, &view.group, &gone, &mut effects)?;
            Ok((done(), vec![effects.seal(tx, &shared)?]))
        })
        .await
    }
}

/// Clients go by themselves, or with their sessions: with the last one the group may go, too.
pub(super) fn depart(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
    gone: &[StoredJoined],
    effects: &mut Effects,
) -> Result<(), StoreError> {
    take_out(tx, group, gone, None, effects)?;
    if group.properties.auto_delete && tx.count_group_joined(&group.id)? == 0 {
        delete_whole(tx, shared, group, None, effects)?;
    }
    Ok(())
}

/// Clients are not joined any more. `why`: they have to be told, with this code.
pub(super) fn take_out(
    tx: &mut Tx<'_>,
    group: &StoredGroup,
    gone: &[StoredJoined],
    why: Option<StatusCode>,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    for joined in gone {
        tx.remove_group_joined(&group.id, &joined.user, &joined.client)?;
        effects.left(joined);
        if let Some(code) = why {
            effects.put_out(joined, code);
        }
    }
    let users: BTreeSet<&UserId> = gone.iter().map(|joined| &joined.user).collect();
    for user in users {
        if let Some(member) = tx.group_member(&group.id, user)? {
            keep_member(tx, &group.id, &member)?;
        }
    }
    Ok(())
}
