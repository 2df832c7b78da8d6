//! One line for each accepted and each received message, written before the next request goes
//! out: what it says was accepted and not received is lost.
//!
//! `sent <MessageID> <marker>`, `received <MessageID> <marker> <intact|altered>`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A file that is appended to, one write for each line.
pub struct Journal(File);

impl Journal {
    /// Opens or makes the file.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map(Self)
    }

    /// A 200 has come.
    pub fn sent(&self, id: &str, marker: &str) -> io::Result<()> {
        self.write(format!("sent {id} {marker}\n"))
    }

    /// A NewMessage has come; not acknowledged yet.
    pub fn received(&self, id: &str, marker: &str, intact: bool) -> io::Result<()> {
        let state = if intact { "intact" } else { "altered" };
        self.write(format!("received {id} {marker} {state}\n"))
    }

    /// A single write to a file opened for appending is never mixed with another.
    fn write(&self, line: String) -> io::Result<()> {
        (&self.0).write_all(line.as_bytes())
    }
}
