//! Maps of users of another domain: the place is asked for, the map is drawn at home (ssp 11.5).

use crate::{Domains, WEATHER, log_in};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;

async fn map_of(client: &mut Client, user: &str) -> hamlet_tests::answer::Answer {
    let content = format!("<GetMap-Request><UserID>{user}</UserID></GetMap-Request>");
    client.request(&content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bob_sees_where_alice_of_another_domain_is_when_she_lets_him() {
    // A question that is lost is not repeated: its asker is told (504).
    for faults in WEATHER.iter().filter(|faults| faults.lose == 0) {
        let domains = Domains::start(*faults).await;
        let mut alice = domains.alice().await;
        let mut bob = domains.bob().await;
        let place = "<UpdatePresence-Request><PresenceSubList><GeoLocation><Qualifier>T</Qualifier>\
             <Longitude>22 16 12E</Longitude><Latitude>60 27 0N</Latitude><Accuracy>2000</Accuracy>\
             </GeoLocation></PresenceSubList></UpdatePresence-Request>";
        alice.request(place).await.expect_status(200);
        // She does not know him; there is no such user; there is no way.
        map_of(&mut bob, "wv:alice@a").await.expect_status(404);
        map_of(&mut bob, "wv:nobody@a").await.expect_status(531);
        map_of(&mut bob, "wv:alice@c").await.expect_status(516);
        alice.accept("wv:bob@b").await;
        let answer = map_of(&mut bob, "wv:alice@a").await;
        let response = answer.expect("GetMap-Response");
        assert_eq!(response.text("Map/ContentType"), Some("image/png"));
        // And bert is not bob.
        let mut bert = log_in(&domains.b, Version::V1_3, Syntax::Xml, "wv:bert@b").await;
        map_of(&mut bert, "wv:alice@a").await.expect_status(404);
    }
}
