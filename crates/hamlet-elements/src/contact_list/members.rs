//! Adding members (csp-presence 2.5 item 5, 2.7 item 3, 2.9).

use crate::contact_list::{ContactListConfig, Member};
use crate::elements::Inner;
use crate::notification::Notification;
use crate::service::Event;
use hamlet_model::refusal::Failures;
use hamlet_model::{ContactListId, Msisdn, StatusCode, UserId};
use hamlet_store::{StoreError, Tx};
use std::collections::{HashMap, HashSet};

/// Adds members to a list, or replaces the nicknames of those who are in it. The users who
/// are new, and how many of all were accepted.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    list: &ContactListId,
    members: &[Member],
    config: &ContactListConfig,
    failures: &mut Failures,
) -> Result<(Vec<UserId>, usize), StoreError> {
    let (mut new, mut accepted) = (Vec::new(), 0);
    if members.is_empty() {
        return Ok((new, accepted));
    }
    let present = tx.members(list)?.into_iter().map(|member| member.user);
    let mut present: HashSet<UserId> = present.collect();
    let mut contacts = tx.count_contacts(&list.owner())?;
    for Member { user, nickname } in members {
        let is_new = !present.contains(user);
        let length = nickname.as_ref().map_or(0, |name| name.chars().count());
        if length > config.max_name {
            failures.user(StatusCode::INVALID_USER_PROPERTY, user.clone());
            continue;
        }
        if is_new && (present.len() >= config.max_members || contacts >= config.max_contacts) {
            failures.user(StatusCode::TOO_MANY_CONTACTS, user.clone());
            continue;
        }
        tx.put_member(
            list,
            &hamlet_store::Member {
                user: user.clone(),
                nickname: nickname.clone(),
            },
        )?;
        accepted += 1;
        if is_new {
            present.insert(user.clone());
            contacts += 1;
            new.push(user.clone());
        }
    }
    Ok((new, accepted))
}

/// Whom a request to add members means.
#[derive(Default)]
pub(crate) struct Known {
    /// Those who may exist.
    pub(crate) members: Vec<Member>,
    /// Numbers that were given, with the users whose they are.
    pub(crate) numbers: HashMap<UserId, UserId>,
}

impl Inner {
    /// Of the members to add, those who may exist; the others are noted (531). A number
    /// stands for the user whose it is (csp-access 11.4), or is noted itself (920).
    pub(crate) async fn known_members(
        &self,
        members: Vec<Member>,
        malformed: Vec<String>,
        failures: &mut Failures,
    ) -> Result<Known, StoreError> {
        if !malformed.is_empty() {
            let block = failures.block(StatusCode::UNKNOWN_USER);
            block.malformed.extend(malformed);
        }
        let users: Vec<UserId> = members.iter().map(|m| m.user.clone()).collect();
        let unknown = self.directory.unknown(&users).await?;
        let numbers = unknown.iter().filter(|user| user.is_msisdn()).cloned();
        let numbers = self.owners(numbers.collect()).await?;
        let mut known = Vec::with_capacity(members.len());
        let mut missing = Vec::new();
        for member in members {
            match numbers.get(&member.user) {
                Some(owner) => known.push(Member {
                    user: owner.clone(),
                    nickname: member.nickname,
                }),
                None if unknown.contains(&member.user) => missing.push(member.user),
                None => known.push(member),
            }
        }
        for user in crate::presence::each_once(missing) {
            let code = match user.is_msisdn() {
                true => StatusCode::MSISDN_ERROR,
                false => StatusCode::UNKNOWN_USER,
            };
            failures.user(code, user);
        }
        Ok(Known {
            members: known,
            numbers,
        })
    }

    /// After the commit: tells the owner whom the numbers mean that he has added.
    pub(crate) fn tell_of_numbers(&self, owner: &UserId, numbers: HashMap<UserId, UserId>) {
        self.emit(
            numbers
                .into_iter()
                .map(|(given, valid)| Event::Notification {
                    user: owner.clone(),
                    except: None,
                    notification: Notification::ValidUser {
                        given: given.to_string(),
                        valid,
                    },
                }),
        );
    }

    /// Whose the numbers are that stand in for user names. Who does not want to be found is
    /// not found by his number either.
    pub(crate) async fn owners(
        &self,
        numbers: Vec<UserId>,
    ) -> Result<HashMap<UserId, UserId>, StoreError> {
        if numbers.is_empty() {
            return Ok(HashMap::new());
        }
        self.store
            .read(move |tx| {
                let mut owners = HashMap::new();
                for user in &numbers {
                    let Some(number) = Msisdn::parse(user.user()) else {
                        continue;
                    };
                    if let Some(owner) = tx.user_of_msisdn(&number)?
                        && tx.profile(&owner)?.is_some_and(|found| !found.unfindable)
                    {
                        owners.insert(user.clone(), owner);
                    }
                }
                Ok(owners)
            })
            .await
    }
}
