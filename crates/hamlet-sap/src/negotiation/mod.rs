//! What client and server agree on after login (csp-access 4, 6), and the end of a session.

pub(crate) mod auto_join;
pub(crate) mod capability;
pub(crate) mod capability_answer;
pub(crate) mod cir;
pub(crate) mod client_info;
pub(crate) mod delivery_method;
pub(crate) mod entitlement;
pub(crate) mod functions;
pub(crate) mod keep_alive;
pub(crate) mod notifications;
pub(crate) mod priority;
pub(crate) mod provider;
pub(crate) mod service;
