//! Presence (csp-presence 3, 4, 8).
//!
//! Who may see whom: members of each other's contact lists; for the rest see `authorization`.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::{CONTACTS, TestServer};

/// alice and bob with each other in their lists; carol with nobody.
pub(crate) async fn village() -> TestServer {
    let server = TestServer::with_users(&[CONTACTS], &["alice", "bob", "carol"]).await;
    for (owner, contact) in [("alice", "bob"), ("bob", "alice")] {
        let mut client = server.xml(owner).await;
        let add = format!(
            "<ListManage-Request><ContactList>wv:{owner}/friends@h</ContactList><AddNickList><UserID>wv:{contact}@h</UserID>\
             </AddNickList></ListManage-Request>"
        );
        client.request(&add).await.expect_code(200);
        client.request("<Logout-Request/>").await.expect_status(200);
    }
    server
}

pub(crate) async fn update(client: &mut Client, attributes: &str) {
    let content = format!(
        "<UpdatePresence-Request><PresenceSubList>{attributes}</PresenceSubList></UpdatePresence-Request>"
    );
    client.request(&content).await.expect_status(200);
}

/// Targets in the form of the version.
pub(crate) fn users(version: Version, names: &[&str]) -> String {
    let addresses = names.iter().map(|name| format!("wv:{name}@h"));
    match version {
        Version::V1_3 => {
            let ids: String = addresses
                .map(|address| format!("<UserID>{address}</UserID>"))
                .collect();
            format!("<UserIDList>{ids}</UserIDList>")
        }
        _ => addresses.map(|address| user(&address)).collect(),
    }
}

pub(crate) async fn subscribe(client: &mut Client, names: &[&str], attributes: &str) {
    let list = match attributes {
        "" => String::new(),
        names => format!("<PresenceSubList>{names}</PresenceSubList>"),
    };
    let content = format!(
        "<SubscribePresence-Request>{}{list}</SubscribePresence-Request>",
        users(client.version, names)
    );
    client.request(&content).await.expect_status(200);
}

pub(crate) async fn get(client: &mut Client, name: &str, attributes: &str) -> Element {
    let list = match attributes {
        "" => String::new(),
        names => format!("<PresenceSubList>{names}</PresenceSubList>"),
    };
    let content = format!(
        "<GetPresence-Request>{}{list}</GetPresence-Request>",
        users(client.version, &[name])
    );
    let answer = client.request(&content).await;
    answer.expect_code(200);
    let presence = answer
        .expect("GetPresence-Response")
        .at("Presence")
        .expect("a Presence");
    presence
        .at("PresenceSubList")
        .expect("a PresenceSubList")
        .clone()
}

/// The newest notice about a user among all that waits.
pub(crate) async fn notice(client: &mut Client, name: &str) -> Option<Element> {
    let address = format!("wv:{name}@h");
    let came = client.drain().await;
    came.iter()
        .filter(|primitive| primitive.name == "PresenceNotification-Request")
        .flat_map(|primitive| primitive.all("Presence"))
        .rfind(|presence| presence.text("UserID") == Some(&address))
        .map(|presence| {
            presence
                .at("PresenceSubList")
                .expect("a PresenceSubList")
                .clone()
        })
}

pub(crate) fn value<'a>(attributes: &'a Element, name: &str) -> Option<&'a str> {
    attributes.text(&format!("{name}/PresenceValue"))
}

