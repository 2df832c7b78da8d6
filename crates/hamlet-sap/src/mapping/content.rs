//! Content of messages between clients that write it differently (csp-im 4).

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::Encoding;
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
    let content_type = match content.encoding {
        TransferEncoding::None => without_charset(declared).into_owned(),
        TransferEncoding::Base64 => declared.to_owned(),
    };
    Written {
        content_type,
        encoding: match content.encoding {
            TransferEncoding::None => None,
            TransferEncoding::Base64 => Some(ContentEncoding::Base64),
        },
        size: size(content.size()),
        data: ContentData::Text(content.data.clone()),
    }
}

/// The octets of content and their type, as they lie in a file; `None` for base64 that is none.
pub fn octets(content: &Content) -> Option<(String, Vec<u8>)> {
    let declared = content.content_type.as_deref().unwrap_or("text/plain");
    let declared = declared.trim();
    if content.encoding == TransferEncoding::Base64 {
        return Some((declared.to_owned(), decode_base64(&content.data)?));
    }
    let declared = without_charset(declared);
    let is_named = parameters(&declared).any(|(name, _)| name.eq_ignore_ascii_case("charset"));
    let media_type = match content.media_type().starts_with("text/") && !is_named {
        true => format!("{declared}; charset=utf-8"),
        false => declared.into_owned(),
    };
    Some((media_type, content.data.clone().into_bytes()))
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

/// Text in the charset that the type names. Without one it is UTF-8 (data-types 2.4), or what it
/// then must be: the charset of old phones and computers.
fn decode_text(octets: &[u8], content_type: &str) -> String {
    let charset = parameters(content_type)
        .find(|(name, _)| name.eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.to_ascii_lowercase());
    let (encoding, octets) = match charset.as_deref() {
        // Big-endian unless a mark says otherwise (wbxml 1.1); browsers have it the other way.
        Some("utf-16" | "iso-10646-ucs-2" | "ucs-2") => {
            let marked = Encoding::for_bom(octets);
            let (encoding, length) = marked.unwrap_or((encoding_rs::UTF_16BE, 0));
            (encoding, &octets[length..])
        }
        Some(label) => {
            let known = Encoding::for_label(label.as_bytes());
            (known.unwrap_or(encoding_rs::UTF_8), octets)
        }
        None if std::str::from_utf8(octets).is_err() => (encoding_rs::WINDOWS_1252, octets),
        None => (encoding_rs::UTF_8, octets),
    };
    encoding.decode_without_bom_handling(octets).0.into_owned()
}

/// The parameters of a media type: name and value.
fn parameters(content_type: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = content_type.split(';').skip(1);
    let pairs = pairs.filter_map(|parameter| parameter.split_once('='));
    pairs.map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
}

/// The type of text that stands in a message, which has a charset of its own.
fn without_charset(content_type: &str) -> Cow<'_, str> {
    let is_charset = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("charset")
    };
    let mut parts = content_type.split(';');
    let media_type = parts.next().unwrap_or_default();
    let is_right = |(name, value): (&str, &str)| {
        !name.eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
    };
    if parameters(content_type).all(is_right) {
        return content_type.into();
    }
    let kept: String = parts
        .filter(|parameter| !is_charset(parameter))
        .flat_map(|parameter| [";", parameter])
        .collect();
    format!("{media_type}{kept}").into()
}

