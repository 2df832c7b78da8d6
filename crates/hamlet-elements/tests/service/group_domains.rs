//! Messages through groups whose users are of two domains (csp-group 6 item 12).

use crate::common::*;
use crate::domains::two;
use crate::groups::{create, join, leave};
use crate::relay::{Faults, Net, drained};
use hamlet_elements::im::{DeliveryReport, GroupMessage, MailboxItem, SendMessage};
use hamlet_elements::{Call, Request, Requestor};
use hamlet_model::{ClientId, GroupId, MessageParty, Recipients, StatusCode};

fn ski() -> GroupId {
    GroupId::parse("wv:alice/ski@a", &domain("a")).unwrap()
}

fn say(text: &str) -> SendMessage {
    let recipients = Recipients {
        parties: vec![MessageParty::Group(ski())],
        ..Recipients::default()
    };
    message(recipients, text)
}

fn whisper(name: &str, text: &str) -> SendMessage {
    let recipients = Recipients {
        parties: vec![MessageParty::ScreenName {
            name: name.into(),
            group: ski(),
        }],
        ..Recipients::default()
    };
    message(recipients, text)
}

async fn log(server: &Server) -> Vec<GroupMessage> {
    server.elements.group_log(&ski(), 0, 100).await.unwrap()
}

fn texts(log: &[GroupMessage]) -> Vec<&str> {
    log.iter()
        .map(|said| said.message.content.data.as_str())
        .collect()
}

const WEATHER: [Faults; 3] = [
    Faults {
        lose_requests: 0,
        lose_answers: 0,
        repeat: false,
        reverse: false,
    },
    Faults {
        lose_requests: 0,
        lose_answers: 1,
        repeat: true,
        reverse: false,
    },
    Faults {
        lose_requests: 1,
        lose_answers: 0,
        repeat: true,
        reverse: true,
    },
];

#[tokio::test]
async fn users_of_two_domains_talk_in_a_group_and_each_message_crosses_once() {
    for faults in WEATHER {
        let net = Net::new();
        let (a, b) = two(&net).await;
        let alice = a.log_in("alice", "phone").await;
        let bob = b.log_in("bob", "desk").await;
        let bert = b.log_in("bert", "desk").await;
        let made = create("wv:alice/ski@a", &[("PrivateMessaging", "T")], Some("Al"));
        assert_eq!(outcome(&a.ask(&alice, made).await), "200");
        for (who, name) in [(&bob, "Bo"), (&bert, "Bert")] {
            let joined = b.ask(who, join("wv:alice/ski@a", Some(name))).await;
            assert_eq!(outcome(&joined), "200", "{faults:?}");
        }
        net.set_faults(faults.clone());

        assert_eq!(outcome(&a.ask(&alice, send(say("from a"))).await), "200");
        drained(&a).await;
        let request = SendMessage {
            report: true,
            ..say("from b")
        };
        assert_eq!(outcome(&b.ask(&bob, send(request)).await), "200");
        drained(&b).await;
        drained(&a).await;
        drained(&b).await;
        let (at_a, at_b) = (log(&a).await, log(&b).await);
        assert_eq!(texts(&at_a), ["from a", "from b"], "{faults:?}");
        assert_eq!(texts(&at_b), ["from a", "from b"], "one for both of them");
        for said in [&at_a[1], &at_b[1]] {
            let name = MessageParty::ScreenName {
                name: "Bo".into(),
                group: ski(),
            };
            assert_eq!(said.message.sender, name);
            assert_eq!(said.message.recipient, MessageParty::Group(ski()));
        }
        let desk = ClientId::from_url("desk");
        assert!(!at_b[1].is_for(&bob.user, &desk, "bo"), "no echo");
        assert!(at_b[1].is_for(&bert.user, &desk, "bert"));
        let reports = b.mailbox(&bob.user).await;
        assert_eq!(reports.len(), 1, "{faults:?}");
        let MailboxItem::Report(report) = &*reports[0] else {
            panic!("{reports:?}");
        };
        assert_eq!(report.code.0, 200);
        assert_eq!(report.recipient, MessageParty::Group(ski()));
    }
}

#[tokio::test]
async fn what_piles_up_on_its_way_keeps_its_order() {
    // csp-group 6 item 12. More than is looked at together.
    let expected: Vec<String> = (0..150).map(|number| number.to_string()).collect();
    for faults in WEATHER {
        let net = Net::new();
        let (a, b) = two(&net).await;
        let alice = a.log_in("alice", "phone").await;
        let bob = b.log_in("bob", "desk").await;
        let made = create("wv:alice/ski@a", &[], Some("Al"));
        assert_eq!(outcome(&a.ask(&alice, made).await), "200");
        let joined = b.ask(&bob, join("wv:alice/ski@a", None)).await;
        assert_eq!(outcome(&joined), "200", "{faults:?}");
        drained(&a).await;
        net.set_faults(faults.clone());
        net.let_send(false);
        for text in &expected {
            assert_eq!(outcome(&a.ask(&alice, send(say(text))).await), "200");
        }
        net.let_send(true);
        drained(&a).await;
        let at_b = b.elements.group_log(&ski(), 0, 1000).await.unwrap();
        assert_eq!(texts(&at_b), expected, "{faults:?}");
    }
}

