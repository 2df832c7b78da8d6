//! Between the primitives of CSP and the version-neutral requests, answers and events of
//! the service elements. Pure functions: no I/O, no state.
//!
//! A request of any version is read in every form that any version has (clients GEN-17);
//! what is written is shaped for the session's version and client: [`Facts`]. One file for
//! each family of transactions.

pub mod address;
pub mod authorization;
pub mod blocking;
pub mod contact_list;
pub mod content;
pub mod group;
pub mod group_answer;
pub mod invitation;
pub mod map;
pub mod message;
pub mod notification;
pub mod presence;
pub mod presence_attributes;
pub mod presence_extensions;
pub mod presence_merge;
pub mod presence_values;
pub mod profile;
pub mod pull;
pub(crate) mod push;
pub mod result;
pub mod search;
pub mod send_message;
pub mod system_message;
pub mod verify;
pub mod watchers;

use crate::client_profile::ClientProfile;
use hamlet_csp::elements::Primitive;
use hamlet_csp::{Extension, Version};
use hamlet_elements::{Answer, Request, Response};
use hamlet_model::presence::AttributeSet;
use hamlet_model::{Domain, GroupId, Refusal, StatusCode};

/// What the mapping needs to know of a session.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Its version.
    pub version: Version,
    /// The domain of addresses that name none.
    pub home: &'a Domain,
    /// The quirks of its client.
    pub profile: &'a ClientProfile,
}

/// Which response a request wants: goes beside the request until its answer comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Status.
    Status,
    /// SendMessage-Response.
    SendMessage,
    /// GetBlockedList-Response.
    GetBlockedList,
    /// GetPresence-Response.
    GetPresence {
        /// What was asked for; empty for everything.
        attributes: AttributeSet,
    },
    /// GetAttributeList-Response.
    GetAttributeList,
    /// GetReactiveAuthStatus-Response.
    GetReactiveAuthStatus,
    /// GetWatcherList-Response.
    GetWatcherList {
        /// The request set a limit.
        counted: bool,
    },
    /// GetList-Response.
    GetList,
    /// CreateList-Response in 1.3, else Status.
    CreateList,
    /// ListManage-Response.
    ListManage {
        /// With the members of the list.
        members: bool,
        /// With its properties.
        properties: bool,
    },
    /// Search-Response.
    Search,
    /// GetPublicProfile-Response.
    GetPublicProfile,
    /// JoinGroup-Response, for this group.
    JoinGroup(GroupId),
    /// LeaveGroup-Response, for this group.
    LeaveGroup(GroupId),
    /// GetJoinedUsers-Response, for this group.
    GetJoinedUsers(GroupId),
    /// GetGroupMembers-Response.
    GetGroupMembers,
    /// GetGroupProps-Response.
    GetGroupProps,
    /// RejectList-Response.
    RejectList,
    /// SubscribeGroupNotice-Response.
    SubscribeGroupNotice,
    /// ExtendConversation-Response, for the conversation of this name.
    ExtendConversation(String),
}

