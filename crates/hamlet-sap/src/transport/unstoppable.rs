//! Work that goes on when nobody waits for it any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that, dropped before its end, is carried to its end by a task of its own: what a
/// client has asked for happens whole, even if he goes away meanwhile. Where nobody goes away
/// this costs no task. A panic ends it alone: the answer is then `None`.
pub(crate) struct Unstoppable<T: 'static>(Option<Work<T>>);

/// Boxed by whoever makes it, so that it is not moved again and again.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<T: 'static> Unstoppable<T> {
    pub(crate) fn new(work: Work<T>) -> Self {
        Self(Some(work))
    }
}

impl<T: 'static> Future for Unstoppable<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(work) = &mut self.0 else {
            return Poll::Pending;
        };
        // After a panic the work is not looked at again.
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        let answer = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(answer)) => Some(answer),
            Err(_) => None,
        };
        self.0 = None;
        Poll::Ready(answer)
    }
}

impl<T: 'static> Drop for Unstoppable<T> {
    fn drop(&mut self) {
        let (Some(work), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(async move {
            work.await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn it_answers_whoever_waits() {
        assert_eq!(Unstoppable::new(Box::pin(async { 7 })).await, Some(7));
    }

    #[tokio::test]
    async fn a_panic_ends_it_alone() {
        let work = Box::pin(async { panic!("of the test") });
        assert_eq!(Unstoppable::<()>::new(work).await, None);
    }

    #[tokio::test]
    async fn dropped_it_is_carried_to_its_end() {
        let (go, may_go) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let mut work = Unstoppable::new(Box::pin(async move {
            let _ = may_go.await;
            let _ = done.send("whole");
        }));
        assert_eq!((&mut work).now_or_never(), None);
        drop(work);
        go.send(()).expect("it is still there");
        assert_eq!(is_done.await, Ok("whole"));
    }
}
