//! GetBlockedList and BlockEntity (csp-im 11.1, 11.2), and what else changes the lists.

use super::{ChangeAccessLists, ListChange};
use crate::authorization::{Grants, changed_grants};
use crate::contact_list::ExpandContactLists;
use crate::elements::{Inner, PresenceHome};
use crate::failure::refusal;
use crate::notification::Notification;
use crate::once;
use crate::service::{Answer, Call, Event, IdempotenceKey, Outcome, Request, Requestor, Response};
use hamlet_model::refusal::{Failures, GivenScreenName};
use hamlet_model::{
    AccessEntity, AccessSide, ContactListId, Refusal, SessionId, StatusCode, UserId,
};
use hamlet_store::{StoreError, Tx};
use std::collections::HashSet;

const SIDES: [AccessSide; 2] = [AccessSide::Block, AccessSide::Grant];

/// What one transaction has changed about the lists of a user; to be followed up by
/// [`Inner::access_changed`] after the commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AccessChange {
    entities: Vec<AccessSide>,
    in_use: Vec<(AccessSide, bool)>,
}

impl AccessChange {
    /// Lists that name others than before.
    pub(crate) fn of_entities(sides: Vec<AccessSide>) -> Self {
        Self {
            entities: sides,
            in_use: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.in_use.is_empty()
    }

    /// What the other sessions of the user are told (csp-im 11.2).
    fn notifications(&self) -> impl Iterator<Item = Notification> {
        let entities = self.entities.iter().map(|side| match side {
            AccessSide::Block => Notification::BlockListChanged,
            AccessSide::Grant => Notification::GrantListChanged,
        });
        let usage = self.in_use.iter().map(|(side, in_use)| match side {
            AccessSide::Block => Notification::BlockListUsage(*in_use),
            AccessSide::Grant => Notification::GrantListUsage(*in_use),
        });
        entities.chain(usage)
    }
}

impl Inner {
    /// Both lists of the requestor.
    pub(crate) async fn get_access_lists(&self, requestor: Requestor) -> Answer {
        let lists = self
            .store
            .read(move |tx| tx.access_lists(&requestor.user))
            .await
            .map_err(|error| refusal(&error))?;
        Ok(Response::AccessLists(lists))
    }

