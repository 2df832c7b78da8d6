//! What is said in a group of two domains (csp-group 6): once for everybody, in one order.

use super::{EACH, GROUP, bert, discloses, heard, joins, say, to_group, to_name, with_group};
use crate::{Domains, WEATHER, log_in, wait};
use hamlet_csp::Version;
use hamlet_tests::client::{Client, send_message, user};

/// bert of `b` and carl of `a`, who only listen.
async fn listeners(domains: &Domains) -> (Client, Client) {
    let mut carl = domains.carl().await;
    joins(&mut carl, "Carl").await;
    let mut bert = bert(domains).await;
    joins(&mut bert, "Bert").await;
    (carl, bert)
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_hears_everything_once_and_in_the_same_order() {
    for faults in WEATHER {
        let domains = Domains::start(*faults).await;
        let mut alice = with_group(&domains, &[]).await;
        let mut bob = domains.bob().await;
        joins(&mut bob, "Bo").await;
        let (mut carl, mut bert) = listeners(&domains).await;
        for turn in 0..10 {
            let (from_a, from_b) = (format!("a{turn}"), format!("b{turn}"));
            let (a, b) = tokio::join!(say(&mut alice, &from_a), say(&mut bob, &from_b));
            a.expect_code(200);
            b.expect_code(200);
        }
        // What piles up on its way keeps its order.
        domains.net.hold();
        for turn in 10..20 {
            say(&mut alice, &format!("a{turn}")).await.expect_code(200);
        }
        domains.net.release();
        say(&mut alice, "end").await.expect_code(200);
        let at_a = heard(&mut carl, "end").await;
        let at_b = heard(&mut bert, "end").await;
        assert_eq!(at_a, at_b, "{faults:?}");
        let of = |name: &str, texts: &str, count: usize| -> Vec<String> {
            (0..count)
                .map(|turn| format!("{name} > *: {texts}{turn}"))
                .collect()
        };
        let said = |name: &str| -> Vec<String> {
            let own = at_a.iter().filter(|said| said.starts_with(name));
            own.filter(|said| !said.ends_with("end")).cloned().collect()
        };
        assert_eq!(said("Ann"), of("Ann", "a", 20), "{faults:?}");
        assert_eq!(said("Bo"), of("Bo", "b", 10), "{faults:?}");
        // A sender hears all but himself.
        let without = |name: &str| -> Vec<String> {
            let others = at_a.iter().filter(|said| !said.starts_with(name));
            others.cloned().collect()
        };
        assert_eq!(heard(&mut bob, "end").await, without("Bo"), "{faults:?}");
        say(&mut bob, "good night").await.expect_code(200);
        let mut all = without("Ann");
        all.push("Bo > *: good night".to_owned());
        assert_eq!(heard(&mut alice, "good night").await, all, "{faults:?}");
        for client in [&mut carl, &mut bert] {
            heard(client, "good night").await;
        }
        for client in [&mut alice, &mut bob, &mut carl, &mut bert] {
            assert!(client.messages().await.is_empty(), "{faults:?}: twice");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_hears_a_name_and_no_address() {
    for (version, syntax) in EACH {
        let domains = Domains::start(WEATHER[0]).await;
        let mut alice = with_group(&domains, &[]).await;
        let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        joins(&mut bob, "Bo").await;
        let (mut carl, mut bert) = listeners(&domains).await;
        say(&mut alice, "hyvää yötä").await.expect_code(200);
        // S60 and Android name themselves as users (csp-im 5.4).
        let sender = "<Sender><User><UserID>wv:bob@b</UserID></User></Sender></MessageInfo>";
        let request =
            send_message(&to_group(), "こんばんは", true).replace("</MessageInfo>", sender);
        bob.request(&request).await.expect_code(200);
        for (client, own) in [
            (&mut alice, "Bo"),
            (&mut bob, "Ann"),
            (&mut carl, "Bo"),
            (&mut bert, "Bo"),
        ] {
            let message = wait(client, own, |came| {
                let name = came.text("MessageInfo/Sender/Group/ScreenName/SName");
                (name == Some(own)).then(|| came.clone())
            })
            .await;
            let group = message.text("MessageInfo/Recipient/Group/GroupID");
            assert_eq!(group, Some(GROUP), "{version:?}");
            assert!(!discloses(&message, "wv:bob") && !discloses(&message, "wv:alice@"));
        }
        let (code, about) = super::report(&mut bob).await;
        assert_eq!((code.as_str(), about.as_str()), ("200", GROUP));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_under_a_name_that_he_does_not_have_there() {
    // csp-im 5.4: neither in the group nor to users of his own domain.
    let domains = Domains::start(WEATHER[0]).await;
    with_group(&domains, &[]).await;
    let (mut bob, mut bert) = (domains.bob().await, bert(&domains).await);
    joins(&mut bert, "Bert").await;
    let named = |name: &str, to: &str| {
        let name = to_name(name);
        send_message(to, "it is me", false).replace(
            "</MessageInfo>",
            &format!("<Sender>{name}</Sender></MessageInfo>"),
        )
    };
    for to in [user("wv:bert@b"), to_group()] {
        let answer = bob.request(&named("Ann", &to)).await;
        assert_eq!(answer.code(), Some(808), "{to}");
    }
    let answer = bert.request(&named("Ann", &user("wv:bob@b"))).await;
    assert_eq!(answer.code(), Some(808));
    bert.request(&named("Bert", &user("wv:bob@b")))
        .await
        .expect_code(200);
    let came = bob.messages().await;
    let sender = came[0].text("MessageInfo/Sender/Group/ScreenName/SName");
    assert_eq!((came.len(), sender), (1, Some("Bert")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_group_itself_speaks_to_users_of_both_domains() {
    // csp-group 6 item 11.
    let domains = Domains::start(WEATHER[0]).await;
    let mut alice = with_group(&domains, &[]).await;
    let (mut carl, mut bert) = listeners(&domains).await;
    let mut bob = domains.bob().await;
    joins(&mut bob, "Bo").await;
    let sender = format!("<Sender>{}</Sender></MessageInfo>", to_group());
    let request = send_message(&to_group(), "closing", false).replace("</MessageInfo>", &sender);
    bob.request(&request).await.expect_code(427);
    alice.request(&request).await.expect_code(200);
    for client in [&mut carl, &mut bert, &mut bob] {
        let expected = match client.version {
            Version::V1_3 => "* > *: closing",
            _ => "*ski* > *: closing",
        };
        assert_eq!(heard(client, "closing").await, [expected]);
    }
}
