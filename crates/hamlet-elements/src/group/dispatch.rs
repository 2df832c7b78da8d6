//! From a request to what carries it out; requests for groups of other domains go there.

use crate::elements::Inner;
use crate::service::{Answer, IdempotenceKey, Request, Requestor};
use hamlet_model::{GroupId, StatusCode};

impl Inner {
    /// Carries out a request of the Group element.
    pub(crate) async fn group(
        &self,
        requestor: Requestor,
        request: Request,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        if let Some(group) = subject(&request)
            && group.domain_str() != self.config.domain.as_str()
        {
            return match self.directory.is_home(&requestor.user) {
                true => self.group_elsewhere(requestor, request, key).await,
                // Nothing is relayed for others (ssp 11.3).
                false => Err(StatusCode::DOMAIN_NOT_SUPPORTED.into()),
            };
        }
        match request {
            Request::CreateGroup(request) => self.create_group(requestor, *request, key).await,
            Request::DeleteGroup(request) => self.delete_group(requestor, request, key).await,
            Request::JoinGroup(request) => self.join_group(requestor, *request, key).await,
            Request::LeaveGroup(request) => self.leave_group(requestor, request, key).await,
            Request::GetJoinedUsers(request) => self.get_joined_users(requestor, request).await,
            Request::GetGroupMembers(request) => self.get_group_members(requestor, request).await,
            Request::AddGroupMembers(request) => {
                self.add_group_members(requestor, request, key).await
            }
            Request::RemoveGroupMembers(request) => {
                self.remove_group_members(requestor, request, key).await
            }
            Request::MemberAccess(request) => self.member_access(requestor, *request, key).await,
            Request::GetGroupProps(request) => self.get_group_props(requestor, request).await,
            Request::SetGroupProps(request) => self.set_group_props(requestor, *request, key).await,
            Request::RejectList(request) => self.reject_list(requestor, *request, key).await,
            Request::SubscribeGroupNotice(request) => {
                self.subscribe_group_notice(requestor, request, key).await
            }
            Request::ExtendConversation(request) => {
                self.extend_conversation(requestor, *request, key).await
            }
            Request::ForeignGroupNotice(notice) => self.take_group_notice(*notice, key).await,
            Request::ForeignGroupLeave(leave) => self.take_group_leave(leave, key).await,
            _ => Err(StatusCode::SERVICE_NOT_SUPPORTED.into()),
        }
    }
}

/// The group that a request is about and that its domain decides on.
pub(crate) fn subject(request: &Request) -> Option<&GroupId> {
    match request {
        Request::DeleteGroup(request) => Some(&request.group),
        Request::JoinGroup(request) => Some(&request.group),
        Request::LeaveGroup(request) => Some(&request.group),
        Request::GetJoinedUsers(request) => Some(&request.group),
        Request::GetGroupMembers(request) => Some(&request.group),
        Request::AddGroupMembers(request) => Some(&request.group),
        Request::RemoveGroupMembers(request) => Some(&request.group),
        Request::MemberAccess(request) => Some(&request.group),
        Request::GetGroupProps(request) => Some(&request.group),
        Request::SetGroupProps(request) => Some(&request.group),
        Request::RejectList(request) => Some(&request.group),
        Request::SubscribeGroupNotice(request) => Some(&request.group),
        _ => None,
    }
}
