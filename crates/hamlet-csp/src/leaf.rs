//! Values of leaf elements: reading them from text (data-types 2).

use crate::Text;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Character data of ContentData.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentData {
    /// Text, or the base64 that ContentEncoding announces.
    Text(String),
    /// Raw octets: WBXML only, and only until the element that holds them has been read.
    Octets(Vec<u8>),
}

impl ContentData {
    /// The text; octets that are no UTF-8 are replaced.
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Octets(octets) => String::from_utf8_lossy(&octets).into_owned(),
        }
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Octets(_) => None,
        }
    }
}

impl From<&str> for ContentData {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// `None` for an empty text.
pub(crate) trait NonEmpty: Sized {
    fn non_empty(self) -> Option<Self>;
}

impl NonEmpty for Text {
    fn non_empty(self) -> Option<Self> {
        (!self.is_empty()).then_some(self)
    }
}

/// BASE64 with or without white space in it.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    BASE64.decode(digits).ok()
}

/// `T` and `F`, and what else occurs for them (wbxml 5.2).
pub(crate) fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "T" | "t" | "1" => Some(true),
        "F" | "f" | "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Unsigned decimal or `0x` hexadecimal, 32 bits.
pub(crate) fn parse_integer(text: &str) -> Option<u32> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(hex, 16).ok();
    }
    if text.starts_with('+') {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_and_integers_are_read_in_every_known_form() {
        for (text, value) in [("T", true), ("f", false), ("TRUE", true), ("0", false)] {
            assert_eq!(parse_boolean(text), Some(value));
        }
        assert_eq!(parse_boolean("yes"), None);
        for (text, value) in [
            ("0", 0),
            ("0200", 200),
            ("0x23829381", 0x2382_9381),
            ("4294967295", u32::MAX),
        ] {
            assert_eq!(parse_integer(text), Some(value));
        }
        for text in ["", "-1", "+1", "4294967296", "1.5", "0x", "abc"] {
            assert_eq!(parse_integer(text), None, "{text}");
        }
    }
}
