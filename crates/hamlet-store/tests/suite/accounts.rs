//! Accounts, and what goes with them.

use crate::harness::{TestStore, at, list, on_both_engines, session, user};
use crate::sessions::stored_session;
use hamlet_model::presence::{Attribute, AttributeName, AttributeSet, AttributeValue};
use hamlet_store::{
    Account, AccountStatus, ContactList, MailboxEntry, MailboxKind, Member, Quota, Subscriber,
    Subscription,
};

fn account(name: &str) -> Account {
    Account {
        user: user(name),
        credential: Some(vec![0, 1, 255]),
        status: AccountStatus::Active,
        created: at(5),
    }
}

async fn create(store: &TestStore, names: &'static [&'static str]) {
    store
        .write(move |tx| {
            for name in names {
                assert!(tx.create_account(&account(name))?);
            }
            Ok(())
        })
        .await;
}

on_both_engines! {
    async fn an_account_is_made_once_and_comes_back_whole(store: &TestStore) {
        create(store, &["anna"]).await;
        let other = Account { credential: None, ..account("anna") };
        assert!(!store.write(move |tx| tx.create_account(&other)).await);
        assert_eq!(store.read(|tx| tx.account(&user("anna"))).await, Some(account("anna")));
        assert_eq!(store.read(|tx| tx.account(&user("ben"))).await, None);
    }

    async fn credential_and_status_can_be_changed(store: &TestStore) {
        create(store, &["anna", "ben"]).await;
        store
            .write(|tx| {
                assert!(tx.set_credential(&user("anna"), None)?);
                assert!(tx.set_account_status(&user("anna"), AccountStatus::Barred)?);
                assert!(!tx.set_credential(&user("carl"), Some(b"x"))?);
                assert!(!tx.set_account_status(&user("carl"), AccountStatus::Barred)?);
                Ok(())
            })
            .await;
        let changed = Account {
            credential: None,
            status: AccountStatus::Barred,
            ..account("anna")
        };
        assert_eq!(store.read(|tx| tx.account(&user("anna"))).await, Some(changed));
        assert_eq!(store.read(|tx| tx.account(&user("ben"))).await, Some(account("ben")));
    }

    async fn accounts_are_listed_in_pages(store: &TestStore) {
        create(store, &["carl", "anna", "änna", "ben", "ben2", "be-n"]).await;
        let mut found = Vec::new();
        loop {
            let after = found.last().cloned();
            let page = store.read(move |tx| tx.accounts(after.as_ref(), 2)).await;
            if page.is_empty() {
                break;
            }
            found.extend(page.into_iter().map(|account| account.user));
        }
        assert_eq!(found.len(), 6);
        assert!(found.is_sorted());
    }

    async fn of_some_users_those_that_exist_are_told(store: &TestStore) {
        create(store, &["anna", "ben"]).await;
        let asked = ["anna", "carl", "ben", "anna"].map(user);
        let found = store.read(move |tx| tx.existing(&asked)).await;
        assert_eq!(found, ["anna", "ben"].map(user).into());
        assert!(store.read(|tx| tx.existing(&[])).await.is_empty());
    }

    async fn a_deleted_account_takes_everything_of_the_user_with_it(store: &TestStore) {
        create(store, &["anna", "ben"]).await;
        for name in ["anna", "ben"] {
            store.write(move |tx| furnish(tx, name)).await;
        }
        assert!(store.write(|tx| tx.delete_account(&user("anna"))).await);
        assert!(!store.write(|tx| tx.delete_account(&user("anna"))).await);
        store
            .read(|tx| {
                let anna = user("anna");
                assert_eq!(tx.account(&anna)?, None);
                assert_eq!(tx.sessions_of(&anna)?, []);
                assert_eq!(tx.remembered("s-anna", "1")?, None);
                assert_eq!(tx.contact_lists(&anna)?, []);
                assert_eq!(tx.members(&list("anna/friends"))?, []);
                assert_eq!(tx.presence(&anna)?, []);
                assert_eq!(tx.profile(&anna)?, None);
                assert_eq!(tx.mailbox(&anna, 10)?, []);
                assert_eq!(tx.subscribers_of(&anna)?, []);
                assert_eq!(tx.subscriptions_of(&subscriber("anna"))?, []);
                // What is others' stays, and they keep the user in their lists.
                assert_eq!(tx.waiting_users()?, [user("ben")]);
                assert_eq!(tx.sessions_of(&user("ben"))?.len(), 1);
                assert_eq!(tx.presence(&user("ben"))?.len(), 1);
                assert_eq!(tx.members(&list("ben/friends"))?.len(), 2);
                assert_eq!(tx.subscriptions_of(&subscriber("ben"))?.len(), 1);
                let marks = tx.all_auto_subscriptions()?;
                assert_eq!(marks, [(session("s-ben"), list("ben/friends"), AttributeSet::ALL)]);
                Ok(())
            })
            .await;
    }

    async fn a_mailbox_of_a_deleted_account_is_empty_for_the_next(store: &TestStore) {
        create(store, &["anna"]).await;
        store.write(|tx| furnish(tx, "anna")).await;
        store.write(|tx| tx.delete_account(&user("anna"))).await;
        let quota = Quota { messages: 1, bytes: 100 };
        let put = store.write(move |tx| tx.put_mailbox(&waiting("anna"), &quota)).await;
        assert_eq!(put, hamlet_store::Put::Stored);
    }
}

fn subscriber(name: &str) -> Subscriber {
    Subscriber::Session {
        id: session(&format!("s-{name}")),
        user: user(name),
    }
}

fn waiting(name: &str) -> MailboxEntry {
    MailboxEntry {
        recipient: user(name),
        id: "m1".into(),
        kind: MailboxKind::Message,
        expires: at(9),
        size: 1,
        payload: vec![1],
    }
}

/// Gives a user one of everything.
fn furnish(tx: &mut hamlet_store::Tx<'_>, name: &str) -> Result<(), hamlet_store::StoreError> {
    let (owner, friends) = (user(name), list(&format!("{name}/friends")));
    tx.put_session(&stored_session(&format!("s-{name}"), name))?;
    tx.remember(&format!("s-{name}"), "1", 1, b"answer", at(1))?;
    tx.create_contact_list(&ContactList {
        id: friends.clone(),
        display_name: None,
        do_not_notify: false,
        default: true,
    })?;
    for member in ["anna", "ben"] {
        let member = Member {
            user: user(member),
            nickname: None,
        };
        tx.put_member(&friends, &member)?;
    }
    let quota = Quota {
        messages: 9,
        bytes: 100,
    };
    tx.put_mailbox(&waiting(name), &quota)?;
    let alias = Attribute {
        name: AttributeName::Alias,
        qualifier: true,
        client: None,
        value: AttributeValue::Text(name.into()),
    };
    tx.put_presence(&owner, &[alias])?;
    let to = |publisher: &str| Subscription {
        subscriber: subscriber(name),
        publisher: user(publisher),
        attributes: AttributeSet::ALL,
        via: Some(friends.clone()),
    };
    tx.put_subscriptions(&[to("anna"), to("ben")])?;
    tx.put_auto_subscription(&session(&format!("s-{name}")), &friends, AttributeSet::ALL)
}
