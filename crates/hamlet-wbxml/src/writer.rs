//! The writer: WBXML 1.3, UTF-8.

use crate::number::write_mb_u_int32;
use std::collections::HashMap;

/// Writes one document. The body is kept until [`Writer::finish`], because the string table
/// stands before it.
pub struct Writer {
    public_id: u32,
    body: Vec<u8>,
    table: Vec<u8>,
    /// Offsets in the table.
    interned: HashMap<String, u32>,
    tag_page: u8,
    attribute_page: u8,
    /// Offsets in the body directly behind the last octet of a text.
    text_ends: Vec<usize>,
}

/// Part of a document that has been written by itself, to be put into many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The tag page that it expects.
    from_page: u8,
    body: Vec<u8>,
    tag_page: u8,
    attribute_page: u8,
    text_ends: Vec<usize>,
}

impl Part {
    /// Its octets.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }
}

impl Writer {
    /// The part of a document that will stand where `tag_page` is in force.
    pub fn part(tag_page: u8) -> Self {
        Self {
            tag_page,
            ..Self::new(0)
        }
    }

    /// What was begun by [`Writer::part`]; `None` when it needs a string table, which only
    /// a whole document has.
    pub fn into_part(self, from_page: u8) -> Option<Part> {
        self.table.is_empty().then_some(Part {
            from_page,
            body: self.body,
            tag_page: self.tag_page,
            attribute_page: self.attribute_page,
            text_ends: self.text_ends,
        })
    }

    /// Puts a part in, as if it had been written here.
    pub fn splice(&mut self, part: &Part) {
        if part.from_page != self.tag_page {
            self.body.extend_from_slice(&[0x00, part.from_page]);
        }
        let at = self.body.len();
        self.body.extend_from_slice(&part.body);
        self.text_ends
            .extend(part.text_ends.iter().map(|end| at + end));
        self.tag_page = part.tag_page;
        self.attribute_page = part.attribute_page;
    }

    /// A document with this public identifier.
    pub fn new(public_id: u32) -> Self {
        Self {
            public_id,
            body: Vec::with_capacity(512),
            table: Vec::new(),
            interned: HashMap::new(),
            tag_page: 0,
            attribute_page: 0,
            text_ends: Vec::new(),
        }
    }

    /// Begins an element. Attributes must be ended by [`Writer::end_attributes`], content
    /// by [`Writer::end`]; an element without content has no end.
    pub fn start(&mut self, page: u8, token: u8, attributes: bool, content: bool) {
        if page != self.tag_page {
            self.body.extend_from_slice(&[0x00, page]);
            self.tag_page = page;
        }
        self.body.push(flags(token & 0x3F, attributes, content));
    }

    /// Begins an element whose name has no token.
    pub fn start_literal(&mut self, name: &str, attributes: bool, content: bool) {
        let offset = self.intern(name);
        self.body.push(flags(0x04, attributes, content));
        write_mb_u_int32(&mut self.body, offset);
    }

    /// Begins an attribute; its value follows.
    pub fn attribute(&mut self, page: u8, token: u8) {
        if page != self.attribute_page {
            self.body.extend_from_slice(&[0x00, page]);
            self.attribute_page = page;
        }
        self.body.push(token);
    }

    /// Begins an attribute whose name has no token.
    pub fn attribute_literal(&mut self, name: &str) {
        let offset = self.intern(name);
        self.body.push(0x04);
        write_mb_u_int32(&mut self.body, offset);
    }

    /// Ends the attributes of an element.
    pub fn end_attributes(&mut self) {
        self.body.push(0x01);
    }

    /// Ends the content of an element.
    pub fn end(&mut self) {
        self.body.push(0x01);
    }

    /// A string; one that holds a NUL goes out as OPAQUE (wbxml 5.5).
    pub fn text(&mut self, text: &str) {
        if text.as_bytes().contains(&0) {
            return self.opaque(text.as_bytes());
        }
        self.body.push(0x03);
        self.body.extend_from_slice(text.as_bytes());
        self.body.push(0x00);
        self.text_ends.push(self.body.len());
    }

    /// EXT_T_0 to EXT_T_2 with a number.
    pub fn ext_t(&mut self, n: u8, index: u32) {
        self.body.push(0x80 | (n & 3));
        write_mb_u_int32(&mut self.body, index);
        self.text_ends.push(self.body.len());
    }

    /// OPAQUE octets; longer ones than 4 GiB are cut.
    pub fn opaque(&mut self, octets: &[u8]) {
        let length = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        self.body.push(0xC3);
        write_mb_u_int32(&mut self.body, length);
        self.body.extend_from_slice(&octets[..length as usize]);
    }

    /// One character as ENTITY.
    pub fn entity(&mut self, c: char) {
        self.body.push(0x02);
        write_mb_u_int32(&mut self.body, c as u32);
        self.text_ends.push(self.body.len());
    }

    /// The document.
    pub fn finish(self) -> Vec<u8> {
        self.assemble(0)
    }

    /// The document with as many zero octets at the end of the string table (none, or two
    /// and more) as it takes that no text ends directly before an offset that is a multiple
    /// of `boundary` (clients AND-36). When no shift below `boundary` helps, none is made.
    pub fn finish_avoiding(self, boundary: usize) -> Vec<u8> {
        let fits = |padding: usize| {
            let shift = self.prefix(padding).len() + self.table.len() + padding;
            self.text_ends
                .iter()
                .all(|end| !(end + shift).is_multiple_of(boundary))
        };
        let padding = std::iter::once(0)
            .chain(2..boundary)
            .find(|padding| fits(*padding))
            .unwrap_or(0);
        self.assemble(padding)
    }

    /// The header up to and with the length of the string table.
    fn prefix(&self, padding: usize) -> Vec<u8> {
        let mut out = vec![0x03];
        write_mb_u_int32(&mut out, self.public_id);
        out.push(0x6A);
        let length = self.table.len() + padding;
        write_mb_u_int32(&mut out, u32::try_from(length).unwrap_or(u32::MAX));
        out
    }

    fn assemble(self, padding: usize) -> Vec<u8> {
        let mut out = self.prefix(padding);
        out.reserve_exact(self.table.len() + padding + self.body.len());
        out.extend_from_slice(&self.table);
        out.resize(out.len() + padding, 0);
        out.extend_from_slice(&self.body);
        out
    }

    /// Offset of a string in the table, added when it is not there.
    fn intern(&mut self, text: &str) -> u32 {
        if let Some(offset) = self.interned.get(text) {
            return *offset;
        }
        let offset = u32::try_from(self.table.len()).unwrap_or(u32::MAX);
        self.interned.insert(text.to_owned(), offset);
        self.table.extend_from_slice(text.as_bytes());
        self.table.push(0);
        offset
    }
}

fn flags(token: u8, attributes: bool, content: bool) -> u8 {
    token | if attributes { 0x80 } else { 0 } | if content { 0x40 } else { 0 }
}
