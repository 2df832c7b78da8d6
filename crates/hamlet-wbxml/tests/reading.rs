//! The reader on documents made octet by octet: every token, every error, every bound
//! (docs/protocol/wbxml.md 1-5).

use hamlet_wbxml::{AttributeName, Charset, Error, Event, Limits, PublicId, Reader, TagName};
use std::borrow::Cow;

/// The events of a document as one line: `page:token` or `name` for elements, `/` for ends.
fn events(octets: &[u8], limits: Limits) -> Result<String, Error> {
    let mut reader = Reader::new(octets, limits)?;
    let mut out: Vec<String> = Vec::new();
    while let Some(event) = reader.next()? {
        out.push(match event {
            Event::Start { name, .. } => match name {
                TagName::Token { page, token } => format!("<{page:x}:{token:x}"),
                TagName::Literal(name) => format!("<{name}"),
            },
            Event::Attribute(AttributeName::Token { page, token }) => {
                format!("@{page:x}:{token:x}")
            }
            Event::Attribute(AttributeName::Literal(name)) => format!("@{name}"),
            Event::AttributeValue { page, token } => format!("={page:x}:{token:x}"),
            Event::EndAttributes => ">".into(),
            Event::Text(text) => format!("'{text}'"),
            Event::ExtT(n, index) => format!("T{n}({index:x})"),
            Event::ExtI(n, text) => format!("I{n}({text})"),
            Event::Ext(n) => format!("E{n}"),
            Event::Opaque(octets) => format!("#{octets:x?}"),
            Event::End => "/".into(),
        });
    }
    Ok(out.join(" "))
}

fn document(body: &[u8]) -> Vec<u8> {
    [&[0x03, 0x10, 0x6A, 0x00], body].concat()
}

fn read(body: &[u8]) -> Result<String, Error> {
    events(&document(body), Limits::default())
}

#[test]
fn every_token_is_read() {
    for (what, body, expected) in [
        ("an empty root", &[0x05][..], "<0:5 /"),
        ("a root with nothing inside", &[0x45, 0x01], "<0:5 /"),
        (
            "children and text",
            &[0x45, 0x06, 0x47, 0x03, b'h', b'i', 0, 0x01, 0x01],
            "<0:5 <0:6 / <0:7 'hi' / /",
        ),
        (
            "a page stays until the next switch",
            &[0x45, 0x00, 0x0A, 0x46, 0x01, 0x07, 0x01],
            "<0:5 <a:6 / <a:7 / /",
        ),
        (
            "switches in a row, before an end and before a text",
            &[
                0x45, 0x00, 0x01, 0x00, 0x02, 0x03, b'x', 0, 0x00, 0x00, 0x01,
            ],
            "<0:5 'x' /",
        ),
        (
            "attributes have a page of their own",
            &[
                0x85, 0x00, 0x04, 0x06, 0x03, b'1', 0, 0x86, 0x00, 0x00, 0x07, 0x01,
            ],
            "<0:5 @4:6 '1' =4:86 @0:7 > /",
        ),
        (
            "attributes, then content",
            &[0xC5, 0x08, 0x01, 0x06, 0x01],
            "<0:5 @0:8 > <0:6 / /",
        ),
        (
            "an entity, also one that is no character",
            &[0x45, 0x02, 0x81, 0x20, 0x02, 0x83, 0xB0, 0x00, 0x01],
            "<0:5 '\u{A0}' '\u{FFFD}' /",
        ),
        (
            "opaque octets, also none",
            &[0x45, 0xC3, 0x02, 0x00, 0xFF, 0xC3, 0x00, 0x01],
            "<0:5 #[0, ff] #[] /",
        ),
        (
            "the three kinds of extensions",
            &[0x45, 0x80, 0x81, 0x25, 0x42, b'a', 0, 0xC1, 0x01],
            "<0:5 T0(a5) I2(a) E1 /",
        ),
        (
            "processing instructions are passed over",
            &[
                0x43, 0x05, 0x03, b'x', 0, 0x85, 0x01, 0x45, 0x43, 0x04, 0x00, 0x01, 0x01,
            ],
            "<0:5 /",
        ),
        (
            "octets behind the end are no part of it",
            &[0x05, 0xFF, 0xFF],
            "<0:5 /",
        ),
    ] {
        assert_eq!(read(body).as_deref(), Ok(expected), "{what}");
    }
}

