//! What the writer writes the reader reads; what the reader is given it survives.

use hamlet_wbxml::{AttributeName, Event, Limits, PublicId, Reader, TagName, Writer};
use proptest::prelude::*;

/// Page and token, or a name.
type Name = Result<(u8, u8), String>;

#[derive(Debug, Clone)]
enum Node {
    Text(String),
    Value(u32),
    Octets(Vec<u8>),
    Character(char),
    Element {
        name: Name,
        attributes: Vec<(Name, String)>,
        nodes: Vec<Node>,
    },
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        4 => (0u8..4, 0x05u8..0x40).prop_map(Ok),
        1 => "[A-Za-z][A-Za-z0-9-]{0,8}".prop_map(Err),
    ]
}

fn text() -> impl Strategy<Value = String> {
    "[^\0]{1,20}"
}

fn element() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        text().prop_map(Node::Text),
        any::<u32>().prop_map(Node::Value),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Node::Octets),
        any::<char>()
            .prop_filter("NUL", |c| *c != '\0')
            .prop_map(Node::Character),
    ];
    let node = leaf.prop_recursive(5, 64, 6, |inner| {
        (
            name(),
            proptest::collection::vec((name(), text()), 0..3),
            proptest::collection::vec(inner, 0..6),
        )
            .prop_map(|(name, attributes, nodes)| Node::Element {
                name,
                attributes,
                nodes,
            })
    });
    (name(), proptest::collection::vec(node, 0..6)).prop_map(|(name, nodes)| Node::Element {
        name,
        attributes: Vec::new(),
        nodes,
    })
}

fn write(node: &Node, writer: &mut Writer) {
    match node {
        Node::Text(text) => writer.text(text),
        Node::Value(index) => writer.ext_t(0, *index),
        Node::Octets(octets) => writer.opaque(octets),
        Node::Character(c) => writer.entity(*c),
        Node::Element {
            name,
            attributes,
            nodes,
        } => {
            let (with, content) = (!attributes.is_empty(), !nodes.is_empty());
            match name {
                Ok((page, token)) => writer.start(*page, *token, with, content),
                Err(name) => writer.start_literal(name, with, content),
            }
            for (name, value) in attributes {
                match name {
                    Ok((page, token)) => writer.attribute(*page, *token),
                    Err(name) => writer.attribute_literal(name),
                }
                writer.text(value);
            }
            if with {
                writer.end_attributes();
            }
            nodes.iter().for_each(|node| write(node, writer));
            if content {
                writer.end();
            }
        }
    }
}

/// The events that a node should be read as.
fn expected(node: &Node, out: &mut Vec<Event<'static>>) {
    match node {
        Node::Text(text) => out.push(Event::Text(text.clone().into())),
        Node::Value(index) => out.push(Event::ExtT(0, *index)),
        Node::Octets(octets) => out.push(Event::Opaque(octets.clone().leak())),
        Node::Character(c) => out.push(Event::Text(c.to_string().into())),
        Node::Element {
            name,
            attributes,
            nodes,
        } => {
            let (with, content) = (!attributes.is_empty(), !nodes.is_empty());
            out.push(Event::Start {
                name: match name {
                    Ok((page, token)) => TagName::Token {
                        page: *page,
                        token: *token,
                    },
                    Err(name) => TagName::Literal(name.clone().into()),
                },
                attributes: with,
                content,
            });
            for (name, value) in attributes {
                out.push(Event::Attribute(match name {
                    Ok((page, token)) => AttributeName::Token {
                        page: *page,
                        token: *token,
                    },
                    Err(name) => AttributeName::Literal(name.clone().into()),
                }));
                out.push(Event::Text(value.clone().into()));
            }
            if with {
                out.push(Event::EndAttributes);
            }
            nodes.iter().for_each(|node| expected(node, out));
            out.push(Event::End);
        }
    }
}

