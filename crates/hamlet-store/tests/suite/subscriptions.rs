//! csp-presence 4.3, 4.4, 4.6.

use crate::contact_lists::contact_list;
use crate::harness::{TestStore, list, on_both_engines, session, user};
use hamlet_model::presence::{AttributeName, AttributeSet};
use hamlet_store::{StoreError, Subscriber, Subscription};

fn by_session(id: &str) -> Subscriber {
    Subscriber::Session {
        id: session(id),
        user: user("anna"),
    }
}

fn by_domain(address: &str) -> Subscriber {
    Subscriber::Domain {
        user: user(address),
    }
}

fn alias() -> AttributeSet {
    AttributeSet::from_iter([AttributeName::Alias])
}

fn subscription(subscriber: &Subscriber, publisher: &str, via: Option<&str>) -> Subscription {
    Subscription {
        subscriber: subscriber.clone(),
        publisher: user(publisher),
        attributes: AttributeSet::ALL,
        via: via.map(list),
    }
}

async fn put(store: &TestStore, subscriptions: Vec<Subscription>) {
    store
        .write(move |tx| tx.put_subscriptions(&subscriptions))
        .await;
}

on_both_engines! {
    async fn subscriptions_are_found_from_both_ends(store: &TestStore) {
        let (s1, s2, other) = (by_session("s1"), by_session("s2"), by_domain("zoe@other.example"));
        let all = vec![
            subscription(&s1, "ben", None),
            subscription(&s1, "ben", Some("anna/a")),
            subscription(&s1, "carl", Some("anna/a")),
            subscription(&s2, "ben", None),
            subscription(&other, "ben", None),
        ];
        put(store, all.clone()).await;
        put(store, Vec::new()).await;
        let of_s1 = store.read(|tx| tx.subscriptions_of(&by_session("s1"))).await;
        assert_eq!(of_s1, all[..3]);
        let of_other = store.read(move |tx| tx.subscriptions_of(&other)).await;
        assert_eq!(of_other, all[4..]);
        let to_ben = store.read(|tx| tx.subscribers_of(&user("ben"))).await;
        assert_eq!(to_ben.len(), 4);
        let every = store
            .read(|tx| {
                let mut every = Vec::new();
                tx.all_subscriptions(|each| every.push(each))?;
                Ok(every)
            })
            .await;
        assert_eq!(every.len(), 5);
        assert!(all.iter().all(|each| every.contains(each)));
    }

    async fn a_later_subscription_replaces_the_attributes(store: &TestStore) {
        let s1 = by_session("s1");
        let narrow = Subscription { attributes: alias(), ..subscription(&s1, "ben", None) };
        put(store, vec![subscription(&s1, "ben", Some("anna/a")), subscription(&s1, "ben", None)]).await;
        put(store, vec![subscription(&s1, "ben", None), narrow.clone()]).await;
        let found = store.read(move |tx| tx.subscriptions_of(&s1)).await;
        assert_eq!(found, [narrow, subscription(&by_session("s1"), "ben", Some("anna/a"))]);
    }

    async fn subscriptions_end_by_publisher_by_list_and_by_session(store: &TestStore) {
        let (s1, s2, other) = (by_session("s1"), by_session("s2"), by_domain("zoe@other.example"));
        let mut all = Vec::new();
        for subscriber in [&s1, &s2, &other] {
            all.push(subscription(subscriber, "ben", None));
            all.push(subscription(subscriber, "carl", None));
        }
        for via in ["anna/a", "anna/b"] {
            all.push(subscription(&s1, "ben", Some(via)));
            all.push(subscription(&s1, "carl", Some(via)));
        }
        put(store, all).await;
        store
            .write(move |tx| {
                assert_eq!(tx.remove_list_subscriptions(&s1, &list("anna/b"))?, 2);
                assert_eq!(tx.remove_subscriptions_via(&s1, &[user("ben")], Some(&list("anna/a")))?, 1);
                assert_eq!(tx.remove_subscriptions_via(&s1, &[user("ben"), user("zoe")], None)?, 1);
                assert_eq!(tx.remove_subscriptions(&s1, &[user("ben"), user("carl")])?, 2);
                assert_eq!(tx.subscriptions_of(&s1)?, []);
                assert_eq!(tx.remove_session_subscriptions(&session("s2"))?, 2);
                assert_eq!(tx.remove_session_subscriptions(&session(""))?, 0);
                assert_eq!(tx.remove_subscriptions(&other, &[user("ben")])?, 1);
                assert_eq!(tx.subscriptions_of(&other)?, [subscription(&other, "carl", None)]);
                Ok(())
            })
            .await;
    }

    async fn lists_are_marked_by_session_until_the_session_or_the_list_ends(store: &TestStore) {
        store
            .write(|tx| {
                for address in ["anna/a", "anna/b"] {
                    tx.create_contact_list(&contact_list(address))?;
                    tx.put_auto_subscription(&session("s1"), &list(address), AttributeSet::ALL)?;
                }
                tx.put_auto_subscription(&session("s2"), &list("anna/a"), AttributeSet::ALL)?;
                tx.put_auto_subscription(&session("s1"), &list("anna/a"), alias())?;
                Ok(())
            })
            .await;
        let marks = store.read(|tx| tx.auto_subscriptions(&list("anna/a"))).await;
        assert_eq!(marks, [(session("s1"), alias()), (session("s2"), AttributeSet::ALL)]);
        assert_eq!(store.read(|tx| tx.all_auto_subscriptions()).await.len(), 3);
        store
            .write(|tx| {
                assert!(tx.remove_auto_subscription(&session("s2"), &list("anna/a"))?);
                assert!(!tx.remove_auto_subscription(&session("s2"), &list("anna/a"))?);
                tx.delete_contact_list(&list("anna/a"))?;
                assert_eq!(tx.all_auto_subscriptions()?.len(), 1);
                tx.remove_session_subscriptions(&session("s1"))?;
                assert_eq!(tx.all_auto_subscriptions()?, []);
                Ok(())
            })
            .await;
    }

    async fn a_list_that_does_not_exist_is_not_marked(store: &TestStore) {
        let refused = store
            .store()
            .write(|tx| tx.put_auto_subscription(&session("s1"), &list("anna/a"), alias()))
            .await;
        assert!(matches!(refused, Err(StoreError::Constraint(_))), "{refused:?}");
    }
}
