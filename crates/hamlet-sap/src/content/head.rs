//! What the head of a request for content asks for (RFC 9110 13, 14). Pure.

use super::entity_tag;
use crate::transport::form_login::decoded;
use hamlet_elements::content::Kept;
use http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, Uri};

/// What a client wants of content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wishes {
    /// It has it already.
    pub(super) not_changed: bool,
    /// It wants a part, if this says one.
    pub(super) range: Option<String>,
}

/// Which octets are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All.
    Whole,
    /// From the first up to before the second.
    Range(u64, u64),
    /// There are no such ones.
    Unsatisfiable,
}

/// The wishes of a head.
pub(super) fn wishes(headers: &HeaderMap, kept: &Kept) -> Wishes {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let tag = entity_tag(kept);
    let is_same = |given: &str| given.trim().trim_start_matches("W/") == tag;
    let not_changed =
        text(IF_NONE_MATCH).is_some_and(|tags| tags.trim() == "*" || tags.split(',').any(is_same));
    let still = text(IF_RANGE).is_none_or(|given| given.trim() == tag);
    Wishes {
        not_changed,
        range: text(RANGE).filter(|_| still).map(str::to_owned),
    }
}

/// The part that a Range asks for. One that is not understood, or asks for several, is answered
/// with the whole, which RFC 9110 14.2 allows.
pub(super) fn part(range: &str, size: u64) -> Part {
    let Some(spec) = range.trim().strip_prefix("bytes=") else {
        return Part::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Part::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (first, last) = (first.trim(), last.trim());
    match (first, number(first), last, number(last)) {
        (_, Some(from), "", _) if from < size => Part::Range(from, size),
        (_, Some(from), _, Some(to)) if from > to => Part::Whole,
        (_, Some(from), _, Some(to)) if from < size => {
            Part::Range(from, to.saturating_add(1).min(size))
        }
        (_, Some(_), "", _) | (_, Some(_), _, Some(_)) => Part::Unsatisfiable,
        ("", _, _, Some(0)) => Part::Unsatisfiable,
        ("", _, _, Some(_)) if size == 0 => Part::Unsatisfiable,
        ("", _, _, Some(many)) => Part::Range(size.saturating_sub(many), size),
        _ => Part::Whole,
    }
}

/// A field of the query, decoded.
pub(super) fn query(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| *known == name)?;
    decoded(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::{Domain, Timestamp, UserId};
    use http::HeaderValue;

    #[test]
    fn a_range_is_one_part_the_whole_or_nothing() {
        use Part::{Range, Unsatisfiable, Whole};
        for (range, size, expected) in [
            ("bytes=0-0", 10, Range(0, 1)),
            ("bytes=2-4", 10, Range(2, 5)),
            ("bytes=2-", 10, Range(2, 10)),
            ("bytes=2-99", 10, Range(2, 10)),
            ("bytes=-3", 10, Range(7, 10)),
            ("bytes=-99", 10, Range(0, 10)),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=10-12", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            ("bytes=-1", 0, Unsatisfiable),
            ("bytes=4-2", 10, Whole),
            ("bytes=0-1,4-5", 10, Whole),
            ("bytes=x-1", 10, Whole),
            ("bytes=-", 10, Whole),
            ("lines=0-1", 10, Whole),
            ("bytes=99999999999999999999-", 10, Whole),
            ("bytes=0-18446744073709551615", 10, Range(0, 10)),
        ] {
            assert_eq!(part(range, size), expected, "{range} of {size}");
        }
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let kept = Kept {
            id: "a".into(),
            url: "http://h/content/a.png".into(),
            owner: UserId::parse("anna", &Domain::parse("h").unwrap()).unwrap(),
            media_type: "image/png".into(),
            name: String::new(),
            size: 3,
            revision: 2,
            expires: Timestamp::from_secs(1),
        };
        let has = |name, value| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_static("bytes=0-1"));
            headers.insert(name, HeaderValue::from_static(value));
            let Wishes { not_changed, range } = wishes(&headers, &kept);
            (not_changed, range.is_some())
        };
        assert_eq!(has(IF_NONE_MATCH, "\"2\""), (true, true));
        assert_eq!(has(IF_NONE_MATCH, "\"1\", W/\"2\""), (true, true));
        assert_eq!(has(IF_NONE_MATCH, "*"), (true, true));
        assert_eq!(has(IF_NONE_MATCH, "\"1\""), (false, true));
        assert_eq!(has(IF_RANGE, "\"2\""), (false, true));
        assert_eq!(has(IF_RANGE, "\"1\""), (false, false), "it has changed");
    }

    #[test]
    fn the_query_says_name_and_life() {
        let uri: Uri = "/content?name=K%C3%A4tzchen+1.png&life=60".parse().unwrap();
        assert_eq!(query(&uri, "name").as_deref(), Some("Kätzchen 1.png"));
        assert_eq!(query(&uri, "life").as_deref(), Some("60"));
        assert_eq!(query(&uri, "other"), None);
    }
}
