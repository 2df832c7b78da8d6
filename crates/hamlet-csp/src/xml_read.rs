//! Reading XML: namespaces and prefixes are ignored below the root, no DTD subset, no
//! entities but the five and character references.

use crate::elements::Tag;
use crate::error::SyntaxError;
use crate::extension::{self, Extension, ExtensionNode, drop_blank};
use crate::source::{Fault, MAX_DEPTH, MAX_ELEMENTS, Raw, Source, clip};
use crate::{Text, Version};
use encoding_rs::Encoding;
use hamlet_model::StatusCode;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

pub(crate) struct XmlSource<'a> {
    reader: Reader<&'a [u8]>,
    open: Vec<Tag>,
    /// Depth of everything open, unknown elements included.
    depth: usize,
    elements: usize,
    /// The element closed last, which a fault is about.
    closed: Option<Tag>,
    unknown: usize,
    stray: String,
    fault: Option<Fault>,
    scratch: String,
    /// The xmlns of the element entered last, if it is one that carries foreign content.
    namespace: Option<String>,
}

/// What stands before the root's content.
pub(crate) struct XmlRoot {
    pub tag: Option<Tag>,
    pub name: String,
    pub namespace: Option<String>,
    /// The public identifier of the DOCTYPE.
    pub public_id: Option<String>,
    pub doctype: bool,
}

/// The document as UTF-8: by BOM, by the look of UTF-16, by the encoding declaration, by the
/// charset of the transport, else as it is.
pub(crate) fn to_utf8<'b>(body: &'b [u8], charset: Option<&str>) -> Result<Cow<'b, str>, String> {
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        return converted(encoding, &body[length..]);
    }
    match body {
        [b'<', 0, ..] => return converted(encoding_rs::UTF_16LE, body),
        [0, b'<', ..] => return converted(encoding_rs::UTF_16BE, body),
        _ => {}
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(200)]);
    let declared = head
        .starts_with("<?xml")
        .then(|| head.split("?>").next().unwrap_or("").split_once("encoding"))
        .flatten()
        .and_then(|(_, rest)| rest.split(['"', '\'']).nth(1));
    let encoding = match (declared, charset) {
        (Some(label), _) => Encoding::for_label(label.as_bytes())
            .ok_or_else(|| format!("the encoding `{}` is not known", clip(label)))?,
        (None, Some(label)) => Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8),
        (None, None) => encoding_rs::UTF_8,
    };
    // Whoever could read that declaration knows that it is not UTF-16.
    if encoding == encoding_rs::UTF_16LE || encoding == encoding_rs::UTF_16BE {
        return converted(encoding_rs::UTF_8, body);
    }
    converted(encoding, body)
}

fn converted<'b>(encoding: &'static Encoding, octets: &'b [u8]) -> Result<Cow<'b, str>, String> {
    let text = match encoding.decode_without_bom_handling(octets) {
        (_, true) => return Err(format!("not well-formed {}", encoding.name())),
        (text, false) => text,
    };
    // U+FFFE and U+FFFF begin with EF; to look for that octet is quicker. No early end, so
    // that many octets are looked at in one instruction.
    let suspect = |octet: u8| {
        let space = matches!(octet, b'\t' | b'\n' | b'\r');
        (octet == 0xEF) | (octet < b' ') & !space
    };
    let octets = text.as_bytes().iter();
    let found = octets.fold(false, |found, octet| found | suspect(*octet));
    if found && text.contains(|c| !is_xml(c)) {
        let fit = |c| {
            if is_xml(c) {
                c
            } else {
                char::REPLACEMENT_CHARACTER
            }
        };
        return Ok(Cow::Owned(text.chars().map(fit).collect()));
    }
    Ok(text)
}

/// Whether XML can hold a character. Others are read as U+FFFD: a phone that sends one has
/// sent a text all the same.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

