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
mod visibility;

pub(crate) use absence::Absences;
pub(crate) use hub::{Change, Hub};
pub use network::{MobileNetwork, NETWORK_ATTRIBUTES, NetworkPresence, ReportedNetwork};
pub(crate) use notify::visibility_parcel;
pub(crate) use subscribe::{Interest, announce, unsubscribe_elsewhere};
pub(crate) use targets::each_once;
pub use types::{
    ClientStatus, GetPresence, PresenceConfig, PresenceNotification, PresenceValues,
    SubscribePresence, Targets, UnsubscribePresence, UpdatePresence, UserPresence,
};
