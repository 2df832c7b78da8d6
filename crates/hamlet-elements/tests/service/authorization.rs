//! Attribute lists, reactive authorization, and what subscribers see at once when either
//! changes (csp-presence 6).

use crate::common::*;
use hamlet_elements::authorization::{
    AttributeLists, AuthorizeWatcher, CancelAuthorization, CreateAttributeList,
    DeleteAttributeList, GetAttributeLists, GetReactiveAuthorizations, ReactiveShown, Rule,
    Unauthorized,
};
use hamlet_elements::contact_list::{DeleteContactList, ManageContactList};
use hamlet_elements::notification::{AuthorizationLevel, Notification};
use hamlet_elements::presence::{GetPresence, Targets};
use hamlet_elements::push::PushContent;
use hamlet_elements::{ElementsConfig, Event, Request, Requestor, Response};
use hamlet_model::UserId;
use hamlet_model::presence::{AttributeName as N, AttributeSet};
use std::sync::Arc;

const ALL: AttributeSet = AttributeSet::EMPTY;

fn set(names: &[N]) -> AttributeSet {
    names.iter().copied().collect()
}

/// What `watcher` gets when he asks for all of `publisher`.
async fn sees(server: &Server, watcher: &Requestor, publisher: &UserId) -> String {
    let request = Request::GetPresence(GetPresence {
        targets: users(&[publisher]),
        attributes: ALL,
    });
    match server.ask(watcher, request).await {
        Ok(Response::Presence(values)) => summary(&values.users[0].attributes),
        other => panic!("{other:?}"),
    }
}

async fn create(server: &Server, by: &Requestor, names: &[N], targets: Targets) -> String {
    let request = CreateAttributeList {
        attributes: Some(set(names)),
        targets,
        ..CreateAttributeList::default()
    };
    let answer = server.ask(by, Request::CreateAttributeList(request)).await;
    outcome(&answer)
}

async fn create_default(server: &Server, by: &Requestor, names: &[N]) {
    let request = CreateAttributeList {
        attributes: Some(set(names)),
        default: true,
        ..CreateAttributeList::default()
    };
    let answer = server.ask(by, Request::CreateAttributeList(request)).await;
    assert_eq!(outcome(&answer), "200");
}

async fn flags(server: &Server, by: &Requestor, request: CreateAttributeList) {
    let answer = server.ask(by, Request::CreateAttributeList(request)).await;
    assert_eq!(outcome(&answer), "200");
}

async fn delete(server: &Server, by: &Requestor, targets: Targets, default: bool) -> String {
    let request = DeleteAttributeList { targets, default };
    outcome(&server.ask(by, Request::DeleteAttributeList(request)).await)
}

async fn lists_of(server: &Server, by: &Requestor) -> AttributeLists {
    let request = GetAttributeLists {
        targets: Targets::default(),
        default: true,
    };
    match server.ask(by, Request::GetAttributeLists(request)).await {
        Ok(Response::AttributeLists(lists)) => lists,
        other => panic!("{other:?}"),
    }
}

async fn decide(
    server: &Server,
    by: &Requestor,
    watcher: &UserId,
    accept: bool,
    attributes: Option<AttributeSet>,
) -> String {
    let request = AuthorizeWatcher {
        watcher: watcher.clone(),
        accept,
        attributes,
    };
    outcome(&server.ask(by, Request::AuthorizeWatcher(request)).await)
}

async fn cancel(server: &Server, by: &Requestor, watcher: &UserId) -> String {
    let request = CancelAuthorization {
        watcher: watcher.clone(),
    };
    outcome(&server.ask(by, Request::CancelAuthorization(request)).await)
}

async fn states(server: &Server, by: &Requestor) -> Vec<(String, ReactiveShown, AttributeSet)> {
    let request = Request::GetReactiveAuthorizations(GetReactiveAuthorizations::default());
    match server.ask(by, request).await {
        Ok(Response::ReactiveAuthorizations(all)) => all
            .all
            .into_iter()
            .map(|one| (one.watcher.user().to_owned(), one.state, one.attributes))
            .collect(),
        other => panic!("{other:?}"),
    }
}

async fn watch(server: &Server, watcher: &Requestor, publisher: &UserId, names: &[N]) {
    let answer = server
        .subscribe(watcher, users(&[publisher]), set(names), false)
        .await;
    assert_eq!(outcome(&answer), "200");
}

