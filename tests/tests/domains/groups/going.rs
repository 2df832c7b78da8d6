//! Users of another domain go without having left: their sessions end, or a server starts
//! anew (csp-group 9, 11.9).

use super::{EACH, GROUP, bert, heard, joins, say, told, with_group};
use crate::{Domains, WEATHER, log_in};
use hamlet_tests::group::{about, joined_names};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_his_session_or_logs_out_has_left_the_group_elsewhere() {
    for (version, syntax) in EACH {
        for faults in [WEATHER[0], WEATHER[3]] {
            let domains = Domains::start(faults).await;
            let mut alice = with_group(&domains, &[]).await;
            let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
            joins(&mut bob, "Bo").await;
            told(&mut alice, "Joined", "Bo").await;
            bob.request("<Logout-Request/>").await.expect_code(200);
            told(&mut alice, "Left", "Bo").await;
            let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
            about(&mut bob, "LeaveGroup", GROUP).await.expect_code(808);
            joins(&mut bob, "Bo").await;
            told(&mut alice, "Joined", "Bo").await;
            domains
                .b
                .sweep_sessions_after(Duration::from_secs(86_400))
                .await;
            told(&mut alice, "Left", "Bo").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_two_domains_goes_on_when_either_server_was_restarted() {
    for (version, syntax) in EACH {
        let mut domains = Domains::start(WEATHER[0]).await;
        let mut alice = with_group(&domains, &[]).await;
        let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        joins(&mut bob, "Bo").await;
        for restarted in ["a", "b"] {
            say(&mut alice, "before").await.expect_code(200);
            heard(&mut bob, "before").await;
            domains.restart(restarted).await;
            alice.reconnect(domains.a.address()).await;
            bob.reconnect(domains.b.address()).await;
            say(&mut alice, "from a").await.expect_code(200);
            let at_b = heard(&mut bob, "from a").await;
            assert_eq!(at_b, ["Ann > *: from a"], "{restarted} {version:?}");
            say(&mut bob, "from b").await.expect_code(200);
            let at_a = heard(&mut alice, "from b").await;
            assert_eq!(at_a, ["Bo > *: from b"], "{restarted} {version:?}");
            // Who joins and leaves now is told.
            let mut bert = bert(&domains).await;
            let joined = joins(&mut bert, "Bert").await;
            assert_eq!(joined_names(&joined, bert.version), ["Ann", "Bert", "Bo"]);
            for client in [&mut alice, &mut bob] {
                told(client, "Joined", "Bert").await;
            }
            bert.request("<Logout-Request/>").await.expect_code(200);
            for client in [&mut alice, &mut bob] {
                told(client, "Left", "Bert").await;
            }
        }
        about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
        told(&mut alice, "Left", "Bo").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_a_server_is_down_is_heard_afterwards() {
    let mut domains = Domains::start(WEATHER[0]).await;
    let mut alice = with_group(&domains, &[]).await;
    let mut bob = domains.bob().await;
    joins(&mut bob, "Bo").await;
    domains.b.stop().await;
    let texts = ["one", "two", "three"];
    for text in texts {
        say(&mut alice, text).await.expect_code(200);
    }
    domains.restart("b").await;
    bob.reconnect(domains.b.address()).await;
    let expected = texts.map(|text| format!("Ann > *: {text}"));
    assert_eq!(heard(&mut bob, "three").await, expected);
    assert!(bob.messages().await.is_empty(), "once");
}
