//! A server's elements on a temporary store, and what they tell.

use hamlet_elements::authorization::Unauthorized;
use hamlet_elements::contact_list::{
    CreateContactList, ManageContactList, Member, PropertyChanges,
};
use hamlet_elements::im::{MailboxItem, SendMessage};
use hamlet_elements::presence::{SubscribePresence, Targets, UpdatePresence};
use hamlet_elements::{
    Answer, Call, Elements, ElementsConfig, Event, Events, Request, Requestor, Response,
    ServiceRelay, SessionFacts,
};
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue, ClientInfo};
use hamlet_model::{
    ClientId, ContactListId, Content, Domain, Message, MessageParty, Recipients, Refusal,
    SessionId, StatusCode, Timestamp, UserId,
};
use hamlet_store::{Account, AccountStatus, Store, StoreConfig, StoredSession};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Notify;

/// How long anything may take before a test fails.
const DEADLINE: Duration = Duration::from_secs(20);

pub fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

/// `anna` is of domain `a`.
pub fn user(name: &str) -> UserId {
    UserId::parse(name, &domain("a")).unwrap()
}

pub fn list(name: &str) -> ContactListId {
    ContactListId::parse(name, &domain("a")).unwrap()
}

/// The usual configuration, where contacts see each other.
pub fn among_contacts(domain: Domain) -> ElementsConfig {
    let mut config = ElementsConfig::new(domain);
    config.presence.unauthorized = Unauthorized::Contacts;
    config
}

/// Keeps every event.
#[derive(Default)]
pub struct Recorder {
    events: Mutex<Vec<Event>>,
    news: Notify,
    /// Wakes the one who sends what is in the outbox.
    pub outbox: Notify,
}

impl Events for Recorder {
    fn emit(&self, event: Event) {
        if event == Event::Outbox {
            self.outbox.notify_one();
        }
        self.events.lock().push(event);
        self.news.notify_waiters();
    }
}

impl Recorder {
    /// Takes what has been told so far.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock())
    }

    /// Waits for an event and takes it; others stay.
    pub async fn wait<T>(&self, what: &str, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let found = async {
            loop {
                let news = self.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                {
                    let mut events = self.events.lock();
                    let at = events.iter().position(|event| wanted(event).is_some());
                    if let Some(at) = at {
                        let event = events.remove(at);
                        return wanted(&event).unwrap();
                    }
                }
                news.await;
            }
        };
        match tokio::time::timeout(DEADLINE, found).await {
            Ok(found) => found,
            Err(_) => panic!("no {what} in {:#?}", self.events.lock()),
        }
    }
}

/// No way anywhere.
pub struct NoRelay;

impl ServiceRelay for NoRelay {
    fn ask<'a>(
        &'a self,
        _: &'a Domain,
        _: UserId,
        _: Request,
        _: Duration,
    ) -> futures::future::BoxFuture<'a, Answer> {
        Box::pin(async { Err(Refusal::new(StatusCode::DOMAIN_NOT_SUPPORTED)) })
    }

    fn reaches(&self, _: &str) -> bool {
        false
    }
}

/// One server.
pub struct Server {
    pub elements: Elements,
    pub store: Store,
    pub told: Arc<Recorder>,
    pub domain: Domain,
    config: ElementsConfig,
    directory: Arc<TempDir>,
}

impl Server {
    /// A server of domain `a` with these users.
    pub async fn start(users: &[&str]) -> Self {
        Self::with(among_contacts(domain("a")), users, Arc::new(NoRelay)).await
    }

    /// A server of domain `a` with these users, who are asked whom they let see them.
    pub async fn asking(users: &[&str]) -> Self {
        Self::with(ElementsConfig::new(domain("a")), users, Arc::new(NoRelay)).await
    }

