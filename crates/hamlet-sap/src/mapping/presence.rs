//! Presence delivery: UpdatePresence, GetPresence, SubscribePresence, UnsubscribePresence,
//! PresenceNotification (csp-presence 4).

use super::result::{self, text_of};
use super::{Facts, address, presence_attributes, presence_extensions, presence_values};
use hamlet_csp::elements::{
    GetPresenceRequest, GetPresenceResponse, Presence, PresenceNotificationRequest,
    PresenceSubList, Primitive, SubscribePresenceRequest, UnsubscribePresenceRequest,
    UpdatePresenceRequest,
};
use hamlet_elements::presence::{
    GetPresence, PresenceValues, SubscribePresence, Targets, UnsubscribePresence, UpdatePresence,
    UserPresence,
};
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue};
use hamlet_model::refusal::Failures;
use hamlet_model::{Refusal, StatusCode, UserId};

/// Reads UpdatePresence-Request; an empty list changes nothing (csp-presence 4.1).
pub fn update(request: UpdatePresenceRequest) -> Result<UpdatePresence, Refusal> {
    let list = request
        .presence_sub_list
        .ok_or_else(|| Refusal::because(StatusCode::BAD_REQUEST, "PresenceSubList is missing"))?;
    let unknown = presence_extensions::unknown(&list);
    Ok(UpdatePresence {
        attributes: presence_attributes::values(list),
        unknown,
    })
}

/// Reads GetPresence-Request (csp-presence 4.2).
pub fn get(request: &GetPresenceRequest, facts: &Facts<'_>) -> Result<GetPresence, Refusal> {
    let targets = address::targets(
        (&request.user, request.user_id_list.as_ref()),
        (&request.contact_list, request.contact_list_id_list.as_ref()),
        facts,
    );
    let attributes = selection(request.presence_sub_list.as_ref());
    let unknown = unknown(request.presence_sub_list.as_ref());
    if attributes.is_empty() && !unknown.is_empty() {
        // Nothing that there is was asked for, which must not become everything.
        return Err(Refusal::because(
            StatusCode::INVALID_PRESENCE_ATTRIBUTE,
            unknown.join(", "),
        ));
    }
    Ok(GetPresence {
        targets: somebody(targets)?,
        attributes,
    })
}

/// Reads SubscribePresence-Request (csp-presence 4.3).
pub fn subscribe(
    request: &SubscribePresenceRequest,
    facts: &Facts<'_>,
) -> Result<SubscribePresence, Refusal> {
    let targets = address::targets(
        (&request.user, request.user_id_list.as_ref()),
        (&request.contact_list, request.contact_list_id_list.as_ref()),
        facts,
    );
    Ok(SubscribePresence {
        targets: somebody(targets)?,
        attributes: selection(request.presence_sub_list.as_ref()),
        unknown: unknown(request.presence_sub_list.as_ref()),
        auto_subscribe: request.auto_subscribe.unwrap_or(false),
    })
}

/// Reads UnsubscribePresence-Request (csp-presence 4.6).
pub fn unsubscribe(
    request: &UnsubscribePresenceRequest,
    facts: &Facts<'_>,
) -> Result<UnsubscribePresence, Refusal> {
    let targets = address::targets(
        (&request.user, request.user_id_list.as_ref()),
        (&request.contact_list, request.contact_list_id_list.as_ref()),
        facts,
    );
    Ok(UnsubscribePresence {
        targets: somebody(targets)?,
    })
}

fn somebody(targets: Targets) -> Result<Targets, Refusal> {
    if address::nobody(&targets) {
        return Err(Refusal::because(
            StatusCode::BAD_REQUEST,
            "No user and no contact list is named",
        ));
    }
    Ok(targets)
}

/// No list, and an empty one, mean all attributes (csp-presence 3.1).
fn selection(list: Option<&PresenceSubList>) -> AttributeSet {
    list.map(presence_attributes::names).unwrap_or_default()
}

