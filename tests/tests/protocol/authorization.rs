//! Who may see whose presence (csp-presence 6, 7), over a socket, in every version.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::{Client, EVERY_ATTRIBUTE, transaction, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::{AT_ONCE, TestServer};

use Version::{V1_1, V1_2, V1_3};

const SYNTAXES: [Syntax; 2] = [Syntax::Xml, Syntax::Wbxml];

/// What alice's client asks for who agrees on being asked.
const REACT: &str = "<Service-Request><Functions><WVCSPFeat><PresenceFeat/></WVCSPFeat></Functions>\
<AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>";

async fn village() -> TestServer {
    TestServer::with_users(&[], &["alice", "bob", "carol"]).await
}

/// Another client of a user.
async fn second(server: &TestServer, version: Version, name: &str) -> Client {
    let mut client = Client::connect(server.address(), version, Syntax::Wbxml).await;
    client.client_id = "WV:another-client".into();
    client
        .login_with_password(&format!("wv:{name}@h"), "secret")
        .await
        .expect_code(200);
    client
}

async fn publish(client: &mut Client, text: &str) {
    let content = format!(
        "<UpdatePresence-Request><PresenceSubList><StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue>\
         </StatusText></PresenceSubList></UpdatePresence-Request>"
    );
    client.request(&content).await.expect_status(200);
}

fn users(version: Version, names: &[&str]) -> String {
    let ids: String = names
        .iter()
        .map(|name| format!("<UserID>wv:{name}@h</UserID>"))
        .collect();
    match version {
        V1_3 if !ids.is_empty() => format!("<UserIDList>{ids}</UserIDList>"),
        _ => ids,
    }
}

fn lists(version: Version, names: &[&str]) -> String {
    let ids: String = names
        .iter()
        .map(|name| format!("<ContactList>wv:{name}@h</ContactList>"))
        .collect();
    match version {
        V1_3 if !ids.is_empty() => format!("<ContactListIDList>{ids}</ContactListIDList>"),
        _ => ids,
    }
}

async fn subscribe(client: &mut Client, attributes: &str) {
    let whom = match client.version {
        V1_3 => users(V1_3, &["alice"]),
        _ => user("wv:alice@h"),
    };
    let content = format!(
        "<SubscribePresence-Request>{whom}<PresenceSubList>{attributes}</PresenceSubList></SubscribePresence-Request>"
    );
    client.request(&content).await.expect_status(200);
}

/// What a client may see of alice: the names of her attributes.
async fn sees(client: &mut Client) -> Vec<String> {
    let whom = match client.version {
        V1_3 => users(V1_3, &["alice"]),
        _ => user("wv:alice@h"),
    };
    let content = format!("<GetPresence-Request>{whom}</GetPresence-Request>");
    let answer = client.request(&content).await;
    answer.expect_code(200);
    let presence = answer.primitive().at("Presence/PresenceSubList");
    let names = presence.expect("a PresenceSubList").child_names();
    names.into_iter().map(str::to_owned).collect()
}

/// CreateAttributeList in the form of the client's version.
fn create(version: Version, attributes: &str, whom: &str, default: bool) -> String {
    let default = if default { 'T' } else { 'F' };
    let _ = version;
    format!(
        "<CreateAttributeList-Request><PresenceSubList>{attributes}</PresenceSubList>{whom}\
         <DefaultList>{default}</DefaultList></CreateAttributeList-Request>"
    )
}

fn accept(watcher: &str, accept: bool, attributes: Option<&str>) -> String {
    let acceptance = if accept { 'T' } else { 'F' };
    let list = attributes.map_or(String::new(), |names| {
        format!("<PresenceSubList>{names}</PresenceSubList>")
    });
    format!(
        "<PresenceAuth-User><UserID>wv:{watcher}@h</UserID><Acceptance>{acceptance}</Acceptance>{list}</PresenceAuth-User>"
    )
}

