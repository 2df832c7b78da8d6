//! What real clients send beside the book, and what they want beside it: each with its item
//! in docs/protocol.

use super::sample::{Dice, primitives};
use crate::elements::*;
use crate::envelope::{Message, SessionDescriptor, Transaction};
use crate::{
    Document, Extension, ExtensionNode, Syntax, Version, WriteOptions, decode, decode_with_charset,
    encode,
};
use proptest::prelude::*;

fn xml(version: Version, content: &str) -> String {
    format!(
        "<WV-CSP-Message xmlns=\"{}\"><Session><SessionDescriptor><SessionType>Inband</SessionType>\
         <SessionID>s</SessionID></SessionDescriptor><Transaction><TransactionDescriptor>\
         <TransactionMode>Request</TransactionMode><TransactionID>7</TransactionID>\
         </TransactionDescriptor><TransactionContent xmlns=\"{}\">{content}</TransactionContent>\
         </Transaction></Session></WV-CSP-Message>",
        version.session_namespace(),
        version.transaction_namespace()
    )
}

fn document(primitive: impl Into<Primitive>) -> Document {
    Document::Message(Message {
        session: SessionDescriptor::inband("s"),
        transactions: vec![Transaction::request("7", primitive)],
        poll: None,
        cir: None,
    })
}

fn primitive(document: &Document) -> &Primitive {
    let Document::Message(message) = document else {
        panic!("no message")
    };
    message.transactions[0].content.as_ref().unwrap()
}

/// The primitive of a body in XML of 1.2.
fn read(content: &str) -> Primitive {
    let decoded = decode(xml(Version::V1_2, content).as_bytes(), Syntax::Xml).unwrap();
    primitive(&decoded.document).clone()
}

fn written(document: &Document, version: Version, options: &WriteOptions) -> String {
    String::from_utf8(encode(document, Syntax::Xml, version, options)).unwrap()
}

/// csp-presence 6.6: some S60 code.
#[test]
fn a_presence_sub_list_behind_presence_auth_user_belongs_to_it() {
    let read = read(
        "<PresenceAuth-User><UserID>wv:d</UserID><Acceptance>T</Acceptance></PresenceAuth-User>\
         <PresenceSubList><OnlineStatus/></PresenceSubList>",
    );
    let Primitive::PresenceAuthUser(auth) = read else {
        panic!("{read:?}")
    };
    assert_eq!(auth.acceptance, Some(true));
    assert_eq!(auth.presence_sub_list.unwrap().online_status.len(), 1);
}

/// csp-messages 2.1: example 005 of 1.1 has a list in one element.
#[test]
fn digest_schemas_are_a_list_in_1_1_and_elements_from_1_2_on() {
    for body in [
        "<DigestSchema>SHA,MD5</DigestSchema>",
        "<DigestSchema> SHA , MD5 </DigestSchema>",
        "<DigestSchema>SHA</DigestSchema><DigestSchema>MD5</DigestSchema>",
    ] {
        let login = read(&format!("<Login-Request>{body}</Login-Request>"));
        let Primitive::LoginRequest(login) = login else {
            panic!("{login:?}")
        };
        assert_eq!(login.digest_schema, ["SHA", "MD5"]);
        let document = document(*login);
        let of = |version| written(&document, version, &WriteOptions::default());
        assert!(of(Version::V1_1).contains("<DigestSchema>SHA,MD5</DigestSchema>"));
        let two = "<DigestSchema>SHA</DigestSchema><DigestSchema>MD5</DigestSchema>";
        assert!(of(Version::V1_2).contains(two));
        assert!(of(Version::V1_3).contains(two));
    }
}

