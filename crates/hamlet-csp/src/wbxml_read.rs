//! Reading WBXML with one token table for all versions (wbxml 1.2, 7).

use crate::Text;
use crate::elements::{Tag, VALUE_TEXTS};
use crate::error::SyntaxError;
use crate::extension::{self, Extension, ExtensionNode, drop_blank};
use crate::source::{Fault, MAX_DEPTH, MAX_ELEMENTS, Raw, Source};
use crate::version::{NAMESPACE_PREFIXES, Version};
use hamlet_model::StatusCode;
use hamlet_wbxml::{Charset, Limits, PublicId, Reader, Step};
use std::borrow::Cow;

pub(crate) struct WbxmlSource<'a> {
    reader: Reader<'a>,
    version: Version,
    open: OpenElements,
    elements: usize,
    /// The element closed last, which a fault is about.
    closed: Option<Tag>,
    unknown: usize,
    stray: String,
    fault: Option<Fault>,
    scratch: String,
    namespace: Option<String>,
}

/// The elements that are open and known, from the root down: never more than [`MAX_DEPTH`],
/// which the reader sees to.
struct OpenElements {
    tags: [Tag; MAX_DEPTH],
    count: usize,
}

/// What stands before the root's content.
pub(crate) struct WbxmlRoot {
    pub tag: Option<Tag>,
    pub name: Cow<'static, str>,
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
        let reader = Reader::with_charset(body, limits, charset)
            .map_err(|error| SyntaxError::new(error.to_string(), &[]))?;
        Ok(Self {
            reader,
            version: Version::V1_2,
            open: OpenElements::new(),
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
        let step = self.step()?;
        let Some((tag, attributes)) = self.start_of(step) else {
            return Err(self.syntax("the document does not begin with an element"));
        };
        let name = self.shown_name(step, tag);
        self.entered(tag)?;
        Ok(WbxmlRoot {
            tag,
            name,
            namespace: self.namespace_if(attributes)?,
            public_id,
        })
    }

    #[inline(always)]
    fn step(&mut self) -> Result<Step, SyntaxError> {
        match self.reader.step() {
            Ok(Step::Done) => Err(self.syntax("the document ends")),
            Ok(step) => Ok(step),
            Err(error) => Err(self.broken(&error)),
        }
    }

    #[cold]
    fn broken(&self, error: &hamlet_wbxml::Error) -> SyntaxError {
        SyntaxError::new(error.to_string(), self.open.path())
    }

    #[cold]
    fn syntax(&self, what: &str) -> SyntaxError {
        let at = self.reader.offset();
        SyntaxError::new(format!("{what} (octet {at})"), self.open.path())
    }

    /// Of a step that begins an element: which, if CSP knows it, and whether attributes follow.
    #[inline(always)]
    fn start_of(&self, step: Step) -> Option<(Option<Tag>, bool)> {
        match step {
            Step::Start(start) => Some((
                Tag::from_token(self.version, start.page(), start.token()),
                start.has_attributes(),
            )),
            Step::StartLiteral(start) => {
                Some((Tag::from_name(&self.reader.text()), start.has_attributes()))
            }
            _ => None,
        }
    }

    fn shown_name(&self, step: Step, tag: Option<Tag>) -> Cow<'static, str> {
        match (step, tag) {
            (_, Some(tag)) => tag.name().into(),
            (Step::Start(start), None) => {
                format!("unknown-{:02X}-{:02X}", start.page(), start.token()).into()
            }
            (_, None) => extension::local_name(&self.reader.text()).into(),
        }
    }

    fn namespace_if(&mut self, attributes: bool) -> Result<Option<String>, SyntaxError> {
        if attributes {
            self.read_namespace()
        } else {
            Ok(None)
        }
    }

