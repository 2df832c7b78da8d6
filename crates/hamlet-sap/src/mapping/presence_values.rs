//! Presence attributes as they are written to a session (csp-presence 3, 4.5).

use super::address::client_element;
use super::{presence_extensions, presence_merge};
use hamlet_csp::elements::{
    self as csp, AcceptedTransferEncoding, Cap, ClientType, ContentPolicy, Cstatus, PrefC,
    PresenceSubList,
};
use hamlet_csp::{Text, Version};
use hamlet_model::presence::{
    AcceptedType, AddrPref, Attribute, AttributeName, AttributeValue, CivilAddress,
    ClientContentLimit, ClientInfo, CommC, ContactInfo, GeoLocation, InfLink, StatusContent,
};

/// The attributes in the form of `version`, those of several clients fitted to it.
pub fn sub_list(attributes: &[Attribute], version: Version) -> PresenceSubList {
    let mut list = PresenceSubList::default();
    for attribute in presence_merge::fit(attributes, version) {
        add(&mut list, &attribute, version);
    }
    list
}

/// Qualifier is always written; with F nothing else is (csp-presence 3.2).
fn add(list: &mut PresenceSubList, attribute: &Attribute, version: Version) {
    let none = AttributeValue::None;
    let qualifier = Some(attribute.qualifier);
    let value = if attribute.qualifier {
        &attribute.value
    } else {
        &none
    };
    let client_id = attribute
        .client
        .as_ref()
        .filter(|_| version == Version::V1_3)
        .map(client_element);
    let presence_value = text(value);
    match attribute.name {
        AttributeName::OnlineStatus => list.online_status.push(csp::OnlineStatus {
            qualifier,
            presence_value,
            client_id,
        }),
        AttributeName::Registration => list.registration.push(csp::Registration {
            qualifier,
            presence_value,
            client_id,
        }),
        AttributeName::ClientInfo => list.client_info.push(csp::ClientInfo {
            qualifier,
            client_id,
            ..client_info(value, version)
        }),
        AttributeName::TimeZone => list.time_zone.push(csp::TimeZone {
            qualifier,
            zone: match value {
                AttributeValue::Zone(zone) => Some(zone.into()),
                _ => None,
            },
            client_id,
        }),
        AttributeName::GeoLocation => list.geo_location.push(csp::GeoLocation {
            qualifier,
            client_id,
            ..geo_location(value)
        }),
        AttributeName::Address => list.address.push(csp::Address {
            qualifier,
            client_id,
            ..civil_address(value)
        }),
        AttributeName::FreeTextLocation => {
            list.free_text_location.push(csp::FreeTextLocation {
                qualifier,
                presence_value,
                client_id,
            });
        }
        AttributeName::PLMN => list.plmn.push(csp::PLMN {
            qualifier,
            presence_value,
            client_id,
        }),
        AttributeName::CommCap => list.comm_cap.push(csp::CommCap {
            qualifier,
            comm_c: match value {
                AttributeValue::CommCap(caps) => comm_caps(caps, version),
                _ => Vec::new(),
            },
            client_id,
        }),
        AttributeName::UserAvailability => {
            list.user_availability = Some(csp::UserAvailability {
                qualifier,
                presence_value,
            });
        }
        AttributeName::PreferredContacts => {
            list.preferred_contacts = Some(csp::PreferredContacts {
                qualifier,
                addr_pref: match value {
                    AttributeValue::PreferredContacts(all) => contacts(all, version),
                    _ => Vec::new(),
                },
            });
        }
        AttributeName::PreferredLanguage => {
            list.preferred_language = Some(csp::PreferredLanguage {
                qualifier,
                presence_value,
            });
        }
        AttributeName::StatusText => {
            list.status_text = Some(csp::StatusText {
                qualifier,
                presence_value,
            });
        }
        AttributeName::StatusMood => {
            list.status_mood = Some(csp::StatusMood {
                qualifier,
                presence_value,
            });
        }
        AttributeName::Alias => {
            list.alias = Some(csp::Alias {
                qualifier,
                presence_value,
            });
        }
        AttributeName::StatusContent => {
            list.status_content = Some(csp::StatusContent {
                qualifier,
                ..status_content(value, version)
            });
        }
        AttributeName::ContactInfo => {
            list.contact_info = Some(csp::ContactInfo {
                qualifier,
                ..contact_info(value)
            });
        }
        AttributeName::InfoLink => {
            list.info_link = Some(csp::InfoLink {
                qualifier,
                inf_link: match value {
                    AttributeValue::InfoLink(links) => links.iter().map(inf_link).collect(),
                    _ => Vec::new(),
                },
            });
        }
        AttributeName::Extension => {
            if let AttributeValue::Extension(attributes) = value {
                list.foreign = presence_extensions::elements(attributes);
            }
        }
    }
}

