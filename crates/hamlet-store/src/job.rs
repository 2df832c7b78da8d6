//! One operation on its way through a queue, and the queue.

use crate::metrics::{Counters, count};
use crate::{StoreError, Tx};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use parking_lot::RwLock;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// An operation of any type, as the engines see it.
pub(crate) trait Job: Send {
    /// Runs it, possibly once more on a new transaction; an error means that its changes must
    /// not be committed. A panic is such an error.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;

    /// Answers the caller; `committed` counts when the run itself succeeded.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);

    /// When it was queued.
    fn queued(&self) -> Instant;
}

pub(crate) type BoxedJob = Box<dyn Job>;

struct Operation<T, F> {
    op: F,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    queued: Instant,
    counters: Arc<Counters>,
}

impl<T, F> Job for Operation<T, F>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        // Whatever the closure left half-done is its own and is not looked at again.
        let result = catch_unwind(AssertUnwindSafe(|| (self.op)(tx)))
            .unwrap_or(Err(StoreError::Panicked))
            .and_then(|value| tx.failure().map_or(Ok(value), Err));
        let verdict = result.as_ref().map(drop).map_err(Clone::clone);
        self.result = Some(result);
        verdict
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (self.result, committed) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(shared)) => Err(shared),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Database("the operation was not run".into())),
        };
        if result.is_err() {
            count(&self.counters.errors);
        }
        // The caller may have gone away.
        let _ = self.reply.send(result);
    }

    fn queued(&self) -> Instant {
        self.queued
    }
}

/// A bounded queue in front of one or more threads; they end when it is closed and empty.
pub(crate) struct Queue {
    sender: RwLock<Option<Sender<BoxedJob>>>,
}

impl Queue {
    pub(crate) fn new(bound: usize) -> (Self, Receiver<BoxedJob>) {
        let (sender, receiver) = crossbeam_channel::bounded(bound.max(1));
        let sender = RwLock::new(Some(sender));
        (Self { sender }, receiver)
    }

    /// Runs `op` on a thread of this queue and waits for its answer.
    pub(crate) async fn run<T, F>(&self, op: F, counters: &Arc<Counters>) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.submit(Box::new(Operation {
            op,
            result: None,
            reply,
            queued: Instant::now(),
            counters: counters.clone(),
        }))
        .inspect_err(|_| count(&counters.refused))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn submit(&self, job: BoxedJob) -> Result<(), StoreError> {
        match &*self.sender.read() {
            None => Err(StoreError::Closed),
            Some(sender) => sender.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => StoreError::Busy,
                TrySendError::Disconnected(_) => StoreError::Closed,
            }),
        }
    }

    /// Lets nothing more in.
    pub(crate) fn close(&self) {
        *self.sender.write() = None;
    }

    pub(crate) fn depth(&self) -> usize {
        self.sender.read().as_ref().map_or(0, Sender::len)
    }
}

/// An operation as the engines get it, and the answer that somebody waits for.
#[cfg(test)]
pub(crate) fn queued<T, F>(
    op: F,
    counters: &Arc<Counters>,
) -> (
    BoxedJob,
    impl Future<Output = Result<T, StoreError>> + Unpin,
)
where
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    T: Send + 'static,
{
    use futures::FutureExt;
    let (queue, jobs) = Queue::new(1);
    let counters = counters.clone();
    let mut answer = Box::pin(async move { queue.run(op, &counters).await });
    let waiting = answer.as_mut().now_or_never();
    assert!(waiting.is_none(), "nobody has run it");
    (jobs.recv().expect("it is queued"), answer)
}