    /// Adds, then removes, then switches lists on or off. The code is that of the entities;
    /// the switches do not fail.
    pub(crate) async fn change_access_lists(
        &self,
        requestor: Requestor,
        mut request: ChangeAccessLists,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let mut failures = std::mem::take(&mut request.malformed);
        let removed = SIDES.map(|side| request.side(side).remove.len());
        for side in SIDES {
            let change = std::mem::take(request.side_mut(side));
            *request.side_mut(side) = self
                .known_entities(&requestor, change, &mut failures)
                .await
                .map_err(|error| refusal(&error))?;
        }
        let max = self.config.im.max_access_entities;
        let owner = requestor.user.clone();
        // Where presence is kept elsewhere, the block list does not decide about it.
        let hides =
            self.config.presence.block_hides && self.config.presence_home == PresenceHome::Local;
        if hides {
            self.load_watchers(std::slice::from_ref(&owner))
                .await
                .map_err(|error| refusal(&error))?;
        }
        let (shared, tickets) = (self.shared.clone(), self.hub.tickets());
        let (answer, change, seen) = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok((earlier, AccessChange::default(), None));
                }
                let mut failures = failures.clone();
                let before = match hides {
                    true => Some(Grants::read(tx, &owner, &shared.presence)?),
                    false => None,
                };
                let (change, added) = apply(tx, &owner, &request, max, &mut failures)?;
                // To remove what is not there is no failure.
                let answer = conclude(failures, added + removed.iter().sum::<usize>() > 0);
                once::settle(tx, key.as_ref(), &answer)?;
                let seen = match before.filter(|_| !change.is_empty()) {
                    Some(before) => Some(changed_grants(tx, &shared, &tickets, &owner, &before)?),
                    None => None,
                };
                Ok((answer, change, seen))
            })
            .await
            .map_err(|error| refusal(&error))?;
        if let Some((seen, told_relay)) = seen {
            self.note(seen);
            self.emit(told_relay.then_some(Event::Outbox));
        }
        self.access_changed(&requestor.user, requestor.session, change)
            .await;
        answer
    }

    /// After the commit: what is remembered is forgotten, the other sessions hear of it, and
    /// what waits is judged anew.
    pub(crate) async fn access_changed(
        &self,
        owner: &UserId,
        session: Option<SessionId>,
        change: AccessChange,
    ) {
        if change.is_empty() {
            return;
        }
        self.directory.access_changed(owner);
        self.emit(
            change
                .notifications()
                .map(|notification| Event::Notification {
                    user: owner.clone(),
                    except: session.clone(),
                    notification,
                }),
        );
        self.recheck_or_warn(owner).await;
    }

    /// A contact list of the owner has other members: that matters if his lists name it.
    pub(crate) async fn recheck_or_warn(&self, owner: &UserId) {
        if !self.directory.is_home(owner) {
            return;
        }
        if let Err(error) = self.recheck_mailbox(owner).await {
            // They are judged again when the mailbox is read.
            tracing::warn!(%error, "a mailbox could not be checked against its lists");
        }
    }

    /// A contact list that another domain kept for the owner is gone (csp-presence 2.6 e).
    pub(crate) async fn list_gone_elsewhere(
        &self,
        list: &ContactListId,
        session: Option<SessionId>,
    ) {
        let gone = list.clone();
        let forgotten = self
            .store
            .write(move |tx| tx.forget_in_access_lists(&gone))
            .await;
        match forgotten {
            Ok(sides) => {
                let change = AccessChange::of_entities(sides);
                self.access_changed(&list.owner(), session, change).await;
            }
            Err(error) => tracing::warn!(%error, "an access list names a list that is gone"),
        }
    }

    /// Members of a contact list that another domain keeps get through from now on.
    pub(crate) async fn grant_after(
        &self,
        owner: &UserId,
        session: Option<SessionId>,
        members: Vec<UserId>,
    ) {
        let (of, max) = (owner.clone(), self.config.im.max_access_entities);
        let granted = self
            .store
            .write(move |tx| grant_to(tx, &of, &members, max))
            .await;
        match granted {
            Ok(change) => self.access_changed(owner, session, change).await,
            Err(error) => tracing::warn!(%error, "new contacts are not granted to get through"),
        }
    }

    /// The same, but with only those entities to add that exist; the others are noted with
    /// their codes. A number stands for the user whose it is.
    async fn known_entities(
        &self,
        requestor: &Requestor,
        change: ListChange,
        failures: &mut Failures,
    ) -> Result<ListChange, StoreError> {
        let every = change.add.iter().chain(&change.remove);
        let users: Vec<UserId> = every
            .filter_map(|entity| match entity {
                AccessEntity::User(user) => Some(user.clone()),
                _ => None,
            })
            .collect();
        let unknown = self.directory.unknown(&users).await?;
        let numbers = unknown.iter().filter(|user| user.is_msisdn()).cloned();
        let owners = self.owners(numbers.collect()).await?;
        let lists: Vec<ContactListId> = change
            .add
            .iter()
            .filter_map(|entity| match entity {
                AccessEntity::ContactList(list) => Some(list.clone()),
                _ => None,
            })
            .collect();
        let missing = self.missing_lists(requestor, lists).await;
        let mut add = Vec::with_capacity(change.add.len());
        for entity in change.add {
            match entity {
                AccessEntity::User(user) => match owners.get(&user) {
                    Some(owner) => add.push(AccessEntity::User(owner.clone())),
                    None if unknown.contains(&user) && user.is_msisdn() => {
                        failures.user(StatusCode::MSISDN_ERROR, user);
                    }
                    None if unknown.contains(&user) => {
                        failures.user(StatusCode::UNKNOWN_USER, user);
                    }
                    None => add.push(AccessEntity::User(user)),
                },
                AccessEntity::ContactList(list) if missing.contains(&list) => {
                    failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list);
                }
                AccessEntity::Group(group) if !self.group_may_exist(&group).await => {
                    let block = failures.block(StatusCode::NO_SUCH_GROUP);
                    block.groups.push(group);
                }
                AccessEntity::ScreenName { name, group } if !self.group_may_exist(&group).await => {
                    let group = group.to_string();
                    let block = failures.block(StatusCode::NO_SUCH_GROUP);
                    block.screen_names.push(GivenScreenName { name, group });
                }
                entity => add.push(entity),
            }
        }
        let mut remove = change.remove;
        for entity in &mut remove {
            if let AccessEntity::User(user) = entity
                && let Some(owner) = owners.get(user)
            {
                *user = owner.clone();
            }
        }
        Ok(ListChange {
            in_use: change.in_use,
            add,
            remove,
        })
    }

    /// Groups of other domains are taken to exist (11.2).
    async fn group_may_exist(&self, group: &hamlet_model::GroupId) -> bool {
        group.domain_str() != self.config.domain.as_str() || self.groups.exists(group).await
    }

    /// Those of `lists` that are not lists of the requestor.
    async fn missing_lists(
        &self,
        requestor: &Requestor,
        lists: Vec<ContactListId>,
    ) -> HashSet<ContactListId> {
        if lists.is_empty() {
            return HashSet::new();
        }
        let call = Call {
            requestor: requestor.clone(),
            request: Request::ExpandContactLists(ExpandContactLists {
                lists: lists.clone(),
            }),
            key: None,
        };
        // Boxed because the router has brought us here.
        match Box::pin(self.route(call)).await {
            Ok(Response::Members(members)) => members.unknown.into_iter().collect(),
            _ => lists.into_iter().collect(),
        }
    }
}

