//! The Service Access Point: sessions, negotiation, transactions, transports, service relay.
//!
//! [`Sap::start`] brings it up over a store; [`Sap::serve`] answers CSP over HTTP on a
//! listener; [`Sap::exchange`] does the same for octets from anywhere. The service elements
//! behind it know nothing of versions, syntaxes or sockets.

#![forbid(unsafe_code)]

mod applications;
mod cir;
pub mod client_profile;
mod config;
mod content;
mod delivery;
mod envelope;
pub mod journal;
mod login;
mod map;
pub mod mapping;
mod metrics;
mod negotiation;
mod operate;
mod records;
pub mod relay;
mod sap;
mod session;
mod suspicion;
pub mod trace;
mod transport;
mod user_profile;

pub use applications::ApplicationChange;
pub use cir::address::{BadAddress, PublicAddress};
pub use cir::method::RepeatTimes;
pub use config::{
    AccountsConfig, CirConfig, DeliveryConfig, HttpConfig, MapConfig, ProviderConfig, Registration,
    RelayConfig, SapConfig, SessionConfig,
};
pub use envelope::exchange::{Inbound, Reply};
pub use login::credentials::KEY_LENGTH;
pub use metrics::{METRICS, STORE_METRICS};
pub use operate::SessionSummary;
pub use records::RecordsConfig;
pub use sap::Sap;
pub use transport::gateway::GatewayConfig;
pub use user_profile::{TerminalCapabilities, WholeUserProfile};
