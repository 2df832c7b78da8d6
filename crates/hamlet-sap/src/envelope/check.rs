//! The order of checks of a request (csp-access 1.5). Pure.

use crate::negotiation::entitlement::service_of;
use crate::negotiation::functions::{Function, FunctionSet, function_of};
use crate::negotiation::service::Agreement;
use hamlet_csp::elements::TransactionMode;
use hamlet_csp::{Tag, Unreadable, Version};
use hamlet_model::{ServiceSet, StatusCode};

/// What is known of a transaction before it is carried out.
pub(crate) struct Subject<'a> {
    pub(crate) mode: &'a TransactionMode,
    pub(crate) id: Option<&'a str>,
    pub(crate) content: Result<Tag, &'a Unreadable>,
    pub(crate) version: Version,
    pub(crate) session: SessionState,
    pub(crate) agreement: Option<&'a Agreement>,
    /// What the user of the session is subscribed to.
    pub(crate) services: ServiceSet,
    /// It is a search with AdvancedCriteria.
    pub(crate) advanced_search: bool,
}

/// The session that a message names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionState {
    Live,
    /// It names none, or one that is not known.
    Unknown,
    /// It ended, with this code.
    Ended(StatusCode),
}

/// What is to be done with a transaction.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It answers a server transaction (csp-access 2.4).
    Reaction,
    /// It is carried out.
    Serve,
    /// It is answered by a Status.
    Refuse(StatusCode),
}

/// Requests that this server carries out.
const BUILT: &[Tag] = &[
    Tag::PollingRequest,
    Tag::SendMessageRequest,
    Tag::MessageDelivered,
    Tag::Status,
    Tag::KeepAliveRequest,
    Tag::GetPresenceRequest,
    Tag::UpdatePresenceRequest,
    Tag::SubscribePresenceRequest,
    Tag::UnsubscribePresenceRequest,
    Tag::GetListRequest,
    Tag::CreateListRequest,
    Tag::DeleteListRequest,
    Tag::ListManageRequest,
    Tag::LoginRequest,
    Tag::LogoutRequest,
    Tag::ClientCapabilityRequest,
    Tag::ServiceRequest,
    Tag::GetSPInfoRequest,
    Tag::GetSegmentRequest,
    Tag::DropSegmentRequest,
    Tag::SearchRequest,
    Tag::StopSearchRequest,
    Tag::GetPublicProfileRequest,
    Tag::UpdatePublicProfileRequest,
    Tag::VerifyIDRequest,
    Tag::InviteRequest,
    Tag::InviteUserResponse,
    Tag::CancelInviteRequest,
    Tag::SystemMessageUser,
    Tag::SubscribeNotificationRequest,
    Tag::UnsubscribeNotificationRequest,
    Tag::GetMapRequest,
    Tag::SetDeliveryMethodRequest,
    Tag::GetMessageListRequest,
    Tag::GetMessageRequest,
    Tag::RejectMessageRequest,
    Tag::ForwardMessageRequest,
    Tag::GetBlockedListRequest,
    Tag::BlockEntityRequest,
    Tag::GetWatcherListRequest,
    Tag::CreateAttributeListRequest,
    Tag::DeleteAttributeListRequest,
    Tag::GetAttributeListRequest,
    Tag::PresenceAuthUser,
    Tag::CancelAuthRequest,
    Tag::GetReactiveAuthStatusRequest,
    Tag::CreateGroupRequest,
    Tag::DeleteGroupRequest,
    Tag::JoinGroupRequest,
    Tag::LeaveGroupRequest,
    Tag::GetJoinedUsersRequest,
    Tag::GetGroupMembersRequest,
    Tag::AddGroupMembersRequest,
    Tag::RemoveGroupMembersRequest,
    Tag::MemberAccessRequest,
    Tag::GetGroupPropsRequest,
    Tag::SetGroupPropsRequest,
    Tag::RejectListRequest,
    Tag::SubscribeGroupNoticeRequest,
    Tag::ExtendConversationRequest,
];

