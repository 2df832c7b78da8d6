//! Registration by the operator's policies, and identity by telephone number
//! (csp-access 3.6, 3.7; transport 3.8).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;
use hamletd::control::{Answer as Told, Request};

const GATEWAY: &[&str] = &[
    "http.trusted_proxies=127.0.0.0/8",
    "http.msisdn_headers=X-Network-MSISDN,X-MSISDN",
    "accounts.msisdn_login=true",
];

const BY_NUMBER: &[&str] = &["accounts.auto_register=true", "accounts.register_by=msisdn"];

const BY_CODE: &[&str] = &["accounts.auto_register=true", "accounts.register_by=code"];

async fn phone(server: &TestServer, version: Version, number: Option<&str>) -> Client {
    let mut client = Client::connect(server.address(), version, Syntax::Wbxml).await;
    if let Some(number) = number {
        let header = ("X-MSISDN".to_owned(), number.to_owned());
        client.headers.push(header);
    }
    client
}

/// A Login-Request with these children in front of the cookie.
async fn login(client: &mut Client, user: &str, children: &str) -> Answer {
    let user = match user {
        "" => String::new(),
        user => format!("<UserID>{user}</UserID>"),
    };
    let answer = client
        .outband(&format!(
            "<Login-Request>{user}<ClientID><URL>x</URL></ClientID>{children}\
             <TimeToLive>600</TimeToLive><SessionCookie>c</SessionCookie></Login-Request>"
        ))
        .await;
    answer.expect("Login-Response");
    answer
}

async fn done(server: &TestServer, request: Request) -> String {
    match server.operate(request).await {
        Told::Done { text } => text,
        other => panic!("{other:?}"),
    }
}

async fn give_number(server: &TestServer, user: &str, number: &str) {
    let request = Request::UserMsisdn {
        user: user.into(),
        add: vec![number.into()],
        remove: Vec::new(),
    };
    done(server, request).await;
}

