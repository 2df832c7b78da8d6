//! What can go wrong between a client and its server.

use crate::refusal::Refusal;
use hamlet_csp::Tag;
use std::time::Duration;

/// Why an operation of the client did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is none that CSP can be spoken to.
    #[error("`{url}` is no HTTP URL: {why}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something that the client was built with cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// No connection, or the connection broke.
    #[error("no connection to {host}: {source}")]
    Transport {
        /// Host and port.
        host: String,
        /// What the network said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer within the limit that the client was built with.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The server answered at the HTTP level with another status than 200.
    #[error("the server answered HTTP {0}")]
    Http(u16),
    /// The answer is larger than the client was built to take.
    #[error("the answer is larger than {0} octets")]
    TooLarge(usize),
    /// The answer is no CSP message.
    #[error("the answer cannot be read: {0}")]
    Decode(String),
    /// The answer is a CSP message, but not one that this request can have.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// The server refused.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The session is over: 600, 601 or 604, or a Disconnect (csp-access 17, 3.10).
    #[error("the session has ended: {0}")]
    SessionEnded(Refusal),
    /// The operation needs a session.
    #[error("not logged in")]
    NotLoggedIn,
    /// The server wants a digest that was not offered or that nobody can compute.
    #[error("the server asks for the digest schema `{0}`, which was not offered")]
    DigestNotOffered(String),
}

impl Error {
    /// The refusal, if the server gave one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) | Self::SessionEnded(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the session has to be opened again before anything else can be done.
    pub fn ends_session(&self) -> bool {
        matches!(self, Self::SessionEnded(_) | Self::NotLoggedIn)
    }

    /// Whether the server may never have seen the request: trying again later can help.
    pub fn is_transport(&self) -> bool {
        matches!(self, Self::Transport { .. } | Self::Timeout(_))
    }

    pub(crate) fn missing(tag: Tag) -> Self {
        Self::Unexpected(format!("{tag} is missing"))
    }
}
