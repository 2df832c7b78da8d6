//! Messages and delivery reports on their way to a session: NewMessage,
//! MessageNotification, DeliveryReport-Request (csp-im 5.4, 6, 7.1, 8).

use super::Facts;
use super::address::{self, Party};
use super::content::{self, Written};
use super::result::{About, code_for, result};
use hamlet_csp::elements::{
    Color, DeliveryReportRequest, Font as FontElement, Group, MessageInfo, MessageNotification,
    NewMessage, Primitive, Recipient, ScreenName, Sender, Size, Style,
};
use hamlet_csp::{ContentData, DateTime, Extension, Text, Version};
use hamlet_elements::im::DeliveryReport;
use hamlet_model::message::{Extension as ModelExtension, Font};
use hamlet_model::{Message, MessageParty, StatusCode, Timestamp};

/// A message to be pushed, with the ExtBlocks that go beside it.
pub fn new_message(
    message: &Message,
    facts: &Facts<'_>,
    now: Timestamp,
) -> (Primitive, Vec<Extension>) {
    let (message_info, content_data) = whole(message, facts, now);
    let primitive = Primitive::NewMessage(Box::new(NewMessage {
        message_info: Some(message_info),
        content_data,
    }));
    let extensions = match facts.version {
        Version::V1_1 => Vec::new(),
        _ => extension_elements(&message.transaction_extensions),
    };
    (primitive, extensions)
}

/// "A message is waiting": what the message is, without its content.
pub fn message_notification(message: &Message, facts: &Facts<'_>, now: Timestamp) -> Primitive {
    Primitive::MessageNotification(Box::new(MessageNotification {
        message_info: Some(described(message, facts, now)),
    }))
}

/// MessageInfo and ContentData of a message that is sent whole.
pub(super) fn whole(
    message: &Message,
    facts: &Facts<'_>,
    now: Timestamp,
) -> (MessageInfo, Option<ContentData>) {
    if is_only_elsewhere(message) && facts.version == Version::V1_3 {
        return (described(message, facts, now), None);
    }
    let written = fitted_content(message, facts.version);
    let mut info = message_info(message, facts, now);
    info.content_type = Some(named(&written.content_type, message, facts));
    info.content_encoding = written.encoding;
    info.content_size = Some(written.size);
    (info, Some(written.data))
}

/// MessageInfo of a message without its content: what that is, and its size.
pub(super) fn described(message: &Message, facts: &Facts<'_>, now: Timestamp) -> MessageInfo {
    let mut info = message_info(message, facts, now);
    if is_only_elsewhere(message) {
        let content_type = message.content.content_type.as_deref();
        let content_type = content_type.unwrap_or("text/plain");
        info.content_type = Some(named(content_type, message, facts));
        info.content_size = Some(content::size(message.content_size()));
        return info;
    }
    let written = content::write(&message.content);
    info.content_type = Some(named(&written.content_type, message, facts));
    info.content_encoding = written.encoding;
    info.content_size = Some(written.size);
    info
}

/// The type; before 1.3 with the name of the content in it (csp-im 12.4).
fn named(content_type: &str, message: &Message, facts: &Facts<'_>) -> Text {
    match &message.content_name {
        Some(name) if facts.version < Version::V1_3 => {
            Text::from(content::with_name(content_type, name))
        }
        _ => Text::new(content_type),
    }
}

/// There is nothing but a link to the content.
fn is_only_elsewhere(message: &Message) -> bool {
    message.uri.is_some() && message.elsewhere.is_some() && message.content.data.is_empty()
}

