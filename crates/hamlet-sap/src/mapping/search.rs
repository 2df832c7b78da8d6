//! Search-Request, Search-Response, StopSearch-Request (csp-access 9; csp-messages 2.2.1, 7.3).

use super::Facts;
use super::result::text_of;
use hamlet_csp::elements::{
    GroupList, Primitive, SearchRequest, SearchResponse, SearchResult, StopSearchRequest, User,
    UserList,
};
use hamlet_csp::{Text, Version};
use hamlet_elements::Request;
use hamlet_elements::search::{
    ContinueSearch, Hits, NamedElement, Page, PageSize, Search, SearchElement, SearchPair,
    StopSearch,
};
use hamlet_model::{Refusal, StatusCode};

/// What a Search-Response takes beside its hits, octets, in the longer of the syntaxes: the
/// envelope with its namespaces, a long SessionID, and what surrounds the hits.
const AROUND: usize = 1024;

/// Reads either form: one with a SearchID continues. The pairs may stand in one list or in
/// several.
pub fn request(request: &SearchRequest) -> Result<Request, Refusal> {
    let page = PageSize {
        hits: request.search_limit,
        octets: None,
    };
    if let Some(id) = request.search_id {
        return Ok(Request::ContinueSearch(ContinueSearch {
            id,
            index: request.search_index,
            page,
        }));
    }
    let pairs = request.search_pair_list.iter().flat_map(|list| &list.pairs);
    let given = |text: &Text| !text.trim().is_empty();
    let expression = request
        .advanced_criteria
        .as_ref()
        .filter(|text| given(text));
    Ok(Request::Search(Box::new(Search {
        // A pair that does not say what it is about is none.
        pairs: pairs.filter_map(pair).collect(),
        expression: expression.map(ToString::to_string),
        page,
    })))
}

fn pair(pair: &hamlet_csp::elements::SearchPair) -> Option<SearchPair> {
    let name = pair.search_element.as_ref()?.as_str();
    let known = |element: &SearchElement| element.as_str().eq_ignore_ascii_case(name);
    let element = match SearchElement::ALL.iter().copied().find(known) {
        Some(element) => NamedElement::Known(element),
        None => NamedElement::Unknown(name.to_owned()),
    };
    Some(SearchPair {
        element,
        string: pair.search_string.as_deref().unwrap_or("").to_owned(),
        id: pair.pair_id,
    })
}

/// Whether it needs the function ADVSR.
pub fn is_advanced(request: &SearchRequest) -> bool {
    let criteria = request.advanced_criteria.as_ref();
    criteria.is_some_and(|text| !text.trim().is_empty())
}

/// Reads StopSearch-Request.
pub fn stop(request: &StopSearchRequest) -> Result<StopSearch, Refusal> {
    match request.search_id {
        Some(id) => Ok(StopSearch { id }),
        None => Err(Refusal::because(
            StatusCode::BAD_REQUEST,
            "SearchID is missing",
        )),
    }
}

/// Keeps the pages of a search within what a client can parse.
pub fn fit(request: &mut Request, parser_size: Option<u32>) {
    let page = match request {
        Request::Search(search) => &mut search.page,
        Request::ContinueSearch(search) => &mut search.page,
        _ => return,
    };
    page.octets = parser_size.map(|size| (size as usize).saturating_sub(AROUND));
}

