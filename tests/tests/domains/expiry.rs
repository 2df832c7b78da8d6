//! Expiry and offline users between domains (csp-im 8, 10.2).

use crate::{Domains, WEATHER, log_in, wait};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, send_message, user};

/// The code of the next report, and whom it is about.
async fn report(client: &mut Client) -> (String, String) {
    let found = wait(client, "report", |came| {
        let text = |path| came.text(path).unwrap_or_default().to_owned();
        let about = text("MessageInfo/Recipient/User/UserID");
        (came.name == "DeliveryReport-Request").then(|| (text("Result/Code"), about))
    });
    found.await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_in_another_domain_is_reported_from_there() {
    // Where nothing is lost: else the message may expire on its way, and carl hear it at once.
    for faults in WEATHER.iter().filter(|faults| faults.lose == 0) {
        let domains = Domains::start(*faults).await;
        let mut carl = domains.carl().await;
        let both = user("wv:bob@b") + &user("wv:alice@a");
        let request = send_message(&both, "soon", true)
            .replace("</MessageInfo>", "<Validity>4</Validity></MessageInfo>");
        carl.request(&request).await.expect_code(200);
        let mut told = [report(&mut carl).await, report(&mut carl).await];
        told.sort();
        let expected = ["wv:alice@a", "wv:bob@b"].map(|who| ("542".to_owned(), who.to_owned()));
        assert_eq!(told, expected, "{faults:?}");
        assert!(carl.drain().await.is_empty(), "once each");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_while_he_is_away_refuses_other_domains_too() {
    let domains = Domains::start(WEATHER[0]).await;
    let mut alice = domains.alice().await;
    let mut bob = log_in(&domains.b, Version::V1_3, Syntax::Xml, "wv:bob@b").await;
    let reject = "<ClientCapability-Request><CapabilityList><OfflineETEMHandling>REJECT</OfflineETEMHandling>\
                  </CapabilityList></ClientCapability-Request>";
    bob.request(reject)
        .await
        .expect("ClientCapability-Response");
    alice.send_text("wv:bob@b", "hi").await.expect_code(200);
    assert_eq!(bob.messages().await.len(), 1);
    bob.request("<Logout-Request/>").await;
    let refused = alice.send_text("wv:bob@b", "hi").await;
    assert_eq!(refused.code(), Some(533));
}
