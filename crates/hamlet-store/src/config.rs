//! Where the state is kept, and the bounds of the queues in front of it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Which engine keeps the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// One file; `-wal`, `-shm` and `.lock` files appear beside it.
    Sqlite(PathBuf),
    /// `postgres://…`, as libpq understands it.
    Postgres(String),
}

impl FromStr for StoreUrl {
    type Err = String;

    /// `postgres://…` and `postgresql://…` mean PostgreSQL; `sqlite:PATH` and a bare path a
    /// file.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        if path.is_empty() {
            return Err("a store needs a path or a postgres:// URL".to_owned());
        }
        if path.contains("://") {
            return Err("a store is a path, sqlite:PATH or postgres://…".to_owned());
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl fmt::Display for StoreUrl {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => match (url.find("://"), url.rfind('@')) {
                (Some(scheme), Some(at)) if scheme + 3 <= at => {
                    write!(f, "{}…{}", &url[..scheme + 3], &url[at..])
                }
                _ => f.write_str(url),
            },
        }
    }
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The engine and its place.
    pub url: StoreUrl,
    /// Threads, each with a connection, that run read operations.
    pub readers: usize,
    /// Threads, each with a connection, that run write operations on PostgreSQL; SQLite has
    /// one.
    pub writers: usize,
    /// Operations that may wait, for reads and for writes; a further one is refused with
    /// [`StoreError::Busy`](crate::StoreError::Busy).
    pub queue: usize,
    /// Most writes that share one commit on SQLite.
    pub batch: usize,
}

impl StoreConfig {
    /// The usual bounds.
    pub fn new(url: StoreUrl) -> Self {
        Self {
            url,
            readers: 4,
            writers: 8,
            queue: 4096,
            batch: 256,
        }
    }

    /// A SQLite file with the usual bounds.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::new(StoreUrl::Sqlite(path.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_their_engine_and_hide_the_password() {
        let sqlite = |path: &str| Ok(StoreUrl::Sqlite(path.into()));
        assert_eq!("data/h.db".parse(), sqlite("data/h.db"));
        assert_eq!("sqlite:/var/h.db".parse(), sqlite("/var/h.db"));
        let url: StoreUrl = "postgres://anna:secret@db/hamlet".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://…@db/hamlet");
        for bad in ["", "sqlite:", "mysql://db/hamlet"] {
            assert!(bad.parse::<StoreUrl>().is_err(), "{bad}");
        }
    }
}
