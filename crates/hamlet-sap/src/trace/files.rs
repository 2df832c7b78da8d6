//! The files of a trace directory: which one an exchange goes to, and how much is kept.

use super::TraceLimits;
use super::record::TraceSession;
use crate::journal::iso;
use hamlet_model::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Ending of the files; others in the directory are never touched.
const ENDING: &str = ".trace";

/// Sessions and connections whose file is remembered; a forgotten one starts a new file.
const MAX_REMEMBERED: usize = 4096;

/// Longest part of a name that comes from a client, characters.
const MAX_PART: usize = 40;

/// Whose file it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Connection(String),
    Session(TraceSession),
}

/// The file that an owner writes to now.
#[derive(Debug, Clone)]
struct Current {
    /// Without directory.
    name: String,
    /// When the owner's first file began: the start of all its names.
    since: Timestamp,
    /// Counts the files of the owner.
    part: u32,
    size: u64,
    /// Orders the owners by last use.
    used: u64,
}

#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    limits: TraceLimits,
    current: HashMap<Owner, Current>,
    /// Every trace file of the directory with its size; names begin with the time, so the
    /// first is the oldest.
    sizes: BTreeMap<String, u64>,
    total: u64,
    uses: u64,
}

impl Files {
    pub(super) fn open(dir: &Path, limits: TraceLimits) -> io::Result<Self> {
        make_dir(dir)?;
        let mut sizes = BTreeMap::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(ENDING) && entry.file_type()?.is_file() {
                sizes.insert(name, entry.metadata()?.len());
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            limits,
            current: HashMap::new(),
            total: sizes.values().sum(),
            sizes,
            uses: 0,
        })
    }

    /// Appends text to the file of a session, or of a connection until there is a session.
    pub(super) fn append(
        &mut self,
        connection: &str,
        session: Option<&TraceSession>,
        at: Timestamp,
        text: &str,
    ) -> io::Result<()> {
        self.uses += 1;
        let owner = self.owner(connection, session)?;
        let mut current = match self.current.remove(&owner) {
            Some(current) if current.size < self.limits.file => current,
            old => self.begin(&owner, old, at)?,
        };
        current.used = self.uses;
        let room = self.limits.file.saturating_sub(current.size);
        let left_out = format!("# an exchange of {} octets was left out\n", text.len());
        // A file holds at least one exchange, unless that alone is too large for all.
        let text = match text.len() as u64 {
            size if size > room && size > self.limits.file => left_out.as_str(),
            _ => text,
        };
        let written = self.write(&current.name, text);
        if written.is_ok() {
            current.size += text.len() as u64;
        }
        self.current.insert(owner, current);
        self.forget_old_owners();
        self.delete_old_files()?;
        written
    }

    /// Whose file an exchange goes to; the first exchange of a session takes over the file
    /// of its connection.
    fn owner(&mut self, connection: &str, session: Option<&TraceSession>) -> io::Result<Owner> {
        let connection = Owner::Connection(connection.to_owned());
        let Some(session) = session else {
            return Ok(connection);
        };
        let owner = Owner::Session(session.clone());
        if self.current.contains_key(&owner) {
            return Ok(owner);
        }
        if let Some(mut current) = self.current.remove(&connection) {
            let name = self.free_name(&owner, current.since, current.part);
            fs::rename(self.dir.join(&current.name), self.dir.join(&name))?;
            let size = self.sizes.remove(&current.name).unwrap_or(current.size);
            self.sizes.insert(name.clone(), size);
            current.name = name;
            self.current.insert(owner.clone(), current);
        }
        Ok(owner)
    }

    /// A new file of an owner: the first one, or the next when the old one is full.
    fn begin(&mut self, owner: &Owner, old: Option<Current>, at: Timestamp) -> io::Result<Current> {
        let (since, part) = old.map_or((at, 1), |old| (old.since, old.part + 1));
        let name = self.free_name(owner, since, part);
        let mut head = String::from("# Hamlet trace\n");
        match owner {
            Owner::Connection(id) => head.push_str(&format!("# connection: {}\n", sanitised(id))),
            Owner::Session(session) => {
                head.push_str(&format!("# user: {}\n", session.user));
                head.push_str(&format!("# session: {}\n", sanitised(session.id.as_str())));
            }
        }
        if part > 1 {
            head.push_str(&format!("# part {part}\n"));
        }
        self.write(&name, &head)?;
        Ok(Current {
            name,
            since,
            part,
            size: head.len() as u64,
            used: self.uses,
        })
    }

    /// Time, user and session; a number where that is taken.
    fn free_name(&self, owner: &Owner, since: Timestamp, part: u32) -> String {
        let time: String = iso(since)
            .chars()
            .filter(|c| !matches!(c, '-' | ':' | '.'))
            .collect();
        let who = match owner {
            Owner::Connection(id) => format!("login-{}", sanitised(id)),
            Owner::Session(session) => {
                let user = session.user.as_str().trim_start_matches("wv:");
                format!("{}-{}", sanitised(user), sanitised(session.id.as_str()))
            }
        };
        let part = if part > 1 {
            format!("-{part}")
        } else {
            String::new()
        };
        let base = format!("{time}-{who}{part}");
        let mut name = format!("{base}{ENDING}");
        let mut number = 2;
        while self.sizes.contains_key(&name) {
            name = format!("{base}_{number}{ENDING}");
            number += 1;
        }
        name
    }

    fn write(&mut self, name: &str, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        private(&mut options);
        let mut file = options.open(self.dir.join(name))?;
        file.write_all(text.as_bytes())?;
        let octets = text.len() as u64;
        *self.sizes.entry(name.to_owned()).or_default() += octets;
        self.total += octets;
        Ok(())
    }

    fn forget_old_owners(&mut self) {
        if self.current.len() <= MAX_REMEMBERED {
            return;
        }
        // Half at once, so that the search is rare.
        let mut uses: Vec<u64> = self.current.values().map(|current| current.used).collect();
        let (_, middle, _) = uses.select_nth_unstable(MAX_REMEMBERED / 2);
        let middle = *middle;
        self.current.retain(|_, current| current.used > middle);
    }

    /// Deletes the oldest files until the rest fits; the newest always stays.
    fn delete_old_files(&mut self) -> io::Result<()> {
        while self.total > self.limits.total && self.sizes.len() > 1 {
            let Some((name, size)) = self.sizes.pop_first() else {
                break;
            };
            self.total -= size.min(self.total);
            self.current.retain(|_, current| current.name != name);
            match fs::remove_file(self.dir.join(&name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// What is harmless in a file name.
fn sanitised(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '+' | '_' | '.');
    let text: String = text
        .chars()
        .take(MAX_PART)
        .map(|c| if harmless(c) { c } else { '_' })
        .collect();
    match text.is_empty() {
        true => "_".to_owned(),
        false => text,
    }
}

/// Traces hold what people wrote to each other: they are for the owner alone.
#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_options: &mut OpenOptions) {}

fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir)
}
