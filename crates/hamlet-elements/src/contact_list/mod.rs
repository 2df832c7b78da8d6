//! Contact lists: part of the Presence Service Element (csp-presence 2).

mod create;
mod delete;
mod follow;
mod manage;
mod members;
mod properties;
mod provision;
mod read;
mod types;

pub use types::{
    ContactListConfig, ContactLists, CreateContactList, Created, DeleteContactList,
    ExpandContactLists, ManageContactList, Managed, Member, Members, Properties, PropertyChanges,
};