/// The newest presence of alice among what waits: attributes with `=` value, `?` when unknown.
async fn told(client: &mut Client) -> Option<String> {
    let came = client.drain().await;
    let newest = came
        .iter()
        .filter(|primitive| primitive.name == "PresenceNotification-Request")
        .flat_map(|primitive| primitive.all("Presence/PresenceSubList"))
        .next_back()?;
    let one = |attribute: &Element| match attribute.text("Qualifier") {
        Some("F") => format!("{}=?", attribute.name),
        _ => format!(
            "{}={}",
            attribute.name,
            attribute.text("PresenceValue").unwrap_or_default()
        ),
    };
    let all: Vec<String> = newest.children.iter().map(one).collect();
    Some(all.join(" "))
}

/// The one question that waits for a client, not yet acknowledged.
async fn question(client: &mut Client) -> Answer {
    let asked = client.poll().await;
    let primitive = asked.expect("PresenceAuth-Request");
    assert_eq!(primitive.text("UserID"), Some("wv:bob@h"));
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_anything_until_he_is_let() {
    // 6.5 step 5, 6.8, 7 rows 2 and 11.
    let server = village().await;
    let mut alice = server.xml("alice").await;
    publish(&mut alice, "private").await;
    for version in Version::ALL {
        for syntax in SYNTAXES {
            let mut bob = server.client(version, syntax, "bob").await;
            assert_eq!(sees(&mut bob).await, [""; 0]);
            subscribe(&mut bob, "").await;
            assert_eq!(told(&mut bob).await, None, "no hint whatsoever");
            let mut own = second(&server, version, "alice").await;
            assert!(sees(&mut own).await.contains(&"StatusText".to_owned()));
            own.request("<Logout-Request/>").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attribute_lists_decide_in_every_version() {
    // 6.2 to 6.5, 16 D and E.
    for version in Version::ALL {
        for syntax in SYNTAXES {
            let server = village().await;
            let mut alice = server.client(version, syntax, "alice").await;
            let mut bob = server.xml("bob").await;
            publish(&mut alice, "hi").await;
            let friends = lists(version, &["alice/friends"]);
            let bobs = users(version, &["bob"]);
            let add = "<ListManage-Request><ContactList>wv:alice/friends@h</ContactList><AddNickList>\
                       <UserID>wv:bob@h</UserID></AddNickList></ListManage-Request>";
            let default = create(version, "<OnlineStatus/>", "", true);
            alice.request(&default).await.expect_status(200);
            assert_eq!(sees(&mut bob).await, ["OnlineStatus"], "row 9");
            let list = create(version, "<StatusText/><OnlineStatus/>", &friends, false);
            alice.request(&list).await.expect_status(200);
            assert_eq!(sees(&mut bob).await, ["OnlineStatus"], "not a member yet");
            alice.request(add).await.expect_code(200);
            assert_eq!(
                sees(&mut bob).await,
                ["OnlineStatus", "StatusText"],
                "row 7"
            );
            // S60-14: an empty list of a user denies.
            let nothing = create(version, "", &bobs, false);
            alice.request(&nothing).await.expect_status(200);
            assert_eq!(sees(&mut bob).await, [""; 0], "row 5");
            let get =
                "<GetAttributeList-Request><DefaultList>T</DefaultList></GetAttributeList-Request>";
            let answer = alice.request(get).await;
            answer.expect_code(200);
            let all = answer.expect("GetAttributeList-Response");
            let default = all.at("DefaultAttributeList").unwrap();
            let names = default.at("PresenceSubList").unwrap().child_names();
            assert_eq!(names, ["OnlineStatus"]);
            assert_eq!(all.texts("Presence/UserID"), ["wv:bob@h"]);
            assert_eq!(all.texts("Presence/ContactList"), ["wv:alice/friends@h"]);
            let flags = [
                default.text("DefaultNotify"),
                all.text("Presence/UserNotify"),
                all.text("Presence/ContactListNotify"),
            ];
            let expected = match version {
                V1_3 => [Some("T"), Some("F"), Some("F")],
                _ => [None; 3],
            };
            assert_eq!(flags, expected, "6.2: initial values");
            let delete = |whom: &str, default: char| {
                format!(
                    "<DeleteAttributeList-Request>{whom}<DefaultList>{default}</DefaultList></DeleteAttributeList-Request>"
                )
            };
            alice.request(&delete(&bobs, 'F')).await.expect_status(200);
            assert_eq!(sees(&mut bob).await, ["OnlineStatus", "StatusText"]);
            alice
                .request(&delete(&friends, 'F'))
                .await
                .expect_status(200);
            assert_eq!(sees(&mut bob).await, ["OnlineStatus"]);
            alice.request(&delete("", 'T')).await.expect_status(200);
            assert_eq!(sees(&mut bob).await, [""; 0]);
            // What is not there is deleted all the same.
            alice.request(&delete(&bobs, 'T')).await.expect_status(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_and_attributes_that_do_not_exist_are_named() {
    // 6.2 checks 3 to 5.
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        for (whom, code) in [
            (users(version, &["nobody"]), 531),
            (users(version, &["nobody", "bob"]), 201),
            (lists(version, &["alice/none"]), 700),
            (lists(version, &["bob/friends"]), 700),
        ] {
            let answer = alice
                .request(&create(version, "<Alias/>", &whom, false))
                .await;
            answer.expect_status(code);
            assert!(answer.primitive().at("Result/DetailedResult").is_some());
        }
        if version == V1_1 {
            let link = create(version, "<InfoLink/>", "", true);
            let mut alice = second(&server, version, "alice").await;
            alice.syntax = Syntax::Xml;
            alice.request(&link).await.expect_status(750);
            let both = create(version, "<Alias/><InfoLink/>", "", true);
            alice.request(&both).await.expect_status(201);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_seen_at_once_and_what_is_lost_is_said_once() {
    // 6.9, 18 item 6.
    for version in Version::ALL {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let mut bob = server.client(version, Syntax::Wbxml, "bob").await;
        publish(&mut alice, "hi").await;
        subscribe(&mut bob, "<StatusText/><OnlineStatus/>").await;
        let bobs = users(version, &["bob"]);
        let both = create(version, "<StatusText/><OnlineStatus/>", &bobs, false);
        alice.request(&both).await.expect_status(200);
        let all = "OnlineStatus=T StatusText=hi";
        assert_eq!(told(&mut bob).await.as_deref(), Some(all));
        let less = create(version, "<OnlineStatus/>", &bobs, false);
        alice.request(&less).await.expect_status(200);
        // Something else changes before he polls: the loss is told all the same.
        let hide = "<UpdatePresence-Request><PresenceSubList><OnlineStatus><Qualifier>T</Qualifier><PresenceValue>F</PresenceValue>\
                    </OnlineStatus></PresenceSubList></UpdatePresence-Request>";
        alice.request(hide).await.expect_status(200);
        let lost = told(&mut bob).await.expect("a notification");
        assert!(lost.contains("StatusText=?"), "{lost}");
        publish(&mut alice, "secret").await;
        assert_eq!(told(&mut bob).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_of_1_1_and_1_2_is_asked_once_and_decides() {
    // 6.6, 16 B; 18 item 9. Without negotiation, and with it.
    for version in [V1_1, V1_2] {
        for syntax in SYNTAXES {
            for negotiates in [false, true] {
                let server = village().await;
                let mut alice = server.client(version, syntax, "alice").await;
                if negotiates {
                    alice.request(REACT).await.expect("Service-Response");
                }
                publish(&mut alice, "hi").await;
                let mut bob = server.client(V1_3, Syntax::Wbxml, "bob").await;
                subscribe(&mut bob, "<StatusText/><Alias/>").await;
                let asked = question(&mut alice).await;
                let names = asked.primitive().at("PresenceSubList").unwrap();
                assert_eq!(names.child_names(), ["StatusText", "Alias"]);
                alice.acknowledge(&asked).await;
                subscribe(&mut bob, "<StatusText/>").await;
                assert!(alice.take().await.is_none(), "asked once");
                let yes = accept("bob", true, None);
                alice.request(&yes).await.expect_status(200);
                let seen = told(&mut bob).await;
                assert_eq!(seen.as_deref(), Some("StatusText=hi"), "what he asked for");
                assert_eq!(sees(&mut bob).await, ["StatusText"]);
                // Changed to no: he hears that he knows nothing, once.
                let no = accept("bob", false, None);
                alice.request(&no).await.expect_status(200);
                assert_eq!(told(&mut bob).await.as_deref(), Some("StatusText=?"));
                publish(&mut alice, "unseen").await;
                subscribe(&mut bob, "").await;
                assert_eq!(told(&mut bob).await, None);
                assert!(alice.take().await.is_none(), "denied");
                // Taken back, the next subscription asks again.
                let cancel = "<CancelAuth-Request><UserID>wv:bob@h</UserID></CancelAuth-Request>";
                alice.request(cancel).await.expect_status(200);
                subscribe(&mut bob, "").await;
                let asked = question(&mut alice).await;
                alice.acknowledge(&asked).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_may_be_for_some_attributes_and_in_either_mode() {
    // 6.6: partial acceptance; the 1.1 example in mode Response; S60's sibling list.
    let server = village().await;
    let mut alice = server.client(V1_2, Syntax::Xml, "alice").await;
    publish(&mut alice, "hi").await;
    let mut bob = server.xml("bob").await;
    subscribe(&mut bob, "<OnlineStatus/><StatusText/>").await;
    let asked = question(&mut alice).await;
    // As the answer to the question itself: it closes it, and nothing comes back.
    let id = asked.transaction().unwrap().to_owned();
    let some = accept("bob", true, Some("<StatusText/>"));
    let nothing = alice.respond(&id, &some).await;
    assert!(nothing.is_empty(), "{nothing:?}");
    assert_eq!(told(&mut bob).await.as_deref(), Some("StatusText=hi"));
    assert!(alice.take().await.is_none(), "not asked again");
    // With an identifier of its own it is answered.
    let status = alice.respond("own-1", &accept("bob", true, Some(""))).await;
    status.expect_status(200);
    assert_eq!(status.transaction(), Some("own-1"));
    assert_eq!(
        told(&mut bob).await.as_deref(),
        Some("OnlineStatus=T StatusText=hi")
    );
    // The list behind the primitive.
    let beside = format!(
        "{}<PresenceSubList><OnlineStatus/></PresenceSubList>",
        accept("bob", true, None)
    );
    let body = alice.message("Inband", &[transaction("Request", Some("own-2"), &beside)]);
    let http = alice.post(&body).await;
    alice.read(http).expect_status(200);
    assert_eq!(
        told(&mut bob).await.as_deref(),
        Some("OnlineStatus=T StatusText=?")
    );
    // Repeated, it is answered again and changes nothing.
    let http = alice.post(&body).await;
    alice.read(http).expect_status(200);
    assert_eq!(told(&mut bob).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_waits_for_the_publisher_and_outlives_the_server() {
    // 6.6: pending while offline; asked once, whatever happens.
    for version in Version::ALL {
        let mut server = TestServer::with_users(&[AT_ONCE], &["alice", "bob"]).await;
        let mut bob = server.xml("bob").await;
        subscribe(&mut bob, "<StatusText/>").await;
        server.restart().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let asked = alice.take().await.expect("a question");
        match version {
            V1_3 => assert_eq!(asked.text("NotificationType"), Some("AND")),
            _ => assert_eq!(asked.name, "PresenceAuth-Request"),
        }
        alice.request("<Logout-Request/>").await;
        let mut again = server.client(version, Syntax::Wbxml, "alice").await;
        assert!(again.take().await.is_none(), "acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_sessions_that_agreed_are_asked_and_each_in_its_form() {
    // 6.6, 6.7: mixed sessions of one publisher.
    let server = village().await;
    let mut willing = server.client(V1_2, Syntax::Xml, "alice").await;
    willing.request(REACT).await.expect("Service-Response");
    let mut quiet = second(&server, V1_2, "alice").await;
    let without = "<Service-Request><Functions><WVCSPFeat><PresenceFeat><PresenceAuthFunc><GETWL/></PresenceAuthFunc>\
                   </PresenceFeat></WVCSPFeat></Functions><AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>";
    quiet.request(without).await.expect("Service-Response");
    let mut new = Client::connect(server.address(), V1_3, Syntax::Wbxml).await;
    new.client_id = "WV:third".into();
    new.login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(200);
    let mut bob = server.xml("bob").await;
    subscribe(&mut bob, "<StatusText/>").await;
    let asked = question(&mut willing).await;
    assert!(quiet.take().await.is_none());
    let notice = new.take().await.expect("a notification");
    assert_eq!(notice.text("NotificationType"), Some("AND"));
    willing.acknowledge(&asked).await;
}

/// Attribute list of alice for these targets, with flags.
fn flagged(attributes: &str, whom: &str, default: char, flags: &str) -> String {
    format!(
        "<CreateAttributeList-Request><PresenceSubList>{attributes}</PresenceSubList>{whom}<DefaultList>{default}</DefaultList>\
         {flags}</CreateAttributeList-Request>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_of_1_3_is_notified_at_the_level_that_decided() {
    // 6.7, 16 C; 18 item 10.
    for syntax in SYNTAXES {
        let server = village().await;
        let mut alice = server.client(V1_3, syntax, "alice").await;
        let mut other = second(&server, V1_3, "alice").await;
        publish(&mut alice, "hi").await;
        let mut bob = server.xml("bob").await;
        let kind = |came: &Element| {
            assert_eq!(came.name, "Notification-Request");
            came.text("NotificationType").unwrap().to_owned()
        };
        // Nothing decided, DefaultNotify T from the beginning.
        subscribe(&mut bob, "<StatusText/>").await;
        for session in [&mut alice, &mut other] {
            let came = session.take().await.expect("AND");
            assert_eq!(kind(&came), "AND");
            assert_eq!(came.texts("UserIDList/UserID"), ["wv:bob@h"]);
            assert_eq!(came.text("DefaultList"), Some("T"));
            let names = came.at("PresenceSubList").unwrap();
            assert_eq!(names.child_names(), ["StatusText"]);
        }
        // The answer is an attribute list; the other session hears of it if it wants.
        let list =
            "<NotificationTypeList><NotificationType>AC</NotificationType></NotificationTypeList>";
        let want = format!("<SubscribeNotification-Request>{list}</SubscribeNotification-Request>");
        other.request(&want).await.expect_status(200);
        let bobs = users(V1_3, &["bob"]);
        let some = flagged("<StatusText/>", &bobs, 'F', "<UserNotify>T</UserNotify>");
        alice.request(&some).await.expect_status(200);
        assert_eq!(told(&mut bob).await.as_deref(), Some("StatusText=hi"));
        let came = other.take().await.expect("AC");
        assert_eq!(kind(&came), "AC");
        assert_eq!(came.texts("UserIDList/UserID"), ["wv:bob@h"]);
        assert!(alice.take().await.is_none(), "who has done it knows");
        // More than the list of his own has.
        subscribe(&mut bob, "<StatusText/><Alias/>").await;
        let came = alice.take().await.expect("ANU");
        assert_eq!(kind(&came), "ANU");
        assert_eq!(came.at("PresenceSubList").unwrap().child_names(), ["Alias"]);
        assert!(came.at("DefaultList").is_none());
        other.drain().await;
        // The same within a day is not told again.
        subscribe(&mut bob, "<StatusText/><Alias/>").await;
        assert!(alice.take().await.is_none());
        // Through a contact list.
        let mut carol = server.xml("carol").await;
        let add = "<ListManage-Request><ContactList>wv:alice/friends@h</ContactList><AddNickList>\
                   <UserID>wv:carol@h</UserID></AddNickList></ListManage-Request>";
        alice.request(add).await.expect_code(200);
        let friends = lists(V1_3, &["alice/friends"]);
        let flag = "<ContactListNotify>T</ContactListNotify>";
        alice
            .request(&flagged("<OnlineStatus/>", &friends, 'F', flag))
            .await
            .expect_status(200);
        other.drain().await;
        subscribe(&mut carol, "<OnlineStatus/><Alias/>").await;
        let came = alice.take().await.expect("ANC");
        assert_eq!(kind(&came), "ANC");
        assert_eq!(came.texts("UserIDList/UserID"), ["wv:carol@h"]);
        let lists = came.texts("ContactListIDList/ContactList");
        assert_eq!(lists, ["wv:alice/friends@h"]);
        // A session that has refused the type does not get it.
        let list =
            "<NotificationTypeList><NotificationType>ANC</NotificationType></NotificationTypeList>";
        let refuse =
            format!("<UnsubscribeNotification-Request>{list}</UnsubscribeNotification-Request>");
        other.drain().await;
        other.request(&refuse).await.expect_status(200);
        subscribe(&mut carol, "<OnlineStatus/><StatusText/>").await;
        assert_eq!(kind(&alice.take().await.expect("ANC")), "ANC");
        assert!(other.take().await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_want_to_be_notified_is_not() {
    // 6.2: DefaultNotify by itself; 6.7.
    let server = village().await;
    let mut alice = server.client(V1_3, Syntax::Wbxml, "alice").await;
    let off = "<CreateAttributeList-Request><DefaultNotify>F</DefaultNotify></CreateAttributeList-Request>";
    alice.request(off).await.expect_status(200);
    let mut bob = server.xml("bob").await;
    subscribe(&mut bob, "").await;
    assert!(alice.take().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_questions_is_told() {
    // 6.6 GetReactiveAuthStatus; in 1.3 alike (6.1).
    for (version, syntax) in [
        (V1_2, Syntax::Xml),
        (V1_2, Syntax::Wbxml),
        (V1_3, Syntax::Xml),
    ] {
        let server = village().await;
        let mut alice = server.client(version, syntax, "alice").await;
        let (mut bob, mut carol) = (server.xml("bob").await, server.xml("carol").await);
        for watcher in [&mut bob, &mut carol] {
            subscribe(watcher, "<StatusText/>").await;
        }
        let ask = |whom: &str| {
            format!("<GetReactiveAuthStatus-Request>{whom}</GetReactiveAuthStatus-Request>")
        };
        alice
            .request(&accept("carol", false, None))
            .await
            .expect_status(200);
        let answer = alice.request(&ask("")).await;
        let all = answer.expect("GetReactiveAuthStatus-Response");
        let path = "ReactiveAuthStatusList/ReactiveAuthStatus";
        let mut states: Vec<(String, String)> = all
            .all(path)
            .into_iter()
            .map(|one| {
                let text = |name| one.text(name).unwrap().to_owned();
                (text("UserID"), text("ReactiveAuthState"))
            })
            .collect();
        states.sort_unstable();
        let pair = |user: &str, state: &str| (user.to_owned(), state.to_owned());
        let expected = [pair("wv:bob@h", "PENDING"), pair("wv:carol@h", "DENIED")];
        assert_eq!(states, expected, "{version}");
        alice
            .request(&accept("bob", true, None))
            .await
            .expect_status(200);
        let answer = alice.request(&ask("<UserID>wv:bob@h</UserID>")).await;
        let one = answer.primitive().all(path);
        assert_eq!(one.len(), 1);
        assert_eq!(one[0].text("ReactiveAuthState"), Some("GRANTED"));
        let unknown = alice.request(&ask("<UserID>wv:nobody@h</UserID>")).await;
        unknown.expect_status(531);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_agreed_is_506() {
    // 1.3: GETWL, REACT, CAAUT, GETAUT, CALI, DALI, GALS; attribute lists are always there in 1.3.
    const REQUESTS: [&str; 6] = [
        "<GetWatcherList-Request/>",
        "<CancelAuth-Request><UserID>wv:bob@h</UserID></CancelAuth-Request>",
        "<CreateAttributeList-Request><PresenceSubList><Alias/></PresenceSubList><DefaultList>T</DefaultList></CreateAttributeList-Request>",
        "<DeleteAttributeList-Request><DefaultList>T</DefaultList></DeleteAttributeList-Request>",
        "<GetAttributeList-Request><DefaultList>T</DefaultList></GetAttributeList-Request>",
        "<GetReactiveAuthStatus-Request/>",
    ];
    let server = village().await;
    let only = "<Service-Request><Functions><WVCSPFeat><IMFeat/></WVCSPFeat></Functions>\
                <AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>";
    let mut alice = server.client(V1_3, Syntax::Xml, "alice").await;
    alice.request(only).await.expect("Service-Response");
    for (request, agreed) in REQUESTS.iter().zip([false, true, true, true, true, true]) {
        let code = alice.request(request).await.code().unwrap_or(200);
        assert_eq!(code == 506, !agreed, "{request}");
    }
    // In 1.2 what was not asked for is used all the same (csp-access 6.3), and nothing of it
    // is denied.
    let mut alice = server.client(V1_2, Syntax::Xml, "alice").await;
    let all = alice.request(REACT).await;
    assert!(all.expect("Service-Response").at("Functions").is_none());
    for request in REQUESTS {
        assert_ne!(alice.request(request).await.code(), Some(506), "{request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_with_authorization_shows_presence_at_once() {
    // 2.7 AuthorizeAndGrant, 1.3 alone.
    for version in [V1_2, V1_3] {
        let server = village().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        publish(&mut alice, "hi").await;
        let mut bob = server.xml("bob").await;
        let add = "<ListManage-Request><ContactList>wv:alice/friends@h</ContactList><AddNickList><UserID>wv:bob@h</UserID></AddNickList>\
                   <AuthorizeAndGrant>T</AuthorizeAndGrant></ListManage-Request>";
        alice.request(add).await.expect_code(200);
        let seen = sees(&mut bob).await.contains(&"StatusText".to_owned());
        assert_eq!(seen, version == V1_3, "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_be_let_be_seen() {
    // 6.5 step 4 with all attributes.
    let server = village().await;
    let mut alice = server.client(V1_2, Syntax::Wbxml, "alice").await;
    publish(&mut alice, "hi").await;
    let all = create(V1_2, EVERY_ATTRIBUTE, "", true);
    alice.request(&all).await.expect_status(200);
    let mut bob = server.xml("bob").await;
    subscribe(&mut bob, "<StatusText/>").await;
    assert_eq!(told(&mut bob).await.as_deref(), Some("StatusText=hi"));
    assert!(alice.take().await.is_none(), "nobody is asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_watcher_raises_no_question() {
    // 6.8, 7: what he sees is the same, but the publisher hears nothing of him.
    let server = village().await;
    let mut alice = server.client(V1_2, Syntax::Xml, "alice").await;
    let mut other = second(&server, V1_3, "alice").await;
    let block = |what: &str| {
        format!(
            "<BlockEntity-Request><BlockList><InUse>T</InUse><{what}><UserID>wv:bob@h</UserID></{what}></BlockList></BlockEntity-Request>"
        )
    };
    alice.request(&block("AddList")).await.expect_status(200);
    let mut bob = server.xml("bob").await;
    subscribe(&mut bob, "<StatusText/>").await;
    for session in [&mut alice, &mut other] {
        assert!(session.take().await.is_none());
    }
    let everybody = create(V1_2, "<OnlineStatus/>", "", true);
    alice.request(&everybody).await.expect_status(200);
    assert_eq!(
        sees(&mut bob).await,
        ["OnlineStatus"],
        "blocked, not unseen"
    );
    let nobody =
        "<DeleteAttributeList-Request><DefaultList>T</DefaultList></DeleteAttributeList-Request>";
    alice.request(nobody).await.expect_status(200);
    alice.request(&block("RemoveList")).await.expect_status(200);
    subscribe(&mut bob, "<StatusText/>").await;
    let asked = question(&mut alice).await;
    alice.acknowledge(&asked).await;
}
