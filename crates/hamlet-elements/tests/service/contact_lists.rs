//! Contact lists (csp-presence 2).

use crate::common::*;
use hamlet_elements::contact_list::{
    ContactListConfig, CreateContactList, DeleteContactList, ManageContactList, Managed, Member,
    PropertyChanges,
};
use hamlet_elements::{Answer, Call, ElementsConfig, IdempotenceKey, Request, Requestor, Response};
use hamlet_model::ContactListId;
use std::sync::Arc;

async fn lists_of(server: &Server, requestor: &Requestor) -> (Vec<String>, Option<String>) {
    match server.ask(requestor, Request::GetContactLists).await {
        Ok(Response::ContactLists(lists)) => (
            lists.others.iter().map(|id| id.name().to_owned()).collect(),
            lists.default.map(|id| id.name().to_owned()),
        ),
        other => panic!("{other:?}"),
    }
}

fn managed(answer: &Answer) -> &Managed {
    match answer {
        Ok(Response::ContactList(managed)) => managed,
        other => panic!("{other:?}"),
    }
}

fn new_list(id: &ContactListId) -> CreateContactList {
    CreateContactList {
        list: id.clone(),
        members: Vec::new(),
        malformed: Vec::new(),
        properties: PropertyChanges::default(),
    }
}

async fn read(server: &Server, requestor: &Requestor, id: &ContactListId) -> Managed {
    let answer = server
        .ask(requestor, Request::ManageContactList(look(id)))
        .await;
    managed(&answer).clone()
}

#[tokio::test]
async fn there_is_one_default_list_as_soon_as_there_is_a_list() {
    let server = Server::start(&["anna"]).await;
    let anna = server.log_in("anna", "phone").await;
    assert_eq!(lists_of(&server, &anna).await, (vec![], None));
    for name in ["one", "two", "three"] {
        server.make_list(&anna, name, &[]).await;
    }
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let one = Some("one".to_owned());
    assert_eq!(
        lists_of(&server, &anna).await,
        (names(&["two", "three"]), one)
    );
    // Default=F on the default list means nothing, Default=T moves it.
    for (name, value, default) in [("one", false, "one"), ("three", true, "three")] {
        let request = ManageContactList {
            properties: PropertyChanges {
                default: Some(value),
                ..PropertyChanges::default()
            },
            ..look(&ContactListId::of(&anna.user, name).unwrap())
        };
        let answer = server.ask(&anna, Request::ManageContactList(request)).await;
        assert_eq!(outcome(&answer), "200");
        assert!(managed(&answer).properties.default);
        assert_eq!(lists_of(&server, &anna).await.1.as_deref(), Some(default));
    }
    // The oldest that remains takes the place of a deleted default list.
    for (gone, default) in [("three", Some("one")), ("one", Some("two")), ("two", None)] {
        let list = ContactListId::of(&anna.user, gone).unwrap();
        let request = Request::DeleteContactList(DeleteContactList { list });
        assert_eq!(outcome(&server.ask(&anna, request.clone()).await), "200");
        assert_eq!(outcome(&server.ask(&anna, request).await), "700");
        assert_eq!(lists_of(&server, &anna).await.1.as_deref(), default);
    }
}

#[tokio::test]
async fn a_list_is_made_only_for_oneself_and_only_once() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let long = format!("wv:anna/{}", "x".repeat(65));
    for (id, expected) in [
        ("wv:anna/work", "200"),
        ("wv:Anna/WORK", "701"),
        ("wv:bo/work", "403"),
        ("wv:anna/work@b", "403"),
        (&long, "402"),
        ("wv:anna/~PEP1.0_privatelist", "200"),
    ] {
        let request = Request::CreateContactList(new_list(&list(id)));
        let answer = server.ask(&anna, request).await;
        assert_eq!(outcome(&answer), expected, "{id}");
    }
}

#[tokio::test]
async fn a_list_is_made_even_if_all_its_members_are_unknown() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let request = CreateContactList {
        members: vec![member(&user("x"))],
        malformed: vec!["b c".into()],
        properties: PropertyChanges {
            invalid: vec!["Colour".into()],
            ..PropertyChanges::default()
        },
        ..new_list(&list("wv:anna/work"))
    };
    let answer = server.ask(&anna, Request::CreateContactList(request)).await;
    assert_eq!(outcome(&answer), "201 531:wv:x@a,b c 752:");
    let work = read(&server, &anna, &list("wv:anna/work")).await;
    assert!(work.members.is_empty());
    assert_eq!(work.properties.display_name, "work");
}

