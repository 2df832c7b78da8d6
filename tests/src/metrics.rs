//! What a server counts.

use crate::http::{Connection, DEADLINE};
use std::net::SocketAddr;
use std::time::Instant;

/// Waits until the server with this admin listener has carried out everything that it was sent
/// over connections that are closed by now; so many are still open, and known to it.
pub async fn quiet(admin: SocketAddr, open: usize) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let metrics = Metrics::of(admin).await;
        let busy = metrics.value("hamlet_csp_exchanges") > 0.0;
        if !busy && metrics.value("hamlet_http_connections") <= open as f64 {
            return;
        }
        assert!(Instant::now() < deadline, "it is never done: {metrics:?}");
    }
}

/// The metrics of a server at one moment.
#[derive(Debug)]
pub struct Metrics(String);

impl Metrics {
    /// Asks the admin listener for them.
    pub async fn of(admin: SocketAddr) -> Self {
        let mut connection = Connection::open(admin).await;
        let get = format!("GET /metrics HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
        let sent = connection.send(get.as_bytes()).await;
        sent.expect("an open connection");
        let answer = connection.receive().await.expect("the metrics");
        Self(String::from_utf8(answer.body).expect("UTF-8"))
    }

    /// The value of a metric that has no labels.
    pub fn value(&self, name: &str) -> f64 {
        let mut lines = self.0.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }
}