/// csp-messages 4.2 and 7.1: the Nokia presence adapter.
#[test]
fn notavailable_is_not_available() {
    for value in ["NOTAVAILABLE", "NotAvailable", "NOT_AVAILABLE"] {
        let update = read(&format!(
            "<UpdatePresence-Request><PresenceSubList><UserAvailability><PresenceValue>{value}\
             </PresenceValue></UserAvailability></PresenceSubList></UpdatePresence-Request>"
        ));
        let Primitive::UpdatePresenceRequest(update) = update else {
            panic!("{update:?}")
        };
        let availability = update.presence_sub_list.unwrap().user_availability.unwrap();
        assert_eq!(
            availability.presence_value.as_deref(),
            Some("NOT_AVAILABLE")
        );
    }
}

/// clients AND-20, AND-23: elements that the book does not have there.
#[test]
fn misplaced_elements_of_the_android_client_are_kept() {
    let invite = read(
        "<InviteUser-Response><InviteID>i</InviteID><Acceptance>T</Acceptance><User><UserID>wv:u</UserID></User></InviteUser-Response>",
    );
    let Primitive::InviteUserResponse(invite) = invite else {
        panic!("{invite:?}")
    };
    assert_eq!(invite.user.unwrap().user_id.as_deref(), Some("wv:u"));
    let unsubscribe = read(
        "<UnsubscribePresence-Request><Property><Name>wv:u</Name><Value/></Property></UnsubscribePresence-Request>",
    );
    let Primitive::UnsubscribePresenceRequest(unsubscribe) = unsubscribe else {
        panic!("{unsubscribe:?}")
    };
    assert_eq!(unsubscribe.property[0].name.as_deref(), Some("wv:u"));
}

/// clients 5.4: the Movistar client gives its ClientID in 1.2, which has none there.
#[test]
fn a_client_id_where_1_2_has_none_is_read_and_not_written() {
    let read = read(
        "<ClientCapability-Request><ClientID><![CDATA[WV:IM-1.0]]></ClientID><CapabilityList/></ClientCapability-Request>",
    );
    let Primitive::ClientCapabilityRequest(request) = &read else {
        panic!("{read:?}")
    };
    let client = request.client_id.as_ref().unwrap();
    assert_eq!(client.url.as_deref(), Some("WV:IM-1.0"));
    let document = document(*request.clone());
    let of = |options: &WriteOptions| written(&document, Version::V1_2, options);
    assert!(!of(&WriteOptions::default()).contains("ClientID"));
    let all = WriteOptions {
        all_children: true,
        ..WriteOptions::default()
    };
    assert!(of(&all).contains("<ClientID><URL>WV:IM-1.0</URL></ClientID><CapabilityList/>"));
}

/// wbxml 5.6: the token for the privilege level of an ordinary user.
#[test]
fn the_privilege_level_us_is_user() {
    let mut props = GetGroupPropsResponse::default();
    let level = |value: &str| Property {
        name: Some("PrivilegeLevel".into()),
        value: Some(value.into()),
    };
    props.own_properties = Some(OwnProperties {
        property: vec![level("User")],
    });
    let document = document(props);
    let octets = encode(
        &document,
        Syntax::Wbxml,
        Version::V1_1,
        &WriteOptions::default(),
    );
    let text = [&[0x03][..], b"User", &[0x00]].concat();
    let at = octets.windows(6).position(|part| part == text).unwrap();
    let with_token = [&octets[..at], &[0x80, 0x2F], &octets[at + 6..]].concat();
    assert_eq!(
        decode(&with_token, Syntax::Wbxml).unwrap().document,
        document
    );
}

