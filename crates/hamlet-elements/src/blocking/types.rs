//! What is asked about block and grant lists (csp-im 11.1, 11.2).

use hamlet_model::refusal::Failures;
use hamlet_model::{AccessEntity, AccessSide};
use serde::{Deserialize, Serialize};

/// Changes of the requestor's lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChangeAccessLists {
    /// Of the block list.
    pub block: ListChange,
    /// Of the grant list.
    pub grant: ListChange,
    /// What should be added and is no address at all, with its codes.
    pub malformed: Failures,
}

/// Changes of one list: first what is added, then what is removed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListChange {
    /// Whether it counts; `None` leaves that as it is.
    pub in_use: Option<bool>,
    /// What it is to name, too.
    pub add: Vec<AccessEntity>,
    /// What it is not to name any more.
    pub remove: Vec<AccessEntity>,
}

impl ChangeAccessLists {
    /// The changes of one list.
    pub fn side(&self, side: AccessSide) -> &ListChange {
        match side {
            AccessSide::Block => &self.block,
            AccessSide::Grant => &self.grant,
        }
    }

    /// The changes of one list, to be changed.
    pub fn side_mut(&mut self, side: AccessSide) -> &mut ListChange {
        match side {
            AccessSide::Block => &mut self.block,
            AccessSide::Grant => &mut self.grant,
        }
    }
}
