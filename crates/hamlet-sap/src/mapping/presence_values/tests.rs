//! Every attribute in every version, there and back.

use super::*;
use crate::mapping::presence_attributes;
use hamlet_csp::elements::{Primitive, UpdatePresenceRequest};
use hamlet_csp::{
    Document, Message, SessionDescriptor, Syntax, Transaction, WriteOptions, decode, encode,
};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{ApplicationId, ClientId};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

fn attribute(name: AttributeName, value: AttributeValue) -> Attribute {
    Attribute {
        name,
        qualifier: true,
        client: None,
        value,
    }
}

fn cap(cap: &str, status: &str) -> CommC {
    CommC {
        cap: cap.into(),
        status: status.into(),
        ..CommC::default()
    }
}

#[test]
fn capabilities_have_their_names_of_the_version() {
    let published = vec![
        cap("AUDIO_CALL", "OPEN"),
        cap("VIDEO_CALL", "OPEN"),
        cap("VIDEO_STREAM", "CLOSED"),
        cap("IM_ONLINE", ""),
        cap("SMS", "CLOSED"),
        cap("IM_OFFLINE", "OPEN"),
    ];
    let attributes = [attribute(
        AttributeName::CommCap,
        AttributeValue::CommCap(published),
    )];
    let seen = |version| -> Vec<(String, String)> {
        sub_list(&attributes, version).comm_cap[0]
            .comm_c
            .iter()
            .map(|c| {
                let cap = c.cap.as_ref().map_or("", |cap| cap.as_str());
                (cap.to_owned(), c.status.clone().unwrap_or_default().into())
            })
            .collect()
    };
    let pair = |cap: &str, status: &str| (cap.to_owned(), status.to_owned());
    assert_eq!(
        seen(Version::V1_3),
        [
            pair("CALL", "OPEN"),
            pair("IM", "OPEN"),
            pair("SMS", "CLOSED")
        ]
    );
    for version in [Version::V1_1, Version::V1_2] {
        assert_eq!(seen(version).len(), 6);
        assert_eq!(seen(version)[0], pair("AUDIO_CALL", "OPEN"));
    }
}

#[test]
fn s60_29_an_empty_note_is_left_out() {
    let with_note = CommC {
        note: Some(String::new()),
        ..cap("IM", "OPEN")
    };
    let attributes = [attribute(
        AttributeName::CommCap,
        AttributeValue::CommCap(vec![with_note]),
    )];
    for version in Version::ALL {
        let list = sub_list(&attributes, version);
        assert_eq!(list.comm_cap[0].comm_c[0].note, None);
    }
}

#[test]
fn a_withdrawn_attribute_is_nothing_but_its_qualifier() {
    // Attributes of other namespaces have no Qualifier.
    for name in AttributeSet::STANDARD.iter() {
        let withdrawn = Attribute {
            qualifier: false,
            ..attribute(name, AttributeValue::Text("old".into()))
        };
        let list = sub_list(&[withdrawn], Version::V1_3);
        let read = presence_attributes::values(list);
        assert_eq!(read.len(), 1, "{name:?}");
        assert!(!read[0].qualifier);
        assert_eq!(read[0].value, AttributeValue::None, "{name:?}");
    }
}

/// What is lost on the way to a session: (attribute, versions, what).
///
/// The one table of it; the property test below proves that there is no other loss.
/// * every attribute about a client, 1.1 and 1.2: which client it is about
/// * InfoLink, 1.1: all of it
/// * ClientInfo, 1.1 and 1.2: ClientContentLimit, ClientIMPriority, ApplicationID
/// * ClientInfo, 1.3: AnyContent beside a list of types
/// * CommCap and PreferredContacts, 1.3: what only 1.1 and 1.2 have (see the table above)
/// * StatusContent, 1.3: the link beside the content itself
fn after_loss(mut attribute: Attribute, version: Version) -> Option<Attribute> {
    let latest = version == Version::V1_3;
    if !latest {
        attribute.client = None;
    }
    match &mut attribute.value {
        AttributeValue::InfoLink(_) if version == Version::V1_1 => return None,
        AttributeValue::ClientInfo(info) if !latest => {
            (info.content_limit, info.im_priority, info.application) = (None, None, None);
            if **info == ClientInfo::default() {
                attribute.value = AttributeValue::None;
            }
        }
        AttributeValue::ClientInfo(info) => {
            if let Some(limit) = &mut info.content_limit
                && !limit.types.is_empty()
            {
                limit.any_content = None;
            }
        }
        AttributeValue::StatusContent(content) if latest && content.direct.is_some() => {
            content.referred = None;
        }
        _ => {}
    }
    Some(attribute)
}

