//! Who may see whose presence: attribute lists, PresenceAuth, CancelAuth,
//! GetReactiveAuthStatus (csp-presence 6).

use super::presence_attributes::names;
use super::result::{self, text_of};
use super::{Facts, address, notification};
use hamlet_csp::elements::{
    CancelAuthRequest, CreateAttributeListRequest, DefaultAttributeList,
    DeleteAttributeListRequest, GetAttributeListRequest, GetAttributeListResponse,
    GetReactiveAuthStatusRequest, GetReactiveAuthStatusResponse, Presence, PresenceAuthRequest,
    PresenceAuthUser, PresenceSubList, Primitive, ReactiveAuthState, ReactiveAuthStatus,
    ReactiveAuthStatusList, User,
};
use hamlet_csp::{Text, Version};
use hamlet_elements::authorization::{
    AttributeLists, AuthorizationAsked, AuthorizeWatcher, CancelAuthorization, CreateAttributeList,
    DeleteAttributeList, GetAttributeLists, GetReactiveAuthorizations, ReactiveAuthorizations,
    ReactiveShown, Rule,
};
use hamlet_elements::notification::{AuthorizationLevel, Notification, Watchers};
use hamlet_elements::presence::Targets;
use hamlet_model::presence::{AttributeName, AttributeSet};
use hamlet_model::refusal::Failures;
use hamlet_model::{Refusal, StatusCode, UserId};

/// Reads CreateAttributeList-Request (csp-presence 6.2).
pub fn create(
    request: &CreateAttributeListRequest,
    facts: &Facts<'_>,
) -> Result<CreateAttributeList, Refusal> {
    let flags = [
        request.default_notify,
        request.user_notify,
        request.contact_list_notify,
    ];
    let only_flags = facts.version == Version::V1_3 && flags.iter().any(Option::is_some);
    if request.presence_sub_list.is_none() && !only_flags {
        return Err(missing("PresenceSubList is missing"));
    }
    let (users, lists) = (bare(&request.user_id), &request.contact_list);
    let targets = address::targets(
        (&users, request.user_id_list.as_ref()),
        (lists, request.contact_list_id_list.as_ref()),
        facts,
    );
    let default = request.default_list.unwrap_or(false);
    if address::nobody(&targets) && !default && request.default_notify.is_none() {
        return Err(missing("Nobody is named who could see anything"));
    }
    let (attributes, unsupported) = match &request.presence_sub_list {
        Some(list) => {
            let (known, unsupported) = supported(names(list), facts);
            (Some(known), unsupported)
        }
        None => (None, Vec::new()),
    };
    Ok(CreateAttributeList {
        attributes,
        targets,
        default,
        user_notify: request.user_notify,
        contact_list_notify: request.contact_list_notify,
        default_notify: request.default_notify,
        unsupported,
    })
}

/// Reads DeleteAttributeList-Request (csp-presence 6.3).
pub fn delete(
    request: &DeleteAttributeListRequest,
    facts: &Facts<'_>,
) -> Result<DeleteAttributeList, Refusal> {
    let (users, lists) = (bare(&request.user_id), &request.contact_list);
    let targets = address::targets(
        (&users, request.user_id_list.as_ref()),
        (lists, request.contact_list_id_list.as_ref()),
        facts,
    );
    let default = request.default_list.unwrap_or(false);
    if address::nobody(&targets) && !default {
        return Err(missing("No attribute list is named"));
    }
    Ok(DeleteAttributeList { targets, default })
}

/// Reads GetAttributeList-Request (csp-presence 6.4).
pub fn get(request: &GetAttributeListRequest, facts: &Facts<'_>) -> GetAttributeLists {
    let mut users = bare(&request.user_id);
    users.extend(request.user.iter().cloned());
    GetAttributeLists {
        targets: address::targets(
            (&users, request.user_id_list.as_ref()),
            (&request.contact_list, request.contact_list_id_list.as_ref()),
            facts,
        ),
        default: request.default_list.unwrap_or(false),
    }
}

/// GetAttributeList-Response.
pub fn lists_response(lists: &AttributeLists, facts: &Facts<'_>) -> Primitive {
    let flags = facts.version == Version::V1_3;
    // What has only a flag is nothing to versions that have none.
    let known = |rule: &Rule| flags || rule.attributes.is_some();
    let users = lists.users.iter().filter(|(_, rule)| known(rule));
    let users = users.map(|(user, rule)| Presence {
        user_id: Some(text_of(user)),
        user_notify: flags.then_some(rule.notify),
        presence_sub_list: sub_lists(rule),
        ..Presence::default()
    });
    let of_lists = lists.contact_lists.iter().filter(|(_, rule)| known(rule));
    let of_lists = of_lists.map(|(list, rule)| Presence {
        contact_list: Some(text_of(list)),
        contact_list_notify: flags.then_some(rule.notify),
        presence_sub_list: sub_lists(rule),
        ..Presence::default()
    });
    Primitive::GetAttributeListResponse(Box::new(GetAttributeListResponse {
        result: Some(result::result(lists.code(), "", &lists.details, facts)),
        default_attribute_list: lists.default.as_ref().map(|rule| DefaultAttributeList {
            default_notify: flags.then_some(rule.notify),
            presence_sub_list: sub_lists(rule),
        }),
        presence: users.chain(of_lists).collect(),
    }))
}