/// What a request primitive asks of a service element, and how to answer it.
///
/// `None` for a primitive that is not carried out by a service element. A
/// refusal here means that the primitive was not understood: it is answered by
/// [`result::refused`]. `extensions` are the ExtBlocks beside the primitive.
pub fn request(
    primitive: Primitive,
    extensions: &[Extension],
    facts: &Facts<'_>,
) -> Option<Result<(Request, Reply), Refusal>> {
    Some(match primitive {
        Primitive::SendMessageRequest(request) => {
            send_message::request(*request, extensions, facts)
                .map(|message| (Request::SendMessage(Box::new(message)), Reply::SendMessage))
        }
        Primitive::GetBlockedListRequest => Ok((Request::GetAccessLists, Reply::GetBlockedList)),
        Primitive::BlockEntityRequest(request) => {
            let change = blocking::change(&request, facts);
            Ok((Request::ChangeAccessLists(Box::new(change)), Reply::Status))
        }
        Primitive::UpdatePresenceRequest(request) => presence::update(*request)
            .map(|update| (Request::UpdatePresence(update), Reply::Status)),
        Primitive::GetPresenceRequest(request) => presence::get(&request, facts).map(|get| {
            let attributes = get.attributes;
            (Request::GetPresence(get), Reply::GetPresence { attributes })
        }),
        Primitive::SubscribePresenceRequest(request) => presence::subscribe(&request, facts)
            .map(|subscribe| (Request::SubscribePresence(subscribe), Reply::Status)),
        Primitive::UnsubscribePresenceRequest(request) => presence::unsubscribe(&request, facts)
            .map(|unsubscribe| (Request::UnsubscribePresence(unsubscribe), Reply::Status)),
        Primitive::CreateAttributeListRequest(request) => authorization::create(&request, facts)
            .map(|create| (Request::CreateAttributeList(create), Reply::Status)),
        Primitive::DeleteAttributeListRequest(request) => authorization::delete(&request, facts)
            .map(|delete| (Request::DeleteAttributeList(delete), Reply::Status)),
        Primitive::GetAttributeListRequest(request) => {
            let get = authorization::get(&request, facts);
            Ok((Request::GetAttributeLists(get), Reply::GetAttributeList))
        }
        Primitive::PresenceAuthUser(request) => authorization::decision(&request, facts)
            .map(|decision| (Request::AuthorizeWatcher(decision), Reply::Status)),
        Primitive::CancelAuthRequest(request) => authorization::cancel(&request, facts)
            .map(|cancel| (Request::CancelAuthorization(cancel), Reply::Status)),
        Primitive::GetReactiveAuthStatusRequest(request) => {
            let get = Request::GetReactiveAuthorizations(authorization::status(&request, facts));
            Ok((get, Reply::GetReactiveAuthStatus))
        }
        Primitive::GetWatcherListRequest(request) => {
            let get = watchers::get(&request);
            let counted = request.max_watcher_list.is_some();
            Ok((Request::GetWatchers(get), Reply::GetWatcherList { counted }))
        }
        Primitive::GetListRequest => Ok((Request::GetContactLists, Reply::GetList)),
        Primitive::CreateListRequest(request) => contact_list::create(&request, facts)
            .map(|create| (Request::CreateContactList(create), Reply::CreateList)),
        Primitive::DeleteListRequest(request) => contact_list::delete(&request, facts)
            .map(|delete| (Request::DeleteContactList(delete), Reply::Status)),
        Primitive::ListManageRequest(request) => contact_list::manage(&request, facts)
            .map(|(manage, reply)| (Request::ManageContactList(manage), reply)),
        Primitive::SearchRequest(request) => {
            search::request(&request).map(|request| (request, Reply::Search))
        }
        Primitive::StopSearchRequest(request) => {
            search::stop(&request).map(|stop| (Request::StopSearch(stop), Reply::Status))
        }
        Primitive::GetPublicProfileRequest(request) => {
            let get = profile::get(&request, facts);
            Ok((Request::GetPublicProfiles(get), Reply::GetPublicProfile))
        }
        Primitive::UpdatePublicProfileRequest(request) => profile::update(&request, facts)
            .map(|update| (Request::UpdatePublicProfile(update), Reply::Status)),
        Primitive::VerifyIDRequest(request) => {
            let verify = verify::request(&request, facts);
            Ok((Request::VerifyIds(verify), Reply::Status))
        }
        Primitive::InviteRequest(request) => invitation::invite(*request, facts)
            .map(|invite| (Request::Invite(Box::new(invite)), Reply::Status)),
        Primitive::InviteUserResponse(request) => invitation::answer(*request)
            .map(|answer| (Request::AnswerInvitation(Box::new(answer)), Reply::Status)),
        Primitive::CancelInviteRequest(request) => invitation::cancel(&request, facts)
            .map(|cancel| (Request::CancelInvitation(Box::new(cancel)), Reply::Status)),
        Primitive::SystemMessageUser(request) => system_message::answers(&request)
            .map(|answers| (Request::AnswerSystemMessages(answers), Reply::Status)),
        Primitive::CreateGroupRequest(request) => group::create(*request, facts),
        Primitive::DeleteGroupRequest(request) => group::delete(request.group_id.as_ref(), facts),
        Primitive::JoinGroupRequest(request) => group::join(*request, facts),
        Primitive::LeaveGroupRequest(request) => group::leave(request.group_id.as_ref(), facts),
        Primitive::GetJoinedUsersRequest(request) => {
            group::joined_users(request.group_id.as_ref(), facts)
        }
        Primitive::GetGroupMembersRequest(request) => {
            group::members(request.group_id.as_ref(), facts)
        }
        Primitive::AddGroupMembersRequest(request) => group::add_members(&request, facts),
        Primitive::RemoveGroupMembersRequest(request) => group::remove_members(&request, facts),
        Primitive::MemberAccessRequest(request) => group::access(&request, facts),
        Primitive::GetGroupPropsRequest(request) => {
            group::properties(request.group_id.as_ref(), facts)
        }
        Primitive::SetGroupPropsRequest(request) => group::set_properties(*request, facts),
        Primitive::RejectListRequest(request) => group::reject_list(&request, facts),
        Primitive::SubscribeGroupNoticeRequest(request) => group::subscribe(&request, facts),
        Primitive::ExtendConversationRequest(request) => group::extend(*request, facts),
        _ => return None,
    })
}

