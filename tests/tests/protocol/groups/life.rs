//! Making, joining, leaving and deleting (csp-group 5.1 to 5.4, 9).

use super::{EACH, GROUP, about, create, join, join_with, joined_names, nothing, take, with_group};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_joined_left_and_deleted() {
    // 11.3, 11.5, in all pairs of versions.
    for (version, syntax) in EACH {
        for (other, other_syntax) in EACH {
            let server = TestServer::with_users(&[], &["alice", "bob"]).await;
            let mut alice = server.client(version, syntax, "alice").await;
            let mut bob = server.client(other, other_syntax, "bob").await;
            let made = create(&mut alice, GROUP, &[("Name", "Skiing")], Some("Ann")).await;
            made.expect_status(200);
            let joined = join(&mut bob, GROUP, "Bo").await;
            let joined = joined.expect("JoinGroup-Response");
            assert_eq!(joined_names(joined, other), ["Ann", "Bo"], "{other:?}");
            let name = joined.text("ScreenName/SName");
            assert_eq!(name, (other == Version::V1_3).then_some("Bo"));
            let told = take(&mut alice, "GroupChangeNotice").await;
            assert_eq!(told.text("GroupID"), Some(GROUP));
            let came = told.at("Joined").expect("who came");
            assert_eq!(joined_names(came, version), ["Bo"]);
            nothing(&mut bob).await;

            let left = about(&mut bob, "LeaveGroup", GROUP).await;
            assert_eq!(left.expect("LeaveGroup-Response").text("GroupID"), None);
            left.expect_code(200);
            about(&mut bob, "LeaveGroup", GROUP).await.expect_code(808);
            let told = take(&mut alice, "GroupChangeNotice").await;
            assert_eq!(told.text("Left/UserList/ScreenName/SName"), Some("Bo"));
            assert_eq!(
                told.at("Left/UserList/User"),
                None,
                "5.13: never an address"
            );

            join(&mut bob, GROUP, "Bo")
                .await
                .expect("JoinGroup-Response");
            alice.drain().await;
            about(&mut alice, "DeleteGroup", GROUP)
                .await
                .expect_status(200);
            let out = take(&mut bob, "LeaveGroup-Response").await;
            assert_eq!(out.text("GroupID"), Some(GROUP));
            assert_eq!(out.text("Result/Code"), Some("800"));
            let gone = join(&mut bob, GROUP, "Bo").await;
            gone.expect_status(800);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_of_making_a_group_has_its_code() {
    // 5.1.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        for (group, properties, code) in [
            ("wv:bob/g@h", &[][..], 806),
            ("wv:alice@h", &[], 806),
            ("wv:/public@h", &[], 806),
            ("wv:alice/a@h", &[("Colour", "red")], 806),
            ("wv:alice/a@h", &[("Accesstype", "Perhaps")], 806),
            ("wv:alice/a@h", &[("Searchable", "T")], 822),
            ("wv:alice/a@h", &[("Searchable", "T"), ("Topic", "x")], 200),
            ("wv:alice/A@h", &[], 801),
        ] {
            let answer = create(&mut alice, group, properties, None).await;
            answer.expect("Status");
            assert_eq!(
                answer.code(),
                Some(code),
                "{version:?} {group} {properties:?}"
            );
        }
        let answer = create(&mut alice, "wv:alice/b@h", &[], Some("a\nb")).await;
        assert_eq!(answer.code(), Some(402), "a name that cannot be");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_of_joining_has_its_code() {
    // 5.3, in order.
    let users = ["alice", "bob", "carl"];
    let (server, mut alice) = with_group(&users, &[("MaxActiveUsers", "2")]).await;
    for (version, syntax) in EACH {
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        join(&mut bob, "wv:alice/none@h", "b")
            .await
            .expect_status(800);
        let long = "x".repeat(51);
        join(&mut bob, GROUP, &long).await.expect_status(402);
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        join(&mut bob, GROUP, "Bo").await.expect_status(807);
        // S60 compares without case.
        join(&mut carl, GROUP, "bO").await.expect_status(811);
        let assigned = join_with(&mut carl, GROUP, "", "T", "").await;
        let assigned = assigned.expect("JoinGroup-Response");
        assert_eq!(joined_names(assigned, version), ["Bo", "carl"]);
        about(&mut carl, "LeaveGroup", GROUP).await.expect_code(200);
        // The owner needs no room.
        join(&mut alice, GROUP, "Ann")
            .await
            .expect("JoinGroup-Response");
        join(&mut carl, GROUP, "Carl").await.expect_status(817);
        for client in [&mut alice, &mut bob] {
            about(client, "LeaveGroup", GROUP).await.expect_code(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_answered_again_and_not_carried_out_again() {
    // csp-access 2.3; csp-group 1.0.
    let (server, _alice) = with_group(&["alice", "bob"], &[]).await;
    for (version, syntax) in EACH {
        let mut bob = server.client(version, syntax, "bob").await;
        let content = format!(
            "<JoinGroup-Request><GroupID>{GROUP}</GroupID><JoinedRequest>T</JoinedRequest>\
             <SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>"
        );
        for _ in 0..2 {
            let answer = bob.request_as("again", &content).await;
            let answer = answer.expect("JoinGroup-Response");
            assert_eq!(joined_names(answer, version), ["bob"]);
        }
        join(&mut bob, GROUP, "Bo").await.expect_status(807);
        let leave = format!("<LeaveGroup-Request><GroupID>{GROUP}</GroupID></LeaveGroup-Request>");
        for _ in 0..2 {
            bob.request_as("leave", &leave).await.expect_code(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_his_session_leaves_his_groups() {
    // 9, 11.9.
    for (version, syntax) in EACH {
        let (server, mut alice) = with_group(&["alice", "bob", "carl"], &[]).await;
        join(&mut alice, GROUP, "Ann")
            .await
            .expect("JoinGroup-Response");
        let mut bob = server.client(version, syntax, "bob").await;
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        take(&mut alice, "GroupChangeNotice").await;
        bob.request("<Logout-Request/>").await.expect_code(200);
        let told = take(&mut alice, "GroupChangeNotice").await;
        assert_eq!(told.text("Left/UserList/ScreenName/SName"), Some("Bo"));
        // His name is free for others.
        let mut carl = server.client(version, syntax, "carl").await;
        join(&mut carl, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        server.sweep_after(Duration::from_secs(100_000)).await;
        let mut carl = server.client(version, syntax, "carl").await;
        let again = join(&mut carl, GROUP, "Bo").await;
        let again = again.expect("JoinGroup-Response");
        assert_eq!(joined_names(again, version), ["Bo"], "all others are gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_goes_with_its_last_user_if_it_shall() {
    // 9 AutoDelete.
    for (version, syntax) in EACH {
        let (server, mut alice) = with_group(&["alice", "bob"], &[("AutoDelete", "T")]).await;
        let mut bob = server.client(version, syntax, "bob").await;
        for client in [&mut alice, &mut bob] {
            let joined = join_with(client, GROUP, "", "F", "").await;
            joined.expect("JoinGroup-Response");
        }
        about(&mut alice, "LeaveGroup", GROUP)
            .await
            .expect_code(200);
        about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
        join(&mut bob, GROUP, "Bo").await.expect_status(800);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_several_clients_is_joined_with_each() {
    // 1: joining is for a client.
    let (server, mut alice) = with_group(&["alice", "bob"], &[]).await;
    join(&mut alice, GROUP, "Ann")
        .await
        .expect("JoinGroup-Response");
    for (version, syntax) in EACH {
        let mut phone = server.client(version, syntax, "bob").await;
        let mut desk = Client::connect(server.address(), version, syntax).await;
        desk.client_id = "WV:desk".into();
        desk.login_with_password("wv:bob@h", "secret")
            .await
            .expect_code(200);
        join(&mut phone, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        let joined = join(&mut desk, GROUP, "Bob").await;
        let joined = joined.expect("JoinGroup-Response");
        assert_eq!(joined_names(joined, version), ["Ann", "Bo", "Bob"]);
        about(&mut phone, "LeaveGroup", GROUP)
            .await
            .expect_code(200);
        about(&mut desk, "LeaveGroup", GROUP).await.expect_code(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_finds_his_groups_by_a_search() {
    // 5.1, 9; clients S60-21: also those that do not want to be found.
    for (version, syntax) in EACH {
        let (server, _alice) = with_group(&["alice", "bob"], &[]).await;
        let search = "<Search-Request><SearchPairList><SearchElement>GROUP_USER_ID_OWNER</SearchElement>\
                      <SearchString>wv:alice@h</SearchString></SearchPairList><SearchLimit>50</SearchLimit></Search-Request>";
        for (user, found) in [("alice", vec![GROUP]), ("bob", vec![])] {
            let mut client = server.client(version, syntax, user).await;
            if user == "alice" {
                client.client_id = "another".into();
            }
            let answer = client.request(search).await;
            let response = answer.expect("Search-Response");
            assert_eq!(
                response.texts("SearchResult/GroupList/GroupID"),
                found,
                "{user}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_survive_a_restart_with_those_who_are_joined() {
    let (mut server, mut alice) = with_group(&["alice", "bob"], &[("Topic", "Snow")]).await;
    join(&mut alice, GROUP, "Ann")
        .await
        .expect("JoinGroup-Response");
    let session = alice.session.clone();
    server.restart().await;
    let mut alice = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    alice.session = session;
    let mut bob = server.client(Version::V1_2, Syntax::Xml, "bob").await;
    let joined = join(&mut bob, GROUP, "Bo").await;
    let joined = joined.expect("JoinGroup-Response");
    assert_eq!(joined_names(joined, Version::V1_2), ["Ann", "Bo"]);
    let told = take(&mut alice, "GroupChangeNotice").await;
    assert_eq!(
        joined_names(told.at("Joined").expect("who"), Version::V1_2),
        ["Bo"]
    );
}