/// The questions that wait for a user: watcher, level, who is asked or notified.
async fn questions(server: &Server, user: &UserId) -> Vec<String> {
    let (pushes, _) = server.elements.pushes(user).await.unwrap();
    let one = |content: &PushContent| match content {
        PushContent::Authorization(asked) => format!(
            "{} {:?}{}{}",
            asked.watcher.user(),
            asked.level,
            if asked.ask { " ask" } else { "" },
            if asked.notify { " notify" } else { "" }
        ),
        other => panic!("{other:?}"),
    };
    pushes.iter().map(|push| one(&push.content)).collect()
}

/// anna, who has published two texts, with bo and cy; nobody knows anybody.
async fn village() -> (Server, Requestor, Requestor, Requestor) {
    let server = Server::asking(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    let texts = vec![text(N::StatusText, "hi"), text(N::Alias, "Anna")];
    server.publish(&anna, texts).await.unwrap();
    (server, anna, bo, cy)
}

#[tokio::test]
async fn the_level_nearest_to_the_watcher_decides() {
    // 6.5, 7 rows 2 to 11; 18 item 4.
    let (server, anna, bo, cy) = village().await;
    server.make_list(&anna, "friends", &[&bo.user]).await;
    server.make_list(&anna, "work", &[&bo.user]).await;
    let (friends, work) = (list("wv:anna/friends"), list("wv:anna/work"));
    assert_eq!(sees(&server, &bo, &anna.user).await, "", "row 11");
    let own = "OnlineStatus=T CommCap StatusText=hi Alias=Anna";
    assert_eq!(sees(&server, &anna, &anna.user).await, own, "row 2");
    create_default(&server, &anna, &[N::OnlineStatus]).await;
    assert_eq!(sees(&server, &bo, &anna.user).await, "OnlineStatus=T", "9");
    assert_eq!(create(&server, &anna, &[], lists(&[&work])).await, "200");
    // A contact list with an empty attribute list prevents the default.
    assert_eq!(sees(&server, &bo, &anna.user).await, "", "8");
    assert_eq!(sees(&server, &cy, &anna.user).await, "OnlineStatus=T");
    let answer = create(&server, &anna, &[N::Alias], lists(&[&friends])).await;
    assert_eq!(answer, "200");
    assert_eq!(sees(&server, &bo, &anna.user).await, "Alias=Anna", "union");
    create(&server, &anna, &[N::StatusText], users(&[&bo.user])).await;
    assert_eq!(sees(&server, &bo, &anna.user).await, "StatusText=hi", "6");
    create(&server, &anna, &[], users(&[&bo.user])).await;
    assert_eq!(sees(&server, &bo, &anna.user).await, "", "5: a denial");
    // 6.3: deleted is not empty.
    assert_eq!(
        delete(&server, &anna, users(&[&bo.user]), false).await,
        "200"
    );
    assert_eq!(sees(&server, &bo, &anna.user).await, "Alias=Anna");
    delete(&server, &anna, lists(&[&friends, &work]), false).await;
    assert_eq!(sees(&server, &bo, &anna.user).await, "OnlineStatus=T");
    delete(&server, &anna, Targets::default(), true).await;
    assert_eq!(sees(&server, &bo, &anna.user).await, "");
}

#[tokio::test]
async fn attribute_lists_are_kept_told_and_checked() {
    // 6.2 to 6.4.
    let (server, anna, bo, _) = village().await;
    server.make_list(&anna, "friends", &[]).await;
    let friends = list("wv:anna/friends");
    assert_eq!(
        create(&server, &anna, &[N::Alias], Targets::default()).await,
        "400"
    );
    assert_eq!(
        delete(&server, &anna, Targets::default(), false).await,
        "400"
    );
    for (targets, expected) in [
        (users(&[&user("x")]), "531 531:wv:x@a"),
        (users(&[&user("x"), &bo.user]), "201 531:wv:x@a"),
        (users(&[&user("y@elsewhere")]), "200"),
        (lists(&[&list("wv:bo/friends")]), "700 700:wv:bo/friends@a"),
        (lists(&[&list("wv:anna/none")]), "700 700:wv:anna/none@a"),
        (lists(&[&friends]), "200"),
    ] {
        let made = create(&server, &anna, &[N::Alias], targets.clone()).await;
        assert_eq!(made, expected, "{targets:?}");
    }
    let rule = |names: &[N], notify| Rule {
        attributes: Some(set(names)),
        notify,
    };
    let none = Rule {
        attributes: None,
        notify: true,
    };
    let all = lists_of(&server, &anna).await;
    assert_eq!(
        all.default,
        Some(none),
        "6.5: nothing decided, wants to know"
    );
    let mut users_told: Vec<_> = all.users.iter().map(|(user, _)| user.as_str()).collect();
    users_told.sort_unstable();
    assert_eq!(users_told, ["wv:bo@a", "wv:y@elsewhere"]);
    assert_eq!(
        all.contact_lists,
        [(friends.clone(), rule(&[N::Alias], false))]
    );
    // Flags alone leave the sets as they are.
    let only_flags = CreateAttributeList {
        targets: users(&[&bo.user]),
        user_notify: Some(true),
        default_notify: Some(false),
        ..CreateAttributeList::default()
    };
    flags(&server, &anna, only_flags).await;
    let all = lists_of(&server, &anna).await;
    assert_eq!(all.default.map(|rule| rule.notify), Some(false));
    assert!(
        all.users
            .contains(&(bo.user.clone(), rule(&[N::Alias], true)))
    );
    // What is named and has no list is left out; what does not exist is told.
    let mut targets = users(&[&anna.user, &bo.user, &user("x")]);
    targets.contact_lists = vec![friends.clone(), list("wv:anna/none")];
    let request = GetAttributeLists {
        targets,
        default: false,
    };
    let answer = server.ask(&anna, Request::GetAttributeLists(request)).await;
    assert_eq!(outcome(&answer), "201 531:wv:x@a 700:wv:anna/none@a");
    let Ok(Response::AttributeLists(some)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(
        (some.default, some.users.len(), some.contact_lists.len()),
        (None, 1, 1)
    );
    // The default is not the same as none, and deleting it turns its flag off (6.3).
    create_default(&server, &anna, &[]).await;
    assert_eq!(
        lists_of(&server, &anna).await.default,
        Some(rule(&[], false))
    );
    delete(&server, &anna, Targets::default(), true).await;
    let gone = lists_of(&server, &anna).await.default;
    assert_eq!(gone.map(|rule| rule.attributes), Some(None));
    // 2.6: with the contact list goes its attribute list.
    let request = DeleteContactList { list: friends };
    server
        .ask(&anna, Request::DeleteContactList(request))
        .await
        .unwrap();
    assert!(lists_of(&server, &anna).await.contact_lists.is_empty());
}

#[tokio::test]
async fn there_may_be_only_so_many_lists_of_single_users() {
    // 2.9.
    let mut config = ElementsConfig::new(domain("a"));
    config.presence.max_attribute_lists = 1;
    let server = Server::with(config, &["anna", "bo", "cy"], Arc::new(NoRelay)).await;
    let anna = server.log_in("anna", "phone").await;
    let both = users(&[&user("bo"), &user("cy")]);
    let answer = create(&server, &anna, &[N::Alias], both).await;
    assert_eq!(answer, "201 755:wv:cy@a");
    assert_eq!(
        create(&server, &anna, &[], users(&[&user("bo")])).await,
        "200"
    );
    assert_eq!(decide(&server, &anna, &user("cy"), true, None).await, "755");
    delete(&server, &anna, users(&[&user("bo")]), false).await;
    assert_eq!(decide(&server, &anna, &user("cy"), true, None).await, "200");
}

#[tokio::test]
async fn a_change_shows_at_once_and_what_is_lost_is_said_once() {
    // 6.9; 18 item 6.
    let (server, anna, bo, _) = village().await;
    let names = [N::StatusText, N::Alias];
    watch(&server, &bo, &anna.user, &names).await;
    assert!(server.told_presence().is_empty(), "6.8: nothing to send");
    create(&server, &anna, &names, users(&[&bo.user])).await;
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "StatusText=hi Alias=Anna");
    create(&server, &anna, &[N::Alias], users(&[&bo.user])).await;
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "StatusText=? Alias=Anna");
    // Equal: nothing. Nor of what he does not see.
    create(&server, &anna, &[N::Alias, N::Address], users(&[&bo.user])).await;
    server
        .publish(&anna, vec![text(N::StatusText, "secret")])
        .await
        .unwrap();
    assert!(server.told_presence().is_empty());
    server
        .publish(&anna, vec![text(N::Alias, "Annie")])
        .await
        .unwrap();
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "Alias=Annie");
    assert_eq!(cancel(&server, &anna, &bo.user).await, "200");
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "Alias=?");
}

