//! System messages (csp-access 12), over a socket, and the operator's commands for them.

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::digest;
use hamlet_tests::element::Element;
use hamlet_tests::server::{AT_ONCE, TestServer};
use hamletd::control::{Answer as Operated, Request, SystemMessageDraft, SystemMessageTo};

const BOTH: [Syntax; 2] = [Syntax::Xml, Syntax::Wbxml];

fn draft(text: &str) -> SystemMessageDraft {
    SystemMessageDraft {
        text: text.to_owned(),
        days: 1,
        ..SystemMessageDraft::default()
    }
}

/// Terms of use that have to be accepted, with a question.
fn terms() -> SystemMessageDraft {
    SystemMessageDraft {
        options: vec!["Accept".into()],
        refusals: vec!["Decline".into()],
        question: Some("Type the word HARBOUR".into()),
        key: Some("Harbour".into()),
        ..draft("New terms of use apply. Do you accept them?")
    }
}

fn to(users: &[&str]) -> SystemMessageTo {
    let users = users.iter().map(|user| format!("wv:{user}@h"));
    SystemMessageTo::Users(users.collect())
}

async fn send(server: &TestServer, message: SystemMessageDraft, to: SystemMessageTo) -> i64 {
    let request = Request::SystemMessageSend { message, to };
    match server.operate(request).await {
        Operated::SystemMessageSent { number, .. } => number,
        other => panic!("{other:?}"),
    }
}

/// What has become of a message: `user state choice` for each.
async fn shown(server: &TestServer, number: i64) -> Vec<String> {
    let request = Request::SystemMessageShow {
        number,
        after: None,
    };
    let Operated::SystemMessage { users, .. } = server.operate(request).await else {
        panic!("no message {number}");
    };
    let choice = |choice: Option<u32>| choice.map_or("-".to_owned(), |choice| choice.to_string());
    users
        .iter()
        .map(|user| format!("{} {} {}", user.user, user.state, choice(user.choice)))
        .collect()
}

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

fn response(id: &str, choice: &str, key: &str) -> String {
    let choice = match choice {
        "" => String::new(),
        choice => format!("<ChosenOptionID>{choice}</ChosenOptionID>"),
    };
    let key = match key {
        "" => String::new(),
        key => format!("<VerificationKey>{key}</VerificationKey>"),
    };
    format!(
        "<SystemMessageResponseList><SystemMessageResponse><SystemMessageID>{id}</SystemMessageID>{choice}{key}\
         </SystemMessageResponse></SystemMessageResponseList>"
    )
}

