//! For whom a message is: from addresses to users (csp-im 5.3 item 5).

use crate::contact_list::ExpandContactLists;
use crate::elements::Inner;
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
}

impl Inner {
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
        let addressed: Vec<UserId> = users.iter().map(|(user, _)| user.clone()).collect();
        let unknown = self.directory.unknown(&addressed).await?;
        let mut local = Vec::new();
        let mut foreign: BTreeMap<Domain, Vec<MessageParty>> = BTreeMap::new();
        for (user, party) in users {
            if unknown.contains(&user) {
                failures.user(StatusCode::UNKNOWN_USER, user);
            } else if self.directory.is_home(&user) {
                let from = requestor.application.as_ref();
                if self.directory.unusual(&user).mute {
                    failures.user(StatusCode::RECIPIENT_UNAUTHORIZED, user);
                } else if self
                    .may_address(from, &requestor.user, &user, &party)
                    .await?
                {
                    local.push((user, party));
                } else {
                    failures.user(StatusCode::FORBIDDEN, user);
                }
            } else if self.relay.reaches(user.domain_str()) {
                foreign.entry(user.domain()).or_default().push(party);
            } else {
                failures.user(StatusCode::DOMAIN_NOT_SUPPORTED, user);
            }
        }
        Ok(Resolved {
            local,
            foreign,
            failures,
        })
    }
}
