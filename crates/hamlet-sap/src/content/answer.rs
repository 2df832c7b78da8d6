//! Answers about content. Nothing that users keep may become a page or a program of this
//! server's origin: types are not guessed, only pictures, sounds, films and plain text are shown
//! where they are, and nothing in them may run. Pure.

use super::entity_tag;
use super::head::Part;
use crate::transport::http::bare;
use bytes::Bytes;
use hamlet_elements::content::{ContentError, Kept, shows_inline};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Content, or the part of it that the octets are; without octets, what HEAD answers.
pub(super) fn content(kept: &Kept, part: Part, octets: Option<Bytes>) -> Response<Full<Bytes>> {
    let length = octets
        .as_ref()
        .map_or(kept.size, |octets| octets.len() as u64);
    let mut response = Response::new(Full::new(octets.unwrap_or_default()));
    let headers = response.headers_mut();
    about(headers, kept);
    set(headers, CONTENT_LENGTH, &length.to_string());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Part::Range(from, to) = part {
        let range = format!("bytes {from}-{}/{}", to.saturating_sub(1), kept.size);
        set(headers, CONTENT_RANGE, &range);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

/// The client has it already.
pub(super) fn not_modified(kept: &Kept) -> Response<Full<Bytes>> {
    let mut response = bare(StatusCode::NOT_MODIFIED);
    about(response.headers_mut(), kept);
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

/// There are no such octets.
pub(super) fn unsatisfiable(kept: &Kept) -> Response<Full<Bytes>> {
    let mut response = bare(StatusCode::RANGE_NOT_SATISFIABLE);
    let size = format!("bytes */{}", kept.size);
    set(response.headers_mut(), CONTENT_RANGE, &size);
    response
}

/// The headers of everything about a piece.
fn about(headers: &mut HeaderMap, kept: &Kept) {
    set(headers, CONTENT_TYPE, &kept.media_type);
    set(headers, ETAG, &entity_tag(kept));
    set(headers, CONTENT_DISPOSITION, &disposition(kept));
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        // It may be replaced or withdrawn at any time.
        (CACHE_CONTROL, "private, no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// How a browser is to treat it (RFC 6266).
fn disposition(kept: &Kept) -> String {
    let mut text = match shows_inline(&kept.media_type) {
        true => "inline".to_owned(),
        false => "attachment".to_owned(),
    };
    if !kept.name.is_empty() {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
        let plain = |c: char| if is_plain(c) { c } else { '_' };
        let ascii: String = kept.name.chars().map(plain).collect();
        // A String takes all.
        let _ = write!(text, "; filename=\"{ascii}\"");
        if ascii != kept.name {
            text.push_str("; filename*=UTF-8''");
            for octet in kept.name.bytes() {
                match octet {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                        text.push(char::from(octet));
                    }
                    other => drop(write!(text, "%{other:02X}")),
                }
            }
        }
    }
    text
}

/// A new piece is kept, or another in place of one.
pub(super) fn created(kept: &Kept, is_new: bool) -> Response<Full<Bytes>> {
    let mut response = written(&value(kept));
    set(response.headers_mut(), ETAG, &entity_tag(kept));
    if is_new {
        set(response.headers_mut(), LOCATION, &kept.url);
        *response.status_mut() = StatusCode::CREATED;
    }
    response
}

/// What a user keeps.
pub(super) fn listed(all: &[Kept]) -> Response<Full<Bytes>> {
    written(&Value::Array(all.iter().map(value).collect()))
}

/// `expires` is in seconds since 1970.
fn value(kept: &Kept) -> Value {
    json!({
        "url": kept.url,
        "type": kept.media_type,
        "name": kept.name,
        "size": kept.size,
        "expires": kept.expires.millis() / 1000,
    })
}

fn written(value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "application/json"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why it was not done, for people.
pub(super) fn refused(error: &ContentError) -> Response<Full<Bytes>> {
    let (status, why) = match error {
        ContentError::Off | ContentError::NotFound => (StatusCode::NOT_FOUND, ""),
        ContentError::NotOwner => (StatusCode::FORBIDDEN, "It is not yours"),
        ContentError::Type => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content of this type is not kept here",
        ),
        ContentError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "It is too large"),
        ContentError::OwnerFull => (
            StatusCode::INSUFFICIENT_STORAGE,
            "You keep as much as you may",
        ),
        ContentError::Full => (StatusCode::INSUFFICIENT_STORAGE, "There is no room"),
        ContentError::Failed(_) => (StatusCode::SERVICE_UNAVAILABLE, ""),
    };
    match why {
        "" => bare(status),
        why => said(status, why),
    }
}

/// The same for metrics.
pub(super) fn name(error: &ContentError) -> &'static str {
    match error {
        ContentError::Off | ContentError::NotFound => "unknown",
        ContentError::NotOwner => "not_owner",
        ContentError::Type => "type",
        ContentError::TooLarge => "size",
        ContentError::OwnerFull => "quota_user",
        ContentError::Full => "quota_total",
        ContentError::Failed(_) => "store",
    }
}

/// A status with a line of text.
pub(super) fn said(status: StatusCode, why: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(why.as_bytes())));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// What the element has found to be fit for a header; anything else is left out.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::{Domain, Timestamp, UserId};

    fn kept(media_type: &str, name: &str) -> Kept {
        Kept {
            id: "a".into(),
            url: "http://h/content/a.png".into(),
            owner: UserId::parse("anna", &Domain::parse("h").unwrap()).unwrap(),
            media_type: media_type.into(),
            name: name.into(),
            size: 10,
            revision: 1,
            expires: Timestamp::from_secs(1),
        }
    }

    #[test]
    fn only_what_cannot_run_is_shown_where_it_is() {
        for (media_type, name, expected) in [
            ("image/png", "", "inline"),
            ("image/png", "a b.png", "inline; filename=\"a b.png\""),
            ("text/html", "", "attachment"),
            ("image/svg+xml", "x.svg", "attachment; filename=\"x.svg\""),
            (
                "image/png",
                "ä\".png",
                "inline; filename=\"__.png\"; filename*=UTF-8''%C3%A4%22.png",
            ),
        ] {
            assert_eq!(disposition(&kept(media_type, name)), expected);
        }
    }

    #[test]
    fn a_part_says_which_it_is() {
        let octets = Some(Bytes::from_static(b"cde"));
        let response = content(&kept("image/png", ""), Part::Range(2, 5), octets);
        assert_eq!(response.status(), 206);
        assert_eq!(response.headers()[CONTENT_RANGE], "bytes 2-4/10");
        assert_eq!(response.headers()[CONTENT_LENGTH], "3");
        let head = content(&kept("image/png", ""), Part::Whole, None);
        assert_eq!(head.headers()[CONTENT_LENGTH], "10");
        assert_eq!(head.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(!head.headers().contains_key(CONTENT_RANGE));
    }
}
