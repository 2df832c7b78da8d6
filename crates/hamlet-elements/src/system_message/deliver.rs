//! System messages on their way to users.

use super::SystemMessageShown;
use super::operate::read;
use crate::elements::Inner;
use crate::push::Push;
use hamlet_model::{Timestamp, UserId};
use hamlet_store::{StoreError, SystemMessageState, SystemMessageUser};

/// Most that one user gets at once; what he has got makes room for more.
const MOST: usize = 50;

impl Inner {
    /// What the user has not got, or not answered, as pushes to his sessions.
    pub(crate) async fn system_pushes(&self, user: &UserId) -> Result<Vec<Push>, StoreError> {
        let user = user.clone();
        let now = Timestamp::now();
        let kept = self
            .store
            .read(move |tx| tx.system_messages_for(&user, now, MOST))
            .await?;
        let pushes = kept.iter().filter_map(|kept| {
            let shown = read(kept)?;
            Some(shown.push(kept.created, kept.expires))
        });
        Ok(pushes.collect())
    }

    /// Those for his login: the user has to answer them, or they are to be told there.
    pub(crate) async fn system_messages_at_login(
        &self,
        user: &UserId,
    ) -> Result<Vec<SystemMessageShown>, StoreError> {
        let user = user.clone();
        let now = Timestamp::now();
        let kept = self
            .store
            .read(move |tx| tx.system_messages_for(&user, now, MOST))
            .await?;
        let shown = kept.iter().filter_map(read);
        Ok(shown.filter(|shown| shown.message.at_login).collect())
    }

    /// A client of the user has it. Who owes an answer gets it again when he comes again.
    pub(crate) async fn system_message_delivered(
        &self,
        user: &UserId,
        shown: &SystemMessageShown,
        answerable: bool,
    ) -> Result<(), StoreError> {
        let number = shown.number;
        let state = match shown.message.requires_response && answerable {
            true => SystemMessageState::Shown,
            false => SystemMessageState::Delivered,
        };
        let became = SystemMessageUser {
            user: user.clone(),
            state,
            choice: None,
            changed: Timestamp::now(),
        };
        self.store
            .write(move |tx| {
                let known = tx.system_message_user(number, &became.user)?;
                // An answer may have come first.
                let settled = known.is_some_and(|known| {
                    let waiting = [SystemMessageState::Waiting, SystemMessageState::Shown];
                    !waiting.contains(&known.state)
                });
                match settled {
                    true => Ok(()),
                    false => tx.set_system_message_user(number, &became),
                }
            })
            .await
    }
}
