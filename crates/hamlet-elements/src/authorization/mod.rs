//! Who may see whose presence (csp-presence 6, 7): attribute lists, the questions that
//! publishers are asked about their watchers, and the one decision that all of Presence
//! follows.

mod add;
mod ask;
mod attribute_lists;
mod change;
mod decide;
mod grants;
mod reactive;
mod types;

pub(crate) use add::authorize_added;
pub(crate) use change::{changed_grants, tell_elsewhere};
pub(crate) use decide::{Applicable, Decision, decide};
pub(crate) use grants::Grants;
pub use types::{
    AskPublisher, AttributeLists, AuthorizationAsked, AuthorizeWatcher, CancelAuthorization,
    CreateAttributeList, DeleteAttributeList, GetAttributeLists, GetReactiveAuthorizations,
    ReactiveAuthorizationShown, ReactiveAuthorizations, ReactiveShown, Rule, Unauthorized,
};
