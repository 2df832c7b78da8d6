//! Subscriptions, and how they follow contact lists (csp-presence 4.3, 4.4, 4.6, 6.9).

use crate::common::*;
use hamlet_elements::contact_list::DeleteContactList;
use hamlet_elements::presence::{Targets, UnsubscribePresence};
use hamlet_elements::{Request, Requestor};
use hamlet_model::presence::{AttributeName as N, AttributeSet};
use hamlet_store::{Subscriber, Subscription};

const ALL: AttributeSet = AttributeSet::EMPTY;

async fn unsubscribe(server: &Server, requestor: &Requestor, targets: Targets) -> String {
    let request = UnsubscribePresence { targets };
    outcome(
        &server
            .ask(requestor, Request::UnsubscribePresence(request))
            .await,
    )
}

fn set(names: &[N]) -> AttributeSet {
    names.iter().copied().collect()
}

/// Publishes something new and answers who hears of it.
async fn who_hears(server: &Server, publisher: &Requestor, news: &str) -> String {
    server.told.take();
    let news = vec![text(N::StatusText, news)];
    let answer = server.publish(publisher, news).await;
    assert_eq!(outcome(&answer), "200");
    let told = server.told_presence();
    let mut heard: Vec<String> = told
        .into_iter()
        .filter(|(_, about)| *about == publisher.user)
        .map(|(session, _)| {
            let (name, _) = session.as_str().rsplit_once('/').unwrap();
            user(name).user().to_owned()
        })
        .collect();
    heard.sort_unstable();
    heard.join(" ")
}

#[tokio::test]
async fn targets_have_their_codes_and_authorization_is_no_part_of_the_answer() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    server.make_list(&anna, "friends", &[]).await;
    for (targets, expected) in [
        (Targets::default(), "400"),
        (users(&[&user("bo")]), "200"),
        (users(&[&user("y@elsewhere")]), "200"),
        (users(&[&user("x")]), "531 531:wv:x@a"),
        (users(&[&user("x"), &user("bo")]), "201 531:wv:x@a"),
        (lists(&[&list("wv:anna/friends")]), "200"),
        (lists(&[&list("wv:bo/friends")]), "700 700:wv:bo/friends@a"),
        (lists(&[&list("wv:anna/none")]), "700 700:wv:anna/none@a"),
    ] {
        let answer = server.subscribe(&anna, targets.clone(), ALL, true).await;
        assert_eq!(outcome(&answer), expected, "{targets:?}");
        assert_eq!(unsubscribe(&server, &anna, targets.clone()).await, expected);
    }
    assert!(server.told_presence().is_empty());
}

#[tokio::test]
async fn an_unseen_publisher_is_silent_until_a_list_joins_the_two() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&anna, "friends", &[]).await;
    server
        .subscribe(&bo, users(&[&anna.user]), ALL, false)
        .await
        .unwrap();
    assert!(who_hears(&server, &anna, "one").await.is_empty());
    server
        .change_list(&anna, "friends", &[&bo.user], &[])
        .await
        .unwrap();
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T CommCap StatusText=one");
    assert_eq!(who_hears(&server, &anna, "two").await, "bo");
    server
        .change_list(&anna, "friends", &[], &[&bo.user])
        .await
        .unwrap();
    let told = server.notification(&bo, &anna.user).await;
    assert_eq!(summary(&told), "OnlineStatus=? CommCap=? StatusText=?");
    assert!(who_hears(&server, &anna, "three").await.is_empty());
}

#[tokio::test]
async fn one_list_of_two_that_join_a_pair_is_enough() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&anna, "friends", &[&bo.user]).await;
    server.make_list(&bo, "friends", &[&anna.user]).await;
    server
        .subscribe(&bo, users(&[&anna.user]), ALL, false)
        .await
        .unwrap();
    server
        .change_list(&anna, "friends", &[], &[&bo.user])
        .await
        .unwrap();
    assert_eq!(who_hears(&server, &anna, "one").await, "bo");
    server
        .change_list(&bo, "friends", &[], &[&anna.user])
        .await
        .unwrap();
    assert!(who_hears(&server, &anna, "two").await.is_empty());
}