impl<'a> XmlSource<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            open: Vec::new(),
            depth: 0,
            elements: 0,
            closed: None,
            unknown: 0,
            stray: String::new(),
            fault: None,
            scratch: String::new(),
            namespace: None,
        }
    }

    /// Reads up to and with the start of the root.
    pub(crate) fn root(&mut self) -> Result<XmlRoot, SyntaxError> {
        let (mut public_id, mut doctype) = (None, false);
        loop {
            match self.event()? {
                Event::Start(start) => {
                    let local = start.local_name();
                    let name: &str = local.as_ref();
                    let tag = Tag::from_name(name);
                    let (name, namespace) = (name.to_owned(), namespace_of(&start));
                    self.entered(tag)?;
                    return Ok(XmlRoot {
                        tag,
                        name,
                        namespace,
                        public_id,
                        doctype,
                    });
                }
                Event::DocType(text) => {
                    let text = text.into_inner();
                    if text.contains('[') {
                        return Err(self.syntax("a DOCTYPE with an internal subset is refused"));
                    }
                    doctype = true;
                    public_id = text
                        .split_once("PUBLIC")
                        .and_then(|(_, rest)| rest.split(['"', '\'']).nth(1))
                        .map(str::to_owned);
                }
                Event::Text(text)
                    if text
                        .trim_matches(|c: char| c.is_ascii_whitespace())
                        .is_empty() => {}
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return Err(self.syntax("no element")),
                _ => return Err(self.syntax("text before the root element")),
            }
        }
    }

    fn event(&mut self) -> Result<Event<'a>, SyntaxError> {
        self.reader
            .read_event()
            .map_err(|error| self.tokeniser(&error.to_string()))
    }

    /// Its messages quote names, which can be as long as the document.
    fn tokeniser(&self, what: &str) -> SyntaxError {
        self.syntax(&what.chars().take(120).collect::<String>())
    }

    fn syntax(&self, what: &str) -> SyntaxError {
        let at = self.reader.buffer_position();
        SyntaxError::new(format!("{what} (octet {at})"), &self.open)
    }

    fn entered(&mut self, tag: Option<Tag>) -> Result<(), SyntaxError> {
        self.depth += 1;
        self.elements += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.syntax("nested too deep"));
        }
        if self.elements > MAX_ELEMENTS {
            return Err(self.syntax("too many elements"));
        }
        self.open.extend(tag);
        Ok(())
    }

    /// Consumes up to the end of the innermost open element, which has no entry in `open`.
    fn skip_unknown(&mut self) -> Result<(), SyntaxError> {
        let target = self.depth - 1;
        while self.depth > target {
            match self.event()? {
                Event::Start(_) => self.entered(None)?,
                Event::End(_) => self.depth -= 1,
                Event::Eof => return Err(self.syntax("the document ends inside an element")),
                Event::DocType(_) => return Err(self.syntax("a DOCTYPE inside the document")),
                _ => {}
            }
        }
        Ok(())
    }

    fn reference(&self, reference: &quick_xml::events::BytesRef<'_>) -> Result<char, SyntaxError> {
        if let Some(c) = reference
            .resolve_char_ref()
            .map_err(|error| self.tokeniser(&error.to_string()))?
        {
            let fit = is_xml(c);
            return Ok(if fit { c } else { char::REPLACEMENT_CHARACTER });
        }
        let name: &str = reference;
        match name {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(self.syntax("an entity that is not one of the five predefined ones")),
        }
    }

    /// The next child that CSP knows; the others are kept in `foreign`, if there is one.
    fn next_child(
        &mut self,
        mut foreign: Option<&mut Vec<ExtensionNode>>,
    ) -> Result<Option<Tag>, SyntaxError> {
        self.stray.clear();
        loop {
            match self.event()? {
                Event::Start(start) => {
                    let tag = Tag::from_name(start.local_name().as_ref());
                    self.entered(tag)?;
                    match tag {
                        Some(tag) => {
                            self.namespace = (foreign.is_some() || tag.carries_extension())
                                .then(|| namespace_of(&start))
                                .flatten();
                            return Ok(Some(tag));
                        }
                        None => {
                            self.unknown += 1;
                            let namespace = namespace_of(&start);
                            let is_bound = namespace.is_some() || start.name().prefix().is_none();
                            match foreign.as_deref_mut().filter(|_| is_bound) {
                                Some(foreign) => {
                                    let name = start.local_name();
                                    let name = extension::local_name(name.as_ref());
                                    let nodes = self.nodes()?;
                                    foreign.push(ExtensionNode::Element {
                                        name,
                                        namespace,
                                        nodes,
                                    });
                                }
                                None => self.skip_unknown()?,
                            }
                        }
                    }
                }
                Event::End(_) => {
                    self.depth -= 1;
                    self.open.pop();
                    return Ok(None);
                }
                Event::Text(text) => {
                    let text: &str = &text;
                    if !text.trim().is_empty() {
                        self.stray.push_str(text.trim());
                    }
                }
                Event::Eof => return Err(self.syntax("the document ends inside an element")),
                Event::DocType(_) => return Err(self.syntax("a DOCTYPE inside the document")),
                Event::CData(text) => self.stray.push_str(text.trim()),
                Event::GeneralRef(reference) => {
                    let c = self.reference(&reference)?;
                    self.stray.push(c);
                }
                _ => {}
            }
        }
    }

    fn nodes(&mut self) -> Result<Vec<ExtensionNode>, SyntaxError> {
        let mut nodes = Vec::new();
        loop {
            match self.event()? {
                Event::Start(start) => {
                    let name = extension::local_name(start.local_name().as_ref());
                    let namespace = namespace_of(&start);
                    self.entered(None)?;
                    let inner = self.nodes()?;
                    nodes.push(ExtensionNode::Element {
                        name,
                        namespace,
                        nodes: inner,
                    });
                }
                Event::End(_) => {
                    self.depth -= 1;
                    drop_blank(&mut nodes);
                    return Ok(nodes);
                }
                Event::Text(text) => add_text(&mut nodes, &text.xml10_content()),
                Event::CData(text) => add_text(&mut nodes, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let c = self.reference(&reference)?;
                    add_text(&mut nodes, c.encode_utf8(&mut [0; 4]));
                }
                Event::Eof => return Err(self.syntax("the document ends inside an element")),
                Event::DocType(_) => return Err(self.syntax("a DOCTYPE inside the document")),
                _ => {}
            }
        }
    }
}

