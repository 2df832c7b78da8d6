//! Character sets (wbxml 1.1).

use std::borrow::Cow;
use std::ffi::CStr;

/// How the strings of a document are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// MIBenum 106; also what an unknown charset (0) is taken for.
    Utf8,
    /// MIBenum 3.
    UsAscii,
    /// MIBenum 4.
    Latin1,
    /// MIBenum 1015 and 1013, and UCS-2 (1000): big-endian; in 1015 a byte order mark decides.
    Utf16Be,
    /// MIBenum 1014.
    Utf16Le,
}

impl Charset {
    /// From the IANA MIBenum number.
    pub fn from_mib(mib: u32) -> Option<Self> {
        match mib {
            106 => Some(Self::Utf8),
            3 => Some(Self::UsAscii),
            4 => Some(Self::Latin1),
            1000 | 1013 | 1015 => Some(Self::Utf16Be),
            1014 => Some(Self::Utf16Le),
            _ => None,
        }
    }

    /// From the name that a media type's charset parameter gives.
    pub fn from_label(label: &str) -> Option<Self> {
        let names = [
            ("utf-8", Self::Utf8),
            ("utf8", Self::Utf8),
            ("us-ascii", Self::UsAscii),
            ("iso-8859-1", Self::Latin1),
            ("utf-16", Self::Utf16Be),
            ("utf-16be", Self::Utf16Be),
            ("iso-10646-ucs-2", Self::Utf16Be),
            ("utf-16le", Self::Utf16Le),
        ];
        let label = label.trim_matches(['"', ' ']);
        let of = |(name, _): &&(&str, Self)| label.eq_ignore_ascii_case(name);
        names.iter().find(of).map(|(_, charset)| *charset)
    }

    /// Octets of the terminator of a string.
    #[inline]
    pub(crate) fn unit(self) -> usize {
        match self {
            Self::Utf16Be | Self::Utf16Le => 2,
            Self::Utf8 | Self::UsAscii | Self::Latin1 => 1,
        }
    }

    /// Offset of the terminator of the string at the start of `octets`.
    #[inline]
    pub(crate) fn find_end(self, octets: &[u8]) -> Option<usize> {
        match self.unit() {
            // Searches by words, which `position` does not.
            1 => CStr::from_bytes_until_nul(octets)
                .ok()
                .map(CStr::count_bytes),
            _ => octets
                .chunks_exact(2)
                .position(|unit| unit == [0, 0])
                .map(|at| at * 2),
        }
    }

    /// Decodes a string; what is not well-formed becomes U+FFFD, except that surrogates
    /// coded one by one as UTF-8 (CESU-8) are put together (wbxml 7 item 22).
    #[inline]
    pub fn decode(self, octets: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 | Self::UsAscii => match std::str::from_utf8(octets) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => Cow::Owned(decode_cesu8(octets)),
            },
            Self::Latin1 => Cow::Owned(octets.iter().map(|octet| char::from(*octet)).collect()),
            Self::Utf16Be => match octets.strip_prefix(&[0xFF, 0xFE]) {
                Some(little) => Cow::Owned(
                    encoding_rs::UTF_16LE
                        .decode_without_bom_handling(little)
                        .0
                        .into_owned(),
                ),
                None => {
                    let big = octets.strip_prefix(&[0xFE, 0xFF]).unwrap_or(octets);
                    Cow::Owned(
                        encoding_rs::UTF_16BE
                            .decode_without_bom_handling(big)
                            .0
                            .into_owned(),
                    )
                }
            },
            Self::Utf16Le => Cow::Owned(
                encoding_rs::UTF_16LE
                    .decode_without_bom_handling(octets)
                    .0
                    .into_owned(),
            ),
        }
    }
}

fn decode_cesu8(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    let mut rest = octets;
    while !rest.is_empty() {
        let (good, after) = match std::str::from_utf8(rest) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                (std::str::from_utf8(good).unwrap_or(""), bad)
            }
        };
        out.push_str(good);
        if let [
            0xED,
            a @ 0xA0..=0xAF,
            b @ 0x80..=0xBF,
            0xED,
            c @ 0xB0..=0xBF,
            d @ 0x80..=0xBF,
            after @ ..,
        ] = after
        {
            let high = u32::from(a & 0x0F) << 6 | u32::from(b & 0x3F);
            let low = u32::from(c & 0x0F) << 6 | u32::from(d & 0x3F);
            out.push(
                char::from_u32(0x10000 + (high << 10) + low).unwrap_or(char::REPLACEMENT_CHARACTER),
            );
            rest = after;
        } else if let [_, after @ ..] = after {
            out.push(char::REPLACEMENT_CHARACTER);
            // The octets of one broken character become one replacement.
            let continuation = after
                .iter()
                .take_while(|octet| (0x80..0xC0).contains(*octet))
                .count();
            rest = &after[continuation..];
        } else {
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_every_charset_are_decoded() {
        for (charset, octets, text) in [
            (Charset::Utf8, &b"\xC3\x84\xE2\x82\xAC"[..], "Ä€"),
            (Charset::Utf8, b"\xED\xA0\xBD\xED\xB8\x80z", "😀z"),
            (Charset::Utf8, b"a\xFFb", "a\u{FFFD}b"),
            (Charset::Utf8, b"\xED\xA0\xBDx", "\u{FFFD}x"),
            (Charset::UsAscii, b"abc", "abc"),
            (Charset::Latin1, b"\xC4", "Ä"),
            (Charset::Utf16Be, b"\x00A\xD8\x3D\xDE\x00", "A😀"),
            (Charset::Utf16Be, b"\xFF\xFEA\x00", "A"),
            (Charset::Utf16Le, b"A\x00", "A"),
        ] {
            assert_eq!(charset.decode(octets), text, "{charset:?} {octets:02X?}");
        }
        for (label, charset) in [
            ("UTF-8", Some(Charset::Utf8)),
            ("\"iso-8859-1\"", Some(Charset::Latin1)),
            ("koi8-r", None),
        ] {
            assert_eq!(Charset::from_label(label), charset);
        }
        assert_eq!(Charset::Utf16Be.find_end(b"\x00A\x00\x00"), Some(2));
        assert_eq!(Charset::Utf16Be.find_end(b"A\x00\x00B"), None);
    }
}
