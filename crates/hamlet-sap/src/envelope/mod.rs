//! The message layer (csp-access 1): from octets to transactions and back.

pub(crate) mod check;
pub(crate) mod discovery;
pub(crate) mod exchange;
pub(crate) mod segments;
pub(crate) mod transaction;
