//! Searches, profiles and verification (csp-access 9, 11.1, 11.2).

use crate::common::{Server, among_contacts, domain, outcome, text, user};
use crate::relay::Net;
use hamlet_elements::profile::{GetPublicProfiles, UpdatePublicProfile};
use hamlet_elements::search::{
    ContinueSearch, Hits, NamedElement, Page, PageSize, Search, SearchElement, SearchPair,
};
use hamlet_elements::verify::VerifyIds;
use hamlet_elements::{Answer, Call, IdempotenceKey, Request, Requestor, Response};
use hamlet_model::presence::{Attribute, AttributeName, AttributeValue};
use hamlet_model::{Domain, ProfileField, UserId};
use std::sync::Arc;
use std::time::Duration;

fn search(pairs: &[(SearchElement, &str)], hits: u32) -> Request {
    let pairs = pairs.iter().map(|(element, string)| SearchPair {
        element: NamedElement::Known(*element),
        string: (*string).into(),
        id: None,
    });
    Request::Search(Box::new(Search {
        pairs: pairs.collect(),
        expression: None,
        page: PageSize {
            hits: Some(hits),
            octets: None,
        },
    }))
}

#[track_caller]
fn page(answer: Answer) -> Page {
    match answer {
        Ok(Response::SearchPage(page)) => page,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn names(answer: Answer) -> Vec<String> {
    match page(answer).hits {
        Hits::Users(users) => users
            .iter()
            .map(|found| found.user.user().to_owned())
            .collect(),
        Hits::Groups(groups) => panic!("{groups:?}"),
    }
}

async fn describe(server: &Server, name: &str, fields: &[(ProfileField, &str)]) {
    let user = UserId::parse(name, &server.domain).unwrap();
    let changes = fields
        .iter()
        .map(|(field, text)| (*field, (*text).to_owned()));
    server
        .elements
        .set_profile(&user, changes.collect())
        .await
        .unwrap();
}

#[tokio::test]
async fn who_hides_that_he_is_online_is_found_offline() {
    // csp-presence 3.3: he appears offline, and searches say what presence says.
    let server = Server::start(&["anna", "ben", "carl"]).await;
    let anna = server.log_in("anna", "pc").await;
    let ben = server.log_in("ben", "pc").await;
    server
        .make_list(&anna, "friends", &[&user("ben"), &user("carl")])
        .await;
    let ask = |state| {
        let pairs = [
            (SearchElement::UserId, "be"),
            (SearchElement::UserOnlineStatus, state),
        ];
        search(&pairs, 9)
    };
    assert_eq!(names(server.ask(&anna, ask("T")).await), ["ben"]);
    assert_eq!(names(server.ask(&anna, ask("F")).await), [""; 0]);
    let hidden = Attribute {
        name: AttributeName::OnlineStatus,
        qualifier: false,
        client: None,
        value: AttributeValue::None,
    };
    server.publish(&ben, vec![hidden]).await.unwrap();
    assert_eq!(names(server.ask(&anna, ask("T")).await), [""; 0]);
    assert_eq!(names(server.ask(&anna, ask("F")).await), ["ben"]);
}

#[tokio::test]
async fn a_published_alias_is_found() {
    let server = Server::start(&["anna", "ben"]).await;
    let ben = server.log_in("ben", "pc").await;
    server
        .publish(&ben, vec![text(AttributeName::Alias, "Benny")])
        .await
        .unwrap();
    let anna = server.log_in("anna", "pc").await;
    let ask = || search(&[(SearchElement::UserAlias, "enny")], 9);
    assert_eq!(names(server.ask(&anna, ask()).await), ["ben"]);
    let withdrawn = Attribute {
        qualifier: false,
        ..text(AttributeName::Alias, "Benny")
    };
    server.publish(&ben, vec![withdrawn]).await.unwrap();
    assert_eq!(names(server.ask(&anna, ask()).await), [""; 0]);
}

#[tokio::test]
async fn what_is_kept_goes_with_the_session() {
    let server = Server::start(&["anna", "anne", "annie"]).await;
    let anna = server.log_in("anna", "pc").await;
    let first = page(
        server
            .ask(&anna, search(&[(SearchElement::UserId, "ann")], 1))
            .await,
    );
    assert_eq!((first.findings, first.index, first.complete), (3, 1, false));
    let more = ContinueSearch {
        id: first.id.unwrap(),
        index: None,
        page: PageSize::default(),
    };
    let next = server
        .ask(&anna, Request::ContinueSearch(more.clone()))
        .await;
    assert_eq!(names(next), ["anne"]);
    server.log_out(&anna).await;
    let kept = anna.session.clone().unwrap();
    let kept = server
        .store
        .read(move |tx| tx.search_cursor(&kept, more.id));
    assert_eq!(kept.await, Ok(None));
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_given_up() {
    let mut config = among_contacts(domain("a"));
    config.search.time_limit = Duration::ZERO;
    let server = Server::with(config, &["anna"], Arc::new(crate::common::NoRelay)).await;
    let anna = server.log_in("anna", "pc").await;
    let answer = server
        .ask(&anna, search(&[(SearchElement::UserId, "ann")], 1))
        .await;
    assert_eq!(outcome(&answer), "535");
}

#[tokio::test]
async fn a_repeated_search_keeps_one() {
    let server = Server::start(&["anna", "anne"]).await;
    let anna = server.log_in("anna", "pc").await;
    let call = || Call {
        requestor: anna.clone(),
        request: search(&[(SearchElement::UserId, "ann")], 1),
        key: Some(IdempotenceKey {
            scope: "s".into(),
            id: "1 Search-Request".into(),
            hash: 1,
        }),
    };
    let first = page(server.elements.call(call()).await);
    assert_eq!(page(server.elements.call(call()).await), first);
}

#[tokio::test]
async fn users_of_other_domains_have_profiles_there_and_do_not_search_here() {
    // csp-access 11.1, 11.2; ssp 9.2.
    let net = Net::new();
    let (a, b): (Domain, Domain) = (domain("a"), domain("b"));
    let left = Server::with(among_contacts(a.clone()), &["anna"], net.relay(&a)).await;
    let right = Server::with(among_contacts(b.clone()), &["bo"], net.relay(&b)).await;
    net.join(&left);
    net.join(&right);
    let fields = [
        (ProfileField::City, "Turku"),
        (ProfileField::Mobile, "+3581"),
    ];
    describe(&right, "bo", &fields).await;
    let anna = left.log_in("anna", "pc").await;
    let at_b = |name: &str| UserId::parse(name, &b).unwrap();
    let get = Request::GetPublicProfiles(GetPublicProfiles {
        users: vec![at_b("bo"), at_b("nobody"), user("anna")],
        malformed: Vec::new(),
    });
    let Ok(Response::PublicProfiles(found)) = left.ask(&anna, get).await else {
        panic!("profiles");
    };
    let users: Vec<_> = found
        .profiles
        .iter()
        .map(|found| found.user.clone())
        .collect();
    assert_eq!(users, [at_b("bo"), user("anna")]);
    assert_eq!(found.profiles[0].profile.city.as_deref(), Some("Turku"));
    assert_eq!(found.profiles[0].profile.mobile, None, "not public");
    assert_eq!(found.details[0].users, [at_b("nobody")]);
    let verify = Request::VerifyIds(VerifyIds {
        users: vec![at_b("bo"), at_b("nobody"), user("anna")],
        domains: vec!["b".into(), "c".into()],
        ..VerifyIds::default()
    });
    let answer = left.ask(&anna, verify).await;
    assert_eq!(outcome(&answer), "201 531:wv:nobody@b 404:c");
    // Searching and writing are for one's own domain.
    let foreign = Requestor::user(at_b("bo"));
    for request in [
        search(&[(SearchElement::UserId, "ann")], 1),
        Request::UpdatePublicProfile(UpdatePublicProfile {
            user: None,
            clear: true,
            changes: Vec::new(),
            unknown: Vec::new(),
        }),
    ] {
        let call = Call {
            requestor: foreign.clone(),
            request,
            key: None,
        };
        let answer = left.elements.call_from_domain(&b, call).await;
        assert_eq!(outcome(&answer), "405");
    }
    // Nobody is asked for another's users.
    let call = Call {
        requestor: foreign,
        request: Request::VerifyIds(VerifyIds {
            users: vec![UserId::parse("x", &domain("c")).unwrap()],
            ..VerifyIds::default()
        }),
        key: None,
    };
    let answer = left.elements.call_from_domain(&b, call).await;
    assert_eq!(outcome(&answer), "516 516:wv:x@c");
}
