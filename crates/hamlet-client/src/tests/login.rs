//! csp-access 3 and 6.

use super::server::{Canned, Server, logged_in, message, status};
use crate::{Builder, Client, Digest, Error, StatusCode, Syntax, Version};
use std::time::Duration;

fn client(server: &Server) -> Builder {
    Client::builder(&server.url)
        .version(Version::V1_2)
        .syntax(Syntax::Xml)
        .client_id("t")
        .user("wv:anna@im.example")
        .password("secret")
}

fn challenge(code: u16, schema: &str) -> String {
    message(
        "Response",
        "c1",
        &format!(
            "<Login-Response><ClientID><URL>t</URL></ClientID><Result><Code>{code}</Code></Result>\
             <Nonce>N0nce-4711</Nonce>{schema}</Login-Response>"
        ),
        "F",
    )
}

#[tokio::test]
async fn a_two_way_login_sends_the_password_and_keeps_the_session() {
    let server = Server::start().await;
    server.answer(logged_in("c1"));
    let mut client = client(&server).connect().await.unwrap();
    let login = client.login().await.unwrap();
    assert_eq!(login.session.as_str(), "s1");
    assert_eq!(login.keep_alive, Some(Duration::from_secs(600)));
    assert!(login.capability_request);
    let asked = &server.asked()[0];
    assert_eq!(asked.content_type, "application/vnd.wv.csp.xml");
    assert!(asked.body.contains("<Password>secret</Password>"));
    assert!(asked.body.contains("<SessionType>Outband</SessionType>"));
    assert!(!asked.body.contains("DigestSchema"));
}

