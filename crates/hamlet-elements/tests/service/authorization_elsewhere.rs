//! Authorization between domains (csp-presence 10, 6.9): the publisher's domain decides, also
//! where it is not his home (architecture document B.7, Figure 6).

use crate::common::*;
use crate::relay::{Net, drained};
use hamlet_elements::authorization::{AskPublisher, AuthorizationAsked, AuthorizeWatcher};
use hamlet_elements::notification::{AuthorizationLevel, Notification};
use hamlet_elements::presence::GetWatchers;
use hamlet_elements::push::{Push, PushContent};
use hamlet_elements::{
    Call, ElementsConfig, Event, PresenceHome, Request, Requestor, Response, ServiceRelay,
};
use hamlet_model::UserId;
use hamlet_model::presence::{AttributeName as N, AttributeSet};
use std::sync::Arc;

const ALL: AttributeSet = AttributeSet::EMPTY;

/// Domain `a` of alice and domain `b` of bob, with these configurations.
async fn two(net: &Arc<Net>, a: ElementsConfig, b: ElementsConfig) -> (Server, Server) {
    let relay = |config: &ElementsConfig| -> Arc<dyn ServiceRelay> { net.relay(&config.domain) };
    let (to_b, to_a) = (relay(&a), relay(&b));
    let a = Server::with(a, &["alice"], to_b).await;
    let b = Server::with(b, &["bob"], to_a).await;
    net.join(&a);
    net.join(&b);
    (a, b)
}

async fn decide(server: &Server, by: &Requestor, watcher: &UserId, names: Option<&[N]>) -> String {
    let request = AuthorizeWatcher {
        watcher: watcher.clone(),
        accept: names.is_some(),
        attributes: names.map(|names| names.iter().copied().collect()),
    };
    outcome(&server.ask(by, Request::AuthorizeWatcher(request)).await)
}

/// Waits for a question to a user.
async fn question(server: &Server, user: &UserId) -> Arc<Push> {
    let is_for = |event: &Event| match event {
        Event::Push(pushed) if pushed.user == *user => Some(pushed.push.clone()),
        _ => None,
    };
    server.told.wait("question", is_for).await
}

#[tokio::test]
async fn a_publisher_is_asked_about_a_watcher_of_another_domain() {
    let net = Net::new();
    let home = ElementsConfig::new(domain("a"));
    let (a, b) = two(&net, home, ElementsConfig::new(domain("b"))).await;
    let alice = a.log_in("alice", "phone").await;
    let bob = b.log_in("bob", "phone").await;
    let texts = vec![text(N::StatusText, "hi"), text(N::Alias, "Alice")];
    a.publish(&alice, texts).await.unwrap();
    let names: AttributeSet = [N::StatusText, N::Alias].into_iter().collect();
    b.subscribe(&bob, users(&[&alice.user]), names, false)
        .await
        .unwrap();
    let push = question(&a, &alice.user).await;
    let PushContent::Authorization(asked) = &push.content else {
        panic!("{push:?}");
    };
    assert_eq!((&asked.watcher, asked.ask), (&bob.user, true));
    assert_eq!(asked.attributes, names);
    assert_eq!(decide(&a, &alice, &bob.user, Some(&[])).await, "200");
    let told = b.notification(&bob, &alice.user).await;
    assert_eq!(summary(&told), "StatusText=hi Alias=Alice");
    // What he sees may be said twice: once for the subscription, once for the decision.
    drained(&a).await;
    b.told.take();
    // Less: what is lost is said; then silence about it.
    decide(&a, &alice, &bob.user, Some(&[N::Alias])).await;
    let told = b.notification(&bob, &alice.user).await;
    assert_eq!(summary(&told), "StatusText=? Alias=Alice");
    drained(&a).await;
    b.told.take();
    a.publish(&alice, vec![text(N::StatusText, "secret")])
        .await
        .unwrap();
    decide(&a, &alice, &bob.user, None).await;
    let told = b.notification(&bob, &alice.user).await;
    assert_eq!(summary(&told), "Alias=?");
    drained(&a).await;
    // She sees who watches.
    let request = Request::GetWatchers(GetWatchers::default());
    let Ok(Response::Watchers(all)) = a.ask(&alice, request).await else {
        panic!("no watchers");
    };
    assert_eq!(all.watchers.len(), 1);
    assert_eq!(
        (&all.watchers[0].user, &all.watchers[0].name),
        (&bob.user, &None)
    );
}

