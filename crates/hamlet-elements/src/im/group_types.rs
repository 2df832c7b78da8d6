//! What travels between the domain of a group and those of its users.

use hamlet_model::{ClientId, GroupId, Message, UserId};
use serde::{Deserialize, Serialize};

/// A message in a group of the domain that says so, for the users of this one who have
/// joined it: one for all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliverGroupMessage {
    /// The group.
    pub group: GroupId,
    /// Who said it, so that it does not go to those who refuse him. Nobody is told.
    pub sender: UserId,
    /// With which client: it does not come back to that one.
    pub sender_client: Option<ClientId>,
    /// For whom alone, by the key of his screen name; empty for all.
    pub target: String,
    /// The message, as they read it.
    pub message: Message,
}
