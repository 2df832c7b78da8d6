//! The service elements of one server, as the service access point holds them.

use crate::contact_list::ContactListConfig;
use crate::directory::Directory;
use crate::im::{
    self, ImConfig, MailboxItem, MessageIds, NextExpiry, OfflineHandling, OnlineHandling,
};
use crate::invitation::{Groups, InvitationConfig, NoGroups};
use crate::outbox::{OutboxItem, Waiting};
use crate::presence::{Hub, PresenceConfig};
use crate::push::Push;
use crate::search::{Running, SearchConfig};
use crate::service::{Answer, Call, Event, Events, ServiceRelay};
use crate::system_message::{Answers, Audience, Overview, SystemMessage, SystemMessageShown};
use futures::FutureExt;
use hamlet_model::presence::ClientInfo;
use hamlet_model::{
    ApplicationId, ClientId, Domain, Profile, ProfileField, Refusal, SessionId, StatusCode,
    Timestamp, UserId,
};
use hamlet_store::{Store, StoreError};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

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
    /// Searches.
    pub search: SearchConfig,
    /// Invitations.
    pub invitations: InvitationConfig,
    /// The Primary Service Element for presence of the users of `domain`.
    pub presence_home: PresenceHome,
    /// Domains whose users have their Primary Service Element for presence here.
    pub serves_presence_of: Vec<Domain>,
    /// Tell what happens to messages, for call-detail records.
    pub records: bool,
}

