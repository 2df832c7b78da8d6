//! Two domains in one process, joined by links that lose, repeat and delay.

use crate::support::{DEADLINE, Phone, Server};
use futures::FutureExt;
use futures::future::BoxFuture;
use hamlet_csp::Syntax::{Wbxml, Xml};
use hamlet_csp::Version::{V1_1, V1_3};
use hamlet_csp::elements::Primitive;
use hamlet_csp::{Tag, Version};
use hamlet_model::{Domain, Timestamp};
use hamlet_sap::relay::Link;
use hamlet_sap::{Sap, SapConfig};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

/// Carries octets to a server of this process.
struct Wire {
    from: Domain,
    to: Weak<Sap>,
    sent: AtomicUsize,
    /// Says for the n-th frame how often it arrives.
    copies: fn(usize) -> usize,
}

impl Link for Wire {
    fn send(&self, octets: Vec<u8>) -> BoxFuture<'_, ()> {
        let count = (self.copies)(self.sent.fetch_add(1, Ordering::Relaxed));
        for _ in 0..count {
            let (to, from, octets) = (self.to.clone(), self.from.clone(), octets.clone());
            // Asynchronous: the sender does not wait for what it causes.
            tokio::spawn(async move {
                if let Some(sap) = to.upgrade() {
                    sap.receive(&from, &octets).await;
                }
            });
        }
        async {}.boxed()
    }
}

async fn server(name: &str) -> Server {
    let mut config = SapConfig::new(domain(name));
    config.relay.retry_min = Duration::from_millis(10);
    config.relay.retry_max = Duration::from_millis(50);
    config.im.foreign_wait = Duration::from_secs(5);
    Server::with(config).await
}

fn join(one: &Server, other: &Server, copies: fn(usize) -> usize) {
    for (from, to) in [(one, other), (other, one)] {
        let wire = Wire {
            from: from.sap.config().domain.clone(),
            to: Arc::downgrade(&to.sap),
            sent: AtomicUsize::new(0),
            copies,
        };
        let to = to.sap.config().domain.clone();
        from.sap.relay().connect(to, Arc::new(wire));
    }
}

async fn phone(server: &Server, name: &str, version: Version) -> Phone {
    server.account(name).await;
    let syntax = if version == V1_1 { Xml } else { Wbxml };
    let mut phone = Phone::new(server, name, version, syntax).await;
    phone.log_in_and_negotiate().await;
    phone
}

#[tokio::test]
async fn users_of_two_domains_chat_over_a_bad_line() {
    let (a, b) = (server("a.example").await, server("b.example").await);
    // Every third frame is lost, every fourth comes twice.
    join(&a, &b, |n| match n {
        n if n % 3 == 2 => 0,
        n if n % 4 == 3 => 2,
        _ => 1,
    });
    let mut alice = phone(&a, "alice", V1_1).await;
    let mut bob = phone(&b, "bob", V1_3).await;
    for text in ["one", "two", "three"] {
        let sent = alice.send("bob@b.example", text, true).await;
        assert_eq!(sent.code(), 200, "{sent:?}");
        let pushed = bob.poll_for(Tag::NewMessage).await;
        assert_eq!(pushed.content().as_deref(), Some(text));
        bob.acknowledge(&pushed).await;
        let report = alice.poll_for(Tag::DeliveryReportRequest).await;
        alice.acknowledge(&report).await;
    }
    assert!(bob.poll().await.is_none(), "nothing twice");
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn without_a_way_the_domain_is_not_supported() {
    let a = server("a.example").await;
    let mut alice = phone(&a, "alice", V1_3).await;
    let sent = alice.send("bob@nowhere.example", "x", false).await;
    assert_eq!(sent.code(), 516, "{sent:?}");
    a.stop().await;
}

#[tokio::test]
async fn what_another_domain_does_not_answer_waits_in_the_outbox() {
    let (a, b) = (server("a.example").await, server("b.example").await);
    join(&a, &b, |_| 1);
    let mut alice = phone(&a, "alice", V1_3).await;
    let mut bob = phone(&b, "bob", V1_3).await;
    // Nonsense over the line harms nobody.
    b.sap.receive(&domain("a.example"), b"nonsense").await;
    let sent = alice.send("bob@b.example", "x", false).await;
    assert_eq!(sent.code(), 200);
    let Primitive::SendMessageResponse(_) = sent.primitive() else {
        panic!("{sent:?}");
    };
    let pushed = bob.poll_for(Tag::NewMessage).await;
    assert_eq!(pushed.content().as_deref(), Some("x"));
    let settled = async {
        while a.sap.send_due(Timestamp::now()).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, settled).await.unwrap();
    a.stop().await;
    b.stop().await;
}
