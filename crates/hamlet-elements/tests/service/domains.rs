//! Two domains, joined by a relay (csp-im 5.3 item 10, 8; csp-presence 10; architecture
//! document B.7, Figures 5 and 6).

use crate::common::*;
use crate::relay::{Faults, Net, drained};
use hamlet_elements::im::{DeliverMessage, DeliveryReport, ImConfig};
use hamlet_elements::presence::{GetPresence, PresenceNotification, UnsubscribePresence};
use hamlet_elements::{Call, ElementsConfig, Event, PresenceHome, Request, Requestor, Response};
use hamlet_model::presence::{AttributeName as N, AttributeSet};
use hamlet_model::{Message, MessageId, MessageParty, Recipients, StatusCode, Timestamp, UserId};
use std::sync::Arc;
use std::time::Duration;

const ALL: AttributeSet = AttributeSet::EMPTY;

/// `alice` of domain `a` and `bob` of domain `b`.
pub async fn two(net: &Arc<Net>) -> (Server, Server) {
    let config = among_contacts(domain("a"));
    two_with(net, config, among_contacts(domain("b"))).await
}

async fn two_with(net: &Arc<Net>, a: ElementsConfig, b: ElementsConfig) -> (Server, Server) {
    let a_relay = net.relay(&a.domain);
    let b_relay = net.relay(&b.domain);
    let a = Server::with(a, &["alice", "carl"], a_relay).await;
    let b = Server::with(b, &["bob", "bert"], b_relay).await;
    net.join(&a);
    net.join(&b);
    (a, b)
}

/// Nothing is on the way any more, and what has been told so far is forgotten: what a user sees
/// may be said twice when it was asked for at the same time.
async fn quiet(a: &Server, b: &Server) {
    for server in [a, b] {
        drained(server).await;
    }
    for server in [a, b] {
        server.told.take();
    }
}

/// Waits for a mailbox entry of a user and returns its text or report.
async fn arrival(server: &Server, user: &UserId) -> String {
    let item = server
        .told
        .wait("mailbox entry", |event| match event {
            Event::Mailbox { user: of, item } if of == user => Some(item.clone()),
            _ => None,
        })
        .await;
    match &*item {
        hamlet_elements::im::MailboxItem::Message(message) => message.content.data.clone(),
        hamlet_elements::im::MailboxItem::Report(_) => as_report(&item),
    }
}

#[tokio::test]
async fn users_of_two_domains_message_each_other_and_report_delivery_whatever_happens() {
    for faults in [
        Faults::default(),
        Faults {
            repeat: true,
            ..Faults::default()
        },
        Faults {
            lose_requests: 2,
            ..Faults::default()
        },
        Faults {
            lose_answers: 2,
            ..Faults::default()
        },
        Faults {
            lose_answers: 1,
            lose_requests: 1,
            repeat: true,
            reverse: true,
        },
    ] {
        let net = Net::new();
        let (a, b) = two(&net).await;
        net.set_faults(faults.clone());
        let alice = a.log_in("alice", "phone").await;
        let bob = b.log_in("bob", "desk").await;
        for (from, to_whom, sender, receiver) in [(&a, &b, &alice, &bob), (&b, &a, &bob, &alice)] {
            let mut request = message(to(&[&receiver.user]), "terve");
            request.report = true;
            let answer = from.ask(sender, send(request)).await;
            assert_eq!(outcome(&answer), "200", "{faults:?}");
            assert_eq!(arrival(to_whom, &receiver.user).await, "terve");
            let id = accepted(&answer);
            let waiting = to_whom.mailbox(&receiver.user).await;
            assert_eq!(waiting.len(), 1, "{faults:?}");
            assert_eq!(as_message(&waiting[0]).id, id);
            assert!(
                to_whom
                    .elements
                    .acknowledge(&receiver.user, id.as_str())
                    .await
                    .unwrap()
            );
            let report = arrival(from, &sender.user).await;
            assert_eq!(report, format!("200 {}", receiver.user));
            drained(from).await;
            drained(to_whom).await;
            let reports = from.mailbox(&sender.user).await;
            assert_eq!(reports.len(), 1, "{faults:?}");
            let report = reports[0].id();
            let done = from.elements.acknowledge(&sender.user, &report).await;
            assert!(done.unwrap());
            assert!(to_whom.mailbox(&receiver.user).await.is_empty());
        }
    }
}

