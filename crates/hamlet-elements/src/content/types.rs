//! What is asked about content, and what is answered.

use hamlet_model::{Timestamp, UserId};
use hamlet_store::StoreError;
use std::time::Duration;

/// The content store; there is none unless the operator wants it.
#[derive(Debug, Clone)]
pub struct ContentConfig {
    /// What URLs begin with, without a slash at its end.
    pub base_url: String,
    /// The types that are kept, such as `image/*`; `*` is any.
    pub types: Vec<String>,
    /// Most octets of one piece.
    pub max_size: usize,
    /// Most octets of one user.
    pub quota_user: u64,
    /// Most pieces of one user.
    pub max_items: u64,
    /// Most octets of all.
    pub quota_total: u64,
    /// How long content is kept whose owner does not say.
    pub default_life: Duration,
    /// How long it is kept at most.
    pub max_life: Duration,
}

impl Default for ContentConfig {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let types = [
            "image/*",
            "audio/*",
            "video/*",
            "text/plain",
            "text/vcard",
            "text/x-vcard",
            "text/calendar",
            "text/x-vcalendar",
        ];
        Self {
            base_url: "http://localhost:8080".to_owned(),
            types: types.map(str::to_owned).to_vec(),
            max_size: 1 << 20,
            quota_user: 20 << 20,
            max_items: 200,
            quota_total: 1 << 30,
            default_life: DAY * 7,
            max_life: DAY * 30,
        }
    }
}

/// Content to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContent {
    /// Who keeps it.
    pub owner: UserId,
    /// Its MIME type, parameters allowed.
    pub media_type: String,
    /// Its file name; may be empty.
    pub name: String,
    /// For how long; `None` for the usual time.
    pub life: Option<Duration>,
    /// What the server keeps it for on behalf of the owner, such as a message: the same purpose
    /// is kept once, for exactly its life, and is never replaced. `None` when he keeps it himself.
    pub purpose: Option<String>,
}

/// Content that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The part of the URL that nobody can guess.
    pub id: String,
    /// Where others fetch it.
    pub url: String,
    /// Who keeps it.
    pub owner: UserId,
    /// Its MIME type, parameters allowed.
    pub media_type: String,
    /// Its file name; may be empty.
    pub name: String,
    /// Octets.
    pub size: u64,
    /// Counts how often it was replaced, from 1.
    pub revision: u32,
    /// Until when it is kept.
    pub expires: Timestamp,
}

/// Why something about content was not done.
#[derive(Debug, Clone, PartialEq)]
pub enum ContentError {
    /// There is no content store.
    Off,
    /// There is no such content, or not any more.
    NotFound,
    /// It is somebody else's.
    NotOwner,
    /// The type is not one that is kept, or none at all.
    Type,
    /// It has more octets than one piece may have.
    TooLarge,
    /// Its owner keeps as much as he may.
    OwnerFull,
    /// All together keep as much as they may.
    Full,
    /// The store failed.
    Failed(StoreError),
}

impl From<StoreError> for ContentError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}
