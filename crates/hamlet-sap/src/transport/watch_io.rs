//! A connection whose peer has to get on: the head of a request must come whole within a
//! time of its first octet, and something of what is written must be taken within the same
//! time. How long a connection may idle is a matter of hyper's.
//!
//! Where a request was answered before all of it was read, the close waits for the rest:
//! a close on unread octets resets the connection, and the peer's system may then throw the
//! answer away before it is read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;

/// How long a close waits for what the peer still sends.
const LINGER: Duration = Duration::from_secs(2);

/// Most octets that are awaited before a close.
const MAX_REST: usize = 1 << 20;

/// Where the current request is; shared with whoever answers it.
#[derive(Debug, Clone)]
pub(crate) struct Phase(Arc<State>);

#[derive(Debug)]
struct State {
    phase: AtomicU8,
    /// Some of the last request is left unread.
    rest: AtomicBool,
}

impl Phase {
    /// A new connection has to begin at once.
    pub(crate) fn new() -> Self {
        Self(Arc::new(State {
            phase: AtomicU8::new(HEAD),
            rest: AtomicBool::new(false),
        }))
    }

    /// The head is here.
    pub(crate) fn busy(&self) {
        self.0.phase.store(BUSY, Ordering::Relaxed);
    }

    /// The answer is on its way.
    pub(crate) fn idle(&self) {
        self.0.phase.store(IDLE, Ordering::Relaxed);
    }

    /// The answer is on its way, and the last: its request is left unread in part.
    pub(crate) fn leave_rest(&self) {
        self.0.rest.store(true, Ordering::Relaxed);
    }

    fn now(&self) -> u8 {
        self.0.phase.load(Ordering::Relaxed)
    }
}

/// A stream that fails when a head takes too long, or the peer takes nothing.
pub(crate) struct Watched<S> {
    stream: S,
    phase: Phase,
    limit: Duration,
    deadline: Pin<Box<Sleep>>,
    /// The deadline is meant.
    armed: bool,
    /// While the peer takes nothing: until when it has to.
    stalled: Option<Pin<Box<Sleep>>>,
    /// While the close waits for the rest: how many octets it still takes.
    lingering: Option<usize>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, phase: Phase, limit: Duration) -> Self {
        Self {
            stream,
            phase,
            limit,
            deadline: Box::pin(tokio::time::sleep(limit)),
            armed: true,
            stalled: None,
            lingering: None,
        }
    }

    fn arm(&mut self) {
        self.deadline.as_mut().reset(Instant::now() + self.limit);
        self.armed = true;
    }

    /// What came of writing; an error when nothing has come of it for too long.
    fn within_limit<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.limit;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let phase = self.phase.now();
        if phase != HEAD {
            self.armed = false;
        }
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                let some = buffer.filled().len() > before;
                if some && phase == IDLE {
                    self.phase.0.phase.store(HEAD, Ordering::Relaxed);
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

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, octets);
        self.within_limit(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = Pin::new(&mut self.stream).poll_flush(context);
        self.within_limit(written, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            if !self.phase.0.rest.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
            self.lingering = Some(MAX_REST);
            self.deadline.as_mut().reset(Instant::now() + LINGER);
        }
        self.poll_rest(context).map(Ok)
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    /// Reads what the peer still sends and throws it away: until it ends, is too much, or
    /// takes too long.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut octets = [0; 4096];
        while let Some(left) = self.lingering.filter(|left| *left > 0) {
            let mut buffer = ReadBuf::new(&mut octets);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.lingering = Some(left.saturating_sub(buffer.filled().len()));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.deadline.as_mut().poll(context),
            }
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const LIMIT: Duration = Duration::from_millis(50);

    fn watched() -> (Watched<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (ours, peer) = tokio::io::duplex(100);
        (Watched::new(ours, Phase::new(), LIMIT), peer)
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_ends_the_connection() {
        let (mut ours, _peer) = watched();
        let error = ours.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_ends_the_connection() {
        let (mut ours, mut peer) = watched();
        ours.write_all(&[0; 100]).await.unwrap();
        let error = ours.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // One that takes something has the whole time again.
        peer.read_exact(&mut [0; 100]).await.unwrap();
        ours.write_all(&[0; 100]).await.unwrap();
        assert!(ours.stalled.is_none());
    }

    #[tokio::test]
    async fn a_close_waits_for_the_rest_of_a_request_but_not_for_ever() {
        let (mut ours, mut peer) = watched();
        ours.phase.leave_rest();
        let sending = async {
            // More than there is room for: it is read, or this would not end.
            peer.write_all(&[0; 500]).await.unwrap();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            closed = ours.shutdown() => closed.unwrap(),
            () = sending => {}
        }
        assert!(ours.lingering.is_some_and(|left| left == MAX_REST - 500));
    }
}
