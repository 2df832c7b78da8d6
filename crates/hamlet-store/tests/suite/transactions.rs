//! What holds for every operation: all or nothing, failures kept apart, bounds, the end.

use crate::harness::{DEADLINE, TestStore, at, on_both_engines, on_sqlite, run, session, user};
use crate::sessions::stored_session;
use hamlet_store::{Account, AccountStatus, Store, StoreConfig, StoreError, Tx};
use std::sync::mpsc;
use std::time::Instant;

fn create(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    tx.create_account(&Account {
        user: user(name),
        credential: None,
        status: AccountStatus::Active,
        created: at(1),
    })
}

async fn exists(store: &TestStore, name: &'static str) -> bool {
    let account = store.read(move |tx| tx.account(&user(name))).await;
    account.is_some()
}

fn refusal() -> StoreError {
    StoreError::Constraint("of the test".into())
}

/// Keeps the writer of a SQLite store busy, from when this returns until the sender is
/// dropped.
async fn hold(store: &Store) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let store = store.clone();
    let mut begun = Some(begun);
    let held = tokio::spawn(async move {
        let op = move |_: &mut Tx<'_>| {
            if let Some(begun) = begun.take() {
                let _ = begun.send(());
            }
            let _ = released.recv();
            Ok(())
        };
        store.write(op).await.expect("holding write");
    });
    has_begun.await.expect("the writer holds");
    (release, held)
}

on_both_engines! {
    async fn an_operation_that_fails_leaves_nothing_behind(store: &TestStore) {
        let failed = store
            .store()
            .write(|tx| {
                create(tx, "anna")?;
                Err::<(), _>(refusal())
            })
            .await;
        assert_eq!(failed, Err(refusal()));
        assert!(!exists(store, "anna").await);
        assert_eq!(store.store().metrics().errors, 1);
    }

    async fn an_operation_that_panics_fails_alone(store: &TestStore) {
        let failed = store
            .store()
            .write(|tx| {
                create(tx, "anna")?;
                if exists_in(tx, "anna")? {
                    panic!("of the test");
                }
                Ok(())
            })
            .await;
        assert_eq!(failed, Err(StoreError::Panicked));
        let failed = store.store().read(|_| -> Result<(), _> { panic!("of the test") }).await;
        assert_eq!(failed, Err(StoreError::Panicked));
        assert!(!exists(store, "anna").await);
        store.write(|tx| create(tx, "ben")).await;
        assert!(exists(store, "ben").await);
    }

    async fn an_error_that_is_swallowed_undoes_the_operation_all_the_same(store: &TestStore) {
        let done = store
            .store()
            .write(|tx| {
                create(tx, "anna")?;
                // A mark on a list that does not exist.
                let list = crate::harness::list("anna/none");
                let _ = tx.put_auto_subscription(&session("s1"), &list, Default::default());
                Ok(())
            })
            .await;
        assert!(matches!(done, Err(StoreError::Constraint(_))), "{done:?}");
        assert!(!exists(store, "anna").await);
    }

    async fn a_read_cannot_write(store: &TestStore) {
        let refused = store.store().read(|tx| create(tx, "anna")).await;
        assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        assert!(!exists(store, "anna").await);
    }

    async fn a_read_sees_one_state(store: &TestStore) {
        let (written, wait) = mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        let other = store.store().clone();
        let read = tokio::spawn(async move {
            other
                .read(move |tx| {
                    let before = exists_in(tx, "anna")?;
                    if let Some(begun) = begun.take() {
                        let _ = begun.send(());
                        let _ = wait.recv();
                    }
                    Ok((before, exists_in(tx, "anna")?))
                })
                .await
        });
        has_begun.await.expect("the read has begun");
        store.write(|tx| create(tx, "anna")).await;
        drop(written);
        assert_eq!(read.await.expect("task"), Ok((false, false)));
        assert!(exists(store, "anna").await);
    }

    async fn a_write_happens_even_when_nobody_waits_for_it(store: &TestStore) {
        let other = store.store().clone();
        let write = async move { other.write(|tx| create(tx, "anna")).await };
        // The first poll queues it; then its future is dropped.
        tokio::select! {
            biased;
            _ = write => {}
            () = std::future::ready(()) => {}
        }
        let deadline = Instant::now() + DEADLINE;
        while !exists(store, "anna").await {
            assert!(Instant::now() < deadline);
        }
    }

    async fn after_the_end_nothing_more_is_done(store: &TestStore) {
        store.write(|tx| create(tx, "anna")).await;
        tokio::join!(store.store().close(), store.store().close());
        assert_eq!(store.store().write(|tx| create(tx, "ben")).await, Err(StoreError::Closed));
        assert_eq!(store.store().read(|_| Ok(())).await, Err(StoreError::Closed));
        let again = Store::open(store.config()).expect("open again");
        assert_eq!(again.read(|tx| exists_in(tx, "anna")).await, Ok(true));
        assert_eq!(again.read(|tx| exists_in(tx, "ben")).await, Ok(false));
        again.close().await;
    }

    async fn everything_survives_being_opened_again(store: &TestStore) {
        store.write(|tx| tx.put_session(&stored_session("s1", "anna"))).await;
        let id = store.write(|tx| tx.reserve("tid", 10)).await;
        store.store().close().await;
        let again = Store::open(store.config()).expect("open again");
        let found = again.read(|tx| tx.session(&session("s1"))).await;
        assert_eq!(found, Ok(Some(stored_session("s1", "anna"))));
        assert_eq!(again.write(|tx| tx.reserve("tid", 1)).await, Ok(id + 10));
        again.close().await;
    }
}

