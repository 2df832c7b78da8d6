//! What a user has waiting costs what he has waiting, not what the store holds.

use crate::cluster::Cluster;
use crate::harness::{TestStore, at, on_both_engines, runtime, user};
use crate::mailbox::message;
use hamlet_store::{MailboxEntry, Quota, Store, StoreError, StoreUrl, Tx};

const QUOTA: Quota = Quota {
    messages: 1000,
    bytes: 1_000_000,
};

/// Those for whom something waits, and how much.
const USERS: usize = 1000;
const EACH: usize = 10;

async fn fill(store: &Store) {
    for from in (0..USERS).step_by(100) {
        let fill = move |tx: &mut Tx<'_>| {
            for user in from..from + 100 {
                for number in 0..EACH {
                    let entry = MailboxEntry {
                        expires: at(100_000 + number as i64),
                        ..message(&format!("user{user}"), &format!("m{user}-{number}"))
                    };
                    tx.put_mailbox(&entry, &QUOTA)?;
                }
            }
            Ok(())
        };
        store.write(fill).await.expect("fill");
    }
}

/// All that is asked of a mailbox between a login and the last acknowledgement.
fn fetch(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let owner = user("user500");
    let waiting = tx.mailbox(&owner, 10_000)?;
    assert_eq!(waiting.len(), EACH);
    assert!(tx.mailbox_entry(&owner, &waiting[0].id)?.is_some());
    tx.put_mailbox(&message("user500", "new"), &QUOTA)?;
    tx.put_mailbox(&message("user500", "new"), &QUOTA)?;
    for entry in &waiting {
        assert!(tx.take_mailbox(&owner, &entry.id)?.is_some());
    }
    assert_eq!(tx.take_expired(at(2000), 100)?.len(), 1, "the new one");
    Ok(())
}

on_both_engines! {
    async fn of_a_mailbox_among_many_nothing_is_scanned(store: &TestStore) {
        fill(store.store()).await;
        match &store.config().url {
            StoreUrl::Sqlite(_) => {
                let before = store.store().metrics().scanned;
                store.write(fetch).await;
                assert_eq!(store.store().metrics().scanned - before, 0);
            }
            StoreUrl::Postgres(url) => {
                let database = url.clone();
                let scanned = tokio::task::spawn_blocking(move || fetch_on_postgres(&database));
                assert_eq!(scanned.await.expect("task"), []);
            }
        }
    }
}

/// The tables of mailboxes that PostgreSQL scans: what its own statistics say when all who
/// worked on the database have gone.
fn fetch_on_postgres(url: &str) -> Vec<(String, i64)> {
    let cluster = Cluster::shared().expect("it runs");
    let (_, name) = url.split_once("@/").expect("a URL of the cluster");
    let (name, _) = name.split_once('?').expect("its socket");
    let mut client = cluster.client(name);
    client
        .batch_execute("ANALYZE; SELECT pg_stat_reset()")
        .expect("statistics");
    let config = crate::harness::config_of(url);
    let store = Store::open(&config).expect("open");
    runtime().block_on(async {
        store.write(fetch).await.expect("fetch");
        store.close().await;
    });
    let rows = client.query(
        "SELECT relname::text, seq_tup_read FROM pg_stat_user_tables
         WHERE relname LIKE 'mailbox%' AND seq_tup_read > 0",
        &[],
    );
    let rows = rows.expect("statistics");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}
