//! The IMPS server.
#![forbid(unsafe_code)]

fn main() {}
