//! A group whose domain does not answer, or to which there is no way (csp-group 4).

use super::{GROUP, heard, joins, say, told, with_group};
use crate::{Domains, WEATHER};
use hamlet_tests::group::{about, join, joined_names, property, set};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_way_there_is_no_group() {
    let domains = Domains::start(WEATHER[0]).await;
    let mut bob = domains.bob().await;
    let far = "wv:x/far@c";
    join(&mut bob, far, "Bo").await.expect_status(516);
    for what in ["GetGroupProps", "GetGroupMembers", "DeleteGroup"] {
        about(&mut bob, what, far).await.expect_status(516);
    }
    about(&mut bob, "GetJoinedUsers", far)
        .await
        .expect_status(808);
    about(&mut bob, "LeaveGroup", far).await.expect_code(808);
    set(&mut bob, far, Some(&property("Topic", "x")), None)
        .await
        .expect_status(516);
    hamlet_tests::group::create(&mut bob, "wv:bob/ski@a", &[], None)
        .await
        .expect_status(516);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_is_silent_for_a_while_comes_back() {
    let domains = Domains::start(WEATHER[0]).await;
    let mut alice = with_group(&domains, &[]).await;
    let mut bob = domains.bob().await;
    let mut bert = super::bert(&domains).await;
    joins(&mut bob, "Bo").await;
    told(&mut alice, "Joined", "Bo").await;
    domains.net.hold();
    // Nobody waits longer than his client does.
    let joining = async { join(&mut bert, GROUP, "Bert").await };
    let reading = async { about(&mut bob, "GetGroupProps", GROUP).await };
    let (joined, read) = tokio::join!(joining, reading);
    joined.expect_status(504);
    read.expect_status(504);
    // What is said at home does not wait at all.
    say(&mut alice, "anybody?").await.expect_code(200);
    about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
    domains.net.release();
    told(&mut alice, "Left", "Bo").await;
    // bert was told that he has not joined: so he has not.
    let joined = joins(&mut bert, "Bert").await;
    assert_eq!(joined_names(&joined, bert.version), ["Ann", "Bert"]);
    say(&mut alice, "there you are").await.expect_code(200);
    let at_b = heard(&mut bert, "there you are").await;
    assert_eq!(at_b, ["Ann > *: there you are"]);
    assert!(bob.messages().await.is_empty());
}
