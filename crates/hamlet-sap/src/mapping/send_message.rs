//! SendMessage (csp-im 5).

use super::{Facts, address, content, result};
use hamlet_csp::elements::{
    ContentEncoding, Font as FontElement, Group, MessageInfo, Primitive, Recipient,
    SendMessageRequest, SendMessageResponse, Sender, Size, Style,
};
use hamlet_csp::{Extension, ExtensionNode, Text};
use hamlet_elements::im::{Accepted, SendMessage};
use hamlet_model::content::TransferEncoding;
use hamlet_model::message::{Extension as ModelExtension, Font};
use hamlet_model::{
    ContactListId, Content, Elsewhere, MessageParty, Recipients, Refusal, StatusCode,
};
use std::time::Duration;

/// Reads a request, in the order of csp-im 5.3 items 2 to 4.
pub fn request(
    request: SendMessageRequest,
    extensions: &[Extension],
    facts: &Facts<'_>,
) -> Result<SendMessage, Refusal> {
    let missing = |what| Refusal::because(StatusCode::BAD_REQUEST, what);
    let info = request
        .message_info
        .ok_or_else(|| missing("MessageInfo is missing"))?;
    let addressees = info
        .recipient
        .as_ref()
        .ok_or_else(|| missing("Recipient is missing"))?;
    let encoding = transfer_encoding(info.content_encoding.as_ref())?;
    let sender = sender(info.sender.as_ref(), facts)?;
    let recipients = recipients(addressees, facts)?;
    let data = request.content_data.map(|data| data.into_text());
    let content = read_content(data, encoding, info.content_type.as_ref(), facts)?;
    Ok(SendMessage {
        sender,
        recipients,
        elsewhere: elsewhere(&info, &content),
        content,
        content_name: given(info.content_name.as_ref()),
        uri: given(info.message_uri.as_ref()),
        sent: info.date_time.map(|at| at.timestamp()),
        validity: info.validity.map(|secs| Duration::from_secs(secs.into())),
        font: info.font.as_ref().and_then(font),
        extensions: end_to_end(&info),
        transaction_extensions: extensions
            .iter()
            .filter(|extension| is_end_to_end(extension))
            .map(model_extension)
            .collect(),
        report: request.delivery_report.unwrap_or(false),
    })
}

/// The response when the message was accepted for somebody (csp-im 5.2, 5.3 item 9).
pub fn response(accepted: &Accepted, facts: &Facts<'_>) -> Primitive {
    let outcome = &accepted.outcome;
    Primitive::SendMessageResponse(Box::new(SendMessageResponse {
        result: Some(result::result(outcome.code(), "", &outcome.details, facts)),
        message_id: Some(Text::new(accepted.message_id.as_str())),
    }))
}

/// The answer when it was not: for recipients that all failed the own response with what
/// failed, for an error of the whole request Status (csp-im 5.2).
pub fn refused(refusal: &Refusal, facts: &Facts<'_>) -> Primitive {
    if refusal.details.is_empty() {
        return result::refused(refusal, facts);
    }
    Primitive::SendMessageResponse(Box::new(SendMessageResponse {
        result: Some(result::result(
            refusal.code,
            &refusal.description,
            &refusal.details,
            facts,
        )),
        message_id: None,
    }))
}

fn transfer_encoding(encoding: Option<&ContentEncoding>) -> Result<TransferEncoding, Refusal> {
    match encoding {
        None | Some(ContentEncoding::None) => Ok(TransferEncoding::None),
        Some(ContentEncoding::Base64) => Ok(TransferEncoding::Base64),
        Some(ContentEncoding::Undefined(_)) => Err(Refusal::because(
            StatusCode::BAD_PARAMETER,
            "ContentEncoding is neither None nor BASE64",
        )),
    }
}

