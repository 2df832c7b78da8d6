//! Which values may be published (csp-presence 3.2-3.6).

use crate::presence::PresenceConfig;
use hamlet_model::presence::{
    AddrPref, Attribute, AttributeName, AttributeValue, ClientInfo, CommC, ContactInfo, InfLink,
    StatusContent,
};

/// The capabilities of all versions.
const CAPS: &[&str] = &[
    "CALL",
    "SMS",
    "MMS",
    "EMAIL",
    "IM",
    "AUDIO_CALL",
    "VIDEO_CALL",
    "VIDEO_STREAM",
    "IM_ONLINE",
    "IM_OFFLINE",
];

const MOODS: &[&str] = &[
    "ANGRY",
    "ANXIOUS",
    "ASHAMED",
    "BORED",
    "EXCITED",
    "HAPPY",
    "IN_LOVE",
    "INVINCIBLE",
    "JEALOUS",
    "SAD",
    "SLEEPY",
];

const CLIENT_TYPES: &[&str] = &["MOBILE_PHONE", "COMPUTER", "PDA", "CLI", "OTHER"];

/// Longest identifier-like child of a value, characters.
const MAX_SHORT: usize = 255;

/// Puts a value into the form in which it is kept, or says that it is none (751).
///
/// What is empty where there has to be something means that there is no value any more:
/// phones clear their picture that way (csp-presence 3.6).
pub(crate) fn legal(mut attribute: Attribute, config: &PresenceConfig) -> Option<Attribute> {
    if !attribute.qualifier {
        attribute.value = AttributeValue::None;
        return Some(attribute);
    }
    if attribute.value == AttributeValue::None {
        // csp-presence 3.2: publish what is known.
        return Some(attribute);
    }
    let limits = Limits(config);
    let fits = match (attribute.name, &mut attribute.value) {
        (AttributeName::OnlineStatus | AttributeName::Registration, AttributeValue::Flag(_)) => {
            true
        }
        (AttributeName::ClientInfo, AttributeValue::ClientInfo(info)) => limits.client_info(info),
        (AttributeName::TimeZone, AttributeValue::Zone(zone)) => is_zone(zone),
        (AttributeName::GeoLocation, AttributeValue::GeoLocation(place)) => {
            let (lon, lat) = (place.longitude.as_deref(), place.latitude.as_deref());
            lon.is_none_or(|text| is_coordinate(text, 180.0, ['E', 'W']))
                && lat.is_none_or(|text| is_coordinate(text, 90.0, ['N', 'S']))
                && place.altitude.as_deref().is_none_or(is_number)
                && place
                    .accuracy
                    .as_deref()
                    .is_none_or(|text| is_number(text) && !text.trim().starts_with('-'))
        }
        (AttributeName::Address, AttributeValue::Address(address)) => limits.texts([
            &address.country,
            &address.city,
            &address.street,
            &address.crossing1,
            &address.crossing2,
            &address.building,
            &address.named_area,
            &address.accuracy,
        ]),
        (
            AttributeName::FreeTextLocation
            | AttributeName::PLMN
            | AttributeName::PreferredLanguage
            | AttributeName::StatusText
            | AttributeName::Alias,
            AttributeValue::Text(text),
        ) => limits.text(text),
        (AttributeName::UserAvailability, AttributeValue::Text(text)) => {
            *text = canonical(text);
            if text == "NOTAVAILABLE" {
                *text = "NOT_AVAILABLE".into();
            }
            matches!(text.as_str(), "AVAILABLE" | "DISCREET" | "NOT_AVAILABLE")
        }
        (AttributeName::StatusMood, AttributeValue::Text(text)) => {
            *text = canonical(text);
            MOODS.contains(&text.as_str())
        }
        (AttributeName::CommCap, AttributeValue::CommCap(caps)) => {
            caps.len() <= config.max_comm_caps && caps.iter_mut().all(|cap| limits.comm_cap(cap))
        }
        (AttributeName::PreferredContacts, AttributeValue::PreferredContacts(contacts)) => {
            contacts.len() <= config.max_contacts
                && contacts.iter_mut().all(|contact| limits.contact(contact))
        }
        (AttributeName::StatusContent, AttributeValue::StatusContent(content)) => {
            if is_cleared(content) {
                attribute.qualifier = false;
                attribute.value = AttributeValue::None;
                return Some(attribute);
            }
            limits.status_content(content)
        }
        (AttributeName::ContactInfo, AttributeValue::ContactInfo(info)) => match info {
            ContactInfo::Contained(card) => card.len() <= config.max_content,
            ContactInfo::Referred(url) => limits.text(url),
        },
        (AttributeName::InfoLink, AttributeValue::InfoLink(links)) => {
            links.len() <= config.max_links && links.iter().all(|link| limits.link(link))
        }
        _ => false,
    };
    fits.then_some(attribute)
}

