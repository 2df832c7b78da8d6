//! For whom a message is: from addresses to users (csp-im 5.3 item 5).

use crate::blocking::Initiator;
use crate::contact_list::ExpandContactLists;
use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::MessageSender;
use crate::im::deliver::too_many;
use crate::im::group_send::{Target, take_groups};
use crate::im::report::nobody;
use crate::service::{Call, Request, Requestor, Response};
use hamlet_model::refusal::Failures;
use hamlet_model::{ContactListId, Domain, MessageParty, Recipients, Refusal, StatusCode, UserId};
use hamlet_store::StoreError;
use std::collections::{BTreeMap, HashSet};

/// Users, each reached by the first address that led to him.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Those of this domain.
    pub(crate) local: Vec<(UserId, MessageParty)>,
    /// Those of others, by domain.
    pub(crate) foreign: BTreeMap<Domain, Vec<MessageParty>>,
    /// Why others are not among them.
    pub(crate) failures: Failures,
    /// How many block the sender without his being told (csp-im 11.4).
    pub(crate) silenced: usize,
}

/// Users with the addresses that led to them.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// Those of this domain.
    pub(crate) local: Vec<(UserId, MessageParty)>,
    /// Those of others.
    pub(crate) foreign: Vec<(UserId, MessageParty)>,
}

/// Whom a message reaches, and how (csp-im 5.3 item 5).
pub(crate) struct Addressed {
    /// Users.
    pub(crate) resolved: Resolved,
    /// Groups of this domain, and names in them.
    pub(crate) groups: Vec<Target>,
    /// As of which change of access lists this was decided.
    pub(crate) judged: u64,
}

impl Inner {
    /// Whom a message of the sender reaches, or why it reaches nobody.
    pub(crate) async fn addressed(
        &self,
        requestor: &Requestor,
        sender: &MessageSender,
        mut recipients: Recipients,
    ) -> Result<Addressed, Refusal> {
        let parties = take_groups(&mut recipients.parties);
        let judged = self.directory.access_changes();
        let resolved = self.resolve_welcoming(requestor, recipients).await;
        let mut resolved = resolved.map_err(|error| refusal(&error))?;
        let failures = &mut resolved.failures;
        let through = self
            .resolve_groups(requestor, sender, parties, &resolved.local, failures)
            .await
            .map_err(|error| refusal(&error))?;
        resolved.silenced += through.silenced;
        for (domain, parties) in through.foreign {
            resolved.foreign.entry(domain).or_default().extend(parties);
        }
        let foreign: usize = resolved.foreign.values().map(Vec::len).sum();
        match resolved.local.len() + foreign + through.here.len() {
            0 if resolved.silenced == 0 => return Err(nobody(resolved.failures)),
            count if count > self.config.im.max_recipients => return Err(too_many()),
            _ => {}
        }
        Ok(Addressed {
            resolved,
            groups: through.here,
            judged,
        })
    }

    pub(crate) async fn resolve_recipients(
        &self,
        requestor: &Requestor,
        recipients: Recipients,
    ) -> Result<Resolved, StoreError> {
        let mut failures = Failures::new();
        if !recipients.malformed.is_empty() {
            let block = failures.block(StatusCode::UNKNOWN_USER);
            block.malformed.extend(recipients.malformed);
        }
        let mut seen = HashSet::new();
        let mut users = Vec::new();
        for party in recipients.parties {
            match party {
                MessageParty::User { ref user, .. } => {
                    if seen.insert(user.clone()) {
                        users.push((user.clone(), party));
                    }
                }
                // There is no group that this user could have joined.
                MessageParty::Group(group) | MessageParty::ScreenName { group, .. } => {
                    failures.block(StatusCode::NO_SUCH_GROUP).groups.push(group);
                }
            }
        }
        let members = self
            .members(requestor, recipients.contact_lists, &mut failures)
            .await;
        for user in members {
            if seen.insert(user.clone()) {
                users.push((user.clone(), MessageParty::user(user)));
            }
        }
        self.sort_by_domain(requestor, users, failures).await
    }