#[tokio::test]
async fn members_of_a_list_with_attributes_come_and_go() {
    // 6.9: membership, DeleteList; 16 D.
    let (server, anna, bo, _) = village().await;
    server.make_list(&anna, "friends", &[]).await;
    let friends = list("wv:anna/friends");
    create(&server, &anna, &[N::Alias], lists(&[&friends])).await;
    watch(&server, &bo, &anna.user, &[]).await;
    server.told.take();
    let change = |add: bool| {
        let (server, anna, bo) = (&server, &anna, &bo.user);
        async move {
            let (added, removed): (&[&UserId], &[&UserId]) = match add {
                true => (&[bo], &[]),
                false => (&[], &[bo]),
            };
            let changed = server.change_list(anna, "friends", added, removed).await;
            changed.unwrap();
        }
    };
    change(true).await;
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "Alias=Anna");
    change(false).await;
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "Alias=?");
    change(true).await;
    server.notification(&bo, &anna.user).await;
    let request = DeleteContactList { list: friends };
    let deleted = server.ask(&anna, Request::DeleteContactList(request)).await;
    assert_eq!(outcome(&deleted), "200");
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "Alias=?");
}

#[tokio::test]
async fn a_publisher_is_asked_once_and_his_answer_settles_it() {
    // 6.6; 18 item 9.
    let (server, anna, bo, _) = village().await;
    let names = [N::StatusText, N::Alias];
    watch(&server, &bo, &anna.user, &names[..1]).await;
    assert_eq!(
        questions(&server, &anna.user).await,
        ["bo Default ask notify"]
    );
    // Again, with more: still one question, about more.
    watch(&server, &bo, &anna.user, &names).await;
    assert_eq!(questions(&server, &anna.user).await.len(), 1);
    let pending = ("bo".to_owned(), ReactiveShown::Pending, set(&names));
    assert_eq!(states(&server, &anna).await, [pending]);
    server.told.take();
    assert_eq!(decide(&server, &anna, &bo.user, true, None).await, "200");
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "StatusText=hi Alias=Anna");
    assert!(questions(&server, &anna.user).await.is_empty());
    let removed = |event: &Event| {
        matches!(event, Event::PushRemoved { user, .. } if *user == anna.user).then_some(())
    };
    server.told.wait("removal of the question", removed).await;
    let granted = ("bo".to_owned(), ReactiveShown::Granted, set(&names));
    assert_eq!(states(&server, &anna).await, [granted]);
    // Partly; then not at all.
    let some = Some(set(&[N::Alias]));
    decide(&server, &anna, &bo.user, true, some).await;
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "StatusText=? Alias=Anna");
    decide(&server, &anna, &bo.user, false, None).await;
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "Alias=?");
    let denied = ("bo".to_owned(), ReactiveShown::Denied, AttributeSet::EMPTY);
    assert_eq!(states(&server, &anna).await, [denied]);
    watch(&server, &bo, &anna.user, &names).await;
    assert!(questions(&server, &anna.user).await.is_empty(), "denied");
    // Taken back, the next subscription asks anew.
    assert_eq!(cancel(&server, &anna, &bo.user).await, "200");
    assert!(states(&server, &anna).await.is_empty());
    watch(&server, &bo, &anna.user, &names).await;
    assert_eq!(questions(&server, &anna.user).await.len(), 1);
    assert_eq!(
        decide(&server, &anna, &user("x"), true, None).await,
        "531 531:wv:x@a"
    );
    assert_eq!(cancel(&server, &anna, &user("x")).await, "531 531:wv:x@a");
    // MOV-27: nothing to take back is no error.
    assert_eq!(cancel(&server, &anna, &user("cy")).await, "200");
}

