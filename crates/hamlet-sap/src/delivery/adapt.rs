//! Content for clients that cannot take it as it is (csp-im 4.2, 4.4, clients MOV-21): HTML
//! becomes plain text, text leaves base64, characters that cannot be shown are replaced.
//! Pure.

use crate::mapping::content::decoded_text;
use crate::mapping::message::link_text;
use crate::negotiation::capability::{Accepted, Capabilities, Repertoire};
use hamlet_model::content::TransferEncoding;
use hamlet_model::{Content, Message};
use std::borrow::Cow;

/// A message as a client gets it.
pub(crate) enum Adapted<'a> {
    AsIs(&'a Message),
    Converted(Box<Message>),
}

impl Adapted<'_> {
    /// The message in this form.
    pub(crate) fn message(&self) -> &Message {
        match self {
            Self::AsIs(message) => message,
            Self::Converted(message) => message,
        }
    }
}

/// Whether the client takes the message, in another form if need be.
pub(crate) fn accepts(message: &Message, capabilities: &Capabilities) -> bool {
    message.is_outside()
        || fits(&message.content, capabilities)
        || converted(&message.content, capabilities).is_some()
        || takes_link(message, capabilities)
}

/// The message as the client can take it: as it is, converted, or as a link to it (csp-im 4.4);
/// what lies in another system is always a link. As it is where nothing helps.
pub(crate) fn adapt<'a>(message: &'a Message, capabilities: &Capabilities) -> Adapted<'a> {
    if !message.is_outside() {
        if fits(&message.content, capabilities) {
            return Adapted::AsIs(message);
        }
        if let Some(content) = converted(&message.content, capabilities) {
            let mut converted = message.clone();
            converted.content = content;
            return Adapted::Converted(Box::new(converted));
        }
    }
    match takes_link(message, capabilities) {
        true => Adapted::Converted(linked(message)),
        false => Adapted::AsIs(message),
    }
}

/// Whether there is a link, and the client can show it.
pub(crate) fn takes_link(message: &Message, capabilities: &Capabilities) -> bool {
    let accepted = || capabilities.accepted_type("text/plain");
    message.uri.is_some() && !matches!(accepted(), Accepted::Not)
}

/// The message with a link in the place of its content, and the name of that.
pub(crate) fn linked(message: &Message) -> Box<Message> {
    linked_to(message, message.uri.as_deref().unwrap_or_default())
}

/// The message with this link in the place of its content.
pub(crate) fn linked_to(message: &Message, uri: &str) -> Box<Message> {
    let name = message.content_name.as_deref();
    Box::new(Message {
        content: Content::text(link_text(name, uri)),
        content_name: None,
        uri: Some(uri.to_owned()),
        elsewhere: None,
        font: None,
        ..message.clone()
    })
}

/// Whether the client takes it as it is.
fn fits(content: &Content, capabilities: &Capabilities) -> bool {
    // The usual case needs no media type.
    let undemanding = capabilities.content_types.is_none()
        && capabilities.repertoire == Repertoire::Unicode
        && (capabilities.base64 || content.encoding == TransferEncoding::None);
    if undemanding {
        return true;
    }
    let media_type = content.media_type();
    if matches!(capabilities.accepted_type(&media_type), Accepted::Not) {
        return false;
    }
    let shown = is_shown(&media_type);
    match content.encoding {
        TransferEncoding::None => {
            !shown || content.data.chars().all(|c| capabilities.repertoire.has(c))
        }
        // Plain text is written without it (mapping::content).
        TransferEncoding::Base64 if media_type == "text/plain" => {
            capabilities.repertoire == Repertoire::Unicode
        }
        TransferEncoding::Base64 => {
            capabilities.base64 && (!shown || capabilities.repertoire == Repertoire::Unicode)
        }
    }
}

/// The content in a form that the client takes.
fn converted(content: &Content, capabilities: &Capabilities) -> Option<Content> {
    let media_type = content.media_type();
    let (declared, text) = match content.encoding {
        TransferEncoding::None => (content.content_type.clone(), Cow::from(&content.data)),
        TransferEncoding::Base64 if media_type.starts_with("text/") => {
            (Some(media_type.clone()), decoded_text(content)?.into())
        }
        TransferEncoding::Base64 => return None,
    };
    let takes = |media_type: &str| {
        let accepted = capabilities.accepted_type(media_type);
        !matches!(accepted, Accepted::Not)
    };
    let (content_type, text) = match media_type.as_str() {
        taken if takes(taken) => (declared, text),
        "text/html" if takes("text/plain") => (None, plain(&text).into()),
        _ => return None,
    };
    let text = match is_shown(&media_type) {
        true => limit(&text, capabilities.repertoire),
        false => text.into_owned(),
    };
    Some(Content {
        content_type,
        encoding: TransferEncoding::None,
        data: text,
    })
}

