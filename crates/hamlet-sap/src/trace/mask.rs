//! Secrets in bodies and headers, replaced by `*` of equal length.

use super::record::secret_fields;
use hamlet_csp::{Document, Text};

/// Replaces the secrets of a document and returns them.
pub(super) fn take_secrets(document: &mut Document) -> Vec<String> {
    let Document::Message(message) = document else {
        return Vec::new();
    };
    let primitives = message
        .transactions
        .iter_mut()
        .filter_map(|transaction| transaction.content.as_mut().ok());
    let mut secrets = Vec::new();
    for field in primitives.flat_map(secret_fields) {
        let masked = Text::from("*".repeat(field.len()));
        let secret = String::from(std::mem::replace(field, masked));
        if !secret.is_empty() && !secrets.contains(&secret) {
            secrets.push(secret);
        }
    }
    secrets
}

/// The body without its secrets; `None` when one is in it in a form that cannot be found.
///
/// `secrets` are the values that were read; `unsure` when not all of the body could be
/// read, so that whatever looks like a secret is masked.
pub(super) fn body(
    body: &[u8],
    content_type: Option<&str>,
    secrets: &[String],
    unsure: bool,
) -> Option<Vec<u8>> {
    let mut out = body.to_vec();
    if secrets.is_empty() && !unsure {
        return Some(out);
    }
    let is_wbxml = matches!(body.first(), Some(0x01..=0x03));
    let elements = if is_wbxml {
        mask_binary_elements(&mut out)?
    } else {
        mask_elements(&mut out)
    };
    let mut all_found = true;
    for secret in secrets {
        all_found &= mask_value(body, &mut out, secret);
    }
    if unsure {
        mask_parameters(&mut out, content_type.unwrap_or(""));
    }
    (all_found || elements >= secrets.len()).then_some(out)
}

/// Headers whose value is a credential.
pub(super) fn is_secret_header(name: &str) -> bool {
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
    ]
    .iter()
    .any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Masks a known secret wherever it stands as a whole value, in every form that a value
/// has: as it is or with entities, between tags or as a string of WBXML. Should it stand
/// nowhere so, every occurrence of a value long enough not to be found by accident. False
/// when it has not been found.
fn mask_value(original: &[u8], out: &mut [u8], secret: &str) -> bool {
    let escaped = escape(secret);
    let forms = [secret.as_bytes(), escaped.as_bytes()];
    let mut found = false;
    for form in forms {
        for at in occurrences(original, form) {
            let before = at.checked_sub(1).map(|at| original[at]);
            let after = original.get(at + form.len());
            let xml = before == Some(b'>') && after == Some(&b'<');
            let wbxml = matches!(before, Some(0x00 | 0x03)) && after == Some(&0x00);
            if xml || wbxml {
                out[at..at + form.len()].fill(b'*');
                found = true;
            }
        }
    }
    if found {
        return true;
    }
    for form in forms.into_iter().filter(|form| form.len() >= 4) {
        for at in occurrences(original, form) {
            out[at..at + form.len()].fill(b'*');
            found = true;
        }
    }
    found
}

fn occurrences<'a>(body: &'a [u8], form: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = body.windows(form.len().max(1));
    windows
        .enumerate()
        .filter(move |(_, window)| *window == form)
        .map(|(at, _)| at)
}

/// The usual escaping of XML text.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}

/// XML: the content of every Password and DigestBytes element, with or without a prefix.
/// How many there were.
fn mask_elements(body: &mut [u8]) -> usize {
    let mut count = 0;
    for name in [&b"Password"[..], b"DigestBytes"] {
        let mut from = 0;
        while let Some(found) = find(&body[from..], name) {
            let after_name = from + found + name.len();
            let opens = from + found > 0 && matches!(body[from + found - 1], b'<' | b':');
            from = after_name;
            let Some(close) = body[after_name..].iter().position(|b| *b == b'>') else {
                break;
            };
            let start = after_name + close + 1;
            // `</Password>`, `<PasswordHint>`: the name must end here and open something.
            let is_element = body[after_name] == b'>' || body[after_name].is_ascii_whitespace();
            let is_end = body[..after_name - name.len()]
                .iter()
                .rposition(|b| *b == b'<')
                .is_some_and(|at| body.get(at + 1) == Some(&b'/'));
            if !opens || !is_element || is_end || body[start - 2] == b'/' {
                continue;
            }
            let rest = &body[start..];
            let end = start + rest.iter().position(|b| *b == b'<').unwrap_or(rest.len());
            body[start..end].fill(b'*');
            from = end;
            count += 1;
        }
    }
    count
}

fn find(body: &[u8], name: &[u8]) -> Option<usize> {
    body.windows(name.len()).position(|window| window == name)
}

