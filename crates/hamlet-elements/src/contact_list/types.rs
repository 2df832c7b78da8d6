//! What is asked about contact lists and answered (csp-presence 2).

use crate::service::Outcome;
use hamlet_model::{ContactListId, Detail, UserId};
use serde::{Deserialize, Serialize};

/// A member of a list with the nickname that its owner gave him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The user.
    pub user: UserId,
    /// The owner's label for him.
    pub nickname: Option<String>,
}

/// Properties to set (csp-presence 2.3); absent ones stay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PropertyChanges {
    /// Name for people.
    pub display_name: Option<String>,
    /// Make it the default list.
    pub default: Option<bool>,
    /// No ATCL notices for users who are added (1.3).
    pub do_not_notify: Option<bool>,
    /// Names of properties that do not exist or whose value is none (752).
    pub invalid: Vec<String>,
}

/// Effective properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// Name for people.
    pub display_name: String,
    /// It is the default list.
    pub default: bool,
    /// No ATCL notices for users who are added (1.3).
    pub do_not_notify: bool,
}

/// csp-presence 2.5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateContactList {
    /// The list.
    pub list: ContactListId,
    /// First members.
    pub members: Vec<Member>,
    /// Member addresses that cannot be parsed (531).
    pub malformed: Vec<String>,
    /// First properties.
    pub properties: PropertyChanges,
}

/// csp-presence 2.6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteContactList {
    /// The list.
    pub list: ContactListId,
}

/// csp-presence 2.7: removes, then adds, then sets properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManageContactList {
    /// The list.
    pub list: ContactListId,
    /// Members to remove.
    pub remove: Vec<UserId>,
    /// Members to add, or whose nickname to replace.
    pub add: Vec<Member>,
    /// Addresses to add that cannot be parsed (531).
    pub malformed: Vec<String>,
    /// Properties to set.
    pub properties: PropertyChanges,
    /// Those who are added may see the owner's presence and bring him messages (1.3).
    #[serde(default)]
    pub authorize_and_grant: bool,
}

/// Answer to GetContactLists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ContactLists {
    /// All lists but the default one, oldest first.
    pub others: Vec<ContactListId>,
    /// The default list.
    pub default: Option<ContactListId>,
}

/// Answer to CreateContactList: the list exists now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// The list.
    pub list: ContactListId,
    /// Its properties.
    pub properties: Properties,
    /// Which members and properties failed.
    pub outcome: Outcome,
}

/// Answer to ManageContactList: the list as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Managed {
    /// All members.
    pub members: Vec<Member>,
    /// Its properties.
    pub properties: Properties,
    /// 200, 201, or the code that everything failed with.
    pub code: hamlet_model::StatusCode,
    /// What failed.
    pub details: Vec<Detail>,
}

/// Asks for the members of the requestor's contact lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpandContactLists {
    /// The lists.
    pub lists: Vec<ContactListId>,
}

/// Answer to ExpandContactLists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Members {
    /// The members, each once.
    pub users: Vec<UserId>,
    /// Lists that do not exist or are not the requestor's (700).
    pub unknown: Vec<ContactListId>,
}

/// Limits (csp-presence 2.9).
#[derive(Debug, Clone)]
pub struct ContactListConfig {
    /// Most lists of one user.
    pub max_lists: usize,
    /// Most members of one list.
    pub max_members: usize,
    /// Most members of all lists of one user.
    pub max_contacts: usize,
    /// Longest nickname and display name, characters.
    pub max_name: usize,
}

impl Default for ContactListConfig {
    fn default() -> Self {
        Self {
            max_lists: 50,
            max_members: 500,
            max_contacts: 2000,
            max_name: 128,
        }
    }
}
