//! The streaming reader.

use crate::charset::Charset;
use crate::event::{AttributeName, Error, Event, Header, Limits, PublicId, Start, Step, TagName};
use crate::number::read_mb_u_int32;
use std::borrow::Cow;

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
    #[inline]
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
            Step::Start(start) => Event::Start {
                name: TagName::Token {
                    page: start.page(),
                    token: start.token(),
                },
                attributes: start.has_attributes(),
                content: start.has_content(),
            },
            Step::StartLiteral(start) => Event::Start {
                name: TagName::Literal(self.text()),
                attributes: start.has_attributes(),
                content: start.has_content(),
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
            State::Content => self.content(),
            _ => self.outside_content(),
        }
    }

    /// How many elements are open.
    #[inline(always)]
    pub fn depth(&self) -> usize {
        usize::from(self.depth)
    }

    /// The octets of the last step's name, text or OPAQUE, without a terminator.
    #[inline(always)]
    pub fn part(&self) -> &'a [u8] {
        self.part
    }

    /// The last step's name or text.
    pub fn text(&self) -> Cow<'a, str> {
        self.header.charset.decode(self.part)
    }

    /// What nearly every octet is stands here; the rest is kept out of the caller's loop.
    #[inline(always)]
    fn content(&mut self) -> Result<Step, Error> {
        loop {
            let octet = self.octet()?;
            return match octet {
                END => Ok(self.close()),
                STR_I => self.inline_text().map(|()| Step::Text),
                SWITCH_PAGE => {
                    self.tag_page = self.octet()?;
                    continue;
                }
                PI => {
                    self.skip_pi()?;
                    continue;
                }
                _ if octet & 0x3F >= 0x05 => self.open(octet).map(Step::Start),
                LITERAL | 0x44 | 0x84 | 0xC4 => self.open_literal(octet),
                _ => self.character_data(octet),
            };
        }
    }

    #[inline(never)]
    fn outside_content(&mut self) -> Result<Step, Error> {
        match self.state {
            State::Content => self.content(),
            State::Prolog => self.prolog(),
            State::Attributes { content } => self.attribute(content),
            State::EmptyEnd => Ok(self.close()),
            State::Done => Ok(Step::Done),
        }
    }

    fn prolog(&mut self) -> Result<Step, Error> {
        loop {
            let at = self.at;
            match self.octet()? {
                SWITCH_PAGE => self.tag_page = self.octet()?,
                PI => self.skip_pi()?,
                octet if octet & 0x3F >= 0x05 => return self.open(octet).map(Step::Start),
                octet @ (LITERAL | 0x44 | 0x84 | 0xC4) => return self.open_literal(octet),
                octet => return Err(Error::Misplaced { at, octet }),
            }
        }
    }

    /// Enters an element whose name is a text.
    #[inline(never)]
    fn open_literal(&mut self, octet: u8) -> Result<Step, Error> {
        let offset = self.number()?;
        self.table_text(offset)?;
        self.open(octet).map(Step::StartLiteral)
    }

    /// Enters an element.
    #[inline(always)]
    fn open(&mut self, octet: u8) -> Result<Start, Error> {
        if self.depth >= self.limits.depth {
            return Err(Error::TooDeep { at: self.at });
        }
        self.depth += 1;
        let start = Start::new(self.tag_page, octet);
        self.state = match (start.has_attributes(), start.has_content()) {
            (true, content) => State::Attributes { content },
            (false, true) => State::Content,
            (false, false) => State::EmptyEnd,
        };
        Ok(start)
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
                _ => self.character_data(octet),
            };
        }
    }

    /// STR_*, ENTITY, EXT_* and OPAQUE, which stand in content and in attribute values.
    /// `octet` has just been read.
    #[inline(never)]
    fn character_data(&mut self, octet: u8) -> Result<Step, Error> {
        let at = self.at - 1;
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
    #[inline(never)]
    fn skip_pi(&mut self) -> Result<(), Error> {
        loop {
            match self.octet()? {
                END => return Ok(()),
                SWITCH_PAGE => self.attribute_page = self.octet()?,
                LITERAL => {
                    self.number()?;
                }
                octet if octet & 0x3F >= 0x05 => {}
                octet => {
                    self.character_data(octet)?;
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