fn given(text: &Option<String>) -> Option<Text> {
    text.as_deref().map(Text::new)
}

/// The PresenceValue of a single-valued attribute.
fn text(value: &AttributeValue) -> Option<Text> {
    match value {
        AttributeValue::Flag(set) => Some(if *set { "T" } else { "F" }.into()),
        AttributeValue::Text(text) => Some(text.into()),
        _ => None,
    }
}

/// Limits, priority and application exist only in 1.3 (csp-presence 3.4).
fn client_info(value: &AttributeValue, version: Version) -> csp::ClientInfo {
    let AttributeValue::ClientInfo(info) = value else {
        return csp::ClientInfo::default();
    };
    let info: &ClientInfo = info;
    let latest = version == Version::V1_3;
    csp::ClientInfo {
        client_content_limit: info
            .content_limit
            .as_ref()
            .filter(|_| latest)
            .map(content_limit),
        client_type: info
            .client_type
            .as_deref()
            .map(|kind| ClientType::parse(kind.into())),
        dev_manufacturer: given(&info.dev_manufacturer),
        client_producer: given(&info.client_producer),
        model: given(&info.model),
        client_version: given(&info.client_version),
        language: given(&info.language),
        client_im_priority: info.im_priority.filter(|_| latest).map(number),
        application_id: info
            .application
            .as_ref()
            .filter(|_| latest)
            .map(|id| Text::new(id.as_str())),
        ..csp::ClientInfo::default()
    }
}

fn number(number: u32) -> Text {
    compact_str::format_compact!("{number}")
}

/// Either a list of types or AnyContent.
fn content_limit(limit: &ClientContentLimit) -> csp::ClientContentLimit {
    csp::ClientContentLimit {
        accepted_content_type: limit.types.iter().map(accepted).collect(),
        any_content: limit.any_content.filter(|_| limit.types.is_empty()),
        accepted_text_content_length: limit.text_length,
        accepted_transfer_encoding: limit
            .transfer_encodings
            .iter()
            .map(|encoding| AcceptedTransferEncoding::parse(encoding.into()))
            .collect(),
        max_pull_length: limit.pull_length.map(number),
        max_push_length: limit.push_length.map(number),
        plain_text_charset: limit.charsets.iter().copied().map(number).collect(),
    }
}

fn accepted(kind: &AcceptedType) -> csp::AcceptedContentType {
    csp::AcceptedContentType {
        content_type: Some(Text::new(&kind.content_type)),
        accepted_rich_content_length: kind.rich_length,
        content_policy: kind
            .policy
            .as_deref()
            .map(|policy| ContentPolicy::parse(policy.into())),
        content_policy_limit: kind.policy_limit,
    }
}

fn geo_location(value: &AttributeValue) -> csp::GeoLocation {
    let AttributeValue::GeoLocation(place) = value else {
        return csp::GeoLocation::default();
    };
    let place: &GeoLocation = place;
    csp::GeoLocation {
        longitude: given(&place.longitude),
        latitude: given(&place.latitude),
        altitude: given(&place.altitude),
        accuracy: given(&place.accuracy),
        ..csp::GeoLocation::default()
    }
}

