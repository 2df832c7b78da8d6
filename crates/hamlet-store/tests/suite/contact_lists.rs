//! csp-presence 2.

use crate::harness::{TestStore, list, on_both_engines, user};
use hamlet_store::{ContactList, Member, StoreError, Tx};

pub fn contact_list(address: &str) -> ContactList {
    ContactList {
        id: list(address),
        display_name: Some("Freunde 😀".into()),
        do_not_notify: false,
        default: false,
    }
}

fn member(name: &str) -> Member {
    Member {
        user: user(name),
        nickname: None,
    }
}

/// Makes lists with members.
fn fill(tx: &mut Tx<'_>, lists: &[(&str, &[&str])]) -> Result<(), StoreError> {
    for (address, members) in lists {
        assert!(tx.create_contact_list(&contact_list(address))?);
        for name in *members {
            tx.put_member(&list(address), &member(name))?;
        }
    }
    Ok(())
}

on_both_engines! {
    async fn lists_come_back_whole_in_the_order_of_their_making(store: &TestStore) {
        let plain = ContactList { display_name: None, do_not_notify: true, ..contact_list("anna/a") };
        let put = plain.clone();
        store
            .write(move |tx| {
                fill(tx, &[("anna/z", &[]), ("ben/b", &[])])?;
                tx.create_contact_list(&put)
            })
            .await;
        let lists = store.read(|tx| tx.contact_lists(&user("anna"))).await;
        assert_eq!(lists, [contact_list("anna/z"), plain.clone()]);
        assert_eq!(store.read(|tx| tx.contact_list(&list("anna/a"))).await, Some(plain));
        assert_eq!(store.read(|tx| tx.contact_list(&list("anna/b"))).await, None);
    }

    async fn a_list_is_made_once(store: &TestStore) {
        store.write(|tx| fill(tx, &[("anna/a", &["ben"])])).await;
        let again = ContactList { display_name: None, default: true, ..contact_list("anna/a") };
        assert!(!store.write(move |tx| tx.create_contact_list(&again)).await);
        let kept = store.read(|tx| tx.contact_list(&list("anna/a"))).await;
        assert_eq!(kept, Some(contact_list("anna/a")));
    }

    async fn one_list_at_most_is_the_default_one(store: &TestStore) {
        let defaults = async || {
            let lists = store.read(|tx| tx.contact_lists(&user("anna"))).await;
            lists.into_iter().filter(|list| list.default).map(|list| list.id.name().to_owned()).collect::<Vec<_>>()
        };
        store
            .write(|tx| {
                fill(tx, &[("anna/a", &[]), ("ben/a", &[])])?;
                assert!(tx.set_default_list(&list("ben/a"))?);
                tx.create_contact_list(&ContactList { default: true, ..contact_list("anna/b") })
            })
            .await;
        assert_eq!(defaults().await, ["b"]);
        assert!(store.write(|tx| tx.set_default_list(&list("anna/a"))).await);
        assert_eq!(defaults().await, ["a"]);
        assert!(!store.write(|tx| tx.set_default_list(&list("anna/none"))).await);
        assert_eq!(defaults().await, ["a"]);
        let ben = store.read(|tx| tx.contact_list(&list("ben/a"))).await;
        assert!(ben.is_some_and(|list| list.default));
    }

    async fn properties_change_and_false_does_not_unset_the_default(store: &TestStore) {
        let changed = ContactList { display_name: None, do_not_notify: true, default: true, ..contact_list("anna/a") };
        let put = changed.clone();
        store
            .write(move |tx| {
                fill(tx, &[("anna/a", &[])])?;
                assert!(tx.set_list_properties(&put)?);
                assert!(tx.set_list_properties(&ContactList { default: false, ..put.clone() })?);
                assert!(!tx.set_list_properties(&contact_list("anna/none"))?);
                Ok(())
            })
            .await;
        assert_eq!(store.read(|tx| tx.contact_list(&list("anna/a"))).await, Some(changed));
    }

    async fn a_deleted_list_takes_its_members_along(store: &TestStore) {
        store.write(|tx| fill(tx, &[("anna/a", &["ben", "carl"]), ("anna/b", &["ben"])])).await;
        assert!(store.write(|tx| tx.delete_contact_list(&list("anna/a"))).await);
        assert!(!store.write(|tx| tx.delete_contact_list(&list("anna/a"))).await);
        store
            .read(|tx| {
                assert_eq!(tx.members(&list("anna/a"))?, []);
                assert_eq!(tx.contacts_of(&user("anna"))?, [user("ben")]);
                assert_eq!(tx.lists_with(&user("carl"))?, []);
                Ok(())
            })
            .await;
    }

    async fn a_member_is_added_renamed_and_removed(store: &TestStore) {
        let named = Member { nickname: Some("Benni".into()), ..member("ben") };
        let put = named.clone();
        store
            .write(move |tx| {
                fill(tx, &[("anna/a", &["zoe", "ben", "carl"])])?;
                tx.put_member(&list("anna/a"), &put)?;
                assert!(tx.remove_member(&list("anna/a"), &user("carl"))?);
                assert!(!tx.remove_member(&list("anna/a"), &user("carl"))?);
                Ok(())
            })
            .await;
        let members = store.read(|tx| tx.members(&list("anna/a"))).await;
        assert_eq!(members, [member("zoe"), named]);
        assert_eq!(store.read(|tx| tx.count_members(&list("anna/a"))).await, 2);
    }

    async fn a_list_that_does_not_exist_takes_no_member(store: &TestStore) {
        let refused = store.store().write(|tx| tx.put_member(&list("anna/a"), &member("ben"))).await;
        assert!(matches!(refused, Err(StoreError::Constraint(_))), "{refused:?}");
    }

    async fn who_is_in_whose_lists_can_be_asked_from_both_sides(store: &TestStore) {
        store
            .write(|tx| fill(tx, &[("anna/a", &["ben", "carl"]), ("anna/b", &["ben"]), ("carl/x", &["ben", "anna"])]))
            .await;
        store
            .read(|tx| {
                let [anna, ben, carl] = ["anna", "ben", "carl"].map(user);
                assert!(tx.in_lists_of(&anna, &ben)?);
                assert!(tx.in_lists_of(&carl, &anna)?);
                assert!(!tx.in_lists_of(&ben, &anna)?);
                assert!(!tx.in_lists_of(&anna, &user("zoe"))?);
                assert_eq!(tx.lists_with(&ben)?, ["anna/a", "anna/b", "carl/x"].map(list));
                assert_eq!(tx.contacts_of(&anna)?, [ben.clone(), carl.clone()]);
                assert_eq!(tx.count_contacts(&anna)?, 3);
                assert_eq!(tx.count_members(&list("anna/a"))?, 2);
                assert_eq!(tx.count_members(&list("anna/none"))?, 0);
                Ok(())
            })
            .await;
    }
}