#[tokio::test]
async fn a_loss_survives_a_restart_of_the_watcher_s_domain() {
    // 6.9: it is said by the publisher's domain, whatever the other remembers.
    let net = Net::new();
    let home = ElementsConfig::new(domain("a"));
    let there = ElementsConfig::new(domain("b"));
    let (a, b) = two(&net, home, there.clone()).await;
    let alice = a.log_in("alice", "phone").await;
    let bob = b.log_in("bob", "phone").await;
    a.publish(&alice, vec![text(N::Alias, "Alice")])
        .await
        .unwrap();
    decide(&a, &alice, &bob.user, Some(&[N::Alias])).await;
    b.subscribe(&bob, users(&[&alice.user]), ALL, false)
        .await
        .unwrap();
    b.notification(&bob, &alice.user).await;
    drained(&a).await;
    let b = b.restart_with(there, net.relay(&domain("b"))).await;
    net.join(&b);
    decide(&a, &alice, &bob.user, None).await;
    let told = b.notification(&bob, &alice.user).await;
    assert_eq!(summary(&told), "Alias=?");
}

/// Figure 6: the presence element of alice's domain is `b`.
fn complementary() -> (ElementsConfig, ElementsConfig) {
    let a = ElementsConfig {
        presence_home: PresenceHome::At(domain("b")),
        ..ElementsConfig::new(domain("a"))
    };
    let b = ElementsConfig {
        serves_presence_of: vec![domain("a")],
        ..ElementsConfig::new(domain("b"))
    };
    (a, b)
}

#[tokio::test]
async fn where_presence_is_kept_elsewhere_the_question_comes_home_and_the_decision_goes_there() {
    let net = Net::new();
    let (a, b) = complementary();
    let (a, b) = two(&net, a, b).await;
    let alice = a.log_in("alice", "phone").await;
    let bob = b.log_in("bob", "phone").await;
    drained(&a).await;
    b.subscribe(&bob, users(&[&alice.user]), ALL, false)
        .await
        .unwrap();
    let push = question(&a, &alice.user).await;
    let (waiting, _) = a.elements.pushes(&alice.user).await.unwrap();
    assert_eq!(waiting, [push], "durable at home");
    assert_eq!(decide(&a, &alice, &bob.user, Some(&[])).await, "200");
    let told = b.notification(&bob, &alice.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T CommCap");
    // Her other sessions hear of it at home.
    let changed = |event: &Event| match event {
        Event::Notification {
            user,
            except,
            notification: Notification::AuthorizationChanged { whom, .. },
        } if *user == alice.user && *except == alice.session => Some(whom.users.clone()),
        _ => None,
    };
    let whom = a.told.wait("notice of the change", changed).await;
    assert_eq!(whom, [bob.user]);
}

#[tokio::test]
async fn only_the_home_of_presence_may_ask_a_publisher() {
    let net = Net::new();
    let home = ElementsConfig::new(domain("a"));
    let (a, _b) = two(&net, home, ElementsConfig::new(domain("b"))).await;
    let (alice, bob) = (user("alice"), user("bob@b"));
    let asked = AuthorizationAsked {
        watcher: bob.clone(),
        attributes: AttributeSet::ALL,
        level: AuthorizationLevel::Default,
        contact_lists: Vec::new(),
        ask: true,
        notify: true,
    };
    let request = Request::AskPublisher(Box::new(AskPublisher {
        publisher: alice.clone(),
        asked,
    }));
    for requestor in [&alice, &bob] {
        let call = Call {
            requestor: Requestor::user(requestor.clone()),
            request: request.clone(),
            key: None,
        };
        let answer = a.elements.call_from_domain(&domain("b"), call).await;
        assert_eq!(outcome(&answer), "901", "{requestor}");
    }
    let (waiting, _) = a.elements.pushes(&alice).await.unwrap();
    assert!(waiting.is_empty());
}
