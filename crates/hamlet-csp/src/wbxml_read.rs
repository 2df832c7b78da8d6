//! Reading WBXML with one token table for all versions (wbxml 1.2, 7).

use crate::Text;
use crate::elements::{Tag, VALUE_TEXTS};
use crate::error::SyntaxError;
use crate::extension::{self, Extension, ExtensionNode, drop_blank};
use crate::source::{Fault, MAX_DEPTH, MAX_ELEMENTS, Raw, Source};
use crate::version::{NAMESPACE_PREFIXES, Version};
use hamlet_model::StatusCode;
use hamlet_wbxml::{AttributeName, Charset, Event, Limits, PublicId, Reader, TagName};
use std::borrow::Cow;

pub(crate) struct WbxmlSource<'a> {
    reader: Reader<'a>,
    version: Version,
    open: Vec<Tag>,
    depth: usize,
    elements: usize,
    /// The element closed last, which a fault is about.
    closed: Option<Tag>,
    unknown: usize,
    stray: String,
    fault: Option<Fault>,
    scratch: String,
    namespace: Option<String>,
}

/// What stands before the root's content.
pub(crate) struct WbxmlRoot {
    pub tag: Option<Tag>,
    pub name: String,
    pub namespace: Option<String>,
    /// The version that the public identifier means.
    pub public_id: Option<Version>,
}

impl<'a> WbxmlSource<'a> {
    /// `charset` is that of the transport, for a document that names none.
    pub(crate) fn new(body: &'a [u8], charset: Option<&str>) -> Result<Self, SyntaxError> {
        let limits = Limits {
            depth: MAX_DEPTH as u16,
            ..Limits::default()
        };
        let charset = charset.and_then(Charset::from_label);
        let reader = Reader::with_charset(body, limits, charset).map_err(|error| SyntaxError {
            what: error.to_string(),
            path: Vec::new(),
        })?;
        Ok(Self {
            reader,
            version: Version::V1_2,
            open: Vec::with_capacity(16),
            depth: 0,
            elements: 0,
            closed: None,
            unknown: 0,
            stray: String::new(),
            fault: None,
            scratch: String::new(),
            namespace: None,
        })
    }

    /// Reads the start of the root with its attributes.
    pub(crate) fn root(&mut self) -> Result<WbxmlRoot, SyntaxError> {
        let public_id = match &self.reader.header().public_id {
            PublicId::Number(number) => Version::from_public_number(*number),
            PublicId::Text(text) => Version::from_public_id(text),
        };
        match self.event()? {
            Event::Start {
                name, attributes, ..
            } => {
                let tag = self.tag_of(&name);
                self.entered(tag)?;
                let namespace = if attributes {
                    self.read_namespace()?
                } else {
                    None
                };
                let name = shown_name(&name, tag);
                Ok(WbxmlRoot {
                    tag,
                    name,
                    namespace,
                    public_id,
                })
            }
            _ => Err(self.syntax("the document does not begin with an element")),
        }
    }

