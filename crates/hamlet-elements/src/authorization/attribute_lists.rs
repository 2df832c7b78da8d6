//! CreateAttributeList, DeleteAttributeList, GetAttributeList (csp-presence 6.2 to 6.4).

use super::change::{Changed, settle, taken_back};
use super::types::{
    AttributeLists, CreateAttributeList, DeleteAttributeList, GetAttributeLists, Rule,
};
use crate::elements::Inner;
use crate::failure::refusal;
use crate::notification::Watchers;
use crate::presence::{Targets, done, each_once};
use crate::service::{Answer, IdempotenceKey, Requestor, Response};
use hamlet_model::presence::AttributeSet;
use hamlet_model::refusal::Failures;
use hamlet_model::{ContactListId, Refusal, StatusCode, UserId};
use hamlet_store::{AttributeList, AttributeTarget, StoreError, Tx};
use std::collections::HashSet;

/// Targets that may exist, each once.
#[derive(Clone)]
struct Named {
    users: Vec<UserId>,
    lists: Vec<ContactListId>,
}

impl Inner {
    pub(crate) async fn create_attribute_list(
        &self,
        requestor: Requestor,
        request: CreateAttributeList,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let sets_default = request.default || request.default_notify.is_some();
        if request.targets.is_empty() && !sets_default {
            return Err(Refusal::because(StatusCode::BAD_REQUEST, "Nobody is named"));
        }
        let mut failures = Failures::new();
        if !request.unsupported.is_empty() {
            let block = failures.block(StatusCode::INVALID_PRESENCE_ATTRIBUTE);
            block.description = request.unsupported.join(", ");
            if request.attributes.is_some_and(AttributeSet::is_empty) {
                // What is left would be a refusal that nobody meant.
                return done(failures, false);
            }
        }
        let owner = requestor.user.clone();
        let named = self
            .named_targets(&owner, request.targets, &mut failures)
            .await?;
        let max = self.config.presence.max_attribute_lists;
        let (attributes, default) = (request.attributes, request.default);
        let flags = (request.user_notify, request.contact_list_notify);
        let default_notify = request.default_notify;
        self.change_authorization(requestor, key, move |tx, _| {
            let mut setting = Setting {
                owner: &owner,
                attributes,
                max,
                failures: failures.clone(),
                whom: Watchers::default(),
                settled: Vec::new(),
            };
            setting.users(tx, &named.users, flags.0)?;
            setting.lists(tx, &named.lists, flags.1)?;
            setting.default(tx, default, default_notify)?;
            Ok(setting.changed())
        })
        .await
    }

    pub(crate) async fn delete_attribute_list(
        &self,
        requestor: Requestor,
        request: DeleteAttributeList,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        if request.targets.is_empty() && !request.default {
            return Err(Refusal::because(StatusCode::BAD_REQUEST, "Nobody is named"));
        }
        let mut failures = Failures::new();
        let owner = requestor.user.clone();
        let named = self
            .named_targets(&owner, request.targets, &mut failures)
            .await?;
        let default = request.default;
        self.change_authorization(requestor, key, move |tx, _| {
            delete(tx, &owner, &named, default, failures.clone())
        })
        .await
    }

    pub(crate) async fn get_attribute_lists(
        &self,
        requestor: Requestor,
        request: GetAttributeLists,
    ) -> Answer {
        let all = request.targets.is_empty();
        let mut failures = Failures::new();
        let owner = requestor.user;
        let named = self
            .named_targets(&owner, request.targets, &mut failures)
            .await?;
        let default = request.default;
        let (lists, missing) = self
            .store
            .read(move |tx| {
                let mut missing = Vec::new();
                for list in &named.lists {
                    if tx.contact_list(list)?.is_none() {
                        missing.push(list.clone());
                    }
                }
                let wanted = (!all).then_some(&named);
                Ok((shown(tx.attribute_lists(&owner)?, wanted, default), missing))
            })
            .await
            .map_err(|error| refusal(&error))?;
        for list in missing {
            failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list);
        }
        let something =
            all || default || !lists.users.is_empty() || !lists.contact_lists.is_empty();
        let code = failures.overall(something);
        let details = failures.into_details();
        match code.is_success() {
            true => Ok(Response::AttributeLists(AttributeLists {
                details,
                ..lists
            })),
            false => Err(Refusal {
                code,
                description: code.description().to_owned(),
                details,
            }),
        }
    }

    /// Users that may exist, and contact lists that may be the owner's; the others are noted
    /// (531, 700).
    async fn named_targets(
        &self,
        owner: &UserId,
        targets: Targets,
        failures: &mut Failures,
    ) -> Result<Named, Refusal> {
        for (code, malformed) in [
            (StatusCode::UNKNOWN_USER, targets.malformed_users),
            (StatusCode::NO_SUCH_CONTACT_LIST, targets.malformed_lists),
        ] {
            if !malformed.is_empty() {
                failures.block(code).malformed.extend(malformed);
            }
        }
        let mut users = each_once(targets.users);
        let unknown = self.directory.unknown(&users).await;
        let unknown = unknown.map_err(|error| refusal(&error))?;
        users.retain(|user| match unknown.contains(user) {
            true => {
                failures.user(StatusCode::UNKNOWN_USER, user.clone());
                false
            }
            false => true,
        });
        let mut lists = each_once(targets.contact_lists);
        lists.retain(|list| match list.owner() == *owner {
            true => true,
            false => {
                failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list.clone());
                false
            }
        });
        Ok(Named { users, lists })
    }
}

