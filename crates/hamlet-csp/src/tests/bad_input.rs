//! Octets that are no message: always an error or a message, never more.

use super::sample::{Dice, primitives};
use crate::elements::Tag;
use crate::envelope::{Message, SessionDescriptor, Transaction};
use crate::{Document, Syntax, Version, WriteOptions, decode, encode};
use hamlet_model::StatusCode;
use proptest::prelude::*;

fn envelope(content: &str) -> String {
    format!(
        "<WV-CSP-Message xmlns=\"http://www.openmobilealliance.org/DTD/WV-CSP1.2\"><Session><SessionDescriptor><SessionType>Inband</SessionType>\
         <SessionID>s1</SessionID></SessionDescriptor><Transaction><TransactionDescriptor><TransactionMode>Request</TransactionMode>\
         <TransactionID>7</TransactionID></TransactionDescriptor><TransactionContent>{content}</TransactionContent></Transaction></Session></WV-CSP-Message>"
    )
}

/// The status of the only transaction's fault, with its path.
fn fault(content: &str) -> (StatusCode, String) {
    let decoded = decode(envelope(content).as_bytes(), Syntax::Xml).unwrap();
    let Document::Message(message) = decoded.document else {
        panic!("no message")
    };
    let unreadable = message.transactions[0].content.clone().unwrap_err();
    (unreadable.status, unreadable.to_string())
}

#[test]
fn a_fault_says_what_where_and_its_status() {
    for (content, status, text) in [
        (
            "<KeepAlive-Request><TimeToLive>soon</TimeToLive></KeepAlive-Request>",
            402,
            "`soon` is not an unsigned 32-bit integer at KeepAlive-Request/TimeToLive",
        ),
        (
            "<Service-Request><AllFunctionsRequest>maybe</AllFunctionsRequest></Service-Request>",
            402,
            "`maybe` is not T or F at Service-Request/AllFunctionsRequest",
        ),
        ("", 400, "TransactionContent is empty at TransactionContent"),
        (
            "<Teleport-Request/>",
            405,
            "the primitive is not known to CSP at TransactionContent",
        ),
        (
            "<UserID>x</UserID>",
            405,
            "UserID is no primitive at TransactionContent/UserID",
        ),
        (
            "<SendMessage-Request><MessageInfo><DateTime>yesterday</DateTime></MessageInfo></SendMessage-Request>",
            402,
            "`yesterday` is not a date and time at SendMessage-Request/MessageInfo/DateTime",
        ),
    ] {
        assert_eq!(fault(content), (StatusCode(status), text.to_owned()));
    }
}

#[test]
fn what_was_read_before_the_end_is_salvaged() {
    let whole = envelope(
        "<CreateList-Request><ContactList>wv:a/l</ContactList><NickList><NickName><Name>B</Name><UserID>b</userID></NickName></NickList></CreateList-Request>",
    );
    let error = decode(whole.as_bytes(), Syntax::Xml).unwrap_err();
    assert_eq!(error.status, StatusCode::BAD_REQUEST);
    assert_eq!(error.salvage.session_id.as_deref(), Some("s1"));
    assert_eq!(error.salvage.transaction_id.as_deref(), Some("7"));
    assert!(error.salvage.descriptor_read);
    assert_eq!(error.version, Some(Version::V1_2));
    assert_eq!(error.path.last(), Some(&Tag::UserID), "{error}");
}

#[test]
fn dtd_tricks_are_refused() {
    for text in [
        "<!DOCTYPE WV-CSP-Message [<!ENTITY a \"b\">]><WV-CSP-Message/>".to_owned(),
        "<!DOCTYPE WV-CSP-Message SYSTEM \"file:///etc/passwd\" [ ]><WV-CSP-Message/>".to_owned(),
        envelope("<KeepAlive-Request><TimeToLive>&xxe;</TimeToLive></KeepAlive-Request>"),
        envelope("<!DOCTYPE x><KeepAlive-Request/>"),
    ] {
        assert!(decode(text.as_bytes(), Syntax::Xml).is_err(), "{text}");
    }
    // An external DTD is named by every message of the examples, and never fetched.
    let text = format!(
        "<!DOCTYPE WV-CSP-Message PUBLIC \"-//OMA//DTD WV-CSP 1.1//EN\" \"http://x/\">{}",
        envelope("<Logout-Request/>")
    );
    assert!(decode(text.as_bytes(), Syntax::Xml).unwrap().doctype);
}

