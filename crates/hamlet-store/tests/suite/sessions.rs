//! Sessions, login challenges and counters (csp-access 2.2, 3).

use crate::harness::{TestStore, at, on_both_engines, session, user};
use hamlet_model::{ApplicationId, ClientId, SessionId};
use hamlet_store::{Challenge, StoredSession};
use std::collections::BTreeSet;

pub fn stored_session(id: &str, name: &str) -> StoredSession {
    StoredSession {
        id: session(id),
        user: user(name),
        client: ClientId {
            url: Some("a|b".into()),
            msisdn: Some("+1555".into()),
        },
        application: Some(ApplicationId::new("game")),
        data: vec![0, 159, 146, 150],
        created: at(1),
        expires: at(100),
    }
}

on_both_engines! {
    async fn a_session_comes_back_whole_and_can_be_replaced(store: &TestStore) {
        let first = stored_session("s1", "anna");
        let put = first.clone();
        store.write(move |tx| tx.put_session(&put)).await;
        assert_eq!(store.read(|tx| tx.session(&session("s1"))).await, Some(first.clone()));
        assert_eq!(store.read(|tx| tx.session(&session("S1"))).await, None);
        let second = StoredSession {
            client: ClientId::default(),
            application: None,
            data: Vec::new(),
            ..first
        };
        let put = second.clone();
        store.write(move |tx| tx.put_session(&put)).await;
        assert_eq!(store.read(|tx| tx.sessions_of(&user("anna"))).await, [second]);
    }

    async fn all_sessions_are_read_in_pages(store: &TestStore) {
        store
            .write(|tx| {
                for number in 0..25 {
                    tx.put_session(&stored_session(&format!("s{number}"), "anna"))?;
                }
                Ok(())
            })
            .await;
        let mut found: Vec<SessionId> = Vec::new();
        loop {
            let after = found.last().cloned();
            let page = store.read(move |tx| tx.sessions(after.as_ref(), 10)).await;
            if page.is_empty() {
                break;
            }
            found.extend(page.into_iter().map(|session| session.id));
        }
        assert_eq!(found.len(), 25);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 25);
    }

    async fn many_sessions_are_touched_at_once(store: &TestStore) {
        store
            .write(|tx| {
                for id in ["s1", "s2", "s3"] {
                    tx.put_session(&stored_session(id, "anna"))?;
                }
                let expiries = [(session("s1"), at(200)), (session("s3"), at(300)), (session("s9"), at(1))];
                tx.touch_sessions(&expiries)?;
                tx.touch_sessions(&[])
            })
            .await;
        let found = store.read(|tx| tx.sessions(None, 10)).await;
        let expiries: Vec<_> = found.iter().map(|session| session.expires).collect();
        assert_eq!(expiries, [at(200), at(100), at(300)]);
    }

    async fn a_session_ends_once_and_its_code_is_remembered_for_a_while(store: &TestStore) {
        store.write(|tx| tx.put_session(&stored_session("s1", "anna"))).await;
        let end = || store.write(|tx| tx.end_session(&session("s1"), 601, at(50)));
        assert_eq!(end().await, Some(stored_session("s1", "anna")));
        assert_eq!(end().await, None);
        let code = || store.read(|tx| tx.ended_session(&session("s1")));
        assert_eq!(code().await, Some(601));
        assert_eq!(store.read(|tx| tx.session(&session("s1"))).await, None);
        assert_eq!(store.write(|tx| tx.purge_ended(at(50))).await, 0);
        assert_eq!(code().await, Some(601));
        assert_eq!(store.write(|tx| tx.purge_ended(at(51))).await, 1);
        assert_eq!(code().await, None);
    }

    async fn a_challenge_is_good_for_one_answer(store: &TestStore) {
        let challenge = |nonce: &str| Challenge {
            key: "anna|phone|cookie".into(),
            nonce: nonce.into(),
            data: vec![7, 0],
            expires: at(120),
        };
        let (first, second) = (challenge("n1"), challenge("n2"));
        store
            .write(move |tx| {
                tx.put_challenge(&first)?;
                tx.put_challenge(&second)
            })
            .await;
        let take = || store.write(|tx| tx.take_challenge("anna|phone|cookie"));
        assert_eq!(take().await, Some(challenge("n2")));
        assert_eq!(take().await, None);
        let (first, purge) = (challenge("n1"), |secs| move |tx: &mut hamlet_store::Tx<'_>| tx.purge_challenges(at(secs)));
        store.write(move |tx| tx.put_challenge(&first)).await;
        assert_eq!(store.write(purge(120)).await, 0);
        assert_eq!(store.write(purge(121)).await, 1);
        assert_eq!(take().await, None);
    }

    async fn no_two_blocks_of_a_counter_overlap(store: &TestStore) {
        let blocks: Vec<_> = (0..40u64)
            .map(|number| {
                let (store, count) = (store.store().clone(), number % 3 + 1);
                tokio::spawn(async move { (store.write(move |tx| tx.reserve("tid", count)).await, count) })
            })
            .collect();
        let mut given = BTreeSet::new();
        for block in blocks {
            let (first, count) = block.await.expect("task");
            let first = first.expect("reserve");
            assert!(first > 0);
            assert!((first..first + count).all(|number| given.insert(number)));
        }
        assert_eq!(store.write(|tx| tx.reserve("other", 1)).await, 1);
    }
}