/// The response primitive for what a service element answered.
///
/// The transaction's own response where that has a Result or the answer is a success, else
/// Status (csp-access 1.5).
pub fn answer(reply: Reply, answer: Answer, facts: &Facts<'_>) -> Primitive {
    match (reply, answer) {
        (Reply::SendMessage, Ok(Response::Message(accepted))) => {
            send_message::response(&accepted, facts)
        }
        (Reply::SendMessage, Err(refusal)) => send_message::refused(&refusal, facts),
        (Reply::GetBlockedList, Ok(Response::AccessLists(lists))) => {
            blocking::response(&lists, facts)
        }
        (Reply::GetPresence { attributes }, Ok(Response::Presence(values))) => {
            presence::values_response(&values, attributes, facts)
        }
        (Reply::GetPresence { .. }, Err(refusal)) => presence::values_refused(&refusal, facts),
        (Reply::GetAttributeList, Ok(Response::AttributeLists(lists))) => {
            authorization::lists_response(&lists, facts)
        }
        (Reply::GetAttributeList, Err(refusal)) => authorization::lists_refused(&refusal, facts),
        (Reply::GetReactiveAuthStatus, Ok(Response::ReactiveAuthorizations(all))) => {
            authorization::status_response(&all)
        }
        (Reply::GetWatcherList { counted }, Ok(Response::Watchers(all))) => {
            watchers::response(&all, counted, facts)
        }
        (Reply::GetList, Ok(Response::ContactLists(lists))) => {
            contact_list::lists_response(&lists, facts)
        }
        (Reply::GetList, Err(refusal)) => contact_list::lists_refused(&refusal, facts),
        (Reply::CreateList, Ok(Response::ContactListCreated(created))) => {
            contact_list::created_response(&created, facts)
        }
        (
            Reply::ListManage {
                members,
                properties,
            },
            Ok(Response::ContactList(managed)),
        ) => contact_list::managed_response(&managed, members, properties, facts),
        (Reply::ListManage { .. }, Err(refusal)) => contact_list::manage_refused(&refusal, facts),
        (Reply::Search, Ok(Response::SearchPage(page))) => search::response(&page, facts),
        (Reply::GetPublicProfile, Ok(Response::PublicProfiles(profiles))) => {
            profile::response(&profiles, facts)
        }
        (Reply::GetPublicProfile, Err(refusal)) => profile::refused(&refusal, facts),
        (Reply::JoinGroup(group), Ok(Response::GroupJoined(joined))) => {
            group_answer::joined(&joined, &group, facts)
        }
        (Reply::LeaveGroup(_), Ok(Response::Done(outcome))) => {
            group_answer::left(outcome.code(), facts)
        }
        (Reply::LeaveGroup(_), Err(refusal)) => group_answer::leave_refused(&refusal, facts),
        (Reply::GetJoinedUsers(group), Ok(Response::JoinedUsers(joined))) => {
            group_answer::joined_users(&joined, &group, facts)
        }
        (Reply::GetGroupMembers, Ok(Response::GroupMembers(members))) => {
            group_answer::members(&members, facts)
        }
        (Reply::GetGroupProps, Ok(Response::GroupProps(props))) => {
            group_answer::properties(&props, facts)
        }
        (Reply::RejectList, Ok(Response::RejectList(users))) => group_answer::reject_list(&users),
        (Reply::SubscribeGroupNotice, Ok(Response::GroupNotices(subscribed))) => {
            group_answer::notices(subscribed)
        }
        (Reply::ExtendConversation(_), Ok(Response::ConversationExtended(extended))) => {
            group_answer::extended(&extended, facts)
        }
        (Reply::ExtendConversation(id), Err(refusal)) => {
            group_answer::extend_refused(&id, &refusal, facts)
        }
        (_, Ok(response)) => plain(&response, facts),
        (_, Err(refusal)) => result::refused(&refusal, facts),
    }
}