/// clients AND-15, AND-22: forms of other versions, for a client that reads no other.
#[test]
fn a_client_gets_the_form_of_another_version_that_it_insists_on() {
    let lists = GetListResponse {
        contact_list: vec!["wv:a/l".into()],
        default_contact_list: Some("wv:a/d".into()),
        ..Default::default()
    };
    let joined = JoinGroupResponse {
        user_map_list: Some(UserMapList {
            user_mapping: None,
            mapping: vec![Mapping {
                sname: Some("ann".into()),
                user_id: None,
            }],
        }),
        ..Default::default()
    };
    let all = WriteOptions {
        all_children: true,
        ..WriteOptions::default()
    };
    for (document, form, declared) in [
        (
            document(lists),
            "<GetList-Response><ContactList>wv:a/l</ContactList><DefaultContactList>wv:a/d</DefaultContactList></GetList-Response>",
            true,
        ),
        (
            document(joined),
            "<UserMapList><Mapping><SName>ann</SName></Mapping></UserMapList>",
            false,
        ),
    ] {
        assert!(written(&document, Version::V1_3, &all).contains(form));
        let strict = written(&document, Version::V1_3, &WriteOptions::default());
        assert_eq!(strict.contains(form), declared, "{strict}");
        let octets = encode(&document, Syntax::Wbxml, Version::V1_3, &all);
        assert_eq!(decode(&octets, Syntax::Wbxml).unwrap().document, document);
        // No literal: the client breaks on a string table that it did not expect.
        assert_eq!(octets[3], 0);
    }
}

/// csp-messages 0.1, wbxml 1.1: the transport's charset counts where the document has none.
#[test]
fn the_charset_of_the_transport_counts_when_the_document_names_none() {
    let text = xml(
        Version::V1_2,
        "<DeleteList-Request><ContactList>wv:ä/l</ContactList></DeleteList-Request>",
    );
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let declared = [
        b"<?xml version='1.0' encoding='iso-8859-1'?>",
        latin.as_slice(),
    ]
    .concat();
    let mistaken = format!("<?xml version='1.0' encoding='UTF-16'?>{text}");
    let utf16 = |big: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| match big {
                true => unit.to_be_bytes(),
                false => unit.to_le_bytes(),
            })
            .collect()
    };
    let whole = decode(text.as_bytes(), Syntax::Xml).unwrap();
    for (octets, charset) in [
        (text.clone().into_bytes(), None),
        (text.clone().into_bytes(), Some("utf-8")),
        (text.clone().into_bytes(), Some("no-such-charset")),
        (latin.clone(), Some("ISO-8859-1")),
        (declared.clone(), None),
        (declared, Some("utf-8")),
        (mistaken.into_bytes(), None),
        (utf16(false), None),
        (utf16(true), Some("utf-8")),
    ] {
        let read = decode_with_charset(&octets, Syntax::Xml, charset)
            .unwrap_or_else(|error| panic!("{error}: {charset:?} {octets:02X?}"));
        assert_eq!(read.document, whole.document, "{charset:?}");
    }
    assert!(decode(&latin, Syntax::Xml).is_err());

    let binary = encode(
        &whole.document,
        Syntax::Wbxml,
        Version::V1_2,
        &WriteOptions::default(),
    );
    assert_eq!(&binary[..4], &[0x03, 0x11, 0x6A, 0x00]);
    let at = binary.windows(2).position(|two| two == "ä".as_bytes());
    let at = at.unwrap();
    let unnamed = [
        &[0x03, 0x11, 0x00, 0x00],
        &binary[4..at],
        &[0xE4],
        &binary[at + 2..],
    ]
    .concat();
    let read = decode_with_charset(&unnamed, Syntax::Wbxml, Some("iso-8859-1")).unwrap();
    assert_eq!(read.document, whole.document);
}

