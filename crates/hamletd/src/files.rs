//! The limit of open files: every connection takes a descriptor, and the usual soft limit is
//! 1024.

use crate::Config;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Descriptors beside those of connections: listeners, the control socket, the log, the
/// runtime, the store's files, traces.
const OTHERS: u64 = 100;

/// Files of a connection of the embedded store: database, write-ahead log, its index.
const OF_STORE: u64 = 3;

/// Raises the soft limit to the hard one, and says so; warns when that is too low for the
/// connections that the configuration allows.
pub fn raise_limit(config: &Config) {
    let before = getrlimit(Resource::Nofile);
    let mut limit = before;
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let now = getrlimit(Resource::Nofile).current;
    let needed = needed(config);
    let shown = |limit: Option<u64>| limit.map_or_else(|| "none".to_owned(), |l| l.to_string());
    tracing::info!(
        before = shown(before.current),
        limit = shown(now),
        "limit of open files"
    );
    if is_short(now, needed) {
        tracing::warn!(
            limit = shown(now),
            needed,
            "the limit of open files is too low for the connections that the configuration allows: \
             raise it, or lower http.max_connections or cir.tcp.max_connections"
        );
    }
}

/// Descriptors that the configured numbers of connections may take.
fn needed(config: &Config) -> u64 {
    let channels = match config.cir.tcp_listen.0 {
        Some(_) => u64::from(config.cir.tcp_max_connections),
        None => 0,
    };
    let store = u64::from(config.store.readers) + u64::from(config.store.writers) + 1;
    u64::from(config.http.max_connections) + channels + OF_STORE * store + OTHERS
}

fn is_short(limit: Option<u64>, needed: u64) -> bool {
    limit.is_some_and(|limit| limit < needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(sets: &[&str]) -> Config {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        Config::load(None, &sets).unwrap()
    }

    #[test]
    fn every_connection_counts() {
        let alone = needed(&config(&["http.max_connections=1000"]));
        assert!((1100..1200).contains(&alone), "{alone}");
        let both = [
            "http.max_connections=1000",
            "cir.tcp.listen=127.0.0.1:0",
            "cir.tcp.max_connections=5000",
        ];
        assert_eq!(needed(&config(&both)), alone + 5000);
        assert!(is_short(Some(alone - 1), alone));
        assert!(!is_short(Some(alone), alone));
        assert!(!is_short(None, alone));
    }
}
