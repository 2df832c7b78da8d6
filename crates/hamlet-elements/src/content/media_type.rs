//! Types of content: which are kept, which a browser may show, how URLs end. Pure.

/// Longest type with its parameters, octets.
const LONGEST: usize = 127;

/// Longest file name, characters.
const LONGEST_NAME: usize = 100;

/// Types with the ending by which phones and people know them, and whether a browser may show
/// them where they are: it can run nothing that is in them.
const KNOWN: &[(&str, &str, bool)] = &[
    ("image/jpeg", "jpg", true),
    ("image/png", "png", true),
    ("image/gif", "gif", true),
    ("image/bmp", "bmp", true),
    ("image/vnd.wap.wbmp", "wbmp", true),
    ("image/svg+xml", "svg", false),
    ("audio/amr", "amr", true),
    ("audio/midi", "mid", true),
    ("audio/mpeg", "mp3", true),
    ("audio/wav", "wav", true),
    ("audio/x-wav", "wav", true),
    ("audio/3gpp", "3gp", true),
    ("video/3gpp", "3gp", true),
    ("video/mp4", "mp4", true),
    ("text/plain", "txt", true),
    ("text/html", "html", false),
    ("text/x-vcard", "vcf", false),
    ("text/vcard", "vcf", false),
    ("text/x-vcalendar", "vcs", false),
    ("text/calendar", "ics", false),
    ("application/vnd.wap.mms-message", "mms", false),
];

/// A MIME type as it was given, after it was found to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    text: String,
    essence: String,
}

impl MediaType {
    /// Reads one; `None` for a text that is none, or could break a header.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let essence = text.split(';').next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        let fits = text.len() <= LONGEST
            && is_token(kind)
            && is_token(subtype)
            && kind != "*"
            && subtype != "*"
            && text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
        fits.then(|| Self {
            text: text.to_owned(),
            essence,
        })
    }

    /// The whole, with its parameters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether one of these patterns allows it: `*`, `image/*` or a whole type.
    pub fn is_among(&self, patterns: &[String]) -> bool {
        patterns.iter().any(|pattern| {
            let pattern = pattern.trim();
            match pattern.strip_suffix('*') {
                Some(beginning) => {
                    let essence = self.essence.get(..beginning.len());
                    essence.is_some_and(|begins| begins.eq_ignore_ascii_case(beginning))
                }
                None => self.essence.eq_ignore_ascii_case(pattern),
            }
        })
    }

    /// The ending of a file of this type.
    pub fn ending(&self) -> &'static str {
        let mut known = KNOWN.iter();
        known
            .find(|(name, ..)| *name == self.essence)
            .map_or("bin", |(_, ending, _)| ending)
    }
}

/// Whether a browser may show content of this type where it is; else it is only to be saved.
pub fn shows_inline(media_type: &str) -> bool {
    let parsed = MediaType::parse(media_type);
    parsed.is_some_and(|media_type| {
        let essence = media_type.essence.as_str();
        KNOWN
            .iter()
            .any(|(name, _, shown)| *name == essence && *shown)
    })
}

/// A file name without anything that leads elsewhere or breaks a header.
pub(crate) fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_plain = |c: &char| !c.is_control() && !matches!(c, '"' | '<' | '>' | ';');
    let name: String = last.chars().filter(is_plain).take(LONGEST_NAME).collect();
    name.trim_matches(['.', ' ']).to_owned()
}

fn is_token(text: &str) -> bool {
    let is_part = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$&-^_.+*".contains(&octet);
    !text.is_empty() && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_two_tokens_with_harmless_parameters() {
        for (text, known) in [
            ("image/png", true),
            (" Text/Plain; charset=utf-8", true),
            ("application/vnd.wap.mms-message", true),
            ("", false),
            ("image", false),
            ("image/", false),
            ("/png", false),
            ("*/*", false),
            ("image/*", false),
            ("a b/c", false),
            ("text/plain\r\nSet-Cookie: x", false),
            ("text/plain; charset=\u{e9}", false),
        ] {
            assert_eq!(MediaType::parse(text).is_some(), known, "{text:?}");
        }
        assert_eq!(MediaType::parse(&format!("a/{}", "b".repeat(130))), None);
    }

    #[test]
    fn patterns_name_one_type_all_of_a_kind_or_any() {
        let jpeg = MediaType::parse("Image/JPEG; q=1").unwrap();
        let among = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
            jpeg.is_among(&patterns)
        };
        assert!(among(&["text/plain", "image/*"]) && among(&["*"]) && among(&["IMAGE/jpeg"]));
        assert!(!among(&[]) && !among(&["image/jpegx", "text/*", "image/png"]));
        assert_eq!(jpeg.ending(), "jpg");
        assert_eq!(MediaType::parse("x/y").unwrap().ending(), "bin");
    }

    #[test]
    fn what_a_browser_could_run_is_not_shown() {
        for (media_type, shown) in [
            ("image/png", true),
            ("image/jpeg; x=y", true),
            ("text/plain; charset=utf-8", true),
            ("text/html", false),
            ("image/svg+xml", false),
            ("application/xhtml+xml", false),
            ("application/pdf", false),
            ("text/xml", false),
            ("nonsense", false),
        ] {
            assert_eq!(shows_inline(media_type), shown, "{media_type}");
        }
    }

    #[test]
    fn a_file_name_leads_nowhere() {
        for (given, name) in [
            ("cat.jpg", "cat.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\pictures\\cat.jpg", "cat.jpg"),
            ("..", ""),
            ("a\r\nb\"c;d", "abcd"),
            ("Kätzchen.png", "Kätzchen.png"),
        ] {
            assert_eq!(file_name(given), name, "{given}");
        }
        assert_eq!(file_name(&"a".repeat(500)).len(), LONGEST_NAME);
    }
}
