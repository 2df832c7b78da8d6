//! Which values are legal.

use super::*;
use hamlet_model::presence::{AcceptedType, GeoLocation};

fn check(name: AttributeName, value: AttributeValue) -> Option<Attribute> {
    let attribute = Attribute {
        name,
        qualifier: true,
        client: None,
        value,
    };
    legal(attribute, &PresenceConfig::default())
}

#[test]
fn single_values_are_legal_or_not() {
    use AttributeName as N;
    let long = "x".repeat(1025);
    for (name, text, kept) in [
        (N::UserAvailability, "AVAILABLE", Some("AVAILABLE")),
        (N::UserAvailability, "discreet", Some("DISCREET")),
        (N::UserAvailability, "NOTAVAILABLE", Some("NOT_AVAILABLE")),
        (N::UserAvailability, "BUSY", None),
        (N::UserAvailability, "", None),
        (N::StatusMood, "IN_LOVE", Some("IN_LOVE")),
        (N::StatusMood, "HUNGRY", None),
        (N::StatusText, "", Some("")),
        (N::StatusText, "päivää 😀", Some("päivää 😀")),
        (N::StatusText, &long, None),
        (N::Alias, &long[1..], Some(&long[1..])),
        (N::PreferredLanguage, "fin", Some("fin")),
        (N::PreferredLanguage, "en-GB", Some("en-GB")),
        (N::PreferredLanguage, "suomi", None),
        (N::PreferredLanguage, "f1", None),
        (N::OnlineStatus, "T", None),
        (N::CommCap, "IM", None),
    ] {
        let got = check(name, AttributeValue::Text(text.into())).map(|a| a.value);
        let kept = kept.map(|text| AttributeValue::Text(text.into()));
        assert_eq!(got, kept, "{name:?} {text}");
    }
}

#[test]
fn zones_are_offsets_of_at_most_14_hours() {
    for (zone, fits) in [
        ("+02", true),
        ("-0330", true),
        ("+05:45", true),
        ("+14:00", true),
        ("+14:30", false),
        ("+15", false),
        ("02", false),
        ("+0260", false),
        ("+", false),
        ("+02:0x", false),
        ("+éé", false),
    ] {
        let got = check(AttributeName::TimeZone, AttributeValue::Zone(zone.into()));
        assert_eq!(got.is_some(), fits, "{zone}");
    }
}

#[test]
fn places_are_degrees_with_a_hemisphere_or_a_sign() {
    for (longitude, latitude, fits) in [
        ("35 24 15.652W", "12 36 22.5N", true),
        ("24.9384", "60.1699", true),
        ("-179.9", "-90", true),
        ("", "", true),
        ("181", "0", false),
        ("35 61 0W", "0", false),
        ("35 24 15N", "0", false),
        ("somewhere", "0", false),
        ("1 2 3 4E", "0", false),
        ("24.9384", "", false),
        ("", "60.1699", false),
    ] {
        let place = GeoLocation {
            longitude: Some(longitude.into()),
            latitude: Some(latitude.into()),
            ..GeoLocation::default()
        };
        let got = check(
            AttributeName::GeoLocation,
            AttributeValue::GeoLocation(Box::new(place)),
        );
        assert_eq!(got.is_some(), fits, "{longitude} {latitude}");
    }
}

#[test]
fn capabilities_are_known_and_open_or_closed_and_few() {
    let cap = |cap: &str, status: &str| CommC {
        cap: cap.into(),
        status: status.into(),
        contact: None,
        note: Some(String::new()),
    };
    for (caps, fits) in [
        (vec![], true),
        (vec![cap("im", "Open"), cap("SMS", "CLOSED")], true),
        (vec![cap("IM_ONLINE", "OPEN")], true),
        (vec![cap("PIGEON", "OPEN")], false),
        (vec![cap("IM", "AJAR")], false),
        (vec![cap("IM", "OPEN"); 21], false),
    ] {
        let got = check(
            AttributeName::CommCap,
            AttributeValue::CommCap(caps.clone()),
        );
        assert_eq!(got.is_some(), fits, "{caps:?}");
        if let Some(AttributeValue::CommCap(kept)) = got.map(|a| a.value) {
            assert!(kept.iter().all(|c| c.note.is_none() && c.cap != "im"));
        }
    }
}

#[test]
fn an_empty_picture_withdraws_and_a_large_one_is_refused() {
    let content = |size: usize| {
        AttributeValue::StatusContent(Box::new(StatusContent {
            direct: Some("A".repeat(size)),
            referred: None,
            content_type: Some("image/jpeg".into()),
        }))
    };
    let cleared = check(AttributeName::StatusContent, content(0)).unwrap();
    assert!(!cleared.qualifier);
    assert!(check(AttributeName::StatusContent, content(64 << 10)).is_some());
    assert!(check(AttributeName::StatusContent, content((64 << 10) + 1)).is_none());
}

#[test]
fn a_country_has_two_letters() {
    for (country, kept) in [
        ("FI", Some("FI")),
        ("gb", Some("GB")),
        ("Finland", None),
        ("1A", None),
        ("", None),
    ] {
        let address = CivilAddress {
            country: Some(country.into()),
            city: Some("Helsinki".into()),
            ..CivilAddress::default()
        };
        let value = AttributeValue::Address(Box::new(address));
        let got = check(AttributeName::Address, value).map(|attribute| attribute.value);
        let country = match &got {
            Some(AttributeValue::Address(address)) => address.country.as_deref(),
            _ => None,
        };
        assert_eq!(country, kept);
    }
}

#[test]
fn a_picture_is_base64_or_none() {
    for (data, fits) in [
        ("UE5H", true),
        ("UE5H\r\nUE5H", true),
        ("UE4=", true),
        ("UQ==", true),
        ("UE5", false),
        ("U===", false),
        ("UE=H", false),
        ("<gif>", false),
    ] {
        let content = StatusContent {
            direct: Some(data.into()),
            referred: None,
            content_type: Some("image/png".into()),
        };
        let value = AttributeValue::StatusContent(Box::new(content));
        let got = check(AttributeName::StatusContent, value);
        assert_eq!(got.is_some(), fits, "{data}");
    }
}

#[test]
fn what_is_said_of_a_client_is_in_the_words_of_the_standard() {
    let info = |client_type: &str, language: &str, policy: &str| {
        AttributeValue::ClientInfo(Box::new(ClientInfo {
            client_type: Some(client_type.into()),
            language: Some(language.into()),
            content_limit: Some(ClientContentLimit {
                types: vec![AcceptedType {
                    content_type: "image/png".into(),
                    policy: Some(policy.into()),
                    ..AcceptedType::default()
                }],
                ..ClientContentLimit::default()
            }),
            ..ClientInfo::default()
        }))
    };
    for (value, fits) in [
        (info("mobile_phone", "fin", "c"), true),
        (info("TOASTER", "fin", "C"), false),
        (info("PDA", "12", "C"), false),
        (info("PDA", "fin", "X"), false),
    ] {
        assert_eq!(check(AttributeName::ClientInfo, value).is_some(), fits);
    }
}

#[test]
fn attributes_of_other_namespaces_are_few_and_small() {
    let one = |size: usize| ExtensionAttribute {
        namespace: "urn:vendor".into(),
        name: "x".into(),
        content: "a".repeat(size),
    };
    for (all, fits) in [
        (vec![one(4096)], true),
        (vec![one(4097)], false),
        (vec![one(1); 8], true),
        (vec![one(1); 9], false),
    ] {
        let got = check(AttributeName::Extension, AttributeValue::Extension(all));
        assert_eq!(got.is_some(), fits);
    }
}