/// Reads a fragment written by [`Extension::to_xml`].
pub(crate) fn read_fragment(xml: &str) -> Option<Vec<ExtensionNode>> {
    let document = format!("<x>{xml}</x>");
    let mut source = XmlSource::new(&document);
    source.root().ok()?;
    source.nodes().ok()
}

fn add_text(nodes: &mut Vec<ExtensionNode>, text: &str) {
    match nodes.last_mut() {
        Some(ExtensionNode::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => nodes.push(ExtensionNode::Text(text.to_owned())),
    }
}

fn namespace_of(start: &BytesStart<'_>) -> Option<String> {
    let prefix = start
        .name()
        .prefix()
        .map(|prefix| format!("xmlns:{}", AsRef::<str>::as_ref(&prefix)));
    let wanted = prefix.as_deref().unwrap_or("xmlns");
    let mut attributes = start.attributes();
    attributes.with_checks(false);
    attributes
        .filter_map(Result::ok)
        .find(|attribute| AsRef::<str>::as_ref(&attribute.key) == wanted)
        .map(|attribute| {
            quick_xml::escape::unescape(&attribute.value)
                .map_or_else(|_| attribute.value.to_string(), Cow::into_owned)
        })
}

impl Source for XmlSource<'_> {
    fn set_version(&mut self, _version: Version) {}

    fn child(&mut self) -> Result<Option<Tag>, SyntaxError> {
        self.next_child(None)
    }

    fn child_or_foreign(
        &mut self,
        foreign: &mut Vec<ExtensionNode>,
    ) -> Result<Option<Tag>, SyntaxError> {
        self.next_child(Some(foreign))
    }

    fn skip(&mut self) -> Result<(), SyntaxError> {
        self.skip_unknown()?;
        self.open.pop();
        Ok(())
    }

    fn raw(&mut self) -> Result<Raw<'_>, SyntaxError> {
        self.scratch.clear();
        loop {
            match self.event()? {
                Event::Text(text) => self.scratch.push_str(&text.xml10_content()),
                Event::CData(text) => self.scratch.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let c = self.reference(&reference)?;
                    self.scratch.push(c);
                }
                Event::Start(_) => {
                    self.entered(None)?;
                    self.skip_unknown()?;
                }
                Event::End(_) => {
                    self.depth -= 1;
                    self.closed = self.open.pop();
                    return Ok(Raw::Text(&self.scratch));
                }
                Event::Eof => return Err(self.syntax("the document ends inside an element")),
                Event::DocType(_) => return Err(self.syntax("a DOCTYPE inside the document")),
                _ => {}
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
