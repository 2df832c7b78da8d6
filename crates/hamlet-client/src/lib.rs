//! A client of the Client-Server Protocol over HTTP.

#![forbid(unsafe_code)]