/// Carries out the changes; what changed, and how many entities the lists have as was asked.
fn apply(
    tx: &mut Tx<'_>,
    owner: &UserId,
    request: &ChangeAccessLists,
    max: usize,
    failures: &mut Failures,
) -> Result<(AccessChange, usize), StoreError> {
    let before = tx.access_lists(owner)?;
    let mut change = AccessChange::default();
    let mut added = 0;
    for side in SIDES {
        let (asked, list) = (request.side(side), before.side(side));
        let mut known: HashSet<AccessEntity> = list.entities.iter().cloned().collect();
        let mut changed = false;
        for entity in &asked.add {
            if known.contains(entity) {
                added += 1;
            } else if known.len() >= max {
                too_many(failures, entity.clone());
            } else {
                changed |= tx.put_access_entity(owner, side, entity)?;
                known.insert(entity.clone());
                added += 1;
            }
        }
        for entity in asked.remove.iter().filter(|entity| known.remove(*entity)) {
            changed |= tx.remove_access_entity(owner, side, entity)?;
        }
        if changed {
            change.entities.push(side);
        }
        if let Some(in_use) = asked.in_use.filter(|in_use| *in_use != list.in_use) {
            tx.set_access_in_use(owner, side, in_use)?;
            change.in_use.push((side, in_use));
        }
    }
    Ok((change, added))
}

/// Users get through from now on: off the block list, and on the grant list while that is in
/// use (AuthorizeAndGrant, csp-presence 2.7). Inside the transaction that is the reason.
pub(crate) fn grant_to(
    tx: &mut Tx<'_>,
    owner: &UserId,
    users: &[UserId],
    max: usize,
) -> Result<AccessChange, StoreError> {
    let entities = || users.iter().cloned().map(AccessEntity::User).collect();
    let before = tx.access_lists(owner)?;
    let mut request = ChangeAccessLists::default();
    request.block.remove = entities();
    if before.grant.in_use {
        request.grant.add = entities();
    }
    // For whom there is no room is not granted anything; he stays added.
    let (change, _) = apply(tx, owner, &request, max, &mut Failures::new())?;
    Ok(change)
}

fn too_many(failures: &mut Failures, entity: AccessEntity) {
    let block = failures.block(StatusCode::TOO_MANY_CONTACTS);
    match entity {
        AccessEntity::User(user) => block.users.push(user),
        AccessEntity::Group(group) => block.groups.push(group),
        AccessEntity::ContactList(list) => block.contact_lists.push(list),
        AccessEntity::ScreenName { name, group } => {
            let group = group.to_string();
            block.screen_names.push(GivenScreenName { name, group });
        }
        // No result can name it.
        AccessEntity::Application(_) => {}
    }
}

fn conclude(failures: Failures, anything: bool) -> Answer {
    let code = failures.overall(anything);
    let details = failures.into_details();
    match code.is_success() {
        true => Ok(Response::Done(Outcome { details })),
        false => Err(Refusal {
            details,
            ..Refusal::new(code)
        }),
    }
}
