//! Who hears of a change (csp-group 5.13). One task tells, group by group in the order in which
//! it hears itself, and looks at what the group is like then: so nobody is told last that
//! somebody came who has left, in whatever order the changes arrive here. What comes while it
//! is busy becomes one notice.

use super::effects::Telling;
use super::types::GroupChange;
use crate::blocking::Initiator;
use crate::elements::Inner;
use crate::service::Event;
use futures::FutureExt;
use hamlet_model::{GroupId, MessageParty, ScreenName, SessionId, UserId};
use hamlet_store::{GroupListener, StoreError, Tx};
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use tokio::sync::{mpsc, oneshot};

/// Changes that may wait to be told; who makes more waits.
const QUEUE: usize = 1024;

/// Changes that are told together.
const BATCH: usize = 256;

/// A change, and who waits until it is told.
pub(crate) type Told = (Telling, oneshot::Sender<()>);

/// The way to the task.
pub(crate) struct Teller {
    queue: mpsc::Sender<Told>,
}

impl Teller {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Told>) {
        let (queue, told) = mpsc::channel(QUEUE);
        (Self { queue }, told)
    }

    /// Tells until nobody holds the elements any more.
    pub(crate) async fn run(inner: Weak<Inner>, mut queue: mpsc::Receiver<Told>) {
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            let (tellings, waiting): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
            let Some(inner) = inner.upgrade() else {
                return;
            };
            let told = AssertUnwindSafe(inner.tell_all(tellings)).catch_unwind();
            if told.await.is_err() {
                tracing::error!("telling of changes of groups panicked");
            }
            for done in waiting {
                // Whoever asked may have gone.
                let _ = done.send(());
            }
        }
    }
}

impl Inner {
    /// Tells what has been committed; returns when it is told.
    pub(crate) async fn tell_groups(&self, tellings: Vec<Telling>) {
        let mut waiting = Vec::with_capacity(tellings.len());
        for telling in tellings {
            let (done, told) = oneshot::channel();
            if self.teller.queue.send((telling, done)).await.is_ok() {
                waiting.push(told);
            }
        }
        for told in waiting {
            let _ = told.await;
        }
    }

    async fn tell_all(&self, tellings: Vec<Telling>) {
        let mut groups: Vec<(GroupId, Vec<Telling>)> = Vec::new();
        for telling in tellings {
            match groups.iter_mut().find(|(id, _)| *id == telling.group) {
                Some((_, of_group)) => of_group.push(telling),
                None => groups.push((telling.group.clone(), vec![telling])),
            }
        }
        for (group, mut tellings) in groups {
            self.rooms.forget(&group);
            for telling in &mut tellings {
                self.emit(std::mem::take(&mut telling.direct));
                self.emit(telling.outbox.then_some(Event::Outbox));
            }
            tellings.retain(|telling| !telling.change.is_empty());
            if tellings.is_empty() {
                continue;
            }
            if let Err(error) = self.tell_listeners(&group, tellings).await {
                tracing::warn!(%error, group = group.as_str(), "a change could not be told");
            }
        }
    }

    async fn tell_listeners(
        &self,
        group: &GroupId,
        mut tellings: Vec<Telling>,
    ) -> Result<(), StoreError> {
        let (id, names) = (group.clone(), names(&tellings));
        let (present, listeners) = self
            .store
            .read(move |tx| Ok((present(tx, &id, &names)?, tx.group_listeners(&id)?)))
            .await?;
        for telling in &mut tellings {
            let change = &mut telling.change;
            change
                .joined
                .retain(|user| present.contains(&user.name.key()));
            change.left.retain(|name| !present.contains(&name.key()));
        }
        let mut blocked = self.blocked(group, &tellings, &listeners).await?;
        let mut common = GroupChange::default();
        tellings
            .iter()
            .for_each(|telling| common.absorb(&telling.change));
        let common = Arc::new(common);
        let doers: HashSet<&(UserId, _)> = tellings.iter().flat_map(|told| &told.except).collect();
        for GroupListener {
            session,
            user,
            client,
        } in listeners
        {
            let who = (user, client);
            let unwanted = blocked.remove(&who.0);
            let change = match (doers.contains(&who), unwanted) {
                (false, None) => common.clone(),
                (_, unwanted) => {
                    let mut own = GroupChange::default();
                    let others = tellings.iter().filter(|told| !told.except.contains(&who));
                    others.for_each(|telling| own.absorb(&telling.change));
                    let unwanted = unwanted.unwrap_or_default();
                    let is_unwanted = |name: &&ScreenName| unwanted.contains(&name.key());
                    let came = own.joined.iter().map(|user| &user.name);
                    own.joined_blocked = came.filter(is_unwanted).cloned().collect();
                    own.left_blocked = own.left.iter().filter(is_unwanted).cloned().collect();
                    // More of his sessions may be there.
                    if !unwanted.is_empty() {
                        blocked.insert(who.0, unwanted);
                    }
                    Arc::new(own)
                }
            };
            self.tell_session(session, group, change);
        }
        Ok(())
    }

    fn tell_session(&self, session: SessionId, group: &GroupId, change: Arc<GroupChange>) {
        if !change.is_empty() {
            self.emit([Event::GroupNotice {
                session,
                group: group.clone(),
                change,
            }]);
        }
    }

    /// Which names belong to people whom a listener does not want to hear from.
    async fn blocked(
        &self,
        group: &GroupId,
        tellings: &[Telling],
        listeners: &[GroupListener],
    ) -> Result<HashMap<UserId, HashSet<String>>, StoreError> {
        let users: HashSet<&UserId> = listeners.iter().map(|listener| &listener.user).collect();
        let users: Vec<UserId> = users.into_iter().cloned().collect();
        let mut blocked: HashMap<UserId, HashSet<String>> = HashMap::new();
        for (name, user) in tellings.iter().flat_map(|telling| &telling.people) {
            let initiator = Initiator {
                through: Some(MessageParty::ScreenName {
                    name: name.to_string(),
                    group: group.clone(),
                }),
                ..Initiator::user(user.clone())
            };
            for refusing in self.refusing(&initiator, &users).await? {
                blocked.entry(refusing).or_default().insert(name.key());
            }
        }
        Ok(blocked)
    }
}

/// Every name that somebody has come or gone under.
fn names(tellings: &[Telling]) -> HashSet<String> {
    let changes = tellings.iter().map(|telling| &telling.change);
    changes
        .flat_map(|change| {
            let came = change.joined.iter().map(|user| user.name.key());
            came.chain(change.left.iter().map(ScreenName::key))
        })
        .collect()
}

/// Those of the names that somebody has now.
fn present(
    tx: &mut Tx<'_>,
    group: &GroupId,
    names: &HashSet<String>,
) -> Result<HashSet<String>, StoreError> {
    let mut present = HashSet::new();
    for name in names {
        if tx.group_joined_as(group, name)?.is_some() {
            present.insert(name.clone());
        }
    }
    Ok(present)
}
