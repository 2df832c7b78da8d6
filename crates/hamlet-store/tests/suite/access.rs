//! Block and grant lists (csp-im 11).

use crate::contact_lists::contact_list;
use crate::harness::{TestStore, list, on_both_engines, user};
use hamlet_model::AccessSide::{Block, Grant};
use hamlet_model::{AccessEntity, AccessLists, ApplicationId, Domain, GroupId};
use hamlet_store::{AccessProbe, Account, AccountStatus, Member, StoreError, Tx};
use std::collections::HashSet;

fn group(name: &str) -> GroupId {
    GroupId::parse(name, &Domain::parse("im.example").unwrap()).unwrap()
}

fn screen_name(name: &str, of: &str) -> AccessEntity {
    AccessEntity::ScreenName {
        name: name.into(),
        group: group(of),
    }
}

fn every_kind() -> Vec<AccessEntity> {
    vec![
        AccessEntity::User(user("anna")),
        screen_name("Çelik 😀", "/g"),
        AccessEntity::Group(group("/g")),
        AccessEntity::ContactList(list("bo/friends")),
        AccessEntity::Application(ApplicationId::new("chess")),
    ]
}

fn probe(name: &str) -> AccessProbe {
    AccessProbe {
        user: user(name),
        application: None,
        group: None,
    }
}

fn block(tx: &mut Tx<'_>, owner: &str, entities: &[AccessEntity]) -> Result<(), StoreError> {
    tx.set_access_in_use(&user(owner), Block, true)?;
    for entity in entities {
        tx.put_access_entity(&user(owner), Block, entity)?;
    }
    Ok(())
}

