//! Sessions and logins of others.

use crate::Attacked;
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::digest;
use hamlet_tests::http::Connection;

#[tokio::test(flavor = "multi_thread")]
async fn guesses_of_session_ids_find_nothing() {
    let attacked = Attacked::start(&[]).await;
    for (version, syntax) in [
        (Version::V1_1, Syntax::Xml),
        (Version::V1_2, Syntax::Wbxml),
        (Version::V1_3, Syntax::Wbxml),
    ] {
        let mut guesser = Client::connect(attacked.address(), version, syntax).await;
        for number in 0..1000_u32 {
            guesser.session = format!("{:08x}.{number}", number.wrapping_mul(0x9E37_79B9));
            let content = match number % 2 {
                0 => "<GetList-Request/>",
                _ => "<KeepAlive-Request/>",
            };
            guesser.request(content).await.expect_code(604);
        }
    }
    let mut guesser = Connection::open(attacked.address()).await;
    for number in 0..500 {
        let request = format!("GET /cir/{number:032x} HTTP/1.1\r\nHost: h\r\n\r\n");
        guesser
            .send(request.as_bytes())
            .await
            .expect("a connection");
        assert_eq!(guesser.receive().await.expect("an answer").status, 404);
    }
    attacked
        .expect_one_line("a request for an unknown session")
        .await;
    attacked.expect_one_line("a long poll of no session").await;
    // Nothing is kept of any guess.
    attacked.survives(32).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_login_opens_no_second_session() {
    // csp-access 3.2: a nonce is good for one answer.
    let attacked = Attacked::start(&[]).await;
    let server = attacked.address();
    Client::login(server, Version::V1_2, Syntax::Xml, "wv:victim@h", "secret").await;
    let mut victim = Client::connect(server, Version::V1_2, Syntax::Xml).await;
    let offer = "<DigestSchema>MD5</DigestSchema>";
    let first = victim.login_step("wv:victim@h", "", offer);
    let challenge = victim.outband_as("login", &first).await;
    let nonce = challenge.primitive().text("Nonce").expect("a nonce");
    let digest = digest::of("MD5", nonce, "secret");
    let second = victim.login_step(
        "wv:victim@h",
        "",
        &format!("<DigestBytes>{digest}</DigestBytes>"),
    );
    let done = victim.outband_as("login", &second).await;
    done.expect_code(200);
    victim.keep_session(&done);

    // Somebody has recorded both steps. He repeats the second, and both.
    let opens_nothing = |answer: &Answer| {
        assert_ne!(answer.code(), Some(200), "{answer:?}");
        assert_eq!(answer.primitive().text("SessionID"), None, "{answer:?}");
    };
    let mut thief = Client::connect(server, Version::V1_2, Syntax::Xml).await;
    for number in 0..300 {
        if number % 3 == 0 {
            opens_nothing(&thief.outband_as("login", &first).await);
        }
        opens_nothing(&thief.outband_as("login", &second).await);
    }
    attacked
        .expect_one_line("a digest that answers no open challenge")
        .await;
    // The victim's session is as it was.
    victim
        .request("<KeepAlive-Request/>")
        .await
        .expect_code(200);
    attacked.survives(32).await;
}
