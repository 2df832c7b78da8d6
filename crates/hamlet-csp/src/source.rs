//! What both readers offer to the generated code.

use crate::error::SyntaxError;
use crate::extension::{Extension, ExtensionNode};
use crate::leaf::{ContentData, from_base64, parse_boolean, parse_integer};
use crate::{DateTime, Tag, Text, Version};
use hamlet_model::StatusCode;

/// Deepest nesting of elements.
pub(crate) const MAX_DEPTH: usize = 32;

/// Most elements of one document: in WBXML an element is one octet, and read it may be 600.
pub(crate) const MAX_ELEMENTS: usize = 32_768;

/// A value that is no value of its element's type; reading goes on (status 402).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub what: String,
    pub path: Vec<Tag>,
    pub status: StatusCode,
}

/// Character data of a leaf, before it is typed. It lies in the document or in the source.
pub(crate) enum Raw<'a> {
    /// Text, value tokens expanded.
    Text(&'a str),
    /// OPAQUE, and nothing else.
    Octets(&'a [u8]),
}

/// A reader that stands inside an element.
///
/// [`Source::child`] moves to the next known child; every leaf method and [`Source::skip`]
/// consumes the content of the element just entered, up to and with its end.
pub(crate) trait Source {
    fn set_version(&mut self, version: Version);

    /// Enters the next child element that CSP knows; `None` at the end of the element.
    /// Children of other names are skipped, stray text is kept for [`Source::stray`].
    fn child(&mut self) -> Result<Option<Tag>, SyntaxError>;

    /// As [`Source::child`]; children of other names are kept, but for those whose prefix is
    /// declared further out: nobody could tell later whose they are.
    fn child_or_foreign(
        &mut self,
        foreign: &mut Vec<ExtensionNode>,
    ) -> Result<Option<Tag>, SyntaxError>;

    /// The element just entered, which CSP knows, but not here.
    fn foreign(&mut self, tag: Tag) -> Result<ExtensionNode, SyntaxError> {
        let Extension { namespace, nodes } = self.extension()?;
        Ok(ExtensionNode::Element {
            name: tag.name().to_owned(),
            namespace,
            nodes,
        })
    }

    /// The rest of the element.
    fn skip(&mut self) -> Result<(), SyntaxError>;

    /// The character data of the element; children are skipped.
    fn raw(&mut self) -> Result<Raw<'_>, SyntaxError>;

    /// The element as foreign content.
    fn extension(&mut self) -> Result<Extension, SyntaxError>;

    /// Text that stood between the children of the element whose end [`Source::child`]
    /// has just reported.
    fn stray(&mut self) -> Option<Text>;

    /// How many elements that CSP does not know have been skipped so far.
    fn unknown_elements(&self) -> usize;

    /// Notes the first value that cannot be read; the element counts as absent.
    fn fault(&mut self, what: String);

    /// The fault noted since the last call.
    fn take_fault(&mut self) -> Option<Fault>;

    /// Identifiers, addresses, enumerations: white space around them goes.
    fn string(&mut self) -> Result<Text, SyntaxError> {
        Ok(match self.raw()? {
            Raw::Text(text) => Text::from(text.trim()),
            Raw::Octets(octets) => Text::from(String::from_utf8_lossy(octets).trim()),
        })
    }

    /// Text for people: white space stays.
    fn text(&mut self) -> Result<Text, SyntaxError> {
        Ok(match self.raw()? {
            Raw::Text(text) => Text::from(text),
            Raw::Octets(octets) => Text::from(String::from_utf8_lossy(octets)),
        })
    }

    fn content(&mut self) -> Result<ContentData, SyntaxError> {
        Ok(match self.raw()? {
            Raw::Text(text) => ContentData::Text(text.to_owned()),
            Raw::Octets(octets) => ContentData::Octets(octets.to_vec()),
        })
    }

    /// One text, or several with commas between them.
    fn list(&mut self) -> Result<Vec<Text>, SyntaxError> {
        Ok(match self.raw()? {
            Raw::Text(text) => split_list(text),
            Raw::Octets(octets) => split_list(&String::from_utf8_lossy(octets)),
        })
    }

    /// Octets, or BASE64 text for them.
    fn octets(&mut self) -> Result<Vec<u8>, SyntaxError> {
        let fault = match self.raw()? {
            Raw::Octets(octets) => return Ok(octets.to_vec()),
            Raw::Text(text) => match from_base64(text) {
                Some(octets) => return Ok(octets),
                None => format!("`{}` is not BASE64", clip(text)),
            },
        };
        self.fault(fault);
        Ok(Vec::new())
    }

    fn boolean(&mut self) -> Result<Option<bool>, SyntaxError> {
        let fault = match self.raw()? {
            Raw::Text(text) => match (text.trim(), parse_boolean(text.trim())) {
                ("", _) => return Ok(None),
                (_, Some(value)) => return Ok(Some(value)),
                (text, None) => format!("`{}` is not T or F", clip(text)),
            },
            Raw::Octets([octet]) => return Ok(Some(*octet != 0)),
            Raw::Octets(octets) => match std::str::from_utf8(octets).ok().and_then(parse_boolean) {
                Some(value) => return Ok(Some(value)),
                None if octets.is_empty() => return Ok(None),
                None => "octets that are not T or F".to_owned(),
            },
        };
        self.fault(fault);
        Ok(None)
    }

    fn integer(&mut self) -> Result<Option<u32>, SyntaxError> {
        let fault = match self.raw()? {
            Raw::Text(text) => match (text.trim(), parse_integer(text.trim())) {
                ("", _) => return Ok(None),
                (_, Some(value)) => return Ok(Some(value)),
                (text, None) => format!("`{}` is not an unsigned 32-bit integer", clip(text)),
            },
            Raw::Octets(octets) => match hamlet_wbxml::parse_integer(octets).map(u32::try_from) {
                Some(Ok(value)) => return Ok(Some(value)),
                _ => format!(
                    "{} octets that are no unsigned 32-bit integer",
                    octets.len()
                ),
            },
        };
        self.fault(fault);
        Ok(None)
    }

    /// Digits that are kept as text; as OPAQUE they are an integer.
    fn number(&mut self) -> Result<Text, SyntaxError> {
        Ok(match self.raw()? {
            Raw::Text(text) => Text::from(text.trim()),
            Raw::Octets(octets) => match hamlet_wbxml::parse_integer(octets) {
                Some(value) => compact_str::format_compact!("{value}"),
                None => Text::default(),
            },
        })
    }

    /// A date that cannot be read counts as absent (wbxml 5.4), but is a bad value in text.
    fn date_time(&mut self) -> Result<Option<DateTime>, SyntaxError> {
        let fault = match self.raw()? {
            Raw::Text(text) => match (text.trim(), DateTime::parse(text)) {
                ("", _) => return Ok(None),
                (_, Some(at)) => return Ok(Some(at)),
                (text, None) => format!("`{}` is not a date and time", clip(text)),
            },
            Raw::Octets(octets) => return Ok(DateTime::from_octets(octets)),
        };
        self.fault(fault);
        Ok(None)
    }
}

fn split_list(text: &str) -> Vec<Text> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(Text::from)
        .collect()
}

/// A value in an error message is cut, so that a peer cannot fill the log with it.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}