fn has_session(answer: &Answer) -> bool {
    answer.primitive().at("SessionID").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_vouches_for_its_subscriber() {
    let server = TestServer::with_users(GATEWAY, &["alice", "bob"]).await;
    give_number(&server, "alice", "+358 50 1234567").await;
    for version in Version::ALL {
        let mut client = phone(&server, version, Some("358501234567")).await;
        // 3.2: the answer to step 1 is the final one.
        let offer = "<DigestSchema>MD5</DigestSchema>";
        let answer = login(&mut client, "wv:alice@h", offer).await;
        answer.expect_code(200);
        assert!(has_session(&answer), "{version}");
        client.keep_session(&answer);
        client
            .request("<KeepAlive-Request/>")
            .await
            .expect_code(200);
        // 3.6: the user need not be named; 1.3 is told who he is.
        let answer = login(&mut client, "", "").await;
        answer.expect_code(200);
        let user = answer.primitive().text("UserID");
        let told = (version == Version::V1_3).then_some("wv:alice@h");
        assert_eq!(user, told, "{version}");
        assert!(answer.primitive().at("Password").is_none());
        // Another user is another matter, and so is a password that is wrong.
        let answer = login(&mut client, "wv:bob@h", offer).await;
        answer.expect_code(401);
        let wrong = "<Password>wrong</Password>";
        login(&mut client, "wv:alice@h", wrong)
            .await
            .expect_code(409);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nokia_client_is_challenged_all_the_same() {
    // clients S60-5.
    let server = TestServer::with_users(GATEWAY, &["alice"]).await;
    give_number(&server, "alice", "+358501234567").await;
    let mut client = phone(&server, Version::V1_2, Some("+358501234567")).await;
    let answer = client
        .outband(
            "<Login-Request><UserID>wv:alice@h</UserID><ClientID><URL>x</URL></ClientID>\
             <DigestSchema>MD5</DigestSchema><SessionCookie>wv:nokia.1</SessionCookie></Login-Request>",
        )
        .await;
    answer.expect_code(401);
    assert!(answer.primitive().at("Nonce").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_no_gateway_gives_is_worth_nothing() {
    let elsewhere = ["http.trusted_proxies=192.0.2.0/24", GATEWAY[1], GATEWAY[2]];
    let other_header = [GATEWAY[0], "http.msisdn_headers=X-Other", GATEWAY[2]];
    let switched_off = [GATEWAY[0], GATEWAY[1]];
    let number = Some("+358501234567");
    for settings in [&elsewhere[..], &other_header, &switched_off] {
        let server = TestServer::with_users(settings, &["alice"]).await;
        give_number(&server, "alice", "+358501234567").await;
        for version in Version::ALL {
            let mut client = phone(&server, version, number).await;
            login(&mut client, "wv:alice@h", "").await.expect_code(401);
            let nobody = login(&mut client, "", "").await;
            assert!(!has_session(&nobody));
            let known = settings.len() == 3 && version == Version::V1_3;
            nobody.expect_code(if known { 920 } else { 531 });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_user_is_an_msisdn_error_in_1_3() {
    let server = TestServer::with_users(GATEWAY, &["alice"]).await;
    for (version, code) in [
        (Version::V1_1, 531),
        (Version::V1_2, 531),
        (Version::V1_3, 920),
    ] {
        let mut client = phone(&server, version, Some("+358509999999")).await;
        login(&mut client, "", "").await.expect_code(code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_number_may_register_once_with_it() {
    let settings = [GATEWAY, BY_NUMBER].concat();
    let server = TestServer::with_users(&settings, &[]).await;
    let secret = "<Password>mine</Password>";
    for (index, version) in Version::ALL.into_iter().enumerate() {
        let number = format!("+35850000000{index}");
        let user = format!("wv:user{index}@h");
        let mut stranger = phone(&server, version, None).await;
        login(&mut stranger, &user, secret).await.expect_code(531);
        let mut client = phone(&server, version, Some(&number)).await;
        login(&mut client, &user, secret).await.expect_code(200);
        // From now on the number is his.
        login(&mut client, &user, "").await.expect_code(200);
        let second = format!("wv:second{index}@h");
        login(&mut client, &second, secret).await.expect_code(531);
    }
    // 3.7: without a name, 1.3 is told name and password.
    let mut client = phone(&server, Version::V1_3, Some("+358507654321")).await;
    let answer = login(&mut client, "", "").await;
    answer.expect_code(200);
    let response = answer.primitive();
    assert_eq!(response.text("UserID"), Some("wv:+358507654321@h"));
    let password = response.text("Password").expect("a password").to_owned();
    let mut elsewhere = phone(&server, Version::V1_1, None).await;
    let with_password = format!("<Password>{password}</Password>");
    let answer = login(&mut elsewhere, "wv:+358507654321", &with_password).await;
    answer.expect_code(200);
    // An older version could not be told.
    let mut client = phone(&server, Version::V1_2, Some("+358501111111")).await;
    login(&mut client, "", "").await.expect_code(531);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_lets_as_many_users_register_as_it_says() {
    let server = TestServer::with_users(BY_CODE, &[]).await;
    let code = done(&server, Request::InvitationCodeAdd { uses: 2, days: 1 }).await;
    let password = |text: &str| format!("<Password>{text}</Password>");
    let lower = code.to_ascii_lowercase();
    for (user, text, expected) in [
        ("anna", "secret".to_owned(), 531),
        ("anna", "NOSUCHCODE/secret".to_owned(), 531),
        ("anna", format!("{lower}/my secret"), 200),
        ("anna", format!("{lower}/my secret"), 200),
        ("anna", "my secret".to_owned(), 409),
        ("ben", code.clone(), 200),
        ("carl", code.clone(), 531),
    ] {
        for version in Version::ALL {
            // What registers in the first version logs in in the others.
            let mut client = phone(&server, version, None).await;
            let answer = login(&mut client, &format!("wv:{user}@h"), &password(&text)).await;
            answer.expect_code(expected);
        }
    }
    let Told::InvitationCodes { codes, .. } = server
        .operate(Request::InvitationCodeList { after: None })
        .await
    else {
        panic!("no list");
    };
    assert_eq!(codes.len(), 1);
    assert_eq!((codes[0].code.as_str(), codes[0].uses), (code.as_str(), 0));
    done(&server, Request::InvitationCodeDelete { code: lower }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_4_way_login_registers_with_a_code_too() {
    let server = TestServer::with_users(BY_CODE, &[]).await;
    let code = done(&server, Request::InvitationCodeAdd { uses: 1, days: 1 }).await;
    let password = format!("{code}/secret");
    let mut client = phone(&server, Version::V1_2, None).await;
    let (challenge, answer) = client
        .login_with_digest("wv:anna@h", &password, &["MD5"])
        .await;
    assert_eq!(challenge.primitive().texts("DigestSchema"), ["PWD"]);
    answer.expect_code(200);
    let (challenge, answer) = client
        .login_with_digest("wv:anna@h", &password, &["MD5"])
        .await;
    assert_eq!(challenge.primitive().texts("DigestSchema"), ["MD5"]);
    answer.expect_code(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_cannot_give_one_number_to_two() {
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    give_number(&server, "alice", "+358501234567").await;
    let change = |user: &str, add: &[&str], remove: &[&str]| Request::UserMsisdn {
        user: user.into(),
        add: add.iter().map(|number| (*number).to_owned()).collect(),
        remove: remove.iter().map(|number| (*number).to_owned()).collect(),
    };
    for refused in [
        change("bob", &["00358501234567"], &[]),
        change("bob", &["+358502222222", "nonsense"], &[]),
        change("bob", &["+358502222222"], &["+358503333333"]),
        change("nobody", &["+358502222222"], &[]),
    ] {
        let answer = server.operate(refused).await;
        assert!(matches!(answer, Told::Failed { .. }), "{answer:?}");
    }
    let none = done(&server, change("bob", &[], &[])).await;
    assert_eq!(none, "wv:bob@h has no number");
    let moved = change("alice", &["+358502222222"], &["+358501234567"]);
    assert_eq!(done(&server, moved).await, "+358502222222");
    give_number(&server, "bob", "+358501234567").await;
}
