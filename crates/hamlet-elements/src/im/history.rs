//! The messages that groups remember, as clients that pull see them (csp-im 7.3, 7.4). What is
//! remembered, and who may see it, is the business of the group service.

use crate::elements::Inner;
use crate::im::GetHistory;
use crate::service::{Answer, Requestor, Response};
use hamlet_model::{GroupId, MessageId, Refusal};

impl Inner {
    pub(crate) async fn get_history(&self, requestor: Requestor, request: GetHistory) -> Answer {
        let GetHistory { group, newest } = request;
        let history = self.groups.history(&requestor, &group, newest).await?;
        Ok(Response::History(Box::new(history)))
    }

    pub(crate) async fn get_history_message(&self, requestor: Requestor, id: MessageId) -> Answer {
        let message = self.groups.history_message(&requestor, &id).await?;
        Ok(Response::HistoryMessage(Box::new(message)))
    }

    /// Whether the requestor has joined the group in his session: 800, 808.
    pub(crate) async fn joined(
        &self,
        requestor: &Requestor,
        group: &GroupId,
    ) -> Result<(), Refusal> {
        Ok(self.groups.joined(requestor, group).await?)
    }
}