/// A CreateAttributeList being carried out.
struct Setting<'a> {
    owner: &'a UserId,
    attributes: Option<AttributeSet>,
    max: usize,
    failures: Failures,
    whom: Watchers,
    settled: Vec<String>,
}

impl Setting<'_> {
    fn users(
        &mut self,
        tx: &mut Tx<'_>,
        users: &[UserId],
        notify: Option<bool>,
    ) -> Result<(), StoreError> {
        if users.is_empty() {
            return Ok(());
        }
        let known = tx.attribute_lists(self.owner)?;
        let of_users = known
            .iter()
            .filter(|list| matches!(list.target, AttributeTarget::User(_)));
        let mut count = of_users.count();
        let known: HashSet<AttributeTarget> = known.into_iter().map(|list| list.target).collect();
        for user in users {
            let target = AttributeTarget::User(user.clone());
            if !known.contains(&target) {
                if count >= self.max {
                    let code = StatusCode::TOO_MANY_ATTRIBUTE_LISTS;
                    self.failures.user(code, user.clone());
                    continue;
                }
                count += 1;
            }
            self.set(tx, target, notify, false)?;
            if let Some(set) = self.attributes {
                let push = settle(tx, self.owner, user, set)?;
                self.settled.extend(push);
            }
            self.whom.users.push(user.clone());
        }
        Ok(())
    }

    fn lists(
        &mut self,
        tx: &mut Tx<'_>,
        lists: &[ContactListId],
        notify: Option<bool>,
    ) -> Result<(), StoreError> {
        for list in lists {
            if tx.contact_list(list)?.is_none() {
                let code = StatusCode::NO_SUCH_CONTACT_LIST;
                self.failures.contact_list(code, list.clone());
                continue;
            }
            self.set(
                tx,
                AttributeTarget::ContactList(list.clone()),
                notify,
                false,
            )?;
            self.whom.contact_lists.push(list.clone());
        }
        Ok(())
    }

    fn default(
        &mut self,
        tx: &mut Tx<'_>,
        default: bool,
        notify: Option<bool>,
    ) -> Result<(), StoreError> {
        if !default && notify.is_none() {
            return Ok(());
        }
        let attributes = self.attributes;
        // Without DefaultList only the flag is meant.
        self.attributes = attributes.filter(|_| default);
        self.set(tx, AttributeTarget::Default, notify, true)?;
        self.attributes = attributes;
        self.whom.default = true;
        Ok(())
    }

    /// Sets what is given and leaves the rest as it is.
    fn set(
        &self,
        tx: &mut Tx<'_>,
        target: AttributeTarget,
        notify: Option<bool>,
        notify_first: bool,
    ) -> Result<(), StoreError> {
        let known = tx.attribute_list(self.owner, &target)?;
        let before = known.as_ref();
        let list = AttributeList {
            attributes: self.attributes.or(before.and_then(|list| list.attributes)),
            notify: notify.unwrap_or(before.map_or(notify_first, |list| list.notify)),
            target,
        };
        tx.put_attribute_list(self.owner, &list)
    }

    fn changed(self) -> Changed {
        let any = self.whom != Watchers::default();
        Changed {
            answer: done(self.failures, any),
            notice: any.then(|| (self.attributes.unwrap_or_default(), self.whom)),
            settled: self.settled,
        }
    }
}

fn delete(
    tx: &mut Tx<'_>,
    owner: &UserId,
    named: &Named,
    default: bool,
    mut failures: Failures,
) -> Result<Changed, StoreError> {
    let (mut whom, mut settled) = (Watchers::default(), Vec::new());
    for user in &named.users {
        tx.remove_attribute_list(owner, &AttributeTarget::User(user.clone()))?;
        let asked = tx.remove_reactive_authorization(owner, user)?;
        settled.extend(taken_back(tx, owner, asked.and_then(|asked| asked.push))?);
        whom.users.push(user.clone());
    }
    for list in &named.lists {
        if tx.contact_list(list)?.is_none() {
            failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list.clone());
            continue;
        }
        tx.remove_attribute_list(owner, &AttributeTarget::ContactList(list.clone()))?;
        whom.contact_lists.push(list.clone());
    }
    if default {
        // DefaultNotify is off from now on (csp-presence 6.3).
        let list = AttributeList {
            target: AttributeTarget::Default,
            attributes: None,
            notify: false,
        };
        tx.put_attribute_list(owner, &list)?;
        whom.default = true;
    }
    let any = whom != Watchers::default();
    Ok(Changed {
        answer: done(failures, any),
        notice: any.then_some((AttributeSet::EMPTY, whom)),
        settled,
    })
}

/// Those lists that are wanted; `None` wants all.
fn shown(lists: Vec<AttributeList>, wanted: Option<&Named>, default: bool) -> AttributeLists {
    let mut shown = AttributeLists {
        default: default.then_some(Rule {
            attributes: None,
            notify: true,
        }),
        ..AttributeLists::default()
    };
    for list in lists {
        let rule = Rule {
            attributes: list.attributes,
            notify: list.notify,
        };
        match list.target {
            AttributeTarget::User(user)
                if wanted.is_none_or(|named| named.users.contains(&user)) =>
            {
                shown.users.push((user, rule));
            }
            AttributeTarget::ContactList(id)
                if wanted.is_none_or(|named| named.lists.contains(&id)) =>
            {
                shown.contact_lists.push((id, rule));
            }
            AttributeTarget::Default if default => shown.default = Some(rule),
            _ => {}
        }
    }
    shown
}
