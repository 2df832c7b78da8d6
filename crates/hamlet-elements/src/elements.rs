//! The service elements of one server, as the service access point holds them.

use crate::contact_list::ContactListConfig;
use crate::content::{ContentConfig, ContentError, Kept, NewContent};
use crate::directory::Directory;
use crate::group::{GroupConfig, LocalGroups, Teller};
use crate::im::{
    self, Acknowledged, GroupCursor, GroupMessage, GroupTalkConfig, ImConfig, JoinedSession,
    MailboxItem, MessageIds, NextExpiry, OfflineHandling, OnlineHandling, OutsideMessage, Rooms,
};
use crate::invitation::{Groups, InvitationConfig};
use crate::outbox::{Lines, OutboxItem, Waiting};
use crate::presence::{
    Absences, Accesses, Hub, MobileNetwork, NetworkPresence, PresenceConfig, ReportedNetwork,
};
use crate::push::Push;
use crate::search::{Running, SearchConfig};
use crate::service::{Answer, Call, Event, Events, Requestor, ServiceRelay};
use crate::system_message::{Answers, Audience, Overview, SystemMessage, SystemMessageShown};
use futures::FutureExt;
use hamlet_model::presence::{AttributeName, AttributeValue, ClientInfo};
use hamlet_model::{
    ApplicationId, ClientId, Content, Domain, GroupId, Message, MessageId, Profile, ProfileField,
    Refusal, SessionId, StatusCode, Timestamp, UserId,
};
use hamlet_store::{Store, StoreError};
use std::ops::Range;
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
    /// The content store; `None`: there is none.
    pub content: Option<ContentConfig>,
    /// Groups.
    pub groups: GroupConfig,
    /// What is said in groups.
    pub group_talk: GroupTalkConfig,
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
            content: None,
            groups: GroupConfig::default(),
            group_talk: GroupTalkConfig::default(),
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
    pub(crate) inner: Arc<Inner>,
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
    /// What goes to other domains one after the other.
    pub(crate) lines: Arc<Lines>,
    pub(crate) hub: Hub,
    pub(crate) absences: Absences,
    /// What is known of users without their clients.
    pub(crate) network: Arc<dyn MobileNetwork>,
    /// The same, as far as it is told.
    pub(crate) reported: Arc<ReportedNetwork>,
    pub(crate) searching: Running,
    pub(crate) groups: Arc<dyn Groups>,
    /// Who is in the groups that somebody talks in.
    pub(crate) rooms: Rooms,
    pub(crate) teller: Teller,
    pub(crate) accesses: Accesses,
    events: Arc<dyn Events>,
}

/// What transactions need of the configuration.
pub(crate) struct Shared {
    pub(crate) domain: Domain,
    pub(crate) im: ImConfig,
    pub(crate) contact_lists: ContactListConfig,
    pub(crate) groups: GroupConfig,
    pub(crate) presence: PresenceConfig,
    pub(crate) records: bool,
    /// Content is kept, also for messages.
    pub(crate) keeps_content: bool,
    served: Vec<Domain>,
    relay: Arc<dyn ServiceRelay>,
}

impl Shared {
    /// Whether the user belongs to the home domain.
    pub(crate) fn is_home(&self, user: &UserId) -> bool {
        user.domain_str() == self.domain.as_str()
    }

    /// Whether there is a way to this domain.
    pub(crate) fn reaches(&self, domain: &Domain) -> bool {
        self.relay.reaches(domain.as_str())
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
        for event in events {
            if let Event::GroupMessage(said) = &event {
                self.rooms.has_said(&said.group);
            }
            self.events.emit(event);
        }
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
            groups: config.groups.clone(),
            presence: config.presence.clone(),
            records: config.records,
            keeps_content: config.content.is_some(),
            served: config.serves_presence_of.clone(),
            relay: relay.clone(),
        };
        let (teller, told) = Teller::new();
        let reported = Arc::new(ReportedNetwork::default());
        let inner = Inner {
            directory: Directory::new(store.clone(), config.domain.clone()),
            shared: Arc::new(shared),
            message_ids: MessageIds::new(),
            expiry: NextExpiry::default(),
            waiting: Arc::default(),
            lines: Arc::default(),
            hub: Hub::default(),
            absences: Absences::default(),
            network: reported.clone(),
            reported,
            searching: Running::new(config.search.max_per_session, config.search.max_running),
            groups: Arc::new(LocalGroups::new(
                store.clone(),
                config.domain.clone(),
                config.group_talk.history_age,
            )),
            rooms: Rooms::default(),
            teller,
            accesses: Accesses::default(),
            config,
            store,
            relay,
            events,
        };
        inner.restore().await?;
        let inner = Arc::new(inner);
        tokio::spawn(Teller::run(Arc::downgrade(&inner), told));
        inner.end_orphaned_groups().await?;
        Ok(Self { inner })
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

