//! What the server says of clients by itself, several clients of a publisher, and how each
//! version sees publishers of each other one (csp-presence 3.3 to 3.5, 3.7, 8.3).

use crate::presence::{get, notice, subscribe, update, value, village};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;

async fn log_in(server: &TestServer, version: Version, user: &str, client_id: &str) -> Client {
    let mut client = Client::connect(server.address(), version, Syntax::Wbxml).await;
    client.client_id = client_id.into();
    let address = format!("wv:{user}@h");
    client
        .login_with_password(&address, "secret")
        .await
        .expect_code(200);
    client
}

/// Agrees on capabilities; SessionPriority where the version has it.
async fn agree(client: &mut Client, kind: &str, priority: u32) {
    let priority = match client.version {
        Version::V1_3 => format!("<SessionPriority>{priority}</SessionPriority>"),
        _ => String::new(),
    };
    let id = match client.version {
        Version::V1_1 => format!("<ClientID><URL>{}</URL></ClientID>", client.client_id),
        _ => String::new(),
    };
    let request = format!(
        "<ClientCapability-Request>{id}<CapabilityList><ClientType>{kind}</ClientType><DefaultLanguage>fin</DefaultLanguage>\
         {priority}</CapabilityList></ClientCapability-Request>"
    );
    let answer = client.request(&request).await;
    answer.expect("ClientCapability-Response");
}

fn text(name: &str, value: &str) -> String {
    format!("<{name}><Qualifier>T</Qualifier><PresenceValue>{value}</PresenceValue></{name}>")
}

