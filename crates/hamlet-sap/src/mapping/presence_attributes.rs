//! Presence attributes as a client sends them (csp-presence 3).
//!
//! A text that is no value of its attribute stays [`AttributeValue::Text`]: the presence
//! element knows the legal values and refuses it (751).

use super::{address, presence_extensions};
use hamlet_csp::Text;
use hamlet_csp::elements::{self as csp, ClientId as ClientIdElement, PresenceSubList};
use hamlet_model::ApplicationId;
use hamlet_model::presence::{
    AcceptedType, AddrPref, Attribute, AttributeName, AttributeSet, AttributeValue, CivilAddress,
    ClientContentLimit, ClientInfo, CommC, ContactInfo, GeoLocation, InfLink, StatusContent,
};

/// The attributes that a list names, whatever their content (csp-presence 3.1 use 1); those of
/// other namespaces are one more.
pub fn names(list: &PresenceSubList) -> AttributeSet {
    let carries = !presence_extensions::carried(list).is_empty();
    let extension = carries.then_some(AttributeName::Extension);
    list.named().union(extension.into_iter().collect())
}

/// The attributes with their values, in writing order.
pub fn values(list: PresenceSubList) -> Vec<Attribute> {
    use AttributeName as Name;
    let mut out = Values(Vec::new());
    let extensions = presence_extensions::carried(&list);
    for e in list.online_status {
        let value = flag(e.presence_value);
        out.push(Name::OnlineStatus, e.qualifier, e.client_id.as_ref(), value);
    }
    for e in list.registration {
        let value = flag(e.presence_value);
        out.push(Name::Registration, e.qualifier, e.client_id.as_ref(), value);
    }
    for e in list.client_info {
        let (qualifier, client) = (e.qualifier, e.client_id.clone());
        let value = client_info(e);
        out.push(Name::ClientInfo, qualifier, client.as_ref(), value);
    }
    for e in list.time_zone {
        let value = given(e.zone).map_or(AttributeValue::None, AttributeValue::Zone);
        out.push(Name::TimeZone, e.qualifier, e.client_id.as_ref(), value);
    }
    for e in list.geo_location {
        let value = GeoLocation {
            longitude: given(e.longitude),
            latitude: given(e.latitude),
            altitude: given(e.altitude),
            accuracy: given(e.accuracy),
        };
        let value = unless_empty(value, |value| AttributeValue::GeoLocation(Box::new(value)));
        out.push(Name::GeoLocation, e.qualifier, e.client_id.as_ref(), value);
    }
    for e in list.address {
        let value = CivilAddress {
            country: given(e.country),
            city: given(e.city),
            street: given(e.street),
            crossing1: given(e.crossing1),
            crossing2: given(e.crossing2),
            building: given(e.building),
            named_area: given(e.named_area),
            accuracy: given(e.accuracy),
        };
        let value = unless_empty(value, |value| AttributeValue::Address(Box::new(value)));
        out.push(Name::Address, e.qualifier, e.client_id.as_ref(), value);
    }
    for e in list.free_text_location {
        let value = text(e.presence_value);
        out.push(
            Name::FreeTextLocation,
            e.qualifier,
            e.client_id.as_ref(),
            value,
        );
    }
    for e in list.plmn {
        let value = text(e.presence_value);
        out.push(Name::PLMN, e.qualifier, e.client_id.as_ref(), value);
    }
    for e in list.comm_cap {
        let value = AttributeValue::CommCap(e.comm_c.into_iter().map(comm_c).collect());
        out.push(Name::CommCap, e.qualifier, e.client_id.as_ref(), value);
    }
    if let Some(e) = list.user_availability {
        let value = one_of(e.presence_value, |value| match value {
            // Nokia 1.2 (csp-presence 3.6).
            "NOTAVAILABLE" => "NOT_AVAILABLE",
            value => value,
        });
        out.push(Name::UserAvailability, e.qualifier, None, value);
    }
    if let Some(e) = list.preferred_contacts {
        let value = e.addr_pref.into_iter().map(addr_pref).collect();
        let value = AttributeValue::PreferredContacts(value);
        out.push(Name::PreferredContacts, e.qualifier, None, value);
    }
    if let Some(e) = list.preferred_language {
        out.push(
            Name::PreferredLanguage,
            e.qualifier,
            None,
            text(e.presence_value),
        );
    }
    if let Some(e) = list.status_text {
        out.push(Name::StatusText, e.qualifier, None, text(e.presence_value));
    }
    if let Some(e) = list.status_mood {
        let value = one_of(e.presence_value, |value| value);
        out.push(Name::StatusMood, e.qualifier, None, value);
    }
    if let Some(e) = list.alias {
        out.push(Name::Alias, e.qualifier, None, text(e.presence_value));
    }
    if let Some(e) = list.status_content {
        // Nokia clears its picture by an empty one (csp-presence 3.6).
        let cleared = is_blank(&e.direct_content) || is_blank(&e.referred_content);
        let value = StatusContent {
            direct: given(e.direct_content),
            referred: given(e.referred_content),
            content_type: given(e.content_type),
        };
        let cleared = cleared && value.direct.is_none() && value.referred.is_none();
        let qualifier = if cleared { Some(false) } else { e.qualifier };
        let value = unless_empty(value, |value| {
            AttributeValue::StatusContent(Box::new(value))
        });
        out.push(Name::StatusContent, qualifier, None, value);
    }
    if let Some(e) = list.contact_info {
        let cleared = is_blank(&e.contained_vcard) || is_blank(&e.referred_vcard);
        let value = match (given(e.contained_vcard), given(e.referred_vcard)) {
            (Some(card), _) => Some(ContactInfo::Contained(card)),
            (None, Some(link)) => Some(ContactInfo::Referred(link)),
            (None, None) => None,
        };
        let cleared = cleared && value.is_none();
        let qualifier = if cleared { Some(false) } else { e.qualifier };
        let value = value.map_or(AttributeValue::None, AttributeValue::ContactInfo);
        out.push(Name::ContactInfo, qualifier, None, value);
    }
    if let Some(e) = list.info_link {
        let value = AttributeValue::InfoLink(e.inf_link.into_iter().map(inf_link).collect());
        out.push(Name::InfoLink, e.qualifier, None, value);
    }
    if !extensions.is_empty() {
        let value = AttributeValue::Extension(extensions);
        out.push(Name::Extension, None, None, value);
    }
    out.0
}

