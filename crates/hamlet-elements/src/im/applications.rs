//! Who may address an application (architecture document 5.3.6.1): its own users, the
//! applications that it takes messages from, and users that it is open to.

use crate::elements::Inner;
use hamlet_model::{ApplicationId, MessageParty, UserId};
use hamlet_store::StoreError;

impl Inner {
    /// Whether `sender`, in a session of application `from`, may address `recipient` at
    /// `party`. Costs no query but where an application is addressed.
    pub(crate) async fn may_address(
        &self,
        from: Option<&ApplicationId>,
        sender: &UserId,
        recipient: &UserId,
        party: &MessageParty,
    ) -> Result<bool, StoreError> {
        let named = match party {
            MessageParty::User { application, .. } => application.clone(),
            _ => None,
        };
        let account = self.directory.unusual(recipient).application;
        for target in [named, account].into_iter().flatten() {
            let (from, sender) = (from.cloned(), sender.clone());
            let read = self.store.read(move |tx| {
                // One that nobody registered is nobody's to guard.
                let Some(application) = tx.application(&target)? else {
                    return Ok(true);
                };
                let granted = from.is_none() && tx.is_granted(&target, &sender)?;
                Ok(application.takes_from(from.as_ref(), granted))
            });
            if !read.await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