    pub async fn with(
        config: ElementsConfig,
        users: &[&str],
        relay: Arc<dyn ServiceRelay>,
    ) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let server = Self::open(config, relay, directory).await;
        let accounts: Vec<Account> = users
            .iter()
            .map(|name| Account {
                user: UserId::parse(name, &server.domain).unwrap(),
                credential: None,
                status: AccountStatus::Active,
                created: Timestamp::now(),
            })
            .collect();
        let created = server.store.write(move |tx| {
            accounts
                .iter()
                .try_for_each(|account| tx.create_account(account).map(drop))
        });
        created.await.unwrap();
        server
    }

    async fn open(
        config: ElementsConfig,
        relay: Arc<dyn ServiceRelay>,
        directory: Arc<TempDir>,
    ) -> Self {
        let store = Store::open(&StoreConfig::sqlite(directory.path().join("h.db"))).unwrap();
        let told = Arc::new(Recorder::default());
        let domain = config.domain.clone();
        let elements = Elements::start(config.clone(), store.clone(), relay, told.clone());
        Self {
            config,
            elements: elements.await.unwrap(),
            store,
            told,
            domain,
            directory,
        }
    }

    /// The same server after its process has ended.
    pub async fn restart(self) -> Self {
        let config = self.config.clone();
        self.restart_with(config, Arc::new(NoRelay)).await
    }

    pub async fn restart_with(self, config: ElementsConfig, relay: Arc<dyn ServiceRelay>) -> Self {
        let Self {
            elements,
            store,
            directory,
            ..
        } = self;
        drop(elements);
        store.close().await;
        Self::open(config, relay, directory).await
    }

    pub async fn ask(&self, requestor: &Requestor, request: Request) -> Answer {
        let call = Call {
            requestor: requestor.clone(),
            request,
            key: None,
        };
        self.elements.call(call).await
    }

    /// Logs a user in with a client of this name.
    pub async fn log_in(&self, name: &str, client: &str) -> Requestor {
        let facts = self.facts(name, client);
        let session = StoredSession {
            id: facts.id.clone(),
            user: facts.user.clone(),
            client: facts.client.clone(),
            application: None,
            data: Vec::new(),
            created: Timestamp::now(),
            expires: Timestamp::now().plus(Duration::from_secs(3600)),
        };
        let stored = self.store.write(move |tx| tx.put_session(&session));
        stored.await.unwrap();
        self.elements.session_opened(&facts).await.unwrap();
        Requestor {
            user: facts.user,
            session: Some(facts.id),
            client: Some(facts.client),
            application: None,
        }
    }

    pub fn facts(&self, name: &str, client: &str) -> SessionFacts {
        let user = UserId::parse(name, &self.domain).unwrap();
        SessionFacts {
            id: SessionId::new(format!("{user}/{client}")),
            user,
            client: ClientId::from_url(client),
            application: None,
            info: ClientInfo::default(),
        }
    }

    /// Logs a session out.
    pub async fn log_out(&self, requestor: &Requestor) {
        let id = requestor.session.clone().unwrap();
        let gone = id.clone();
        let ended = self
            .store
            .write(move |tx| tx.end_session(&gone, 200, Timestamp::now()));
        ended.await.unwrap();
        self.elements.session_closed(&id).await.unwrap();
    }

    /// Makes a list of the requestor with these members.
    pub async fn make_list(&self, requestor: &Requestor, name: &str, members: &[&UserId]) {
        let request = CreateContactList {
            list: ContactListId::of(&requestor.user, name).unwrap(),
            members: members.iter().map(|user| member(user)).collect(),
            malformed: Vec::new(),
            properties: PropertyChanges::default(),
        };
        let answer = self
            .ask(requestor, Request::CreateContactList(request))
            .await;
        assert!(
            matches!(answer, Ok(Response::ContactListCreated(ref made)) if made.outcome.details.is_empty()),
            "{answer:?}"
        );
    }

    pub async fn change_list(
        &self,
        requestor: &Requestor,
        name: &str,
        add: &[&UserId],
        remove: &[&UserId],
    ) -> Answer {
        let request = ManageContactList {
            add: add.iter().map(|user| member(user)).collect(),
            remove: remove.iter().map(|user| (*user).clone()).collect(),
            ..look(&ContactListId::of(&requestor.user, name).unwrap())
        };
        self.ask(requestor, Request::ManageContactList(request))
            .await
    }

    pub async fn publish(&self, requestor: &Requestor, attributes: Vec<Attribute>) -> Answer {
        let request = Request::UpdatePresence(UpdatePresence {
            attributes,
            unknown: Vec::new(),
        });
        self.ask(requestor, request).await
    }

    pub async fn subscribe(
        &self,
        requestor: &Requestor,
        targets: Targets,
        attributes: AttributeSet,
        follow: bool,
    ) -> Answer {
        let request = SubscribePresence {
            targets,
            attributes,
            unknown: Vec::new(),
            auto_subscribe: follow,
        };
        self.ask(requestor, Request::SubscribePresence(request))
            .await
    }

    /// The next notification for a session about a publisher.
    pub async fn notification(&self, of: &Requestor, about: &UserId) -> Vec<Attribute> {
        let id = of.session.clone().unwrap();
        self.told
            .wait("notification", |event| match event {
                Event::Presence {
                    session,
                    publisher,
                    attributes,
                } if *session == id && publisher == about => Some(attributes.to_vec()),
                _ => None,
            })
            .await
    }

    /// What has been told since the last look, as `session publisher`.
    pub fn told_presence(&self) -> Vec<(SessionId, UserId)> {
        let pair = |event| match event {
            Event::Presence {
                session, publisher, ..
            } => Some((session, publisher)),
            _ => None,
        };
        self.told.take().into_iter().filter_map(pair).collect()
    }

    pub async fn mailbox(&self, user: &UserId) -> Vec<Arc<MailboxItem>> {
        self.elements.mailbox(user).await.unwrap()
    }
}

pub fn member(user: &UserId) -> Member {
    Member {
        user: user.clone(),
        nickname: None,
    }
}

pub fn look(list: &ContactListId) -> ManageContactList {
    ManageContactList {
        list: list.clone(),
        remove: Vec::new(),
        add: Vec::new(),
        malformed: Vec::new(),
        properties: PropertyChanges::default(),
        authorize_and_grant: false,
    }
}