    #[inline]
    fn event(&mut self) -> Result<Event<'a>, SyntaxError> {
        match self.reader.next() {
            Ok(Some(event)) => Ok(event),
            Ok(None) => Err(self.syntax("the document ends")),
            Err(error) => Err(SyntaxError {
                what: error.to_string(),
                path: self.open.clone(),
            }),
        }
    }

    fn syntax(&self, what: &str) -> SyntaxError {
        SyntaxError {
            what: format!("{what} (octet {})", self.reader.offset()),
            path: self.open.clone(),
        }
    }

    #[inline]
    fn tag_of(&self, name: &TagName<'_>) -> Option<Tag> {
        match name {
            TagName::Token { page, token } => Tag::from_token(self.version, *page, *token),
            TagName::Literal(name) => Tag::from_name(name),
        }
    }

    #[inline]
    fn entered(&mut self, tag: Option<Tag>) -> Result<(), SyntaxError> {
        self.depth += 1;
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(self.syntax("too many elements"));
        }
        if let Some(tag) = tag {
            self.open.push(tag);
        }
        Ok(())
    }

    /// The attributes of a start, up to their end: the value of xmlns.
    fn read_namespace(&mut self) -> Result<Option<String>, SyntaxError> {
        let mut namespace: Option<String> = None;
        let mut inside = false;
        loop {
            match self.event()? {
                Event::Attribute(AttributeName::Token {
                    page: 0,
                    token: token @ 5..=13,
                }) => {
                    namespace = Some(NAMESPACE_PREFIXES[usize::from(token) - 5].to_owned());
                    inside = true;
                }
                Event::Attribute(AttributeName::Literal(name)) if name == "xmlns" => {
                    namespace = Some(String::new());
                    inside = true;
                }
                Event::Attribute(_) => inside = false,
                Event::Text(text) => {
                    if let (true, Some(namespace)) = (inside, namespace.as_mut()) {
                        namespace.push_str(&text);
                    }
                }
                Event::EndAttributes => return Ok(namespace),
                _ => {}
            }
        }
    }

    fn skip_attributes(&mut self) -> Result<(), SyntaxError> {
        while !matches!(self.event()?, Event::EndAttributes) {}
        Ok(())
    }

    /// Consumes up to the end of the innermost open element.
    fn skip_to_end(&mut self) -> Result<(), SyntaxError> {
        let target = self.depth - 1;
        while self.depth > target {
            match self.event()? {
                Event::Start { .. } => self.entered(None)?,
                Event::End => self.depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// The text of an EXT_T_0 index inside `tag` (wbxml 5.1); `None` for an unknown one.
    fn value_text(&self, tag: Option<Tag>, index: u32) -> Option<&'static str> {
        match (index, tag) {
            (0x3D, Some(Tag::Name)) => Some("History"),
            (0x68, Some(Tag::InviteType)) => Some("AP"),
            (0x68, Some(Tag::Cap | Tag::PrefC)) => Some("IM"),
            // The privilege level: the token's text is an abbreviation (wbxml 5.6).
            (0x2F, Some(Tag::Value)) => Some("User"),
            _ => *VALUE_TEXTS[self.version.index()].get(index as usize)?,
        }
    }

    fn nodes(&mut self) -> Result<Vec<ExtensionNode>, SyntaxError> {
        let mut nodes = Vec::new();
        let mut text = String::new();
        loop {
            let event = self.event()?;
            match &event {
                Event::Text(part) => text.push_str(part),
                Event::Opaque(octets) => push_octets(&mut text, octets),
                Event::ExtT(0, index) => text.push_str(self.value_text(None, *index).unwrap_or("")),
                _ => {}
            }
            match event {
                Event::Start {
                    name, attributes, ..
                } => {
                    if !text.is_empty() {
                        nodes.push(ExtensionNode::Text(std::mem::take(&mut text)));
                    }
                    let name = shown_name(&name, self.tag_of(&name));
                    self.entered(None)?;
                    let namespace = if attributes {
                        self.read_namespace()?
                    } else {
                        None
                    };
                    let inner = self.nodes()?;
                    nodes.push(ExtensionNode::Element {
                        name,
                        namespace,
                        nodes: inner,
                    });
                }
                Event::End => {
                    self.depth -= 1;
                    if !text.is_empty() {
                        nodes.push(ExtensionNode::Text(text));
                    }
                    drop_blank(&mut nodes);
                    return Ok(nodes);
                }
                _ => {}
            }
        }
    }
}

impl Source for WbxmlSource<'_> {
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn child(&mut self) -> Result<Option<Tag>, SyntaxError> {
        self.stray.clear();
        loop {
            match self.event()? {
                Event::Start {
                    name, attributes, ..
                } => {
                    let tag = self.tag_of(&name);
                    self.entered(tag)?;
                    let Some(tag) = tag else {
                        self.unknown += 1;
                        self.skip_to_end()?;
                        continue;
                    };
                    if attributes {
                        if tag.carries_extension() {
                            self.namespace = self.read_namespace()?;
                        } else {
                            self.skip_attributes()?;
                        }
                    } else {
                        self.namespace = None;
                    }
                    return Ok(Some(tag));
                }
                Event::End => {
                    self.depth -= 1;
                    self.open.pop();
                    return Ok(None);
                }
                Event::Text(text) if !text.trim().is_empty() => self.stray.push_str(text.trim()),
                Event::ExtT(0, index) => {
                    let text = self
                        .value_text(self.open.last().copied(), index)
                        .unwrap_or("");
                    self.stray.push_str(text);
                }
                _ => {}
            }
        }
    }

    fn skip(&mut self) -> Result<(), SyntaxError> {
        self.skip_to_end()?;
        self.open.pop();
        Ok(())
    }

    fn raw(&mut self) -> Result<Raw<'_>, SyntaxError> {
        let mut first: Option<Raw<'_>> = None;
        loop {
            let part: Raw<'_> = match self.event()? {
                Event::Text(text) => Raw::Text(text),
                Event::Opaque(octets) => Raw::Octets(octets),
                Event::ExtT(0, index) => Raw::Text(Cow::Borrowed(
                    self.value_text(self.open.last().copied(), index)
                        .unwrap_or("unknown value token"),
                )),
                Event::Start { .. } => {
                    self.entered(None)?;
                    self.skip_to_end()?;
                    continue;
                }
                Event::End => {
                    self.depth -= 1;
                    self.closed = self.open.pop();
                    return Ok(first.unwrap_or(Raw::Text(Cow::Borrowed(""))));
                }
                _ => continue,
            };
            match first {
                None => first = Some(part),
                Some(start) => {
                    // Several parts: text, whatever they were.
                    self.scratch.clear();
                    push_part(&mut self.scratch, &start);
                    push_part(&mut self.scratch, &part);
                    return self.more_parts();
                }
            }
        }
    }

    fn extension(&mut self) -> Result<Extension, SyntaxError> {
        let namespace = self.namespace.take();
        let nodes = self.nodes()?;
        self.open.pop();
        Ok(Extension { namespace, nodes })
    }

    fn stray(&mut self) -> Option<Text> {
        (!self.stray.is_empty()).then(|| Text::from(self.stray.trim()))
    }

    fn unknown_elements(&self) -> usize {
        self.unknown
    }

    fn fault(&mut self, what: String) {
        if self.fault.is_none() {
            self.fault = Some(Fault {
                what,
                path: self.open.iter().copied().chain(self.closed).collect(),
                status: StatusCode::BAD_PARAMETER,
            });
        }
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }
}