/// Whether the client shows the characters of such content; others it stores or hands on.
fn is_shown(media_type: &str) -> bool {
    matches!(media_type, "text/plain" | "text/html")
}

/// The text without characters that the client cannot show: those that a keyboard puts in
/// unasked have a likeness, others become question marks.
fn limit(text: &str, repertoire: Repertoire) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if repertoire.has(character) {
            out.push(character);
            continue;
        }
        out.push_str(match character {
            '\u{2018}'..='\u{201B}' => "'",
            '\u{201C}'..='\u{201F}' => "\"",
            '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
            '\u{2026}' => "...",
            '\u{20AC}' => "EUR",
            '\u{2122}' => "TM",
            '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' => " ",
            '\u{200B}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' => "",
            _ => "?",
        });
    }
    out
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

/// The entities of HTML for the characters of ISO-8859-1, from U+00A0 on.
const LATIN_1: &str = "\
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg \
    plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 \
    iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml \
    Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave \
    Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil \
    egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde \
    ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// Others that are met in texts.
const OTHERS: &[(&str, char)] = &[
    ("euro", '\u{20ac}'),
    ("hellip", '\u{2026}'),
    ("ndash", '\u{2013}'),
    ("mdash", '\u{2014}'),
    ("lsquo", '\u{2018}'),
    ("rsquo", '\u{2019}'),
    ("ldquo", '\u{201c}'),
    ("rdquo", '\u{201d}'),
    ("bdquo", '\u{201e}'),
    ("bull", '\u{2022}'),
    ("trade", '\u{2122}'),
];

