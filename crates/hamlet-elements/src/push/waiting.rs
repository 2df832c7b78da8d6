//! What waits for a user in the store.

use super::{Push, PushContent};
use crate::elements::Inner;
use crate::failure::encoding;
use hamlet_model::{Timestamp, UserId};
use hamlet_store::{StoreError, StoredPush, Tx};
use std::sync::Arc;

/// Most that is read at a time; what is acknowledged makes room for more.
const PAGE: usize = 500;

impl Push {
    /// As the store keeps it.
    pub(crate) fn stored(&self, user: &UserId) -> Result<StoredPush, StoreError> {
        Ok(StoredPush {
            user: user.clone(),
            id: self.id.clone(),
            expires: self.expires,
            payload: serde_json::to_vec(self).map_err(encoding)?,
        })
    }

    /// Keeps it for the user.
    pub(crate) fn put(&self, tx: &mut Tx<'_>, user: &UserId) -> Result<(), StoreError> {
        tx.put_push(&self.stored(user)?)
    }
}

impl Inner {
    /// What waits for a user, oldest first, and whether there may be more than this.
    pub(crate) async fn pushes(&self, of: &UserId) -> Result<(Vec<Arc<Push>>, bool), StoreError> {
        let user = of.clone();
        let now = Timestamp::now();
        let kept = self
            .store
            .read(move |tx| tx.pushes(&user, now, PAGE))
            .await?;
        let more = kept.len() == PAGE;
        let readable = kept.iter().filter_map(|push| {
            serde_json::from_slice(&push.payload)
                .map_err(|error| tracing::error!(%error, id = push.id, "a push is unreadable"))
                .ok()
        });
        let mut pushes: Vec<Push> = readable.collect();
        pushes.extend(self.system_pushes(of).await?);
        pushes.sort_by_key(|push| push.since);
        Ok((pushes.into_iter().map(Arc::new).collect(), more))
    }

    /// A client of the user has acknowledged it, `whole` in the form that it has: it is not
    /// sent to clients that come later.
    pub(crate) async fn push_acknowledged(
        &self,
        user: &UserId,
        push: &Push,
        whole: bool,
    ) -> Result<(), StoreError> {
        if !push.durable {
            return Ok(());
        }
        if let PushContent::SystemMessage(shown) = &push.content {
            return self.system_message_delivered(user, shown, whole).await;
        }
        let (user, id) = (user.clone(), push.id.clone());
        let removed = self.store.write(move |tx| tx.remove_push(&user, &id));
        removed.await.map(drop)
    }

    /// Removes what has expired; how much.
    pub(crate) async fn expire_pushes(&self, now: Timestamp) -> Result<usize, StoreError> {
        let gone = self.store.write(move |tx| {
            let gone = tx.purge_pushes(now)? + tx.purge_invitations(now)?;
            Ok(usize::try_from(gone).unwrap_or(usize::MAX))
        });
        gone.await
    }
}
