//! What only PostgreSQL does: conflicts, connections that get lost, several servers.

use crate::cluster::Cluster;
use crate::harness::{at, on_postgres, postgres_config, runtime, user};
use hamlet_store::{Account, AccountStatus, Store, StoreConfig, StoreError, StoreUrl, Tx};
use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

fn account(name: &str) -> Account {
    Account {
        user: user(name),
        credential: None,
        status: AccountStatus::Active,
        created: at(1),
    }
}

/// Makes the account `own` unless there is the account `other`. In its first run it waits
/// between the two until its counterpart has looked as well.
fn unless_other(
    own: &'static str,
    other: &'static str,
    barrier: Arc<Barrier>,
) -> impl FnMut(&mut Tx<'_>) -> Result<bool, StoreError> {
    let mut first = true;
    move |tx| {
        let free = tx.account(&user(other))?.is_none();
        if std::mem::take(&mut first) {
            barrier.wait();
        }
        if free {
            tx.create_account(&account(own))?;
        }
        Ok(free)
    }
}

#[test]
fn of_two_operations_that_exclude_each_other_one_happens() {
    on_postgres(async |test| {
        let store = test.store();
        let barrier = Arc::new(Barrier::new(2));
        let (one, two) = tokio::join!(
            store.write(unless_other("anna", "ben", barrier.clone())),
            store.write(unless_other("ben", "anna", barrier)),
        );
        let (one, two) = (one.expect("one"), two.expect("two"));
        assert!(one != two, "{one} {two}");
        assert_eq!(test.read(|tx| tx.accounts(None, 9)).await.len(), 1);
        assert!(store.metrics().retries > 0);
    });
}

#[test]
fn a_lost_connection_is_made_anew() {
    on_postgres(async |test| {
        let store = test.store();
        let StoreUrl::Postgres(url) = test.config().url.clone() else {
            unreachable!("the configuration is PostgreSQL's");
        };
        for number in 0..3 {
            let url = url.clone();
            tokio::task::spawn_blocking(move || disconnect_all(&url))
                .await
                .expect("disconnect");
            for write in 0..8 {
                let name = format!("u{number}-{write}");
                let made = store
                    .write(move |tx| tx.create_account(&account(&name)))
                    .await;
                assert_eq!(made, Ok(true));
                store.read(|tx| tx.accounts(None, 1)).await.expect("read");
            }
        }
        assert!(store.metrics().reconnects > 0);
        assert_eq!(test.read(|tx| tx.accounts(None, 99)).await.len(), 24);
    });
}

fn disconnect_all(url: &str) {
    let mut client = postgres::Client::connect(url, postgres::NoTls).expect("connect");
    client
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'hamletd'",
            &[],
        )
        .expect("terminate");
}

#[test]
fn several_servers_may_start_together_and_share_the_state() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let config = postgres_config(cluster);
    let starts: Vec<_> = (0..3)
        .map(|_| {
            let config = config.clone();
            std::thread::spawn(move || Store::open(&config).expect("open"))
        })
        .collect();
    let stores: Vec<_> = starts
        .into_iter()
        .map(|start| start.join().expect("thread"))
        .collect();
    runtime().block_on(async {
        let blocks = (0..30).map(|number| {
            let store = stores[number % 3].clone();
            tokio::spawn(async move { store.write(|tx| tx.reserve("tid", 2)).await })
        });
        let mut firsts = BTreeSet::new();
        for block in blocks.collect::<Vec<_>>() {
            firsts.insert(block.await.expect("task").expect("reserve"));
        }
        assert!(firsts.into_iter().eq((0..30).map(|number| 1 + 2 * number)));
        for store in &stores {
            store.close().await;
        }
    });
}

#[test]
fn a_server_that_is_not_there_is_said_to_be_unavailable() {
    let url = "postgres://postgres@/test?host=/nonexistent";
    let config = StoreConfig::new(StoreUrl::Postgres(url.to_owned()));
    let refused = Store::open(&config).err();
    assert!(
        matches!(refused, Some(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    let config = StoreConfig::new(StoreUrl::Postgres("postgres://db:port/hamlet".to_owned()));
    let refused = Store::open(&config).err();
    assert!(
        matches!(refused, Some(StoreError::Database(_))),
        "{refused:?}"
    );
}

#[test]
fn who_may_not_install_the_index_of_trigrams_is_told_what_to_do() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let url = cluster.database();
    let mut owner = postgres::Client::connect(&url, postgres::NoTls).expect("connect");
    owner
        .batch_execute("CREATE ROLE guest LOGIN; GRANT CREATE ON SCHEMA public TO guest")
        .expect("a role");
    let as_guest = url.replace("postgres://postgres@", "postgres://guest@");
    let config = StoreConfig::new(StoreUrl::Postgres(as_guest));
    let refused = Store::open(&config).err().expect("no rights");
    assert!(
        refused.to_string().contains("CREATE EXTENSION pg_trgm"),
        "{refused}"
    );
    // Once it is there, nothing else is missing.
    owner
        .batch_execute("CREATE EXTENSION pg_trgm")
        .expect("install");
    let store = Store::open(&config).expect("open");
    runtime().block_on(store.close());
}
