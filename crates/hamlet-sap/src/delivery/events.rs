//! Events of the service elements on their way to sessions.

use crate::cir::Cir;
use crate::metrics::Metrics;
use crate::records::Records;
use crate::session::registry::Registry;
use crate::session::{Session, User};
use hamlet_elements::im::MessageEvent;
use hamlet_elements::{Event, Events};
use hamlet_model::presence::Attribute;
use hamlet_model::{Service, UserId};
use std::sync::Arc;
use tokio::sync::Notify;

/// Where events arrive: the live sessions, and the driver of the outbox.
pub(crate) struct Hub {
    pub(crate) registry: Registry,
    /// Something has been committed to the outbox.
    pub(crate) outbox: Notify,
    /// Who tells clients that something waits for them.
    pub(crate) cir: Arc<Cir>,
    /// What is written down for billing.
    pub(crate) records: Records,
    metrics: Arc<Metrics>,
    max_notices: usize,
}

impl Hub {
    pub(crate) fn new(
        metrics: Arc<Metrics>,
        max_notices: usize,
        cir: Arc<Cir>,
        records: Records,
    ) -> Self {
        Self {
            registry: Registry::new(),
            outbox: Notify::new(),
            cir,
            records,
            metrics,
            max_notices,
        }
    }

    /// Something may be for any session of the user.
    pub(crate) fn raise_all(&self, user: &User) {
        for session in user.sessions.read().iter() {
            self.cir.raise(session);
        }
    }

    fn presence(&self, session: &Arc<Session>, publisher: UserId, attributes: Arc<Vec<Attribute>>) {
        // He may have lost the service since he subscribed.
        if !session.settings().services.contains(Service::Presence) {
            return;
        }
        let mut outbound = session.outbound.lock();
        if !outbound
            .notices
            .add(publisher, attributes, self.max_notices)
        {
            self.metrics.notices_dropped.inc();
        }
        drop(outbound);
        self.cir.raise(session);
    }
}

impl Events for Hub {
    fn emit(&self, event: Event) {
        match event {
            Event::Mailbox { user, item } => {
                if let Some(user) = self.registry.user(&user) {
                    user.mailbox.lock().arrived(item);
                    self.raise_all(&user);
                }
            }
            Event::MailboxRemoved { user, ids } => {
                if let Some(user) = self.registry.user(&user) {
                    let mut mailbox = user.mailbox.lock();
                    ids.iter().for_each(|id| mailbox.removed(id));
                }
            }
            Event::Presence {
                session,
                publisher,
                attributes,
            } => {
                if let Some(session) = self.registry.session(session.as_str()) {
                    self.presence(&session, publisher, attributes);
                }
            }
            Event::PresenceForUser {
                user,
                publisher,
                attributes,
            } => {
                for session in self.registry.sessions_of(&user) {
                    self.presence(&session, publisher.clone(), attributes.clone());
                }
            }
            Event::Outbox => self.outbox.notify_one(),
            Event::Message(record) => {
                if let MessageEvent::Accepted {
                    session: Some(session),
                    ..
                } = &record.what
                    && let Some(session) = self.registry.session(session.as_str())
                {
                    session.tally.sent();
                }
                self.records.message(*record);
            }
        }
    }
}
