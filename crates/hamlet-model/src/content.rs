//! Content of messages, notes and pictures.

use serde::{Deserialize, Serialize};

/// How binary content travels as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TransferEncoding {
    /// The text is the content.
    #[default]
    None,
    /// The text is the content's octets in base64.
    Base64,
}

/// Content with its type (data-types 2.4).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// MIME type, parameters allowed; `None` is text/plain in UTF-8.
    pub content_type: Option<String>,
    /// Transfer encoding of `data`.
    pub encoding: TransferEncoding,
    /// The content, or its base64.
    pub data: String,
}

impl Content {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            content_type: None,
            encoding: TransferEncoding::None,
            data: text.into(),
        }
    }

    /// Number of octets of the content before transfer encoding (csp-im 4.3).
    pub fn size(&self) -> usize {
        match self.encoding {
            TransferEncoding::None => self.data.len(),
            TransferEncoding::Base64 => {
                let digits = self
                    .data
                    .bytes()
                    .filter(|b| !b.is_ascii_whitespace() && *b != b'=')
                    .count();
                digits * 3 / 4
            }
        }
    }

    /// The MIME type without parameters, lower case; `text/plain` when none is given.
    pub fn media_type(&self) -> String {
        let full = self.content_type.as_deref().unwrap_or("text/plain");
        full.split(';')
            .next()
            .unwrap_or(full)
            .trim()
            .to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_counts_the_octets_before_transfer_encoding() {
        assert_eq!(Content::text("Ä€😀").size(), 9);
        for (data, size) in [
            ("", 0),
            ("AA==", 1),
            ("AAA=", 2),
            ("AAAA", 3),
            ("AAAA\r\nAAAA", 6),
        ] {
            let content = Content {
                encoding: TransferEncoding::Base64,
                data: data.into(),
                ..Content::default()
            };
            assert_eq!(content.size(), size, "{data}");
        }
    }

    #[test]
    fn the_media_type_has_no_parameters() {
        let content = Content {
            content_type: Some("Text/HTML; charset=utf-8".into()),
            ..Content::default()
        };
        assert_eq!(content.media_type(), "text/html");
        assert_eq!(Content::default().media_type(), "text/plain");
    }
}