/// The outcome of a message, for its sender: Sender and Recipient are those of the message,
/// not of the report (csp-im 8 rule 3).
pub fn delivery_report(report: &DeliveryReport, facts: &Facts<'_>, now: Timestamp) -> Primitive {
    // What happened to the recipient, in the words of the sender's version.
    let code = code_for(facts.version, report.code, About::Addressee);
    let description = match code {
        known if known == report.code => "",
        known => known.description(),
    };
    let delivered = match report.code {
        StatusCode::OK => Some(report.delivered.unwrap_or(now)),
        _ => report.delivered,
    };
    let info = MessageInfo {
        message_id: Some(Text::new(report.message_id.as_str())),
        content_type: Some(
            report
                .content_type
                .as_deref()
                .unwrap_or("text/plain")
                .into(),
        ),
        content_size: Some(content::size(report.content_size)),
        recipient: Some(recipient(&report.recipient, facts.version)),
        sender: Some(sender(&report.sender, facts.version)),
        date_time: Some(DateTime::from_timestamp(report.sent)),
        ..MessageInfo::default()
    };
    Primitive::DeliveryReportRequest(Box::new(DeliveryReportRequest {
        result: Some(result(code, description, &[], facts)),
        delivery_time: delivered.map(DateTime::from_timestamp),
        message_info: Some(info),
    }))
}

/// Everything of MessageInfo but what the content decides. Font, ContentName and
/// ExtBlockETEM exist only in 1.3 (csp-im 2.1).
fn message_info(message: &Message, facts: &Facts<'_>, now: Timestamp) -> MessageInfo {
    let latest = facts.version == Version::V1_3;
    let left = message.expires.since(now).as_secs();
    MessageInfo {
        message_id: Some(Text::new(message.id.as_str())),
        message_uri: message.uri.as_deref().map(Text::new),
        content_name: message
            .content_name
            .as_deref()
            .filter(|_| latest)
            .map(Text::new),
        recipient: Some(recipient(&message.recipient, facts.version)),
        sender: Some(named_sender(message, facts.version)),
        date_time: Some(DateTime::from_timestamp(message.sent)),
        font: message.font.as_ref().filter(|_| latest).map(font_element),
        validity: Some(u32::try_from(left).unwrap_or(u32::MAX)),
        ext_block_etem: if latest {
            extension_elements(&message.extensions)
        } else {
            Vec::new()
        },
        ..MessageInfo::default()
    }
}

/// The content; phones before 1.3 ignore MessageURI and find the link in the text
/// (csp-im 12.1).
fn fitted_content(message: &Message, version: Version) -> Written {
    let mut written = content::write(&message.content);
    let (Some(uri), true) = (&message.uri, version < Version::V1_3) else {
        return written;
    };
    let ContentData::Text(text) = &mut written.data else {
        return written;
    };
    if text.is_empty() {
        written.content_type = "text/plain".to_owned();
        written.encoding = None;
        *text = link_text(message.content_name.as_deref(), uri);
    } else if written.encoding.is_none()
        && message.content.media_type() == "text/plain"
        && !text.contains(uri.as_str())
    {
        text.push('\n');
        text.push_str(uri);
    } else {
        return written;
    }
    written.size = content::size(text.len());
    written
}

/// A link to content in its place, behind the name of that.
pub(crate) fn link_text(name: Option<&str>, uri: &str) -> String {
    match name {
        Some(name) => format!("{name}\n{uri}"),
        None => uri.to_owned(),
    }
}

/// The one address by which this recipient was reached (csp-im 5.4).
fn recipient(to: &MessageParty, version: Version) -> Recipient {
    let mut recipient = Recipient::default();
    match address::party(to, version) {
        Party::User(user) => recipient.user.push(user),
        Party::Group(group) => recipient.group.push(group),
    }
    recipient
}

/// A group that speaks for itself is a sender only in 1.3; older clients discard such a
/// message, so there it speaks under its own name, in marks that no screen name has
/// (csp-im 2.2; csp-group 6 item 11).
pub(super) fn sender(from: &MessageParty, version: Version) -> Sender {
    if let (MessageParty::Group(group), true) = (from, version < Version::V1_3) {
        return Sender {
            user: None,
            group: Some(Group {
                group_id: None,
                screen_name: Some(ScreenName {
                    sname: Some(format!("*{}*", group.name()).into()),
                    group_id: Some(Text::new(group.as_str())),
                }),
            }),
        };
    }
    match address::party(from, version) {
        Party::User(user) => Sender {
            user: Some(user),
            group: None,
        },
        Party::Group(group) => Sender {
            user: None,
            group: Some(group),
        },
    }
}

