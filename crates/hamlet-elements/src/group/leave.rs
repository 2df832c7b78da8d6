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
            depart(tx, &shared, &view.group, &gone, Reason::Own, &mut effects)?;
            Ok((done(), vec![effects.seal(tx, &shared)?]))
        })
        .await
    }
}

/// Why a client is not joined any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It has asked for it.
    Own,
    /// Its session has ended.
    Session,
    /// Others have done it: the client has to be told, with this code.
    Others(StatusCode),
}

impl Reason {
    /// As csp-group 5.4 counts them.
    pub(super) fn code(self) -> StatusCode {
        match self {
            Self::Own => StatusCode::OK,
            Self::Session => StatusCode::LEFT_BY_SESSION_END,
            Self::Others(code) => code,
        }
    }
}

/// Clients go by themselves, or with their sessions: with the last one the group may go, too.
pub(super) fn depart(
    tx: &mut Tx<'_>,
    shared: &Shared,
    group: &StoredGroup,
    gone: &[StoredJoined],
    why: Reason,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    take_out(tx, group, gone, why, effects)?;
    if group.properties.auto_delete && tx.count_group_joined(&group.id)? == 0 {
        delete_whole(tx, shared, group, None, effects)?;
    }
    Ok(())
}

/// Clients are not joined any more.
pub(super) fn take_out(
    tx: &mut Tx<'_>,
    group: &StoredGroup,
    gone: &[StoredJoined],
    why: Reason,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    for joined in gone {
        tx.remove_group_joined(&group.id, &joined.user, &joined.client)?;
        effects.left(joined, why.code());
        if let Reason::Others(code) = why {
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
