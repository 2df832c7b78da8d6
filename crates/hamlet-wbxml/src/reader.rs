//! The streaming reader.

use crate::charset::Charset;
use crate::number::read_mb_u_int32;
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

/// What [`Reader::step`] met. Small, so that it travels in registers: what belongs to it is
/// asked of the reader, by [`Reader::octets`] and [`Reader::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An element whose name is a token begins.
    Start {
        /// Code page.
        page: u8,
        /// 0x05 to 0x3F.
        token: u8,
        /// Attributes follow.
        attributes: bool,
        /// It was written as having content.
        content: bool,
    },
    /// An element whose name is a text begins; the octets are the name's.
    StartLiteral {
        /// Attributes follow.
        attributes: bool,
        /// It was written as having content.
        content: bool,
    },
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

/// Where the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the root.
    Prolog,
    /// In element content.
    Content,
    /// In an attribute list of an element with this content flag.
    Attributes { content: bool },
    /// The next event is the end of an element without content.
    EmptyEnd,
    /// After the root.
    Done,
}

/// Reads one document.
pub struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    table: &'a [u8],
    /// Octets taken from the table so far.
    referenced: usize,
    /// What belongs to the last step.
    part: &'a [u8],
    header: Header<'a>,
    limits: Limits,
    tag_page: u8,
    attribute_page: u8,
    depth: u16,
    state: State,
}

const SWITCH_PAGE: u8 = 0x00;
const END: u8 = 0x01;
const ENTITY: u8 = 0x02;
const STR_I: u8 = 0x03;
const LITERAL: u8 = 0x04;
const PI: u8 = 0x43;
const STR_T: u8 = 0x83;
const OPAQUE: u8 = 0xC3;

impl<'a> Reader<'a> {
    /// Reads the header; a charset of 0 (unknown) is taken for UTF-8.
    pub fn new(octets: &'a [u8], limits: Limits) -> Result<Self, Error> {
        Self::with_charset(octets, limits, None)
    }

    /// As [`Reader::new`], with the charset of the transport for a document that names none.
    pub fn with_charset(
        octets: &'a [u8],
        limits: Limits,
        transport: Option<Charset>,
    ) -> Result<Self, Error> {
        let header = Header {
            version: 0,
            public_id: PublicId::Number(1),
            charset: Charset::Utf8,
        };
        let mut reader = Self {
            octets,
            at: 0,
            table: &[],
            referenced: 0,
            part: &[],
            header,
            limits,
            tag_page: 0,
            attribute_page: 0,
            depth: 0,
            state: State::Prolog,
        };
        let version = reader.octet()?;
        if !(0x01..=0x03).contains(&version) {
            return Err(Error::Version { octet: version });
        }
        reader.header.version = version;
        let number = reader.number()?;
        let index = if number == 0 {
            Some(reader.number()?)
        } else {
            None
        };
        let mib = reader.number()?;
        reader.header.charset = match mib {
            0 => transport.unwrap_or(Charset::Utf8),
            _ => Charset::from_mib(mib).ok_or(Error::Charset { mib })?,
        };
        let length = reader.number()? as usize;
        if length > limits.string_table {
            return Err(Error::TooLong { at: reader.at });
        }
        reader.table = reader.take(length)?;
        reader.header.public_id = match index {
            None => PublicId::Number(number),
            Some(offset) => {
                reader.table_text(offset)?;
                PublicId::Text(reader.text())
            }
        };
        Ok(reader)
    }

