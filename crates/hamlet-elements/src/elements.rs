//! The service elements of one server, as the service access point holds them.

use crate::contact_list::ContactListConfig;
use crate::im::{ImConfig, MailboxItem};
use crate::outbox::OutboxItem;
use crate::presence::PresenceConfig;
use crate::service::{Answer, Call, Events, ServiceRelay};
use hamlet_model::presence::ClientInfo;
use hamlet_model::{
    ApplicationId, ClientId, Domain, Refusal, SessionId, StatusCode, Timestamp, UserId,
};
use hamlet_store::{Store, StoreError};
use std::sync::Arc;

/// How the elements of one server are set up.
#[derive(Debug, Clone)]
pub struct ElementsConfig {
    /// The home domain of the server's users.
    pub domain: Domain,
    /// Instant messaging.
    pub im: ImConfig,
    /// Contact lists.
    pub contact_lists: ContactListConfig,
    /// Presence.
    pub presence: PresenceConfig,
    /// The Primary Service Element for presence of the users of `domain`.
    pub presence_home: PresenceHome,
    /// Domains whose users have their Primary Service Element for presence here.
    pub serves_presence_of: Vec<Domain>,
}

impl ElementsConfig {
    /// All elements at home, with the usual limits.
    pub fn new(domain: Domain) -> Self {
        Self {
            domain,
            im: ImConfig::default(),
            contact_lists: ContactListConfig::default(),
            presence: PresenceConfig::default(),
            presence_home: PresenceHome::Local,
            serves_presence_of: Vec::new(),
        }
    }
}

/// Where the users of a domain have their presence (architecture document B.7, Figure 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceHome {
    /// In this server.
    Local,
    /// In another domain, reached through the service relay.
    At(Domain),
}

/// What the elements need to know of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionFacts {
    /// The session.
    pub id: SessionId,
    /// Its user.
    pub user: UserId,
    /// Its client.
    pub client: ClientId,
    /// Its application (1.3).
    pub application: Option<ApplicationId>,
    /// What login and negotiation say about the client (csp-presence 3.4).
    pub info: ClientInfo,
}

/// The service elements of one server: a cheap handle.
#[derive(Clone)]
pub struct Elements {
    inner: Arc<Inner>,
}

struct Inner {
    config: ElementsConfig,
    store: Store,
    relay: Arc<dyn ServiceRelay>,
    events: Arc<dyn Events>,
}

impl Elements {
    /// Brings the elements up on what the store holds. Sessions that live on are then made
    /// known by [`Elements::session_restored`].
    pub async fn start(
        config: ElementsConfig,
        store: Store,
        relay: Arc<dyn ServiceRelay>,
        events: Arc<dyn Events>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                store,
                relay,
                events,
            }),
        })
    }

    /// Carries out a request of a session of this server.
    pub async fn call(&self, call: Call) -> Answer {
        let _ = call;
        Err(Refusal::new(StatusCode::NOT_IMPLEMENTED))
    }

    /// Carries out a request that the service relay got from another domain, which may act
    /// only for its own users.
    pub async fn call_from_domain(&self, domain: &Domain, call: Call) -> Answer {
        let _ = (domain, call);
        Err(Refusal::new(StatusCode::NOT_IMPLEMENTED))
    }

    /// A session has begun (csp-access 3.4): its user's client is online.
    pub async fn session_opened(&self, session: &SessionFacts) -> Result<(), StoreError> {
        let _ = session;
        Ok(())
    }

    /// Capabilities have been negotiated anew.
    pub async fn session_changed(&self, session: &SessionFacts) -> Result<(), StoreError> {
        let _ = session;
        Ok(())
    }

    /// A session that lived before the server started lives on; nobody is told.
    pub async fn session_restored(&self, session: &SessionFacts) -> Result<(), StoreError> {
        let _ = session;
        Ok(())
    }

    /// A session has ended, in whatever way (csp-access 3.9).
    pub async fn session_closed(&self, session: &SessionId) -> Result<(), StoreError> {
        let _ = session;
        Ok(())
    }

    /// What an account gets when it is made (csp-presence 2.4). May be repeated.
    pub async fn provision(&self, user: &UserId) -> Result<(), StoreError> {
        let _ = user;
        Ok(())
    }

    /// An account is gone: what is remembered of it is forgotten.
    pub fn forget(&self, user: &UserId) {
        let _ = user;
    }

    /// What waits for a user, oldest first.
    pub async fn mailbox(&self, user: &UserId) -> Result<Vec<Arc<MailboxItem>>, StoreError> {
        let _ = user;
        Ok(Vec::new())
    }

    /// A client of the user has an entry of his mailbox: it is removed, and the sender gets
    /// his report if he wanted one (csp-im 6, 8). False when there is no such entry.
    pub async fn acknowledge(&self, user: &UserId, id: &str) -> Result<bool, StoreError> {
        self.fail(user, id, StatusCode::OK).await
    }

    /// An entry cannot or shall not be delivered to the user in any way: it is removed, and
    /// the sender is told `code`. False when there is no such entry.
    pub async fn fail(
        &self,
        user: &UserId,
        id: &str,
        code: StatusCode,
    ) -> Result<bool, StoreError> {
        let _ = (user, id, code);
        Ok(false)
    }

    /// Removes what is not worth delivering any more, telling senders who asked for reports
    /// (csp-im 9). Answers how many entries went; to be called from time to time.
    pub async fn expire(&self, now: Timestamp) -> Result<usize, StoreError> {
        let _ = now;
        Ok(0)
    }

    /// What is to be sent to other domains now, oldest first.
    pub async fn outbox_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        let _ = (now, limit);
        Ok(Vec::new())
    }

    /// An attempt to send has been made; the next one is due at `next` unless an answer
    /// comes before.
    pub async fn outbox_sent(&self, id: i64, next: Timestamp) -> Result<(), StoreError> {
        let _ = (id, next);
        Ok(())
    }

    /// The other domain has answered, finally: the entry is done with. A refusal goes into
    /// the answer to the sender if he still waits, else it becomes delivery reports.
    pub async fn outbox_settle(&self, id: i64, answer: Answer) -> Result<(), StoreError> {
        let _ = (id, answer);
        Ok(())
    }
}
