//! Every primitive of every version survives XML and WBXML.

use super::sample::{Dice, primitives};
use crate::elements::{Primitive, SegmentId, SegmentInfo};
use crate::envelope::{Message, SessionDescriptor, Transaction};
use crate::{Document, Extension, Syntax, Text, Version, WriteOptions, Written, decode, encode};
use proptest::prelude::*;

fn message(primitive: Primitive, version: Version, dice: &mut Dice) -> Document {
    let mut transaction = if dice.flip() {
        Transaction::request("c1", primitive)
    } else {
        Transaction::response("s-9", primitive)
    };
    if version == Version::V1_3 && dice.flip() {
        let id = SegmentId {
            transaction_id: Some("c1".into()),
            segment_reference: Some(2),
        };
        transaction.segment_info = Some(SegmentInfo {
            segment_count: Some(3),
            segment_id: Some(id),
        });
    }
    if version >= Version::V1_2 && dice.flip() {
        transaction
            .extensions
            .push(<Extension as super::sample::Sample>::sample(dice, version));
    }
    let session = if dice.flip() {
        SessionDescriptor::inband("s7")
    } else {
        SessionDescriptor::outband()
    };
    let cir = (version >= Version::V1_2 && dice.flip()).then_some(false);
    Document::Message(Message {
        session,
        transactions: vec![transaction],
        poll: dice.flip().then_some(true),
        cir,
    })
}

fn read(octets: &[u8], syntax: Syntax) -> (Document, Version) {
    let decoded = decode(octets, syntax)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(octets)));
    (decoded.document, decoded.version.expect("a version"))
}

fn survives(seed: u64, version: Version) {
    let dice = &mut Dice::new(seed);
    for primitive in primitives(dice, version) {
        primitive
            .check(version)
            .unwrap_or_else(|missing| panic!("{missing} in a sample of {}", primitive.tag()));
        let document = message(primitive, version, dice);
        let options = WriteOptions::default();
        let xml = encode(&document, Syntax::Xml, version, &options);
        assert_eq!(
            read(&xml, Syntax::Xml),
            (document.clone(), version),
            "{}",
            String::from_utf8_lossy(&xml)
        );
        let wbxml = encode(&document, Syntax::Wbxml, version, &options);
        assert_eq!(
            read(&wbxml, Syntax::Wbxml),
            (document.clone(), version),
            "{}",
            String::from_utf8_lossy(&xml)
        );
        // And across: what was read from the one is written the same in the other.
        assert_eq!(
            encode(
                &read(&wbxml, Syntax::Wbxml).0,
                Syntax::Xml,
                version,
                &options
            ),
            xml
        );
        assert_eq!(
            encode(&read(&xml, Syntax::Xml).0, Syntax::Wbxml, version, &options),
            wbxml
        );
        for options in [
            WriteOptions {
                doctype: true,
                ..options.clone()
            },
            WriteOptions {
                no_text_end_at_multiple_of: Some(64),
                ..options.clone()
            },
        ] {
            for syntax in [Syntax::Xml, Syntax::Wbxml] {
                assert_eq!(
                    read(&encode(&document, syntax, version, &options), syntax).0,
                    document
                );
            }
        }
    }
}

/// A message with the primitives as they are, and with what can be written before.
fn both_ways(seed: u64, version: Version, syntax: Syntax, options: &WriteOptions) {
    let dice = &mut Dice::new(seed);
    let all = primitives(dice, version);
    let whole = |written: bool| {
        let transactions = all.iter().enumerate().map(|(at, primitive)| {
            let id = format!("h{at}");
            let before = Written::new(primitive, syntax, version, options);
            match before.filter(|_| written && at % 3 != 0) {
                Some(before) => Transaction::written_request(&id, before.into()),
                None => Transaction::request(&id, primitive.clone()),
            }
        });
        let message = Document::Message(Message {
            session: SessionDescriptor::inband("s7"),
            transactions: transactions.collect(),
            poll: Some(true),
            cir: None,
        });
        encode(&message, syntax, version, options)
    };
    assert!(
        whole(true) == whole(false),
        "{version} {syntax:?} {options:?}"
    );
}

