//! The terminal client and its tools.

#![forbid(unsafe_code)]

fn main() {}
