//! Messages for users who are not online, for several sessions, and their expiry, as the
//! service sees them (csp-im 8, 10).

use crate::common::*;
use hamlet_elements::Event;
use hamlet_elements::im::{OfflineHandling, OnlineHandling};
use hamlet_model::{ClientId, MessageParty, Msisdn, Recipients, Timestamp};
use std::time::Duration;

fn client(name: &str) -> ClientId {
    ClientId::from_url(name)
}

/// bo, one of his clients.
fn at(name: &str) -> MessageParty {
    MessageParty::User {
        user: user("bo"),
        client: Some(client(name)),
        application: None,
    }
}

fn only(party: MessageParty) -> Recipients {
    Recipients {
        parties: vec![party],
        ..Recipients::default()
    }
}

/// As a client of bo negotiates it.
async fn wish(server: &Server, name: &str, offline: OfflineHandling) {
    let (bo, client) = (user("bo"), client(name));
    let agreed = server
        .elements
        .handling_negotiated(&bo, &client, None, Some(offline));
    assert!(!agreed.await.unwrap());
}

#[tokio::test]
async fn offline_handling_decides_about_messages_for_those_who_are_not_here() {
    // 10.2, 10.3 item 1.
    use OfflineHandling::{PriorityReject, PriorityStore, Reject, SendReject, SendStore};
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "p").await;
    let to_bo = || MessageParty::user(user("bo"));
    for (handling, nobody, another, here) in [
        (Reject, "533 533:wv:bo@a", "533 533:wv:bo@a", "200"),
        (SendReject, "533 533:wv:bo@a", "533 533:wv:bo@a", "200"),
        (SendStore, "200", "200", "200"),
        (PriorityReject, "533 533:wv:bo@a", "200", "200"),
        (PriorityStore, "200", "200", "200"),
    ] {
        wish(&server, "phone", handling).await;
        let ask = async |party| {
            let sent = server.ask(&anna, send(message(only(party), "hi"))).await;
            outcome(&sent)
        };
        assert_eq!(ask(to_bo()).await, nobody, "{handling:?}");
        assert_eq!(ask(at("phone")).await, nobody, "{handling:?}");
        let other = server.log_in("bo", "laptop").await;
        // He is online, if not with that client.
        assert_eq!(ask(to_bo()).await, "200", "{handling:?}");
        assert_eq!(ask(at("phone")).await, another, "{handling:?}");
        let waiting = server.mailbox(&user("bo")).await;
        let last = as_message(waiting.last().unwrap()).recipient.clone();
        if matches!(handling, PriorityReject | PriorityStore) {
            assert_eq!(last, to_bo(), "any client may have it");
        }
        let phone = server.log_in("bo", "phone").await;
        assert_eq!(ask(at("phone")).await, here, "{handling:?}");
        server.log_out(&phone).await;
        server.log_out(&other).await;
    }
}

#[tokio::test]
async fn wishes_outlive_session_and_server_and_the_latest_client_speaks_for_the_user() {
    let server = Server::start(&["anna", "bo"]).await;
    wish(&server, "phone", OfflineHandling::Reject).await;
    let server = server.restart().await;
    let anna = server.log_in("anna", "p").await;
    let ask = async |party| {
        let sent = server.ask(&anna, send(message(only(party), "hi"))).await;
        outcome(&sent)
    };
    let to_bo = || MessageParty::user(user("bo"));
    assert_eq!(ask(to_bo()).await, "533 533:wv:bo@a");
    wish(&server, "laptop", OfflineHandling::SendStore).await;
    assert_eq!(ask(to_bo()).await, "200");
    assert_eq!(ask(at("phone")).await, "533 533:wv:bo@a");
    assert_eq!(ask(at("laptop")).await, "200");
    assert_eq!(ask(at("unknown")).await, "200");
}

#[tokio::test]
async fn online_handling_is_the_users_and_persistent() {
    let server = Server::start(&["bo"]).await;
    let bo = user("bo");
    let negotiate = async |server: &Server, online| {
        let client = client("p");
        let agreed = server
            .elements
            .handling_negotiated(&bo, &client, Some(online), None);
        agreed.await.unwrap()
    };
    assert!(!negotiate(&server, OnlineHandling::ServerLogic).await);
    assert!(negotiate(&server, OnlineHandling::ForkAll).await);
    assert!(
        !negotiate(&server, OnlineHandling::ForkAll).await,
        "no other"
    );
    let server = server.restart().await;
    let waiting = server.elements.waiting(&bo).await.unwrap();
    assert_eq!(waiting.handling, OnlineHandling::ForkAll);
}

