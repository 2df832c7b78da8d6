//! Events of the service elements on their way to sessions.

use crate::cir::Cir;
use crate::delivery::group_cursors::Cursors;
use crate::delivery::group_log::GroupLog;
use crate::metrics::Metrics;
use crate::records::Records;
use crate::session::registry::Registry;
use crate::session::{Session, User};
use hamlet_elements::group::GroupChange;
use hamlet_elements::im::{GroupCursor, GroupMessage, MessageEvent};
use hamlet_elements::notification::Notification;
use hamlet_elements::push::{Push, PushContent, Pushed};
use hamlet_elements::{Event, Events};
use hamlet_model::presence::Attribute;
use hamlet_model::{GroupId, Service, SessionId, Timestamp, UserId};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// How long a notice of a change is worth sending.
const NOTIFICATION_LIFE: Duration = Duration::from_secs(3600);

/// How long a change of a group is (csp-group 5.13).
const GROUP_NOTICE_LIFE: Duration = Duration::from_secs(600);

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
    /// The logs of the groups that sessions have joined.
    groups: RwLock<HashMap<GroupId, Arc<GroupLog>>>,
    /// How far they have come there, on its way to the store.
    pub(crate) cursors: Cursors,
    /// Names notices.
    numbers: AtomicU64,
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
            groups: RwLock::default(),
            cursors: Cursors::default(),
            numbers: AtomicU64::new(0),
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

    /// To each session of the user as it is meant for it.
    fn push(&self, pushed: &Pushed) {
        let sessions = self.registry.sessions_of(&pushed.user);
        for session in sessions {
            let earlier = pushed.instead_of.as_deref();
            let has_not_seen = earlier.is_some_and(|earlier| {
                let pushes = &mut session.outbound.lock().pushes;
                // One that has not read the store since the restart will not find it there.
                pushes.remove(earlier) || !(pushes.is_loaded() || pushed.push.durable)
            });
            if has_not_seen || pushed.except.as_ref() == Some(&session.id) {
                continue;
            }
            match &pushed.rather {
                Some(notification) if session.wants(notification) => {
                    self.queue(&session, self.as_push(notification.clone()));
                }
                _ => self.queue(&session, pushed.push.clone()),
            }
        }
    }

    /// To the sessions of the user that want to know.
    fn notify(&self, user: &UserId, except: Option<&SessionId>, notification: &Notification) {
        for session in self.registry.sessions_of(user) {
            if except != Some(&session.id) && session.wants(notification) {
                self.queue(&session, self.as_push(notification.clone()));
            }
        }
    }

    fn as_push(&self, notification: Notification) -> Arc<Push> {
        self.notice(PushContent::Notification(notification), NOTIFICATION_LIFE)
    }

    /// One more change of a group for a session: a slow one gets several in one notice.
    fn group_notice(&self, session: &Arc<Session>, group: GroupId, change: Arc<GroupChange>) {
        let expires = Timestamp::now().plus(GROUP_NOTICE_LIFE);
        let absorbed = {
            let mut outbound = session.outbound.lock();
            outbound.pushes.absorb_change(&group, &change, expires)
        };
        if absorbed {
            self.cir.raise(session);
            return;
        }
        let content = PushContent::GroupChange { group, change };
        self.queue(session, self.notice(content, GROUP_NOTICE_LIFE));
    }

    fn notice(&self, content: PushContent, life: Duration) -> Arc<Push> {
        let now = Timestamp::now();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        Arc::new(Push {
            id: format!("notice {number}"),
            since: now,
            expires: now.plus(life),
            durable: false,
            content,
        })
    }

    /// A session has joined a group. `last`: the newest place of the group's log, if that is
    /// known.
    pub(crate) fn join_group(&self, cursor: &GroupCursor, name: String, last: Option<i64>) {
        let Some(session) = self.registry.session(cursor.session.as_str()) else {
            return;
        };
        let group = &cursor.group;
        let log = {
            let mut groups = self.groups.write();
            let log = groups.entry(group.clone()).or_insert_with(|| {
                let newest = last.unwrap_or(cursor.position);
                Arc::new(GroupLog::new(group.clone(), newest, last.is_none()))
            });
            log.join(&session);
            log.clone()
        };
        session.groups.lock().join(log, name, cursor);
        self.cir.raise(&session);
    }

    /// A session is not joined in a group any more: what it has not got of it it does not get.
    pub(crate) fn leave_group(&self, session: &SessionId, group: &GroupId) {
        let left = self.registry.session(session.as_str());
        if let Some(session) = left {
            session.groups.lock().leave(group);
            session.group_left(group);
        }
        let mut groups = self.groups.write();
        if groups.get(group).is_some_and(|log| !log.leave(session)) {
            groups.remove(group);
        }
    }

    /// A session has ended.
    pub(crate) fn leave_all_groups(&self, session: &Session) {
        let logs = session.groups.lock().leave_all();
        if logs.is_empty() {
            return;
        }
        let mut groups = self.groups.write();
        for log in logs {
            if !log.leave(&session.id) {
                groups.remove(&log.group);
            }
        }
    }

    /// Something was said in a group: one entry for all, and everybody is told to come for it.
    fn group_message(&self, message: Arc<GroupMessage>) {
        let log = self.groups.read().get(&message.group).cloned();
        let Some(log) = log else {
            return;
        };
        log.arrived(message.clone());
        for session in log.members() {
            let is_his = message.sender_client.as_ref() == Some(&session.client)
                && message.sender == session.user.id;
            if !is_his {
                self.cir.raise(&session);
            }
        }
    }

    /// The logs that sessions are joined to.
    pub(crate) fn group_logs(&self) -> Vec<Arc<GroupLog>> {
        self.groups.read().values().cloned().collect()
    }

    /// Lets a push wait for a session.
    pub(crate) fn queue(&self, session: &Arc<Session>, push: Arc<Push>) {
        if !session.outbound.lock().add_push(push, self.max_notices) {
            self.metrics.notices_dropped.inc();
        }
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
            Event::GroupDone {
                session,
                group,
                seq,
            } => {
                if let Some(session) = self.registry.session(session.as_str()) {
                    session.groups.lock().done(&group, seq);
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
            Event::Push(pushed) => self.push(&pushed),
            Event::PushToAll(push) => {
                let queue = |session: &Arc<Session>| self.queue(session, push.clone());
                self.registry.for_each(queue);
            }
            Event::PushRemovedFromAll(id) => self.registry.for_each(|session| {
                session.outbound.lock().pushes.remove(&id);
            }),
            Event::PushRemoved { user, id } => {
                for session in self.registry.sessions_of(&user) {
                    session.outbound.lock().pushes.remove(&id);
                }
            }
            Event::Notification {
                user,
                except,
                notification,
            } => self.notify(&user, except.as_ref(), &notification),
            Event::SessionNotification {
                session,
                notification,
            } => {
                let session = self.registry.session(session.as_str());
                if let Some(session) = session.filter(|session| session.wants(&notification)) {
                    self.queue(&session, self.as_push(notification));
                }
            }
            Event::GroupNotice {
                session,
                group,
                change,
            } => {
                if let Some(session) = self.registry.session(session.as_str()) {
                    self.group_notice(&session, group, change);
                }
            }
            Event::GroupJoined {
                session,
                group,
                name,
                cursor,
            } => {
                // What was agreed before an earlier leave may have survived a restart.
                if let Some(session) = self.registry.session(session.as_str()) {
                    session.group_left(&group);
                }
                let cursor = GroupCursor {
                    group,
                    session,
                    position: cursor,
                    beyond: Vec::new(),
                };
                self.join_group(&cursor, name, None);
            }
            Event::GroupUnjoined { session, group } => {
                self.leave_group(&session, &group);
                if let Some(session) = self.registry.session(session.as_str()) {
                    session.outbound.lock().pushes.forget_group(&group);
                }
            }
            Event::GroupLeft {
                session,
                group,
                code,
            } => {
                self.leave_group(&session, &group);
                if let Some(session) = self.registry.session(session.as_str()) {
                    session.outbound.lock().pushes.forget_group(&group);
                    let content = PushContent::GroupLeft { group, code };
                    self.queue(&session, self.notice(content, NOTIFICATION_LIFE));
                }
            }
            Event::GroupMessage(message) => self.group_message(message),
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
            Event::Group(record) => self.records.group(*record),
        }
    }
}
