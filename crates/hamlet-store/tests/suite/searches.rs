//! csp-access 9.2: searches that are told page by page.

use crate::harness::{TestStore, at, on_both_engines, session, user};
use crate::profiles::account;
use crate::sessions::stored_session;
use hamlet_store::{SearchCursor, Tx};

pub fn cursor(session_id: &str, id: u32, expires: i64) -> SearchCursor {
    SearchCursor {
        session: session(session_id),
        id,
        page: 5,
        delivered: 5,
        total: 12,
        expires: at(expires),
    }
}

fn ids(tx: &mut Tx<'_>, session_id: &str) -> Vec<u32> {
    let is_there = |id: &u32| {
        tx.search_cursor(&session(session_id), *id)
            .expect("read")
            .is_some()
    };
    (0..20).filter(is_there).collect()
}

on_both_engines! {
    async fn a_search_comes_back_and_goes_on(store: &TestStore) {
        store
            .write(|tx| {
                assert_eq!(tx.put_search(&cursor("s", 7, 100), b"hits", 3)?, 7);
                let kept = tx.search_cursor(&session("s"), 7)?;
                assert_eq!(kept, Some((cursor("s", 7, 100), b"hits".to_vec())));
                let further = SearchCursor { delivered: 10, ..cursor("s", 7, 200) };
                assert!(tx.advance_search(&further)?);
                assert_eq!(tx.search_cursor(&session("s"), 7)?.map(|kept| kept.0), Some(further));
                assert!(!tx.advance_search(&cursor("s", 8, 200))?);
                assert_eq!(tx.search_cursor(&session("t"), 7)?, None);
                assert!(tx.drop_search(&session("s"), 7)?);
                assert!(!tx.drop_search(&session("s"), 7)?);
                assert_eq!(tx.search_cursor(&session("s"), 7)?, None);
                Ok(())
            })
            .await;
    }

    async fn a_session_keeps_a_few_and_forgets_what_was_used_longest_ago(store: &TestStore) {
        store
            .write(|tx| {
                for (id, expires) in [(1, 30), (2, 10), (3, 20)] {
                    tx.put_search(&cursor("s", id, expires), b"", 3)?;
                }
                tx.put_search(&cursor("other", 1, 1), b"", 3)?;
                tx.put_search(&cursor("s", 4, 40), b"", 3)?;
                assert_eq!(ids(tx, "s"), [1, 3, 4]);
                assert_eq!(ids(tx, "other"), [1]);
                // A number that is taken becomes the next.
                assert_eq!(tx.put_search(&cursor("s", 4, 50), b"", 3)?, 5);
                assert_eq!(ids(tx, "s"), [1, 4, 5]);
                assert_eq!(tx.drop_searches(&session("s"))?, 3);
                assert_eq!((ids(tx, "s"), ids(tx, "other")), (vec![], vec![1]));
                Ok(())
            })
            .await;
    }

    async fn expired_searches_are_purged(store: &TestStore) {
        store
            .write(|tx| {
                for (id, expires) in [(1, 10), (2, 20), (3, 30)] {
                    tx.put_search(&cursor("s", id, expires), b"", 9)?;
                }
                assert!(!tx.has_expired_searches(at(10))?);
                assert!(tx.has_expired_searches(at(21))?);
                assert_eq!(tx.purge_searches(at(21))?, 2);
                assert_eq!(ids(tx, "s"), [3]);
                Ok(())
            })
            .await;
    }

    async fn searches_go_with_the_account(store: &TestStore) {
        store
            .write(|tx| {
                tx.create_account(&account("anna"))?;
                tx.put_session(&stored_session("s", "anna"))?;
                tx.put_search(&cursor("s", 1, 10), b"hits", 3)?;
                tx.delete_account(&user("anna"))?;
                assert_eq!(ids(tx, "s"), [0; 0]);
                Ok(())
            })
            .await;
    }
}
