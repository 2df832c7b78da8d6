//! The service access point itself: its parts, its start and its end.

use crate::cir::Cir;
use crate::delivery::events::Hub;
use crate::delivery::numbers::Numbers;
use crate::login::credentials::{Credentials, KEY_LENGTH};
use crate::login::throttle::Throttle;
use crate::map::draw::Maps;
use crate::map::link::Links;
use crate::metrics::{Metrics, StoreFigures};
use crate::negotiation::capability::Offer;
use crate::records::{self, Records};
use crate::relay::Relay;
use crate::suspicion::Suspicions;
use crate::trace::{TraceLimits, Tracer};
use crate::{CirConfig, SapConfig};
use hamlet_elements::Elements;
use hamlet_model::{Refusal, StatusCode, Timestamp};
use hamlet_store::{Store, StoreError};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// A running service access point.
pub struct Sap {
    pub(crate) config: SapConfig,
    pub(crate) store: Store,
    pub(crate) elements: Elements,
    pub(crate) hub: Arc<Hub>,
    pub(crate) relay: Arc<Relay>,
    pub(crate) numbers: Numbers,
    pub(crate) credentials: Credentials,
    pub(crate) throttle: Throttle,
    pub(crate) suspicions: Suspicions,
    pub(crate) maps: Maps,
    pub(crate) map_links: Links,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tracer: Option<Tracer>,
    /// Octets of request bodies that are in memory.
    pub(crate) bodies: AtomicUsize,
    /// Places for connections, of all listeners together.
    pub(crate) places: Arc<Semaphore>,
    /// Itself, for work that goes on when a caller has gone.
    pub(crate) me: Weak<Sap>,
    stopping: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

impl Sap {
    /// Brings it up: service elements, sessions that the store knows, background work.
    ///
    /// `key` encrypts passwords at rest and must be the same at every start; it is not to
    /// be kept in the store. The metrics are added to `registry`.
    pub async fn start(
        config: SapConfig,
        store: Store,
        key: &[u8; KEY_LENGTH],
        registry: &mut Registry,
    ) -> Result<Arc<Self>, StoreError> {
        let metrics = Arc::new(Metrics::register(registry));
        registry.register_collector(Box::new(StoreFigures(store.clone())));
        let cir = CirConfig {
            // Others need connections, too.
            http_max_waiting: (config.cir.http_max_waiting).min(config.http.max_connections / 2),
            ..config.cir.clone()
        };
        let (records, writing) = Records::open(config.records.as_ref(), metrics.clone());
        let hub = Arc::new(Hub::new(
            metrics.clone(),
            config.delivery.max_notices,
            Arc::new(Cir::new(cir, metrics.clone())),
            records,
        ));
        let relay = Arc::new(Relay::new(&config.relay, metrics.clone()));
        let elements =
            Elements::start(config.elements(), store.clone(), relay.clone(), hub.clone()).await?;
        let accounts = &config.accounts;
        let credentials = Credentials::new(key, !accounts.digest_login, accounts.concurrent_hashes);
        let throttle = Throttle::new(accounts.max_failures, accounts.failure_window);
        let tracer = config.trace_dir.as_deref().and_then(open_tracer);
        let numbers = Numbers::start(store.clone()).await?;
        let places = Arc::new(Semaphore::new(config.http.max_connections.max(1)));
        let sap = Arc::new_cyclic(|me| Self {
            places,
            numbers,
            credentials,
            throttle,
            suspicions: Suspicions::default(),
            maps: Maps::new(),
            map_links: Links::new(key),
            config,
            store,
            elements,
            hub,
            relay,
            metrics,
            tracer,
            bodies: AtomicUsize::new(0),
            me: me.clone(),
            stopping: watch::Sender::new(false),
            tasks: Mutex::new(JoinSet::new()),
        });
        sap.restore_sessions().await?;
        sap.background(sap.clone().sweep_from_time_to_time());
        sap.background(sap.clone().expire_promptly());
        sap.background(sap.clone().drive_outbox());
        sap.background(sap.clone().drive_cir());
        if let Some(writing) = writing {
            sap.background(records::write(sap.clone(), writing));
        }
        Ok(sap)
    }

    /// The configuration it was started with.
    pub fn config(&self) -> &SapConfig {
        &self.config
    }

    /// The service elements behind it.
    pub fn elements(&self) -> &Elements {
        &self.elements
    }

    /// The way to other domains.
    pub fn relay(&self) -> &Arc<Relay> {
        &self.relay
    }

    /// Ends background work and remembers when sessions were last heard of. Listeners that
    /// are served have been told to end by their own signal before. The store stays open.
    pub async fn shutdown(&self) {
        self.stopping.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        while tasks.join_next().await.is_some() {}
        self.tell_store_of_activity(true).await;
        if let Some(tracer) = &self.tracer {
            tracer.close().await;
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Becomes true when it is to end.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    fn background(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().spawn(work);
    }

    /// Does something that nobody waits for.
    pub(crate) fn aside<F>(&self, work: impl FnOnce(Arc<Self>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(me) = self.me.upgrade() {
            tokio::spawn(work(me));
        }
    }

    pub(crate) fn offer(&self) -> Offer {
        Offer {
            poll_min: self.config.delivery.poll_min,
            max_multi_trans: self.config.delivery.max_multi_trans,
        }
    }

    /// What a client hears when the store does not do what it should.
    pub(crate) fn store_failed(&self, what: &str, error: &StoreError) -> Refusal {
        tracing::error!(what, %error, "the store failed");
        match error {
            StoreError::Busy | StoreError::Closed | StoreError::Conflict => {
                StatusCode::SERVICE_UNAVAILABLE.into()
            }
            _ => StatusCode::INTERNAL_ERROR.into(),
        }
    }

    /// Once, at the start.
    async fn restore_sessions(&self) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let count = self.restore(now).await?;
        if count > 0 {
            tracing::info!(count, "sessions go on");
        }
        Ok(())
    }
}

/// A trace that cannot be written must not keep phones out.
fn open_tracer(directory: &Path) -> Option<Tracer> {
    Tracer::open(directory, TraceLimits::default())
        .inspect_err(|error| {
            tracing::error!(directory = %directory.display(), %error, "nothing will be traced");
        })
        .ok()
}
