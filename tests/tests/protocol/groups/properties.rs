//! Properties (csp-group 1.2, 5.9, 5.10).

use super::{
    EACH, GROUP, about, all_properties, join, join_with, nothing, property, set, take, value,
    with_group,
};
use hamlet_csp::{Syntax, Version};

#[tokio::test(flavor = "multi_thread")]
async fn properties_are_read_by_who_is_joined_and_changed_by_who_may() {
    for (version, syntax) in EACH {
        let (server, _) = with_group(&["alice", "bob"], &[("Name", "Skiing")]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        let answer = about(&mut bob, "GetGroupProps", GROUP).await;
        let got = answer.expect("GetGroupProps-Response");
        for (name, expected) in [
            ("Name", "Skiing"),
            ("AccessType", "Open"),
            ("Type", "Private"),
            ("ActiveUsers", "1"),
        ] {
            let shown = value(got, "GroupProperties", name);
            assert_eq!(shown.as_deref(), Some(expected), "{name}");
        }
        // data-types 4.2: what a version does not have is not told.
        let since_1_2 = value(got, "GroupProperties", "AutoDelete").is_some();
        assert_eq!(since_1_2, version >= Version::V1_2);
        let since_1_3 = value(got, "GroupProperties", "History").is_some();
        assert_eq!(since_1_3, version == Version::V1_3);
        for (name, expected) in [("IsMember", "F"), ("PrivilegeLevel", "User")] {
            assert_eq!(value(got, "OwnProperties", name).as_deref(), Some(expected));
        }
        if syntax == Syntax::Xml {
            // data-types 4: the spelling of the old versions.
            let names = got.texts("GroupProperties/Property/Name");
            let spelling = match version {
                Version::V1_3 => "AccessType",
                _ => "Accesstype",
            };
            assert!(names.contains(&spelling), "{names:?}");
        }
        let topic = property("Topic", "Snow & ice");
        set(&mut bob, GROUP, Some(&topic), None)
            .await
            .expect_status(816);
        set(&mut alice, GROUP, Some(&topic), None)
            .await
            .expect_status(200);
        let told = take(&mut bob, "GroupChangeNotice").await;
        let shown = value(&told, "GroupProperties", "Topic");
        assert_eq!(shown.as_deref(), Some("Snow & ice"));
        nothing(&mut alice).await;
        // Both at once: his own is set, the other refused.
        let own = property("AutoJoin", "F");
        let both = set(&mut bob, GROUP, Some(&topic), Some(&own)).await;
        both.expect_status(201);
        assert_eq!(
            both.primitive().text("Result/DetailedResult/Code"),
            Some("816")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_s60_echoes_is_ignored_and_what_is_wrong_refused() {
    // 1.2; clients 4.9: Type, IsMember and PrivilegeLevel come back unchanged.
    for (version, syntax) in EACH {
        let (server, _) = with_group(&["alice"], &[("Name", "Skiing")]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let echoed = all_properties(&[("Type", "Private"), ("Topic", "x")]);
        let own = all_properties(&[
            ("IsMember", "T"),
            ("PrivilegeLevel", "Admin"),
            ("PrivateMessaging", "T"),
        ]);
        set(&mut alice, GROUP, Some(&echoed), Some(&own))
            .await
            .expect_status(200);
        for wrong in [
            property("Type", "Public"),
            property("ActiveUsers", "77"),
            property("Shoes", "42"),
            property("Searchable", "perhaps"),
        ] {
            let answer = set(&mut alice, GROUP, Some(&wrong), None).await;
            assert_eq!(answer.code(), Some(806), "{wrong}");
        }
        let answer = set(&mut alice, GROUP, None, Some(&property("IsMember", "F"))).await;
        assert_eq!(answer.code(), Some(806));
        let both = all_properties(&[("Name", ""), ("Topic", ""), ("Searchable", "T")]);
        set(&mut alice, GROUP, Some(&both), None)
            .await
            .expect_code(822);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_gets_the_welcome_note() {
    // 5.3, 5.10: empty content removes it.
    for (version, syntax) in EACH {
        let (server, _) = with_group(&["alice", "bob"], &[]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let note = |encoding: &str, text: &str| {
            format!(
                "<WelcomeNote><ContentType>text/plain</ContentType>{encoding}<ContentData>{text}</ContentData></WelcomeNote>"
            )
        };
        let base64 = "<ContentEncoding>BASE64</ContentEncoding>";
        for (note, shown) in [
            (note("", "Hello"), Some("Hello")),
            (note(base64, "aGkgdGhlcmU="), Some("hi there")),
            (note("", ""), None),
        ] {
            set(&mut alice, GROUP, Some(&note), None)
                .await
                .expect_status(200);
            let joined = join(&mut bob, GROUP, "Bo").await;
            let joined = joined.expect("JoinGroup-Response");
            assert_eq!(joined.text("WelcomeNote/ContentData"), shown, "{version:?}");
            about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_keeps_the_name_of_another() {
    // 1.2, 5.10 RULE: 811; a name that is kept for AutoJoin would keep its bearer out.
    for (version, syntax) in EACH {
        let (server, mut alice) = with_group(&["alice", "bob"], &[]).await;
        join(&mut alice, GROUP, "Ann")
            .await
            .expect("JoinGroup-Response");
        let mut bob = server.client(version, syntax, "bob").await;
        let keeping = |name: &str| {
            let own = property("AutoJoin", "T") + &property("ScreenName", name);
            format!("<OwnProperties>{own}</OwnProperties>")
        };
        if version > Version::V1_1 {
            for name in ["Ann", "ANN", "*skiing*"] {
                join_with(&mut bob, GROUP, "", "F", &keeping(name))
                    .await
                    .expect_status(811);
            }
        }
        // A name that was nobody's when he chose it.
        join(&mut bob, GROUP, "Bo")
            .await
            .expect("JoinGroup-Response");
        let own = property("ScreenName", "Queen");
        set(&mut bob, GROUP, None, Some(&own))
            .await
            .expect_status(200);
        about(&mut alice, "LeaveGroup", GROUP)
            .await
            .expect_code(200);
        join(&mut alice, GROUP, "Queen")
            .await
            .expect("JoinGroup-Response");
        let auto = property("AutoJoin", "T");
        set(&mut bob, GROUP, None, Some(&auto))
            .await
            .expect_status(811);
        about(&mut alice, "LeaveGroup", GROUP)
            .await
            .expect_code(200);
        join(&mut alice, GROUP, "Queen")
            .await
            .expect("JoinGroup-Response");
    }
}