/// Names that are no attributes (750).
fn unknown(list: Option<&PresenceSubList>) -> Vec<String> {
    list.map(presence_extensions::unknown).unwrap_or_default()
}

/// GetPresence-Response: everybody that was found, and what failed.
pub fn values_response(
    values: &PresenceValues,
    asked: AttributeSet,
    facts: &Facts<'_>,
) -> Primitive {
    let presence = |user: &UserPresence| {
        if facts.profile.alias_first && (asked.is_empty() || asked.contains(AttributeName::Alias)) {
            alias_first(user, facts)
        } else {
            presence_element(&user.user, &user.attributes, facts)
        }
    };
    Primitive::GetPresenceResponse(Box::new(GetPresenceResponse {
        result: Some(result::result(
            values_code(values),
            "",
            &values.details,
            facts,
        )),
        presence: values.users.iter().map(presence).collect(),
    }))
}

/// The overall code: partial success when somebody was found (csp-presence 4.2).
pub fn values_code(values: &PresenceValues) -> StatusCode {
    let mut failures = Failures::new();
    failures.merge(values.details.clone());
    failures.overall(!values.users.is_empty())
}

/// GetPresence-Response with nothing but a Result (csp-access 1.5).
pub fn values_refused(refusal: &Refusal, facts: &Facts<'_>) -> Primitive {
    Primitive::GetPresenceResponse(Box::new(GetPresenceResponse {
        result: Some(result::result(
            refusal.code,
            &refusal.description,
            &refusal.details,
            facts,
        )),
        presence: Vec::new(),
    }))
}

/// PresenceNotification-Request about these publishers, each with all that the session may
/// see (csp-presence 4.5).
pub fn notification<'a>(
    publishers: impl IntoIterator<Item = (&'a UserId, &'a [Attribute])>,
    facts: &Facts<'_>,
) -> Primitive {
    let presence = publishers
        .into_iter()
        .map(|(user, attributes)| presence_element(user, attributes, facts))
        .collect();
    Primitive::PresenceNotificationRequest(Box::new(PresenceNotificationRequest { presence }))
}

/// The attributes without the bulkiest of those that may be left out when a notification
/// is too large for its client: StatusContent, then ContactInfo, then InfoLink
/// (csp-presence 9). `None` when there is none of them.
pub fn lighter(attributes: &[Attribute]) -> Option<Vec<Attribute>> {
    let bulky = [
        AttributeName::StatusContent,
        AttributeName::ContactInfo,
        AttributeName::InfoLink,
    ];
    let drop = bulky
        .into_iter()
        .find(|name| attributes.iter().any(|attribute| attribute.name == *name))?;
    let rest = attributes.iter().filter(|attribute| attribute.name != drop);
    Some(rest.cloned().collect())
}

/// There is always exactly one PresenceSubList, if need be an empty one: without it the
/// Android client loses all presence of the message (clients AND-14).
fn presence_element(user: &UserId, attributes: &[Attribute], facts: &Facts<'_>) -> Presence {
    Presence {
        user_id: Some(text_of(user)),
        presence_sub_list: vec![presence_values::sub_list(attributes, facts.version)],
        ..Presence::default()
    }
}

