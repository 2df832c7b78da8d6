//! Users of another domain join a group, hear who else does, and leave (csp-group 5.3-5.5, 5.12,
//! 5.13, 11.3).

use super::{EACH, GROUP, bert, discloses, heard, joins, put_out, say, told, with_group};
use crate::{Domains, WEATHER, log_in, log_in_as};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::group::{about, join, join_with, joined_names, property, screen_name, set};

#[tokio::test(flavor = "multi_thread")]
async fn users_of_two_domains_come_and_go_in_every_version() {
    for (version, syntax) in EACH {
        let domains = Domains::start(WEATHER[0]).await;
        let mut alice = with_group(&domains, &[]).await;
        let note = "<WelcomeNote><ContentType>text/plain</ContentType><ContentData>Hei</ContentData></WelcomeNote>";
        set(&mut alice, GROUP, Some(note), None)
            .await
            .expect_status(200);
        let mut carl = domains.carl().await;
        joins(&mut carl, "Carl").await;
        let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        let joined = joins(&mut bob, "Bo").await;
        assert_eq!(joined_names(&joined, version), ["Ann", "Bo", "Carl"]);
        assert_eq!(joined.text("WelcomeNote/ContentData"), Some("Hei"));
        let shown = joined.text("ScreenName/SName");
        let expected = (version == Version::V1_3).then_some("Bo");
        assert_eq!(shown, expected, "{version:?}");
        assert!(!discloses(&joined, "@b") && !discloses(&joined, "wv:carl"));
        for client in [&mut alice, &mut carl] {
            let came = told(client, "Joined", "Bo").await;
            assert!(!discloses(&came, "wv:bob"), "{came:#?}");
        }
        join(&mut bob, GROUP, "Bo").await.expect_status(807);

        // Of those who come he hears as they do.
        let mut bert = bert(&domains).await;
        let show_id = format!("<OwnProperties>{}</OwnProperties>", property("ShowID", "T"));
        let name = screen_name("Bert", GROUP);
        join_with(&mut bert, GROUP, &name, "T", &show_id)
            .await
            .expect("JoinGroup-Response");
        told(&mut bob, "Joined", "Bert").await;
        let came = told(&mut carl, "Joined", "Bert").await;
        let id = came.text("Joined/UserMapList/UserMapping/Mapping/UserID");
        assert_eq!(id, Some("wv:bert@b"), "he shows it");
        if version != Version::V1_1 {
            let answer = about(&mut bob, "GetJoinedUsers", GROUP).await;
            let listed = answer.expect("GetJoinedUsers-Response");
            let names = listed.texts("UserMapList/UserMapping/Mapping/SName");
            assert_eq!(names.len(), 4, "{names:?}");
            assert!(!discloses(listed, "wv:carl@a"), "{listed:#?}");
            assert!(discloses(listed, "wv:bert@b"));
        }
        let mut owner = log_in_as(
            "WV:desk",
            &domains.a,
            Version::V1_3,
            Syntax::Xml,
            "wv:alice@a",
        )
        .await;
        joins(&mut owner, "Ann 2").await;
        let answer = about(&mut owner, "GetJoinedUsers", GROUP).await;
        let listed = answer.expect("GetJoinedUsers-Response");
        assert!(
            discloses(listed, "wv:bob@b"),
            "who may put him out: {listed:#?}"
        );

        carl.request(&format!(
            "<LeaveGroup-Request><GroupID>{GROUP}</GroupID></LeaveGroup-Request>"
        ))
        .await
        .expect_code(200);
        told(&mut bob, "Left", "Carl").await;
        let answer = about(&mut bob, "LeaveGroup", GROUP).await;
        answer.expect("LeaveGroup-Response");
        answer.expect_code(200);
        told(&mut bert, "Left", "Bo").await;
        let went = told(&mut alice, "Left", "Bo").await;
        assert!(!discloses(&went, "wv:bob"), "{went:#?}");
        about(&mut bob, "LeaveGroup", GROUP).await.expect_code(808);
        say(&mut bob, "gone").await.expect_code(808);
        // What is said now he does not hear.
        say(&mut alice, "without Bo").await.expect_code(200);
        assert_eq!(heard(&mut bert, "without Bo").await.len(), 1);
        assert!(bob.messages().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_on_the_way_nobody_is_joined_and_told_twice() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = with_group(&domains, &[]).await;
        let mut bob = domains.bob().await;
        for turn in ["one", "two", "three"] {
            let joined = joins(&mut bob, "Bo").await;
            let names = joined_names(&joined, bob.version);
            assert_eq!(names, ["Ann", "Bo"], "{faults:?}");
            say(&mut alice, turn).await.expect_code(200);
            assert_eq!(heard(&mut bob, turn).await, [format!("Ann > *: {turn}")]);
            say(&mut bob, turn).await.expect_code(200);
            assert_eq!(heard(&mut alice, turn).await, [format!("Bo > *: {turn}")]);
            about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
        }
        told(&mut alice, "Left", "Bo").await;
        let rest = alice.drain().await;
        assert!(rest.is_empty(), "{faults:?}: {rest:#?}");
        assert!(bob.drain().await.is_empty(), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_of_a_group_elsewhere_come_to_who_wants_them() {
    for (version, syntax) in EACH {
        let domains = Domains::start(WEATHER[0]).await;
        let mut alice = with_group(&domains, &[]).await;
        let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        let name = screen_name("Bo", GROUP);
        join_with(&mut bob, GROUP, &name, "F", "")
            .await
            .expect("JoinGroup-Response");
        for (kind, wants) in [("G", false), ("S", true), ("U", false)] {
            let content = |kind: &str| {
                format!(
                    "<SubscribeGroupNotice-Request><GroupID>{GROUP}</GroupID><SubscribeType>{kind}</SubscribeType>\
                     </SubscribeGroupNotice-Request>"
                )
            };
            bob.request(&content(kind)).await;
            let answer = bob.request(&content("G")).await;
            let now = answer.expect("SubscribeGroupNotice-Response");
            assert_eq!(now.text("Value"), Some(if wants { "T" } else { "F" }));
            set(&mut alice, GROUP, Some(&property("Topic", kind)), None)
                .await
                .expect_status(200);
            // It would have come before what is said later.
            say(&mut alice, kind).await.expect_code(200);
            let came = up_to(&mut bob, kind).await;
            let told = came.contains(&"GroupChangeNotice".to_owned());
            assert_eq!(told, wants, "{version:?} {kind}: {came:?}");
        }
    }
}

/// The primitives up to the message with this text.
async fn up_to(client: &mut Client, text: &str) -> Vec<String> {
    let came = std::cell::RefCell::new(Vec::new());
    crate::wait(client, text, |primitive| {
        came.borrow_mut().push(primitive.name.clone());
        (primitive.text("ContentData") == Some(text)).then_some(())
    })
    .await;
    came.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_another_domain_is_kept_out_and_put_out() {
    // 5.3: 800, 809, 810, 811, 817; 5.4: 800, 803, 809, 810, on every client of his.
    for (version, syntax) in EACH {
        let domains = Domains::start(WEATHER[0]).await;
        let mut alice = with_group(&domains, &[]).await;
        let mut phone = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        let mut desk = log_in_as(
            "WV:desk",
            &domains.b,
            Version::V1_3,
            Syntax::Xml,
            "wv:bob@b",
        )
        .await;
        join(&mut phone, "wv:alice/none@a", "Bo")
            .await
            .expect_status(800);
        join(&mut phone, GROUP, "ANN").await.expect_status(811);
        for client in [&mut phone, &mut desk] {
            joins(client, "Bo").await;
        }
        let restrict = property("Accesstype", "Restricted");
        set(&mut alice, GROUP, Some(&restrict), None)
            .await
            .expect_status(200);
        for client in [&mut phone, &mut desk] {
            assert_eq!(put_out(client).await, "803");
            join(client, GROUP, "Bo").await.expect_status(810);
            say(client, "out").await.expect_code(808);
        }
        super::members(&mut alice, "AddGroupMembers", &["wv:bob@b"])
            .await
            .expect_status(200);
        for client in [&mut phone, &mut desk] {
            joins(client, "Bo").await;
        }
        super::members(&mut alice, "RemoveGroupMembers", &["wv:bob@b"])
            .await
            .expect_status(200);
        for client in [&mut phone, &mut desk] {
            assert_eq!(put_out(client).await, "810");
        }
        let open = property("Accesstype", "Open");
        set(&mut alice, GROUP, Some(&open), None)
            .await
            .expect_status(200);
        for client in [&mut phone, &mut desk] {
            joins(client, "Bo").await;
        }
        super::reject(&mut alice, "wv:bob@b")
            .await
            .expect("RejectList-Response");
        for client in [&mut phone, &mut desk] {
            assert_eq!(put_out(client).await, "809");
            join(client, GROUP, "Bo").await.expect_status(809);
        }
        let mut bert = bert(&domains).await;
        joins(&mut bert, "Bert").await;
        about(&mut alice, "DeleteGroup", GROUP)
            .await
            .expect_status(200);
        assert_eq!(put_out(&mut bert).await, "800");
        join(&mut bert, GROUP, "Bert").await.expect_status(800);
        // Told once each.
        for client in [&mut phone, &mut desk, &mut bert] {
            let rest = client.drain().await;
            let again = rest.iter().any(|came| came.name == "LeaveGroup-Response");
            assert!(!again, "{rest:#?}");
        }
    }
}
