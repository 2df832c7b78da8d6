//! Shared content (architecture document 5.3.5, B.4). CSP shares content by an invitation that
//! holds URLs, wherever they lead. Beyond that, where the operator switches it on, users keep
//! content here, and others fetch it by HTTP under URLs that nobody can guess.
//!
//! The content of a message that is too long for a client is kept for it, too (`linked.rs`).
//!
//! What is shared into a group is told to those who join later, until the invitation is
//! withdrawn. Who may upload, and how octets travel, is the business of the service access
//! point.

mod keep;
mod linked;
mod media_type;
mod share;
mod types;

pub(crate) use linked::{unlink, unlink_said};
pub use media_type::{MediaType, shows_inline};
pub(crate) use share::{Sharing, unshare};
pub use types::{ContentConfig, ContentError, Kept, NewContent};