/// WBXML: the text of every element with the token of Password (21) or DigestBytes (0E), on
/// whatever code page. How many there were; `None` when the text of one stands elsewhere,
/// in the string table.
fn mask_binary_elements(body: &mut [u8]) -> Option<usize> {
    let mut count = 0;
    let mut at = 1;
    while at < body.len() {
        let is_element = matches!(body[at], 0x61 | 0x4E);
        at += 1;
        if !is_element {
            continue;
        }
        let first = at;
        while let Some((head, part)) = text_part(&body[at..])? {
            body[at + head..at + part].fill(b'*');
            at += part;
        }
        count += usize::from(at > first);
    }
    Some(count)
}

/// The piece of text at the start, in octets: those before the text itself, and all of
/// them. It is an inline string without its end, a value token, an entity, or opaque
/// octets. `Some(None)` where no text is, `None` for a reference to the string table.
fn text_part(rest: &[u8]) -> Option<Option<(usize, usize)>> {
    let run = |wanted: fn(u8) -> bool| rest[1..].iter().take_while(|b| wanted(**b)).count();
    let (head, length) = match rest.first() {
        Some(0x03) => (1, 1 + run(|octet| octet != 0)),
        Some(0x02) => (1, 2 + run(|octet| octet >= 0x80)),
        Some(0x80) => (1, 2),
        Some(0xC3) => (2, 2 + usize::from(*rest.get(1).unwrap_or(&0))),
        // The end of the inline string before it.
        Some(0x00) => (1, 1),
        Some(0x83) => return None,
        _ => return Some(None),
    };
    Some(Some((head.min(rest.len()), length.min(rest.len()))))
}

/// Forms (`TM_PASSWORD=...&`) and plain text syntax (`PW=... DB=...`).
fn mask_parameters(body: &mut [u8], content_type: &str) {
    let content_type = content_type.to_ascii_lowercase();
    let plain = content_type.contains("sms") || body.starts_with(b"WV1");
    let (separator, is_secret): (u8, fn(&[u8]) -> bool) =
        if content_type.contains("form-urlencoded") {
            (b'&', |name| {
                let name = name.to_ascii_uppercase();
                find(&name, b"PASS").is_some() || find(&name, b"PWD").is_some()
            })
        } else if plain {
            (b' ', |name| name == b"PW" || name == b"DB")
        } else {
            return;
        };
    let mut start = 0;
    while start < body.len() {
        let Some(equals) = body[start..].iter().position(|b| *b == b'=') else {
            return;
        };
        let value = start + equals + 1;
        let name_from = body[start..value - 1]
            .iter()
            .rposition(|b| *b == separator)
            .map_or(start, |at| start + at + 1);
        let secret = is_secret(&body[name_from..value - 1]);
        let end = value + value_length(&body[value..], separator);
        if secret {
            body[value..end].fill(b'*');
        }
        start = end;
    }
}