/// Who the sender says he is; an empty Sender counts as none (csp-im 5.3 item 3).
pub(super) fn sender(
    sender: Option<&Sender>,
    facts: &Facts<'_>,
) -> Result<Option<MessageParty>, Refusal> {
    let invalid = |code: StatusCode, what| Err(Refusal::because(code, what));
    let Some(sender) = sender else {
        return Ok(None);
    };
    if let Some(user) = &sender.user {
        return match address::user_party(user, facts) {
            None => Ok(None),
            Some(Ok(party)) => Ok(Some(party)),
            Some(Err(_)) => invalid(StatusCode::INVALID_USER_ID, "Sender is no user address"),
        };
    }
    let Some(group) = &sender.group else {
        return Ok(None);
    };
    let Some(name) = &group.screen_name else {
        return match group.group_id.as_ref().filter(|id| !id.is_empty()) {
            // Who may speak for it, the element decides (csp-group 6 item 11).
            Some(id) => match address::group(id, facts) {
                Ok(group) => Ok(Some(MessageParty::Group(group))),
                Err(_) => invalid(StatusCode::INVALID_GROUP_ID, "Sender is no group address"),
            },
            None => Ok(None),
        };
    };
    let id = name.group_id.as_ref().filter(|id| !id.is_empty());
    let Some(Ok(id)) = id.map(|id| address::group(id, facts)) else {
        return invalid(
            StatusCode::INVALID_GROUP_ID,
            "The group of the Sender is missing",
        );
    };
    match name.sname.as_ref().filter(|sname| !sname.is_empty()) {
        Some(sname) => Ok(Some(MessageParty::ScreenName {
            name: sname.to_string(),
            group: id,
        })),
        None => invalid(
            StatusCode::INVALID_USER_ID,
            "The screen name of the Sender is missing",
        ),
    }
}

/// Whom the message is for. Elements without an address name nobody; when nobody is left,
/// the Recipient is empty (csp-im 5.3 item 4).
pub(super) fn recipients(element: &Recipient, facts: &Facts<'_>) -> Result<Recipients, Refusal> {
    let recipients = addressees(element, facts);
    if recipients == Recipients::default() {
        return Err(Refusal::because(
            StatusCode::BAD_PARAMETER,
            "Recipient names nobody",
        ));
    }
    Ok(recipients)
}

/// Whom a Recipient names, if anybody.
pub(super) fn addressees(element: &Recipient, facts: &Facts<'_>) -> Recipients {
    let mut recipients = Recipients::default();
    let users = element
        .user
        .iter()
        .filter_map(|user| address::user_party(user, facts));
    let groups = element
        .group
        .iter()
        .filter_map(|group| group_party(group, facts));
    for party in users.chain(groups) {
        match party {
            Ok(party) => recipients.parties.push(party),
            Err(text) => recipients.malformed.push(text),
        }
    }
    for text in element.contact_list.iter().filter(|text| !text.is_empty()) {
        match ContactListId::parse(text, facts.home) {
            Ok(list) => recipients.contact_lists.push(list),
            Err(_) => recipients.malformed.push(text.to_string()),
        }
    }
    recipients
}

fn group_party(element: &Group, facts: &Facts<'_>) -> Option<Result<MessageParty, String>> {
    if let Some(name) = &element.screen_name {
        let id = name.group_id.as_ref().filter(|id| !id.is_empty())?;
        let sname = name.sname.as_ref().filter(|sname| !sname.is_empty())?;
        return Some(
            address::group(id, facts).map(|group| MessageParty::ScreenName {
                name: sname.to_string(),
                group,
            }),
        );
    }
    let id = element.group_id.as_ref().filter(|id| !id.is_empty())?;
    Some(address::group(id, facts).map(MessageParty::Group))
}

fn read_content(
    data: Option<String>,
    encoding: TransferEncoding,
    content_type: Option<&Text>,
    facts: &Facts<'_>,
) -> Result<Content, Refusal> {
    let mut data = data.unwrap_or_default();
    match encoding {
        TransferEncoding::Base64 if content::decode_base64(&data).is_none() => {
            return Err(Refusal::because(
                StatusCode::BAD_PARAMETER,
                "ContentData is not base64",
            ));
        }
        TransferEncoding::None if facts.profile.escape_texts => data = content::unescape(data),
        _ => {}
    }
    Ok(Content {
        content_type: given(content_type),
        encoding,
        data,
    })
}

