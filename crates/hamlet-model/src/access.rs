//! Block and grant lists (csp-im 11).

use crate::{ApplicationId, ContactListId, GroupId, UserId};
use serde::{Deserialize, Serialize};

/// Whom or what a block or grant list can name (csp-im 11.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AccessEntity {
    /// A user.
    User(UserId),
    /// Whoever has this name in the group.
    ScreenName {
        /// The name.
        name: String,
        /// The group.
        group: GroupId,
    },
    /// Everything that comes through a group.
    Group(GroupId),
    /// The members of a contact list, whoever they are at the time (1.3).
    ContactList(ContactListId),
    /// Everything that comes from an application (1.3).
    Application(ApplicationId),
}

/// Which of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AccessSide {
    /// Whoever is named is kept out.
    Block,
    /// Only whoever is named gets through.
    Grant,
}

/// One of the lists of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessList {
    /// Whether it counts.
    pub in_use: bool,
    /// What it names, oldest first.
    pub entities: Vec<AccessEntity>,
}

/// Both lists of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLists {
    /// Who is kept out.
    pub block: AccessList,
    /// Who alone gets through.
    pub grant: AccessList,
}

impl AccessLists {
    /// One of them.
    pub fn side(&self, side: AccessSide) -> &AccessList {
        match side {
            AccessSide::Block => &self.block,
            AccessSide::Grant => &self.grant,
        }
    }

    /// One of them, to be changed.
    pub fn side_mut(&mut self, side: AccessSide) -> &mut AccessList {
        match side {
            AccessSide::Block => &mut self.block,
            AccessSide::Grant => &mut self.grant,
        }
    }

    /// Whether they can keep anybody out at all.
    pub fn can_refuse(&self) -> bool {
        self.grant.in_use || (self.block.in_use && !self.block.entities.is_empty())
    }
}
