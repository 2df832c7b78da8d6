//! The Presence Service Element (architecture document 5.3.2; csp-presence 3-4).

mod absence;
mod client;
mod fetch;
mod foreign;
mod hub;
mod legal;
mod load;
mod network;
mod notify;
mod publish;
mod render;
mod state;
mod subscribe;
mod targets;
mod tell;
mod types;
mod unsubscribe;
mod watchers;

pub(crate) use absence::Absences;
pub(crate) use fetch::all_if_empty;
pub(crate) use hub::{Change, Hub};
pub use network::{MobileNetwork, NETWORK_ATTRIBUTES, NetworkPresence, ReportedNetwork};
pub(crate) use notify::visibility_parcel;
pub(crate) use subscribe::{Interest, announce, done, unsubscribe_elsewhere};
pub(crate) use targets::each_once;
pub use types::{
    ClientStatus, GetPresence, PresenceConfig, PresenceNotification, PresenceValues,
    SubscribePresence, Targets, UnsubscribePresence, UpdatePresence, UserPresence,
};
pub(crate) use watchers::Accesses;
pub use watchers::{GetWatchers, Watcher, WatcherStatus, Watchers};
