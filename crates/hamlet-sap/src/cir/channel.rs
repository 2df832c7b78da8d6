//! An STCP connection as the rest of the server sees it: something that can be told to write
//! a line or to let go of a session. The connection's own task carries it out.

use hamlet_model::SessionId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// A handle to one connection.
#[derive(Default)]
pub(crate) struct Channel {
    pub(crate) number: u64,
    orders: Mutex<Orders>,
    /// There are orders.
    pub(crate) wake: Notify,
}

/// What the connection is to do.
#[derive(Default)]
pub(crate) struct Orders {
    /// Lines to write, without line end.
    pub(crate) lines: Vec<String>,
    /// Sessions that it carries no more; after the lines.
    pub(crate) released: Vec<SessionId>,
    /// Nothing but to close.
    pub(crate) close: Option<Closing>,
}

/// Why a connection is told to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// It has not said HELO and makes way for others of its kind.
    MakesWay,
    /// The server ends.
    Shutdown,
}

impl Channel {
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// A CIR is to be written.
    pub(crate) fn call(&self, line: String) {
        let mut orders = self.orders.lock();
        // What waits to be written says the same.
        if !orders.lines.contains(&line) {
            orders.lines.push(line);
        }
        drop(orders);
        self.wake.notify_one();
    }

    /// The session is over or has another connection.
    pub(crate) fn release(&self, session: &SessionId) {
        self.orders.lock().released.push(session.clone());
        self.wake.notify_one();
    }

    /// The connection is to be closed.
    pub(crate) fn close(&self, why: Closing) {
        self.orders.lock().close = Some(why);
        self.wake.notify_one();
    }

    /// What there is to do. Lines stay while they may not be written yet, and what comes
    /// after them, too.
    pub(crate) fn take(&self, may_write: bool) -> Orders {
        let mut orders = self.orders.lock();
        match may_write || orders.lines.is_empty() {
            true => std::mem::take(&mut orders),
            false => Orders {
                close: orders.close,
                ..Orders::default()
            },
        }
    }

    /// Whether there is a line to write.
    pub(crate) fn has_lines(&self) -> bool {
        !self.orders.lock().lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wait_until_they_may_be_written_and_releases_wait_for_them() {
        let channel = Channel::new(1);
        channel.call("WVCI 1.2 a".into());
        channel.call("WVCI 1.2 a".into());
        channel.release(&SessionId::new("s"));
        let early = channel.take(false);
        assert!(early.lines.is_empty() && early.released.is_empty());
        assert!(channel.has_lines());
        let orders = channel.take(true);
        assert_eq!(orders.lines, ["WVCI 1.2 a"]);
        assert_eq!(orders.released.len(), 1);
        channel.release(&SessionId::new("t"));
        assert_eq!(channel.take(false).released.len(), 1);
        channel.close(Closing::MakesWay);
        assert_eq!(channel.take(false).close, Some(Closing::MakesWay));
    }
}