#[tokio::test]
async fn one_message_to_users_of_both_domains_merges_the_partial_results() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let alice = a.log_in("alice", "phone").await;
    let user = |name| crate::common::user(name);
    let everybody = to(&[
        &user("carl"),
        &user("x"),
        &user("bob@b"),
        &user("y@b"),
        &user("z@c"),
    ]);
    let answer = a.ask(&alice, send(message(everybody, "hi"))).await;
    assert_eq!(outcome(&answer), "201 531:wv:x@a,wv:y@b 516:wv:z@c");
    let id = accepted(&answer);
    for (server, name) in [(&a, "carl"), (&b, "bob@b")] {
        let waiting = server.mailbox(&user(name)).await;
        assert_eq!(as_message(&waiting[0]).id, id);
        let recipient = &as_message(&waiting[0]).recipient;
        assert_eq!(*recipient, MessageParty::user(user(name)));
    }
    // When nobody there exists either, nobody gets it.
    let nobody = to(&[&user("x"), &user("y@b")]);
    let answer = a.ask(&alice, send(message(nobody, "hi"))).await;
    assert_eq!(outcome(&answer), "531 531:wv:x@a,wv:y@b");
}

#[tokio::test]
async fn what_another_domain_says_too_late_becomes_a_report() {
    let net = Net::new();
    let config = ElementsConfig {
        im: ImConfig {
            foreign_wait: Duration::from_millis(20),
            ..ImConfig::default()
        },
        ..among_contacts(domain("a"))
    };
    let (a, b) = two_with(&net, config, among_contacts(domain("b"))).await;
    let alice = a.log_in("alice", "phone").await;
    net.let_answer(false);
    let mut request = message(to(&[&user("bob@b"), &user("y@b")]), "hi");
    request.report = true;
    let answer = a.ask(&alice, send(request)).await;
    assert_eq!(outcome(&answer), "200");
    assert_eq!(arrival(&b, &user("bob@b")).await, "hi");
    net.let_answer(true);
    assert_eq!(arrival(&a, &alice.user).await, "531 wv:y@b");
    drained(&a).await;
    assert_eq!(a.mailbox(&alice.user).await.len(), 1);
}

#[tokio::test]
async fn a_message_for_a_domain_out_of_reach_expires_with_a_report() {
    let net = Net::new();
    let config = ElementsConfig {
        im: ImConfig {
            foreign_wait: Duration::from_millis(1),
            ..ImConfig::default()
        },
        ..among_contacts(domain("a"))
    };
    let b_relay = net.relay(&domain("b"));
    let b = Server::with(among_contacts(domain("b")), &["bob"], b_relay).await;
    net.join(&b);
    // Nobody sends what is in the outbox of this one.
    let a = Server::with(config, &["alice"], net.relay(&domain("a"))).await;
    let alice = a.log_in("alice", "phone").await;
    let mut request = message(to(&[&user("bob@b")]), "hi");
    request.report = true;
    request.validity = Some(Duration::from_secs(60));
    assert_eq!(outcome(&a.ask(&alice, send(request)).await), "200");
    let later = Timestamp::now().plus(Duration::from_secs(61));
    assert_eq!(a.elements.expire(later).await.unwrap(), 1);
    assert_eq!(arrival(&a, &alice.user).await, "542 wv:bob@b");
}

#[tokio::test]
async fn a_message_in_the_outbox_survives_a_restart() {
    let net = Net::new();
    let config = ElementsConfig {
        im: ImConfig {
            foreign_wait: Duration::from_millis(1),
            ..ImConfig::default()
        },
        ..among_contacts(domain("a"))
    };
    let (a, b) = two_with(&net, config.clone(), among_contacts(domain("b"))).await;
    let alice = a.log_in("alice", "phone").await;
    net.let_send(false);
    let answer = a
        .ask(&alice, send(message(to(&[&user("bob@b")]), "hi")))
        .await;
    assert_eq!(outcome(&answer), "200");
    let a = a.restart_with(config, net.relay(&domain("a"))).await;
    net.join(&a);
    net.let_send(true);
    assert_eq!(arrival(&b, &user("bob@b")).await, "hi");
    drained(&a).await;
}

