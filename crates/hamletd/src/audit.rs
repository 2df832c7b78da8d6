//! The audit log: who changed what, when, and how it went. One JSON object a line; it holds
//! no passwords, no tokens and no session identifiers.

use crate::operations::{Actor, Failure};
use hamlet_model::Timestamp;
use hamlet_sap::journal::{Journal, JournalLimits};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Longest target or reason that is written, characters.
const LONGEST: usize = 255;

/// The audit log of a server, or of a command that works without one.
pub struct Audit {
    path: PathBuf,
    journal: Arc<Mutex<Journal>>,
}

/// One line. docs/operators-guide.md explains the fields.
#[derive(Debug, Serialize)]
struct Record<'a> {
    at: String,
    by: String,
    operation: &'a str,
    target: String,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Audit {
    /// Opens the log at `path`.
    pub fn open(path: &Path, limits: JournalLimits) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            journal: Arc::new(Mutex::new(Journal::open(path, limits)?)),
        })
    }

    /// Writes down that `by` did `operation` to `target`; done when it is on the disk. When
    /// it cannot be written the server's log says so: what has been done is done.
    pub async fn record(
        &self,
        by: &Actor,
        operation: &str,
        target: &str,
        failure: Option<&Failure>,
    ) {
        let now = Timestamp::now();
        let record = Record {
            at: hamlet_sap::journal::iso(now),
            by: by.to_string(),
            operation,
            target: clip(target),
            outcome: match failure {
                None => "done",
                Some(_) => "failed",
            },
            why: failure.map(|failure| clip(&failure.text)),
        };
        // Texts always make JSON.
        let mut line = serde_json::to_vec(&record).unwrap_or_default();
        line.push(b'\n');
        let journal = self.journal.clone();
        let write = move || {
            // A journal is whole also where a thread panicked that held it.
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            journal.append(&line, now).and_then(|()| journal.sync())
        };
        let written = tokio::task::spawn_blocking(write).await;
        if let Err(error) = written.unwrap_or_else(|error| Err(io::Error::other(error))) {
            let file = self.path.display();
            tracing::error!(%file, %error, %by, operation, target, "the audit log cannot be written");
        }
    }
}

fn clip(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
