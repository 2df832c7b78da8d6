//! End-to-end suites, by protocol area.

#![forbid(unsafe_code)]
