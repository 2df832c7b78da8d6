//! Results: status codes and failed entities, shaped for the receiver's version
//! (csp-messages 3.1, data-types 10, csp-access 1.5).

use super::Facts;
use hamlet_csp::elements::{
    CspResult, DetailedResult, Disconnect, Primitive, ScreenName, SearchElement, Status,
};
use hamlet_csp::{Text, Version};
use hamlet_model::{Detail, Refusal, StatusCode};
use std::borrow::Borrow;

/// Longest Description, characters (data-types 10).
const MAX_DESCRIPTION: usize = 100;

/// Longest address that is given back when it could not be parsed, characters.
const MAX_GIVEN_BACK: usize = 255;

/// What a code speaks of: the same fault has another name in old versions when it is the
/// sender's or when it is an addressee's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The request or its sender.
    Request,
    /// Somebody that the request addresses.
    Addressee,
}

/// One line of data-types 10.1: the code, what takes its place in 1.1 and in 1.2 (0: it is
/// known there).
const REPLACEMENTS: &[(u16, u16, u16)] = &[
    (427, 402, 402),
    (428, 422, 422),
    (429, 402, 402),
    (432, 500, 0),
    (450, 402, 402),
    (541, 410, 0),
    (542, 410, 0),
    (543, 402, 0),
    (562, 402, 402),
    (753, 403, 0),
    (754, 403, 0),
    (755, 403, 0),
    (824, 200, 200),
    (901, 402, 0),
    (902, 403, 0),
    (903, 403, 0),
    (920, 531, 531),
];

/// The code by which `version` knows the fault `code` (data-types 10.1).
///
/// 502 is not in the table: which client may get it is a matter of its profile and of
/// login. An interim 1xx is never sent over CSP; as the last word it means that the answer
/// did not come in time (README, late answer of another domain).
pub fn code_for(version: Version, code: StatusCode, about: About) -> StatusCode {
    if code.0 < 200 {
        return StatusCode::TIMEOUT;
    }
    let Some((_, in_1_1, in_1_2)) = REPLACEMENTS.iter().find(|(known, ..)| *known == code.0) else {
        return code;
    };
    let replacement = match version {
        Version::V1_1 => *in_1_1,
        Version::V1_2 => *in_1_2,
        Version::V1_3 => 0,
    };
    match (replacement, code, about) {
        (0, ..) => code,
        (_, StatusCode::INVALID_USER_ID, About::Addressee) => StatusCode::UNKNOWN_USER,
        (other, ..) => StatusCode(other),
    }
}

/// A Result for the session, whole with what failed.
pub fn result(
    code: StatusCode,
    description: &str,
    details: &[Detail],
    facts: &Facts<'_>,
) -> CspResult {
    let version = facts.version;
    let known = code_for(version, code, About::Request);
    if facts.profile.only_full_success && known.is_success() {
        return success();
    }
    CspResult {
        code: Some(u32::from(known.0)),
        description: described(known, code, description),
        detailed_result: detailed(details, version),
        ..CspResult::default()
    }
}

/// 200 and nothing else.
pub fn success() -> CspResult {
    CspResult {
        code: Some(u32::from(StatusCode::OK.0)),
        ..CspResult::default()
    }
}

/// A Status with the code's own text.
pub fn status(code: StatusCode, facts: &Facts<'_>) -> Primitive {
    status_with(code, "", &[], facts)
}

/// A Status for a refusal.
pub fn refused(refusal: &Refusal, facts: &Facts<'_>) -> Primitive {
    status_with(refusal.code, &refusal.description, &refusal.details, facts)
}

/// A Status for an outcome.
pub fn status_with(
    code: StatusCode,
    description: &str,
    details: &[Detail],
    facts: &Facts<'_>,
) -> Primitive {
    Primitive::Status(Box::new(Status {
        result: Some(result(code, description, details, facts)),
        client_id: None,
    }))
}

/// A Disconnect: the session is over (csp-access 3.9, 3.10).
pub fn disconnect(code: StatusCode, description: &str, facts: &Facts<'_>) -> Primitive {
    Primitive::Disconnect(Box::new(Disconnect {
        result: Some(result(code, description, &[], facts)),
    }))
}

