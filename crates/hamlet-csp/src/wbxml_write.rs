//! Writing WBXML by the encoder profile of wbxml 6.

use crate::document::WriteOptions;
use crate::elements::{Tag, VALUE_INDEXES};
use crate::extension::{Extension, ExtensionNode};
use crate::leaf::ContentData;
use crate::sink::Sink;
use crate::version::{NAMESPACE_PREFIXES, Namespace, Version};
use crate::written::{Form, Written};
use base64::Engine;
use hamlet_wbxml::{Writer, integer_octets};
use std::borrow::Cow;

pub(crate) struct WbxmlSink<'o> {
    writer: Writer,
    version: Version,
    options: &'o WriteOptions,
    /// An element whose content is not known to be there yet.
    pending: Option<(Tag, Option<Namespace>)>,
}

impl<'o> WbxmlSink<'o> {
    pub(crate) fn new(version: Version, options: &'o WriteOptions) -> Self {
        Self {
            writer: Writer::new(version.public_id()),
            version,
            options,
            pending: None,
        }
    }

    /// For a part of a document, at a place where this tag page is in force.
    pub(crate) fn part(version: Version, options: &'o WriteOptions, tag_page: u8) -> Self {
        Self {
            writer: Writer::part(tag_page),
            version,
            options,
            pending: None,
        }
    }

    pub(crate) fn into_part(self, tag_page: u8) -> Option<hamlet_wbxml::Part> {
        self.writer.into_part(tag_page)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self.options.no_text_end_at_multiple_of {
            Some(boundary) => self.writer.finish_avoiding(boundary),
            None => self.writer.finish(),
        }
    }

    /// Writes the pending start.
    fn flush(&mut self, content: bool) {
        let Some((tag, namespace)) = self.pending.take() else {
            return;
        };
        self.open(tag, namespace.is_some(), content);
        if let Some(namespace) = namespace {
            let token = 5 + self.version.index() as u8 * 3 + namespace as u8;
            self.writer.attribute(0, token);
            self.writer.text(self.version.as_str());
            self.writer.end_attributes();
        }
    }

    fn open(&mut self, tag: Tag, attributes: bool, content: bool) {
        // What the version does not have and gets all the same has the token that it had before,
        // unless that means something else now (wbxml 3: such tokens are understood).
        let earlier = || {
            let token = tag
                .token(Version::V1_2)
                .filter(|_| self.options.all_children)?;
            let means = Tag::from_token(self.version, token.0, token.1);
            (means == Some(tag)).then_some(token)
        };
        match tag.token(self.version).or_else(earlier) {
            Some((page, token)) => self.writer.start(page, token, attributes, content),
            None => self.writer.start_literal(tag.name(), attributes, content),
        }
    }

    fn leaf(&mut self, tag: Tag) {
        self.flush(true);
        self.open(tag, false, true);
    }

    /// The index of a text in this version's table (wbxml 5.6).
    fn value_index(&self, tag: Tag, text: &str) -> Option<u32> {
        let presence = matches!(tag, Tag::Cap | Tag::PrefC);
        match (text, presence) {
            ("IM", true) if self.version == Version::V1_1 => return Some(0x68),
            ("SMS", true) => return Some(0x75),
            _ if tag == Tag::Name && text.eq_ignore_ascii_case("AccessType") => return Some(0),
            _ => {}
        }
        VALUE_INDEXES
            .get(text)
            .map(|indexes| indexes[self.version.index()])
            .filter(|index| *index != u16::MAX)
            .map(u32::from)
    }

