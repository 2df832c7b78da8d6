//! Presence notices: together, not too often, nothing twice, never too large (csp-presence
//! 4.5, 9).

use crate::presence::{notice, subscribe, update, value, village};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::server::{CONTACTS, TestServer};
use std::time::Duration;

fn status(text: &str) -> String {
    format!(
        "<StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue></StatusText>"
    )
}

fn picture(size: usize) -> String {
    format!(
        "<StatusContent><Qualifier>T</Qualifier><DirectContent>{}</DirectContent><ContentType>image/gif</ContentType></StatusContent>",
        "AAAA".repeat(size / 4)
    )
}

async fn agree_on_size(client: &mut Client, octets: usize) {
    let id = match client.version {
        Version::V1_1 => "<ClientID><URL>WV:a-test-client</URL></ClientID>",
        _ => "",
    };
    let request = format!(
        "<ClientCapability-Request>{id}<CapabilityList><ClientType>MOBILE_PHONE</ClientType><ParserSize>{octets}</ParserSize>\
         </CapabilityList></ClientCapability-Request>"
    );
    client
        .request(&request)
        .await
        .expect("ClientCapability-Response");
}

/// bob with many friends who list him too, all of whom say something.
async fn crowd(count: usize) -> (TestServer, Vec<String>) {
    let names: Vec<String> = (0..count).map(|number| format!("u{number:02}")).collect();
    let mut users: Vec<&str> = names.iter().map(String::as_str).collect();
    users.push("bob");
    let server = TestServer::with_users(&[CONTACTS], &users).await;
    let friends: String = names
        .iter()
        .map(|name| format!("<UserID>wv:{name}@h</UserID>"))
        .collect();
    let add = |owner: &str, friends: &str| {
        format!(
            "<ListManage-Request><ContactList>wv:{owner}/friends@h</ContactList><AddNickList>{friends}</AddNickList>\
             </ListManage-Request>"
        )
    };
    let mut bob = server.xml("bob").await;
    bob.request(&add("bob", &friends)).await.expect_code(200);
    for name in &names {
        let mut client = server.xml(name).await;
        client
            .request(&add(name, "<UserID>wv:bob@h</UserID>"))
            .await
            .expect_code(200);
        update(&mut client, &status(&format!("I am {name}"))).await;
    }
    (server, names)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_publishers_come_in_one_primitive_of_at_most_32() {
    let (server, names) = crowd(40).await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        subscribe(&mut bob, &names, "<StatusText/>").await;
        let came = bob.drain().await;
        let counts: Vec<usize> = came.iter().map(|one| one.all("Presence").len()).collect();
        assert_eq!(counts, [32, 8], "{version:?}");
        for presence in came.iter().flat_map(|one| one.all("Presence")) {
            let name = presence.text("UserID").unwrap();
            let name = &name["wv:".len()..name.len() - "@h".len()];
            assert_eq!(
                presence.text("PresenceSubList/StatusText/PresenceValue"),
                Some(format!("I am {name}").as_str())
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_primitive_is_larger_than_its_client_can_read() {
    let (server, names) = crowd(20).await;
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut bob = server.client(version, syntax, "bob").await;
            let limit = match syntax {
                Syntax::Xml => 2000,
                Syntax::Wbxml => 600,
            };
            agree_on_size(&mut bob, limit).await;
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            subscribe(&mut bob, &names, "<StatusText/>").await;
            let mut told = 0;
            loop {
                let answer = bob.poll().await;
                assert!(answer.http.body.len() <= limit, "{version:?} {syntax:?}");
                if answer.is_empty() {
                    break;
                }
                told += answer.primitive().all("Presence").len();
                bob.acknowledge(&answer).await;
            }
            assert_eq!(told, names.len(), "{version:?} {syntax:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_too_large_is_left_out_and_the_rest_comes() {
    // 9: StatusContent, ContactInfo, InfoLink go in that order.
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(Version::V1_3, Syntax::Wbxml, "alice").await;
        let card = format!(
            "<ContactInfo><Qualifier>T</Qualifier><ContainedvCard>{}</ContainedvCard></ContactInfo>",
            "v".repeat(5000)
        );
        let link = "<InfoLink><Qualifier>T</Qualifier><Inf_link><Link>http://h/</Link></Inf_link></InfoLink>";
        let all = format!("{}{}{card}{link}", status("here"), picture(4000));
        update(&mut alice, &all).await;
        for (size, names) in [
            (3000, &["StatusText", "InfoLink"][..]),
            (7000, &["StatusText", "ContactInfo", "InfoLink"]),
            (
                20_000,
                &["StatusText", "StatusContent", "ContactInfo", "InfoLink"],
            ),
        ] {
            let mut bob = server.client(version, Syntax::Xml, "bob").await;
            agree_on_size(&mut bob, size).await;
            let asked = "<StatusText/><StatusContent/><ContactInfo/><InfoLink/>";
            subscribe(&mut bob, &["alice"], asked).await;
            let seen = notice(&mut bob, "alice").await.expect("a notice");
            let mut names = names.to_vec();
            if version == Version::V1_1 {
                names.retain(|name| *name != "InfoLink");
            }
            assert_eq!(seen.child_names(), names, "{version:?} {size}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_not_told_twice_unless_it_is_asked_for() {
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        update(&mut alice, &status("one")).await;
        subscribe(&mut bob, &["alice"], "<StatusText/>").await;
        assert!(notice(&mut bob, "alice").await.is_some());
        // There and back: what he has seen is what is.
        update(&mut alice, &status("two")).await;
        update(&mut alice, &status("one")).await;
        assert!(notice(&mut bob, "alice").await.is_none());
        // 4.4: S60 and Android subscribe again and expect the answer.
        subscribe(&mut bob, &["alice"], "<StatusText/>").await;
        assert!(notice(&mut bob, "alice").await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_within_the_window_comes_together() {
    let server = TestServer::with_users(&[CONTACTS, "presence.window=1h"], &["alice", "bob"]).await;
    for (owner, contact) in [("alice", "bob"), ("bob", "alice")] {
        let mut client = server.xml(owner).await;
        let add = format!(
            "<ListManage-Request><ContactList>wv:{owner}/friends@h</ContactList><AddNickList><UserID>wv:{contact}@h</UserID>\
             </AddNickList></ListManage-Request>"
        );
        client.request(&add).await.expect_code(200);
    }
    let mut alice = server.xml("alice").await;
    let mut bob = server.client(Version::V1_2, Syntax::Xml, "bob").await;
    update(&mut alice, &status("one")).await;
    subscribe(&mut bob, &["alice"], "<StatusText/>").await;
    let seen = notice(&mut bob, "alice").await.expect("the first at once");
    assert_eq!(value(&seen, "StatusText"), Some("one"));
    update(&mut alice, &status("two")).await;
    // Nothing is due, and no poll is called for.
    let answer = bob.poll().await;
    assert!(answer.is_empty(), "{answer:?}");
    // Who asks anew does not wait.
    subscribe(&mut bob, &["alice"], "<StatusText/>").await;
    let seen = notice(&mut bob, "alice").await.expect("at once");
    assert_eq!(value(&seen, "StatusText"), Some("two"));

    let server = village().await;
    drop(server);
    let server = TestServer::with_users(&["presence.window=300ms"], &["alice"]).await;
    let mut alice = server.xml("alice").await;
    let mut desk = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    desk.client_id = "WV:desk".into();
    desk.login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(200);
    subscribe(&mut desk, &["alice"], "<StatusText/>").await;
    desk.drain().await;
    update(&mut alice, &status("one")).await;
    update(&mut alice, &status("two")).await;
    // It comes without anything else happening.
    let waited = async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            if let Some(seen) = notice(&mut desk, "alice").await
                && value(&seen, "StatusText") == Some("two")
            {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited)
        .await
        .expect("the end of the window");
}