#[tokio::test]
async fn an_attribute_list_answers_the_question_too() {
    // 6.2.
    let (server, anna, bo, cy) = village().await;
    watch(&server, &bo, &anna.user, &[]).await;
    watch(&server, &cy, &anna.user, &[]).await;
    create(&server, &anna, &[N::Alias], users(&[&bo.user])).await;
    create(&server, &anna, &[], users(&[&cy.user])).await;
    assert!(questions(&server, &anna.user).await.is_empty());
    let mut states = states(&server, &anna).await;
    states.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let granted = ("bo".to_owned(), ReactiveShown::Granted, set(&[N::Alias]));
    let denied = ("cy".to_owned(), ReactiveShown::Denied, AttributeSet::EMPTY);
    assert_eq!(states, [granted, denied]);
}

#[tokio::test]
async fn who_may_see_something_raises_no_question_but_a_notification_if_wanted() {
    // 6.6: only when nothing applies; 6.7.
    let (server, anna, bo, cy) = village().await;
    server.make_list(&anna, "friends", &[&cy.user]).await;
    let friends = list("wv:anna/friends");
    create(&server, &anna, &[N::Alias], users(&[&bo.user])).await;
    create(&server, &anna, &[N::Alias], lists(&[&friends])).await;
    watch(&server, &bo, &anna.user, &[N::StatusText]).await;
    watch(&server, &cy, &anna.user, &[N::StatusText]).await;
    assert!(
        questions(&server, &anna.user).await.is_empty(),
        "flags are F"
    );
    let wanted = CreateAttributeList {
        targets: Targets {
            users: vec![bo.user.clone()],
            contact_lists: vec![friends],
            ..Targets::default()
        },
        user_notify: Some(true),
        contact_list_notify: Some(true),
        ..CreateAttributeList::default()
    };
    flags(&server, &anna, wanted).await;
    watch(&server, &bo, &anna.user, &[N::StatusText, N::Alias]).await;
    watch(&server, &cy, &anna.user, &[N::StatusText]).await;
    let (level, list) = (AuthorizationLevel::User, AuthorizationLevel::ContactList);
    let expected = [
        format!("bo {level:?} notify"),
        format!("cy {list:?} notify"),
    ];
    assert_eq!(questions(&server, &anna.user).await, expected);
    // The same within a day is not told again; more is.
    watch(&server, &bo, &anna.user, &[N::StatusText]).await;
    assert_eq!(questions(&server, &anna.user).await, expected);
    watch(&server, &bo, &anna.user, &[N::StatusText, N::StatusMood]).await;
    let told = questions(&server, &anna.user).await;
    assert_eq!(told, [expected[1].clone(), expected[0].clone()]);
    // Enough is authorized: nothing is missing.
    watch(&server, &cy, &anna.user, &[N::Alias]).await;
    assert_eq!(questions(&server, &anna.user).await.len(), 2);
    // The default list decides for strangers.
    create_default(&server, &cy, &[]).await;
    watch(&server, &bo, &cy.user, &[]).await;
    assert_eq!(questions(&server, &cy.user).await, ["bo Default notify"]);
}