impl ElementsConfig {
    /// All elements at home, with the usual limits.
    pub fn new(domain: Domain) -> Self {
        Self {
            domain,
            im: ImConfig::default(),
            contact_lists: ContactListConfig::default(),
            presence: PresenceConfig::default(),
            search: SearchConfig::default(),
            invitations: InvitationConfig::default(),
            presence_home: PresenceHome::Local,
            serves_presence_of: Vec::new(),
            records: false,
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

/// What the elements share; each adds its methods in its own files.
pub(crate) struct Inner {
    pub(crate) config: ElementsConfig,
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Store,
    pub(crate) relay: Arc<dyn ServiceRelay>,
    pub(crate) directory: Directory,
    pub(crate) message_ids: MessageIds,
    pub(crate) expiry: NextExpiry,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) hub: Hub,
    pub(crate) searching: Running,
    pub(crate) groups: Arc<dyn Groups>,
    events: Arc<dyn Events>,
}

/// What transactions need of the configuration.
pub(crate) struct Shared {
    pub(crate) domain: Domain,
    pub(crate) im: ImConfig,
    pub(crate) contact_lists: ContactListConfig,
    pub(crate) records: bool,
    served: Vec<Domain>,
    relay: Arc<dyn ServiceRelay>,
}

impl Shared {
    /// Whether the user belongs to the home domain.
    pub(crate) fn is_home(&self, user: &UserId) -> bool {
        user.domain_str() == self.domain.as_str()
    }

    /// Whether the user's presence is kept in another domain to which there is a way.
    pub(crate) fn is_reachable(&self, user: &UserId) -> bool {
        let domain = user.domain_str();
        let is_served = self.served.iter().any(|served| served.as_str() == domain);
        !self.is_home(user) && !is_served && self.relay.reaches(domain)
    }
}

impl Inner {
    /// Tells events, in order; after the commit that caused them.
    pub(crate) fn emit(&self, events: impl IntoIterator<Item = Event>) {
        events.into_iter().for_each(|event| self.events.emit(event));
    }
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
        let shared = Shared {
            domain: config.domain.clone(),
            im: config.im.clone(),
            contact_lists: config.contact_lists.clone(),
            records: config.records,
            served: config.serves_presence_of.clone(),
            relay: relay.clone(),
        };
        let inner = Inner {
            directory: Directory::new(store.clone(), config.domain.clone()),
            shared: Arc::new(shared),
            message_ids: MessageIds::new(),
            expiry: NextExpiry::default(),
            waiting: Arc::default(),
            hub: Hub::default(),
            searching: Running::new(config.search.max_per_session, config.search.max_running),
            groups: Arc::new(NoGroups),
            config,
            store,
            relay,
            events,
        };
        inner.restore().await?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Carries out a request of a session of this server. Whoever asks waits for the answer:
    /// of a future that is dropped, what it has begun in the store happens, but nobody is
    /// told of it.
    pub async fn call(&self, call: Call) -> Answer {
        confined(Box::pin(self.inner.route(call))).await
    }

    /// Carries out a request that the service relay got from another domain, which may act
    /// only for its own users. It is carried out to its end even if the returned future is
    /// dropped.
    pub async fn call_from_domain(&self, domain: &Domain, call: Call) -> Answer {
        let (inner, domain) = (self.inner.clone(), domain.clone());
        let work = async move { confined(Box::pin(inner.route_foreign(&domain, call))).await };
        tokio::spawn(work)
            .await
            .unwrap_or(Err(StatusCode::INTERNAL_ERROR.into()))
    }

    /// A session has begun (csp-access 3.4): its user's client is online. Opened before the
    /// session that it replaces is closed, the client does not seem to have been away.
    pub async fn session_opened(&self, session: &SessionFacts) -> Result<(), StoreError> {
        self.inner.session_opened(session.clone()).await
    }

    /// Capabilities have been negotiated anew.
    pub async fn session_changed(&self, session: &SessionFacts) -> Result<(), StoreError> {
        self.inner.session_opened(session.clone()).await
    }

    /// A session that lived before the server started lives on; nobody is told.
    pub async fn session_restored(&self, session: &SessionFacts) -> Result<(), StoreError> {
        self.inner.session_restored(session.clone());
        Ok(())
    }

    /// A session has ended, in whatever way (csp-access 3.9).
    pub async fn session_closed(&self, session: &SessionId) -> Result<(), StoreError> {
        self.inner.session_closed(session).await
    }

    /// What an account gets when it is made (csp-presence 2.4). May be repeated.
    pub async fn provision(&self, user: &UserId) -> Result<(), StoreError> {
        self.inner.provision(user).await
    }

    /// An account is gone: what is remembered of it is forgotten. Its sessions are closed
    /// separately.
    pub fn forget(&self, user: &UserId) {
        self.inner.directory.forget(user);
        self.inner.hub.forget(user);
    }

    /// What is remembered of a user as a recipient has changed: whether he may get messages,
    /// or whether he is an application.
    pub fn forget_recipient(&self, user: &UserId) {
        self.inner.directory.forget(user);
    }

    /// The whole profile of a user, for the operator; `None` without such a user.
    pub async fn profile(&self, user: &UserId) -> Result<Option<Profile>, StoreError> {
        self.inner.profile(user).await
    }

    /// Changes any fields of a user's profile, for the operator: 531 without such a user,
    /// 702 for a value that cannot be; nothing is changed then.
    pub async fn set_profile(
        &self,
        user: &UserId,
        changes: Vec<(ProfileField, String)>,
    ) -> Result<(), Refusal> {
        self.inner.set_profile(user, changes).await
    }

    /// What waits for a user, oldest first.
    pub async fn mailbox(&self, user: &UserId) -> Result<Vec<Arc<MailboxItem>>, StoreError> {
        self.inner.mailbox(user).await
    }

    /// All that waits for a user, and how it is spread over his sessions.
    pub async fn waiting(&self, user: &UserId) -> Result<im::Waiting, StoreError> {
        self.inner.waiting(user).await
    }

    /// A client of the user has an entry of his mailbox, or its copy of one: it is removed,
    /// and the sender gets his report if he wanted one. The clients that are `owed` a copy
    /// get theirs, too (FORKALL, csp-im 10.3). False when there is no such entry.
    pub async fn delivered(
        &self,
        user: &UserId,
        id: &str,
        client: &ClientId,
        owed: Vec<ClientId>,
    ) -> Result<bool, StoreError> {
        self.inner.delivered(user, id, client, owed).await
    }

    /// A client has negotiated how its user's messages are handled (csp-im 10.2); that counts
    /// beyond the session. Whether OnlineETEMHandling is another one now.
    pub async fn handling_negotiated(
        &self,
        user: &UserId,
        client: &ClientId,
        online: Option<OnlineHandling>,
        offline: Option<OfflineHandling>,
    ) -> Result<bool, StoreError> {
        self.inner
            .handling_negotiated(user, client, online, offline)
            .await
    }

    /// A client of the user has an entry of his mailbox: it is removed, and the sender gets
    /// his report if he wanted one (csp-im 6, 8). False when there is no such entry.
    pub async fn acknowledge(&self, user: &UserId, id: &str) -> Result<bool, StoreError> {
        self.inner.conclude(user, id, StatusCode::OK).await
    }

    /// An entry cannot or shall not be delivered to the user in any way: it is removed, and
    /// the sender is told `code`. False when there is no such entry.
    pub async fn fail(
        &self,
        user: &UserId,
        id: &str,
        code: StatusCode,
    ) -> Result<bool, StoreError> {
        self.inner.conclude(user, id, code).await
    }

    /// What waits for a user beside messages, oldest first, and whether there may be more.
    pub async fn pushes(&self, user: &UserId) -> Result<(Vec<Arc<Push>>, bool), StoreError> {
        self.inner.pushes(user).await
    }

    /// A client of the user has acknowledged a push: it is not sent to clients that come
    /// later. `whole`: it got it in a form in which it can answer.
    pub async fn push_acknowledged(
        &self,
        user: &UserId,
        push: &Push,
        whole: bool,
    ) -> Result<(), StoreError> {
        self.inner.push_acknowledged(user, push, whole).await
    }

    /// The system messages for a user's login (csp-access 12): those that he has to answer
    /// before he gets in, and those that he is told there.
    pub async fn system_messages_at_login(
        &self,
        user: &UserId,
    ) -> Result<Vec<SystemMessageShown>, StoreError> {
        self.inner.system_messages_at_login(user).await
    }

    /// A client of the user has been told a system message at its login.
    pub async fn system_message_told(
        &self,
        user: &UserId,
        shown: &SystemMessageShown,
    ) -> Result<(), StoreError> {
        self.inner.system_message_delivered(user, shown, true).await
    }

    /// Takes a user's answers at his login: 404, 402, 409, or 403 when he refuses what is
    /// needed to get in.
    pub async fn answer_at_login(&self, user: &UserId, answers: Answers) -> Result<(), Refusal> {
        self.inner.answer_at_login(user, answers).await
    }

    /// Sends a system message, for the operator; its number. 402 for one that cannot be, 531
    /// for users that do not exist: then nobody gets it.
    pub async fn send_system_message(
        &self,
        message: SystemMessage,
        audience: Audience,
        life: Duration,
    ) -> Result<i64, Refusal> {
        self.inner
            .send_system_message(message, audience, life)
            .await
    }

    /// Sends a system message to more users, for the operator: 404 without such a message,
    /// 531 for users that do not exist.
    pub async fn add_to_system_message(
        &self,
        number: i64,
        users: Vec<UserId>,
    ) -> Result<(), Refusal> {
        self.inner.add_to_system_message(number, users).await
    }

    /// System messages with what has become of them, without their users; at most `limit`
    /// from the one after `after`.
    pub async fn system_messages(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Overview>, StoreError> {
        self.inner.system_messages(after, limit).await
    }

    /// A system message with at most `limit` of its users, from the one after `after`.
    pub async fn system_message(
        &self,
        number: i64,
        after: String,
        limit: usize,
    ) -> Result<Option<Overview>, StoreError> {
        self.inner.system_message(number, after, limit).await
    }

    /// Nobody gets a system message from now on; false when nobody would have.
    pub async fn cancel_system_message(&self, number: i64) -> Result<bool, StoreError> {
        self.inner.cancel_system_message(number).await
    }

    /// Removes what is not worth delivering any more, telling senders who asked for reports
    /// (csp-im 9), and searches that nobody has gone on with (csp-access 9.2). Answers how many entries went; to be called from time to time.
    pub async fn expire(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.inner.expire(now).await
    }

    /// Removes what has expired by `now` of messages, reports and what goes to other domains,
    /// telling senders; when the next of them expires.
    pub async fn expire_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.inner.expire_due(now).await
    }

    /// Waits until something is stored that expires earlier than all before.
    pub async fn expires_earlier(&self) {
        self.inner.expires_earlier().await;
    }

    /// What is to be sent to other domains now, oldest first.
    pub async fn outbox_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        self.inner.outbox_due(now, limit).await
    }

    /// An attempt to send has been made; the next one is due at `next` unless an answer
    /// comes before.
    pub async fn outbox_sent(&self, id: i64, next: Timestamp) -> Result<(), StoreError> {
        let retried = self.inner.store.write(move |tx| tx.retry_outbox(id, next));
        retried.await.map(drop)
    }

    /// The other domain has answered, finally: the entry is done with. A refusal goes into
    /// the answer to the sender if he still waits, else it becomes delivery reports.
    pub async fn outbox_settle(&self, id: i64, answer: Answer) -> Result<(), StoreError> {
        self.inner.outbox_settle(id, answer).await
    }
}

/// A panic answers 500 to this request alone. The work is boxed by whoever makes it, so that
/// it is not moved again and again.
async fn confined(work: Pin<Box<dyn Future<Output = Answer> + Send + '_>>) -> Answer {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            tracing::error!("a request panicked");
            Err(StatusCode::INTERNAL_ERROR.into())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_answers_500_to_its_request() {
        let answer = confined(Box::pin(async { panic!("of the test") })).await;
        assert_eq!(answer, Err(StatusCode::INTERNAL_ERROR.into()));
    }
}