on_both_engines! {
    async fn who_blocks_a_user_by_himself_or_in_a_contact_list_is_known(store: &TestStore) {
        let by_anna = store
            .write(|tx| {
                tx.create_contact_list(&contact_list("cy/friends"))?;
                let anna = Member { user: user("anna"), nickname: None };
                tx.put_member(&list("cy/friends"), &anna)?;
                block(tx, "bo", &[AccessEntity::User(user("anna"))])?;
                block(tx, "cy", &[AccessEntity::ContactList(list("cy/friends"))])?;
                block(tx, "di", &[AccessEntity::User(user("eve"))])?;
                // Not in use; and the other list.
                tx.put_access_entity(&user("flo"), Block, &AccessEntity::User(user("anna")))?;
                tx.set_access_in_use(&user("gil"), Block, true)?;
                tx.put_access_entity(&user("gil"), Grant, &AccessEntity::User(user("anna")))?;
                tx.users_blocking(&user("anna"), 10)
            })
            .await;
        assert_eq!(by_anna, HashSet::from([user("bo"), user("cy")]));
        let one = store.read(|tx| tx.users_blocking(&user("anna"), 1)).await;
        assert_eq!(one.len(), 1);
    }

    async fn lists_come_back_whole_in_the_order_of_their_making(store: &TestStore) {
        let none = store.read(|tx| tx.access_lists(&user("bo"))).await;
        assert_eq!(none, AccessLists::default());
        store
            .write(|tx| {
                for entity in every_kind() {
                    assert!(tx.put_access_entity(&user("bo"), Block, &entity)?);
                    assert!(!tx.put_access_entity(&user("bo"), Block, &entity)?, "it is there");
                }
                assert!(tx.put_access_entity(&user("bo"), Grant, &every_kind()[1])?);
                tx.set_access_in_use(&user("bo"), Grant, true)
            })
            .await;
        let mut expected = AccessLists::default();
        expected.block.entities = every_kind();
        expected.grant.in_use = true;
        expected.grant.entities = vec![every_kind().swap_remove(1)];
        assert_eq!(store.read(|tx| tx.access_lists(&user("bo"))).await, expected);
        store
            .write(|tx| {
                for entity in every_kind() {
                    assert!(tx.remove_access_entity(&user("bo"), Block, &entity)?);
                    assert!(!tx.remove_access_entity(&user("bo"), Block, &entity)?);
                }
                tx.set_access_in_use(&user("bo"), Grant, false)
            })
            .await;
        expected.block.entities.clear();
        expected.grant.in_use = false;
        assert_eq!(store.read(|tx| tx.access_lists(&user("bo"))).await, expected);
    }

    async fn only_lists_that_can_keep_somebody_out_are_worth_asking(store: &TestStore) {
        let found = store
            .write(|tx| {
                // Not in use; in use but empty; in use; the other one in use and empty.
                tx.put_access_entity(&user("a"), Block, &AccessEntity::User(user("x")))?;
                tx.set_access_in_use(&user("b"), Block, true)?;
                block(tx, "c", &[AccessEntity::User(user("x"))])?;
                tx.set_access_in_use(&user("d"), Grant, true)?;
                tx.who_can_refuse(&["a", "b", "c", "d", "e"].map(user))
            })
            .await;
        assert_eq!(found, HashSet::from(["c", "d"].map(user)));
    }

    async fn lists_are_told_about_one_initiator(store: &TestStore) {
        let (plain, through, game) = store
            .write(|tx| {
                let other = [screen_name("Di", "/h"), AccessEntity::Group(group("/h"))];
                block(tx, "bo", &[&every_kind()[..], &other].concat())?;
                tx.set_access_in_use(&user("carl"), Grant, true)?;
                let both = ["bo", "carl", "nobody"].map(user);
                let plain = tx.access_lists_about(&both, &probe("anna"))?;
                let through = AccessProbe { group: Some(group("/g")), ..probe("eve") };
                let through = tx.access_lists_about(&both, &through)?;
                let game = AccessProbe {
                    application: Some(ApplicationId::new("chess")),
                    ..probe("eve")
                };
                Ok((plain, through, tx.access_lists_about(&both, &game)?))
            })
            .await;
        assert_eq!(plain.len(), 2);
        assert!(plain[&user("carl")].grant.in_use && !plain[&user("carl")].block.in_use);
        let named = |lists: &AccessLists| -> HashSet<AccessEntity> {
            lists.block.entities.iter().cloned().collect()
        };
        let pick = |at: &[usize]| at.iter().map(|at| every_kind().swap_remove(*at)).collect::<HashSet<_>>();
        // Contact lists are always among them: who is in one is another question.
        assert_eq!(named(&plain[&user("bo")]), pick(&[0, 3]));
        assert_eq!(named(&through[&user("bo")]), pick(&[1, 2, 3]));
        assert_eq!(named(&game[&user("bo")]), pick(&[3, 4]));
    }

    async fn a_contact_list_that_is_gone_is_named_no_more(store: &TestStore) {
        let friends = AccessEntity::ContactList(list("bo/friends"));
        let of_bo = friends.clone();
        let (first, second) = store
            .write(move |tx| {
                block(tx, "bo", std::slice::from_ref(&of_bo))?;
                tx.put_access_entity(&user("bo"), Grant, &of_bo)?;
                block(tx, "carl", std::slice::from_ref(&of_bo))?;
                let first = tx.forget_in_access_lists(&list("bo/friends"))?;
                Ok((first, tx.forget_in_access_lists(&list("bo/friends"))?))
            })
            .await;
        assert_eq!((first, second), (vec![Block, Grant], vec![]));
        assert!(store.read(|tx| tx.access_lists(&user("bo"))).await.block.entities.is_empty());
        assert_eq!(store.read(|tx| tx.access_lists(&user("carl"))).await.block.entities, [friends]);
    }

    async fn members_are_looked_up_in_the_lists_in_question(store: &TestStore) {
        let found = store
            .write(|tx| {
                for name in ["bo/a", "bo/b", "bo/c"] {
                    tx.create_contact_list(&contact_list(name))?;
                }
                for name in ["bo/a", "bo/c"] {
                    tx.put_member(&list(name), &Member { user: user("anna"), nickname: None })?;
                }
                tx.lists_among_with(&["bo/a", "bo/b", "bo/none"].map(list), &user("anna"))
            })
            .await;
        assert_eq!(found, HashSet::from([list("bo/a")]));
    }

    async fn lists_go_with_the_account(store: &TestStore) {
        store
            .write(|tx| {
                tx.create_account(&Account {
                    user: user("bo"),
                    credential: None,
                    status: AccountStatus::Active,
                    created: hamlet_model::Timestamp::from_secs(1),
                })?;
                block(tx, "bo", &every_kind())?;
                tx.delete_account(&user("bo")).map(drop)
            })
            .await;
        assert_eq!(store.read(|tx| tx.access_lists(&user("bo"))).await, AccessLists::default());
    }
}