pub fn users(users: &[&UserId]) -> Targets {
    Targets {
        users: users.iter().map(|user| (*user).clone()).collect(),
        ..Targets::default()
    }
}

pub fn lists(lists: &[&ContactListId]) -> Targets {
    Targets {
        contact_lists: lists.iter().map(|list| (*list).clone()).collect(),
        ..Targets::default()
    }
}

pub fn text(name: AttributeName, text: &str) -> Attribute {
    Attribute {
        name,
        qualifier: true,
        client: None,
        value: AttributeValue::Text(text.into()),
    }
}

/// `OnlineStatus=T StatusText=hi Alias=?`: flags and texts with their values.
pub fn summary(attributes: &[Attribute]) -> String {
    let one = |attribute: &Attribute| {
        let name = attribute.name.as_str();
        match (&attribute.value, attribute.qualifier) {
            (_, false) => format!("{name}=?"),
            (AttributeValue::Flag(true), _) => format!("{name}=T"),
            (AttributeValue::Flag(false), _) => format!("{name}=F"),
            (AttributeValue::Text(value), _) => format!("{name}={value}"),
            _ => name.to_owned(),
        }
    };
    attributes.iter().map(one).collect::<Vec<_>>().join(" ")
}

pub fn to(parties: &[&UserId]) -> Recipients {
    Recipients {
        parties: parties
            .iter()
            .map(|user| MessageParty::user((*user).clone()))
            .collect(),
        ..Recipients::default()
    }
}

pub fn message(recipients: Recipients, text: &str) -> SendMessage {
    SendMessage {
        sender: None,
        recipients,
        content: Content::text(text),
        content_name: None,
        uri: None,
        elsewhere: None,
        sent: None,
        validity: None,
        font: None,
        extensions: Vec::new(),
        transaction_extensions: Vec::new(),
        report: false,
    }
}

pub fn send(message: SendMessage) -> Request {
    Request::SendMessage(Box::new(message))
}

/// The code of an answer, and what failed by code: `201 531:wv:x@a 532:wv:y@a`.
pub fn outcome(answer: &Answer) -> String {
    let (code, details) = match answer {
        Ok(Response::Message(accepted)) => (accepted.outcome.code(), &accepted.outcome.details),
        Ok(Response::Done(outcome)) => (outcome.code(), &outcome.details),
        Ok(Response::ConversationExtended(extended)) => {
            (extended.outcome.code(), &extended.outcome.details)
        }
        Ok(Response::ContactListCreated(made)) => (made.outcome.code(), &made.outcome.details),
        Ok(Response::ContactList(managed)) => (managed.code, &managed.details),
        Ok(Response::Presence(values)) if values.details.is_empty() => {
            (StatusCode::OK, &values.details)
        }
        Ok(Response::Presence(values)) => (StatusCode::PARTIAL_SUCCESS, &values.details),
        Ok(Response::PublicProfiles(profiles)) => (profiles.code(), &profiles.details),
        Ok(Response::AttributeLists(lists)) => (lists.code(), &lists.details),
        Ok(
            Response::ContactLists(_)
            | Response::AccessLists(_)
            | Response::ReactiveAuthorizations(_)
            | Response::Watchers(_)
            | Response::Members(_)
            | Response::SearchPage(_)
            | Response::History(_)
            | Response::HistoryMessage(_)
            | Response::Location(_)
            | Response::GroupJoined(_)
            | Response::JoinedUsers(_)
            | Response::GroupMembers(_)
            | Response::GroupProps(_)
            | Response::RejectList(_)
            | Response::GroupNotices(_),
        ) => return "200".into(),
        Err(refusal) => (refusal.code, &refusal.details),
    };
    let mut text = code.to_string();
    for detail in details {
        let ids = detail.users.iter().map(ToString::to_string);
        let ids = ids
            .chain(detail.malformed.iter().cloned())
            .chain(detail.groups.iter().map(ToString::to_string))
            .chain(detail.screen_names.iter().map(|given| given.name.clone()))
            .chain(detail.messages.iter().map(ToString::to_string))
            .chain(detail.contact_lists.iter().map(ToString::to_string))
            .chain(detail.domains.iter().map(ToString::to_string));
        let ids: Vec<String> = ids.collect();
        text += &format!(" {}:{}", detail.code, ids.join(","));
    }
    text
}

pub fn accepted(answer: &Answer) -> hamlet_model::MessageId {
    match answer {
        Ok(Response::Message(accepted)) => accepted.message_id.clone(),
        other => panic!("{other:?}"),
    }
}

pub fn as_message(item: &MailboxItem) -> &Message {
    match item {
        MailboxItem::Message(message) => message,
        MailboxItem::Report(report) => panic!("{report:?}"),
    }
}

/// `200 wv:bo@a` of a report.
pub fn as_report(item: &MailboxItem) -> String {
    match item {
        MailboxItem::Report(report) => match &report.recipient {
            MessageParty::User { user, .. } => format!("{} {user}", report.code),
            other => panic!("{other:?}"),
        },
        MailboxItem::Message(message) => panic!("{message:?}"),
    }
}
