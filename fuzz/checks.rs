//! What must hold for any octets. The fuzz targets run these on what they invent, and an
//! ordinary test of hamlet-csp (`tests/fuzz_inputs.rs`) on `seeds/` and `findings/`.

use hamlet_csp::{Document, Syntax, Version, WriteOptions, decode, decode_with_charset, encode};
use hamlet_wbxml::{Charset, Event, Limits, Reader};

/// The reader ends, keeps its bounds, and invents no text.
pub fn wbxml_reader(octets: &[u8]) {
    let tight = Limits {
        depth: 4,
        string_table: 32,
        text: 64,
        table_references: 128,
    };
    for (limits, charset) in [
        (Limits::default(), None),
        (tight, Some(Charset::Latin1)),
        (tight, Some(Charset::Utf16Le)),
    ] {
        let Ok(mut reader) = Reader::with_charset(octets, limits, charset) else {
            continue;
        };
        let (mut depth, mut events, mut text) = (0u16, 0, 0);
        while let Ok(Some(event)) = reader.next() {
            events += 1;
            match event {
                Event::Start { .. } => depth += 1,
                Event::End => depth = depth.checked_sub(1).expect("an end without a start"),
                Event::Text(part) | Event::ExtI(_, part) => text += part.len(),
                Event::Opaque(part) => assert!(part.len() <= limits.text),
                _ => {}
            }
            assert!(depth <= limits.depth);
        }
        assert!(events <= 2 * octets.len(), "more events than octets");
        // An octet can become U+FFFD, which has three.
        assert!(text <= 3 * (octets.len() + limits.table_references));
    }
}

/// XML in any encoding is read or refused; what is read survives being written.
pub fn xml_read(octets: &[u8]) {
    for charset in [None, Some("iso-8859-1"), Some("utf-16")] {
        if let Ok(decoded) = decode_with_charset(octets, Syntax::Xml, charset) {
            survives(decoded.document, decoded.version, Syntax::Xml);
        }
    }
}

/// A message in either syntax: what is read survives being written.
pub fn envelope(octets: &[u8]) {
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        match decode(octets, syntax) {
            Ok(decoded) => survives(decoded.document, decoded.version, syntax),
            Err(error) => assert!(error.to_string().len() < 2000),
        }
    }
}

/// Written in the syntax in which it was read it is read as the same. In the other syntax it
/// is read as something that then stays the same (XML cannot hold every character, and in
/// WBXML a text that is `http://` may come back in two parts).
fn survives(mut document: Document, version: Option<Version>, syntax: Syntax) {
    // What could not be read is not written.
    if let Document::Message(message) = &mut document {
        message
            .transactions
            .retain(|transaction| transaction.content.is_ok());
    }
    let version = version.unwrap_or(Version::V1_2);
    let all = WriteOptions {
        all_children: true,
        ..WriteOptions::default()
    };
    let again = |document: &Document, syntax| {
        let octets = encode(document, syntax, version, &all);
        match decode(&octets, syntax) {
            Ok(decoded) => decoded.document,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&octets)),
        }
    };
    assert_eq!(again(&document, syntax), document);
    for other in [Syntax::Xml, Syntax::Wbxml] {
        let once = again(&document, other);
        assert_eq!(again(&once, other), once);
    }
    for version in Version::ALL {
        let options = WriteOptions {
            doctype: true,
            no_text_end_at_multiple_of: Some(64),
            escape_texts: true,
            all_children: false,
        };
        for syntax in [Syntax::Xml, Syntax::Wbxml] {
            let octets = encode(&document, syntax, version, &options);
            decode(&octets, syntax).expect("what was written for a version can be read");
        }
    }
}
