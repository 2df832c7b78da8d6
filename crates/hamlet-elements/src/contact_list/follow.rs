//! What a change of a list does to subscriptions and to who sees whom (csp-presence 4.4,
//! 6.9).

use crate::authorization::{Grants, Unauthorized, decide, tell_elsewhere};
use crate::blocking::{AccessChange, grant_to};
use crate::elements::{Inner, Shared};
use crate::notification::{ListNotices, Notification};
use crate::presence::{Change, Interest, announce, unsubscribe_elsewhere, visibility_parcel};
use crate::service::Event;
use hamlet_model::presence::AttributeSet;
use hamlet_model::{ContactListId, SessionId, UserId};
use hamlet_store::{ContactList, StoreError, Subscriber, Tx};
use std::sync::atomic::AtomicU64;

/// The consequences of one transaction on the lists of a user.
#[derive(Debug)]
pub(crate) struct Consequences {
    owner: UserId,
    /// What he let be seen before.
    before: Grants,
    subscribers: Vec<Subscriber>,
    initial: Vec<(Subscriber, UserId)>,
    told_relay: bool,
    notices: ListNotices,
    /// Questions about watchers that are answered.
    settled: Vec<String>,
    /// What has changed about block and grant lists, by which session.
    access: Option<(Option<SessionId>, AccessChange)>,
}

/// What has to be noted and told once the transaction is committed.
#[derive(Debug)]
pub(crate) struct Effects {
    owner: UserId,
    change: Change,
    made: Vec<(Subscriber, UserId)>,
    told_relay: bool,
    notices: ListNotices,
    settled: Vec<String>,
    access: Option<(Option<SessionId>, AccessChange)>,
}

impl Consequences {
    /// Called before anything is changed.
    pub(crate) fn of(tx: &mut Tx<'_>, shared: &Shared, owner: &UserId) -> Result<Self, StoreError> {
        Ok(Self {
            owner: owner.clone(),
            before: Grants::read(tx, owner, &shared.presence)?,
            subscribers: Vec::new(),
            initial: Vec::new(),
            told_relay: false,
            notices: ListNotices::default(),
            settled: Vec::new(),
            access: None,
        })
    }

    /// Members get through from now on (AuthorizeAndGrant, csp-presence 2.7). Owners of another
    /// domain have their block and grant lists there.
    pub(crate) fn grant(
        &mut self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        session: Option<SessionId>,
        members: &[UserId],
    ) -> Result<(), StoreError> {
        if shared.is_home(&self.owner) {
            let max = shared.im.max_access_entities;
            let change = grant_to(tx, &self.owner, members, max)?;
            self.access = Some((session, change));
        }
        Ok(())
    }

    /// Questions about watchers are answered.
    pub(crate) fn settled(&mut self, questions: Vec<String>) {
        self.settled.extend(questions);
    }

    /// What the other sessions of the owner hear.
    pub(crate) fn tell_owner(&mut self, session: Option<SessionId>, what: Notification) {
        self.notices.changed(session, what);
    }

    /// New members hear that they are in the list.
    pub(crate) fn tell_added(
        &mut self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        list: &ContactList,
        members: &[UserId],
    ) -> Result<(), StoreError> {
        if !list.do_not_notify {
            self.told_relay |= self.notices.added(tx, shared, &list.id, members)?;
        }
        Ok(())
    }

    /// Members have been added: sessions that follow the list are subscribed to them.
    pub(crate) fn added(
        &mut self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        list: &ContactListId,
        members: &[UserId],
    ) -> Result<(), StoreError> {
        if members.is_empty() {
            return Ok(());
        }
        for (session, attributes) in tx.auto_subscriptions(list)? {
            let interest = Interest {
                subscriber: self.subscriber(session),
                publishers: members.to_vec(),
                attributes,
                via: Some(list.clone()),
            };
            interest.store(tx)?;
            self.told_relay |= announce(tx, shared, &interest.subscriber, members)?;
            let due = members.iter().cloned();
            self.initial
                .extend(due.map(|member| (interest.subscriber.clone(), member)));
            self.subscribers.push(interest.subscriber);
        }
        self.visibility(tx, shared, members)
    }

    /// Members have been removed: sessions that follow the list are no longer subscribed to
    /// them through it.
    pub(crate) fn removed(
        &mut self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        list: &ContactListId,
        members: &[UserId],
    ) -> Result<(), StoreError> {
        if members.is_empty() {
            return Ok(());
        }
        for (session, _) in tx.auto_subscriptions(list)? {
            let subscriber = self.subscriber(session);
            tx.remove_subscriptions_via(&subscriber, members, Some(list))?;
            self.subscribers.push(subscriber);
        }
        self.told_relay |= unsubscribe_elsewhere(tx, shared, &self.owner, members)?;
        self.visibility(tx, shared, members)
    }

