//! What a change of a group is worth telling, collected while it is made. What goes to other
//! domains is committed with it; the rest waits for the commit.

use super::record::{GroupEvent, GroupRecord, GroupVisitor};
use super::types::{
    ForeignGroupLeave, ForeignGroupNotice, GroupChange, JoinedUser, ShownOwnProperties,
    ShownProperties,
};
use crate::elements::Shared;
use crate::notification::{GroupNotice, Notification, Notify};
use crate::outbox::Parcel;
use crate::service::{Event, Request};
use hamlet_model::{
    ClientId, Domain, GroupId, Role, ScreenName, SessionId, StatusCode, Timestamp, UserId,
};
use hamlet_store::{StoreError, StoredJoined, Tx};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a notice for another domain is worth sending (ssp 6.2: short).
const NOTICE_LIFE: Duration = Duration::from_secs(120);

/// How long a notification for another domain is worth sending.
const NOTIFICATION_LIFE: Duration = Duration::from_secs(3600);

/// What is collected of the change of one group.
#[derive(Debug)]
pub(crate) struct Effects {
    group: GroupId,
    change: GroupChange,
    people: Vec<(ScreenName, UserId)>,
    except: Vec<(UserId, ClientId)>,
    direct: Vec<Event>,
    own_elsewhere: Vec<(UserId, ShownOwnProperties)>,
    gone_elsewhere: BTreeMap<(Domain, StatusCode), Vec<UserId>>,
    noted_elsewhere: Vec<(UserId, GroupNotice)>,
    records: Vec<GroupEvent>,
}

/// What is told after the commit.
#[derive(Debug)]
pub(crate) struct Telling {
    pub(super) group: GroupId,
    /// For everybody who is joined and listens.
    pub(super) change: GroupChange,
    /// Who is behind the names in it.
    pub(super) people: Vec<(ScreenName, UserId)>,
    /// Whose doing it is: they are not told.
    pub(super) except: Vec<(UserId, ClientId)>,
    /// What else is told, to whom it says.
    pub(super) direct: Vec<Event>,
    /// Something waits in the outbox.
    pub(super) outbox: bool,
}

