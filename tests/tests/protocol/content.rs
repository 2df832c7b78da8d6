//! Content between clients of all versions and syntaxes (csp-im 4, 12).

use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::{Client, escape, user};
use hamlet_tests::element::Element;
use hamlet_tests::server::TestServer;

use Version::{V1_2, V1_3};

const SYNTAXES: [Syntax; 2] = [Syntax::Xml, Syntax::Wbxml];

/// SendMessage to alice; `info` stands before Recipient, `more` after it, where 1.3 has Font and
/// extensions.
fn message(content_type: &str, info: &str, more: &str, data: Option<&str>) -> String {
    let data = data.map_or(String::new(), |data| {
        format!("<ContentData>{}</ContentData>", escape(data))
    });
    // In the order of the standard: MessageURI, ContentType, ContentEncoding, ContentSize.
    format!(
        "<SendMessage-Request><DeliveryReport>F</DeliveryReport><MessageInfo>\
         <ContentType>{content_type}</ContentType>{info}<Recipient>{}</Recipient>{more}</MessageInfo>\
         {data}</SendMessage-Request>",
        user("wv:alice@h")
    )
}

const BASE64: &str = "<ContentEncoding>BASE64</ContentEncoding>";

async fn accepting(client: &mut Client, types: &[&str], more: &str) {
    let types: String = types
        .iter()
        .map(|name| match client.version {
            V1_3 => format!(
                "<AcceptedContentType><ContentType>{name}</ContentType></AcceptedContentType>"
            ),
            _ => format!("<AcceptedContentType>{name}</AcceptedContentType>"),
        })
        .collect();
    let request = format!(
        "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>\
         {types}{more}</CapabilityList></ClientCapability-Request>"
    );
    let answer = client.request(&request).await;
    answer.expect("ClientCapability-Response");
}

