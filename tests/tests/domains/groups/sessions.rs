//! Several clients of one user in a group elsewhere share one join (csp-group 9).

use super::{EACH, GROUP, heard, joins, say, told, with_group};
use crate::{Domains, WEATHER, log_in, log_in_as};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::group::{about, join, join_with, joined_names};

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_of_a_user_share_one_join_elsewhere() {
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
        joins(&mut phone, "Bo").await;
        told(&mut alice, "Joined", "Bo").await;
        join(&mut desk, GROUP, "Robert").await.expect_status(811);
        let answer = join_with(&mut desk, GROUP, "", "T", "").await;
        let joined = answer.expect("JoinGroup-Response");
        assert_eq!(joined_names(joined, desk.version), ["Ann", "Bo"]);
        assert_eq!(joined.text("ScreenName/SName"), Some("Bo"));

        // What one says the other hears, and not it itself.
        say(&mut phone, "from the phone").await.expect_code(200);
        assert_eq!(
            heard(&mut desk, "from the phone").await,
            ["Bo > *: from the phone"]
        );
        say(&mut desk, "from the desk").await.expect_code(200);
        assert_eq!(
            heard(&mut phone, "from the desk").await,
            ["Bo > *: from the desk"]
        );
        say(&mut alice, "to both").await.expect_code(200);
        for client in [&mut phone, &mut desk] {
            assert_eq!(heard(client, "to both").await, ["Ann > *: to both"]);
        }
        let at_a = heard(&mut alice, "from the desk").await;
        assert_eq!(at_a, ["Bo > *: from the phone", "Bo > *: from the desk"]);

        // One goes, and the user is still there.
        about(&mut phone, "LeaveGroup", GROUP)
            .await
            .expect_code(200);
        say(&mut phone, "gone").await.expect_code(808);
        say(&mut alice, "still there").await.expect_code(200);
        assert_eq!(heard(&mut desk, "still there").await.len(), 1);
        assert!(phone.messages().await.is_empty());
        let rest = alice.drain().await;
        assert!(rest.is_empty(), "nobody came or went: {rest:#?}");
        desk.request("<Logout-Request/>").await.expect_code(200);
        told(&mut alice, "Left", "Bo").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_that_join_at_once_are_both_joined() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = with_group(&domains, &[]).await;
        let mut phone = domains.bob().await;
        let mut desk = log_in_as(
            "WV:desk",
            &domains.b,
            Version::V1_3,
            Syntax::Xml,
            "wv:bob@b",
        )
        .await;
        let (one, other) = tokio::join!(
            join_with(&mut phone, GROUP, "", "T", ""),
            join_with(&mut desk, GROUP, "", "T", ""),
        );
        let name = |answer: &hamlet_tests::answer::Answer| {
            let joined = answer.expect("JoinGroup-Response");
            joined.text("ScreenName/SName").map(str::to_owned)
        };
        assert_eq!(name(&one), name(&other), "{faults:?}");
        say(&mut alice, "both").await.expect_code(200);
        for client in [&mut phone, &mut desk] {
            assert_eq!(heard(client, "both").await, ["Ann > *: both"], "{faults:?}");
        }
    }
}