/// GetAttributeList-Response with nothing but a Result (csp-access 1.5).
pub fn lists_refused(refusal: &Refusal, facts: &Facts<'_>) -> Primitive {
    Primitive::GetAttributeListResponse(Box::new(GetAttributeListResponse {
        result: Some(result::result(
            refusal.code,
            &refusal.description,
            &refusal.details,
            facts,
        )),
        ..GetAttributeListResponse::default()
    }))
}

/// Reads PresenceAuth-User (csp-presence 6.6).
pub fn decision(
    request: &PresenceAuthUser,
    facts: &Facts<'_>,
) -> Result<AuthorizeWatcher, Refusal> {
    let watcher = watcher(request.user_id.as_ref(), facts);
    let accept = request
        .acceptance
        .ok_or_else(|| missing("Acceptance is missing"));
    Ok(AuthorizeWatcher {
        watcher: watcher?,
        accept: accept?,
        attributes: request.presence_sub_list.as_ref().map(names),
    })
}

/// Reads CancelAuth-Request (csp-presence 6.6).
pub fn cancel(
    request: &CancelAuthRequest,
    facts: &Facts<'_>,
) -> Result<CancelAuthorization, Refusal> {
    let watcher = watcher(request.user_id.as_ref(), facts)?;
    Ok(CancelAuthorization { watcher })
}

/// Reads GetReactiveAuthStatus-Request; without users all are meant.
pub fn status(
    request: &GetReactiveAuthStatusRequest,
    facts: &Facts<'_>,
) -> GetReactiveAuthorizations {
    let users = bare(&request.user_id);
    let Targets {
        users,
        malformed_users,
        ..
    } = address::targets((&users, None), (&[], None), facts);
    GetReactiveAuthorizations {
        users,
        malformed: malformed_users,
    }
}

/// GetReactiveAuthStatus-Response.
pub fn status_response(all: &ReactiveAuthorizations) -> Primitive {
    let status = all.all.iter().map(|one| ReactiveAuthStatus {
        user_id: Some(text_of(&one.watcher)),
        reactive_auth_state: Some(match one.state {
            ReactiveShown::Pending => ReactiveAuthState::Pending,
            ReactiveShown::Granted => ReactiveAuthState::Granted,
            ReactiveShown::Denied => ReactiveAuthState::Denied,
        }),
        presence_sub_list: (!one.attributes.is_empty())
            .then(|| PresenceSubList::naming(one.attributes)),
    });
    Primitive::GetReactiveAuthStatusResponse(Box::new(GetReactiveAuthStatusResponse {
        reactive_auth_status_list: Some(ReactiveAuthStatusList {
            reactive_auth_status: status.collect(),
        }),
    }))
}

/// PresenceAuth-Request for clients that are asked, Notification-Request for those that are
/// notified (csp-presence 6.6, 6.7). `asks`: the session has agreed to be asked. `wants`:
/// which notifications it takes.
pub fn asked(
    asked: &AuthorizationAsked,
    facts: &Facts<'_>,
    asks: bool,
    wants: impl FnOnce(&Notification) -> bool,
) -> Option<Primitive> {
    if facts.version < Version::V1_3 || facts.profile.presence_auth_request_in_1_3 {
        return (asked.ask && asks).then(|| {
            let (attributes, _) = supported(asked.attributes, facts);
            Primitive::PresenceAuthRequest(Box::new(PresenceAuthRequest {
                user_id: Some(text_of(&asked.watcher)),
                presence_sub_list: Some(PresenceSubList::naming(attributes)),
            }))
        });
    }
    let notification = Notification::AuthorizationNeeded {
        level: asked.level,
        attributes: asked.attributes,
        whom: Watchers {
            users: vec![asked.watcher.clone()],
            contact_lists: asked.contact_lists.clone(),
            default: asked.level == AuthorizationLevel::Default,
        },
    };
    if !asked.notify || !wants(&notification) {
        return None;
    }
    notification::request(&notification, facts)
}

/// The attributes that the version has, and the names of the others.
fn supported(attributes: AttributeSet, facts: &Facts<'_>) -> (AttributeSet, Vec<String>) {
    let is_known =
        |name: &AttributeName| facts.version > Version::V1_1 || *name != AttributeName::InfoLink;
    let unknown = attributes.iter().filter(|name| !is_known(name));
    let unknown = unknown.map(|name| name.as_str().to_owned()).collect();
    (attributes.iter().filter(is_known).collect(), unknown)
}

/// No list at all, and an empty one, are not the same (csp-presence 6.3).
fn sub_lists(rule: &Rule) -> Vec<PresenceSubList> {
    rule.attributes
        .map(PresenceSubList::naming)
        .into_iter()
        .collect()
}

fn bare(users: &[Text]) -> Vec<User> {
    let user = |text: &Text| User {
        user_id: Some(text.clone()),
        ..User::default()
    };
    users.iter().map(user).collect()
}

fn missing(what: &str) -> Refusal {
    Refusal::because(StatusCode::BAD_REQUEST, what)
}

/// The watcher that is named; what is no address is nobody's.
fn watcher(text: Option<&Text>, facts: &Facts<'_>) -> Result<UserId, Refusal> {
    let text = text
        .filter(|text| !text.is_empty())
        .ok_or_else(|| missing("UserID is missing"))?;
    UserId::parse(text, facts.home).map_err(|_| {
        let mut failures = Failures::new();
        let block = failures.block(StatusCode::UNKNOWN_USER);
        block.malformed.push(text.to_string());
        Refusal {
            details: failures.into_details(),
            ..Refusal::new(StatusCode::UNKNOWN_USER)
        }
    })
}

#[cfg(test)]
#[path = "authorization_tests.rs"]
mod tests;
