//! What the reader hands out, what it is told, and why it gives up.

use crate::charset::Charset;
use std::borrow::Cow;

/// Bounds of what a document may make the reader do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Deepest nesting of elements.
    pub depth: u16,
    /// Largest string table, octets.
    pub string_table: usize,
    /// Longest single string or OPAQUE, octets.
    pub text: usize,
    /// Octets that all references into the string table may come to: a reference of two
    /// octets can stand for the whole table, so a short document could mean a very long one.
    pub table_references: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 32,
            string_table: 65_536,
            text: 1 << 20,
            table_references: 1 << 20,
        }
    }
}

/// Why a document cannot be read; `at` is the offset of the octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The octets end inside the document.
    #[error("the document is cut off at octet {at}")]
    Truncated {
        /// Offset.
        at: usize,
    },
    /// WBXML 1.0 or a version above 1.3.
    #[error("WBXML version octet {octet:#04x} is not read")]
    Version {
        /// The octet.
        octet: u8,
    },
    /// A charset that is not read.
    #[error("the charset with MIBenum {mib} is not read")]
    Charset {
        /// MIBenum.
        mib: u32,
    },
    /// A multi-octet number that is too long or too large.
    #[error("a bad multi-octet number at octet {at}")]
    Number {
        /// Offset.
        at: usize,
    },
    /// An offset outside the string table.
    #[error("string table offset {offset} at octet {at} is outside the table")]
    StringTable {
        /// Offset.
        at: usize,
        /// The offset into the table.
        offset: u32,
    },
    /// Longer than [`Limits`] allow.
    #[error("too long at octet {at}")]
    TooLong {
        /// Offset.
        at: usize,
    },
    /// Nested deeper than [`Limits`] allow.
    #[error("nested too deep at octet {at}")]
    TooDeep {
        /// Offset.
        at: usize,
    },
    /// A token that cannot stand where it stands.
    #[error("token {octet:#04x} cannot stand at octet {at}")]
    Misplaced {
        /// Offset.
        at: usize,
        /// The token.
        octet: u8,
    },
}

/// How the document says what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicId<'a> {
    /// A registered number.
    Number(u32),
    /// A text from the string table.
    Text(Cow<'a, str>),
}

/// The document header (wbxml 1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// 0x01 to 0x03: WBXML 1.1 to 1.3.
    pub version: u8,
    /// The public identifier.
    pub public_id: PublicId<'a>,
    /// The character set.
    pub charset: Charset,
}

/// An element's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagName<'a> {
    /// A token of a code page, without the flag bits.
    Token {
        /// Code page.
        page: u8,
        /// 0x05 to 0x3F.
        token: u8,
    },
    /// A name from the string table.
    Literal(Cow<'a, str>),
}

/// An attribute's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeName<'a> {
    /// An attribute start token.
    Token {
        /// Code page.
        page: u8,
        /// 0x05 to 0x7F.
        token: u8,
    },
    /// A name from the string table.
    Literal(Cow<'a, str>),
}

/// What the reader meets, in document order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// An element begins. One without content is followed, after its attributes, by an
    /// [`Event::End`] of its own, so that every start has exactly one end.
    Start {
        /// Its name.
        name: TagName<'a>,
        /// Attributes follow, up to [`Event::EndAttributes`].
        attributes: bool,
        /// It was written as having content.
        content: bool,
    },
    /// An attribute begins; the parts of its value follow.
    Attribute(AttributeName<'a>),
    /// A value token of an attribute.
    AttributeValue {
        /// Code page.
        page: u8,
        /// 0x85 to 0xFF.
        token: u8,
    },
    /// The attributes end.
    EndAttributes,
    /// STR_I, STR_T or ENTITY.
    Text(Cow<'a, str>),
    /// EXT_T_0 to EXT_T_2 with its number.
    ExtT(u8, u32),
    /// EXT_I_0 to EXT_I_2 with its string.
    ExtI(u8, Cow<'a, str>),
    /// EXT_0 to EXT_2.
    Ext(u8),
    /// OPAQUE.
    Opaque(&'a [u8]),
    /// An element ends.
    End,
}

/// The tag octet of an element with its code page, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start(u32);

impl Start {
    #[inline(always)]
    pub(crate) fn new(page: u8, octet: u8) -> Self {
        Self(u32::from(page) << 8 | u32::from(octet))
    }

    /// Code page.
    #[inline(always)]
    pub fn page(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// 0x05 to 0x3F.
    #[inline(always)]
    pub fn token(self) -> u8 {
        self.0 as u8 & 0x3F
    }

    /// Attributes follow.
    #[inline(always)]
    pub fn has_attributes(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// It was written as having content.
    #[inline(always)]
    pub fn has_content(self) -> bool {
        self.0 & 0x40 != 0
    }
}

/// What [`Reader::step`](crate::Reader::step) met. Small, and what it holds is written and read as one word, so
/// that it costs nothing to hand on: what else belongs to it is asked of the reader, by
/// [`Reader::part`](crate::Reader::part) and [`Reader::text`](crate::Reader::text).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An element whose name is a token begins.
    Start(Start),
    /// An element whose name is a text begins; the octets are the name's. Its page and token
    /// mean nothing.
    StartLiteral(Start),
    /// An attribute whose name is a token begins.
    Attribute {
        /// Code page.
        page: u8,
        /// 0x05 to 0x7F.
        token: u8,
    },
    /// An attribute whose name is a text begins; the octets are the name's.
    AttributeLiteral,
    /// A value token of an attribute.
    AttributeValue {
        /// Code page.
        page: u8,
        /// 0x85 to 0xFF.
        token: u8,
    },
    /// The attributes end.
    EndAttributes,
    /// STR_I or STR_T.
    Text,
    /// ENTITY.
    Character(char),
    /// EXT_T_0 to EXT_T_2 with its number.
    ExtT(u8, u32),
    /// EXT_I_0 to EXT_I_2.
    ExtI(u8),
    /// EXT_0 to EXT_2.
    Ext(u8),
    /// OPAQUE.
    Opaque,
    /// An element ends.
    End,
    /// The document has ended.
    Done,
}