/// The one message that waits.
async fn received(client: &mut Client) -> Element {
    let mut messages = client.messages().await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

fn info<'a>(message: &'a Element, name: &str) -> Option<&'a str> {
    message.text(&format!("MessageInfo/{name}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn content_of_every_kind_goes_intact_between_all_versions_and_syntaxes() {
    // csp-im 4.1, 4.2: octet for octet.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let card = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8:\u{c4}l\u{e4};Anna\r\nEND:VCARD\r\n";
    let event = "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nSUMMARY:<Tea> & \"cake\"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let kinds = [
        (
            "text/plain",
            "",
            "p\u{e4}iv\u{e4}\u{e4} \u{6f22}\u{5b57} \u{1f600} <&> ]]>",
            "",
        ),
        ("text/x-vCard", "", card, ""),
        ("text/x-vCalendar", "", event, ""),
        // With octets that are no text.
        (
            "application/vnd.wap.mms-message",
            BASE64,
            "jICYMQCNkIUE/wAB/g==",
            "13",
        ),
        ("application/x-sms", BASE64, "AAH//gA=", "5"),
        ("image/jpeg", BASE64, "/9j/4AAQSkZJRgABAQ==", "13"),
        // A card in the charset of its phone.
        (
            "text/x-vCard; charset=iso-8859-1",
            BASE64,
            "QkVHSU46VkNBUkTE",
            "12",
        ),
    ];
    let mut bobs = Vec::new();
    for version in Version::ALL {
        for syntax in SYNTAXES {
            let mut bob = Client::connect(server.address(), version, syntax).await;
            bob.client_id = format!("WV:{version}-{syntax:?}");
            let login = bob.login_with_password("wv:bob@h", "secret").await;
            login.expect_code(200);
            bobs.push(bob);
        }
    }
    for version in Version::ALL {
        for syntax in SYNTAXES {
            let mut alice = server.client(version, syntax, "alice").await;
            for bob in &mut bobs {
                let at = format!("{} {:?} to {version} {syntax:?}", bob.version, bob.syntax);
                for (content_type, encoding, data, size) in kinds {
                    let content = message(content_type, encoding, "", Some(data));
                    bob.request(&content).await.expect_code(200);
                    let came = received(&mut alice).await;
                    assert_eq!(came.text("ContentData"), Some(data), "{content_type} {at}");
                    assert_eq!(info(&came, "ContentType"), Some(content_type), "{at}");
                    let expected = (!encoding.is_empty()).then_some("BASE64");
                    let encoding = info(&came, "ContentEncoding").filter(|name| *name != "None");
                    assert_eq!(encoding, expected, "{content_type} {at}");
                    // 4.3: before transfer encoding.
                    let size = match size {
                        "" => data.len().to_string(),
                        size => size.to_owned(),
                    };
                    let came = info(&came, "ContentSize");
                    assert_eq!(came, Some(size.as_str()), "{content_type} {at}");
                }
            }
            alice.request("<Logout-Request/>").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_octets_of_wbxml_become_base64() {
    // csp-im 4.2: OPAQUE ContentData without ContentEncoding.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.client(V1_2, Syntax::Wbxml, "bob").await;
    let mut alice = server.client(V1_2, Syntax::Xml, "alice").await;
    let content = message("image/png", "", "", Some("@@@@"));
    let body = bob.message(
        "Inband",
        &[hamlet_tests::client::transaction(
            "Request",
            Some("raw"),
            &content,
        )],
    );
    // The inline string becomes opaque data of the same length: STR_I ... 00, OPAQUE 04 ....
    let inline = b"\x03@@@@\0";
    let at = body
        .windows(inline.len())
        .position(|window| window == inline)
        .expect("the content");
    let opaque = [0xC3, 4, 0x89, b'P', 0, 0xFF];
    let body = [&body[..at], &opaque, &body[at + inline.len()..]].concat();
    let http = bob.post(&body).await;
    bob.read(http).expect_code(200);
    let came = received(&mut alice).await;
    assert_eq!(came.text("ContentData"), Some("iVAA/w=="));
    assert_eq!(info(&came, "ContentEncoding"), Some("BASE64"));
    assert_eq!(info(&came, "ContentSize"), Some("4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_any_charset_reaches_phones_that_read_no_base64() {
    // csp-im 4.2, 4.4.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        for (charset, wanted, data, text) in [
            (
                "; charset=windows-1251",
                "",
                "z/Do4uXy",
                "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}",
            ),
            ("; charset=Shift_JIS", "", "k/qWew==", "\u{65e5}\u{672c}"),
            ("; charset=utf-16", "", "//7EAA==", "\u{c4}"),
            ("", "", "xA==", "\u{c4}"),
            // MIBenum 4 and 3: what it cannot show has a likeness.
            ("", "4", "w4Qg4oKsNQ==", "\u{c4} EUR5"),
            ("", "3", "w4Qg4oCcaOKAnQ==", "? \"h\""),
        ] {
            let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
            let charsets = match (wanted, version) {
                ("", _) => String::new(),
                (number, V1_3) => format!("<PlainTextCharset>{number}</PlainTextCharset>"),
                (number, _) => {
                    format!("<AnyContent>T</AnyContent><AcceptedCharset>{number}</AcceptedCharset>")
                }
            };
            accepting(&mut alice, &[], &charsets).await;
            let content = message(&format!("text/plain{charset}"), BASE64, "", Some(data));
            bob.request(&content).await.expect_code(200);
            let came = received(&mut alice).await;
            assert_eq!(came.text("ContentData"), Some(text), "{charset} {wanted}");
            assert_eq!(info(&came, "ContentType"), Some("text/plain"));
            assert_eq!(
                info(&came, "ContentSize"),
                Some(text.len().to_string().as_str())
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mov_21_html_becomes_text_for_phones() {
    // clients MOV-21, csp-im 4.4 (1): pushed and pulled.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let html = "<span style=\"color:#f00\">caf&#233; &amp; <b>cr&egrave;me</b></span><br>now";
    let text = "caf\u{e9} & cr\u{e8}me\nnow";
    for version in Version::ALL {
        let mut bob = server.xml("bob").await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        accepting(&mut alice, &["text/plain"], "").await;
        let content = message("text/html", "", "", Some(html));
        bob.request(&content).await.expect_code(200);
        let push = alice.poll().await;
        let came = push.expect("NewMessage");
        assert_eq!(came.text("ContentData"), Some(text));
        assert_eq!(info(came, "ContentType"), Some("text/plain"));
        let id = info(came, "MessageID").unwrap();
        let get = format!("<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>");
        let answer = alice.request(&get).await;
        let pulled = answer.expect("GetMessage-Response");
        assert_eq!(pulled.text("ContentData"), Some(text));
        alice.acknowledge(&push).await;
        // Who takes it gets it.
        accepting(&mut alice, &["text/plain", "text/html"], "").await;
        bob.request(&content).await.expect_code(200);
        assert_eq!(received(&mut alice).await.text("ContentData"), Some(html));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_and_a_font_are_for_who_knows_them() {
    // csp-im 12.2, 12.4, 12.3.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let mut bob = server.client(V1_3, Syntax::Xml, "bob").await;
    let name = format!("{BASE64}<ContentName>lake \"1\".png</ContentName>");
    let font =
        "<Font><Size>Big</Size><Style>Bold</Style><Style>Italic</Style><Color>Navy</Color></Font>";
    let block = "<ExtBlockETEM><x xmlns=\"urn:x\">7</x></ExtBlockETEM>";
    for version in Version::ALL {
        for syntax in SYNTAXES {
            let mut alice = server.client(version, syntax, "alice").await;
            // The strict reader of the tests knows no literal names, which WBXML needs for this.
            let block = if syntax == Syntax::Xml { block } else { "" };
            let content = message("image/png", &name, block, Some("UE5H"));
            bob.request(&content).await.expect_code(200);
            let came = received(&mut alice).await;
            assert_eq!(came.text("ContentData"), Some("UE5H"));
            let latest = version == V1_3;
            let named = "image/png; name=\"lake 1.png\"";
            let expected = if latest { "image/png" } else { named };
            assert_eq!(info(&came, "ContentType"), Some(expected));
            let expected = latest.then_some("lake \"1\".png");
            assert_eq!(info(&came, "ContentName"), expected);
            assert_eq!(
                came.at("MessageInfo/ExtBlockETEM").is_some(),
                latest && syntax == Syntax::Xml
            );
            let content = message("text/plain", "", font, Some("in colour"));
            bob.request(&content).await.expect_code(200);
            let came = received(&mut alice).await;
            assert_eq!(came.text("ContentData"), Some("in colour"));
            assert_eq!(info(&came, "Font/Size"), latest.then_some("Big"));
            assert_eq!(
                came.texts("MessageInfo/Font/Style").len(),
                if latest { 2 } else { 0 }
            );
            assert_eq!(info(&came, "Font/Color"), latest.then_some("Navy"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_to_content_becomes_a_link_where_references_are_not_known() {
    // csp-im 12.1: alone or beside the content.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let uri = "http://h/lake.png";
    for sender in [V1_2, V1_3] {
        let mut bob = server.client(sender, Syntax::Xml, "bob").await;
        for version in Version::ALL {
            let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
            let latest = version == V1_3;
            let alone = message("image/png", "<ContentSize>9000</ContentSize>", "", None).replace(
                "<ContentType>",
                &format!("<MessageURI>{uri}</MessageURI><ContentType>"),
            );
            bob.request(&alone).await.expect_code(200);
            let came = received(&mut alice).await;
            assert_eq!(info(&came, "MessageURI"), Some(uri));
            let (text, kind, size) = match latest {
                true => (None, "image/png", "9000"),
                false => (Some(uri), "text/plain", "17"),
            };
            assert_eq!(came.text("ContentData"), text);
            assert_eq!(info(&came, "ContentType"), Some(kind));
            assert_eq!(info(&came, "ContentSize"), Some(size));
            let beside = message("text/plain", "", "", Some("Look!")).replace(
                "<ContentType>",
                &format!("<MessageURI>{uri}</MessageURI><ContentType>"),
            );
            bob.request(&beside).await.expect_code(200);
            let came = received(&mut alice).await;
            let text = match latest {
                true => "Look!".to_owned(),
                false => format!("Look!\n{uri}"),
            };
            assert_eq!(came.text("ContentData"), Some(text.as_str()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_cannot_take_is_a_link_or_reported() {
    // csp-im 4.4 (2) and (4), 8.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    let uri = "http://h/lake.png";
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let mut alice = server.client(version, Syntax::Xml, "alice").await;
        accepting(&mut alice, &["text/plain"], "").await;
        let picture = message("image/png", BASE64, "", Some("UE5H"))
            .replace("<DeliveryReport>F", "<DeliveryReport>T");
        let linked = picture.replace(
            "<ContentType>",
            &format!("<MessageURI>{uri}</MessageURI><ContentType>"),
        );
        bob.request(&linked).await.expect_code(200);
        let came = received(&mut alice).await;
        assert_eq!(came.text("ContentData"), Some(uri));
        assert_eq!(info(&came, "ContentType"), Some("text/plain"));
        bob.request(&picture).await.expect_code(200);
        assert!(alice.messages().await.is_empty());
        let mut codes = Vec::new();
        while codes.len() < 2 {
            let reports = bob.drain().await;
            codes.extend(
                reports
                    .iter()
                    .map(|report| report.text("Result/Code").unwrap().to_owned()),
            );
        }
        assert_eq!(codes, ["200", "415"]);
        // With another client that takes it, it waits for that.
        let mut desk = Client::connect(server.address(), version, Syntax::Xml).await;
        desk.client_id = "WV:desk".into();
        let login = desk.login_with_password("wv:alice@h", "secret").await;
        login.expect_code(200);
        bob.request(&picture).await.expect_code(200);
        assert!(alice.messages().await.is_empty());
        assert_eq!(received(&mut desk).await.text("ContentData"), Some("UE5H"));
        desk.request("<Logout-Request/>").await;
        bob.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_no_base64_is_refused() {
    // csp-im 5.3 item 2.
    let server = TestServer::with_users(&[], &["alice", "bob"]).await;
    for version in Version::ALL {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let odd = "<ContentEncoding>7BIT</ContentEncoding>";
        for (encoding, data) in [(BASE64, "%%%"), (odd, "UE5H")] {
            let content = message("image/png", encoding, "", Some(data));
            bob.request(&content).await.expect_code(402);
        }
    }
}
