//! Content for clients that take only other types (csp-im 4.4, clients MOV-21): HTML
//! becomes plain text. Pure.

use crate::negotiation::capability::{Accepted, Capabilities};
use hamlet_model::content::TransferEncoding;
use hamlet_model::{Content, Message};

/// A message as a client gets it.
pub(crate) enum Adapted<'a> {
    AsIs(&'a Message),
    Converted(Box<Message>),
}

/// Whether the client takes the content, converted if need be.
pub(crate) fn accepts(content: &Content, capabilities: &Capabilities) -> bool {
    capabilities.accepts(content) || is_convertible(content, capabilities)
}

/// The message, its content converted if that is what the client can take.
pub(crate) fn adapt<'a>(message: &'a Message, capabilities: &Capabilities) -> Adapted<'a> {
    if capabilities.accepts(&message.content) || !is_convertible(&message.content, capabilities) {
        return Adapted::AsIs(message);
    }
    let mut converted = message.clone();
    converted.content = Content::text(plain(&message.content.data));
    Adapted::Converted(Box::new(converted))
}

fn is_convertible(content: &Content, capabilities: &Capabilities) -> bool {
    content.encoding == TransferEncoding::None
        && content.media_type() == "text/html"
        && !matches!(capabilities.accepted_type("text/plain"), Accepted::Not)
}

/// The text of HTML: tags and comments go, breaks and ends of blocks become line ends,
/// entities are decoded.
fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match rest.strip_prefix("<!--") {
            Some(comment) => comment.find("-->").map_or(rest.len(), |end| end + 7),
            None if rest.starts_with('<') => tag(rest, &mut out),
            None => entity(rest, &mut out),
        };
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// Skips a tag; attribute values may hold `>` in quotes. Its length.
fn tag(text: &str, out: &mut String) -> usize {
    let begins = text[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    if !begins {
        out.push('<');
        return 1;
    }
    let mut quote = None;
    let end = text.char_indices().find(|(_, c)| match (quote, c) {
        (Some(open), c) if open == *c => {
            quote = None;
            false
        }
        (None, '"' | '\'') => {
            quote = Some(*c);
            false
        }
        (None, '>') => true,
        _ => false,
    });
    // An unbalanced quote would swallow the rest: then quotes do not count.
    let end = end.map(|(at, _)| at).or_else(|| text.find('>'));
    let Some(end) = end else {
        return text.len();
    };
    let name: String = text[1..end]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '/')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if matches!(name.as_str(), "br" | "br/" | "/p" | "/div" | "/li" | "/tr") {
        out.push('\n');
    }
    end + 1
}

/// Decodes an entity; what is none stays. Its length.
fn entity(text: &str, out: &mut String) -> usize {
    let name = text[1..].split(';').next().unwrap_or("");
    let whole = text.as_bytes().get(name.len() + 1) == Some(&b';');
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok();
    let decoded = match name {
        _ if !whole || name.len() > 10 => None,
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => name
            .strip_prefix('#')
            .and_then(|digits| match digits.strip_prefix(['x', 'X']) {
                Some(hex) => number(hex, 16),
                None => number(digits, 10),
            })
            .and_then(char::from_u32)
            .filter(|c| !c.is_control() || *c == '\n'),
    };
    match decoded {
        Some(character) => {
            out.push(character);
            name.len() + 2
        }
        None => {
            out.push('&');
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_becomes_what_a_reader_sees() {
        for (html, text) in [
            (
                "<span style=\"color:#000\">Hola &amp; adi\u{f3}s</span>",
                "Hola & adi\u{f3}s",
            ),
            ("a<br>b<BR />c", "a\nb\nc"),
            ("<p>one</p><p>two</p>", "one\ntwo"),
            ("1 < 2 &lt; 3", "1 < 2 < 3"),
            ("&#72;&#x69; &bogus; &", "Hi &bogus; &"),
            ("a<!-- <b>hidden</b> -->b", "ab"),
            ("<a title=\"x>y\">z</a>", "z"),
            ("<font face=\"Arial>text</font>", "text"),
            ("broken <b", "broken"),
            ("", ""),
        ] {
            assert_eq!(plain(html), text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_converted(html in "[<>&;#!\"'a-z/ -]{0,60}") {
            let _ = plain(&html);
        }
    }
}