#[tokio::test]
async fn users_of_two_domains_watch_each_other() {
    for faults in [
        Faults::default(),
        Faults {
            lose_requests: 2,
            lose_answers: 1,
            repeat: true,
            reverse: true,
        },
    ] {
        let net = Net::new();
        let (a, b) = two(&net).await;
        let alice = a.log_in("alice", "phone").await;
        let desk = a.log_in("alice", "desk").await;
        let bob = b.log_in("bob", "phone").await;
        net.set_faults(faults);
        a.make_list(&alice, "friends", &[&bob.user]).await;
        b.make_list(&bob, "friends", &[&alice.user]).await;
        let friends = lists(&[&list("wv:alice/friends")]);
        let answer = a.subscribe(&alice, friends, ALL, true).await;
        assert_eq!(outcome(&answer), "200");
        let told = a.notification(&alice, &bob.user).await;
        assert_eq!(summary(&told), "OnlineStatus=T CommCap");
        // Another session of hers with a smaller set gets no more than that.
        let names = [N::OnlineStatus].into_iter().collect();
        a.subscribe(&desk, users(&[&bob.user]), names, false)
            .await
            .unwrap();
        let told = a.notification(&desk, &bob.user).await;
        assert_eq!(summary(&told), "OnlineStatus=T");
        b.subscribe(&bob, users(&[&alice.user]), ALL, false)
            .await
            .unwrap();
        b.notification(&bob, &alice.user).await;
        drained(&a).await;
        drained(&b).await;
        a.told.take();

        b.publish(&bob, vec![text(N::StatusText, "hi")])
            .await
            .unwrap();
        let told = a.notification(&alice, &bob.user).await;
        assert_eq!(summary(&told), "OnlineStatus=T CommCap StatusText=hi");
        drained(&b).await;
        a.told.take();
        b.log_out(&bob).await;
        let told = a.notification(&alice, &bob.user).await;
        assert_eq!(summary(&told), "OnlineStatus=F CommCap=? StatusText=hi");
    }
}

#[tokio::test]
async fn a_watcher_elsewhere_sees_what_the_publisher_s_lists_allow() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let alice = a.log_in("alice", "phone").await;
    let bob = b.log_in("bob", "phone").await;
    a.make_list(&alice, "friends", &[&bob.user]).await;
    b.make_list(&bob, "friends", &[]).await;
    let answer = a.subscribe(&alice, users(&[&bob.user]), ALL, false).await;
    assert_eq!(outcome(&answer), "200");
    drained(&a).await;
    drained(&b).await;
    assert!(a.told_presence().is_empty());
    let get = || {
        let request = GetPresence {
            targets: users(&[&bob.user]),
            attributes: ALL,
        };
        a.ask(&alice, Request::GetPresence(request))
    };
    let seen = |answer| match answer {
        Ok(Response::Presence(values)) => summary(&values.users[0].attributes),
        other => panic!("{other:?}"),
    };
    assert_eq!(seen(get().await), "");
    b.change_list(&bob, "friends", &[&alice.user], &[])
        .await
        .unwrap();
    let told = a.notification(&alice, &bob.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T CommCap");
    assert_eq!(seen(get().await), "OnlineStatus=T CommCap");
    quiet(&a, &b).await;
    b.change_list(&bob, "friends", &[], &[&alice.user])
        .await
        .unwrap();
    let told = a.notification(&alice, &bob.user).await;
    assert_eq!(summary(&told), "OnlineStatus=? CommCap=?");
    assert_eq!(seen(get().await), "");
}

#[tokio::test]
async fn a_subscription_elsewhere_ends_with_the_last_session_that_needs_it() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let phone = a.log_in("alice", "phone").await;
    let desk = a.log_in("alice", "desk").await;
    let bob = b.log_in("bob", "phone").await;
    b.make_list(&bob, "friends", &[&phone.user]).await;
    for session in [&phone, &desk] {
        a.subscribe(session, users(&[&bob.user]), ALL, false)
            .await
            .unwrap();
    }
    let count = async || {
        drained(&a).await;
        let watchers = b.store.read(|tx| tx.subscribers_of(&user("bob@b")));
        watchers.await.unwrap().len()
    };
    assert_eq!(count().await, 1);
    let request = UnsubscribePresence {
        targets: users(&[&bob.user]),
    };
    let answer = a.ask(&phone, Request::UnsubscribePresence(request)).await;
    assert_eq!(outcome(&answer), "200");
    assert_eq!(count().await, 1);
    a.log_out(&desk).await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn a_notification_that_was_overtaken_is_not_told() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let alice = a.log_in("alice", "phone").await;
    a.subscribe(&alice, users(&[&user("bob@b")]), ALL, false)
        .await
        .unwrap();
    drained(&a).await;
    drained(&b).await;
    a.told.take();
    for (sequence, news) in [(5, true), (4, false), (5, false), (6, true)] {
        let call = Call {
            requestor: Requestor::user(user("bob@b")),
            request: Request::PresenceNotification(PresenceNotification {
                partial: false,
                subscriber: alice.user.clone(),
                publisher: user("bob@b"),
                attributes: vec![text(N::Alias, "Bob")],
                sequence,
            }),
            key: None,
        };
        let answer = a.elements.call_from_domain(&domain("b"), call).await;
        assert_eq!(outcome(&answer), "200");
        assert_eq!(a.told_presence().len(), usize::from(news), "{sequence}");
    }
}

