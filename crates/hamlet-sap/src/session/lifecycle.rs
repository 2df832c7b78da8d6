//! How sessions begin, change, go on after a restart, and end (csp-access 3.4, 3.9-3.11).

use crate::Sap;
use crate::session::registry::Added;
use crate::session::stored::{from_row, to_row};
use crate::session::{NewSession, Session, User};
use crate::user_profile;
use hamlet_model::{Refusal, SessionId, StatusCode, Timestamp, UserId};
use hamlet_store::StoreError;
use std::sync::Arc;

/// Rows that are read at a time at the start.
const PAGE: usize = 500;

impl Sap {
    /// Opens a session; those of the same user, client and application end by 601.
    pub(crate) async fn open_session(&self, new: NewSession) -> Result<Arc<Session>, Refusal> {
        if self.hub.registry.len() >= self.config.session.max_sessions {
            return Err(StatusCode::SERVICE_UNAVAILABLE.into());
        }
        let limit = self.config.session.max_per_user;
        let (session, replaced) = match self.hub.registry.add(new, Timestamp::now(), limit) {
            Added::Session { session, replaced } => (session, replaced),
            Added::UserLimit => return Err(StatusCode::ALREADY_LOGGED_IN.into()),
        };
        for old in replaced {
            self.finish(&old, StatusCode::FORCED_LOGOUT).await;
        }
        self.count_sessions();
        let stored = self.persist(&session).await;
        let known = match stored {
            Ok(()) => self
                .elements
                .session_opened(&session.facts())
                .await
                .map_err(|error| self.store_failed("session", &error)),
            failed => failed,
        };
        if let Err(refusal) = known {
            self.end_session(&session, StatusCode::SERVICE_UNAVAILABLE)
                .await;
            return Err(refusal);
        }
        self.adopt_cir(&session);
        self.warm_session(&session).await;
        tracing::info!(
            user = session.user.id.as_str(),
            session = session.id.short(),
            client = session.client.key(),
            version = session.version.as_str(),
            family = ?session.settings().profile.family,
            "session opened"
        );
        Ok(session)
    }

    /// Stores what has been settled.
    pub(crate) async fn persist(&self, session: &Session) -> Result<(), Refusal> {
        let row = to_row(session, &session.settings(), self.config.session.grace);
        let terminal = user_profile::terminal(session, &session.settings());
        let stored = self.store.write(move |tx| {
            if let Some(terminal) = &terminal {
                tx.put_terminal(&row.user, terminal)?;
            }
            tx.put_session(&row)
        });
        let stored = stored.await;
        stored.map_err(|error| self.store_failed("session", &error))
    }

    /// Ends a session with `code`: 200 for a logout. Whether it was still there.
    pub(crate) async fn end_session(&self, session: &Arc<Session>, code: StatusCode) -> bool {
        let registry = &self.hub.registry;
        let begun = registry.begin_end(&session.id, code);
        if !registry.remove(session) {
            if begun {
                registry.end_told(&session.id);
            }
            return false;
        }
        self.finish(session, code).await;
        true
    }

    /// All effects of the end of a session that is out of the registry (csp-access 3.9).
    async fn finish(&self, session: &Arc<Session>, code: StatusCode) {
        self.hub.registry.begin_end(&session.id, code);
        self.count_sessions();
        self.metrics.ended(code);
        self.hub.records.session(session, code);
        session.user.mailbox.lock().session_ended(&session.id);
        self.hub.leave_all_groups(session);
        // What it had may be for others now.
        self.hub.raise_all(&session.user);
        let id = session.id.clone();
        // What was answered in it stays for its time: a copy of a request may be under way,
        // and must not be carried out once more.
        let ended = self
            .store
            .write(move |tx| tx.end_session(&id, code.0, Timestamp::now()))
            .await;
        if let Err(error) = ended {
            self.store_failed("session", &error);
        }
        self.hub.registry.end_told(&session.id);
        // csp-presence 8.2: only who logs out is gone at once.
        let closed = match code {
            StatusCode::OK => self.elements.session_closed(&session.id).await,
            _ => self.elements.session_lost(&session.id).await,
        };
        if let Err(error) = closed {
            self.store_failed("session", &error);
        }
        // Only now: who polls at once is to hear how it ended.
        self.end_cir(session, code);
        tracing::info!(
            user = session.user.id.as_str(),
            session = session.id.short(),
            code = code.0,
            "session ended"
        );
    }

