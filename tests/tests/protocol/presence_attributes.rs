//! Presence attributes: legal values, Qualifier, old forms, other namespaces (csp-presence
//! 3.1 to 3.6, 15).

use crate::presence::{get, notice, subscribe, update, value, village};
use hamlet_csp::{Document, ExtensionNode, Primitive, Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, transaction};
use hamlet_tests::server::TestServer;

fn text(name: &str, value: &str) -> String {
    format!("<{name}><Qualifier>T</Qualifier><PresenceValue>{value}</PresenceValue></{name}>")
}

fn with(name: &str, content: &str) -> String {
    format!("<{name}><Qualifier>T</Qualifier>{content}</{name}>")
}

async fn publish(client: &mut Client, attributes: &str) -> Answer {
    let content = format!(
        "<UpdatePresence-Request><PresenceSubList>{attributes}</PresenceSubList></UpdatePresence-Request>"
    );
    client.request(&content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attribute_has_its_legal_values() {
    // 3.3 to 3.6; 751.
    let server = village().await;
    let long = "x".repeat(1025);
    let picture = "A".repeat((64 << 10) + 4);
    let caps = "<CommC><Cap>IM</Cap><Status>OPEN</Status></CommC>".repeat(21);
    let links = "<Inf_link><Link>http://h/</Link></Inf_link>".repeat(11);
    let good = [
        text("OnlineStatus", "T"),
        text("Registration", "F"),
        with(
            "ClientInfo",
            "<ClientType>CLI</ClientType><Language>fin</Language>",
        ),
        with("TimeZone", "<Zone>-0330</Zone>"),
        with(
            "GeoLocation",
            "<Longitude>35 24 15.652W</Longitude><Latitude>12 36 22.5N</Latitude>",
        ),
        with(
            "GeoLocation",
            "<Longitude>24.9</Longitude><Latitude>-60</Latitude><Altitude>-3</Altitude>",
        ),
        with(
            "Address",
            "<Country>GB</Country><City>London</City><NamedArea>Docks</NamedArea>",
        ),
        text("FreeTextLocation", "At home"),
        text("PLMN", "Sonera"),
        with(
            "CommCap",
            "<CommC><Cap>MMS</Cap><Status>closed</Status><Note></Note></CommC>",
        ),
        with("CommCap", ""),
        text("UserAvailability", "AVAILABLE"),
        text("UserAvailability", "NOTAVAILABLE"),
        with(
            "PreferredContacts",
            "<AddrPref><PrefC>CALL</PrefC><Caddr>1</Caddr><Cpriority>10</Cpriority></AddrPref>",
        ),
        text("PreferredLanguage", "swe"),
        text("StatusText", ""),
        text("StatusMood", "INVINCIBLE"),
        text("Alias", "Päivi"),
        with(
            "StatusContent",
            "<ReferredContent>http://h/x.gif</ReferredContent><ContentType>image/gif</ContentType>",
        ),
        with(
            "ContactInfo",
            "<ReferredvCard>http://h/x.vcf</ReferredvCard>",
        ),
    ];
    let bad = [
        text("OnlineStatus", "perhaps"),
        text("Registration", "yes"),
        with("ClientInfo", "<ClientType>TOASTER</ClientType>"),
        with("ClientInfo", "<Language>12</Language>"),
        with("TimeZone", "<Zone>+15</Zone>"),
        with(
            "GeoLocation",
            "<Longitude>181</Longitude><Latitude>0</Latitude>",
        ),
        with("GeoLocation", "<Longitude>24.9</Longitude>"),
        with(
            "GeoLocation",
            "<Longitude>1</Longitude><Latitude>1</Latitude><Accuracy>-5</Accuracy>",
        ),
        with("Address", "<Country>Finland</Country>"),
        text("FreeTextLocation", &long),
        with(
            "CommCap",
            "<CommC><Cap>PIGEON</Cap><Status>OPEN</Status></CommC>",
        ),
        with(
            "CommCap",
            "<CommC><Cap>IM</Cap><Status>AJAR</Status></CommC>",
        ),
        with("CommCap", &caps),
        text("UserAvailability", "NAPPING"),
        with(
            "PreferredContacts",
            "<AddrPref><PrefC>CALL</PrefC><Caddr>1</Caddr><Cpriority>first</Cpriority></AddrPref>",
        ),
        text("PreferredLanguage", "suomi"),
        text("StatusText", &long),
        text("StatusMood", "HUNGRY"),
        text("Alias", &long),
        with(
            "StatusContent",
            &format!("<DirectContent>{picture}</DirectContent>"),
        ),
        with("StatusContent", "<DirectContent>no base-64</DirectContent>"),
        with(
            "ContactInfo",
            &format!("<ContainedvCard>{picture}</ContainedvCard>"),
        ),
    ];
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        for attribute in &good {
            let answer = publish(&mut alice, attribute).await;
            assert_eq!(answer.code(), Some(200), "{version:?} {attribute}");
        }
        for attribute in &bad {
            let answer = publish(&mut alice, attribute).await;
            let shown: String = attribute.chars().take(200).collect();
            assert_eq!(answer.code(), Some(751), "{version:?} {shown}");
        }
        let too_many = with("InfoLink", &links);
        publish(&mut alice, &too_many).await.expect_status(751);
        // The others of the same request count: 201.
        let mixed = format!("{}{}", bad[13], text("StatusMood", "SLEEPY"));
        let answer = publish(&mut alice, &mixed).await;
        answer.expect_status(201);
        assert_eq!(
            answer.primitive().text("Result/DetailedResult/Description"),
            Some("UserAvailability")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_no_attributes_are_750() {
    // 3.6, 4.1, 4.3, 15: in all versions and syntaxes; the other attributes count.
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let server = village().await;
            let mut alice = server.client(version, syntax, "alice").await;
            let shoes = text("Shoes", "red");
            publish(&mut alice, &shoes).await.expect_status(750);
            // An element of CSP that is no attribute is none either.
            publish(&mut alice, "<MessageURI>x</MessageURI>")
                .await
                .expect_status(750);
            let mixed = format!("{shoes}{}", text("StatusText", "x"));
            let answer = publish(&mut alice, &mixed).await;
            answer.expect_status(201);
            let detail = answer.primitive().at("Result/DetailedResult").unwrap();
            assert_eq!(detail.text("Code"), Some("750"));
            assert_eq!(detail.text("Description"), Some("Shoes"));
            let both = format!("{shoes}{}", text("StatusMood", "HUNGRY"));
            publish(&mut alice, &both).await.expect_status(900);

            let mut bob = server.client(version, syntax, "bob").await;
            let target = crate::presence::users(version, &["alice"]);
            for (names, code) in [("<Shoes/>", 750), ("<Shoes/><StatusText/>", 201)] {
                let request = format!(
                    "<SubscribePresence-Request>{target}<PresenceSubList>{names}</PresenceSubList></SubscribePresence-Request>"
                );
                bob.request(&request).await.expect_status(code);
            }
            // It is subscribed to what there is, and to nothing else.
            let seen = notice(&mut bob, "alice").await.expect("a notice");
            assert_eq!(seen.child_names(), ["StatusText"]);
            let request = format!(
                "<GetPresence-Request>{target}<PresenceSubList><Shoes/></PresenceSubList></GetPresence-Request>"
            );
            bob.request(&request).await.expect_code(750);
        }
    }
}

/// What bob gets of alice's in WBXML; the tests' own reader knows no literal names.
async fn in_wbxml(server: &TestServer, version: Version) -> Vec<ExtensionNode> {
    let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
    let target = crate::presence::users(version, &["alice"]);
    let request = format!(
        "<GetPresence-Request>{target}<PresenceSubList><Weather xmlns=\"urn:vendor:1\"/></PresenceSubList></GetPresence-Request>"
    );
    let body = bob.message("Inband", &[transaction("Request", Some("w"), &request)]);
    let answer = bob.post(&body).await;
    let decoded = hamlet_csp::decode(&answer.body, Syntax::Wbxml).expect("a message");
    let Document::Message(message) = decoded.document else {
        panic!("{decoded:?}");
    };
    match message.transactions.into_iter().next().map(|t| t.content) {
        Some(Ok(Primitive::GetPresenceResponse(mut response))) => {
            response
                .presence
                .remove(0)
                .presence_sub_list
                .remove(0)
                .foreign
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_of_other_namespaces_reach_those_who_name_them() {
    // 3.6: carried untouched, in all versions and syntaxes.
    const WEATHER: &str =
        "<Weather xmlns=\"urn:vendor:1\"><Sky>rain &amp; sun</Sky><Wind/></Weather>";
    for publisher in Version::ALL {
        let server = village().await;
        let mut alice = server.client(publisher, Syntax::Wbxml, "alice").await;
        publish(&mut alice, WEATHER).await.expect_status(200);
        for version in Version::ALL {
            let mut bob = server.client(version, Syntax::Xml, "bob").await;
            let seen = get(&mut bob, "alice", "<Weather xmlns=\"urn:vendor:1\"/>").await;
            let weather = seen.at("Weather").expect("what he named");
            assert_eq!(weather.namespace.as_deref(), Some("urn:vendor:1"));
            assert_eq!(weather.text("Sky"), Some("rain & sun"));
            assert!(weather.at("Wind").is_some());
            // Who does not name them does not get them, even if he asks for everything.
            assert!(get(&mut bob, "alice", "").await.at("Weather").is_none());
            let carried = in_wbxml(&server, version).await;
            let [
                ExtensionNode::Element {
                    name, namespace, ..
                },
            ] = carried.as_slice()
            else {
                panic!("{carried:?}");
            };
            assert_eq!(name, "Weather");
            assert_eq!(namespace.as_deref(), Some("urn:vendor:1"));
        }
        let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
        subscribe(
            &mut bob,
            &["alice"],
            "<StatusText/><Weather xmlns=\"urn:vendor:1\"/>",
        )
        .await;
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(seen.child_names(), ["Weather"]);
        // One does not replace another; an empty one withdraws.
        publish(&mut alice, "<Tide xmlns=\"urn:vendor:1\">high</Tide>")
            .await
            .expect_status(200);
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(seen.child_names(), ["Weather", "Tide"]);
        publish(&mut alice, "<Weather xmlns=\"urn:vendor:1\"/>")
            .await
            .expect_status(200);
        let seen = notice(&mut bob, "alice").await.expect("a notice");
        assert_eq!(seen.child_names(), ["Tide"]);
        let large = format!("<Tide xmlns=\"urn:v\">{}</Tide>", "x".repeat(5000));
        publish(&mut alice, &large).await.expect_status(751);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_namespace_of_any_version_is_read_and_that_of_the_reader_is_written() {
    // 1.1: S60 writes that of 1.2 whatever it speaks; what is written the reader of the tests
    // checks in every answer.
    let server = village().await;
    for version in Version::ALL {
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        for (number, namespace) in [
            "http://www.wireless-village.org/PA1.0",
            "http://www.wireless-village.org/PA1.1",
            "http://www.openmobilealliance.org/DTD/WV-PA1.2",
            "http://www.openmobilealliance.org/DTD/IMPS-PA1.3",
        ]
        .into_iter()
        .enumerate()
        {
            let said = format!("{version:?} {number}");
            let update = format!(
                "<UpdatePresence-Request><PresenceSubList xmlns=\"{namespace}\">{}</PresenceSubList></UpdatePresence-Request>",
                text("StatusText", &said)
            );
            alice.request(&update).await.expect_status(200);
            let seen = get(&mut alice, "alice", "<StatusText/>").await;
            assert_eq!(value(&seen, "StatusText"), Some(said.as_str()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qualifier_says_whether_a_value_counts() {
    // 3.2; 7 rows 12 and 13; GEN-24.
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let alias = "<Alias/>";
        assert!(get(&mut bob, "alice", alias).await.children.is_empty());
        // Absent is T.
        update(
            &mut alice,
            "<Alias><PresenceValue>Al</PresenceValue></Alias>",
        )
        .await;
        let seen = get(&mut bob, "alice", alias).await;
        assert_eq!(seen.text("Alias/Qualifier"), Some("T"));
        assert_eq!(value(&seen, "Alias"), Some("Al"));
        // F withdraws; T without a value publishes again what is known.
        update(&mut alice, "<Alias><Qualifier>F</Qualifier></Alias>").await;
        let seen = get(&mut bob, "alice", alias).await;
        assert_eq!(seen.text("Alias/Qualifier"), Some("F"));
        assert_eq!(value(&seen, "Alias"), None);
        update(&mut alice, "<Alias><Qualifier>T</Qualifier></Alias>").await;
        assert_eq!(
            value(&get(&mut bob, "alice", alias).await, "Alias"),
            Some("Al")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_is_replaced_as_a_whole_and_an_update_without_any_changes_nothing() {
    // 4.1 items 1 and 3.
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        for caps in [&["IM", "SMS", "CALL"][..], &["MMS"]] {
            let content: String = caps
                .iter()
                .map(|cap| format!("<CommC><Cap>{cap}</Cap><Status>OPEN</Status></CommC>"))
                .collect();
            update(&mut alice, &with("CommCap", &content)).await;
            publish(&mut alice, "").await.expect_status(200);
            let seen = get(&mut alice, "alice", "<CommCap/>").await;
            assert_eq!(seen.texts("CommCap/CommC/Cap"), caps);
        }
        alice
            .request("<UpdatePresence-Request></UpdatePresence-Request>")
            .await
            .expect_status(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_forms_are_understood_and_written_as_each_version_has_them() {
    // 3.5, 3.6.
    let server = village().await;
    let mut alice = server.client(Version::V1_1, Syntax::Xml, "alice").await;
    let caps: String = [
        ("AUDIO_CALL", "OPEN"),
        ("VIDEO_CALL", "OPEN"),
        ("IM_ONLINE", "OPEN"),
    ]
    .iter()
    .map(|(cap, status)| format!("<CommC><Cap>{cap}</Cap><Status>{status}</Status></CommC>"))
    .collect();
    update(&mut alice, &with("CommCap", &caps)).await;
    update(
        &mut alice,
        &with(
            "StatusContent",
            "<PreferredContent>http://h/x.gif</PreferredContent>",
        ),
    )
    .await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        let seen = get(&mut bob, "alice", "<CommCap/><StatusContent/>").await;
        let expected: &[&str] = match version {
            Version::V1_3 => &["CALL", "IM"],
            _ => &["AUDIO_CALL", "VIDEO_CALL", "IM_ONLINE"],
        };
        assert_eq!(seen.texts("CommCap/CommC/Cap"), expected, "{version:?}");
        assert_eq!(
            seen.text("StatusContent/ReferredContent"),
            Some("http://h/x.gif")
        );
    }
    // Nokia clears its picture by an empty one.
    update(
        &mut alice,
        &with(
            "StatusContent",
            "<DirectContent></DirectContent><ContentType></ContentType>",
        ),
    )
    .await;
    let seen = get(&mut alice, "alice", "<StatusContent/>").await;
    assert_eq!(seen.text("StatusContent/Qualifier"), Some("F"));
}
