//! The metrics of the service access point, declared once.

use hamlet_csp::{Syntax, Tag, Version};
use hamlet_model::StatusCode;
use hamlet_store::Store;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder,
};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::fmt::Write as _;

/// A label that is a text of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name(pub(crate) &'static str);

impl EncodeLabelValue for Name {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        encoder.write_str(self.0)
    }
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    primitive: Name,
    version: Name,
    syntax: Name,
    status: u32,
}

/// One HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct HttpLabels {
    status: u32,
}

/// How something turned out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OutcomeLabels {
    outcome: Name,
}

/// One method of the CIR channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct MethodLabels {
    method: Name,
}

/// What kind of thing was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct KindLabels {
    kind: Name,
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident: $kind:ty = $make:expr, $text:literal, $help:literal;)*) => {
        /// Everything that is counted.
        pub(crate) struct Metrics {
            $($(#[$doc])* pub(crate) $name: $kind,)*
        }

        impl Metrics {
            pub(crate) fn register(registry: &mut Registry) -> Self {
                let metrics = Self { $($name: $make,)* };
                $(registry.register($text, $help, metrics.$name.clone());)*
                metrics
            }
        }

        /// Name and meaning of every metric of the service access point, for documentation.
        pub const METRICS: &[(&str, &str)] = &[$(($text, $help),)*];
    };
}

metrics! {
    requests: Family<RequestLabels, Counter> = Family::default(), "csp_requests",
        "CSP requests answered, by primitive, version, syntax and status code";
    unreadable: Counter = Counter::default(), "csp_unreadable",
        "Bodies that were no CSP message";
    latency: Histogram = Histogram::new(exponential_buckets(0.0001, 4.0, 9)), "csp_exchange_seconds",
        "Time from the whole request to the whole answer";
    http: Family<HttpLabels, Counter> = Family::default(), "http_responses",
        "HTTP responses, by status";
    connections: Gauge = Gauge::default(), "http_connections",
        "Open HTTP connections";
    exchanges: Gauge = Gauge::default(), "csp_exchanges",
        "CSP messages that are being answered, those of clients that have gone among them";
    sessions: Gauge = Gauge::default(), "sessions",
        "Live sessions";
    logins: Family<OutcomeLabels, Counter> = Family::default(), "logins",
        "Logins, by outcome";
    ended: Family<HttpLabels, Counter> = Family::default(), "sessions_ended",
        "Sessions that ended, by status code";
    sent: Family<KindLabels, Counter> = Family::default(), "server_transactions",
        "Server transactions handed to clients, repetitions included, by kind";
    group_encoded: Counter = Counter::default(), "group_messages_encoded",
        "Messages of groups written: once for each form, not for each recipient";
    repeated: Counter = Counter::default(), "server_transactions_unanswered",
        "Server transactions that were not answered in time";
    delivered: Counter = Counter::default(), "mailbox_acknowledged",
        "Messages and reports that clients acknowledged";
    failed: Counter = Counter::default(), "mailbox_failed",
        "Messages and reports that no client of the user could take";
    notices_dropped: Counter = Counter::default(), "presence_notices_dropped",
        "Presence notices dropped because a session's queue was full, or its client cannot read one";
    domains_lost: Counter = Counter::default(), "relay_domains_lost",
        "Times that another domain had not answered for long";
    auto_joined: Counter = Counter::default(), "groups_joined_automatically",
        "Joins of clients in groups in which their users have AutoJoin";
    cir_connections: Gauge = Gauge::default(), "cir_tcp_connections",
        "Open connections of the CIR channel by standalone TCP";
    cir_held: Gauge = Gauge::default(), "cir_http_waiting",
        "Requests of the CIR channel by standalone HTTP that are held";
    cir_sent: Family<MethodLabels, Counter> = Family::default(), "cir_sent",
        "Communication initiation requests, repetitions included, by method";
    cir_repeated: Family<MethodLabels, Counter> = Family::default(), "cir_repeated",
        "Communication initiation requests repeated because no poll followed, by method";
    records_written: Counter = Counter::default(), "call_detail_records",
        "Call-detail records written";
    records_lost: Counter = Counter::default(), "call_detail_records_lost",
        "Call-detail records lost because they could not be written, or not fast enough";
    relay_sent: Counter = Counter::default(), "relay_sent",
        "Requests sent to other domains, repetitions included";
    relay_received: Counter = Counter::default(), "relay_received",
        "Requests received from other domains";
    relay_late: Counter = Counter::default(), "relay_answers_unexpected",
        "Answers of other domains that nobody waited for any more";
    content_kept: Counter = Counter::default(), "content_kept",
        "Pieces of content that users have uploaded or replaced";
    content_linked: Counter = Counter::default(), "content_linked",
        "Links made to the content of messages that clients could not be sent";
    content_fetched: Counter = Counter::default(), "content_fetched",
        "Pieces of content, or parts of them, that were fetched";
    content_refused: Family<OutcomeLabels, Counter> = Family::default(), "content_refused",
        "Requests of the content store that were refused, by reason";
    panics: Counter = Counter::default(), "panics",
        "Exchanges that ended in a fault of the program";
}

macro_rules! store_figures {
    ($($field:ident: $kind:ident, $text:literal, $help:literal;)*) => {
        /// As [`METRICS`], for the store.
        pub const STORE_METRICS: &[(&str, &str)] = &[$(($text, $help),)*];

        impl Collector for StoreFigures {
            fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
                let figures = self.0.metrics();
                $({
                    let metric = $kind::new(figures.$field);
                    let place =
                        encoder.encode_descriptor($text, $help, None, metric.metric_type())?;
                    metric.encode(place)?;
                })*
                Ok(())
            }
        }
    };
}

