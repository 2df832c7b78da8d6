//! A store for each test, on each engine.

use crate::cluster::Cluster;
use hamlet_model::{ContactListId, Domain, SessionId, Timestamp, UserId};
use hamlet_store::{Store, StoreConfig, StoreError, StoreUrl, Tx};
use std::time::Duration;

/// Longest that a test waits for something that must happen.
pub const DEADLINE: Duration = Duration::from_secs(300);

/// Writes each test once and runs it on both engines.
macro_rules! on_both_engines {
    ($(async fn $name:ident($store:ident: &TestStore) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($store: &TestStore) $body

            #[test]
            fn on_sqlite() {
                $crate::harness::on_sqlite(body);
            }

            #[test]
            fn on_postgres() {
                $crate::harness::on_postgres(body);
            }
        })*
    };
}
pub(crate) use on_both_engines;

/// An open store and how to open it again.
pub struct TestStore {
    store: Store,
    config: StoreConfig,
}

impl TestStore {
    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// Runs a write that must succeed.
    pub async fn write<T: Send + 'static>(
        &self,
        op: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write(op).await.expect("write")
    }

    /// Runs a read that must succeed.
    pub async fn read<T: Send + 'static>(
        &self,
        op: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.read(op).await.expect("read")
    }
}

pub fn on_sqlite(test: impl AsyncFn(&TestStore)) {
    let directory = tempfile::tempdir().expect("temporary directory");
    run(StoreConfig::sqlite(directory.path().join("store.db")), test);
}

pub fn on_postgres(test: impl AsyncFn(&TestStore)) {
    if let Some(cluster) = Cluster::shared() {
        run(postgres_config(cluster), test);
    }
}

/// A store in a new database, with few connections: a test needs no more.
pub fn postgres_config(cluster: &Cluster) -> StoreConfig {
    config_of(&cluster.database())
}

/// The same in a database that there is.
pub fn config_of(url: &str) -> StoreConfig {
    StoreConfig {
        readers: 2,
        writers: 4,
        ..StoreConfig::new(StoreUrl::Postgres(url.to_owned()))
    }
}

pub fn run(config: StoreConfig, test: impl AsyncFn(&TestStore)) {
    let store = Store::open(&config).expect("open");
    let store = TestStore { store, config };
    runtime().block_on(async {
        let test = async {
            test(&store).await;
            store.store.close().await;
        };
        let done = tokio::time::timeout(DEADLINE, test).await;
        done.expect("the test takes too long");
    });
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime")
}

pub fn home() -> Domain {
    Domain::parse("im.example").expect("domain")
}

pub fn user(name: &str) -> UserId {
    UserId::parse(name, &home()).expect("user")
}

pub fn list(address: &str) -> ContactListId {
    ContactListId::parse(address, &home()).expect("contact list")
}

pub fn session(text: &str) -> SessionId {
    SessionId::new(text)
}

pub fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}