/// What the sender says of content that he only refers to (csp-im 12.1).
fn elsewhere(info: &MessageInfo, content: &Content) -> Option<Elsewhere> {
    given(info.message_uri.as_ref()).filter(|_| content.data.is_empty())?;
    Some(Elsewhere {
        size: info.content_size.unwrap_or(0),
        outside: false,
    })
}

fn given(text: Option<&Text>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(Text::to_string)
}

/// The font without what CSP does not define: a hint must not cost the message.
fn font(element: &FontElement) -> Option<Font> {
    let font = Font {
        size: element
            .size
            .as_ref()
            .filter(|size| !matches!(size, Size::Undefined(_)))
            .map(|size| size.as_str().to_owned()),
        styles: element
            .style
            .iter()
            .filter(|style| !matches!(style, Style::Undefined(_)))
            .map(|style| style.as_str().to_owned())
            .collect(),
        color: element
            .color
            .as_ref()
            .filter(|color| !matches!(color, hamlet_csp::elements::Color::Undefined(_)))
            .map(|color| color.as_str().to_owned()),
    };
    (font != Font::default()).then_some(font)
}

fn end_to_end(info: &MessageInfo) -> Vec<ModelExtension> {
    info.ext_block_etem.iter().map(model_extension).collect()
}

/// An ExtBlock belongs to the client and its server, but for the Nokia application ID,
/// which travels with the message (csp-im 12.3).
fn is_end_to_end(extension: &Extension) -> bool {
    extension
        .nodes
        .iter()
        .any(|node| matches!(node, ExtensionNode::Element { name, .. } if name == "APIClient"))
}