#[tokio::test]
async fn a_four_way_login_answers_the_challenge_under_the_same_transaction() {
    for (code, schema, expected) in [
        (
            401,
            "<DigestSchema>SHA</DigestSchema>",
            "rpg4uKTejo5bPpnlybqnDmF76I4=",
        ),
        (
            200,
            "<DigestSchema>MD5</DigestSchema>",
            "3NFrDNDffcL78s6NWiJ17w==",
        ),
        (401, "", "rpg4uKTejo5bPpnlybqnDmF76I4="),
    ] {
        let server = Server::start().await;
        server.answer(challenge(code, schema));
        server.answer(logged_in("c1"));
        let builder = client(&server).digest(Digest::Sha).digest(Digest::Md5);
        let mut client = builder.connect().await.unwrap();
        client.login().await.unwrap();
        let asked = server.asked();
        assert!(
            asked[0]
                .body
                .contains("<DigestSchema>SHA</DigestSchema><DigestSchema>MD5</DigestSchema>")
        );
        assert!(!asked[0].body.contains("secret"));
        assert!(
            asked[1]
                .body
                .contains(&format!("<DigestBytes>{expected}</DigestBytes>"))
        );
        for request in &asked {
            assert!(request.body.contains("<TransactionID>c1</TransactionID>"));
        }
        let cookie = |body: &str| body.split("SessionCookie>").nth(1).map(str::to_owned);
        assert_eq!(cookie(&asked[0].body), cookie(&asked[1].body));
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn the_password_is_not_given_to_a_server_that_asks_for_it_unoffered() {
    let server = Server::start().await;
    server.answer(challenge(401, "<DigestSchema>PWD</DigestSchema>"));
    let mut sha = client(&server).digest(Digest::Sha).connect().await.unwrap();
    assert!(matches!(sha.login().await, Err(Error::DigestNotOffered(schema)) if schema == "PWD"));

    server.answer(challenge(401, "<DigestSchema>PWD</DigestSchema>"));
    server.answer(logged_in("c1"));
    let builder = client(&server).digest(Digest::Sha).digest(Digest::Pwd);
    let mut willing = builder.connect().await.unwrap();
    willing.login().await.unwrap();
    assert!(server.last().contains("<Password>secret</Password>"));
}

#[tokio::test]
async fn a_refused_login_carries_its_code_whichever_form_it_has() {
    let refused = "<Login-Response><ClientID><URL>t</URL></ClientID><Result><Code>409</Code><Description>no</Description></Result></Login-Response>";
    for answer in [message("Response", "c1", refused, "F"), status("c1", 409)] {
        let server = Server::start().await;
        server.answer(answer);
        let mut client = client(&server).connect().await.unwrap();
        match client.login().await {
            Err(Error::Refused(refusal)) => {
                assert_eq!(refusal.code, StatusCode::INVALID_PASSWORD)
            }
            other => panic!("{other:?}"),
        }
        assert!(client.session().is_none());
    }
}

#[tokio::test]
async fn open_negotiates_and_learns_the_poll_interval() {
    let server = Server::start().await;
    server.answer(logged_in("c1"));
    server.answer(message(
        "Response",
        "c2",
        "<ClientCapability-Response><AgreedCapabilityList><SupportedBearer>HTTP</SupportedBearer>\
         <SupportedCIRMethod>STCP</SupportedCIRMethod><TCPAddress>1.2.3.4</TCPAddress><TCPPort>3000</TCPPort>\
         <ServerPollMin>7</ServerPollMin></AgreedCapabilityList></ClientCapability-Response>",
        "F",
    ));
    server.answer(message(
        "Response",
        "c3",
        "<Service-Response><AllFunctions><WVCSPFeat/></AllFunctions></Service-Response>",
        "T",
    ));
    let mut client = client(&server).connect().await.unwrap();
    client.open().await.unwrap();
    let agreed = client.capabilities().unwrap();
    assert_eq!(agreed.cir_tcp, Some(("1.2.3.4".into(), 3000)));
    assert_eq!(client.poll_interval(), Duration::from_secs(7));
    assert!(client.poll_flag());
    let capabilities = &server.asked()[1].body;
    for part in [
        "<AnyContent>T</AnyContent><AcceptedCharset>106</AcceptedCharset>",
        "<MultiTrans>1</MultiTrans>",
        "<SupportedBearer>HTTP</SupportedBearer>",
    ] {
        assert!(capabilities.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_session_is_taken_up_again_inband_before_1_3_and_by_its_element_in_1_3() {
    for (version, part) in [
        (
            Version::V1_2,
            "<SessionType>Inband</SessionType><SessionID>s1</SessionID>",
        ),
        (Version::V1_3, "<SessionID>s1</SessionID><TimeToLive>"),
    ] {
        let server = Server::start().await;
        server.answer(logged_in("c1"));
        let mut client = client(&server).version(version).connect().await.unwrap();
        let login = client.resume(crate::SessionId::new("s1")).await.unwrap();
        assert!(login.resumed);
        assert!(server.last().contains(part), "{}", server.last());
    }
}

#[tokio::test]
async fn logout_takes_a_status_and_a_disconnect() {
    for answer in [
        status("c2", 200),
        message(
            "Response",
            "c2",
            "<Disconnect><Result><Code>200</Code></Result></Disconnect>",
            "F",
        ),
        message(
            "Request",
            "x",
            "<Disconnect><Result><Code>200</Code></Result></Disconnect>",
            "F",
        ),
    ] {
        let server = Server::start().await;
        server.answer(logged_in("c1"));
        server.answer(answer);
        let mut client = client(&server).connect().await.unwrap();
        client.login().await.unwrap();
        client.logout().await.unwrap();
        assert!(client.session().is_none());
        assert!(matches!(client.poll().await, Err(Error::NotLoggedIn)));
    }
}

#[tokio::test]
async fn a_keep_alive_takes_the_new_time_over() {
    let server = Server::start().await;
    server.answer(logged_in("c1"));
    server.answer(message(
        "Response",
        "c2",
        "<KeepAlive-Response><Result><Code>200</Code></Result><KeepAliveTime>120</KeepAliveTime></KeepAlive-Response>",
        "F",
    ));
    let mut client = client(&server).connect().await.unwrap();
    client.login().await.unwrap();
    let wish = Some(Duration::from_secs(60));
    assert_eq!(
        client.keep_alive(wish).await.unwrap(),
        Some(Duration::from_secs(120))
    );
    assert!(server.last().contains("<TimeToLive>60</TimeToLive>"));
}

#[tokio::test]
async fn http_errors_large_answers_and_rubbish_are_told_apart() {
    let server = Server::start().await;
    let small = client(&server).max_answer(1000);
    let mut client = small.connect().await.unwrap();
    server.push(Canned {
        status: 503,
        body: Vec::new(),
        close: false,
    });
    assert!(matches!(client.login().await, Err(Error::Http(503))));
    server.answer(vec![b' '; 2000]);
    assert!(matches!(client.login().await, Err(Error::TooLarge(1000))));
    server.answer("<html>");
    assert!(matches!(client.login().await, Err(Error::Decode(_))));
    server.answer("");
    assert!(matches!(client.login().await, Err(Error::Unexpected(_))));
    server.answer(logged_in("c5"));
    client.login().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_opened_again() {
    let server = Server::start().await;
    server.push(Canned {
        status: 200,
        body: logged_in("c1").into_bytes(),
        close: true,
    });
    server.answer("");
    let mut client = client(&server).connect().await.unwrap();
    client.login().await.unwrap();
    assert_eq!(client.poll().await.unwrap(), None);
    assert_eq!(server.connections(), 2);
}
