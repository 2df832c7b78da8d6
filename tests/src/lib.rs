//! End-to-end suites, by protocol area: what they share.
//!
//! The tests (in `tests/`) reach a real server over real sockets. Requests are recorded
//! octets of real clients ([`fixture`], [`phone`]) or XML written by hand ([`client`]);
//! answers are read by strict readers that share nothing with Hamlet's own codecs.

#![forbid(unsafe_code)]

pub mod answer;
pub mod channel;
pub mod client;
#[path = "../../crates/hamlet-store/tests/suite/cluster.rs"]
pub mod cluster;
pub mod crowd;
pub mod digest;
pub mod element;
pub mod fan_out;
pub mod fixture;
pub mod group;
pub mod http;
pub mod metrics;
pub mod phone;
pub mod process;
pub mod relay;
pub mod server;
pub mod strict_wbxml;
pub mod strict_xml;