#[tokio::test]
async fn questions_and_decisions_outlive_the_server() {
    let (server, anna, bo, cy) = village().await;
    watch(&server, &bo, &anna.user, &[]).await;
    watch(&server, &cy, &anna.user, &[]).await;
    decide(&server, &anna, &cy.user, true, Some(set(&[N::Alias]))).await;
    let server = server.restart().await;
    assert_eq!(
        questions(&server, &anna.user).await,
        ["bo Default ask notify"]
    );
    assert_eq!(sees(&server, &cy, &anna.user).await, "Alias=Anna");
    assert_eq!(sees(&server, &bo, &anna.user).await, "");
    watch(&server, &bo, &anna.user, &[]).await;
    assert_eq!(questions(&server, &anna.user).await.len(), 1, "asked once");
    // And subscriptions of before follow decisions of now.
    decide(&server, &anna, &bo.user, true, Some(set(&[N::Alias]))).await;
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "Alias=Anna");
}

#[tokio::test]
async fn a_list_that_is_followed_asks_about_whom_it_gains() {
    // 4.4, 16 B.
    let (server, anna, bo, _) = village().await;
    server.make_list(&bo, "friends", &[]).await;
    let friends = lists(&[&list("wv:bo/friends")]);
    server.subscribe(&bo, friends, ALL, true).await.unwrap();
    server
        .change_list(&bo, "friends", &[&anna.user], &[])
        .await
        .unwrap();
    assert_eq!(
        questions(&server, &anna.user).await,
        ["bo Default ask notify"]
    );
    decide(&server, &anna, &bo.user, true, None).await;
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(
        summary(&told),
        "OnlineStatus=T CommCap StatusText=hi Alias=Anna"
    );
}