impl WbxmlSource<'_> {
    /// The rest of a text that comes in parts; the beginning is in `scratch`.
    fn more_parts(&mut self) -> Result<Raw<'_>, SyntaxError> {
        loop {
            match self.event()? {
                Event::Text(text) => self.scratch.push_str(&text),
                Event::Opaque(octets) => push_octets(&mut self.scratch, octets),
                Event::ExtT(0, index) => {
                    let text = self
                        .value_text(self.open.last().copied(), index)
                        .unwrap_or("");
                    self.scratch.push_str(text);
                }
                Event::Start { .. } => {
                    self.entered(None)?;
                    self.skip_to_end()?;
                }
                Event::End => {
                    self.depth -= 1;
                    self.closed = self.open.pop();
                    return Ok(Raw::Text(Cow::Borrowed(&self.scratch)));
                }
                _ => {}
            }
        }
    }
}

fn push_part(out: &mut String, part: &Raw<'_>) {
    match part {
        Raw::Text(text) => out.push_str(text),
        Raw::Octets(octets) => push_octets(out, octets),
    }
}

/// Octets as a part of a text: a NUL could not be written in one again.
fn push_octets(out: &mut String, octets: &[u8]) {
    out.push_str(&String::from_utf8_lossy(octets).replace('\0', "\u{FFFD}"));
}

fn shown_name(name: &TagName<'_>, tag: Option<Tag>) -> String {
    match (name, tag) {
        (_, Some(tag)) => tag.name().to_owned(),
        (TagName::Literal(name), None) => extension::local_name(name),
        (TagName::Token { page, token }, None) => format!("unknown-{page:02X}-{token:02X}"),
    }
}
