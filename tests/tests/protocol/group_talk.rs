//! Messages through groups on the wire, in all versions (csp-group 6, 11.3, 11.8; csp-im 5.3,
//! 5.4, 8).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;

const GROUP: &str = "wv:anna/ski@h";

const FORMS: [(Version, Syntax); 6] = [
    (Version::V1_1, Syntax::Xml),
    (Version::V1_1, Syntax::Wbxml),
    (Version::V1_2, Syntax::Xml),
    (Version::V1_2, Syntax::Wbxml),
    (Version::V1_3, Syntax::Xml),
    (Version::V1_3, Syntax::Wbxml),
];

fn screen_name(name: &str) -> String {
    format!("<ScreenName><SName>{name}</SName><GroupID>{GROUP}</GroupID></ScreenName>")
}

fn to_group() -> String {
    format!("<Group><GroupID>{GROUP}</GroupID></Group>")
}

fn to_name(name: &str) -> String {
    format!("<Group>{}</Group>", screen_name(name))
}

fn send_as(sender: &str, recipient: &str, text: &str, report: bool) -> String {
    let report = if report { "T" } else { "F" };
    format!(
        "<SendMessage-Request><DeliveryReport>{report}</DeliveryReport><MessageInfo>\
         <ContentType>text/plain</ContentType><ContentSize>{}</ContentSize>\
         <Recipient>{recipient}</Recipient>{sender}</MessageInfo>\
         <ContentData>{text}</ContentData></SendMessage-Request>",
        text.len()
    )
}

fn send(recipient: &str, text: &str) -> String {
    send_as("", recipient, text, false)
}

async fn create(client: &mut Client, private: bool) {
    let private = if private { "T" } else { "F" };
    let request = format!(
        "<CreateGroup-Request><GroupID>{GROUP}</GroupID><GroupProperties><Property>\
         <Name>PrivateMessaging</Name><Value>{private}</Value></Property></GroupProperties>\
         <JoinGroup>T</JoinGroup>{}<SubscribeNotification>F</SubscribeNotification>\
         </CreateGroup-Request>",
        screen_name("Ann")
    );
    client.request(&request).await.expect_code(200);
}

async fn join(client: &mut Client, name: &str) {
    let request = format!(
        "<JoinGroup-Request><GroupID>{GROUP}</GroupID>{}<JoinedRequest>F</JoinedRequest>\
         <SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>",
        screen_name(name)
    );
    client.request(&request).await.expect("JoinGroup-Response");
}

/// anna with her group, and one user for each form who has joined it as `u0` to `u5`.
async fn talk(server: &TestServer) -> (Client, Vec<Client>) {
    let mut anna = server.client(Version::V1_2, Syntax::Wbxml, "anna").await;
    create(&mut anna, true).await;
    let mut others = Vec::new();
    for (at, (version, syntax)) in FORMS.into_iter().enumerate() {
        let name = format!("u{at}");
        server.add_user(&format!("wv:{name}@h"), "secret").await;
        let mut other = server.client(version, syntax, &name).await;
        join(&mut other, &name).await;
        others.push(other);
    }
    (anna, others)
}

/// Sender, recipient and text: `Ann > * hello`, `Ann > u1 psst`, `= > * closed`.
fn shown(message: &Element) -> String {
    assert_eq!(message.name, "NewMessage");
    let party = |of: &str, whole: &str| {
        let text = |path: &str| message.text(&format!("MessageInfo/{of}/{path}"));
        match (text("Group/ScreenName/SName"), text("Group/GroupID")) {
            (Some(name), None) => {
                assert_eq!(text("Group/ScreenName/GroupID"), Some(GROUP));
                name.to_owned()
            }
            (None, Some(group)) => {
                assert_eq!(group, GROUP);
                whole.to_owned()
            }
            _ => text("User/UserID").expect("a user").to_owned(),
        }
    };
    let text = message.text("ContentData").unwrap_or_default();
    format!(
        "{} > {} {text}",
        party("Sender", "="),
        party("Recipient", "*")
    )
}

