//! Contact lists, a part of the Presence Service Element (csp-presence 2).

mod types;

pub use types::{
    ContactListConfig, ContactLists, CreateContactList, Created, DeleteContactList,
    ExpandContactLists, ManageContactList, Managed, Member, Members, Properties, PropertyChanges,
};
