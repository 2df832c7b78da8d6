//! The one model that every layer above the wire shares: addresses, identifiers,
//! status codes, presence values and instant messages, named as in IMPS 1.3.
//!
//! Nothing here knows a protocol version, a syntax, a database or a socket.

#![forbid(unsafe_code)]

pub mod access;
pub mod address;
pub mod application;
pub mod content;
pub mod geo;
pub mod group;
pub mod id;
pub mod message;
pub mod msisdn;
pub mod presence;
pub mod profile;
pub mod refusal;
pub mod status;
pub mod time;
pub mod user_profile;

pub use access::{AccessEntity, AccessList, AccessLists, AccessSide};
pub use address::{AddressError, ContactListId, Domain, GroupId, UserId};
pub use application::Application;
pub use content::{Content, TransferEncoding};
pub use geo::Coordinates;
pub use group::{
    AccessType, GroupProperties, GroupProperty, OwnProperties, OwnProperty, Role, ScreenName,
};
pub use id::{ApplicationId, ClientId, MessageId, SessionId, TransactionId};
pub use message::{Elsewhere, Message, MessageParty, Recipients};
pub use msisdn::Msisdn;
pub use profile::{Profile, ProfileField};
pub use refusal::{Detail, Refusal};
pub use status::StatusCode;
pub use time::Timestamp;
pub use user_profile::{Service, ServiceSet, UserProfile, UserProfileChange};