#[tokio::test]
async fn copies_for_other_clients_survive_and_the_report_is_sent_once() {
    // 10.3 item 5.
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "p").await;
    let mut wanted = message(to(&[&user("bo")]), "hi");
    wanted.report = true;
    let id = accepted(&server.ask(&anna, send(wanted)).await).to_string();
    let bo = user("bo");
    let delivered = async |server: &Server, name: &str, owed: &[&str]| {
        let owed = owed.iter().map(|name| client(name)).collect();
        let client = client(name);
        let done = server.elements.delivered(&bo, &id, &client, owed);
        done.await.unwrap()
    };
    assert!(delivered(&server, "phone", &["laptop", "tablet"]).await);
    let server = server.restart().await;
    let waiting = server.elements.waiting(&bo).await.unwrap();
    assert!(waiting.items.is_empty());
    assert_eq!(waiting.copies.len(), 1);
    assert_eq!(as_message(&waiting.copies[0].0).content.data, "hi");
    assert_eq!(waiting.copies[0].1, [client("laptop"), client("tablet")]);
    assert!(delivered(&server, "laptop", &[]).await);
    assert!(!delivered(&server, "laptop", &[]).await, "it has it");
    assert!(!delivered(&server, "phone", &[]).await);
    let reports = server.mailbox(&user("anna")).await;
    assert_eq!(reports.len(), 1);
    assert_eq!(as_report(&reports[0]), "200 wv:bo@a");
    // What is left goes without a word when its time has come.
    server.told.take();
    let late = Timestamp::now().plus(Duration::from_secs(30 * 86_400));
    server.elements.expire(late).await.unwrap();
    let waiting = server.elements.waiting(&bo).await.unwrap();
    assert!(waiting.copies.is_empty());
    let gone = |event: &Event| matches!(event, Event::MailboxRemoved { user, .. } if *user == bo);
    assert!(server.told.take().iter().any(gone));
}

#[tokio::test]
async fn what_expires_next_is_known_without_asking_all_the_time() {
    // 8 rule 6.
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "p").await;
    let now = Timestamp::now();
    assert_eq!(server.elements.expire_due(now).await.unwrap(), None);
    let mut short = message(to(&[&user("bo")]), "hi");
    short.validity = Some(Duration::from_secs(5));
    short.report = true;
    let earlier = server.elements.expires_earlier();
    server.ask(&anna, send(short)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), earlier)
        .await
        .expect("to be woken");
    let next = server.elements.expire_due(now).await.unwrap().unwrap();
    assert!(next > now && next <= now.plus(Duration::from_secs(10)));
    assert_eq!(server.mailbox(&user("bo")).await.len(), 1);
    let after = server.elements.expire_due(next).await.unwrap().unwrap();
    assert!(after > next, "the report, in some days");
    assert!(server.mailbox(&user("bo")).await.is_empty());
    let reports = server.mailbox(&user("anna")).await;
    assert_eq!(as_report(&reports[0]), "542 wv:bo@a");
}

#[tokio::test]
async fn a_number_reaches_its_user_once_and_the_report_names_the_number() {
    // 5.3 item 5.
    let server = Server::start(&["anna", "bo"]).await;
    let anna = server.log_in("anna", "p").await;
    let number = Msisdn::parse("+4612345").unwrap();
    let bound = server
        .store
        .write(move |tx| tx.bind_msisdn(&number, &user("bo")).map(drop));
    bound.await.unwrap();
    let mut both = message(to(&[&user("+4612345"), &user("bo"), &user("+4699")]), "hi");
    both.report = true;
    let sent = server.ask(&anna, send(both)).await;
    assert_eq!(outcome(&sent), "201 920:wv:+4699@a");
    let waiting = server.mailbox(&user("bo")).await;
    assert_eq!(waiting.len(), 1);
    let id = accepted(&sent).to_string();
    let (bo, phone) = (user("bo"), client("q"));
    let delivered = server.elements.delivered(&bo, &id, &phone, Vec::new());
    assert!(delivered.await.unwrap());
    let reports = server.mailbox(&user("anna")).await;
    assert_eq!(as_report(&reports[0]), "200 wv:+4612345@a");
}