fn civil_address(value: &AttributeValue) -> csp::Address {
    let AttributeValue::Address(place) = value else {
        return csp::Address::default();
    };
    let place: &CivilAddress = place;
    csp::Address {
        country: given(&place.country),
        city: given(&place.city),
        street: given(&place.street),
        crossing1: given(&place.crossing1),
        crossing2: given(&place.crossing2),
        building: given(&place.building),
        named_area: given(&place.named_area),
        accuracy: given(&place.accuracy),
        ..csp::Address::default()
    }
}

/// What 1.3 calls a capability of 1.1 or 1.2, with the status that its name implies;
/// `None` for what has no place there (csp-presence 3.5). The capabilities of 1.3 are all
/// known to the older versions.
fn capability_in_1_3(cap: &str) -> Option<(&str, Option<&'static str>)> {
    match cap {
        "AUDIO_CALL" => Some(("CALL", None)),
        "IM_ONLINE" => Some(("IM", Some("OPEN"))),
        "IM_OFFLINE" => Some(("IM", Some("CLOSED"))),
        "VIDEO_CALL" | "VIDEO_STREAM" => None,
        known => Some((known, None)),
    }
}

/// Each capability once: a client of 1.3 does not expect CALL beside an AUDIO_CALL that
/// became one. Note is left out when empty: old Nokia clients fail on it.
fn comm_caps(caps: &[CommC], version: Version) -> Vec<csp::CommC> {
    let mut written: Vec<csp::CommC> = Vec::with_capacity(caps.len());
    for cap in caps {
        let (name, status) = match version {
            Version::V1_3 => match capability_in_1_3(&cap.cap) {
                Some(known) => known,
                None => continue,
            },
            _ => (cap.cap.as_str(), None),
        };
        let kind = Some(Cap::parse(name.into()));
        let named_so = || caps.iter().any(|other| other.cap == name);
        let written_so = || written.iter().any(|other| other.cap == kind);
        if name != cap.cap && (named_so() || written_so()) {
            continue;
        }
        written.push(csp::CommC {
            cap: kind,
            status: Some(status.unwrap_or(&cap.status).into()),
            contact: given(&cap.contact),
            note: given(&cap.note.clone().filter(|note| !note.is_empty())),
        });
    }
    written
}

/// PrefC has the values of Cap (csp-presence 3.6).
fn contacts(contacts: &[AddrPref], version: Version) -> Vec<csp::AddrPref> {
    contacts
        .iter()
        .filter_map(|contact| {
            let kind = match version {
                Version::V1_3 => capability_in_1_3(&contact.kind)?.0,
                _ => contact.kind.as_str(),
            };
            Some(csp::AddrPref {
                pref_c: Some(PrefC::parse(kind.into())),
                caddr: Some(Text::new(&contact.address)),
                cstatus: Some(Cstatus::parse(Text::new(&contact.status))),
                cname: given(&contact.name),
                cpriority: given(&contact.priority),
            })
        })
        .collect()
}

/// In 1.3 either the content or the link to it.
fn status_content(value: &AttributeValue, version: Version) -> csp::StatusContent {
    let AttributeValue::StatusContent(content) = value else {
        return csp::StatusContent::default();
    };
    let content: &StatusContent = content;
    let both = version < Version::V1_3 || content.direct.is_none();
    csp::StatusContent {
        direct_content: given(&content.direct),
        referred_content: given(&content.referred).filter(|_| both),
        content_type: given(&content.content_type),
        ..csp::StatusContent::default()
    }
}

fn contact_info(value: &AttributeValue) -> csp::ContactInfo {
    let mut element = csp::ContactInfo::default();
    match value {
        AttributeValue::ContactInfo(ContactInfo::Contained(card)) => {
            element.contained_vcard = Some(card.into());
        }
        AttributeValue::ContactInfo(ContactInfo::Referred(link)) => {
            element.referred_vcard = Some(link.into());
        }
        _ => {}
    }
    element
}

fn inf_link(link: &InfLink) -> csp::InfLink {
    csp::InfLink {
        link: Some(Text::new(&link.link)),
        text: given(&link.text),
        content_type: given(&link.content_type),
    }
}

#[cfg(test)]
mod tests;
