//! Call-detail records (architecture document 5.3.6: what a billing interface needs): one JSON
//! object a line for each session that ends, each message that is accepted, what becomes of it for
//! each recipient, and each group that comes or goes or that somebody joins or leaves. docs/call-detail-records.md explains every field.
//!
//! Off unless configured, and then nothing is made. A record is handed to a task of its own
//! through a bounded queue; when that is full the record is lost, counted and told in the
//! log, and whoever made it goes on.

mod record;
mod writer;

use crate::journal::{Journal, JournalLimits};
use crate::metrics::Metrics;
use crate::session::Session;
use hamlet_elements::group::GroupRecord;
use hamlet_elements::im::MessageRecord;
use hamlet_model::{StatusCode, Timestamp};
use record::Record;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use tokio::sync::mpsc::{self, Receiver, Sender};
pub(crate) use writer::write;

/// Where records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsConfig {
    /// The file.
    pub file: PathBuf,
    /// When it makes way for the next.
    pub limits: JournalLimits,
    /// Records that may wait to be written.
    pub queue: usize,
}

/// The way of records to their file.
pub(crate) struct Records {
    /// `None`: nobody wants any.
    queue: Option<Sender<Record>>,
    /// Records are being lost, and the log says so already.
    losing: AtomicBool,
    metrics: Arc<Metrics>,
}

/// What the task that writes works with.
pub(crate) struct Writing {
    queue: Receiver<Record>,
    journal: Journal,
}

impl Records {
    /// Opens the file. One that cannot be written must not keep phones out.
    pub(crate) fn open(
        config: Option<&RecordsConfig>,
        metrics: Arc<Metrics>,
    ) -> (Self, Option<Writing>) {
        let opened = config.and_then(|config| {
            let journal = Journal::open(&config.file, config.limits).inspect_err(|error| {
                let file = config.file.display();
                tracing::error!(%file, %error, "no call-detail records will be written");
            });
            Some((config, journal.ok()?))
        });
        let (queue, writing) = match opened {
            None => (None, None),
            Some((config, journal)) => {
                let (sender, queue) = mpsc::channel(config.queue.max(1));
                (Some(sender), Some(Writing { queue, journal }))
            }
        };
        let records = Self {
            queue,
            losing: AtomicBool::new(false),
            metrics,
        };
        (records, writing)
    }

    pub(crate) fn is_on(&self) -> bool {
        self.queue.is_some()
    }

    /// A session has ended.
    pub(crate) fn session(&self, session: &Session, code: StatusCode) {
        if self.is_on() {
            self.add(Record::session(session, code, Timestamp::now()));
        }
    }

    /// Something happened to a message.
    pub(crate) fn message(&self, message: MessageRecord) {
        if self.is_on() {
            self.add(Record::message(message, Timestamp::now()));
        }
    }

    /// Something happened to a group.
    pub(crate) fn group(&self, group: GroupRecord) {
        if self.is_on() {
            self.add(Record::group(group, Timestamp::now()));
        }
    }

    fn add(&self, record: Record) {
        let Some(queue) = &self.queue else { return };
        if queue.try_send(record).is_err() {
            self.metrics.records_lost.inc();
            if !self.losing.swap(true, Ordering::Relaxed) {
                tracing::error!("call-detail records are lost: they are not written fast enough");
            }
        }
    }

    /// Records have been written: that others are lost is news again.
    fn written(&self, count: usize) {
        self.metrics.records_written.inc_by(count as u64);
        self.losing.store(false, Ordering::Relaxed);
    }
}

/// What is counted of a session for its record.
#[derive(Debug)]
pub(crate) struct Tally {
    /// When the counting began: with the session, or when the server took it up again.
    since: AtomicI64,
    requests: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    /// The last request came encrypted.
    secure: AtomicBool,
}

impl Tally {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            since: AtomicI64::new(now.millis()),
            requests: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            secure: AtomicBool::new(false),
        }
    }

    /// A message of the client with so many transactions, as it came in.
    pub(crate) fn requested(&self, transactions: usize, secure: bool) {
        let count = transactions as u64;
        self.requests.fetch_add(count, Ordering::Relaxed);
        self.secure.store(secure, Ordering::Relaxed);
    }

    /// A message was accepted from it.
    pub(crate) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// It acknowledged a message or report.
    pub(crate) fn received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::User;
    use crate::session::tests::{new_session, user_id};
    use prometheus_client::registry::Registry;

    #[tokio::test]
    async fn what_does_not_fit_into_the_queue_is_counted_and_nobody_waits() {
        let directory = tempfile::tempdir().unwrap();
        let config = RecordsConfig {
            file: directory.path().join("records"),
            limits: JournalLimits {
                size: 1000,
                files: 2,
                daily: false,
            },
            queue: 2,
        };
        let metrics = Arc::new(Metrics::register(&mut Registry::default()));
        let user = Arc::new(User::new(user_id("anna")));
        let session = Session::new(new_session("s", "anna", "a"), user, Timestamp::now());

        let (off, nothing) = Records::open(None, metrics.clone());
        off.session(&session, StatusCode::OK);
        assert!(nothing.is_none() && !off.is_on());
        assert_eq!(metrics.records_lost.get(), 0);

        let (records, writing) = Records::open(Some(&config), metrics.clone());
        for _ in 0..5 {
            records.session(&session, StatusCode::OK);
        }
        assert_eq!(metrics.records_lost.get(), 3);
        assert_eq!(writing.map(|writing| writing.queue.len()), Some(2));
    }
}
