//! Private messages to a name in a group, over the border of its domain (csp-group 6 item 8).

use super::{
    EACH, GROUP, bert, discloses, heard, joins, report, say, to_name, whisper, with_group,
};
use crate::{Domains, PATIENCE, WEATHER, log_in};
use hamlet_csp::{Syntax, Version};
use hamlet_model::{Domain, GroupId};
use hamlet_tests::client::{Client, send_message};
use hamlet_tests::group::{about, property, set};
use std::time::Duration;

const PRIVATE: &[(&str, &str)] = &[("PrivateMessaging", "T")];

async fn hears(client: &mut Client, from: &str, to: &str, text: &str) {
    let expected = format!("{from} > {to}: {text}");
    assert_eq!(heard(client, text).await, [expected]);
}

fn about_name(code: &str, name: &str) -> (String, String) {
    (code.to_owned(), name.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whisper_crosses_and_its_sender_learns_of_the_delivery() {
    for ((version, syntax), faults) in EACH.into_iter().zip(WEATHER) {
        let domains = Domains::start(*faults).await;
        let mut alice = with_group(&domains, PRIVATE).await;
        let mut carl = domains.carl().await;
        joins(&mut carl, "Carl").await;
        let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        joins(&mut bob, "Bo").await;
        let mut bert = bert(&domains).await;
        joins(&mut bert, "Bert").await;

        // From the group's domain, to it, and from the other one back into it.
        whisper(&mut alice, "bo", "to b").await.expect_code(200);
        hears(&mut bob, "Ann", "Bo", "to b").await;
        assert_eq!(report(&mut alice).await, about_name("200", "Bo"));
        whisper(&mut bob, "ANN", "to a").await.expect_code(200);
        hears(&mut alice, "Bo", "Ann", "to a").await;
        assert_eq!(report(&mut bob).await, about_name("200", "Ann"));
        whisper(&mut bert, "Bo", "within b").await.expect_code(200);
        hears(&mut bob, "Bert", "Bo", "within b").await;
        assert_eq!(report(&mut bert).await, about_name("200", "Bo"));
        whisper(&mut bob, "nobody", "x").await.expect_code(410);

        // Nobody else heard anything, and nobody twice.
        say(&mut alice, "end").await.expect_code(200);
        for client in [&mut carl, &mut bob, &mut bert] {
            assert_eq!(heard(client, "end").await, ["Ann > *: end"], "{faults:?}");
        }
        for client in [&mut alice, &mut carl, &mut bob, &mut bert] {
            let rest = client.drain().await;
            let again = |name: &str| rest.iter().any(|came| came.name == name);
            assert!(!again("NewMessage") && !again("DeliveryReport-Request"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_whispers_have_their_codes() {
    // 11.8.
    for (version, syntax) in EACH {
        let domains = Domains::start(WEATHER[0]).await;
        let mut alice = with_group(&domains, &[]).await;
        let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        joins(&mut bob, "Bo").await;
        let mut bert = bert(&domains).await;
        whisper(&mut bert, "Ann", "x").await.expect_code(808);
        whisper(&mut bob, "Ann", "x").await.expect_code(812);
        whisper(&mut alice, "Bo", "x").await.expect_code(812);
        let allow = property("PrivateMessaging", "T");
        set(&mut alice, GROUP, Some(&allow), None)
            .await
            .expect_status(200);
        let refuse = property("PrivateMessaging", "F");
        set(&mut bob, GROUP, None, Some(&refuse))
            .await
            .expect_status(200);
        whisper(&mut alice, "Bo", "x").await.expect_code(813);
        set(&mut bob, GROUP, None, Some(&allow))
            .await
            .expect_status(200);
        set(&mut alice, GROUP, None, Some(&refuse))
            .await
            .expect_status(200);
        let refused = whisper(&mut bob, "Ann", "x").await;
        refused.expect_code(813);
        assert!(!discloses(refused.primitive(), "wv:alice@"));
        whisper(&mut alice, "Bo", "at last").await.expect_code(200);
        hears(&mut bob, "Ann", "Bo", "at last").await;
    }
}

/// Waits until so many messages of the group are kept in `b`.
async fn has_arrived(domains: &Domains, count: usize) {
    let group = GroupId::parse(GROUP, &Domain::parse("a").unwrap()).unwrap();
    let arrival = async {
        let elements = domains.b.sap().elements();
        while elements.group_log(&group, 0, 10).await.unwrap().len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, arrival).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_fetches_or_its_target_does_not_want_is_reported() {
    let domains = Domains::start(WEATHER[0]).await;
    with_group(&domains, PRIVATE).await;
    // 1.1 has no 542.
    let mut carl = domains.carl().await;
    joins(&mut carl, "Carl").await;
    let mut bob = log_in(&domains.b, Version::V1_3, Syntax::Xml, "wv:bob@b").await;
    joins(&mut bob, "Bo").await;
    // It waits until it is worth nothing any more.
    let short = send_message(&to_name("Bo"), "soon", true)
        .replace("</MessageInfo>", "<Validity>60</Validity></MessageInfo>");
    carl.request(&short).await.expect_code(200);
    say(&mut carl, "after it").await.expect_code(200);
    has_arrived(&domains, 2).await;
    domains.b.expire_after(Duration::from_secs(120)).await;
    assert_eq!(report(&mut carl).await, about_name("542", "Bo"));
    // The clock of his session goes on as it does: it may still be there, and is told once.
    heard(&mut bob, "after it").await;

    // Whom he blocks only his own domain knows.
    let block = "<BlockEntity-Request><BlockList><AddList><UserID>wv:carl@a</UserID></AddList></BlockList>\
                 <BlockListInUse>T</BlockListInUse><GrantListInUse>F</GrantListInUse></BlockEntity-Request>";
    bob.request(block).await.expect_status(200);
    whisper(&mut carl, "Bo", "unheard").await.expect_code(200);
    assert_eq!(report(&mut carl).await, about_name("532", "Bo"));
    about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
    assert!(bob.messages().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whisper_to_one_who_has_just_left_is_reported() {
    // 6 item 8. He was the only one of his domain.
    let domains = Domains::start(WEATHER[0]).await;
    with_group(&domains, PRIVATE).await;
    let mut carl = domains.carl().await;
    joins(&mut carl, "Carl").await;
    let mut bob = domains.bob().await;
    joins(&mut bob, "Bo").await;
    domains.net.hold();
    about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
    whisper(&mut carl, "Bo", "too late").await.expect_code(200);
    domains.net.release();
    assert_eq!(report(&mut carl).await, about_name("410", "Bo"));
    assert!(bob.messages().await.is_empty());
}
