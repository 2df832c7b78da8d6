//! Notices of what changes in a group (csp-group 5.12, 5.13, 9).

use super::{
    EACH, GROUP, about, add_members, join, join_with, nothing, property, set, take, value,
    with_group,
};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;

async fn subscription(client: &mut Client, kind: &str) -> hamlet_tests::answer::Answer {
    let content = format!(
        "<SubscribeGroupNotice-Request><GroupID>{GROUP}</GroupID><SubscribeType>{kind}</SubscribeType></SubscribeGroupNotice-Request>"
    );
    client.request(&content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_come_to_who_wants_them() {
    // 5.12.
    for (version, syntax) in EACH {
        let (server, mut alice) = with_group(&["alice", "bob"], &[]).await;
        let mut bob = server.client(version, syntax, "bob").await;
        subscription(&mut bob, "G").await.expect_status(808);
        join_with(&mut bob, GROUP, "", "F", "")
            .await
            .expect("JoinGroup-Response");
        for (kind, shown) in [("G", "F"), ("S", "T"), ("U", "F")] {
            let answer = subscription(&mut bob, kind).await;
            match kind {
                "G" => answer.expect("SubscribeGroupNotice-Response"),
                _ => {
                    answer.expect_status(200);
                    answer.primitive()
                }
            };
            let now = subscription(&mut bob, "G").await;
            let now = now.expect("SubscribeGroupNotice-Response");
            assert_eq!(now.text("Value"), Some(shown), "{kind}");
            let topic = property("Topic", kind);
            set(&mut alice, GROUP, Some(&topic), None)
                .await
                .expect_status(200);
            match shown {
                "T" => {
                    let told = take(&mut bob, "GroupChangeNotice").await;
                    assert_eq!(
                        value(&told, "GroupProperties", "Topic").as_deref(),
                        Some(kind)
                    );
                }
                _ => nothing(&mut bob).await,
            }
        }
        subscription(&mut bob, "X").await.expect_status(402);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_member_gets_many_changes_as_one() {
    // 5.13: several pending notices of one group may be merged.
    for (version, syntax) in EACH {
        let (server, mut alice) = with_group(&["alice", "bob", "carl"], &[]).await;
        let mut bob = server.client(version, syntax, "bob").await;
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        let mut carl = server.client(version, syntax, "carl").await;
        for turn in 0..5 {
            let topic = property("Topic", &format!("turn {turn}"));
            set(&mut alice, GROUP, Some(&topic), None)
                .await
                .expect_status(200);
        }
        join(&mut carl, GROUP, "Carl")
            .await
            .expect("JoinGroup-Response");
        let told = take(&mut bob, "GroupChangeNotice").await;
        assert_eq!(
            value(&told, "GroupProperties", "Topic").as_deref(),
            Some("turn 4")
        );
        assert!(told.at("Joined").is_some(), "{told:#?}");
        nothing(&mut bob).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_becomes_a_member_is_told_of_it() {
    // 5.7; 9.1: GMG.
    for (version, syntax) in EACH {
        let (server, mut alice) = with_group(&["alice", "bob"], &[]).await;
        let mut bob = server.client(version, syntax, "bob").await;
        if version == Version::V1_3 {
            let subscribe = "<SubscribeNotification-Request><NotificationTypeList><NotificationType>GMG</NotificationType></NotificationTypeList></SubscribeNotification-Request>";
            bob.request(subscribe).await.expect_status(200);
        }
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        add_members(&mut alice, GROUP, &["bob"])
            .await
            .expect_status(200);
        let came = bob.drain().await;
        let notice = came.iter().find(|came| came.name == "GroupChangeNotice");
        let member = notice.and_then(|notice| value(notice, "OwnProperties", "IsMember"));
        assert_eq!(member.as_deref(), Some("T"), "{came:#?}");
        let told = came.iter().find(|came| came.name == "Notification-Request");
        assert_eq!(told.is_some(), version == Version::V1_3);
        if let Some(told) = told {
            assert_eq!(told.text("NotificationType"), Some("GMG"));
            assert_eq!(told.text("GroupID"), Some(GROUP));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_agreed_to_notices_gets_none() {
    // csp-access 6.3: GRCHN; 5.4 needs no agreement.
    let (server, mut alice) = with_group(&["alice", "bob"], &[]).await;
    let mut bob = server
        .client(Version::V1_3, hamlet_csp::Syntax::Xml, "bob")
        .await;
    let agree = "<Service-Request><Functions><WVCSPFeat><GroupFeat><GroupUseFunc><SUBGCN/></GroupUseFunc></GroupFeat></WVCSPFeat></Functions>\
                 <AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>";
    let answer = bob.request(agree).await;
    assert!(answer.expect("Service-Response").at("Functions").is_none());
    join(&mut bob, GROUP, "Bo")
        .await
        .expect("JoinGroup-Response");
    let topic = property("Topic", "x");
    set(&mut alice, GROUP, Some(&topic), None)
        .await
        .expect_status(200);
    nothing(&mut bob).await;
    about(&mut bob, "GetGroupProps", GROUP)
        .await
        .expect_status(506);
    about(&mut alice, "DeleteGroup", GROUP)
        .await
        .expect_status(200);
    take(&mut bob, "LeaveGroup-Response").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_it_is_joined_at_his_login() {
    // 9 AutoJoin: the user learns it by a notice with himself.
    for (version, syntax) in EACH {
        let (server, mut alice) = with_group(&["alice", "bob"], &[]).await;
        join(&mut alice, GROUP, "Ann")
            .await
            .expect("JoinGroup-Response");
        let mut bob = server.client(version, syntax, "bob").await;
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        let own = property("AutoJoin", "T") + &property("ScreenName", "Bo");
        set(&mut bob, GROUP, None, Some(&own))
            .await
            .expect_status(200);
        bob.request("<Logout-Request/>").await.expect_code(200);
        alice.drain().await;
        let mut bob = server.client(version, syntax, "bob").await;
        super::negotiate(&mut bob, "").await;
        let told = take(&mut alice, "GroupChangeNotice").await;
        assert!(told.at("Joined").is_some(), "{told:#?}");
        let told = take(&mut bob, "GroupChangeNotice").await;
        let names = super::joined_names(told.at("Joined").expect("who"), version);
        assert_eq!(names, ["Bo"]);
        join(&mut bob, GROUP, "Bo").await.expect_status(807);
    }
}

/// bob, who wants to be joined, in a new session.
async fn comes_back(server: &TestServer, (version, syntax): (Version, Syntax)) -> Client {
    let mut bob = server.client(version, syntax, "bob").await;
    join(&mut bob, GROUP, "Bo")
        .await
        .expect("JoinGroup-Response");
    set(&mut bob, GROUP, None, Some(&property("AutoJoin", "T")))
        .await
        .expect_status(200);
    bob.request("<Logout-Request/>").await.expect_code(200);
    server.client(version, syntax, "bob").await
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_client_cannot_learn_of_it_is_not_joined_at_his_login() {
    // 9 RULE: clients of 1.1 and 1.2 without GRCHN, whatever they negotiate first.
    const NO_NOTICES: &str = "<GroupFeat><GroupUseFunc><SUBGCN/></GroupUseFunc></GroupFeat>";
    for (version, syntax) in EACH {
        for services_first in [true, false] {
            let (server, _alice) = with_group(&["alice", "bob"], &[]).await;
            let mut bob = comes_back(&server, (version, syntax)).await;
            if services_first {
                super::serve(&mut bob, NO_NOTICES).await;
                super::capable(&mut bob).await;
            } else {
                super::negotiate(&mut bob, NO_NOTICES).await;
            }
            nothing(&mut bob).await;
            let left = about(&mut bob, "LeaveGroup", GROUP).await;
            let expected = if version == Version::V1_3 { 200 } else { 808 };
            assert_eq!(left.code(), Some(expected), "{version} {services_first}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_not_joined_again_in_the_same_session() {
    // 9 RULE: once in a session, also after a restart.
    for (version, syntax) in EACH {
        let (mut server, mut alice) = with_group(&["alice", "bob"], &[]).await;
        let mut bob = comes_back(&server, (version, syntax)).await;
        super::negotiate(&mut bob, "").await;
        about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
        bob.drain().await;
        for _ in 0..2 {
            super::negotiate(&mut bob, "").await;
            nothing(&mut bob).await;
            server.restart().await;
            bob.reconnect(server.address()).await;
        }
        alice.reconnect(server.address()).await;
        join(&mut alice, GROUP, "Ann")
            .await
            .expect("JoinGroup-Response");
        about(&mut bob, "LeaveGroup", GROUP).await.expect_code(808);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_negotiates_no_services_is_joined_when_he_begins_to_poll() {
    // csp-access 3.4: at once if no negotiation follows.
    for (version, syntax) in EACH {
        let (server, _alice) = with_group(&["alice", "bob"], &[]).await;
        let mut bob = comes_back(&server, (version, syntax)).await;
        super::capable(&mut bob).await;
        let told = take(&mut bob, "GroupChangeNotice").await;
        assert!(told.at("Joined").is_some(), "{told:#?}");
        about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
        nothing(&mut bob).await;
        about(&mut bob, "LeaveGroup", GROUP).await.expect_code(808);
    }
}
