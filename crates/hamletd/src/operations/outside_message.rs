//! Messages that wait in other systems (csp-im 7.7), as gateways to those announce them.

use super::{Actor, Failure, FailureKind, Operations};
use crate::control::OutsideDraft;
use hamlet_elements::im::OutsideMessage;
use hamlet_model::{Message, MessageId, Refusal, StatusCode, UserId};
use std::time::Duration;

impl Operations {
    /// Announces a message to a user; its MessageID, and whether it was not announced before.
    pub async fn announce(
        &self,
        by: &Actor,
        user: &str,
        draft: OutsideDraft,
    ) -> Result<(MessageId, bool), Failure> {
        let target = match &draft.id {
            Some(id) => format!("{} {id}", self.target(user)),
            None => self.target(user),
        };
        let announce = async {
            if draft.hours == 0 {
                return Err(Failure::invalid("it needs at least one hour"));
            }
            let user = self.home_user(user)?;
            let message = OutsideMessage {
                sender: self.user_id(&draft.sender)?,
                id: draft.id,
                uri: draft.uri,
                content_type: draft.content_type,
                size: draft.size,
                name: draft.name,
                sent: None,
                life: Duration::from_secs(u64::from(draft.hours) * 3600),
                user: user.clone(),
            };
            let announced = self.sap.elements().announce(message).await;
            announced.map_err(|refusal| said(&user, refusal))
        };
        self.audited(by, "outside-message.announce", &target, announce)
            .await
    }

    /// The messages of that kind that wait for a user, oldest first.
    pub async fn outside_messages(&self, user: &str) -> Result<Vec<Message>, Failure> {
        let user = self.home_user(user)?;
        Ok(self.sap.elements().outside_messages(&user).await?)
    }

    /// A message need not be told of any more: it was read, or is gone, where it lies.
    pub async fn withdraw_outside(&self, by: &Actor, user: &str, id: &str) -> Result<(), Failure> {
        let target = format!("{} {id}", self.target(user));
        let withdraw = async {
            let user = self.home_user(user)?;
            let elements = self.sap.elements();
            match elements
                .withdraw_outside(&user, &MessageId::new(id))
                .await?
            {
                true => Ok(()),
                false => Err(Failure::missing(format!(
                    "no message {id} of another system waits for {user}"
                ))),
            }
        };
        self.audited(by, "outside-message.withdraw", &target, withdraw)
            .await
    }
}

fn said(user: &UserId, refusal: Refusal) -> Failure {
    let kind = match refusal.code {
        StatusCode::UNKNOWN_USER => return Failure::no_account(user),
        StatusCode::BLOCKED | StatusCode::RECIPIENT_UNAUTHORIZED => FailureKind::Forbidden,
        StatusCode::MESSAGE_QUEUE_FULL => FailureKind::Conflict,
        StatusCode::SERVICE_UNAVAILABLE => FailureKind::Unavailable,
        StatusCode::INTERNAL_ERROR => FailureKind::Internal,
        _ => FailureKind::Invalid,
    };
    Failure::new(kind, format!("{user}: {}", refusal.description))
}
