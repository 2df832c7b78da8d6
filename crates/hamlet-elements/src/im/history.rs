//! The messages that groups remember, as clients that pull see them (csp-im 7.3, 7.4). What is
//! remembered, and who may see it, is the business of the group service; of a group elsewhere,
//! of its domain (ssp 11.2).

use crate::elements::Inner;
use crate::failure::refusal;
use crate::im::GetHistory;
use crate::service::{Answer, Request, Requestor, Response};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hamlet_model::{Domain, GroupId, Message, MessageId, MessageParty, Refusal, StatusCode};
use std::collections::BTreeSet;

impl Inner {
    pub(crate) async fn get_history(&self, requestor: Requestor, request: GetHistory) -> Answer {
        if request.group.domain_str() != self.config.domain.as_str() {
            return self.history_elsewhere(requestor, request).await;
        }
        let GetHistory { group, newest } = request;
        let history = self.groups.history(&requestor, &group, newest).await?;
        Ok(Response::History(Box::new(history)))
    }

    pub(crate) async fn get_history_message(&self, requestor: Requestor, id: MessageId) -> Answer {
        match self.groups.history_message(&requestor, &id).await {
            Ok(message) => Ok(Response::HistoryMessage(Box::new(message))),
            Err(StatusCode::INVALID_MESSAGE_ID) if self.directory.is_home(&requestor.user) => {
                self.history_message_elsewhere(requestor, id).await
            }
            Err(code) => Err(code.into()),
        }
    }

    /// Whether the requestor has joined the group in his session: 800, 808.
    pub(crate) async fn joined(
        &self,
        requestor: &Requestor,
        group: &GroupId,
    ) -> Result<(), Refusal> {
        Ok(self.groups.joined(requestor, group).await?)
    }

    async fn history_elsewhere(&self, requestor: Requestor, request: GetHistory) -> Answer {
        if !self.directory.is_home(&requestor.user) {
            // Nothing is relayed for others (ssp 11.3).
            return Err(StatusCode::DOMAIN_NOT_SUPPORTED.into());
        }
        let group = request.group.clone();
        self.joined(&requestor, &group).await?;
        let answer = self
            .ask_group(&requestor.user, &group, Request::GetHistory(request))
            .await?;
        let Response::History(mut history) = answer else {
            return Err(StatusCode::INTERNAL_ERROR.into());
        };
        // A domain speaks of its own groups.
        history.messages.retain(|message| is_of(message, &group));
        Ok(Response::History(history))
    }

    /// Which group a message belongs to is not said by its name: all domains of groups are
    /// asked that the client has joined.
    async fn history_message_elsewhere(&self, requestor: Requestor, id: MessageId) -> Answer {
        let unknown = Err(StatusCode::INVALID_MESSAGE_ID.into());
        let Some(session) = requestor.session.clone() else {
            return unknown;
        };
        let joined = self
            .store
            .read(move |tx| tx.joined_of_session(&session))
            .await
            .map_err(|error| refusal(&error))?;
        let groups: Vec<GroupId> = joined
            .into_iter()
            .filter(|joined| joined.copy)
            .map(|joined| joined.group)
            .collect();
        let domains: BTreeSet<Domain> = groups.iter().map(GroupId::domain).collect();
        let wait = self.config.groups.foreign_wait;
        let mut answers: FuturesUnordered<_> = domains
            .iter()
            .map(|domain| {
                let request = Request::GetHistoryMessage(id.clone());
                let user = requestor.user.clone();
                self.relay.ask(domain, user, request, wait)
            })
            .collect();
        while let Some(answer) = answers.next().await {
            if let Ok(Response::HistoryMessage(message)) = answer
                && message.id == id
                && groups.iter().any(|group| is_of(&message, group))
            {
                return Ok(Response::HistoryMessage(message));
            }
        }
        unknown
    }
}

/// Whether this was said in the group, to all of it.
fn is_of(message: &Message, group: &GroupId) -> bool {
    let speaks = match &message.sender {
        MessageParty::User { .. } => false,
        MessageParty::Group(of) | MessageParty::ScreenName { group: of, .. } => of == group,
    };
    speaks && message.recipient == MessageParty::Group(group.clone())
}