/// An Alias in a list of its own before all others, if need be made of the user's name: a
/// client takes the first PresenceValue for it, another one fails without it (clients MOV-8).
fn alias_first(user: &UserPresence, facts: &Facts<'_>) -> Presence {
    let (alias, others): (Vec<_>, Vec<_>) = user
        .attributes
        .iter()
        .cloned()
        .partition(|attribute| attribute.name == AttributeName::Alias);
    let given = alias.into_iter().find(|attribute| {
        attribute.qualifier
            && matches!(&attribute.value, AttributeValue::Text(text) if !text.is_empty())
    });
    let alias = given.unwrap_or_else(|| Attribute {
        name: AttributeName::Alias,
        qualifier: true,
        client: None,
        value: AttributeValue::Text(user.user.user().to_owned()),
    });
    let mut presence = presence_element(&user.user, &[alias], facts);
    presence
        .presence_sub_list
        .push(presence_values::sub_list(&others, facts.version));
    presence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily::{Colibria, Standard};
    use crate::mapping::tests::{facts, home, list, user};
    use hamlet_csp::Version;
    use hamlet_csp::elements::{Alias, ContactListIdList, OnlineStatus, User, UserIdList};
    use hamlet_model::Detail;

    fn users(ids: &[&str]) -> Vec<User> {
        ids.iter()
            .map(|id| User {
                user_id: Some((*id).into()),
                ..User::default()
            })
            .collect()
    }

    fn text(name: AttributeName, value: &str) -> Attribute {
        Attribute {
            name,
            qualifier: true,
            client: None,
            value: AttributeValue::Text(value.into()),
        }
    }

    #[test]
    fn both_forms_of_targets_are_read_in_every_version() {
        let home = home();
        let request = GetPresenceRequest {
            user: users(&["bob", "", "a b"]),
            user_id_list: Some(UserIdList {
                user_id: vec!["wv:carol@other.org".into(), "wv:bob".into()],
            }),
            contact_list: vec!["anna/friends".into(), "anna".into()],
            contact_list_id_list: Some(ContactListIdList {
                contact_list: vec!["wv:anna/work@im.example".into()],
            }),
            presence_sub_list: None,
        };
        for version in Version::ALL {
            let get = get(&request, &facts(version, &home, Standard)).unwrap();
            assert_eq!(get.targets.users, [user("bob"), user("carol@other.org")]);
            assert_eq!(
                get.targets.contact_lists,
                [list("anna/friends"), list("anna/work")]
            );
            assert_eq!(get.targets.malformed_users, ["a b"]);
            assert_eq!(get.targets.malformed_lists, ["anna"]);
            assert!(get.attributes.is_empty());
        }
    }

    #[test]
    fn requests_about_nobody_are_bad_requests() {
        let home = home();
        let facts = facts(Version::V1_3, &home, Standard);
        let code = |refusal: Refusal| assert_eq!(refusal.code, StatusCode::BAD_REQUEST);
        code(get(&GetPresenceRequest::default(), &facts).unwrap_err());
        code(subscribe(&SubscribePresenceRequest::default(), &facts).unwrap_err());
        // AND-20: the id in Property(Name, Value) is not seen.
        let odd = UnsubscribePresenceRequest {
            user: vec![User::default()],
            user_id_list: Some(UserIdList::default()),
            ..UnsubscribePresenceRequest::default()
        };
        code(unsubscribe(&odd, &facts).unwrap_err());
        code(update(UpdatePresenceRequest::default()).unwrap_err());
    }

    #[test]
    fn a_subscription_selects_attributes_by_name() {
        let home = home();
        let facts = facts(Version::V1_2, &home, Standard);
        let request = SubscribePresenceRequest {
            user: users(&["bob"]),
            presence_sub_list: Some(PresenceSubList {
                online_status: vec![OnlineStatus::default()],
                alias: Some(Alias::default()),
                ..PresenceSubList::default()
            }),
            auto_subscribe: Some(true),
            ..SubscribePresenceRequest::default()
        };
        let subscribe = subscribe(&request, &facts).unwrap();
        let names: Vec<_> = subscribe.attributes.iter().collect();
        assert_eq!(names, [AttributeName::OnlineStatus, AttributeName::Alias]);
        assert!(subscribe.auto_subscribe);
    }

    #[test]
    fn an_empty_update_changes_nothing() {
        let request = UpdatePresenceRequest {
            presence_sub_list: Some(PresenceSubList::default()),
        };
        assert!(update(request).unwrap().attributes.is_empty());
    }

    #[test]
    fn and_14_everybody_who_was_found_has_a_list_of_attributes() {
        let home = home();
        let mut unknown = Detail::new(StatusCode::UNKNOWN_USER);
        unknown.users.push(user("x"));
        let bob = UserPresence {
            user: user("bob"),
            attributes: Vec::new(),
        };
        for (users, details, code) in [
            (vec![bob.clone()], vec![], 200),
            (vec![bob], vec![unknown.clone()], 201),
            (vec![], vec![unknown], 531),
        ] {
            let found = users.len();
            let values = PresenceValues { users, details };
            for version in Version::ALL {
                let facts = facts(version, &home, Standard);
                let written = values_response(&values, AttributeSet::EMPTY, &facts);
                let Primitive::GetPresenceResponse(response) = written else {
                    panic!("{written:?}");
                };
                assert_eq!(response.result.unwrap().code, Some(code));
                assert_eq!(response.presence.len(), found);
                for presence in response.presence {
                    assert_eq!(presence.presence_sub_list, [PresenceSubList::default()]);
                }
            }
        }
    }

    #[test]
    fn mov_8_the_alias_comes_first_and_is_never_missing() {
        let home = home();
        let facts = facts(Version::V1_2, &home, Colibria);
        for (attributes, alias) in [
            (vec![], "600000001"),
            (vec![text(AttributeName::Alias, "")], "600000001"),
            (
                vec![
                    text(AttributeName::StatusText, "here"),
                    text(AttributeName::Alias, "Ana"),
                ],
                "Ana",
            ),
        ] {
            let values = PresenceValues {
                users: vec![UserPresence {
                    user: user("600000001"),
                    attributes,
                }],
                details: Vec::new(),
            };
            let written = values_response(&values, AttributeSet::EMPTY, &facts);
            let Primitive::GetPresenceResponse(response) = written else {
                panic!("{written:?}");
            };
            let lists = &response.presence[0].presence_sub_list;
            assert_eq!(lists.len(), 2);
            let first = lists[0].alias.as_ref().unwrap();
            assert_eq!(first.presence_value.as_deref(), Some(alias));
            assert_eq!(lists[1].alias, None);

            let asked = AttributeSet::from_iter([AttributeName::StatusText]);
            let written = values_response(&values, asked, &facts);
            let Primitive::GetPresenceResponse(response) = written else {
                panic!("{written:?}");
            };
            assert_eq!(response.presence[0].presence_sub_list.len(), 1);
        }
    }

    #[test]
    fn a_notification_names_each_publisher() {
        let home = home();
        let (bob, carol) = (user("bob"), user("carol"));
        let here = [text(AttributeName::StatusText, "here")];
        let publishers = [(&bob, &here[..]), (&carol, &[][..])];
        for version in Version::ALL {
            let facts = facts(version, &home, Standard);
            let written = notification(publishers, &facts);
            let Primitive::PresenceNotificationRequest(request) = written else {
                panic!("{written:?}");
            };
            let ids: Vec<_> = request
                .presence
                .iter()
                .map(|p| p.user_id.as_deref())
                .collect();
            assert_eq!(
                ids,
                [Some("wv:bob@im.example"), Some("wv:carol@im.example")]
            );
            let first = &request.presence[0].presence_sub_list[0];
            assert_eq!(first.status_text.as_ref().unwrap().qualifier, Some(true));
        }
    }

    #[test]
    fn bulky_attributes_go_one_after_the_other() {
        let all = [
            text(AttributeName::StatusText, "x"),
            text(AttributeName::InfoLink, "x"),
            text(AttributeName::StatusContent, "x"),
            text(AttributeName::ContactInfo, "x"),
        ];
        let names =
            |attributes: &[Attribute]| attributes.iter().map(|a| a.name).collect::<Vec<_>>();
        let first = lighter(&all).unwrap();
        assert!(!names(&first).contains(&AttributeName::StatusContent));
        let second = lighter(&first).unwrap();
        assert!(!names(&second).contains(&AttributeName::ContactInfo));
        let third = lighter(&second).unwrap();
        assert_eq!(names(&third), [AttributeName::StatusText]);
        assert_eq!(lighter(&third), None);
    }
}
