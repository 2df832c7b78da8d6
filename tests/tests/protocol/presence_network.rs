//! What the mobile network says of users (csp-presence 3.3, 3.7; architecture document 5.2.4).

use crate::presence::{get, notice, subscribe, update, value, village};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::server::TestServer;
use hamletd::control::{Answer, Request};

async fn tell(server: &TestServer, fields: &[&str]) -> Answer {
    let request = Request::UserNetwork {
        user: "wv:alice@h".into(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    server.operate(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_see_what_the_network_says_instead_of_the_client() {
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let asked = "<Registration/><TimeZone/><GeoLocation/><Address/><FreeTextLocation/><PLMN/>";
        subscribe(&mut bob, &["alice"], asked).await;
        update(
            &mut alice,
            "<PLMN><Qualifier>T</Qualifier><PresenceValue>Sonera</PresenceValue></PLMN>",
        )
        .await;
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&seen, "PLMN"), Some("Sonera"));
        let told = tell(
            &server,
            &[
                "registration=yes",
                "plmn=24491",
                "time-zone=+02",
                "longitude=24 56 15E",
                "latitude=60 10 15N",
                "accuracy=500",
                "country=FI",
                "city=Helsinki",
                "location=near the station",
            ],
        )
        .await;
        assert!(matches!(told, Answer::Profile { .. }), "{told:?}");
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&seen, "Registration"), Some("T"));
        assert_eq!(value(&seen, "PLMN"), Some("24491"));
        assert_eq!(seen.text("TimeZone/Zone"), Some("+02"));
        assert_eq!(seen.text("GeoLocation/Longitude"), Some("24 56 15E"));
        assert_eq!(seen.text("GeoLocation/Accuracy"), Some("500"));
        assert_eq!(seen.text("Address/City"), Some("Helsinki"));
        assert_eq!(value(&seen, "FreeTextLocation"), Some("near the station"));
        // The newest value of the network wins; the client's own stays until it says nothing.
        tell(&server, &["plmn=24405", "registration=no"]).await;
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&seen, "PLMN"), Some("24405"));
        assert_eq!(value(&seen, "Registration"), Some("F"));
        update(
            &mut alice,
            "<PLMN><Qualifier>T</Qualifier><PresenceValue>Elisa</PresenceValue></PLMN>",
        )
        .await;
        assert!(notice(&mut bob, "alice").await.is_none());
        tell(&server, &["plmn="]).await;
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&seen, "PLMN"), Some("Elisa"));
        // What the user withdraws nobody tells.
        update(
            &mut alice,
            "<GeoLocation><Qualifier>F</Qualifier></GeoLocation>",
        )
        .await;
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(seen.text("GeoLocation/Qualifier"), Some("F"));
        tell(&server, &["longitude=0 0 1E"]).await;
        assert!(notice(&mut bob, "alice").await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_network_knew_before_the_login_is_seen_with_it() {
    let server = village().await;
    tell(&server, &["plmn=24491"]).await;
    let mut bob = server.client(Version::V1_2, Syntax::Xml, "bob").await;
    assert!(get(&mut bob, "alice", "<PLMN/>").await.children.is_empty());
    let _alice = server.client(Version::V1_1, Syntax::Wbxml, "alice").await;
    let seen = get(&mut bob, "alice", "<PLMN/>").await;
    assert_eq!(value(&seen, "PLMN"), Some("24491"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_reads_and_corrects_it_and_errors_change_nothing() {
    let server = village().await;
    tell(&server, &["plmn=24491", "registration=yes"]).await;
    for wrong in [
        "registration=maybe",
        "time-zone=noon",
        "longitude=nowhere",
        "latitude=60",
        "country=Suomi",
        "shoes=42",
        "plmn",
    ] {
        let answer = tell(&server, &["plmn=1", wrong]).await;
        assert!(
            matches!(answer, Answer::Failed { .. }),
            "{wrong}: {answer:?}"
        );
    }
    let Answer::Profile { fields } = tell(&server, &[]).await else {
        panic!("no fields");
    };
    assert_eq!(
        fields,
        [
            ("registration".to_owned(), "yes".to_owned()),
            ("plmn".to_owned(), "24491".to_owned())
        ]
    );
    let nobody = Request::UserNetwork {
        user: "wv:nobody@h".into(),
        fields: Vec::new(),
    };
    let answer = server.operate(nobody).await;
    assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}");
}