struct Limits<'a>(&'a PresenceConfig);

impl Limits<'_> {
    fn text(&self, text: &str) -> bool {
        text.chars().count() <= self.0.max_text
    }

    fn texts<const N: usize>(&self, texts: [&Option<String>; N]) -> bool {
        texts.into_iter().flatten().all(|text| self.text(text))
    }

    fn client_info(&self, info: &mut ClientInfo) -> bool {
        if let Some(client_type) = &mut info.client_type {
            *client_type = canonical(client_type);
        }
        let is_type = |text: &String| CLIENT_TYPES.contains(&text.as_str());
        info.client_type.as_ref().is_none_or(is_type)
            && self.texts([
                &info.dev_manufacturer,
                &info.client_producer,
                &info.model,
                &info.client_version,
                &info.language,
            ])
            && info.content_limit.as_ref().is_none_or(|limit| {
                limit.types.len() <= MAX_SHORT
                    && limit.charsets.len() <= MAX_SHORT
                    && limit.transfer_encodings.len() <= MAX_SHORT
                    && limit
                        .types
                        .iter()
                        .all(|accepted| self.text(&accepted.content_type))
            })
    }

    fn comm_cap(&self, cap: &mut CommC) -> bool {
        cap.cap = canonical(&cap.cap);
        cap.status = canonical(&cap.status);
        // An empty note is as good as none, and old phones fail on it (csp-presence 3.5).
        cap.note = cap.note.take().filter(|note| !note.is_empty());
        CAPS.contains(&cap.cap.as_str())
            && is_status(&cap.status)
            && self.texts([&cap.contact, &cap.note])
    }

    fn contact(&self, contact: &mut AddrPref) -> bool {
        contact.kind = canonical(&contact.kind);
        contact.status = canonical(&contact.status);
        let priority = contact.priority.as_deref();
        CAPS.contains(&contact.kind.as_str())
            && (contact.status.is_empty() || is_status(&contact.status))
            && self.text(&contact.address)
            && self.texts([&contact.name])
            && priority.is_none_or(|text| text.is_empty() || text.trim().parse::<i64>().is_ok())
    }

    fn status_content(&self, content: &StatusContent) -> bool {
        let direct = content.direct.as_ref();
        direct.is_none_or(|data| data.len() <= self.0.max_content)
            && self.texts([&content.referred, &content.content_type])
    }

    fn link(&self, link: &InfLink) -> bool {
        self.text(&link.link) && self.texts([&link.text, &link.content_type])
    }
}

fn is_cleared(content: &StatusContent) -> bool {
    let empty = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
    empty(&content.direct) && empty(&content.referred)
}

fn canonical(text: &str) -> String {
    text.trim().to_ascii_uppercase()
}

fn is_status(text: &str) -> bool {
    matches!(text, "OPEN" | "CLOSED")
}

/// `+hh`, `+hhmm` or `+hh:mm`, either sign, at most 14 hours.
fn is_zone(text: &str) -> bool {
    let Some(digits) = text.trim().strip_prefix(['+', '-']) else {
        return false;
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 && digits.is_ascii() => digits.split_at(2),
        None => (digits, "00"),
    };
    let number = |text: &str, most: u32| -> Option<u32> {
        let plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|n| plain && *n <= most)
    };
    match (number(hours, 14), number(minutes, 59)) {
        (Some(hours), Some(minutes)) => minutes == 0 || (hours < 14 && minutes < 60),
        _ => false,
    }
}

/// `D M S.sssH` with hemisphere, or signed decimal degrees (csp-presence 11).
fn is_coordinate(text: &str, most: f64, hemispheres: [char; 2]) -> bool {
    let text = text.trim().to_ascii_uppercase();
    if text.is_empty() {
        return true;
    }
    let body = text.trim_end_matches(hemispheres);
    if body == text {
        return body
            .parse::<f64>()
            .is_ok_and(|degrees| degrees.abs() <= most);
    }
    let parts: Vec<&str> = body.split_whitespace().collect();
    let bounds = [most, 60.0, 60.0];
    let within = |(part, bound): (&&str, f64)| {
        part.parse::<f64>()
            .is_ok_and(|number| (0.0..=bound).contains(&number))
    };
    (1..=3).contains(&parts.len()) && parts.iter().zip(bounds).all(within)
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_model::presence::GeoLocation;

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
}