/// One of each attribute, in the order of 3.1.
const EVERYTHING: &str = "<OnlineStatus><Qualifier>T</Qualifier></OnlineStatus>\
<Registration><Qualifier>T</Qualifier><PresenceValue>T</PresenceValue></Registration>\
<ClientInfo><Qualifier>T</Qualifier><ClientType>PDA</ClientType><DevManufacturer>Psion</DevManufacturer><ClientProducer>H</ClientProducer>\
<Model>5mx</Model><ClientVersion>1</ClientVersion><Language>fin</Language></ClientInfo>\
<TimeZone><Qualifier>T</Qualifier><Zone>+02</Zone></TimeZone>\
<GeoLocation><Qualifier>T</Qualifier><Longitude>24 56 15E</Longitude><Latitude>60 10 15N</Latitude><Altitude>10</Altitude>\
<Accuracy>50</Accuracy></GeoLocation>\
<Address><Qualifier>T</Qualifier><Country>FI</Country><City>Helsinki</City><Street>Aleksi</Street><Building>1</Building></Address>\
<FreeTextLocation><Qualifier>T</Qualifier><PresenceValue>At home</PresenceValue></FreeTextLocation>\
<PLMN><Qualifier>T</Qualifier><PresenceValue>24491</PresenceValue></PLMN>\
<CommCap><Qualifier>T</Qualifier><CommC><Cap>IM</Cap><Status>OPEN</Status></CommC><CommC><Cap>CALL</Cap><Status>CLOSED</Status>\
<Contact>+358401234567</Contact><Note>evenings</Note></CommC></CommCap>\
<UserAvailability><Qualifier>T</Qualifier><PresenceValue>DISCREET</PresenceValue></UserAvailability>\
<PreferredContacts><Qualifier>T</Qualifier><AddrPref><PrefC>SMS</PrefC><Caddr>+358401234567</Caddr><Cstatus>OPEN</Cstatus>\
<Cname>mobile</Cname><Cpriority>10</Cpriority></AddrPref></PreferredContacts>\
<PreferredLanguage><Qualifier>T</Qualifier><PresenceValue>fin</PresenceValue></PreferredLanguage>\
<StatusText><Qualifier>T</Qualifier><PresenceValue>hiljaa hyvä tulee</PresenceValue></StatusText>\
<StatusMood><Qualifier>T</Qualifier><PresenceValue>HAPPY</PresenceValue></StatusMood>\
<Alias><Qualifier>T</Qualifier><PresenceValue>Päivi</PresenceValue></Alias>\
<StatusContent><Qualifier>T</Qualifier><DirectContent>R0lGODlhAQABAAAAACw=</DirectContent><ContentType>image/gif</ContentType></StatusContent>\
<ContactInfo><Qualifier>T</Qualifier><ContainedvCard>BEGIN:VCARD END:VCARD</ContainedvCard></ContactInfo>";

const INFO_LINK: &str = "<InfoLink><Qualifier>T</Qualifier><Inf_link><Link>http://h/</Link><Text>home</Text></Inf_link></InfoLink>";

