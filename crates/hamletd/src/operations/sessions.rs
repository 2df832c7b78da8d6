//! Sessions.

use super::{Actor, Failure, Operations, Page};
use hamlet_model::{SessionId, UserId};
use hamlet_sap::SessionSummary;

impl Operations {
    /// Sessions, of all users or of one, in the order of their identifiers, at most `limit`
    /// of them.
    pub fn sessions(
        &self,
        user: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<SessionSummary>, Failure> {
        let user = user.map(|user| self.user_id(user)).transpose()?;
        let after = after.unwrap_or_default();
        let mut sessions = self.sap.sessions(user.as_ref());
        sessions.retain(|session| session.id.as_str() > after);
        sessions.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(Page::of(sessions, limit))
    }

    /// Ends a session.
    pub async fn end_session(&self, by: &Actor, id: &str) -> Result<(), Failure> {
        let id = SessionId::new(id);
        let end = async {
            match self.sap.disconnect(&id).await {
                true => Ok(()),
                false => Err(Failure::missing("there is no such session")),
            }
        };
        self.audited(by, "session.end", id.short(), end).await
    }

    /// Ends all sessions of a user; how many.
    pub async fn end_sessions_of(
        &self,
        by: &Actor,
        user: &str,
    ) -> Result<(UserId, usize), Failure> {
        let end = async {
            let user = self.user_id(user)?;
            let mut ended = 0;
            for session in self.sap.sessions(Some(&user)) {
                ended += usize::from(self.sap.disconnect(&session.id).await);
            }
            Ok((user, ended))
        };
        self.audited(by, "session.end-all", &self.target(user), end)
            .await
    }

    /// Whether there is a session of that identifier.
    pub(super) fn is_session(&self, id: &str) -> bool {
        let mut sessions = self.sap.sessions(None).into_iter();
        sessions.any(|session| session.id.as_str() == id)
    }
}
