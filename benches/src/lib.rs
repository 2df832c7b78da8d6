//! Benchmarks of the codecs, and the bare HTTP server that the server is measured against.

#![forbid(unsafe_code)]
