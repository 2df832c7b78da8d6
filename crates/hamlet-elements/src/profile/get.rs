//! GetPublicProfile (csp-access 11.1).

use super::{GetPublicProfiles, PublicProfiles, UserProfile};
use crate::elements::Inner;
use crate::failure::refusal;
use crate::presence::each_once;
use crate::service::{Answer, Request, Requestor, Response};
use futures::future::join_all;
use hamlet_model::refusal::Failures;
use hamlet_model::{Domain, Refusal, StatusCode, UserId};
use hamlet_store::StoreError;
use std::collections::BTreeMap;

/// Most users of one request.
const MOST: usize = 100;

impl Inner {
    /// The public profiles of users of any domain, in the order in which they are named.
    pub(crate) async fn get_public_profiles(
        &self,
        requestor: Requestor,
        request: GetPublicProfiles,
    ) -> Answer {
        let GetPublicProfiles { users, malformed } = request;
        match users.len() + malformed.len() {
            0 => return Err(Refusal::because(StatusCode::BAD_REQUEST, "Nobody is named")),
            1..=MOST => {}
            _ => {
                let why = format!("More than {MOST} users are named");
                return Err(Refusal::because(StatusCode::BAD_PARAMETER, why));
            }
        }
        let mut failures = Failures::new();
        if !malformed.is_empty() {
            let block = failures.block(StatusCode::UNKNOWN_USER);
            block.malformed.extend(malformed);
        }
        let users = each_once(users);
        let (own, foreign): (Vec<UserId>, Vec<UserId>) = users
            .iter()
            .cloned()
            .partition(|user| self.directory.is_home(user));
        let mut found = self
            .profiles_here(own)
            .await
            .map_err(|error| refusal(&error))?;
        let elsewhere = self.profiles_elsewhere(&requestor.user, foreign).await;
        for (profiles, details) in elsewhere {
            found.extend(profiles);
            failures.merge(details);
        }
        let mut found: BTreeMap<UserId, UserProfile> = found
            .into_iter()
            .map(|profile| (profile.user.clone(), profile))
            .collect();
        let mut profiles = Vec::with_capacity(found.len());
        for user in users {
            match found.remove(&user) {
                Some(profile) => profiles.push(profile),
                None if failures.names(&user) => {}
                None => failures.user(StatusCode::UNKNOWN_USER, user),
            }
        }
        let code = failures.overall(!profiles.is_empty());
        let details = failures.into_details();
        if !code.is_success() {
            return Err(Refusal {
                details,
                ..Refusal::new(code)
            });
        }
        Ok(Response::PublicProfiles(PublicProfiles {
            profiles,
            details,
        }))
    }

    async fn profiles_here(&self, users: Vec<UserId>) -> Result<Vec<UserProfile>, StoreError> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.store.read(move |tx| tx.profiles(&users)).await?;
        let public = found.into_iter().map(|(user, profile)| UserProfile {
            user,
            profile: profile.public(),
        });
        Ok(public.collect())
    }

    async fn profiles_elsewhere(
        &self,
        requestor: &UserId,
        users: Vec<UserId>,
    ) -> Vec<(Vec<UserProfile>, Vec<hamlet_model::Detail>)> {
        let mut domains: BTreeMap<Domain, Vec<UserId>> = BTreeMap::new();
        for user in users {
            domains.entry(user.domain()).or_default().push(user);
        }
        join_all(domains.into_iter().map(|(domain, users)| async move {
            let request = Request::GetPublicProfiles(GetPublicProfiles {
                users: users.clone(),
                malformed: Vec::new(),
            });
            match self.ask_domain(requestor, &domain, request).await {
                Ok(Response::PublicProfiles(answer)) => {
                    // Of others than were asked for a domain has nothing to say.
                    let named = |found: &UserProfile| users.contains(&found.user);
                    let profiles = answer.profiles.into_iter().filter(named);
                    let public = profiles.map(|found| UserProfile {
                        profile: found.profile.public(),
                        ..found
                    });
                    (public.collect(), answer.details)
                }
                Ok(_) => (
                    Vec::new(),
                    failed(users, &StatusCode::INTERNAL_ERROR.into()),
                ),
                Err(refusal) => (Vec::new(), failed(users, &refusal)),
            }
        }))
        .await
    }

    /// Asks another domain for a user of this one; nothing is relayed for others
    /// (csp-presence 10).
    pub(crate) async fn ask_domain(
        &self,
        requestor: &UserId,
        domain: &Domain,
        request: Request,
    ) -> Answer {
        if !self.directory.is_home(requestor) {
            return Err(StatusCode::DOMAIN_NOT_SUPPORTED.into());
        }
        let wait = self.config.presence.foreign_wait;
        self.relay
            .ask(domain, requestor.clone(), request, wait)
            .await
    }
}

/// What a refusal of another domain means for each of its users.
pub(crate) fn failed(users: Vec<UserId>, refusal: &Refusal) -> Vec<hamlet_model::Detail> {
    let mut failures = Failures::new();
    for user in users {
        let detail = refusal.details.iter().find(|d| d.users.contains(&user));
        failures.user(detail.map_or(refusal.code, |d| d.code), user);
    }
    failures.into_details()
}
