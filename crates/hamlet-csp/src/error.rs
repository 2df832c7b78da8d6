//! What can be wrong with a message: what, where, and the status code that says so.

use crate::{Tag, Text, Version};
use hamlet_model::StatusCode;
use std::fmt;

/// The octets are no well-formed message; reading cannot go on (status 400). Boxed, because
/// every step of reading returns one or a value that is much smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError(Box<(String, Vec<Tag>)>);

impl SyntaxError {
    #[cold]
    pub(crate) fn new(what: impl Into<String>, path: &[Tag]) -> Self {
        Self(Box::new((what.into(), path.to_vec())))
    }

    /// What is wrong, and the elements from the root down to it.
    pub(crate) fn into_parts(self) -> (String, Vec<Tag>) {
        *self.0
    }
}

/// One primitive of a readable message cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at {}", show_path(path))]
pub struct Unreadable {
    /// Human-readable.
    pub what: String,
    /// The elements from the primitive down to the fault.
    pub path: Vec<Tag>,
    /// What to answer: 400, 402, 405 or 501 (csp-access 1.5).
    pub status: StatusCode,
    /// The primitive, when it is known.
    pub primitive: Option<Tag>,
}

/// What could be read of a message before reading failed: enough to answer with a Status
/// (csp-access 1.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Salvage {
    /// The session that the message names.
    pub session_id: Option<Text>,
    /// The transaction that was being read.
    pub transaction_id: Option<Text>,
    /// Whether the transaction's descriptor was complete.
    pub descriptor_read: bool,
}

/// A document that is no CSP message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at {}", show_path(path))]
pub struct DecodeError {
    /// Human-readable.
    pub what: String,
    /// The elements from the root down to the fault.
    pub path: Vec<Tag>,
    /// 400, or 505 for a version that is not spoken.
    pub status: StatusCode,
    /// The version of the message, as far as it was found.
    pub version: Option<Version>,
    /// What could still be read.
    pub salvage: Salvage,
}

/// A mandatory element that is not there (status 400).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{missing} is missing in {}", show_path(path))]
pub struct MissingElement {
    /// The elements from the primitive down to the parent.
    pub path: Vec<Tag>,
    /// The element.
    pub missing: Tag,
}

impl MissingElement {
    pub(crate) fn new(path: &[Tag], missing: Tag) -> Self {
        Self {
            path: path.to_vec(),
            missing,
        }
    }
}

fn show_path(path: &[Tag]) -> impl fmt::Display {
    if path.is_empty() {
        return "the document".to_owned();
    }
    path.iter()
        .map(|tag| tag.name())
        .collect::<Vec<_>>()
        .join("/")
}