fn model_extension(extension: &Extension) -> ModelExtension {
    ModelExtension {
        namespace: extension.namespace.clone(),
        xml: extension.to_xml(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use crate::mapping::tests::{facts, home, list, user};
    use hamlet_csp::elements::{ScreenName, User};
    use hamlet_csp::{ContentData, Version};
    use hamlet_elements::service::Outcome;
    use hamlet_model::{ApplicationId, ClientId, Detail, GroupId, MessageId};

    fn user_element(id: &str) -> User {
        User {
            user_id: Some(id.into()),
            ..User::default()
        }
    }

    fn screen_name(sname: &str, group: &str) -> Group {
        let part = |text: &str| (!text.is_empty()).then(|| text.into());
        Group {
            group_id: None,
            screen_name: Some(ScreenName {
                sname: part(sname),
                group_id: part(group),
            }),
        }
    }

    fn to_bob() -> SendMessageRequest {
        SendMessageRequest {
            message_info: Some(MessageInfo {
                recipient: Some(Recipient {
                    user: vec![user_element("bob")],
                    ..Recipient::default()
                }),
                ..MessageInfo::default()
            }),
            content_data: Some("hello".into()),
            ..SendMessageRequest::default()
        }
    }

    fn with_info(change: impl FnOnce(&mut MessageInfo)) -> SendMessageRequest {
        let mut request = to_bob();
        change(request.message_info.as_mut().unwrap());
        request
    }

    fn read(given: SendMessageRequest, version: Version) -> Result<SendMessage, Refusal> {
        let home = home();
        request(given, &[], &facts(version, &home, ClientFamily::Standard))
    }

    #[test]
    fn the_smallest_request_is_enough() {
        for version in Version::ALL {
            let message = read(to_bob(), version).unwrap();
            assert_eq!(message.sender, None);
            assert_eq!(
                message.recipients.parties,
                [MessageParty::user(user("bob"))]
            );
            assert_eq!(message.content, Content::text("hello"));
            assert!(!message.report);
        }
    }

    #[test]
    fn what_is_missing_or_wrong_has_its_code() {
        let group_sender = |sname, group| {
            move |info: &mut MessageInfo| {
                info.sender = Some(Sender {
                    user: None,
                    group: Some(screen_name(sname, group)),
                });
            }
        };
        for (given, code, item) in [
            (SendMessageRequest::default(), 400, "item 2: MessageInfo"),
            (
                with_info(|info| info.recipient = None),
                400,
                "item 2: Recipient",
            ),
            (
                with_info(|info| info.recipient = Some(Recipient::default())),
                402,
                "item 4: empty Recipient",
            ),
            (
                with_info(|info| {
                    info.recipient.as_mut().unwrap().user = vec![User::default(), user_element("")]
                }),
                402,
                "item 4: nobody named",
            ),
            (
                with_info(|info| {
                    info.sender = Some(Sender {
                        user: Some(user_element("a b")),
                        group: None,
                    })
                }),
                427,
                "item 3: malformed user",
            ),
            (
                with_info(group_sender("Bob", "")),
                429,
                "item 3: GroupID missing",
            ),
            (
                with_info(group_sender("Bob", "wv:bob")),
                429,
                "item 3: no group",
            ),
            (
                with_info(group_sender("", "wv:/chess")),
                427,
                "item 3: SName missing",
            ),
            (
                with_info(|info| {
                    info.sender = Some(Sender {
                        user: None,
                        group: Some(Group {
                            group_id: Some("no group".into()),
                            screen_name: None,
                        }),
                    })
                }),
                429,
                "item 3: the group itself",
            ),
            (
                with_info(|info| {
                    info.content_encoding = Some(ContentEncoding::Undefined("7bit".into()))
                }),
                402,
                "item 2: unparsable value",
            ),
            (
                with_info(|info| info.content_encoding = Some(ContentEncoding::Base64)),
                402,
                "item 2: no base64",
            ),
        ] {
            let refusal = read(given, Version::V1_3).unwrap_err();
            assert_eq!(refusal.code.0, code, "{item}");
        }
    }

    #[test]
    fn a_missing_element_comes_before_a_bad_value() {
        let given = with_info(|info| {
            info.recipient = None;
            info.sender = Some(Sender {
                user: Some(user_element("a b")),
                group: None,
            });
        });
        let refusal = read(given, Version::V1_2).unwrap_err();
        assert_eq!(refusal.code, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn an_empty_sender_is_none() {
        for sender in [
            Sender::default(),
            Sender {
                user: Some(User::default()),
                group: None,
            },
            Sender {
                user: None,
                group: Some(Group::default()),
            },
        ] {
            let message = read(with_info(|info| info.sender = Some(sender)), Version::V1_1);
            assert_eq!(message.unwrap().sender, None);
        }
    }

    #[test]
    fn every_form_of_address_is_read() {
        let given = with_info(|info| {
            info.sender = Some(Sender {
                user: Some(user_element("600000001@im.example")),
                group: None,
            });
            info.recipient = Some(Recipient {
                user: vec![
                    User {
                        client_id: Some(hamlet_csp::elements::ClientId {
                            url: Some("Jimmy".into()),
                            msisdn: None,
                        }),
                        ..user_element("WV:Bob")
                    },
                    User {
                        application_id: Some("chess".into()),
                        ..user_element("carol@other.org")
                    },
                    user_element("not an address"),
                ],
                group: vec![
                    screen_name("Dan", "wv:/chess"),
                    Group {
                        group_id: Some("anna/party".into()),
                        screen_name: None,
                    },
                    screen_name("", "wv:/chess"),
                ],
                contact_list: vec!["anna/~PEP1.0_subscriptions".into(), "anna".into()],
            });
        });
        let message = read(given, Version::V1_3).unwrap();
        assert_eq!(message.sender, Some(MessageParty::user(user("600000001"))));
        let chess = GroupId::parse("/chess", &home()).unwrap();
        assert_eq!(
            message.recipients.parties,
            [
                MessageParty::User {
                    user: user("bob"),
                    client: Some(ClientId::from_url("Jimmy")),
                    application: None,
                },
                MessageParty::User {
                    user: user("carol@other.org"),
                    client: None,
                    application: Some(ApplicationId::new("chess")),
                },
                MessageParty::ScreenName {
                    name: "Dan".into(),
                    group: chess,
                },
                MessageParty::Group(GroupId::parse("anna/party", &home()).unwrap()),
            ]
        );
        assert_eq!(
            message.recipients.contact_lists,
            [list("anna/~pep1.0_subscriptions")]
        );
        assert_eq!(message.recipients.malformed, ["not an address", "anna"]);
    }

    #[test]
    fn fonts_lose_what_csp_does_not_define() {
        let font_of = |font: FontElement| {
            read(with_info(|info| info.font = Some(font)), Version::V1_3)
                .unwrap()
                .font
        };
        let known = FontElement {
            size: Some(Size::Big),
            style: vec![Style::Bold, Style::Undefined("Blink".into())],
            color: Some(hamlet_csp::elements::Color::Undefined("Pink".into())),
        };
        assert_eq!(
            font_of(known),
            Some(Font {
                size: Some("Big".into()),
                styles: vec!["Bold".into()],
                color: None,
            })
        );
        assert_eq!(font_of(FontElement::default()), None);
    }

    #[test]
    fn only_extensions_that_travel_end_to_end_go_with_the_message() {
        let extension = |xml: &str| Extension::from_xml(Some("urn:x".into()), xml).unwrap();
        let home = home();
        let facts = facts(Version::V1_2, &home, ClientFamily::Standard);
        let given = with_info(|info| info.ext_block_etem = vec![extension("<a>1</a>")]);
        let beside = [extension("<APIClient>7</APIClient>"), extension("<Other/>")];
        let message = request(given, &beside, &facts).unwrap();
        assert_eq!(message.extensions[0].xml, "<a>1</a>");
        assert_eq!(message.transaction_extensions.len(), 1);
        assert_eq!(
            message.transaction_extensions[0].xml,
            "<APIClient>7</APIClient>"
        );
    }

    #[test]
    fn s60_20_texts_of_nokia_phones_are_unescaped_once() {
        let home = home();
        for (family, text) in [
            (ClientFamily::Nokia, "a<b & c"),
            (ClientFamily::Standard, "a&lt;b &amp; c"),
        ] {
            let mut given = to_bob();
            given.content_data = Some(ContentData::Text("a&lt;b &amp; c".into()));
            let facts = facts(Version::V1_2, &home, family);
            assert_eq!(request(given, &[], &facts).unwrap().content.data, text);
        }
    }

    #[test]
    fn the_response_carries_the_message_id_and_what_failed() {
        let home = home();
        let mut unknown = Detail::new(StatusCode::UNKNOWN_USER);
        unknown.users.push(user("x"));
        let accepted = Accepted {
            message_id: MessageId::new("m1"),
            outcome: Outcome {
                details: vec![unknown.clone()],
            },
        };
        for version in Version::ALL {
            let facts = facts(version, &home, ClientFamily::Standard);
            let Primitive::SendMessageResponse(sent) = response(&accepted, &facts) else {
                panic!("not a SendMessage-Response");
            };
            assert_eq!(sent.message_id.as_deref(), Some("m1"));
            let result = sent.result.unwrap();
            assert_eq!(result.code, Some(201));
            assert_eq!(result.detailed_result[0].user_id, ["wv:x@im.example"]);

            let refusal = Refusal {
                details: vec![unknown.clone()],
                ..Refusal::new(StatusCode::UNKNOWN_USER)
            };
            let Primitive::SendMessageResponse(failed) = refused(&refusal, &facts) else {
                panic!("not a SendMessage-Response");
            };
            assert_eq!(failed.message_id, None);
            assert_eq!(failed.result.unwrap().code, Some(531));

            let bare = Refusal::new(StatusCode::INVALID_USER_ID);
            let Primitive::Status(status) = refused(&bare, &facts) else {
                panic!("not a Status");
            };
            let code = if version == Version::V1_3 { 427 } else { 402 };
            assert_eq!(status.result.unwrap().code, Some(code));
        }
    }
}
