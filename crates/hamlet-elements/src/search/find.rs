//! A new search (csp-access 9.2).

use super::criteria::{Criteria, Wanted, wanted};
use super::groups::{bounded, group_page};
use super::pages::{Kept, first_page, lengths};
use super::types::{FoundUser, Page, Search};
use crate::elements::Inner;
use crate::failure::refusal;
use crate::once;
use crate::service::{Answer, IdempotenceKey, Requestor, Response};
use hamlet_model::{Refusal, SessionId, StatusCode, UserId};
use hamlet_store::{Criterion, Found, GroupCriterion, SearchCursor, StoreError};
use std::collections::HashSet;
use std::time::Instant;

/// Most of those who block a user that he does not find.
const MAX_BLOCKING: usize = 10_000;

impl Inner {
    /// Finds users, answers the first page of them and keeps the rest.
    pub(crate) async fn search(
        &self,
        requestor: Requestor,
        request: Search,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let config = &self.config.search;
        let Some(session) = requestor.session.clone() else {
            // What is found is kept for a session.
            return Err(StatusCode::FORBIDDEN.into());
        };
        let criteria = match wanted(&request, config, &self.config.domain)? {
            Wanted::Users(criteria) => criteria,
            Wanted::Groups(criterion) => {
                return self
                    .search_groups(requestor.user, session, criterion, request, key)
                    .await;
            }
        };
        let deadline = Instant::now() + config.time_limit;
        let run = self.searching.begin(&session, deadline).await?;
        let criterion = self.criterion(&requestor, criteria).await?;
        let (hits, octets) = lengths(request.page, None, config);
        let found = self
            .find(&requestor.user, criterion, hits, deadline)
            .await?;
        drop(run);
        let (users, first) = found;
        let (page, told) = first_page(&users, first, octets);
        if page.complete {
            return Ok(Response::SearchPage(page));
        }
        let cursor = SearchCursor {
            session,
            id: random_number()?,
            page: hits,
            delivered: told,
            total: page.findings,
            expires: self.search_expiry(),
        };
        self.keep(cursor, Kept::Users(users), page, key).await
    }

    async fn search_groups(
        &self,
        searcher: UserId,
        session: SessionId,
        criterion: GroupCriterion,
        request: Search,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let config = &self.config.search;
        let deadline = Instant::now() + config.time_limit;
        let run = self.searching.begin(&session, deadline).await?;
        let found = self
            .store
            .read(move |tx| tx.search_groups(&criterion, &searcher, deadline));
        let groups = match found.await {
            Ok(groups) => bounded(groups, config)?,
            Err(StoreError::TimedOut) => return Err(StatusCode::SEARCH_TIMED_OUT.into()),
            Err(error) => return Err(refusal(&error)),
        };
        drop(run);
        let (hits, octets) = lengths(request.page, None, config);
        let page = group_page(&groups, 1, hits, octets);
        if page.complete {
            return Ok(Response::SearchPage(page));
        }
        let cursor = SearchCursor {
            session,
            id: random_number()?,
            page: hits,
            delivered: page.index,
            total: page.findings,
            expires: self.search_expiry(),
        };
        self.keep(cursor, Kept::Groups(groups), page, key).await
    }

    async fn criterion(
        &self,
        requestor: &Requestor,
        criteria: Criteria,
    ) -> Result<Criterion, Refusal> {
        let (online, offline) = match criteria.asks_who_is_online() {
            true => self.seen_online(requestor).await?,
            false => Default::default(),
        };
        let criterion = criteria.with_online(&online, &offline);
        match criterion.is_selective() {
            true => Ok(criterion),
            false => Err(Refusal::because(
                StatusCode::TOO_BROAD,
                "The search asks only for what users are not",
            )),
        }
    }

    /// Everybody who is found, and the first of them with their names.
    async fn find(
        &self,
        requestor: &UserId,
        criterion: Criterion,
        page: u32,
        deadline: Instant,
    ) -> Result<(Vec<UserId>, Vec<FoundUser>), Refusal> {
        let config = &self.config.search;
        let mut search = hamlet_store::Search {
            criterion,
            hidden: HashSet::new(),
            limit: config.max_results,
            deadline,
        };
        let may_cut = config.cut_at_limit;
        let requestor = requestor.clone();
        let found = self
            .store
            .read(move |tx| {
                // csp-access 9.2: who blocks the requestor is not found by him.
                search.hidden = tx.users_blocking(&requestor, MAX_BLOCKING)?;
                let Found { users, more } = tx.search(&search)?;
                if more && !may_cut {
                    return Ok(None);
                }
                let first = &users[..users.len().min(page as usize)];
                let first = super::pages::named(tx, first)?;
                Ok(Some((users, first)))
            })
            .await;
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(StatusCode::TOO_MANY_HITS.into()),
            Err(StoreError::TimedOut) => Err(StatusCode::SEARCH_TIMED_OUT.into()),
            Err(error) => Err(refusal(&error)),
        }
    }

    async fn keep(
        &self,
        cursor: SearchCursor,
        kept: Kept,
        page: Page,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let most = self.config.search.max_per_session;
        let stored = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok(earlier);
                }
                let id = tx.put_search(&cursor, &kept.to_octets()?, most)?;
                let answer = Ok(Response::SearchPage(Page {
                    id: Some(id),
                    ..page.clone()
                }));
                once::settle(tx, key.as_ref(), &answer)?;
                Ok(answer)
            })
            .await;
        stored.map_err(|error| refusal(&error))?
    }
}

/// A SearchID: below 2^31 (data-types 1.8), and not to be guessed from others.
fn random_number() -> Result<u32, Refusal> {
    let mut octets = [0; 4];
    getrandom::fill(&mut octets).map_err(|error| {
        tracing::error!(%error, "no random numbers");
        Refusal::new(StatusCode::INTERNAL_ERROR)
    })?;
    Ok((u32::from_ne_bytes(octets) & 0x7FFF_FFFF).max(1))
}