#[tokio::test]
async fn other_sessions_hear_of_changes_and_the_own_one_does_not() {
    // 6.7 AC; 12.
    let (server, anna, bo, _) = village().await;
    server.told.take();
    create(&server, &anna, &[N::Alias], users(&[&bo.user])).await;
    decide(&server, &anna, &bo.user, false, None).await;
    cancel(&server, &anna, &bo.user).await;
    cancel(&server, &anna, &bo.user).await;
    delete(&server, &anna, Targets::default(), true).await;
    let changes: Vec<_> = server
        .told
        .take()
        .into_iter()
        .filter_map(|event| match event {
            Event::Notification {
                user,
                except,
                notification: Notification::AuthorizationChanged { attributes, whom },
            } if user == anna.user && except == anna.session => {
                Some((attributes, whom.users.len(), whom.default))
            }
            _ => None,
        })
        .collect();
    let none = AttributeSet::EMPTY;
    let expected = [
        (set(&[N::Alias]), 1, false),
        (none, 1, false),
        (none, 1, false),
        (none, 0, true),
    ];
    assert_eq!(changes, expected, "the second CancelAuth changes nothing");
}

#[tokio::test]
async fn authorize_and_grant_lets_those_see_who_are_added() {
    // 2.7.
    let (server, anna, bo, cy) = village().await;
    server.make_list(&anna, "friends", &[]).await;
    let friends = list("wv:anna/friends");
    let add = |member_id: &UserId| {
        Request::ManageContactList(ManageContactList {
            add: vec![member(member_id)],
            authorize_and_grant: true,
            ..look(&friends)
        })
    };
    watch(&server, &bo, &anna.user, &[]).await;
    assert_eq!(questions(&server, &anna.user).await.len(), 1);
    server.ask(&anna, add(&bo.user)).await.unwrap();
    let usual = "OnlineStatus=T CommCap StatusText=hi Alias=Anna";
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), usual);
    assert!(questions(&server, &anna.user).await.is_empty());
    // What the default list says, if there is one.
    create_default(&server, &anna, &[N::Alias]).await;
    server.ask(&anna, add(&cy.user)).await.unwrap();
    create_default(&server, &anna, &[]).await;
    assert_eq!(sees(&server, &cy, &anna.user).await, "Alias=Anna");
    // What the list says, if it has attributes: then it is enough to be in it.
    delete(&server, &anna, users(&[&cy.user]), false).await;
    create(&server, &anna, &[N::StatusText], lists(&[&friends])).await;
    server.ask(&anna, add(&cy.user)).await.unwrap();
    assert_eq!(sees(&server, &cy, &anna.user).await, "StatusText=hi");
    let of_users = lists_of(&server, &anna).await.users;
    assert!(of_users.iter().all(|(user, _)| *user != cy.user));
    // A denial gives way.
    create(&server, &anna, &[], users(&[&cy.user])).await;
    server.ask(&anna, add(&cy.user)).await.unwrap();
    assert_eq!(sees(&server, &cy, &anna.user).await, "StatusText=hi");
}

#[tokio::test]
async fn the_operator_decides_about_those_who_have_decided_nothing() {
    // 7 row 11.
    for (policy, stranger, contact) in [
        (Unauthorized::Ask, "", ""),
        (Unauthorized::Contacts, "", "OnlineStatus=T CommCap"),
        (
            Unauthorized::Everyone,
            "OnlineStatus=T CommCap",
            "OnlineStatus=T CommCap",
        ),
    ] {
        let mut config = ElementsConfig::new(domain("a"));
        config.presence.unauthorized = policy;
        let server = Server::with(config, &["anna", "bo"], Arc::new(NoRelay)).await;
        let anna = server.log_in("anna", "phone").await;
        let bo = server.log_in("bo", "phone").await;
        assert_eq!(sees(&server, &bo, &anna.user).await, stranger, "{policy:?}");
        watch(&server, &bo, &anna.user, &[]).await;
        let asked = questions(&server, &anna.user).await.len();
        assert_eq!(asked, usize::from(stranger.is_empty()), "{policy:?}");
        server.make_list(&anna, "friends", &[&bo.user]).await;
        assert_eq!(sees(&server, &bo, &anna.user).await, contact, "{policy:?}");
        // A decision comes before it.
        create(&server, &anna, &[], users(&[&bo.user])).await;
        assert_eq!(sees(&server, &bo, &anna.user).await, "", "{policy:?}");
    }
}
