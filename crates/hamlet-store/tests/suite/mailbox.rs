//! csp-im 2.6, 6, 9.

use crate::harness::{TestStore, at, on_both_engines, user};
use hamlet_store::{MAX_REPORTS, MailboxEntry, MailboxKind, Put, Quota};

const QUOTA: Quota = Quota {
    messages: 1000,
    bytes: 1_000_000,
};

pub fn message(recipient: &str, id: &str) -> MailboxEntry {
    MailboxEntry {
        recipient: user(recipient),
        id: id.to_owned(),
        kind: MailboxKind::Message,
        expires: at(1000),
        size: 10,
        payload: id.as_bytes().to_vec(),
    }
}

fn report(recipient: &str, id: &str) -> MailboxEntry {
    MailboxEntry {
        kind: MailboxKind::Report,
        ..message(recipient, id)
    }
}

/// Puts entries, each of which must be stored.
async fn fill(store: &TestStore, entries: Vec<MailboxEntry>) {
    store
        .write(move |tx| {
            for entry in &entries {
                assert_eq!(tx.put_mailbox(entry, &QUOTA)?, Put::Stored);
            }
            Ok(())
        })
        .await;
}

async fn ids(store: &TestStore, recipient: &str) -> Vec<String> {
    let recipient = user(recipient);
    let entries = store.read(move |tx| tx.mailbox(&recipient, 100)).await;
    entries.into_iter().map(|entry| entry.id).collect()
}

