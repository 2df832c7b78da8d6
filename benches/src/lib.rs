//! Benchmarks of the codecs, and the bare HTTP server that the server is measured against.
//!
//! `benches/codecs.rs` is the criterion bench; `src/bin/codecs.rs` prints the same figures as
//! one table, with libwbxml beside them; `src/bin/bare_http.rs` is the bare HTTP server.

#![forbid(unsafe_code)]

pub mod answers;
pub mod messages;
