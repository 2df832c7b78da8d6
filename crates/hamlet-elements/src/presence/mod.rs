//! The Presence Service Element (architecture document 5.3.2; csp-presence 3-4).

mod types;

pub use types::{
    ClientStatus, GetPresence, PresenceConfig, PresenceNotification, PresenceValues,
    SubscribePresence, Targets, UnsubscribePresence, UpdatePresence, UserPresence,
};