    #[inline]
    fn entered(&mut self, tag: Option<Tag>) -> Result<(), SyntaxError> {
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
            match self.step()? {
                Step::Attribute {
                    page: 0,
                    token: token @ 5..=13,
                } => {
                    let prefix = NAMESPACE_PREFIXES[usize::from(token) - 5];
                    let mut value = String::with_capacity(prefix.len() + 8);
                    value.push_str(prefix);
                    namespace = Some(value);
                    inside = true;
                }
                Step::AttributeLiteral if self.reader.part() == b"xmlns" => {
                    namespace = Some(String::new());
                    inside = true;
                }
                Step::Attribute { .. } | Step::AttributeLiteral => inside = false,
                step @ (Step::Text | Step::Character(_)) => {
                    if let (true, Some(namespace)) = (inside, namespace.as_mut()) {
                        match step {
                            Step::Character(c) => namespace.push(c),
                            _ => namespace.push_str(&self.reader.text()),
                        }
                    }
                }
                Step::EndAttributes => return Ok(namespace),
                _ => {}
            }
        }
    }

    fn skip_attributes(&mut self) -> Result<(), SyntaxError> {
        while self.step()? != Step::EndAttributes {}
        Ok(())
    }

    /// Consumes up to the end of the innermost open element.
    fn skip_to_end(&mut self) -> Result<(), SyntaxError> {
        let depth = self.reader.depth();
        while self.reader.depth() >= depth {
            if let Step::Start(_) | Step::StartLiteral(_) = self.step()? {
                self.entered(None)?;
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
            let step = self.step()?;
            if self.push_text(&mut text, step, None) {
                continue;
            }
            let start = self.start_of(step);
            if (start.is_some() || step == Step::End) && !text.is_empty() {
                nodes.push(ExtensionNode::Text(std::mem::take(&mut text)));
            }
            if let Some((tag, attributes)) = start {
                let name = self.shown_name(step, tag).into_owned();
                self.entered(None)?;
                nodes.push(ExtensionNode::Element {
                    name,
                    namespace: self.namespace_if(attributes)?,
                    nodes: self.nodes()?,
                });
            } else if step == Step::End {
                drop_blank(&mut nodes);
                return Ok(nodes);
            }
        }
    }

    /// The next child that CSP knows; the others are kept in `foreign`, if there is one.
    #[inline(always)]
    fn next_child(
        &mut self,
        mut foreign: Option<&mut Vec<ExtensionNode>>,
    ) -> Result<Option<Tag>, SyntaxError> {
        self.stray.clear();
        loop {
            let step = self.step()?;
            if let Some((tag, attributes)) = self.start_of(step) {
                self.entered(tag)?;
                let Some(tag) = tag else {
                    self.unknown += 1;
                    match foreign.as_deref_mut() {
                        Some(foreign) => foreign.push(self.unknown_element(step, attributes)?),
                        None => self.skip_to_end()?,
                    }
                    continue;
                };
                if foreign.is_some() || tag.carries_extension() {
                    self.namespace = self.namespace_if(attributes)?;
                } else if attributes {
                    self.skip_attributes()?;
                }
                return Ok(Some(tag));
            }
            if step == Step::End {
                self.open.pop();
                return Ok(None);
            }
            let mut stray = std::mem::take(&mut self.stray);
            self.push_text(&mut stray, step, self.open.last());
            self.stray = stray;
        }
    }

    #[cold]
    fn unknown_element(
        &mut self,
        step: Step,
        attributes: bool,
    ) -> Result<ExtensionNode, SyntaxError> {
        let name = self.shown_name(step, None).into_owned();
        Ok(ExtensionNode::Element {
            name,
            namespace: self.namespace_if(attributes)?,
            nodes: self.nodes()?,
        })
    }

    /// Appends what a step means as text inside `tag`; false when it is none.
    fn push_text(&self, out: &mut String, step: Step, tag: Option<Tag>) -> bool {
        match step {
            Step::Text => out.push_str(&self.reader.text()),
            Step::Character(c) => out.push(c),
            Step::ExtT(0, index) => out.push_str(self.value_text(tag, index).unwrap_or("")),
            Step::Opaque => push_octets(out, self.reader.part()),
            _ => return false,
        }
        true
    }

    /// A leaf in several parts: what has been read of it, and the step after that.
    #[inline(never)]
    fn in_parts(&mut self, first: Raw<'_>, mut step: Step) -> Result<Raw<'_>, SyntaxError> {
        let tag = self.open.last();
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        match first {
            Raw::Text(part) => text.push_str(part),
            Raw::Octets(octets) => push_octets(&mut text, octets),
        }
        while step != Step::End {
            if !self.push_text(&mut text, step, tag)
                && let Step::Start(_) | Step::StartLiteral(_) = step
            {
                self.entered(None)?;
                self.skip_to_end()?;
            }
            step = self.step()?;
        }
        self.close_leaf();
        self.scratch = text;
        Ok(Raw::Text(&self.scratch))
    }

    #[inline(always)]
    fn close_leaf(&mut self) {
        self.closed = self.open.pop();
    }
}

/// OPAQUE as text; a NUL could not be written in a text again.
fn push_octets(out: &mut String, octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    out.push_str(&text.replace('\0', "\u{FFFD}"));
}

impl OpenElements {
    fn new() -> Self {
        Self {
            tags: [Tag::WVCSPMessage; MAX_DEPTH],
            count: 0,
        }
    }

    #[inline(always)]
    fn push(&mut self, tag: Tag) {
        self.tags[self.count] = tag;
        self.count += 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Tag> {
        self.count = self.count.checked_sub(1)?;
        Some(self.tags[self.count])
    }

    fn last(&self) -> Option<Tag> {
        self.path().last().copied()
    }

    fn path(&self) -> &[Tag] {
        &self.tags[..self.count]
    }
}

impl Source for WbxmlSource<'_> {
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

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
        self.skip_to_end()?;
        self.open.pop();
        Ok(())
    }

    /// Nearly every leaf is one text or one number, and lies in the document as it is.
    fn raw(&mut self) -> Result<Raw<'_>, SyntaxError> {
        let first = self.step()?;
        let octets = self.reader.part();
        let raw = match first {
            Step::End => {
                self.close_leaf();
                return Ok(Raw::Text(""));
            }
            Step::Text if self.reader.header().charset == Charset::Utf8 => {
                match std::str::from_utf8(octets) {
                    Ok(text) => Raw::Text(text),
                    Err(_) => return self.in_parts(Raw::Text(""), first),
                }
            }
            Step::ExtT(0, index) => {
                let text = self.value_text(self.open.last(), index);
                Raw::Text(text.unwrap_or("unknown value token"))
            }
            Step::Opaque => Raw::Octets(octets),
            _ => return self.in_parts(Raw::Text(""), first),
        };
        let step = self.step()?;
        if step == Step::End {
            self.close_leaf();
            return Ok(raw);
        }
        self.in_parts(raw, step)
    }

    fn extension(&mut self) -> Result<Extension, SyntaxError> {
        let namespace = self.namespace.take();
        let nodes = self.nodes()?;
        self.open.pop();
        Ok(Extension { namespace, nodes })
    }

    fn stray(&mut self) -> Option<Text> {
        let stray = self.stray.trim();
        (!stray.is_empty()).then(|| Text::from(stray))
    }

    fn unknown_elements(&self) -> usize {
        self.unknown
    }

    fn fault(&mut self, what: String) {
        if self.fault.is_none() {
            self.fault = Some(Fault {
                what,
                path: self
                    .open
                    .path()
                    .iter()
                    .copied()
                    .chain(self.closed)
                    .collect(),
                status: StatusCode::BAD_PARAMETER,
            });
        }
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }
}
