//! The forms of each version (csp-presence 6, 13).

use super::*;
use crate::client_profile::ClientFamily::{Android, Nokia, Standard};
use crate::mapping::tests::{facts, home, list, user};
use hamlet_csp::elements::{Alias, InfoLink, StatusText, UserIdList};

fn text_only() -> PresenceSubList {
    PresenceSubList {
        status_text: Some(StatusText::default()),
        ..PresenceSubList::default()
    }
}

fn set(names: &[AttributeName]) -> AttributeSet {
    names.iter().copied().collect()
}

#[test]
fn users_are_read_bare_and_in_lists() {
    let home = home();
    let request = CreateAttributeListRequest {
        presence_sub_list: Some(text_only()),
        user_id: vec!["bob".into()],
        user_id_list: Some(UserIdList {
            user_id: vec!["wv:carol".into()],
        }),
        ..CreateAttributeListRequest::default()
    };
    for version in Version::ALL {
        let create = create(&request, &facts(version, &home, Standard)).unwrap();
        assert_eq!(create.targets.users, [user("bob"), user("carol")]);
        assert_eq!(create.attributes, Some(set(&[AttributeName::StatusText])));
        assert!(!create.default);
    }
}

#[test]
fn what_is_missing_is_400() {
    let home = home();
    let whole = CreateAttributeListRequest {
        presence_sub_list: Some(PresenceSubList::default()),
        default_list: Some(true),
        ..CreateAttributeListRequest::default()
    };
    let code = |request: &CreateAttributeListRequest, version| {
        create(request, &facts(version, &home, Standard)).map_or_else(|r| r.code.0, |_| 200)
    };
    let no_target = CreateAttributeListRequest {
        default_list: Some(false),
        ..whole.clone()
    };
    let no_set = CreateAttributeListRequest {
        presence_sub_list: None,
        ..whole.clone()
    };
    let only_flag = CreateAttributeListRequest {
        default_notify: Some(false),
        ..CreateAttributeListRequest::default()
    };
    for (request, in_1_1, in_1_2, in_1_3) in [
        (&whole, 200, 200, 200),
        (&no_target, 400, 400, 400),
        (&no_set, 400, 400, 400),
        (&only_flag, 400, 400, 200),
    ] {
        let all = Version::ALL.map(|version| code(request, version));
        assert_eq!(all, [in_1_1, in_1_2, in_1_3], "{request:?}");
    }
}

#[test]
fn an_attribute_that_1_1_does_not_have_is_named() {
    let home = home();
    let request = CreateAttributeListRequest {
        presence_sub_list: Some(PresenceSubList {
            alias: Some(Alias::default()),
            info_link: Some(InfoLink::default()),
            ..PresenceSubList::default()
        }),
        default_list: Some(true),
        ..CreateAttributeListRequest::default()
    };
    let read = |version| create(&request, &facts(version, &home, Standard)).unwrap();
    let old = read(Version::V1_1);
    assert_eq!(old.attributes, Some(set(&[AttributeName::Alias])));
    assert_eq!(old.unsupported, ["InfoLink"]);
    assert!(read(Version::V1_2).unsupported.is_empty());
}

#[test]
fn flags_are_written_in_1_3_alone_and_no_list_is_not_an_empty_one() {
    let home = home();
    let rule = |attributes, notify| Rule { attributes, notify };
    let lists = AttributeLists {
        default: Some(rule(None, true)),
        users: vec![
            (user("bob"), rule(Some(AttributeSet::EMPTY), false)),
            (user("carol"), rule(None, true)),
        ],
        contact_lists: vec![(list("anna/work"), rule(Some(AttributeSet::ALL), true))],
        details: Vec::new(),
    };
    for version in Version::ALL {
        let written = lists_response(&lists, &facts(version, &home, Standard));
        let Primitive::GetAttributeListResponse(response) = written else {
            panic!("{written:?}");
        };
        let is_new = version == Version::V1_3;
        let default = response.default_attribute_list.unwrap();
        assert_eq!(default.default_notify, is_new.then_some(true));
        assert!(default.presence_sub_list.is_empty(), "there is none");
        assert_eq!(response.presence.len(), if is_new { 3 } else { 2 });
        let bob = &response.presence[0];
        assert_eq!(bob.presence_sub_list, [PresenceSubList::default()]);
        assert_eq!(bob.user_notify, is_new.then_some(false));
        let work = response.presence.last().unwrap();
        assert_eq!(work.contact_list_notify, is_new.then_some(true));
    }
}

