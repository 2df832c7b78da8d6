//! What an operator can do to a running service access point.

use crate::Sap;
use crate::session::Session;
use hamlet_model::{SessionId, StatusCode, Timestamp, UserId};
use std::sync::Arc;

/// A live session, for an operator's eyes.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionSummary {
    /// The session.
    pub id: SessionId,
    /// Its user.
    pub user: UserId,
    /// Its client, as one text.
    pub client: String,
    /// Its version: 1.1, 1.2 or 1.3.
    pub version: &'static str,
    /// User-Agent of its login.
    pub user_agent: Option<String>,
    /// When it began.
    pub created: Timestamp,
    /// When it was last heard of.
    pub seen: Timestamp,
    /// When it ends unless it is heard of.
    pub expires: Timestamp,
    /// The channel that tells it to poll, when one is open: STCP, SUDP or SHTTP.
    pub cir: Option<&'static str>,
    /// Messages and reports that wait for its user, as far as they are in memory.
    pub waiting: usize,
}

impl Sap {
    /// The live sessions, all or those of one user.
    pub fn sessions(&self, user: Option<&UserId>) -> Vec<SessionSummary> {
        let mut summaries = Vec::new();
        let grace = self.config.session.grace;
        let mut add = |session: &Arc<Session>| {
            let settings = session.settings();
            summaries.push(SessionSummary {
                id: session.id.clone(),
                user: session.user.id.clone(),
                client: session.client.key(),
                version: session.version.as_str(),
                user_agent: settings.user_agent.clone(),
                created: session.created,
                seen: session.seen(),
                expires: session.expires(grace),
                cir: session.cir_method(&self.hub.cir),
                waiting: session.user.mailbox.lock().len(),
            });
        };
        match user {
            Some(user) => self.hub.registry.sessions_of(user).iter().for_each(add),
            None => self.hub.registry.for_each(&mut add),
        }
        summaries
    }

    /// Ends a session; its client hears 601 when it comes next. Whether there was one.
    pub async fn disconnect(&self, id: &SessionId) -> bool {
        match self.hub.registry.session(id.as_str()) {
            Some(session) => self.end_session(&session, StatusCode::FORCED_LOGOUT).await,
            None => false,
        }
    }
}