#[tokio::test]
async fn presence_of_users_out_of_reach_fails_alone() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let alice = a.log_in("alice", "phone").await;
    let bob = b.log_in("bob", "phone").await;
    b.make_list(&bob, "friends", &[&alice.user]).await;
    let request = GetPresence {
        targets: users(&[&bob.user, &user("y@b"), &user("z@c")]),
        attributes: ALL,
    };
    let answer = a.ask(&alice, Request::GetPresence(request)).await;
    assert_eq!(outcome(&answer), "201 531:wv:y@b 516:wv:z@c");
    let Ok(Response::Presence(values)) = answer else {
        panic!();
    };
    assert_eq!(values.users.len(), 1);
    assert_eq!(
        summary(&values.users[0].attributes),
        "OnlineStatus=T CommCap"
    );
}

#[tokio::test]
async fn a_domain_cannot_speak_for_users_of_another() {
    let net = Net::new();
    let (a, _b) = two(&net).await;
    let (alice, carl, bob) = (user("alice"), user("carl"), user("bob@b"));
    let forged = Message {
        id: MessageId::new("m1"),
        sender: MessageParty::user(carl.clone()),
        sender_name: None,
        recipient: MessageParty::user(alice.clone()),
        content: hamlet_model::Content::text("hi"),
        content_name: None,
        uri: None,
        elsewhere: None,
        sent: Timestamp::now(),
        expires: Timestamp::now().plus(Duration::from_secs(60)),
        font: None,
        extensions: Vec::new(),
        transaction_extensions: Vec::new(),
        report: false,
    };
    let deliver = |message: Message, recipient: &UserId| {
        Request::DeliverMessage(Box::new(DeliverMessage {
            message,
            recipients: vec![MessageParty::user(recipient.clone())],
            client: None,
        }))
    };
    let honest = Message {
        sender: MessageParty::user(bob.clone()),
        ..forged.clone()
    };
    let report = DeliveryReport {
        message_id: MessageId::new("m2"),
        code: StatusCode::OK,
        delivered: None,
        sender: MessageParty::user(alice.clone()),
        origin: None,
        recipient: MessageParty::user(carl.clone()),
        content_type: None,
        content_size: 2,
        sent: Timestamp::now(),
        expires: Timestamp::now().plus(Duration::from_secs(60)),
    };
    let notification = PresenceNotification {
        partial: false,
        subscriber: alice.clone(),
        publisher: carl.clone(),
        attributes: Vec::new(),
        sequence: 1,
    };
    for (requestor, request, expected) in [
        (&bob, deliver(forged.clone(), &alice), "901"),
        (&carl, deliver(forged, &alice), "901"),
        (&bob, deliver(honest.clone(), &alice), "200"),
        (
            &bob,
            deliver(honest.clone(), &user("z@c")),
            "516 516:wv:z@c",
        ),
        (&bob, deliver(honest, &user("x")), "531 531:wv:x@a"),
        (&bob, Request::DeliveryReport(Box::new(report)), "901"),
        (&bob, Request::PresenceNotification(notification), "901"),
    ] {
        let call = Call {
            requestor: Requestor::user(requestor.clone()),
            request: request.clone(),
            key: None,
        };
        let answer = a.elements.call_from_domain(&domain("b"), call).await;
        assert_eq!(outcome(&answer), expected, "{request:?}");
    }
}

/// Figure 6: domain `a` has no presence element; its users have theirs in `b`.
async fn complementary(net: &Arc<Net>) -> (Server, Server) {
    let a = ElementsConfig {
        presence_home: PresenceHome::At(domain("b")),
        ..among_contacts(domain("a"))
    };
    let b = ElementsConfig {
        serves_presence_of: vec![domain("a")],
        ..among_contacts(domain("b"))
    };
    two_with(net, a, b).await
}

