//! The log: structured events on standard error.

use crate::config::{Log, LogFormat};
use std::io::{IsTerminal as _, stderr};
use tracing_subscriber::Layer as _;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Installs the log of this process; later calls have no effect.
pub fn start(config: &Log) {
    let layer = match config.format {
        LogFormat::Text => layer()
            .with_ansi(stderr().is_terminal())
            .with_writer(stderr)
            .boxed(),
        LogFormat::Json => layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(stderr)
            .boxed(),
    };
    // Failing means that a log is installed already, which is what a test wants.
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(config.level.filter()))
        .try_init();
}