/// The text for people, cut to what old phones hold; none for plain success.
fn described(known: StatusCode, code: StatusCode, description: &str) -> Option<Text> {
    if known == StatusCode::OK {
        return None;
    }
    let text = match description {
        // The default text of a code that was replaced would contradict the new one.
        "" => known.description(),
        text if text == code.description() => known.description(),
        text => text,
    };
    Some(text.chars().take(MAX_DESCRIPTION).collect())
}

/// One block for each code that `version` knows, with the identifiers that it can hold.
fn detailed(details: &[Detail], version: Version) -> Vec<DetailedResult> {
    let mut blocks: Vec<DetailedResult> = Vec::new();
    for detail in details {
        let known = code_for(version, detail.code, About::Addressee);
        let code = Some(u32::from(known.0));
        let at = blocks
            .iter()
            .position(|block| block.code == code)
            .unwrap_or_else(|| {
                blocks.push(DetailedResult {
                    code,
                    description: described(known, detail.code, &detail.description),
                    ..DetailedResult::default()
                });
                blocks.len() - 1
            });
        let block = &mut blocks[at];
        block.user_id.extend(detail.users.iter().map(text_of));
        let given_back = |text: &String| text.chars().take(MAX_GIVEN_BACK).collect::<Text>();
        block
            .user_id
            .extend(detail.malformed.iter().map(given_back));
        block.group_id.extend(detail.groups.iter().map(text_of));
        let others = &detail.malformed_others;
        block.group_id.extend(others.groups.iter().map(given_back));
        block
            .screen_name
            .extend(detail.screen_names.iter().map(|given| ScreenName {
                sname: Some(given_back(&given.name)),
                group_id: Some(given_back(&given.group)),
            }));
        if version >= Version::V1_2 {
            let messages = detail.messages.iter().map(|id| Text::new(id.as_str()));
            block.message_id.extend(messages);
            let lists = detail.contact_lists.iter().map(text_of);
            block.contact_list.extend(lists);
            let domains = detail
                .domains
                .iter()
                .map(|domain| Text::new(domain.as_str()));
            block.domain.extend(domains);
            let lists = others.contact_lists.iter().map(given_back);
            block.contact_list.extend(lists);
            block.domain.extend(others.domains.iter().map(given_back));
        }
        let elements = detail.search_elements.iter();
        match version {
            Version::V1_3 => block.search_element.extend(
                elements
                    .map(|name| SearchElement::parse(name.chars().take(MAX_GIVEN_BACK).collect())),
            ),
            // Older versions can say it only in words.
            _ if !detail.search_elements.is_empty() => {
                let names = elements.map(String::as_str).collect::<Vec<_>>().join(", ");
                block.description = Some(names.chars().take(MAX_DESCRIPTION).collect());
            }
            _ => {}
        }
    }
    blocks
}