/// Requests of 1.2 that are taken from clients of 1.3, too: Android sends the first (clients
/// 3.12), and csp-presence 6.1 wants the others treated alike.
const TAKEN_IN_1_3: &[Tag] = &[
    Tag::PresenceAuthUser,
    Tag::CancelAuthRequest,
    Tag::GetReactiveAuthStatusRequest,
];

/// Goes through the checks that need no more than this.
pub(crate) fn check(subject: &Subject<'_>) -> Verdict {
    let primitive = match subject.content {
        Ok(primitive) => Some(primitive),
        Err(unreadable) => unreadable.primitive,
    };
    match subject.mode {
        TransactionMode::Response => return Verdict::Reaction,
        TransactionMode::Undefined(_) => return Verdict::Refuse(StatusCode::BAD_REQUEST),
        TransactionMode::Request => {}
    }
    let polls = primitive == Some(Tag::PollingRequest);
    if !polls && subject.id.is_none_or(str::is_empty) {
        return Verdict::Refuse(StatusCode::INVALID_TRANSACTION_ID);
    }
    // Login goes its own way even if the session that it names is dead (csp-access 3.8).
    let outband = matches!(primitive, Some(Tag::LoginRequest | Tag::GetSPInfoRequest));
    match subject.session {
        _ if outband => {}
        SessionState::Live => {}
        SessionState::Unknown => return Verdict::Refuse(StatusCode::INVALID_SESSION),
        SessionState::Ended(code) => return Verdict::Refuse(code),
    }
    let Some(primitive) = primitive else {
        let status = subject.content.err().map(|unreadable| unreadable.status);
        return Verdict::Refuse(status.unwrap_or(StatusCode::BAD_REQUEST));
    };
    let is_taken = subject.version == Version::V1_3 && TAKEN_IN_1_3.contains(&primitive);
    if !primitive.is_sent_by_clients(subject.version) && !is_taken {
        return Verdict::Refuse(StatusCode::SERVICE_NOT_SUPPORTED);
    }
    if !BUILT.contains(&primitive) {
        return Verdict::Refuse(StatusCode::NOT_IMPLEMENTED);
    }
    if service_of(primitive).is_some_and(|service| !subject.services.contains(service)) {
        // What was negotiated was denied.
        return Verdict::Refuse(match subject.agreement {
            Some(_) => StatusCode::SERVICE_NOT_AGREED,
            None => StatusCode::SERVICE_NOT_SUPPORTED,
        });
    }
    let advanced = subject.advanced_search.then_some(Function::ADVSR);
    // What the tree of a version does not have cannot be left out of an agreement.
    let known = FunctionSet::all(subject.version);
    let function = function_of(primitive).filter(|function| known.contains(*function));
    let mut functions = function.into_iter().chain(advanced);
    if let Some(agreement) = subject.agreement
        && !functions.all(|function| agreement.allows(function, subject.version))
    {
        return Verdict::Refuse(StatusCode::SERVICE_NOT_AGREED);
    }
    match subject.content {
        Ok(_) => Verdict::Serve,
        Err(unreadable) => Verdict::Refuse(unreadable.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hamlet_csp::elements::{Functions, FundamentalFeat, IMFeat, SearchFunc, WVCSPFeat};
    use hamlet_model::Service;

    fn subject<'a>(primitive: Tag, version: Version) -> Subject<'a> {
        Subject {
            mode: &TransactionMode::Request,
            id: Some("1"),
            content: Ok(primitive),
            version,
            session: SessionState::Live,
            agreement: None,
            services: ServiceSet::ALL,
            advanced_search: false,
        }
    }

    fn code(subject: &Subject<'_>) -> u16 {
        match check(subject) {
            Verdict::Refuse(code) => code.0,
            Verdict::Serve => 200,
            Verdict::Reaction => 0,
        }
    }

    #[test]
    fn primitives_are_told_apart_by_what_is_known_built_and_allowed() {
        for (primitive, in_1_1, in_1_2, in_1_3) in [
            (Tag::SendMessageRequest, 200, 200, 200),
            (Tag::PollingRequest, 200, 200, 200),
            (Tag::SearchRequest, 200, 200, 200),
            (Tag::StopSearchRequest, 200, 200, 200),
            (Tag::GetPublicProfileRequest, 405, 405, 200),
            (Tag::UpdatePublicProfileRequest, 405, 405, 200),
            (Tag::InviteRequest, 200, 200, 200),
            (Tag::InviteUserRequest, 405, 405, 405),
            (Tag::SubscribeNotificationRequest, 405, 405, 200),
            (Tag::SystemMessageUser, 405, 405, 200),
            (Tag::SystemMessageRequest, 405, 405, 405),
            (Tag::GetBlockedListRequest, 200, 200, 200),
            (Tag::BlockEntityRequest, 200, 200, 200),
            (Tag::JoinGroupRequest, 200, 200, 200),
            (Tag::GetJoinedUsersRequest, 405, 200, 200),
            (Tag::ExtendConversationRequest, 405, 405, 200),
            (Tag::GroupChangeNotice, 405, 405, 405),
            (Tag::VerifyIDRequest, 405, 200, 200),
            (Tag::GetMapRequest, 405, 405, 200),
            (Tag::CreateAttributeListRequest, 200, 200, 200),
            (Tag::GetWatcherListRequest, 200, 200, 200),
            (Tag::PresenceAuthUser, 200, 200, 200),
            (Tag::PresenceAuthRequest, 405, 405, 405),
            (Tag::CancelAuthRequest, 200, 200, 200),
            (Tag::GetReactiveAuthStatusRequest, 405, 200, 200),
            (Tag::NewMessage, 405, 405, 405),
            (Tag::LoginResponse, 405, 405, 405),
            (Tag::Disconnect, 405, 405, 405),
            (Tag::Session, 405, 405, 405),
        ] {
            let all = Version::ALL.map(|version| code(&subject(primitive, version)));
            assert_eq!(all, [in_1_1, in_1_2, in_1_3], "{primitive}");
        }
    }

    #[test]
    fn the_session_is_checked_before_the_primitive() {
        let expired = SessionState::Ended(StatusCode::SESSION_EXPIRED);
        let forced = SessionState::Ended(StatusCode::FORCED_LOGOUT);
        for (session, primitive, expected) in [
            (SessionState::Unknown, Tag::SendMessageRequest, 604),
            (SessionState::Unknown, Tag::SearchRequest, 604),
            (SessionState::Unknown, Tag::PollingRequest, 604),
            (expired, Tag::SendMessageRequest, 600),
            (forced, Tag::KeepAliveRequest, 601),
            (SessionState::Unknown, Tag::LoginRequest, 200),
            (expired, Tag::LoginRequest, 200),
            (SessionState::Unknown, Tag::GetSPInfoRequest, 200),
        ] {
            let subject = Subject {
                session,
                ..subject(primitive, Version::V1_2)
            };
            assert_eq!(code(&subject), expected, "{session:?} {primitive}");
        }
    }

    #[test]
    fn mode_and_transaction_id_come_first() {
        let unknown = SessionState::Unknown;
        let undefined = TransactionMode::Undefined("Reply".into());
        for (mode, id, primitive, expected) in [
            (&undefined, Some("1"), Tag::SendMessageRequest, 400),
            (&TransactionMode::Response, None, Tag::Status, 0),
            (
                &TransactionMode::Request,
                None,
                Tag::SendMessageRequest,
                420,
            ),
            (&TransactionMode::Request, Some(""), Tag::LoginRequest, 420),
            (
                &TransactionMode::Request,
                Some(""),
                Tag::PollingRequest,
                604,
            ),
            (&TransactionMode::Request, None, Tag::PollingRequest, 604),
        ] {
            let subject = Subject {
                mode,
                id,
                session: unknown,
                ..subject(primitive, Version::V1_2)
            };
            assert_eq!(code(&subject), expected, "{mode:?} {id:?} {primitive}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_last() {
        let fault = |primitive, status| Unreadable {
            what: "a fault".into(),
            path: Vec::new(),
            status,
            primitive,
        };
        let bad_value = fault(Some(Tag::SendMessageRequest), StatusCode::BAD_PARAMETER);
        let empty = fault(None, StatusCode::BAD_REQUEST);
        let foreign = fault(None, StatusCode::SERVICE_NOT_SUPPORTED);
        for (unreadable, session, expected) in [
            (&bad_value, SessionState::Live, 402),
            (&bad_value, SessionState::Unknown, 604),
            (&empty, SessionState::Live, 400),
            (&foreign, SessionState::Live, 405),
            (&foreign, SessionState::Unknown, 604),
        ] {
            let subject = Subject {
                content: Err(unreadable),
                session,
                ..subject(Tag::Status, Version::V1_2)
            };
            assert_eq!(code(&subject), expected, "{unreadable:?} {session:?}");
        }
    }

    #[test]
    fn what_was_not_agreed_gets_506() {
        let functions = Functions {
            wvcsp_feat: Some(WVCSPFeat {
                im_feat: Some(IMFeat::default()),
                ..WVCSPFeat::default()
            }),
        };
        for (version, primitive, expected) in [
            (Version::V1_3, Tag::GetPresenceRequest, 506),
            (Version::V1_3, Tag::SendMessageRequest, 200),
            (Version::V1_2, Tag::GetPresenceRequest, 200),
        ] {
            let agreement = Agreement::negotiate(Some(&functions), version, ServiceSet::ALL);
            let subject = Subject {
                agreement: Some(&agreement),
                ..subject(primitive, version)
            };
            assert_eq!(code(&subject), expected, "{version} {primitive}");
        }
    }

    #[test]
    fn what_the_user_is_not_subscribed_to_gets_506_or_405_without_negotiation() {
        let services = [Service::Common, Service::Presence].into_iter().collect();
        for (primitive, expected) in [
            (Tag::SendMessageRequest, 506),
            (Tag::MessageDelivered, 200),
            (Tag::GetListRequest, 506),
            (Tag::GetPresenceRequest, 200),
            (Tag::SearchRequest, 200),
            (Tag::ServiceRequest, 200),
            (Tag::PollingRequest, 200),
        ] {
            let agreement = Agreement::negotiate(None, Version::V1_2, services);
            let negotiated = Subject {
                agreement: Some(&agreement),
                services,
                ..subject(primitive, Version::V1_2)
            };
            assert_eq!(code(&negotiated), expected, "{primitive}");
            let plain = Subject {
                agreement: None,
                ..negotiated
            };
            let without = if expected == 506 { 405 } else { expected };
            assert_eq!(code(&plain), without, "{primitive}");
        }
    }

    #[test]
    fn a_search_with_advanced_criteria_needs_a_function_of_its_own() {
        let functions = |advsr| Functions {
            wvcsp_feat: Some(WVCSPFeat {
                fundamental_feat: Some(FundamentalFeat {
                    search_func: Some(SearchFunc {
                        srch: true,
                        advsr,
                        stsrc: false,
                    }),
                    ..FundamentalFeat::default()
                }),
                ..WVCSPFeat::default()
            }),
        };
        for (advsr, advanced_search, primitive, expected) in [
            (true, true, Tag::SearchRequest, 200),
            (false, true, Tag::SearchRequest, 506),
            (false, false, Tag::SearchRequest, 200),
            (false, false, Tag::StopSearchRequest, 506),
            (false, false, Tag::VerifyIDRequest, 506),
            (false, false, Tag::GetPublicProfileRequest, 200),
        ] {
            let agreement =
                Agreement::negotiate(Some(&functions(advsr)), Version::V1_3, ServiceSet::ALL);
            let subject = Subject {
                agreement: Some(&agreement),
                advanced_search,
                ..subject(primitive, Version::V1_3)
            };
            assert_eq!(
                code(&subject),
                expected,
                "{advsr} {advanced_search} {primitive}"
            );
        }
    }
}
