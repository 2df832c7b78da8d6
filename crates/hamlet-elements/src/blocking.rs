//! Who does not want to hear from whom (csp-im 11.3). One place for all services that bring
//! something from one user to another.

use crate::elements::Inner;
use hamlet_model::UserId;
use std::collections::HashSet;

impl Inner {
    /// Those of `users`, all of this domain, whose block and grant lists refuse the sender.
    /// It is nobody: to block somebody is not possible yet.
    pub(crate) fn refusing(&self, _sender: &UserId, _users: &[UserId]) -> HashSet<UserId> {
        HashSet::new()
    }
}
