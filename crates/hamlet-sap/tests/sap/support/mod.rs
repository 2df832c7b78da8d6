//! A server on a temporary directory, and phones that talk to it over sockets.
#![allow(dead_code)] // Not every test uses everything.

mod phone;

pub use phone::{Heard, Phone, read_answer};

use hamlet_model::{Domain, UserId};
use hamlet_sap::{Registration, Sap, SapConfig};
use hamlet_store::{Store, StoreConfig};
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const PASSWORD: &str = "secret";

/// No wait in a test takes longer.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Server {
    pub sap: Arc<Sap>,
    pub address: SocketAddr,
    registry: Registry,
    config: SapConfig,
    store: Store,
    directory: TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

pub fn home() -> Domain {
    Domain::parse("im.example").unwrap()
}

pub fn config() -> SapConfig {
    SapConfig::new(home())
}

impl Server {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn open_to_all() -> Self {
        let mut config = config();
        config.accounts.registration = Registration::Open;
        Self::with(config).await
    }

    pub async fn with(config: SapConfig) -> Self {
        Self::on(config, tempfile::tempdir().unwrap()).await
    }

    async fn on(config: SapConfig, directory: TempDir) -> Self {
        let store = Store::open(&StoreConfig::sqlite(directory.path().join("hamlet.db"))).unwrap();
        let mut registry = Registry::default();
        let sap = Sap::start(config.clone(), store.clone(), &[7; 32], &mut registry)
            .await
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn({
            let sap = sap.clone();
            async move {
                let shutdown = async {
                    let _ = stopped.await;
                };
                sap.serve(listener, None, shutdown).await
            }
        });
        Self {
            sap,
            address,
            registry,
            config,
            store,
            directory,
            stop,
            serving,
        }
    }

    /// The value of a metric without labels.
    pub fn metric(&self, name: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let values = text
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        values.map(|value| value.parse::<u64>().unwrap()).sum()
    }

    pub async fn account(&self, name: &str) {
        let user = UserId::parse(name, &self.config.domain).unwrap();
        self.sap.create_account(&user, PASSWORD).await.unwrap();
    }

    /// Nothing is written until what this returns is dropped.
    pub async fn hold_writes(&self) -> std::sync::mpsc::Sender<()> {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let store = self.store.clone();
        tokio::spawn(async move {
            let mut begun = Some(begun);
            let write = store.write(move |_| {
                begun.take().map(|begun| begun.send(()));
                let _ = held.recv();
                Ok(())
            });
            write.await.unwrap();
        });
        begins.await.unwrap();
        hold
    }

    async fn end(self) -> (SapConfig, TempDir) {
        let _ = self.stop.send(());
        self.serving.await.unwrap().unwrap();
        self.sap.shutdown().await;
        self.store.close().await;
        (self.config, self.directory)
    }

    pub async fn stop(self) {
        tokio::time::timeout(DEADLINE, self.end()).await.unwrap();
    }

    /// The same server again, in a new process as far as it can tell.
    pub async fn restart(self) -> Self {
        let ended = tokio::time::timeout(DEADLINE, self.end()).await;
        let (config, directory) = ended.unwrap();
        Self::on(config, directory).await
    }
}