/// Attributes as they are collected.
struct Values(Vec<Attribute>);

impl Values {
    /// An absent Qualifier is T; with F the value does not count (csp-presence 3.2).
    fn push(
        &mut self,
        name: AttributeName,
        qualifier: Option<bool>,
        client: Option<&ClientIdElement>,
        value: AttributeValue,
    ) {
        let qualifier = qualifier.unwrap_or(true);
        self.0.push(Attribute {
            name,
            qualifier,
            client: client.and_then(address::client),
            value: if qualifier {
                value
            } else {
                AttributeValue::None
            },
        });
    }
}

fn given(text: Option<Text>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(String::from)
}

fn is_blank(text: &Option<Text>) -> bool {
    text.as_ref().is_some_and(|text| text.is_empty())
}

/// An element without any child gives no value.
fn unless_empty<T: Default + PartialEq>(
    value: T,
    wrap: impl FnOnce(T) -> AttributeValue,
) -> AttributeValue {
    if value == T::default() {
        AttributeValue::None
    } else {
        wrap(value)
    }
}

/// Free text, which may be empty.
fn text(value: Option<Text>) -> AttributeValue {
    value.map_or(AttributeValue::None, |text| {
        AttributeValue::Text(text.into())
    })
}

/// T or F.
fn flag(value: Option<Text>) -> AttributeValue {
    match value.as_deref().map(str::trim) {
        None | Some("") => AttributeValue::None,
        Some("T" | "t") => AttributeValue::Flag(true),
        Some("F" | "f") => AttributeValue::Flag(false),
        Some(other) => AttributeValue::Text(other.to_owned()),
    }
}

/// One of a set of upper-case words; `variant` knows other spellings.
fn one_of(value: Option<Text>, variant: impl Fn(&str) -> &str) -> AttributeValue {
    match value.as_deref().map(str::trim) {
        None | Some("") => AttributeValue::None,
        Some(word) => {
            let word = word.to_ascii_uppercase();
            AttributeValue::Text(variant(&word).to_owned())
        }
    }
}

