//! Invitations (csp-access 10; csp-messages 2.2.2): over a socket, in every version.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::channel::TcpChannel;
use hamlet_tests::client::{Client, escape, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::{AT_ONCE, TestServer};
use std::time::Duration;

const EACH: [(Version, Syntax); 4] = [
    (Version::V1_1, Syntax::Xml),
    (Version::V1_2, Syntax::Wbxml),
    (Version::V1_3, Syntax::Xml),
    (Version::V1_3, Syntax::Wbxml),
];

const TALK: &str = "<InviteType>IM</InviteType>";

fn recipient(users: &[&str]) -> String {
    let users: String = users
        .iter()
        .map(|name| user(&format!("wv:{name}@h")))
        .collect();
    format!("<Recipient>{users}</Recipient>")
}

/// Invite-Request; `content` is what stands after InviteID.
async fn invite(client: &mut Client, id: &str, content: &str) -> Answer {
    let id = escape(id);
    let content = format!("<Invite-Request><InviteID>{id}</InviteID>{content}</Invite-Request>");
    client.request(&content).await
}

/// An invitation to talk.
async fn invite_to_talk(client: &mut Client, id: &str, users: &[&str]) -> Answer {
    invite(client, id, &format!("{TALK}{}", recipient(users))).await
}

/// InviteUser-Response.
async fn respond(client: &mut Client, id: &str, accept: &str, more: &str) -> Answer {
    let content = format!(
        "<InviteUser-Response><InviteID>{id}</InviteID><Acceptance>{accept}</Acceptance>{more}</InviteUser-Response>"
    );
    client.request(&content).await
}

async fn cancel(client: &mut Client, id: &str, content: &str) -> Answer {
    let content =
        format!("<CancelInvite-Request><InviteID>{id}</InviteID>{content}</CancelInvite-Request>");
    client.request(&content).await
}

/// The next server request, which must be this one; it is acknowledged.
async fn take(client: &mut Client, name: &str) -> Element {
    let came = client.take().await;
    let came = came.unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(came.name, name, "{came:#?}");
    came
}

async fn nothing(client: &mut Client) {
    let came = client.take().await;
    assert!(came.is_none(), "{came:#?}");
}

/// The codes of DetailedResult with the users concerned.
fn details(answer: &Answer) -> Vec<(String, Vec<String>)> {
    let blocks = answer.primitive().all("Result/DetailedResult");
    let block = |detail: &Element| {
        let users = detail.texts("UserID").into_iter().map(str::to_owned);
        (
            detail.text("Code").unwrap_or("?").to_owned(),
            users.collect(),
        )
    };
    blocks.into_iter().map(block).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_goes_to_the_invitee_and_his_answer_comes_back() {
    // 10.1, in all pairs of versions.
    for (version, syntax) in EACH {
        for (other, _) in EACH {
            let server = TestServer::with_users(&[], &["alice", "bob"]).await;
            let mut alice = server.client(version, syntax, "alice").await;
            let mut bob = server.client(other, syntax, "bob").await;
            let content = format!(
                "{TALK}{}<InviteNote>Shall we &amp; talk?</InviteNote><Validity>600</Validity>",
                recipient(&["bob"])
            );
            invite(&mut alice, "i1", &content).await.expect_status(200);
            let came = take(&mut bob, "InviteUser-Request").await;
            assert_eq!(came.text("InviteID"), Some("i1"));
            assert_eq!(came.text("InviteType"), Some("IM"));
            assert_eq!(came.text("Sender/User/UserID"), Some("wv:alice@h"));
            assert_eq!(came.text("InviteNote"), Some("Shall we & talk?"));
            let left: u32 = came.text("Validity").and_then(|v| v.parse().ok()).unwrap();
            assert!((1..=600).contains(&left), "{left}");
            let to = came.text("Recipient/User/UserID");
            assert_eq!(to, (other == Version::V1_3).then_some("wv:bob@h"));
            nothing(&mut bob).await;
            nothing(&mut alice).await;

            let more = "<Sender><User><UserID>wv:bob@h</UserID></User></Sender><ResponseNote>Yes!</ResponseNote>";
            respond(&mut bob, "i1", "T", more).await.expect_status(200);
            let told = take(&mut alice, "Invite-Response").await;
            assert_eq!(told.text("InviteID"), Some("i1"));
            assert_eq!(told.text("Acceptance"), Some("T"));
            assert_eq!(told.text("Sender/User/UserID"), Some("wv:bob@h"));
            let note = match version {
                Version::V1_3 => "InviteNote",
                _ => "ResponseNote",
            };
            assert_eq!(told.text(note), Some("Yes!"));
            nothing(&mut alice).await;
            nothing(&mut bob).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_and_content_are_offered_with_what_they_are_about() {
    // data-types 7.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let to = recipient(&["bob"]);
        let content = format!(
            "<InviteType>PR</InviteType>{to}<PresenceSubList><OnlineStatus/><StatusText/></PresenceSubList>"
        );
        invite(&mut alice, "p", &content).await.expect_status(200);
        let came = take(&mut bob, "InviteUser-Request").await;
        assert_eq!(came.text("InviteType"), Some("PR"));
        let named = came
            .at("PresenceSubList")
            .expect("attributes")
            .child_names();
        assert_eq!(named, ["OnlineStatus", "StatusText"]);

        let content = format!(
            "<InviteType>SC</InviteType>{to}<URLList><URL>http://h/a.png</URL><URL>http://h/b</URL></URLList>"
        );
        invite(&mut alice, "s", &content).await.expect_status(200);
        let came = take(&mut bob, "InviteUser-Request").await;
        assert_eq!(came.text("InviteType"), Some("SC"));
        assert_eq!(came.texts("URLList/URL"), ["http://h/a.png", "http://h/b"]);
    }
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let mut old = server.client(Version::V1_2, Syntax::Xml, "bob").await;
    let application = "<InviteType>AP</InviteType><Recipient><User><UserID>wv:bob@h</UserID></User></Recipient>\
                       <ApplicationID>chess</ApplicationID>";
    invite(&mut alice, "a", application)
        .await
        .expect_status(200);
    // It waits for a client that knows what that is.
    nothing(&mut old).await;
    let mut bob = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    bob.client_id = "another".into();
    bob.login_with_password("wv:bob@h", "secret")
        .await
        .expect_code(200);
    let came = take(&mut bob, "InviteUser-Request").await;
    assert_eq!(came.text("ApplicationID"), Some("chess"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_of_an_invitation_has_its_code() {
    // 10.2, in order; the codes of old versions are those of data-types 10.1.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let to = recipient(&["bob"]);
    let group = "<GroupID>wv:alice/none@h</GroupID>";
    for (version, syntax) in EACH {
        let mut alice = server.client(version, syntax, "alice").await;
        let code = |in_1_3: u16, older: u16| match version {
            Version::V1_3 => in_1_3,
            _ => older,
        };
        let no_id = format!("<Invite-Request>{TALK}{to}</Invite-Request>");
        let no_recipient = format!("<Invite-Request><InviteID>i</InviteID>{TALK}</Invite-Request>");
        if syntax == Syntax::Xml {
            alice.request(&no_id).await.expect_status(400);
            alice.request(&no_recipient).await.expect_status(400);
        }
        let mut cases = vec![
            ("", format!("{TALK}{to}"), 402),
            ("i", format!("<InviteType>XX</InviteType>{to}"), 402),
            (
                "i",
                format!("<InviteType>GR</InviteType>{to}"),
                code(429, 402),
            ),
            ("i", format!("<InviteType>SC</InviteType>{to}"), 400),
            (
                "i",
                format!("<InviteType>AP</InviteType>{to}"),
                code(450, 402),
            ),
            (
                "i",
                format!("{TALK}<Recipient><User><UserID/></User></Recipient>"),
                402,
            ),
            ("i", format!("<InviteType>GR</InviteType>{to}{group}"), 800),
            (
                "i",
                format!("<InviteType>GR</InviteType>{to}<GroupID>:::</GroupID>"),
                800,
            ),
            ("i", format!("{TALK}{}", recipient(&["nobody"])), 531),
            (
                "i",
                format!(
                    "{TALK}<Recipient><User><UserID>wv:x@elsewhere</UserID></User></Recipient>"
                ),
                516,
            ),
            (
                "i",
                format!("{TALK}<Recipient><ContactList>wv:alice/none@h</ContactList></Recipient>"),
                700,
            ),
            (
                "i",
                format!("{TALK}<Recipient><Group><GroupID>wv:g/x@h</GroupID></Group></Recipient>"),
                800,
            ),
            (
                "i",
                format!(
                    "{TALK}<Recipient><User><UserID>wv:nobody@h</UserID></User><ContactList>wv:alice/none@h</ContactList></Recipient>"
                ),
                900,
            ),
        ];
        if version >= Version::V1_2 {
            cases.push((
                "i",
                format!("<InviteType>GM</InviteType>{to}"),
                code(429, 402),
            ));
        }
        if version == Version::V1_3 {
            let by = |who: &str| format!("{TALK}<Sender>{who}</Sender>{to}");
            let name = "<Group><ScreenName><SName>queen</SName><GroupID>wv:g/x@h</GroupID></ScreenName></Group>";
            cases.extend([
                ("i", by("<User><UserID>wv:bob@h</UserID></User>"), 427),
                (
                    "i",
                    by("<User><UserID>wv:alice@h</UserID><ClientID><URL>other</URL></ClientID></User>"),
                    428,
                ),
                (
                    "i",
                    by("<User><UserID>wv:alice@h</UserID><ApplicationID>chess</ApplicationID></User>"),
                    450,
                ),
                ("i", by(name), 808),
                ("i", format!("<InviteType>EC</InviteType>{to}"), 429),
                ("i", format!("<InviteType>EG</InviteType>{to}{group}"), 800),
            ]);
        }
        for (id, content, expected) in cases {
            let answer = invite(&mut alice, id, &content).await;
            assert_eq!(answer.code(), Some(expected), "{version:?} {id} {content}");
            answer.expect("Status");
        }
        // One of two is reached.
        let answer = invite_to_talk(&mut alice, "two", &["bob", "nobody"]).await;
        answer.expect_status(201);
        assert_eq!(
            details(&answer),
            [("531".into(), vec!["wv:nobody@h".into()])]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_agreed_to_invitations_has_none() {
    // 1.5 item 7, 6.3.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    let agree = |functions: &str| {
        format!(
            "<Service-Request><Functions><WVCSPFeat><FundamentalFeat>{functions}</FundamentalFeat></WVCSPFeat></Functions>\
             <AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>"
        )
    };
    let answer = bob.request(&agree("<SearchFunc/>")).await;
    answer.expect("Service-Response");
    invite_to_talk(&mut bob, "i", &["alice"])
        .await
        .expect_status(506);
    respond(&mut bob, "i", "T", "").await.expect_status(506);
    cancel(&mut bob, "i", "").await.expect_status(506);
    invite_to_talk(&mut alice, "i", &["bob"])
        .await
        .expect_status(200);
    nothing(&mut bob).await;
    // INVIT without CAINV.
    let answer = alice
        .request(&agree("<InviteFunc><INVIT/></InviteFunc>"))
        .await;
    let response = answer.expect("Service-Response");
    assert!(response.at("Functions").is_none(), "INVIT is offered");
    cancel(&mut alice, "i", "").await.expect_status(506);
    invite_to_talk(&mut alice, "j", &["bob"])
        .await
        .expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_is_invited_when_he_comes() {
    // 10.2: stored until the validity ends, over a restart.
    for (version, syntax) in EACH {
        let mut server = TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        invite_to_talk(&mut alice, "i1", &["bob", "carl"])
            .await
            .expect_status(200);
        server.restart().await;
        let mut bob = server.client(version, syntax, "bob").await;
        let came = take(&mut bob, "InviteUser-Request").await;
        assert_eq!(came.text("InviteID"), Some("i1"));
        nothing(&mut bob).await;
        // The inviter hears of the answer when he comes again.
        respond(&mut bob, "i1", "F", "").await.expect_status(200);
        server.restart().await;
        let mut alice = server.client(version, syntax, "alice").await;
        let told = take(&mut alice, "Invite-Response").await;
        assert_eq!(told.text("Acceptance"), Some("F"));
        nothing(&mut alice).await;
        // What is acknowledged does not come again.
        let mut bob = server.client(version, syntax, "bob").await;
        nothing(&mut bob).await;
        // For carl it is too late.
        server.sweep_after(Duration::from_secs(25 * 3600)).await;
        let mut carl = server.client(version, syntax, "carl").await;
        nothing(&mut carl).await;
        respond(&mut carl, "i1", "T", "").await.expect_status(423);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_is_not_acknowledged_is_repeated_with_another_transaction() {
    // 2.4.
    let server = TestServer::with_users(&[AT_ONCE], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    invite_to_talk(&mut alice, "i1", &["bob"])
        .await
        .expect_status(200);
    let first = bob.poll().await;
    let second = bob.poll().await;
    assert_ne!(first.transaction(), second.transaction());
    for came in [&first, &second] {
        let id = came.expect("InviteUser-Request").text("InviteID");
        assert_eq!(id, Some("i1"));
    }
    bob.acknowledge(&second).await;
    nothing(&mut bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_no_invitations_does_not_block_what_follows() {
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    invite_to_talk(&mut alice, "i1", &["bob"])
        .await
        .expect_status(200);
    alice.send_text("wv:bob@h", "hello").await.expect_code(200);
    let came = bob.poll().await;
    came.expect("InviteUser-Request");
    let id = came.transaction().expect("an identifier").to_owned();
    let refused = "<Status><Result><Code>501</Code></Result></Status>";
    let next = bob.respond(&id, refused).await;
    next.expect("NewMessage");
    bob.acknowledge(&next).await;
    nothing(&mut bob).await;
    // Another client gets it.
    let mut bob = second(&server, Version::V1_2, "bob").await;
    take(&mut bob, "InviteUser-Request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_and_messages_come_in_their_order() {
    // 5.3.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    for turn in ["1", "2"] {
        alice.send_text("wv:bob@h", turn).await.expect_code(200);
        invite_to_talk(&mut alice, turn, &["bob"])
            .await
            .expect_status(200);
    }
    let came = bob.drain().await;
    let names: Vec<&str> = came
        .iter()
        .map(|primitive| primitive.name.as_str())
        .collect();
    let expected = [
        "NewMessage",
        "InviteUser-Request",
        "NewMessage",
        "InviteUser-Request",
    ];
    assert_eq!(names, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_taken_once_and_only_from_who_was_asked() {
    // 10.2.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        invite_to_talk(&mut alice, "i1", &["bob"])
            .await
            .expect_status(200);
        respond(&mut carl, "i1", "T", "").await.expect_status(423);
        respond(&mut bob, "i2", "T", "").await.expect_status(423);
        if syntax == Syntax::Xml {
            let no_acceptance =
                "<InviteUser-Response><InviteID>i1</InviteID></InviteUser-Response>";
            bob.request(no_acceptance).await.expect_status(400);
            let no_id = "<InviteUser-Response><Acceptance>T</Acceptance></InviteUser-Response>";
            bob.request(no_id).await.expect_status(400);
        }
        respond(&mut bob, "i1", "T", "").await.expect_status(200);
        respond(&mut bob, "i1", "T", "").await.expect_status(423);
        take(&mut alice, "Invite-Response").await;
        nothing(&mut alice).await;
        // Once answered, it is not shown any more.
        nothing(&mut bob).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn android_answers_with_the_inviter_and_its_request_is_carried_out_once() {
    // Clients AND-23, AND-24; 2.3.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    let content = format!(
        "<Invite-Request><InviteID>invite17</InviteID>{TALK}{}</Invite-Request>",
        recipient(&["bob"])
    );
    alice.request_as("7", &content).await.expect_status(200);
    alice.request_as("7", &content).await.expect_status(200);
    take(&mut bob, "InviteUser-Request").await;
    nothing(&mut bob).await;
    let content = "<InviteUser-Response><InviteID>invite17</InviteID><Acceptance>T</Acceptance>\
                   <User><UserID>wv:alice@h</UserID></User></InviteUser-Response>";
    bob.request_as("9", content).await.expect_status(200);
    bob.request_as("9", content).await.expect_status(200);
    let told = take(&mut alice, "Invite-Response").await;
    assert_eq!(told.text("Sender/User/UserID"), Some("wv:bob@h"));
    nothing(&mut alice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_inviters_may_use_the_same_name() {
    // 10.2.
    let server = TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
    let mut alice = server.xml("alice").await;
    let mut carl = server.xml("carl").await;
    let mut bob = server.xml("bob").await;
    for inviter in [&mut alice, &mut carl] {
        invite_to_talk(inviter, "1", &["bob"])
            .await
            .expect_status(200);
    }
    let (first, second) = (
        take(&mut bob, "InviteUser-Request").await,
        take(&mut bob, "InviteUser-Request").await,
    );
    let name = |came: &Element| came.text("InviteID").expect("an identifier").to_owned();
    assert_ne!(name(&first), name(&second));
    respond(&mut bob, &name(&second), "T", "")
        .await
        .expect_status(200);
    let told = take(&mut carl, "Invite-Response").await;
    assert_eq!(told.text("InviteID"), Some("1"));
    nothing(&mut alice).await;
    respond(&mut bob, &name(&first), "F", "")
        .await
        .expect_status(200);
    take(&mut alice, "Invite-Response").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_list_stands_for_its_members() {
    // 10.2.
    let server = TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
    for (version, syntax) in EACH {
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        bob.drain().await;
        carl.drain().await;
        crate::profile::befriend(&mut alice, "alice", &["bob", "carl"]).await;
        let content =
            format!("{TALK}<Recipient><ContactList>wv:alice/friends@h</ContactList></Recipient>");
        invite(&mut alice, "list", &content)
            .await
            .expect_status(200);
        take(&mut bob, "InviteUser-Request").await;
        take(&mut carl, "InviteUser-Request").await;
    }
}

/// Another client of a user.
async fn second(server: &TestServer, version: Version, name: &str) -> Client {
    let mut client = Client::connect(server.address(), version, Syntax::Xml).await;
    client.client_id = "WV:another-client".into();
    let user = format!("wv:{name}@h");
    client
        .login_with_password(&user, "secret")
        .await
        .expect_code(200);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answer_counts_and_the_other_sessions_are_told() {
    // 10.2: CancelInviteUser-Request, or IA and IR to those who have subscribed them.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    let mut other = second(&server, Version::V1_3, "bob").await;
    invite_to_talk(&mut alice, "1", &["bob"])
        .await
        .expect_status(200);
    for client in [&mut bob, &mut other] {
        take(client, "InviteUser-Request").await;
    }
    respond(&mut bob, "1", "T", "").await.expect_status(200);
    let told = take(&mut other, "CancelInviteUser-Request").await;
    assert_eq!(told.text("InviteID"), Some("1"));
    respond(&mut other, "1", "F", "").await.expect_status(423);
    nothing(&mut bob).await;

    let subscribe = "<SubscribeNotification-Request><NotificationTypeList><NotificationType>IR</NotificationType>\
                     </NotificationTypeList></SubscribeNotification-Request>";
    other.request(subscribe).await.expect_status(200);
    invite_to_talk(&mut alice, "2", &["bob"])
        .await
        .expect_status(200);
    for client in [&mut bob, &mut other] {
        take(client, "InviteUser-Request").await;
    }
    respond(&mut bob, "2", "F", "").await.expect_status(200);
    let told = take(&mut other, "Notification-Request").await;
    assert_eq!(told.text("NotificationType"), Some("IR"));
    assert_eq!(told.text("InviteID"), Some("2"));

    // Who has not seen the invitation need not be told anything.
    invite_to_talk(&mut alice, "3", &["bob"])
        .await
        .expect_status(200);
    take(&mut bob, "InviteUser-Request").await;
    respond(&mut bob, "3", "T", "").await.expect_status(200);
    nothing(&mut other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_withdrawn_from_those_who_have_not_answered() {
    // 10.1, 10.2.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob", "carl", "dora"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        let mut dora = server.client(version, syntax, "dora").await;
        let all = ["bob", "carl", "dora"];
        invite_to_talk(&mut alice, "i1", &all)
            .await
            .expect_status(200);
        take(&mut bob, "InviteUser-Request").await;
        take(&mut carl, "InviteUser-Request").await;
        respond(&mut carl, "i1", "T", "").await.expect_status(200);
        take(&mut alice, "Invite-Response").await;

        cancel(&mut alice, "other", "").await.expect_status(423);
        cancel(&mut bob, "i1", "").await.expect_status(423);
        cancel(&mut alice, "", "").await.expect_status(402);
        if syntax == Syntax::Xml {
            alice
                .request("<CancelInvite-Request></CancelInvite-Request>")
                .await
                .expect_status(400);
        }
        let note = "<InviteNote>Sorry</InviteNote>";
        cancel(&mut alice, "i1", note).await.expect_status(200);
        let told = take(&mut bob, "CancelInviteUser-Request").await;
        assert_eq!(told.text("InviteID"), Some("i1"));
        assert_eq!(told.text("Sender/User/UserID"), Some("wv:alice@h"));
        assert_eq!(told.text("InviteNote"), Some("Sorry"));
        // carl has answered; dora had not seen it yet.
        nothing(&mut carl).await;
        nothing(&mut dora).await;
        for late in [&mut bob, &mut dora] {
            respond(late, "i1", "T", "").await.expect_status(423);
        }
        nothing(&mut alice).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_can_be_withdrawn_from_some() {
    let server = TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
    for (version, syntax) in EACH {
        let mut alice = server.client(version, syntax, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        let mut carl = server.client(version, syntax, "carl").await;
        invite_to_talk(&mut alice, "i1", &["bob", "carl"])
            .await
            .expect_status(200);
        for client in [&mut bob, &mut carl] {
            take(client, "InviteUser-Request").await;
        }
        let answer = cancel(&mut alice, "i1", &recipient(&["carl", "alice"])).await;
        answer.expect_status(201);
        assert_eq!(
            details(&answer),
            [("423".into(), vec!["wv:alice@h".into()])]
        );
        take(&mut carl, "CancelInviteUser-Request").await;
        nothing(&mut bob).await;
        respond(&mut bob, "i1", "T", "").await.expect_status(200);
        take(&mut alice, "Invite-Response").await;
        cancel(&mut alice, "i1", &recipient(&["nobody"]))
            .await
            .expect_status(531);
        if version == Version::V1_3 {
            let other = "<Sender><User><UserID>wv:bob@h</UserID></User></Sender>";
            cancel(&mut alice, "i1", other).await.expect_status(427);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_reaches_who_comes_later() {
    let server = TestServer::with_users(&[], &["alice", "bob", "carl"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    invite_to_talk(&mut alice, "i1", &["bob", "carl"])
        .await
        .expect_status(200);
    take(&mut bob, "InviteUser-Request").await;
    bob.request("<Logout-Request/>").await.expect_code(200);
    cancel(&mut alice, "i1", "").await.expect_status(200);
    let mut bob = server.xml("bob").await;
    take(&mut bob, "CancelInviteUser-Request").await;
    nothing(&mut bob).await;
    // carl never knew.
    let mut carl = server.xml("carl").await;
    nothing(&mut carl).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_channel_is_told_of_it() {
    // Transport 6.
    let server = crate::cir::village(&["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    let mut bob = server.xml("bob").await;
    crate::cir::negotiate(&mut bob, &["STCP"], "").await;
    let mut channel = TcpChannel::open(server.cir_tcp(), &bob.session).await;
    invite_to_talk(&mut alice, "i1", &["bob"])
        .await
        .expect_status(200);
    assert!(channel.hear().await.starts_with("WVCI 1.2 "));
    take(&mut bob, "InviteUser-Request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_one_user_is_bounded() {
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.xml("alice").await;
    for turn in 0..200 {
        let id = format!("i{turn}");
        invite_to_talk(&mut alice, &id, &["bob"])
            .await
            .expect_status(200);
    }
    let answer = invite_to_talk(&mut alice, "more", &["bob"]).await;
    answer.expect_status(507);
    let mut bob = server.xml("bob").await;
    assert_eq!(bob.drain().await.len(), 200);
    invite_to_talk(&mut alice, "more", &["bob"])
        .await
        .expect_status(200);
    take(&mut bob, "InviteUser-Request").await;
}