/// A literal name of WBXML can hold anything; it must not become markup in XML.
#[test]
fn a_name_cannot_smuggle_markup_into_xml() {
    let name = "x><UserID>evil</UserID><y";
    let body = |octets: &mut Vec<u8>| {
        // WV-CSP-Message, Session, Transaction, ExtBlock (page 9), the literal child.
        octets.extend([0x49, 0x6D, 0x72, 0x00, 0x09, 0x47, 0x44, 0x00]);
        octets.extend([0x03, b'!', 0x00, 0x01, 0x01, 0x01, 0x01, 0x01]);
    };
    let mut octets = vec![0x03, 0x11, 0x6A, name.len() as u8 + 1];
    octets.extend(name.bytes());
    octets.push(0);
    body(&mut octets);
    let document = decode(&octets, Syntax::Wbxml).unwrap().document;
    let text = written(&document, Version::V1_2, &WriteOptions::default());
    assert!(!text.contains("<UserID>"), "{text}");
    let again = decode(text.as_bytes(), Syntax::Xml).unwrap().document;
    let extensions = |document: &Document| match document {
        Document::Message(message) => message.transactions[0].extensions.clone(),
        _ => panic!("no message"),
    };
    assert_eq!(extensions(&again), extensions(&document));
    assert!(matches!(
        &extensions(&document)[0].nodes[..],
        [ExtensionNode::Element { nodes, .. }] if nodes == &[ExtensionNode::Text("!".into())]
    ));
    assert!(Extension::from_xml(None, "<a><b/></a>").is_some());
}

/// csp-messages 1.6: a client that speaks something newer asks what is spoken here.
#[test]
fn version_discovery_is_read_whatever_namespace_it_claims() {
    let text = "<WV-CSP-NSDiscovery-Request xmlns=\"http://www.openmobilealliance.org/DTD/IMPS-CSP2.0\">\
                <VersionList><SessionNSName>http://www.openmobilealliance.org/DTD/IMPS-CSP2.0</SessionNSName>\
                </VersionList></WV-CSP-NSDiscovery-Request>";
    let decoded = decode(text.as_bytes(), Syntax::Xml).unwrap();
    assert_eq!(decoded.version, None);
    let Document::VersionDiscoveryRequest(request) = decoded.document else {
        panic!("no discovery")
    };
    assert_eq!(request.version_list.unwrap().session_ns_name.len(), 1);
}

/// csp-access 14: BASE64 in XML, OPAQUE in WBXML.
#[test]
fn a_segment_is_octets() {
    let segment = GetSegmentResponse {
        segment_content: Some(vec![0x00, 0xFF, 0x4D]),
    };
    let document = document(segment);
    let text = written(&document, Version::V1_3, &WriteOptions::default());
    assert!(text.contains("<SegmentContent>AP9N</SegmentContent>"));
    let octets = encode(
        &document,
        Syntax::Wbxml,
        Version::V1_3,
        &WriteOptions::default(),
    );
    assert!(
        octets
            .windows(5)
            .any(|part| part == [0xC3, 3, 0x00, 0xFF, 0x4D])
    );
    assert_eq!(decode(&octets, Syntax::Wbxml).unwrap().document, document);
}

/// An error goes into a log line and perhaps to the peer.
#[test]
fn an_error_message_stays_short() {
    let name = "a".repeat(100_000);
    for text in [
        format!("<{name}/>"),
        xml(Version::V1_2, &format!("<b></{name}>")),
        format!("<?xml version='1.0' encoding='{name}'?><a/>"),
        xml(Version::V1_2, &format!("&{name};")),
    ] {
        let error = decode(text.as_bytes(), Syntax::Xml).unwrap_err();
        assert!(error.to_string().len() < 400, "{}", error.to_string().len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// What was read in one version is shown whole in any other.
    #[test]
    fn with_all_children_nothing_is_lost_in_another_version(seed: u64) {
        let dice = &mut Dice::new(seed);
        let all = WriteOptions { all_children: true, ..WriteOptions::default() };
        for of in Version::ALL {
            for primitive in primitives(dice, of) {
                let document = document(primitive);
                for to in Version::ALL {
                    for syntax in [Syntax::Xml, Syntax::Wbxml] {
                        let octets = encode(&document, syntax, to, &all);
                        let read = decode(&octets, syntax).unwrap();
                        prop_assert_eq!(&read.document, &document, "{} {:?}", to, String::from_utf8_lossy(&octets));
                    }
                }
            }
        }
    }
}
