//! A server in the test's own process, on ports of its own and a directory of its own.

use hamletd::{Config, Server};
use std::net::SocketAddr;
use tempfile::TempDir;

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
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut server = Self {
            server: None,
            settings: settings.iter().map(|set| (*set).to_owned()).collect(),
            directory,
        };
        server.run().await;
        server
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.running().http_addr()
    }

    /// The admin listener.
    pub fn admin_address(&self) -> SocketAddr {
        self.running().admin_addr()
    }

    /// Stops the server and starts it again on the same directory.
    pub async fn restart(&mut self) {
        self.stop().await;
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
            "ssp.listen=off".to_owned(),
        ];
        sets.extend(self.settings.iter().cloned());
        let config = Config::load(None, &sets).expect("a valid configuration");
        self.server = Some(Server::start(config).await.expect("a server that starts"));
    }

    fn running(&self) -> &Server {
        self.server.as_ref().expect("a running server")
    }
}
