//! Messages, reports and partial results between domains.

use crate::{Domains, WEATHER, message, wait};
use hamlet_tests::client::{Client, send_message, user};

/// Waits for a delivery report; its code and the recipient that it is about.
async fn report(client: &mut Client) -> (String, String) {
    wait(client, "delivery report", |primitive| {
        let text = |path| primitive.text(path).unwrap_or_default().to_owned();
        (primitive.name == "DeliveryReport-Request").then(|| {
            let recipient = text("MessageInfo/Recipient/User/UserID");
            (text("Result/Code"), recipient)
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn alice_and_bob_write_to_each_other_and_learn_of_the_delivery() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = domains.alice().await;
        let mut bob = domains.bob().await;
        for text in ["Hyvää yötä", "こんばんは 🌙"] {
            let content = send_message(&user("wv:bob@b"), text, true);
            alice.request(&content).await.expect_code(200);
            let came = message(&mut bob).await;
            assert_eq!(
                came,
                (text.to_owned(), "wv:alice@a".to_owned()),
                "{faults:?}"
            );
            let told = report(&mut alice).await;
            assert_eq!(told, ("200".to_owned(), "wv:bob@b".to_owned()));

            let content = send_message(&user("wv:alice@a"), text, true);
            bob.request(&content).await.expect_code(200);
            let came = message(&mut alice).await;
            assert_eq!(came, (text.to_owned(), "wv:bob@b".to_owned()), "{faults:?}");
            let told = report(&mut bob).await;
            assert_eq!(told, ("200".to_owned(), "wv:alice@a".to_owned()));
        }
        // Nothing came twice.
        assert!(alice.drain().await.is_empty(), "{faults:?}");
        assert!(bob.drain().await.is_empty(), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_to_users_of_both_domains_merges_the_results() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = domains.alice().await;
        let (mut carl, mut bob) = (domains.carl().await, domains.bob().await);
        let recipients: String = ["wv:carl@a", "wv:x@a", "wv:bob@b", "wv:y@b", "wv:z@c"]
            .into_iter()
            .map(user)
            .collect();
        let answer = alice.request(&send_message(&recipients, "hi", false)).await;
        answer.expect_code(201);
        let mut failed: Vec<(String, Vec<String>)> = answer
            .primitive()
            .all("Result/DetailedResult")
            .into_iter()
            .map(|detail| {
                let users = detail.texts("UserID").into_iter().map(str::to_owned);
                let code = detail.text("Code").unwrap_or_default().to_owned();
                (code, users.collect())
            })
            .collect();
        failed.sort();
        let expected = [
            ("516".to_owned(), vec!["wv:z@c".to_owned()]),
            (
                "531".to_owned(),
                vec!["wv:x@a".to_owned(), "wv:y@b".to_owned()],
            ),
        ];
        assert_eq!(failed, expected, "{faults:?}");
        for client in [&mut carl, &mut bob] {
            let came = message(client).await;
            assert_eq!(came, ("hi".to_owned(), "wv:alice@a".to_owned()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_answers_late_gets_the_message_and_the_sender_an_answer() {
    let domains = Domains::start(WEATHER[0]).await;
    let mut alice = domains.alice().await;
    let mut bob = domains.bob().await;
    domains.net.hold();
    // The answer of the own domain comes when the patience with the other one ends
    // (README 3, `late answer of another domain`).
    let content = send_message(&(user("wv:bob@b") + &user("wv:y@b")), "slow", true);
    alice.request(&content).await.expect_code(200);
    domains.net.release();
    let came = message(&mut bob).await;
    assert_eq!(came, ("slow".to_owned(), "wv:alice@a".to_owned()));
    let mut told = [report(&mut alice).await, report(&mut alice).await];
    told.sort();
    let expected = [("200", "wv:bob@b"), ("531", "wv:y@b")];
    assert_eq!(
        told,
        expected.map(|(code, user)| (code.to_owned(), user.to_owned()))
    );
}