    /// A session has ended, and its client with it (csp-access 3.9).
    pub async fn session_closed(&self, session: &SessionId) -> Result<(), StoreError> {
        let left = self.inner.leave_all_groups(session).await;
        self.inner.session_closed(session, false).await?;
        left
    }

    /// A session has ended without its client's doing, who may be back in a moment
    /// (csp-presence 8.2).
    pub async fn session_lost(&self, session: &SessionId) -> Result<(), StoreError> {
        let left = self.inner.leave_all_groups(session).await;
        let done = self.inner.session_closed(session, true).await;
        self.inner.watch_absences();
        done.and(left)
    }

    /// The client of a session that was restored is there again: it is told what it watches.
    pub async fn session_resumed(&self, session: &SessionId) -> Result<(), StoreError> {
        self.inner.session_resumed(session).await
    }

    /// A domain has not answered for long (csp-presence 10): nobody here knows whether its
    /// users are online.
    pub fn domain_lost(&self, domain: &Domain) {
        self.inner.domain_lost(domain);
    }

    /// A domain that had been lost is heard of again: what was missed is asked for.
    pub async fn domain_found(&self, domain: &Domain) -> Result<(), StoreError> {
        self.inner.domain_found(domain).await
    }

    /// The domains whose users are watched from here, each with one who watches and one who
    /// is watched.
    pub fn watched_domains(&self) -> Vec<(Domain, UserId, UserId)> {
        self.inner.watched_domains()
    }

    /// Takes what the mobile network says of a user, for the operator or an adapter; `None`
    /// is not known any more. Answers all that is known. 402 for a value that cannot be, 531
    /// without such a user. Where his presence is kept elsewhere it is told there.
    pub async fn report_network(
        &self,
        user: &UserId,
        changes: Vec<(AttributeName, Option<AttributeValue>)>,
    ) -> Result<Arc<NetworkPresence>, Refusal> {
        self.inner.report_network(user, changes).await
    }

    /// What the mobile network says of a user; refused as [`Elements::report_network`] is.
    pub async fn network_presence(&self, user: &UserId) -> Result<Arc<NetworkPresence>, Refusal> {
        self.inner.network_presence(user).await
    }

    /// What an account gets when it is made (csp-presence 2.4). May be repeated.
    pub async fn provision(&self, user: &UserId) -> Result<(), StoreError> {
        self.inner.provision(user).await
    }

