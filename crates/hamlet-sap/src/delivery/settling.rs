//! What a client has acknowledged while the store is being told of it. A repetition finds
//! nothing open any more; it is answered when the first one is durable (csp-im 6).

use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// How many acknowledgements of a session are under way.
#[derive(Default)]
pub(crate) struct Settling {
    under_way: AtomicUsize,
    nothing_left: Notify,
}

/// One of them, until it is dropped.
pub(crate) struct UnderWay<'a>(&'a Settling);

impl Settling {
    pub(crate) fn begin(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(self)
    }

    /// Returns when nothing is under way.
    pub(crate) async fn settled(&self) {
        loop {
            let nothing_left = self.nothing_left.notified();
            if self.under_way.load(Ordering::Acquire) == 0 {
                return;
            }
            nothing_left.await;
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.nothing_left.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::poll;
    use std::pin::pin;
    use std::task::Poll;

    #[tokio::test]
    async fn who_repeats_waits_for_all_that_are_under_way() {
        let settling = Settling::default();
        assert_eq!(poll!(pin!(settling.settled())), Poll::Ready(()));
        let (first, second) = (settling.begin(), settling.begin());
        let mut waiting = pin!(settling.settled());
        assert_eq!(poll!(&mut waiting), Poll::Pending);
        drop(first);
        assert_eq!(poll!(&mut waiting), Poll::Pending);
        drop(second);
        assert_eq!(poll!(&mut waiting), Poll::Ready(()));
    }
}
