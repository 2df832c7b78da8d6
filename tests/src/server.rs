//! A server in the test's own process, on ports and a directory of its own.

use crate::client::Client;
use crate::http::DEADLINE;
use hamlet_csp::{Syntax, Version};
use hamlet_model::{SessionId, Timestamp, UserId};
use hamlet_sap::Sap;
use hamlet_store::{Store, StoreConfig};
use hamletd::control::{Answer, Request};
use hamletd::data_dir::DataDirError;
use hamletd::operations::Actor;
use hamletd::{Config, Server, StartError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A setting: what a client does not answer is repeated at its next poll.
pub const AT_ONCE: &str = "poll.guard_time=0s";

/// A setting: users see the presence of those with whom they share a contact list, without
/// asking.
pub const CONTACTS: &str = "presence.unauthorized=contacts";

/// A running server.
pub struct TestServer {
    server: Option<Server>,
    settings: Vec<String>,
    // Dropped last: the store lies in it.
    directory: TempDir,
}

impl TestServer {
    /// Starts a server with these settings, such as `domain=h`, over the defaults.
    pub async fn start(settings: &[&str]) -> Self {
        let mut server = Self {
            server: None,
            settings: settings.iter().map(|set| (*set).to_owned()).collect(),
            directory: tempfile::tempdir().expect("a temporary directory"),
        };
        server.run().await;
        server
    }

    /// Starts a server of the domain `h`, where each of these users has the password
    /// `secret`, as in the recorded logins.
    pub async fn with_users(settings: &[&str], users: &[&str]) -> Self {
        let settings = [&["domain=h"], settings].concat();
        let server = Self::start(&settings).await;
        for user in users {
            server.add_user(&format!("wv:{user}@h"), "secret").await;
        }
        server
    }

    /// Makes an account.
    pub async fn add_user(&self, user: &str, password: &str) {
        let request = Request::UserAdd {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let answer = self.operate(request).await;
        assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    }

    /// Does what the operator's commands do.
    pub async fn operate(&self, request: Request) -> Answer {
        let by = Actor::this_process();
        self.running().operations().execute(&by, request).await
    }

    /// A client of this server that is logged in with the password `secret`.
    pub async fn client(&self, version: Version, syntax: Syntax, user: &str) -> Client {
        let user = format!("wv:{user}@h");
        Client::login(self.address(), version, syntax, &user, "secret").await
    }

    /// The same in XML and 1.2.
    pub async fn xml(&self, user: &str) -> Client {
        self.client(Version::V1_2, Syntax::Xml, user).await
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.running().http_addr().expect("an HTTP listener")
    }

    /// The listener of standalone TCP.
    pub fn cir_tcp(&self) -> SocketAddr {
        self.running().cir_tcp_addr().expect("standalone TCP")
    }

    /// The socket of standalone UDP.
    pub fn cir_udp(&self) -> SocketAddr {
        self.running().cir_udp_addr().expect("standalone UDP")
    }

    /// The admin listener.
    pub fn admin_address(&self) -> SocketAddr {
        self.running().admin_addr().expect("an admin listener")
    }

    /// The service access point.
    pub fn sap(&self) -> &Arc<Sap> {
        self.running().sap()
    }

    /// The contact lists that its store holds of a user.
    pub async fn contact_lists(&self, user: &str) -> Vec<String> {
        let user = UserId::parse(user, &self.sap().config().domain).expect("a user");
        let lists = self
            .running()
            .store()
            .read(move |tx| tx.contact_lists(&user));
        let lists = lists.await.expect("a store that answers");
        lists.iter().map(|list| list.id.to_string()).collect()
    }

    /// Gives an account a password.
    pub async fn set_password(&self, user: &str, password: &str) {
        let request = Request::UserPasswd {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let answer = self.operate(request).await;
        assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    }

    /// Its store.
    pub fn store(&self) -> &Store {
        self.running().store()
    }

    /// The names of what its store holds for a user, oldest first.
    pub async fn mailbox(&self, user: &str) -> Vec<String> {
        let user = UserId::parse(user, &self.sap().config().domain).expect("a user");
        let entries = self
            .running()
            .store()
            .read(move |tx| tx.mailbox(&user, usize::from(u16::MAX)));
        let entries = entries.await.expect("a store that answers");
        entries.into_iter().map(|entry| entry.id).collect()
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// What the server does from time to time, as if so much time had passed.
    pub async fn sweep_after(&self, time: Duration) {
        self.sweep_sessions_after(time).await;
        self.expire_after(time).await;
    }

    /// The part of it that is about sessions.
    pub async fn sweep_sessions_after(&self, time: Duration) {
        self.sap().sweep(Timestamp::now().plus(time)).await;
    }

    /// The part of it that is about what waits.
    pub async fn expire_after(&self, time: Duration) {
        let expired = self.sap().elements().expire(Timestamp::now().plus(time));
        expired.await.expect("a store that works");
    }

    /// Stops the server and starts it again on the same directory.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    /// The same as if nothing had been heard of a session for longer than it lives.
    pub async fn restart_after_silence_of(&mut self, session: &str) {
        self.stop().await;
        let path = self.directory.path().join("hamlet.db");
        let store = Store::open(&StoreConfig::sqlite(path)).expect("the server's store");
        let silent = [(SessionId::new(session), Timestamp::default())];
        let told = store.write(move |tx| tx.touch_sessions(&silent)).await;
        told.expect("a store that works");
        store.close().await;
        self.run().await;
    }

    /// Stops the server.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    async fn run(&mut self) {
        let mut sets = vec![
            format!("data_dir={}", self.directory.path().display()),
            "http.listen=127.0.0.1:0".to_owned(),
            "admin.listen=127.0.0.1:0".to_owned(),
            // What a test waits for comes at once; those about the waiting set it.
            "presence.hold=0s".to_owned(),
            "presence.window=0s".to_owned(),
        ];
        sets.extend(self.settings.iter().cloned());
        let config = Config::load(None, &sets).expect("a valid configuration");
        let deadline = Instant::now() + DEADLINE;
        self.server = Some(loop {
            match Server::start(config.clone()).await {
                // A process that another test starts at this moment has a copy of the lock's
                // descriptor until it runs its own program.
                Err(StartError::DataDir(DataDirError::InUse { .. }))
                    if Instant::now() < deadline =>
                {
                    tokio::task::yield_now().await;
                }
                started => break started.expect("a server that starts"),
            }
        });
    }

    fn running(&self) -> &Server {
        self.server.as_ref().expect("a running server")
    }
}
