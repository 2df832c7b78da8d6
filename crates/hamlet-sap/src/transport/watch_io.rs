//! A connection whose peer has to get on: the head of a request must come whole within a
//! time of its first octet. How long a connection may idle is a matter of hyper's.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;

/// Where the current request is; shared with whoever answers it.
#[derive(Debug, Clone)]
pub(crate) struct Phase(Arc<AtomicU8>);

impl Phase {
    /// A new connection has to begin at once.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(HEAD)))
    }

    /// The head is here.
    pub(crate) fn busy(&self) {
        self.0.store(BUSY, Ordering::Relaxed);
    }

    /// The answer is on its way.
    pub(crate) fn idle(&self) {
        self.0.store(IDLE, Ordering::Relaxed);
    }
}

/// A stream that fails when a head takes too long.
pub(crate) struct Watched<S> {
    stream: S,
    phase: Phase,
    limit: Duration,
    deadline: Pin<Box<Sleep>>,
    /// The deadline is meant.
    armed: bool,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, phase: Phase, limit: Duration) -> Self {
        Self {
            stream,
            phase,
            limit,
            deadline: Box::pin(tokio::time::sleep(limit)),
            armed: true,
        }
    }

    fn arm(&mut self) {
        self.deadline.as_mut().reset(Instant::now() + self.limit);
        self.armed = true;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let phase = self.phase.0.load(Ordering::Relaxed);
        if phase != HEAD {
            self.armed = false;
        }
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                let some = buffer.filled().len() > before;
                if some && phase == IDLE {
                    self.phase.0.store(HEAD, Ordering::Relaxed);
                    self.arm();
                }
                Poll::Ready(result)
            }
            Poll::Pending if self.armed => {
                ready!(self.deadline.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
