//! Login (csp-access 3): who a client speaks for, and the session that it gets.

pub(crate) mod accounts;
mod admit;
pub(crate) mod authenticate;
pub mod credentials;
pub(crate) mod digest;
mod lists;
pub(crate) mod registration;
pub(crate) mod respond;
pub(crate) mod resume;
mod system_messages;
pub(crate) mod throttle;
