//! Files of one record a line that grow to a bound and then make way: `NAME`, `NAME.1` before
//! it, and so on up to the oldest. For the audit log and call-detail records.

use hamlet_csp::DateTime;
use hamlet_model::Timestamp;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const DAY_MILLIS: i64 = 86_400_000;

/// When a file makes way for the next, and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalLimits {
    /// Octets of a file; a record that is longer has a file of its own.
    pub size: u64,
    /// Files, the one that is written to among them; at least 1.
    pub files: u32,
    /// A file also ends with its day (UTC).
    pub daily: bool,
}

/// A file of records that is open for more.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    limits: JournalLimits,
    file: File,
    size: u64,
    /// Of the last record, counted from 1970.
    day: i64,
}

impl Journal {
    /// Opens the file at `path`, for its owner only; goes on behind what stands there.
    pub fn open(path: &Path, limits: JournalLimits) -> io::Result<Self> {
        let (file, size) = open(path)?;
        let modified = file.metadata()?.modified()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH);
        let since = since.unwrap_or_default().as_millis();
        Ok(Self {
            path: path.to_owned(),
            limits,
            file,
            size,
            day: i64::try_from(since).unwrap_or(0).div_euclid(DAY_MILLIS),
        })
    }

    /// Appends records that were made at `now`, each with its line end.
    pub fn append(&mut self, records: &[u8], now: Timestamp) -> io::Result<()> {
        let day = now.millis().div_euclid(DAY_MILLIS);
        let length = records.len() as u64;
        let full = self.size.saturating_add(length) > self.limits.size;
        let over = self.limits.daily && day != self.day;
        if self.size > 0 && (full || over) {
            self.rotate()?;
        }
        self.day = day;
        // What was written of a failed record is no record: the next one shall not be glued
        // to it.
        if let Err(error) = self.file.write_all(records) {
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += length;
        Ok(())
    }

    /// Waits until everything is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        for number in (1..self.limits.files).rev() {
            let from = self.numbered(number - 1);
            match fs::rename(&from, self.numbered(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.limits.files <= 1 {
            self.file.set_len(0)?;
        }
        (self.file, self.size) = open(&self.path)?;
        Ok(())
    }

    /// 0 is the one that is written to.
    fn numbered(&self, number: u32) -> PathBuf {
        if number == 0 {
            return self.path.clone();
        }
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }
}

/// The file and its size. A last line without end, as a crash leaves it, gets one.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let mut size = file.metadata()?.len();
    if size > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            size += 1;
        }
    }
    Ok((file, size))
}

/// A time as the records have it: `2026-01-31T12:00:00.000Z`.
pub fn iso(at: Timestamp) -> String {
    let text = DateTime::from_timestamp(at).to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or("00");
    format!(
        "{}-{}-{}T{}:{}:{}.{:03}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(9, 11),
        part(11, 13),
        part(13, 15),
        at.millis().rem_euclid(1000)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: JournalLimits = JournalLimits {
        size: 10,
        files: 3,
        daily: false,
    };

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn files_make_way_at_their_bound_and_the_oldest_goes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let older = |number: u32| read(&directory.path().join(format!("log.{number}")));
        let now = Timestamp::now();
        let mut journal = Journal::open(&path, LIMITS).unwrap();
        for record in ["one\n", "two\n", "three\n", "a very long one\n", "five\n"] {
            journal.append(record.as_bytes(), now).unwrap();
        }
        assert_eq!(read(&path), "five\n");
        assert_eq!(older(1), "a very long one\n");
        assert_eq!(older(2), "three\n");
        assert_eq!(older(3), "");
        let mut alone = Journal::open(&path, JournalLimits { files: 1, ..LIMITS }).unwrap();
        alone.append(b"sixth\n", now).unwrap();
        assert_eq!(read(&path), "sixth\n");
        assert_eq!(older(1), "a very long one\n");
    }

    #[test]
    fn a_day_has_a_file_of_its_own_where_that_is_wanted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let limits = JournalLimits {
            size: 1000,
            daily: true,
            ..LIMITS
        };
        let today = Timestamp::now();
        let tomorrow = Timestamp::from_millis(today.millis() + DAY_MILLIS);
        let mut journal = Journal::open(&path, limits).unwrap();
        journal.append(b"one\n", today).unwrap();
        journal.append(b"two\n", today).unwrap();
        journal.append(b"three\n", tomorrow).unwrap();
        assert_eq!(read(&path), "three\n");
        assert_eq!(read(&directory.path().join("log.1")), "one\ntwo\n");
    }

    #[test]
    fn what_a_crash_cut_off_does_not_spoil_the_next_record() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        fs::write(&path, "one\ntw").unwrap();
        let mut journal = Journal::open(&path, JournalLimits { size: 99, ..LIMITS }).unwrap();
        journal.append(b"three\n", Timestamp::now()).unwrap();
        assert_eq!(read(&path), "one\ntw\nthree\n");
    }
}
