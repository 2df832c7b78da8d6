//! The syntaxes and their media types (transport 2.1).

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Syntax {
    /// XML.
    Xml,
    /// Binary XML.
    Wbxml,
}

impl Syntax {
    /// Decides by the media type, else by the first octets (csp-access 1.1, transport 2.1):
    /// `None` is an unsupported media type. Plain text is not a syntax yet.
    pub fn detect(content_type: Option<&str>, body: &[u8]) -> Option<Self> {
        let media_type = content_type
            .unwrap_or("")
            .split(';')
            .next()
            .unwrap_or("")
            .to_ascii_lowercase();
        if media_type.contains("wbxml") {
            Some(Self::Wbxml)
        } else if media_type.contains("xml") {
            Some(Self::Xml)
        } else if media_type.contains("sms") {
            None
        } else {
            Self::sniff(body)
        }
    }

    /// The charset parameter of a media type, in whatever case and quotes.
    pub fn charset(content_type: &str) -> Option<&str> {
        let named = |parameter: &&str| {
            let name = parameter.split('=').next().unwrap_or("").trim();
            name.eq_ignore_ascii_case("charset")
        };
        let parameter = content_type.split(';').skip(1).find(named)?;
        let (_, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']).trim();
        (!value.is_empty()).then_some(value)
    }

    fn sniff(body: &[u8]) -> Option<Self> {
        let text = body.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(body);
        match text.iter().find(|octet| !octet.is_ascii_whitespace())? {
            b'<' => Some(Self::Xml),
            0x01..=0x03 if matches!(body.get(1), Some(0x00 | 0x01 | 0x0F..=0x12)) => {
                Some(Self::Wbxml)
            }
            0xFE | 0xFF if body.starts_with(&[0xFE, 0xFF]) || body.starts_with(&[0xFF, 0xFE]) => {
                Some(Self::Xml)
            }
            _ => None,
        }
    }

    /// The media type of this syntax in `version`.
    pub fn media_type(self, version: crate::Version) -> &'static str {
        match (self, version) {
            (Self::Xml, crate::Version::V1_3) => "application/vnd.wv.csp+xml",
            (Self::Xml, _) => "application/vnd.wv.csp.xml",
            (Self::Wbxml, crate::Version::V1_3) => "application/vnd.wv.csp+wbxml",
            (Self::Wbxml, _) => "application/vnd.wv.csp.wbxml",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_decides_and_else_the_body() {
        let (xml, wbxml) = (Some(Syntax::Xml), Some(Syntax::Wbxml));
        for (content_type, body, syntax) in [
            (Some("application/vnd.wv.csp.wbxml"), &b"<"[..], wbxml),
            (
                Some("application/vnd.wv.csp+wbxml; charset=utf-8"),
                b"",
                wbxml,
            ),
            (Some("Application/Vnd.WV.CSP.XML"), b"", xml),
            (Some("text/xml"), b"\x03\x10", xml),
            (Some("application/vnd.wv.csp.sms"), b"WV12", None),
            (Some("text/plain"), b"  <WV-CSP-Message", xml),
            (Some("application/octet-stream"), b"\x03\x11\x6a\x00", wbxml),
            (None, b"\xEF\xBB\xBF<", xml),
            (None, b"\xFF\xFE<\0", xml),
            (None, b"hello", None),
            (None, b"", None),
        ] {
            assert_eq!(
                Syntax::detect(content_type, body),
                syntax,
                "{content_type:?} {body:?}"
            );
        }
    }

    #[test]
    fn the_charset_of_a_media_type_is_found_however_it_is_written() {
        for (content_type, charset) in [
            ("text/xml; charset=utf-8", Some("utf-8")),
            (
                "text/xml;a=b; Charset = \"ISO-8859-1\" ;c",
                Some("ISO-8859-1"),
            ),
            ("text/xml; charset='utf-16'", Some("utf-16")),
            ("text/xml; charset=", None),
            ("text/xml; charset", None),
            ("charset=utf-8", None),
            ("", None),
        ] {
            assert_eq!(Syntax::charset(content_type), charset, "{content_type}");
        }
    }
}