/// An address as a text of CSP.
pub(super) fn text_of(address: &impl Borrow<str>) -> Text {
    Text::new(address.borrow())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::mapping::tests::{facts, home, list, user};
    use hamlet_model::{Domain, MessageId};

    #[test]
    fn codes_that_a_version_does_not_know_are_replaced() {
        use About::{Addressee, Request};
        // data-types 10.1, line by line: code, about, 1.1, 1.2, 1.3.
        for (code, about, in_1_1, in_1_2, in_1_3) in [
            (200, Request, 200, 200, 200),
            (201, Request, 201, 201, 201),
            (427, Request, 402, 402, 427),
            (427, Addressee, 531, 531, 427),
            (428, Request, 422, 422, 428),
            (429, Request, 402, 402, 429),
            (450, Request, 402, 402, 450),
            (562, Request, 402, 402, 562),
            (920, Addressee, 531, 531, 920),
            (824, Request, 200, 200, 824),
            (432, Request, 500, 432, 432),
            (541, Addressee, 410, 541, 541),
            (542, Addressee, 410, 542, 542),
            (543, Request, 402, 543, 543),
            (753, Request, 403, 753, 753),
            (754, Addressee, 403, 754, 754),
            (755, Request, 403, 755, 755),
            (901, Request, 402, 901, 901),
            (902, Request, 403, 902, 902),
            (903, Request, 403, 903, 903),
            (101, Request, 504, 504, 504),
            (531, Addressee, 531, 531, 531),
            (999, Request, 999, 999, 999),
        ] {
            let all = Version::ALL.map(|version| code_for(version, StatusCode(code), about).0);
            assert_eq!(all, [in_1_1, in_1_2, in_1_3], "{code} {about:?}");
        }
    }

    #[test]
    fn a_replacement_is_itself_known_to_the_version() {
        for (code, ..) in REPLACEMENTS {
            for version in Version::ALL {
                for about in [About::Request, About::Addressee] {
                    let once = code_for(version, StatusCode(*code), about);
                    assert_eq!(code_for(version, once, about), once, "{code} in {version}");
                }
            }
        }
    }

    fn details() -> Vec<Detail> {
        let mut unknown = Detail::new(StatusCode::UNKNOWN_USER);
        unknown.users.push(user("x"));
        unknown.malformed.push("a b".into());
        let mut list_block = Detail::new(StatusCode::NO_SUCH_CONTACT_LIST);
        list_block.contact_lists.push(list("anna/friends"));
        let mut other = Detail::new(StatusCode::INVALID_USER_ID);
        other.users.push(user("y"));
        other.messages.push(MessageId::new("m1"));
        other.domains.push(Domain::parse("elsewhere").unwrap());
        vec![unknown, list_block, other]
    }

    #[test]
    fn failed_entities_stand_in_the_lists_that_the_version_has() {
        let home = home();
        let in_1_3 = result(
            StatusCode::PARTIAL_SUCCESS,
            "",
            &details(),
            &facts(Version::V1_3, &home, ClientFamily::Standard),
        );
        assert_eq!(in_1_3.code, Some(201));
        let codes: Vec<_> = in_1_3.detailed_result.iter().map(|d| d.code).collect();
        assert_eq!(codes, [Some(531), Some(700), Some(427)]);
        assert_eq!(
            in_1_3.detailed_result[0].user_id,
            ["wv:x@im.example", "a b"]
        );
        assert_eq!(
            in_1_3.detailed_result[1].contact_list,
            ["wv:anna/friends@im.example"]
        );
        assert_eq!(in_1_3.detailed_result[2].message_id, ["m1"]);
        assert_eq!(in_1_3.detailed_result[2].domain, ["elsewhere"]);

        let in_1_1 = result(
            StatusCode::PARTIAL_SUCCESS,
            "",
            &details(),
            &facts(Version::V1_1, &home, ClientFamily::Standard),
        );
        // 427 became 531 and went into its block.
        let codes: Vec<_> = in_1_1.detailed_result.iter().map(|d| d.code).collect();
        assert_eq!(codes, [Some(531), Some(700)]);
        assert_eq!(
            in_1_1.detailed_result[0].user_id,
            ["wv:x@im.example", "a b", "wv:y@im.example"]
        );
        assert!(in_1_1.detailed_result.iter().all(|block| {
            block.contact_list.is_empty() && block.message_id.is_empty() && block.domain.is_empty()
        }));
    }

    #[test]
    fn descriptions_follow_the_code_that_is_sent_and_stay_short() {
        let home = home();
        let old = facts(Version::V1_1, &home, ClientFamily::Standard);
        let text = |code: StatusCode, text: &str| result(code, text, &[], &old).description;
        assert_eq!(text(StatusCode::OK, "fine"), None);
        let expired = StatusCode::MESSAGE_EXPIRED;
        let replaced = Some(StatusCode::UNABLE_TO_DELIVER.description().into());
        assert_eq!(text(expired, ""), replaced);
        assert_eq!(text(expired, expired.description()), replaced);
        assert_eq!(text(expired, "Too late"), Some("Too late".into()));
        assert_eq!(
            text(expired, &"ä".repeat(300)).unwrap().chars().count(),
            100
        );
    }

    #[test]
    fn and_17_success_is_200_and_nothing_else() {
        let home = home();
        let android = facts(Version::V1_2, &home, ClientFamily::Android);
        for code in [
            StatusCode::OK,
            StatusCode::PARTIAL_SUCCESS,
            StatusCode::ACCEPTED,
        ] {
            assert_eq!(result(code, "", &details(), &android), success());
        }
        let failed = result(StatusCode::UNKNOWN_USER, "", &details(), &android);
        assert_eq!(failed.code, Some(531));
    }
}