#[test]
fn depth_and_numbers_of_elements_are_bounded() {
    let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
    assert!(
        decode(envelope(&deep).as_bytes(), Syntax::Xml)
            .unwrap_err()
            .what
            .contains("too deep")
    );
    let many = "<a/>".repeat(32_769);
    assert!(
        decode(envelope(&many).as_bytes(), Syntax::Xml)
            .unwrap_err()
            .what
            .contains("too many")
    );
    let mut octets = vec![0x03, 0x11, 0x6A, 0x00];
    octets.push(0x49);
    octets.extend([0x6D; 40]);
    assert!(
        decode(&octets, Syntax::Wbxml)
            .unwrap_err()
            .what
            .contains("deep")
    );
}

#[test]
fn other_versions_and_roots_are_told_apart() {
    let error = decode(
        b"<WV-CSP-Message xmlns=\"http://www.openmobilealliance.org/DTD/IMPS-CSP2.0\"/>",
        Syntax::Xml,
    )
    .unwrap_err();
    assert_eq!(error.status, StatusCode::VERSION_NOT_SUPPORTED);
    let error = decode(b"<html/>", Syntax::Xml).unwrap_err();
    assert_eq!(
        (error.status, error.what.as_str()),
        (StatusCode::BAD_REQUEST, "the root `html` is no CSP message")
    );
    for text in [
        &b""[..],
        b"   ",
        b"hello",
        b"<",
        b"<WV-CSP-Message>",
        b"\xFF\xFF\xFF",
    ] {
        assert!(decode(text, Syntax::Xml).is_err());
        assert!(decode(text, Syntax::Wbxml).is_err());
    }
}

#[test]
fn other_encodings_of_xml_are_read() {
    let text = envelope("<GetList-Request/>").replace("s1", "sä");
    let latin: Vec<u8> = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{text}")
        .chars()
        .map(|c| c as u8)
        .collect();
    let utf16: Vec<u8> = std::iter::once('\u{FEFF}')
        .chain(text.chars())
        .flat_map(|c| (c as u16).to_le_bytes())
        .collect();
    for octets in [latin, utf16, format!("\u{FEFF}{text}").into_bytes()] {
        let Document::Message(message) = decode(&octets, Syntax::Xml).unwrap().document else {
            panic!("no message")
        };
        assert_eq!(message.session.session_id.as_deref(), Some("sä"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_octets_are_survived(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&octets, Syntax::Xml);
        let _ = decode(&octets, Syntax::Wbxml);
        let mut headed = vec![0x03, 0x12, 0x6A, 0x00, 0xC9, 0x0B, 0x03, 0x31, 0x2E, 0x33, 0x00, 0x01, 0x6D];
        headed.extend(&octets);
        let _ = decode(&headed, Syntax::Wbxml);
    }

    #[test]
    fn damaged_messages_are_survived(seed: u64, at: usize, octet: u8, cut: bool) {
        let dice = &mut Dice::new(seed);
        let version = dice.pick(&Version::ALL);
        let all = primitives(dice, version);
        let primitive = dice.pick(&all);
        let document = Document::Message(Message {
            session: SessionDescriptor::inband("s"),
            transactions: vec![Transaction::request("t", primitive)],
            poll: None,
            cir: None,
        });
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let mut octets = encode(&document, syntax, version, &WriteOptions::default());
            let at = at % octets.len();
            if cut { octets.truncate(at) } else { octets[at] = octet }
            let _ = decode(&octets, syntax);
        }
    }
}