#[tokio::test(flavor = "multi_thread")]
async fn every_attribute_reaches_a_watcher_of_every_version() {
    // 3.1, 3.3 to 3.6, 4.5; GEN-23: no PresenceSubList asks for all of them.
    for publisher in Version::ALL {
        let server = village().await;
        let mut alice = server.client(publisher, Syntax::Wbxml, "alice").await;
        let mut watchers = Vec::new();
        for version in Version::ALL {
            for syntax in [Syntax::Xml, Syntax::Wbxml] {
                let mut bob = Client::connect(server.address(), version, syntax).await;
                bob.client_id = format!("WV:{version:?}-{syntax:?}");
                bob.login_with_password("wv:bob@h", "secret")
                    .await
                    .expect_code(200);
                subscribe(&mut bob, &["alice"], "").await;
                bob.drain().await;
                watchers.push(bob);
            }
        }
        let with_link = publisher != Version::V1_1;
        update(
            &mut alice,
            &format!("{EVERYTHING}{}", if with_link { INFO_LINK } else { "" }),
        )
        .await;
        for bob in &mut watchers {
            let attributes = notice(bob, "alice").await.expect("a notice");
            let names = attributes.child_names();
            let mut expected = vec![
                "OnlineStatus",
                "Registration",
                "ClientInfo",
                "TimeZone",
                "GeoLocation",
                "Address",
                "FreeTextLocation",
                "PLMN",
                "CommCap",
                "UserAvailability",
                "PreferredContacts",
                "PreferredLanguage",
                "StatusText",
                "StatusMood",
                "Alias",
                "StatusContent",
                "ContactInfo",
            ];
            if with_link && bob.version != Version::V1_1 {
                expected.push("InfoLink");
            }
            assert_eq!(names, expected, "{publisher:?} to {:?}", bob.version);
            assert_eq!(value(&attributes, "StatusText"), Some("hiljaa hyvä tulee"));
            assert_eq!(value(&attributes, "OnlineStatus"), Some("T"));
            assert_eq!(attributes.text("GeoLocation/Longitude"), Some("24 56 15E"));
            assert_eq!(attributes.texts("CommCap/CommC/Cap"), ["IM", "CALL"]);
            assert_eq!(attributes.texts("CommCap/CommC/Status"), ["OPEN", "CLOSED"]);
            assert_eq!(
                attributes.text("PreferredContacts/AddrPref/Cpriority"),
                Some("10")
            );
            assert_eq!(
                attributes.text("StatusContent/DirectContent"),
                Some("R0lGODlhAQABAAAAACw=")
            );
            // 4.5: per client, with ClientID, in 1.3 alone.
            let client = attributes.text("OnlineStatus/ClientID/URL");
            let expected = (bob.version == Version::V1_3).then_some("WV:a-test-client");
            assert_eq!(client, expected);
            assert!(
                attributes.at("StatusText/ClientID").is_none(),
                "one value a user"
            );
            for attribute in &attributes.children {
                assert_eq!(attribute.child_names()[0], "Qualifier", "3.2");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_and_going_is_seen() {
    // csp-access 3.4, 3.9; 8.
    for version in Version::ALL {
        let server = village().await;
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        subscribe(&mut bob, &["alice"], "<OnlineStatus/>").await;
        // 4.3: the first notice says that she is away.
        let attributes = notice(&mut bob, "alice").await.expect("a first notice");
        assert_eq!(attributes.child_names(), ["OnlineStatus"]);
        assert_eq!(value(&attributes, "OnlineStatus"), Some("F"));
        let mut alice = server.xml("alice").await;
        let attributes = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&attributes, "OnlineStatus"), Some("T"));
        // Hidden, and shown again (3.3).
        update(
            &mut alice,
            "<OnlineStatus><Qualifier>T</Qualifier><PresenceValue>F</PresenceValue></OnlineStatus>",
        )
        .await;
        let attributes = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&attributes, "OnlineStatus"), Some("F"));
        update(
            &mut alice,
            "<OnlineStatus><Qualifier>T</Qualifier><PresenceValue>T</PresenceValue></OnlineStatus>",
        )
        .await;
        let attributes = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&attributes, "OnlineStatus"), Some("T"));
        alice.request("<Logout-Request/>").await.expect_status(200);
        let attributes = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(value(&attributes, "OnlineStatus"), Some("F"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_holds_what_was_subscribed_whole_and_newest() {
    // 4.5, 9: the full set; older notices give way; no notice without change.
    let server = village().await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.client(Version::V1_1, Syntax::Xml, "bob").await;
    subscribe(&mut bob, &["alice"], "<UserAvailability/><StatusText/>").await;
    bob.drain().await;
    let status = |text: &str| {
        format!(
            "<StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue></StatusText>"
        )
    };
    let available = "<UserAvailability><Qualifier>T</Qualifier><PresenceValue>AVAILABLE</PresenceValue></UserAvailability>";
    update(&mut alice, available).await;
    for number in 0..20 {
        update(&mut alice, &status(&format!("number {number}"))).await;
    }
    let came = bob.drain().await;
    assert!(
        came.len() <= 2,
        "{} notices instead of the newest",
        came.len()
    );
    let newest = came.last().unwrap().at("Presence/PresenceSubList").unwrap();
    assert_eq!(newest.child_names(), ["UserAvailability", "StatusText"]);
    assert_eq!(value(newest, "StatusText"), Some("number 19"));
    // The same again, or what he did not ask for, is no news.
    update(&mut alice, &status("number 19")).await;
    update(
        &mut alice,
        "<StatusMood><Qualifier>T</Qualifier><PresenceValue>SAD</PresenceValue></StatusMood>",
    )
    .await;
    assert!(bob.poll().await.is_empty());
    // 3.2: withdrawn is told once, as Qualifier F.
    update(
        &mut alice,
        "<StatusText><Qualifier>F</Qualifier></StatusText>",
    )
    .await;
    let attributes = notice(&mut bob, "alice").await.expect("a notice");
    assert_eq!(attributes.text("StatusText/Qualifier"), Some("F"));
    assert_eq!(value(&attributes, "StatusText"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_for_contacts() {
    // 4.2, 4.3: subscribing tells nothing about permission; asking gives an empty sublist.
    let server = village().await;
    let mut alice = server.xml("alice").await;
    update(
        &mut alice,
        "<StatusText><Qualifier>T</Qualifier><PresenceValue>private</PresenceValue></StatusText>",
    )
    .await;
    for version in Version::ALL {
        let mut carol = server.client(version, Syntax::Wbxml, "carol").await;
        subscribe(&mut carol, &["alice"], "").await;
        let told = notice(&mut carol, "alice").await;
        assert!(told.is_none_or(|attributes| attributes.children.is_empty()));
        assert!(get(&mut carol, "alice", "").await.children.is_empty());
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        let seen = get(&mut bob, "alice", "<StatusText/><StatusMood/>").await;
        assert_eq!(seen.child_names(), ["StatusText"]);
        // Own presence is always seen.
        assert_eq!(
            value(&get(&mut bob, "bob", "").await, "OnlineStatus"),
            Some("T")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_people_lists_and_attributes_are_named() {
    // 4.2, 4.3, 4.6, 3.6.
    let server = village().await;
    let mut alice = server.xml("alice").await;
    for (request, code) in [
        (
            "<SubscribePresence-Request><User><UserID>wv:nobody@h</UserID></User></SubscribePresence-Request>",
            531,
        ),
        (
            "<SubscribePresence-Request><ContactList>wv:alice/none@h</ContactList></SubscribePresence-Request>",
            700,
        ),
        (
            "<UnsubscribePresence-Request><User><UserID>wv:nobody@h</UserID></User></UnsubscribePresence-Request>",
            531,
        ),
        (
            "<UnsubscribePresence-Request><User><UserID>wv:bob@h</UserID></User></UnsubscribePresence-Request>",
            200,
        ),
        (
            "<GetPresence-Request><User><UserID>wv:nobody@h</UserID></User></GetPresence-Request>",
            531,
        ),
        (
            "<GetPresence-Request><ContactList>wv:alice/none@h</ContactList></GetPresence-Request>",
            700,
        ),
        (
            "<UpdatePresence-Request><PresenceSubList></PresenceSubList></UpdatePresence-Request>",
            200,
        ),
        (
            "<UpdatePresence-Request><PresenceSubList><UserAvailability><Qualifier>T</Qualifier><PresenceValue>NAPPING</PresenceValue>\
             </UserAvailability></PresenceSubList></UpdatePresence-Request>",
            751,
        ),
    ] {
        let answer = alice.request(request).await;
        answer.expect_code(code);
    }
    // A bad one beside a good one: the good one counts (3.6).
    let mixed = "<UpdatePresence-Request><PresenceSubList><UserAvailability><Qualifier>T</Qualifier><PresenceValue>NAPPING</PresenceValue>\
        </UserAvailability><StatusMood><Qualifier>T</Qualifier><PresenceValue>SLEEPY</PresenceValue></StatusMood></PresenceSubList></UpdatePresence-Request>";
    let answer = alice.request(mixed).await;
    answer.expect_status(201);
    assert_eq!(
        answer.primitive().text("Result/DetailedResult/Code"),
        Some("751")
    );
    assert_eq!(
        value(
            &get(&mut alice, "alice", "<StatusMood/>").await,
            "StatusMood"
        ),
        Some("SLEEPY")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_of_a_list_is_one_entry_a_member() {
    // IV-6, 4.2, 8.
    for version in Version::ALL {
        let server = village().await;
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        let list = match version {
            Version::V1_3 => {
                "<ContactListIDList><ContactList>wv:bob/friends@h</ContactList></ContactListIDList>"
            }
            _ => "<ContactList>wv:bob/friends@h</ContactList>",
        };
        let answer = bob
            .request(&format!(
                "<GetPresence-Request>{list}</GetPresence-Request>"
            ))
            .await;
        answer.expect_code(200);
        assert_eq!(answer.primitive().texts("Presence/UserID"), ["wv:alice@h"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn automatic_subscription_follows_the_list() {
    // 4.4; 18 item 8.
    for version in [Version::V1_2, Version::V1_3] {
        let server = TestServer::with_users(&[CONTACTS], &["alice", "bob"]).await;
        let mut alice = server.xml("alice").await;
        let add = |owner: &str, contact: &str| {
            format!(
                "<ListManage-Request><ContactList>wv:{owner}/friends@h</ContactList><AddNickList><UserID>wv:{contact}@h</UserID></AddNickList></ListManage-Request>"
            )
        };
        alice.request(&add("alice", "bob")).await.expect_code(200);
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        let list = match version {
            Version::V1_3 => {
                "<ContactListIDList><ContactList>wv:bob/friends@h</ContactList></ContactListIDList>"
            }
            _ => "<ContactList>wv:bob/friends@h</ContactList>",
        };
        let content = format!(
            "<SubscribePresence-Request>{list}<AutoSubscribe>T</AutoSubscribe></SubscribePresence-Request>"
        );
        bob.request(&content).await.expect_status(200);
        assert!(notice(&mut bob, "alice").await.is_none());
        bob.request(&add("bob", "alice")).await.expect_code(200);
        let attributes = notice(&mut bob, "alice").await.expect("a first notice");
        assert_eq!(value(&attributes, "OnlineStatus"), Some("T"));
        // Removed: nothing more.
        let remove = "<ListManage-Request><ContactList>wv:bob/friends@h</ContactList><RemoveNickList><UserID>wv:alice@h</UserID></RemoveNickList></ListManage-Request>";
        bob.request(remove).await.expect_code(200);
        bob.drain().await;
        update(&mut alice, "<StatusText><Qualifier>T</Qualifier><PresenceValue>unseen</PresenceValue></StatusText>").await;
        assert!(notice(&mut bob, "alice").await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_the_session_s_own_and_ends_with_it() {
    // 4.3, 4.6.
    let server = village().await;
    let mut alice = server.xml("alice").await;
    let mut phone = server.client(Version::V1_2, Syntax::Wbxml, "bob").await;
    let mut desk = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    desk.client_id = "WV:desk".into();
    desk.login_with_password("wv:bob@h", "secret")
        .await
        .expect_code(200);
    subscribe(&mut phone, &["alice"], "<StatusText/>").await;
    let status = |text: &str| {
        format!(
            "<StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue></StatusText>"
        )
    };
    update(&mut alice, &status("one")).await;
    assert!(notice(&mut phone, "alice").await.is_some());
    assert!(notice(&mut desk, "alice").await.is_none());
    phone.request("<Logout-Request/>").await.expect_status(200);
    let mut phone = server.client(Version::V1_2, Syntax::Wbxml, "bob").await;
    update(&mut alice, &status("two")).await;
    assert!(notice(&mut phone, "alice").await.is_none());
}
