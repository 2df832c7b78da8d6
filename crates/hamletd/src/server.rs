//! A running server: the layers below put together, their listeners, and the order in which
//! all of it starts and stops.

use crate::admin::tokens::{Tokens, TokensError};
use crate::admin::{self, Admin};
use crate::audit::Audit;
use crate::config::{Config, ConfigError, Listen};
use crate::control::Control;
use crate::data_dir::{DataDir, DataDirError, Secret, control_socket};
use crate::files;
use crate::operations::Operations;
use crate::tls::{Certificate, TlsError};
use hamlet_model::Domain;
use hamlet_sap::Sap;
use hamlet_sap::journal::Journal;
use hamlet_store::{Store, StoreError};
use prometheus_client::registry::Registry;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The store cannot be used.
    #[error("the store {url} cannot be opened: {source}")]
    Store {
        /// Which, without password.
        url: String,
        /// Why.
        source: StoreError,
    },
    /// The tokens of the HTTP API cannot be used.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// The audit log cannot be written.
    #[error("cannot write the audit log {}: {source}", path.display())]
    Audit {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Call-detail records cannot be written.
    #[error("records.file: cannot write {}: {source}", path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A listener cannot be had.
    #[error("{key}: cannot listen at {address}: {source}")]
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// State and service without any listener: what a server stands on, and what a command of
/// the operator works on when no server runs.
pub struct Engine {
    domain: Domain,
    data_dir: DataDir,
    store: Store,
    sap: Arc<Sap>,
    audit: Arc<Audit>,
    registry: Registry,
}

impl Engine {
    /// Takes the data directory, opens the store and brings the service up on it.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        config.check()?;
        let data_dir = DataDir::take(&config.data_dir)?;
        let key = data_dir.secret(config.password.key_file.as_deref(), "password.key")?;
        let store_config = config.store(&data_dir);
        let path = config.audit.file.as_deref();
        let path = path.map_or_else(|| data_dir.path().join("audit.log"), Path::to_owned);
        let audit = Audit::open(&path, config.audit_limits())
            .map_err(|source| StartError::Audit { path, source })?;
        let sap_config = config.sap();
        if let Some(records) = &sap_config.records {
            let path = records.file.clone();
            Journal::open(&path, records.limits)
                .map_err(|source| StartError::Records { path, source })?;
        }
        let failed = |source| StartError::Store {
            url: store_config.url.to_string(),
            source,
        };
        let opening = store_config.clone();
        let store = tokio::task::spawn_blocking(move || Store::open(&opening))
            .await
            .unwrap_or(Err(StoreError::Panicked))
            .map_err(failed)?;
        let mut registry = admin::registry();
        let metrics = registry.sub_registry_with_prefix(admin::PREFIX);
        let sap = Sap::start(sap_config, store.clone(), key.octets(), metrics);
        let sap = sap.await.map_err(failed)?;
        Ok(Self {
            domain: config.domain.clone(),
            data_dir,
            store,
            sap,
            audit: Arc::new(audit),
            registry,
        })
    }

    /// What an operator can do with it.
    pub fn operations(&self) -> Operations {
        Operations::new(
            self.domain.clone(),
            self.store.clone(),
            self.sap.clone(),
            self.audit.clone(),
        )
    }

    /// Ends the service, then closes the store, then lets go of the data directory.
    pub async fn stop(self) {
        self.sap.shutdown().await;
        self.store.close().await;
    }
}