    /// The header.
    pub fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// Offset of the next octet.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The next event; `None` after the end of the root. Octets behind it are ignored.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event<'a>>, Error> {
        Ok(Some(match self.step()? {
            Step::Start {
                page,
                token,
                attributes,
                content,
            } => Event::Start {
                name: TagName::Token { page, token },
                attributes,
                content,
            },
            Step::StartLiteral {
                attributes,
                content,
            } => Event::Start {
                name: TagName::Literal(self.text()),
                attributes,
                content,
            },
            Step::Attribute { page, token } => {
                Event::Attribute(AttributeName::Token { page, token })
            }
            Step::AttributeLiteral => Event::Attribute(AttributeName::Literal(self.text())),
            Step::AttributeValue { page, token } => Event::AttributeValue { page, token },
            Step::EndAttributes => Event::EndAttributes,
            Step::Text => Event::Text(self.text()),
            Step::Character(c) => Event::Text(Cow::Owned(c.to_string())),
            Step::ExtT(n, number) => Event::ExtT(n, number),
            Step::ExtI(n) => Event::ExtI(n, self.text()),
            Step::Ext(n) => Event::Ext(n),
            Step::Opaque => Event::Opaque(self.part),
            Step::End => Event::End,
            Step::Done => return Ok(None),
        }))
    }

    /// As [`Reader::next`], for a caller in a hurry.
    #[inline(always)]
    pub fn step(&mut self) -> Result<Step, Error> {
        match self.state {
            State::Content | State::Prolog => self.content(),
            State::Attributes { content } => self.attribute(content),
            State::EmptyEnd => Ok(self.close()),
            State::Done => Ok(Step::Done),
        }
    }

    /// The octets of the last step's name, text or OPAQUE, without a terminator.
    #[inline(always)]
    pub fn octets(&self) -> &'a [u8] {
        self.part
    }

    /// The last step's name or text.
    pub fn text(&self) -> Cow<'a, str> {
        self.header.charset.decode(self.part)
    }

    #[inline(always)]
    fn content(&mut self) -> Result<Step, Error> {
        loop {
            let at = self.at;
            let octet = self.octet()?;
            let inside = self.state == State::Content;
            return match octet {
                END if inside => Ok(self.close()),
                STR_I if inside => self.inline_text().map(|()| Step::Text),
                SWITCH_PAGE => {
                    self.tag_page = self.octet()?;
                    continue;
                }
                PI => {
                    self.skip_pi()?;
                    continue;
                }
                _ if octet & 0x3F >= 0x05 => {
                    let (attributes, content) = self.open(octet)?;
                    Ok(Step::Start {
                        page: self.tag_page,
                        token: octet & 0x3F,
                        attributes,
                        content,
                    })
                }
                LITERAL | 0x44 | 0x84 | 0xC4 => {
                    let offset = self.number()?;
                    self.table_text(offset)?;
                    let (attributes, content) = self.open(octet)?;
                    Ok(Step::StartLiteral {
                        attributes,
                        content,
                    })
                }
                _ if !inside => Err(Error::Misplaced { at, octet }),
                _ => self.character_data(octet, at),
            };
        }
    }

    /// Enters an element; its flags for attributes and content.
    #[inline(always)]
    fn open(&mut self, octet: u8) -> Result<(bool, bool), Error> {
        if self.depth >= self.limits.depth {
            return Err(Error::TooDeep { at: self.at });
        }
        self.depth += 1;
        let (attributes, content) = (octet & 0x80 != 0, octet & 0x40 != 0);
        self.state = match (attributes, content) {
            (true, _) => State::Attributes { content },
            (false, true) => State::Content,
            (false, false) => State::EmptyEnd,
        };
        Ok((attributes, content))
    }

    #[inline(always)]
    fn close(&mut self) -> Step {
        self.depth -= 1;
        self.state = if self.depth == 0 {
            State::Done
        } else {
            State::Content
        };
        Step::End
    }

    fn attribute(&mut self, content: bool) -> Result<Step, Error> {
        loop {
            let at = self.at;
            let octet = self.octet()?;
            return match octet {
                SWITCH_PAGE => {
                    self.attribute_page = self.octet()?;
                    continue;
                }
                END => {
                    self.state = if content {
                        State::Content
                    } else {
                        State::EmptyEnd
                    };
                    Ok(Step::EndAttributes)
                }
                LITERAL => {
                    let offset = self.number()?;
                    self.table_text(offset)?;
                    Ok(Step::AttributeLiteral)
                }
                _ if octet & 0x3F >= 0x05 => {
                    let (page, token) = (self.attribute_page, octet);
                    Ok(if octet & 0x80 == 0 {
                        Step::Attribute { page, token }
                    } else {
                        Step::AttributeValue { page, token }
                    })
                }
                _ => self.character_data(octet, at),
            };
        }
    }

    /// STR_*, ENTITY, EXT_* and OPAQUE, which stand in content and in attribute values.
    fn character_data(&mut self, octet: u8, at: usize) -> Result<Step, Error> {
        match octet {
            STR_I => self.inline_text().map(|()| Step::Text),
            STR_T => {
                let offset = self.number()?;
                self.table_text(offset).map(|()| Step::Text)
            }
            ENTITY => {
                // NUL is no character of XML, and a string could not hold it.
                let c = char::from_u32(self.number()?).filter(|c| *c != '\0');
                Ok(Step::Character(c.unwrap_or(char::REPLACEMENT_CHARACTER)))
            }
            OPAQUE => {
                let length = self.number()? as usize;
                if length > self.limits.text {
                    return Err(Error::TooLong { at });
                }
                self.part = self.take(length)?;
                Ok(Step::Opaque)
            }
            0x80..=0x82 => Ok(Step::ExtT(octet & 3, self.number()?)),
            0x40..=0x42 => self.inline_text().map(|()| Step::ExtI(octet & 3)),
            0xC0..=0xC2 => Ok(Step::Ext(octet & 3)),
            _ => Err(Error::Misplaced { at, octet }),
        }
    }

    /// PI attrStart *attrValue END.
    fn skip_pi(&mut self) -> Result<(), Error> {
        loop {
            let at = self.at;
            match self.octet()? {
                END => return Ok(()),
                SWITCH_PAGE => self.attribute_page = self.octet()?,
                LITERAL => {
                    self.number()?;
                }
                octet if octet & 0x3F >= 0x05 => {}
                octet => {
                    self.character_data(octet, at)?;
                }
            }
        }
    }

    #[inline(always)]
    fn octet(&mut self) -> Result<u8, Error> {
        let octet = *self
            .octets
            .get(self.at)
            .ok_or(Error::Truncated { at: self.at })?;
        self.at += 1;
        Ok(octet)
    }

    #[inline(always)]
    fn number(&mut self) -> Result<u32, Error> {
        let rest = &self.octets[self.at..];
        match read_mb_u_int32(rest) {
            Some((value, length)) => {
                self.at += length;
                Ok(value)
            }
            None if rest.len() < 5 && rest.iter().all(|octet| octet & 0x80 != 0) => {
                Err(Error::Truncated {
                    at: self.octets.len(),
                })
            }
            None => Err(Error::Number { at: self.at }),
        }
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.octets.len())
            .ok_or(Error::Truncated {
                at: self.octets.len(),
            })?;
        let octets = &self.octets[self.at..end];
        self.at = end;
        Ok(octets)
    }

    #[inline(always)]
    fn inline_text(&mut self) -> Result<(), Error> {
        let charset = self.header.charset;
        let rest = &self.octets[self.at..];
        let length = charset.find_end(rest).ok_or(Error::Truncated {
            at: self.octets.len(),
        })?;
        if length > self.limits.text {
            return Err(Error::TooLong { at: self.at });
        }
        self.at += length + charset.unit();
        self.part = &rest[..length];
        Ok(())
    }

    /// The string at an offset of the table; it may begin inside an entry, and the last one
    /// may lack its terminator.
    fn table_text(&mut self, offset: u32) -> Result<(), Error> {
        let rest = self
            .table
            .get(offset as usize..)
            .filter(|rest| !rest.is_empty());
        let rest = rest.ok_or(Error::StringTable {
            at: self.at,
            offset,
        })?;
        let length = self.header.charset.find_end(rest).unwrap_or(rest.len());
        self.referenced += length;
        if self.referenced > self.limits.table_references {
            return Err(Error::TooLong { at: self.at });
        }
        self.part = &rest[..length];
        Ok(())
    }
}