#[test]
fn what_was_written_before_stands_octet_for_octet_where_it_would_be_written() {
    for version in Version::ALL {
        for seed in 0..8 {
            for options in [
                WriteOptions::default(),
                WriteOptions {
                    doctype: true,
                    no_text_end_at_multiple_of: Some(64),
                    escape_texts: true,
                    ..WriteOptions::default()
                },
            ] {
                both_ways(seed, version, Syntax::Xml, &options);
                both_ways(seed, version, Syntax::Wbxml, &options);
            }
        }
    }
    let id = Primitive::from(crate::elements::MessageDelivered {
        message_id: Some("m".into()),
    });
    for version in Version::ALL {
        let written = Written::new(&id, Syntax::Wbxml, version, &WriteOptions::default());
        assert!(!written.expect("it needs no names").is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_primitive_of_every_version_survives_both_syntaxes(seed in any::<u64>()) {
        Version::ALL.iter().for_each(|version| survives(seed, *version));
    }

    #[test]
    fn any_content_arrives_as_it_was_sent(text in "\\PC{0,80}") {
        let content = format!("{text}!");
        for version in Version::ALL {
            let mut message = crate::elements::NewMessage { message_info: Some(Default::default()), ..Default::default() };
            message.content_data = Some(content.as_str().into());
            let document = Document::Message(Message {
                session: SessionDescriptor::inband("s"),
                transactions: vec![Transaction::request("t", message)],
                poll: None,
                cir: None,
            });
            for syntax in [Syntax::Xml, Syntax::Wbxml] {
                prop_assert_eq!(&read(&encode(&document, syntax, version, &WriteOptions::default()), syntax).0, &document);
            }
        }
    }
}

#[test]
fn poll_stands_where_the_version_has_it() {
    let status = crate::elements::Status::default();
    let document = Document::Message(Message {
        session: SessionDescriptor::inband("s"),
        transactions: vec![Transaction::response("t", status)],
        poll: Some(true),
        cir: None,
    });
    let xml = |version| {
        String::from_utf8(encode(
            &document,
            Syntax::Xml,
            version,
            &WriteOptions::default(),
        ))
        .unwrap()
    };
    assert!(xml(Version::V1_1).contains("<Poll>T</Poll></TransactionDescriptor>"));
    assert!(xml(Version::V1_2).contains("</Transaction><Poll>T</Poll></Session>"));
    assert!(xml(Version::V1_3).contains("</Transaction><Poll>T</Poll></Session>"));
}

#[test]
fn what_a_version_lacks_is_not_written_for_it() {
    let user = crate::elements::User {
        user_id: Some("wv:a@h".into()),
        friendly_name: Some("Ann".into()),
        ..Default::default()
    };
    let info = crate::elements::MessageInfo {
        sender: Some(crate::elements::Sender {
            user: Some(user),
            group: None,
        }),
        content_name: Some(Text::from("x.jpg")),
        ..Default::default()
    };
    let message = crate::elements::NewMessage {
        message_info: Some(info),
        content_data: None,
    };
    let document = Document::Message(Message {
        session: SessionDescriptor::inband("s"),
        transactions: vec![Transaction::request("t", message)],
        poll: None,
        cir: Some(false),
    });
    for version in Version::ALL {
        let xml = String::from_utf8(encode(
            &document,
            Syntax::Xml,
            version,
            &WriteOptions::default(),
        ))
        .unwrap();
        assert_eq!(xml.contains("FriendlyName"), version == Version::V1_3);
        assert_eq!(xml.contains("ContentName"), version == Version::V1_3);
        assert_eq!(xml.contains("<CIR>"), version != Version::V1_1);
        let read = decode(xml.as_bytes(), Syntax::Xml).unwrap();
        assert_eq!(read.version, Some(version));
    }
}

#[test]
fn texts_are_escaped_for_a_client_that_unescapes_them() {
    let text = |content: &str, escape_texts: bool| {
        let message = crate::elements::NewMessage {
            message_info: Some(Default::default()),
            content_data: Some(content.into()),
        };
        let document = Document::Message(Message {
            session: SessionDescriptor::inband("s"),
            transactions: vec![Transaction::request("t", message)],
            poll: None,
            cir: None,
        });
        let octets = encode(
            &document,
            Syntax::Wbxml,
            Version::V1_2,
            &WriteOptions {
                escape_texts,
                ..Default::default()
            },
        );
        match read(&octets, Syntax::Wbxml).0 {
            Document::Message(message) => match message
                .transactions
                .into_iter()
                .next()
                .unwrap()
                .content
                .unwrap()
            {
                Primitive::NewMessage(message) => message.content_data.unwrap().into_text(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(text("a<b & c", true), "a<b & c");
    assert_eq!(text("a &amp; <b>", true), "a &amp;amp; &lt;b&gt;");
    assert_eq!(text("a &amp; <b>", false), "a &amp; <b>");
}
