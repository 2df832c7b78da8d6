//! csp-presence 6: attribute lists, and what publishers were asked.

use crate::contact_lists::contact_list;
use crate::harness::{TestStore, at, list, on_both_engines, user};
use hamlet_model::presence::{AttributeName, AttributeSet};
use hamlet_store::{
    Account, AccountStatus, AttributeList, AttributeTarget, Member, ReactiveAuthorization,
    ReactiveState,
};

fn alias() -> AttributeSet {
    AttributeSet::from_iter([AttributeName::Alias])
}

pub fn attribute_list(
    target: AttributeTarget,
    attributes: Option<AttributeSet>,
    notify: bool,
) -> AttributeList {
    AttributeList {
        target,
        attributes,
        notify,
    }
}

pub fn asked(watcher: &str, state: ReactiveState, since: i64) -> ReactiveAuthorization {
    ReactiveAuthorization {
        watcher: user(watcher),
        state,
        requested: AttributeSet::ALL,
        since: at(since),
        told: at(since),
        missing: alias(),
        push: (state == ReactiveState::Pending).then(|| format!("question about {watcher}")),
    }
}

fn account(name: &str) -> Account {
    Account {
        user: user(name),
        credential: None,
        status: AccountStatus::Active,
        created: at(1),
    }
}

on_both_engines! {
    async fn each_target_has_one_list_and_none_is_not_an_empty_one(store: &TestStore) {
        store
            .write(|tx| {
                let anna = user("anna");
                let ben = AttributeTarget::User(user("ben"));
                let friends = AttributeTarget::ContactList(list("anna/friends"));
                tx.create_contact_list(&contact_list("anna/friends"))?;
                assert!(tx.attribute_lists(&anna)?.is_empty());
                let all = [
                    attribute_list(AttributeTarget::Default, None, true),
                    attribute_list(friends.clone(), Some(alias()), true),
                    attribute_list(ben.clone(), Some(AttributeSet::EMPTY), false),
                ];
                for one in &all {
                    tx.put_attribute_list(&anna, one)?;
                }
                assert_eq!(tx.attribute_lists(&anna)?, all);
                assert!(tx.attribute_lists(&user("ben"))?.is_empty());
                assert_eq!(tx.authorizers_of(&user("ben"))?, std::slice::from_ref(&anna));
                // In place of the earlier one, both ways.
                let some = attribute_list(AttributeTarget::Default, Some(AttributeSet::ALL), false);
                tx.put_attribute_list(&anna, &some)?;
                assert_eq!(tx.attribute_list(&anna, &AttributeTarget::Default)?, Some(some));
                let none = attribute_list(ben.clone(), None, true);
                tx.put_attribute_list(&anna, &none)?;
                assert_eq!(tx.attribute_list(&anna, &ben)?, Some(none));
                assert!(tx.remove_attribute_list(&anna, &ben)?);
                assert!(!tx.remove_attribute_list(&anna, &ben)?);
                assert_eq!(tx.attribute_list(&anna, &ben)?, None);
                // With the contact list goes its attribute list.
                tx.delete_contact_list(&list("anna/friends"))?;
                assert_eq!(tx.attribute_list(&anna, &friends)?, None);
                assert_eq!(tx.attribute_lists(&anna)?.len(), 1);
                Ok(())
            })
            .await;
    }

    async fn memberships_are_told_list_by_list(store: &TestStore) {
        store
            .write(|tx| {
                for (id, members) in [("anna/a", &["ben", "carl"][..]), ("anna/b", &["ben"]), ("carl/a", &["anna"])] {
                    tx.create_contact_list(&contact_list(id))?;
                    for name in members {
                        let member = Member { user: user(name), nickname: None };
                        tx.put_member(&list(id), &member)?;
                    }
                }
                let mut all = tx.memberships(&user("anna"))?;
                all.sort_unstable();
                let expected = [("anna/a", "ben"), ("anna/a", "carl"), ("anna/b", "ben")];
                assert_eq!(all, expected.map(|(id, name)| (list(id), user(name))));
                Ok(())
            })
            .await;
    }

    async fn questions_are_kept_until_they_are_answered_or_too_old(store: &TestStore) {
        store
            .write(|tx| {
                let anna = user("anna");
                let all = [
                    asked("ben", ReactiveState::Pending, 10),
                    asked("carl", ReactiveState::Granted, 20),
                    asked("dora", ReactiveState::Denied, 30),
                    asked("emil", ReactiveState::Told, 40),
                ];
                for one in &all {
                    tx.put_reactive_authorization(&anna, one)?;
                    let kept = tx.reactive_authorization(&anna, &one.watcher)?;
                    assert_eq!(kept.as_ref(), Some(one));
                }
                // The latest first; who was only told about is nobody's question.
                let shown = tx.reactive_authorizations(&anna, 9)?;
                assert_eq!(shown, [all[2].clone(), all[1].clone(), all[0].clone()]);
                assert_eq!(tx.reactive_authorizations(&anna, 1)?.len(), 1);
                assert_eq!(tx.count_unanswered(&anna)?, 2);
                assert_eq!(tx.purge_unanswered(at(39), at(9))?, 0);
                assert_eq!(tx.purge_unanswered(at(40), at(9))?, 1);
                assert_eq!(tx.purge_unanswered(at(40), at(10))?, 1);
                assert_eq!(tx.count_unanswered(&anna)?, 0);
                assert_eq!(tx.reactive_authorizations(&anna, 9)?.len(), 2, "decisions stay");
                let gone = tx.remove_reactive_authorization(&anna, &user("carl"))?;
                assert_eq!(gone.as_ref(), Some(&all[1]));
                assert_eq!(tx.remove_reactive_authorization(&anna, &user("carl"))?, None);
                Ok(())
            })
            .await;
    }

    async fn an_account_takes_what_was_decided_by_and_about_it(store: &TestStore) {
        store
            .write(|tx| {
                let (anna, ben) = (user("anna"), user("ben"));
                for name in ["anna", "ben"] {
                    tx.create_account(&account(name))?;
                }
                for (owner, other) in [(&anna, &ben), (&ben, &anna)] {
                    let target = AttributeTarget::User(other.clone());
                    tx.put_attribute_list(owner, &attribute_list(target, Some(alias()), false))?;
                    let row = asked(other.user(), ReactiveState::Granted, 1);
                    tx.put_reactive_authorization(owner, &row)?;
                    tx.note_access(owner, std::slice::from_ref(other), at(1))?;
                }
                tx.delete_account(&anna)?;
                for (owner, other) in [(&anna, &ben), (&ben, &anna)] {
                    assert!(tx.attribute_lists(owner)?.is_empty());
                    assert_eq!(tx.reactive_authorization(owner, other)?, None);
                    assert!(tx.former_watchers(owner, at(0), 9)?.is_empty());
                }
                Ok(())
            })
            .await;
    }
}