/// The character of a named entity.
fn named(name: &str) -> Option<char> {
    let others = OTHERS.iter().find(|(known, _)| *known == name);
    let latin_1 = || {
        let at = LATIN_1.split(' ').position(|known| known == name)?;
        char::from_u32(0xA0 + u32::try_from(at).ok()?)
    };
    others.map(|(_, character)| *character).or_else(latin_1)
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
        _ if name.starts_with('#') => match name[1..].strip_prefix(['x', 'X']) {
            Some(hex) => number(hex, 16),
            None => number(&name[1..], 10),
        }
        .and_then(char::from_u32)
        .filter(|c| !c.is_control() || *c == '\n'),
        _ => named(name),
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
    use crate::negotiation::capability::Offer;
    use hamlet_csp::Version;
    use hamlet_csp::elements::{AcceptedContentType, CapabilityList};
    use hamlet_model::{Domain, Elsewhere, MessageId, MessageParty, Timestamp, UserId};
    use proptest::prelude::*;
    use std::time::Duration;

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
            (
                "cr&egrave;me &yuml;&nbsp;&hellip;",
                "cr\u{e8}me \u{ff} \u{2026}",
            ),
            ("a<!-- <b>hidden</b> -->b", "ab"),
            ("<a title=\"x>y\">z</a>", "z"),
            ("<font face=\"Arial>text</font>", "text"),
            ("broken <b", "broken"),
            ("", ""),
        ] {
            assert_eq!(plain(html), text, "{html}");
        }
    }

    fn client(types: &[&str], base64: bool, repertoire: Repertoire) -> Capabilities {
        let list = CapabilityList {
            accepted_content_type: types
                .iter()
                .map(|name| AcceptedContentType {
                    content_type: Some((*name).into()),
                    ..AcceptedContentType::default()
                })
                .collect(),
            ..CapabilityList::default()
        };
        let offer = Offer {
            poll_min: Duration::ZERO,
            max_multi_trans: 1,
        };
        Capabilities {
            base64,
            repertoire,
            ..Capabilities::negotiate(&list, Version::V1_2, offer)
        }
    }

    fn message(content: Content, uri: Option<&str>) -> Message {
        let anna = UserId::parse("wv:anna@h", &Domain::parse("h").unwrap()).unwrap();
        Message {
            sender_name: None,
            id: MessageId::new("m"),
            sender: MessageParty::user(anna.clone()),
            recipient: MessageParty::user(anna),
            content,
            content_name: None,
            uri: uri.map(str::to_owned),
            elsewhere: None,
            sent: Timestamp::default(),
            expires: Timestamp::default(),
            font: None,
            extensions: Vec::new(),
            transaction_extensions: Vec::new(),
            report: false,
        }
    }

    #[test]
    fn what_a_client_cannot_take_is_a_link_away() {
        // csp-im 4.4 (2).
        use TransferEncoding::Base64;
        let picture = content("image/png", Base64, "UE5H");
        let text = client(&["text/plain"], true, Repertoire::Unicode);
        let audio = client(&["audio/amr"], true, Repertoire::Unicode);
        let any = client(&[], true, Repertoire::Unicode);
        let url = Some("http://h/p");
        for (uri, client, form) in [
            (None, &text, None),
            (None, &any, Some("UE5H")),
            (url, &any, Some("UE5H")),
            (url, &text, Some("http://h/p")),
            (url, &audio, None),
        ] {
            let message = message(picture.clone(), uri);
            assert_eq!(accepts(&message, client), form.is_some());
            if let Some(form) = form {
                assert_eq!(adapt(&message, client).message().content.data, form);
            }
        }
        // What lies outside is never anything else.
        let outside = Message {
            content: content("message/rfc822", TransferEncoding::None, ""),
            content_name: Some("Dinner".into()),
            elsewhere: Some(Elsewhere {
                size: 5000,
                outside: true,
            }),
            ..message(picture, url)
        };
        assert!(accepts(&outside, &audio));
        let adapted = adapt(&outside, &text);
        assert_eq!(
            adapted.message().content,
            Content::text("Dinner\nhttp://h/p")
        );
        assert_eq!(adapted.message().content_size(), 17);
    }

    fn content(media_type: &str, encoding: TransferEncoding, data: &str) -> Content {
        Content {
            content_type: Some(media_type.into()),
            encoding,
            data: data.into(),
        }
    }

    #[test]
    fn each_client_gets_what_it_can_take() {
        use Repertoire::{Ascii, Latin1, Unicode};
        use TransferEncoding::{Base64, None as Plain};
        let any: &[&str] = &[];
        let text: &[&str] = &["text/plain"];
        let text_of = |data: &str| Some(content("text/plain", Plain, data));
        let html = content("text/html", Plain, "<b>caf\u{e9} \u{2013}</b>");
        let told = content(
            "text/plain; charset=utf-8",
            Plain,
            "\u{201c}na\u{ef}ve\u{201d} \u{20ac}5\u{2026} \u{6f22}",
        );
        let png = content("image/png", Base64, "UE5H");
        let card = content("text/x-vCard; charset=iso-8859-1", Base64, "xA==");
        let hidden = content("text/plain; charset=iso-8859-1", Base64, "xA==");
        // `None`: not at all; the same content: as it is.
        for (given, client, got) in [
            (&told, client(any, true, Unicode), Some(told.clone())),
            (
                &told,
                client(any, true, Latin1),
                Some(content(
                    "text/plain; charset=utf-8",
                    Plain,
                    "\"na\u{ef}ve\" EUR5... ?",
                )),
            ),
            (
                &told,
                client(any, true, Ascii),
                Some(content(
                    "text/plain; charset=utf-8",
                    Plain,
                    "\"na?ve\" EUR5... ?",
                )),
            ),
            (&html, client(any, true, Unicode), Some(html.clone())),
            (
                &html,
                client(text, true, Unicode),
                Some(Content::text("caf\u{e9} \u{2013}")),
            ),
            (
                &html,
                client(text, false, Ascii),
                Some(Content::text("caf? -")),
            ),
            (&html, client(&["image/png"], true, Unicode), None),
            (&png, client(any, true, Ascii), Some(png.clone())),
            (&png, client(any, false, Unicode), None),
            (&png, client(text, true, Unicode), None),
            (&card, client(any, true, Ascii), Some(card.clone())),
            (
                &card,
                client(any, false, Ascii),
                Some(content("text/x-vcard", Plain, "\u{c4}")),
            ),
            (&hidden, client(any, false, Unicode), Some(hidden.clone())),
            (&hidden, client(any, true, Unicode), Some(hidden.clone())),
            (&hidden, client(text, true, Ascii), text_of("?")),
        ] {
            let as_is = fits(given, &client);
            let form = if as_is {
                Some(given.clone())
            } else {
                converted(given, &client)
            };
            assert_eq!(form, got, "{given:?} for {client:?}");
            assert_eq!(
                accepts(&message(given.clone(), None), &client),
                got.is_some()
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_converted(html in "[<>&;#!\"'a-z/ -]{0,60}") {
            let _ = plain(&html);
        }
    }
}
