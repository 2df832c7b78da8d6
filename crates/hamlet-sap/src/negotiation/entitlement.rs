//! What a user may use of the service tree: what he is subscribed to (architecture document
//! 5.3.6.3), less what his application has not been granted (5.3.6.1). Pure.

use crate::negotiation::functions::{FunctionSet, functions_of};
use hamlet_csp::Tag;
use hamlet_model::{Service, ServiceSet};

/// What this server offers to somebody who has these services.
pub(crate) fn offered(services: ServiceSet) -> FunctionSet {
    let lacking = Service::ALL.iter().filter(|one| !services.contains(**one));
    lacking.fold(FunctionSet::offered(), |offered, service| {
        offered.without(functions_of(*service))
    })
}

/// The service that a request of a client belongs to; `None` for what is part of every session,
/// and for answers: what was begun is finished.
pub(crate) fn service_of(primitive: Tag) -> Option<Service> {
    Some(match primitive {
        Tag::SearchRequest
        | Tag::StopSearchRequest
        | Tag::InviteRequest
        | Tag::CancelInviteRequest
        | Tag::VerifyIDRequest
        | Tag::GetMapRequest => Service::Common,
        Tag::GetListRequest
        | Tag::CreateListRequest
        | Tag::DeleteListRequest
        | Tag::ListManageRequest => Service::ContactList,
        Tag::GetPresenceRequest
        | Tag::UpdatePresenceRequest
        | Tag::SubscribePresenceRequest
        | Tag::UnsubscribePresenceRequest
        | Tag::GetWatcherListRequest
        | Tag::CreateAttributeListRequest
        | Tag::DeleteAttributeListRequest
        | Tag::GetAttributeListRequest
        | Tag::CancelAuthRequest
        | Tag::GetReactiveAuthStatusRequest => Service::Presence,
        Tag::SendMessageRequest
        | Tag::SetDeliveryMethodRequest
        | Tag::GetMessageListRequest
        | Tag::RejectMessageRequest
        | Tag::GetMessageRequest
        | Tag::ForwardMessageRequest
        | Tag::GetBlockedListRequest
        | Tag::BlockEntityRequest => Service::Im,
        Tag::CreateGroupRequest
        | Tag::DeleteGroupRequest
        | Tag::JoinGroupRequest
        | Tag::LeaveGroupRequest
        | Tag::GetGroupMembersRequest
        | Tag::GetJoinedUsersRequest
        | Tag::AddGroupMembersRequest
        | Tag::RemoveGroupMembersRequest
        | Tag::MemberAccessRequest
        | Tag::GetGroupPropsRequest
        | Tag::SetGroupPropsRequest
        | Tag::RejectListRequest
        | Tag::SubscribeGroupNoticeRequest
        | Tag::ExtendConversationRequest => Service::Group,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::functions::{Function, function_of};

    #[test]
    fn who_lacks_a_service_is_not_offered_its_functions() {
        assert_eq!(offered(ServiceSet::ALL), FunctionSet::offered());
        let some = offered([Service::Presence].into_iter().collect());
        assert!(some.contains(Function::GETPR) && some.contains(Function::GETSPI));
        assert!(some.contains(Function::SGMNT), "nothing works without it");
        for function in [Function::NEWM, Function::GCLI, Function::SRCH] {
            assert!(!some.contains(function), "{function:?}");
        }
    }

    #[test]
    fn a_request_belongs_to_the_service_of_its_function() {
        for tag in [
            Tag::GetListRequest,
            Tag::GetPresenceRequest,
            Tag::UpdatePresenceRequest,
            Tag::SearchRequest,
            Tag::VerifyIDRequest,
        ] {
            let function = function_of(tag).unwrap();
            let service = service_of(tag).unwrap();
            assert!(functions_of(service).contains(function), "{tag}");
        }
    }
}
