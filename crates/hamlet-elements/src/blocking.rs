//! Who does not want to hear from whom (csp-im 11.3). One place for all services that bring
//! something from one user to another.

use crate::elements::Inner;
use hamlet_model::{ApplicationId, MessageParty, UserId};
use hamlet_store::StoreError;
use std::collections::HashSet;

/// Who wants to bring something to a user, as block and grant lists see him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Initiator {
    /// The user.
    pub(crate) user: UserId,
    /// His application (1.3).
    pub(crate) application: Option<ApplicationId>,
    /// The group that it comes through, or his screen name in it.
    pub(crate) through: Option<MessageParty>,
}

impl Initiator {
    /// A user by himself.
    pub(crate) fn user(user: UserId) -> Self {
        Self {
            user,
            application: None,
            through: None,
        }
    }
}

impl Inner {
    /// Those of `users`, all of this domain, whose block and grant lists refuse the
    /// initiator. It is nobody: to block somebody is not possible yet.
    pub(crate) async fn refusing(
        &self,
        _initiator: &Initiator,
        _users: &[UserId],
    ) -> Result<HashSet<UserId>, StoreError> {
        Ok(HashSet::new())
    }
}
