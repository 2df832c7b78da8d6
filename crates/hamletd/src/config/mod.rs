//! The configuration: what can be set, how it is read, and what it must satisfy as a whole.
//!
//! `declaration` is the one place where a key is declared; the typed [`Config`], its
//! defaults, the TOML file, `--set` and the reference in docs/configuration.md follow from it.
//! A later source overrides an earlier one: defaults, then the file, then `--set` in order.

mod check;
mod declaration;
mod file;
mod map;
mod near;
mod public;
mod reference;
mod settings;
mod value;

pub use declaration::{
    Accounts, Admin, Cir, Config, Elements, Http, Im, Log, Password, Poll, Presence, Provider,
    Session, Ssp, StoreSection, Trace,
};
pub use public::{BaseUrl, Public};
pub use reference::reference;
pub use settings::Key;
pub use value::{
    Listen, LogFilter, LogFormat, OptionalDuration, OptionalPath, Pse, RegisterBy, Size, StoreUrl,
    Unauthorized,
};

use std::fmt;
use std::path::{Path, PathBuf};

impl Config {
    /// Defaults, overridden by the TOML file if there is one, overridden by the `KEY=VALUE`
    /// texts in their order; then checked as a whole.
    pub fn load(file: Option<&Path>, sets: &[String]) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
                path: path.to_owned(),
                source,
            })?;
            config.read_toml(&text, path)?;
        }
        for set in sets {
            config.set_pair(set)?;
        }
        config.check()?;
        Ok(config)
    }

    /// Takes one `KEY=VALUE`.
    pub fn set_pair(&mut self, pair: &str) -> Result<(), ConfigError> {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| ConfigError::NotKeyValue(pair.to_owned()))?;
        self.set_at(key.trim(), value.trim(), &Place::CommandLine)
    }

    /// Sets one key from the text form of its value.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), ConfigError> {
        self.set_at(key, value, &Place::CommandLine)
    }

    /// All keys, in the order of the reference.
    pub fn keys() -> &'static [Key] {
        declaration::KEYS
    }

    fn set_at(&mut self, key: &str, value: &str, place: &Place) -> Result<(), ConfigError> {
        let Some(found) = Self::keys().iter().find(|known| known.name == key) else {
            return Err(ConfigError::UnknownKey {
                key: key.to_owned(),
                near: near::matches(key),
                place: place.clone(),
            });
        };
        if (found.set)(self, value).is_none() {
            return Err(ConfigError::BadValue {
                key: found.name,
                value: value::without_password(value),
                expected: found.expected,
                place: place.clone(),
            });
        }
        self.note_set(found.name);
        Ok(())
    }
}

/// Where a value stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `--set`.
    CommandLine,
    /// A line of a configuration file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("--set"),
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{place}: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the TOML reader says.
        message: String,
    },
    /// An argument of `--set` without `=`.
    #[error("--set {0}: expected KEY=VALUE")]
    NotKeyValue(String),
    /// A key that no part of the server knows.
    #[error("{place}: unknown key `{key}`{}", suggestion(near))]
    UnknownKey {
        /// As it was given.
        key: String,
        /// Known keys that look like it.
        near: Vec<&'static str>,
        /// Where.
        place: Place,
    },
    /// A value that does not fit its key.
    #[error("{place}: {key} cannot be `{value}`; expected {expected}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// As it was given.
        value: String,
        /// What fits.
        expected: &'static str,
        /// Where.
        place: Place,
    },
    /// Values that do not fit each other.
    #[error("the configuration contradicts itself: {}", .0.join("; "))]
    Contradiction(Vec<String>),
}

fn suggestion(near: &[&str]) -> String {
    match near {
        [] => "; `hamletd config-reference` lists the keys".to_owned(),
        keys => format!("; did you mean `{}`?", keys.join("` or `")),
    }
}
