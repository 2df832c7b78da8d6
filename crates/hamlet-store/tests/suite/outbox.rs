//! What is on its way to other domains.

use crate::harness::{TestStore, at, on_both_engines};
use hamlet_model::Domain;
use hamlet_store::{NewOutboxEntry, OutboxEntry};

fn domain(name: &str) -> Domain {
    Domain::parse(name).expect("domain")
}

fn new_entry(destination: &str, next_attempt: i64) -> NewOutboxEntry {
    NewOutboxEntry {
        destination: domain(destination),
        payload: vec![0, 1, 2],
        expires: at(100),
        next_attempt: at(next_attempt),
    }
}

async fn put(store: &TestStore, destination: &'static str, next_attempt: i64) -> i64 {
    store
        .write(move |tx| tx.put_outbox(&new_entry(destination, next_attempt)))
        .await
}

fn ids(entries: Vec<OutboxEntry>) -> Vec<i64> {
    entries.into_iter().map(|entry| entry.id).collect()
}

on_both_engines! {
    async fn entries_come_back_whole_and_when_they_are_due(store: &TestStore) {
        let late = put(store, "a.example", 20).await;
        let early = put(store, "a.example", 10).await;
        let other = put(store, "b.example", 10).await;
        let due = |secs, limit| store.read(move |tx| tx.outbox_due(at(secs), limit));
        assert!(due(9, 10).await.is_empty());
        assert_eq!(ids(due(10, 10).await), [early, other]);
        assert_eq!(ids(due(30, 10).await), [early, other, late]);
        assert_eq!(ids(due(30, 1).await), [early]);
        let entry = OutboxEntry {
            id: late,
            destination: domain("a.example"),
            payload: vec![0, 1, 2],
            expires: at(100),
            attempts: 0,
            next_attempt: at(20),
        };
        assert_eq!(store.read(move |tx| tx.outbox_entry(late)).await, Some(entry));
    }

    async fn an_entry_is_put_off_without_an_attempt(store: &TestStore) {
        let id = put(store, "a.example", 10).await;
        assert!(store.write(move |tx| tx.put_off_outbox(id, at(50))).await);
        assert!(store.read(|tx| tx.outbox_due(at(49), 10)).await.is_empty());
        let due = store.read(|tx| tx.outbox_due(at(50), 10)).await;
        assert_eq!((due.len(), due[0].attempts), (1, 0));
        assert!(!store.write(move |tx| tx.put_off_outbox(id + 1, at(50))).await);
    }

    async fn a_domain_s_entries_are_read_in_order_and_in_pages(store: &TestStore) {
        let mut expected = Vec::new();
        for _ in 0..3 {
            expected.push(put(store, "a.example", 10).await);
            put(store, "b.example", 10).await;
        }
        let page = |after| store.read(move |tx| tx.outbox_of(&domain("a.example"), after, 2));
        assert_eq!(ids(page(0).await), expected[..2]);
        assert_eq!(ids(page(expected[1]).await), expected[2..]);
        let destinations = store.read(|tx| tx.outbox_destinations()).await;
        assert_eq!(destinations, ["a.example", "b.example"].map(domain));
    }

    async fn a_failed_attempt_is_counted_and_put_off(store: &TestStore) {
        let id = put(store, "a.example", 10).await;
        assert!(store.write(move |tx| tx.retry_outbox(id, at(50))).await);
        assert!(store.write(move |tx| tx.retry_outbox(id, at(60))).await);
        assert!(!store.write(move |tx| tx.retry_outbox(id + 1, at(60))).await);
        let entry = store.read(move |tx| tx.outbox_entry(id)).await.expect("entry");
        assert_eq!((entry.attempts, entry.next_attempt), (2, at(60)));
        assert!(store.read(|tx| tx.outbox_due(at(59), 10)).await.is_empty());
    }

    async fn a_number_is_never_given_again(store: &TestStore) {
        let mut last = 0;
        for _ in 0..5 {
            let id = put(store, "a.example", 10).await;
            assert!(id > last);
            last = id;
            assert!(store.write(move |tx| tx.remove_outbox(id)).await);
            assert!(!store.write(move |tx| tx.remove_outbox(id)).await);
        }
    }

    async fn expired_entries_are_taken_and_no_others(store: &TestStore) {
        let expiring = |secs| move |tx: &mut hamlet_store::Tx<'_>| {
            tx.put_outbox(&NewOutboxEntry { expires: at(secs), ..new_entry("a.example", 1) })
        };
        let first = store.write(expiring(20)).await;
        let second = store.write(expiring(10)).await;
        let third = store.write(expiring(21)).await;
        let taken = store.write(|tx| tx.take_expired_outbox(at(20), 10)).await;
        assert_eq!(ids(taken), [first, second]);
        assert_eq!(ids(store.read(|tx| tx.outbox_due(at(99), 10)).await), [third]);
    }
}
