//! A store for each test, on each engine.

use hamlet_model::{ContactListId, Domain, SessionId, Timestamp, UserId};
use hamlet_store::{Store, StoreConfig, StoreError, Tx};

/// Writes each test once and runs it on both engines.
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($store:ident: &TestStore) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[$attribute])*
            async fn body($store: &TestStore) $body

            #[test]
            fn on_sqlite() {
                $crate::harness::on_sqlite(body);
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

fn run(config: StoreConfig, test: impl AsyncFn(&TestStore)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime");
    let store = Store::open(&config).expect("open");
    let store = TestStore { store, config };
    runtime.block_on(async {
        test(&store).await;
        store.store.close().await;
    });
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
