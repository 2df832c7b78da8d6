//! Chats between clients of different versions and syntaxes: what was typed arrives.

use hamlet_client::{Client as LibraryClient, Digest, Incoming};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::server::TestServer;

/// Texts that have lost something on one way or another in some system.
const TEXTS: &[&str] = &[
    "hello",
    "Добрый вечер, как дела?",
    "こんばんは、お元気ですか",
    "مرحبا، كيف حالك؟",
    "สวัสดี",
    "Zażółć gęślą jaźń",
    "e\u{301} is not é",
    "😀 🏳️\u{200d}🌈 👨\u{200d}👩\u{200d}👧 🇫🇮",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u{10FFFD}",
    "a < b && \"c\" > 'd' &amp; &#65;",
    "]]> <!-- <![CDATA[",
    "two\nlines\n\nand more",
    "  white space around\t ",
    "T",
    "Open",
    "http://www.wireless-village.org/DTD",
    "{\"json\": [1, 2]}",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_1_1_xml_client_and_a_1_3_wbxml_client_chat() {
    let server = TestServer::with_users(&[], &["old", "new"]).await;
    let mut old = server.client(Version::V1_1, Syntax::Xml, "old").await;
    let mut new = LibraryClient::builder(&format!("http://{}/", server.address()))
        .version(Version::V1_3)
        .syntax(Syntax::Wbxml)
        .user("wv:new@h")
        .password("secret")
        .digest(Digest::Sha)
        .connect()
        .await
        .expect("a connection");
    new.open().await.expect("a session");
    for text in TEXTS {
        old.send_text("wv:new@h", text).await.expect_code(200);
        let incoming = new.poll().await.unwrap().expect("the message");
        let Incoming::Message(message) = &incoming else {
            panic!("{incoming:?}");
        };
        assert_eq!(message.text(), *text);
        assert_eq!(message.sender().as_deref(), Some("wv:old@h"));
        new.acknowledge(&incoming).await.unwrap();

        new.send("wv:old@h", *text).await.unwrap();
        let messages = old.messages().await;
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].text("ContentData"), Some(*text));
        assert_eq!(
            messages[0].text("MessageInfo/Sender/User/UserID"),
            Some("wv:new@h")
        );
    }
    new.logout().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_and_syntax_chats_with_every_other() {
    let server = TestServer::with_users(&[], &["left", "right"]).await;
    let mut kinds = Vec::new();
    for version in Version::ALL {
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            kinds.push((version, syntax));
        }
    }
    for (version, syntax) in &kinds {
        let mut left = server.client(*version, *syntax, "left").await;
        for (version, syntax) in &kinds {
            let mut right = server.client(*version, *syntax, "right").await;
            let text = "Grüße < 你好 & 😀";
            left.send_text("wv:right@h", text).await.expect_code(200);
            right.send_text("wv:left@h", text).await.expect_code(200);
            for client in [&mut left, &mut right] {
                let messages = client.messages().await;
                assert_eq!(messages.len(), 1);
                assert_eq!(messages[0].text("ContentData"), Some(text));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_arrives_octet_for_octet() {
    // csp-im 4.2: base64 in every syntax.
    let server = TestServer::with_users(&[], &["left", "right"]).await;
    let picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    for (from, to) in [
        (Syntax::Xml, Syntax::Wbxml),
        (Syntax::Wbxml, Syntax::Xml),
        (Syntax::Wbxml, Syntax::Wbxml),
    ] {
        let mut left = server.client(Version::V1_2, from, "left").await;
        let mut right = server.client(Version::V1_1, to, "right").await;
        let sent = left
            .request(&format!(
                "<SendMessage-Request><DeliveryReport>F</DeliveryReport><MessageInfo><ContentType>image/png</ContentType>\
                 <ContentEncoding>BASE64</ContentEncoding><ContentSize>70</ContentSize><Recipient><User><UserID>wv:right@h</UserID>\
                 </User></Recipient></MessageInfo><ContentData>{picture}</ContentData></SendMessage-Request>"
            ))
            .await;
        sent.expect_code(200);
        let messages = right.messages().await;
        assert_eq!(messages.len(), 1, "{from:?} to {to:?}");
        assert_eq!(
            messages[0].text("MessageInfo/ContentType"),
            Some("image/png")
        );
        assert_eq!(
            messages[0].text("MessageInfo/ContentEncoding"),
            Some("BASE64")
        );
        assert_eq!(messages[0].text("ContentData"), Some(picture));
        assert_eq!(messages[0].text("MessageInfo/ContentSize"), Some("70"));
    }
}