/// A quoted value ends at its last quote; quotes inside are doubled (pts).
fn value_length(rest: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    rest.iter()
        .position(|octet| {
            quoted ^= *octet == b'"';
            *octet == separator && !quoted
        })
        .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_csp::elements::{LoginRequest, Primitive};
    use hamlet_csp::{
        Message, SessionDescriptor, Syntax, Transaction, Version, WriteOptions, encode,
    };

    fn login(password: &str) -> Document {
        let login = LoginRequest {
            user_id: Some("anna".into()),
            password: Some(password.into()),
            digest_bytes: Some("ktSj1nIHxh6tXya5KSnaEw==".into()),
            session_cookie: Some("cookie".into()),
            ..LoginRequest::default()
        };
        Document::Message(Message {
            session: SessionDescriptor::outband(),
            transactions: vec![Transaction::request(
                "1",
                Primitive::LoginRequest(Box::new(login)),
            )],
            poll: None,
            cir: None,
        })
    }

    fn masked(body: &[u8], secrets: &[String]) -> Option<Vec<u8>> {
        super::body(body, None, secrets, false)
    }

    #[test]
    fn secrets_go_from_both_syntaxes_and_all_else_stays() {
        for password in ["secret", "a&b<c", "x", "Ä€😀", "anna"] {
            for version in Version::ALL {
                for syntax in [Syntax::Xml, Syntax::Wbxml] {
                    let mut document = login(password);
                    let options = WriteOptions::default();
                    let original = encode(&document, syntax, version, &options);
                    let secrets = take_secrets(&mut document);
                    assert_eq!(secrets, [password, "ktSj1nIHxh6tXya5KSnaEw=="]);
                    let body = masked(&original, &secrets).unwrap();
                    assert_eq!(body.len(), original.len());
                    let changed = original.iter().zip(&body).filter(|(a, b)| a != b).count();
                    let longest = escape(password).len() + 24;
                    // A user who is called like his password loses his name here too.
                    assert!(changed <= longest + 4, "{password} in {syntax:?}");
                    assert!(find(&body, b"ktSj").is_none());
                    if password.len() > 1 && password != "anna" {
                        assert!(find(&body, password.as_bytes()).is_none());
                    }
                    assert!(find(&body, b"cookie").is_some());
                }
            }
        }
    }

    #[test]
    fn secrets_are_masked_in_every_form_of_wbxml_text() {
        let secret = ["Open".to_owned()];
        for (body, expected) in [
            // The Android client writes a text that equals a value as its token (clients 3.5).
            (
                &b"\x03\x11\x6A\x00\x61\x80\x18\x01"[..],
                &b"\x03\x11\x6A\x00\x61\x80*\x01"[..],
            ),
            (
                b"\x03\x11\x6A\x00\x61\x03Op\x00\x02\x65\x03n\x00\x01",
                b"\x03\x11\x6A\x00\x61\x03**\x00\x02*\x03*\x00\x01",
            ),
            (
                b"\x03\x11\x6A\x00\x4E\xC3\x04Open\x01",
                b"\x03\x11\x6A\x00\x4E\xC3\x04****\x01",
            ),
        ] {
            assert_eq!(masked(body, &secret).as_deref(), Some(expected));
        }
        let in_string_table = b"\x03\x11\x6A\x05Open\x00\x61\x83\x00\x01";
        assert_eq!(masked(in_string_table, &secret), None);
        let nowhere = b"\x03\x11\x6A\x00\x45\x01";
        assert_eq!(masked(nowhere, &secret), None);
    }

    #[test]
    fn a_body_without_secrets_stays_as_it_is() {
        let body = b"\x03\x11\x6A\x00\x61\x03text\x00\x01";
        assert_eq!(masked(body, &[]).as_deref(), Some(&body[..]));
    }

    #[test]
    fn what_cannot_be_decoded_is_masked_by_its_looks() {
        let secret = |body: &[u8], content_type: &str| {
            let masked = super::body(body, Some(content_type), &[], true).unwrap();
            assert_eq!(masked.len(), body.len());
            String::from_utf8_lossy(&masked).into_owned()
        };
        for (body, content_type, expected) in [
            (
                "<Login-Request><Password>secret</Password><x></Login-Request>",
                "application/vnd.wv.csp.xml",
                "<Login-Request><Password>******</Password><x></Login-Request>",
            ),
            (
                "<w:Password a='1'>se</w:Password><PasswordHint>dog</PasswordHint>",
                "text/xml",
                "<w:Password a='1'>**</w:Password><PasswordHint>dog</PasswordHint>",
            ),
            (
                "<Password/><UserID>x</UserID>",
                "text/xml",
                "<Password/><UserID>x</UserID>",
            ),
            ("<DigestBytes>kt", "text/xml", "<DigestBytes>**"),
            ("<Password", "text/xml", "<Password"),
            ("Password", "text/xml", "Password"),
            (
                "TM_ACTION=AUTHENTICATE&TM_LOGIN=6&TM_PASSWORD=p=w&ClientID=x",
                "application/x-www-form-urlencoded",
                "TM_ACTION=AUTHENTICATE&TM_LOGIN=6&TM_PASSWORD=***&ClientID=x",
            ),
            (
                "WV13LR1 CI=Jimmy PW=\"a b\" DB=kt UI=alice@h",
                "application/vnd.wv.csp.sms",
                "WV13LR1 CI=Jimmy PW=***** DB=** UI=alice@h",
            ),
            ("a=b", "text/plain", "a=b"),
            ("", "text/plain", ""),
        ] {
            assert_eq!(secret(body.as_bytes(), content_type), expected);
        }
        // clients V-11, Login-Request of 1.2 with a password, cut off.
        let cut = b"\x03\x11\x6a\x00\xc9\x08\x03alice\x00\x01\x00\x01\x61\x03secr";
        let expected = b"\x03\x11\x6a\x00\xc9\x08\x03alice\x00\x01\x00\x01\x61\x03****";
        assert_eq!(super::body(cut, None, &[], true).unwrap(), expected);
    }

    #[test]
    fn credentials_in_headers_are_secrets() {
        assert!(is_secret_header("Authorization"));
        assert!(is_secret_header("COOKIE"));
        assert!(!is_secret_header("User-Agent"));
    }

    proptest::proptest! {
        #[test]
        fn no_body_is_too_strange_to_mask(
            body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            text in "(<|/|>|:|Password|DigestBytes|=|&|PW| |\"){0,40}",
        ) {
            for (body, kind) in [
                (body.as_slice(), "application/vnd.wv.csp.wbxml"),
                (text.as_bytes(), "text/xml"),
                (text.as_bytes(), "application/x-www-form-urlencoded"),
                (text.as_bytes(), "application/vnd.wv.csp.sms"),
            ] {
                for known in [&[][..], &["PW".to_owned()]] {
                    if let Some(masked) = super::body(body, Some(kind), known, true) {
                        proptest::prop_assert_eq!(masked.len(), body.len());
                    }
                }
            }
        }
    }
}