/// What the store counts by itself.
pub(crate) struct StoreFigures(pub(crate) Store);

impl std::fmt::Debug for StoreFigures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreFigures")
    }
}

store_figures! {
    transactions: ConstCounter, "store_transactions", "Operations of the store, read and write";
    writes: ConstCounter, "store_writes", "Write operations of the store";
    commits: ConstCounter, "store_commits", "Commits; on SQLite one for each batch of writes";
    commit_seconds: ConstCounter, "store_commit_seconds",
        "Time that commits took until all was on the disk, seconds";
    statements: ConstCounter, "store_statements", "SQL statements";
    scanned: ConstCounter, "store_scanned_rows",
        "Rows that SQLite visited one after the other because no index led to what was wanted";
    errors: ConstCounter, "store_errors", "Operations of the store that failed";
    refused: ConstCounter, "store_refused", "Operations refused because too many waited";
    retries: ConstCounter, "store_retries", "Transactions run again after a conflict";
    reconnects: ConstCounter, "store_reconnects", "Lost connections to the database made anew";
    read_queue: ConstGauge, "store_read_queue", "Read operations that wait now";
    write_queue: ConstGauge, "store_write_queue", "Write operations that wait now";
}

impl Metrics {
    pub(crate) fn request(
        &self,
        primitive: Option<Tag>,
        version: Version,
        syntax: Syntax,
        status: Option<u32>,
    ) {
        self.requests
            .get_or_create(&RequestLabels {
                primitive: Name(primitive.map_or("none", Tag::name)),
                version: Name(version.as_str()),
                syntax: Name(match syntax {
                    Syntax::Xml => "xml",
                    Syntax::Wbxml => "wbxml",
                }),
                status: status.unwrap_or(0),
            })
            .inc();
    }

    pub(crate) fn http(&self, status: u16) {
        let labels = HttpLabels {
            status: status.into(),
        };
        self.http.get_or_create(&labels).inc();
    }

    pub(crate) fn login(&self, outcome: &'static str) {
        let labels = OutcomeLabels {
            outcome: Name(outcome),
        };
        self.logins.get_or_create(&labels).inc();
    }

    pub(crate) fn ended(&self, code: StatusCode) {
        let labels = HttpLabels {
            status: code.0.into(),
        };
        self.ended.get_or_create(&labels).inc();
    }

    pub(crate) fn cir_sent(&self, method: &'static str, again: bool) {
        let labels = MethodLabels {
            method: Name(method),
        };
        self.cir_sent.get_or_create(&labels).inc();
        if again {
            self.cir_repeated.get_or_create(&labels).inc();
        }
    }

    pub(crate) fn content_refused(&self, outcome: &'static str) {
        let labels = OutcomeLabels {
            outcome: Name(outcome),
        };
        self.content_refused.get_or_create(&labels).inc();
    }

    pub(crate) fn sent(&self, kind: &'static str) {
        let labels = KindLabels { kind: Name(kind) };
        self.sent.get_or_create(&labels).inc();
    }
}