#[tokio::test]
async fn a_list_that_is_followed_subscribes_whom_it_gains_and_no_more_whom_it_loses() {
    let server = Server::start(&["anna", "bo", "cy", "di"]).await;
    let anna = server.log_in("anna", "phone").await;
    let other = server.log_in("anna", "desk").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    server.make_list(&anna, "friends", &[&bo.user]).await;
    let friends = lists(&[&list("wv:anna/friends")]);
    server
        .subscribe(&anna, friends.clone(), ALL, true)
        .await
        .unwrap();
    server.notification(&anna, &bo.user).await;
    // The list is changed by another session than the one that follows it.
    server
        .change_list(&other, "friends", &[&cy.user], &[])
        .await
        .unwrap();
    let told = server.notification(&anna, &cy.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T CommCap");
    assert_eq!(who_hears(&server, &cy, "one").await, "anna");
    server
        .change_list(&other, "friends", &[], &[&cy.user])
        .await
        .unwrap();
    assert!(who_hears(&server, &cy, "two").await.is_empty());
    assert_eq!(who_hears(&server, &bo, "one").await, "anna");
    // Subscribed again without AutoSubscribe, the list is frozen.
    server.subscribe(&anna, friends, ALL, false).await.unwrap();
    server
        .change_list(&anna, "friends", &[&cy.user], &[])
        .await
        .unwrap();
    assert!(who_hears(&server, &cy, "three").await.is_empty());
}

#[tokio::test]
async fn a_member_stays_subscribed_through_another_list_or_by_name() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    for name in ["one", "two"] {
        server.make_list(&anna, name, &[&bo.user]).await;
    }
    let both = lists(&[&list("wv:anna/one"), &list("wv:anna/two")]);
    server.subscribe(&anna, both, ALL, true).await.unwrap();
    server
        .change_list(&anna, "one", &[], &[&bo.user])
        .await
        .unwrap();
    assert_eq!(who_hears(&server, &bo, "one").await, "anna");
    server
        .subscribe(&anna, users(&[&bo.user]), ALL, false)
        .await
        .unwrap();
    let delete = DeleteContactList {
        list: list("wv:anna/two"),
    };
    // The pair shares no list any more once the last is gone, so bo keeps one.
    server.make_list(&bo, "friends", &[&anna.user]).await;
    server
        .ask(&anna, Request::DeleteContactList(delete))
        .await
        .unwrap();
    assert_eq!(who_hears(&server, &bo, "two").await, "anna");
    assert_eq!(unsubscribe(&server, &anna, users(&[&bo.user])).await, "200");
    assert!(who_hears(&server, &bo, "three").await.is_empty());
}

#[tokio::test]
async fn a_deleted_list_stands_for_nobody() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&anna, "friends", &[&bo.user]).await;
    server.make_list(&bo, "friends", &[&anna.user]).await;
    for follow in [true, false] {
        let friends = lists(&[&list("wv:anna/friends")]);
        server.subscribe(&anna, friends, ALL, follow).await.unwrap();
        let heard = who_hears(&server, &bo, &format!("{follow} 1")).await;
        assert_eq!(heard, "anna");
        let delete = DeleteContactList {
            list: list("wv:anna/friends"),
        };
        server
            .ask(&anna, Request::DeleteContactList(delete))
            .await
            .unwrap();
        let heard = who_hears(&server, &bo, &format!("{follow} 2")).await;
        assert!(heard.is_empty());
        server.make_list(&anna, "friends", &[&bo.user]).await;
        let heard = who_hears(&server, &bo, &format!("{follow} 3")).await;
        assert!(heard.is_empty());
    }
}

#[tokio::test]
async fn a_later_subscription_replaces_the_set_and_sources_add_up() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&anna, "friends", &[&bo.user]).await;
    let attributes = vec![text(N::StatusText, "hi"), text(N::Alias, "Bo")];
    server.publish(&bo, attributes).await.unwrap();
    let friends = || lists(&[&list("wv:anna/friends")]);
    let by_name = || users(&[&bo.user]);
    for (targets, names, expected) in [
        (by_name(), &[N::Alias][..], "Alias=Bo"),
        (by_name(), &[N::StatusText][..], "StatusText=hi"),
        (
            friends(),
            &[N::OnlineStatus][..],
            "OnlineStatus=T StatusText=hi",
        ),
        (
            by_name(),
            &[][..],
            "OnlineStatus=T CommCap StatusText=hi Alias=Bo",
        ),
    ] {
        server
            .subscribe(&anna, targets, set(names), false)
            .await
            .unwrap();
        let told = server.notification(&anna, &bo.user).await;
        assert_eq!(summary(&told), expected);
    }
    // The list stands for its members however they were subscribed.
    assert_eq!(unsubscribe(&server, &anna, friends()).await, "200");
    assert!(who_hears(&server, &bo, "ho").await.is_empty());
}

