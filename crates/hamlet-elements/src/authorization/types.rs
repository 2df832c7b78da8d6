//! What is asked about authorization and answered (csp-presence 6).

use crate::notification::AuthorizationLevel;
use crate::presence::Targets;
use hamlet_model::presence::AttributeSet;
use hamlet_model::{ContactListId, Detail, StatusCode, UserId};
use serde::{Deserialize, Serialize};

/// What a watcher sees of a publisher who has decided nothing that applies to him
/// (csp-presence 7 row 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unauthorized {
    /// Nothing; the publisher is asked.
    #[default]
    Ask,
    /// Everything, if one of the two has the other in a contact list; else as [`Self::Ask`].
    Contacts,
    /// Everything.
    Everyone,
}

/// csp-presence 6.2: replaces what the targets may see.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CreateAttributeList {
    /// What they may see: nothing, when it is empty. `None`: only the flags are set.
    pub attributes: Option<AttributeSet>,
    /// Users, and contact lists of the requestor.
    pub targets: Targets,
    /// Everybody else, too.
    pub default: bool,
    /// Whether he wants to know of watchers among the users who want more (1.3); `None`
    /// leaves it as it is, as with the next two.
    pub user_notify: Option<bool>,
    /// Of watchers in the contact lists.
    pub contact_list_notify: Option<bool>,
    /// Of all others.
    pub default_notify: Option<bool>,
    /// Names of attributes that the requestor's version does not have (750).
    pub unsupported: Vec<String>,
}

/// csp-presence 6.3: the targets have no list of their own any more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeleteAttributeList {
    /// Users, and contact lists of the requestor.
    pub targets: Targets,
    /// Everybody else, too.
    pub default: bool,
}

/// csp-presence 6.4: without targets all lists of users and contact lists are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GetAttributeLists {
    /// Users, and contact lists of the requestor.
    pub targets: Targets,
    /// The default list, too.
    pub default: bool,
}

/// What a target may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rule {
    /// The attributes; `None`: there is no attribute list.
    pub attributes: Option<AttributeSet>,
    /// The owner wants to know of watchers who want more.
    pub notify: bool,
}

/// Answer to GetAttributeLists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttributeLists {
    /// The default list, if it was asked for.
    pub default: Option<Rule>,
    /// Those of users.
    pub users: Vec<(UserId, Rule)>,
    /// Those of contact lists.
    pub contact_lists: Vec<(ContactListId, Rule)>,
    /// Targets that do not exist.
    pub details: Vec<Detail>,
}

impl AttributeLists {
    /// 200, or 201 with details.
    pub fn code(&self) -> StatusCode {
        match self.details.is_empty() {
            true => StatusCode::OK,
            false => StatusCode::PARTIAL_SUCCESS,
        }
    }
}

/// csp-presence 6.6: the publisher's decision about a watcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeWatcher {
    /// The watcher.
    pub watcher: UserId,
    /// He may see something.
    pub accept: bool,
    /// What; empty for everything. `None`: what he has asked for.
    pub attributes: Option<AttributeSet>,
}

/// csp-presence 6.6: takes a decision about a watcher back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelAuthorization {
    /// The watcher.
    pub watcher: UserId,
}

/// csp-presence 6.6: how far questions have come; without users all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GetReactiveAuthorizations {
    /// The watchers.
    pub users: Vec<UserId>,
    /// Addresses that cannot be parsed (531).
    pub malformed: Vec<String>,
}

/// How far a question about a watcher has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReactiveShown {
    /// Not answered.
    Pending,
    /// He may see something.
    Granted,
    /// He may not.
    Denied,
}

/// One such question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactiveAuthorizationShown {
    /// The watcher.
    pub watcher: UserId,
    /// How far it has come.
    pub state: ReactiveShown,
    /// What he may see, or asks for.
    pub attributes: AttributeSet,
}

/// Answer to GetReactiveAuthorizations, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReactiveAuthorizations {
    /// Those that there are.
    pub all: Vec<ReactiveAuthorizationShown>,
}

/// A watcher wants more than he may see: for the publisher's clients (csp-presence 6.6, 6.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationAsked {
    /// Who.
    pub watcher: UserId,
    /// What he asks for and may not see.
    pub attributes: AttributeSet,
    /// At which level it was decided that he may not.
    pub level: AuthorizationLevel,
    /// The contact lists through which he is known.
    pub contact_lists: Vec<ContactListId>,
    /// Nothing has been decided about him: clients that can be asked are (1.1, 1.2).
    pub ask: bool,
    /// Clients that are notified are (1.3).
    pub notify: bool,
}

/// From the home of a user's presence to his own domain: his clients are to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskPublisher {
    /// The publisher.
    pub publisher: UserId,
    /// What about.
    pub asked: AuthorizationAsked,
}
