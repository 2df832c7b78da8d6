//! Content of messages between clients that write it differently (csp-im 4).

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hamlet_csp::ContentData;
use hamlet_csp::elements::ContentEncoding;
use hamlet_model::Content;
use hamlet_model::content::TransferEncoding;
use std::borrow::Cow;

/// Base64 with or without padding: old clients leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Content as it is written: type, encoding, size and data (csp-im 2.1, 4.2, 4.3).
#[derive(Debug, PartialEq)]
pub struct Written {
    /// ContentType; always given, because some servers and gateways need it (clients 7.4).
    pub content_type: String,
    /// ContentEncoding; `None` stands for no encoding.
    pub encoding: Option<ContentEncoding>,
    /// ContentSize: octets before transfer encoding.
    pub size: u32,
    /// ContentData.
    pub data: ContentData,
}

/// Writes content. Plain text is never sent in base64: the Nokia engine decodes it only
/// for other types, the Android client for none (csp-im 4.2, clients 3.13).
pub fn write(content: &Content) -> Written {
    let is_text = content.media_type() == "text/plain";
    let declared = content.content_type.as_deref().unwrap_or("text/plain");
    if is_text && content.encoding == TransferEncoding::Base64 {
        let text = decoded_text(content).unwrap_or_else(|| content.data.clone());
        return Written {
            content_type: "text/plain".to_owned(),
            encoding: None,
            size: size(text.len()),
            data: ContentData::Text(text),
        };
    }
    Written {
        content_type: declared.to_owned(),
        encoding: match content.encoding {
            TransferEncoding::None => None,
            TransferEncoding::Base64 => Some(ContentEncoding::Base64),
        },
        size: size(content.size()),
        data: ContentData::Text(content.data.clone()),
    }
}

/// The text of content in base64; `None` when it is none.
pub fn decoded_text(content: &Content) -> Option<String> {
    let declared = content.content_type.as_deref().unwrap_or("text/plain");
    decode_base64(&content.data).map(|octets| decode_text(&octets, declared))
}

/// A length as ContentSize.
pub fn size(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

/// The octets of base64 text; white space does not count. `None` for what is none.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits: Cow<'_, str> = if text.bytes().any(|b| b.is_ascii_whitespace()) {
        text.split_ascii_whitespace().collect::<String>().into()
    } else {
        text.into()
    };
    BASE64.decode(digits.as_bytes()).ok()
}

/// Text in the charset that the type names; UTF-8 without one (data-types 2.4).
fn decode_text(octets: &[u8], content_type: &str) -> String {
    let charset = content_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase());
    let pairs = |octets: &[u8], join: fn([u8; 2]) -> u16| {
        let units = octets.chunks_exact(2).map(|pair| join([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match charset.as_deref() {
        Some("iso-8859-1" | "latin1") => octets.iter().map(|octet| char::from(*octet)).collect(),
        Some("utf-16le") => pairs(octets, u16::from_le_bytes),
        Some("utf-16be" | "iso-10646-ucs-2") => pairs(octets, u16::from_be_bytes),
        Some("utf-16") => match octets {
            [0xFF, 0xFE, rest @ ..] => pairs(rest, u16::from_le_bytes),
            [0xFE, 0xFF, rest @ ..] => pairs(rest, u16::from_be_bytes),
            _ => pairs(octets, u16::from_be_bytes),
        },
        _ => String::from_utf8_lossy(octets).into_owned(),
    }
}

/// Undoes the escaping that the Nokia engine adds inside WBXML: the five entities, once
/// (clients 4.3, S60-20).
pub fn unescape(text: String) -> String {
    if !text.contains('&') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = [
            ("&amp;", '&'),
            ("&lt;", '<'),
            ("&gt;", '>'),
            ("&quot;", '"'),
            ("&apos;", '\''),
        ];
        let found = known.iter().find(|(entity, _)| rest.starts_with(entity));
        let (taken, character) = found.map_or((1, '&'), |(entity, c)| (entity.len(), *c));
        out.push(character);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(content_type: &str, data: &str) -> Content {
        Content {
            content_type: Some(content_type.into()),
            encoding: TransferEncoding::Base64,
            data: data.into(),
        }
    }

    #[test]
    fn plain_text_is_never_written_in_base64() {
        for (content, text) in [
            (base64("text/plain", "aGVsbG8="), "hello"),
            (base64("Text/Plain; charset=utf-8", "w4Tigqzwn5iA"), "Ä€😀"),
            (base64("text/plain", "aGVs\r\nbG8"), "hello"),
            (base64("text/plain;charset=\"ISO-8859-1\"", "xA=="), "Ä"),
            (base64("text/plain; charset=UTF-16", "//7EAA=="), "Ä"),
            (base64("text/plain; charset=utf-16be", "AMQ="), "Ä"),
            (base64("text/plain", "not base64!"), "not base64!"),
        ] {
            let written = write(&content);
            assert_eq!(written.data, ContentData::Text(text.into()), "{content:?}");
            assert_eq!(written.encoding, None);
            assert_eq!(written.content_type, "text/plain");
            assert_eq!(written.size as usize, text.len());
        }
    }

    #[test]
    fn other_content_keeps_its_type_and_encoding_and_gets_its_true_size() {
        let picture = write(&base64("image/png", "UE5HREFUQQ=="));
        assert_eq!(picture.encoding, Some(ContentEncoding::Base64));
        assert_eq!(
            (picture.size, picture.content_type.as_str()),
            (7, "image/png")
        );
        let text = write(&Content::text("Ä€😀"));
        assert_eq!((text.size, text.content_type.as_str()), (9, "text/plain"));
        let html = Content {
            content_type: Some("text/html".into()),
            ..Content::text("<b>x</b>")
        };
        assert_eq!(write(&html).data, ContentData::Text("<b>x</b>".into()));
    }

    #[test]
    fn s60_20_entities_are_undone_once() {
        for (given, text) in [
            ("a<b & c", "a<b & c"),
            ("a&lt;b &amp; c", "a<b & c"),
            ("&amp;lt;", "&lt;"),
            ("&quot;&apos;&gt;", "\"'>"),
            ("&nbsp;&", "&nbsp;&"),
            ("ä&amp;ö", "ä&ö"),
            ("", ""),
        ] {
            assert_eq!(unescape(given.into()), text, "{given}");
        }
    }
}
