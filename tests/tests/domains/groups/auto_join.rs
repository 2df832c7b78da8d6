//! AutoJoin in a group elsewhere (csp-group 9).

use super::{EACH, GROUP, access, bert, discloses, heard, joins, members, say, told, with_group};
use crate::{Domains, WEATHER, log_in};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::group::{join, join_with, property, screen_name, set};

/// bob's client, when all is negotiated.
async fn ready(domains: &Domains, version: Version, syntax: Syntax) -> Client {
    let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
    let capability = "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType></CapabilityList>\
                      </ClientCapability-Request>";
    bob.request(capability)
        .await
        .expect("ClientCapability-Response");
    let service = "<Service-Request><Functions><WVCSPFeat/></Functions><AllFunctionsRequest>F</AllFunctionsRequest>\
                   </Service-Request>";
    bob.request(service).await.expect("Service-Response");
    bob
}

async fn log_out(mut bob: Client) {
    bob.request("<Logout-Request/>").await.expect_code(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_it_is_joined_in_a_group_elsewhere_at_his_login() {
    for (version, syntax) in EACH {
        for faults in [WEATHER[0], WEATHER[3]] {
            let mut domains = Domains::start(faults).await;
            let mut alice = with_group(&domains, &[]).await;
            let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
            joins(&mut bob, "Bo").await;
            let own = property("AutoJoin", "T") + &property("ScreenName", "Bo");
            set(&mut bob, GROUP, None, Some(&own))
                .await
                .expect_status(200);
            told(&mut alice, "Joined", "Bo").await;
            log_out(bob).await;
            told(&mut alice, "Left", "Bo").await;
            domains.restart("b").await;

            let mut bob = ready(&domains, version, syntax).await;
            let came = told(&mut alice, "Joined", "Bo").await;
            assert!(!discloses(&came, "wv:bob@"));
            // He hears of it as the others do.
            told(&mut bob, "Joined", "Bo").await;
            join(&mut bob, GROUP, "Bo").await.expect_status(807);
            say(&mut alice, "hello").await.expect_code(200);
            assert_eq!(heard(&mut bob, "hello").await, ["Ann > *: hello"]);
            say(&mut bob, "hi").await.expect_code(200);
            assert_eq!(heard(&mut alice, "hi").await, ["Bo > *: hi"], "{faults:?}");

            // Until he does not want it any more.
            set(&mut bob, GROUP, None, Some(&property("AutoJoin", "F")))
                .await
                .expect_status(200);
            log_out(bob).await;
            told(&mut alice, "Left", "Bo").await;
            let mut bob = ready(&domains, version, syntax).await;
            say(&mut bob, "not there").await.expect_code(808);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_join_any_more_is_not_joined_at_his_login() {
    let (version, syntax) = (Version::V1_2, Syntax::Wbxml);
    let domains = Domains::start(WEATHER[0]).await;
    let mut alice = with_group(&domains, &[]).await;
    members(&mut alice, "AddGroupMembers", &["wv:bob@b"])
        .await
        .expect_status(200);
    access(&mut alice, "Mod", "wv:bob@b")
        .await
        .expect_status(200);
    let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
    let own = format!(
        "<OwnProperties>{}</OwnProperties>",
        property("AutoJoin", "T")
    );
    join_with(&mut bob, GROUP, &screen_name("Bo", GROUP), "T", &own)
        .await
        .expect("JoinGroup-Response");
    told(&mut alice, "Joined", "Bo").await;
    log_out(bob).await;
    told(&mut alice, "Left", "Bo").await;
    let bob = ready(&domains, version, syntax).await;
    // The name is kept for him only if he has said so.
    told(&mut alice, "Joined", "bob").await;
    log_out(bob).await;
    told(&mut alice, "Left", "bob").await;
    // csp-group 5.7: AutoJoin of removed members is cleared.
    members(&mut alice, "RemoveGroupMembers", &["wv:bob@b"])
        .await
        .expect_status(200);
    let bob = hamlet_model::UserId::parse("wv:bob@b", &hamlet_model::Domain::parse("b").unwrap());
    let bob = bob.unwrap();
    let noted = || {
        let bob = bob.clone();
        domains
            .b
            .store()
            .read(move |tx| tx.auto_join_elsewhere(&bob, 9))
    };
    assert_eq!(noted().await.unwrap().len(), 1);
    let mut client = ready(&domains, version, syntax).await;
    let forgotten = async {
        while !noted().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::PATIENCE, forgotten)
        .await
        .unwrap();
    say(&mut client, "not there").await.expect_code(808);
    let mut bert = bert(&domains).await;
    joins(&mut bert, "Bert").await;
    let came = told(&mut alice, "Joined", "Bert").await;
    assert!(!discloses(&came, "bob"), "{came:#?}");
}