    /// Texts for a client that un-escapes what it decodes (clients S60-20): entities are
    /// put in wherever the text holds something that looks like one.
    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.options.escape_texts && looks_escaped(text) {
            Cow::Owned(
                text.replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;"),
            )
        } else {
            Cow::Borrowed(text)
        }
    }

    fn nodes(&mut self, nodes: &[ExtensionNode]) {
        for node in nodes {
            match node {
                ExtensionNode::Text(text) => self.writer.text(text),
                ExtensionNode::Element {
                    name,
                    namespace,
                    nodes,
                } => {
                    let (attributes, content) = (namespace.is_some(), !nodes.is_empty());
                    match Tag::from_name(name).and_then(|tag| tag.token(self.version)) {
                        Some((page, token)) => self.writer.start(page, token, attributes, content),
                        None => self.writer.start_literal(name, attributes, content),
                    }
                    self.foreign_namespace(namespace.as_deref());
                    self.nodes(nodes);
                    if content {
                        self.writer.end();
                    }
                }
            }
        }
    }

    fn foreign_namespace(&mut self, namespace: Option<&str>) {
        let Some(namespace) = namespace else { return };
        let known = NAMESPACE_PREFIXES
            .iter()
            .take(3 * (self.version.index() + 1))
            .position(|prefix| namespace.starts_with(prefix));
        match known {
            Some(at) => {
                self.writer.attribute(0, 5 + at as u8);
                self.writer.text(&namespace[NAMESPACE_PREFIXES[at].len()..]);
            }
            None => {
                self.writer.attribute_literal("xmlns");
                self.writer.text(namespace);
            }
        }
        self.writer.end_attributes();
    }
}

/// Whether an `&` in the text begins an entity or a character reference.
pub(crate) fn looks_escaped(text: &str) -> bool {
    text.match_indices('&')
        .any(|(at, _)| is_reference(&text[at..]))
}

/// Whether the text begins with one of the five entities or a character reference.
pub(crate) fn is_reference(text: &str) -> bool {
    let Some(end) = text.bytes().take(12).position(|octet| octet == b';') else {
        return false;
    };
    match &text[1..end] {
        "amp" | "lt" | "gt" | "quot" | "apos" => true,
        name => {
            name.strip_prefix('#')
                .is_some_and(|number| match number.strip_prefix(['x', 'X']) {
                    Some(hex) => !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()),
                    None => !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()),
                })
        }
    }
}

impl Sink for WbxmlSink<'_> {
    fn version(&self) -> Version {
        self.version
    }

    fn shape(&self) -> Option<Version> {
        (!self.options.all_children).then_some(self.version)
    }

    fn start(&mut self, tag: Tag) {
        self.flush(true);
        self.pending = Some((tag, None));
    }

    fn start_in(&mut self, tag: Tag, namespace: Namespace) {
        self.flush(true);
        self.pending = Some((tag, Some(namespace)));
    }

    fn end(&mut self, _tag: Tag) {
        if self.pending.is_some() {
            self.flush(false);
        } else {
            self.writer.end();
        }
    }

    fn empty(&mut self, tag: Tag) {
        self.flush(true);
        self.open(tag, false, false);
    }

    fn text(&mut self, tag: Tag, text: &str) {
        if text.is_empty() {
            return self.empty(tag);
        }
        let shown = self.shown(text);
        self.leaf(tag);
        self.writer.text(&shown);
        self.writer.end();
    }

    fn token(&mut self, tag: Tag, text: &str) {
        match self.value_index(tag, text) {
            Some(index) => {
                self.leaf(tag);
                self.writer.ext_t(0, index);
                self.writer.end();
            }
            None => self.text(tag, text),
        }
    }

    fn boolean(&mut self, tag: Tag, value: bool) {
        self.leaf(tag);
        self.writer.ext_t(0, if value { 0x2C } else { 0x0B });
        self.writer.end();
    }

    fn integer(&mut self, tag: Tag, value: u32) {
        self.leaf(tag);
        let (octets, length) = integer_octets(value);
        self.writer.opaque(&octets[4 - length..]);
        self.writer.end();
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
        if octets.is_empty() {
            return self.empty(tag);
        }
        self.leaf(tag);
        self.writer.opaque(octets);
        self.writer.end();
    }

    fn written(&mut self, written: &Written) {
        self.flush(true);
        if let Form::Wbxml(part) = &written.form {
            self.writer.splice(part);
        }
    }

    fn extension(&mut self, tag: Tag, extension: &Extension) {
        self.flush(true);
        let content = !extension.nodes.is_empty();
        self.open(tag, extension.namespace.is_some(), content);
        self.foreign_namespace(extension.namespace.as_deref());
        self.nodes(&extension.nodes);
        if content {
            self.writer.end();
        }
    }

    fn foreign(&mut self, nodes: &[ExtensionNode]) {
        if !nodes.is_empty() {
            self.flush(true);
            self.nodes(nodes);
        }
    }
}