#[test]
fn the_string_table_gives_names_texts_and_the_public_identifier() {
    let table = b"-//X//EN\0xmlns\0Note\0tail";
    let mut octets = vec![0x03, 0x00, 0x00, 0x6A, table.len() as u8];
    octets.extend(table);
    // Literal root with an attribute and content: a text from the middle of an entry, and
    // the last entry, which has no terminator.
    octets.extend([
        0xC4, 0x0F, 0x04, 0x09, 0x83, 0x04, 0x01, 0x83, 0x14, 0x04, 0x0F, 0x01,
    ]);
    let reader = Reader::new(&octets, Limits::default()).unwrap();
    assert_eq!(
        reader.header().public_id,
        PublicId::Text(Cow::Borrowed("-//X//EN"))
    );
    assert_eq!(
        events(&octets, Limits::default()).as_deref(),
        Ok("<Note @xmlns '//EN' > 'tail' <Note / /")
    );
}

#[test]
fn the_header_names_version_public_identifier_and_charset() {
    for (head, version, public_id, charset) in [
        (&[0x01, 0x10, 0x6A, 0x00][..], 1, 0x10, Charset::Utf8),
        (&[0x02, 0x01, 0x03, 0x00], 2, 1, Charset::UsAscii),
        (&[0x03, 0x12, 0x04, 0x00], 3, 0x12, Charset::Latin1),
        (
            &[0x03, 0x81, 0x00, 0x87, 0x77, 0x00],
            3,
            128,
            Charset::Utf16Be,
        ),
        (&[0x03, 0x11, 0x87, 0x76, 0x00], 3, 0x11, Charset::Utf16Le),
        (&[0x03, 0x11, 0x87, 0x75, 0x00], 3, 0x11, Charset::Utf16Be),
        (&[0x03, 0x11, 0x87, 0x68, 0x00], 3, 0x11, Charset::Utf16Be),
        (&[0x03, 0x11, 0x00, 0x00], 3, 0x11, Charset::Utf8),
    ] {
        let reader = Reader::new(head, Limits::default()).unwrap();
        let header = reader.header();
        assert_eq!(
            (header.version, &header.public_id, header.charset),
            (version, &PublicId::Number(public_id), charset)
        );
    }
    let unnamed = [0x03, 0x11, 0x00, 0x00, 0x45, 0x03, 0xE4, 0x00, 0x01];
    let mut reader =
        Reader::with_charset(&unnamed, Limits::default(), Some(Charset::Latin1)).unwrap();
    reader.next().unwrap();
    assert_eq!(reader.next().unwrap(), Some(Event::Text("ä".into())));
}

#[test]
fn strings_are_read_in_the_charset_of_the_document() {
    for (charset, text) in [
        (&[0x6A][..], &b"\xC3\xA4\0"[..]),
        (&[0x04], b"\xE4\0"),
        (&[0x87, 0x75], b"\x00\xE4\0\0"),
        (&[0x87, 0x76], b"\xE4\x00\0\0"),
    ] {
        let octets = [&[0x03, 0x10], charset, &[0x00, 0x45, 0x03], text, &[0x01]].concat();
        assert_eq!(
            events(&octets, Limits::default()).as_deref(),
            Ok("<0:5 'ä' /"),
            "{charset:02X?}"
        );
    }
}