impl Effects {
    pub(crate) fn of(group: &GroupId) -> Self {
        Self {
            group: group.clone(),
            change: GroupChange::default(),
            people: Vec::new(),
            except: Vec::new(),
            direct: Vec::new(),
            own_elsewhere: Vec::new(),
            gone_elsewhere: BTreeMap::new(),
            noted_elsewhere: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Something for the records.
    pub(crate) fn record(&mut self, what: GroupEvent) {
        self.records.push(what);
    }

    /// Somebody is not joined any more because the group is gone.
    pub(crate) fn left_behind(&mut self, joined: &StoredJoined) {
        self.record(GroupEvent::Left {
            who: visitor(joined),
            code: StatusCode::NO_SUCH_GROUP,
        });
    }

    /// Somebody has joined.
    pub(crate) fn joined(&mut self, joined: &StoredJoined, role: Role, show_id: bool) {
        self.record(GroupEvent::Joined(visitor(joined)));
        self.direct.extend(joined_event(joined));
        self.people.push((joined.name.clone(), joined.user.clone()));
        self.change.absorb(&GroupChange {
            joined: vec![JoinedUser {
                name: joined.name.clone(),
                user: show_id.then(|| joined.user.clone()),
                role,
            }],
            ..GroupChange::default()
        });
    }

    /// Somebody has left, for a reason of csp-group 5.4.
    pub(crate) fn left(&mut self, joined: &StoredJoined, code: StatusCode) {
        self.record(GroupEvent::Left {
            who: visitor(joined),
            code,
        });
        let session = joined.session.clone();
        self.direct
            .extend(session.map(|session| Event::GroupUnjoined {
                session,
                group: joined.group.clone(),
            }));
        self.people.push((joined.name.clone(), joined.user.clone()));
        self.change.absorb(&GroupChange {
            left: vec![joined.name.clone()],
            ..GroupChange::default()
        });
    }

    /// Common properties have changed.
    pub(crate) fn properties(&mut self, properties: ShownProperties) {
        self.change.properties = properties;
    }

    /// This client knows already.
    pub(crate) fn except(&mut self, user: &UserId, client: &ClientId) {
        self.except.push((user.clone(), client.clone()));
    }

    /// Nobody is left to hear of who came, went or changed what: the group is gone.
    pub(crate) fn silence(&mut self) {
        self.change = GroupChange::default();
        self.people.clear();
    }

    /// A client has to hear that it is not joined any more.
    pub(crate) fn put_out(&mut self, joined: &StoredJoined, code: StatusCode) {
        match &joined.session {
            Some(session) => self.direct.push(Event::GroupLeft {
                session: session.clone(),
                group: self.group.clone(),
                code,
            }),
            None => self
                .gone_elsewhere
                .entry((joined.user.domain(), code))
                .or_default()
                .push(joined.user.clone()),
        }
    }

    /// Own properties of somebody have changed, not by himself: his clients that are joined
    /// and listen are told.
    pub(crate) fn own(
        &mut self,
        tx: &mut Tx<'_>,
        user: &UserId,
        own: ShownOwnProperties,
    ) -> Result<(), StoreError> {
        let change = Arc::new(GroupChange {
            own: own.clone(),
            ..GroupChange::default()
        });
        let listening = tx.joined_of_user(&self.group, user)?;
        for joined in listening.iter().filter(|joined| joined.subscribed) {
            match &joined.session {
                Some(session) => self.direct.push(Event::GroupNotice {
                    session: session.clone(),
                    group: self.group.clone(),
                    change: change.clone(),
                }),
                None => self.own_elsewhere.push((user.clone(), own.clone())),
            }
        }
        Ok(())
    }

    /// A general notification for a user (csp-group 9.1).
    pub(crate) fn notify(
        &mut self,
        shared: &Shared,
        user: &UserId,
        except: Option<&SessionId>,
        notice: GroupNotice,
    ) {
        match shared.is_home(user) {
            true => self.direct.push(Event::Notification {
                user: user.clone(),
                except: except.cloned(),
                notification: Notification::Group(notice, self.group.clone()),
            }),
            false => self.noted_elsewhere.push((user.clone(), notice)),
        }
    }

    /// Something else to tell after the commit.
    pub(crate) fn event(&mut self, event: Event) {
        self.direct.push(event);
    }

    /// Puts what goes to other domains into the outbox; the rest is told after the commit.
    pub(crate) fn seal(self, tx: &mut Tx<'_>, shared: &Shared) -> Result<Telling, StoreError> {
        let mut outbox = Outbox {
            tx,
            shared,
            speaker: self.group.speaker(),
            any: false,
        };
        let group = &self.group;
        if !self.change.is_empty() {
            let mut listeners: BTreeMap<Domain, Vec<UserId>> = BTreeMap::new();
            for user in outbox.tx.foreign_group_listeners(group)? {
                if !self.except.iter().any(|(except, _)| *except == user) {
                    listeners.entry(user.domain()).or_default().push(user);
                }
            }
            for (domain, users) in listeners {
                let notice = notice(group, users, self.change.clone());
                outbox.put(domain, notice, NOTICE_LIFE)?;
            }
        }
        for (user, own) in self.own_elsewhere {
            let change = GroupChange {
                own,
                ..GroupChange::default()
            };
            let domain = user.domain();
            outbox.put(domain, notice(group, vec![user], change), NOTICE_LIFE)?;
        }
        for ((domain, code), users) in self.gone_elsewhere {
            let leave = Request::ForeignGroupLeave(ForeignGroupLeave {
                group: group.clone(),
                users,
                code,
            });
            outbox.put(domain, leave, shared.groups.foreign_life)?;
        }
        for (user, notice) in self.noted_elsewhere {
            let domain = user.domain();
            let notification = Notification::Group(notice, group.clone());
            let notify = Request::Notify(Notify { user, notification });
            outbox.put(domain, notify, NOTIFICATION_LIFE)?;
        }
        let mut direct = self.direct;
        if shared.records {
            direct.extend(self.records.into_iter().map(|what| {
                let group = group.clone();
                Event::Group(Box::new(GroupRecord { group, what }))
            }));
        }
        Ok(Telling {
            outbox: outbox.any,
            group: self.group,
            change: self.change,
            people: self.people,
            except: self.except,
            direct,
        })
    }
}

fn visitor(joined: &StoredJoined) -> GroupVisitor {
    GroupVisitor {
        user: joined.user.clone(),
        client: joined.client.clone(),
        session: joined.session.clone(),
        name: joined.name.clone(),
    }
}

/// From now on a session gets what is said in the group.
pub(super) fn joined_event(joined: &StoredJoined) -> Option<Event> {
    Some(Event::GroupJoined {
        session: joined.session.clone()?,
        group: joined.group.clone(),
        name: joined.name.key(),
        cursor: joined.cursor,
    })
}

fn notice(group: &GroupId, users: Vec<UserId>, change: GroupChange) -> Request {
    Request::ForeignGroupNotice(Box::new(ForeignGroupNotice {
        group: group.clone(),
        users,
        change,
    }))
}

/// Where parcels are put.
struct Outbox<'a, 'c> {
    tx: &'a mut Tx<'c>,
    shared: &'a Shared,
    speaker: UserId,
    any: bool,
}

impl Outbox<'_, '_> {
    /// Where there is no way, nobody can be told.
    fn put(&mut self, to: Domain, request: Request, life: Duration) -> Result<(), StoreError> {
        if !self.shared.reaches(&to) {
            return Ok(());
        }
        let parcel = Parcel::request(self.speaker.clone(), request);
        let expires = Timestamp::now().plus(life);
        self.tx.put_outbox(&parcel.entry(to, expires)?)?;
        self.any = true;
        Ok(())
    }
}
