//! The data directory: who may use it, and the small files that stand in it.

use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Octets of a key or token.
const SECRET: usize = 32;

/// Longest file that can be a key or token.
const MAX_SECRET_FILE: u64 = 4096;

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It is neither there nor can be made, or a file in it cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process holds it.
    #[error("the data directory {} is in use by {}", path.display(), holder(*pid))]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other process, if it can be told.
        pid: Option<u32>,
    },
    /// A file that should hold a key or token holds something else.
    #[error("{} does not hold {} hexadecimal digits", .0.display(), 2 * SECRET)]
    NotASecret(PathBuf),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another hamletd".to_owned(),
        |pid| format!("another hamletd (process {pid})"),
    )
}

/// A data directory that this process holds alone until the value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Keeps the lock; the kernel releases it with the process, however that ends.
    _lock: File,
}

impl DataDir {
    /// Makes the directory if need be, for its owner only, and takes it.
    pub fn take(path: &Path) -> Result<Self, DataDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| failed(path, source))?;
        let lock_path = path.join("hamletd.lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(|source| failed(&lock_path, source))?;
        if let Err(error) = flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            return Err(match error {
                rustix::io::Errno::WOULDBLOCK => DataDirError::InUse {
                    path: path.to_owned(),
                    pid: process_in(&mut lock),
                },
                other => failed(&lock_path, other.into()),
            });
        }
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(|source| failed(&lock_path, source))?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the embedded store.
    pub fn store_file(&self) -> PathBuf {
        self.path.join("hamlet.db")
    }

    /// The secret in `file`, or in `name` of this directory when no file is configured. It
    /// is made when there is none yet, for its owner only.
    pub fn secret(&self, file: Option<&Path>, name: &str) -> Result<Secret, DataDirError> {
        let path = file.map_or_else(|| self.path.join(name), Path::to_owned);
        if let Some(secret) = Secret::read(&path)? {
            return Ok(secret);
        }
        Secret::make(&path)
    }
}

/// The control socket of the server that holds a data directory.
pub fn control_socket(directory: &Path) -> PathBuf {
    directory.join("control.sock")
}

/// The process that wrote its number into the lock file.
fn process_in(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn failed(path: &Path, source: io::Error) -> DataDirError {
    DataDirError::Io {
        path: path.to_owned(),
        source,
    }
}

/// A key or token: random octets, in its file as hexadecimal digits.
pub struct Secret([u8; SECRET]);

impl Secret {
    /// The octets.
    pub fn octets(&self) -> &[u8; SECRET] {
        &self.0
    }

    /// The hexadecimal digits.
    pub fn digits(&self) -> String {
        self.0.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// `None` when there is no such file.
    fn read(path: &Path) -> Result<Option<Self>, DataDirError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path, error)),
        };
        let mode = file
            .metadata()
            .map_err(|source| failed(path, source))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            tracing::warn!(file = %path.display(), "others than the owner may read or write this secret; chmod 600 it");
        }
        let mut text = String::new();
        let mut bounded = file.take(MAX_SECRET_FILE);
        match bounded.read_to_string(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(DataDirError::NotASecret(path.to_owned()));
            }
            Err(error) => return Err(failed(path, error)),
        }
        let secret = Self::from_digits(text.trim());
        secret
            .map(Some)
            .ok_or_else(|| DataDirError::NotASecret(path.to_owned()))
    }

    /// Writes a new one beside its place and moves it there, so that a crash leaves the
    /// whole file or none.
    fn make(path: &Path) -> Result<Self, DataDirError> {
        let mut octets = [0; SECRET];
        getrandom::fill(&mut octets).map_err(|error| failed(path, io::Error::other(error)))?;
        let secret = Self(octets);
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".new");
        let unfinished = PathBuf::from(unfinished);
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&unfinished)?;
            file.set_permissions(Permissions::from_mode(0o600))?;
            writeln!(file, "{}", secret.digits())?;
            file.sync_all()?;
            std::fs::rename(&unfinished, path)?;
            let directory = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|source| failed(path, source))?;
        Ok(secret)
    }

    fn from_digits(text: &str) -> Option<Self> {
        if text.len() != 2 * SECRET || !text.is_ascii() {
            return None;
        }
        let mut octets = [0; SECRET];
        for (i, octet) in octets.iter_mut().enumerate() {
            *octet = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_held_by_one() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/data");
        let held = DataDir::take(&path).unwrap();
        let refused = DataDir::take(&path).unwrap_err().to_string();
        let me = std::process::id();
        assert!(refused.contains(&format!("(process {me})")), "{refused}");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        drop(held);
        DataDir::take(&path).unwrap();
    }

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataDir::take(parent.path()).unwrap();
        let made = data.secret(None, "password.key").unwrap();
        let read = data.secret(None, "password.key").unwrap();
        assert_eq!(made.octets(), read.octets());
        let file = parent.path().join("password.key");
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );

        let elsewhere = parent.path().join("else.key");
        let other = data.secret(Some(&elsewhere), "password.key").unwrap();
        assert_ne!(other.octets(), made.octets());

        for bad in ["", "abc", &"ä".repeat(32), &"x".repeat(64)] {
            std::fs::write(&elsewhere, bad).unwrap();
            assert!(matches!(
                data.secret(Some(&elsewhere), "password.key"),
                Err(DataDirError::NotASecret(_))
            ));
        }
    }
}
