//! What call-detail records say of messages: facts, never texts. Nothing of this is made
//! unless `ElementsConfig::records` asks for it.

use super::mailbox::Stored;
use super::report::names;
use crate::service::{Answer, Event, Requestor, Response};
use hamlet_model::{
    ApplicationId, ClientId, Message, MessageId, MessageParty, SessionId, StatusCode, Timestamp,
    UserId,
};
use hamlet_store::MailboxEntry;

/// Something that happened to a message.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageRecord {
    /// The message.
    pub id: MessageId,
    /// What happened.
    pub what: MessageEvent,
    /// Its sender, as the recipients know him.
    pub sender: MessageParty,
    /// Type of the content; `None` is plain text.
    pub content_type: Option<String>,
    /// Size of the content, octets.
    pub size: usize,
    /// When the server took it, or its sender claims to have sent it.
    pub sent: Timestamp,
}

/// What can happen to a message.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageEvent {
    /// It was taken from its sender, or from the domain of its sender.
    Accepted {
        /// The session that sent it; `None` for one of another domain.
        session: Option<SessionId>,
        /// The client that sent it.
        client: Option<ClientId>,
        /// The application that sent it.
        application: Option<ApplicationId>,
        /// For whom it was accepted.
        recipients: Vec<MessageParty>,
        /// When it stops being worth delivering.
        expires: Timestamp,
    },
    /// It is out of the mailbox of a recipient.
    Concluded {
        /// The recipient.
        recipient: UserId,
        /// 200: delivered; 542: expired; else why it could not be delivered.
        code: StatusCode,
    },
}

impl MessageRecord {
    fn about(message: &Message, what: MessageEvent) -> Self {
        Self {
            id: message.id.clone(),
            what,
            sender: message.sender.clone(),
            content_type: message.content.content_type.clone(),
            size: message.content_size(),
            sent: message.sent,
        }
    }

    /// A message was taken from `requestor`, or from another domain.
    pub(crate) fn accepted(
        message: &Message,
        requestor: Option<&Requestor>,
        recipients: Vec<MessageParty>,
    ) -> Self {
        let what = MessageEvent::Accepted {
            session: requestor.and_then(|requestor| requestor.session.clone()),
            client: requestor.and_then(|requestor| requestor.client.clone()),
            application: requestor.and_then(|requestor| requestor.application.clone()),
            recipients,
            expires: message.expires,
        };
        Self::about(message, what)
    }

    /// As it was answered: for those recipients only that it was accepted for, if there are
    /// any.
    pub(crate) fn answered(mut self, answer: &Answer) -> Option<Event> {
        let Ok(Response::Message(accepted)) = answer else {
            return None;
        };
        if let MessageEvent::Accepted { recipients, .. } = &mut self.what {
            let details = &accepted.outcome.details;
            recipients.retain(|party| !details.iter().any(|detail| names(detail, party)));
        }
        Some(Event::Message(Box::new(self)))
    }

    /// An entry went out of a mailbox; `None` when it is no message.
    pub(crate) fn concluded(entry: &MailboxEntry, code: StatusCode) -> Option<Event> {
        let Stored::Message { message, .. } = Stored::of(entry)? else {
            return None;
        };
        let recipient = entry.recipient.clone();
        let what = MessageEvent::Concluded { recipient, code };
        Some(Event::Message(Box::new(Self::about(&message, what))))
    }
}
