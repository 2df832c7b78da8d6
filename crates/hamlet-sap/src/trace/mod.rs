//! `trace.dir`: what a phone said and what it was answered, one text file a session, so
//! that an owner can find out why a phone fails, and replay it.
//!
//! A file is UTF-8 text. Lines that start with `#` are comments, among them what happened on
//! the CIR channel, with its time. Each half of an exchange starts with
//!
//! ```text
//! == <ISO 8601 UTC> <in|out> <content type or -> <HTTP status or ->
//! ```
//!
//! (`in` is from the client, `out` the answer), followed by `header: Name: value` lines,
//! `hex: ` lines of at most 64 octets each, and perhaps an `xml: ` line with the decoded
//! message, for the reader only. Passwords and digests are masked by `*` (octet 2A) of
//! equal length in both. What comes before there is a session stands in the file of its
//! connection, which becomes the file of the session.
//!
//! Writing never holds up a request: exchanges go through a bounded channel to a thread of
//! its own; what finds the channel full is dropped, counted, and noted in a file.

mod files;
mod mask;
mod record;

pub use record::{TraceDocument, TraceExchange, TraceHalf, TraceNote, TraceSession};

use files::Files;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Bounds on what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceLimits {
    /// Octets after which a session goes on in another file.
    pub file: u64,
    /// Octets of all files together; the oldest files go first.
    pub total: u64,
    /// Exchanges that wait for the writer; more are dropped.
    pub waiting: usize,
}

impl Default for TraceLimits {
    fn default() -> Self {
        Self {
            file: 8 << 20,
            total: 256 << 20,
            waiting: 256,
        }
    }
}

/// The writer of a trace directory.
#[derive(Debug)]
pub struct Tracer {
    queue: mpsc::Sender<Order>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Order {
    Write(Box<TraceExchange>),
    Note(Box<TraceNote>),
    Close(oneshot::Sender<()>),
}

impl Tracer {
    /// Makes the directory if need be and starts the writer.
    pub fn open(dir: impl AsRef<Path>, limits: TraceLimits) -> io::Result<Self> {
        let mut files = Files::open(dir.as_ref(), limits)?;
        let (queue, mut orders) = mpsc::channel(limits.waiting.max(1));
        let dropped = Arc::new(AtomicU64::new(0));
        let missing = Arc::clone(&dropped);
        std::thread::Builder::new()
            .name("trace".to_owned())
            .spawn(move || {
                let mut closing = Vec::new();
                while let Some(order) = orders.blocking_recv() {
                    match order {
                        Order::Write(exchange) => {
                            write(&mut files, &exchange, missing.swap(0, Ordering::Relaxed));
                        }
                        Order::Note(note) => write_note(&mut files, &note),
                        Order::Close(done) => {
                            // What was recorded before is still written.
                            orders.close();
                            closing.push(done);
                        }
                    }
                }
                for done in closing {
                    // Nobody may be left who waits for it.
                    let _ = done.send(());
                }
            })?;
        Ok(Self { queue, dropped })
    }

    /// Records an exchange, unless the writer is behind by too many.
    pub fn exchange(&self, exchange: TraceExchange) {
        self.order(Order::Write(Box::new(exchange)));
    }

    /// Records something that happened beside the exchanges, as a comment.
    pub fn note(&self, note: TraceNote) {
        self.order(Order::Note(Box::new(note)));
    }

    fn order(&self, order: Order) {
        if self.queue.try_send(order).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything recorded so far has been written, and ends the writer.
    pub async fn close(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Order::Close(done)).await.is_ok() {
            // An error means that the writer is gone, which is what is waited for.
            let _ = written.await;
        }
    }
}

/// A disk that is full must not end the service: what cannot be written is lost.
fn write(files: &mut Files, exchange: &TraceExchange, dropped: u64) {
    let mut text = String::new();
    if dropped > 0 {
        text.push_str(&format!(
            "# {dropped} exchanges before this one were not recorded: the writer was behind\n"
        ));
    }
    record::write(&mut text, exchange);
    let (connection, session) = (&exchange.connection, exchange.session.as_ref());
    if let Err(error) = files.append(connection, session, exchange.request.at, &text) {
        tracing::warn!(%error, "an exchange could not be written to trace.dir");
    }
}

fn write_note(files: &mut Files, note: &TraceNote) {
    let mut text = String::new();
    record::write_note(&mut text, note);
    if let Err(error) = files.append("", Some(&note.session), note.at, &text) {
        tracing::warn!(%error, "a note could not be written to trace.dir");
    }
}

#[cfg(test)]
mod tests;
