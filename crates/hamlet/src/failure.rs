//! Why a command failed, in one line for the terminal.

use std::fmt;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Said as it is.
    #[error("{0}")]
    Said(String),
    /// From the client library.
    #[error(transparent)]
    Client(#[from] hamlet_client::Error),
    /// Reading or writing.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Failure {
    /// A failure in one's own words.
    pub fn said(text: impl fmt::Display) -> Self {
        Self::Said(text.to_string())
    }

    /// The line to print; `None` when nobody reads any more.
    pub fn line(&self) -> Option<String> {
        if let Self::Io(error) = self
            && error.kind() == std::io::ErrorKind::BrokenPipe
        {
            return None;
        }
        let line = self.to_string();
        Some(crate::output::plain(&line).replace('\n', " "))
    }
}
