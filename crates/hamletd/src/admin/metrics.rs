//! The metrics that the daemon adds to those of the service access point: process and build.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the names of Hamlet's own metrics begin with.
pub const PREFIX: &str = "hamlet";

/// A figure that is read when somebody asks.
pub struct Metric {
    /// Name.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    value: fn(&Figures) -> u64,
}

macro_rules! metrics {
    ($( $name:literal $help:literal = $value:expr; )*) => {
        /// Every figure, declared once.
        pub const METRICS: &[Metric] = &[
            $( Metric { name: $name, help: $help, value: $value }, )*
        ];
    };
}

metrics! {
    "process_start_time_seconds" "When the server started, seconds since 1970."
        = |figures| figures.started.as_secs();
    "process_resident_memory_bytes" "Memory in use, octets." = |_| resident_memory();
    "process_open_fds" "Open file descriptors." = |_| open_descriptors();
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
    let sap = [hamlet_sap::METRICS, hamlet_sap::STORE_METRICS]
        .concat()
        .into_iter()
        .map(|(name, help)| format!("| `{PREFIX}_{name}` | {help}. |\n"));
    let own = METRICS
        .iter()
        .map(|metric| format!("| `{}` | {} |\n", metric.name, metric.help));
    let lines: String = sap.chain(own).collect();
    INTRODUCTION.to_owned() + &lines
}

/// A registry with these figures and the build's version; others register theirs in it.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    registry.register(format!("{PREFIX}_build"), "The version that runs", build);
    let started = SystemTime::now().duration_since(UNIX_EPOCH);
    registry.register_collector(Box::new(Figures {
        started: started.unwrap_or_default(),
    }));
    registry
}

/// What the figures are read from.
#[derive(Debug)]
struct Figures {
    started: Duration,
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for metric in METRICS {
            let value = ConstGauge::new((metric.value)(self));
            let kind = value.metric_type();
            let described = encoder.encode_descriptor(metric.name, metric.help, None, kind)?;
            value.encode(described)?;
        }
        Ok(())
    }
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