/// Writes a page. SearchIndex is the number of the last hit delivered; S60 clients want it in
/// every response (csp-access 9.2), and it is at least 1 where there is none.
pub fn response(page: &Page, facts: &Facts<'_>) -> Primitive {
    let is_1_3 = facts.version == Version::V1_3;
    let result = match &page.hits {
        Hits::Users(users) if !users.is_empty() => Some(SearchResult {
            user_list: Some(UserList {
                user: users
                    .iter()
                    .map(|found| User {
                        user_id: Some(text_of(&found.user)),
                        friendly_name: found
                            .friendly_name
                            .as_deref()
                            .filter(|_| is_1_3)
                            .map(Text::new),
                        ..User::default()
                    })
                    .collect(),
                ..UserList::default()
            }),
            ..SearchResult::default()
        }),
        Hits::Groups(groups) if !groups.is_empty() => Some(SearchResult {
            group_list: Some(GroupList {
                group_id: groups.iter().map(text_of).collect(),
            }),
            ..SearchResult::default()
        }),
        // GroupList must not be empty, and nobody looks at a result without findings.
        Hits::Users(_) | Hits::Groups(_) => None,
    };
    let wants_index = !is_1_3 || page.findings > 0;
    Primitive::SearchResponse(Box::new(SearchResponse {
        search_id: page.id,
        search_findings: Some(page.findings),
        completion_flag: Some(page.complete),
        search_index: wants_index.then_some(page.index.max(1)),
        search_result: result,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::mapping::tests::{facts, home, user};
    use hamlet_csp::elements::{self, SearchPairList};
    use hamlet_elements::search::FoundUser;

    fn csp_pair(element: &str, string: Option<&str>, id: Option<u32>) -> elements::SearchPair {
        elements::SearchPair {
            search_element: Some(elements::SearchElement::parse(element.into())),
            search_string: string.map(Text::new),
            pair_id: id,
        }
    }

    #[test]
    fn pairs_are_read_from_one_list_and_from_several() {
        let pairs = [
            csp_pair("user_city", Some("Turku"), Some(1)),
            csp_pair("USER_ALIAS", None, None),
            elements::SearchPair::default(),
            csp_pair("USER_SHOE_SIZE", Some("42"), None),
        ];
        let one = vec![SearchPairList {
            pairs: pairs.to_vec(),
        }];
        let several = pairs
            .map(|pair| SearchPairList { pairs: vec![pair] })
            .to_vec();
        for search_pair_list in [one, several] {
            let read = request(&SearchRequest {
                search_pair_list,
                advanced_criteria: Some(" ".into()),
                search_limit: Some(7),
                ..SearchRequest::default()
            });
            let Ok(Request::Search(search)) = read else {
                panic!("{read:?}");
            };
            assert_eq!((search.page.hits, search.expression), (Some(7), None));
            let elements: Vec<_> = search.pairs.iter().map(|pair| &pair.element).collect();
            assert_eq!(
                elements,
                [
                    &NamedElement::Known(SearchElement::UserCity),
                    &NamedElement::Known(SearchElement::UserAlias),
                    &NamedElement::Unknown("USER_SHOE_SIZE".into()),
                ]
            );
            assert_eq!(
                (search.pairs[0].id, search.pairs[1].string.as_str()),
                (Some(1), "")
            );
        }
    }

    #[test]
    fn every_search_element_of_the_protocol_is_known() {
        for element in elements::SearchElement::ALL {
            let known = SearchElement::ALL
                .iter()
                .any(|known| known.as_str() == element.as_str());
            assert!(known, "{element:?}");
        }
    }

    #[test]
    fn a_request_with_a_search_id_goes_on() {
        let mut read = request(&SearchRequest {
            search_id: Some(9),
            search_index: Some(5),
            ..SearchRequest::default()
        })
        .unwrap();
        fit(&mut read, Some(5000));
        assert_eq!(
            read,
            Request::ContinueSearch(ContinueSearch {
                id: 9,
                index: Some(5),
                page: PageSize {
                    hits: None,
                    octets: Some(5000 - AROUND),
                },
            })
        );
    }

    #[test]
    fn responses_have_what_their_version_asks_for() {
        // csp-access 9.2: SearchIndex always in 1.1 and 1.2; FriendlyName in 1.3.
        let home = home();
        let hits = |count: usize| {
            let found = FoundUser {
                user: user("anna"),
                friendly_name: Some("Annie".into()),
            };
            Hits::Users(vec![found; count])
        };
        for (version, findings, index, name) in [
            (Version::V1_1, 1, Some(1), false),
            (Version::V1_2, 1, Some(1), false),
            (Version::V1_3, 1, Some(1), true),
            (Version::V1_1, 0, Some(1), false),
            (Version::V1_2, 0, Some(1), false),
            (Version::V1_3, 0, None, false),
        ] {
            let facts = facts(version, &home, ClientFamily::Standard);
            let page = Page {
                id: None,
                findings,
                index: findings,
                complete: true,
                hits: hits(findings as usize),
            };
            let Primitive::SearchResponse(response) = response(&page, &facts) else {
                panic!("a Search-Response");
            };
            assert_eq!(response.search_index, index, "{version} {findings}");
            let users = response.search_result.and_then(|result| result.user_list);
            assert_eq!(users.is_some(), findings > 0);
            let friendly = users.is_some_and(|list| list.user[0].friendly_name.is_some());
            assert_eq!(friendly, name);
        }
    }
}