    /// An account is gone: what is remembered of it is forgotten. Its sessions are closed
    /// separately.
    pub fn forget(&self, user: &UserId) {
        self.inner.directory.forget(user);
        self.inner.forget_presence(user);
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

    /// Keeps content under a URL that nobody can guess (architecture document 5.3.5). What is
    /// kept already for the same purpose is not kept again: its URL is answered.
    pub async fn keep_content(
        &self,
        new: NewContent,
        octets: Vec<u8>,
    ) -> Result<Kept, ContentError> {
        self.inner.keep_content(new, octets).await
    }

    /// Keeps the content of a message, given as type and octets, for a client that can only be
    /// sent a link to it (csp-im 4.4), until the message expires: once for each owner.
    pub async fn link_message(
        &self,
        owner: &UserId,
        message: &Message,
        content: (String, Vec<u8>),
    ) -> Result<Kept, ContentError> {
        self.inner.link_message(owner, message, content).await
    }

    /// Replaces content under the same URL; only its owner may.
    pub async fn replace_content(
        &self,
        id: &str,
        new: NewContent,
        octets: Vec<u8>,
    ) -> Result<Kept, ContentError> {
        self.inner.replace_content(id.to_owned(), new, octets).await
    }

    /// Removes content; only its owner may.
    pub async fn remove_content(&self, owner: &UserId, id: &str) -> Result<(), ContentError> {
        self.inner.remove_content(owner, id).await
    }

    /// What is said about content that is kept.
    pub async fn content(&self, id: &str) -> Result<Kept, ContentError> {
        self.inner.content(id).await
    }

    /// Some octets of content in the state that was told, as many of the range as there are;
    /// `NotFound` when it has been replaced or is gone.
    pub async fn content_octets(
        &self,
        kept: &Kept,
        range: Range<u64>,
    ) -> Result<Vec<u8>, ContentError> {
        self.inner.content_octets(kept, range).await
    }

    /// What a user keeps, oldest first.
    pub async fn contents_of(&self, owner: &UserId) -> Result<Vec<Kept>, ContentError> {
        self.inner.contents_of(owner).await
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

    /// A client acknowledges a message by a request of its own (csp-im 7.2). `known`: it is the
    /// turn of these clients after it; `None`, what is in the mailbox is not its to take.
    pub async fn acknowledge_by_name(
        &self,
        requestor: Requestor,
        message: MessageId,
        known: Option<Vec<ClientId>>,
    ) -> Result<Acknowledged, StoreError> {
        self.inner
            .acknowledge_by_name(requestor, message, known)
            .await
    }

    /// Whether a session has done so before.
    pub async fn has_acknowledged(
        &self,
        session: &SessionId,
        message: &MessageId,
    ) -> Result<bool, StoreError> {
        self.inner.has_acknowledged(session, message).await
    }

    /// All that a session has not had from its groups, by group and in order.
    pub async fn waiting_in_groups(
        &self,
        requestor: Requestor,
    ) -> Result<Vec<Arc<GroupMessage>>, StoreError> {
        self.inner.waiting_in_groups(requestor).await
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

    /// Announces a message that waits in another system, for the gateway to that (csp-im 7.7);
    /// its MessageID, and whether it was not announced before. When this answers, it is on the
    /// disk. 402 for what cannot be, 531 without such a user, 534 for one without messages, 532
    /// when he does not want to hear from the sender, 507 when too much waits for him.
    pub async fn announce(&self, message: OutsideMessage) -> Result<(MessageId, bool), Refusal> {
        self.inner.announce(message).await
    }

    /// Such a message needs not be told of any more; false when none of this name waits.
    pub async fn withdraw_outside(
        &self,
        user: &UserId,
        id: &MessageId,
    ) -> Result<bool, StoreError> {
        self.inner.withdraw_outside(user, id).await
    }

    /// Such messages that wait for a user, oldest first.
    pub async fn outside_messages(&self, user: &UserId) -> Result<Vec<Message>, StoreError> {
        self.inner.outside_messages(user).await
    }

    /// Whether the requestor has joined the group in his session (csp-im 3.3): 800 without
    /// such a group, 808 if he has not.
    pub async fn joined(&self, requestor: &Requestor, group: &GroupId) -> Result<(), Refusal> {
        self.inner.joined(requestor, group).await
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

    /// At most `limit` messages in a group behind place `after`, in order.
    pub async fn group_log(
        &self,
        group: &GroupId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<GroupMessage>, StoreError> {
        self.inner.group_log(group, after, limit).await
    }

    /// Sessions that have joined groups, with how far they have come, from the one after
    /// `after`; at most `limit`.
    pub async fn joined_sessions(
        &self,
        after: Option<JoinedSession>,
        limit: usize,
    ) -> Result<Vec<JoinedSession>, StoreError> {
        self.inner.joined_sessions(after, limit).await
    }

    /// Notes durably how far sessions have come in the logs of their groups.
    pub async fn advance_group_cursors(&self, cursors: Vec<GroupCursor>) -> Result<(), StoreError> {
        self.inner.advance_group_cursors(cursors).await
    }

    /// A message to one screen name has come to its end: it is removed, and its sender is
    /// told `code` if he wanted to know. False when it was gone.
    pub async fn conclude_whisper(
        &self,
        message: &GroupMessage,
        code: StatusCode,
    ) -> Result<bool, StoreError> {
        self.inner.conclude_whisper(message, code).await
    }

    /// Sends a message to a group in its own name, for the operator (csp-group 6 item 11):
    /// 800 without such a group in this domain, 402 for too large a content.
    pub async fn announce_in_group(
        &self,
        group: &GroupId,
        content: Content,
    ) -> Result<MessageId, Refusal> {
        self.inner.announce_in_group(group, content).await
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
