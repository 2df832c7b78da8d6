//! The metrics that the daemon adds to those of the service access point: store, process
//! and build.

use hamlet_store::{Store, StoreMetrics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the names of Hamlet's own metrics begin with.
pub const PREFIX: &str = "hamlet";

/// A figure that is read when somebody asks.
pub struct Metric {
    /// Name, without the `_total` that a counter's name ends in.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    value: Value,
}

enum Value {
    Counter(fn(&Facts) -> u64),
    Gauge(fn(&Facts) -> u64),
}

/// What the figures are read from.
struct Facts {
    store: StoreMetrics,
    started: Duration,
}

macro_rules! metrics {
    ($( $name:literal $kind:ident $help:literal = $value:expr; )*) => {
        /// Every figure, declared once.
        pub const METRICS: &[Metric] = &[
            $( Metric { name: $name, help: $help, value: Value::$kind($value) }, )*
        ];
    };
}

metrics! {
    "hamlet_store_operations" Counter "Store operations carried out, reads and writes."
        = |facts| facts.store.transactions;
    "hamlet_store_writes" Counter "Store operations that wrote."
        = |facts| facts.store.writes;
    "hamlet_store_commits" Counter "Commits; on SQLite concurrent writes share one."
        = |facts| facts.store.commits;
    "hamlet_store_statements" Counter "SQL statements of all operations."
        = |facts| facts.store.statements;
    "hamlet_store_errors" Counter "Store operations that failed."
        = |facts| facts.store.errors;
    "hamlet_store_refused" Counter "Store operations refused because too many waited."
        = |facts| facts.store.refused;
    "hamlet_store_retries" Counter "Transactions run again after a conflict (PostgreSQL)."
        = |facts| facts.store.retries;
    "hamlet_store_reconnects" Counter "Database connections made anew (PostgreSQL)."
        = |facts| facts.store.reconnects;
    "hamlet_store_batch_largest" Gauge "Most writes that have shared one commit."
        = |facts| facts.store.batch_max;
    "hamlet_store_read_queue" Gauge "Reads that wait."
        = |facts| facts.store.read_queue;
    "hamlet_store_write_queue" Gauge "Writes that wait."
        = |facts| facts.store.write_queue;
    "process_start_time_seconds" Gauge "When the server started, seconds since 1970."
        = |facts| facts.started.as_secs();
    "process_resident_memory_bytes" Gauge "Memory in use, octets."
        = |_| resident_memory();
    "process_open_fds" Gauge "Open file descriptors."
        = |_| open_descriptors();
}

const INTRODUCTION: &str = "\
# Metrics of hamletd

<!-- Written by `hamletd metrics-reference`; edit the declarations in crates/hamletd/src/admin/metrics.rs and
crates/hamlet-sap/src/metrics.rs instead. -->

`GET /metrics` on the admin listener (`admin.listen`) answers them in the OpenMetrics text format, which Prometheus
reads. The samples of a counter have `_total` at the end of their names.

| Metric | Meaning |
|---|---|
| `hamlet_build_info` | The version that runs. |
";

/// The list of all metrics, in Markdown (docs/metrics.md).
pub fn metrics_reference() -> String {
    let sap = hamlet_sap::METRICS
        .iter()
        .map(|(name, help)| format!("| `{PREFIX}_{name}` | {help}. |\n"));
    let own = METRICS
        .iter()
        .map(|metric| format!("| `{}` | {} |\n", metric.name, metric.help));
    let lines: String = sap.chain(own).collect();
    INTRODUCTION.to_owned() + &lines
}

/// A registry with these figures and the build's version; others register theirs in it.
pub fn registry(store: Store) -> Registry {
    let mut registry = Registry::default();
    let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("hamlet_build", "The version that runs", build);
    registry.register_collector(Box::new(Figures {
        store,
        started: SystemTime::now(),
    }));
    registry
}

struct Figures {
    store: Store,
    started: SystemTime,
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let facts = Facts {
            store: self.store.metrics(),
            started: self.started.duration_since(UNIX_EPOCH).unwrap_or_default(),
        };
        for metric in METRICS {
            match metric.value {
                Value::Counter(value) => {
                    encode(&mut encoder, metric, &ConstCounter::new(value(&facts)))?
                }
                Value::Gauge(value) => {
                    encode(&mut encoder, metric, &ConstGauge::new(value(&facts)))?
                }
            }
        }
        Ok(())
    }
}

fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    metric: &Metric,
    value: &impl EncodeMetric,
) -> fmt::Result {
    let described =
        encoder.encode_descriptor(metric.name, metric.help, None, value.metric_type())?;
    value.encode(described)
}

/// 0 where the system does not tell.
fn resident_memory() -> u64 {
    let pages = || {
        let text = std::fs::read_to_string("/proc/self/statm").ok()?;
        text.split(' ').nth(1)?.parse::<u64>().ok()
    };
    pages().unwrap_or(0) * rustix::param::page_size() as u64
}

/// 0 where the system does not tell.
fn open_descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}
