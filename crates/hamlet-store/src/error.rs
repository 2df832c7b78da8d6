//! What can go wrong.

use std::path::PathBuf;

/// Why an operation was not carried out. A write that fails has had no effect, except where
/// [`StoreError::Unknown`] says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The queue is full; try again later.
    #[error("the store is busy")]
    Busy,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// The change contradicts what is stored (an entry that must exist, or must not).
    #[error("a constraint of the store refused the change: {0}")]
    Constraint(String),
    /// Concurrent transactions kept getting in the way; the operation may be repeated.
    #[error("the operation conflicts with concurrent ones")]
    Conflict,
    /// It took longer than it may.
    #[error("the operation took too long")]
    TimedOut,
    /// What is stored cannot be understood.
    #[error("the store holds what it should not: {0}")]
    Corrupt(String),
    /// The operation panicked.
    #[error("the operation panicked")]
    Panicked,
    /// The database file is in use by another process.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The database was written by a later version of Hamlet.
    #[error("the database has schema {found}, this version knows schemas up to {known}")]
    Newer {
        /// What the database has.
        found: u32,
        /// What this version knows.
        known: u32,
    },
    /// The database cannot be reached; try again later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The connection was lost while the commit was under way: it may have happened.
    #[error("the connection was lost during the commit: {0}")]
    Unknown(String),
    /// The database lacks an extension and may not install it.
    #[error(
        "the database lacks the extension {name}, and installing it failed: {why}; let a superuser \
         run `CREATE EXTENSION {name}` in this database (Debian has it in postgresql-contrib)"
    )]
    Extension {
        /// Its name.
        name: &'static str,
        /// What the database said.
        why: String,
    },
    /// Anything else that the database says.
    #[error("the database failed: {0}")]
    Database(String),
}

impl StoreError {
    pub(crate) fn corrupt(what: impl ToString) -> Self {
        Self::Corrupt(what.to_string())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Constraint(error.to_string()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt(error.to_string())
            }
            _ => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..) => Self::Corrupt(error.to_string()),
                other => Self::Database(other.to_string()),
            },
        }
    }
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        use postgres::error::SqlState;
        let Some(refusal) = error.as_db_error() else {
            let cause = std::error::Error::source(&error);
            let text = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            // Without an answer from the server it is the connection that failed.
            let decoding = cause.is_some_and(|cause| cause.is::<postgres::types::WrongType>());
            return match decoding {
                true => Self::Corrupt(text),
                false if error.is_closed() || cause.is_some_and(|c| c.is::<std::io::Error>()) => {
                    Self::Unavailable(text)
                }
                false => Self::Database(text),
            };
        };
        let (code, text) = (refusal.code(), refusal.to_string());
        match &code.code()[..2] {
            _ if *code == SqlState::T_R_SERIALIZATION_FAILURE
                || *code == SqlState::T_R_DEADLOCK_DETECTED =>
            {
                Self::Conflict
            }
            _ if *code == SqlState::QUERY_CANCELED => Self::TimedOut,
            // What the table refuses, and what its types do.
            "22" | "23" => Self::Constraint(text),
            // A server that stops, starts or has no connection left.
            "08" | "57" => Self::Unavailable(text),
            _ if *code == SqlState::TOO_MANY_CONNECTIONS => Self::Unavailable(text),
            _ => Self::Database(text),
        }
    }
}