async fn answer(client: &mut Client, id: &str, choice: &str, key: &str) -> Answer {
    let list = response(id, choice, key);
    let content = format!("<SystemMessage-User>{list}</SystemMessage-User>");
    client.request(&content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_comes_in_the_session_and_is_acknowledged() {
    for syntax in BOTH {
        let mut server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(Version::V1_3, syntax, "alice").await;
        let mut bob = server.client(Version::V1_3, syntax, "bob").await;
        let number = send(&server, draft("Back at 8 & 9"), to(&["alice"])).await;
        let came = take(&mut alice, "SystemMessage-Request").await;
        let path = "SystemMessageList/SystemMessage";
        let message = came.at(path).expect("a message");
        assert_eq!(message.text("SystemMessageText"), Some("Back at 8 & 9"));
        assert_eq!(message.text("RequiresResponse"), Some("F"));
        assert!(message.at("AnswerOptions").is_none());
        nothing(&mut alice).await;
        nothing(&mut bob).await;
        assert_eq!(shown(&server, number).await, ["wv:alice@h delivered -"]);
        // Once is enough, also for others that come later.
        server.restart().await;
        let mut alice = server.client(Version::V1_3, syntax, "alice").await;
        nothing(&mut alice).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_and_each_wrong_answer_has_its_code() {
    for syntax in BOTH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(Version::V1_3, syntax, "alice").await;
        let number = send(&server, terms(), to(&["alice"])).await;
        let came = take(&mut alice, "SystemMessage-Request").await;
        let message = came
            .at("SystemMessageList/SystemMessage")
            .expect("a message");
        let id = message
            .text("SystemMessageID")
            .expect("an identifier")
            .to_owned();
        assert_eq!(message.text("RequiresResponse"), Some("T"));
        let options = "AnswerOptions/AnswerOption";
        let option_texts = message.texts(&format!("{options}/AnswerOptionText"));
        assert_eq!(option_texts, ["Accept", "Decline"]);
        let ids = message.texts(&format!("{options}/AnswerOptionID"));
        assert_eq!(ids, ["1", "2"]);
        let question = message.text("VerificationMechanism/InText");
        assert_eq!(question, Some("Type the word HARBOUR"));
        assert_eq!(shown(&server, number).await, ["wv:alice@h shown -"]);

        for (which, choice, key, code) in [
            ("sm-999", "1", "HARBOUR", 404),
            ("nonsense", "1", "HARBOUR", 404),
            (id.as_str(), "", "HARBOUR", 402),
            (&id, "3", "HARBOUR", 402),
            (&id, "1", "", 409),
            (&id, "1", "PORT", 409),
        ] {
            let refused = answer(&mut alice, which, choice, key).await;
            refused.expect_status(code);
        }
        if syntax == Syntax::Xml {
            let empty = "<SystemMessage-User></SystemMessage-User>";
            alice.request(empty).await.expect_status(400);
        }
        // It is nobody else's to answer.
        let mut bob = server.client(Version::V1_3, syntax, "bob").await;
        answer(&mut bob, &id, "1", "HARBOUR")
            .await
            .expect_status(404);
        assert_eq!(shown(&server, number).await, ["wv:alice@h shown -"]);
        answer(&mut alice, &id, "1", "harbour")
            .await
            .expect_status(200);
        assert_eq!(shown(&server, number).await, ["wv:alice@h answered 1"]);
        answer(&mut alice, &id, "1", "harbour")
            .await
            .expect_status(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_answered_comes_again_at_the_next_login() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let number = send(&server, terms(), to(&["alice"])).await;
    take(&mut alice, "SystemMessage-Request").await;
    nothing(&mut alice).await;
    alice.request("<Logout-Request/>").await.expect_code(200);
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    take(&mut alice, "SystemMessage-Request").await;
    let id = format!("sm-{number}");
    answer(&mut alice, &id, "2", "HARBOUR")
        .await
        .expect_status(200);
    alice.request("<Logout-Request/>").await.expect_code(200);
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    nothing(&mut alice).await;
    assert_eq!(shown(&server, number).await, ["wv:alice@h answered 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_repeated_until_it_is_acknowledged_and_all_sessions_get_it() {
    // 2.4.
    let server = TestServer::with_users(&[AT_ONCE], &["alice"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let mut other = Client::connect(server.address(), Version::V1_3, Syntax::Wbxml).await;
    other.client_id = "another".into();
    other
        .login_with_password("wv:alice@h", "secret")
        .await
        .expect_code(200);
    send(&server, draft("Hello"), to(&["alice"])).await;
    let first = alice.poll().await;
    let second = alice.poll().await;
    assert_ne!(first.transaction(), second.transaction());
    alice.acknowledge(&second).await;
    nothing(&mut alice).await;
    take(&mut other, "SystemMessage-Request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_know_it_has_been_told() {
    // 12: Status 405 or 501, then it is information only.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let number = send(&server, terms(), to(&["alice"])).await;
    let came = alice.poll().await;
    let id = came.transaction().expect("an identifier").to_owned();
    let refused = "<Status><Result><Code>405</Code></Result></Status>";
    assert!(alice.respond(&id, refused).await.is_empty());
    assert_eq!(shown(&server, number).await, ["wv:alice@h delivered -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn older_clients_get_it_as_a_message_or_not_at_all() {
    // 12.
    for (version, syntax) in [(Version::V1_1, Syntax::Xml), (Version::V1_2, Syntax::Wbxml)] {
        let server = TestServer::with_users(&[], &["alice", "desk"]).await;
        let mut alice = server.client(version, syntax, "alice").await;
        let left_out = send(&server, draft("only for new ones"), to(&["alice"])).await;
        let as_message = SystemMessageDraft {
            message_from: Some("wv:desk@h".into()),
            ..terms()
        };
        let number = send(&server, as_message, to(&["alice"])).await;
        let came = take(&mut alice, "NewMessage").await;
        let text = "New terms of use apply. Do you accept them?";
        assert_eq!(came.text("ContentData"), Some(text));
        assert_eq!(
            came.text("MessageInfo/Sender/User/UserID"),
            Some("wv:desk@h")
        );
        nothing(&mut alice).await;
        assert_eq!(shown(&server, number).await, ["wv:alice@h delivered -"]);
        assert_eq!(shown(&server, left_out).await, ["wv:alice@h waiting -"]);
        // They have no such primitive.
        if syntax == Syntax::Xml {
            answer(&mut alice, "sm-1", "1", "").await.expect_status(405);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_of_use_are_accepted_before_a_2_way_login_succeeds() {
    // 3.3 item 15, 12.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let at_login = SystemMessageDraft {
        at_login: true,
        ..terms()
    };
    let number = send(&server, at_login, SystemMessageTo::Everyone).await;
    let id = format!("sm-{number}");
    for syntax in BOTH {
        let user = match syntax {
            Syntax::Xml => "wv:alice@h",
            Syntax::Wbxml => "wv:bob@h",
        };
        let mut client = Client::connect(server.address(), Version::V1_3, syntax).await;
        // Who does not prove who he is sees nothing.
        let refused = client.login_with_password(user, "wrong").await;
        refused.expect_code(409);
        assert!(refused.primitive().at("Result/SystemMessageList").is_none());
        let asked = client.login_with_password(user, "secret").await;
        asked.expect("Login-Response");
        asked.expect_code(401);
        assert!(client.session.is_empty());
        let message = "Result/SystemMessageList/SystemMessage";
        let found = asked
            .primitive()
            .text(&format!("{message}/SystemMessageID"));
        assert_eq!(found, Some(id.as_str()));
        assert!(asked.primitive().at("Nonce").is_none());
        for (which, choice, key, code) in [
            ("sm-999", "1", "HARBOUR", 404),
            (id.as_str(), "7", "HARBOUR", 402),
            (&id, "1", "PORT", 409),
            (&id, "2", "HARBOUR", 403),
        ] {
            let password = "<Password>secret</Password>";
            let list = response(which, choice, key);
            let login = client.login_step(user, password, &list);
            let refused = client.outband(&login).await;
            refused.expect("Login-Response");
            refused.expect_code(code);
        }
        let list = response(&id, "1", "HARBOUR");
        let login = client.login_step(user, "<Password>secret</Password>", &list);
        let welcome = client.outband(&login).await;
        welcome.expect_code(200);
        client.keep_session(&welcome);
        nothing(&mut client).await;
        client.request("<Logout-Request/>").await.expect_code(200);
        client
            .login_with_password(user, "secret")
            .await
            .expect_code(200);
    }
    let became = shown(&server, number).await;
    assert_eq!(became, ["wv:alice@h answered 1", "wv:bob@h answered 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_of_use_are_accepted_in_a_4_way_login_by_another_digest() {
    // 12: a new nonce goes with the questions.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let at_login = SystemMessageDraft {
        at_login: true,
        ..terms()
    };
    let number = send(&server, at_login, to(&["alice"])).await;
    let mut alice = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    let (_, asked) = alice
        .login_with_digest("wv:alice@h", "secret", &["SHA"])
        .await;
    asked.expect_code(401);
    let response_element = asked.expect("Login-Response");
    let nonce = response_element.text("Nonce").expect("a nonce");
    assert_eq!(response_element.text("DigestSchema"), Some("SHA"));
    let digest = digest::of("SHA", nonce, "secret");
    let list = response(&format!("sm-{number}"), "1", "HARBOUR");
    let after = format!("<DigestBytes>{digest}</DigestBytes>{list}");
    let login = alice.login_step("wv:alice@h", "", &after);
    let welcome = alice.outband_as("4way", &login).await;
    welcome.expect_code(200);
    assert_eq!(shown(&server, number).await, ["wv:alice@h answered 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_rides_in_the_answer_to_the_login() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    let announcement = SystemMessageDraft {
        at_login: true,
        ..draft("Welcome")
    };
    let number = send(&server, announcement, SystemMessageTo::Everyone).await;
    // Older clients are not kept out by anything, and are told nothing.
    let old = server.xml("alice").await;
    drop(old);
    let mut alice = Client::connect(server.address(), Version::V1_3, Syntax::Xml).await;
    alice.client_id = "another".into();
    let welcome = alice.login_with_password("wv:alice@h", "secret").await;
    welcome.expect_code(200);
    let text = "Result/SystemMessageList/SystemMessage/SystemMessageText";
    assert_eq!(welcome.primitive().text(text), Some("Welcome"));
    nothing(&mut alice).await;
    assert_eq!(shown(&server, number).await, ["wv:alice@h delivered -"]);
    let again = alice.login_with_password("wv:alice@h", "secret").await;
    assert!(again.primitive().at(text).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_is_everyone_and_online_is_who_is_there() {
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let online = send(&server, draft("to who is here"), SystemMessageTo::Online).await;
    send(&server, draft("to all"), SystemMessageTo::Everyone).await;
    for text in ["to who is here", "to all"] {
        let came = take(&mut alice, "SystemMessage-Request").await;
        let path = "SystemMessageList/SystemMessage/SystemMessageText";
        assert_eq!(came.text(path), Some(text));
    }
    nothing(&mut alice).await;
    server.add_user("wv:carl@h", "secret").await;
    for user in ["bob", "carl"] {
        let mut client = server.client(Version::V1_3, Syntax::Xml, user).await;
        take(&mut client, "SystemMessage-Request").await;
        nothing(&mut client).await;
    }
    assert_eq!(shown(&server, online).await, ["wv:alice@h delivered -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_lists_and_cancels_and_hears_what_cannot_be() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let number = send(&server, draft("Hello"), to(&["alice"])).await;
    let cancel = || Request::SystemMessageCancel { number };
    let answer = server.operate(cancel()).await;
    assert!(matches!(answer, Operated::Done { .. }), "{answer:?}");
    nothing(&mut alice).await;
    let answer = server.operate(cancel()).await;
    assert!(matches!(answer, Operated::Failed { .. }), "{answer:?}");
    let listed = server
        .operate(Request::SystemMessageList { after: None })
        .await;
    let Operated::SystemMessages { messages, more } = listed else {
        panic!("{listed:?}");
    };
    assert_eq!((messages.len(), more), (1, false));
    assert_eq!(messages[0].text, "Hello");
    assert_eq!(messages[0].states, [("waiting".to_owned(), 1)]);
    let add = Request::SystemMessageAdd {
        number,
        users: vec!["wv:alice@h".into()],
    };
    let answer = server.operate(add).await;
    assert!(matches!(answer, Operated::Failed { .. }), "{answer:?}");
    for (message, to) in [
        (draft(""), to(&["alice"])),
        (draft("x"), to(&["nobody"])),
        (draft("x"), to(&[])),
        (
            SystemMessageDraft {
                days: 0,
                ..draft("x")
            },
            to(&["alice"]),
        ),
        (
            SystemMessageDraft {
                key: Some("k".into()),
                ..draft("x")
            },
            to(&["alice"]),
        ),
        (
            SystemMessageDraft {
                refusals: vec!["No".into()],
                ..draft("x")
            },
            to(&["alice"]),
        ),
        (
            draft("x"),
            SystemMessageTo::Users(vec!["wv:alice@elsewhere".into()]),
        ),
    ] {
        let request = Request::SystemMessageSend { message, to };
        let answer = server.operate(request).await;
        assert!(matches!(answer, Operated::Failed { .. }), "{answer:?}");
    }
    nothing(&mut alice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_android_phone_is_not_kept_out_by_what_it_does_not_know() {
    // Clients 3.4: it drops the request, and takes 401 after its password for a wrong one.
    let server = TestServer::with_users(&[], &["alice", "desk"]).await;
    let message = SystemMessageDraft {
        at_login: true,
        message_from: Some("wv:desk@h".into()),
        ..terms()
    };
    let number = send(&server, message, SystemMessageTo::Everyone).await;
    let mut alice = Client::connect(server.address(), Version::V1_3, Syntax::Wbxml).await;
    let agent = ("User-Agent".to_owned(), "Android-Imps/0.1".to_owned());
    alice.headers.push(agent);
    let welcome = alice.login_with_password("wv:alice@h", "secret").await;
    welcome.expect_code(200);
    assert!(welcome.primitive().at("Result/SystemMessageList").is_none());
    let came = take(&mut alice, "NewMessage").await;
    assert_eq!(
        came.text("MessageInfo/Sender/User/UserID"),
        Some("wv:desk@h")
    );
    nothing(&mut alice).await;
    assert_eq!(shown(&server, number).await, ["wv:alice@h delivered -"]);
}