/// The type with the name of the file, for those who know no ContentName (csp-im 12.4). Texts
/// that are shown have none.
pub fn with_name(content_type: &str, name: &str) -> String {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let shown = ["text/plain", "text/html"];
    let is_shown = shown
        .iter()
        .any(|text| media_type.eq_ignore_ascii_case(text));
    let named = parameters(content_type).any(|(known, _)| known.eq_ignore_ascii_case("name"));
    if is_shown || named {
        return content_type.to_owned();
    }
    let plain = |c: &char| !c.is_control() && !['"', '\\'].contains(c);
    let name: String = name.chars().filter(plain).collect();
    format!("{content_type}; name=\"{name}\"")
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
    fn content_in_a_file_is_as_its_sender_has_it() {
        let text = |content_type: Option<&str>, data: &str| Content {
            content_type: content_type.map(str::to_owned),
            ..Content::text(data)
        };
        for (content, media_type, octets) in [
            (
                base64("image/png", "iVBO\r\nRw"),
                "image/png",
                &b"\x89PNG"[..],
            ),
            (
                base64("text/plain; charset=iso-8859-1", "xA=="),
                "text/plain; charset=iso-8859-1",
                &b"\xc4"[..],
            ),
            // What stands in a message is UTF-8, whatever it was.
            (
                text(None, "\u{c4}"),
                "text/plain; charset=utf-8",
                &b"\xc3\x84"[..],
            ),
            (
                text(Some("text/html; charset=iso-8859-1; x=y"), "\u{c4}"),
                "text/html; x=y; charset=utf-8",
                &b"\xc3\x84"[..],
            ),
            (
                text(Some("Text/Plain; Charset=UTF-8"), "a"),
                "Text/Plain; Charset=UTF-8",
                &b"a"[..],
            ),
            (
                text(Some("application/x-y"), "a"),
                "application/x-y",
                &b"a"[..],
            ),
        ] {
            let expected = (media_type.to_owned(), octets.to_vec());
            assert_eq!(super::octets(&content), Some(expected), "{content:?}");
        }
        assert_eq!(super::octets(&base64("image/png", "no base64!")), None);
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
            // Any charset; and without one, what is no UTF-8.
            (
                base64("text/plain; charset=windows-1251", "z/Do4uXy"),
                "Привет",
            ),
            (base64("text/plain; charset=KOI8-R", "8NLJ18XU"), "Привет"),
            (base64("text/plain; charset=Shift_JIS", "k/qWew=="), "日本"),
            (base64("text/plain; charset=GB2312", "xOO6ww=="), "你好"),
            (base64("text/plain; charset=Big5", "p0Gmbg=="), "你好"),
            (base64("text/plain; charset=iso-8859-2", "8bI="), "ń˛"),
            (base64("text/plain; charset=windows-1252", "gJM="), "€“"),
            (base64("text/plain; charset=us-ascii", "aGk="), "hi"),
            (base64("text/plain; charset=iso-10646-ucs-2", "IKw="), "€"),
            (base64("text/plain; charset=utf-16le", "xAA="), "Ä"),
            (base64("text/plain; charset=unheard-of", "w4Q="), "Ä"),
            (base64("text/plain", "xA=="), "Ä"),
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
    fn text_that_stands_in_a_message_has_the_charset_of_that() {
        for (declared, written) in [
            ("text/plain; charset=iso-8859-1", "text/plain"),
            ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
            (
                "text/plain;Charset=\"UTF-16\"; format=flowed",
                "text/plain; format=flowed",
            ),
            ("text/x-vCard", "text/x-vCard"),
        ] {
            let content = Content {
                content_type: Some(declared.into()),
                ..Content::text("\u{e4}")
            };
            assert_eq!(write(&content).content_type, written);
            // What is in base64 is still in its own.
            let encoded = write(&base64("text/x-vCard; charset=iso-8859-1", "5A=="));
            assert_eq!(encoded.content_type, "text/x-vCard; charset=iso-8859-1");
        }
    }

    #[test]
    fn a_name_becomes_a_parameter_of_the_type() {
        for (content_type, name, expected) in [
            ("image/jpeg", "lake.jpg", "image/jpeg; name=\"lake.jpg\""),
            (
                "image/jpeg; q=1",
                "a \"b\"\\\n.jpg",
                "image/jpeg; q=1; name=\"a b.jpg\"",
            ),
            ("image/jpeg; Name=x", "y", "image/jpeg; Name=x"),
            ("text/plain", "note.txt", "text/plain"),
            ("Text/HTML; charset=utf-8", "n", "Text/HTML; charset=utf-8"),
            (
                "text/x-vCard",
                "anna.vcf",
                "text/x-vCard; name=\"anna.vcf\"",
            ),
        ] {
            assert_eq!(with_name(content_type, name), expected);
        }
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