#[tokio::test]
async fn members_are_added_renamed_and_removed() {
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let work = list("wv:anna/work");
    server.make_list(&anna, "work", &[&user("bo")]).await;
    let named = |name: &str, nickname: &str| Member {
        user: user(name),
        nickname: Some(nickname.into()),
    };
    let request = ManageContactList {
        add: vec![named("bo", "Bobo"), named("cy@b", "Cy"), named("x", "X")],
        remove: vec![user("nobody")],
        malformed: vec!["b c".into()],
        ..look(&work)
    };
    let answer = server.ask(&anna, Request::ManageContactList(request)).await;
    assert_eq!(outcome(&answer), "201 531:wv:x@a,b c");
    let members = vec![named("bo", "Bobo"), named("cy@b", "Cy")];
    assert_eq!(managed(&answer).members, members);
    assert_eq!(read(&server, &anna, &work).await.members, members);
    // What fails wholly has the one code.
    let answer = server.change_list(&anna, "work", &[&user("x")], &[]).await;
    assert_eq!(outcome(&answer), "531 531:wv:x@a");
    // To remove twice is no error.
    for _ in 0..2 {
        let answer = server.change_list(&anna, "work", &[], &[&user("bo")]).await;
        assert_eq!(outcome(&answer), "200");
        assert_eq!(managed(&answer).members, members[1..]);
    }
    // In one request members are removed before they are added.
    let bo = user("bo");
    let answer = server.change_list(&anna, "work", &[&bo], &[&bo]).await;
    assert_eq!(managed(&answer).members.len(), 2);
}

#[tokio::test]
async fn nobody_reads_or_changes_the_list_of_another() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&bo, "work", &[]).await;
    for id in ["wv:bo/work", "wv:anna/none"] {
        let id = list(id);
        let delete = DeleteContactList { list: id.clone() };
        for request in [
            Request::ManageContactList(look(&id)),
            Request::ManageContactList(ManageContactList {
                add: vec![member(&user("anna"))],
                ..look(&id)
            }),
            Request::DeleteContactList(delete),
        ] {
            let answer = server.ask(&anna, request.clone()).await;
            assert_eq!(outcome(&answer), "700", "{request:?}");
        }
    }
    assert!(
        read(&server, &bo, &list("wv:bo/work"))
            .await
            .members
            .is_empty()
    );
}

#[tokio::test]
async fn limits_answer_753_754_702_and_752() {
    let config = ElementsConfig {
        contact_lists: ContactListConfig {
            max_lists: 3,
            max_members: 2,
            max_contacts: 3,
            max_name: 4,
        },
        ..among_contacts(domain("a"))
    };
    let names = ["anna", "bo", "cy", "di"];
    let server = Server::with(config, &names, Arc::new(NoRelay)).await;
    let anna = server.log_in("anna", "phone").await;
    let (bo, cy, di) = (user("bo"), user("cy"), user("di"));
    server.make_list(&anna, "one", &[&bo, &cy]).await;
    server.make_list(&anna, "two", &[]).await;
    let answer = server.change_list(&anna, "one", &[&di], &[]).await;
    assert_eq!(outcome(&answer), "754 754:wv:di@a");
    // One who is in the list already does not count again.
    let answer = server.change_list(&anna, "one", &[&bo], &[]).await;
    assert_eq!(outcome(&answer), "200");
    let answer = server.change_list(&anna, "two", &[&bo, &cy], &[]).await;
    assert_eq!(outcome(&answer), "201 754:wv:cy@a");
    let request = ManageContactList {
        add: vec![Member {
            user: bo.clone(),
            nickname: Some("Bobby".into()),
        }],
        properties: PropertyChanges {
            display_name: Some("Many words".into()),
            do_not_notify: Some(true),
            ..PropertyChanges::default()
        },
        ..look(&list("wv:anna/two"))
    };
    let answer = server.ask(&anna, Request::ManageContactList(request)).await;
    assert_eq!(outcome(&answer), "201 702:wv:bo@a 752:");
    assert!(managed(&answer).properties.do_not_notify);
    server.make_list(&anna, "three", &[]).await;
    let request = Request::CreateContactList(new_list(&list("wv:anna/four")));
    assert_eq!(outcome(&server.ask(&anna, request).await), "753");
}

#[tokio::test]
async fn a_repeated_creation_is_answered_as_the_first() {
    let server = Server::start(&["anna"]).await;
    let anna = server.log_in("anna", "phone").await;
    let call = |request| Call {
        requestor: anna.clone(),
        request,
        key: Some(IdempotenceKey {
            scope: "session".into(),
            id: "1".into(),
            hash: 1,
        }),
    };
    let request = Request::CreateContactList(new_list(&list("wv:anna/work")));
    let first = server.elements.call(call(request.clone())).await;
    assert_eq!(outcome(&first), "200");
    assert_eq!(server.elements.call(call(request)).await, first);
}

#[tokio::test]
async fn an_account_begins_with_a_list_of_friends() {
    let server = Server::start(&["anna"]).await;
    let anna = server.log_in("anna", "phone").await;
    for _ in 0..2 {
        server.elements.provision(&anna.user).await.unwrap();
    }
    let friends = Some("friends".to_owned());
    assert_eq!(lists_of(&server, &anna).await, (vec![], friends));
}
