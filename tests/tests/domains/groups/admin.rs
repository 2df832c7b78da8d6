//! A group whose administrators and members live in another domain (csp-group 5.2, 5.6-5.11).

use super::{EACH, GROUP, access, bert, discloses, joins, put_out, told, users, with_group};
use crate::{Domains, WEATHER, log_in, wait};
use hamlet_csp::Version;
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
use hamlet_tests::group::{about, join, property, set, value};

async fn change(client: &mut Client, part: &str, name: &str) -> String {
    wait(client, name, |came| {
        let changed = value(came, part, name);
        changed.filter(|_| came.name == "GroupChangeNotice")
    })
    .await
}

async fn properties(client: &mut Client) -> Element {
    let answer = about(client, "GetGroupProps", GROUP).await;
    answer.expect("GetGroupProps-Response").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_run_from_another_domain() {
    for (version, syntax) in EACH {
        let domains = Domains::start(WEATHER[0]).await;
        let mut alice = with_group(&domains, &[("Topic", "snow")]).await;
        let mut carl = domains.carl().await;
        joins(&mut carl, "Carl").await;
        let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        let mut bert = bert(&domains).await;
        joins(&mut bob, "Bo").await;
        joins(&mut bert, "Bert").await;

        // An ordinary user reads, and changes his own.
        let read = properties(&mut bob).await;
        assert_eq!(
            value(&read, "GroupProperties", "Topic").as_deref(),
            Some("snow")
        );
        assert_eq!(
            value(&read, "GroupProperties", "ActiveUsers").as_deref(),
            Some("4")
        );
        assert_eq!(
            value(&read, "OwnProperties", "PrivilegeLevel").as_deref(),
            Some("User")
        );
        let topic = property("Topic", "ice");
        set(&mut bob, GROUP, Some(&topic), None)
            .await
            .expect_status(816);
        about(&mut bob, "GetGroupMembers", GROUP)
            .await
            .expect_status(816);
        super::reject(&mut bob, "wv:carl@a")
            .await
            .expect_status(816);
        about(&mut bob, "DeleteGroup", GROUP)
            .await
            .expect_status(816);

        access(&mut alice, "Admin", "wv:bob@b")
            .await
            .expect_status(200);
        let level = change(&mut bob, "OwnProperties", "PrivilegeLevel").await;
        assert_eq!(level, "Admin");
        set(&mut bob, GROUP, Some(&topic), None)
            .await
            .expect_status(200);
        for client in [&mut alice, &mut carl, &mut bert] {
            assert_eq!(change(client, "GroupProperties", "Topic").await, "ice");
        }
        let list = users(version, &["wv:bert@b", "wv:carl@a", "wv:nobody@a"]);
        let add = format!(
            "<AddGroupMembers-Request><GroupID>{GROUP}</GroupID>{list}</AddGroupMembers-Request>"
        );
        let answer = bob.request(&add).await;
        answer.expect_status(201);
        assert!(discloses(answer.primitive(), "wv:nobody@a"));
        let answer = about(&mut bob, "GetGroupMembers", GROUP).await;
        let members = answer.expect("GetGroupMembers-Response");
        let mut admins = members.texts("Admin/UserList/User/UserID");
        admins.sort_unstable();
        assert_eq!(admins, ["wv:alice@a", "wv:bob@b"]);
        let ordinary = match version {
            Version::V1_3 => "UserList/User/UserID",
            _ => "Users/UserList/User/UserID",
        };
        let mut ordinary = members.texts(ordinary);
        ordinary.sort_unstable();
        assert_eq!(ordinary, ["wv:bert@b", "wv:carl@a"]);

        let answer = super::reject(&mut bob, "wv:carl@a").await;
        let rejected = answer.expect("RejectList-Response");
        assert_eq!(rejected.texts("UserList/User/UserID"), ["wv:carl@a"]);
        assert_eq!(put_out(&mut carl).await, "809");
        told(&mut bob, "Left", "Carl").await;
        let question =
            format!("<RejectList-Request><GroupID>{GROUP}</GroupID></RejectList-Request>");
        let answer = bob.request(&question).await;
        let rejected = answer.expect("RejectList-Response");
        assert_eq!(rejected.texts("UserList/User/UserID"), ["wv:carl@a"]);

        // He deletes it: everybody else is told.
        about(&mut bob, "DeleteGroup", GROUP)
            .await
            .expect_status(200);
        for client in [&mut alice, &mut bert] {
            assert_eq!(put_out(client).await, "800", "{version:?}");
        }
        let after = about(&mut bob, "LeaveGroup", GROUP).await;
        assert!(matches!(after.code(), Some(800 | 808)), "{after:?}");
        join(&mut bob, GROUP, "Bo").await.expect_status(800);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_elsewhere_changes_much_whatever_happens_on_the_way() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = with_group(&domains, &[]).await;
        let mut bob = domains.bob().await;
        joins(&mut bob, "Bo").await;
        access(&mut alice, "Admin", "wv:bob@b")
            .await
            .expect_status(200);
        change(&mut bob, "OwnProperties", "PrivilegeLevel").await;
        for topic in ["one", "two", "three"] {
            set(&mut bob, GROUP, Some(&property("Topic", topic)), None)
                .await
                .expect_status(200);
            assert_eq!(change(&mut alice, "GroupProperties", "Topic").await, topic);
            let back = format!("{topic} again");
            set(&mut alice, GROUP, Some(&property("Topic", &back)), None)
                .await
                .expect_status(200);
            assert_eq!(change(&mut bob, "GroupProperties", "Topic").await, back);
        }
        assert!(alice.drain().await.is_empty(), "{faults:?}: told once");
        assert!(bob.drain().await.is_empty(), "{faults:?}: told once");
    }
}
