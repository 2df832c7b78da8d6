//! When the next thing expires, so that its sender hears of it at once (csp-im 8, 9) and the
//! store is not asked all the time.

use crate::elements::Inner;
use hamlet_model::Timestamp;
use hamlet_store::StoreError;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::Notify;

/// The earliest expiry that is known.
pub(crate) struct NextExpiry {
    /// Milliseconds; the largest number for none.
    next: AtomicI64,
    /// It is earlier than it was.
    earlier: Notify,
}

impl Default for NextExpiry {
    fn default() -> Self {
        Self {
            next: AtomicI64::new(i64::MAX),
            earlier: Notify::new(),
        }
    }
}

impl NextExpiry {
    /// Something that expires then is stored.
    pub(crate) fn note(&self, expires: Timestamp) {
        let millis = expires.millis();
        if self.next.fetch_min(millis, Ordering::SeqCst) > millis {
            self.earlier.notify_one();
        }
    }

    /// The store is going to be asked: what is noted meanwhile counts too.
    fn begin(&self) {
        self.next.store(i64::MAX, Ordering::SeqCst);
    }

    /// What the store said; the earliest of all.
    fn end(&self, found: Option<Timestamp>) -> Option<Timestamp> {
        let found = found.map_or(i64::MAX, Timestamp::millis);
        let next = self.next.fetch_min(found, Ordering::SeqCst).min(found);
        (next != i64::MAX).then(|| Timestamp::from_millis(next))
    }
}

impl Inner {
    /// Expires what has to by `now`; when the next does.
    pub(crate) async fn expire_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        loop {
            self.expiry.begin();
            let found = self.store.read(|tx| tx.next_expiry()).await?;
            let next = self.expiry.end(found);
            if found.is_none_or(|found| found > now) {
                return Ok(next);
            }
            let expired = self.expire_mailboxes(now).await?
                + self.expire_copies(now).await?
                + self.expire_outbox(now).await?;
            if expired == 0 {
                // Another process was faster.
                return Ok(next);
            }
        }
    }

    /// Waits until something is stored that expires earlier than was known.
    pub(crate) async fn expires_earlier(&self) {
        self.expiry.earlier.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[tokio::test]
    async fn what_is_noted_while_the_store_is_asked_is_not_forgotten() {
        let expiry = NextExpiry::default();
        expiry.begin();
        expiry.note(at(5));
        assert_eq!(expiry.end(Some(at(7))), Some(at(5)));
        expiry.begin();
        assert_eq!(expiry.end(Some(at(7))), Some(at(7)));
        assert_eq!(expiry.end(None), Some(at(7)));
        // Only what is earlier wakes anybody.
        expiry.earlier.notified().await;
        expiry.note(at(9));
        expiry.note(at(6));
        expiry.earlier.notified().await;
    }
}
