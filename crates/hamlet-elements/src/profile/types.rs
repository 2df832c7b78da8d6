//! What is asked about profiles and answered (csp-access 11.1).

use crate::service::Outcome;
use hamlet_model::{Detail, Profile, ProfileField, StatusCode, UserId};
use serde::{Deserialize, Serialize};

/// Asks for public profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPublicProfiles {
    /// Whose.
    pub users: Vec<UserId>,
    /// Addresses that cannot be parsed (531).
    pub malformed: Vec<String>,
}

/// Changes the requestor's public profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdatePublicProfile {
    /// Whose it is said to be; `None` for the requestor's.
    pub user: Option<UserId>,
    /// What is there is removed first.
    pub clear: bool,
    /// Fields of the public profile with their new values; an empty one removes.
    pub changes: Vec<(ProfileField, String)>,
    /// Names of properties that there are not (702).
    pub unknown: Vec<String>,
}

/// The public profile of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserProfile {
    /// Whose.
    pub user: UserId,
    /// Only its public fields are set.
    pub profile: Profile,
}

/// Answer to [`GetPublicProfiles`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PublicProfiles {
    /// One for each user who exists.
    pub profiles: Vec<UserProfile>,
    /// The others.
    pub details: Vec<Detail>,
}

impl PublicProfiles {
    /// 200 or 201.
    pub fn code(&self) -> StatusCode {
        let details = self.details.clone();
        Outcome { details }.code()
    }
}