    /// The whole list is gone: it stands for nobody any more, in whatever session.
    pub(crate) fn deleted(
        &mut self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        list: &ContactListId,
        members: &[UserId],
        sessions: &[SessionId],
    ) -> Result<(), StoreError> {
        let elsewhere = (!shared.is_home(&self.owner)).then(|| SessionId::new(""));
        for session in sessions.iter().cloned().chain(elsewhere) {
            let subscriber = self.subscriber(session);
            if tx.remove_list_subscriptions(&subscriber, list)? > 0 {
                self.subscribers.push(subscriber);
            }
        }
        self.told_relay |= unsubscribe_elsewhere(tx, shared, &self.owner, members)?;
        self.visibility(tx, shared, members)
    }

    /// Reads the new state, as the last act of the transaction.
    pub(crate) fn conclude(
        mut self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        tickets: &AtomicU64,
    ) -> Result<Effects, StoreError> {
        let after = Grants::read(tx, &self.owner, &shared.presence)?;
        self.told_relay |= tell_elsewhere(tx, shared, &self.owner, &self.before, &after)?;
        self.subscribers.sort_unstable();
        self.subscribers.dedup();
        let mut change = Change::read(tx, tickets, &[], &self.subscribers)?;
        change.grants.push((self.owner.clone(), after));
        change.initial = self.initial.clone();
        Ok(Effects {
            owner: self.owner,
            change,
            made: self.initial,
            told_relay: self.told_relay,
            notices: self.notices,
            settled: self.settled,
            access: self.access,
        })
    }

    /// Where contact lists decide what is seen, their owner in another domain sees more or less
    /// than before.
    fn visibility(
        &mut self,
        tx: &mut Tx<'_>,
        shared: &Shared,
        members: &[UserId],
    ) -> Result<(), StoreError> {
        let decides = shared.presence.unauthorized == Unauthorized::Contacts;
        if !decides || shared.is_home(&self.owner) {
            return Ok(());
        }
        let watcher = &self.owner;
        let subscriber = Subscriber::Domain {
            user: watcher.clone(),
        };
        let subscriptions = tx.subscriptions_of(&subscriber)?;
        for publisher in members {
            let mut asked = subscriptions.iter().filter(|s| s.publisher == *publisher);
            if asked.next().is_none() {
                continue;
            }
            let grants = Grants::read(tx, publisher, &shared.presence)?;
            let listed = tx.in_lists_of(watcher, publisher)?;
            let policy = shared.presence.unauthorized;
            let applies = grants.applicable(publisher, watcher, policy, listed);
            let lost = match decide(&applies, AttributeSet::ALL).visible {
                AttributeSet::EMPTY => AttributeSet::ALL,
                _ => AttributeSet::EMPTY,
            };
            tx.put_outbox(&visibility_parcel(publisher, watcher, lost)?)?;
            self.told_relay = true;
        }
        Ok(())
    }

    fn subscriber(&self, session: SessionId) -> Subscriber {
        let user = self.owner.clone();
        match session.as_str() {
            "" => Subscriber::Domain { user },
            _ => Subscriber::Session { id: session, user },
        }
    }
}

impl Inner {
    /// Loads what [`Inner::follow`] compares with; before the transaction.
    pub(crate) async fn load_concerned(
        &self,
        owner: &UserId,
        members: impl Iterator<Item = &UserId>,
    ) -> Result<(), StoreError> {
        let users: Vec<UserId> = members.cloned().chain([owner.clone()]).collect();
        self.load(&users, &users).await
    }

    /// After the commit.
    pub(crate) async fn follow(&self, effects: Option<Effects>) {
        let Some(effects) = effects else { return };
        self.note(effects.change);
        self.emit(effects.told_relay.then_some(Event::Outbox));
        let settled = effects.settled.into_iter();
        self.emit(settled.map(|id| Event::PushRemoved {
            user: effects.owner.clone(),
            id,
        }));
        if let Err(error) = self.ask_publishers(&effects.made).await {
            // They are asked when the session subscribes again.
            tracing::warn!(%error, "publishers are not asked about a new watcher");
        }
        self.tell_of_list(&effects.owner, effects.notices).await;
        if let Some((session, change)) = effects.access {
            self.access_changed(&effects.owner, session, change).await;
        }
        self.recheck_or_warn(&effects.owner).await;
    }
}