async fn heard(client: &mut Client) -> Vec<String> {
    let messages = client.drain().await;
    messages.iter().map(shown).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_talks_across_versions_and_syntaxes() {
    let server = TestServer::with_users(&[], &["anna"]).await;
    let (mut anna, mut others) = talk(&server).await;
    anna.request(&send(&to_group(), "from Ann"))
        .await
        .expect_code(200);
    for (at, other) in others.iter_mut().enumerate() {
        let text = format!("from u{at}");
        // S60 and Android name themselves as users (csp-im 5.4).
        let sender = format!("<Sender><User><UserID>wv:u{at}@h</UserID></User></Sender>");
        let request = send_as(&sender, &to_group(), &text, false);
        other.request(&request).await.expect_code(200);
    }
    let everything: Vec<String> = std::iter::once("Ann > * from Ann".to_owned())
        .chain((0..6).map(|at| format!("u{at} > * from u{at}")))
        .collect();
    for (at, other) in others.iter_mut().enumerate() {
        let mut expected = everything.clone();
        expected.remove(at + 1);
        assert_eq!(heard(other).await, expected, "{:?}", FORMS[at]);
    }
    assert_eq!(heard(&mut anna).await, everything[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whispers_reach_one_and_their_refusals_have_their_codes() {
    let server = TestServer::with_users(&[], &["anna", "stranger"]).await;
    let (mut anna, mut others) = talk(&server).await;
    let own = "<SetGroupProps-Request><GroupID>wv:anna/ski@h</GroupID><OwnProperties><Property>\
               <Name>PrivateMessaging</Name><Value>F</Value></Property></OwnProperties>\
               </SetGroupProps-Request>";
    others[5].request(own).await.expect_code(200);
    for (at, other) in others.iter_mut().enumerate().take(5) {
        // 11.8
        other
            .request(&send(&to_name("u5"), "x"))
            .await
            .expect_code(813);
        other
            .request(&send(&to_name("nobody"), "x"))
            .await
            .expect_code(410);
        let request = send(&to_name("ANN"), &format!("psst {at}"));
        other.request(&request).await.expect_code(200);
        anna.request(&send(&to_name(&format!("u{at}")), "yes?"))
            .await
            .expect_code(200);
        assert_eq!(heard(other).await, [format!("Ann > u{at} yes?")]);
    }
    let whispers: Vec<_> = (0..5).map(|at| format!("u{at} > Ann psst {at}")).collect();
    assert_eq!(heard(&mut anna).await, whispers);
    let mut stranger = server.xml("stranger").await;
    stranger
        .request(&send(&to_name("Ann"), "x"))
        .await
        .expect_code(808);
    stranger
        .request(&send(&to_group(), "x"))
        .await
        .expect_code(808);
    let nowhere = "<Group><GroupID>wv:anna/none@h</GroupID></Group>";
    stranger.request(&send(nowhere, "x")).await.expect_code(800);
    let common = "<SetGroupProps-Request><GroupID>wv:anna/ski@h</GroupID><GroupProperties>\
                  <Property><Name>PrivateMessaging</Name><Value>F</Value></Property>\
                  </GroupProperties></SetGroupProps-Request>";
    anna.request(common).await.expect_code(200);
    anna.request(&send(&to_name("u1"), "x"))
        .await
        .expect_code(812);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_reaches_users_groups_and_names_and_tells_what_failed() {
    let server = TestServer::with_users(&[], &["anna", "bob"]).await;
    let (mut anna, mut others) = talk(&server).await;
    let mut bob = server.xml("bob").await;
    let recipients = format!(
        "<User><UserID>wv:bob@h</UserID></User><User><UserID>wv:nobody@h</UserID></User>{}\
         <Group><GroupID>wv:anna/none@h</GroupID></Group>{}",
        to_group(),
        to_name("nobody"),
    );
    let answer = anna.request(&send(&recipients, "all of you")).await;
    answer.expect_code(201);
    let response = answer.expect("SendMessage-Response");
    let details = response.all("Result/DetailedResult");
    let codes: Vec<_> = details
        .iter()
        .map(|detail| detail.text("Code").unwrap())
        .collect();
    assert_eq!(codes, ["531", "800", "410"]);
    assert_eq!(details[0].text("UserID"), Some("wv:nobody@h"));
    assert_eq!(details[1].text("GroupID"), Some("wv:anna/none@h"));
    assert_eq!(details[2].text("ScreenName/SName"), Some("nobody"));
    assert_eq!(heard(&mut bob).await, ["wv:anna@h > wv:bob@h all of you"]);
    for other in &mut others {
        assert_eq!(heard(other).await, ["Ann > * all of you"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_group_reports_that_a_message_has_reached_it_and_a_name_that_it_has_it() {
    let server = TestServer::with_users(&[], &["anna"]).await;
    let (mut anna, mut others) = talk(&server).await;
    for (recipient, path, expected) in [
        (to_group(), "MessageInfo/Recipient/Group/GroupID", GROUP),
        (
            to_name("u2"),
            "MessageInfo/Recipient/Group/ScreenName/SName",
            "u2",
        ),
    ] {
        for (_, other) in others.iter_mut().enumerate().filter(|(at, _)| *at != 2) {
            let request = send_as("", &recipient, "x", true);
            other.request(&request).await.expect_code(200);
            if expected != GROUP {
                assert_eq!(other.drain().await, [], "not before it is there");
            }
        }
        heard(&mut others[2]).await;
        for (at, other) in others.iter_mut().enumerate().filter(|(at, _)| *at != 2) {
            let came = other.drain().await;
            let reports: Vec<_> = came
                .iter()
                .filter(|came| came.name == "DeliveryReport-Request")
                .collect();
            assert_eq!(reports.len(), 1, "u{at}");
            assert_eq!(reports[0].text("Result/Code"), Some("200"));
            assert_eq!(reports[0].text(path), Some(expected));
        }
        heard(&mut anna).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_speaks_for_the_group() {
    let server = TestServer::with_users(&[], &["anna"]).await;
    let (mut anna, mut others) = talk(&server).await;
    let sender = format!("<Sender><Group><GroupID>{GROUP}</GroupID></Group></Sender>");
    let request = send_as(&sender, &to_group(), "we close", false);
    // Toward old versions 427 is 402 (csp-im 13).
    for (at, other) in others.iter_mut().enumerate() {
        let code = if FORMS[at].0 == Version::V1_3 {
            427
        } else {
            402
        };
        other.request(&request).await.expect_code(code);
    }
    anna.request(&request).await.expect_code(200);
    for (at, other) in others.iter_mut().enumerate() {
        let expected = match FORMS[at].0 {
            Version::V1_3 => "= > * we close",
            _ => "*ski* > * we close",
        };
        assert_eq!(heard(other).await, [expected]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_goes_on_after_a_restart() {
    let mut server = TestServer::with_users(&[], &["anna"]).await;
    let (mut anna, others) = talk(&server).await;
    anna.request(&send(&to_group(), "before"))
        .await
        .expect_code(200);
    let mut sessions = Vec::new();
    for (at, mut other) in others.into_iter().enumerate() {
        if at % 2 == 0 {
            assert_eq!(heard(&mut other).await, ["Ann > * before"]);
        }
        sessions.push((other.version, other.syntax, other.session.clone()));
    }
    let session = anna.session.clone();
    server.restart().await;
    let mut anna = Client::connect(server.address(), Version::V1_2, Syntax::Wbxml).await;
    anna.session = session;
    anna.request(&send(&to_group(), "after"))
        .await
        .expect_code(200);
    for (at, (version, syntax, session)) in sessions.into_iter().enumerate() {
        let mut other = Client::connect(server.address(), version, syntax).await;
        other.session = session;
        let expected = ["Ann > * before", "Ann > * after"];
        let from = usize::from(at % 2 == 0);
        assert_eq!(heard(&mut other).await, expected[from..], "u{at}");
    }
}

/// The newest messages of the group's history, `Ann > * text` without the texts.
async fn history(client: &mut Client) -> Vec<String> {
    let request =
        format!("<GetMessageList-Request><GroupID>{GROUP}</GroupID></GetMessageList-Request>");
    let answer = client.request(&request).await;
    let list = answer.expect("GetMessageList-Response");
    let path = match client.version {
        Version::V1_3 => "MessageInfoList/MessageInfo",
        _ => "MessageInfo",
    };
    let ids = list.texts(&format!("{path}/MessageID"));
    ids.into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_group_remembers_can_be_read_by_those_who_have_joined() {
    let server = TestServer::with_users(&[], &["anna"]).await;
    let (mut anna, mut others) = talk(&server).await;
    let off =
        format!("<GetMessageList-Request><GroupID>{GROUP}</GroupID></GetMessageList-Request>");
    anna.request(&off).await.expect_code(821);
    let on = format!(
        "<SetGroupProps-Request><GroupID>{GROUP}</GroupID><GroupProperties><Property><Name>History</Name>\
         <Value>T</Value></Property></GroupProperties></SetGroupProps-Request>"
    );
    // A property of 1.3.
    let leave = format!("<LeaveGroup-Request><GroupID>{GROUP}</GroupID></LeaveGroup-Request>");
    let mut owner = server.client(Version::V1_3, Syntax::Xml, "anna").await;
    owner.request(&on).await.expect_code(200);
    join(&mut owner, "Ann 2").await;
    for text in ["one", "two"] {
        owner
            .request(&send(&to_group(), text))
            .await
            .expect_code(200);
    }
    owner
        .request(&send(&to_name("u1"), "psst"))
        .await
        .expect_code(200);
    for (at, other) in others.iter_mut().enumerate() {
        let expected = if at == 1 { 3 } else { 2 };
        assert_eq!(
            heard(other).await.len(),
            expected,
            "delivered is not forgotten"
        );
        let known = history(other).await;
        assert_eq!(known.len(), 2, "without the whisper");
        let get = format!(
            "<GetMessage-Request><MessageID>{}</MessageID></GetMessage-Request>",
            known[1]
        );
        let answer = other.request(&get).await;
        let message = answer.expect("GetMessage-Response");
        assert_eq!(message.text("ContentData"), Some("two"));
        let delivered = format!(
            "<MessageDelivered><MessageID>{}</MessageID></MessageDelivered>",
            known[1]
        );
        other.request(&delivered).await.expect_code(200);
        assert_eq!(history(other).await.len(), 2);
        other.request(&leave).await.expect("LeaveGroup-Response");
        other.request(&off).await.expect_code(808);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_may_want_to_be_told_of_the_messages_of_one_group_only() {
    let server = TestServer::with_users(&[], &["anna"]).await;
    let (mut anna, mut others) = talk(&server).await;
    let method = |method: &str| {
        format!(
            "<SetDeliveryMethod-Request><DeliveryMethod>{method}</DeliveryMethod>\
             <GroupID>{GROUP}</GroupID></SetDeliveryMethod-Request>"
        )
    };
    for (at, other) in others.iter_mut().enumerate() {
        other.request(&method("N")).await.expect_code(200);
        anna.request(&send(&user(&format!("wv:u{at}@h")), "personal"))
            .await
            .expect_code(200);
    }
    for text in ["fetched", "refused", "pushed"] {
        anna.request(&send(&to_group(), text))
            .await
            .expect_code(200);
    }
    for other in &mut others {
        let came = other.drain().await;
        let names: Vec<_> = came.iter().map(|came| came.name.as_str()).collect();
        let told = "MessageNotification";
        assert_eq!(names, ["NewMessage", told, told, told]);
        let id = |at: usize| came[at].text("MessageInfo/MessageID").unwrap();
        let get = format!(
            "<GetMessage-Request><MessageID>{}</MessageID></GetMessage-Request>",
            id(1)
        );
        let answer = other.request(&get).await;
        let message = answer.expect("GetMessage-Response");
        assert_eq!(message.text("ContentData"), Some("fetched"));
        let delivered = format!(
            "<MessageDelivered><MessageID>{}</MessageID></MessageDelivered>",
            id(1)
        );
        other.request(&delivered).await.expect_code(200);
        let reject = format!(
            "<RejectMessage-Request><MessageID>{}</MessageID></RejectMessage-Request>",
            id(2)
        );
        other.request(&reject).await.expect_code(200);
        assert!(other.drain().await.is_empty(), "told once");
        // What waits may be pushed from now on (csp-im 3.3).
        other.request(&method("P")).await.expect_code(200);
        assert_eq!(heard(other).await, ["Ann > * pushed"]);
    }
}
