//! The end of a group (csp-group 5.2, 9).

use super::change::{View, done};
use super::effects::Effects;
use super::record::GroupEvent;
use super::rights::Operation;
use super::types::DeleteGroup;
use crate::elements::{Inner, Shared};
use crate::notification::GroupNotice;
use crate::service::{Answer, IdempotenceKey, Requestor};
use hamlet_model::{SessionId, StatusCode, UserId};
use hamlet_store::{StoreError, StoredGroup, Tx};
use std::collections::BTreeSet;

impl Inner {
    /// 816 for who may not; 804 for a public group, which is the provider's.
    pub(crate) async fn delete_group(
        &self,
        requestor: Requestor,
        request: DeleteGroup,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let shared = self.shared.clone();
        self.change_group(key, move |tx| {
            let view = View::read(tx, &request.group, &requestor)?;
            view.check(&requestor.user, Operation::Delete)?;
            if view.group.owner.is_none() {
                return Err(StatusCode::GROUP_IS_PUBLIC.into());
            }
            let mut effects = Effects::of(&request.group);
            let session = requestor.session.as_ref();
            delete_whole(tx, &shared, &view.group, session, &mut effects)?;
            Ok((done(), vec![effects.seal(tx, &shared)?]))
        })
        .await
    }
}

/// Removes a group with all that belongs to it. Who is joined is told, but not the session
/// that has done it; and those are notified who had to do with it.
pub(super) fn delete_whole(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
    by: Option<&SessionId>,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    effects.silence();
    for joined in tx.group_joined(&group.id)? {
        effects.left_behind(&joined);
        if by.is_none() || joined.session.as_ref() != by {
            effects.put_out(&joined, StatusCode::NO_SUCH_GROUP);
        }
    }
    let members = tx.group_members(&group.id)?;
    let concerned: BTreeSet<&UserId> = members
        .iter()
        .map(|member| &member.user)
        .chain(&group.owner)
        .collect();
    for user in concerned {
        effects.notify(shared, user, by, GroupNotice::Deleted);
    }
    tx.delete_group(&group.id)?;
    effects.record(GroupEvent::Deleted);
    Ok(())
}