#[test]
fn every_error_says_what_and_where() {
    for (what, octets, error) in [
        ("nothing", &[][..], Error::Truncated { at: 0 }),
        ("WBXML 1.0", &[0x00], Error::Version { octet: 0 }),
        ("WBXML 1.4", &[0x04], Error::Version { octet: 4 }),
        ("half a header", &[0x03, 0x10], Error::Truncated { at: 2 }),
        (
            "an unknown charset",
            &[0x03, 0x10, 0x11, 0x00],
            Error::Charset { mib: 0x11 },
        ),
        (
            "a table longer than the document",
            &[0x03, 0x10, 0x6A, 0x05, 0x00],
            Error::Truncated { at: 5 },
        ),
        (
            "a public identifier outside the table",
            &[0x03, 0x00, 0x09, 0x6A, 0x01, 0x00],
            Error::StringTable { at: 6, offset: 9 },
        ),
        (
            "a number of six octets",
            &[0x03, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
            Error::Number { at: 1 },
        ),
        (
            "a number above 32 bits",
            &[0x03, 0x90, 0x80, 0x80, 0x80, 0x00],
            Error::Number { at: 1 },
        ),
        (
            "a number that is cut off",
            &[0x03, 0x90, 0x80],
            Error::Truncated { at: 3 },
        ),
        ("no body", &document(&[]), Error::Truncated { at: 4 }),
        ("no end", &document(&[0x45]), Error::Truncated { at: 5 }),
        (
            "a page switch without a page",
            &document(&[0x45, 0x00]),
            Error::Truncated { at: 6 },
        ),
        (
            "an end before the root",
            &document(&[0x01]),
            Error::Misplaced { at: 4, octet: 0x01 },
        ),
        (
            "a text before the root",
            &document(&[0x03, 0x00]),
            Error::Misplaced { at: 4, octet: 0x03 },
        ),
        (
            "a string without its end",
            &document(&[0x45, 0x03, b'x']),
            Error::Truncated { at: 7 },
        ),
        (
            "opaque octets that are cut off",
            &document(&[0x45, 0xC3, 0x05, 0x00]),
            Error::Truncated { at: 8 },
        ),
        (
            "a length near the end of what can be counted",
            &document(&[0x45, 0xC3, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F]),
            Error::TooLong { at: 5 },
        ),
        (
            "a text outside the table",
            &document(&[0x45, 0x83, 0x00, 0x01]),
            Error::StringTable { at: 7, offset: 0 },
        ),
        (
            "an extension token that does not exist",
            &document(&[0x45, 0xC4]),
            Error::Truncated { at: 6 },
        ),
        (
            "attributes without an end",
            &document(&[0x85, 0x05]),
            Error::Truncated { at: 6 },
        ),
        (
            "a processing instruction without an end",
            &document(&[0x43, 0x05]),
            Error::Truncated { at: 6 },
        ),
        (
            "a reserved token in a list of attributes",
            &document(&[0x85, 0x44]),
            Error::Misplaced { at: 5, octet: 0x44 },
        ),
    ] {
        assert_eq!(
            events(octets, Limits::default()),
            Err(error),
            "{what}: {error}"
        );
    }
}

#[test]
fn the_bounds_hold_to_the_octet() {
    let limits = Limits {
        depth: 3,
        string_table: 4,
        text: 2,
        table_references: 6,
    };
    let headed =
        |table: &[u8], body: &[u8]| [&[0x03, 0x10, 0x6A, table.len() as u8], table, body].concat();
    for (what, octets, fits) in [
        (
            "depth 3",
            headed(b"", &[0x45, 0x45, 0x05, 0x01, 0x01]),
            true,
        ),
        ("depth 4", headed(b"", &[0x45, 0x45, 0x45, 0x05]), false),
        ("a table of 4", headed(b"abc\0", &[0x05]), true),
        ("a table of 5", headed(b"abcd\0", &[0x05]), false),
        (
            "a string of 2",
            headed(b"", &[0x45, 0x03, 1, 1, 0, 0x01]),
            true,
        ),
        (
            "a string of 3",
            headed(b"", &[0x45, 0x03, 1, 1, 1, 0, 0x01]),
            false,
        ),
        ("opaque 2", headed(b"", &[0x45, 0xC3, 2, 1, 1, 0x01]), true),
        ("opaque 3", headed(b"", &[0x45, 0xC3, 3, 1, 1, 1]), false),
        (
            "references to 6 octets",
            headed(b"abc\0", &[0x45, 0x83, 0, 0x83, 0, 0x01]),
            true,
        ),
        (
            "references to 7 octets",
            headed(b"abc\0", &[0x45, 0x83, 0, 0x83, 0, 0x83, 2, 0x01]),
            false,
        ),
    ] {
        assert_eq!(events(&octets, limits).is_ok(), fits, "{what}");
    }
}

/// 300,000 references to a table of 64 KiB would be 20 GB of text.
#[test]
fn a_short_document_cannot_mean_a_very_long_one() {
    let mut octets = vec![0x03, 0x10, 0x6A, 0x84, 0x80, 0x00];
    octets.extend(vec![b'a'; 65_536]);
    octets.push(0x45);
    octets.extend([0x83, 0x00].repeat(300_000));
    octets.push(0x01);
    assert!(matches!(
        events(&octets, Limits::default()),
        Err(Error::TooLong { .. })
    ));
}