fn exists_in(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(tx.account(&user(name))?.is_some())
}

/// Waits until the writer's queue is this long.
async fn queued(store: &Store, writes: u64) {
    let deadline = Instant::now() + DEADLINE;
    while store.metrics().write_queue != writes {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
}

#[test]
fn writes_that_wait_share_one_commit() {
    on_sqlite(async |test| {
        let store = test.store();
        let before = store.metrics();
        let (release, held) = hold(store).await;
        let writes: Vec<_> = (0..100)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move {
                    store
                        .write(move |tx| create(tx, &format!("u{number}")))
                        .await
                })
            })
            .collect();
        queued(store, 100).await;
        drop(release);
        held.await.expect("task");
        for write in writes {
            assert_eq!(write.await.expect("task"), Ok(true));
        }
        let after = store.metrics();
        assert_eq!(after.writes - before.writes, 101);
        assert_eq!(after.commits - before.commits, 1);
        assert_eq!((after.batch_max, after.batch_sum), (101, 101));
    });
}

#[test]
fn what_fails_in_a_batch_does_not_touch_the_rest_of_it() {
    on_sqlite(async |test| {
        let store = test.store();
        let (release, held) = hold(store).await;
        let writes: Vec<_> = (0..30)
            .map(|number| {
                let store = store.clone();
                let op = move |tx: &mut Tx<'_>| {
                    create(tx, &format!("u{number}"))?;
                    // Fails the operations that follow if it is not undone.
                    assert!(create(tx, "common")?);
                    match number % 3 {
                        0 => Err(refusal()),
                        1 => panic!("of the test"),
                        _ => tx.delete_account(&user("common")),
                    }
                };
                tokio::spawn(async move { store.write(op).await })
            })
            .collect();
        queued(store, 30).await;
        drop(release);
        held.await.expect("task");
        for (number, write) in writes.into_iter().enumerate() {
            let expected = match number % 3 {
                0 => Err(refusal()),
                1 => Err(StoreError::Panicked),
                _ => Ok(true),
            };
            assert_eq!(write.await.expect("task"), expected);
        }
        let kept = test.read(|tx| tx.accounts(None, 100)).await;
        assert_eq!(kept.len(), 10);
        assert_eq!(store.metrics().commits, 1);
    });
}

#[test]
fn a_full_queue_refuses_at_once() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let config = StoreConfig {
        queue: 1,
        ..StoreConfig::sqlite(directory.path().join("store.db"))
    };
    run(config, async |test| {
        let store = test.store();
        let (release, held) = hold(store).await;
        let waiting = store.clone();
        let waiting = tokio::spawn(async move { waiting.write(|tx| create(tx, "anna")).await });
        queued(store, 1).await;
        assert_eq!(
            store.write(|tx| create(tx, "ben")).await,
            Err(StoreError::Busy)
        );
        assert_eq!(store.metrics().refused, 1);
        drop(release);
        held.await.expect("task");
        assert_eq!(waiting.await.expect("task"), Ok(true));
    });
}

#[test]
fn what_is_queued_is_finished_before_the_end() {
    on_sqlite(async |test| {
        let store = test.store();
        let (release, held) = hold(store).await;
        let waiting = store.clone();
        let waiting = tokio::spawn(async move { waiting.write(|tx| create(tx, "anna")).await });
        queued(store, 1).await;
        let closing = store.clone();
        let closing = tokio::spawn(async move { closing.close().await });
        let deadline = Instant::now() + DEADLINE;
        while store.read(|_| Ok(())).await != Err(StoreError::Closed) {
            assert!(Instant::now() < deadline);
        }
        drop(release);
        closing.await.expect("task");
        held.await.expect("task");
        assert_eq!(waiting.await.expect("task"), Ok(true));
    });
}
