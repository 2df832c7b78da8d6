//! Telling what was found page by page (csp-access 9.2).

use super::groups::group_page;
use super::types::{ContinueSearch, FoundUser, Hits, Page, PageSize, SearchConfig, StopSearch};
use crate::elements::Inner;
use crate::failure::{encoding, refusal};
use crate::once;
use crate::service::{Answer, IdempotenceKey, Outcome, Requestor, Response};
use hamlet_model::{GroupId, SessionId, StatusCode, Timestamp, UserId};
use hamlet_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};

/// What one hit takes beside its texts, octets, in the longer of the syntaxes.
const HIT: usize = 64;

/// What is kept of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kept {
    Users(Vec<UserId>),
    Groups(Vec<GroupId>),
}

impl Kept {
    pub(crate) fn to_octets(&self) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec(self).map_err(encoding)
    }
}

impl Inner {
    /// More of what a search found. Not carried out twice: the place to go on from moves.
    pub(crate) async fn continue_search(
        &self,
        requestor: Requestor,
        request: ContinueSearch,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let Some(session) = requestor.session else {
            return Err(StatusCode::INVALID_SEARCH_ID.into());
        };
        let (config, expires) = (self.config.search.clone(), self.search_expiry());
        let answer = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok(earlier);
                }
                let answer = next_page(tx, &session, &request, &config, expires)?;
                if answer.is_ok() {
                    once::settle(tx, key.as_ref(), &answer)?;
                }
                Ok(answer)
            })
            .await;
        answer.map_err(|error| refusal(&error))?
    }

    /// Ends a search: 424 when there is none of this number.
    pub(crate) async fn stop_search(
        &self,
        requestor: Requestor,
        request: StopSearch,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        let Some(session) = requestor.session else {
            return Err(StatusCode::INVALID_SEARCH_ID.into());
        };
        let answer = self
            .store
            .write(move |tx| {
                if let Some(earlier) = once::recall(tx, key.as_ref())? {
                    return Ok(earlier);
                }
                if !tx.drop_search(&session, request.id)? {
                    return Ok(Err(StatusCode::INVALID_SEARCH_ID.into()));
                }
                let answer = Ok(Response::Done(Outcome::default()));
                once::settle(tx, key.as_ref(), &answer)?;
                Ok(answer)
            })
            .await;
        answer.map_err(|error| refusal(&error))?
    }

    /// Forgets searches some time after they have expired, so that who comes late is told so.
    pub(crate) async fn expire_searches(&self, now: Timestamp) -> Result<usize, StoreError> {
        let before = now.minus(self.config.search.keep);
        let any = self.store.read(move |tx| tx.has_expired_searches(before));
        if !any.await? {
            return Ok(0);
        }
        let gone = self
            .store
            .write(move |tx| tx.purge_searches(before))
            .await?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }

    /// A session has ended.
    pub(crate) async fn drop_searches(&self, session: &SessionId) -> Result<(), StoreError> {
        let session = session.clone();
        let dropped = self.store.write(move |tx| tx.drop_searches(&session));
        dropped.await.map(drop)
    }

    pub(crate) fn search_expiry(&self) -> Timestamp {
        Timestamp::now().plus(self.config.search.keep)
    }
}

fn next_page(
    tx: &mut Tx<'_>,
    session: &SessionId,
    request: &ContinueSearch,
    config: &SearchConfig,
    expires: Timestamp,
) -> Result<Answer, StoreError> {
    let Some((mut cursor, hits)) = tx.search_cursor(session, request.id)? else {
        return Ok(Err(StatusCode::INVALID_SEARCH_ID.into()));
    };
    if cursor.expires <= Timestamp::now() {
        return Ok(Err(StatusCode::SEARCH_TIMED_OUT.into()));
    }
    let Some(first) = first_hit(request.index, cursor.delivered, cursor.total) else {
        return Ok(Err(StatusCode::INVALID_SEARCH_INDEX.into()));
    };
    let (most, octets) = lengths(request.page, Some(cursor.page), config);
    let users = match serde_json::from_slice(&hits).map_err(encoding)? {
        Kept::Users(users) => users,
        Kept::Groups(groups) => {
            let page = group_page(&groups, first, most, octets);
            cursor.delivered = page.index;
            cursor.expires = expires;
            tx.advance_search(&cursor)?;
            return Ok(Ok(Response::SearchPage(Page {
                id: Some(cursor.id),
                ..page
            })));
        }
    };
    let rest = users.get(first as usize - 1..).unwrap_or_default();
    let rest = named(tx, &rest[..rest.len().min(most as usize)])?;
    let fitting = fitting(rest, octets);
    let told = u32::try_from(fitting.len()).unwrap_or(u32::MAX);
    cursor.delivered = first - 1 + told;
    cursor.expires = expires;
    tx.advance_search(&cursor)?;
    Ok(Ok(Response::SearchPage(Page {
        id: Some(cursor.id),
        findings: cursor.total,
        index: cursor.delivered,
        complete: cursor.delivered >= cursor.total,
        hits: Hits::Users(fitting),
    })))
}