    /// The members of the sender's lists, which his presence element knows, wherever it is
    /// (architecture document B.7, Figure 6).
    async fn members(
        &self,
        requestor: &Requestor,
        lists: Vec<ContactListId>,
        failures: &mut Failures,
    ) -> Vec<UserId> {
        let (own, others): (Vec<_>, Vec<_>) = lists
            .into_iter()
            .partition(|list| list.owner() == requestor.user);
        for list in others {
            failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list);
        }
        if own.is_empty() {
            return Vec::new();
        }
        let call = Call {
            requestor: requestor.clone(),
            request: Request::ExpandContactLists(ExpandContactLists { lists: own.clone() }),
            key: None,
        };
        // Boxed because the router may in turn have brought us here.
        match Box::pin(self.route(call)).await {
            Ok(Response::Members(members)) => {
                for list in members.unknown {
                    failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list);
                }
                members.users
            }
            other => {
                let code =
                    other.map_or_else(|Refusal { code, .. }| code, |_| StatusCode::INTERNAL_ERROR);
                for list in own {
                    failures.contact_list(code, list);
                }
                Vec::new()
            }
        }
    }

    async fn sort_by_domain(
        &self,
        requestor: &Requestor,
        users: Vec<(UserId, MessageParty)>,
        mut failures: Failures,
    ) -> Result<Resolved, StoreError> {
        let Sorted {
            local: users,
            foreign,
        } = self.whose(users, &mut failures).await?;
        let mut local = Vec::with_capacity(users.len());
        for (user, party) in users {
            let from = requestor.application.as_ref();
            if self.directory.unusual(&user).mute {
                let named = as_addressed(user, &party);
                failures.user(StatusCode::RECIPIENT_UNAUTHORIZED, named);
            } else if self
                .may_address(from, &requestor.user, &user, &party)
                .await?
            {
                local.push((user, party));
            } else {
                failures.user(StatusCode::FORBIDDEN, as_addressed(user, &party));
            }
        }
        let mut by_domain: BTreeMap<Domain, Vec<MessageParty>> = BTreeMap::new();
        for (user, party) in foreign {
            if self.relay.reaches(user.domain_str()) {
                by_domain.entry(user.domain()).or_default().push(party);
            } else {
                failures.user(StatusCode::DOMAIN_NOT_SUPPORTED, user);
            }
        }
        let foreign = by_domain;
        Ok(Resolved {
            local,
            foreign,
            failures,
            silenced: 0,
        })
    }

    /// The users behind addresses, each once, by the first address that led to him: a number
    /// stands for the user whose it is (csp-access 11.4). Who does not exist is noted: 531, or
    /// 920 for a number.
    pub(crate) async fn whose(
        &self,
        addressed: Vec<(UserId, MessageParty)>,
        failures: &mut Failures,
    ) -> Result<Sorted, StoreError> {
        let given: Vec<UserId> = addressed.iter().map(|(user, _)| user.clone()).collect();
        let unknown = self.directory.unknown(&given).await?;
        let numbers: Vec<UserId> = unknown.iter().filter(|u| u.is_msisdn()).cloned().collect();
        let owners = self.owners(numbers).await?;
        if !owners.is_empty() {
            let all: Vec<UserId> = owners.values().cloned().collect();
            self.directory.unknown(&all).await?;
        }
        let mut seen = HashSet::new();
        let mut sorted = Sorted::default();
        for (user, party) in addressed {
            let is_foreign = !self.directory.is_home(&user);
            let whose = match owners.get(&user) {
                Some(owner) => owner.clone(),
                None if unknown.contains(&user) => {
                    let code = match user.is_msisdn() {
                        true => StatusCode::MSISDN_ERROR,
                        false => StatusCode::UNKNOWN_USER,
                    };
                    failures.user(code, user);
                    continue;
                }
                None => user,
            };
            if !seen.insert(whose.clone()) {
                continue;
            }
            match is_foreign {
                true => sorted.foreign.push((whose, party)),
                false => sorted.local.push((whose, party)),
            }
        }
        Ok(sorted)
    }

    /// As [`Inner::resolve_recipients`], without those whose block and grant lists refuse the
    /// sender (csp-im 11.3), and those who want nothing while they are not online.
    pub(crate) async fn resolve_welcoming(
        &self,
        requestor: &Requestor,
        recipients: Recipients,
    ) -> Result<Resolved, StoreError> {
        let mut resolved = self.resolve_recipients(requestor, recipients).await?;
        let initiator = Initiator {
            user: requestor.user.clone(),
            application: requestor.application.clone(),
            through: None,
        };
        let local = std::mem::take(&mut resolved.local);
        let failures = &mut resolved.failures;
        let (welcome, silenced) = self.welcome(&initiator, local, failures).await?;
        resolved.local = self.reachable(welcome, failures);
        resolved.silenced = silenced;
        Ok(resolved)
    }

    /// Of the recipients those who do not refuse the initiator, and how many of the others he
    /// is not told of (csp-im 11.4); the rest is noted (532).
    pub(crate) async fn welcome(
        &self,
        initiator: &Initiator,
        recipients: Vec<(UserId, MessageParty)>,
        failures: &mut Failures,
    ) -> Result<(Vec<(UserId, MessageParty)>, usize), StoreError> {
        let users: Vec<UserId> = recipients.iter().map(|(user, _)| user.clone()).collect();
        let refusing = self.refusing(initiator, &users).await?;
        if refusing.is_empty() {
            return Ok((recipients, 0));
        }
        let (blocked, welcome): (Vec<_>, Vec<_>) = recipients
            .into_iter()
            .partition(|(user, _)| refusing.contains(user));
        if self.config.im.silent_blocking {
            return Ok((welcome, blocked.len()));
        }
        for (user, party) in blocked {
            failures.user(StatusCode::BLOCKED, as_addressed(user, &party));
        }
        Ok((welcome, 0))
    }
}

/// The address of a user as the sender knows it.
pub(crate) fn as_addressed(user: UserId, party: &MessageParty) -> UserId {
    match party {
        MessageParty::User { user: given, .. } => given.clone(),
        _ => user,
    }
}
