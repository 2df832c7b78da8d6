//! Which values may be published (csp-presence 3.2-3.6).

use crate::presence::PresenceConfig;
use hamlet_model::presence::{
    AddrPref, Attribute, AttributeName, AttributeValue, CivilAddress, ClientContentLimit,
    ClientInfo, CommC, ContactInfo, ExtensionAttribute, InfLink, StatusContent,
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
            // One without the other is no place.
            lon.is_none_or(str::is_empty) == lat.is_none_or(str::is_empty)
                && lon.is_none_or(|text| is_coordinate(text, 180.0, ['E', 'W']))
                && lat.is_none_or(|text| is_coordinate(text, 90.0, ['N', 'S']))
                && place.altitude.as_deref().is_none_or(is_number)
                && place
                    .accuracy
                    .as_deref()
                    .is_none_or(|text| is_number(text) && !text.trim().starts_with('-'))
        }
        (AttributeName::Address, AttributeValue::Address(address)) => limits.address(address),
        (AttributeName::PreferredLanguage, AttributeValue::Text(text)) => is_language(text),
        (
            AttributeName::FreeTextLocation
            | AttributeName::PLMN
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
        (AttributeName::Extension, AttributeValue::Extension(all)) => {
            all.len() <= config.max_extensions && all.iter().all(|one| limits.extension(one))
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

    /// Country is one of ISO 3166-1 by its two letters.
    fn address(&self, address: &mut CivilAddress) -> bool {
        if let Some(country) = &mut address.country {
            *country = canonical(country);
        }
        let is_country =
            |text: &String| text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
        address.country.as_ref().is_none_or(is_country)
            && self.texts([
                &address.city,
                &address.street,
                &address.crossing1,
                &address.crossing2,
                &address.building,
                &address.named_area,
                &address.accuracy,
            ])
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
            ])
            && info.language.as_deref().is_none_or(is_language)
            && info
                .content_limit
                .as_mut()
                .is_none_or(|limit| self.content_limit(limit))
    }

    fn content_limit(&self, limit: &mut ClientContentLimit) -> bool {
        limit.types.len() <= MAX_SHORT
            && limit.charsets.len() <= MAX_SHORT
            && limit.transfer_encodings.len() <= MAX_SHORT
            && limit.types.iter_mut().all(|accepted| {
                let policy = accepted.policy.as_mut().map(|policy| {
                    *policy = canonical(policy);
                    matches!(policy.as_str(), "C" | "R" | "N")
                });
                self.text(&accepted.content_type) && policy != Some(false)
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
        // clients 3.12: what is no BASE64 takes an Android phone all presence that comes with it.
        direct.is_none_or(|data| data.len() <= self.0.max_content && is_base64(data))
            && self.texts([&content.referred, &content.content_type])
    }

    fn extension(&self, one: &ExtensionAttribute) -> bool {
        one.namespace.chars().count() <= MAX_SHORT
            && one.name.chars().count() <= MAX_SHORT
            && one.content.len() <= self.0.max_extension
    }

    fn link(&self, link: &InfLink) -> bool {
        !link.link.trim().is_empty()
            && self.text(&link.link)
            && self.texts([&link.text, &link.content_type])
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

/// The code of a language of ISO 639, as the phones have it: two or three letters, with or
/// without a region.
fn is_language(text: &str) -> bool {
    let mut parts = text.trim().split(['-', '_']);
    let letters = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    let first = parts.next().unwrap_or("");
    text.is_empty()
        || (2..=3).contains(&first.len())
            && letters(first)
            && parts.all(|part| {
                (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            })
}

fn is_base64(text: &str) -> bool {
    let mut count = 0_usize;
    let mut padding = 0_usize;
    for octet in text.bytes().filter(|octet| !octet.is_ascii_whitespace()) {
        count += 1;
        match octet {
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return false,
        }
    }
    count.is_multiple_of(4) && padding <= 2
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests;