#[tokio::test]
async fn oneself_may_be_watched_from_another_session() {
    let server = Server::start(&["anna"]).await;
    let phone = server.log_in("anna", "phone").await;
    let desk = server.log_in("anna", "desk").await;
    server
        .subscribe(&desk, users(&[&phone.user]), ALL, false)
        .await
        .unwrap();
    server.notification(&desk, &phone.user).await;
    server
        .publish(&phone, vec![text(N::Alias, "Anna")])
        .await
        .unwrap();
    let told = server.notification(&desk, &phone.user).await;
    let expected = "OnlineStatus=T OnlineStatus=T CommCap CommCap Alias=Anna";
    assert_eq!(summary(&told), expected);
}

#[tokio::test]
async fn subscriptions_live_as_long_as_their_session_and_longer_than_the_process() {
    let server = Server::start(&["anna", "bo", "cy"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    let cy = server.log_in("cy", "phone").await;
    server.make_list(&anna, "friends", &[&bo.user]).await;
    let friends = lists(&[&list("wv:anna/friends")]);
    server.subscribe(&anna, friends, ALL, true).await.unwrap();
    let server = server.restart().await;
    server
        .elements
        .session_restored(&server.facts("anna", "phone"))
        .await
        .unwrap();
    assert_eq!(who_hears(&server, &bo, "one").await, "anna");
    server
        .change_list(&anna, "friends", &[&cy.user], &[])
        .await
        .unwrap();
    assert_eq!(who_hears(&server, &cy, "one").await, "anna");
    server.log_out(&anna).await;
    assert!(who_hears(&server, &bo, "two").await.is_empty());
    let server = server.restart().await;
    assert!(who_hears(&server, &bo, "three").await.is_empty());
}

#[tokio::test]
async fn what_a_killed_process_left_of_an_ended_session_is_removed_at_start() {
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "phone").await;
    let bo = server.log_in("bo", "phone").await;
    server.make_list(&anna, "friends", &[&bo.user]).await;
    let friends = lists(&[&list("wv:anna/friends")]);
    server.subscribe(&anna, friends, ALL, true).await.unwrap();
    let id = anna.session.clone().unwrap();
    let ended = server
        .store
        .write(move |tx| tx.end_session(&id, 600, hamlet_model::Timestamp::now()));
    ended.await.unwrap();
    let server = server.restart().await;
    assert!(who_hears(&server, &bo, "one").await.is_empty());
    let left = server.store.read(|tx| {
        let mut count = tx.all_auto_subscriptions()?.len();
        tx.all_subscriptions(|_| count += 1)?;
        Ok(count)
    });
    assert_eq!(left.await.unwrap(), 0);
}

#[tokio::test]
async fn a_hundred_thousand_subscriptions_are_restored() {
    let server = Server::start(&["anna"]).await;
    let anna = server.log_in("anna", "phone").await;
    let (mut members, mut sessions, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for watcher in 0..200 {
        let facts = server.facts(&format!("w{watcher}"), "phone");
        sessions.push(hamlet_store::StoredSession {
            id: facts.id.clone(),
            user: facts.user.clone(),
            client: facts.client.clone(),
            application: None,
            data: Vec::new(),
            created: hamlet_model::Timestamp::now(),
            expires: hamlet_model::Timestamp::now(),
        });
        members.push(facts.user.clone());
        let publishers = (0..499).map(|publisher| user(&format!("p{publisher}")));
        rows.extend(
            publishers
                .chain([anna.user.clone()])
                .map(|publisher| Subscription {
                    subscriber: Subscriber::Session {
                        id: facts.id.clone(),
                        user: facts.user.clone(),
                    },
                    publisher,
                    attributes: AttributeSet::ALL,
                    via: None,
                }),
        );
    }
    let done = server.store.write(move |tx| {
        tx.put_subscriptions(&rows)?;
        sessions
            .iter()
            .try_for_each(|session| tx.put_session(session))
    });
    done.await.unwrap();
    let listed = server.store.write(move |tx| {
        let id = list("wv:anna/friends");
        tx.create_contact_list(&hamlet_store::ContactList {
            id: id.clone(),
            display_name: None,
            do_not_notify: false,
            default: true,
        })?;
        members.iter().try_for_each(|user| {
            tx.put_member(
                &id,
                &hamlet_store::Member {
                    user: user.clone(),
                    nickname: None,
                },
            )
        })
    });
    listed.await.unwrap();
    let server = server.restart().await;
    let heard = who_hears(&server, &anna, "hi").await;
    assert_eq!(heard.split(' ').count(), 200);
}
