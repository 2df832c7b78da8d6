//! System messages (csp-access 12).

use super::message::new_message;
use super::{Facts, result};
use hamlet_csp::elements::{
    AnswerOption, AnswerOptions, CspResult, LoginRequest, Primitive, SystemMessage,
    SystemMessageList, SystemMessageRequest, SystemMessageResponseList, SystemMessageUser,
    VerificationMechanism,
};
use hamlet_csp::{Tag, Text, Version};
use hamlet_elements::push::Push;
use hamlet_elements::system_message::{Answers, Given, Question, SystemMessageShown};
use hamlet_model::{
    Content, Message, MessageId, MessageParty, Refusal, StatusCode, Timestamp, UserId,
};

/// Whether a client knows system messages: those of 1.3 do, unless it is known of them that
/// they do not.
pub fn knows(facts: &Facts<'_>) -> bool {
    facts.version == Version::V1_3 && facts.profile.takes_push(Tag::SystemMessageRequest)
}

/// SystemMessage-Request, or for a client that does not know it a NewMessage if the operator
/// wants that.
pub fn request(
    shown: &SystemMessageShown,
    push: &Push,
    user: &UserId,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Option<Primitive> {
    if knows(facts) {
        return Some(Primitive::SystemMessageRequest(Box::new(
            SystemMessageRequest {
                system_message_list: Some(list(std::slice::from_ref(shown))),
            },
        )));
    }
    let from = shown.message.as_message_from.clone()?;
    let message = Message {
        id: MessageId::new(&push.id),
        sender: MessageParty::user(from),
        sender_name: None,
        recipient: MessageParty::user(user.clone()),
        content: Content::text(&shown.message.text),
        content_name: None,
        uri: None,
        elsewhere: None,
        sent: push.since,
        expires: push.expires,
        font: None,
        extensions: Vec::new(),
        transaction_extensions: Vec::new(),
        report: false,
    };
    Some(new_message(&message, facts, now).0)
}

/// SystemMessageList.
pub fn list(all: &[SystemMessageShown]) -> SystemMessageList {
    SystemMessageList {
        system_message: all.iter().map(element).collect(),
    }
}

/// A Result with system messages: only those who know them get them.
pub fn with_messages(code: StatusCode, all: &[SystemMessageShown], facts: &Facts<'_>) -> CspResult {
    CspResult {
        system_message_list: (!all.is_empty() && knows(facts)).then(|| list(all)),
        ..result::result(code, "", &[], facts)
    }
}

/// Reads SystemMessage-User.
pub fn answers(request: &SystemMessageUser) -> Result<Answers, Refusal> {
    let list = request.system_message_response_list.as_ref();
    let why = "SystemMessageResponseList is missing";
    list.map(given)
        .ok_or_else(|| Refusal::because(StatusCode::BAD_REQUEST, why))
}

/// The answers in a Login-Request; `None` when it has none.
pub fn answers_at_login(request: &LoginRequest) -> Option<Answers> {
    request.system_message_response_list.as_ref().map(given)
}

fn given(list: &SystemMessageResponseList) -> Answers {
    let all = list.system_message_response.iter().map(|response| Given {
        id: response
            .system_message_id
            .as_deref()
            .unwrap_or("")
            .to_owned(),
        choice: response.chosen_option_id,
        key: response.verification_key.as_ref().map(ToString::to_string),
    });
    Answers {
        given: all.collect(),
    }
}

fn element(shown: &SystemMessageShown) -> SystemMessage {
    let message = &shown.message;
    let options = (1..)
        .zip(&message.options)
        .map(|(id, option)| AnswerOption {
            answer_option_id: Some(id),
            answer_option_text: Some(Text::new(&option.text)),
        });
    let verification = message.verification.as_ref().map(|verification| {
        let (in_text, url) = match &verification.question {
            Question::Text(text) => (Some(Text::new(text)), None),
            Question::Picture(url) => (None, Some(Text::new(url))),
        };
        VerificationMechanism { in_text, url }
    });
    SystemMessage {
        system_message_id: Some(Text::new(shown.id())),
        requires_response: Some(message.requires_response),
        system_message_text: Some(Text::new(&message.text)),
        answer_options: (!message.options.is_empty()).then(|| AnswerOptions {
            answer_option: options.collect(),
        }),
        verification_mechanism: verification,
    }
}