#[tokio::test]
async fn a_whisper_between_two_other_domains_is_reported_through_the_group_s() {
    // csp-group 6 item 8.
    let net = Net::new();
    let (a, b) = two(&net).await;
    let config = among_contacts(domain("c"));
    let relay = net.relay(&config.domain);
    let c = Server::with(config, &["cleo"], relay).await;
    net.join(&c);
    let alice = a.log_in("alice", "phone").await;
    let bob = b.log_in("bob", "desk").await;
    let cleo = c.log_in("cleo", "desk").await;
    let made = create("wv:alice/ski@a", &[("PrivateMessaging", "T")], Some("Al"));
    assert_eq!(outcome(&a.ask(&alice, made).await), "200");
    for (server, who, name) in [(&b, &bob, "Bo"), (&c, &cleo, "Cleo")] {
        let joined = server.ask(who, join("wv:alice/ski@a", Some(name))).await;
        assert_eq!(outcome(&joined), "200");
    }
    let request = SendMessage {
        report: true,
        ..whisper("bo", "psst")
    };
    assert_eq!(outcome(&c.ask(&cleo, send(request)).await), "200");
    drained(&a).await;
    let at_b = log(&b).await;
    assert_eq!(texts(&at_b), ["psst"]);
    assert!(
        b.elements
            .conclude_whisper(&at_b[0], StatusCode::OK)
            .await
            .unwrap()
    );
    drained(&b).await;
    drained(&a).await;
    let reports = c.mailbox(&cleo.user).await;
    assert_eq!(reports.len(), 1);
    let MailboxItem::Report(report) = &*reports[0] else {
        panic!("{reports:?}");
    };
    let name = |name: &str| MessageParty::ScreenName {
        name: name.into(),
        group: ski(),
    };
    assert_eq!((report.code.0, &report.recipient), (200, &name("Bo")));

    // Of others' names a domain has nothing to report.
    for (whose, expected) in [
        ("Al", "901"),
        ("Cleo", "901"),
        ("Bo", "200"),
        ("gone", "200"),
    ] {
        let forged = DeliveryReport {
            sender: MessageParty::user(alice.user.clone()),
            recipient: name(whose),
            ..(**report).clone()
        };
        let call = Call {
            requestor: Requestor::user(bob.user.clone()),
            request: Request::DeliveryReport(Box::new(forged)),
            key: None,
        };
        let answer = a.elements.call_from_domain(&b.domain, call).await;
        assert_eq!(outcome(&answer), expected, "{whose}");
    }
}

#[tokio::test]
async fn a_whisper_crosses_to_the_domain_of_its_target_only() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let alice = a.log_in("alice", "phone").await;
    let bob = b.log_in("bob", "desk").await;
    let made = create("wv:alice/ski@a", &[("PrivateMessaging", "T")], Some("Al"));
    assert_eq!(outcome(&a.ask(&alice, made).await), "200");
    let joined = b.ask(&bob, join("wv:alice/ski@a", Some("Bo"))).await;
    assert_eq!(outcome(&joined), "200");
    for (server, who, name, text, expected) in [
        (&a, &alice, "bo", "to b", "200"),
        (&b, &bob, "al", "to a", "200"),
        (&b, &bob, "nobody", "x", "410 410:nobody"),
    ] {
        let answer = server.ask(who, send(whisper(name, text))).await;
        assert_eq!(outcome(&answer), expected, "{text}");
    }
    drained(&a).await;
    drained(&b).await;
    let (at_a, at_b) = (log(&a).await, log(&b).await);
    assert_eq!(texts(&at_a), ["to a"]);
    assert_eq!(
        (texts(&at_b), at_b[0].target.as_str()),
        (vec!["to b"], "bo")
    );
}

#[tokio::test]
async fn the_domain_of_a_group_says_who_may_talk_in_it() {
    let net = Net::new();
    let (a, b) = two(&net).await;
    let alice = a.log_in("alice", "phone").await;
    let bob = b.log_in("bob", "desk").await;
    let made = create("wv:alice/ski@a", &[], Some("Al"));
    assert_eq!(outcome(&a.ask(&alice, made).await), "200");
    let not_joined = "808 808:wv:alice/ski@a";
    let answer = b.ask(&bob, send(say("stranger"))).await;
    assert_eq!(outcome(&answer), not_joined);
    let joined = b.ask(&bob, join("wv:alice/ski@a", Some("Bo"))).await;
    assert_eq!(outcome(&joined), "200");
    let as_another = SendMessage {
        sender: Some(MessageParty::ScreenName {
            name: "Al".into(),
            group: ski(),
        }),
        ..say("forged")
    };
    let answer = b
        .ask(&bob, Request::SendMessage(Box::new(as_another)))
        .await;
    // His own domain knows under which name he is there.
    assert_eq!(outcome(&answer), "808");
    assert_eq!(outcome(&b.ask(&bob, send(say("joined"))).await), "200");
    let left = b.ask(&bob, leave("wv:alice/ski@a")).await;
    assert_eq!(outcome(&left), "200");
    drained(&b).await;
    assert_eq!(outcome(&b.ask(&bob, send(say("left"))).await), not_joined);
    assert_eq!(outcome(&a.ask(&alice, send(say("alone"))).await), "200");
    drained(&a).await;
    assert_eq!(texts(&log(&a).await), ["joined", "alone"]);
    // His own may still be there, until what nobody waits for is removed.
    let at_b = log(&b).await;
    let heard = texts(&at_b).contains(&"alone");
    assert!(!heard, "nobody there hears it any more");
}