/// The sender of a message, with his name, so that the recipient can decide (csp-im 11.5).
fn named_sender(message: &Message, version: Version) -> Sender {
    let mut sender = sender(&message.sender, version);
    if let (Some(user), Version::V1_3) = (&mut sender.user, version) {
        user.friendly_name = message.sender_name.as_deref().map(Text::new);
    }
    sender
}

fn font_element(font: &Font) -> FontElement {
    FontElement {
        size: font.size.as_deref().map(|size| Size::parse(size.into())),
        style: font
            .styles
            .iter()
            .map(|style| Style::parse(style.into()))
            .collect(),
        color: font
            .color
            .as_deref()
            .map(|color| Color::parse(color.into())),
    }
}

/// What is no well-formed XML any more cannot be sent, and is left out.
fn extension_elements(extensions: &[ModelExtension]) -> Vec<Extension> {
    extensions
        .iter()
        .filter_map(|extension| Extension::from_xml(extension.namespace.clone(), &extension.xml))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::mapping::send_message;
    use crate::mapping::tests::{facts, home, user};
    use hamlet_csp::elements::{ContentEncoding, SendMessageRequest};
    use hamlet_model::content::TransferEncoding;
    use hamlet_model::{ApplicationId, ClientId, Content, MessageId};
    use proptest::prelude::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn message() -> Message {
        Message {
            id: MessageId::new("m1"),
            sender: MessageParty::User {
                user: user("anna"),
                client: None,
                application: Some(ApplicationId::new("chess")),
            },
            sender_name: Some("Änni".into()),
            recipient: MessageParty::User {
                user: user("bob"),
                client: Some(ClientId::from_url("Jimmy")),
                application: None,
            },
            content: Content::text("Ä€😀"),
            content_name: Some("note.txt".into()),
            uri: None,
            elsewhere: None,
            sent: at(1_600_000_000),
            expires: at(1_600_000_100),
            font: Some(Font {
                size: Some("Big".into()),
                styles: vec!["Bold".into()],
                color: Some("Red".into()),
            }),
            extensions: vec![ModelExtension {
                namespace: Some("urn:x".into()),
                xml: "<a>1</a>".into(),
            }],
            transaction_extensions: vec![ModelExtension {
                namespace: Some("urn:y".into()),
                xml: "<APIClient>7</APIClient>".into(),
            }],
            report: true,
        }
    }

    fn pushed(message: &Message, version: Version) -> (NewMessage, Vec<Extension>) {
        let home = home();
        let facts = facts(version, &home, ClientFamily::Standard);
        match new_message(message, &facts, at(1_600_000_040)) {
            (Primitive::NewMessage(new), extensions) => (*new, extensions),
            (other, _) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_push_says_everything_that_its_version_can_say() {
        for version in Version::ALL {
            let (new, beside) = pushed(&message(), version);
            let info = new.message_info.unwrap();
            assert_eq!(info.message_id.as_deref(), Some("m1"));
            assert_eq!(info.content_type.as_deref(), Some("text/plain"));
            assert_eq!(info.content_encoding, None);
            assert_eq!(info.content_size, Some(9));
            assert_eq!(info.date_time.unwrap().to_string(), "20200913T122640Z");
            assert_eq!(info.validity, Some(60), "what is left of it");
            assert_eq!(new.content_data, Some("Ä€😀".into()));
            let recipient = info.recipient.unwrap();
            assert_eq!(
                recipient.user[0].user_id.as_deref(),
                Some("wv:bob@im.example")
            );
            let client = recipient.user[0].client_id.as_ref().unwrap();
            assert_eq!(client.url.as_deref(), Some("Jimmy"));
            let sender = info.sender.unwrap().user.unwrap();
            assert_eq!(sender.user_id.as_deref(), Some("wv:anna@im.example"));

            let latest = version == Version::V1_3;
            assert_eq!(sender.application_id.is_some(), latest);
            let name = sender.friendly_name.as_deref();
            assert_eq!(name, latest.then_some("Änni"), "11.5");
            assert_eq!(info.font.is_some(), latest);
            assert_eq!(info.content_name.is_some(), latest);
            assert_eq!(info.ext_block_etem.len(), usize::from(latest));
            assert_eq!(beside.len(), usize::from(version > Version::V1_1));
        }
    }

    #[test]
    fn a_message_that_has_expired_has_no_time_left() {
        let mut message = message();
        message.expires = at(1_600_000_000);
        let (new, _) = pushed(&message, Version::V1_2);
        assert_eq!(new.message_info.unwrap().validity, Some(0));
    }

    #[test]
    fn group_messages_keep_their_addresses() {
        let group = hamlet_model::GroupId::parse("/chess", &home()).unwrap();
        let mut message = message();
        message.recipient = MessageParty::Group(group.clone());
        message.sender = MessageParty::ScreenName {
            name: "Anna".into(),
            group: group.clone(),
        };
        for version in Version::ALL {
            let info = pushed(&message, version).0.message_info.unwrap();
            let to = info.recipient.unwrap();
            assert_eq!(
                to.group[0].group_id.as_deref(),
                Some("wv:/chess@im.example")
            );
            let from = info.sender.unwrap().group.unwrap().screen_name.unwrap();
            assert_eq!(from.sname.as_deref(), Some("Anna"));
        }
        message.sender = MessageParty::Group(group);
        for (version, bare) in [
            (Version::V1_1, false),
            (Version::V1_2, false),
            (Version::V1_3, true),
        ] {
            let info = pushed(&message, version).0.message_info.unwrap();
            let from = info.sender.unwrap().group.unwrap();
            assert_eq!(from.group_id.is_some(), bare, "{version}");
            let name = from.screen_name.and_then(|name| name.sname);
            assert_eq!(name.as_deref(), (!bare).then_some("*chess*"), "{version}");
        }
    }

    #[test]
    fn links_stand_in_the_text_for_phones_that_ignore_the_uri() {
        let mut message = message();
        message.uri = Some("http://im.example/x".into());
        for (text, old) in [
            ("", "note.txt\nhttp://im.example/x"),
            ("see", "see\nhttp://im.example/x"),
            ("see http://im.example/x!", "see http://im.example/x!"),
        ] {
            message.content = Content::text(text);
            for (version, expected) in [
                (Version::V1_1, old),
                (Version::V1_2, old),
                (Version::V1_3, text),
            ] {
                let (new, _) = pushed(&message, version);
                let info = new.message_info.unwrap();
                assert_eq!(new.content_data, Some(expected.into()), "{version}");
                assert_eq!(info.content_size, Some(expected.len() as u32));
                assert_eq!(info.message_uri.as_deref(), Some("http://im.example/x"));
            }
        }
    }

    #[test]
    fn pictures_stay_base64() {
        let mut message = message();
        message.content = Content {
            content_type: Some("image/png".into()),
            encoding: TransferEncoding::Base64,
            data: "UE5HREFUQQ==".into(),
        };
        for version in Version::ALL {
            let (new, _) = pushed(&message, version);
            let info = new.message_info.unwrap();
            assert_eq!(info.content_encoding, Some(ContentEncoding::Base64));
            assert_eq!(info.content_size, Some(7));
            assert_eq!(new.content_data, Some("UE5HREFUQQ==".into()));
        }
    }

    #[test]
    fn a_notification_is_the_push_without_content() {
        let home = home();
        for version in Version::ALL {
            let facts = facts(version, &home, ClientFamily::Standard);
            let notified = message_notification(&message(), &facts, at(1_600_000_040));
            let Primitive::MessageNotification(notified) = notified else {
                panic!("{notified:?}");
            };
            let (new, _) = pushed(&message(), version);
            assert_eq!(notified.message_info, new.message_info);
        }
    }

    fn report(code: StatusCode) -> DeliveryReport {
        DeliveryReport {
            message_id: MessageId::new("m1"),
            code,
            delivered: None,
            sender: MessageParty::user(user("anna")),
            origin: None,
            recipient: MessageParty::user(user("bob")),
            content_type: None,
            content_size: 5,
            sent: at(1_600_000_000),
            expires: at(1_600_086_400),
        }
    }

    #[test]
    fn reports_speak_of_the_message_in_the_words_of_the_version() {
        let home = home();
        for (code, in_1_1, in_1_2, in_1_3) in [
            (200, 200, 200, 200),
            (531, 531, 531, 531),
            (427, 531, 531, 427),
            (541, 410, 541, 541),
            (542, 410, 542, 542),
        ] {
            for (version, expected) in Version::ALL.into_iter().zip([in_1_1, in_1_2, in_1_3]) {
                let facts = facts(version, &home, ClientFamily::Standard);
                let sent = delivery_report(&report(StatusCode(code)), &facts, at(1_600_000_040));
                let Primitive::DeliveryReportRequest(sent) = sent else {
                    panic!("{sent:?}");
                };
                assert_eq!(sent.result.unwrap().code, Some(expected));
                assert_eq!(sent.delivery_time.is_some(), code == 200);
                let info = sent.message_info.unwrap();
                let from = info.sender.unwrap().user.unwrap();
                assert_eq!(from.user_id.as_deref(), Some("wv:anna@im.example"));
                let to = &info.recipient.unwrap().user[0];
                assert_eq!(to.user_id.as_deref(), Some("wv:bob@im.example"));
            }
        }
    }

    fn texts() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("[a-z]{1,8}")
    }

    fn contents() -> impl Strategy<Value = Content> {
        (
            proptest::option::of("(text/plain|text/html|image/png)"),
            "\\PC{0,20}",
        )
            .prop_map(|(content_type, data)| Content {
                content_type,
                ..Content::text(data)
            })
    }

    proptest! {
        /// What a sender says in 1.3 reaches a 1.3 recipient whole, and older recipients
        /// without font, name and extensions.
        #[test]
        fn only_what_a_version_lacks_is_lost_between_sender_and_recipient(
            content in contents(),
            content_name in texts(),
            color in proptest::option::of("(Red|Aqua)"),
            extended in any::<bool>(),
        ) {
            let home = home();
            let mut message = message();
            message.content = content;
            message.content_name = content_name;
            message.font = color.map(|color| Font { color: Some(color), ..Font::default() });
            if !extended {
                message.extensions.clear();
                message.transaction_extensions.clear();
            }
            for version in Version::ALL {
                let facts = facts(version, &home, ClientFamily::Standard);
                let (new, beside) = pushed(&message, version);
                let again = SendMessageRequest {
                    delivery_report: Some(true),
                    message_info: new.message_info,
                    content_data: new.content_data,
                };
                let read = send_message::request(again, &beside, &facts).unwrap();
                let latest = version == Version::V1_3;
                prop_assert_eq!(&read.content.data, &message.content.data);
                prop_assert_eq!(read.content.media_type(), message.content.media_type());
                prop_assert_eq!(read.sent, Some(message.sent));
                prop_assert_eq!(&read.recipients.parties, &[message.recipient.clone()]);
                prop_assert_eq!(read.sender.as_ref() == Some(&message.sender), latest);
                prop_assert_eq!(&read.content_name, &message.content_name.clone().filter(|_| latest));
                prop_assert_eq!(&read.font, &message.font.clone().filter(|_| latest));
                let kept = |all: &[ModelExtension], known| if known { all.to_vec() } else { Vec::new() };
                prop_assert_eq!(read.extensions, kept(&message.extensions, latest));
                prop_assert_eq!(
                    read.transaction_extensions,
                    kept(&message.transaction_extensions, version > Version::V1_1)
                );
            }
        }
    }
}
