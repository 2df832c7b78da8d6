//! A reader of WBXML as strict as the strictest clients (clients GEN-7, 3.5, 4.3).
//!
//! It shares nothing with hamlet-wbxml and hamlet-csp: its tables come from
//! docs/protocol/wbxml-tokens.tsv, so that an encoder that agrees only with itself fails.

use crate::element::{Element, Form};
use std::collections::HashMap;
use std::sync::LazyLock;

const TOKENS: &str = include_str!("../../docs/protocol/wbxml-tokens.tsv");

/// The integers that go out as text (wbxml 5.6, last column).
const INTEGERS_AS_TEXT: &[&str] = &[
    "SearchID",
    "PlainTextCharset",
    "Accuracy",
    "Altitude",
    "Cpriority",
    "ClientIMPriority",
    "MaxPullLength",
    "MaxPushLength",
];

/// A document with its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WbxmlDocument {
    /// Number of the public identifier.
    pub public_id: u8,
    /// WV-CSP-Message.
    pub root: Element,
    /// The offsets at which texts end: that of the octet behind the text (clients AND-36).
    pub text_ends: Vec<usize>,
}

/// Reads a document.
pub fn read(body: &[u8]) -> Result<WbxmlDocument, String> {
    let mut reader = Reader {
        octets: body,
        position: 0,
        page: 0,
        version: 0,
        text_ends: Vec::new(),
    };
    if reader.octet()? != 0x03 {
        return Err("the version octet is not 03".into());
    }
    let public_id = reader.octet()?;
    reader.version = match public_id {
        0x10 => 1,
        0x11 => 2,
        0x12 => 3,
        other => return Err(format!("the public identifier {other:02x}")),
    };
    if reader.octet()? != 0x6A {
        return Err("the charset is not UTF-8".into());
    }
    // Zero octets may fill it (AND-36); a longer length would not fit one octet.
    for _ in 0..reader.octet()? {
        if reader.octet()? != 0 {
            return Err("the string table is not of zero octets".into());
        }
    }
    let token = reader.octet()?;
    let root = reader.element(token)?;
    if reader.position == body.len() {
        Ok(WbxmlDocument {
            public_id,
            root,
            text_ends: reader.text_ends,
        })
    } else {
        Err(format!("octets after the root at {}", reader.position))
    }
}

struct Reader<'a> {
    octets: &'a [u8],
    position: usize,
    page: u8,
    /// Index into the columns of the table.
    version: usize,
    text_ends: Vec<usize>,
}

impl Reader<'_> {
    fn element(&mut self, token: u8) -> Result<Element, String> {
        let tag = TABLES.tags[self.version]
            .get(&(self.page, token & 0x3F))
            .ok_or_else(|| format!("the tag {:02x}/{:02x}", self.page, token & 0x3F))?;
        let mut element = Element {
            name: tag.name.to_owned(),
            namespace: None,
            text: String::new(),
            form: Form::Empty,
            children: Vec::new(),
        };
        if token & 0x80 != 0 {
            element.namespace = Some(self.namespace()?);
        }
        if token & 0x40 != 0 {
            self.content(&mut element)
                .map_err(|error| format!("{}: {error}", tag.name))?;
        }
        check_form(tag, &element)?;
        Ok(element)
    }

    fn content(&mut self, element: &mut Element) -> Result<(), String> {
        loop {
            let (text, form) = match self.octet()? {
                0x00 => {
                    self.page = self.octet()?;
                    continue;
                }
                0x01 => return Ok(()),
                0x03 => (self.inline()?, Form::Text),
                0x80 => (self.token()?.to_owned(), Form::Token),
                0xC3 => (self.integer()?.to_string(), Form::Opaque),
                token if token & 0x3F >= 5 => {
                    element.children.push(self.element(token)?);
                    match element.form {
                        Form::Empty | Form::Children => element.form = Form::Children,
                        _ => return Err("elements beside text".into()),
                    }
                    continue;
                }
                token => return Err(format!("the global token {token:02x}")),
            };
            // The one text that may come in pieces is a URL with its scheme as a token.
            if element.form != Form::Empty && element.name != "URL" {
                return Err("a text in pieces".into());
            }
            element.text.push_str(&text);
            element.form = form;
            if form != Form::Opaque {
                self.text_ends.push(self.position);
            }
        }
    }

    fn namespace(&mut self) -> Result<String, String> {
        let token = self.octet()?;
        let prefix = TABLES.attributes[self.version]
            .get(&token)
            .ok_or_else(|| format!("the attribute {token:02x}"))?;
        if self.octet()? != 0x03 {
            return Err("the attribute value is no inline string".into());
        }
        let digits = self.inline()?;
        if self.octet()? != 0x01 {
            return Err("a second attribute".into());
        }
        Ok(format!("{prefix}{digits}"))
    }

    fn token(&mut self) -> Result<&'static str, String> {
        let mut index = 0u32;
        loop {
            let octet = self.octet()?;
            index = index << 7 | u32::from(octet & 0x7F);
            if octet & 0x80 == 0 {
                break;
            }
        }
        TABLES.values[self.version]
            .get(&index)
            .copied()
            .ok_or_else(|| format!("the value {index:02x}"))
    }

    fn integer(&mut self) -> Result<u32, String> {
        let length = self.octet()?;
        if !(1..=4).contains(&length) {
            return Err(format!("an integer of {length} octets"));
        }
        let mut value = 0u32;
        for index in 0..length {
            let octet = self.octet()?;
            if index == 0 && octet == 0 && length > 1 {
                return Err("an integer with a leading zero octet".into());
            }
            value = value << 8 | u32::from(octet);
        }
        Ok(value)
    }

    fn inline(&mut self) -> Result<String, String> {
        let rest = &self.octets[self.position..];
        let end = rest
            .iter()
            .position(|octet| *octet == 0)
            .ok_or("a string without end")?;
        self.position += end + 1;
        std::str::from_utf8(&rest[..end])
            .map(str::to_owned)
            .map_err(|error| error.to_string())
    }

    fn octet(&mut self) -> Result<u8, String> {
        let octet = self
            .octets
            .get(self.position)
            .copied()
            .ok_or("the document ends early")?;
        self.position += 1;
        Ok(octet)
    }
}

