//! Login (csp-access 3).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;

const SYNTAXES: [Syntax; 2] = [Syntax::Xml, Syntax::Wbxml];

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_of_login_work_with_every_schema_in_every_version_and_syntax() {
    let server = TestServer::with_users(&[], &["alice"]).await;
    for version in Version::ALL {
        for syntax in SYNTAXES {
            let mut client = Client::connect(server.address(), version, syntax).await;
            let answer = client.login_with_password("wv:alice@h", "secret").await;
            let response = answer.expect("Login-Response");
            answer.expect_code(200);
            // 3.1 and 1.4: ClientID echoed, Outband repeated, the session inside.
            assert_eq!(response.text("ClientID/URL"), Some("WV:a-test-client"));
            assert_eq!(
                answer.root().text("Session/SessionDescriptor/SessionType"),
                Some("Outband")
            );
            assert_eq!(response.text("KeepAliveTime"), Some("600"));

            // data-types 3.1: the server prefers SHA, MD5, MD4 in this order, and PWD over TLS.
            for (offered, chosen) in [
                (&["SHA"][..], "SHA"),
                (&["MD5"], "MD5"),
                (&["MD4"], "MD4"),
                (&["MD5", "SHA"], "SHA"),
                (&["PWD", "MD4", "MD5"], "MD5"),
                (&["PWD,SHA,MD4,MD5,MD6"], "SHA"),
            ] {
                let (challenge, done) = client
                    .login_with_digest("wv:alice@h", "secret", offered)
                    .await;
                challenge.expect_code(401);
                assert_eq!(
                    challenge.primitive().texts("DigestSchema"),
                    [chosen],
                    "{offered:?}"
                );
                done.expect_code(200);
                assert!(
                    done.primitive().at("SessionID").is_some(),
                    "{version:?} {syntax:?} {offered:?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_log_in_is_told_why() {
    // csp-access 3.3.
    let server = TestServer::with_users(&["accounts.max_failures=1000"], &["alice"]).await;
    for version in Version::ALL {
        for syntax in SYNTAXES {
            let mut client = Client::connect(server.address(), version, syntax).await;
            for (user, password, code) in [
                ("wv:alice@h", "wrong", 409),
                ("wv:nobody@h", "secret", 531),
                ("wv:alice@elsewhere.example", "secret", 516),
            ] {
                let answer = client.login_with_password(user, password).await;
                let response = answer.expect("Login-Response");
                answer.expect_code(code);
                for absent in ["SessionID", "KeepAliveTime", "CapabilityRequest"] {
                    assert!(response.at(absent).is_none(), "{absent} in {user}");
                }
                let (_, done) = client.login_with_digest(user, password, &["MD5"]).await;
                done.expect_code(code);
            }
            // 3.3 item 8; 1.1 does not have the code.
            let (refused, _) = client
                .login_with_digest("wv:alice@h", "secret", &["MD6"])
                .await;
            refused.expect_code(if version == Version::V1_1 { 402 } else { 543 });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_may_be_short() {
    // GEN-16, csp-access 3.3 item 5.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for user in ["alice", "wv:alice", "alice@h", "WV:Alice@H"] {
        let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
        client
            .login_with_password(user, "secret")
            .await
            .expect_code(200);
        let own = client
            .request(
                "<GetPresence-Request><User><UserID>alice</UserID></User></GetPresence-Request>",
            )
            .await;
        assert_eq!(own.primitive().text("Presence/UserID"), Some("wv:alice@h"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_serves_once() {
    // data-types 3.2, csp-access 3.2.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    let offer = client.login_step("wv:alice@h", "", "<DigestSchema>SHA</DigestSchema>");
    let first = client.outband_as("1", &offer).await;
    let nonce = first.primitive().text("Nonce").unwrap().to_owned();
    let digest = hamlet_tests::digest::of("SHA", &nonce, "secret");
    let step = client.login_step(
        "wv:alice@h",
        "",
        &format!("<DigestBytes>{digest}</DigestBytes>"),
    );
    client.outband_as("1", &step).await.expect_code(200);
    // From another connection: whoever has seen the digest cannot use it.
    let mut thief = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    let answer = thief.outband_as("2", &step).await;
    assert!(answer.primitive().at("SessionID").is_none());
    answer.expect_code(401);
    assert_ne!(answer.primitive().text("Nonce"), Some(nonce.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_offers_nothing_is_challenged() {
    // csp-access 3.2, clients 8.
    let server = TestServer::with_users(&[], &["alice"]).await;
    for version in Version::ALL {
        let mut client = Client::connect(server.address(), version, Syntax::Wbxml).await;
        let answer = client
            .outband(&client.login_step("wv:alice@h", "", ""))
            .await;
        answer.expect_code(401);
        assert!(answer.primitive().at("Nonce").is_some());
        assert_eq!(answer.primitive().texts("DigestSchema"), ["MD5"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_wrong_passwords_close_the_door() {
    // csp-access 3.3 item 10.
    let server = TestServer::with_users(&["accounts.max_failures=3"], &["alice", "bob"]).await;
    let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    for _ in 0..3 {
        client
            .login_with_password("wv:alice@h", "wrong")
            .await
            .expect_code(409);
    }
    let answer = client.login_with_password("wv:alice@h", "secret").await;
    assert!(
        answer.code().is_some_and(|code| [403, 503].contains(&code)),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn open_registration_makes_an_account_at_login() {
    // csp-access 3.7, in every version, both ways.
    let server = TestServer::with_users(&["accounts.auto_register=true"], &[]).await;
    for (index, version) in Version::ALL.into_iter().enumerate() {
        let two = format!("wv:two{index}@h");
        let mut client = Client::connect(server.address(), version, Syntax::Wbxml).await;
        client
            .login_with_password(&two, "mine")
            .await
            .expect_code(200);
        client
            .login_with_password(&two, "theirs")
            .await
            .expect_code(409);
        client
            .login_with_password(&two, "mine")
            .await
            .expect_code(200);
        let lists = client.request("<GetList-Request/>").await;
        // csp-presence 2.4: it comes with a list.
        let default = format!("wv:two{index}/friends@h");
        assert_eq!(
            lists.primitive().text("DefaultContactList"),
            Some(default.as_str())
        );

        // An unknown digest tells nothing, so the password itself is asked for.
        let four = format!("wv:four{index}@h");
        let mut client = Client::connect(server.address(), version, Syntax::Wbxml).await;
        let (challenge, done) = client.login_with_digest(&four, "mine", &["MD5"]).await;
        assert_eq!(challenge.primitive().texts("DigestSchema"), ["PWD"]);
        done.expect_code(200);
        let (challenge, done) = client.login_with_digest(&four, "mine", &["MD5"]).await;
        assert_eq!(challenge.primitive().texts("DigestSchema"), ["MD5"]);
        done.expect_code(200);
    }
    let mut client = Client::connect(server.address(), Version::V1_2, Syntax::Xml).await;
    let bad_name = client.login_with_password("wv:a~b@h", "mine").await;
    assert!(bad_name.primitive().at("SessionID").is_none());
    bad_name.expect_code(402);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keep_alive_time_is_agreed_within_the_limits() {
    // csp-access 4.
    let settings = [
        "session.ttl_min=60s",
        "session.ttl_max=2h",
        "session.ttl_default=10min",
    ];
    let server = TestServer::with_users(&settings, &["alice"]).await;
    let mut client = Client::connect(server.address(), Version::V1_1, Syntax::Xml).await;
    for (asked, agreed) in [
        (Some(5), 60),
        (Some(100), 100),
        (Some(1_000_000), 7200),
        (None, 600),
    ] {
        let ttl = asked.map_or_else(String::new, |ttl| format!("<TimeToLive>{ttl}</TimeToLive>"));
        let login = format!(
            "<Login-Request><UserID>alice</UserID><ClientID><URL>x</URL></ClientID><Password>secret</Password>{ttl}\
             <SessionCookie>c</SessionCookie></Login-Request>"
        );
        let answer = client.outband(&login).await;
        let agreed = agreed.to_string();
        assert_eq!(
            answer.primitive().text("KeepAliveTime"),
            Some(agreed.as_str()),
            "{asked:?}"
        );
        client.keep_session(&answer);
    }
    // With TimeToLive inside and outside the limits; a zero is unusable.
    for (asked, code, agreed) in [(90, 200, "90"), (1_000_000, 200, "7200"), (0, 605, "7200")] {
        let answer = client
            .request(&format!(
                "<KeepAlive-Request><TimeToLive>{asked}</TimeToLive></KeepAlive-Request>"
            ))
            .await;
        answer.expect("KeepAlive-Response");
        answer.expect_code(code);
        assert_eq!(
            answer.primitive().text("KeepAliveTime"),
            Some(agreed),
            "{asked}"
        );
    }
    let answer = client.request("<KeepAlive-Request/>").await;
    answer.expect_code(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_1_3_login_negotiates_in_one_step() {
    // csp-access 6.1, 6.3.
    let server = TestServer::with_users(&[], &["alice"]).await;
    let mut client = Client::connect(server.address(), Version::V1_3, Syntax::Wbxml).await;
    let answer = client
        .outband(
            "<Login-Request><UserID>wv:alice@h</UserID><ClientID><URL>x</URL></ClientID><Password>secret</Password>\
             <TimeToLive>600</TimeToLive><SessionCookie>c</SessionCookie>\
             <Functions><WVCSPFeat><FundamentalFeat/><PresenceFeat/><IMFeat/></WVCSPFeat></Functions>\
             <CapabilityList><ClientType>MOBILE_PHONE</ClientType><InitialDeliveryMethod>P</InitialDeliveryMethod>\
             <SupportedBearer>HTTP</SupportedBearer><MultiTrans>1</MultiTrans></CapabilityList></Login-Request>",
        )
        .await;
    let response = answer.expect("Login-Response");
    answer.expect_code(200);
    assert_eq!(response.text("CapabilityRequest"), Some("F"));
    assert_eq!(
        response.text("AgreedCapabilityList/SupportedBearer"),
        Some("HTTP")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn service_provider_information_is_for_everybody() {
    // csp-access 7, 1.4.
    let server = TestServer::with_users(&["provider.name=The Hamlet Inn"], &["alice"]).await;
    for version in Version::ALL {
        let mut client = Client::connect(server.address(), version, Syntax::Xml).await;
        let answer = client
            .outband("<GetSPInfo-Request><ClientID><URL>x</URL></ClientID></GetSPInfo-Request>")
            .await;
        let response = answer.expect("GetSPInfo-Response");
        assert_eq!(response.text("Name"), Some("The Hamlet Inn"));
        // 1.4: nothing else is open to whoever has no session.
        client
            .outband("<GetList-Request/>")
            .await
            .expect_status(604);
    }
}
