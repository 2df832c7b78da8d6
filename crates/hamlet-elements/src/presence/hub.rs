use crate::elements::{Inner, SessionFacts};
use crate::service::*;
use crate::{contact_list as cl, presence as p};
use hamlet_model::*;
use hamlet_store::StoreError;
#[derive(Default)]
pub(crate) struct Hub;
impl Hub {
    pub(crate) fn forget(&self, _: &UserId) {}
}
const NO: Answer = Err(Refusal {
    code: StatusCode::NOT_IMPLEMENTED,
    description: String::new(),
    details: Vec::new(),
});
impl Inner {
    pub(crate) async fn restore(&self) -> Result<(), StoreError> {
        Ok(())
    }
    pub(crate) async fn session_opened(&self, _: SessionFacts) -> Result<(), StoreError> {
        Ok(())
    }
    pub(crate) fn session_restored(&self, _: SessionFacts) {}
    pub(crate) async fn session_closed(&self, _: &SessionId) -> Result<(), StoreError> {
        Ok(())
    }
    pub(crate) async fn provision(&self, _: &UserId) -> Result<(), StoreError> {
        Ok(())
    }
    pub(crate) async fn update_presence(&self, _: Requestor, _: p::UpdatePresence) -> Answer {
        NO
    }
    pub(crate) async fn get_presence(&self, _: Requestor, _: p::GetPresence) -> Answer {
        NO
    }
    pub(crate) async fn subscribe(&self, _: Requestor, _: p::SubscribePresence) -> Answer {
        NO
    }
    pub(crate) async fn unsubscribe(&self, _: Requestor, _: p::UnsubscribePresence) -> Answer {
        NO
    }
    pub(crate) async fn take_notification(&self, _: p::PresenceNotification) -> Answer {
        NO
    }
    pub(crate) async fn take_client_status(&self, _: Requestor, _: p::ClientStatus) -> Answer {
        NO
    }
    pub(crate) async fn get_contact_lists(&self, _: Requestor) -> Answer {
        NO
    }
    pub(crate) async fn create_contact_list(
        &self,
        _: Requestor,
        _: cl::CreateContactList,
        _: Option<IdempotenceKey>,
    ) -> Answer {
        NO
    }
    pub(crate) async fn delete_contact_list(
        &self,
        _: Requestor,
        _: cl::DeleteContactList,
        _: Option<IdempotenceKey>,
    ) -> Answer {
        NO
    }
    pub(crate) async fn manage_contact_list(
        &self,
        _: Requestor,
        _: cl::ManageContactList,
        _: Option<IdempotenceKey>,
    ) -> Answer {
        NO
    }
    pub(crate) async fn expand_contact_lists(
        &self,
        _: Requestor,
        _: cl::ExpandContactLists,
    ) -> Result<cl::Members, Refusal> {
        Err(NO.unwrap_err())
    }
    pub(crate) async fn notification_for_domain(
        &self,
        _: &UserId,
        _: &UserId,
    ) -> Result<Option<Request>, StoreError> {
        Ok(None)
    }
}