/// S60 reads booleans only as tokens, and takes every OPAQUE for an integer.
fn check_form(tag: &TagEntry, element: &Element) -> Result<(), String> {
    let wrong = match (tag.kind, element.form) {
        (_, Form::Empty) => false,
        ("boolean", form) => form != Form::Token,
        ("integer", form) if INTEGERS_AS_TEXT.contains(&tag.name) => form == Form::Token,
        ("integer", form) => form != Form::Opaque,
        (_, form) => form == Form::Opaque,
    };
    if wrong {
        Err(format!("{} comes as {:?}", tag.name, element.form))
    } else {
        Ok(())
    }
}

struct TagEntry {
    name: &'static str,
    kind: &'static str,
}

#[derive(Default)]
struct Tables {
    /// Per version 1.0 to 1.3.
    tags: [HashMap<(u8, u8), TagEntry>; 4],
    values: [HashMap<u32, &'static str>; 4],
    attributes: [HashMap<u8, &'static str>; 4],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables::default();
    for line in TOKENS.lines().skip(1) {
        let columns: Vec<&'static str> = line.split('\t').collect();
        let [what, page, token, name, versions @ ..] = columns.as_slice() else {
            panic!("the line {line:?}");
        };
        let number = |text: &str| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        let Some(token) = number(token) else { continue };
        let octet = token as u8;
        let note = versions.get(5).copied().unwrap_or_default();
        for (version, has) in versions.iter().take(4).enumerate() {
            if *has != "1" {
                continue;
            }
            match *what {
                "tag" => {
                    let page = number(page).expect("a tag has a page") as u8;
                    let kind = note.strip_prefix("type=").unwrap_or_default();
                    let kind = kind.split([';', ' ']).next().unwrap_or_default();
                    tables.tags[version].insert((page, octet), TagEntry { name, kind });
                }
                // `History` shares the token of `GROUP_ID`.
                "value" => {
                    tables.values[version].entry(token).or_insert(name);
                }
                "attr-start" => {
                    let prefix = name.strip_prefix("xmlns=").expect("the only attribute");
                    tables.attributes[version].insert(octet, prefix);
                }
                _ => {}
            }
        }
    }
    // Android's 1.3 mode has kept this one (clients 3.12).
    let kept = TagEntry {
        name: "PresenceAuth-Request",
        kind: "",
    };
    tables.tags[3].insert((0x04, 0x19), kept);
    tables
});

#[cfg(test)]
mod tests {
    use super::read;

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    const STATUS: &str = "03116a00c90803312e3200016d6e708011016f037331000101727476802101750373727631000101f30a03312e320001716a4bc301c801010101010101";

    #[test]
    fn a_recorded_message_is_read() {
        let document = read(&octets(STATUS)).unwrap();
        assert_eq!(document.public_id, 0x11);
        let content = document
            .root
            .at("Session/Transaction/TransactionContent")
            .unwrap();
        assert_eq!(
            content.namespace.as_deref(),
            Some("http://www.openmobilealliance.org/DTD/WV-TRC1.2")
        );
        assert_eq!(content.text("Status/Result/Code"), Some("200"));
    }

    #[test]
    fn forms_that_a_client_cannot_read_are_refused() {
        for (part, instead) in [
            ("c301c8", "0332303000"), // Code as text
            ("8021", "c30121"),       // TransactionMode as OPAQUE
            ("6a00c9", "0000c9"),     // charset unknown
            ("03116a00", "03016a00"), // public identifier unknown
            ("0373727631", "0283727631"),
        ] {
            let bad = STATUS.replacen(part, instead, 1);
            assert!(read(&octets(&bad)).is_err(), "{part} as {instead}");
        }
        assert!(read(&octets(&STATUS[..STATUS.len() - 2])).is_err());
    }
}
