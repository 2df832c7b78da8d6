//! csp-im 10: what is kept of users' wishes, copies for single clients, the next expiry.

use crate::harness::{TestStore, on_both_engines, user};
use hamlet_model::{ClientId, Domain, Timestamp};
use hamlet_store::{
    MAX_HANDLINGS, MailboxCopy, MailboxEntry, MailboxKind, NewOutboxEntry, OfflineWish, Quota,
};

fn wish(name: &str, client: &str, handling: i64) -> OfflineWish {
    OfflineWish {
        user: user(name),
        client: ClientId::from_url(client),
        handling,
    }
}

fn copy(id: &str, client: &str, expires: i64) -> MailboxCopy {
    MailboxCopy {
        recipient: user("bo"),
        id: id.into(),
        client: ClientId::from_url(client),
        expires: Timestamp::from_secs(expires),
        payload: vec![0, 255],
    }
}

on_both_engines! {
    async fn the_latest_online_handling_counts(store: &TestStore) {
        let found = store
            .write(|tx| {
                let first = tx.online_handling(&user("bo"))?;
                tx.set_online_handling(&user("bo"), 2)?;
                tx.set_online_handling(&user("bo"), 1)?;
                Ok((first, tx.online_handling(&user("bo"))?))
            })
            .await;
        assert_eq!(found, (None, Some(1)));
    }

    async fn wishes_of_clients_come_newest_first_where_any_is_unusual(store: &TestStore) {
        let found = store
            .write(|tx| {
                let all = [("bo", "p", 1), ("bo", "q", 0), ("carl", "p", 0)];
                for (at, (name, client, handling)) in (0..).zip(all) {
                    tx.put_offline_wish(&wish(name, client, handling), Timestamp::from_secs(at))?;
                }
                tx.offline_wishes(&["bo", "carl", "x"].map(user))
            })
            .await;
        assert_eq!(found, [wish("bo", "q", 0), wish("bo", "p", 1)]);
        // A client changes its mind.
        let found = store
            .write(|tx| {
                tx.put_offline_wish(&wish("bo", "p", 0), Timestamp::from_secs(9))?;
                tx.offline_wishes(&["bo"].map(user))
            })
            .await;
        assert_eq!(found, []);
    }

    async fn only_so_many_clients_are_remembered(store: &TestStore) {
        let found = store
            .write(|tx| {
                for number in 0..MAX_HANDLINGS + 5 {
                    let at = Timestamp::from_secs(number as i64);
                    tx.put_offline_wish(&wish("bo", &format!("c{number}"), 1), at)?;
                }
                tx.offline_wishes(&["bo"].map(user))
            })
            .await;
        assert_eq!(found.len(), MAX_HANDLINGS);
        assert_eq!(found[0].client, ClientId::from_url(format!("c{}", MAX_HANDLINGS + 4)));
    }

    async fn copies_wait_for_their_clients_until_they_expire(store: &TestStore) {
        let (all, had, twice, expired, left) = store
            .write(|tx| {
                for copy in [copy("a", "p", 5), copy("a", "q", 5), copy("b", "p", 9), copy("a", "p", 5)] {
                    tx.put_mailbox_copy(&copy)?;
                }
                let all = tx.mailbox_copies(&user("bo"), 10)?;
                let of = |client| ClientId::from_url(client);
                assert_eq!(tx.mailbox_copy(&user("bo"), "a", &of("q"))?, Some(copy("a", "q", 5)));
                assert_eq!(tx.mailbox_copy(&user("bo"), "b", &of("q"))?, None);
                let had = tx.remove_mailbox_copy(&user("bo"), "a", &ClientId::from_url("p"))?;
                let twice = tx.remove_mailbox_copy(&user("bo"), "a", &ClientId::from_url("p"))?;
                assert!(!tx.has_expired_copies(Timestamp::from_secs(4))?);
                assert!(tx.has_expired_copies(Timestamp::from_secs(5))?);
                let expired = tx.take_expired_copies(Timestamp::from_secs(5), 10)?;
                Ok((all, had, twice, expired, tx.mailbox_copies(&user("bo"), 10)?))
            })
            .await;
        assert_eq!(all, [copy("a", "p", 5), copy("a", "q", 5), copy("b", "p", 9)]);
        assert_eq!((had, twice), (true, false));
        assert_eq!(expired, [copy("a", "q", 5)]);
        assert_eq!(left, [copy("b", "p", 9)]);
        let left = store
            .write(|tx| {
                assert_eq!(tx.drop_mailbox_copies(&user("bo"), "b")?, 1);
                tx.mailbox_copies(&user("bo"), 10)
            })
            .await;
        assert_eq!(left, []);
    }

    async fn the_next_expiry_is_that_of_all_that_waits(store: &TestStore) {
        let quota = Quota { messages: 10, bytes: 1000 };
        let found = store
            .write(move |tx| {
                let mut found = vec![tx.next_expiry()?];
                tx.put_outbox(&NewOutboxEntry {
                    destination: Domain::parse("b").unwrap(),
                    payload: vec![1],
                    expires: Timestamp::from_secs(30),
                    next_attempt: Timestamp::from_secs(1),
                })?;
                found.push(tx.next_expiry()?);
                tx.put_mailbox_copy(&copy("a", "p", 20))?;
                found.push(tx.next_expiry()?);
                tx.put_mailbox(&MailboxEntry {
                    recipient: user("bo"),
                    id: "m".into(),
                    kind: MailboxKind::Message,
                    expires: Timestamp::from_secs(10),
                    size: 1,
                    payload: vec![1],
                }, &quota)?;
                found.push(tx.next_expiry()?);
                Ok(found)
            })
            .await;
        let at = |secs| Some(Timestamp::from_secs(secs));
        assert_eq!(found, [None, at(30), at(20), at(10)]);
    }
}