/// The hit to go on with, from 1, when `delivered` was the last one that was told: clients
/// give its number or the next one's, and mean the same (csp-access 9.2). `None`: there is
/// no such hit.
fn first_hit(index: Option<u32>, delivered: u32, total: u32) -> Option<u32> {
    let next = delivered + 1;
    match index {
        None => Some(next),
        Some(index) if index == 0 || index > total + 1 => None,
        Some(index) if index == delivered => Some(next),
        Some(index) => Some(index),
    }
}

/// The first page of everybody who was found, and the number of its last hit.
pub(super) fn first_page(
    users: &[UserId],
    first: Vec<FoundUser>,
    octets: Option<usize>,
) -> (Page, u32) {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let fitting = fitting(first, octets);
    let (told, total) = (number(fitting.len()), number(users.len()));
    let page = Page {
        id: None,
        findings: total,
        index: told,
        complete: told == total,
        hits: Hits::Users(fitting),
    };
    (page, told)
}

/// Most hits and octets of a page.
pub(super) fn lengths(
    page: PageSize,
    before: Option<u32>,
    config: &SearchConfig,
) -> (u32, Option<usize>) {
    let asked = page.hits.filter(|hits| *hits > 0).or(before);
    let most = config.max_page.max(1);
    let hits = asked.unwrap_or(config.default_page).clamp(1, most);
    (hits, page.octets)
}

/// Users with the names that they go by.
pub(super) fn named(tx: &mut Tx<'_>, users: &[UserId]) -> Result<Vec<FoundUser>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let mut profiles = tx.profiles(users)?;
    let named = users.iter().map(|user| FoundUser {
        user: user.clone(),
        friendly_name: profiles
            .remove(user)
            .and_then(|profile| profile.friendly_name),
    });
    Ok(named.collect())
}

/// As many as fit into a client's parser: one at least.
fn fitting(mut users: Vec<FoundUser>, octets: Option<usize>) -> Vec<FoundUser> {
    let Some(octets) = octets else { return users };
    let mut used = 0_usize;
    let fits = users.iter().take_while(|found| {
        let name = found.friendly_name.as_deref().unwrap_or("");
        used = used.saturating_add(HIT + length(found.user.as_str()) + length(name));
        used <= octets
    });
    let count = fits.count().max(1);
    users.truncate(count);
    users
}

/// As many groups as fit into a client's parser: one at least.
pub(super) fn fitting_groups(groups: &[GroupId], octets: Option<usize>) -> &[GroupId] {
    let Some(octets) = octets else { return groups };
    let mut used = 0_usize;
    let fits = groups.iter().take_while(|group| {
        used = used.saturating_add(HIT + length(group.as_str()));
        used <= octets
    });
    let count = fits.count().max(1);
    &groups[..count.min(groups.len())]
}

/// Of a text as it is written, with what XML has to escape.
fn length(text: &str) -> usize {
    let escaped = |octet: &u8| matches!(octet, b'&' | b'<' | b'>' | b'"' | b'\'');
    text.len() + 5 * text.bytes().filter(|octet| escaped(octet)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::Domain;

    #[test]
    fn whatever_a_client_means_by_the_index_it_misses_nothing() {
        // csp-access 9.2: seven hits, five of which have been told.
        for (index, expected) in [
            (None, Some(6)),
            (Some(5), Some(6)),
            (Some(6), Some(6)),
            (Some(1), Some(1)),
            (Some(4), Some(4)),
            (Some(7), Some(7)),
            (Some(8), Some(8)),
            (Some(9), None),
            (Some(0), None),
            (Some(u32::MAX), None),
        ] {
            assert_eq!(first_hit(index, 5, 7), expected, "{index:?}");
        }
        // All has been told.
        assert_eq!(first_hit(Some(7), 7, 7), Some(8));
        assert_eq!(first_hit(None, 7, 7), Some(8));
    }

    #[test]
    fn a_page_has_the_usual_length_unless_the_client_says_another() {
        let config = SearchConfig::default();
        let page = |hits| PageSize { hits, octets: None };
        for (asked, before, expected) in [
            (None, None, 5),
            (Some(0), None, 5),
            (Some(1), None, 1),
            (Some(50), None, 50),
            (Some(51), None, 50),
            (Some(u32::MAX), None, 50),
            (None, Some(7), 7),
            (Some(3), Some(7), 3),
        ] {
            let (hits, _) = lengths(page(asked), before, &config);
            assert_eq!(hits, expected, "{asked:?} {before:?}");
        }
    }

    #[test]
    fn a_page_fits_into_the_clients_parser() {
        let home = Domain::parse("h").unwrap();
        let found = |name: &str| FoundUser {
            user: UserId::parse(name, &home).unwrap(),
            friendly_name: Some("A & B".into()),
        };
        // wv:a@h and the name with its ampersand escaped.
        let each = HIT + 6 + 10;
        for (octets, expected) in [
            (None, 3),
            (Some(0), 1),
            (Some(each), 1),
            (Some(2 * each - 1), 1),
            (Some(2 * each), 2),
            (Some(usize::MAX), 3),
        ] {
            let all = ["a", "b", "c"].map(found).to_vec();
            assert_eq!(fitting(all, octets).len(), expected, "{octets:?}");
        }
        assert!(fitting(Vec::new(), Some(10)).is_empty());
    }
}