/// A server that serves.
pub struct Server {
    engine: Engine,
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    cir_tcp: Option<SocketAddr>,
    cir_udp: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    certificate: Option<Arc<Certificate>>,
    tokens: Arc<Tokens>,
    stop: watch::Sender<bool>,
    failed: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Starts a server; when it returns, all listeners accept.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let engine = Engine::start(&config).await?;
        files::raise_limit(&config);
        for key in config.not_served() {
            tracing::warn!(
                key,
                "this version does not serve what the configuration sets"
            );
        }
        // Everything that can fail is had before anything serves.
        let listeners = match Listeners::bind(&config, &engine).await {
            Ok(listeners) => listeners,
            Err(error) => {
                engine.stop().await;
                return Err(error);
            }
        };
        let server = listeners.serve(engine);
        tracing::info!(
            domain = %config.domain,
            http = %shown(server.http),
            https = %shown(server.https),
            cir_tcp = %shown(server.cir_tcp),
            cir_udp = %shown(server.cir_udp),
            admin = %shown(server.admin),
            "serving"
        );
        Ok(server)
    }

    /// Where plain HTTP is served, with the port that the system chose if it was 0; `None`
    /// when `http.listen` is off.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where HTTP over TLS is served, if it is.
    pub fn https_addr(&self) -> Option<SocketAddr> {
        self.https
    }

    /// Where the CIR channel is served by standalone TCP, if it is.
    pub fn cir_tcp_addr(&self) -> Option<SocketAddr> {
        self.cir_tcp
    }

    /// Where the CIR channel is served by standalone UDP, if it is.
    pub fn cir_udp_addr(&self) -> Option<SocketAddr> {
        self.cir_udp
    }

    /// Where the admin interface is served, unless `admin.listen` is off.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// What an operator can do with it.
    pub fn operations(&self) -> Operations {
        self.engine.operations()
    }

    /// The service access point.
    pub fn sap(&self) -> &Arc<Sap> {
        &self.engine.sap
    }

    /// Its durable state.
    pub fn store(&self) -> &Store {
        &self.engine.store
    }

    /// Done when a listener has failed, so that the server had better be started anew.
    pub async fn failed(&self) {
        until(self.failed.subscribe()).await;
    }

    /// Reads the certificate, if one is in use, and the tokens of the API again; after an
    /// error the old ones stay.
    pub fn reload(&self) {
        match self.certificate.as_ref().map(|file| file.reload()) {
            None => {}
            Some(Ok(())) => tracing::info!("certificate read again"),
            Some(Err(error)) => tracing::error!(%error, "the old certificate stays in use"),
        }
        match self.tokens.reload() {
            Ok(()) => tracing::info!("tokens of the API read again"),
            Err(error) => tracing::error!(%error, "the old tokens stay in use"),
        }
    }

    /// Stops: accepts nothing more, finishes what is open within `http.drain_timeout`,
    /// removes the control socket, closes the store.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        self.engine.stop().await;
        tracing::info!("stopped");
    }
}

fn shown(address: Option<SocketAddr>) -> String {
    address.map_or_else(|| "off".to_owned(), |address| address.to_string())
}

/// Everything that listens, bound but not serving yet.
struct Listeners {
    http: Option<TcpListener>,
    https: Option<(TcpListener, Arc<rustls::ServerConfig>)>,
    cir_tcp: Option<TcpListener>,
    cir_udp: Option<UdpSocket>,
    certificate: Option<Arc<Certificate>>,
    admin: Option<TcpListener>,
    admin_tls: Option<Arc<rustls::ServerConfig>>,
    token: Secret,
    tokens: Arc<Tokens>,
    control: Control,
}

impl Listeners {
    async fn bind(config: &Config, engine: &Engine) -> Result<Self, StartError> {
        let token = engine
            .data_dir
            .secret(config.admin.token_file.as_deref(), "admin.token")?;
        let tokens = Tokens::load(config.admin.api_tokens.as_deref(), engine.data_dir.path())?;
        let files = (
            config.http.tls_certificate.as_deref(),
            config.http.tls_key.as_deref(),
        );
        let certificate = match files {
            (Some(certificate), Some(key)) => Some(Certificate::load(certificate, key)?),
            _ => None,
        };
        let tls = certificate.as_ref().map(Certificate::server_config);
        let tls = tls.transpose()?;
        let https = bind("http.tls.listen", config.http.tls_listen).await?;
        let path = control_socket(engine.data_dir.path());
        let control = Control::bind(&path).map_err(|source| StartError::Listen {
            key: "data_dir",
            address: path.display().to_string(),
            source,
        });
        Ok(Self {
            http: bind("http.listen", config.http.listen).await?,
            https: https.zip(tls.clone()),
            cir_tcp: bind("cir.tcp.listen", config.cir.tcp_listen).await?,
            cir_udp: bind_udp("cir.udp.listen", config.cir.udp_listen).await?,
            certificate,
            admin: bind("admin.listen", config.admin.listen).await?,
            admin_tls: tls.filter(|_| config.admin.tls),
            token,
            tokens: Arc::new(tokens),
            control: control?,
        })
    }

