//! The server as a library, so that tests can start it in their own process.

#![forbid(unsafe_code)]