fn word() -> impl Strategy<Value = String> {
    "[A-Za-z0-9äß€]{1,12}"
}

fn client() -> impl Strategy<Value = Option<ClientId>> {
    of("[a-z]{1,6}".prop_map(ClientId::from_url))
}

fn content_limit_values() -> impl Strategy<Value = ClientContentLimit> {
    let kind = (
        word(),
        of(any::<u32>()),
        of(select(vec!["C", "R", "N"])),
        of(any::<u32>()),
    )
        .prop_map(
            |(content_type, rich_length, policy, policy_limit)| AcceptedType {
                content_type,
                rich_length,
                policy: policy.map(str::to_owned),
                policy_limit,
            },
        );
    (
        vec(kind, 0..3),
        of(any::<bool>()),
        of(any::<u32>()),
        vec(select(vec!["BASE64", "None"]), 0..2),
        of(any::<u32>()),
        of(any::<u32>()),
        vec(any::<u32>(), 0..3),
    )
        .prop_map(
            |(types, any_content, text, encodings, pull, push, charsets)| ClientContentLimit {
                types,
                any_content,
                text_length: text,
                transfer_encodings: encodings.into_iter().map(str::to_owned).collect(),
                pull_length: pull,
                push_length: push,
                charsets,
            },
        )
}

fn client_info_values() -> impl Strategy<Value = AttributeValue> {
    (
        of(content_limit_values()),
        of(select(vec![
            "MOBILE_PHONE",
            "COMPUTER",
            "PDA",
            "CLI",
            "OTHER",
        ])),
        [of(word()), of(word()), of(word()), of(word()), of(word())],
        of(any::<u32>()),
        of(word()),
    )
        .prop_map(
            |(content_limit, client_type, texts, im_priority, application)| {
                let [
                    dev_manufacturer,
                    client_producer,
                    model,
                    client_version,
                    language,
                ] = texts;
                let info = ClientInfo {
                    content_limit,
                    client_type: client_type.map(str::to_owned),
                    dev_manufacturer,
                    client_producer,
                    model,
                    client_version,
                    language,
                    im_priority,
                    application: application.map(ApplicationId::new),
                };
                match info == ClientInfo::default() {
                    true => AttributeValue::None,
                    false => AttributeValue::ClientInfo(Box::new(info)),
                }
            },
        )
}

