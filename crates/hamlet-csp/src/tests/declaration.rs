//! `model/csp.model` against docs/protocol/csp-messages.md, and the generated tables
//! against each other.

use crate::{Tag, Version};
use std::collections::BTreeMap;

const MODEL: &str = include_str!("../../model/csp.model");
const DOCUMENT: &str = include_str!("../../../../docs/protocol/csp-messages.md");

/// (element, version) → content, as both files write it.
type Contents = BTreeMap<(String, usize), String>;

fn versions(range: &str) -> Option<std::ops::RangeInclusive<usize>> {
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    let minor = |text: &str| text.strip_prefix("1.")?.parse::<usize>().ok();
    Some(minor(low)?..=minor(high)?)
}

fn of_model() -> Contents {
    let mut contents = Contents::new();
    let mut element = "";
    for line in MODEL.lines() {
        if let Some(content) = line.strip_prefix("  ") {
            let (range, content) = content.trim().split_once(char::is_whitespace).unwrap();
            let mut plain = String::new();
            let mut skipping = false;
            for c in content.trim().chars() {
                skipping = (skipping || c == '=') && (c == '=' || c.is_alphanumeric());
                if !skipping {
                    plain.push(c);
                }
            }
            for version in versions(range).into_iter().flatten() {
                contents.insert((element.to_owned(), version), plain.clone());
            }
        } else if !line.starts_with('#') && !line.is_empty() {
            element = line.split_whitespace().next().unwrap();
        }
    }
    contents
}

fn of_document() -> Contents {
    let mut contents = Contents::new();
    let mut element = String::new();
    for line in DOCUMENT.lines() {
        if let Some(rest) = line.strip_prefix("- **") {
            element = rest.split("**").next().unwrap().to_owned();
        } else if let Some(rest) = line.strip_prefix("  - ") {
            let Some((range, content)) = rest.split_once(": ") else {
                continue;
            };
            let range = range.replace('–', "-");
            let content = content.trim_matches('`').to_owned();
            if content != "does not exist" && !range.starts_with("type") {
                for version in versions(&range).into_iter().flatten() {
                    contents.insert((element.clone(), version), content.clone());
                }
            }
        } else if !line.is_empty() {
            element.clear();
        }
    }
    contents
}

#[test]
fn the_declaration_is_that_of_the_reference() {
    let (model, document) = (of_model(), of_document());
    assert!(
        document.len() > 550,
        "{} content models found",
        document.len()
    );
    for ((element, version), content) in &document {
        let expected = match content.as_str() {
            text if text.starts_with("exactly one primitive") => "ANY-PRIMITIVE",
            text if text.starts_with("leaf, string") => "string",
            text => text,
        };
        let declared = model.get(&(element.clone(), *version)).map(String::as_str);
        assert_eq!(declared, Some(expected), "{element} in 1.{version}");
    }
}

#[test]
fn every_element_has_a_token_in_each_of_its_versions() {
    // The exceptions are those that csp-messages and wbxml 0 list.
    let exceptions = [("AcceptedContentLength", 3), ("AutoSubscribe", 3)];
    for (element, version) in of_model().keys() {
        if MODEL.contains(&format!("\n{element} leaf"))
            || exceptions.contains(&(element.as_str(), *version))
        {
            continue;
        }
        let codes_of_later_versions =
            MODEL.contains(&format!("# Function code or mandatory part {element}."));
        let tag = Tag::from_name(element).unwrap_or_else(|| panic!("{element} has no tag"));
        let token = tag.token(Version::ALL[*version - 1]);
        assert!(
            token.is_some() || codes_of_later_versions,
            "{element} has no token in 1.{version}"
        );
        if let Some((page, token)) = token {
            assert_eq!(
                Tag::from_token(Version::ALL[*version - 1], page, token),
                Some(tag),
                "{element} in 1.{version}"
            );
        }
    }
}

#[test]
fn variant_spellings_are_the_same_element() {
    for (variant, name) in [
        ("PreferredContent", "ReferredContent"),
        ("Auto-Subscribe", "AutoSubscribe"),
        ("BlockUser-Request", "BlockEntity-Request"),
        (
            "WV-CSP-NSDiscovery-Request",
            "WV-CSP-VersionDiscovery-Request",
        ),
        ("CName", "Cname"),
    ] {
        assert_eq!(Tag::from_name(variant), Tag::from_name(name));
        assert_eq!(Tag::from_name(name).unwrap().name(), name);
    }
}

#[test]
fn primitives_know_their_versions_and_directions() {
    for (tag, version, client, server) in [
        (Tag::LoginRequest, Version::V1_1, true, false),
        (Tag::NewMessage, Version::V1_3, false, true),
        (Tag::Status, Version::V1_2, true, true),
        (Tag::PresenceAuthRequest, Version::V1_3, false, false),
        (Tag::GetMapRequest, Version::V1_2, false, false),
        (Tag::GetMapRequest, Version::V1_3, true, false),
    ] {
        assert_eq!(
            (
                tag.is_sent_by_clients(version),
                tag.is_sent_by_servers(version)
            ),
            (client, server),
            "{tag} {version}"
        );
    }
    assert!(!Tag::UserID.is_primitive());
}
