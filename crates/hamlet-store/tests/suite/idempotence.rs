//! csp-access 2.3.

use crate::harness::{TestStore, at, on_both_engines};
use hamlet_store::{Remembered, Store, StoreError};

fn known(hash: i64, answer: &[u8]) -> Remembered {
    Remembered::Known {
        hash,
        answer: answer.to_vec(),
    }
}

on_both_engines! {
    async fn the_first_answer_is_recorded_and_later_ones_see_it(store: &TestStore) {
        let remember = |hash, answer: &'static [u8]| {
            store.write(move |tx| tx.remember("s1", "send 5", hash, answer, at(1)))
        };
        assert_eq!(remember(-1, b"first").await, Remembered::New);
        assert_eq!(remember(2, b"second").await, known(-1, b"first"));
        let (read, written) = (
            store.read(|tx| tx.remembered("s1", "send 5")).await,
            store.write(|tx| tx.remembered("s1", "send 5")).await,
        );
        assert_eq!(read, Some((-1, b"first".to_vec())));
        assert_eq!(written, read);
        assert_eq!(store.read(|tx| tx.remembered("s2", "send 5")).await, None);
    }

    async fn a_record_can_be_replaced(store: &TestStore) {
        store
            .write(|tx| {
                tx.replace_remembered("s1", "1", 1, b"a", at(1))?;
                tx.replace_remembered("s1", "1", 2, b"b", at(2))
            })
            .await;
        let found = store.read(|tx| tx.remembered("s1", "1")).await;
        assert_eq!(found, Some((2, b"b".to_vec())));
    }

    async fn records_are_forgotten_by_scope_and_by_age(store: &TestStore) {
        let left = store
            .write(|tx| {
                for (scope, id, secs) in [("s1", "1", 1), ("s1", "2", 2), ("s2", "1", 3), ("s2", "2", 4)] {
                    tx.remember(scope, id, 0, b"", at(secs))?;
                }
                assert_eq!(tx.forget_scope("s1")?, 2);
                assert_eq!(tx.purge_remembered(at(4))?, 1);
                Ok((tx.remembered("s1", "1")?, tx.remembered("s2", "1")?, tx.remembered("s2", "2")?))
            })
            .await;
        assert_eq!(left, (None, None, Some((0, Vec::new()))));
    }

    async fn records_are_known_after_a_restart(store: &TestStore) {
        store
            .write(|tx| {
                tx.remember("s1", "1", 1, b"a", at(1))?;
                tx.remember("s1", "2", 2, b"b", at(2))?;
                tx.replace_remembered("s1", "1", 3, b"c", at(3))
            })
            .await;
        store.store().close().await;
        let reopened = Store::open(store.config()).expect("open again");
        let repeat = |id: &'static str| reopened.write(move |tx| tx.remember("s1", id, 9, b"", at(4)));
        assert_eq!(repeat("1").await, Ok(known(3, b"c")));
        assert_eq!(repeat("2").await, Ok(known(2, b"b")));
        assert_eq!(repeat("3").await, Ok(Remembered::New));
        reopened.close().await;
    }

    async fn a_write_that_fails_leaves_the_records_as_they_were(store: &TestStore) {
        store.write(|tx| tx.remember("s1", "1", 1, b"a", at(1))).await;
        let failed = store
            .store()
            .write(|tx| {
                tx.remember("s1", "2", 2, b"b", at(2))?;
                tx.replace_remembered("s1", "1", 3, b"c", at(3))?;
                tx.forget_scope("s1")?;
                tx.purge_remembered(at(9))?;
                Err::<(), _>(StoreError::Constraint("of the test".into()))
            })
            .await;
        assert!(failed.is_err());
        let repeat = |id: &'static str| store.write(move |tx| tx.remember("s1", id, 9, b"", at(4)));
        assert_eq!(repeat("1").await, known(1, b"a"));
        assert_eq!(repeat("2").await, Remembered::New);
    }

    async fn of_concurrent_repeats_one_is_new(store: &TestStore) {
        let tasks: Vec<_> = (0..20i64)
            .map(|hash| {
                let store = store.store().clone();
                tokio::spawn(async move { store.write(move |tx| tx.remember("s", "1", hash, &[], at(1))).await })
            })
            .collect();
        let mut new = 0;
        for task in tasks {
            let answer = task.await.expect("task").expect("remember");
            new += usize::from(answer == Remembered::New);
        }
        assert_eq!(new, 1);
    }

    async fn a_new_record_costs_one_statement(store: &TestStore) {
        let before = store.store().metrics().statements;
        store.write(|tx| tx.remember("s1", "1", 0, b"", at(1))).await;
        assert_eq!(store.store().metrics().statements - before, 1);
    }
}