#[test]
fn a_decision_needs_a_user_and_a_word() {
    let home = home();
    let facts = facts(Version::V1_2, &home, Standard);
    let given = |user_id: Option<&str>, acceptance| PresenceAuthUser {
        user_id: user_id.map(Text::new),
        acceptance,
        presence_sub_list: None,
    };
    for (user_id, acceptance, expected) in [
        (Some("bob"), Some(true), 200),
        (None, Some(true), 400),
        (Some(""), Some(true), 400),
        (Some("bob"), None, 400),
        (Some("a b"), Some(true), 531),
    ] {
        let read = decision(&given(user_id, acceptance), &facts);
        let code = read.map_or_else(|refusal| refusal.code.0, |_| 200);
        assert_eq!(code, expected, "{user_id:?} {acceptance:?}");
    }
    let partly = PresenceAuthUser {
        presence_sub_list: Some(text_only()),
        ..given(Some("bob"), Some(true))
    };
    let read = decision(&partly, &facts).unwrap();
    assert_eq!(read.attributes, Some(set(&[AttributeName::StatusText])));
    let whole = decision(&given(Some("bob"), Some(true)), &facts).unwrap();
    assert_eq!(whole.attributes, None);
}

#[test]
fn a_question_has_the_form_of_the_session() {
    let home = home();
    let question = AuthorizationAsked {
        watcher: user("bob"),
        attributes: AttributeSet::ALL,
        level: AuthorizationLevel::Default,
        contact_lists: Vec::new(),
        ask: true,
        notify: true,
    };
    let tag = |question: &AuthorizationAsked, version, family, asks, wants| {
        let facts = facts(version, &home, family);
        asked(question, &facts, asks, |_| wants).map(|primitive| primitive.tag().name())
    };
    let (auth, notice) = (Some("PresenceAuth-Request"), Some("Notification-Request"));
    let (v11, v12, v13) = (Version::V1_1, Version::V1_2, Version::V1_3);
    for (version, family, asks, wants, expected) in [
        (v11, Standard, true, false, auth),
        (v12, Nokia, true, false, auth),
        (v12, Standard, false, true, None),
        (v13, Standard, false, true, notice),
        (v13, Standard, true, false, None),
        // clients 3.12: it does not know Notification-Request.
        (v13, Android, true, true, auth),
        (v12, Android, true, true, auth),
    ] {
        let got = tag(&question, version, family, asks, wants);
        assert_eq!(got, expected, "{version} {family:?} {asks} {wants}");
    }
    // 6.6: where something has been decided nobody is asked.
    let decided = AuthorizationAsked {
        ask: false,
        ..question.clone()
    };
    assert_eq!(tag(&decided, v12, Standard, true, true), None);
    assert_eq!(tag(&decided, v13, Standard, true, true), notice);
    // 6.7: who does not want to know is asked all the same.
    let quiet = AuthorizationAsked {
        notify: false,
        ..question
    };
    assert_eq!(tag(&quiet, v12, Standard, true, true), auth);
    assert_eq!(tag(&quiet, v13, Standard, true, true), None);
}

#[test]
fn notifications_carry_what_6_7_says() {
    let home = home();
    let facts = facts(Version::V1_3, &home, Standard);
    let of = |level, contact_lists: Vec<_>| {
        let question = AuthorizationAsked {
            watcher: user("bob"),
            attributes: set(&[AttributeName::Alias]),
            level,
            contact_lists,
            ask: false,
            notify: true,
        };
        match asked(&question, &facts, true, |_| true) {
            Some(Primitive::NotificationRequest(request)) => *request,
            other => panic!("{other:?}"),
        }
    };
    use AuthorizationLevel::{ContactList, Default, User};
    for (level, lists, code, default) in [
        (User, vec![], "ANU", None),
        (ContactList, vec![list("anna/work")], "ANC", None),
        (Default, vec![], "AND", Some(true)),
    ] {
        let some_list = !lists.is_empty();
        let request = of(level, lists);
        assert_eq!(request.notification_type.unwrap().as_str(), code);
        assert_eq!(request.default_list, default);
        assert_eq!(request.contact_list_id_list.is_some(), some_list);
        assert_eq!(request.user_id_list.unwrap().user_id.len(), 1);
        assert!(request.presence_sub_list.unwrap().alias.is_some());
    }
}
