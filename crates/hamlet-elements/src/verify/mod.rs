//! VerifyID (csp-access 11.2): which of some identifiers exist.

use crate::contact_list::ExpandContactLists;
use crate::elements::Inner;
use crate::failure::refusal;
use crate::presence::each_once;
use crate::profile::failed;
use crate::service::{Answer, Outcome, Request, Requestor, Response};
use hamlet_model::refusal::{Failures, GivenScreenName};
use hamlet_model::{ContactListId, Domain, GroupId, Refusal, StatusCode, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most identifiers of one request.
const MOST: usize = 50;

/// Asks which identifiers exist.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VerifyIds {
    /// Users.
    pub users: Vec<UserId>,
    /// User addresses that cannot be parsed (531).
    pub malformed_users: Vec<String>,
    /// Contact lists.
    pub contact_lists: Vec<ContactListId>,
    /// Contact list addresses that cannot be parsed (700).
    pub malformed_lists: Vec<String>,
    /// Groups.
    pub groups: Vec<GroupId>,
    /// Group addresses that cannot be parsed (800).
    pub malformed_groups: Vec<String>,
    /// Screen names in groups.
    pub screen_names: Vec<GivenScreenName>,
    /// Domains, as they were given.
    pub domains: Vec<String>,
}

impl VerifyIds {
    fn count(&self) -> usize {
        self.users.len()
            + self.malformed_users.len()
            + self.contact_lists.len()
            + self.malformed_lists.len()
            + self.groups.len()
            + self.malformed_groups.len()
            + self.screen_names.len()
            + self.domains.len()
    }
}

impl Inner {
    /// Success when all exist, partial success or the refusal with the codes of those that
    /// do not.
    pub(crate) async fn verify(&self, requestor: Requestor, request: VerifyIds) -> Answer {
        let count = request.count();
        match count {
            0 => {
                return Err(Refusal::because(
                    StatusCode::BAD_REQUEST,
                    "Nothing is named",
                ));
            }
            1..=MOST => {}
            _ => {
                let why = format!("More than {MOST} identifiers are named");
                return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
            }
        }
        let mut failures = Failures::new();
        let mut valid = self
            .verify_users(&requestor, &request, &mut failures)
            .await?;
        valid += self
            .verify_lists(&requestor, &request, &mut failures)
            .await?;
        valid += self.verify_domains(&request, &mut failures);
        // No group has been made in this server, so nobody has a screen name in one either.
        if !request.groups.is_empty() || !request.malformed_groups.is_empty() {
            let block = failures.block(StatusCode::NO_SUCH_GROUP);
            block.groups.extend(request.groups);
            block
                .malformed_others
                .groups
                .extend(request.malformed_groups);
        }
        if !request.screen_names.is_empty() {
            let block = failures.block(StatusCode::ADDRESS_ERROR);
            block.screen_names.extend(request.screen_names);
        }
        let code = failures.overall(valid > 0);
        let details = failures.into_details();
        match code.is_success() {
            true => Ok(Response::Done(Outcome { details })),
            false => Err(Refusal {
                details,
                ..Refusal::new(code)
            }),
        }
    }

    async fn verify_users(
        &self,
        requestor: &Requestor,
        request: &VerifyIds,
        failures: &mut Failures,
    ) -> Result<usize, Refusal> {
        if !request.malformed_users.is_empty() {
            let block = failures.block(StatusCode::UNKNOWN_USER);
            block.malformed.extend(request.malformed_users.clone());
        }
        let users = each_once(request.users.clone());
        let unknown = self.directory.unknown(&users).await;
        let unknown = unknown.map_err(|error| refusal(&error))?;
        let mut valid = 0;
        let mut elsewhere: BTreeMap<Domain, Vec<UserId>> = BTreeMap::new();
        for user in users {
            if unknown.contains(&user) {
                failures.user(StatusCode::UNKNOWN_USER, user);
            } else if self.directory.is_home(&user) {
                valid += 1;
            } else {
                elsewhere.entry(user.domain()).or_default().push(user);
            }
        }
        for (domain, users) in elsewhere {
            let asked = users.len();
            let request = Request::VerifyIds(VerifyIds {
                users: users.clone(),
                ..VerifyIds::default()
            });
            let details = match self.ask_domain(&requestor.user, &domain, request).await {
                Ok(Response::Done(outcome)) => outcome.details,
                Ok(_) => failed(users, &StatusCode::INTERNAL_ERROR.into()),
                Err(refusal) => failed(users, &refusal),
            };
            let bad: usize = details.iter().map(|detail| detail.users.len()).sum();
            valid += asked.saturating_sub(bad);
            failures.merge(details);
        }
        Ok(valid)
    }

    /// Only one's own lists exist.
    async fn verify_lists(
        &self,
        requestor: &Requestor,
        request: &VerifyIds,
        failures: &mut Failures,
    ) -> Result<usize, Refusal> {
        if !request.malformed_lists.is_empty() {
            let block = failures.block(StatusCode::NO_SUCH_CONTACT_LIST);
            let malformed = request.malformed_lists.clone();
            block.malformed_others.contact_lists.extend(malformed);
        }
        let lists = each_once(request.contact_lists.clone());
        if lists.is_empty() {
            return Ok(0);
        }
        let count = lists.len();
        let expand = Request::ExpandContactLists(ExpandContactLists { lists });
        let unknown = match self.ask_element(requestor, expand).await? {
            Response::Members(members) => members.unknown,
            _ => return Err(StatusCode::INTERNAL_ERROR.into()),
        };
        let valid = count.saturating_sub(unknown.len());
        for list in unknown {
            failures.contact_list(StatusCode::NO_SUCH_CONTACT_LIST, list);
        }
        Ok(valid)
    }

    /// The home domain, and those to which there is a way.
    fn verify_domains(&self, request: &VerifyIds, failures: &mut Failures) -> usize {
        let mut valid = 0;
        for given in each_once(request.domains.clone()) {
            let domain = Domain::parse(given.strip_prefix('@').unwrap_or(&given));
            let is_known = |domain: &Domain| {
                *domain == self.config.domain || self.relay.reaches(domain.as_str())
            };
            match domain {
                Ok(domain) if is_known(&domain) => valid += 1,
                Ok(domain) => failures.block(StatusCode::NOT_FOUND).domains.push(domain),
                Err(_) => {
                    let block = failures.block(StatusCode::NOT_FOUND);
                    block.malformed_others.domains.push(given);
                }
            }
        }
        valid
    }
}