fn client_info(e: csp::ClientInfo) -> AttributeValue {
    if let Some(text) = e.client_im_priority.as_deref().map(str::trim)
        && !text.is_empty()
        && text.parse::<u32>().is_err()
    {
        return AttributeValue::Text(text.to_owned());
    }
    let info = ClientInfo {
        content_limit: e.client_content_limit.map(content_limit),
        client_type: e.client_type.map(|kind| kind.as_str().to_owned()),
        dev_manufacturer: given(e.dev_manufacturer),
        client_producer: given(e.client_producer),
        model: given(e.model),
        client_version: given(e.client_version),
        language: given(e.language),
        im_priority: number(e.client_im_priority),
        application: given(e.application_id).map(ApplicationId::new),
    };
    unless_empty(info, |info| AttributeValue::ClientInfo(Box::new(info)))
}

fn content_limit(e: csp::ClientContentLimit) -> ClientContentLimit {
    ClientContentLimit {
        types: e.accepted_content_type.into_iter().map(accepted).collect(),
        any_content: e.any_content,
        text_length: e.accepted_text_content_length,
        transfer_encodings: e
            .accepted_transfer_encoding
            .iter()
            .map(|encoding| encoding.as_str().to_owned())
            .collect(),
        pull_length: number(e.max_pull_length),
        push_length: number(e.max_push_length),
        charsets: e
            .plain_text_charset
            .into_iter()
            .filter_map(|charset| number(Some(charset)))
            .collect(),
    }
}

fn accepted(e: csp::AcceptedContentType) -> AcceptedType {
    AcceptedType {
        content_type: e.content_type.map(String::from).unwrap_or_default(),
        rich_length: e.accepted_rich_content_length,
        policy: e.content_policy.map(|policy| policy.as_str().to_owned()),
        policy_limit: e.content_policy_limit,
    }
}

fn number(text: Option<Text>) -> Option<u32> {
    text?.trim().parse().ok()
}

/// An empty Note is none: Nokia always writes one (csp-presence 3.5).
fn comm_c(e: csp::CommC) -> CommC {
    CommC {
        cap: e.cap.map(|cap| cap.as_str().to_owned()).unwrap_or_default(),
        status: e
            .status
            .map(|status| status.trim().to_ascii_uppercase())
            .unwrap_or_default(),
        contact: given(e.contact),
        note: given(e.note),
    }
}

fn addr_pref(e: csp::AddrPref) -> AddrPref {
    AddrPref {
        kind: e
            .pref_c
            .map(|kind| kind.as_str().to_owned())
            .unwrap_or_default(),
        address: e.caddr.map(String::from).unwrap_or_default(),
        status: e
            .cstatus
            .map(|status| status.as_str().to_owned())
            .unwrap_or_default(),
        name: given(e.cname),
        priority: given(e.cpriority),
    }
}

