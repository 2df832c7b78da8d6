//! Sends what is in the outbox until it is answered or expires.

use super::frame::{Frame, Purpose};
use crate::Sap;
use crate::config::RelayConfig;
use hamlet_elements::{Answer, OutboxItem};
use hamlet_model::{Domain, StatusCode, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Entries that are read at a time.
const BATCH: usize = 100;

/// Entries whose answers are expected at a time.
const MAX_OUTSTANDING: usize = 100_000;

/// How long one attempt may take.
const SEND: Duration = Duration::from_secs(10);

/// How long the driver sleeps at most when nobody wakes it.
const NAP: Duration = Duration::from_secs(1);

/// The pause before the next attempt after `attempts`.
fn pause(attempts: u32, config: &RelayConfig) -> Duration {
    config
        .retry_min
        .saturating_mul(1 << attempts.min(16))
        .min(config.retry_max)
}

impl Sap {
    /// Sends until the server stops.
    pub(crate) async fn drive_outbox(self: Arc<Self>) {
        let mut stopping = self.stopping();
        let hub = self.hub.clone();
        let sap = Arc::downgrade(&self);
        drop(self);
        loop {
            let Some(sap) = sap.upgrade() else {
                return;
            };
            let more = sap.send_due(Timestamp::now()).await;
            drop(sap);
            if *stopping.borrow() {
                return;
            }
            if more {
                continue;
            }
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                () = hub.outbox.notified() => {}
                () = tokio::time::sleep(NAP) => {}
            }
        }
    }

    /// Sends what is due at `now`; whether there may be more.
    pub async fn send_due(&self, now: Timestamp) -> bool {
        let due = match self.elements.outbox_due(now, BATCH).await {
            Ok(due) => due,
            Err(error) => {
                self.store_failed("outbox", &error);
                return false;
            }
        };
        let full = due.len() == BATCH;
        // Side by side, so that one slow way does not hold up the others.
        let sending = due.into_iter().map(|item| self.send_item(item, now));
        let noted = futures::future::join_all(sending).await;
        full && noted.into_iter().all(|noted| noted)
    }

    /// Makes an attempt, or gives up; whether the store has taken note.
    async fn send_item(&self, item: OutboxItem, now: Timestamp) -> bool {
        if item.expires <= now {
            // Nobody has ever answered.
            let refusal = StatusCode::TIMEOUT.into();
            return self.settle_sent(item.id, Err(refusal)).await;
        }
        if self.relay.link(&item.destination).is_none() {
            let refusal = StatusCode::DOMAIN_NOT_SUPPORTED.into();
            return self.settle_sent(item.id, Err(refusal)).await;
        }
        // Noted before it is sent, or an answer could be overtaken by the note.
        let next = now.plus(pause(item.attempts, &self.config.relay));
        if let Err(error) = self.elements.outbox_sent(item.id, next).await {
            self.store_failed("outbox", &error);
            return false;
        }
        let frame = Frame::Request {
            purpose: Purpose::Outbox,
            id: item.id,
            requestor: item.requestor,
            request: Box::new(item.request),
        };
        self.metrics.relay_sent.inc();
        {
            let mut outstanding = self.relay.outstanding.lock();
            // What is forgotten is sent again in time.
            if outstanding.len() >= MAX_OUTSTANDING {
                outstanding.clear();
            }
            outstanding.insert(item.id, item.destination.clone());
        }
        let sending = self.relay.send(&item.destination, &frame);
        // What hangs is lost, and is sent again in time.
        let _ = tokio::time::timeout(SEND, sending).await;
        true
    }

    /// A domain has answered an entry of the outbox: one that was sent to it, or the answer
    /// does not count.
    pub(crate) async fn settle_outbox(&self, from: &Domain, id: i64, answer: Answer) {
        let expected = {
            let mut outstanding = self.relay.outstanding.lock();
            let expected = outstanding.get(&id) == Some(from);
            if expected {
                outstanding.remove(&id);
            }
            expected
        };
        if expected {
            self.settle_sent(id, answer).await;
        } else {
            self.metrics.relay_late.inc();
        }
    }

    async fn settle_sent(&self, id: i64, answer: Answer) -> bool {
        let settled = self.elements.outbox_settle(id, answer).await;
        if let Err(error) = &settled {
            self.store_failed("outbox", error);
        }
        settled.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let config = RelayConfig::default();
        for (attempts, seconds) in [(0, 2), (1, 4), (5, 64), (9, 600), (u32::MAX, 600)] {
            assert_eq!(pause(attempts, &config).as_secs(), seconds, "{attempts}");
        }
    }
}