on_both_engines! {
    async fn entries_come_back_whole_and_oldest_first(store: &TestStore) {
        let entries = vec![message("anna", "m2"), report("anna", "r1"), message("anna", "m1")];
        fill(store, entries.clone()).await;
        fill(store, vec![message("ben", "m1")]).await;
        let anna = user("anna");
        let found = store.read(move |tx| tx.mailbox(&anna, 100)).await;
        assert_eq!(found, entries);
        let anna = user("anna");
        let found = store.read(move |tx| tx.mailbox(&anna, 2)).await;
        assert_eq!(found, entries[..2]);
        let anna = user("anna");
        let one = store.read(move |tx| tx.mailbox_entry(&anna, "m1")).await;
        assert_eq!(one, Some(entries[2].clone()));
        let waiting = store.read(|tx| tx.waiting_users()).await;
        assert_eq!(waiting, [user("anna"), user("ben")]);
    }

    async fn an_entry_is_taken_once(store: &TestStore) {
        fill(store, vec![message("anna", "m1"), message("anna", "m2")]).await;
        let take = || store.write(|tx| tx.take_mailbox(&user("anna"), "m1"));
        assert_eq!(take().await, Some(message("anna", "m1")));
        assert_eq!(take().await, None);
        assert_eq!(ids(store, "anna").await, ["m2"]);
    }

    async fn the_order_survives_the_removal_of_the_newest(store: &TestStore) {
        fill(store, vec![message("anna", "m1"), message("anna", "m2")]).await;
        store.write(|tx| tx.take_mailbox(&user("anna"), "m2")).await;
        fill(store, vec![message("anna", "m3")]).await;
        assert_eq!(ids(store, "anna").await, ["m1", "m3"]);
    }

    async fn a_second_entry_of_one_name_is_a_duplicate(store: &TestStore) {
        fill(store, vec![message("anna", "m1")]).await;
        let second = MailboxEntry { payload: b"other".to_vec(), ..message("anna", "m1") };
        let put = store.write(move |tx| tx.put_mailbox(&second, &QUOTA)).await;
        assert_eq!(put, Put::Duplicate);
        let kept = store.read(|tx| tx.mailbox_entry(&user("anna"), "m1")).await;
        assert_eq!(kept, Some(message("anna", "m1")));
    }

    async fn a_full_mailbox_refuses_messages_and_still_takes_reports(store: &TestStore) {
        let quota = Quota { messages: 2, bytes: 25 };
        let put = async |entry: MailboxEntry| {
            store.write(move |tx| tx.put_mailbox(&entry, &quota)).await
        };
        assert_eq!(put(message("anna", "m1")).await, Put::Stored);
        let large = MailboxEntry { size: 16, ..message("anna", "m2") };
        assert_eq!(put(large.clone()).await, Put::Full);
        assert_eq!(put(MailboxEntry { size: 15, ..large }).await, Put::Stored);
        assert_eq!(put(MailboxEntry { size: 0, ..message("anna", "m3") }).await, Put::Full);
        assert_eq!(put(message("anna", "m1")).await, Put::Duplicate);
        assert_eq!(put(report("anna", "r1")).await, Put::Stored);
        assert_eq!(put(message("ben", "m1")).await, Put::Stored);
        store.write(|tx| tx.take_mailbox(&user("anna"), "m1")).await;
        assert_eq!(put(message("anna", "m4")).await, Put::Stored);
    }

    async fn reports_have_a_bound_of_their_own(store: &TestStore) {
        for thousand in 0..MAX_REPORTS / 1000 {
            let numbers = thousand * 1000..(thousand + 1) * 1000;
            fill(store, numbers.map(|number| report("anna", &number.to_string())).collect()).await;
        }
        let put = store.write(|tx| tx.put_mailbox(&report("anna", "one more"), &QUOTA)).await;
        assert_eq!(put, Put::Full);
        fill(store, vec![message("anna", "m1")]).await;
    }

    async fn expired_entries_are_taken_in_their_order_and_no_others(store: &TestStore) {
        let expiring = |id: &str, secs| MailboxEntry { expires: at(secs), ..message("anna", id) };
        fill(store, vec![expiring("a", 30), expiring("b", 10), expiring("c", 20), expiring("d", 31)])
            .await;
        let taken = store.write(|tx| tx.take_expired(at(30), 2)).await;
        assert_eq!(taken, [expiring("b", 10), expiring("c", 20)]);
        let taken = store.write(|tx| tx.take_expired(at(30), 100)).await;
        assert_eq!(taken, [expiring("a", 30)]);
        assert_eq!(ids(store, "anna").await, ["d"]);
    }

    async fn the_largest_quota_is_no_overflow(store: &TestStore) {
        let quota = Quota { messages: u32::MAX, bytes: u64::MAX };
        for (id, size) in [("m1", u32::MAX), ("m2", u32::MAX), ("m3", 0)] {
            let entry = MailboxEntry { size, ..message("anna", id) };
            let put = store.write(move |tx| tx.put_mailbox(&entry, &quota)).await;
            assert_eq!(put, Put::Stored);
        }
    }

    async fn a_message_costs_one_statement_in_and_one_out(store: &TestStore) {
        let before = store.store().metrics().statements;
        fill(store, vec![message("anna", "m1")]).await;
        store.write(|tx| tx.take_mailbox(&user("anna"), "m1")).await;
        assert_eq!(store.store().metrics().statements - before, 2);
    }

    async fn of_concurrent_messages_the_quota_admits_as_many_as_it_says(store: &TestStore) {
        let quota = Quota { messages: 5, bytes: 1000 };
        let tasks: Vec<_> = (0..20)
            .map(|number| {
                let (store, entry) = (store.store().clone(), message("anna", &number.to_string()));
                tokio::spawn(async move { store.write(move |tx| tx.put_mailbox(&entry, &quota)).await })
            })
            .collect();
        let mut stored = 0;
        for task in tasks {
            let put = task.await.expect("task").expect("put");
            stored += usize::from(put == Put::Stored);
        }
        assert_eq!(stored, 5);
        assert_eq!(ids(store, "anna").await.len(), 5);
    }

    async fn of_concurrent_acknowledgements_one_takes_the_entry(store: &TestStore) {
        fill(store, vec![message("anna", "m1")]).await;
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let store = store.store().clone();
                tokio::spawn(async move { store.write(|tx| tx.take_mailbox(&user("anna"), "m1")).await })
            })
            .collect();
        let mut taken = 0;
        for task in tasks {
            taken += usize::from(task.await.expect("task").expect("take").is_some());
        }
        assert_eq!(taken, 1);
    }
}