fn inf_link(e: csp::InfLink) -> InfLink {
    InfLink {
        link: e.link.map(String::from).unwrap_or_default(),
        text: given(e.text),
        content_type: given(e.content_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_csp::ExtensionNode;
    use hamlet_csp::elements::{
        CommCap, ContactInfo as ContactInfoElement, OnlineStatus, StatusContent as PictureElement,
        StatusText, UserAvailability,
    };

    fn one(list: PresenceSubList) -> Attribute {
        let mut all = values(list);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn online_status_is_read_in_every_form_that_clients_send() {
        for (qualifier, value, expected) in [
            (Some(true), Some("T"), (true, AttributeValue::Flag(true))),
            (None, Some("f"), (true, AttributeValue::Flag(false))),
            // MOV-7: nothing but the Qualifier.
            (Some(true), None, (true, AttributeValue::None)),
            (None, None, (true, AttributeValue::None)),
            (Some(true), Some(""), (true, AttributeValue::None)),
            // The value does not count.
            (Some(false), Some("T"), (false, AttributeValue::None)),
            (
                None,
                Some("yes"),
                (true, AttributeValue::Text("yes".into())),
            ),
        ] {
            let attribute = one(PresenceSubList {
                online_status: vec![OnlineStatus {
                    qualifier,
                    presence_value: value.map(Text::new),
                    client_id: None,
                }],
                ..PresenceSubList::default()
            });
            assert_eq!(
                (attribute.qualifier, attribute.value),
                expected,
                "{value:?}"
            );
        }
    }

    #[test]
    fn words_are_read_in_any_case_and_known_variants() {
        for (value, expected) in [
            ("AVAILABLE", "AVAILABLE"),
            ("discreet", "DISCREET"),
            ("NOTAVAILABLE", "NOT_AVAILABLE"),
            ("Sleeping", "SLEEPING"),
        ] {
            let attribute = one(PresenceSubList {
                user_availability: Some(UserAvailability {
                    qualifier: None,
                    presence_value: Some(value.into()),
                }),
                ..PresenceSubList::default()
            });
            assert_eq!(attribute.value, AttributeValue::Text(expected.into()));
        }
    }

    #[test]
    fn an_empty_status_text_is_a_text() {
        let attribute = one(PresenceSubList {
            status_text: Some(StatusText {
                qualifier: Some(true),
                presence_value: Some("".into()),
            }),
            ..PresenceSubList::default()
        });
        assert_eq!(attribute.value, AttributeValue::Text(String::new()));
    }

    #[test]
    fn an_empty_picture_or_card_withdraws_the_old_one() {
        let picture = |direct: Option<&str>| {
            one(PresenceSubList {
                status_content: Some(PictureElement {
                    qualifier: Some(true),
                    direct_content: direct.map(Text::new),
                    referred_content: None,
                    content_type: Some("".into()),
                }),
                ..PresenceSubList::default()
            })
        };
        assert!(!picture(Some("")).qualifier);
        assert!(picture(None).qualifier);
        assert_eq!(picture(None).value, AttributeValue::None);
        assert!(matches!(
            picture(Some("UE5H")).value,
            AttributeValue::StatusContent(_)
        ));
        let card = one(PresenceSubList {
            contact_info: Some(ContactInfoElement {
                qualifier: Some(true),
                contained_vcard: Some("".into()),
                referred_vcard: None,
            }),
            ..PresenceSubList::default()
        });
        assert!(!card.qualifier);
    }

    #[test]
    fn an_empty_note_is_none() {
        let attribute = one(PresenceSubList {
            comm_cap: vec![CommCap {
                comm_c: vec![csp::CommC {
                    cap: Some(csp::Cap::IM),
                    status: Some("Open".into()),
                    contact: Some("".into()),
                    note: Some("".into()),
                }],
                ..CommCap::default()
            }],
            ..PresenceSubList::default()
        });
        let expected = CommC {
            cap: "IM".into(),
            status: "OPEN".into(),
            contact: None,
            note: None,
        };
        assert_eq!(attribute.value, AttributeValue::CommCap(vec![expected]));
    }

    #[test]
    fn every_attribute_can_be_selected() {
        let list = PresenceSubList {
            online_status: vec![Default::default()],
            registration: vec![Default::default()],
            client_info: vec![Default::default()],
            time_zone: vec![Default::default()],
            geo_location: vec![Default::default()],
            address: vec![Default::default()],
            free_text_location: vec![Default::default()],
            plmn: vec![Default::default()],
            comm_cap: vec![Default::default()],
            user_availability: Some(Default::default()),
            preferred_contacts: Some(Default::default()),
            preferred_language: Some(Default::default()),
            status_text: Some(Default::default()),
            status_mood: Some(Default::default()),
            alias: Some(Default::default()),
            status_content: Some(Default::default()),
            contact_info: Some(Default::default()),
            info_link: Some(Default::default()),
            foreign: vec![ExtensionNode::Element {
                name: "Weather".into(),
                namespace: Some("urn:vendor".into()),
                nodes: Vec::new(),
            }],
        };
        assert_eq!(names(&list), AttributeSet::ALL);
        assert_eq!(names(&PresenceSubList::default()), AttributeSet::EMPTY);
        let read: Vec<_> = values(list).into_iter().map(|a| a.name).collect();
        assert_eq!(read, AttributeName::ALL);
    }
}
