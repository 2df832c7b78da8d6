//! What clients ask about messages that wait: GetMessageList, GetMessage, RejectMessage,
//! ForwardMessage (csp-im 7).

use super::message::{described, whole};
use super::{Facts, address, result, send_message};
use hamlet_csp::elements::{
    ForwardMessageRequest, ForwardMessageResponse, GetMessageListRequest, GetMessageListResponse,
    GetMessageRequest, GetMessageResponse, MessageInfoList, Primitive, RejectMessageRequest,
};
use hamlet_csp::{Text, Version};
use hamlet_elements::im::{ForwardMessage, RejectMessages};
use hamlet_elements::{Answer, Response};
use hamlet_model::{GroupId, Message, MessageId, Refusal, StatusCode, Timestamp};

/// Reads GetMessageList-Request: the group whose history is wanted, and the most entries. 0
/// entries are all (csp-im 7.3); 800 for what is no group.
pub fn list(
    request: &GetMessageListRequest,
    facts: &Facts<'_>,
) -> Result<(Option<GroupId>, Option<usize>), Refusal> {
    let group = request.group_id.as_ref().filter(|id| !id.is_empty());
    let group = group.map(|id| address::group(id, facts)).transpose();
    let count = request.message_count.filter(|count| *count > 0);
    Ok((
        group.map_err(|_| StatusCode::NO_SUCH_GROUP)?,
        count.map(|count| count as usize),
    ))
}

/// GetMessageList-Response, in the form of the version; `total` is how many there are beside
/// these.
pub fn list_response<'a>(
    messages: impl IntoIterator<Item = &'a Message>,
    total: usize,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Primitive {
    let entry = |message| described(message, facts, now);
    let entries = messages.into_iter().map(entry).collect();
    Primitive::from(match facts.version {
        Version::V1_3 => GetMessageListResponse {
            message_info_list: Some(MessageInfoList {
                message_info: entries,
            }),
            message_total_count: Some(u32::try_from(total).unwrap_or(u32::MAX)),
            ..GetMessageListResponse::default()
        },
        _ => GetMessageListResponse {
            message_info: entries,
            ..GetMessageListResponse::default()
        },
    })
}

/// Reads GetMessage-Request: 400 without an identifier.
pub fn message(request: &GetMessageRequest) -> Result<MessageId, Refusal> {
    identifier(request.message_id.as_ref())
}

/// GetMessage-Response.
pub fn message_response(message: &Message, facts: &Facts<'_>, now: Timestamp) -> Primitive {
    let (info, data) = whole(message, facts, now);
    Primitive::from(GetMessageResponse {
        message_info: Some(info),
        content_data: data,
    })
}

/// Reads RejectMessage-Request: 400 without any identifier.
pub fn reject(request: &RejectMessageRequest) -> Result<RejectMessages, Refusal> {
    let named = request.message_id.iter().filter(|id| !id.is_empty());
    let messages: Vec<_> = named.map(|id| MessageId::new(id.as_str())).collect();
    match messages.is_empty() {
        true => identifier(None).map(|_| RejectMessages { messages }),
        false => Ok(RejectMessages { messages }),
    }
}

/// Reads ForwardMessage-Request: 400 without identifier or Recipient, then as SendMessage
/// (csp-im 5.3 items 3 and 4).
pub fn forward(
    request: &ForwardMessageRequest,
    facts: &Facts<'_>,
) -> Result<ForwardMessage, Refusal> {
    let message = identifier(request.message_id.as_ref())?;
    let missing = || Refusal::because(StatusCode::BAD_REQUEST, "Recipient is missing");
    let addressees = request.recipient.as_ref().ok_or_else(missing)?;
    Ok(ForwardMessage {
        message,
        sender: send_message::sender(request.sender.as_ref(), facts)?,
        recipients: send_message::recipients(addressees, facts)?,
    })
}

/// What answers ForwardMessage: the new identifier in 1.3, for which that has a response of its
/// own; what failed can only be said by Status.
pub fn forwarded(answer: &Answer, facts: &Facts<'_>) -> Primitive {
    let accepted = match answer {
        Ok(Response::Message(accepted)) => accepted,
        Ok(_) => return result::status(StatusCode::OK, facts),
        Err(refusal) => return result::refused(refusal, facts),
    };
    let outcome = &accepted.outcome;
    match (facts.version, outcome.code()) {
        (Version::V1_3, StatusCode::OK) => Primitive::from(ForwardMessageResponse {
            message_id: Some(Text::new(accepted.message_id.as_str())),
        }),
        (_, code) => result::status_with(code, "", &outcome.details, facts),
    }
}

fn identifier(id: Option<&Text>) -> Result<MessageId, Refusal> {
    id.filter(|id| !id.is_empty())
        .map(|id| MessageId::new(id.as_str()))
        .ok_or_else(|| Refusal::because(StatusCode::BAD_REQUEST, "MessageID is missing"))
}
