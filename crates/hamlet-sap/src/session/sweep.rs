//! What is done from time to time: expired sessions, what the store is told late, what is
//! forgotten.

use crate::Sap;
use crate::session::Session;
use hamlet_model::{SessionId, StatusCode, Timestamp};
use hamlet_store::{StoreError, Tx};
use std::sync::Arc;
use std::time::Duration;

/// Sessions whose expiry is told to the store in one write.
const BATCH: usize = 500;

/// How long answers are remembered for repetitions (csp-access 2.3), at least; longer than
/// any pause between two attempts of another domain.
const REMEMBER: Duration = Duration::from_secs(1800);

/// Every how many sweeps the store is tidied up.
const TIDY_EVERY: u64 = 12;

impl Sap {
    /// Sweeps until the server stops.
    pub(crate) async fn sweep_from_time_to_time(self: Arc<Self>) {
        let mut stopping = self.stopping();
        let mut pause = tokio::time::interval(self.config.session.sweep);
        pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let sap = Arc::downgrade(&self);
        drop(self);
        for turn in 0_u64.. {
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                _ = pause.tick() => {}
            }
            // When nobody has it any more, there is nothing to sweep.
            let Some(sap) = sap.upgrade() else {
                return;
            };
            sap.sweep(Timestamp::now()).await;
            sap.suspicions.settle();
            if turn % TIDY_EVERY == 0 {
                sap.tidy(Timestamp::now()).await;
            }
        }
    }

    /// Ends the sessions that have expired at `now` (csp-access 3.11), and lets mailboxes
    /// and segmented responses go that nobody asks for.
    pub async fn sweep(&self, now: Timestamp) {
        let mut expired: Vec<Arc<Session>> = Vec::new();
        let mut unsaved: Vec<Arc<Session>> = Vec::new();
        let idle = now.minus(self.config.delivery.cool_after);
        self.hub.registry.for_each(|session| {
            session.segments.lock().expire(now);
            if session.take_unsaved() {
                unsaved.push(session.clone());
            }
            if session.expires(self.config.session.grace) <= now {
                expired.push(session.clone());
            } else if session.seen() < idle {
                session.user.mailbox.lock().cool(now);
            }
        });
        for session in expired {
            self.end_session(&session, StatusCode::SESSION_EXPIRED)
                .await;
        }
        self.check_domains(now);
        for session in unsaved {
            // One that has ended meanwhile must not come back.
            let lives = self.hub.registry.session(session.id.as_str()).is_some();
            if lives && self.persist(&session).await.is_err() {
                session.mark_unsaved();
            }
        }
        self.tend_groups(now);
        self.tell_store_of_activity(false).await;
        if self.numbers.is_low()
            && let Err(error) = self.numbers.refill().await
        {
            self.store_failed("numbers", &error);
        }
    }

    /// Tells the store when sessions expire: those whose expiry has moved by more than a
    /// quarter of their keep-alive time, so that a poll need not write. `all`: every one.
    pub(crate) async fn tell_store_of_activity(&self, all: bool) {
        let grace = self.config.session.grace;
        let mut untold: Vec<(SessionId, Timestamp)> = Vec::new();
        self.hub.registry.for_each(|session| {
            if session.take_untold() || all {
                untold.push((session.id.clone(), session.expires(grace)));
            }
        });
        for batch in untold.chunks(BATCH) {
            let batch = batch.to_vec();
            let told = self.store.write(move |tx| tx.touch_sessions(&batch)).await;
            if let Err(error) = told {
                self.store_failed("session", &error);
            }
        }
    }

    /// Removes what is not needed any more from the store.
    async fn tidy(&self, now: Timestamp) {
        let forget = now.minus(self.config.session.remember_ended);
        self.purge(move |tx| tx.purge_ended(forget)).await;
        self.purge(move |tx| tx.purge_challenges(now)).await;
        let answered = now.minus(REMEMBER.max(self.config.relay.retry_max * 3));
        self.purge(move |tx| tx.purge_remembered(answered)).await;
        if let Err(error) = self.elements.expire(now).await {
            self.store_failed("expiry", &error);
        }
    }

    async fn purge<F>(&self, op: F)
    where
        F: Fn(&mut Tx<'_>) -> Result<u64, StoreError> + Send + Copy + 'static,
    {
        loop {
            match self.store.write(op).await {
                Ok(0) => return,
                Ok(_) if self.is_stopping() => return,
                Ok(_) => {}
                Err(error) => {
                    self.store_failed("purge", &error);
                    return;
                }
            }
        }
    }
}
