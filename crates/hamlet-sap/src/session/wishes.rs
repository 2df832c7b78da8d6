//! What a negotiation says about all sessions of the user (csp-im 10.2).

use crate::Sap;
use crate::negotiation::capability::Capabilities;
use crate::negotiation::priority::settle;
use crate::session::Session;
use hamlet_elements::notification::Notification;
use hamlet_elements::{Event, Events};
use hamlet_model::{Refusal, StatusCode};
use std::sync::Arc;

impl Sap {
    /// OnlineETEMHandling is one setting for all sessions of the user, the latest counts;
    /// OfflineETEMHandling is the client's, and counts when it has no session.
    pub(crate) async fn adopt_handling(
        &self,
        session: &Session,
        agreed: &Capabilities,
    ) -> Result<(), Refusal> {
        let user = &session.user.id;
        let (online, offline) = (agreed.online_handling, agreed.offline_handling);
        let adopted = self
            .elements
            .handling_negotiated(user, &session.client, online, offline)
            .await;
        let is_other = adopted.map_err(|error| {
            self.store_failed("handling", &error);
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE)
        })?;
        let Some(handling) = online else {
            return Ok(());
        };
        session.user.mailbox.lock().handling = handling;
        if is_other {
            self.hub.emit(Event::Notification {
                user: user.clone(),
                except: Some(session.id.clone()),
                notification: Notification::OnlineHandlingUpdated(handling),
            });
        }
        Ok(())
    }

    /// SessionPriority: sessions whose clients have asked for the same one part, and whoever
    /// has another one then is told (SPA).
    pub(crate) async fn adopt_priority(&self, session: &Session, agreed: &mut Capabilities) {
        if !agreed.priority_asked {
            return;
        }
        let mut others = session.user.sessions();
        others
            .retain(|other| other.id != session.id && other.settings().capabilities.priority_asked);
        let priority = |other: &Arc<Session>| other.settings().capabilities.priority;
        let priorities: Vec<u32> = others.iter().map(priority).collect();
        let (own, changed) = settle(agreed.priority, &priorities);
        agreed.priority = own;
        for (at, priority) in changed {
            let other = &others[at];
            other.change(|settings| settings.capabilities.priority = priority);
            if let Err(refusal) = self.persist(other).await {
                tracing::warn!(%refusal, "a session's priority is not in the store");
            }
            self.hub.emit(Event::SessionNotification {
                session: other.id.clone(),
                notification: Notification::SessionPriorityAdjusted(priority),
            });
        }
    }
}