fn read(octets: &[u8]) -> Vec<Event<'_>> {
    let mut reader = Reader::new(octets, Limits::default()).unwrap();
    assert_eq!(reader.header().public_id, PublicId::Number(0x12));
    let mut events = Vec::new();
    while let Some(event) = reader.next().unwrap() {
        events.push(event);
    }
    assert_eq!(reader.offset(), octets.len());
    events
}

proptest! {
    #[test]
    fn every_document_is_read_as_it_was_written(root in element()) {
        let mut events = Vec::new();
        expected(&root, &mut events);
        for boundary in [None, Some(16), Some(1024)] {
            let mut writer = Writer::new(0x12);
            write(&root, &mut writer);
            let octets = match boundary {
                None => writer.finish(),
                Some(boundary) => writer.finish_avoiding(boundary),
            };
            prop_assert_eq!(&read(&octets), &events);
        }
    }

    /// No panic, no end without a start, no more events than octets, no more text than the
    /// document and the references into its table hold.
    #[test]
    fn arbitrary_octets_are_survived(octets in proptest::collection::vec(any::<u8>(), 0..300), headed: bool) {
        let octets = if headed { [&[0x03, 0x12, 0x6A, 0x03, b'a', b'b', 0][..], &octets].concat() } else { octets };
        let limits = Limits { depth: 5, string_table: 64, text: 32, table_references: 64 };
        let Ok(mut reader) = Reader::new(&octets, limits) else { return Ok(()) };
        let (mut depth, mut events, mut text) = (0i32, 0, 0);
        while let Ok(Some(event)) = reader.next() {
            events += 1;
            match event {
                Event::Start { .. } => depth += 1,
                Event::End => depth -= 1,
                Event::Text(part) => text += part.len(),
                _ => {}
            }
            prop_assert!((0..=5).contains(&depth));
        }
        prop_assert!(events <= 2 * octets.len());
        prop_assert!(text <= 3 * (octets.len() + 64));
    }
}

#[test]
fn a_text_that_ends_at_a_boundary_is_moved() {
    let document = |padding: usize, boundary: Option<usize>| {
        let mut writer = Writer::new(0x11);
        writer.start(0, 0x05, false, true);
        writer.text(&"x".repeat(padding));
        writer.end();
        match boundary {
            None => writer.finish(),
            Some(boundary) => writer.finish_avoiding(boundary),
        }
    };
    // Header of 4, start of 1, STR_I, the text and its terminator: it ends at offset 64.
    let plain = document(57, None);
    assert_eq!(plain.len(), 65);
    assert_eq!(plain[63], 0);
    let moved = document(57, Some(64));
    assert_eq!(&moved[..6], &[0x03, 0x11, 0x6A, 0x02, 0x00, 0x00]);
    assert_eq!(&moved[6..], &plain[4..]);
    assert_eq!(document(56, Some(64)), document(56, None));
    // Texts at every offset cannot all be moved away.
    let mut writer = Writer::new(0x11);
    writer.start(0, 0x05, false, true);
    (0..8).for_each(|_| writer.ext_t(0, 1));
    writer.end();
    assert_eq!(writer.finish_avoiding(2)[3], 0);
}

#[test]
fn a_text_with_a_nul_goes_out_as_octets() {
    let mut writer = Writer::new(0x12);
    writer.start(0, 0x05, false, true);
    writer.text("a\0b");
    writer.end();
    let octets = writer.finish();
    assert_eq!(read(&octets)[1], Event::Opaque(b"a\0b"));
}

/// A name is found again at once, however many there are.
#[test]
fn a_hundred_thousand_names_are_written_in_one_go() {
    let mut writer = Writer::new(0x12);
    writer.start(0, 0x05, false, true);
    for n in 0..100_000 {
        writer.start_literal(&format!("name-{n}"), false, false);
        writer.start_literal("name-0", false, false);
    }
    writer.end();
    let table: usize = (0..100_000).map(|n| format!("name-{n}").len() + 1).sum();
    let octets = writer.finish();
    assert!(octets.len() > table && octets.len() < table + 1_000_000);
}