    pub(crate) async fn end_sessions_of(&self, user: &UserId, code: StatusCode) {
        for session in self.hub.registry.sessions_of(user) {
            self.end_session(&session, code).await;
        }
    }

    /// How a session that does not live ended; `None` when nothing is known of it.
    pub(crate) async fn how_ended(&self, id: &str) -> Option<StatusCode> {
        let id = SessionId::new(id);
        if let Some(code) = self.hub.registry.ending(&id) {
            return Some(code);
        }
        let ended = self.store.read(move |tx| tx.ended_session(&id)).await;
        match ended {
            Ok(code) => code.map(StatusCode),
            Err(error) => {
                self.store_failed("session", &error);
                None
            }
        }
    }

    /// Takes up the sessions of the store; how many. Each has its grace from now on, since
    /// that the server was away is not the fault of the phones; one that was silent before
    /// ends when it would have ended, or soon after the start (csp-access 3.11).
    pub(crate) async fn restore(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut count = 0;
        let mut after: Option<SessionId> = None;
        loop {
            let from = after.clone();
            let rows = self
                .store
                .read(move |tx| tx.sessions(from.as_ref(), PAGE))
                .await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = Some(last.id.clone());
            for row in rows {
                let (id, expires) = (row.id.clone(), row.expires);
                let Some(new) = from_row(row) else {
                    tracing::error!(session = id.short(), "a stored session makes no sense");
                    continue;
                };
                let added = self.hub.registry.add(new, now, usize::MAX);
                let Added::Session { session, replaced } = added else {
                    continue;
                };
                for old in replaced {
                    self.finish(&old, StatusCode::FORCED_LOGOUT).await;
                }
                session.restore(expires, now, self.config.session.grace);
                self.elements.session_restored(&session.facts()).await?;
                self.adopt_cir(&session);
                count += 1;
            }
        }
        self.restore_groups().await?;
        self.count_sessions();
        Ok(count)
    }

    /// Reads the mailbox of a user unless it is in memory.
    pub(crate) async fn warm(&self, user: &User) {
        {
            let mut mailbox = user.mailbox.lock();
            if !mailbox.is_cold() {
                return;
            }
            mailbox.begin_load();
        }
        let waiting = Box::pin(self.elements.waiting(&user.id)).await;
        let mut mailbox = user.mailbox.lock();
        match waiting {
            Ok(waiting) => {
                mailbox.handling = waiting.handling;
                mailbox.loaded(waiting.items, waiting.copies);
            }
            Err(error) => {
                mailbox.load_failed();
                self.store_failed("mailbox", &error);
            }
        }
    }

    /// Reads what waits for a session, unless it is in memory. What is rare here is boxed: every
    /// exchange has room for this.
    pub(crate) async fn warm_session(&self, session: &Arc<Session>) {
        self.warm(&session.user).await;
        if !session.groups.lock().is_empty() {
            Box::pin(self.warm_groups(session, Timestamp::now())).await;
        }
        if session.take_resumed()
            && let Err(error) = Box::pin(self.elements.session_resumed(&session.id)).await
        {
            self.store_failed("presence", &error);
        }
        if !session.outbound.lock().pushes.begin_load() {
            return;
        }
        match Box::pin(self.elements.pushes(&session.user.id)).await {
            Ok((pushes, more)) => {
                for push in pushes {
                    self.hub.queue(session, push);
                }
                if more {
                    session.outbound.lock().pushes.expect_more();
                }
            }
            Err(error) => {
                session.outbound.lock().pushes.expect_more();
                self.store_failed("push", &error);
            }
        }
    }

    fn count_sessions(&self) {
        let count = i64::try_from(self.hub.registry.len()).unwrap_or(i64::MAX);
        self.metrics.sessions.set(count);
    }
}
