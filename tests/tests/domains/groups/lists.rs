//! Lists of recipients with users, groups and names of both domains, and who of them does not
//! want to hear (csp-im 5.3, 11; csp-group 6 item 3).

use super::{GROUP, bert, heard, joins, say, to_group, to_name, with_group};
use crate::{Domains, WEATHER};
use hamlet_tests::client::{Client, send_message, user};

async fn block(bob: &mut Client, what: &str) {
    let content = format!(
        "<BlockEntity-Request><BlockList><AddList>{what}</AddList></BlockList><BlockListInUse>T</BlockListInUse>\
         <GrantListInUse>F</GrantListInUse></BlockEntity-Request>"
    );
    bob.request(&content).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_reaches_users_groups_and_names_of_both_domains() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = with_group(&domains, &[("PrivateMessaging", "T")]).await;
        let mut carl = domains.carl().await;
        let mut bob = domains.bob().await;
        joins(&mut bob, "Bo").await;
        let mut bert = bert(&domains).await;
        joins(&mut bert, "Bert").await;
        let none = "<Group><GroupID>wv:alice/none@a</GroupID></Group>";
        let far = "<Group><GroupID>wv:x/far@c</GroupID></Group>";
        let recipients = [
            user("wv:carl@a"),
            user("wv:alice@a"),
            user("wv:nobody@a"),
            user("wv:nobody@b"),
            to_group(),
            to_name("Bert"),
            to_name("nobody"),
            none.to_owned(),
            far.to_owned(),
        ]
        .concat();
        let answer = bob.request(&send_message(&recipients, "hi", false)).await;
        answer.expect_code(201);
        let response = answer.expect("SendMessage-Response");
        let mut failed: Vec<String> = response
            .all("Result/DetailedResult")
            .into_iter()
            .flat_map(|detail| {
                let code = detail.text("Code").unwrap_or_default();
                let mut whom = detail.texts("UserID");
                whom.extend(detail.texts("GroupID"));
                whom.extend(detail.texts("ScreenName/SName"));
                let each = whom.into_iter().map(|whom| format!("{code} {whom}"));
                each.collect::<Vec<_>>()
            })
            .collect();
        failed.sort();
        let expected = [
            "410 nobody",
            "516 wv:x/far@c",
            "531 wv:nobody@a",
            "531 wv:nobody@b",
            "800 wv:alice/none@a",
        ];
        assert_eq!(failed, expected, "{faults:?}");
        let as_user = heard(&mut carl, "hi").await;
        assert_eq!(as_user, ["wv:bob@b > wv:carl@a: hi"], "{faults:?}");
        let mut twice = heard(&mut alice, "hi").await;
        twice.extend(heard(&mut alice, "hi").await);
        twice.sort();
        let expected = ["Bo > *: hi", "wv:bob@b > wv:alice@a: hi"];
        assert_eq!(twice, expected, "{faults:?}");
        let mut twice = heard(&mut bert, "hi").await;
        twice.extend(heard(&mut bert, "hi").await);
        twice.sort();
        assert_eq!(twice, ["Bo > *: hi", "Bo > Bert: hi"], "{faults:?}");
        for client in [&mut alice, &mut carl, &mut bob, &mut bert] {
            assert!(client.messages().await.is_empty(), "{faults:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_blocks_somebody_does_not_hear_him_in_a_group_elsewhere() {
    for (what, hears) in [
        ("<UserID>wv:alice@a</UserID>", false),
        (
            "<ScreenName><SName>Ann</SName><GroupID>wv:alice/ski@a</GroupID></ScreenName>",
            false,
        ),
        ("<GroupID>wv:alice/ski@a</GroupID>", false),
        ("<UserID>wv:carl@a</UserID>", true),
    ] {
        for faults in [WEATHER[0], WEATHER[3]] {
            let domains = Domains::start(faults).await;
            let mut alice = with_group(&domains, &[]).await;
            let mut bob = domains.bob().await;
            joins(&mut bob, "Bo").await;
            let mut bert = bert(&domains).await;
            joins(&mut bert, "Bert").await;
            block(&mut bob, what).await;
            say(&mut alice, "hello").await.expect_code(200);
            assert_eq!(heard(&mut bert, "hello").await, ["Ann > *: hello"]);
            let came = bob.messages().await;
            assert_eq!(!came.is_empty(), hears, "{what} in {GROUP}");
            // He himself is heard by her.
            say(&mut bob, "yes?").await.expect_code(200);
            assert_eq!(heard(&mut alice, "yes?").await, ["Bo > *: yes?"]);
        }
    }
}