/// A Status that says how a response turned out, for requests that want no more.
fn plain(response: &Response, facts: &Facts<'_>) -> Primitive {
    let (code, details) = match response {
        Response::Done(outcome) => (outcome.code(), outcome.details.as_slice()),
        Response::Message(accepted) => {
            let outcome = &accepted.outcome;
            (outcome.code(), outcome.details.as_slice())
        }
        Response::ContactListCreated(created) => {
            let outcome = &created.outcome;
            (outcome.code(), outcome.details.as_slice())
        }
        Response::ContactList(managed) => (managed.code, managed.details.as_slice()),
        Response::Presence(values) => (presence::values_code(values), values.details.as_slice()),
        Response::PublicProfiles(profiles) => (profiles.code(), profiles.details.as_slice()),
        Response::AttributeLists(lists) => (lists.code(), lists.details.as_slice()),
        Response::ContactLists(_)
        | Response::AccessLists(_)
        | Response::ReactiveAuthorizations(_)
        | Response::Watchers(_)
        | Response::Members(_)
        | Response::SearchPage(_)
        | Response::History(_)
        | Response::HistoryMessage(_)
        | Response::Location(_)
        | Response::GroupJoined(_)
        | Response::JoinedUsers(_)
        | Response::GroupMembers(_)
        | Response::GroupProps(_)
        | Response::RejectList(_)
        | Response::GroupNotices(_) => (StatusCode::OK, &[][..]),
        Response::ConversationExtended(extended) => {
            let outcome = &extended.outcome;
            (outcome.code(), outcome.details.as_slice())
        }
    };
    result::status_with(code, "", details, facts)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::client_profile::ClientFamily;
    use hamlet_model::{ContactListId, UserId};
    use std::sync::LazyLock;

    /// The domain of the tests.
    pub fn home() -> Domain {
        Domain::parse("im.example").unwrap()
    }

    pub fn user(name: &str) -> UserId {
        UserId::parse(name, &home()).unwrap()
    }

    pub fn list(name: &str) -> ContactListId {
        ContactListId::parse(name, &home()).unwrap()
    }

    /// A session of `version` with a client of `family`.
    pub fn facts(version: Version, home: &Domain, family: ClientFamily) -> Facts<'_> {
        static PROFILES: LazyLock<Vec<ClientProfile>> = LazyLock::new(|| {
            [
                ClientFamily::Android,
                ClientFamily::Nokia,
                ClientFamily::Colibria,
                ClientFamily::Motorola,
                ClientFamily::Standard,
            ]
            .map(ClientProfile::of)
            .to_vec()
        });
        let profile = PROFILES.iter().find(|p| p.family == family).unwrap();
        Facts {
            version,
            home,
            profile,
        }
    }

    #[test]
    fn what_no_service_element_carries_out_is_left_to_others() {
        let home = home();
        let facts = facts(Version::V1_2, &home, ClientFamily::Standard);
        assert!(request(Primitive::PollingRequest, &[], &facts).is_none());
        assert!(request(Primitive::LogoutRequest, &[], &facts).is_none());
    }

    #[test]
    fn a_request_that_wants_no_more_gets_a_status() {
        let home = home();
        let facts = facts(Version::V1_2, &home, ClientFamily::Standard);
        let done = answer(
            Reply::Status,
            Ok(Response::Done(Default::default())),
            &facts,
        );
        assert_eq!(done, result::status(StatusCode::OK, &facts));
        let refusal = Refusal::new(StatusCode::NO_SUCH_CONTACT_LIST);
        let refused = answer(Reply::Status, Err(refusal.clone()), &facts);
        assert_eq!(refused, result::refused(&refusal, &facts));
    }
}