    fn serve(self, mut engine: Engine) -> Server {
        let (stop, stopped) = watch::channel(false);
        let failed = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        let http = self.http.as_ref().and_then(address);
        let https = self
            .https
            .as_ref()
            .and_then(|(listener, _)| address(listener));
        let admin = self.admin.as_ref().and_then(address);
        let cir_tcp = self.cir_tcp.as_ref().and_then(address);
        let cir_udp = self.cir_udp.as_ref().and_then(|udp| udp.local_addr().ok());
        // Before anybody can log in: what is not served is not offered.
        if let Some(listener) = self.cir_tcp {
            let serving = engine.sap.serve_cir_tcp(listener, until(stopped.clone()));
            let failed = failed.clone();
            tasks.spawn(async move {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "the listener of the CIR channel failed");
                    failed.send_replace(true);
                }
            });
        }
        if let Some(socket) = self.cir_udp {
            let serving = engine.sap.serve_cir_udp(socket, until(stopped.clone()));
            tasks.spawn(serving);
        }
        let plain = self.http.map(|listener| (listener, None));
        let encrypted = self.https.map(|(listener, tls)| (listener, Some(tls)));
        for (listener, tls) in plain.into_iter().chain(encrypted) {
            let sap = engine.sap.clone();
            let (stopped, failed) = (stopped.clone(), failed.clone());
            tasks.spawn(async move {
                if let Err(error) = sap.serve(listener, tls, until(stopped)).await {
                    tracing::error!(%error, "the listener of clients failed");
                    failed.send_replace(true);
                }
            });
        }
        let operations = Arc::new(engine.operations());
        if let Some(listener) = self.admin {
            let router = admin::router(Admin {
                store: engine.store.clone(),
                registry: std::mem::take(&mut engine.registry),
                token: self.token,
                exposed: admin.is_none_or(|address| !address.ip().is_loopback()),
                operations: operations.clone(),
                tokens: self.tokens.clone(),
            });
            tasks.spawn(admin::serve(
                listener,
                self.admin_tls,
                router,
                stopped.clone(),
            ));
        }
        tasks.spawn(self.control.serve(operations, stopped));
        Server {
            engine,
            http,
            https,
            cir_tcp,
            cir_udp,
            admin,
            certificate: self.certificate,
            tokens: self.tokens,
            stop,
            failed,
            tasks,
        }
    }
}

/// Done when the server is to stop.
async fn until(mut stop: watch::Receiver<bool>) {
    // An error means that nobody is there any more to say it.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn address(listener: &TcpListener) -> Option<SocketAddr> {
    listener.local_addr().ok()
}

async fn bind(key: &'static str, listen: Listen) -> Result<Option<TcpListener>, StartError> {
    let Some(address) = listen.0 else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address).await;
    listener.map(Some).map_err(no_listener(key, address))
}

async fn bind_udp(key: &'static str, listen: Listen) -> Result<Option<UdpSocket>, StartError> {
    let Some(address) = listen.0 else {
        return Ok(None);
    };
    let socket = UdpSocket::bind(address).await;
    socket.map(Some).map_err(no_listener(key, address))
}

fn no_listener(key: &'static str, address: SocketAddr) -> impl Fn(io::Error) -> StartError {
    move |source| StartError::Listen {
        key,
        address: address.to_string(),
        source,
    }
}
