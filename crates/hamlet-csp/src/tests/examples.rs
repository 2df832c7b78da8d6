//! The messages of docs/protocol/examples-1.3.md.

use crate::elements::Primitive;
use crate::{Decoded, Document, Syntax, Version, WriteOptions, decode, encode};

const EXAMPLES: &str = include_str!("../../../../docs/protocol/examples-1.3.md");

/// Every whole message of the document, and every body put into an envelope of its version:
/// that of the mark it begins with (`<!-- 1.2 -->`, section 24), else 1.3.
pub(crate) fn messages() -> Vec<(String, Version)> {
    let blocks = EXAMPLES.split("```xml\n").skip(1);
    blocks
        .flat_map(|rest| {
            let text = rest.split("```").next().unwrap_or(rest).trim();
            let mark = text
                .strip_prefix("<!--")
                .and_then(|rest| rest.split_once("-->"))
                .and_then(|(mark, _)| Version::parse(mark));
            whole(text, mark.unwrap_or(Version::V1_3))
        })
        .collect()
}

fn whole(text: &str, version: Version) -> Vec<(String, Version)> {
    if text.contains("<WV-CSP-") {
        let root = &text[text.find("<WV-CSP-").unwrap_or(0)..];
        let root = root.split('>').next().unwrap_or(root);
        let found = Version::ALL
            .into_iter()
            .find(|version| root.contains(&version.session_namespace()));
        return vec![(text.to_owned(), found.unwrap_or(version))];
    }
    // A body, or several of them.
    let parsed =
        crate::Extension::from_xml(None, text).unwrap_or_else(|| panic!("not well-formed: {text}"));
    let nodes = parsed
        .nodes
        .into_iter()
        .filter(|node| matches!(node, crate::ExtensionNode::Element { .. }));
    nodes
        .map(|node| {
            let body = crate::Extension { namespace: None, nodes: vec![node] }.to_xml();
            let text = format!(
                "<WV-CSP-Message xmlns=\"{}\"><Session><SessionDescriptor><SessionType>Inband</SessionType><SessionID>s</SessionID></SessionDescriptor>\
                 <Transaction><TransactionDescriptor><TransactionMode>Request</TransactionMode><TransactionID>1</TransactionID></TransactionDescriptor>\
                 <TransactionContent xmlns=\"{}\">{body}</TransactionContent></Transaction></Session></WV-CSP-Message>",
                version.session_namespace(),
                version.transaction_namespace(),
            );
            (text, version)
        })
        .collect()
}

/// The names and texts of a document, in order, without white space and attributes: what
/// must not get lost.
fn skeleton(xml: &str) -> String {
    let body = xml.find("<WV-CSP").map_or(xml, |at| &xml[at..]);
    let parsed =
        crate::Extension::from_xml(None, body).unwrap_or_else(|| panic!("not well-formed: {xml}"));
    fn walk(nodes: &[crate::ExtensionNode], out: &mut String) {
        for node in nodes {
            match node {
                crate::ExtensionNode::Text(text) => out.push_str(text.trim()),
                crate::ExtensionNode::Element { name, nodes, .. } => {
                    out.push_str(&format!("({name} "));
                    walk(nodes, out);
                    out.push(')');
                }
            }
        }
    }
    let mut out = String::new();
    walk(&parsed.nodes, &mut out);
    out
}

#[test]
fn every_example_survives_both_syntaxes_without_loss() {
    let messages = messages();
    assert!(messages.len() >= 150, "{} examples found", messages.len());
    for (text, version) in messages {
        let Decoded {
            document,
            version: read,
            ..
        } = decode(text.as_bytes(), Syntax::Xml).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, Some(version), "{text}");
        if let Document::Message(message) = &document {
            for transaction in &message.transactions {
                let primitive: &Primitive = transaction
                    .content
                    .as_ref()
                    .unwrap_or_else(|error| panic!("{error}\n{text}"));
                primitive
                    .check(version)
                    .unwrap_or_else(|missing| panic!("{missing}\n{text}"));
            }
        }
        let wbxml = encode(&document, Syntax::Wbxml, version, &WriteOptions::default());
        let back = decode(&wbxml, Syntax::Wbxml).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(
            (&back.document, back.version),
            (&document, Some(version)),
            "{text}"
        );
        let xml = String::from_utf8(encode(
            &back.document,
            Syntax::Xml,
            version,
            &WriteOptions::default(),
        ))
        .unwrap();
        assert_eq!(skeleton(&xml), skeleton(&text));
    }
}