#[tokio::test]
async fn a_message_to_a_contact_list_is_expanded_where_the_list_is_kept() {
    let net = Net::new();
    let (a, b) = complementary(&net).await;
    a.elements.provision(&user("alice")).await.unwrap();
    drained(&a).await;
    let alice = a.log_in("alice", "phone").await;
    let (carl, bob) = (user("carl"), user("bob@b"));
    let answer = a
        .change_list(&alice, "friends", &[&carl, &bob, &user("y@b")], &[])
        .await;
    assert_eq!(outcome(&answer), "201 531:wv:y@b");
    let id = list("wv:alice/friends");
    let kept = b.store.read(|tx| tx.members(&list("wv:alice/friends")));
    assert_eq!(kept.await.unwrap().len(), 2);
    assert!(
        a.store
            .read(move |tx| tx.members(&id))
            .await
            .unwrap()
            .is_empty()
    );
    let recipients = Recipients {
        contact_lists: vec![list("wv:alice/friends"), list("wv:alice/none")],
        ..Recipients::default()
    };
    let answer = a.ask(&alice, send(message(recipients, "hi"))).await;
    assert_eq!(outcome(&answer), "201 700:wv:alice/none@a");
    for (server, name) in [(&a, &carl), (&b, &bob)] {
        assert_eq!(arrival(server, name).await, "hi");
    }
}

#[tokio::test]
async fn users_have_their_presence_in_the_domain_that_keeps_it() {
    let net = Net::new();
    let (a, b) = complementary(&net).await;
    let bob = b.log_in("bob", "phone").await;
    let alice = a.log_in("alice", "phone").await;
    drained(&a).await;
    a.make_list(&alice, "friends", &[&bob.user]).await;
    // Watched from there.
    b.subscribe(&bob, users(&[&alice.user]), ALL, false)
        .await
        .unwrap();
    let told = b.notification(&bob, &alice.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T CommCap");
    quiet(&a, &b).await;
    let place = vec![text(N::FreeTextLocation, "bus"), text(N::Alias, "Alice")];
    assert_eq!(outcome(&a.publish(&alice, place).await), "200");
    let told = b.notification(&bob, &alice.user).await;
    assert_eq!(
        summary(&told),
        "OnlineStatus=T FreeTextLocation=bus CommCap Alias=Alice"
    );
    quiet(&a, &b).await;
    // Watching from here.
    let friends = lists(&[&list("wv:alice/friends")]);
    let answer = a.subscribe(&alice, friends, ALL, true).await;
    assert_eq!(outcome(&answer), "200");
    let told = async || {
        a.told
            .wait("presence for the user", |event| match event {
                Event::PresenceForUser {
                    user,
                    publisher,
                    attributes,
                } if *user == alice.user && *publisher == bob.user => Some(summary(attributes)),
                _ => None,
            })
            .await
    };
    assert_eq!(told().await, "OnlineStatus=T CommCap");
    quiet(&a, &b).await;
    b.publish(&bob, vec![text(N::StatusText, "hi")])
        .await
        .unwrap();
    assert_eq!(told().await, "OnlineStatus=T CommCap StatusText=hi");
    quiet(&a, &b).await;
    // And gone.
    a.log_out(&alice).await;
    let gone = b.notification(&bob, &alice.user).await;
    assert_eq!(
        summary(&gone),
        "OnlineStatus=F FreeTextLocation=? CommCap=? Alias=Alice"
    );
    drained(&a).await;
    let watchers = b.store.read(|tx| tx.subscribers_of(&user("bob@b")));
    assert!(watchers.await.unwrap().is_empty());
}

#[tokio::test]
async fn the_domain_that_keeps_presence_keeps_it_over_a_restart() {
    let net = Net::new();
    let (a, b) = complementary(&net).await;
    let bob = b.log_in("bob", "phone").await;
    let alice = a.log_in("alice", "phone").await;
    drained(&a).await;
    a.make_list(&alice, "friends", &[&bob.user]).await;
    let b_config = ElementsConfig {
        serves_presence_of: vec![domain("a")],
        ..among_contacts(domain("b"))
    };
    let b = b.restart_with(b_config, net.relay(&domain("b"))).await;
    net.join(&b);
    b.subscribe(&bob, users(&[&alice.user]), ALL, false)
        .await
        .unwrap();
    let told = b.notification(&bob, &alice.user).await;
    assert_eq!(summary(&told), "OnlineStatus=T CommCap");
}

#[tokio::test]
async fn nobody_but_those_it_serves_keeps_lists_or_presence_in_a_domain() {
    let net = Net::new();
    let (_a, b) = complementary(&net).await;
    for (name, expected) in [("alice", "200"), ("eve@c", "403")] {
        let requestor = user(name);
        let from = requestor.domain();
        let call = Call {
            requestor: Requestor::user(requestor),
            request: Request::GetContactLists,
            key: None,
        };
        let answer = b.elements.call_from_domain(&from, call).await;
        assert_eq!(outcome(&answer), expected, "{name}");
    }
}