/// `value/client` of each element of an attribute.
fn by_client(attributes: &Element, name: &str) -> Vec<(String, String)> {
    attributes
        .all(name)
        .iter()
        .map(|attribute| {
            let of = |path| attribute.text(path).unwrap_or("").to_owned();
            (of("PresenceValue"), of("ClientID/URL"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn login_and_negotiation_publish_what_the_client_has_not() {
    // 3.4, 3.5, 8.2.
    for publisher in Version::ALL {
        for watcher in Version::ALL {
            let server = village().await;
            let mut bob = server.client(watcher, Syntax::Xml, "bob").await;
            subscribe(
                &mut bob,
                &["alice"],
                "<OnlineStatus/><ClientInfo/><CommCap/>",
            )
            .await;
            bob.drain().await;
            let mut alice = log_in(&server, publisher, "alice", "WV:phone").await;
            let seen = notice(&mut bob, "alice").await.expect("a notice");
            assert_eq!(value(&seen, "OnlineStatus"), Some("T"));
            assert_eq!(seen.text("CommCap/CommC/Cap"), Some("IM"));
            assert_eq!(seen.text("CommCap/CommC/Status"), Some("OPEN"));
            agree(&mut alice, "MOBILE_PHONE", 7).await;
            let seen = notice(&mut bob, "alice").await.expect("a notice");
            let info = seen.at("ClientInfo").expect("ClientInfo");
            assert_eq!(info.text("ClientType"), Some("MOBILE_PHONE"));
            assert_eq!(info.text("Language"), Some("fin"));
            let is_latest = watcher == Version::V1_3;
            assert_eq!(info.at("ClientContentLimit").is_some(), is_latest);
            let priority = match publisher {
                Version::V1_3 => "7",
                _ => "0",
            };
            let expected = is_latest.then_some(priority);
            assert_eq!(info.text("ClientIMPriority"), expected);
            // What it publishes itself overrides that, child by child.
            let own = "<ClientInfo><Qualifier>T</Qualifier><ClientType>PDA</ClientType><Model>5mx</Model></ClientInfo>";
            update(&mut alice, own).await;
            let seen = notice(&mut bob, "alice").await.expect("a notice");
            assert_eq!(seen.text("ClientInfo/ClientType"), Some("PDA"));
            assert_eq!(seen.text("ClientInfo/Model"), Some("5mx"));
            assert_eq!(seen.text("ClientInfo/Language"), Some("fin"));
            // A negotiation that changes nothing that he sees is no news.
            agree(&mut alice, "MOBILE_PHONE", 7).await;
            assert!(notice(&mut bob, "alice").await.is_none());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_sees_the_clients_of_each_other_one() {
    // 8.3; 13: all nine pairs.
    for publisher in Version::ALL {
        let server = village().await;
        let mut phone = log_in(&server, publisher, "alice", "WV:phone").await;
        agree(&mut phone, "MOBILE_PHONE", 20).await;
        let mut desk = log_in(&server, publisher, "alice", "WV:desk").await;
        agree(&mut desk, "COMPUTER", 10).await;
        update(&mut phone, &text("FreeTextLocation", "in town")).await;
        update(&mut phone, "<CommCap><Qualifier>T</Qualifier><CommC><Cap>SMS</Cap><Status>OPEN</Status></CommC></CommCap>").await;
        update(&mut desk, &text("FreeTextLocation", "at home")).await;
        update(&mut desk, &text("PLMN", "24405")).await;
        update(&mut desk, "<InfoLink><Qualifier>T</Qualifier><Inf_link><Link>http://h/</Link></Inf_link></InfoLink>").await;
        // What is about the user: the last one writes.
        update(&mut phone, &text("StatusText", "first")).await;
        update(&mut desk, &text("StatusText", "last")).await;
        // Before 1.3 clients have no priority: the newest sign of one decides.
        let first = match publisher {
            Version::V1_3 => ("WV:phone", "in town"),
            _ => ("WV:desk", "at home"),
        };
        for watcher in Version::ALL {
            let mut bob = server.client(watcher, Syntax::Xml, "bob").await;
            let seen = get(&mut bob, "alice", "").await;
            let at = format!("{publisher:?} seen by {watcher:?}");
            assert_eq!(value(&seen, "StatusText"), Some("last"), "{at}");
            assert_eq!(value(&seen, "OnlineStatus"), Some("T"), "{at}");
            let places = by_client(&seen, "FreeTextLocation");
            if watcher == Version::V1_3 {
                assert_eq!(seen.all("OnlineStatus").len(), 2, "{at}");
                assert_eq!(places.len(), 2, "{at}");
                // AND: the first counts, so the most available client is first.
                assert_eq!(places[0], (first.1.into(), first.0.into()), "{at}");
                assert_eq!(
                    by_client(&seen, "PLMN"),
                    [("24405".into(), "WV:desk".into())]
                );
            } else {
                assert_eq!(places, [(first.1.into(), String::new())], "{at}");
                // From the next client that has it.
                assert_eq!(by_client(&seen, "PLMN"), [("24405".into(), String::new())]);
                assert_eq!(seen.all("OnlineStatus").len(), 1, "{at}");
                // IM OPEN if any client's is.
                let caps = seen.texts("CommCap/CommC/Cap");
                assert!(caps.contains(&"IM"), "{at}: {caps:?}");
            }
            assert_eq!(
                seen.at("InfoLink").is_some(),
                publisher.min(watcher) > Version::V1_1,
                "{at}"
            );
            for attribute in &seen.children {
                let names_client = attribute.at("ClientID").is_some();
                let is_of_client = !["StatusText", "InfoLink"].contains(&attribute.name.as_str());
                assert_eq!(
                    names_client,
                    is_of_client && watcher == Version::V1_3,
                    "{at}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_online_while_any_of_his_clients_is() {
    // 8.2, 8.3.
    for watcher in Version::ALL {
        let server = village().await;
        let mut bob = server.client(watcher, Syntax::Wbxml, "bob").await;
        subscribe(&mut bob, &["alice"], "<OnlineStatus/><CommCap/>").await;
        let mut phone = log_in(&server, Version::V1_3, "alice", "WV:phone").await;
        let mut desk = log_in(&server, Version::V1_1, "alice", "WV:desk").await;
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&seen, "OnlineStatus"), Some("T"));
        desk.request("<Logout-Request/>").await.expect_code(200);
        let seen = notice(&mut bob, "alice").await;
        let states = seen.as_ref().map(|seen| by_client(seen, "OnlineStatus"));
        match watcher {
            // Nothing that one who sees no clients would notice.
            Version::V1_1 | Version::V1_2 => assert_eq!(states, None),
            Version::V1_3 => assert_eq!(
                states,
                Some(vec![
                    ("T".into(), "WV:phone".into()),
                    ("F".into(), "WV:desk".into())
                ])
            ),
        }
        phone.request("<Logout-Request/>").await.expect_status(200);
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&seen, "OnlineStatus"), Some("F"));
        // 7 row 14: what was of the client is unknown now, once.
        assert_eq!(seen.text("CommCap/Qualifier"), Some("F"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_speaks_for_itself_and_for_its_user_s_others_only() {
    // 4.1 item 3, 3.7.
    let server = village().await;
    let mut phone = log_in(&server, Version::V1_3, "alice", "WV:phone").await;
    let _desk = log_in(&server, Version::V1_3, "alice", "WV:desk").await;
    let place = |place: &str, client: &str| {
        format!(
            "<FreeTextLocation><Qualifier>T</Qualifier><PresenceValue>{place}</PresenceValue>\
             <ClientID><URL>{client}</URL></ClientID></FreeTextLocation>"
        )
    };
    update(&mut phone, &place("office", "WV:desk")).await;
    // That of a stranger is ignored: it is about the client that says it.
    update(&mut phone, &place("street", "WV:somebody")).await;
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    let seen = get(&mut bob, "alice", "<FreeTextLocation/>").await;
    let mut places = by_client(&seen, "FreeTextLocation");
    places.sort();
    assert_eq!(
        places,
        [
            ("office".into(), "WV:desk".into()),
            ("street".into(), "WV:phone".into())
        ]
    );
}
