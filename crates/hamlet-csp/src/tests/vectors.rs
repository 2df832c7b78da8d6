//! The octets of docs/protocol: wbxml.md section 8 and what clients.md records.

use crate::elements::{Primitive, Tag};
use crate::{Document, Syntax, Version, WriteOptions, decode, encode};

const WBXML: &str = include_str!("../../../../docs/protocol/wbxml.md");
const CLIENTS: &str = include_str!("../../../../docs/protocol/clients.md");

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// (name, octets, XML) of each vector that has both.
fn vectors() -> Vec<(String, Vec<u8>, String)> {
    let section = WBXML
        .split("## 8. Test vectors")
        .nth(1)
        .unwrap()
        .split("\n## 9.")
        .next()
        .unwrap();
    section
        .split("\n### V")
        .skip(1)
        .filter_map(|part| {
            let name = part.lines().next()?.to_owned();
            let octets = hex(part.split("```\n").nth(1)?.split("```").next()?);
            let xml = part
                .split("```xml\n")
                .nth(1)?
                .split("```")
                .next()?
                .trim()
                .to_owned();
            Some((name, octets, xml))
        })
        .collect()
}

#[test]
fn the_vectors_of_the_reference_decode_to_their_xml() {
    let vectors = vectors();
    assert!(vectors.len() >= 15, "{} vectors", vectors.len());
    for (name, octets, xml) in vectors {
        let binary =
            decode(&octets, Syntax::Wbxml).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text =
            decode(xml.as_bytes(), Syntax::Xml).unwrap_or_else(|error| panic!("{name}: {error}"));
        // The XML of V18 has no xmlns.
        if !name.starts_with("18") {
            assert_eq!(binary.version, text.version, "{name}");
        }
        // Raw octets of ContentData stand in the XML as base64 of its own (V13).
        if !name.starts_with("13") {
            assert_eq!(binary.document, text.document, "{name}");
        }
    }
}

/// The vectors that have no form which the encoder profile does not write.
#[test]
fn the_plain_vectors_are_written_octet_for_octet() {
    let mut same = 0;
    for (name, octets, _) in vectors() {
        let decoded = decode(&octets, Syntax::Wbxml).unwrap();
        let written = encode(
            &decoded.document,
            Syntax::Wbxml,
            decoded.version.unwrap(),
            &WriteOptions::default(),
        );
        let plain = ["01", "02", "03", "04", "05", "06", "10", "17"]
            .iter()
            .any(|number| name.starts_with(number));
        if plain {
            assert_eq!(written, octets, "{name}");
        }
        same += usize::from(written == octets);
    }
    assert!(same >= 8, "{same} are the same");
}

#[test]
fn what_the_android_client_sends_is_understood() {
    let lines: Vec<&str> = CLIENTS.lines().collect();
    let mut seen = 0;
    for (at, line) in lines.iter().enumerate() {
        let is_hex = line.len() > 60
            && line.starts_with("031")
            && line.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_hex {
            continue;
        }
        seen += 1;
        let decoded = decode(&hex(line), Syntax::Wbxml)
            .unwrap_or_else(|error| panic!("{error}: {}", lines[at - 1]));
        let Document::Message(message) = decoded.document else {
            panic!("no message")
        };
        let primitive = message.transactions[0]
            .content
            .clone()
            .unwrap_or_else(|error| panic!("{error}: {}", lines[at - 1]));
        // The line above names it: `1.2 ClientCapability-Request(…)`.
        if let Some((version, name)) = lines[at - 1]
            .split_once(' ')
            .filter(|(version, _)| Version::parse(version).is_some())
        {
            assert_eq!(decoded.version.map(Version::as_str), Some(version));
            assert_eq!(primitive.tag().name(), name.split('(').next().unwrap());
        }
        if let Primitive::SendMessageRequest(send) = primitive {
            let data = send.content_data.unwrap().into_text();
            assert!(
                ["hello", "Ä€😀z", "Open", "hi all"].contains(&data.as_str()),
                "{data}"
            );
            assert_eq!(send.delivery_report, Some(false));
        }
    }
    assert!(seen >= 60, "{seen} messages");
}

#[test]
fn nicknames_of_the_android_client_are_found_inside_user() {
    let line = CLIENTS
        .lines()
        .find(|line| line.contains("5f605e0364616e0001797a"))
        .unwrap();
    let Document::Message(message) = decode(&hex(line), Syntax::Wbxml).unwrap().document else {
        panic!("no message")
    };
    let Ok(Primitive::CreateListRequest(create)) = &message.transactions[0].content else {
        panic!("no CreateList")
    };
    let members = &create.nick_list.as_ref().unwrap().members;
    assert!(
        matches!(&members[..], [crate::elements::NickMember::Nick(nick)] if nick.user_id.as_deref() == Some("wv:dan@h"))
    );
}

#[test]
fn odd_forms_are_read() {
    let wrap = |content: &str| {
        let mut octets = hex(
            "03 11 6A 00 C9 08 03 31 2E 32 00 01 6D 6E 70 80 11 01 6F 03 73 37 00 01 01 72 74 76 80 21 01 75 03 74 31 00 01 01 F3 0A 03 31 2E 32 00 01",
        );
        octets.extend(hex(content));
        octets.extend(hex("01 01 01 01"));
        octets
    };
    let code = |content: &str| {
        let Document::Message(message) = decode(&wrap(content), Syntax::Wbxml).unwrap().document
        else {
            panic!("no message")
        };
        match message.transactions[0].content.clone().unwrap() {
            Primitive::Status(status) => status.result.unwrap().code,
            other => panic!("{other:?}"),
        }
    };
    // wbxml 7: integers as C3 00, with leading zeros, as text; redundant page switches; empty OPAQUE.
    assert_eq!(code("71 6A 4B C3 00 01 01 01"), Some(0));
    assert_eq!(
        code("71 6A 4B C3 08 00 00 00 00 00 00 00 C8 01 01 01"),
        Some(200)
    );
    assert_eq!(code("71 6A 4B 03 32 30 30 00 01 01 01"), Some(200));
    assert_eq!(
        code("00 00 00 00 71 6A 4B C3 01 C8 00 00 01 01 01"),
        Some(200)
    );
    // Text in parts: https:// as a token, then the rest.
    assert_eq!(
        code("71 6A 52 80 0F 03 78 00 01 4B C3 01 C8 01 01 01"),
        Some(200)
    );
    let polling = decode(&wrap("00 01 62 C3 00 01"), Syntax::Wbxml)
        .unwrap()
        .document;
    let Document::Message(message) = polling else {
        panic!("no message")
    };
    assert_eq!(
        message.transactions[0].content.as_ref().unwrap().tag(),
        Tag::PollingRequest
    );
}
