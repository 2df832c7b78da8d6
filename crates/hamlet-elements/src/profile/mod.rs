//! Profiles of users (csp-access 11.1; architecture document 5.3.6, user profile management).

mod get;
mod types;
mod update;

pub(crate) use get::failed;
pub use types::{GetPublicProfiles, PublicProfiles, UpdatePublicProfile, UserProfile};
