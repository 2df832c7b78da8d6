//! How many searches run.

use hamlet_model::{Refusal, SessionId, StatusCode};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Instant;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Counts searches while they run, so that neither a session nor all of them together keep
/// the store from its other work.
pub(crate) struct Running {
    of_session: Mutex<HashMap<SessionId, usize>>,
    per_session: usize,
    places: Semaphore,
}

/// A search that runs.
pub(crate) struct Run<'a> {
    running: &'a Running,
    session: SessionId,
    _place: Option<SemaphorePermit<'a>>,
}

impl Running {
    pub(crate) fn new(per_session: usize, in_all: usize) -> Self {
        Self {
            of_session: Mutex::default(),
            per_session: per_session.max(1),
            places: Semaphore::new(in_all.max(1)),
        }
    }

    /// Waits for a place: 503 when the session has as many searches under way as it may,
    /// 535 when no place is free in time.
    pub(crate) async fn begin(
        &self,
        session: &SessionId,
        deadline: Instant,
    ) -> Result<Run<'_>, Refusal> {
        {
            let mut of_session = self.of_session.lock();
            let count = of_session.entry(session.clone()).or_default();
            if *count >= self.per_session {
                let why = "The session has too many searches under way";
                return Err(Refusal::because(StatusCode::SERVICE_UNAVAILABLE, why));
            }
            *count += 1;
        }
        // Gives the session's place back also when the wait is in vain or given up.
        let mut run = Run {
            running: self,
            session: session.clone(),
            _place: None,
        };
        let place = tokio::time::timeout_at(deadline.into(), self.places.acquire()).await;
        match place {
            Ok(Ok(place)) => {
                run._place = Some(place);
                Ok(run)
            }
            _ => Err(StatusCode::SEARCH_TIMED_OUT.into()),
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let mut of_session = self.running.of_session.lock();
        if let Some(count) = of_session.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                of_session.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_session_and_all_together_have_their_limits() {
        let running = Running::new(2, 3);
        let (one, two) = (SessionId::new("1"), SessionId::new("2"));
        let later = Instant::now() + Duration::from_secs(60);
        let begin = |session| running.begin(session, later);
        let first = begin(&one).await.unwrap();
        let second = begin(&one).await.unwrap();
        let refused = begin(&one).await.map(drop).unwrap_err();
        assert_eq!(refused.code, StatusCode::SERVICE_UNAVAILABLE);
        let third = begin(&two).await.unwrap();
        let now = Instant::now();
        let refused = running.begin(&two, now).await.map(drop).unwrap_err();
        assert_eq!(refused.code, StatusCode::SEARCH_TIMED_OUT);
        drop((first, second));
        let fourth = begin(&two).await.unwrap();
        drop((third, fourth));
        assert!(running.of_session.lock().is_empty());
    }
}
