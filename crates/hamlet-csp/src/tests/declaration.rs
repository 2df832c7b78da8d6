//! `model/csp.model` against docs/protocol/csp-messages.md, and the generated tables
//! against each other.

use crate::{Tag, Version};
use std::collections::{BTreeMap, BTreeSet};

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
                skipping = c == '=' || skipping && c.is_alphanumeric();
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
    // Both ways: what only one of them has is named.
    let leaves = types_of_document();
    let codes = codes_of_document();
    for (element, version) in model.keys() {
        let known = (element.clone(), *version);
        let described = document.contains_key(&known)
            || leaves.contains_key(&known)
            || codes.contains(&known)
            || MODEL.contains(&format!("\n{element} leaf"));
        assert!(described, "{element} in 1.{version} is declared only");
    }
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

/// (element, version) → type, of the leaves.
fn types_of_document() -> Contents {
    let mut types = Contents::new();
    let mut element = String::new();
    for line in DOCUMENT.lines() {
        if let Some(rest) = line.strip_prefix("- **") {
            element = rest.split("**").next().unwrap().to_owned();
        } else if let Some(rest) = line.strip_prefix("  - type ") {
            for part in rest.replace('–', "-").split("; ") {
                let (range, content) = part.split_once(": ").unwrap();
                for version in versions(range).into_iter().flatten() {
                    types.insert((element.clone(), version), content.to_owned());
                }
            }
        }
    }
    types
}

/// The function codes of the table of section 5.1, with M*, which only section 5 names.
fn codes_of_document() -> BTreeSet<(String, usize)> {
    let table = DOCUMENT.split("### 5.1 Functions").nth(1).unwrap();
    let table = table.split("### 5.2").next().unwrap();
    let mut codes: BTreeSet<(String, usize)> = ["MF", "MP", "MM", "MG"]
        .iter()
        .flat_map(|code| [2, 3].map(|version| (code.to_string(), version)))
        .collect();
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        for version in 1..=3 {
            if columns.get(4 + version) == Some(&"x") {
                codes.insert((columns[3].to_owned(), version));
            }
        }
    }
    codes
}

#[test]
fn leaves_have_the_types_of_the_reference() {
    let (model, types) = (of_model(), types_of_document());
    assert!(types.len() > 350, "{} types found", types.len());
    for ((element, version), content) in &types {
        let declared = model
            .get(&(element.clone(), *version))
            .unwrap_or_else(|| panic!("{element} in 1.{version} is not declared"));
        let kind = declared.split(' ').next().unwrap();
        let wanted: &[&str] = match content.split(' ').next().unwrap().trim_end_matches(',') {
            "boolean" => &["boolean"],
            "int" => &["int", "number"],
            "dateTime" => &["dateTime"],
            "any" => &["any"],
            "string" => &["string", "text", "token", "content", "octets", "number"],
            // A set with values of its own in some version, and one that a list may stand in.
            "enum" if element == "DigestSchema" => &["string"],
            "enum" if element == "SupportedOfflineBearer" => &["enum", "token"],
            "enum" => &["enum"],
            other => panic!("{element}: {other}"),
        };
        assert!(
            wanted.contains(&kind),
            "{element} in 1.{version} is `{declared}`, not `{content}`"
        );
        if kind == "enum" {
            let values = content.trim_start_matches("enum ").split(['|', '+']);
            let values = values.map(|value| value.split_whitespace().next().unwrap_or(""));
            for value in values.filter(|value| value.chars().all(char::is_alphanumeric)) {
                let known = declared.trim_start_matches("enum ").split('|');
                let described_elsewhere = value == "see";
                assert!(
                    described_elsewhere || known.map(str::trim).any(|known| known == value),
                    "{element}: {value}"
                );
            }
        }
    }
    // The notification types stand in a table of their own.
    let table = DOCUMENT.split("#### 2.2.4").nth(1).unwrap();
    let table = table.split("Codes are").next().unwrap();
    let declared = &model[&("NotificationType".to_owned(), 3)];
    for line in table.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let code = line
            .split(['|', ' '])
            .find(|part| !part.is_empty())
            .unwrap();
        assert!(declared.contains(code), "{code}");
    }
}

#[test]
fn primitives_go_the_way_that_the_reference_says() {
    let primitives = DOCUMENT
        .split("\n## 2. Primitives")
        .nth(1)
        .unwrap()
        .split("\n## 3.")
        .next()
        .unwrap();
    let mut seen = 0;
    for line in primitives.lines() {
        let Some((name, rest)) = line
            .strip_prefix("- **")
            .and_then(|rest| rest.split_once("**"))
        else {
            continue;
        };
        let way = ["*C>S", "*S>C", "*both"]
            .into_iter()
            .find(|way| rest.contains(way));
        let (Some(way), Some(tag)) = (way, Tag::from_name(name)) else {
            // SegmentContent and MessageInfo are described among the primitives that hold them.
            continue;
        };
        seen += 1;
        let any = |of: fn(Tag, Version) -> bool| Version::ALL.iter().any(|v| of(tag, *v));
        assert_eq!(any(Tag::is_sent_by_clients), way != "*S>C", "{name}");
        assert_eq!(any(Tag::is_sent_by_servers), way != "*C>S", "{name}");
    }
    let declared = MODEL.lines().filter(|line| line.contains(" primitive "));
    assert_eq!(seen, declared.filter(|line| !line.starts_with('#')).count());
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
        let tag = Tag::from_name(element).unwrap_or_else(|| panic!("{element} has no tag"));
        let token = tag.token(Version::ALL[*version - 1]);
        assert!(token.is_some(), "{element} has no token in 1.{version}");
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