/// A value of the attribute, as the presence element may hold it.
fn value(name: AttributeName) -> BoxedStrategy<AttributeValue> {
    let text = || word().prop_map(AttributeValue::Text);
    let kinds = || select(vec!["CALL", "SMS", "MMS", "IM", "EMAIL"]);
    let states = || select(vec!["OPEN", "CLOSED"]);
    match name {
        AttributeName::OnlineStatus | AttributeName::Registration => {
            any::<bool>().prop_map(AttributeValue::Flag).boxed()
        }
        AttributeName::ClientInfo => client_info_values().boxed(),
        AttributeName::TimeZone => select(vec!["+02", "-0330", "+14:00"])
            .prop_map(|zone| AttributeValue::Zone(zone.into()))
            .boxed(),
        AttributeName::GeoLocation => (word(), of(word()), of("[0-9]{1,4}"), of("[0-9]{1,4}"))
            .prop_map(|(longitude, latitude, altitude, accuracy)| {
                AttributeValue::GeoLocation(Box::new(GeoLocation {
                    longitude: Some(longitude),
                    latitude,
                    altitude,
                    accuracy,
                }))
            })
            .boxed(),
        AttributeName::Address => (word(), vec(of(word()), 6), of("[0-9]{1,4}"))
            .prop_map(|(country, rest, accuracy)| {
                AttributeValue::Address(Box::new(CivilAddress {
                    country: Some(country),
                    city: rest[0].clone(),
                    street: rest[1].clone(),
                    crossing1: rest[2].clone(),
                    crossing2: rest[3].clone(),
                    building: rest[4].clone(),
                    named_area: rest[5].clone(),
                    accuracy,
                }))
            })
            .boxed(),
        AttributeName::CommCap => vec((kinds(), states(), of(word()), of(word())), 0..4)
            .prop_map(|caps| {
                let cap = |(cap, status, contact, note): (&str, &str, _, _)| CommC {
                    contact,
                    note,
                    ..self::cap(cap, status)
                };
                AttributeValue::CommCap(caps.into_iter().map(cap).collect())
            })
            .boxed(),
        AttributeName::UserAvailability => select(vec!["AVAILABLE", "DISCREET", "NOT_AVAILABLE"])
            .prop_map(|state| AttributeValue::Text(state.into()))
            .boxed(),
        AttributeName::StatusMood => select(vec!["HAPPY", "IN_LOVE"])
            .prop_map(|mood| AttributeValue::Text(mood.into()))
            .boxed(),
        AttributeName::PreferredContacts => vec(
            (kinds(), word(), states(), of(word()), of("[0-9]{1,3}")),
            0..4,
        )
        .prop_map(|all| {
            let contact =
                |(kind, address, status, name, priority): (&str, _, &str, _, _)| AddrPref {
                    kind: kind.into(),
                    address,
                    status: status.into(),
                    name,
                    priority,
                };
            AttributeValue::PreferredContacts(all.into_iter().map(contact).collect())
        })
        .boxed(),
        AttributeName::StatusContent => (word(), of(word()), of(word()), any::<bool>())
            .prop_map(|(one, other, content_type, direct)| {
                let (direct, referred) = if direct {
                    (Some(one), other)
                } else {
                    (None, Some(one))
                };
                AttributeValue::StatusContent(Box::new(StatusContent {
                    direct,
                    referred,
                    content_type,
                }))
            })
            .boxed(),
        AttributeName::ContactInfo => (word(), any::<bool>())
            .prop_map(|(card, contained)| {
                AttributeValue::ContactInfo(match contained {
                    true => ContactInfo::Contained(card),
                    false => ContactInfo::Referred(card),
                })
            })
            .boxed(),
        AttributeName::InfoLink => vec((word(), of(word()), of(word())), 0..3)
            .prop_map(|links| {
                let link = |(link, text, content_type)| InfLink {
                    link,
                    text,
                    content_type,
                };
                AttributeValue::InfoLink(links.into_iter().map(link).collect())
            })
            .boxed(),
        AttributeName::FreeTextLocation
        | AttributeName::PLMN
        | AttributeName::PreferredLanguage
        | AttributeName::StatusText
        | AttributeName::Alias => text().boxed(),
        AttributeName::Extension => Just(AttributeValue::None).boxed(),
    }
}

/// All attributes of one user with one client.
fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let one = |name: AttributeName| {
        (any::<bool>(), value(name)).prop_map(move |(qualifier, value)| Attribute {
            name,
            qualifier,
            client: None,
            value: if qualifier {
                value
            } else {
                AttributeValue::None
            },
        })
    };
    let all: Vec<_> = AttributeSet::STANDARD.iter().map(one).collect();
    (client(), all).prop_map(|(client, mut all)| {
        for attribute in all.iter_mut().filter(|a| a.name.is_client_status()) {
            attribute.client.clone_from(&client);
        }
        all
    })
}

/// Through the encoder and the decoder of `syntax`.
fn over_the_wire(list: PresenceSubList, syntax: Syntax, version: Version) -> PresenceSubList {
    let update = UpdatePresenceRequest {
        presence_sub_list: Some(list),
    };
    let primitive = Primitive::UpdatePresenceRequest(Box::new(update));
    let document = Document::Message(Message {
        session: SessionDescriptor::inband("s1"),
        transactions: vec![Transaction::request("1", primitive)],
        poll: None,
        cir: None,
    });
    let body = encode(&document, syntax, version, &WriteOptions::default());
    let Document::Message(message) = decode(&body, syntax).unwrap().document else {
        panic!("no message");
    };
    match message.transactions.into_iter().next().unwrap().content {
        Ok(Primitive::UpdatePresenceRequest(update)) => update.presence_sub_list.unwrap(),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn a_version_loses_only_what_it_lacks(attributes in attributes()) {
        for version in Version::ALL {
            let expected: Vec<_> = attributes
                .iter()
                .filter_map(|attribute| after_loss(attribute.clone(), version))
                // A withdrawn link has no value that tells it.
                .filter(|a| version > Version::V1_1 || a.name != AttributeName::InfoLink)
                .collect();
            let list = sub_list(&attributes, version);
            for syntax in [Syntax::Xml, Syntax::Wbxml] {
                let read = over_the_wire(list.clone(), syntax, version);
                prop_assert_eq!(&read, &list, "{:?} {}", syntax, version);
                prop_assert_eq!(presence_attributes::values(read), expected.clone());
            }
        }
    }
}
