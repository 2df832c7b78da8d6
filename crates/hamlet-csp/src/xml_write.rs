//! Writing XML: one line, no prefixes, no white space between elements (csp-access 1.1).

use crate::document::WriteOptions;
use crate::elements::Tag;
use crate::extension::{Extension, ExtensionNode};
use crate::leaf::ContentData;
use crate::sink::Sink;
use crate::version::{Namespace, Version};
use crate::written::{Form, Written};
use base64::Engine;

pub(crate) struct XmlSink {
    out: String,
    version: Version,
    all_children: bool,
}

impl XmlSink {
    pub(crate) fn new(version: Version, root: Tag, options: &WriteOptions) -> Self {
        let mut out = String::with_capacity(1024);
        if options.doctype {
            out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE ");
            out.push_str(root.name());
            out.push_str(" PUBLIC \"");
            out.push_str(version.public_id_text());
            out.push_str("\" \"");
            out.push_str(version.system_id());
            out.push_str("\">");
        }
        Self {
            out,
            version,
            all_children: options.all_children,
        }
    }

    /// For a part of a document.
    pub(crate) fn part(version: Version, options: &WriteOptions) -> Self {
        Self {
            out: String::with_capacity(512),
            version,
            all_children: options.all_children,
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.out
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out.into_bytes()
    }
}

impl Sink for XmlSink {
    fn version(&self) -> Version {
        self.version
    }

    fn shape(&self) -> Option<Version> {
        (!self.all_children).then_some(self.version)
    }

    fn start(&mut self, tag: Tag) {
        self.out.push('<');
        self.out.push_str(tag.name());
        self.out.push('>');
    }

    fn start_in(&mut self, tag: Tag, namespace: Namespace) {
        self.out.push('<');
        self.out.push_str(tag.name());
        self.out.push_str(" xmlns=\"");
        self.out.push_str(self.version.namespace_prefix(namespace));
        self.out.push_str(self.version.as_str());
        self.out.push_str("\">");
    }

    /// `<X></X>` becomes `<X/>`.
    fn end(&mut self, tag: Tag) {
        let name = tag.name();
        let opened = self
            .out
            .len()
            .checked_sub(name.len() + 2)
            .is_some_and(|at| {
                self.out.as_bytes()[at] == b'<'
                    && &self.out[at + 1..at + 1 + name.len()] == name
                    && self.out.ends_with('>')
            });
        if opened {
            self.out.pop();
            self.out.push_str("/>");
        } else {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
    }

    fn empty(&mut self, tag: Tag) {
        self.out.push('<');
        self.out.push_str(tag.name());
        self.out.push_str("/>");
    }

    fn text(&mut self, tag: Tag, text: &str) {
        if text.is_empty() {
            return self.empty(tag);
        }
        self.start(tag);
        escape(&mut self.out, text);
        self.out.push_str("</");
        self.out.push_str(tag.name());
        self.out.push('>');
    }

    fn token(&mut self, tag: Tag, text: &str) {
        // The property is `Accesstype` in the XML of 1.1 and 1.2, `AccessType` from 1.3 on (data-types 4).
        if tag == Tag::Name && text.eq_ignore_ascii_case("AccessType") {
            let spelling = if self.version == Version::V1_3 {
                "AccessType"
            } else {
                "Accesstype"
            };
            return self.text(tag, spelling);
        }
        self.text(tag, text);
    }

    fn boolean(&mut self, tag: Tag, value: bool) {
        self.text(tag, if value { "T" } else { "F" });
    }

    fn integer(&mut self, tag: Tag, value: u32) {
        let digits = compact_str::format_compact!("{value}");
        self.text(tag, &digits);
    }

    fn content(&mut self, tag: Tag, data: &ContentData) {
        match data {
            ContentData::Text(text) => self.text(tag, text),
            ContentData::Octets(octets) => {
                let text = base64::engine::general_purpose::STANDARD.encode(octets);
                self.text(tag, &text);
            }
        }
    }

    fn octets(&mut self, tag: Tag, octets: &[u8]) {
        let text = base64::engine::general_purpose::STANDARD.encode(octets);
        self.text(tag, &text);
    }

    fn written(&mut self, written: &Written) {
        if let Form::Xml(text) = &written.form {
            self.out.push_str(text);
        }
    }

    fn extension(&mut self, tag: Tag, extension: &Extension) {
        write_element(
            &mut self.out,
            tag.name(),
            extension.namespace.as_deref(),
            &extension.nodes,
        );
    }

    fn foreign(&mut self, nodes: &[ExtensionNode]) {
        write_nodes(&mut self.out, nodes);
    }
}

pub(crate) fn write_nodes(out: &mut String, nodes: &[ExtensionNode]) {
    for node in nodes {
        match node {
            ExtensionNode::Text(text) => escape(out, text),
            ExtensionNode::Element {
                name,
                namespace,
                nodes,
            } => write_element(out, name, namespace.as_deref(), nodes),
        }
    }
}

fn write_element(out: &mut String, name: &str, namespace: Option<&str>, nodes: &[ExtensionNode]) {
    out.push('<');
    out.push_str(name);
    if let Some(namespace) = namespace {
        out.push_str(" xmlns=\"");
        escape(out, namespace);
        out.push('"');
    }
    if nodes.is_empty() {
        return out.push_str("/>");
    }
    out.push('>');
    write_nodes(out, nodes);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// The five predefined entities; a carriage return as a reference, so that it survives;
/// characters that XML cannot hold become U+FFFD.
fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| {
        matches!(
            c,
            '&' | '<' | '>' | '"' | '\'' | '\r' | '\u{FFFE}' | '\u{FFFF}'
        ) || (c < ' ' && c != '\t' && c != '\n')
    }) {
        out.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        match chars.next() {
            Some('&') => out.push_str("&amp;"),
            Some('<') => out.push_str("&lt;"),
            Some('>') => out.push_str("&gt;"),
            Some('"') => out.push_str("&quot;"),
            Some('\'') => out.push_str("&apos;"),
            Some('\r') => out.push_str("&#13;"),
            _ => out.push('\u{FFFD}'),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}
